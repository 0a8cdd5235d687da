"""Breadth first through a graph, without leaving a set of states, and the way back."""

from __future__ import annotations

import numpy as np

from samebeat_models.explorer.edges import Numbers as SmallNumbers
from samebeat_models.liveness.labelled import Labelled
from samebeat_models.runs import Bools, Numbers

_UNSEEN, _ROOT = -1, -2


class Walk:
    """A search, breadth first, for what can be reached ``inside`` a set of states.

    Attributes:
        distance: the number of the layer in which each state was found, -1 if it was not.
    """

    def __init__(self, graph: Labelled, inside: Bools) -> None:
        self._graph, self._inside = graph, inside
        self.distance: SmallNumbers = np.full(graph.states, _UNSEEN, np.int32)
        self._came_by: Numbers = np.full(graph.states, _UNSEEN, np.int64)

    @property
    def found(self) -> Bools:
        """The states that were found."""
        seen: Bools = self.distance != _UNSEEN
        return seen

    def begin(self, states: Numbers, layer: int = 0) -> Numbers:
        """Begin in those of ``states`` that were not found before; return them."""
        fresh: Numbers = states[self.distance[states] == _UNSEEN]
        self.distance[fresh], self._came_by[fresh] = layer, _ROOT
        return fresh

    def onward(self, frontier: Numbers, layer: int) -> Numbers:
        """Go one edge on from each state of ``frontier``; return what is found there, in order."""
        found = [np.empty(0, np.int64)]
        target = self._graph.target
        for _, edges in self._graph.out(frontier):
            after = target[edges].astype(np.int64)
            fresh = self._inside[after] & (self.distance[after] == _UNSEEN)
            after, edges = after[fresh], edges[fresh]
            self._came_by[after[::-1]] = edges[::-1]  # of several edges to a state, the first
            after = after[self._came_by[after] == edges]
            self.distance[after] = layer
            found.append(after)
        return np.sort(np.concatenate(found))

    def nearest(self, states: Bools) -> int:
        """Return the one of some states that was found first."""
        among = np.flatnonzero(states & self.found)
        return int(among[self.distance[among].argmin()])

    def way(self, last: int) -> list[int]:
        """Return the edges of a shortest way to ``last``, from where the walk began."""
        edges: list[int] = []
        while self._came_by[last] != _ROOT:
            edges.append(int(self._came_by[last]))
            last = self._graph.source(edges[-1])
        return edges[::-1]


def walk_from(graph: Labelled, begin: Numbers, inside: Bools) -> Walk:
    """Return what can be reached from some states, each at its own depth in the graph."""
    walk = Walk(graph, inside)
    begin = begin[np.argsort(graph.depth[begin], kind="stable")]
    depths, first = np.unique(graph.depth[begin], return_index=True)
    waiting = dict(zip(depths.tolist(), np.split(begin, first[1:]), strict=True))
    frontier = np.empty(0, np.int64)
    layer = int(depths[0])
    while len(frontier) or waiting:
        if layer in waiting:
            frontier = np.concatenate((frontier, walk.begin(waiting.pop(layer), layer)))
        layer += 1
        frontier = walk.onward(frontier, layer)
    return walk


def shortest_way(graph: Labelled, begin: Numbers, last: int, inside: Bools) -> list[int]:
    """Return the edges of a shortest way to ``last``; there must be one."""
    walk = Walk(graph, inside)
    frontier, layer = walk.begin(begin), 0
    while len(frontier) and walk.distance[last] < 0:
        layer += 1
        frontier = walk.onward(frontier, layer)
    if walk.distance[last] < 0:
        raise AssertionError("there is no way")
    return walk.way(last)
