"""Why some steps of the spec are taken by no channel: each reason is a statement about a state.

A channel takes several steps of the spec at once, and knows less than the spec allows. So it never
takes some steps from states that it can be in, and is never in the states that only these lead to.
The first step on the way to such a state starts where a channel can be: it needs a reason of its
own. Without one it is a step that a channel should take and does not, so it does not conform. Nor
does it if it takes some step from no state at all, unless the instance says why.
"""

from __future__ import annotations

from samebeat_conformance.layer.product import Product
from samebeat_conformance.reasons import NEVER
from samebeat_conformance.specgraph import Step
from samebeat_spec.language.instance import StateTuple

SENDS_AT_ONCE = "what the window has room for is sent at once"
DELIVERS_AT_ONCE = "what is whole and next is delivered at once"
ACKS_ALL_BELOW = "an ack of a message is one of all before it"
ALL_FORGOTTEN = "a stream is forgotten as a whole"
NO_MORE_MEMORY = "the queue has memory for its threshold, and for what is in it"
ACKS_COPIES = "a message is acked again only when a copy of it comes"
ONLY_MISSING = "only what is not acked is sent again"
SAYS_WHAT_WAS = "a copy says what was closed when it was sent"
TOLD_BY_ACK = "a sender raises a limit once an ack says that the member takes that"
TOLD_BY_FRAGMENT = "a member lowers a limit once a fragment says that the sender keeps to that"
IN_A_CHANGE = "a limit changes only in a change that both nodes make"
BEYOND = "only such steps, or those taken at once, lead there"


class Reasons:
    """Tells for the steps of one exploration why no channel takes them."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._spec, self._mapping = product.spec, product.mapping
        self._images = product.images()
        self._taken = product.spec.taken()
        self._never = product.listed.never
        self._at = product.mapping.instance.cell_index

    def of(self, step: Step) -> str:
        """Return why no channel takes a step, or `NEVER`."""
        if (step.action, step.arguments) not in self._taken:
            last = f"{step.action} {step.arguments[-1]}"
            return self._never.get(last) or self._never.get(step.action, NEVER)
        state = self._spec.state(step.source)
        if step.source in self._images:
            return self._not_taken(step, state)
        return self._passed_by(step, state)

    # --- states that a channel can be in ---------------------------------------------------------

    def _not_taken(self, step: Step, state: StateTuple) -> str:
        """Return why a step is not taken from a state that a channel can be in."""
        m = step.arguments[1] if len(step.arguments) > 1 else -1
        match step.action:
            case "ack_again" if not self._comes(state, m):
                return ACKS_COPIES
            case "send_again" if self._is_held(state, m):
                return ONLY_MISSING
            case "forget" if self._keeps_another(state, m):
                return ALL_FORGOTTEN
            case "receive" if any(
                self._closed(state, k) and not self._get(state, "known", 0, k) for k in range(m)
            ):
                return SAYS_WHAT_WAS
            case "lose_ack" | "hear_ack" if self._acks_another(state, m):
                return ACKS_ALL_BELOW
            case "ack_again" if self._acks_too_few(state, m):
                return ACKS_ALL_BELOW
        return self._limit(step, state)

    def _limit(self, step: Step, state: StateTuple) -> str:
        """Return why a limit is not changed here."""
        of = {"switch_fragment_size": "fragment_size", "switch_window": "window"}
        if step.action in of:
            raised = step.arguments[0] > self._get(state, of[step.action])
            return TOLD_BY_ACK if raised else IN_A_CHANGE
        of = {"switch_buffers": "buffer_size", "switch_places": "places"}
        if step.action in of:
            raised = step.arguments[1] > self._get(state, of[step.action], 0)
            return IN_A_CHANGE if raised else TOLD_BY_FRAGMENT
        if step.action == "switch_capacity":
            return NO_MORE_MEMORY
        return IN_A_CHANGE if step.action == "switch_threshold" else NEVER

    # --- states that it passes by ----------------------------------------------------------------

    def _passed_by(self, step: Step, state: StateTuple) -> str:
        """Return what a channel does at once, or never, so that it is not in a state."""
        enabled = {action for action, _ in self._spec.instances_of(step.source)}
        if "send" in enabled:
            return SENDS_AT_ONCE
        if "deliver" in enabled:
            return DELIVERS_AT_ONCE
        return NO_MORE_MEMORY if self._capacity_is_more(state) else BEYOND

    # --- what a state says -----------------------------------------------------------------------

    def _get(self, state: StateTuple, variable: str, *place: int) -> int:
        return state[self._at[variable][place]]

    def _comes(self, state: StateTuple, m: int) -> bool:
        return any(self._get(state, "under_way", 0, m, f) for f in self._mapping.fragments)

    def _is_held(self, state: StateTuple, m: int) -> bool:
        held = any(self._get(state, "held", 0, m, f) for f in self._mapping.fragments)
        return held or bool(self._get(state, "known", 0, m))

    def _closed(self, state: StateTuple, m: int) -> bool:
        return self._mapping.is_closed(state, m)

    def _keeps_another(self, state: StateTuple, m: int) -> bool:
        """The receiver knows or holds another message that it cannot forget yet."""
        return any(
            self._is_held(state, k) and not (self._closed(state, k) and not self._comes(state, k))
            for k in self._mapping.messages
            if k != m
        )

    def _acks_another(self, state: StateTuple, m: int) -> bool:
        """Acks of other messages are under way, too."""
        return any(
            self._get(state, "ack_under_way", 0, k) for k in self._mapping.messages if k != m
        )

    def _acks_too_few(self, state: StateTuple, m: int) -> bool:
        """Acks of some message that is known are not under way."""
        return any(
            self._get(state, "known", 0, k) and not self._get(state, "ack_under_way", 0, k)
            for k in self._mapping.messages
            if k != m
        )

    def _fate(self, state: StateTuple, m: int) -> str:
        cell = self._at["fate"][m,]
        return self._mapping.instance.value_label(cell, state[cell])

    def _capacity_is_more(self, state: StateTuple) -> bool:
        counts = self._mapping.counts
        queued = sum(self._fate(state, m) == "QUEUED" for m in self._mapping.messages)
        needed = max(counts[self._get(state, "threshold")], queued)
        smaller = [n for n in counts if n < counts[self._get(state, "capacity")]]
        return any(n >= needed for n in smaller)
