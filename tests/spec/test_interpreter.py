"""The interpreter: what a step does, which guards refuse it, and what does not fit."""

from collections.abc import Iterator

import pytest

from samebeat_spec.language import (
    Action,
    Formula,
    Instance,
    Integer,
    Ordered,
    Sort,
    State,
    StateError,
    action,
    anything,
    count,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    relation,
    spec_of,
    step_property,
    variable,
)
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

Step = tuple[Action, Arguments, StateTuple]


class Car(Sort):
    """Drives."""


class Floor(Integer, low=0, high=2):
    """Where."""


class Turn(Ordered):
    """Whose."""


class Garage(State):
    """Cars on floors."""

    on = function(Car, to=Floor)
    ahead = function(Car, to=Car)
    out = relation(Car)
    turn = variable(Turn)
    shut = flag()


@initial
def parked(s: Garage) -> None:
    """All below, each ahead of itself."""
    s.ahead[every] = lambda c: c


@initial
def anyhow(s: Garage, c: Car, f: Floor) -> None:
    """One car anywhere, and any may be out."""
    guard(f > 0, "not below")

    s.on[c] = f
    s.out[c] = anything
    s.shut = anything


@action()
def drive(s: Garage, c: Car, d: Car) -> None:
    """`c` goes up behind `d`."""
    guard(c != d, "two cars")
    guard(s.on[c] < s.on[d], "d is higher up")
    guard(~s.shut, "the garage is open")

    s.on[c] = s.on[c] + 1
    s.ahead[c] = d
    s.out[every] = lambda e: e == c


@action()
def swap(s: Garage) -> None:
    """All change places at once: updates read the state before."""
    s.on[every] = lambda c: s.on[s.ahead[c]]
    s.ahead[every] = lambda c: s.ahead[s.ahead[c]]


@action()
def jump(s: Garage, c: Car) -> None:
    """Up by two, wherever that is."""
    s.on[c] = s.on[c] + 2


@action()
def next_turn(s: Garage) -> None:
    """The next turn, also after the last one."""
    s.turn = following(s.turn)


@action()
def both(s: Garage, c: Car) -> None:
    """`c` out and whoever is ahead of it in."""
    s.out[c] = True
    s.out[s.ahead[c]] = s.ahead[c] == c


@action()
def clash(s: Garage, c: Car) -> None:
    """`c` out, and whoever is ahead of it in, be it `c` itself."""
    s.out[c] = True
    s.out[s.ahead[c]] = False


@step_property()
def in_order(s: Garage, t: Garage) -> Formula:
    """Nobody moves down."""
    return forall(Car, lambda c: s.on[c] <= t.on[c])


SPEC = spec_of(Garage)
JUDGE = Interpreter(Instance("garage", SPEC, {"Car": 2, "Turn": 2}))
DRIVE = SPEC.find_action("drive")
CLASH = SPEC.find_action("clash")

# on[c1], on[c2], ahead[c1], ahead[c2], out[c1], out[c2], turn, shut
BELOW = (0, 0, 0, 1, 0, 0, 0, 0)


def test_initial_states_are_those_of_every_definition_without_repetition():
    states = JUDGE.initial_states()
    assert len(states) == len(set(states)) == 1 + 2 * 2 * 2 * 2
    assert states[0] == BELOW
    assert all(s[0] + s[1] in (1, 2) for s in states[1:])


def test_a_step_changes_what_it_says_and_nothing_else():
    before = (0, 2, 0, 1, 0, 1, 1, 0)
    assert JUDGE.step(DRIVE, (0, 1), before) == (1, 2, 1, 1, 1, 0, 1, 0)


def test_all_updates_read_the_state_before():
    before = (0, 2, 1, 0, 0, 0, 0, 0)
    assert JUDGE.step(SPEC.find_action("swap"), (), before) == (2, 0, 0, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "state", "reasons"),
    [
        ((0, 1), (0, 1, 0, 1, 0, 0, 0, 0), []),
        ((0, 1), BELOW, ["d is higher up"]),
        ((0, 1), (1, 0, 0, 1, 0, 0, 0, 1), ["d is higher up", "the garage is open"]),
        ((1, 1), (1, 0, 0, 1, 0, 0, 0, 1), ["two cars", "d is higher up", "the garage is open"]),
        ((0, 1), (0, 1, 0, 1, 0, 0, 0, 1), ["the garage is open"]),
    ],
)
def test_refusals_name_the_guards_in_order(arguments, state, reasons):
    assert [g.why for g in JUDGE.refusals(DRIVE, arguments, state)] == reasons
    if reasons:
        with pytest.raises(Refused) as caught:
            JUDGE.step(DRIVE, arguments, state)
        assert [g.why for g in caught.value.guards] == reasons
        assert str(caught.value) == "; ".join(f"not so: {why}" for why in reasons)


def test_successors_are_all_enabled_steps_in_order():
    before = (0, 1, 0, 1, 0, 0, 0, 0)
    quiet = ("drive", "swap")
    found = [(a.name, x) for a, x, _ in _up_to_error(JUDGE.successors(before)) if a.name in quiet]
    assert found == [("drive", (0, 1)), ("swap", ())]


def _up_to_error(steps: Iterator[Step]) -> Iterator[Step]:
    try:
        yield from steps
    except StateError:
        return


def test_two_writes_of_one_value_to_one_place_are_one():
    both = SPEC.find_action("both")
    assert JUDGE.step(both, (0,), BELOW)[4:6] == (1, 0)


@pytest.mark.parametrize(
    ("name", "arguments", "state", "problem"),
    [
        ("jump", (1,), (0, 1, *BELOW[2:]), r"on\[c2\] would become 3, outside 0..2"),
        ("next_turn", (), (*BELOW[:6], 1, 0), "turn would become 2, outside 0..1"),
    ],
)
def test_a_step_out_of_bounds_names_action_line_place_and_value(name, arguments, state, problem):
    with pytest.raises(StateError, match=rf"^garage\.{name}, test_interpreter\.py:\d+: {problem}"):
        JUDGE.step(SPEC.find_action(name), arguments, state)


def test_two_values_at_one_place_name_action_line_and_place():
    apart = (0, 0, 1, 1, 0, 0, 0, 0)
    assert JUDGE.step(CLASH, (0,), apart)[4:6] == (1, 0)
    with pytest.raises(StateError, match=r"^garage\.clash, .*:\d+: out\[c1\] gets two values"):
        JUDGE.step(CLASH, (0,), BELOW)


# --- expressions ---------------------------------------------------------------------------

G = Garage()
MIXED = (0, 2, 1, 1, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (forall(Car, lambda c: G.on[c] >= 0), 1),
        (forall(Car, lambda c: G.out[c]), 0),
        (exists(Car, lambda c: G.out[c]), 1),
        (exists(Car, Car, lambda c, d: (G.on[c] == G.on[d]) & (c != d)), 0),
        (count(Car, lambda c: G.out[c]) == 1, 1),
        (count(Car, lambda c: G.ahead[c] == c) + 1 == 2, 1),
        (implies(G.shut, G.on[CLASH.parameters[0]] == 0), 1),
        (G.shut == exists(Car, lambda c: G.on[c] == 1), 1),
        (G.turn < following(G.turn), 1),
        (following(G.turn) == G.turn, 0),
        (exists(Turn, lambda t: following(G.turn) == t), 0),
        (exists(Turn, lambda t: following(t) == G.turn), 1),
        (forall(Car, lambda c: ite(G.out[c], G.on[c], 2) == G.on[c]), 1),
        (exists(Floor, lambda f: f - 1 > 0), 1),
        (exists(Floor, lambda f: 1 - f < 0), 1),
        (forall(Floor, lambda f: f + f != 3), 1),
        (exists(Car, lambda c: G.ahead[G.ahead[c]] != G.ahead[c]), 0),
    ],
)
def test_expressions_mean_what_they_say(expression, value):
    assert JUDGE.evaluate(expression, {"c": 0}, MIXED) == value


def test_a_step_property_looks_at_both_states():
    prop = SPEC.find_property("in_order")
    assert JUDGE.holds(prop, BELOW, MIXED)
    assert not JUDGE.holds(prop, MIXED, BELOW)
    with pytest.raises(TypeError, match="needs the state after it"):
        JUDGE.holds(prop, BELOW)
