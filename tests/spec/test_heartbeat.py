"""The heartbeat pair with time: what each rule does to given values, tick by tick (C1 and C2)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from samebeat_models.explorer import explore
from samebeat_spec.heartbeat import SECOND, Change, TimedPair, rearm_second
from samebeat_spec.language import Instance, Spec, StateError, action, guard, ite, spec_of
from samebeat_spec.language.interpreter import Refused
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("heartbeat")
SHORT = {"send": "send_heartbeat", "receive": "receive_heartbeat", "hear": "hear_announcement"}
Run = partial(Walk, short=SHORT)


class Hasty(TimedPair, name="hasty"):
    """The pair, but a second that goes back takes its old deadline at once."""


@action()
def restore(s: Hasty, c: Change) -> None:
    """Its deadline follows whatever it was before the change."""
    guard(s.failed[c], "c has failed")

    rearm_second(s, ite(s.recorded[SECOND] == c, s.pre_image, s.effective[SECOND]))
    s.recorded[SECOND] = ite(s.recorded[SECOND] == c, s.pre_image, s.recorded[SECOND])
    s.answered = ite(s.answered < c, c, s.answered)


def deadlines(intervals: list[int], losses: int, delay: int) -> list[int]:
    """The shortest deadlines that are safe."""
    return [(losses + 1) * t + delay for t in intervals]


def pair(
    policy: str,
    intervals: list[int],
    losses: int,
    delay: int,
    deadline: list[int] | None = None,
    drift: list[int] | None = None,
    spec: Spec = SPEC,
    **constants: Any,
) -> Instance:
    """Return an instance; by default running timers follow and only the harm counts."""
    more = drift or [0] * len(intervals)
    longest = [t + e for t, e in zip(intervals, more, strict=True)]
    last = deadline or deadlines(longest, losses, delay)
    return Instance(
        "pair",
        spec,
        {"Change": len(intervals), "Ticks": max(last) + delay + 2},
        {
            "interval_ticks": dict(enumerate(intervals)),
            "drift_ticks": dict(enumerate(more)),
            "deadline_ticks": dict(enumerate(last)),
            "delay_ticks": delay,
            "tolerated": losses,
            "policy": policy,
            "rearming": "SHIFT",
            "second_rearms": True,
            "announced": False,
            "bounded_acks": False,
            "ack_delay_ticks": 0,
            "may_fail": False,
            "crashes_early": False,
            "states_requests": False,
            "values_count": False,
            **constants,
        },
    )


def broken(instance: Instance) -> set[str]:
    """The properties that break at the least depth."""
    return {f.property for f in explore(instance).violated() if f.kind != "witness"}


# --- lowering, the second first --------------------------------------------------------------

BEAT = ("send ARRIVES", "receive LATEST")
LOWERED = ("ask 1", *BEAT, "modify 1")


@pytest.mark.parametrize(
    ("intervals", "losses", "delay", "deadline", "passes"),
    [([6, 2], 1, 1, [13, 5], 5), ([3, 1], 0, 0, [4, 2], 2), ([7, 2], 1, 1, [21, 6], 6)],
)
def test_a_live_node_is_suspected_when_the_new_deadline_has_passed(
    intervals, losses, delay, deadline, passes
):
    """Claim 19(b) to the letter; the second's ack is lost, no heartbeat is."""
    run = Run(pair("SECOND_FIRST", intervals, losses, delay, deadline))(*LOWERED, "send_ack")
    run(passes)
    assert run.holds("no_false_suspicion")
    run(1)
    assert not run.holds("no_false_suspicion")


def test_four_to_three_takes_a_lost_ack_and_a_tolerated_loss():
    run = Run(pair("SECOND_FIRST", [4, 3], 1, 1))(*LOWERED, "send_ack", 4, "send LOST", 3)
    assert run.holds("no_false_suspicion")
    assert not run(1).holds("no_false_suspicion")


def test_values_do_not_suit_before_any_time_passes():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, values_count=True))("ask 1", *BEAT)
    assert run.holds("no_mismatch_window")
    assert not run("modify 1").holds("no_mismatch_window")


def test_a_running_send_timer_that_is_kept_does_harm_without_any_loss():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, rearming="KEEP"))
    run(*LOWERED, "send_ack", "receive_ack 1", 6)
    assert not run.holds("no_false_suspicion")


def test_a_running_send_timer_that_follows_is_due_in_time():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1))
    run(*LOWERED, "send_ack", "receive_ack 1", 2)
    with pytest.raises(Refused, match="no heartbeat is due"):
        run(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intervals", "rearming", "harm"),
    [([6, 2], "SHIFT", False), ([6, 2], "KEEP", True), ([4, 3], "SHIFT", False)],
)
def test_only_a_late_ack_or_a_kept_timer_makes_lowering_harmful(intervals, rearming, harm):
    """Heartbeats are still late, and lost as tolerated."""
    model = pair("SECOND_FIRST", intervals, 1, 1, rearming=rearming, bounded_acks=True)
    assert broken(model) == ({"no_false_suspicion"} if harm else set())


def test_prompt_acks_leave_no_time_to_modify_to_ack_or_to_follow():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, bounded_acks=True))("ask 1", *BEAT)
    for step in ("modify 1", "send_ack", "receive_ack 1"):
        with pytest.raises(Refused, match="no ack has been on its way for its bound"):
            run(1)
        run(step)
    run(1)


def test_bounded_acks_may_take_their_time_and_no_more_to_modify_to_ack_and_to_follow():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, bounded_acks=True, ack_delay_ticks=2))
    run("ask 1", *BEAT, 1, "modify 1", 1)
    for step in ("send_ack", "receive_ack 1"):
        with pytest.raises(Refused, match="no ack has been on its way for its bound"):
            run(1)
        run(step)
    run(*BEAT, 1)


def test_the_ack_of_each_change_has_a_bound_of_its_own():
    run = Run(pair("ENVELOPE", [2, 4, 2], 1, 1, bounded_acks=True, ack_delay_ticks=2))
    run("ask 1", *BEAT, "modify 1", "send_ack", 2, "ask 2", *BEAT, "receive_ack 1", 2)
    with pytest.raises(Refused, match="no ack has been on its way for its bound"):
        run(*BEAT, 1)


def test_without_a_bound_the_clock_of_an_ack_stands_still():
    run = Run(pair("SECOND_FIRST", [2, 6], 1, 1))("ask 1", *BEAT, "modify 1", "send_ack", 2)
    assert run["ack_waits_ticks[1]"] == "0"


# --- the inequality decides ------------------------------------------------------------------

VALUES = [
    (old, new, losses, delay, slack)
    for old, new in ((2, 3), (3, 2))
    for losses in (0, 1, 2)
    for delay in (0, 1, 3)
    for slack in (0, 1)
]
FEWER = [v for v in VALUES if v[3] != 1]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["SECOND_FIRST", "FIRST_FIRST"])
def test_a_fixed_order_is_harmful_exactly_where_the_mixed_values_are_unsafe(policy):
    for old, new, losses, delay, slack in VALUES:
        own = [d + slack for d in deadlines([old, new], losses, delay)]
        interval, deadline = (old, own[1]) if policy == "SECOND_FIRST" else (new, own[0])
        unsafe = deadline < (losses + 1) * interval + delay
        found = broken(pair(policy, [old, new], losses, delay, own))
        assert found == ({"no_false_suspicion"} if unsafe else set()), (old, new, losses, delay)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ENVELOPE", "SECOND_ENVELOPE"])
def test_an_envelope_is_safe_for_all_of_them(policy):
    for old, new, losses, delay, slack in VALUES:
        own = deadlines([old, new], losses, delay)
        own[0] += slack  # so that both may tighten at once
        assert not broken(pair(policy, [old, new], losses, delay, own, values_count=True))


# --- the rules that controls found -----------------------------------------------------------


def test_a_memory_of_two_values_forgets_the_running_timer():
    run = Run(pair("LAST_TWO", [6, 2, 3], 0, 1, rearming="KEEP", announced=True))
    run(*BEAT, "ask 1", "hear", "modify 1", "send_ack", "receive_ack 1")
    run("ask 2", "hear", "modify 2", 4)
    assert run.holds("no_false_suspicion")
    assert not run(1).holds("no_false_suspicion")  # the next heartbeat would come at 6


@pytest.mark.slow
@pytest.mark.parametrize(("announced", "harm"), [(True, True), (False, False)])
def test_requests_beside_the_heartbeats_are_what_a_long_memory_is_for(announced, harm):
    model = pair("LAST_TWO", [6, 2, 3], 0, 1, rearming="KEEP", announced=announced)
    assert broken(model) == ({"no_false_suspicion"} if harm else set())


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ENVELOPE", "SECOND_ENVELOPE"])
@pytest.mark.parametrize("states_requests", [False, True])
def test_either_a_true_flag_or_the_least_interval_is_needed(policy, states_requests):
    """Two rules of note C1 stand in for each other; without both, lowering is harmful."""
    model = pair(policy, [6, 2], 0, 1, announced=True, states_requests=states_requests)
    harm = policy == "SECOND_ENVELOPE" and states_requests
    assert broken(model) == ({"no_false_suspicion"} if harm else set())


def test_the_second_cannot_ack_before_its_deadline_is_armed():
    run = Run(pair("ENVELOPE", [2, 6], 1, 1, second_rearms=False))("ask 1", *BEAT, "modify 1")
    with pytest.raises(Refused, match="its deadline is armed with it"):
        run("send_ack")
    run(2, *BEAT, "send_ack")


def test_two_changes_at_one_instant_do_not_move_a_timer():
    """Lowering and raising a deadline that is overdue must not lose how long it has run."""
    model = pair("DIRECTION_AWARE", [4, 2, 3], 0, 0, crashes_early=True)
    run = Run(model)("ask 1", "ask 2", *BEAT, "crash", 4)
    assert run("modify 1", "modify 2").holds("crash_known")


@pytest.mark.slow
@pytest.mark.parametrize("delay", [2, 3])
def test_three_heartbeats_in_flight_are_an_error_and_never_cut_off(delay):
    """The bound: twice the shortest interval exceeds the delay."""
    with pytest.raises(StateError, match="too_many_in_flight would become 1"):
        explore(pair("ENVELOPE", [1, 2], 1, delay))


def test_a_crash_is_detected_as_late_as_the_longest_deadline_and_the_delay():
    run = Run(pair("ENVELOPE", [2, 3], 0, 1, crashes_early=True))
    run("ask 1", "send ARRIVES", "crash", 1, "receive LATEST", "modify 1", 4)
    assert run.holds("a_detection_as_late_as_can_be")
    assert run(1).holds("crash_known")


# --- drift -----------------------------------------------------------------------------------


def test_a_heartbeat_may_go_after_the_interval_and_must_go_before_the_drift_has_passed():
    run = Run(pair("ENVELOPE", [4], 0, 1, drift=[1]))(*BEAT, 3)
    with pytest.raises(Refused, match="the send timer has run out"):
        run("send ARRIVES")
    run(1, *BEAT, 5)  # the clock's rate may vary: one interval lasts 4 ticks, the next 5
    assert run.holds("a_slow_interval")
    with pytest.raises(Refused, match="no heartbeat is due"):
        run(1)


def test_a_slow_clock_makes_a_deadline_one_tick_short_harmful():
    slow = (*BEAT, 5, "send LOST", 5, "send ARRIVES", 1)
    safe = Run(pair("ENVELOPE", [4], 1, 1, drift=[1]))(*slow)
    assert safe.holds("no_false_suspicion")
    with pytest.raises(Refused, match="on its way for the largest delay"):
        safe(1)
    short = Run(pair("ENVELOPE", [4], 1, 1, [10], drift=[1]))(*slow)
    assert not short.holds("no_false_suspicion")


@pytest.mark.slow
@pytest.mark.parametrize("interval", [2, 4])
@pytest.mark.parametrize("drift", [0, 1, 2])
@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize("delay", [0, 1, 3])
def test_the_inequality_with_drift_is_exact(interval, drift, losses, delay):
    safe = (losses + 1) * (interval + drift) + delay
    for deadline, harm in ((safe, set()), (safe - 1, {"no_false_suspicion"})):
        model = pair("ENVELOPE", [interval], losses, delay, [deadline], [drift])
        assert broken(model) == harm


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ENVELOPE", "SECOND_ENVELOPE"])
@pytest.mark.parametrize(("old", "new"), [(2, 4), (4, 2)])
@pytest.mark.parametrize("short", [(0, 0), (1, 0), (0, 1)])
def test_both_deadlines_of_a_change_need_their_drift_to_the_last_tick(policy, old, new, short):
    own = deadlines([old + old // 2, new + new // 2], 1, 1)
    own = [d - less for d, less in zip(own, short, strict=True)]
    model = pair(policy, [old, new], 1, 1, own, [old // 2, new // 2])
    assert broken(model) == ({"no_false_suspicion"} if any(short) else set())


@pytest.mark.slow
def test_with_drift_lowering_second_first_is_harmful_exactly_where_the_mixed_values_are_unsafe():
    for old, new, losses, delay, slack in FEWER:
        own = [d + slack for d in deadlines([old + 1, new + 1], losses, delay)]
        unsafe = own[1] < (losses + 1) * (old + 1) + delay
        found = broken(pair("SECOND_FIRST", [old, new], losses, delay, own, [1, 1]))
        assert found == ({"no_false_suspicion"} if unsafe else set()), (old, new, losses, delay)


# --- changes that fail (note C2) -------------------------------------------------------------


def test_a_lowering_that_fails_is_harmful_even_if_acks_take_no_time():
    """Nobody may follow on the ack any more, and news of the failure may be late."""
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, bounded_acks=True, may_fail=True))
    run(*LOWERED, "fail", 5)
    assert run.holds("no_false_suspicion")
    assert not run(1).holds("no_false_suspicion")


def test_a_second_that_goes_back_in_time_does_no_harm():
    run = Run(pair("SECOND_FIRST", [6, 2], 1, 1, may_fail=True))(
        *LOWERED, "fail", 5, "restore 1", 1
    )
    assert run.holds("no_false_suspicion")


@pytest.mark.slow
def test_lowering_that_may_fail_is_harmful_exactly_where_the_mixed_values_are_unsafe():
    for old, new, losses, delay, slack in FEWER:
        own = [d + slack for d in deadlines([old, new], losses, delay)]
        unsafe = own[1] < (losses + 1) * old + delay
        model = pair(
            "SECOND_FIRST", [old, new], losses, delay, own, bounded_acks=True, may_fail=True
        )
        found = broken(model)
        assert found == ({"no_false_suspicion"} if unsafe else set()), (old, new, losses, delay)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ENVELOPE", "SECOND_ENVELOPE"])
def test_an_envelope_is_safe_for_all_values_also_where_changes_fail(policy):
    for old, new, losses, delay, slack in FEWER:
        own = deadlines([old, new], losses, delay)
        own[0] += slack
        model = pair(policy, [old, new], losses, delay, own, may_fail=True, values_count=True)
        assert not broken(model)


def test_after_an_undo_the_deadline_stays_long_until_a_heartbeat_states_the_old_change():
    run = Run(pair("ENVELOPE", [2, 4], 1, 1, may_fail=True))("ask 1", *BEAT, "modify 1", "fail")
    run("restore 1")
    assert run.holds("a_deadline_still_long_after_an_undo")
    run(2, *BEAT)
    assert not run.holds("a_deadline_still_long_after_an_undo")


def test_the_first_never_follows_on_the_ack_of_a_change_that_has_failed():
    run = Run(pair("ENVELOPE", [2, 4], 1, 1, may_fail=True))
    run("ask 1", *BEAT, "modify 1", "send_ack", "fail")
    with pytest.raises(Refused, match="c has not failed"):
        run("receive_ack 1")


def test_the_second_may_modify_after_a_failure_and_not_once_it_has_gone_back():
    """A member of a group applies although another one has failed, until it hears of that."""
    run = Run(pair("ENVELOPE", [4, 2], 1, 1, may_fail=True))("ask 1", *BEAT, "fail", "modify 1")
    assert not run.holds("a_failure_after_the_second_has_modified")
    assert run("withdraw").holds("a_failure_after_the_second_has_modified")
    run("restore 1")
    with pytest.raises(Refused, match="newer than what the second has answered"):
        run("modify 1")


def test_the_next_change_waits_until_the_first_has_withdrawn_what_failed():
    run = Run(pair("ENVELOPE", [4, 2, 3], 1, 1, may_fail=True))("ask 1", "fail")
    with pytest.raises(Refused, match="nothing can fail or no change is open"):
        run("ask 2")
    run("withdraw", "ask 2")


def test_the_next_change_waits_until_the_second_has_gone_back():
    """Else its pre-image would be a change that has failed."""
    run = Run(pair("ENVELOPE", [2, 4, 3], 1, 1, may_fail=True, announced=True))
    run("ask 1", "hear", "modify 1", "fail", "withdraw", "ask 2", "hear")
    with pytest.raises(Refused, match="the second has undone what has failed"):
        run("modify 2")
    run("restore 1", "modify 2", "send_ack", "receive_ack 2")
    assert run.holds("a_change_after_one_that_failed")


@pytest.mark.slow
@pytest.mark.parametrize("may_fail", [False, True])
def test_the_least_interval_is_no_help_against_a_false_flag_once_changes_fail(may_fail):
    """The first sends at its old interval again, and the deadline has become short already."""
    model = pair("ENVELOPE", [6, 2], 0, 1, announced=True, states_requests=True, may_fail=may_fail)
    assert broken(model) == ({"no_false_suspicion"} if may_fail else set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intervals", "harm"), [([2, 4], False), ([4, 2], False), ([2, 4, 3], False), ([4, 2, 3], True)]
)
def test_going_back_at_once_is_harmful_only_while_an_earlier_change_is_unconfirmed(intervals, harm):
    """After 4 -> 2, 2 -> 3 fails before a heartbeat states 2: the deadline of 4 is still needed."""
    model = pair("ENVELOPE", intervals, 0, 1, spec=spec_of(Hasty), may_fail=True, announced=True)
    assert broken(model) == ({"no_false_suspicion"} if harm else set())


@pytest.mark.slow
@pytest.mark.parametrize("rearming", ["SHIFT", "KEEP"])
@pytest.mark.parametrize("intervals", [[4, 2, 3], [4, 3, 2], [2, 4, 3], [2, 4, 2]])
def test_the_least_interval_alone_needs_one_open_change_at_a_time(intervals, rearming):
    """An envelope at the second alone bears several, of which the last may fail."""
    overlapping = SPEC.without("ask", "nothing can fail or no change is open")
    for policy in ("ENVELOPE", "SECOND_ENVELOPE"):
        model = pair(
            policy,
            intervals,
            0,
            1,
            spec=overlapping.with_end_properties_only(),
            may_fail=True,
            announced=True,
            rearming=rearming,
        )
        harm = policy == "ENVELOPE" and intervals[0] == 4
        assert broken(model) == ({"no_false_suspicion"} if harm else set())
