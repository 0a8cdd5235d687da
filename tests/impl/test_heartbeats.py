"""Heartbeats of cores: what each parameter does, and that no change makes a live member suspect.

Claims 2, 3 and 19, notes C1 to C3.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from samebeat.effects import Outcome, Purpose
from samebeat.messages import Ack, AnyBody, Heartbeat, HeartbeatAck, Request
from samebeat.pair import MAX_WAITING, AckWatch, Watch
from samebeat.parameters import Assumptions, Settings

from .net import Net

LOSSES, DELAY_MS = 1, 100
TIGHT = Assumptions(delay_ms=DELAY_MS, losses=LOSSES)


def tight(interval_ms: int) -> dict[str, int]:
    """Values that leave no room: the deadline is what a live member may need, and not 1 ms more."""
    return {
        "heartbeat_interval": interval_ms,
        "heartbeat_message_timeout": (LOSSES + 1) * interval_ms + DELAY_MS,
        "heartbeat_failure_threshold": 1,
        "heartbeat_ack_timeout": 2 * DELAY_MS,
        "heartbeat_ack_failure_threshold": LOSSES + 1,
    }


def tight_settings(interval_ms: int) -> Settings:
    """The same as settings."""
    return Settings(receive_send_timer_ratio=None, **tight(interval_ms))


def watching(size: int = 2, **values: int) -> Net:
    """A cluster whose members watch each other, after a change to some values."""
    net = Net(size)
    net.pass_time(net.now + 2_500)
    if values:
        change = net.ask("a", **values)
        net.run_to_the_end()
        assert net.outcome(change) is Outcome.COMMITTED
    net.pass_time(net.now + 5_000)
    return net


def gaps(net: Net, name: str) -> list[int]:
    """The times between the last heartbeats of a member."""
    at = [t for n, t in net.beats if n == name]
    return [b - a for a, b in pairwise(at)][-2:]


def kill_to_suspicion(net: Net) -> int:
    """How long after the last heartbeat of `b` does `a` suspect it?"""
    net.crash("b")
    last = max(t for n, t in net.beats if n == "b")
    net.flying.clear()
    while not net.suspicions:
        due = net.node("a").next_timer()
        assert due is not None
        net.pass_time(due)
    return net.now - last


def test_the_interval_is_the_gap_between_heartbeats() -> None:
    """Claims 3.heartbeat_interval and 19.preamble."""
    assert gaps(watching(), "b") == [1_000, 1_000]
    assert gaps(watching(heartbeat_interval=400), "b") == [400, 400]


@pytest.mark.parametrize(
    ("values", "expected_ms"),
    [
        ({}, 6_001),
        ({"heartbeat_failure_threshold": 2}, 4_001),
        ({"heartbeat_message_timeout": 900}, 2_701),
        ({"receive_send_timer_ratio": 4}, 12_001),
        ({"heartbeat_interval": 400}, 2_401),
    ],
    ids=str,
)
def test_the_deadline_is_from_kill_to_suspicion(values: dict[str, int], expected_ms: int) -> None:
    """Claims 3.heartbeat_message_timeout, 3.heartbeat_failure_threshold and
    3.receive_send_timer_ratio."""
    net = watching(heartbeat_ack_failure_threshold=100, **values)
    assert kill_to_suspicion(net) == expected_ms


@pytest.mark.parametrize(
    ("threshold", "timeout_ms", "expected_ms"),
    [(2, 300, 1_301), (2, 800, 1_801), (3, 300, 2_301)],
)
def test_acks_that_stop_are_missed_as_often_as_the_threshold_says(
    threshold: int, timeout_ms: int, expected_ms: int
) -> None:
    """Claims 3.heartbeat_ack_timeout and 3.heartbeat_ack_failure_threshold: heartbeats go on."""
    net = watching(heartbeat_ack_timeout=timeout_ms, heartbeat_ack_failure_threshold=threshold)
    net.loses = lambda source, to, body: isinstance(body, HeartbeatAck) and to == "a"
    start = net.now
    while not net.suspicions:
        net.pass_time(net.now + 1)
    assert net.suspicions == [("a", "b")]
    first = min(t for n, t in net.beats if n == "a" and t > start)
    assert net.now - first == expected_ms


def test_an_ack_that_is_late_by_less_than_its_time_out_is_not_missed() -> None:
    """Claim 3.heartbeat_ack_timeout."""
    for delay_ms, missed in ((150, False), (151, True)):
        net = watching(heartbeat_ack_timeout=300, heartbeat_ack_failure_threshold=1)
        net.delay_ms = delay_ms
        net.pass_time(net.now + 10_000)
        assert bool(net.suspicions) is missed


@pytest.mark.parametrize("retry_ms", [300, 700])
@pytest.mark.parametrize("losses", [0, 1, 2])
def test_the_retry_timer_is_when_something_is_said_again(retry_ms: int, losses: int) -> None:
    """Claim 3.message_retry_timer: and without loss nothing is."""
    net = watching(message_retry_timer=retry_ms)
    asked = net.now
    sent: list[int] = []

    def loses(source: str, to: str, body: AnyBody) -> bool:
        if isinstance(body, Request):
            sent.append(net.now - asked)
        return isinstance(body, Request | Ack) and len(sent) <= losses

    net.loses = loses
    net.ask("b")
    net.run_to_the_end()
    assert sent == [i * retry_ms for i in range(losses + 1)]


def test_while_a_change_is_open_nobody_sends_less_often_and_who_has_applied_waits_longer() -> None:
    """Notes C1 and C3: what a node holds follows claim 1, what its timers use is the envelope."""
    net = Net(2, start=tight_settings(1_000), assumed=TIGHT)  # type: ignore[arg-type]
    net.pass_time(net.now + 2_500)
    net.hosts["b"].holds = {Purpose.APPLY}
    net.ask("a", **tight(3_000))
    net.pass_time(net.now + 3_000)
    assert gaps(net, "a") == [1_000, 1_000]
    assert net.node("a").state.watches["b"].deadline_ms == 6_100
    assert net.node("b").state.watches["a"].deadline_ms == 2_100
    net.hosts["b"].holds = set()
    net.finish("b")
    net.run_to_the_end()
    net.pass_time(net.now + 8_000)
    assert gaps(net, "a") == [3_000, 3_000]
    assert net.suspicions == []


def test_while_a_shorter_interval_is_open_both_send_as_often_as_it_asks_for() -> None:
    """Note C1: the envelope on the other side, T is the least of all values still possible."""
    net = Net(2, start=tight_settings(3_000), assumed=TIGHT)  # type: ignore[arg-type]
    net.pass_time(net.now + 6_500)
    net.hosts["b"].holds = {Purpose.APPLY}
    net.ask("a", **tight(1_000))
    net.pass_time(net.now + 3_500)
    assert gaps(net, "a") == [1_000, 1_000]
    assert gaps(net, "b") == [1_000, 1_000]
    assert [net.node(n).journal.settings.heartbeat_interval for n in "ab"] == [3_000, 3_000]
    assert {w.deadline_ms for n in "ab" for w in net.node(n).state.watches.values()} == {6_100}


def test_a_shorter_interval_that_is_undone_is_used_no_more() -> None:
    """Notes C1 and C2."""
    net = Net(2, start=tight_settings(3_000), assumed=TIGHT)  # type: ignore[arg-type]
    net.pass_time(net.now + 6_500)
    net.hosts["b"].refuses = {Purpose.APPLY}
    net.ask("a", **tight(1_000))
    net.settle()
    assert net.node("a").is_quiet
    net.pass_time(net.now + 12_000)
    assert gaps(net, "a") == [3_000, 3_000]
    assert net.suspicions == []


def test_an_undo_keeps_the_longer_deadline_until_a_heartbeat_states_the_old_epoch() -> None:
    """Note C2."""
    net = Net(2, start=tight_settings(1_000), assumed=TIGHT)  # type: ignore[arg-type]
    net.pass_time(net.now + 2_500)
    net.hosts["b"].refuses = {Purpose.APPLY}
    net.ask("a", **tight(3_000))
    net.settle()
    assert net.node("a").is_quiet
    assert net.node("a").state.watches["b"].deadline_ms == 6_100
    net.pass_time(net.now + 1_000)
    assert net.node("a").state.watches["b"].deadline_ms == 2_100


class Streaks:
    """Loses heartbeats, and of each direction no more in a row than is tolerated."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.in_a_row: dict[tuple[str, str], int] = {}

    def __call__(self, source: str, to: str, body: AnyBody) -> bool:
        assert self.net.rng is not None
        if not isinstance(body, Heartbeat):
            return False
        lost = self.in_a_row.get((source, to), 0)
        loses = lost < LOSSES and self.net.rng.random() < 0.5
        self.in_a_row[source, to] = lost + 1 if loses else 0
        return loses


def changes_in_a_row(seed: int) -> Net:
    """Raise and lower tight values while heartbeats are late and lost and applies are slow."""
    net = Net(3, seed, start=tight_settings(2_000), assumed=TIGHT)  # type: ignore[arg-type]
    assert net.rng is not None
    net.delay_ms, net.work_ms = DELAY_MS, 5_000
    net.loses = Streaks(net)
    net.pass_time(net.now + 15_000)
    for _ in range(8):
        name = net.rng.choice("abc")
        net.hosts[name].refuses = {Purpose.APPLY} if net.rng.random() < 0.3 else set()
        if net.node(name).is_quiet:
            net.ask(name, **tight(net.rng.choice([1_000, 2_000, 3_000, 6_000])))
        net.pass_time(net.now + net.rng.randint(0, 12_000))
    return net


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_tight_values_makes_a_live_member_suspect(seed: int) -> None:
    """Notes C1 to C3: late and lost heartbeats, slow and failing applies, raising and lowering."""
    net = changes_in_a_row(seed)
    assert net.suspicions == []
    assert net.outcomes


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_no_change_of_tight_values_makes_a_live_member_suspect_in_many_runs(seed: int) -> None:
    """Notes C1 to C3."""
    net = changes_in_a_row(seed)
    assert net.suspicions == []


def test_without_the_envelope_the_same_runs_suspect_live_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C1: the runs above can fail."""

    def follows(watch: Watch, held_ms: Fraction) -> Watch:
        return Watch(watch.newest, watch.heard_ms, held_ms)

    monkeypatch.setattr(Watch, "holding", follows)
    assert any(changes_in_a_row(seed).suspicions for seed in range(4))


def test_an_old_heartbeat_does_not_hide_a_crash() -> None:
    """Note C1: only a newer one in (boot, sequence) re-arms."""
    watch = Watch((2, 7), 1_000, Fraction(500))
    for old in ((2, 7), (2, 6), (1, 99)):
        assert watch.heard(old, 1_400, None) is watch
    assert watch.heard((3, 1), 1_400, None).due_ms == 1_901


def test_a_heartbeat_at_the_deadline_is_in_time() -> None:
    assert Watch((1, 1), 1_000, Fraction(1_001, 2)).due_ms == 1_501


def test_an_ack_settles_every_heartbeat_before_its_own() -> None:
    watch = AckWatch().sent(1, 100).sent(2, 200).sent(3, 300)
    assert watch.suspects_at(3) == 301
    assert watch.acked(2).suspects_at(1) == 301
    assert watch.acked(2).suspects_at(2) is None


def test_what_waits_for_acks_is_bounded() -> None:
    watch = AckWatch()
    for i in range(2 * MAX_WAITING):
        watch = watch.sent(i, i)
    assert len(watch.waiting) == MAX_WAITING
