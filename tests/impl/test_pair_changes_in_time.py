"""Changes of a heartbeat pair in virtual time: no live peer is suspected, and without the envelope
one is. Notes C1 to C3, claims 19 and 24.

Values leave no room: a deadline is what a live peer may need, and not one millisecond more.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat import asking
from samebeat.effects import Purpose
from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck
from samebeat.node import Refused
from samebeat.pair import Watch
from samebeat.parameters import Assumptions, Settings
from samebeat.state import State

from .net import Net

LOSSES, ACK_LOSSES, DELAY_MS = 1, 1, 100
ASSUMED = Assumptions(delay_ms=DELAY_MS, losses=LOSSES, ack_losses=ACK_LOSSES)
INTERVALS = (1_000, 2_000, 3_000, 6_000)


def rhythm(interval_ms: int) -> dict[str, int]:
    """Values for one direction."""
    timeout_ms = (LOSSES + 1) * interval_ms + DELAY_MS
    return {"heartbeat_interval": interval_ms, "heartbeat_message_timeout": timeout_ms}


def start(interval_ms: int) -> Settings:
    """The settings of the group."""
    return Settings(
        receive_send_timer_ratio=None,
        heartbeat_failure_threshold=1,
        heartbeat_ack_timeout=2 * DELAY_MS,
        heartbeat_ack_failure_threshold=(LOSSES + 1) * (ACK_LOSSES + 1),
        **rhythm(interval_ms),
    )


class Losing:
    """Loses heartbeats and acks of each direction, and no more in a row than is tolerated."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.in_a_row: dict[tuple[str, str, type], int] = {}

    def __call__(self, source: str, to: str, body: AnyBody) -> bool:
        if not isinstance(body, Heartbeat | HeartbeatAck):
            return False
        key = (source, to, type(body))
        most = LOSSES if isinstance(body, Heartbeat) else ACK_LOSSES
        lost = self.in_a_row.get(key, 0)
        loses = lost < most and self.rng.random() < 0.5
        self.in_a_row[key] = lost + 1 if loses else 0
        return loses


class FirstOf:
    """Loses the first heartbeats of a member."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def __call__(self, source: str, to: str, body: AnyBody) -> bool:
        if not isinstance(body, Heartbeat) or source != self.name or not self.count:
            return False
        self.count -= 1
        return True


def answers(source: str, to: str, body: AnyBody) -> bool:
    """The acks that say something about a change."""
    return isinstance(body, HeartbeatAck) and body.record is not None


def nothing(source: str, to: str, body: AnyBody) -> bool:
    """No message."""
    return False


def watching(interval_ms: int, size: int = 2, seed: int | None = None) -> Net:
    """Members that watch each other, and have for some time."""
    net = Net(size, seed, start=start(interval_ms), assumed=ASSUMED)  # type: ignore[arg-type]
    net.pass_time(net.now + 2 * interval_ms + 500)
    return net


def ask(net: Net, name: str, peer: str, interval_ms: int) -> None:
    """A member asks for another rhythm with a peer; it may be busy."""
    with suppress(Refused):
        net.node(name).request_pair_change(peer, rhythm(interval_ms), net.now)
    net.carry_out(name)


def gaps(net: Net, name: str) -> list[int]:
    """The times between the last heartbeats of a member."""
    at = [t for n, t in net.beats if n == name]
    return [b - a for a, b in pairwise(at)][-2:]


def test_a_raise_and_a_cut_show_in_the_gaps_and_in_the_deadline() -> None:
    """Claims 19 and 25: of the one direction only."""
    net = watching(2_000)
    for interval_ms in (6_000, 1_000):
        ask(net, "a", "b", interval_ms)
        net.pass_time(net.now + 20_000)
        assert gaps(net, "a") == [interval_ms, interval_ms]
        assert gaps(net, "b") == [2_000, 2_000]
        assert net.node("b").state.watches["a"].deadline_ms == 2 * interval_ms + DELAY_MS
        assert net.node("a").state.watches["b"].deadline_ms == 4_000 + DELAY_MS
    assert net.suspicions == []


@pytest.mark.parametrize("wanted_ms", [1_000, 6_000])
def test_while_acks_are_lost_the_first_node_defers_and_both_stay_safe(wanted_ms: int) -> None:
    """Claims 19(b) and 24: the second has modified, and the first does not know."""
    net = watching(2_000)
    lost: list[HeartbeatAck] = []

    def loses(source: str, to: str, body: AnyBody) -> bool:
        if isinstance(body, HeartbeatAck) and body.record is not None and len(lost) < 3:
            lost.append(body)
            return True
        return False

    net.loses = loses
    ask(net, "a", "b", wanted_ms)
    net.pass_time(net.now + 1)
    longest_ms = 2 * max(wanted_ms, 2_000) + DELAY_MS
    assert net.node("a").state.firsts["b"].open == 1
    assert net.node("b").state.watches["a"].deadline_ms == longest_ms
    net.pass_time(net.now + 40_000)
    assert len(lost) == 3
    assert net.node("a").state.firsts["b"].open == 0
    assert gaps(net, "a") == [wanted_ms, wanted_ms]
    assert net.suspicions == []


@pytest.mark.parametrize("wanted_ms", [1_000, 6_000])
def test_a_crash_is_suspected_within_the_deadline_that_is_held(wanted_ms: int) -> None:
    """Note C1: also after a change, and also during a deferral."""
    for deferring in (False, True):
        net = watching(2_000)
        net.loses = answers if deferring else nothing
        ask(net, "a", "b", wanted_ms)
        net.pass_time(net.now + (1 if deferring else 15_000))
        net.crash("a")
        crashed = net.now
        longest_ms = 2 * max(wanted_ms, 2_000 if deferring else 0) + DELAY_MS
        net.pass_time(net.now + longest_ms + 1)
        assert ("b", "a") in net.suspicions
        assert net.now - crashed <= longest_ms + 1


@pytest.mark.parametrize("wanted_ms", [1_000, 6_000])
def test_a_change_of_the_group_ends_a_pair_of_its_own(wanted_ms: int) -> None:
    """Note C3: through the envelope, and the operator is told of what was open."""
    net = watching(2_000)
    ask(net, "a", "b", wanted_ms)
    net.pass_time(net.now + 15_000)
    net.ask("b", **rhythm(3_000))
    net.run_to_the_end()
    net.pass_time(net.now + 15_000)
    assert dict(net.node("a").state.firsts) == {}
    assert dict(net.node("b").state.seconds) == {}
    assert gaps(net, "a") == gaps(net, "b") == [3_000, 3_000]
    assert net.suspicions == []


def busy_pairs(seed: int, steps: int = 8, *, of_the_group: bool = True) -> Net:
    """Three members ask for this and that, while messages are late and lost and applies slow."""
    net = watching(2_000, 3, seed)
    rng = net.rng
    assert rng is not None
    net.delay_ms, net.work_ms, net.loses = DELAY_MS, 3_000, Losing(rng)
    net.pass_time(net.now + 5_000)
    for _ in range(steps):
        name, peer = rng.sample("abc", 2)
        if of_the_group and rng.random() < 0.3:
            net.hosts[peer].refuses = {Purpose.APPLY} if rng.random() < 0.3 else set()
            if net.node(name).is_quiet:
                net.ask(name, **rhythm(rng.choice(INTERVALS)))
        else:
            ask(net, name, peer, rng.choice(INTERVALS))
        net.pass_time(net.now + rng.randint(0, 9_000))
    return net


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_no_change_of_a_pair_makes_a_live_peer_suspect(seed: int, of_the_group: bool) -> None:
    """Notes C1 to C3: raised and cut, crossing, refused, and in between changes of the group."""
    net = busy_pairs(seed, 4, of_the_group=of_the_group)
    assert net.suspicions == []
    assert any(net.node(n).state.pair_changes for n in "abc") or of_the_group


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
def test_no_change_of_a_pair_makes_a_live_peer_suspect_in_many_runs(seed: int) -> None:
    """Notes C1 to C3."""
    assert busy_pairs(seed, 12).suspicions == []


@pytest.mark.parametrize("seed", [4, 29, 36, 41])
def test_who_is_let_in_again_suspects_nobody_for_what_it_said_before(seed: int) -> None:
    """Note C8: others do not ack the heartbeats of who is not in their view yet."""
    net = watching(2_000, 3, seed)
    rng = net.rng
    assert rng is not None
    net.delay_ms, net.work_ms, net.loses = DELAY_MS, 300, Losing(rng)
    net.pass_time(net.now + 5_000)
    for name in ("a", "b", "c"):
        net.crash(name)
        net.pass_time(net.now + rng.randint(8_000, 20_000))
        known = len(net.suspicions)
        net.restart(name)
        net.pass_time(net.now + 20_000)
        assert net.suspicions[known:] == []


@pytest.mark.parametrize("down_ms", [200, 900])
def test_a_first_node_that_comes_back_soon_is_not_suspected_if_a_heartbeat_is_lost(
    down_ms: int,
) -> None:
    """Note C1: it does not know that its peer still waits for less than the group says."""
    net = watching(6_000)
    ask(net, "a", "b", 1_000)
    net.pass_time(net.now + 20_000)
    sent = len(net.beats)
    while len(net.beats) == sent or net.beats[-1][0] != "a":
        net.pass_time(net.now + 1)
    net.crash("a")
    net.pass_time(net.now + down_ms)
    net.restart("a")
    net.loses = FirstOf("a", LOSSES)
    net.pass_time(net.now + 30_000)
    assert net.suspicions == []
    assert gaps(net, "a") == [6_000, 6_000]


@pytest.mark.parametrize("delay_ms", [0, 1, 100])
def test_only_after_a_restart_do_the_first_heartbeats_come_right_after_each_other(
    delay_ms: int,
) -> None:
    """Note C1: as many as may be lost, and one more, as far apart as a message may be late."""
    assumed = Assumptions(delay_ms=delay_ms, losses=1)
    net = Net(2, start=start(2_000), assumed=assumed)  # type: ignore[arg-type]
    net.pass_time(net.now + 9_000)
    a_gaps = [b - a for a, b in pairwise(t for n, t in net.beats if n == "a")]
    assert set(a_gaps) == {2_000}
    net.crash("a")
    net.restart("a")
    known = len(net.beats)
    net.pass_time(net.now + 9_000)
    at = [t for n, t in net.beats[known:] if n == "a"]
    assert [b - a for a, b in pairwise(at)][:3] == [max(1, delay_ms), 2_000, 2_000]


def at_once(watch: Watch, held_ms: object) -> Watch:
    """A second node that follows its record at once, also downwards."""
    return Watch(watch.newest, watch.heard_ms, held_ms)  # type: ignore[arg-type]


def recorded_interval_ms(s: State, peer: str) -> int:
    """A first node that follows its record at once, also upwards."""
    return asking.settings_towards(s, peer).heartbeat_interval


def without_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let timers follow the records, as the claims leave it."""
    monkeypatch.setattr(Watch, "holding", at_once)
    monkeypatch.setattr(asking, "interval_ms", recorded_interval_ms)


def test_a_second_node_that_waits_less_at_once_suspects_a_live_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C1: cut 6 to 1, and the next heartbeat is lost, as is tolerated."""
    for broken in (False, True):
        net = watching(6_000)
        if broken:
            without_envelope(monkeypatch)
        net.loses = lambda source, to, body: isinstance(body, HeartbeatAck) and to == "a"
        ask(net, "a", "b", 1_000)
        net.pass_time(net.now + 5_000)
        assert (("b", "a") in net.suspicions) is broken


def test_a_first_node_that_modifies_as_it_asks_is_suspected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claim 19(b): raise 1 to 6 without deferring, and the request is lost, as is tolerated."""
    for broken in (False, True):
        net = watching(1_000)
        if broken:
            monkeypatch.setattr(
                asking,
                "interval_ms",
                lambda s, peer: (asking.first(s, peer).asked or s.journal.settings)
                .heartbeat_interval,
            )  # fmt: skip
        net.loses = FirstOf("a", LOSSES)
        ask(net, "a", "b", 6_000)
        net.pass_time(net.now + 4_500)
        assert (("b", "a") in net.suspicions) is broken


def test_without_the_envelope_the_same_runs_suspect_live_peers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C1: the runs above can fail."""
    without_envelope(monkeypatch)
    assert any(busy_pairs(seed, of_the_group=False).suspicions for seed in range(6))


@pytest.mark.parametrize("who", ["a", "b"])
@pytest.mark.parametrize("wanted_ms", [1_000, 6_000])
def test_who_comes_back_from_a_crash_suspects_nobody(who: str, wanted_ms: int) -> None:
    """A first node is back on the settings of the group, a second one learns what is held."""
    net = watching(2_000)
    ask(net, "a", "b", wanted_ms)
    net.pass_time(net.now + 13_000)
    net.crash(who)
    net.pass_time(net.now + 200)
    net.restart(who)
    net.pass_time(net.now + 40_000)
    other = "b" if who == "a" else "a"
    assert (who, other) not in net.suspicions
    expected_ms = 2_000 if who == "a" else wanted_ms
    assert gaps(net, "a") == [expected_ms, expected_ms]
    assert net.node("b").state.watches["a"].deadline_ms == 2 * expected_ms + DELAY_MS
