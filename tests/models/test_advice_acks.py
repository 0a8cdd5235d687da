"""Advice on acks: runs of the timed model in which the first node suspects a live second one."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebeat_models.advice.ack_harm import chosen_values
from samebeat_models.advice.harm import harms
from samebeat_models.advice.judgement import Advice
from samebeat_models.advice.run import PROPERTY
from samebeat_models.advice.stories import story
from samebeat_models.advice.wish import Wish
from samebeat_models.advice.words import headline, lines
from samebeat_models.catalog import Model
from samebeat_models.explorer import explore
from samebeat_models.replay import replay_trace
from samebeat_spec.combinations import Settings
from samebeat_spec.language import Instance
from samebeat_spec.parameters import SAFE, Assumptions, Number
from samebeat_spec.specs import load_spec

INTERVAL, TIMEOUT, THRESHOLD = (
    "heartbeat_interval",
    "heartbeat_message_timeout",
    "heartbeat_failure_threshold",
)
ACK_TIMEOUT, ACK_THRESHOLD = "heartbeat_ack_timeout", "heartbeat_ack_failure_threshold"
REAL = {INTERVAL: 1000, TIMEOUT: 2000, THRESHOLD: 3}


def wish(now: Settings, want: Mapping[str, Number], **network: Number) -> Advice:
    found = Wish(now, want, network)
    found.check()
    return Advice(found)


def watch(interval: int, timeout: int, threshold: int, losses: int = 0, trip: int = 0) -> Advice:
    """Return the advice on a wish for an ack time-out that is too short, else for a threshold.

    Times are in ms. Present values are the least that are safe.
    """
    wanted: Settings = {ACK_TIMEOUT: timeout, ACK_THRESHOLD: threshold}
    safe = {ACK_TIMEOUT: max(timeout, trip), ACK_THRESHOLD: max(threshold, losses + 1)}
    name = ACK_TIMEOUT if timeout < trip else ACK_THRESHOLD
    now = {INTERVAL: interval, **wanted, name: safe[name]}
    return wish(now, {name: wanted[name]}, ack_losses=losses, processing=trip)


def acks_of(interval: int, timeout: int, threshold: int, losses: int, trip: int) -> Instance:
    """Return the instance of acks with these values, a ms as a tick."""
    model = Model(
        name="acks",
        spec="acks",
        sizes={"Values": 1, "Ticks": threshold * interval + timeout + 3},
        constants={
            "interval_ticks": {"0": interval},
            "wait_ticks": {"0": timeout},
            "threshold": {"0": threshold},
            "tolerated": losses,
            "round_trip_ticks": trip,
            "delay_ticks": 0,
            "watch": "COUNT",
            "policy": "FOLLOW",
            "send_timer": "KEEP",
            "settles_older": True,
            **dict.fromkeys(("clamps", "any_order", "crashes_early", "values_count"), False),
        },
    )
    return model.instance(load_spec("acks"))


def test_acks_that_come_after_their_time_out_make_a_live_node_suspected():
    advice = watch(1000, 100, 3, 2, 160)
    assert headline(advice) == (
        "UNSAFE by 60 ms: an ack that is not lost may be missed (constraint `ack_in_time`)."
    )
    assert advice.nearest == {ACK_TIMEOUT: 160}
    (harm,) = harms(advice).values()
    assert (harm.rounded, harm.chosen, harm.reason) == ((), {}, "")
    assert story(harm)[:2] == [
        "   0 ms  the first node sends a heartbeat",
        " 120 ms  no ack within 100 ms, as it is still on its way: miss 1 of 3",
    ]
    assert story(harm)[-1] == (
        "2120 ms  that is the threshold: the first node suspects a live node"
    )


def test_a_threshold_below_the_losses_that_are_tolerated_makes_a_live_node_suspected():
    advice = watch(1000, 500, 2, 2, 100)
    assert headline(advice) == (
        "UNSAFE by 1 miss: a live node may be suspected for losses that are tolerated "
        "(constraint `ack_losses_tolerated`)."
    )
    (harm,) = harms(advice).values()
    assert [x.split("  ")[-1] for x in story(harm)] == [
        "the first node sends a heartbeat; it or its ack is lost",
        "no ack within 500 ms: miss 1 of 2",
        "the first node sends a heartbeat; it or its ack is lost",
        "no ack within 500 ms: miss 2 of 2",
        "that is the threshold: the first node suspects a live node",
    ]


@pytest.mark.parametrize(
    "values",
    [
        (4, 3, 1, 0, 4),
        (4, 3, 3, 2, 4),
        (3, 4, 2, 0, 6),
        (4, 2, 4, 3, 20),
        (4, 2, 1, 1, 2),
        (3, 4, 2, 2, 2),
        (3, 3, 3, 4, 3),
        (3, 4, 4, 5, 4),
    ],
)
def test_every_step_of_a_run_of_acks_is_one_of_the_spec_and_only_the_last_does_harm(values):
    (harm,) = harms(watch(*values)).values()
    assert harm.trace is not None
    result = replay_trace(harm.trace)
    assert (result.refusal, result.accepted) == (None, len(harm.trace.steps))
    assert result.broken == {PROPERTY: len(harm.trace.steps)}
    assert ("heartbeats in a row without an ack 5 -> 4" in harm.rounded) == (values[3] == 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interval", "timeout", "trip"), [(3, 2, 2), (3, 2, 3), (3, 4, 2), (3, 4, 1), (2, 1, 4)]
)
@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize("spare", [-1, 0, 1])
def test_a_run_of_acks_does_harm_exactly_where_the_explorer_finds_some(
    interval, timeout, trip, losses, spare
):
    """Where the constraints hold, however exactly, there is none."""
    threshold = max(1, losses + 1 + spare)
    values = (interval, timeout, threshold, losses, trip)
    found = explore(acks_of(*values))
    advice = watch(*values)
    played = harms(advice).get("want")
    shown = played is not None and played.trace is not None
    assert {f.property for f in found.violated()} == ({PROPERTY} if shown else set())
    assert found.exhaustive != shown
    assert (played is None) == advice.safe
    if played is not None and played.trace is not None and played.model is not None:
        broken = explore(played.model.instance(load_spec("acks"))).violated()
        assert {f.property for f in broken} == {PROPERTY}
        assert broken[0].depth is not None
        assert broken[0].depth <= len(played.trace.steps)


def test_a_later_ack_can_come_before_the_last_miss_and_then_there_is_no_harm_to_show():
    """The explorer finds none either: see the test above, with 3, 4 and a round trip of 1."""
    advice = watch(3, 4, 1, 1, 1)
    (harm,) = harms(advice).values()
    assert (advice.safe, harm.trace) == (False, None)
    assert harm.reason == (
        "with so long an ack time-out a later ack comes before the last miss is counted"
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((1000, 100, 5, 0, 160), "counts up to 4 missed acks in a row"),
        ((1000, 500, 5, 5, 160), "counts up to 4 missed acks in a row"),
        ((1000, 1200, 4, 5, 160), "counts up to 4 missed acks in a row"),
        ((1000, 2000, 1, 2, 160), "two heartbeats that wait for their acks at once"),
        ((2000, 1000, 4, 0, 1001), "counts up to 4,096 ticks"),
    ],
)
def test_no_trace_of_acks_is_claimed_where_the_timed_model_has_no_room(values, reason):
    (harm,) = harms(watch(*values)).values()
    assert harm.trace is None
    assert reason in harm.reason


def test_values_that_a_run_of_acks_needs_and_that_are_not_given_are_chosen_and_told():
    timeout = wish({ACK_TIMEOUT: 500}, {ACK_TIMEOUT: 100}, delay=80, ack_losses=1)
    (harm,) = harms(timeout).values()
    assert harm.trace is not None
    assert harm.chosen == {INTERVAL: 1000, ACK_THRESHOLD: 2}
    said = "heartbeat_interval 1000 ms, heartbeat_ack_failure_threshold"
    assert any(x.endswith(f"chosen for this run: {said}") for x in lines(timeout, {"want": harm}))
    threshold = wish({ACK_THRESHOLD: 3}, {ACK_THRESHOLD: 2}, delay=80, ack_losses=2)
    (harm,) = harms(threshold).values()
    assert harm.trace is not None
    assert harm.chosen == {INTERVAL: 1000, ACK_TIMEOUT: 500}


@given(st.data())
def test_what_is_chosen_never_does_the_harm(data):
    """Without the value that is broken the run would end well: the others are safe."""
    trip, losses, timeout = (data.draw(st.integers(0, n)) for n in (2_000, 3, 2_000))
    chosen = chosen_values({ACK_TIMEOUT: timeout}, Assumptions(processing=trip, ack_losses=losses))
    assert chosen[ACK_THRESHOLD] == losses + 1
    assert chosen[INTERVAL] > max(trip, timeout)
    chosen = chosen_values({ACK_THRESHOLD: 1}, Assumptions(processing=trip, ack_losses=losses))
    assert trip <= chosen[ACK_TIMEOUT] < chosen[INTERVAL]


@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize("ack_losses", [0, 1, 2])
def test_a_heartbeat_that_is_lost_has_no_ack_either(losses, ack_losses):
    """Both kinds of loss count, as in `test_losses_of_heartbeats_and_of_acks_multiply`."""
    network = {"losses": losses, "ack_losses": ack_losses, "delay": 50}
    needed = losses * (ack_losses + 1) + ack_losses + 1
    now = {ACK_TIMEOUT: 200, ACK_THRESHOLD: 9}
    assert wish(now, {ACK_THRESHOLD: needed}, **network).safe
    if needed > 1:
        short = wish(now, {ACK_THRESHOLD: needed - 1}, **network)
        assert (short.safe, short.nearest) == (False, {ACK_THRESHOLD: needed})
        said = f"without an ack, as they or their acks are lost: up to {needed - 1}"
        assert any(x.endswith(said) for x in lines(short, {}))


def test_lost_heartbeats_alone_make_a_live_node_suspected_by_its_acks():
    network = {"losses": 2, "delay": 50}
    advice = wish({ACK_TIMEOUT: 200, ACK_THRESHOLD: 3}, {ACK_THRESHOLD: 1}, **network)
    (harm,) = harms(advice).values()
    assert harm.trace is not None
    assert story(harm)[-1] == "225 ms  that is the threshold: the first node suspects a live node"


def test_a_round_trip_that_is_no_whole_number_of_steps_is_rounded_down():
    advice = wish(
        {INTERVAL: 1000, ACK_TIMEOUT: 500, ACK_THRESHOLD: 1},
        {ACK_TIMEOUT: 150},
        delay=80,
        drift=Fraction(1, 100),
    )
    (harm,) = harms(advice).values()
    assert harm.tick_ms == 10
    assert harm.rounded == ("round trip 161.6 -> 160 ms",)
    assert (
        "  Shown in steps of 10 ms; it is seen a step later that a time-out has passed."
        in lines(advice, {"want": harm})
    )


def test_of_several_harms_that_is_played_which_is_broken_most():
    now = {**REAL, ACK_TIMEOUT: 500, ACK_THRESHOLD: 1}
    network = {"losses": 2, "delay": 50}
    acks = wish(now, {INTERVAL: 2_000, ACK_TIMEOUT: 10, TIMEOUT: 2_000}, **network)
    (harm,) = harms(acks).values()
    assert (acks.decides.constraint.name, harm.model and harm.model.spec) == ("ack_in_time", "acks")
    both = wish(now, {INTERVAL: 200_000, ACK_TIMEOUT: 90}, **network)
    (harm,) = harms(both).values()
    assert (both.decides.constraint, harm.model and harm.model.spec) == (SAFE, "heartbeat")


def test_harm_that_cannot_be_played_gives_way_to_one_that_can():
    now = {**REAL, ACK_TIMEOUT: 500, ACK_THRESHOLD: 5}
    advice = wish(now, {INTERVAL: 2_500, ACK_TIMEOUT: 1}, losses=2, delay=50)
    assert advice.decides.constraint.name == "ack_in_time"
    (harm,) = harms(advice).values()
    assert harm.model is not None
    assert harm.model.spec == "heartbeat"
