"""Why the message layer keeps its promises: what else is true of it, and what that is needed for.

Read from the top: where messages are, then who knows what of them, then what has room. What is
assumed of sizes and numbers, and what is so of any sender, is in ``stream_invariants``.
"""

from __future__ import annotations

from samebeat_proofs.facts import strengthening
from samebeat_proofs.stream_invariants import is_sent
from samebeat_spec.language import Formula, exists, forall, implies
from samebeat_spec.stream import (
    Fate,
    Fragment,
    Message,
    is_closed,
    is_unacked,
)
from samebeat_spec.transport import (
    Node,
    Transport,
)


def is_held(s: Transport, n: Node, m: Message) -> Formula:
    """`n` holds a fragment of `m`."""
    return exists(Fragment, lambda f: s.held[n, m, f])


def is_coming(s: Transport, n: Node, m: Message) -> Formula:
    """A fragment of `m` is on its way to `n`."""
    return exists(Fragment, lambda f: s.under_way[n, m, f])


# --- where messages are --------------------------------------------------------------------------


@strengthening("a message that a member holds must not be given up while an earlier one is not")
def given_up_in_order(s: Transport) -> Formula:
    """Every message before one that was given up is closed."""
    return forall(
        Message,
        Message,
        lambda k, m: implies((k < m) & (s.fate[m] == Fate.FAILED), is_closed(s, k)),
    )


@strengthening("a message that is cut now must have no copies of another size under way")
def under_way_was_sent(s: Transport) -> Formula:
    """What is under way was sent."""
    return forall(
        Node, Message, Fragment, lambda n, m, f: implies(s.under_way[n, m, f], is_sent(s, m))
    )


@strengthening("what a member holds of a message must have come after it was sent")
def held_was_sent(s: Transport) -> Formula:
    """What a member holds was sent."""
    return forall(Node, Message, Fragment, lambda n, m, f: implies(s.held[n, m, f], is_sent(s, m)))


@strengthening("a message that is sent now must not be taken for a copy")
def known_was_sent(s: Transport) -> Formula:
    """What a member knows, or has delivered, was sent."""
    return forall(
        Node,
        Message,
        lambda n, m: implies(s.known[n, m] | s.delivered[n, m], is_sent(s, m)),
    )


# --- who knows what ------------------------------------------------------------------------------


@strengthening("who acks again must have delivered")
def known_was_delivered(s: Transport) -> Formula:
    """What a member knows and the sender still retries, the member has delivered."""
    return forall(
        Node, Message, lambda n, m: implies(s.known[n, m] & is_unacked(s, m), s.delivered[n, m])
    )


@strengthening("an ack that the sender counts must come from a member that has delivered")
def ack_was_delivered(s: Transport) -> Formula:
    """What was acked was sent, and delivered if the sender still retries it."""
    return forall(
        Node,
        Message,
        lambda n, m: implies(
            s.ack_under_way[n, m], is_closed(s, m) | (is_unacked(s, m) & s.delivered[n, m])
        ),
    )


@strengthening("the acks that the sender has counted must be of members that have delivered")
def acked_was_delivered(s: Transport) -> Formula:
    """Whose ack the sender has heard has delivered."""
    return forall(Node, Message, lambda n, m: implies(s.acked[n, m], s.delivered[n, m]))


@strengthening("a member must not put together again what it knows")
def known_is_not_held(s: Transport) -> Formula:
    """A member holds nothing of what it knows, or has ever delivered."""
    return forall(
        Node,
        Message,
        Fragment,
        lambda n, m, f: implies(s.held[n, m, f], ~s.known[n, m] & ~s.delivered[n, m]),
    )


@strengthening("a member that has forgotten a message must not receive it again")
def forgotten_is_gone(s: Transport) -> Formula:
    """Of what a member has delivered and forgotten, no copy comes any more."""
    return forall(
        Node,
        Message,
        lambda n, m: implies(
            s.delivered[n, m] & ~s.known[n, m], is_closed(s, m) & ~is_coming(s, n, m)
        ),
    )


@strengthening("what comes before a delivered message must not be delivered any more")
def earlier_is_over(s: Transport) -> Formula:
    """A member knows what comes before a message that it has delivered, or nothing of it comes."""
    return forall(
        Node,
        Message,
        Message,
        lambda n, k, m: implies(
            (k < m) & s.delivered[n, m] & ~s.known[n, k],
            is_closed(s, k) & ~is_coming(s, n, k) & ~is_held(s, n, k),
        ),
    )


# --- what has room -------------------------------------------------------------------------------


@strengthening("what is sent again must fit as it did the first time")
def unacked_fragments_fit(s: Transport) -> Formula:
    """The fragments of an unacked message fit every member's buffers."""
    return forall(
        Node, Message, lambda n, m: implies(is_unacked(s, m), s.cut[m] <= s.buffer_size[n])
    )


@strengthening("a late copy must have a place beside what the member holds")
def late_copies_fit(s: Transport) -> Formula:
    """A member has places for what it holds and for an earlier message that may still come."""
    return forall(
        Node,
        Message,
        Message,
        lambda n, k, m: implies(
            (k < m) & is_coming(s, n, k) & ~s.known[n, k] & is_held(s, n, m),
            s.fits[s.places[n], k, m],
        ),
    )
