"""The heartbeat pair with time: what each rule does to given values, tick by tick (note C1)."""

from __future__ import annotations

from typing import Any

import pytest

from samebeat_models.explorer import explore
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

SPEC = load_spec("heartbeat")
SHORT = {"send": "send_heartbeat", "receive": "receive_heartbeat", "hear": "hear_announcement"}
URGENT = {"modify", "send_ack", "receive_ack"}


def deadlines(intervals: list[int], losses: int, delay: int) -> list[int]:
    """The shortest deadlines that are safe."""
    return [(losses + 1) * t + delay for t in intervals]


def pair(
    policy: str,
    intervals: list[int],
    losses: int,
    delay: int,
    deadline: list[int] | None = None,
    **constants: Any,
) -> Instance:
    """Return an instance; by default running timers follow and only the harm counts."""
    last = deadline or deadlines(intervals, losses, delay)
    return Instance(
        "pair",
        SPEC,
        {"Change": len(intervals), "Ticks": max(last) + delay + 2},
        {
            "interval_ticks": dict(enumerate(intervals)),
            "deadline_ticks": dict(enumerate(last)),
            "delay_ticks": delay,
            "tolerated": losses,
            "policy": policy,
            "rearming": "SHIFT",
            "second_rearms": True,
            "announced": False,
            "crashes_early": False,
            "states_requests": False,
            "values_count": False,
            **constants,
        },
    )


class Run:
    """A run by names: ``ask 1``, ``send ARRIVES``; a number lets so many ticks pass."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.judge = instance, Interpreter(instance)
        (self.state,) = self.judge.initial_states()

    def __call__(self, *steps: str | int) -> Run:
        for step in steps:
            for words in ["tick"] * step if isinstance(step, int) else [step]:
                name, *labels = words.split()
                action = SPEC.find_action(SHORT.get(name, name))
                arguments = tuple(
                    self.instance.element(p.sort, x)
                    for p, x in zip(action.parameters, labels, strict=True)
                )
                self.state = self.judge.step(action, arguments, self.state)
        return self

    def holds(self, name: str) -> bool:
        return self.judge.holds(SPEC.find_property(name), self.state)


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


def prompt_harm(instance: Instance) -> bool:
    """Whether a live node can be suspected although nobody hesitates and no ack is lost."""
    judge = Interpreter(instance)
    promise = SPEC.find_property("no_false_suspicion")
    found = set(frontier := judge.initial_states())
    while frontier:
        if not all(judge.holds(promise, s) for s in frontier):
            return True
        level = set()
        for s in frontier:
            steps = [(a.name, t) for a, _, t in judge.successors(s) if t != s]
            waits = any(name in URGENT for name, _ in steps)
            level |= {t for name, t in steps if not (waits and name == "tick")}
        frontier = list(level - found)
        found |= level
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intervals", "rearming", "harm"),
    [([6, 2], "SHIFT", False), ([6, 2], "KEEP", True), ([4, 3], "SHIFT", False)],
)
def test_only_a_late_ack_or_a_kept_timer_makes_lowering_harmful(intervals, rearming, harm):
    """Heartbeats are still late, and lost as tolerated."""
    assert prompt_harm(pair("SECOND_FIRST", intervals, 1, 1, rearming=rearming)) is harm


# --- the inequality decides ------------------------------------------------------------------

VALUES = [
    (old, new, losses, delay, slack)
    for old, new in ((2, 3), (3, 2))
    for losses in (0, 1, 2)
    for delay in (0, 1, 3)
    for slack in (0, 1)
]


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


@pytest.mark.parametrize(("announced", "harm"), [(True, True), (False, False)])
def test_requests_beside_the_heartbeats_are_what_a_long_memory_is_for(announced, harm):
    model = pair("LAST_TWO", [6, 2, 3], 0, 1, rearming="KEEP", announced=announced)
    assert broken(model) == ({"no_false_suspicion"} if harm else set())


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
