"""Why some steps of the specs in time are taken by no core: each reason is a statement.

Steps that start in a state which the cores are never in, nor pass through, need no reason of their
own: such a state is reached by steps that are not taken only, and each of those has a reason. For
every other step one of the statements below holds of the step and of the state where it starts, or
the core does not conform.
"""

from __future__ import annotations

from samebeat_conformance.reasons import NEVER
from samebeat_conformance.specgraph import Step
from samebeat_conformance.timed.product import Product
from samebeat_spec.language.instance import StateTuple

ONLY_BEHIND = "starts in a state that only steps lead to which are not taken for a reason"
ACKS_AT_ONCE = "who asks for a change, or receives the request, acks it in the same step"
CLOSES_AT_ONCE = "a core that cannot apply says so and closes the change in the same step"
UNDOES_AT_ONCE = "who learns of a failure and has not begun to apply undoes in the same step"
STILL_APPLIES = "a core that has every ack applies, and undoes the change once that is over"
OK_SAYS_ACK = "an ok says that its sender has acked, so a core never knows of the ok alone"
ALL_HOLD = "a core commits once every member has heard every ok (the held round, note C5)"
OK_AT_ONCE = (
    "a core that has heard all other oks says its own, and votes, in the step it applies in"
)
STOPPED = "a core that has stopped takes no steps"


class Reasons:
    """Tells for the steps of one exploration why no core takes them."""

    def __init__(self, product: Product) -> None:
        self._spec, self._visited = product.spec, product.visited
        self._images = product.images()
        self._instance = product.mapping.instance
        self._is_pair = product.listed.spec == "heartbeat"

    def of(self, step: Step) -> str:
        """Return why no core takes a step, or `NEVER`."""
        if step.source not in self._visited:
            return ONLY_BEHIND
        state = self._spec.state(step.source)
        if self._is_pair:
            return self._of_pair(step, state)
        is_between = step.source not in self._images
        return self._between(state) if is_between else self._of_composition(step, state)

    def _is(self, state: StateTuple, variable: str, *place: int) -> str:
        cell = self._instance.cell_index[variable][place]
        return self._instance.value_label(cell, state[cell])

    def _of_pair(self, step: Step, state: StateTuple) -> str:
        acts = step.action in ("ask", "receive_ack", "withdraw")
        return STOPPED if acts and self._is(state, "alive") == "false" else NEVER

    # --- composed --------------------------------------------------------------------------------

    def _of_composition(self, step: Step, state: StateTuple) -> str:
        n = step.arguments[0] if step.arguments else 0
        if step.action == "receive" and self._hears(step, "OK") and not self._acks(state, n):
            return OK_SAYS_ACK
        if step.action == "undo" and self._phase(state, n) == "ACKED" and self._acks(state, n):
            return STILL_APPLIES
        waits = self._phase(state, 1 - n) == "APPLIED" and not self._oks(state, 1 - n)
        return ALL_HOLD if step.action == "commit" and waits else NEVER

    def _between(self, state: StateTuple) -> str:
        """Return what the core does at once, so that it passes this state by."""
        phases = [self._phase(state, n) for n in (0, 1)]
        asked = self._is(state, "requested", 0) == "true"
        if "RECEIVED" in phases or (asked and phases == ["IDLE", "IDLE"]):
            return ACKS_AT_ONCE
        if "FAILED" in phases:
            return CLOSES_AT_ONCE
        for n in (0, 1):
            failed = self._knows(state, n, "FAILURE")
            if failed and phases[n] == "ACKED" and not self._acks(state, n):
                return UNDOES_AT_ONCE
            unsaid = self._is(state, "sent", n, 0, 2) == "false"
            if phases[n] == "APPLIED" and self._knows(state, n, "OK") and unsaid:
                return OK_AT_ONCE
        return NEVER

    def _phase(self, state: StateTuple, n: int) -> str:
        return self._is(state, "phase", n, 0)

    def _hears(self, step: Step, kind: str) -> bool:
        return step.arguments[3] == ("ACK", "BUSY", "OK", "FAILURE").index(kind)

    def _knows(self, state: StateTuple, n: int, kind: str) -> bool:
        """Return whether a node has heard something of the other."""
        k = ("ACK", "BUSY", "OK", "FAILURE").index(kind)
        return self._is(state, "heard", n, 1 - n, k) == "true"

    def _acks(self, state: StateTuple, n: int) -> bool:
        return self._knows(state, n, "ACK")

    def _oks(self, state: StateTuple, n: int) -> bool:
        own = self._is(state, "heard", n, n, 2) == "true"
        return own and self._knows(state, n, "OK")
