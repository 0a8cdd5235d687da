"""The abstract side: which projected states and steps there are, and whether its steps make them.

The abstract instance is not explored. A projected state is reached by abstract steps from an
abstract initial state, as long as every projected step has been found to be some; so it is enough
to look at the steps from projected states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samebeat_models.explorer.kernels import Mask, blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import build_machine
from samebeat_models.explorer.store import Positions, Sorted, Store, sorted_unique
from samebeat_models.refinement.project import Projector, common_layout
from samebeat_spec.language import StateError

_PAIRS_AT_ONCE = 1 << 15
Watch = Callable[[], None]
"""Is called from time to time, and raises when the budget is used up."""


@dataclass(frozen=True)
class _Edges:
    """Steps of the abstract instance: which state they lead from, ground action, state after."""

    source: Positions
    action: Positions
    after: Words


@dataclass(frozen=True)
class _Round:
    """The nodes that paths have come to, the edges from there, and the nodes these lead to."""

    layer: Sorted
    edges: _Edges
    nodes: Words


class Abstract:
    """One abstract instance with the projections onto it.

    Attributes:
        projectors: the projections, with one layout for all.
        states: the projected states seen so far.
        pairs: the projected steps that move seen so far: both states, one below the other.
        taken: for each ground action of the abstract instance whether some projected step is a
            path with it; of several paths, the shortest ones count.
        single_steps: how many of ``pairs`` one abstract step makes.
    """

    def __init__(self, projectors: Sequence[Projector], at_most: int, watch: Watch) -> None:
        self.projectors = projectors
        self._at_most = at_most
        self._watch = watch
        self.machine = build_machine(projectors[0].projection.abstract, symmetry=False)
        self.layout = common_layout(projectors)
        for projector in projectors:
            projector.use(self.layout)
        self.states = Store(self.layout.words)
        self.pairs = Store(2 * self.layout.words)
        self.taken = np.zeros(len(self.machine.steps.actions), np.bool_)
        self.single_steps = 0
        cells = self.machine.instance.cells
        self._unfit = [
            (cell, value)
            for cell, values in enumerate(self.layout.possible)
            for value in sorted(values)
            if value not in cells[cell].values
        ]
        self._initial = Sorted(sorted_unique(self.machine.pack(self.machine.initial)))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.states.nbytes + self.pairs.nbytes if self.states.levels else 0

    # --- what is projected ---------------------------------------------------------------------

    def add_initial(self, projected: Words) -> Mask:
        """Note projected initial states; return which of them are none of the abstract spec."""
        self._add_states(projected)
        words, packed = self.translate(projected)
        refused: Mask = ~packed | (self._initial.positions(words) < 0)
        return refused

    def add_steps(self, pairs: Words) -> Words:
        """Note projected steps that move; return those that no abstract steps make.

        Raises:
            StateError: a projected state does not fit into the abstract instance.
        """
        fresh = self.pairs.add_level(sorted_unique(pairs))
        self._add_states(fresh[self.layout.words :].copy())
        refused = [fresh[:, :0]]
        size = _PAIRS_AT_ONCE if self._at_most == 1 else _PAIRS_AT_ONCE // 16
        for begin in range(0, fresh.shape[1], size):
            some = fresh[:, begin : begin + size]
            refused.append(some[:, ~self._made(some)])
            self._watch()
        return np.concatenate(refused, axis=1)

    def _add_states(self, projected: Words) -> None:
        fresh = self.states.add_level(sorted_unique(projected.copy()))
        for cell, field in self.layout.fields.items():
            fitting = self.projectors[0].projection.abstract.cells[cell].values
            for code in field.codes([v for v in field.values if v not in fitting]):
                if (self.layout.codes(field, fresh) == code).any():
                    self._refuse(cell, field.values[code])
        for cell, value in self.layout.constants.items():
            if (
                fresh.shape[1]
                and value not in self.projectors[0].projection.abstract.cells[cell].values
            ):
                self._refuse(cell, value)

    def _refuse(self, cell: int, value: int) -> None:
        guilty = next(p for p in self.projectors if value in p.cases[cell])
        raise StateError(guilty.projection.unfit(cell, value))

    def translate(self, projected: Words) -> tuple[Words, Mask]:
        """Return projected states as the abstract instance packs them, and which of them it can.

        A state that it cannot pack is not reachable in it.
        """
        theirs = self.machine.layout
        words = np.zeros((theirs.words, projected.shape[1]), np.uint64)
        packed = np.ones(projected.shape[1], np.bool_)
        for cell, possible in enumerate(theirs.possible):
            own, field = self.layout.fields.get(cell), theirs.fields.get(cell)
            values = own.values if own else (self.layout.constants[cell],)
            known = np.array([v in possible for v in values])
            table = np.array([field.code(v) if field and v in possible else 0 for v in values])
            at = self.layout.codes(own, projected) if own else np.zeros(1, np.int64)
            packed &= known[at]
            if field:
                words[field.word] |= table.astype(np.uint64)[at]
        return words, packed

    # --- steps ---------------------------------------------------------------------------------

    def _made(self, pairs: Words) -> Mask:
        """Return which projected steps abstract steps make, and note the actions that do."""
        before, fine = self.translate(pairs[: self.layout.words])
        after, fits = self.translate(pairs[self.layout.words :])
        made = np.zeros(pairs.shape[1], np.bool_)
        known = np.flatnonzero(fine & fits)
        if len(known) == 0:
            return made
        sources = Sorted(sorted_unique(before[:, known]))
        wanted = _keyed(sources.positions(before[:, known]), after[:, known])
        index = Sorted(sorted_unique(wanted.copy()))
        found = self._reach(sources.states, index)
        made[known] = found[index.positions(wanted)]
        return made

    def _reach(self, sources: Words, index: Sorted) -> Mask:
        """Return which of the wanted pairs are paths of up to ``at_most`` steps.

        Layer by layer: a node is the number of a source and a state that a path has come to.
        """
        found = np.zeros(len(index), np.bool_)
        nodes = _keyed(np.arange(sources.shape[1]), sources)
        walked: list[_Round] = []
        while not found.all() and len(walked) < self._at_most:
            missing = np.isin(nodes[0], index.states[0, ~found])
            layer = Sorted(sorted_unique(nodes[:, missing]))
            edges = self._edges(layer.states[1:])
            nodes = np.concatenate((layer.states[:1, edges.source], edges.after))
            walked.append(_Round(layer, edges, nodes))
            slot = index.positions(nodes)
            new = (slot >= 0) & ~found[slot]
            self._note(walked, new)
            found[slot[new]] = True
            if len(walked) == 1:
                self.single_steps += int(np.count_nonzero(found))
        return found

    def _note(self, walked: list[_Round], on: Mask) -> None:
        """Note the actions of all paths that end with one of the last edges where ``on``."""
        for number in reversed(range(len(walked))):
            here = walked[number]
            self.taken[here.edges.action[on]] = True
            if number:
                ways = here.layer.positions(walked[number - 1].nodes)
                on = np.isin(ways, here.edges.source[on])

    def _edges(self, states: Words) -> _Edges:
        """Return every step from some abstract states that changes something."""
        found = list(self._steps(states))
        if not found:
            none = np.empty(0, np.int64)
            return _Edges(none, none, states[:, :0])
        return _Edges(
            np.concatenate([e.source for e in found]),
            np.concatenate([e.action for e in found]),
            np.concatenate([e.after for e in found], axis=1),
        )

    def _steps(self, states: Words) -> Iterator[_Edges]:
        for begin, block in blocks(states):
            for steps in self.machine.steps.steps(block):
                source = np.flatnonzero(steps.source)
                yield _Edges(begin + source, np.full(len(source), steps.index), steps.after)

    # --- figures -------------------------------------------------------------------------------

    def count_steps(self) -> int:
        """Return how many different steps that move lead from the projected states."""
        total = 0
        for level in self.states.levels:
            for _, block in blocks(level):
                words, packed = self.translate(block.words)
                edges = self._edges(words[:, packed])
                if len(edges.source):
                    total += sorted_unique(_keyed(edges.source, edges.after)).shape[1]
                self._watch()
        return total

    def taken_actions(self) -> set[str]:
        """Return the names of the abstract actions that some projected step takes."""
        actions = self.machine.steps.actions
        return {actions[int(i)].action.name for i in np.flatnonzero(self.taken)}


def _keyed(source: Positions, after: Words) -> Words:
    """Return steps as columns: the number of the state before, then the state after."""
    return np.concatenate((source.astype(np.uint64)[np.newaxis], after))
