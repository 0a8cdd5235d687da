"""Runs through a part of a state graph: how short and how long they are, and one that shows it.

Everything is arrays over states or over edges. An edge costs one or nothing: a tick or a step
that takes no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_UNSEEN, _ROOT = -1, -2


@dataclass(frozen=True)
class Edges:
    """The edges of a graph, ordered by where they start.

    Attributes:
        start: the edges from state ``i`` are ``start[i]`` to ``start[i + 1]``.
        target: where each edge leads.
        costs: whether it costs one.
        initial: the states in which runs begin.
    """

    start: Numbers
    target: Numbers
    costs: Bools
    initial: Numbers

    @cached_property
    def source(self) -> Numbers:
        """Where each edge starts."""
        return np.repeat(np.arange(self.states), np.diff(self.start))

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.start) - 1

    def leaving(self, states: Numbers) -> Numbers:
        """Return all edges from ``states``."""
        return rows_from(self.start, states)

    def route(self, sources: Numbers, goal: int, allowed: Bools | None = None) -> list[int]:
        """Return the edges of a route with the fewest edges, along ``allowed`` ones, to ``goal``.

        There must be one.
        """
        return self.nearest(sources, np.array([goal]), allowed)

    def nearest(self, sources: Numbers, goals: Numbers, allowed: Bools | None = None) -> list[int]:
        """Return the edges of a route with the fewest edges to one of ``goals``, as ``route``."""
        came_by = np.full(self.states, _UNSEEN, np.int64)
        came_by[sources] = _ROOT
        frontier = sources
        while len(frontier) and (came_by[goals] == _UNSEEN).all():
            edges = rows_from(self.start, frontier)
            if allowed is not None:
                edges = edges[allowed[edges]]
            edges = edges[came_by[self.target[edges]] == _UNSEEN]
            frontier, first = np.unique(self.target[edges], return_index=True)
            came_by[frontier] = edges[first]
        reached = goals[came_by[goals] != _UNSEEN]
        if not len(reached):
            raise AssertionError("there is no route")
        found: list[int] = []
        at = int(reached[0])
        while came_by[at] != _ROOT:
            found.append(int(came_by[at]))
            at = int(self.source[found[-1]])
        return found[::-1]


class Stay:
    """The parts of runs that lie ``inside`` a set of states (not empty), without a break.

    Attributes:
        inner: the edges that stay inside.
        entries: the states in which a stay can begin.
        exits: the states from which one step ends it.
    """

    def __init__(self, edges: Edges, inside: Bools) -> None:
        self._edges = edges
        self._inside = inside
        at_source, at_target = inside[edges.source], inside[edges.target]
        self.inner: Bools = at_source & at_target
        self.entries = np.zeros(edges.states, np.bool_)
        self.entries[edges.initial] = True
        self.entries[edges.target[~at_source & at_target]] = True
        self.entries &= inside
        self.exits = np.zeros(edges.states, np.bool_)
        self.exits[edges.source[at_source & ~at_target]] = True

    @cached_property
    def _component(self) -> Numbers:
        """The strongly connected component of each state, along inner edges."""
        source, target = self._edges.source[self.inner], self._edges.target[self.inner]
        shape = (self._edges.states, self._edges.states)
        matrix = csr_array((np.ones(len(source), np.int64), (source, target)), shape)
        matrix.sum_duplicates()  # the search does not end on a matrix with repeated entries
        _, component = connected_components(matrix, connection="strong")
        return np.asarray(component, np.int64)

    def circle(self) -> int | None:
        """Return an edge that costs and lies on a circle inside, None if there is none."""
        of = self._component
        round_about = of[self._edges.source] == of[self._edges.target]
        found = np.flatnonzero(self.inner & self._edges.costs & round_about)
        return int(found[0]) if len(found) else None

    def without_way_out(self) -> Numbers:
        """Return the states inside from which nothing ever leads out; those stuck come first."""
        edges = self._edges
        order = np.argsort(edges.target, kind="stable")
        order = order[self.inner[order]]
        start = _offsets(edges.target[order], edges.states)
        able = self.exits.copy()
        frontier = np.flatnonzero(able)
        while len(frontier):
            before = np.unique(edges.source[order[rows_from(start, frontier)]])
            frontier = before[~able[before]]
            able[frontier] = True
        found = np.flatnonzero(self._inside & ~able)
        moving = np.diff(edges.start)[found] > 0
        return np.concatenate((found[~moving], found[moving]))

    def shortest(self) -> Numbers:
        """Return for each state the least cost from where a stay begins; -1 outside."""
        edges = self._edges
        found = np.full(edges.states, -1, np.int64)
        frontier, cost = np.flatnonzero(self.entries), 0
        while len(frontier):
            here = self._spread(found, frontier, cost)
            leaving = rows_from(edges.start, here)
            leaving = leaving[self.inner[leaving] & edges.costs[leaving]]
            reached = np.unique(edges.target[leaving])
            frontier, cost = reached[found[reached] < 0], cost + 1
        return found

    def _spread(self, found: Numbers, frontier: Numbers, cost: int) -> Numbers:
        """Note ``cost`` at the frontier and wherever it leads at no cost; return all of those."""
        edges, layers = self._edges, [frontier]
        while len(frontier):
            found[frontier] = cost
            free = rows_from(edges.start, frontier)
            free = free[self.inner[free] & ~edges.costs[free]]
            reached = np.unique(edges.target[free])
            frontier = reached[found[reached] < 0]
            layers.append(frontier)
        return np.concatenate(layers)

    def longest(self) -> Numbers:
        """Return for each state inside the most that it can cost to get there; 0 outside.

        There must be no ``circle``. Circles without cost are one place.
        """
        of, edges = self._component, self._edges
        across = np.flatnonzero(self.inner & (of[edges.source] != of[edges.target]))
        across = across[np.argsort(of[edges.source[across]], kind="stable")]
        before, after = of[edges.source[across]], of[edges.target[across]]
        count = int(of.max()) + 1
        start, cost = _offsets(before, count), edges.costs[across].astype(np.int64)
        waiting = np.bincount(after, minlength=count)
        most = np.zeros(count, np.int64)
        frontier = np.flatnonzero(waiting == 0)
        while len(frontier):
            rows = rows_from(start, frontier)
            np.maximum.at(most, after[rows], most[before[rows]] + cost[rows])
            np.subtract.at(waiting, after[rows], 1)
            reached = np.unique(after[rows])
            frontier = reached[waiting[reached] == 0]
        return most[of]

    # --- runs that show it -----------------------------------------------------------------

    def run_into(self, state: int) -> list[int]:
        """Return the edges of a run from an initial state to the stay, and in it to ``state``."""
        return self._from_the_start(state, np.flatnonzero(self.entries), self.inner)

    def run_through(self, costs: Numbers, last: int) -> list[int]:
        """Return the edges of a run to the stay, in it at these ``costs`` to ``last``, and out."""
        edges = self._edges
        tight = costs[edges.source] + edges.costs == costs[edges.target]
        begin = np.flatnonzero(self.entries & (costs == 0))
        out = rows_from(edges.start, np.array([last]))
        end = int(out[~self._inside[edges.target[out]]][0])
        return [*self._from_the_start(last, begin, self.inner & tight), end]

    def run_round(self, edge: int) -> list[int]:
        """Return the edges of a run to the stay, to ``edge`` and once round its circle."""
        edges = self._edges
        source, target = int(edges.source[edge]), edges.target[[edge]]
        return [*self.run_into(source), edge, *edges.route(target, source, self.inner)]

    def _from_the_start(self, last: int, begin: Numbers, allowed: Bools) -> list[int]:
        edges = self._edges
        within = edges.route(begin, last, allowed)
        first = int(edges.source[within[0]]) if within else last
        if first in edges.initial:
            return within
        into = np.flatnonzero((edges.target == first) & ~self._inside[edges.source])
        enter = int(into[0])  # from the least state, so at the least depth
        return [*edges.route(edges.initial, int(edges.source[enter])), enter, *within]


def rows_from(start: Numbers, states: Numbers) -> Numbers:
    """Return the positions of all edges from ``states``, in their order."""
    counts = start[states + 1] - start[states]
    before = np.repeat(start[states] + counts - np.cumsum(counts), counts)
    rows: Numbers = before + np.arange(len(before))
    return rows


def _offsets(rows: Numbers, count: int) -> Numbers:
    found: Numbers = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count))))
    return found
