"""A heartbeat pair changes a parameter of its own, by the change request indicator.

Claims 19 to 31, notes C1 and C4: what each node says, in which order, and what it makes of it.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import msgpack

from samebeat.asking import OF_HEARTBEATS
from samebeat.codec import VERSION, ProtocolError, decode, encode
from samebeat.effects import Outcome, PairDecided
from samebeat.ids import PairChangeId, ViewId
from samebeat.messages import AckRecord, Heartbeat, HeartbeatAck, HeartbeatRecord, Message, Request
from samebeat.node import Refused
from samebeat.parameters import NAMES, Rhythm, Settings, needs_peer

from .test_views import CHANGE, HOME, NOW, SLOW, Spoken

USUAL = Settings().rhythm
RARE = Settings(heartbeat_interval=3_000).rhythm
OFTEN = Settings(heartbeat_interval=500).rhythm
FIRST = PairChangeId(1, 1)
MODIFIED, REFUSED = AckRecord(FIRST, True), AckRecord(FIRST, False)


def asks(interval_ms: int = 3_000, **values: int) -> Spoken:
    """The core of `a`, which wants another interval with `b`."""
    a = Spoken()
    a.node.on_timer(NOW)
    a.carry_out()
    a.said.clear()
    a.node.request_pair_change("b", values or {"heartbeat_interval": interval_ms}, NOW)
    a.carry_out()
    return a


def beats(a: Spoken, now_ms: int = NOW) -> list[Heartbeat]:
    """The heartbeats that are due then."""
    a.said.clear()
    a.node.on_timer(now_ms)
    a.carry_out()
    return [body for body in a.said if isinstance(body, Heartbeat)]


def record_of(a: Spoken, now_ms: int = NOW) -> HeartbeatRecord | None:
    """What the core says in its heartbeats to `b`."""
    found = [beat.record for beat in beats(a, now_ms) if beat.record is not None]
    return found[0] if found else None


def acked(a: Spoken, record: AckRecord | None, boot: int = 1, peer: str = "b") -> Spoken:
    """The peer acks the latest heartbeat."""
    a.hear(peer, HeartbeatAck(boot, a.node.state.beat[0], record))
    return a


def asked(
    number: int = 1,
    rhythm: Rhythm = RARE,
    *,
    sequence: int = 2,
    indicator: bool = True,
    held: Rhythm | None = None,
    boot: int = 1,
) -> Heartbeat:
    """A heartbeat of `b` with a record."""
    record = HeartbeatRecord(number, indicator, rhythm, held)
    return Heartbeat(boot, sequence, None, record)


def deadline(a: Spoken) -> int:
    """For how long `a` waits for `b`."""
    return int(a.node.state.watches["b"].deadline_ms)


def watching() -> Spoken:
    """The core of `a`, which watches `b`."""
    a = Spoken()
    a.hear("b", Heartbeat(1, 1, None))
    return a


# --- the first node --------------------------------------------------------------------------


def test_the_first_node_sets_the_indicator_and_asks_in_its_next_heartbeat() -> None:
    """Claims 19(a), 23.record, 23(a), 26(b).send, 29 and 31(a).send."""
    a = asks()
    assert a.node.state.firsts["b"].record == HeartbeatRecord(1, True, RARE, None)
    assert a.said == []
    assert a.node.next_timer() == NOW
    assert beats(a) == [Heartbeat(1, 2, None, HeartbeatRecord(1, True, RARE, None))]


def test_the_first_node_defers_until_an_ack_says_that_the_second_has_modified() -> None:
    """Claims 19(b), 24, 25(b), 26(b).defer, 30 and 31(a).defer."""
    a = asks()
    beats(a)
    acked(a, None)
    assert record_of(a, NOW + 1_000) == HeartbeatRecord(1, True, RARE, None)
    assert PairDecided("b", FIRST, Outcome.COMMITTED) not in a.told
    acked(a, MODIFIED)
    assert PairDecided("b", FIRST, Outcome.COMMITTED) in a.told
    assert record_of(a, NOW + 3_999) is None
    assert record_of(a, NOW + 4_000) == HeartbeatRecord(1, False, RARE, RARE)


def test_a_cleared_indicator_closes_the_change_and_nothing_has_changed() -> None:
    """Claims 22 and 24."""
    a = acked(asks(), REFUSED)
    assert PairDecided("b", FIRST, Outcome.UNDONE) in a.told
    beats(a)
    assert record_of(a, NOW + 1_000) == HeartbeatRecord(1, False, RARE, None)


@pytest.mark.parametrize(
    "ack",
    [
        HeartbeatAck(1, 2, AckRecord(PairChangeId(1, 2), True)),
        HeartbeatAck(1, 2, AckRecord(PairChangeId(2, 1), True)),
        HeartbeatAck(1, 2, None),
    ],
)
def test_an_ack_about_another_change_confirms_nothing(ack: HeartbeatAck) -> None:
    """Note C4: also one of an earlier boot of this node."""
    a = asks()
    a.hear("b", ack)
    assert a.node.state.firsts["b"].open == 1


def test_a_late_ack_of_the_change_before_confirms_nothing() -> None:
    """Note C4."""
    a = acked(asks(), REFUSED)
    a.node.request_pair_change("b", {"heartbeat_interval": 500}, NOW)
    a.carry_out()
    acked(a, MODIFIED)
    assert a.node.state.firsts["b"].open == 2
    assert record_of(a) == HeartbeatRecord(2, True, OFTEN, None)
    acked(a, AckRecord(PairChangeId(1, 2), True))
    assert PairDecided("b", PairChangeId(1, 2), Outcome.COMMITTED) in a.told


def test_an_ack_of_another_peer_confirms_nothing() -> None:
    """Note C4: and each peer has heartbeats of its own."""
    a = acked(asks(), MODIFIED, peer="c")
    assert a.node.state.firsts["b"].open == 1
    assert {beat.record is None for beat in beats(a, NOW + 1_000)} == {True, False}


def test_while_a_change_is_open_the_first_node_sends_at_the_shorter_interval() -> None:
    """Note C1: whether it is the old one or the new one."""
    for wanted_ms, used_ms in ((3_000, 1_000), (400, 400)):
        a = asks(wanted_ms)
        assert record_of(a) is not None
        assert record_of(a, NOW + used_ms - 1) is None
        assert record_of(a, NOW + used_ms) is not None


def test_a_raised_interval_is_that_of_one_peer_and_counts_from_the_last_heartbeat() -> None:
    """Claim 19, note C1: everybody else hears as often as before."""
    a = asks()
    beats(a)
    acked(a, MODIFIED)
    at = [t for t in range(NOW + 100, NOW + 6_100, 100) for beat in beats(a, t) if beat.record]
    assert at == [NOW + 3_000, NOW + 6_000]
    others = [t for t in range(NOW + 6_100, NOW + 9_100, 100) for x in beats(a, t) if not x.record]
    assert len(others) == 3


def test_the_ack_of_a_heartbeat_out_of_turn_is_not_waited_for() -> None:
    """Claim 19(a): it may overtake the one before, and the acks change places."""
    a = asks()
    beats(a)
    assert [number for number, _ in a.node.state.ack_watches["b"].waiting] == [1]
    beats(a, NOW + 1_000)
    waiting = [number for number, _ in a.node.state.ack_watches["b"].waiting]
    assert waiting[0] == 1
    assert len(waiting) == 2


# --- local or global -------------------------------------------------------------------------


def test_what_needs_the_peer_is_read_off_the_constraints() -> None:
    """Claims 21 and 28."""
    local = {name for name in NAMES if not needs_peer(name)}
    assert local == {
        "heartbeat_ack_timeout",
        "heartbeat_ack_failure_threshold",
        "message_retry_timer",
        "send_queue_overflow_threshold",
    }
    shared = {name for name in OF_HEARTBEATS if needs_peer(name)}
    assert shared == set(Rhythm.__struct_fields__)


@pytest.mark.parametrize("name", ["heartbeat_ack_timeout", "heartbeat_ack_failure_threshold"])
def test_what_is_local_changes_at_once_and_nobody_is_asked(name: str) -> None:
    """Claims 20, 21, 27 and 28."""
    a = asks(**{name: 40})
    assert a.told[-1] == PairDecided("b", FIRST, Outcome.COMMITTED)
    assert [beat.record for beat in beats(a, NOW + 1_000)] == [None]


def test_what_is_local_counts_towards_one_peer_only() -> None:
    """Claim 21: acks of `b` are missed earlier, those of `c` are not."""
    a = asks(heartbeat_ack_failure_threshold=1)
    beats(a, NOW + 1_000)
    beats(a, NOW + 2_001)
    assert a.node.state.suspected == {"b"}
    b = asks(heartbeat_ack_timeout=40)
    beats(b, NOW + 1_000)
    waits = {p: w.waiting[-1][1] - NOW for p, w in b.node.state.ack_watches.items()}
    assert waits == {"b": 1_040, "c": 2_000}


def test_what_is_local_changes_also_during_a_deferral() -> None:
    """Claims 20 and 27."""
    a = asks()
    a.node.request_pair_change("b", {"heartbeat_ack_timeout": 40}, NOW)
    assert a.node.state.firsts["b"].open == 1
    acked(a, MODIFIED)
    first = a.node.state.firsts["b"]
    assert first.held == RARE
    assert first.patience is not None
    assert first.patience.timeout_ms == 40


# --- the second node -------------------------------------------------------------------------


def test_the_second_node_modifies_waits_longer_and_then_acks_with_a_set_indicator() -> None:
    """Claims 22, 23(b) and 25(a), note C1: it re-arms before it acks."""
    a = watching()
    assert deadline(a) == 6_000
    assert a.hear("b", asked()) == [HeartbeatAck(1, 2, MODIFIED)]
    assert deadline(a) == 18_000
    assert a.node.state.seconds["b"].held == RARE


def test_the_second_node_refuses_what_does_not_suit_and_clears_the_indicator() -> None:
    """Claims 22 and 23(b)."""
    a = watching()
    nothing = Rhythm(5_000, 1, None, 1)
    assert a.hear("b", asked(1, nothing)) == [HeartbeatAck(1, 2, REFUSED)]
    assert a.node.state.seconds["b"].held is None
    assert deadline(a) == 6_000


def test_a_request_that_is_repeated_is_answered_as_before() -> None:
    """Note C4: also if something else is asked for under the same number."""
    a = watching()
    a.hear("b", asked())
    assert a.hear("b", asked(1, OFTEN, sequence=3)) == [HeartbeatAck(1, 3, MODIFIED)]
    assert a.node.state.seconds["b"].held == RARE


def test_a_late_request_changes_nothing() -> None:
    """Notes C1 and C4: it is acked with what was answered last."""
    a = watching()
    a.hear("b", asked(2, OFTEN, sequence=3))
    late = a.hear("b", asked(1, RARE, sequence=2))
    assert late == [HeartbeatAck(1, 2, AckRecord(PairChangeId(1, 2), True))]
    assert a.node.state.seconds["b"].held == OFTEN


def test_the_second_node_waits_less_only_when_the_first_says_that_it_has_modified() -> None:
    """Note C1: the tightening side defers."""
    a = watching()
    a.hear("b", asked(1, OFTEN))
    assert deadline(a) == 6_000
    a.hear("b", asked(1, OFTEN, sequence=3))
    assert deadline(a) == 6_000
    a.hear("b", asked(1, OFTEN, sequence=4, indicator=False, held=OFTEN))
    assert deadline(a) == 3_000


def test_requests_that_cross_do_not_meet() -> None:
    """Note C4: one record for each direction."""
    a = asks()
    a.hear("b", Heartbeat(1, 1, None))
    assert a.hear("b", asked(1, OFTEN)) == [HeartbeatAck(1, 2, MODIFIED)]
    assert a.node.state.firsts["b"].open == 1
    assert record_of(a) == HeartbeatRecord(1, True, RARE, None)
    acked(a, REFUSED)
    assert a.node.state.seconds["b"].held == OFTEN


# --- crashes, and changes of the group -------------------------------------------------------


def test_a_second_node_that_has_restarted_learns_what_is_held_before_it_watches() -> None:
    """Note C1: a watch begins only on a heartbeat that states what is held."""
    a = Spoken()
    a.hear("b", asked(1, RARE, indicator=False, held=RARE))
    assert deadline(a) == 18_000
    assert a.node.state.seconds["b"].held == RARE


def test_what_may_have_been_granted_before_a_restart_is_waited_for() -> None:
    """Note C1: an ack of before the restart may still arrive, even if the answer is another now."""
    a = Spoken()
    never = Rhythm(5_000, 20_000, None, 1)
    a.hear("b", asked(1, Rhythm(60_000, 50_000, None, 1), held=never))
    assert a.said == [HeartbeatAck(1, 2, REFUSED)]
    assert deadline(a) == 50_000


def test_a_first_node_that_has_restarted_is_back_on_the_settings_of_the_group() -> None:
    """Its heartbeats say so, and the second node drops what it held."""
    a = watching()
    a.hear("b", asked())
    a.hear("b", asked(1, RARE, sequence=3, indicator=False, held=RARE))
    assert deadline(a) == 18_000
    a.hear("b", Heartbeat(2, 1, None))
    assert deadline(a) == 6_000
    assert "b" not in a.node.state.seconds
    a.hear("b", asked(sequence=9))
    assert "b" not in a.node.state.seconds


def test_while_a_change_of_the_group_is_open_a_request_is_let_pass() -> None:
    """Note C3: it comes again."""
    a = watching()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    assert a.hear("b", asked()) == [HeartbeatAck(1, 2)]
    with pytest.raises(Refused, match="busy with another change"):
        a.node.request_pair_change("b", {"heartbeat_interval": 3_000}, NOW)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "values", "why"),
    [
        ("a", {"heartbeat_interval": 1}, "a is no other member of the view"),
        ("x", {"heartbeat_interval": 1}, "x is no other member of the view"),
        ("b", {}, "no value is given"),
        ("b", {"heartbeat_interval": 0}, "heartbeat_interval"),
        ("b", {"colour": 1}, "colour is no parameter"),
        ("b", {"message_retry_timer": 9}, "message_retry_timer is no heartbeat parameter"),
        ("b", {"heartbeat_message_timeout": 9}, "shorter than a live node may be silent"),
        (
            "b",
            {"heartbeat_interval": 9, "heartbeat_ack_timeout": 9},
            "heartbeat_ack_timeout is local to this node, and the rest is not",
        ),
    ],
)
def test_what_is_not_asked_for_says_why(peer: str, values: dict[str, Any], why: str) -> None:
    a = Spoken()
    with pytest.raises(Refused, match=why):
        a.node.request_pair_change(peer, values, NOW)
    assert dict(a.node.state.firsts) == {}


def test_a_second_change_with_a_peer_waits_until_the_first_is_decided() -> None:
    a = asks()
    with pytest.raises(Refused, match="an earlier change with b is open"):
        a.node.request_pair_change("b", {"heartbeat_interval": 2_000}, NOW)
    a.node.request_pair_change("c", {"heartbeat_interval": 2_000}, NOW)
    assert [first.open for first in a.node.state.firsts.values()] == [1, 2]


@pytest.mark.parametrize("halves", [(None, None), (900, 2.0)])
def test_a_rhythm_with_both_a_time_out_and_a_ratio_or_neither_is_no_message(
    halves: tuple[int | None, float | None],
) -> None:
    sound = encode(Message(VERSION, "test", ViewId(0, "a"), 0, asked(1, Rhythm(1, 900, None, 3))))
    plain = msgpack.decode(sound)
    plain[4][4][2][1:3] = halves
    with pytest.raises(ProtocolError, match="either a time-out or a ratio"):
        decode(msgpack.encode(plain))
