"""Stays in state graphs: arrays and NetworkX must tell the same story, on graphs made at random."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

from samebeat_models.runs import Edges, Stay


@dataclass(frozen=True)
class Case:
    """A graph whose states can all be reached from the first, and a part of it."""

    edges: Edges
    inside: np.ndarray
    inner: nx.MultiDiGraph
    begin: set[int]
    end: set[int]


def _case(seed: int) -> Case:
    """Return a random case; odd seeds have no circle."""
    dice = np.random.default_rng(seed)
    size = int(dice.integers(2, 9))
    pairs = [(int(dice.integers(0, b)), b) for b in range(1, size)]  # so that all are reached
    for _ in range(int(dice.integers(0, 14))):
        a, b = (int(x) for x in dice.integers(0, size, 2))
        pairs.append((a, b) if seed % 2 == 0 else (min(a, b), max(a, b)))
    pairs = sorted((a, b) for a, b in pairs if seed % 2 == 0 or a != b)
    source, target = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    start = np.concatenate(([0], np.cumsum(np.bincount(source, minlength=size))))
    costs = dice.random(len(pairs)) < 0.4
    inside = dice.random(size) < 0.6
    inside[int(dice.integers(0, size))] = True
    inner = nx.MultiDiGraph()
    inner.add_nodes_from(np.flatnonzero(inside).tolist())
    begin, end = ({0} if inside[0] else set()), set()
    for (a, b), cost in zip(pairs, costs, strict=True):
        if inside[a] and inside[b]:
            inner.add_edge(a, b, cost=int(cost))
        elif inside[b]:
            begin.add(b)
        elif inside[a]:
            end.add(a)
    return Case(Edges(start, target, costs, np.array([0])), inside, inner, begin, end)


def _goes_round(inner: nx.MultiDiGraph) -> bool:
    """Return whether some circle costs something."""
    place = {n: i for i, c in enumerate(nx.strongly_connected_components(inner)) for n in c}
    return any(cost and place[a] == place[b] for a, b, cost in inner.edges(data="cost"))


@pytest.mark.parametrize("block", range(8))
def test_networkx_finds_the_same_entries_exits_circles_and_lengths(block):
    for seed in range(40 * block, 40 * block + 40):
        case = _case(seed)
        stay = Stay(case.edges, case.inside)
        assert set(np.flatnonzero(stay.entries)) == case.begin
        assert set(np.flatnonzero(stay.exits)) == case.end

        shortest = nx.multi_source_dijkstra_path_length(case.inner, case.begin, weight="cost")
        found = stay.shortest()
        assert {i: int(found[i]) for i in case.inner} == shortest

        backwards = case.inner.reverse()
        able = {m for n in case.end for m in (n, *nx.descendants(backwards, n))}
        assert set(stay.without_way_out()) == set(case.inner) - able

        assert (stay.circle() is not None) == _goes_round(case.inner)
        if stay.circle() is None:
            longest = stay.longest()
            assert {i: int(longest[i]) for i in case.inner} == _longest(case.inner)


def _longest(inner: nx.MultiDiGraph) -> dict[int, int]:
    """Return the most that it costs to get to each state, by trying again until nothing changes."""
    most = dict.fromkeys(inner, 0)
    for _ in inner:
        for a, b, cost in inner.edges(data="cost"):
            most[b] = max(most[b], most[a] + cost)
    return most


@pytest.mark.parametrize("block", range(4))
def test_a_run_that_shows_a_length_has_just_that_length(block):
    for seed in range(40 * block, 40 * block + 40):
        case = _case(seed)
        stay, edges = Stay(case.edges, case.inside), case.edges
        if not case.end or stay.circle() is not None:
            continue
        for costs in (stay.shortest(), stay.longest()):
            for last in case.end:
                run = stay.run_through(costs, last)
                states = [0, *(int(edges.target[e]) for e in run)]
                assert [int(edges.source[e]) for e in run] == states[:-1]
                assert states[-2] == last
                assert not case.inside[states[-1]]
                length = len(states) - 2
                while length and case.inside[states[length - 1]]:
                    length -= 1
                own = [int(edges.costs[e]) for e in run[length:-1]]
                assert sum(own) == costs[last]


@pytest.mark.parametrize("block", range(4))
def test_a_run_round_a_circle_ends_where_the_circle_begins_and_costs_something(block):
    rounds = 0
    for seed in range(80 * block, 80 * block + 80, 2):
        case = _case(seed)
        stay, edges = Stay(case.edges, case.inside), case.edges
        circle = stay.circle()
        if circle is None:
            continue
        rounds += 1
        run = stay.run_round(circle)
        at = run.index(circle)
        states = [0, *(int(edges.target[e]) for e in run)]
        assert states[at] == states[-1]
        assert all(case.inside[s] for s in states[at:])
        assert edges.costs[circle]
    assert rounds > 5
