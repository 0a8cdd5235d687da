"""The message layer between two nodes: order, copies, retries, window, queue, restarts (claim 3).

What each parameter does is measured in ``tests/conformance/test_channel_figures.py``.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from samebeat.channel import Channel, Holds
from samebeat.fragments import NOTHING, Partial, count, cut, is_sound
from samebeat.messages import MAX_FRAGMENTS, MAX_PAYLOAD, Fragment, FragmentAck
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import MAX_AHEAD, Receiving, Takes
from samebeat.sending import Failure, Overflow
from samebeat_conformance.linked import Linked, Piece

SETTINGS = Settings(message_retry_timer=100, maximum_message_retry_time=1_000)
SMALL = Settings(
    message_retry_timer=100, maximum_message_retry_time=1_000, maximum_fragment_size=64
)
LONG = bytes(range(256))


def losing(link: Linked, *lost: int) -> None:
    """Lose the fragments with these numbers, counted from now on."""
    numbers = iter(range(1_000_000))
    link.fate = lambda source, piece: (
        [] if isinstance(piece, Fragment) and next(numbers) in lost else [link.delay_ms]
    )


def deaf(source: str, piece: Piece) -> list[int]:
    """Nothing gets through."""
    return []


def fragment(sequence: int = 1, **changes: Any) -> Fragment:
    """A fragment of `a`, which is a whole message."""
    fields: dict[str, Any] = {
        "boot": 1,
        "to": 1,
        "epoch": 0,
        "floor": 1,
        "sequence": sequence,
        "index": 0,
        "size": 1_400,
        "length": 4,
        "data": b"%4d" % sequence,
    }
    return Fragment(**{**fields, **changes})


def holds(held: Settings = SETTINGS, epoch: int = 0) -> Holds:
    """What a node holds that has these settings and no change open."""
    return Holds(epoch, held, Takes.of(held, Assumptions()))


def receiver(held: Settings = SETTINGS) -> Channel:
    """A node's end of a channel, in its first boot."""
    channel = Channel.start(1, holds(held).takes)
    channel.to_send()
    return channel


def hear(
    channel: Channel, *pieces: Piece, now_ms: int = 0, held: Holds | None = None
) -> list[bytes]:
    """Return what is delivered when these come."""
    for piece in pieces:
        channel.receive(piece, now_ms, held or holds())
    return list(channel.delivered())


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


def test_nothing_is_sent_of_a_message_that_was_given_up() -> None:
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"lost")
    link.run(10_000)
    assert [at for at, _ in link.fragments()] == [100 * i for i in range(10)]


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


def replace_settings(old: Settings, **values: int) -> Settings:
    """Settings with some values replaced."""
    return structs.replace(old, **values)


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


def test_the_window_counts_from_the_oldest_message_also_when_later_ones_are_given_up() -> None:
    """The receiver has room for a row of messages, from the one that it waits for on."""
    link = Linked(replace_settings(SETTINGS, message_send_window=3))
    link.fate = deaf
    link.enqueue("a", b"1")
    shorter = replace_settings(SETTINGS, message_send_window=3, maximum_message_retry_time=200)
    link.open("a", shorter)
    link.commit("a")
    for i in range(2, 6):
        link.enqueue("a", b"%d" % i)
    link.run(900)
    sending = link.ends["a"].channel.sending
    assert [m.data for m in sending.flight] == [b"1"]
    assert sending.queue == (b"4", b"5")
    link.run(100)
    assert [m.data for m in sending.flight] == [b"4", b"5"]


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


# --- the duplicate memory --------------------------------------------------------------------


def late_copy(arrives_ms: int, memory_ms: int | None = None) -> list[bytes]:
    """What is delivered when a copy comes late; the memory may be made another length."""
    b = receiver()
    takes = b.receiving.takes
    held = holds()
    if memory_ms is not None:
        held = replace(held, takes=replace(takes, memory_ms=memory_ms))
    first = hear(b, fragment(), held=held)
    return first + hear(b, fragment(), now_ms=arrives_ms, held=held)


def test_a_copy_is_known_as_long_as_one_may_come() -> None:
    """Claim 3.maximum_message_retry_time, property at_most_once: W is X and a delay."""
    assert Takes.of(SETTINGS, Assumptions(delay_ms=30)).memory_ms == 1_030
    assert Takes.of(SETTINGS, Assumptions(delay_ms=30, drift_ppm=10_000)).memory_ms == 1_041
    assert late_copy(999) == [b"   1"]


def test_a_memory_that_is_too_short_delivers_twice() -> None:
    """The control: so the retry time of one node is tied to the memory of the other."""
    assert late_copy(999, memory_ms=998) == [b"   1"] * 2


def test_a_stream_from_which_nothing_has_come_for_so_long_is_forgotten() -> None:
    """Its buffers are free again, and the next message says where the stream goes on."""
    b = receiver()
    hear(b, fragment(3, floor=2), now_ms=5)
    assert b.next_timer() == 1_005
    b.on_timer(1_005, holds())
    assert (b.receiving.boot, dict(b.receiving.partials)) == (0, {})
    assert b.next_timer() is None
    assert hear(b, fragment(7, floor=7), now_ms=1_006) == [b"   7"]


def test_the_memory_grows_as_a_change_opens_and_shrinks_when_the_peer_has_drained() -> None:
    """Claim 3.maximum_message_retry_time."""
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"old")
    link.run(50)
    for longer_or_shorter in (2_000, 300):
        changed = replace_settings(SETTINGS, maximum_message_retry_time=longer_or_shorter)
        for n in "ab":
            link.open(n, changed)
        for n in "ab":
            link.commit(n)
    memory = link.ends["b"].channel.receiving
    assert memory.takes.memory_ms == 2_000
    link.fate = lambda source, piece: [0]
    link.run(50)
    assert link.ends["b"].delivered == [b"old"]
    assert memory.takes.memory_ms == 2_000
    link.enqueue("a", b"new")
    link.run(0)
    assert memory.takes.memory_ms == 300


# --- changes of what a receiver takes --------------------------------------------------------


def lowered_under_way(link: Linked) -> None:
    """Large fragments are under way while the size is lowered at both ends."""
    losing(link, 0)
    link.enqueue("a", LONG)
    for n in "ab":
        link.open(n, SMALL)
    for n in "ab":
        link.commit(n)
    link.run(50)
    link.enqueue("a", LONG)
    link.run(2_000)


def test_a_smaller_fragment_size_lets_what_is_under_way_drain() -> None:
    """Claim 3.maximum_fragment_size: what is first sent later is cut smaller."""
    link = Linked(SETTINGS)
    lowered_under_way(link)
    assert link.ends["b"].delivered == [LONG, LONG]
    assert link.ends["a"].failed == []
    assert [f.size for _, f in link.fragments()] == [1_400, 64, 64, 64, 64, 1_400]
    assert link.ends["b"].channel.receiving.takes.size == 1_400
    link.enqueue("a", b"drained")
    link.run(0)
    assert link.ends["b"].channel.receiving.takes.size == 64


def test_a_receiver_that_takes_less_at_once_refuses_what_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: without the drain a message is lost, and that is reported."""
    monkeypatch.setattr(Receiving, "hold", lambda self, held: setattr(self, "takes", held))
    link = Linked(SETTINGS)
    lowered_under_way(link)
    assert [(d, why) for _, d, why in link.ends["a"].failed] == [(LONG, Failure.GIVEN_UP)]
    assert link.ends["b"].delivered == [LONG]


@pytest.mark.parametrize(("stated", "size"), [(0, 1_400), (1, 64), (2, 1_400)])
def test_only_a_peer_that_sends_by_what_this_node_holds_lets_it_take_less(
    stated: int, size: int
) -> None:
    """One that is behind has not switched; one that is ahead sends by values not known here."""
    b = receiver(SETTINGS)
    hear(b, fragment(epoch=stated), held=holds(SMALL, epoch=1))
    assert b.receiving.takes.size == size


def test_a_sender_goes_by_what_its_peer_has_last_said_that_it_takes() -> None:
    """Who has been away takes what its old settings say, and must be able to learn the new ones."""
    link = Linked(SMALL)
    larger = replace_settings(SETTINGS, message_send_window=1)
    link.open("a", larger)
    link.commit("a")
    link.enqueue("a", LONG)
    link.run(0)
    assert [f.size for _, f in link.fragments()] == [64] * 4
    assert link.ends["b"].delivered == [LONG]


def test_an_ack_that_was_overtaken_does_not_say_what_the_peer_takes() -> None:
    a = receiver()
    newer = FragmentAck(1, 0, 5, 0, 0, 0, 64, 2)
    hear(a, newer, FragmentAck(1, 0, 4, 0, 0, 0, 1_400, 64))
    assert (a.sending.size, a.sending.window) == (64, 2)


def test_what_a_peer_took_before_it_restarted_does_not_count() -> None:
    a = receiver()
    hear(a, FragmentAck(2, 0, 1, 0, 0, 0, 64, 2), FragmentAck(1, 1, 9, 0, 0, 0, 1_400, 64))
    assert (a.sending.peer, a.sending.size, a.sending.window) == (2, 64, 2)


def test_an_ack_of_what_was_never_sent_is_no_ack() -> None:
    a = receiver()
    hear(a, FragmentAck(1, 0, 1, 0, 0, 0, 1_400, 64))
    a.enqueue(b"1", 0, holds())
    hear(a, FragmentAck(1, 1, 2, 3, 0, 0, 1_400, 64))
    assert [m.data for m in a.sending.flight] == [b"1"]
    hear(a, FragmentAck(1, 1, 2, 2, 0, 0, 1_400, 64))
    assert a.sending.flight == ()


# --- bounds ----------------------------------------------------------------------------------


def kept_bytes(channel: Channel) -> int:
    """How much is kept of what the peer has sent."""
    return sum(len(part) for p in channel.receiving.partials.values() for part in p.parts.values())


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 40), st.integers(0, 251), st.integers(64, 200), st.integers(1, 40)
        ),
        max_size=60,
    )
)
def test_a_hostile_peer_fills_its_window_and_no_more(
    pieces: list[tuple[int, int, int, int]],
) -> None:
    """At most `window` messages, none longer than a message may be, and one number for the rest."""
    small = replace_settings(SMALL, message_send_window=4)
    b = receiver(small)
    for sequence, index, size, floor in pieces:
        length = min(MAX_PAYLOAD, (index + 1) * size)
        data = bytes(max(0, min(size, length - index * size)))
        piece = fragment(
            sequence, index=index, size=size, length=length, data=data, floor=min(floor, sequence)
        )
        if is_sound(piece):
            b.receive(piece, 0, holds(small))
        below = b.receiving.below
        assert len(b.receiving.partials) <= 4
        assert all(below <= n < below + 4 for n in b.receiving.partials)
        assert kept_bytes(b) <= 4 * MAX_PAYLOAD
        assert all(len(p.parts) <= MAX_FRAGMENTS for p in b.receiving.partials.values())


def test_whatever_the_window_is_a_peer_has_so_many_messages_ahead_at_most() -> None:
    widest = replace_settings(SETTINGS, message_send_window=65_535)
    b = receiver(widest)
    for sequence in range(2, MAX_AHEAD + 50):
        b.receive(fragment(sequence, floor=1), 0, holds(widest))
    assert len(b.receiving.partials) == MAX_AHEAD - 1
    assert b.to_send()[0] == FragmentAck(1, 1, 2, 1, 2, 0, 1_400, MAX_AHEAD)


_natural = st.integers(0, 4) | st.just(2**53)


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            FragmentAck,
            _natural,
            _natural,
            _natural,
            _natural,
            _natural,
            st.integers(0, 251),
            st.just(64),
            st.integers(1, 65_535),
        ),
        max_size=12,
    )
)
def test_acks_that_are_wrong_make_nothing_up(acks: list[FragmentAck]) -> None:
    """Whatever they say: each message is at one place at most, and no new one appears."""
    said = {b"%d" % i for i in range(6)}
    a = receiver(replace_settings(SETTINGS, message_send_window=2))
    held = holds(replace_settings(SETTINGS, message_send_window=2))
    for data in sorted(said):
        a.enqueue(data, 0, held)
    for ack in acks:
        a.receive(ack, 0, held)
        under_way = [m.data for m in a.sending.flight]
        failed = [d for d, _ in a.failures]
        every = [*under_way, *a.sending.queue, *failed]
        assert len(every) == len(set(every))
        assert set(every) <= said
        assert len(under_way) <= 2
        assert all(len(m.held) <= MAX_FRAGMENTS for m in a.sending.flight)


def test_a_snapshot_does_not_follow_its_original() -> None:
    b = receiver(SMALL)
    b.enqueue(LONG, 0, holds(SMALL))
    hear(b, fragment(2))
    snapshot = b.copy()
    assert snapshot == b
    hear(b, fragment(1), FragmentAck(1, 0, 1, 0, 0, 0, 64, 1))
    b.enqueue(b"more", 0, holds(SMALL))
    assert snapshot != b
    assert snapshot.receiving.below == 1
    assert snapshot.sending.queue == ()
