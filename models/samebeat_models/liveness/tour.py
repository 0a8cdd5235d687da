"""A tour through a part of a graph that gives each fair label its due, and ends where it began.

From where it is, it goes to the nearest place where something that is still due can be had. That
need not make the shortest tour of all, but a short one, and the same one every time.
"""

from __future__ import annotations

import numpy as np

from samebeat_models.liveness.labelled import Labelled
from samebeat_models.liveness.walk import Walk, shortest_way
from samebeat_models.runs import Bools, Numbers


def tour(graph: Labelled, part: Bools, entry: int) -> tuple[int, ...]:
    """Return the edges of a loop through ``entry`` that is fair.

    ``part`` is strongly connected, owes nothing, and each of its states offers a fair label.
    """
    made = _Tour(graph, part, entry)
    while made.due.any():
        made.go_on()
    made.go(shortest_way(graph, np.array([made.at]), entry, part))
    return tuple(made.edges)


class _Tour:
    """A tour in the making: where it is, the edges so far, and which labels are still due."""

    def __init__(self, graph: Labelled, part: Bools, entry: int) -> None:
        self._graph, self._part = graph, part
        offers = np.zeros(len(graph.weak), np.int64)
        for _, edges in graph.out(np.flatnonzero(part)):
            offers += np.bincount(graph.label[edges], minlength=len(offers))
        self.due = graph.fair & (offers > 0)
        self._rests = ~graph.strong & (offers < part.sum())
        """labels that have their due where they are missing"""
        self.at = entry
        self.edges: list[int] = []
        self._arrive()

    def go(self, edges: list[int]) -> None:
        """Go along some edges, and note which labels have their due by that."""
        graph = self._graph
        for edge in edges:
            after = int(graph.target[edge])
            beside = self._leaving(self.at)
            self.due[graph.label[beside[graph.target[beside] == after]]] = False
            self.edges.append(edge)
            self.at = after
            self._arrive()

    def go_on(self) -> None:
        """Go to the nearest place where something due can be had."""
        walk = Walk(self._graph, self._part)
        frontier = walk.begin(np.array([self.at]))
        for layer in range(1, self._graph.states + 1):
            edge = self._due_edge(frontier)
            if edge >= 0:
                self.go([*walk.way(self._graph.source(edge)), edge])
                return
            frontier = walk.onward(frontier, layer)
            rest = self._due_rest(frontier)
            if rest >= 0:
                self.go(walk.way(rest))
                return
        raise AssertionError("nothing that is due can be had")

    def _due_edge(self, frontier: Numbers) -> int:
        """Return the first edge from some states that is due and stays in the part; -1 if none."""
        graph = self._graph
        for _, edges in graph.out(frontier):
            due = self.due[graph.label[edges]] & self._part[graph.target[edges]]
            if due.any():
                return int(edges[due.argmax()])
        return -1

    def _due_rest(self, frontier: Numbers) -> int:
        """Return the first of some states where a label that is due and may rest is missing."""
        graph = self._graph
        offers = np.zeros(len(self.due), np.int64)
        for _, edges in graph.out(frontier):
            offers += np.bincount(graph.label[edges], minlength=len(offers))
        missing = np.flatnonzero(self.due & self._rests & (offers < len(frontier)))
        if not len(missing):
            return -1
        without = np.ones(graph.states, np.bool_)
        for source, edges in graph.out(frontier):
            without[source[graph.label[edges] == missing[0]]] = False
        return int(frontier[without[frontier].argmax()])

    def _arrive(self) -> None:
        """Note which labels have their due by being missing here."""
        here = np.zeros(len(self.due), np.bool_)
        here[self._graph.label[self._leaving(self.at)]] = True
        self.due &= ~self._rests | here

    def _leaving(self, state: int) -> Numbers:
        return np.arange(self._graph.start[state], self._graph.start[state + 1])
