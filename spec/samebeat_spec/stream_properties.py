"""What a sender of the message layer promises, and what must be possible in it.

It is promised by ``transport`` and by ``link``, each for its own steps.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    exists,
    forall,
    implies,
    one_of,
    step_property,
    witness,
)
from samebeat_spec.stream import (
    FRAGMENTS,
    QUEUE,
    RETRY_TIME,
    WINDOW,
    Fate,
    Message,
    Stream,
    have_places,
    is_closed,
    is_queued,
    is_unacked,
    queue_has_room,
)


@step_property(claims=RETRY_TIME)
def outcome_stable(s: Stream, t: Stream) -> Formula:
    """What was said of a message that was confirmed or given up stays so."""
    return forall(Message, lambda m: implies(is_closed(s, m), t.fate[m] == s.fate[m]))


@step_property(claims=QUEUE)
def queue_never_purged(s: Stream, t: Stream) -> Formula:
    """A message that was accepted leaves the queue only to be sent."""
    return forall(
        Message,
        lambda m: implies(is_queued(s, m), one_of(t.fate[m], Fate.QUEUED, Fate.SENT)),
    )


@step_property(claims=QUEUE)
def turned_down_when_full(s: Stream, t: Stream) -> Formula:
    """A message is turned down only if the queue is full."""
    return forall(
        Message,
        lambda m: implies(
            (s.fate[m] != Fate.TURNED_DOWN) & (t.fate[m] == Fate.TURNED_DOWN),
            ~queue_has_room(s, m),
        ),
    )


# --- what must be possible -------------------------------------------------------------------


@witness(claims=WINDOW)
def a_full_window(s: Stream) -> Formula:
    """A message waits in the queue because the window is full."""
    return exists(
        Message,
        Message,
        lambda k, m: is_unacked(s, k) & is_queued(s, m) & ~s.fits[s.window, k, m],
    )


@witness(claims=QUEUE)
def an_overflow(s: Stream) -> Formula:
    """A message was turned down."""
    return exists(Message, lambda m: s.fate[m] == Fate.TURNED_DOWN)


@witness(claims=FRAGMENTS)
def larger_fragments_are_cut(s: Stream) -> Formula:
    """A larger message was cut after a smaller one."""
    return exists(
        Message,
        Message,
        lambda k, m: (k < m) & is_unacked(s, k) & is_unacked(s, m) & (s.cut[k] < s.cut[m]),
    )


@witness(claims=WINDOW)
def a_window_drains(s: Stream) -> Formula:
    """More is unacked than the new window allows."""
    return ~have_places(s, s.window, is_unacked)


@witness(claims=QUEUE)
def a_queue_drains(s: Stream) -> Formula:
    """More is queued than the new threshold allows."""
    return ~have_places(s, s.threshold, is_queued)


@witness(claims=WINDOW)
def a_larger_window_is_used(s: Stream) -> Formula:
    """More messages are unacked than the window at the start allowed."""
    return ~have_places(s, s.messages_at_the_start, is_unacked)


@witness(claims=QUEUE)
def a_longer_queue_is_used(s: Stream) -> Formula:
    """More messages are queued than the threshold at the start allowed."""
    return ~have_places(s, s.messages_at_the_start, is_queued)
