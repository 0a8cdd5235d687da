"""The registry of claim 3: classes and orders are derived, and held against brute force."""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_spec.claims import CLAIM_IDS
from samebeat_spec.combinations import (
    TIMEOUT_OR_RATIO,
    Combination,
    Direction,
    InvalidCombination,
    Move,
    Settings,
    Stage,
    instants,
    safe_order,
    steady,
)
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.limits import Kind as LimitKind
from samebeat_spec.parameters import (
    BY_NAME,
    CONSTRAINTS,
    DEADLINE,
    PARAMETERS,
    SAFE,
    Assumptions,
    Constraint,
    Kind,
    Number,
    Place,
    Quantity,
    constraints_of,
    copies,
    is_global,
    needs_synchronisation,
    traces,
)
from samebeat_spec.specs import load_spec

TIMEOUT, RATIO = TIMEOUT_OR_RATIO
INTERVAL, THRESHOLD = "heartbeat_interval", "heartbeat_failure_threshold"
FRAGMENT, RETRY, RETRY_TIME = (
    "maximum_fragment_size",
    "message_retry_timer",
    "maximum_message_retry_time",
)
QUEUE, WINDOW = "send_queue_overflow_threshold", "message_send_window"
FIRST, SECOND, DRAIN = Move.FIRST, Move.SECOND, Move.DRAIN
GLOBAL = {TIMEOUT, INTERVAL, THRESHOLD, RATIO, FRAGMENT, RETRY_TIME, WINDOW}
ORDERS = {
    "heartbeat_message_timeout": ((SECOND,), (SECOND,)),
    "heartbeat_ack_timeout": ((FIRST,), (FIRST,)),
    "heartbeat_interval": ((SECOND, FIRST), (FIRST, SECOND)),
    "heartbeat_failure_threshold": ((SECOND,), (SECOND,)),
    "heartbeat_ack_failure_threshold": ((FIRST,), (FIRST,)),
    "receive_send_timer_ratio": ((SECOND,), (SECOND,)),
    "maximum_fragment_size": ((SECOND, FIRST), (FIRST, DRAIN, SECOND)),
    "message_retry_timer": ((FIRST,), (FIRST,)),
    "maximum_message_retry_time": ((SECOND, FIRST), (FIRST, DRAIN, SECOND)),
    "send_queue_overflow_threshold": ((FIRST,), (DRAIN, FIRST)),
    "message_send_window": ((SECOND, FIRST), (FIRST, DRAIN, SECOND)),
}
NAMES = [p.name for p in PARAMETERS]


# --- the registry ----------------------------------------------------------------------------


def test_the_registry_is_that_of_claim_3():
    """All of claims 3.heartbeat_interval and its ten siblings."""
    named = {c for c in CLAIM_IDS if c.startswith("3.")} - {"3.combinations"}
    assert [p.claim for p in PARAMETERS] == [f"3.{p.name}" for p in PARAMETERS]
    assert {p.claim for p in PARAMETERS} == named
    assert len(PARAMETERS) == 11


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_every_parameter_has_a_range_a_constraint_and_a_copy_at_home(parameter):
    assert 0 < parameter.low < parameter.high
    assert parameter.unit in {"ms", "bytes", "messages", "misses", "ratio"}
    assert re.fullmatch(r"[A-Z].*\.", parameter.meaning)
    assert constraints_of(parameter.name)
    assert Quantity(parameter.name, parameter.home) in copies(parameter.name)


def test_every_constraint_is_about_a_parameter_and_has_a_name_of_its_own():
    assert len({c.name for c in CONSTRAINTS}) == len(CONSTRAINTS)
    for c in CONSTRAINTS:
        assert any(c.mentions(name) for name in NAMES)
        known = {f.name for f in Assumptions.__dataclass_fields__.values()} | set(NAMES)
        assert {q.name for q in c.quantities()} <= known


# --- local or global -------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_a_change_needs_the_other_node_if_the_parameter_is_global(parameter):
    """Claims 20, 21, 27 and 28."""
    assert needs_synchronisation(parameter) == is_global(parameter) == (parameter.name in GLOBAL)


def test_the_class_follows_from_the_constraints_and_stands_nowhere_else():
    """Claims 21 and 28: with another constraint the same parameter is local."""
    others = [c for c in CONSTRAINTS if c is not SAFE]
    assert not is_global(BY_NAME[THRESHOLD], others)
    own = Constraint(
        "own", Quantity(TIMEOUT, Place.SECOND), Quantity(THRESHOLD, Place.SECOND), "an example"
    )
    assert not is_global(BY_NAME[TIMEOUT], [*others, own])
    assert is_global(BY_NAME[TIMEOUT], [*others, SAFE])


# --- orders, by brute force --------------------------------------------------------------------


def cases(name: str) -> Iterator[tuple[dict[str, int], dict[str, int], Assumptions]]:
    """Yield small present and wanted values that keep the parameter's constraints."""
    family = sorted({n for c in constraints_of(name) for n in NAMES if c.mentions(n)} | {name})
    unset = [{x} & set(family) for x in TIMEOUT_OR_RATIO if x != name]
    for off in {frozenset(u) for u in unset}:
        here = [n for n in family if n not in off]
        for numbers in product(range(1, 5), repeat=len(here)):
            present = dict(zip(here, numbers, strict=True))
            for new, losses, delay in product(range(1, 5), (0, 1), (0, 1)):
                wanted, assumed = {**present, name: new}, Assumptions(delay, losses, losses)
                if all(kept(name, s, assumed) for s in (present, wanted)):
                    yield present, wanted, assumed


def kept(name: str, settings: Settings, assumed: Assumptions) -> bool:
    values = steady(settings, assumed)
    return all(c.holds(values) for c in constraints_of(name))


def sequences(name: str) -> list[tuple[Move, ...]]:
    """Return every order in which all who use the parameter switch, with and without waiting."""
    switches = [m for m, p in ((FIRST, Place.FIRST), (SECOND, Place.SECOND)) if has(name, p)]
    waits = [DRAIN] if traces(name) else []
    found = list(permutations(switches))
    return found + [order for w in waits for order in permutations([*switches, w])]


def has(name: str, place: Place) -> bool:
    return any(q.place is place for q in copies(name))


def is_safe(name: str, order: tuple[Move, ...], present: Settings, wanted: Settings, a) -> bool:
    stages = [Stage(move, (name,)) for move in order]
    return all(
        c.holds(values)
        for values in instants(present, wanted, a, stages)
        for c in constraints_of(name)
    )


def safe_orders(name: str, direction: Direction) -> set[tuple[Move, ...]]:
    """Return every order that keeps the constraints at every instant, for all small numbers."""
    safe = set(sequences(name))
    for present, wanted, assumed in cases(name):
        old, new = present[name], wanted[name]
        if old != new and (new > old) == (direction is Direction.RAISE):
            safe -= {o for o in safe if not is_safe(name, o, present, wanted, assumed)}
    return safe


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("name", NAMES)
def test_the_derived_order_is_safe_and_no_shorter_one_is(name, direction):
    safe = safe_orders(name, direction)
    derived = safe_order(name, direction)
    assert derived in safe
    assert len(derived) == min(map(len, safe))
    if has(name, Place.FIRST) and has(name, Place.SECOND):
        assert len({o.index(FIRST) < o.index(SECOND) for o in safe}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_orders_are_those_of_the_decision(name):
    """Decision 0007 has the same table."""
    assert (safe_order(name, Direction.RAISE), safe_order(name, Direction.LOWER)) == ORDERS[name]


def test_an_interval_is_raised_at_the_second_node_first():
    """One delay, no loss: the other order breaks the constraint at once."""
    present, wanted = {INTERVAL: 2, THRESHOLD: 1, RATIO: 2}, {INTERVAL: 4, THRESHOLD: 1, RATIO: 2}
    assumed = Assumptions(delay=2)
    assert is_safe(INTERVAL, (SECOND, FIRST), present, wanted, assumed)
    assert not is_safe(INTERVAL, (FIRST, SECOND), present, wanted, assumed)
    assert is_safe(INTERVAL, (FIRST, SECOND), wanted, present, assumed)
    assert not is_safe(INTERVAL, (SECOND, FIRST), wanted, present, assumed)


# --- where the design's table was wrong --------------------------------------------------------


def test_a_failure_threshold_above_the_tolerated_losses_is_not_enough():
    """The table had the threshold local, with k > l alone; decision 0007."""
    settings = {INTERVAL: 3, THRESHOLD: 2, TIMEOUT: 2}
    assumed = Assumptions(delay=1, losses=0)
    assert kept(THRESHOLD, settings, assumed)
    lowered = {**settings, THRESHOLD: 1}
    assert lowered[THRESHOLD] > assumed.losses
    assert SAFE.slack(steady(lowered, assumed)) == -2


def test_a_failure_threshold_above_the_tolerated_losses_is_not_needed():
    settings = {INTERVAL: 3, THRESHOLD: 1, TIMEOUT: 10}
    assert kept(THRESHOLD, settings, Assumptions(delay=1, losses=1))


def test_a_retry_timer_cannot_be_raised_freely():
    """The table said: raise in any way."""
    present = {RETRY: 5, RETRY_TIME: 20}
    raised = Combination({RETRY: 30})
    assert raised.problems(present, Assumptions()) == (
        "exactly one of heartbeat_message_timeout and receive_send_timer_ratio must be set",
    )
    assert raised.problems({**present, RATIO: 2}, Assumptions()) == (
        "one_retry_at_least would be broken by 10: a message is sent again before it is given up",
    )


@pytest.mark.parametrize("name", [FRAGMENT, WINDOW, RETRY_TIME])
def test_the_first_node_cannot_wait_with_lowering_until_it_has_drained(name):
    """So "what is under way <= the first node's own value" is not kept, and not needed."""
    own = Constraint(
        "own",
        Quantity(name, Place.FIRST),
        Quantity(name, Place.NETWORK, Kind.TRAFFIC),
        "what the table asked for",
    )
    present, wanted = {name: 4, RETRY: 1}, {name: 2, RETRY: 1}
    stages = [Stage(move, (name,)) for move in safe_order(name, Direction.LOWER)]
    seen = list(instants(present, wanted, Assumptions(), stages))
    assert [own.holds(values) for values in seen] == [True, False, True, True]
    assert all(c.holds(values) for values in seen for c in constraints_of(name))


def test_nobody_but_the_second_node_switches_a_ratio():
    """The table had the first node switch too; it uses no ratio in this direction."""
    assert {q.place for q in copies(RATIO)} == {Place.SECOND}


# --- combinations ------------------------------------------------------------------------------

SETTINGS: dict[str, int] = {
    "heartbeat_message_timeout": 3_000,
    "heartbeat_ack_timeout": 500,
    "heartbeat_interval": 1_000,
    "heartbeat_failure_threshold": 2,
    "heartbeat_ack_failure_threshold": 6,
    "maximum_fragment_size": 1_400,
    "message_retry_timer": 500,
    "maximum_message_retry_time": 10_000,
    "send_queue_overflow_threshold": 100,
    "message_send_window": 16,
}
ASSUMED = Assumptions(delay=100, losses=1, ack_losses=2, drift=Fraction(1, 100))


def test_a_combination_is_applied_and_undone_as_one():
    """Claim 3.combinations."""
    change = Combination({INTERVAL: 2_000, TIMEOUT: 6_000})
    after = change.applied(SETTINGS, ASSUMED)
    assert after == {**SETTINGS, INTERVAL: 2_000, TIMEOUT: 6_000}
    assert change.undo(SETTINGS).applied(after, ASSUMED) == SETTINGS


def test_parts_that_are_unsafe_alone_may_be_safe_together():
    """Claim 3.combinations: they are validated as one."""
    interval, timeout = Combination({INTERVAL: 4_000}), Combination({TIMEOUT: 9_000})
    assert interval.problems(SETTINGS, ASSUMED)
    assert not timeout.problems(SETTINGS, ASSUMED)
    assert not Combination({**interval.wanted, **timeout.wanted}).problems(SETTINGS, ASSUMED)


def test_one_bad_part_keeps_all_from_being_applied():
    """Claim 3.combinations."""
    present = dict(SETTINGS)
    with pytest.raises(InvalidCombination) as caught:
        Combination({WINDOW: 32, QUEUE: 0}).applied(present, ASSUMED)
    assert caught.value.problems == (f"{QUEUE}: 0 lies outside 1..10000000 messages",)
    assert present == SETTINGS


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({}, "nothing is wanted"),
        ({"hartbeat": 3}, "hartbeat is no parameter"),
        ({WINDOW: None}, f"{WINDOW} cannot be taken away"),
        ({WINDOW: float("nan")}, f"{WINDOW}: nan lies outside 1..65535 messages"),
        ({WINDOW: 1.5}, f"{WINDOW}: 1.5 is no whole number of messages"),
        ({RATIO: 2}, f"exactly one of {TIMEOUT} and {RATIO} must be set"),
        ({TIMEOUT: None}, f"exactly one of {TIMEOUT} and {RATIO} must be set"),
        ({INTERVAL: 3_000}, "safe would be broken by 161: no live node is suspected"),
    ],
)
def test_what_must_not_be_changed_is_said(wanted, problem):
    """Claim 3.combinations."""
    assert Combination(wanted).problems(SETTINGS, ASSUMED) == (problem,)


def test_what_cannot_be_judged_is_no_pass():
    present = {TIMEOUT: 3_000, THRESHOLD: 2}
    assert Combination({THRESHOLD: 3}).problems(present, ASSUMED) == (
        f"safe cannot be judged: {INTERVAL} is not set",
    )
    assert Combination({INTERVAL: 3}).problems(present, ASSUMED) == (
        f"{INTERVAL} has no present value",
    )


def test_a_time_out_may_give_way_to_a_ratio():
    change = Combination({TIMEOUT: None, RATIO: 3})
    after = change.applied(SETTINGS, ASSUMED)
    assert TIMEOUT not in after
    assert change.undo(SETTINGS).applied(after, ASSUMED) == SETTINGS
    assert [s.move for s in change.stages(SETTINGS, ASSUMED)] == [SECOND]


def test_values_that_go_both_ways_switch_in_stages_of_the_same_change():
    change = Combination({INTERVAL: 2_000, TIMEOUT: 6_000, WINDOW: 8, THRESHOLD: 2})
    assert change.stages(SETTINGS, ASSUMED) == (
        Stage(FIRST, (WINDOW,)),
        Stage(SECOND, (INTERVAL, TIMEOUT)),
        Stage(DRAIN, (WINDOW,)),
        Stage(SECOND, (WINDOW,)),
        Stage(FIRST, (INTERVAL,)),
    )


@st.composite
def settings_that_are_safe(draw: st.DrawFn, assumed: Assumptions) -> dict[str, int]:
    interval, threshold = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    gap = SAFE.small.evaluate({Quantity(INTERVAL, Place.FIRST): interval, **assumed.values()})
    spare = draw(st.integers(0, 2))
    timeout: dict[str, int] = {TIMEOUT: int(-(-gap // threshold)) + spare}
    if draw(st.booleans()):
        timeout = {RATIO: int(-(-gap // (threshold * interval))) + spare}
    retry = draw(st.integers(2, 4)) + int(2 * assumed.delay)
    return {
        **timeout,
        INTERVAL: interval,
        THRESHOLD: threshold,
        "heartbeat_ack_timeout": draw(st.integers(2, 4)) + int(2 * assumed.delay),
        "heartbeat_ack_failure_threshold": draw(st.integers(1, 3)) + assumed.unacked,
        FRAGMENT: draw(st.integers(64, 66)),
        RETRY: retry,
        RETRY_TIME: retry + draw(st.integers(0, 3)),
        QUEUE: draw(st.integers(1, 3)),
        WINDOW: draw(st.integers(1, 3)),
    }


@pytest.mark.slow
@given(st.data())
def test_every_constraint_holds_at_every_instant_of_a_combination(data):
    """Claim 3.combinations: whatever changes together, and in whichever directions."""
    assumed = Assumptions(
        delay=data.draw(st.integers(0, 2)),
        losses=data.draw(st.integers(0, 2)),
        ack_losses=data.draw(st.integers(0, 2)),
        drift=data.draw(st.sampled_from([0, Fraction(1, 10)])),
    )
    present = data.draw(settings_that_are_safe(assumed))
    after = data.draw(settings_that_are_safe(assumed))
    change = Combination({**dict.fromkeys(present.keys() - after.keys()), **after})
    assert change.applied(present, assumed) == after
    seen = list(instants(present, after, assumed, change.stages(present, assumed)))
    assert seen[0] == steady(present, assumed)
    assert seen[-1] == steady(after, assumed)
    for values in seen:
        assert [c.name for c in CONSTRAINTS if not c.holds(values)] == []


# --- the timed pair --------------------------------------------------------------------------

TIMED = [m for m in load_catalog() if m.spec == "heartbeat"]


def timed_values(model: Model) -> Iterator[tuple[int, int, int, int, Fraction, Assumptions]]:
    """Yield for each two changes of a model: both, T of the one, T and D of the other, the rest."""
    c = model.constants
    interval, drift, deadline = c["interval_ticks"], c["drift_ticks"], c["deadline_ticks"]
    for i, j in product(interval, repeat=2):
        eps = Fraction(drift[i], interval[i])
        delay = c["delay_ticks"] / (1 + eps)  # in real time: the pair's ticks are of the second
        assumed = Assumptions(delay, c["tolerated"], drift=eps)
        yield int(i), int(j), interval[i], interval[j], Fraction(deadline[j]), assumed


def ways_to_set(deadline: Fraction, interval: int) -> Iterator[dict[str, Number]]:
    """Yield what the second node may hold so that this is its deadline; thresholds up to 4."""
    for threshold in range(1, 5):
        timeout = deadline / threshold
        yield {THRESHOLD: threshold, TIMEOUT: timeout}
        yield {THRESHOLD: threshold, RATIO: timeout / interval, INTERVAL: interval}


@pytest.mark.slow
@pytest.mark.parametrize("model", [pytest.param(m, id=m.name) for m in TIMED])
def test_a_deadline_of_the_timed_pair_is_that_of_a_time_out_or_of_a_ratio(model):
    """Claims 3.heartbeat_message_timeout, 3.heartbeat_failure_threshold, 3.heartbeat_interval,
    and 3.receive_send_timer_ratio: SAFE of the registry is what ``no_mismatch_window`` says."""
    spec = load_spec("heartbeat")
    instance = replace(
        model.instance(spec), constants={**model.constants, "values_count": True}, spec=spec
    )
    judge, place = Interpreter(instance), instance.cell_index["effective"]
    start = list(judge.initial_states()[0])
    for i, j, interval, other, deadline, assumed in timed_values(model):
        state = list(start)
        state[place[(0,)]], state[place[(1,)]] = i, j
        suits = judge.holds(spec.find_property("no_mismatch_window"), tuple(state))
        for held in ways_to_set(deadline, other):
            values = {Quantity(name, Place.SECOND): x for name, x in held.items()}
            values |= {Quantity(INTERVAL, Place.FIRST): interval, **assumed.values()}
            assert DEADLINE.evaluate(values) == deadline
            assert SAFE.holds(values) == suits


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        ({TIMEOUT: 4, THRESHOLD: 3}, {THRESHOLD: 2}),
        ({TIMEOUT: 6, THRESHOLD: 2}, {TIMEOUT: 4}),
        ({RATIO: 3, THRESHOLD: 1}, {RATIO: 2}),
        ({TIMEOUT: 9, THRESHOLD: 1}, {TIMEOUT: None, RATIO: 2}),
    ],
)
def test_a_deadline_alone_is_shortened_by_the_second_node_alone(present, wanted):
    """Claims 3.receive_send_timer_ratio and 3.heartbeat_failure_threshold."""
    change, assumed = Combination(wanted), Assumptions(losses=1)
    settings = {INTERVAL: 3, **present}
    after = change.applied(settings, assumed)
    stages = change.stages(settings, assumed)
    assert {stage.move for stage in stages} == {SECOND}
    for values in instants(settings, after, assumed, stages):
        assert SAFE.holds(values)


def test_no_constraint_ties_a_limit_to_a_heartbeat_value():
    """Claim 3.combinations: one model of limits and one of timers leave nothing out between."""
    limits = {e.label.lower() for e in LimitKind.elements}
    for c in CONSTRAINTS:
        named = {name for name in NAMES if c.mentions(name)}
        assert named <= limits or not named & limits
