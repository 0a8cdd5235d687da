"""Fair loops against an oracle that knows no theory: it tries every part of a small graph."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, combinations, pairwise, product
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat_models.graph import state_graph
from samebeat_models.liveness.check import LivenessCheck
from samebeat_models.liveness.fair import Lasso, fair_lasso
from samebeat_models.liveness.labelled import Labelled
from samebeat_models.liveness.lasso import why_not_broken
from samebeat_spec.language import Instance, Liveness

LABELS = 3
Move = tuple[int, int, int]
"""where an edge starts, its label, where it leads"""


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Move], list[str], set[int], set[int]]:
    """A graph with labelled edges, and for each label whether it is fair and how."""
    states = draw(st.integers(1, 6))
    moves = st.lists(st.integers(-2, states - 1), min_size=LABELS, max_size=LABELS)
    edges = [
        (s, label, t)
        for s in range(states)
        for label, t in enumerate(draw(moves))
        if t >= 0 and t != s
    ]
    kinds = st.sampled_from(["", "weak", "strong"])
    fair = draw(st.lists(kinds, min_size=LABELS, max_size=LABELS))
    given_in = draw(st.sets(st.integers(0, states - 1), min_size=states // 2))
    goal = draw(st.sets(st.integers(states // 2, states - 1), max_size=2))
    return states, edges, fair, given_in, goal


def labelled(states: int, edges: list[Move], fair: Sequence[str]) -> Labelled:
    start = np.searchsorted([s for s, _, _ in edges], np.arange(states + 1))
    graph = nx.DiGraph([(s, t) for s, _, t in edges])
    graph.add_nodes_from(range(states))
    depth = nx.single_source_shortest_path_length(graph, 0)
    return Labelled(
        start=start.astype(np.int64),
        target=np.array([t for _, _, t in edges], np.int32),
        label=np.array([label for _, label, _ in edges], np.uint16),
        initial=np.array([0]),
        depth=np.array([depth.get(i, 10**6) for i in range(states)], np.int32),
        weak=np.array([f == "weak" for f in fair], np.bool_),
        strong=np.array([f == "strong" for f in fair], np.bool_),
    )


def is_fair(
    edges: list[Move], fair: Sequence[str], part: set[int], inner: set[tuple[int, int]]
) -> bool:
    """Whether staying in ``part`` for ever, along all of ``inner`` again and again, is fair."""
    for label, kind in enumerate(fair):
        offering = {s for s, own, _ in edges if own == label and s in part}
        due = bool(offering) if kind == "strong" else kind == "weak" and offering == part
        if due and not any((s, t) in inner for s, own, t in edges if own == label):
            return False
    return True


def fair_places(
    states: int, edges: list[Move], fair: Sequence[str], begin: set[int], goal: set[int]
) -> set[int]:
    """Try every set of states outside the goal that hangs together; return all that can stay."""
    inside = set(range(states)) - goal
    whole = nx.DiGraph([(s, t) for s, _, t in edges])
    whole.add_nodes_from(range(states))
    reachable = nx.descendants(whole, 0) | {0}
    open_part = whole.subgraph(inside)
    begin = begin & inside & reachable
    after = set(chain.from_iterable(nx.descendants(open_part, s) | {s} for s in begin))
    found: set[int] = set()
    for size in range(1, len(after) + 1):
        for part in map(set, combinations(sorted(after), size)):
            own = whole.subgraph(part)
            if nx.is_strongly_connected(own) and is_fair(edges, fair, part, set(own.edges)):
                found |= part
    return found


def least_way(
    states: int, edges: list[Move], begin: set[int], goal: set[int], places: set[int]
) -> int:
    """How many edges it takes at least to one of some places, the goal still missing."""
    whole = nx.DiGraph([(s, t) for s, _, t in edges])
    whole.add_nodes_from(range(states))
    before = nx.single_source_shortest_path_length(whole, 0)
    after = whole.subgraph(set(range(states)) - goal)
    least: int = min(
        before[b] + length
        for b in begin
        for t, length in nx.single_source_shortest_path_length(after, b).items()
        if t in places
    )
    return least


def check_lasso(
    lasso: Lasso, edges: list[Move], fair: Sequence[str], begin: set[int], goal: set[int]
) -> None:
    """The run is one of the graph, leaves the goal out from a beginning on, and is fair."""
    states = [lasso.first]
    for edge in (*lasso.way, *lasso.loop):
        assert edges[edge][0] == states[-1]
        states.append(edges[edge][2])
    assert states[0] == 0
    assert states[len(lasso.way)] == states[-1]
    assert any(state in begin and not goal & set(states[i:]) for i, state in enumerate(states))
    loop = states[len(lasso.way) :]
    assert is_fair(edges, fair, set(loop), set(pairwise(loop)))


@pytest.mark.slow
@settings(max_examples=400)
@given(graphs())
def test_a_fair_run_is_found_exactly_if_there_is_one(graph):
    states, edges, fair, given_in, goal = graph
    machine = labelled(states, edges, fair)
    reachable = machine.depth < 10**6
    begin = np.array([i in given_in and i not in goal for i in range(states)]) & reachable
    inside = np.array([i not in goal for i in range(states)])
    lasso = fair_lasso(machine, begin, inside)
    begins = set(np.flatnonzero(begin).tolist())
    places = fair_places(states, edges, fair, begins, goal)
    assert (lasso is not None) == bool(places)
    if lasso is not None:
        check_lasso(lasso, edges, fair, begins, goal)
        if not lasso.loop:
            places &= set(range(states)) - {s for s, label, _ in edges if fair[label]}
        assert len(lasso.way) == least_way(states, edges, begins, goal, places)


ROUND = [(0, 0, 1), (0, 1, 3), (1, 0, 0), (1, 1, 3), (1, 2, 2), (2, 2, 1)]
"""0 <-> 1 by label 0, 1 <-> 2 by label 2, and out to 3 by label 1, from 0 and 1."""


@pytest.mark.parametrize(
    ("fair", "found"),
    [
        (("weak", "weak", ""), True),
        (("weak", "weak", "weak"), True),
        (("weak", "strong", "weak"), False),
        (("weak", "strong", ""), True),
    ],
    ids=["still", "round", "out", "still beyond"],
)
def test_what_is_strongly_fair_is_avoided_for_ever_or_taken(
    fair: Sequence[str], found: bool
) -> None:
    machine = labelled(4, ROUND, fair)
    inside = np.array([True, True, True, False])
    lasso = fair_lasso(machine, np.array([True, False, False, False]), inside)
    assert (lasso is not None) == found
    if lasso is not None:
        check_lasso(lasso, ROUND, fair, {0}, {3})


def test_a_part_that_fails_for_a_strong_label_is_looked_at_without_the_states_that_offer_it() -> (
    None
):
    """0 <-> 1 by label 0; to 2 and back by label 2; 2 offers label 1, which leads out to 3."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 2, 2), (2, 0, 1), (2, 1, 3)]
    machine = labelled(4, edges, ("weak", "strong", ""))
    inside = np.array([True, True, True, False])
    lasso = fair_lasso(machine, np.array([False, False, True, False]), inside)
    assert lasso is not None
    assert set(lasso.loop) == {0, 1}
    check_lasso(lasso, edges, ("weak", "strong", ""), {2}, {3})


def test_the_nearest_loop_is_taken_even_if_it_is_found_late() -> None:
    """0 <-> 1 by label 0, and out to 2, which offers label 1; on to 3 <-> 4, where all is well."""
    edges = [(0, 0, 1), (1, 0, 0), (1, 2, 2), (2, 0, 1), (2, 1, 5), (2, 2, 3), (3, 0, 4), (4, 0, 3)]
    fair = ("weak", "strong", "")
    machine = labelled(6, edges, fair)
    inside = np.array([True] * 5 + [False])
    lasso = fair_lasso(machine, np.arange(6) == 0, inside)
    assert lasso == Lasso(0, (), (0, 1))


def test_a_loop_goes_to_what_is_due_in_the_order_of_the_way_round() -> None:
    """A ring of five places: label 2 is at the first of them, label 1 at the next, and so on."""
    edges = [(s, label, (s + 1) % 5) for s, label in enumerate((2, 1, 0, 3, 4))]
    machine = labelled(5, edges, ("strong",) * 5)
    lasso = fair_lasso(machine, np.arange(5) == 0, np.ones(5, np.bool_))
    assert lasso == Lasso(0, (), (0, 1, 2, 3, 4))


def test_a_part_that_owes_a_weak_label_everywhere_has_no_fair_run() -> None:
    """0 <-> 1 by label 0, and both offer label 1, which leads out."""
    edges = [(0, 0, 1), (0, 1, 2), (1, 0, 0), (1, 1, 2)]
    machine = labelled(3, edges, ("", "weak", ""))
    inside = np.array([True, True, False])
    assert fair_lasso(machine, np.array([True, False, False]), inside) is None


@pytest.mark.parametrize(
    ("fair", "found"),
    [
        (("", ""), Lasso(0, (), ())),
        (("weak", ""), Lasso(0, (), (0, 2))),
        (("weak", "weak"), Lasso(0, (), (0, 2))),
        (("weak", "strong"), None),
    ],
    ids=["none", "weak turns", "weak way out", "strong way out"],
)
def test_a_way_out_that_comes_and_goes_must_be_strongly_fair_to_be_taken(fair, found):
    """0 <-> 1 turn round by label 0; from 0 label 1 leads out to 2."""
    edges = [(0, 0, 1), (0, 1, 2), (1, 0, 0)]
    machine = labelled(3, edges, fair)
    inside = np.array([True, True, False])
    assert fair_lasso(machine, np.array([True, False, False]), inside) == found


# --- a spec's promise as such a graph ------------------------------------------------------


def by_interpreter(oracle: Any, promise: Liveness) -> bool:
    """Whether some fair run breaks a promise, on the graph that the interpreter makes."""
    instance, judge, steps = oracle.instance, oracle.interpreter, oracle.steps
    number = {state: i for i, state in enumerate(steps)}
    labels: dict[tuple[str, tuple[int, ...]], int] = {}
    edges = sorted(
        (number[s], labels.setdefault((name, x), len(labels)), number[t])
        for s, own in steps.items()
        for name, x, t in own
        if s != t
    )
    kind = {
        (f.action, x): "strong" if f.strong else "weak"
        for f in sorted(promise.fair, key=lambda f: f.strong)
        for x in instance.fair_choices(f)
    }
    graph = labelled(len(number), edges, [kind.get(label, "") for label in labels])
    for choice in instance.choices(promise.parameters):
        names = {p.label: x for p, x in zip(promise.parameters, choice, strict=True)}
        given_in, goal_in = (
            np.array([bool(judge.evaluate(e, names, s)) for s in number], np.bool_)
            for e in (promise.given, promise.goal)
        )
        begin = given_in & ~goal_in
        if promise.kind == "eventually":
            begin &= np.isin(np.arange(len(number)), [number[s] for s in judge.initial_states()])
        if fair_lasso(graph, begin, ~goal_in) is not None:
            return True
    return False


@pytest.mark.parametrize("name", ["semaphore-2", "mutex-3", "polite-3", "polite-4", "greedy-3"])
def test_on_the_interpreters_graph_every_choice_of_fairness_gives_the_same_verdict(
    name: str, named_example: Callable[[str], Any], oracle: Callable[[Instance], Any]
) -> None:
    instance = named_example(name).instance
    check = LivenessCheck(state_graph(instance))
    for promise in instance.spec.liveness:
        whole = promise.fair
        for kinds in product(("", "weak", "strong"), repeat=len(whole)):
            fair = tuple(
                replace(f, strong=kind == "strong")
                for f, kind in zip(whole, kinds, strict=True)
                if kind
            )
            other = replace(promise, fair=fair)
            found = check.look(other)
            assert (found.trace is not None) == by_interpreter(oracle(instance), other)
            assert found.trace is None or why_not_broken(found.trace, other) == ""
