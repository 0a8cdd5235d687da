"""What the message layer promises, and what must be possible in it.

``in_flight_fits``, ``at_most_once`` and ``queue_never_purged`` are named in ``limits`` too: there
of one number for each limit, here of messages and fragments. What the sender alone promises is in
``stream_properties``. No state is final: a member may forget, and hear again what is over.
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
from samebeat_spec.transport import (
    Node,
    Transport,
    holds_all,
    holds_some,
)


@invariant(claims=FRAGMENTS)
def in_flight_fits(s: Transport) -> Formula:
    """Each fragment under way fits the buffers of the member that it goes to."""
    return forall(
        Node,
        Message,
        Fragment,
        lambda n, m, f: implies(s.under_way[n, m, f], s.cut[m] <= s.buffer_size[n]),
    )


@invariant(claims=RETRY_TIME)
def at_most_once(s: Transport) -> Formula:
    """No member delivers a message twice."""
    return forall(Node, Message, lambda n, m: ~s.delivered_again[n, m])


@step_property(claims=FRAGMENTS + RETRY_TIME)
def in_order(s: Transport, t: Transport) -> Formula:
    """No member delivers a message after a later one."""
    return forall(
        Node,
        Message,
        Message,
        lambda n, k, m: implies((k < m) & s.delivered[n, m] & t.delivered[n, k], s.delivered[n, k]),
    )


@step_property(claims=FRAGMENTS)
def delivered_whole(s: Transport, t: Transport) -> Formula:
    """A member delivers a message only when it holds every fragment of it."""
    return forall(
        Node,
        Message,
        lambda n, m: implies(~s.delivered[n, m] & t.delivered[n, m], holds_all(s, n, m)),
    )


@invariant(claims=RETRIES + RETRY_TIME)
def never_silently_lost(s: Transport) -> Formula:
    """What the sender is done with was delivered by every member, or the caller was told."""
    return forall(
        Node,
        Message,
        lambda n, m: implies(is_closed(s, m), s.delivered[n, m] | (s.fate[m] == Fate.FAILED)),
    )


@invariant(claims=QUEUE)
def queued_fit(s: Transport) -> Formula:
    """The queue has memory for all that is queued."""
    return have_places(s, s.capacity, is_queued)


@invariant(claims=WINDOW)
def unacked_fit(s: Transport) -> Formula:
    """Every member has places for all messages that are unacked."""
    return forall(Node, lambda n: have_places(s, s.places[n], is_unacked))


@invariant(claims=WINDOW)
def no_receiver_drop(s: Transport) -> Formula:
    """Every member has places for all messages of which it holds a fragment."""
    return forall(Node, lambda n: have_places(s, s.places[n], lambda _, m: holds_some(s, n, m)))


@invariant(claims=FRAGMENTS + WINDOW + QUEUE, internal=True)
def new_traffic_fits(s: Transport) -> Formula:
    """There is room for all that may be added."""
    return (
        forall(Node, lambda n: s.fragment_size <= s.buffer_size[n])
        & forall(Node, lambda n: s.window <= s.places[n])
        & (s.threshold <= s.capacity)
    )


# --- what must be possible -------------------------------------------------------------------


@witness(claims=RETRIES)
def a_retry_that_helps(s: Transport) -> Formula:
    """All members have delivered a message that was sent again."""
    return exists(
        Message,
        lambda m: (s.fate[m] == Fate.RETRIED) & forall(Node, lambda n: s.delivered[n, m]),
    )


@witness(claims=RETRY_TIME)
def given_up_in_vain(s: Transport) -> Formula:
    """A message was given up although every member has delivered it: the acks were lost."""
    return exists(
        Message,
        lambda m: (s.fate[m] == Fate.FAILED) & forall(Node, lambda n: s.delivered[n, m]),
    )


@witness(claims=RETRY_TIME)
def given_up_half_way(s: Transport) -> Formula:
    """A message was given up that one member has delivered and another has not."""
    return exists(
        Message,
        lambda m: (
            (s.fate[m] == Fate.FAILED)
            & exists(Node, lambda n: s.delivered[n, m])
            & exists(Node, lambda n: ~s.delivered[n, m])
        ),
    )


@witness(claims=RETRY_TIME)
def a_gap(s: Transport) -> Formula:
    """A member has delivered a message, and never delivers an earlier one that was given up."""
    return exists(
        Node,
        Message,
        Message,
        lambda n, k, m: (
            (k < m) & s.delivered[n, m] & ~s.delivered[n, k] & (s.fate[k] == Fate.FAILED)
        ),
    )


@witness(claims=RETRY_TIME)
def a_late_copy(s: Transport) -> Formula:
    """A copy is under way of a message that is confirmed: it will be dropped."""
    return exists(
        Node,
        Message,
        Fragment,
        lambda n, m, f: s.under_way[n, m, f] & (s.fate[m] == Fate.CONFIRMED),
    )


@witness(claims=RETRY_TIME)
def forgotten(s: Transport) -> Formula:
    """A member has forgotten a message that it has delivered."""
    return exists(Node, Message, lambda n, m: s.delivered[n, m] & ~s.known[n, m])


@witness(claims=FRAGMENTS)
def half_a_message(s: Transport) -> Formula:
    """A member holds one fragment of a message, and waits for another."""
    return exists(Node, Message, lambda n, m: holds_some(s, n, m) & ~holds_all(s, n, m))


@witness(claims=FRAGMENTS)
def a_message_ahead(s: Transport) -> Formula:
    """A member holds a whole message and must wait for an earlier one."""
    return exists(
        Node,
        Message,
        Message,
        lambda n, k, m: (
            (k < m) & ~s.known[n, k] & holds_some(s, n, m) & holds_all(s, n, m) & is_unacked(s, k)
        ),
    )


@witness(claims=RETRY_TIME)
def not_heard_yet(s: Transport) -> Formula:
    """A member has all of a message, and waits: it has not heard that an earlier one was given up.

    No copy is on its way that would say so.
    """
    return exists(
        Node,
        Message,
        Message,
        lambda n, k, m: (
            (k < m)
            & (s.fate[k] == Fate.FAILED)
            & ~s.known[n, k]
            & holds_some(s, n, m)
            & holds_all(s, n, m)
            & ~exists(Message, Fragment, lambda j, f: s.under_way[n, j, f])
        ),
    )


@witness(claims=FRAGMENTS)
def fragments_drain(s: Transport) -> Formula:
    """The sender cuts smaller fragments, and a member waits until the larger ones are gone."""
    return exists(
        Node,
        Message,
        Fragment,
        lambda n, m, f: s.under_way[n, m, f] & (s.fragment_size < s.cut[m]),
    )


@witness(claims=FRAGMENTS + WINDOW)
def members_differ(s: Transport) -> Formula:
    """One member has made room and another has not yet."""
    return exists(
        Node,
        Node,
        lambda a, b: (s.buffer_size[a] < s.buffer_size[b]) | (s.places[a] < s.places[b]),
    )
