"""Why some steps of the spec are taken by no core: each reason is a statement about their states.

There are none but where views are. A step for which no reason holds is one that the core should
take and does not, so it does not conform. That the core takes several steps at once is a reason
only where no core is ever in the state between them. Of a core that takes one step at a time only
that counts which is no step but an input: a proposal with its report.
"""

from __future__ import annotations

from samebeat_conformance.product import Product
from samebeat_conformance.specgraph import Step
from samebeat_spec.language.instance import StateTuple

ONLY_WITH_ITSELF = "a core proposes no view without itself, nor one with the members it has"
PROPOSES_AND_REPORTS = "a core proposes a view and reports to it in one step"
LAST_BEGINS = "the last to report to a view has all reports, and begins it in the same step"
READS_AND_DECIDES = "who has read in a report how a change was decided decides it in the same step"
VOTES_AT_ONCE = "who begins a view votes on all that is open in the same step"
STILL_APPLIES = "a core whose operation runs undoes the change once that is over"
NEVER = "no core takes it"


class Reasons:
    """Tells for the steps of one exploration why no core takes them."""

    def __init__(self, product: Product) -> None:
        self._stepwise = product.stepwise
        self._spec = product.spec
        self._images = product.images()
        self._idle = product.idle()
        self._mapping = product.mapping
        self._instance = self._mapping.instance
        self._nodes = range(len(self._mapping.nodes))
        self._later = range(1, self._mapping.views)

    def of(self, step: Step) -> str:
        """Return why no core takes a step, or `NEVER`."""
        state = self._spec.state(step.source)
        if step.action == "propose" and not self._may_propose(step, state):
            return ONLY_WITH_ITSELF
        if step.source in self._images:
            is_idle = (step.source, step.arguments[0]) in self._idle
            waits = step.action == "undo" and not is_idle and not self._stepwise
            return STILL_APPLIES if waits else NEVER
        return self._between(state)

    def _between(self, state: StateTuple) -> str:
        """Return what the core does at once, so that it passes this state by."""
        for v in self._later:
            if self._get(state, "proposed", v) and not self._reporters(state, v):
                return PROPOSES_AND_REPORTS
        return NEVER if self._stepwise else self._at_once(state)

    def _at_once(self, state: StateTuple) -> str:
        """Return which steps, each of its own in the spec, the core takes together."""
        for v in self._later:
            if self._is_complete(state, v) and not self._has_begun(state, v):
                return LAST_BEGINS
        for v in self._later:
            if self._reads_a_decision(state, v):
                return READS_AND_DECIDES
        if any(self._has_to_vote(state, n) for n in self._nodes):
            return VOTES_AT_ONCE
        return NEVER

    def _get(self, state: StateTuple, variable: str, *place: int) -> int:
        return state[self._instance.cell_index[variable][place]]

    def _label(self, state: StateTuple, variable: str, *place: int) -> str:
        cell = self._instance.cell_index[variable][place]
        return self._instance.value_label(cell, state[cell])

    def _may_propose(self, step: Step, state: StateTuple) -> bool:
        node, _, quorum = step.arguments
        has = self._get(state, "members", self._get(state, "view", node))
        return has != quorum and self._mapping.nodes[node] in self._mapping.members[quorum]

    def _members(self, state: StateTuple, v: int) -> set[int]:
        names = self._mapping.members[self._get(state, "members", v)]
        return {n for n in self._nodes if self._mapping.nodes[n] in names}

    def _reporters(self, state: StateTuple, v: int) -> set[int]:
        return {n for n in self._nodes if self._get(state, "reported", n, v)}

    def _is_complete(self, state: StateTuple, v: int) -> bool:
        return bool(self._get(state, "proposed", v)) and (
            self._members(state, v) <= self._reporters(state, v)
        )

    def _has_begun(self, state: StateTuple, v: int) -> bool:
        return any(self._get(state, "view", n) >= v for n in self._nodes)

    def _reads_a_decision(self, state: StateTuple, v: int) -> bool:
        """Some member has reported, and takes part in what another report says is decided."""
        return any(
            self._label(state, "phase", n, c) in ("RECEIVED", "ACKED", "APPLIED")
            and self._label(state, "said", m, v, c) in ("COMMITTED", "UNDONE")
            for n in self._reporters(state, v)
            for m in self._reporters(state, v)
            for c in self._mapping.changes
        )

    def _has_to_vote(self, state: StateTuple, n: int) -> bool:
        """`n` has begun a view, and has not voted in it on what is open in a report."""
        v = self._get(state, "view", n)
        return v > 0 and any(
            self._label(state, "said", m, v, c) == "OPEN"
            and self._label(state, "vote", n, c, v) == "NONE"
            for m in self._members(state, v)
            for c in self._mapping.changes
        )
