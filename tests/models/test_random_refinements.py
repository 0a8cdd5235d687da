"""Specs and refinements made at random: the engine says what the interpreter says of each step."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat_cli.loader import load_file
from samebeat_models.refinement.check import Refined, check_refinement
from samebeat_models.refinement.naive import breaking
from samebeat_models.results import Verdict
from samebeat_spec.language import (
    Instance,
    Integer,
    Refinement,
    State,
    action,
    guard,
    initial,
    ite,
    refinement,
    spec_of,
    variable,
)
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter

_SPECS = Path(__file__).parents[1] / "specs"


Place = tuple[int, int]
PLACES = list(product(range(4), range(2)))


class Small(Integer, low=0, high=3):
    """A number."""


class Bit(Integer, low=0, high=1):
    """A small number."""


def file_as(
    name: str, function: Callable[..., None], decorate: Callable[[Callable[..., None]], object]
) -> None:
    """Define what a function made in a loop says, under a name of its own."""
    function.__name__ = name
    decorate(function)


def simple_state(edges: list[tuple[int, int]]) -> type[State]:
    """Return a state of one number that begins at 0 and goes along edges."""

    class Simple(State, name="simple"):
        """One number."""

        z = variable(Small)

    @initial
    def begin(s: Simple) -> None:
        """Zero."""

    def move(a: int, b: int) -> Callable[..., None]:
        def along(s: Simple) -> None:
            """It goes along the edge."""
            guard(s.z == a, "it is at its start")
            s.z = b

        return along

    for i, (a, b) in enumerate(edges):
        file_as(f"edge{i}", move(a, b), action())
    return Simple


def detailed_state(
    simple: Any, edges: list[tuple[Place, Place]], table: dict[Place, int], at_most: int
) -> tuple[type[State], Refinement]:
    """Return a state of two numbers, and the refinement that reads them as ``table`` says."""

    class Detailed(State, name="detailed"):
        """Two numbers."""

        x = variable(Small)
        y = variable(Bit)

    @initial
    def begin(s: Detailed) -> None:
        """Both are zero."""

    def move(a: Place, b: Place) -> Callable[..., None]:
        def along(s: Detailed) -> None:
            """It goes along the edge."""
            guard((s.x == a[0]) & (s.y == a[1]), "it is at its start")
            s.x, s.y = b

        return along

    for i, (a, b) in enumerate(edges):
        file_as(f"edge{i}", move(a, b), action())

    def reading(s: Detailed, p: Any) -> None:
        """It looks the number up."""
        value = s.x
        for place, z in table.items():
            value = ite((s.x == place[0]) & (s.y == place[1]), z, value)
        p.z = value

    reading.__annotations__["p"] = simple
    return Detailed, refinement(at_most=at_most)(reading)


@st.composite
def drawn(draw: Any) -> tuple[list[tuple[int, int]], list[tuple[Place, Place]], dict[Place, int]]:
    """Return abstract edges, concrete edges and a reading; mostly such that it holds."""
    numbers = st.integers(0, 3)
    start = draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
    table = {place: draw(numbers) if place != (0, 0) else start for place in PLACES}
    goals = st.lists(st.sampled_from(PLACES), min_size=1, max_size=2)
    steps = [(place, goal) for place in PLACES for goal in draw(goals)]
    kept = [(table[a], table[b]) for a, b in steps if draw(st.integers(0, 9)) < 9]
    more = draw(st.lists(st.tuples(numbers, numbers), max_size=4))
    return [*dict.fromkeys([(0, 0), *kept, *more])], steps, table


@pytest.mark.slow
@settings(max_examples=150)
@given(made=drawn(), at_most=st.integers(1, 3))
def test_the_engine_says_what_the_interpreter_says(made, at_most, oracle_class):
    edges, steps, table = made
    detailed, reading = detailed_state(simple_state(edges), steps, table, at_most)
    instance = Instance("random", spec_of(detailed))
    check_against(oracle_class(instance), check_refinement(instance, reading))


def check_against(seen: Any, found: Refined) -> None:
    """Hold the outcome against every state and step that the interpreter sees."""
    projections = found.refinement.projections(seen.instance)
    bad = [0 for s, d in seen.depths.items() if d == 0 and breaking(projections, None, s)]
    bad += [
        seen.depths[s] + 1
        for s, own in seen.steps.items()
        for _, _, t in own
        if breaking(projections, s, t)
    ]
    assert (found.verdict is Verdict.VIOLATED) == bool(bad)
    if bad:
        assert found.trace is not None
        assert found.depth == min(bad) == len(found.trace.steps)
        last = (None, *found.trace.states)[-2:]
        assert breaking(projections, last[0], found.trace.states[-1]) is not None
        return
    (projection,) = projections
    states = {projection.state(s) for s in seen.steps}
    moves = {
        (projection.state(s), projection.state(t))
        for s, own in seen.steps.items()
        for _, _, t in own
    }
    moves = {(p, q) for p, q in moves if p != q}
    assert (found.states, found.steps) == (len(states), len(moves))
    judge = Interpreter(projection.abstract)
    after = {(p, t) for p in states for _, _, t in judge.successors(p) if t != p}
    assert (found.possible, found.taken) == (len(after), len(after & moves))
    ways = {name for p, q in moves for way in shortest_ways(judge, p, q) for name in way}
    assert set(found.uncovered) == {a.name for a in judge.spec.actions} - ways


def shortest_ways(
    judge: Interpreter, before: StateTuple, after: StateTuple
) -> list[tuple[str, ...]]:
    """Return the actions of every shortest path between two states."""
    ways: list[tuple[tuple[str, ...], StateTuple]] = [((), before)]
    while not any(state == after for _, state in ways):
        ways = [
            ((*names, a.name), t) for names, s in ways for a, _, t in judge.successors(s) if t != s
        ]
    return [names for names, state in ways if state == after]


@pytest.mark.parametrize(
    ("file", "name"), [("clock", "hours"), ("meters", "each"), ("elevator", "floors_by_two")]
)
def test_every_projected_step_of_an_example_is_looked_at(file, name, oracle_class):
    models, specs = load_file(_SPECS / f"{file}.py")
    spec = specs[models[0].spec]
    instance = models[0].instance(spec)
    seen = oracle_class(instance)
    found = check_refinement(instance, spec.find_refinement(name))
    projections = found.refinement.projections(instance)
    assert not any(breaking(projections, s, t) for s, own in seen.steps.items() for _, _, t in own)
    assert found.verdict is Verdict.HOLDS


def test_only_actions_on_shortest_ways_are_covered():
    """From 0 an edge leads to 1, and a way over 1 to 3; that over 2 is longer."""
    edges = [(0, 1), (1, 3), (0, 2), (2, 1)]
    table = {(0, 0): 0, (1, 0): 1, (2, 0): 3}
    steps = [((0, 0), (1, 0)), ((0, 0), (2, 0))]
    detailed, reading = detailed_state(simple_state(edges), steps, table, at_most=2)
    found = check_refinement(Instance("two ways", spec_of(detailed)), reading)
    assert found.verdict is Verdict.HOLDS
    assert found.uncovered == ("edge2", "edge3")
