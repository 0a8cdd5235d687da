"""Fair loops in a labelled graph: where a run can stay for ever and be fair all the same.

The graph is arrays, as in ``graph``. Each edge has a label, and each label may be weakly or
strongly fair. In every state a run may also wait. A state offers a label if an edge with it leads
out, wherever to; a label is taken by going along such an edge, or along another one between the
same two states.

A run stays in the end in one strongly connected part of the graph. It is fair to a weak label if
that is taken in the part or missing in one of its states, and to a strong one if it is taken in
the part or missing in all of its states. A part that fails for a weak label has no fair run at all,
and one that fails for a strong label only without the states that offer it: that is looked at anew
(the emptiness test of Streett automata).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from samebeat_models.runs import Bools, Edges, Numbers

_UNSEEN, _ROOT = -1, -2


@dataclass(frozen=True)
class Labelled:
    """A graph with labels.

    Attributes:
        edges: its edges; an edge that leads to where it starts does not count and is not there.
        depth: the least number of edges from an initial state to each state.
        label: the label of each edge; a state has at most one edge of each label.
        weak, strong: for each label whether it is fair; a label that is both is strong.
    """

    edges: Edges
    depth: Numbers
    label: Numbers
    weak: Bools
    strong: Bools


@dataclass(frozen=True)
class Lasso:
    """An infinite run: edges of the way into a loop, and of the loop.

    ``first`` is the state that it begins in; a loop without edges is one in which nothing happens.
    """

    first: int
    way: tuple[int, ...]
    loop: tuple[int, ...]


def fair_lasso(graph: Labelled, begin: Bools, inside: Bools) -> Lasso | None:
    """Return a fair run that from a state of ``begin`` on never leaves ``inside``, if there is one.

    ``begin`` lies inside. A run in which nothing happens any more is preferred, and then one with
    a shortest way to its loop.
    """
    if not begin.any():
        return None
    reach = _Reach(graph, begin, inside)
    still = reach.found & ~_offering(graph)
    if still.any():
        last = reach.nearest(still)
        return Lasso(*reach.way(last), ())
    part = _fair_part(graph, reach.found)
    if part is None:
        return None
    entry = reach.nearest(part >= 0)
    return Lasso(*reach.way(entry), tuple(_loop(graph, part == part[entry], entry)))


def _offering(graph: Labelled) -> Bools:
    """Return the states that offer a fair label: in all others a run may wait for ever."""
    found = np.zeros(graph.edges.states, np.bool_)
    found[graph.edges.source[(graph.weak | graph.strong)[graph.label]]] = True
    return found


class _Reach:
    """What can be reached from some states without leaving others, on shortest runs."""

    def __init__(self, graph: Labelled, begin: Bools, inside: Bools) -> None:
        edges = graph.edges
        self._edges = edges
        self._distance = np.full(edges.states, _UNSEEN, np.int64)
        self._came_by = np.full(edges.states, _UNSEEN, np.int64)
        starts = np.flatnonzero(begin)
        starts = starts[np.argsort(graph.depth[starts], kind="stable")]
        depths, first = np.unique(graph.depth[starts], return_index=True)
        waiting = dict(zip(depths.tolist(), np.split(starts, first[1:]), strict=True))
        distance = int(depths[0])
        frontier = np.empty(0, np.int64)
        while len(frontier) or waiting:
            here = waiting.pop(distance, np.empty(0, np.int64))
            here = here[self._distance[here] == _UNSEEN]
            self._distance[here], self._came_by[here] = distance, _ROOT
            out = edges.leaving(np.concatenate((frontier, here)))
            out = out[inside[edges.target[out]] & (self._distance[edges.target[out]] == _UNSEEN)]
            frontier, first = np.unique(edges.target[out], return_index=True)
            distance += 1
            self._distance[frontier], self._came_by[frontier] = distance, out[first]

    @property
    def found(self) -> Bools:
        """The states that can be reached."""
        seen: Bools = self._distance != _UNSEEN
        return seen

    def nearest(self, states: Bools) -> int:
        """Return the one of some states that is reached first."""
        among = np.flatnonzero(states)
        return int(among[self._distance[among].argmin()])

    def way(self, last: int) -> tuple[int, tuple[int, ...]]:
        """Return the first state and the edges of a shortest run to ``last``."""
        own: list[int] = []
        at = last
        while self._came_by[at] != _ROOT:
            own.append(int(self._came_by[at]))
            at = int(self._edges.source[own[-1]])
        before = self._edges.route(self._edges.initial, at)
        way = (*before, *own[::-1])
        return (int(self._edges.source[way[0]]) if way else last), way


def _fair_part(graph: Labelled, inside: Bools) -> Numbers | None:
    """Return for each state the number of its part, -1 outside of parts with a fair run."""
    edges, labels = graph.edges, max(len(graph.weak), 1)
    fair = graph.weak | graph.strong
    left = inside.copy()
    while left.any():
        inner = np.flatnonzero(left[edges.source] & left[edges.target])
        part = _parts(edges, inner)
        sizes = np.bincount(part[left], minlength=edges.states)
        left &= sizes[part] > 1  # waiting alone was looked at before
        if not left.any():
            return None
        own = inner[part[edges.source[inner]] == part[edges.target[inner]]]
        own = own[fair[graph.label[own]]]
        taken = np.unique(part[edges.source[own]] * labels + graph.label[own])
        out = np.flatnonzero(left[edges.source] & fair[graph.label])
        keys = part[edges.source[out]] * labels + graph.label[out]
        offered, count = np.unique(keys, return_counts=True)
        missed = ~np.isin(offered, taken)
        of, label = offered // labels, offered % labels
        weak = missed & ~graph.strong[label] & (count == sizes[of])
        strong = missed & graph.strong[label]
        unfair = np.zeros(edges.states, np.bool_)
        unfair[of[weak | strong]] = True
        good = left & ~unfair[part]
        if good.any():
            return np.where(good, part, -1)
        dead = np.zeros(edges.states, np.bool_)
        dead[of[weak]] = True
        left &= ~dead[part]
        left[edges.source[out[np.isin(keys, offered[strong])]]] = False
    return None


def _parts(edges: Edges, inner: Numbers) -> Numbers:
    """Return the number of each state's strongly connected part, along some edges."""
    source, target = edges.source[inner], edges.target[inner]
    shape = (edges.states, edges.states)
    matrix = csr_array((np.ones(len(inner), np.int64), (source, target)), shape)
    matrix.sum_duplicates()  # the search does not end on a matrix with repeated entries
    _, part = connected_components(matrix, connection="strong")
    return np.asarray(part, np.int64)


def _loop(graph: Labelled, part: Bools, entry: int) -> list[int]:
    """Return the edges of a loop through ``entry`` that gives each fair label its due."""
    edges = graph.edges
    inner = part[edges.source] & part[edges.target]
    size = int(part.sum())
    offers = np.bincount(graph.label[part[edges.source]], minlength=len(graph.weak))
    due = np.flatnonzero((graph.weak | graph.strong) & (offers > 0))
    made: list[int] = []
    at = entry
    for label in due:
        rests = not graph.strong[label] and offers[label] < size
        if _has_its_due(graph, int(label), rests, [entry], made):
            continue
        with_label = graph.label == label
        goals = np.zeros(edges.states, np.bool_)
        taking = np.flatnonzero(inner & with_label)
        goals[edges.source[taking]] = True
        if rests:
            goals |= part
            goals[edges.source[with_label]] = False
            goals[edges.source[taking]] = True
        made += edges.nearest(np.array([at]), np.flatnonzero(goals), inner)
        at = int(edges.target[made[-1]]) if made else entry
        if not _has_its_due(graph, int(label), rests, [entry], made):
            made.append(int(taking[edges.source[taking] == at][0]))
            at = int(edges.target[made[-1]])
    return made + edges.route(np.array([at]), entry, inner)


def _has_its_due(
    graph: Labelled, label: int, rests: bool, begin: list[int], made: list[int]
) -> bool:
    """Return whether a label is taken along some edges, or (if enough) missing on the way."""
    edges = graph.edges
    states = [*begin, *(int(edges.target[edge]) for edge in made)]
    for edge in made:
        same = edges.leaving(edges.source[[edge]])
        same = same[edges.target[same] == edges.target[edge]]
        if (graph.label[same] == label).any():
            return True
    return rests and any(
        not (graph.label[edges.leaving(np.array([state]))] == label).any() for state in states
    )
