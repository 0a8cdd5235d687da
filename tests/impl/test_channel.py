"""The message layer between two nodes: order, copies, retries, window, queue, restarts (claim 3).

What each parameter does is measured in ``tests/conformance/test_channel_figures.py``.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat.fragments import NOTHING, Partial, count, cut, is_sound
from samebeat.messages import MAX_FRAGMENTS, MAX_PAYLOAD, Fragment, FragmentAck
from samebeat.sending import Failure, Overflow
from samebeat_conformance.linked import Linked

from .ends import (
    LONG,
    SETTINGS,
    SMALL,
    deaf,
    fragment,
    hear,
    losing,
    receiver,
    replace_settings,
)

# --- fragments -------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.binary(min_size=1, max_size=700), st.integers(64, 800), st.randoms())
def test_a_message_is_the_same_when_it_is_put_together_in_any_order(
    data: bytes, size: int, rng: Random
) -> None:
    """Claim 3.maximum_fragment_size."""
    pieces = [
        fragment(index=i, size=size, length=len(data), data=cut(data, size, i))
        for i in range(count(len(data), size))
    ]
    rng.shuffle(pieces)
    partial = Partial(size, len(data), NOTHING)
    for piece in pieces:
        assert is_sound(piece)
        assert not partial.is_whole
        partial = partial.with_part(piece).with_part(piece)
    assert partial.is_whole
    assert partial.data == data
    assert all(len(p.data) <= size for p in pieces)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": b"123"},
        {"data": b"12345"},
        {"index": 1},
        {"length": 2_000},
        {"length": 2_000, "index": 1},
        {"floor": 2},
    ],
    ids=str,
)
def test_a_fragment_that_is_not_what_it_says_is_unsound(wrong: dict[str, Any]) -> None:
    assert is_sound(fragment())
    assert not is_sound(fragment(**wrong))


def test_no_message_has_more_fragments_than_there_are_indices() -> None:
    assert count(MAX_PAYLOAD, 64) == MAX_FRAGMENTS


def test_a_fragment_of_another_cut_of_the_same_message_is_not_taken() -> None:
    """Whoever sends it is wrong, and what has come already stays."""
    b = receiver(SMALL)
    first = fragment(size=64, length=100, data=bytes(64))
    second = fragment(size=70, length=100, index=1, data=bytes(30))
    assert hear(b, first, second) == []
    assert [a.sequence for a in b.to_send() if isinstance(a, FragmentAck)] == [1, 0]
    assert hear(b, fragment(size=64, length=100, index=1, data=bytes(36))) == [bytes(100)]


# --- order and copies ------------------------------------------------------------------------


def test_messages_come_in_order_whatever_order_their_fragments_come_in() -> None:
    """Property in_order."""
    link = Linked(SMALL)
    link.fate = lambda source, piece: [50] if isinstance(piece, Fragment) else [0]
    said = [LONG + bytes([i]) for i in range(5)]
    for data in said:
        link.enqueue("a", data)
    while link.flying:
        link.arrive(len(link.flying) - 1)
    assert link.ends["b"].delivered == said


def test_a_message_is_delivered_once_however_often_it_comes() -> None:
    """Property at_most_once."""
    link = Linked(SMALL)
    link.fate = lambda source, piece: [0, 0, 30, 700]
    link.enqueue("a", LONG)
    link.enqueue("a", b"second")
    link.run(900)
    assert link.ends["b"].delivered == [LONG, b"second"]
    assert link.ends["a"].channel.sending.flight == ()


def test_only_what_is_missing_is_sent_again() -> None:
    """Claim 3.message_retry_timer."""
    link = Linked(SMALL)
    losing(link, 1, 2)
    link.enqueue("a", LONG)
    link.run(99)
    assert [f.index for _, f in link.fragments()] == [0, 1, 2, 3]
    link.run(1)
    assert [f.index for _, f in link.fragments()[4:]] == [1, 2]
    assert link.ends["b"].delivered == [LONG]
    link.run(900)
    assert len(link.fragments()) == 6


def test_a_lost_ack_makes_one_more_copy_and_no_second_delivery() -> None:
    link = Linked(SETTINGS)
    link.fate = lambda source, piece: [] if source == "b" and link.now_ms < 100 else [0]
    link.enqueue("a", b"once")
    link.run(500)
    assert len(link.fragments()) == 2
    assert link.ends["b"].delivered == [b"once"]
    assert link.ends["a"].failed == []


# --- giving up -------------------------------------------------------------------------------


def test_what_is_not_acked_in_time_is_reported_and_what_comes_after_it_is_delivered() -> None:
    """Claim 3.maximum_message_retry_time: the receiver does not wait for what was given up."""
    link = Linked(SETTINGS)
    link.fate = lambda source, piece: (
        [] if isinstance(piece, Fragment) and piece.data == b"lost" else [0]
    )
    link.enqueue("a", b"lost")
    link.run(500)
    link.enqueue("a", b"kept")
    link.run(499)
    assert link.ends["b"].delivered == []
    link.run(1)
    assert link.ends["a"].failed == [(1_000, b"lost", Failure.GIVEN_UP)]
    assert link.ends["b"].delivered == [b"kept"]
    assert [at for at, f in link.fragments() if f.data == b"kept"] == [500, 1_000]


def test_what_comes_after_a_message_that_was_given_up_stays_under_way() -> None:
    """Property never_silently_lost: all of it, not the next one alone."""
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"lost")
    link.run(500)
    for data in (b"1", b"2", b"3"):
        link.enqueue("a", data)
    link.run(500)
    assert [data for _, data, _ in link.ends["a"].failed] == [b"lost"]
    assert [m.data for m in link.ends["a"].channel.sending.flight] == [b"1", b"2", b"3"]


def test_nothing_is_sent_of_a_message_that_was_given_up() -> None:
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"lost")
    link.run(10_000)
    assert [at for at, _ in link.fragments()] == [100 * i for i in range(10)]


def test_a_message_that_is_sent_when_another_is_over_does_not_say_that_it_is_open() -> None:
    """Claim 3.maximum_message_retry_time: W counts on it (spec timed_link, decision 0045)."""
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"lost")
    link.run(999)
    link.now_ms += 1  # its time is over, and nobody has called the timer yet
    link.enqueue("a", b"next")
    assert [(f.sequence, f.floor) for _, f in link.fragments()][-1] == (2, 2)
    assert [data for _, data, _ in link.ends["a"].failed] == [b"lost"]


# --- window and queue ------------------------------------------------------------------------


def test_what_the_window_does_not_let_out_waits_and_goes_when_acks_come() -> None:
    """Claim 3.message_send_window, property in_flight_fits."""
    link = Linked(replace_settings(SETTINGS, message_send_window=2), delay_ms=10)
    for i in range(5):
        link.enqueue("a", b"%d" % i)
    sending = link.ends["a"].channel.sending
    assert (len(sending.flight), len(sending.queue)) == (2, 3)
    link.run(20)
    assert (len(sending.flight), len(sending.queue)) == (2, 1)
    link.run(40)
    assert link.ends["b"].delivered == [b"%d" % i for i in range(5)]


def test_a_full_queue_says_so_and_nothing_has_changed() -> None:
    """Claim 3.send_queue_overflow_threshold."""
    link = Linked(
        replace_settings(SETTINGS, message_send_window=1, send_queue_overflow_threshold=2)
    )
    link.fate = deaf
    for i in range(3):
        link.enqueue("a", b"%d" % i)
    before = link.ends["a"].channel.copy()
    with pytest.raises(Overflow, match="full: it holds 2 messages"):
        link.enqueue("a", b"3")
    assert link.ends["a"].channel == before


def test_a_lower_threshold_turns_new_messages_down_and_purges_nothing() -> None:
    """Claim 3.send_queue_overflow_threshold, property queue_never_purged."""
    link = Linked(
        replace_settings(SETTINGS, message_send_window=1, send_queue_overflow_threshold=9)
    )
    link.fate = deaf
    for i in range(8):
        link.enqueue("a", b"%d" % i)
    lower = replace_settings(SETTINGS, message_send_window=1, send_queue_overflow_threshold=2)
    for n in "ab":
        link.open(n, lower)
    for n in "ab":
        link.commit(n)
    assert len(link.ends["a"].channel.sending.queue) == 7
    with pytest.raises(Overflow):
        link.enqueue("a", b"8")
    link.fate = lambda source, piece: [0]
    link.run(1_000)
    assert link.ends["b"].delivered == [b"%d" % i for i in range(8)]


def test_messages_are_given_up_in_order_also_when_a_later_one_has_less_time() -> None:
    """Claim 3.maximum_message_retry_time: the earlier ones have been tried for longer than that."""
    link = Linked(replace_settings(SETTINGS, message_send_window=3))
    link.fate = deaf
    link.enqueue("a", b"1")
    shorter = replace_settings(SETTINGS, message_send_window=3, maximum_message_retry_time=200)
    link.open("a", shorter)
    link.commit("a")
    for i in range(2, 6):
        link.enqueue("a", b"%d" % i)
    link.run(199)
    assert link.ends["a"].failed == []
    link.run(1)
    assert link.ends["a"].failed == [(200, b"%d" % i, Failure.GIVEN_UP) for i in (1, 2, 3)]
    assert [m.data for m in link.ends["a"].channel.sending.flight] == [b"4", b"5"]


# --- restarts --------------------------------------------------------------------------------


def test_a_sender_that_has_restarted_starts_a_new_stream_and_old_copies_are_not_delivered() -> None:
    link = Linked(SETTINGS)
    link.fate = lambda source, piece: [0, 400] if isinstance(piece, Fragment) else [0]
    link.enqueue("a", b"before")
    link.run(0)
    link.restart("a")
    link.enqueue("a", b"after")
    link.run(500)
    assert link.ends["b"].delivered == [b"before", b"after"]


def test_a_receiver_that_has_restarted_does_not_deliver_what_was_sent_to_it_before() -> None:
    """It has forgotten what it has delivered; so copies must be known by what they say."""
    link = Linked(SETTINGS)
    link.fate = lambda source, piece: [0, 400] if isinstance(piece, Fragment) else [0]
    link.enqueue("a", b"before")
    link.run(0)
    link.restart("b")
    link.run(0)
    link.enqueue("a", b"after")
    link.run(500)
    assert link.ends["b"].delivered == [b"before", b"after"]
    assert link.ends["a"].failed == []


def test_what_a_peer_has_sent_before_it_restarted_is_neither_taken_nor_acked() -> None:
    """Property in_order: it would be mixed with what the peer sends now."""
    b = receiver()
    assert hear(b, fragment(1, boot=2)) == [b"   1"]
    b.to_send()
    assert hear(b, fragment(2, boot=1)) == []
    assert b.to_send() == ()


def test_what_is_under_way_to_a_member_that_restarts_is_reported_and_what_is_queued_goes_on() -> (
    None
):
    link = Linked(replace_settings(SETTINGS, message_send_window=1))
    link.fate = lambda source, piece: [] if isinstance(piece, Fragment) else [0]
    link.enqueue("a", b"under way")
    link.enqueue("a", b"queued")
    link.fate = lambda source, piece: [0]
    link.restart("b")
    link.run(0)
    assert [(d, why) for _, d, why in link.ends["a"].failed] == [(b"under way", Failure.RESTARTED)]
    assert link.ends["b"].delivered == [b"queued"]


def test_an_answer_to_a_stream_that_is_not_taken_says_nothing_of_another_stream() -> None:
    """Or a sender that has restarted would take its new messages for delivered."""
    b = receiver()
    hear(b, fragment(1), fragment(2))
    b.to_send()
    hear(b, fragment(1, boot=2, to=0))
    (answer,) = b.to_send()
    assert isinstance(answer, FragmentAck)
    assert (answer.boot, answer.to, answer.below, answer.sequence) == (1, 2, 0, 0)


def test_a_peer_that_is_not_known_is_asked_first_and_nothing_is_lost_by_that() -> None:
    """Where the greeting was lost: one fragment asks, and nothing is delivered before."""
    link = Linked(SMALL, delay_ms=10, greets=False)
    link.enqueue("a", LONG)
    link.enqueue("a", b"second")
    link.run(19)
    assert [(f.to, f.sequence, f.index) for _, f in link.fragments()] == [(0, 1, 0)]
    assert link.ends["b"].delivered == []
    link.run(30)
    assert {f.to for _, f in link.fragments()[1:]} == {1}
    assert link.ends["b"].delivered == [LONG, b"second"]
