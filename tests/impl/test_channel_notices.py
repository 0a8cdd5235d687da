"""What the ends of a channel say where no fragment says it: notices and greetings (claim 3)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from samebeat.messages import Fragment, FragmentAck, Notice
from samebeat.parameters import Settings
from samebeat_conformance.linked import Linked

from .ends import LONG, SETTINGS, SMALL, deaf, fragment, hear, holds, receiver, replace_settings

LARGE = replace_settings(SETTINGS, maximum_fragment_size=4_000)


def change(link: Linked, settings: Settings) -> None:
    """Both nodes open a change, and commit it."""
    for n in "ab":
        link.open(n, settings)
    for n in "ab":
        link.commit(n)


def notices(link: Linked, name: str = "a") -> list[tuple[int, int]]:
    """The epochs and floors that a node has stated without a fragment."""
    return [(p.epoch, p.floor) for _, n, p in link.sent if n == name and isinstance(p, Notice)]


def notice(**changes: Any) -> Notice:
    """A notice of `a`, that its first message is over."""
    return structs.replace(Notice(1, 1, 0, 2), **changes)


# --- when a sender states what it goes by --------------------------------------------------------


def test_a_peer_that_hears_no_message_takes_less_after_a_change_to_less() -> None:
    """Claim 3.maximum_fragment_size: nothing is under way, so nothing must drain."""
    link = Linked(SETTINGS)
    change(link, SMALL)
    link.run(0)
    assert link.fragments() == []
    assert (notices(link, "a"), notices(link, "b")) == ([(1, 1)], [(1, 1)])
    assert link.ends["b"].channel.receiving.takes.size == 64


def test_nothing_is_stated_while_larger_fragments_are_under_way() -> None:
    """Property in_flight_fits: they may be sent again."""
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", LONG)
    change(link, SMALL)
    link.run(50)
    assert notices(link) == []
    link.fate = lambda source, piece: [0]
    link.run(50)
    assert link.ends["b"].delivered == [LONG]
    assert notices(link) == [(1, 2)]
    assert link.ends["b"].channel.receiving.takes.size == 64


def test_what_is_under_way_and_keeps_to_the_new_limits_need_not_drain() -> None:
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"short")
    change(link, SMALL)
    assert notices(link) == [(1, 1)]
    assert [m.data for m in link.ends["a"].channel.sending.flight] == [b"short"]


def test_a_shorter_window_is_stated_once_what_is_unacked_is_no_longer() -> None:
    """Claim 3.message_send_window, property unacked_fit."""
    link = Linked(replace_settings(SETTINGS, message_send_window=3))
    link.fate = deaf
    for i in range(3):
        link.enqueue("a", b"%d" % i)
        link.run(10)
    change(link, replace_settings(SETTINGS, message_send_window=2))
    assert notices(link) == []
    link.run(970)
    assert len(link.ends["a"].channel.sending.flight) == 2
    assert {f.epoch for at, f in link.fragments() if at < 1_000} == {0}
    assert {f.epoch for at, f in link.fragments() if at >= 1_000} == {1}


def test_a_shorter_retry_time_is_stated_once_what_is_unacked_has_no_more_left() -> None:
    """Claim 3.maximum_message_retry_time: the receiver remembers as long as copies may come."""
    link = Linked(SETTINGS)
    link.fate = deaf
    link.enqueue("a", b"old")
    change(link, replace_settings(SETTINGS, maximum_message_retry_time=300))
    link.run(900)
    stated = {at: f.epoch for at, f in link.fragments()}
    assert [at for at, epoch in stated.items() if epoch == 1] == [700, 800, 900]


def test_a_notice_that_is_lost_is_not_repeated_as_the_next_fragment_says_the_same() -> None:
    link = Linked(SETTINGS)
    link.fate = deaf
    change(link, SMALL)
    link.run(5_000)
    assert notices(link) == [(1, 1)]
    link.fate = lambda source, piece: [0]
    link.enqueue("a", b"says it")
    link.run(0)
    assert link.ends["b"].channel.receiving.takes.size == 64


def test_a_peer_that_has_restarted_is_told_again() -> None:
    link = Linked(SETTINGS)
    change(link, SMALL)
    link.restart("b")
    link.run(0)
    assert notices(link) == [(1, 1), (1, 1)]
    assert [p.to for _, n, p in link.sent if n == "a" and isinstance(p, Notice)] == [1, 2]


# --- what a notice does --------------------------------------------------------------------------


def test_a_notice_that_a_message_is_over_lets_the_next_one_be_delivered_and_is_acked() -> None:
    """Claim 3.maximum_message_retry_time: nobody waits for what was given up."""
    b = receiver()
    assert hear(b, fragment(2)) == []
    b.to_send()
    assert hear(b, notice()) == [b"   2"]
    (ack,) = b.to_send()
    assert isinstance(ack, FragmentAck)
    assert (ack.below, ack.sequence) == (3, 0)


def test_a_notice_that_is_no_news_is_not_acked() -> None:
    b = receiver()
    hear(b, fragment(1))
    b.to_send()
    before = b.copy()
    assert hear(b, notice(floor=1), notice(floor=2)) == []
    assert b == before


@pytest.mark.parametrize(("stated", "size"), [(0, 1_400), (1, 4_000)])
def test_a_notice_of_another_epoch_than_the_own_one_does_not_lower_limits(
    stated: int, size: int
) -> None:
    link = Linked(SETTINGS)
    link.open("b", LARGE)
    link.undo("b")
    b = link.ends["b"].channel
    b.receive(notice(epoch=stated, floor=1), 0, link.holds("b"))
    assert b.receiving.takes.size == size


def test_a_notice_to_an_earlier_boot_is_answered_and_not_taken() -> None:
    b = receiver()
    hear(b, notice(to=0))
    (answer,) = b.to_send()
    assert isinstance(answer, FragmentAck)
    assert (answer.boot, answer.below, b.receiving.boot) == (1, 0, 0)


def test_a_notice_of_an_earlier_boot_is_nothing() -> None:
    b = receiver()
    hear(b, fragment(1, boot=2))
    b.to_send()
    before = b.copy()
    hear(b, notice(boot=1, floor=9))
    assert b == before


# --- what a receiver takes -----------------------------------------------------------------------


def test_who_takes_more_says_so_at_once_and_the_first_message_after_the_change_is_cut_larger() -> (
    None
):
    """Claim 3.maximum_fragment_size: the sender need not wait for the next ack."""
    link = Linked(SMALL)
    known = len(link.sent)
    link.open("b", SETTINGS)
    link.run(0)
    said = [p for _, n, p in link.sent[known:] if n == "b" and isinstance(p, FragmentAck)]
    assert [(p.to, p.below, p.size) for p in said] == [(0, 0, 1_400)]
    link.open("a", SETTINGS)
    link.commit("a")
    link.enqueue("a", LONG)
    assert [f.size for _, f in link.fragments()] == [1_400]


def test_who_takes_no_more_than_before_says_nothing() -> None:
    link = Linked(SETTINGS)
    known = len(link.sent)
    link.open("b", SMALL)
    assert link.sent[known:] == []


def test_a_fragment_that_is_too_large_is_answered_with_what_is_taken_and_with_nothing_else() -> (
    None
):
    """Property in_flight_fits: a late copy of what is known is as good as lost."""
    b = receiver(SMALL)
    hear(b, fragment(1, size=64), held=holds(SMALL))
    b.to_send()
    before = b.receiving.below, b.receiving.boot
    large = fragment(1, size=1_400, length=1_000, data=bytes(1_000))
    assert hear(b, large, held=holds(SMALL)) == []
    (answer,) = b.to_send()
    assert isinstance(answer, FragmentAck)
    assert (answer.below, answer.sequence, answer.size) == (0, 0, 64)
    assert (b.receiving.below, b.receiving.boot) == before


def test_a_notice_is_smaller_than_any_fragment_that_would_say_the_same() -> None:
    """It goes in one datagram, whatever the fragment size."""
    from samebeat.codec import encode
    from samebeat.ids import ViewId
    from samebeat.messages import Message

    said = [
        len(encode(Message(1, "c", ViewId(0, "a"), 0, p)))
        for p in (notice(), Fragment(1, 1, 0, 1, 1, 0, 64, 1, b"x"))
    ]
    assert said[0] < said[1]
