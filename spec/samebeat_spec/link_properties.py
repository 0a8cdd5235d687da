"""What a channel of the message layer promises, and what must be possible in it.

What the sender alone promises is in ``stream_properties``. That each step is one of ``transport``
says more than the promises here, but two: that a copy finds a place where an implementation looks
for one, and that it fits although it says less than is true. ``transport`` takes the first of them
from here.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    exists,
    forall,
    implies,
    invariant,
    step_property,
    witness,
)
from samebeat_spec.link import (
    Link,
    comes,
    find_places,
    holds_some,
    is_floor,
)
from samebeat_spec.stream import (
    FRAGMENTS,
    QUEUE,
    RETRIES,
    RETRY_TIME,
    WINDOW,
    Fate,
    Fragment,
    Message,
    have_places,
    is_closed,
    is_queued,
    is_unacked,
)


@invariant(claims=FRAGMENTS)
def nothing_but_pieces(s: Link) -> Formula:
    """Each fragment under way is one into which its message was cut."""
    return forall(
        Message,
        Fragment,
        Message,
        lambda m, f, k: implies(s.under_way[m, f, k], s.pieces[s.cut[m], f]),
    )


@invariant(claims=FRAGMENTS)
def in_flight_fits(s: Link) -> Formula:
    """Each fragment under way that the member would keep fits its buffers."""
    return forall(Message, lambda m: implies(comes(s, m) & ~s.known[m], s.cut[m] <= s.buffer_size))


@invariant(claims=WINDOW)
def no_receiver_drop(s: Link) -> Formula:
    """The member has a place for each copy that comes, whatever that copy says."""
    return find_places(s, s.places)


@invariant(claims=WINDOW)
def held_fit(s: Link) -> Formula:
    """The member has places for all messages of which it holds a fragment."""
    return have_places(s, s.places, holds_some)


@invariant(claims=QUEUE)
def queued_fit(s: Link) -> Formula:
    """The queue has memory for all that is queued."""
    return have_places(s, s.capacity, is_queued)


@invariant(claims=RETRY_TIME)
def at_most_once(s: Link) -> Formula:
    """The member delivers no message twice."""
    return forall(Message, lambda m: ~s.delivered_again[m])


@step_property(claims=FRAGMENTS + RETRY_TIME)
def in_order(s: Link, t: Link) -> Formula:
    """The member delivers no message after a later one."""
    return forall(
        Message,
        Message,
        lambda k, m: implies((k < m) & s.delivered[m] & t.delivered[k], s.delivered[k]),
    )


@invariant(claims=RETRIES + RETRY_TIME)
def never_silently_lost(s: Link) -> Formula:
    """What the sender is done with was delivered, or the caller was told."""
    return forall(
        Message, lambda m: implies(is_closed(s, m), s.delivered[m] | (s.fate[m] == Fate.FAILED))
    )


# --- what must be possible -------------------------------------------------------------------


@witness(claims=RETRY_TIME)
def an_early_copy(s: Link) -> Formula:
    """A copy comes that the member would keep, and says less than is true and it has heard."""
    return exists(
        Message,
        Fragment,
        Message,
        lambda m, f, k: (
            s.under_way[m, f, k]
            & ~s.known[m]
            & ~is_floor(s, k)
            & forall(Message, lambda j: implies(j <= k, ~s.known[j]))
        ),
    )


@witness(claims=RETRIES)
def an_ack_of_two(s: Link) -> Formula:
    """An ack is on its way that confirms two messages at once."""
    return exists(
        Message,
        Message,
        lambda k, m: (k < m) & is_unacked(s, k) & is_unacked(s, m) & s.ack_under_way[m],
    )


@witness(claims=RETRY_TIME)
def a_notice_is_needed(s: Link) -> Formula:
    """The member holds what waits for a message that was given up, and no copy comes to say so."""
    return exists(
        Message,
        Message,
        lambda k, m: (
            (k < m)
            & (s.fate[k] == Fate.FAILED)
            & ~s.known[k]
            & holds_some(s, m)
            & ~exists(Message, lambda j: comes(s, j))
        ),
    )


@witness(claims=RETRY_TIME)
def a_late_copy(s: Link) -> Formula:
    """A copy comes of a message that is confirmed: it will be dropped."""
    return exists(Message, lambda m: comes(s, m) & (s.fate[m] == Fate.CONFIRMED))


@witness(claims=RETRY_TIME)
def given_up_in_vain(s: Link) -> Formula:
    """A message was given up that the member has delivered: the acks were lost."""
    return exists(Message, lambda m: (s.fate[m] == Fate.FAILED) & s.delivered[m])


@witness(claims=RETRY_TIME)
def a_gap(s: Link) -> Formula:
    """The member has delivered a message, and never delivers an earlier one that was given up."""
    return exists(
        Message,
        Message,
        lambda k, m: (k < m) & s.delivered[m] & ~s.delivered[k] & (s.fate[k] == Fate.FAILED),
    )


@witness(claims=RETRY_TIME)
def forgotten(s: Link) -> Formula:
    """The member has forgotten a message that it has delivered."""
    return exists(Message, lambda m: s.delivered[m] & ~s.known[m])


@witness(claims=FRAGMENTS)
def a_message_ahead(s: Link) -> Formula:
    """The member holds some of a message and must wait for an earlier one."""
    return exists(
        Message,
        Message,
        lambda k, m: (k < m) & ~s.known[k] & holds_some(s, m) & is_unacked(s, k),
    )


@witness(claims=FRAGMENTS)
def fragments_drain(s: Link) -> Formula:
    """The sender cuts smaller fragments, and the member waits until the larger ones are gone."""
    return exists(Message, lambda m: comes(s, m) & (s.fragment_size < s.cut[m]))


@witness(claims=FRAGMENTS)
def half_a_message(s: Link) -> Formula:
    """The member holds one fragment of a message, and waits for another."""
    return exists(
        Message,
        Fragment,
        lambda m, f: holds_some(s, m) & s.pieces[s.cut[m], f] & ~s.held[m, f],
    )
