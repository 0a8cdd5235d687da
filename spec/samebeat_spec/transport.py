"""The message layer: one sender multicasts messages in fragments to the members of a view.

A message waits in a bounded queue until the window has room for it. Then it is cut, each fragment
goes to every member, and again until all have acked or the sender gives up and says so. A member
puts the fragments together, delivers in order, acks, and remembers what it has delivered, so that
copies are dropped.

A value that bounds the traffic is used by one node, and another has room for it: fragment size and
buffers, window and places to hold messages, threshold and capacity of the queue. Each may switch to
any value at any time at which its guards allow it. These guards are the order of a change: who
makes room first when raising, and what must drain when lowering.

The network loses copies of fragments and of acks, repeats them, and lets them overtake each other.
What was given up or confirmed, each fragment says; one that was sent before that says less, and a
member may hear it without one (``link`` has what each says).

Not modelled here: time, so give-up is possible whenever a message is unacked, and what is under way
is looked at directly where an implementation waits (``retries`` has the clocks). How the nodes tell
each other to switch, and may refuse (``limits``). Views that change, crashes, and the sender's own
copy. All messages have the same length.

What this protocol promises is in ``transport_properties``.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    Sort,
    action,
    every,
    exists,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    relation,
    variable,
)
from samebeat_spec.stream import (
    FRAGMENTS,
    QUEUE,
    RETRIES,
    RETRY_TIME,
    WINDOW,
    Count,
    Fate,
    Fragment,
    Message,
    Size,
    Stream,
    have_places,
    is_closed,
    is_queued,
    is_unacked,
)


class Node(Sort, symmetric=True):
    """A member of the view, other than the sender."""


class Transport(Stream):
    """The sender's queue and window, the members' buffers, and the copies under way."""

    acked = relation(Node, Message)
    """whose acks of an unacked message the sender has heard"""

    buffer_size = function(Node, to=Size)
    """how large a fragment a member can take"""
    places = function(Node, to=Count)
    """how many messages a member can hold"""
    capacity = variable(Count)
    """how many messages the queue has memory for"""

    under_way = relation(Node, Message, Fragment)
    """a copy of the fragment is on its way to the member, and may come any number of times"""
    ack_under_way = relation(Node, Message)

    held = relation(Node, Message, Fragment)
    """the fragments that a member holds and has not delivered"""
    known = relation(Node, Message)
    """the duplicate memory: what the member remembers as delivered, or as not to come any more"""
    delivered = relation(Node, Message)
    """what the member has ever delivered; for the promises, nobody looks at it"""
    delivered_again = relation(Node, Message)
    """what the member has delivered more than once; for the promises"""


def holds_some(s: Transport, n: Node, m: Message) -> Formula:
    """`n` holds a fragment of `m`."""
    return exists(Fragment, lambda f: s.held[n, m, f])


def holds_all(s: Transport, n: Node, m: Message) -> Formula:
    """`n` holds every fragment of `m`."""
    return forall(Fragment, lambda f: implies(s.pieces[s.cut[m], f], s.held[n, m, f]))


def may_hold(s: Transport, n: Node, m: Message) -> Formula:
    """`n` holds a fragment of `m`, or one is on its way that `n` would keep."""
    comes = ~s.known[n, m] & exists(Fragment, lambda f: s.under_way[n, m, f])
    return holds_some(s, n, m) | comes


@initial
def start(s: Transport) -> None:
    """Nothing has been submitted, and all have the same room."""
    s.fragment_size = s.at_the_start
    s.buffer_size[every] = s.at_the_start
    s.window = s.messages_at_the_start
    s.places[every] = s.messages_at_the_start
    s.threshold = s.messages_at_the_start
    s.capacity = s.messages_at_the_start


# --- the sender's window ---------------------------------------------------------------------


@action(claims=FRAGMENTS + WINDOW)
def send(s: Transport, m: Message) -> None:
    """`m` leaves the queue, is cut, and each fragment is sent to every member."""
    waits = exists(Message, lambda k: (k < m) & is_queued(s, k))
    room = forall(Message, lambda k: implies((k < m) & is_unacked(s, k), s.fits[s.window, k, m]))
    guard(is_queued(s, m), "m is queued")
    guard(~waits, "no earlier message is queued")
    guard(room, "the window has room")

    s.fate[m] = Fate.SENT
    s.cut[m] = s.fragment_size
    s.under_way[every, m, every] = lambda n, f: s.pieces[s.fragment_size, f]


@action(claims=RETRIES)
def send_again(s: Transport, n: Node, m: Message) -> None:
    """The retry timer runs out: `m` is sent to `n` again, cut as before."""
    guard(is_unacked(s, m), "m is unacked")

    s.fate[m] = Fate.RETRIED
    s.under_way[n, m, every] = lambda f: s.under_way[n, m, f] | s.pieces[s.cut[m], f]


@action(claims=RETRIES + WINDOW)
def hear_ack(s: Transport, n: Node, m: Message) -> None:
    """The sender hears that `n` has delivered `m`; with the last ack `m` is confirmed."""
    guard(s.ack_under_way[n, m], "n has sent an ack")
    guard(is_unacked(s, m), "m is unacked")

    last = forall(Node, lambda k: (k == n) | s.acked[k, m])
    s.acked[every, m] = lambda k: ~last & (s.acked[k, m] | (k == n))
    s.fate[m] = ite(last, Fate.CONFIRMED, s.fate[m])


@action(claims=RETRY_TIME)
def give_up(s: Transport, m: Message) -> None:
    """The retry time is over: the caller is told that `m` may not have come to every member."""
    earlier = exists(Message, lambda k: (k < m) & is_unacked(s, k))
    guard(is_unacked(s, m), "m is unacked")
    guard(~earlier, "no earlier message is unacked")

    s.fate[m] = Fate.FAILED
    s.acked[every, m] = False


# --- the network -----------------------------------------------------------------------------


@action()
def lose(s: Transport, n: Node, m: Message, f: Fragment) -> None:
    """No copy of the fragment is on its way to `n` any more."""
    s.under_way[n, m, f] = False


@action()
def lose_ack(s: Transport, n: Node, m: Message) -> None:
    """No ack of `m` is on its way from `n` any more."""
    s.ack_under_way[n, m] = False


# --- a member --------------------------------------------------------------------------------


@action(claims=FRAGMENTS + WINDOW)
def receive(s: Transport, n: Node, m: Message, f: Fragment) -> None:
    """`n` keeps a fragment, and waits no more for earlier messages that the sender has closed."""
    guard(s.under_way[n, m, f], "it is on its way")
    guard(~s.known[n, m], "n does not know m")

    def over(k: Message) -> Formula:
        return (k < m) & is_closed(s, k)

    s.held[n, every, every] = lambda k, g: (s.held[n, k, g] | ((k == m) & (g == f))) & ~over(k)
    s.known[n, every] = lambda k: s.known[n, k] | over(k)


@action(claims=FRAGMENTS + WINDOW)
def receive_early(s: Transport, n: Node, m: Message, f: Fragment) -> None:
    """`n` keeps a fragment that says less than is true: it was sent before that was so.

    ``link`` knows what each copy says. Here it is taken from there that `n` has a place for it.
    """

    def fit(k: Message) -> Formula:
        c = s.places[n]
        return implies(k <= m, s.fits[c, k, m]) & implies(m <= k, s.fits[c, m, k])

    guard(s.under_way[n, m, f], "it is on its way")
    guard(~s.known[n, m], "n does not know m")
    guard(
        forall(Message, lambda k: implies(may_hold(s, n, k), fit(k))),
        "it was sent when there was a place for it",
        limit="environment",
    )

    s.held[n, m, f] = True


@action(claims=RETRY_TIME)
def skip(s: Transport, n: Node, m: Message) -> None:
    """`n` hears that the sender is done with `m`, and waits for it no more."""
    guard(is_closed(s, m), "the sender is done with m")

    s.held[n, m, every] = False
    s.known[n, m] = True


@action(claims=RETRIES)
def ack_again(s: Transport, n: Node, m: Message) -> None:
    """`n` drops a copy of what it knows, and acks again: the ack may have been lost."""
    guard(s.known[n, m], "n knows m")

    s.ack_under_way[n, m] = True


@action(claims=FRAGMENTS)
def deliver(s: Transport, n: Node, m: Message) -> None:
    """`n` delivers `m`, remembers that, and acks."""
    earlier = forall(Message, lambda k: implies(k < m, s.known[n, k]))
    guard(holds_all(s, n, m), "n holds every fragment of m")
    guard(earlier, "n knows every earlier message")

    s.delivered_again[n, m] = s.delivered_again[n, m] | s.delivered[n, m]
    s.delivered[n, m] = True
    s.known[n, m] = True
    s.held[n, m, every] = False
    s.ack_under_way[n, m] = True


@action(claims=RETRY_TIME)
def forget(s: Transport, n: Node, m: Message) -> None:
    """`n` forgets what it knows and holds of `m`: its memory is bounded."""
    comes = exists(Fragment, lambda f: s.under_way[n, m, f])
    guard(is_closed(s, m), "the sender sends no more copies")
    guard(~comes, "no copy is on its way")

    s.known[n, m] = False
    s.held[n, m, every] = False


# --- changes ---------------------------------------------------------------------------------


@action(claims=FRAGMENTS)
def switch_fragment_size(s: Transport, z: Size) -> None:
    """The sender cuts messages to fragments of another size from now on."""
    guard(forall(Node, lambda n: z <= s.buffer_size[n]), "every member has such buffers")

    s.fragment_size = z


@action(claims=FRAGMENTS)
def switch_buffers(s: Transport, n: Node, z: Size) -> None:
    """`n` makes its buffers larger or smaller."""
    again = forall(Message, lambda m: implies(is_unacked(s, m), s.cut[m] <= z))
    comes = forall(Message, Fragment, lambda m, f: implies(s.under_way[n, m, f], s.cut[m] <= z))
    guard(s.fragment_size <= z, "the sender cuts no larger fragments")
    guard(again, "no larger fragment may be sent again")
    guard(comes, "no larger fragment is on its way")

    s.buffer_size[n] = z


@action(claims=WINDOW)
def switch_window(s: Transport, c: Count) -> None:
    """The sender has another window from now on."""
    guard(forall(Node, lambda n: c <= s.places[n]), "every member has such places")

    s.window = c


@action(claims=WINDOW)
def switch_places(s: Transport, n: Node, c: Count) -> None:
    """`n` makes more places for messages, or fewer.

    Of what only comes, it need not hold all at once: a later message says which ones are over.
    """
    fit = forall(
        Message,
        Message,
        lambda k, m: implies((k <= m) & may_hold(s, n, k) & holds_some(s, n, m), s.fits[c, k, m]),
    )
    guard(s.window <= c, "the window is no larger")
    guard(have_places(s, c, is_unacked), "what is unacked has places")
    guard(fit, "what n may hold has places")

    s.places[n] = c


@action(claims=QUEUE)
def switch_threshold(s: Transport, c: Count) -> None:
    """The queue turns new messages down at another length from now on."""
    guard(c <= s.capacity, "the queue has memory for so many")

    s.threshold = c


@action(claims=QUEUE)
def switch_capacity(s: Transport, c: Count) -> None:
    """The queue gets more memory or less; what it does not hold any more is purged."""

    def beyond(m: Message) -> Formula:
        return is_queued(s, m) & exists(
            Message, lambda k: (k <= m) & is_queued(s, k) & ~s.fits[c, k, m]
        )

    guard(s.threshold <= c, "no more are accepted")
    guard(have_places(s, c, is_queued), "what is queued fits")

    s.capacity = c
    s.fate[every] = lambda m: ite(beyond(m), Fate.NEW, s.fate[m])
