"""Notices of the message layer, and what a node says of what it takes.

Each of these tests was written for mutants that had survived (`make mutants`).
"""

from __future__ import annotations

import pytest

from samebeat.channel import Channel
from samebeat.messages import Fragment, FragmentAck, Notice
from samebeat.parameters import Assumptions
from samebeat.receiving import Takes

from .ends import SETTINGS, fragment, hear, holds, receiver, replace_settings


def notice(floor: int = 1, to: int = 1, epoch: int = 0, boot: int = 1) -> Notice:
    """What `a` says besides its data."""
    return Notice(boot, to, epoch, floor)


def test_a_node_that_takes_more_says_so_at_once_and_otherwise_says_nothing() -> None:
    """Claim 3.message_send_window: its peer sends by what it knows, and may not ask."""
    b = receiver()
    b.follow(0, holds())
    assert b.to_send() == ()
    for name, more in (("message_send_window", 128), ("maximum_fragment_size", 9_000)):
        wider = Takes.of(replace_settings(SETTINGS, **{name: more}), Assumptions())
        held = holds()
        b.follow(0, type(held)(held.epoch, held.settings, wider.and_also(b.receiving.takes)))
        (said,) = b.to_send()
        assert isinstance(said, FragmentAck)
        assert more in (said.window, said.size)


def test_a_notice_is_acked_if_it_says_something_new() -> None:
    """What is below is known once; an answer to each would be a datagram for nothing."""
    b = receiver()
    assert hear(b, notice(floor=3)) == []
    (ack,) = b.to_send()
    assert isinstance(ack, FragmentAck)
    assert (ack.to, ack.below, ack.sequence) == (1, 3, 0)
    assert hear(b, notice(floor=3)) == []
    assert b.to_send() == ()


def test_a_notice_to_the_node_before_its_restart_says_nothing_of_what_comes() -> None:
    """Property never_silently_lost: it is asked whom it means, and nothing is skipped."""
    b = receiver()
    hear(b, notice(floor=9, to=7))
    (ack,) = b.to_send()
    assert isinstance(ack, FragmentAck)
    assert (ack.below, b.receiving.below) == (0, 0)
    assert hear(b, fragment(1)) == [b"   1"]


def test_what_waits_behind_the_floor_of_a_notice_is_delivered() -> None:
    """Property never_silently_lost."""
    b = receiver()
    assert hear(b, fragment(2)) == []
    assert hear(b, notice(floor=2)) == [b"   2"]


@pytest.mark.parametrize(("boot", "answered"), [(1, False), (2, True), (3, True)])
def test_a_notice_of_an_earlier_boot_of_the_peer_is_no_news(boot: int, answered: bool) -> None:
    """Property in_order: the peer has restarted since."""
    b = receiver()
    hear(b, fragment(1, boot=2))
    b.to_send()
    hear(b, notice(floor=5, boot=boot))
    assert bool(b.to_send()) is answered
    assert b.receiving.boot == max(2, boot)


def test_the_ack_of_a_fragment_that_is_too_large_says_only_what_is_taken() -> None:
    """Property in_flight_fits: the peer must not take any piece of it for one that has come."""
    b = receiver()
    large = fragment(1, size=2_000, length=2_000, data=bytes(2_000))
    assert hear(b, large) == []
    (ack,) = b.to_send()
    assert isinstance(ack, FragmentAck)
    assert (ack.to, ack.below, ack.sequence, ack.index) == (1, 0, 0, 0)
    assert ack.size == SETTINGS.maximum_fragment_size


def test_a_notice_that_comes_when_all_is_forgotten_begins_anew() -> None:
    """Property bounded_memory: also where no timer has run since."""
    b = receiver()
    hear(b, fragment(2, size=64, length=100, data=bytes(64)))
    memory_ms = b.receiving.takes.memory_ms
    hear(b, notice(floor=1), now_ms=memory_ms)
    assert dict(b.receiving.partials) == {}


# --- which epoch is stated -------------------------------------------------------------------


def sender() -> Channel:
    """A node's end of a channel whose peer takes much."""
    a = receiver()
    a.receive(FragmentAck(1, 1, 1, 0, 0, 0, 65_507, 65_535), 0, holds())
    assert a.to_send() == ()
    return a


@pytest.mark.parametrize(
    ("name", "value", "keeps"),
    [
        ("message_send_window", 3, True),
        ("message_send_window", 2, False),
        ("maximum_fragment_size", 100, True),
        ("maximum_fragment_size", 99, False),
        ("maximum_message_retry_time", 1_000, True),
        ("maximum_message_retry_time", 999, False),
    ],
)
def test_a_commit_is_stated_as_soon_as_all_under_way_keeps_to_its_limits(
    name: str, value: int, keeps: bool
) -> None:
    """Property in_flight_fits: here at once, or the peer would take less than is under way."""
    a = sender()
    for _ in range(3):
        a.enqueue(bytes(100), 0, holds())
    a.to_send()
    a.follow(0, holds(replace_settings(SETTINGS, **{name: value}), epoch=1))
    said = [p.epoch for p in a.to_send() if isinstance(p, Notice)]
    assert said == [1] * keeps


def test_what_is_first_under_way_says_which_commit_is_stated() -> None:
    """Property in_flight_fits: not what was sent after it."""
    a = sender()
    a.enqueue(bytes(100), 0, holds())
    small = holds(replace_settings(SETTINGS, maximum_fragment_size=64), epoch=1)
    a.follow(0, small)
    a.enqueue(bytes(10), 0, small)
    a.to_send()
    a.on_timer(100, small)
    again = [p for p in a.to_send() if isinstance(p, Fragment)]
    assert [(p.sequence, p.epoch) for p in again] == [(1, 0), (2, 0)]


def test_what_a_fragment_has_stated_is_not_said_once_more() -> None:
    """It would be a datagram for nothing."""
    a = sender()
    a.enqueue(bytes(10), 0, holds(epoch=1))
    (said,) = a.to_send()
    assert isinstance(said, Fragment)
    assert said.epoch == 1
