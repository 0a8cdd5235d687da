"""What one end of a channel takes: for how long it remembers, how much, and from whom (claim 3).

A change of what it takes lets what is under way drain; whatever a peer sends, bounds hold.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat.channel import Channel
from samebeat.fragments import is_sound
from samebeat.messages import MAX_FRAGMENTS, MAX_PAYLOAD, Fragment, FragmentAck
from samebeat.parameters import Assumptions
from samebeat.receiving import MAX_AHEAD, Receiving, Takes
from samebeat.sending import Failure
from samebeat_conformance.linked import Linked

from .ends import (
    LONG,
    SETTINGS,
    SMALL,
    deaf,
    fragment,
    hear,
    holds,
    losing,
    receiver,
    replace_settings,
)

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
    link.run(49)
    assert memory.takes.memory_ms == 2_000
    link.run(1)
    assert link.ends["b"].delivered == [b"old"]
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
    link = Linked(replace_settings(SMALL, message_send_window=2))
    link.open("a", replace_settings(SETTINGS, message_send_window=64))
    link.commit("a")
    for _ in range(5):
        link.enqueue("a", LONG)
    assert len(link.ends["a"].channel.sending.flight) == 2
    link.run(0)
    assert [f.size for _, f in link.fragments()] == [64] * 4 * 5
    assert link.ends["b"].delivered == [LONG] * 5


def test_a_wider_window_lets_out_at_once_what_waits() -> None:
    """Property new_traffic_fits: it does not wait for an ack or a timer."""
    narrow = holds(replace_settings(SETTINGS, message_send_window=1))
    a = receiver()
    hear(a, FragmentAck(1, 0, 1, 0, 0, 0, 1_400, 64))
    for data in (b"1", b"2", b"3"):
        a.enqueue(data, 0, narrow)
    assert [m.data for m in a.sending.flight] == [b"1"]
    a.follow(0, holds(epoch=1))
    assert [m.data for m in a.sending.flight] == [b"1", b"2", b"3"]


def test_an_ack_that_was_overtaken_does_not_say_what_the_peer_takes() -> None:
    a = receiver()
    newer = FragmentAck(1, 0, 5, 0, 0, 0, 64, 2)
    hear(a, newer, FragmentAck(1, 0, 4, 0, 0, 0, 1_400, 64))
    assert (a.sending.size, a.sending.window) == (64, 2)


def test_what_a_peer_took_before_it_restarted_does_not_count() -> None:
    a = receiver()
    hear(a, FragmentAck(1, 0, 50, 0, 0, 0, 1_400, 64), FragmentAck(2, 0, 1, 0, 0, 0, 64, 2))
    hear(a, FragmentAck(1, 1, 90, 0, 0, 0, 1_400, 64))
    assert (a.sending.peer, a.sending.size, a.sending.window) == (2, 64, 2)


def test_a_message_is_sent_again_in_the_cut_in_which_it_was_sent_first() -> None:
    """Property fragments_drain: whatever the peer takes by then; two cuts do not fit."""
    a = receiver()
    hear(a, FragmentAck(1, 0, 1, 0, 0, 0, 1_400, 64))
    a.enqueue(LONG, 0, holds())
    hear(a, FragmentAck(1, 1, 2, 0, 0, 0, 64, 64))
    (first,) = a.to_send()
    a.on_timer(100, holds())
    assert a.to_send() == (first,)
    assert isinstance(first, Fragment)
    assert first.size == 1_400


def test_an_ack_of_a_stream_of_an_earlier_boot_says_nothing_of_this_one() -> None:
    """Property never_silently_lost: a copy of it may come late."""
    a = Channel.start(2, holds().takes)
    hear(a, FragmentAck(1, 0, 1, 0, 0, 0, 1_400, 64))
    a.enqueue(b"new", 0, holds())
    hear(a, FragmentAck(1, 1, 2, 2, 1, 0, 1_400, 64))
    assert [m.data for m in a.sending.flight] == [b"new"]
    assert a.failed() == ()
    hear(a, FragmentAck(1, 2, 3, 2, 1, 0, 1_400, 64))
    assert a.sending.flight == ()


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
