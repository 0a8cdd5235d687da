"""What the proofs of the message layer and of a channel share: what is assumed, and the queue."""

from __future__ import annotations

from samebeat_proofs.facts import axiom, strengthening
from samebeat_spec.language import Formula, exists, forall, implies
from samebeat_spec.stream import (
    Count,
    Fragment,
    Message,
    Size,
    Stream,
    is_accepted,
    is_closed,
    is_unacked,
)


def is_sent(s: Stream, m: Message) -> Formula:
    """`m` has left the queue."""
    return is_unacked(s, m) | is_closed(s, m)


# --- what is assumed of sizes and numbers --------------------------------------------------------


@axiom
def every_message_has_a_fragment(s: Stream) -> Formula:
    """Whatever the size of fragments, a message is cut into one at least."""
    return forall(Size, lambda z: exists(Fragment, lambda f: s.pieces[z, f]))


@axiom
def one_message_fits(s: Stream) -> Formula:
    """A number of messages is one at least."""
    return forall(Count, Message, lambda c, m: s.fits[c, m, m])


@axiom
def more_is_more(s: Stream) -> Formula:
    """What is no longer than a number is no longer than a larger one."""
    return forall(
        Count,
        Count,
        lambda c, d: implies(
            c <= d,
            forall(Message, Message, lambda k, m: implies(s.fits[c, k, m], s.fits[d, k, m])),
        ),
    )


# --- where messages are --------------------------------------------------------------------------


@strengthening("what is sent next must be later than all that was sent before")
def accepted_in_order(s: Stream) -> Formula:
    """Every message before an accepted one is accepted."""
    return forall(
        Message, Message, lambda k, m: implies((k < m) & is_accepted(s, m), is_accepted(s, k))
    )


@strengthening("a message that is sent now must not come before one that members hold")
def sent_in_order(s: Stream) -> Formula:
    """Every message before one that was sent was sent."""
    return forall(Message, Message, lambda k, m: implies((k < m) & is_sent(s, m), is_sent(s, k)))
