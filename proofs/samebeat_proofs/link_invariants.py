"""Why a channel keeps its promises: what else is true of it, and what that is needed for.

Read from the top: how far the sender is, what copies and acks say, what the member knows, then what
has room. What is assumed of sizes and numbers, and what is so of any sender, is in
``stream_invariants``.
"""

from __future__ import annotations

from samebeat_proofs.facts import strengthening
from samebeat_proofs.stream_invariants import is_sent
from samebeat_spec.language import Formula, forall, implies
from samebeat_spec.link import Link, comes
from samebeat_spec.stream import Fragment, Message, have_places, is_closed, is_unacked

# --- how far the sender is -----------------------------------------------------------------------


@strengthening("what a copy says to be over must be so of all that comes before")
def closed_in_order(s: Link) -> Formula:
    """Every message before a closed one is closed."""
    return forall(
        Message, Message, lambda k, m: implies((k < m) & is_closed(s, m), is_closed(s, k))
    )


# --- what copies and acks say --------------------------------------------------------------------


@strengthening("a message that is cut now must have no copies of another size under way")
def under_way_was_sent(s: Link) -> Formula:
    """What is under way was sent."""
    return forall(
        Message,
        Fragment,
        Message,
        lambda m, f, k: implies(s.under_way[m, f, k], is_sent(s, m)),
    )


@strengthening("what a member hears to be over must not be lost for want of an ack")
def said_is_true(s: Link) -> Formula:
    """What a copy says to be over is closed, and the message itself is not among it."""
    return forall(
        Message,
        Fragment,
        Message,
        lambda m, f, k: implies(
            s.under_way[m, f, k],
            (k <= m) & forall(Message, lambda j: implies(j < k, is_closed(s, j))),
        ),
    )


@strengthening(
    "what an ack confirms must have been delivered",
    only=(
        "under_way_was_sent",
        "said_is_true",
        "held_was_sent",
        "known_was_sent",
        "known_was_delivered",
    ),
)
def ack_was_delivered(s: Link) -> Formula:
    """All up to what was acked is closed, or sent and delivered."""
    return forall(
        Message,
        Message,
        lambda k, m: implies(
            s.ack_under_way[m] & (k <= m),
            is_closed(s, k) | (is_unacked(s, k) & s.delivered[k]),
        ),
    )


# --- what the member knows -----------------------------------------------------------------------


@strengthening("what comes before a known message must not be waited for")
def known_in_order(s: Link) -> Formula:
    """Every message before a known one is known."""
    return forall(Message, Message, lambda k, m: implies((k < m) & s.known[m], s.known[k]))


@strengthening("what the member holds of a message must have come after it was sent")
def held_was_sent(s: Link) -> Formula:
    """What the member holds was sent."""
    return forall(Message, Fragment, lambda m, f: implies(s.held[m, f], is_sent(s, m)))


@strengthening(
    "a message that is sent now must not be taken for a copy",
    only=("under_way_was_sent", "said_is_true", "held_was_sent"),
)
def known_was_sent(s: Link) -> Formula:
    """What the member knows, or has delivered, was sent."""
    return forall(Message, lambda m: implies(s.known[m] | s.delivered[m], is_sent(s, m)))


@strengthening("who acks must have delivered")
def known_was_delivered(s: Link) -> Formula:
    """What the member knows and the sender still retries, the member has delivered."""
    return forall(Message, lambda m: implies(s.known[m] & is_unacked(s, m), s.delivered[m]))


@strengthening("a member that has forgotten must not deliver what it knew, nor what came before")
def forgotten_is_gone(s: Link) -> Formula:
    """What was delivered and forgotten is closed, and each copy says so; nothing of it is held."""
    return forall(
        Message,
        lambda m: implies(
            s.delivered[m] & ~s.known[m],
            is_closed(s, m)
            & forall(
                Message, Fragment, Message, lambda j, f, k: implies(s.under_way[j, f, k], m < k)
            )
            & forall(Message, Fragment, lambda j, f: implies(j <= m, ~s.held[j, f])),
        ),
    )


# --- what has room -------------------------------------------------------------------------------


@strengthening("more may be sent only if there is room for it")
def new_traffic_fits(s: Link) -> Formula:
    """There is room for all that may be added."""
    return (s.fragment_size <= s.buffer_size) & (s.window <= s.places) & (s.threshold <= s.capacity)


@strengthening("what is sent again must fit as it did the first time")
def unacked_fragments_fit(s: Link) -> Formula:
    """The fragments of an unacked message fit the buffers."""
    return forall(Message, lambda m: implies(is_unacked(s, m), s.cut[m] <= s.buffer_size))


@strengthening("what is sent again must find a place as it did the first time")
def unacked_fit(s: Link) -> Formula:
    """The member has places for all messages that are unacked."""
    return have_places(s, s.places, is_unacked)


@strengthening("a late copy must have a place beside what the member holds")
def late_copies_fit(s: Link) -> Formula:
    """The member has places for what it holds and for an earlier message that may still come."""
    return forall(
        Message,
        Message,
        Fragment,
        lambda k, m, f: implies(
            (k < m) & comes(s, k) & ~s.known[k] & s.held[m, f], s.fits[s.places, k, m]
        ),
    )
