"""Promises made at random: what we say of them is what the formulas of TLA+ mean.

Two kinds of specs: graphs drawn as tables of one small spec, where every shape of loop occurs, and
the specs of everything that ``test_random_specs`` draws.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebeat_models.explorer import layout
from samebeat_models.explorer import machine as explorer_machine
from samebeat_models.explorer import search as explorer_search
from samebeat_models.explorer.search import Settings, explore_and_keep
from samebeat_models.graph import StateGraph, graph_of, state_graph
from samebeat_models.liveness.check import LivenessCheck
from samebeat_models.liveness.lasso import why_not_broken
from samebeat_spec.language import (
    Enumeration,
    Fair,
    Formula,
    Instance,
    Sort,
    State,
    StateError,
    action,
    element,
    eventually,
    function,
    guard,
    initial,
    leads_to,
    relation,
    spec_of,
    variable,
)

from .temporal_words import Word, fair_run_exists
from .test_random_specs import ALIKE, CONSTANTS, SIZES, specs

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Place(Sort):
    """Where one can be."""


class Way(Enumeration):
    """What can be done."""

    A = element()
    B = element()
    C = element()
    D = element()


class Wish(Sort):
    """What is asked for."""


class Maze(State):
    """Where somebody is."""

    starts = relation(Place, constant=True)
    open_at = relation(Way, Place, constant=True)
    leads = function(Way, Place, to=Place, constant=True)
    asked = relation(Wish, Place, constant=True)
    met = relation(Wish, Place, constant=True)

    at = variable(Place)


@initial
def start(s: Maze, p: Place) -> None:
    """Somewhere."""
    guard(s.starts[p], "runs start at p")

    s.at = p


@action()
def go(s: Maze, w: Way) -> None:
    """Go a way."""
    guard(s.open_at[w, s.at], "it is open")

    s.at = s.leads[w, s.at]


@action()
def jump(s: Maze, p: Place, q: Place) -> None:
    """Go from p to q, where a way from p by D leads to q: another name for the same."""
    guard((s.at == p) & s.open_at[Way.D, p] & (s.leads[Way.D, p] == q), "D leads there")

    s.at = q


@leads_to(weak=(go,))
def comes_after(s: Maze, x: Wish) -> tuple[Formula, Formula]:
    """What is asked for is met."""
    return s.asked[x, s.at], s.met[x, s.at]


@eventually(weak=(go,))
def comes(s: Maze, x: Wish) -> Formula:
    """It is met at some time."""
    return s.met[x, s.at]


@st.composite
def fairness(draw: Draw) -> tuple[Fair, ...]:
    """Fairness of some ways, weak or strong, and of some of the steps that bear another name."""
    often = st.sampled_from(["", "weak", "weak", "strong", "strong", "strong"])
    kinds = [draw(often) for _ in "ABCD"]
    found = [
        Fair("go", kind == "strong", (("w", way),))
        for way, kind in zip("ABCD", kinds, strict=True)
        if kind
    ]
    other = draw(st.sampled_from(["", "", "weak", "strong"]))
    if other:
        found.append(Fair("jump", other == "strong", draw(st.sampled_from([(), (("p", "p1"),)]))))
    if draw(st.integers(0, 5)) == 0:
        found.append(Fair("go"))
    return tuple(found)


@st.composite
def mazes(draw: Draw) -> Instance:
    """Draw a maze, and what is fair in it."""
    size = draw(st.integers(2, 6))
    places = [f"p{i + 1}" for i in range(size)]
    some = st.lists(st.sampled_from(places), unique=True, max_size=size)
    few = st.lists(st.sampled_from(places), unique=True, max_size=2)
    starts = draw(st.lists(st.sampled_from(places), unique=True, min_size=1, max_size=2))
    constants = {
        "starts": [[p] for p in starts],
        "open_at": [[w, p] for w in "ABCD" for p in draw(some)],
        "leads": {f"{w},{p}": draw(st.sampled_from(places)) for w in "ABCD" for p in places},
        "asked": [[x, p] for x in ("w1", "w2") for p in draw(few)],
        "met": [[x, p] for x in ("w1", "w2") for p in draw(few)],
    }
    fair = draw(fairness())
    spec = spec_of(Maze)
    promises = tuple(replace(p, fair=fair) for p in spec.liveness)
    sizes = {"Place": size, "Wish": 2}
    return Instance("maze", replace(spec, liveness=promises), sizes, constants)


def assert_same_answer(
    instance: Instance,
    oracle_of: Callable[[Instance], Any],
    graph_of_instance: Callable[[Instance], StateGraph] = state_graph,
) -> None:
    """Hold the search against the textbook, and each of its runs against the formulas."""
    try:
        truth = oracle_of(instance)
    except StateError:  # it does not fit: the explorer says so too, and there is nothing to ask
        return
    check = LivenessCheck(graph_of_instance(instance))
    for promise in instance.spec.liveness:
        found = check.look(promise)
        assert (found.trace is not None) == fair_run_exists(truth.steps, instance, promise)
        if found.trace is not None:
            word = Word(found.trace)
            assert word.is_a_run(found.trace)
            assert word.breaks(promise, found.arguments)
            assert why_not_broken(found.trace, promise) == ""


RANDOM = settings(suppress_health_check=list(HealthCheck), max_examples=4)


@RANDOM
@given(instance=mazes())
def test_in_some_mazes_the_answer_is_that_of_the_textbook(instance, oracle_class):
    assert_same_answer(instance, oracle_class)


@pytest.mark.slow
@settings(RANDOM, max_examples=1000)
@given(instance=mazes())
def test_in_many_mazes_the_answer_is_that_of_the_textbook(instance, oracle_class):
    assert_same_answer(instance, oracle_class)


@RANDOM
@given(spec=specs(promises=True), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_of_some_specs_made_at_random_too(spec, constants, oracle_class):
    assert_same_answer(Instance("random", spec, SIZES, constants), oracle_class)


@pytest.mark.slow
@settings(RANDOM, max_examples=300)
@given(spec=specs(promises=True), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_of_many_specs_made_at_random_too(spec, constants, oracle_class):
    assert_same_answer(Instance("random", spec, SIZES, constants), oracle_class)


def graph_with_fewer_bits(instance: Instance) -> StateGraph:
    """Return the graph of what the explorer leaves behind, with words of 6 bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "WORD_BITS", 6)
        patch.setattr(explorer_machine, "_SAMPLE_WIDTH", 1)
        patch.setattr(explorer_search, "_SMALL", 0)
        bare = replace(instance, spec=replace(instance.spec, properties=()))
        explored = explore_and_keep(bare, Settings(deadlocks=False))
        return graph_of(explored.machine, explored.store)


@pytest.mark.slow
@settings(RANDOM, max_examples=200)
@given(spec=specs(promises=True), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_the_answer_is_the_same_with_fewer_bits(spec, constants, oracle_class):
    instance = Instance("random", spec, SIZES, constants)
    assert_same_answer(instance, oracle_class, graph_with_fewer_bits)
