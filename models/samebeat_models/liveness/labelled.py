"""A graph with labels, some of them fair, that is walked a batch of edges at a time.

A large graph has a hundred million edges. What is computed is one number or one truth for each
state; only SciPy's search for strongly connected parts takes memory for each edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from samebeat_models.explorer.edges import Labels
from samebeat_models.explorer.edges import Numbers as Targets
from samebeat_models.runs import Bools, Numbers, rows_from

_BATCH = 1 << 20
"""Edges that are looked at together."""


def _nothing(_room: int) -> None:
    return


@dataclass(frozen=True)
class Labelled:
    """A graph with labels.

    Attributes:
        start: the edges from state ``i`` are ``start[i]`` to ``start[i + 1]``.
        target: where each edge leads, never to where it starts.
        label: the label of each edge; a state has at most one edge of each label.
        initial: the states in which runs begin.
        depth: the least number of edges from an initial state to each state.
        weak, strong: for each label whether it is fair; a label that is both is strong.
        watch: is called now and then, and with the bytes that are about to be taken.
    """

    start: Numbers
    target: Targets
    label: Labels
    initial: Numbers
    depth: Targets
    weak: Bools
    strong: Bools
    watch: Callable[[int], None] = _nothing

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.start) - 1

    @property
    def fair(self) -> Bools:
        """For each label whether it is fair."""
        return self.weak | self.strong

    def out(self, states: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield the edges from some states in batches: where each starts, and the edge."""
        degrees = self.start[states + 1] - self.start[states]
        count = 1 + int(degrees.sum()) // _BATCH
        for part, own in zip(
            np.array_split(states, count), np.array_split(degrees, count), strict=True
        ):
            self.watch(0)
            yield np.repeat(part, own), rows_from(self.start, part)

    def source(self, edge: int) -> int:
        """Return where an edge starts."""
        return int(np.searchsorted(self.start, edge, side="right")) - 1

    def offering(self, states: Numbers) -> Bools:
        """Return which states offer a fair label, of those asked about."""
        found = np.zeros(self.states, np.bool_)
        fair = self.fair
        for source, edges in self.out(states):
            found[source[fair[self.label[edges]]]] = True
        return found


def distinct(numbers: Numbers) -> Numbers:
    """Return numbers in order, each once; ``np.unique`` takes twenty times as long."""
    ordered = np.sort(numbers)
    fresh = np.ones(len(ordered), np.bool_)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return ordered[fresh]
