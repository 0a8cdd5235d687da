"""Strongly connected parts of a graph, and what a run that stays in one of them owes.

A run stays in the end in one part. It is fair to a weak label if that is taken in the part or
missing in one of its states, and to a strong one if it is taken in the part or missing in all of
its states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from samebeat_models.explorer.edges import Numbers as SmallNumbers
from samebeat_models.liveness.labelled import Labelled, distinct
from samebeat_models.runs import Bools, Numbers

_NONE = -1
_BYTES_A_PAIR = 16
"""What SciPy's matrix takes for each pair of states, with what is copied on the way."""
_BYTES_A_CODE = 40
"""What it takes to bring together the codes of all batches."""


@dataclass(frozen=True)
class Parts:
    """The parts with more than one state.

    Attributes:
        of: the number of each state's part, -1 outside of them.
        sizes: how many states each part has.
    """

    of: SmallNumbers
    sizes: Numbers

    def states_of(self, chosen: Bools) -> Bools:
        """Return the states of some parts, given for each part whether it is one of them."""
        with_outside = np.append(chosen, False)  # which is what -1 looks up
        states: Bools = with_outside[self.of]
        return states


def parts_of(graph: Labelled, inside: Bools) -> Parts:
    """Return the parts inside a set of states."""
    left = _without_sources(graph, inside)
    states = np.flatnonzero(left)
    number: SmallNumbers = np.full(graph.states, _NONE, np.int32)
    number[states] = np.arange(len(states))
    component = _components(graph, states, number)
    sizes = np.bincount(component)
    large = np.flatnonzero(sizes > 1)
    renamed = np.full(len(sizes), _NONE, np.int32)
    renamed[large] = np.arange(len(large))
    number[states] = renamed[component]
    return Parts(number, sizes[large])


def _without_sources(graph: Labelled, inside: Bools) -> Bools:
    """Return ``inside`` without the states that lie on no circle because nothing leads to them.

    That is quick, and where every run ends nothing is left.
    """
    left = inside.copy()
    coming, one = np.zeros(graph.states, np.int32), np.int32(1)
    for _, edges in graph.out(np.flatnonzero(inside)):
        np.add.at(coming, graph.target[edges].astype(np.int64), one)
    frontier = np.flatnonzero(left & (coming == 0))
    while len(frontier):
        left[frontier] = False
        found = [np.empty(0, np.int64)]
        for _, edges in graph.out(frontier):
            after = graph.target[edges].astype(np.int64)
            np.subtract.at(coming, after, one)
            found.append(after[left[after] & (coming[after] == 0)])
        frontier = distinct(np.concatenate(found))
    return left


def _components(graph: Labelled, states: Numbers, number: SmallNumbers) -> SmallNumbers:
    """Return the strongly connected component of each of some states, ``number`` giving theirs.

    SciPy's search does not end on a matrix with repeated entries, so each pair is given once.
    """
    count = len(states)
    if count == 0:
        return np.empty(0, np.int32)
    degree = np.zeros(count, np.int32)
    columns = [np.empty(0, np.int32)]
    for source, edges in graph.out(states):
        after = number[graph.target[edges]]
        inner = after >= 0
        pairs = distinct(number[source[inner]] * np.int64(count) + after[inner])
        if len(pairs):
            row = pairs // count
            degree[row[0] : row[-1] + 1] += np.bincount(row - row[0]).astype(np.int32)
            columns.append((pairs % count).astype(np.int32))
    start = np.concatenate(([0], np.cumsum(degree, dtype=np.int64)))
    graph.watch(_BYTES_A_PAIR * int(start[-1]))
    target = np.concatenate(columns)
    matrix = csr_array((np.ones(len(target)), target, start), (count, count))
    _, component = connected_components(matrix, connection="strong")
    return np.asarray(component, np.int32)


@dataclass(frozen=True)
class Debts:
    """What runs that take every edge of a part owe to fair labels.

    Attributes:
        weak, strong: for each part whether it owes something to such a label.
        unpaid: pairs ``part * labels + label`` of what is owed to strong labels, sorted.
    """

    weak: Bools
    strong: Bools
    unpaid: Numbers


def debts(graph: Labelled, parts: Parts) -> Debts:
    """Return what is owed in each part."""
    labels, fair = len(graph.weak), graph.fair
    codes, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for source, edges in graph.out(np.flatnonzero(parts.of >= 0)):
        label = graph.label[edges]
        wanted = fair[label]
        own, after = parts.of[source[wanted]], parts.of[graph.target[edges[wanted]]]
        pair = own * np.int64(labels) + label[wanted]
        code, count = np.unique(2 * pair + (own == after), return_counts=True)
        codes.append(code)
        counts.append(count)
    graph.watch(_BYTES_A_CODE * sum(map(len, codes)))
    code, where = np.unique(np.concatenate(codes), return_inverse=True)
    count = np.zeros(len(code), np.int64)
    np.add.at(count, where, np.concatenate(counts))
    pair, which = np.unique(code // 2, return_inverse=True)
    offered, taken = np.zeros(len(pair), np.int64), np.zeros(len(pair), np.bool_)
    np.add.at(offered, which, count)
    taken[which[code % 2 == 1]] = True
    of, label = pair // labels, pair % labels
    strong = ~taken & graph.strong[label]
    weak = ~taken & ~graph.strong[label] & (offered == parts.sizes[of])
    owing_weak, owing_strong = np.zeros((2, len(parts.sizes)), np.bool_)
    owing_weak[of[weak]] = True
    owing_strong[of[strong]] = True
    return Debts(owing_weak, owing_strong, pair[strong])


def without_what_is_owed(graph: Labelled, parts: Parts, owed: Debts) -> Bools:
    """Return the states of parts that owe only to strong labels, without those that offer these."""
    left = parts.states_of(owed.strong & ~owed.weak)
    labels = len(graph.strong)
    for source, edges in graph.out(np.flatnonzero(left)):
        label = graph.label[edges]
        strong = graph.strong[label]
        source = source[strong]
        pair = parts.of[source] * np.int64(labels) + label[strong]
        left[source[np.isin(pair, owed.unpaid)]] = False
    return left
