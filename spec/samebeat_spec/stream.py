"""What a sender of the message layer has, whoever its messages go to: messages, queue and window.

A part of ``transport``, of one sender and the members of a view, and of ``link``, of one sender and
one member as a channel has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Ordered,
    Sort,
    State,
    action,
    element,
    forall,
    function,
    guard,
    implies,
    one_of,
    relation,
    variable,
)

FRAGMENTS = ("3.maximum_fragment_size",)
RETRIES = ("3.message_retry_timer",)
RETRY_TIME = ("3.maximum_message_retry_time",)
QUEUE = ("3.send_queue_overflow_threshold",)
WINDOW = ("3.message_send_window",)


class Message(Ordered):
    """A message, by its number: in the order in which messages are accepted."""


class Fragment(Sort):
    """A part of a message, by its place in it."""


class Size(Ordered):
    """A size of fragments."""


class Count(Ordered):
    """A number of messages."""


class Fate(Enumeration):
    """How far the sender is with a message."""

    NEW = element("not submitted")
    TURNED_DOWN = element("did not fit into the queue; the caller was told and may try again")
    QUEUED = element("accepted, and waits for the window")
    SENT = element("sent once to every member, and unacked")
    RETRIED = element("sent again to some member, and unacked")
    CONFIRMED = element("acked by every member")
    FAILED = element("given up; the caller was told")


S = TypeVar("S", bound="Stream")


class Stream(State):
    """One sender's messages, and the limits that it keeps to."""

    pieces = relation(Size, Fragment, constant=True)
    """what a message is cut into, for each largest size of a fragment"""
    fits = relation(Count, Message, Message, constant=True)
    """a row of messages, from the first to the last, is no longer than a number of messages"""
    at_the_start = variable(Size, constant=True)
    """the size of fragments and buffers at the start"""
    messages_at_the_start = variable(Count, constant=True)
    """the window, the places and the threshold at the start"""

    fate = function(Message, to=Fate)
    cut = function(Message, to=Size)
    """the largest size of a fragment when the message was cut, which is once"""

    fragment_size = variable(Size)
    """no fragment that the sender cuts is larger"""
    window = variable(Count)
    """no more messages are sent while the first of them is unacked"""
    threshold = variable(Count)
    """a message that finds so many queued is turned down"""


def is_accepted(s: Stream, m: Message) -> Formula:
    """The queue has taken `m`."""
    return (s.fate[m] != Fate.NEW) & (s.fate[m] != Fate.TURNED_DOWN)


def is_unacked(s: Stream, m: Message) -> Formula:
    """`m` was sent, and neither confirmed nor given up."""
    return one_of(s.fate[m], Fate.SENT, Fate.RETRIED)


def is_closed(s: Stream, m: Message) -> Formula:
    """The sender is done with `m`."""
    return one_of(s.fate[m], Fate.CONFIRMED, Fate.FAILED)


def is_queued(s: Stream, m: Message) -> Formula:
    """`m` waits in the queue."""
    return s.fate[m] == Fate.QUEUED


def is_next(s: Stream, m: Message) -> Formula:
    """`m` is the first message that is not accepted."""
    earlier = forall(Message, lambda k: implies(k < m, is_accepted(s, k)))
    return ~is_accepted(s, m) & earlier


def queue_has_room(s: Stream, m: Message) -> Formula:
    """With `m` the queue holds no more than its threshold; messages in it follow each other."""
    return forall(Message, lambda k: implies(is_queued(s, k), s.fits[s.threshold, k, m]))


def have_places(s: S, c: Count, which: Callable[[S, Message], Formula]) -> Formula:
    """From the first to the last of some messages there are no more than `c`."""
    return forall(
        Message,
        Message,
        lambda k, m: implies((k <= m) & which(s, k) & which(s, m), s.fits[c, k, m]),
    )


@action(claims=QUEUE)
def submit(s: Stream, m: Message) -> None:
    """The queue accepts `m`."""
    guard(is_next(s, m), "messages are numbered as they are accepted", limit="environment")
    guard(queue_has_room(s, m), "the queue has room")

    s.fate[m] = Fate.QUEUED


@action(claims=QUEUE)
def turn_down(s: Stream, m: Message) -> None:
    """The queue is full: the caller is told that `m` was not accepted."""
    guard(is_next(s, m), "messages are numbered as they are accepted", limit="environment")
    guard(~queue_has_room(s, m), "the queue is full")

    s.fate[m] = Fate.TURNED_DOWN
