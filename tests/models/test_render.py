"""Traces read as who did what, and only what changed."""

import pytest

from samebeat_models.render import initial_facts, trace_data, trace_lines
from samebeat_models.results import Step, Trace
from samebeat_spec.language import (
    Instance,
    Sort,
    State,
    action,
    anything,
    every,
    flag,
    function,
    initial,
    relation,
    spec_of,
    variable,
)


class Bird(Sort):
    """Flies."""


class Tree(Sort):
    """Stands."""


class Wood(State):
    """Who is where."""

    windy = flag()
    sits = relation(Bird, Tree)
    home = function(Bird, to=Tree)
    tallest = variable(Tree)


@initial
def start(s: Wood) -> None:
    """Anybody lives anywhere."""
    s.home[every] = anything


@action()
def land(s: Wood, b: Bird, t: Tree) -> None:
    """`b` lands."""
    s.sits[b, t] = True
    s.home[b] = t


@action()
def blow(s: Wood) -> None:
    """The wind turns."""
    s.windy = ~s.windy


@pytest.fixture
def trace() -> Trace:
    instance = Instance("wood", spec_of(Wood), {"Bird": 2, "Tree": 2})
    first = (0, 0, 0, 0, 0, 0, 0, 0)
    landed = (0, 0, 0, 0, 1, 0, 1, 0)
    steps = (Step("land", (1, 1), landed), Step("land", (1, 1), landed))
    return Trace(instance, first, (*steps, Step("blow", (), (1, *landed[1:]))))


def test_a_step_is_who_did_what_and_only_what_changed(trace: Trace) -> None:
    assert trace_lines(trace) == [
        "0      initially  home[every] = t1",
        "                  tallest = t1",
        "1  b2  land(t2)   sits[b2, t2]: false -> true",
        "                  home[b2]: t1 -> t2",
        "2  b2  land(t2)   nothing changes",
        "3      blow       windy: false -> true",
    ]


def test_a_trace_can_be_cut(trace: Trace) -> None:
    assert trace_lines(trace, 1)[-1].strip() == "home[b2]: t1 -> t2"


def test_the_first_state_says_what_holds_and_sums_up_equal_values(trace: Trace) -> None:
    facts = initial_facts(trace.instance, (1, 0, 1, 0, 0, 0, 1, 0))
    assert facts == ("windy", "sits[b1, t2]", "home[b1] = t1", "home[b2] = t2", "tallest = t1")


def test_a_step_as_data_has_the_same(trace: Trace) -> None:
    steps = trace_data(trace)
    assert [s["step"] for s in steps] == [1, 2, 3]
    assert steps[0]["arguments"] == {"b": "b2", "t": "t2"}
    assert steps[0]["actor"] == "b2"
    assert steps[1]["changes"] == []
    assert (steps[2]["action"], steps[2]["actor"]) == ("blow", None)
