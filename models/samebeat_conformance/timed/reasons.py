"""Why some steps of the pair in time are taken by no core: each reason is a statement.

Steps that start in a state which the cores are never in, nor pass through, need no reason of their
own: such a state is reached by steps that are not taken only, and each of those has a reason. For
every other step the statement below holds of the step and of the state where it starts, or the core
does not conform.
"""

from __future__ import annotations

from samebeat_conformance.reasons import NEVER
from samebeat_conformance.specgraph import Step
from samebeat_conformance.timed.product import Product

ONLY_BEHIND = "starts in a state that only steps lead to which are not taken for a reason"
STOPPED = "a core that has stopped takes no steps"


class Reasons:
    """Tells for the steps of one exploration why no core takes them."""

    def __init__(self, product: Product) -> None:
        self._spec, self._visited = product.spec, product.visited
        self._instance = product.mapping.instance
        self._is_pair = product.listed.spec == "heartbeat"

    def of(self, step: Step) -> str:
        """Return why no core takes a step, or `NEVER`."""
        if not self._is_pair:
            return NEVER
        if step.source not in self._visited:
            return ONLY_BEHIND
        state = self._spec.state(step.source)
        alive = self._instance.cell_index["alive"][()]
        is_alive = self._instance.value_label(alive, state[alive]) == "true"
        acts = step.action in ("ask", "receive_ack", "withdraw")
        return STOPPED if acts and not is_alive else NEVER
