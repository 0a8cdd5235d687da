"""Traces read as who did what, and only what changed."""

from fractions import Fraction

import pytest

from samebeat_models.catalog import CatalogError, parse_catalog
from samebeat_models.render import initial_facts, trace_data, trace_lines
from samebeat_models.results import Step, Trace
from samebeat_spec.language import (
    Enumeration,
    Instance,
    Integer,
    Sort,
    State,
    action,
    anything,
    element,
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


# --- time ------------------------------------------------------------------------------------


class Cook(Enumeration):
    """Who is in the kitchen."""

    ANN = element("cooks")


class Egg(Enumeration):
    """What is on the stove."""

    SMALL = element("done soon")
    LARGE = element("done later")


class Ticks(Integer, low=0, high=9):
    """A duration."""


class Kitchen(State):
    """Two eggs and a clock."""

    boil_ticks = function(Egg, to=Ticks, constant=True)
    rest_ticks = variable(Ticks, constant=True)
    since_start_ticks = variable(Ticks)
    done = relation(Egg)


@initial
def cold(s: Kitchen) -> None:
    """Nothing is done."""


@action()
def stir(s: Kitchen, c: Cook) -> None:
    """`c` stirs."""
    s.since_start_ticks = 0


@action()
def take_out(s: Kitchen, e: Egg) -> None:
    """`e` is taken out."""
    s.done[e] = True


@action(tick=True)
def pass_time(s: Kitchen) -> None:
    """The clock runs; an egg that has boiled for long enough is done."""
    s.done[every] = lambda e: s.done[e] | (s.boil_ticks[e] <= s.since_start_ticks)
    s.since_start_ticks = s.since_start_ticks + 1


@pytest.fixture
def boiling() -> Trace:
    """The small egg is done in the second of four ticks; then the large one is taken out."""
    constants = {"boil_ticks": {"SMALL": 1, "LARGE": 9}, "rest_ticks": 2}
    instance = Instance("kitchen", spec_of(Kitchen), {}, constants)
    steps = (
        Step("stir", (0,), (0, 0, 0)),
        Step("pass_time", (), (1, 0, 0)),
        Step("pass_time", (), (2, 1, 0)),
        Step("pass_time", (), (3, 1, 0)),
        Step("pass_time", (), (4, 1, 0)),
        Step("take_out", (1,), (4, 1, 1)),
    )
    return Trace(instance, (0, 0, 0), steps)


def test_a_spec_with_time_shows_when_each_step_happens_and_ticks_of_the_clocks_as_one(
    boiling: Trace,
) -> None:
    assert trace_lines(boiling) == [
        "              given               boil_ticks: SMALL = 1, LARGE = 9",
        "                                  rest_ticks = 2",
        "  0  0 ticks  initially           since_start_ticks = 0",
        "  1  0 ticks  stir(ANN)           nothing changes",
        "  2  0 ticks  pass_time           since_start_ticks: 0 -> 1",
        "  3  1 tick   pass_time           since_start_ticks: 1 -> 2",
        "                                  done[SMALL]: false -> true",
        "4-5  2 ticks  pass_time, 2 times  since_start_ticks: 2 -> 4",
        "  6  4 ticks  take_out(LARGE)     done[LARGE]: false -> true",
    ]


def test_a_cut_trace_has_no_tick_beyond_the_cut(boiling: Trace) -> None:
    assert trace_lines(boiling, 4)[-1].split() == [
        *("4", "2", "ticks", "pass_time"),
        *("since_start_ticks:", "2", "->", "3"),
    ]


@pytest.mark.parametrize(
    ("tick_ms", "last", "changed"),
    [
        (500, "2 s", "since_start: 1 s -> 2 s"),
        (Fraction(100, 3), "133.333 ms", "since_start: 66.667 ms -> 133.333 ms"),
        (2.5, "10 ms", "since_start: 5 ms -> 10 ms"),
    ],
)
def test_where_it_is_known_what_a_tick_is_every_duration_says_so(
    boiling: Trace, tick_ms: int | float | Fraction, last: str, changed: str
) -> None:
    lines = trace_lines(boiling, tick_ms=tick_ms)
    assert lines[-2].endswith(changed)
    assert f"  {last}  take_out" in lines[-1]
    assert not any("ticks" in line for line in lines)


def test_steps_as_data_have_the_time_in_ticks_and_in_ms_where_it_is_known(boiling: Trace) -> None:
    assert [s["time_ticks"] for s in trace_data(boiling)] == [0, 0, 1, 2, 3, 4]
    assert "time_ms" not in trace_data(boiling)[0]
    assert [s["time_ms"] for s in trace_data(boiling, 2.5)] == [0, 0, 2.5, 5, 7.5, 10]
    assert trace_data(boiling, 500)[1]["changes"] == [
        {"cell": "since_start_ticks", "old": "0", "new": "1"}
    ]


def test_a_spec_without_time_shows_none(trace: Trace) -> None:
    assert "time_ticks" not in trace_data(trace, 500)[0]
    assert trace_lines(trace, tick_ms=500) == trace_lines(trace)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("0", "Expected `float` > 0.0 - at `model one.tick_ms`"),
        ("-5", "Expected `float` > 0.0 - at `model one.tick_ms`"),
        ("inf", "Expected `float` <= 86400000.0 - at `model one.tick_ms`"),
        ("nan", "at `model one.tick_ms`"),
        ('"1 s"', "Expected `float | null`, got `str` - at `model one.tick_ms`"),
    ],
)
def test_a_tick_of_no_length_or_of_more_than_a_day_is_refused(said: str, problem: str) -> None:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(f'spec = "s"\n[[model]]\nname = "one"\ntick_ms = {said}\n', "mine.toml")
    assert problem in str(caught.value)
