"""Acks with time: when the first suspects the second, tick by tick, and what each rule is worth.

It is about claims 3.heartbeat_ack_timeout, 3.heartbeat_ack_failure_threshold and C1.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import pytest

from samebeat_models.explorer import explore
from samebeat_models.results import Verdict
from samebeat_models.second_opinion import PEER_NAMES, run_peer, why_unavailable
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.interpreter import Refused
from samebeat_spec.parameters import CONSTRAINTS, Assumptions, Place, Quantity
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("acks")
SHORT = {"send": "send_heartbeat", "receive": "receive_ack"}
Run = partial(Walk, short=SHORT)
RAISE, LOWER = [2, 6], [6, 2]
HARM = {"no_false_suspicion"}


def watch(name: str, intervals: list[int], waits: list[int], **constants: Any) -> Instance:
    """Return an instance; by default values change once and in order, and only harm counts."""
    given = {
        "threshold": [1] * len(intervals),
        "round_trip_ticks": 1,
        "delay_ticks": 0,
        "tolerated": 0,
        "watch": name,
        "policy": "LENGTHEN",
        "send_timer": "SHIFT",
        "settles_older": True,
        "clamps": False,
        "any_order": False,
        "crashes_early": True,
        "values_count": False,
        **constants,
        "interval_ticks": intervals,
        "wait_ticks": waits,
    }
    ticks = max(given["threshold"]) * max(intervals) + max(waits) + given["delay_ticks"] + 3
    tables = {k: dict(enumerate(v)) if isinstance(v, list) else v for k, v in given.items()}
    return Instance("pair", SPEC, {"Values": len(intervals), "Ticks": ticks}, tables)


def deadlines(intervals: list[int], losses: int = 0, round_trip: int = 1) -> list[int]:
    """The shortest deadlines that are safe."""
    return [(losses + 1) * t + round_trip for t in intervals]


def deadline(intervals: list[int], losses: int = 0, round_trip: int = 1, **more: Any) -> Instance:
    """One deadline, the shortest that is safe unless ``waits`` says otherwise."""
    waits = more.pop("waits", deadlines(intervals, losses, round_trip))
    given = {"tolerated": losses, "round_trip_ticks": round_trip, "delay_ticks": round_trip // 2}
    return watch("DEADLINE", intervals, waits, **{**given, **more})


def counted(
    intervals: list[int], waits: list[int], threshold: list[int], losses: int = 0, **more: Any
) -> Instance:
    """Ack time-outs, and misses that are counted."""
    return watch("COUNT", intervals, waits, threshold=threshold, tolerated=losses, **more)


def broken(instance: Instance) -> set[str]:
    """The properties that break at the least depth."""
    return {f.property for f in explore(instance).violated() if f.kind != "witness"}


ACKED = ("send ARRIVES", "receive LATEST")


# --- one deadline ----------------------------------------------------------------------------


def test_a_deadline_that_follows_suspects_a_live_node_and_nothing_was_lost():
    """Lowering 6 -> 2, deadlines 7 -> 3: after 4 ticks of an interval of 6, 3 have passed."""
    run = Run(deadline(LOWER, policy="FOLLOW", values_count=True))(*ACKED, 4, "adopt 1")
    assert run.holds("no_mismatch_window")  # at every instant the values suit each other
    assert not run("suspect").holds("no_false_suspicion")


def test_a_deadline_that_is_left_is_too_short_for_a_longer_interval():
    run = Run(deadline(RAISE, policy="LEAVE"))(*ACKED, "adopt 1", 4)
    assert not run("suspect").holds("no_false_suspicion")  # the next heartbeat would go at 6


def test_a_running_deadline_that_only_gets_longer_is_in_time():
    run = Run(deadline(LOWER))(*ACKED, 4, "adopt 1", *ACKED, 2, *ACKED)
    with pytest.raises(Refused, match="the deadline has passed"):
        run("suspect")


def test_a_send_timer_that_runs_out_late_needs_an_envelope():
    steps = ("send ARRIVES", "adopt 1", "receive LATEST", 4)  # the next heartbeat goes at 6
    run = Run(deadline(LOWER, send_timer="KEEP"))(*steps, "suspect")
    assert not run.holds("no_false_suspicion")
    run = Run(deadline(LOWER, send_timer="KEEP", policy="ENVELOPE"))(*steps, 2, *ACKED)
    with pytest.raises(Refused, match="the deadline has passed"):
        run("suspect")


def test_an_envelope_closes_when_a_later_heartbeat_is_acked():
    run = Run(deadline(LOWER, send_timer="KEEP", policy="ENVELOPE"))
    assert run("send ARRIVES", "adopt 1", "receive LATEST").holds("an_open_envelope")
    assert not run(6, *ACKED).holds("an_open_envelope")


def test_an_envelope_must_know_the_change_and_not_only_its_values():
    """2 -> 6 -> 2: an ack from before says nothing of the send timer that was set to 6."""
    run = Run(deadline(RAISE, 0, 3, policy="BY_VALUE", send_timer="KEEP", any_order=True))
    run("send ARRIVES", 2, "adopt 1", "send ARRIVES", "adopt 0")
    run("receive PREVIOUS", "receive LATEST", 6)
    assert not run("suspect").holds("no_false_suspicion")


@pytest.mark.slow
@pytest.mark.parametrize("losses", [0, 1])
@pytest.mark.parametrize(
    ("policy", "send_timer", "raising", "lowering"),
    [
        ("LEAVE", "SHIFT", HARM, set()),
        ("FOLLOW", "SHIFT", set(), HARM),
        ("FOLLOW", "KEEP", set(), HARM),
        ("LENGTHEN", "SHIFT", set(), set()),
        ("LENGTHEN", "KEEP", set(), HARM),
        ("ENVELOPE", "SHIFT", set(), set()),
        ("ENVELOPE", "KEEP", set(), set()),
    ],
)
def test_what_each_rule_does_to_a_raise_and_to_a_lowering(
    policy, send_timer, raising, lowering, losses
):
    """Of the interval and the deadline at once (claim 3.heartbeat_interval)."""
    rule = {"policy": policy, "send_timer": send_timer}
    assert broken(deadline(RAISE, losses, **rule)) == raising
    assert broken(deadline(LOWER, losses, **rule)) == lowering
    assert broken(deadline(RAISE, losses, any_order=True, **rule)) == raising | lowering


@pytest.mark.slow
@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize(("intervals", "round_trip"), [([2, 3], 0), ([3, 2], 3), ([4, 5], 6)])
def test_one_tick_less_than_the_safe_deadline_is_harmful(intervals, round_trip, losses):
    safe = deadlines(intervals, losses, round_trip)
    for policy, send_timer in (("LENGTHEN", "SHIFT"), ("ENVELOPE", "KEEP")):
        rule = {"policy": policy, "send_timer": send_timer, "any_order": True}
        assert not broken(deadline(intervals, losses, round_trip, values_count=True, **rule))
        for short in ([safe[0] - 1, safe[1]], [safe[0], safe[1] - 1]):
            assert broken(deadline(intervals, losses, round_trip, waits=short, **rule)) == HARM


# --- counted misses --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize("policy", ["LEAVE", "FOLLOW", "LENGTHEN"])
@pytest.mark.parametrize("send_timer", ["KEEP", "SHIFT"])
def test_counted_misses_are_safe_whatever_a_change_does_to_timers(send_timer, policy, losses):
    rule = {"policy": policy, "send_timer": send_timer, "any_order": True, "values_count": True}
    more = {"round_trip_ticks": 3, "delay_ticks": 1, **rule}
    assert not broken(counted([4, 3], [4, 3], [losses + 2, losses + 1], losses, **more))
    assert not broken(counted([2, 6], [2, 1], [losses + 1, losses + 2], losses, **rule))


@pytest.mark.slow
@pytest.mark.parametrize("losses", [0, 1, 2])
def test_one_tick_or_one_miss_less_is_harmful(losses):
    more = {"round_trip_ticks": 2, "delay_ticks": 1}
    enough = [losses + 1] * 2
    assert broken(counted([3, 3], [2, 2], enough, losses, **more)) == set()
    assert broken(counted([3, 3], [2, 1], enough, losses, **more)) == HARM
    if losses:  # a threshold is at least 1
        assert broken(counted([3, 3], [2, 2], [losses + 1, losses], losses, **more)) == HARM


def test_an_ack_settles_the_heartbeats_before_its_own():
    """Interval 3, time-out 4: the miss of the first comes after the ack of the second."""
    steps = ("send LOST", 3, "send ARRIVES", 2, "receive LATEST")
    more = {"round_trip_ticks": 2, "delay_ticks": 1}
    with pytest.raises(Refused, match="its ack time-out has passed"):
        Run(counted([3], [4], [2], 1, **more))(*steps, "miss PREVIOUS")
    run = Run(counted([3], [4], [2], 1, settles_older=False, **more))(*steps, "miss PREVIOUS")
    run(1, "send LOST", 3, "send ARRIVES", 2)  # two losses, and never two in a row
    assert not run("miss PREVIOUS").holds("no_false_suspicion")


DEAD = (*ACKED, "crash", 3, "send LOST", 3, "miss LATEST", "send LOST", 3, "miss LATEST")


def test_a_counter_that_is_cut_forgets_a_crash():
    """Threshold 3 -> 2 -> 3 after two misses; the bound is 3 * 3 + 2, and 14 have passed."""
    late = ("adopt 1", "adopt 2", "send LOST", 3, "miss LATEST", "send LOST", 2)
    run = Run(counted([3] * 3, [2] * 3, [3, 2, 3], 1, clamps=True))(*DEAD, *late)
    assert not run.holds("detection_bounded")


def test_a_counter_that_is_not_cut_reaches_a_lower_threshold_at_once():
    run = Run(counted([3] * 2, [2] * 2, [3, 2], 1))(*DEAD)
    assert not run.holds("crash_known")
    assert run("adopt 1").holds("crash_known")


@pytest.mark.slow
@pytest.mark.parametrize("losses", [0, 1, 2])
def test_cutting_the_counter_saves_nobody_and_costs_detection(losses):
    high, low = losses + 2, losses + 1
    for clamps, late in ((True, {"detection_bounded"}), (False, set())):
        model = counted([3, 3], [2, 2], [high, low], losses, clamps=clamps, any_order=True)
        assert broken(model) == late


# --- what is assumed -------------------------------------------------------------------------


@pytest.mark.parametrize(("heartbeats", "acks"), list(product(range(3), repeat=2)))
def test_losses_of_heartbeats_and_of_acks_multiply(heartbeats, acks):
    """So many heartbeats in a row may go without an ack, if each kind of loss has its own bound."""
    reached, frontier = set(), {(0, 0, 0)}  # heartbeats, acks, both: lost in a row so far
    while frontier:
        reached |= frontier
        following = {(h + 1, a, n + 1) for h, a, n in frontier if h < heartbeats}
        following |= {(0, a + 1, n + 1) for _, a, n in frontier if a < acks}
        frontier = following - reached
    assert max(n for _, _, n in reached) == heartbeats * (acks + 1) + acks


@pytest.mark.slow
def test_a_fast_clock_of_the_first_makes_round_trips_longer_and_nothing_else():
    """The registry's time-out for a round trip of 6 and 30 per cent is the model's for 8 ticks."""
    assumed = Assumptions(delay=2, processing=2, drift=Fraction(3, 10)).values()
    (in_time,) = (c for c in CONSTRAINTS if c.name == "ack_in_time")
    timeout = Quantity("heartbeat_ack_timeout", Place.FIRST)
    assert not in_time.holds({**assumed, timeout: 7})
    assert in_time.holds({**assumed, timeout: 8})
    more = {"round_trip_ticks": 8, "delay_ticks": 3}
    assert broken(counted([6], [7], [1], **more)) == HARM
    assert not broken(counted([6], [8], [1], **more))


def test_three_heartbeats_that_wait_are_an_error_and_never_cut_off():
    with pytest.raises(StateError, match="too_many_waiting would become 1"):
        explore(deadline([2], 0, 4))


@pytest.mark.parametrize("name", ["COUNT", "DEADLINE"])
def test_a_crash_is_noticed_exactly_as_late_as_the_bound(name):
    """COUNT: threshold * interval + time-out; DEADLINE: the deadline and the delay of an ack."""
    if name == "COUNT":
        run = Run(counted([3], [2], [2], 1))(*ACKED, "crash", 3, "send LOST", 3)
        run("miss LATEST", "send LOST", 2)
    else:
        run = Run(deadline([3], 1, 2))("send ARRIVES", "crash", 1, "receive LATEST", 2)
        run("send LOST", 3, "send LOST", 3)
    assert run.holds("a_detection_as_late_as_can_be")
    run(1) if name == "COUNT" else run("send LOST", 1)
    assert run("miss LATEST" if name == "COUNT" else "suspect").holds("crash_known")


# --- other checkers --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.parametrize("peer", PEER_NAMES)
def test_peers_count_the_same_states(peer):
    if why_unavailable(peer):
        pytest.skip(why_unavailable(peer))
    more = {"round_trip_ticks": 3, "delay_ticks": 1, "any_order": True}
    for instance in (counted([4, 3], [4, 3], [3, 2], 1, **more), deadline(RAISE, 1)):
        run = run_peer(peer, instance, timeout=300)
        assert run.verdict is Verdict.HOLDS
        assert run.states == explore(instance).states
