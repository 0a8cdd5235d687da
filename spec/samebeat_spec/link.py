"""A channel of the message layer: one sender, one member, and what each datagram says.

It is what an implementation of ``transport`` can be held to step by step, since no node looks at
the other: what a sender is done with is said in each copy, what a member has delivered in each ack.
Every step here is some steps of ``transport`` (``message_layer``), so what that promises holds.

- Delivery is in order, so an ack of a message is one of all before it (*cumulative*).
- Whoever receives a copy delivers what is whole and next, and acks, in the same step.
- A copy says which message is the first that the sender is not done with (the *floor*). A copy
  that was sent earlier says less. A *notice* says it without a message.
- The memory of what was delivered is one number, so it is forgotten as a whole.

The window and the sizes change as in ``transport``. The queue has memory for what is in it.

Not modelled here: time, and nodes that restart. How the nodes tell each other what they can take,
and that the sender keeps to it, has no place here: the guards look at it.
"""

from __future__ import annotations

from collections.abc import Callable

from samebeat_spec.language import (
    Formula,
    action,
    every,
    exists,
    forall,
    guard,
    implies,
    initial,
    ite,
    refinement,
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
from samebeat_spec.transport import Transport


class Link(Stream):
    """The two ends of a channel, and the copies and acks under way."""

    buffer_size = variable(Size)
    """how large a fragment the member can take"""
    places = variable(Count)
    """how many messages the member can hold"""
    capacity = variable(Count)
    """how many messages the queue has memory for: as many as have ever been allowed"""

    under_way = relation(Message, Fragment, Message)
    """a copy of the fragment is on its way; the last is the first message that it says is open"""
    ack_under_way = relation(Message)
    """an ack of the message and of all before it is on its way"""

    held = relation(Message, Fragment)
    """the fragments that the member holds and has not delivered"""
    known = relation(Message)
    """what the member remembers as delivered, or as not to come any more"""
    delivered = relation(Message)
    """what the member has ever delivered; for the promises, nobody looks at it"""
    delivered_again = relation(Message)
    """what the member has delivered more than once; for the promises"""


def is_floor(s: Link, k: Message) -> Formula:
    """`k` is the first message that the sender is not done with."""
    return ~is_closed(s, k) & forall(Message, lambda j: implies(j < k, is_closed(s, j)))


def comes(s: Link, m: Message) -> Formula:
    """A copy of `m` is on its way."""
    return exists(Fragment, Message, lambda f, k: s.under_way[m, f, k])


def holds_some(s: Link, m: Message) -> Formula:
    """The member holds a fragment of `m`."""
    return exists(Fragment, lambda f: s.held[m, f])


def find_places(s: Link, c: Count) -> Formula:
    """With `c` places the member has one for each copy that comes, whatever the copy says.

    Places are counted from any message that the member does not know, and will not hear to be over.
    """
    return forall(
        Message,
        Fragment,
        Message,
        Message,
        lambda m, f, k, j: implies(
            s.under_way[m, f, k] & ~s.known[m] & ~s.known[j] & (k <= j) & (j <= m), s.fits[c, j, m]
        ),
    )


def is_part(m: Message, f: Fragment) -> Callable[[Message, Fragment], Formula]:
    """Return the test of being the fragment `f` of `m`."""
    return lambda j, g: (j == m) & (g == f)


def is_unknown(
    s: Link,
    m: Message,
    is_over: Callable[[Message], Formula],
    is_new: Callable[[Message, Fragment], Formula] | None = None,
) -> Formula:
    """The member neither knows `m` nor hears that it is over, and lacks a fragment of it."""

    def lacks(g: Fragment) -> Formula:
        return ~s.held[m, g] & ~is_new(m, g) if is_new else ~s.held[m, g]

    return ~s.known[m] & ~is_over(m) & exists(Fragment, lambda g: s.pieces[s.cut[m], g] & lacks(g))


def waits_for_the_first(
    s: Link,
    is_over: Callable[[Message], Formula],
    is_new: Callable[[Message, Fragment], Formula],
) -> Formula:
    """The first message of all is unknown to the member, with what it hears and a new fragment."""

    def is_first(m: Message) -> Formula:
        return forall(Message, lambda j: m <= j)

    return exists(Message, lambda m: is_first(m) & is_unknown(s, m, is_over, is_new))


def knows_up_to(
    s: Link,
    last: Message,
    is_over: Callable[[Message], Formula],
    is_new: Callable[[Message, Fragment], Formula] | None = None,
) -> Formula:
    """The member knows all up to `last`, with what it hears and a new fragment, and no more."""

    def is_next(m: Message) -> Formula:
        return (last < m) & forall(Message, lambda j: implies(last < j, m <= j))

    all_before = forall(Message, lambda m: implies(m <= last, ~is_unknown(s, m, is_over, is_new)))
    no_more = exists(Message, lambda m: is_next(m) & is_unknown(s, m, is_over, is_new))
    return all_before & (no_more | forall(Message, lambda m: m <= last))


def deliver_up_to(s: Link, last: Message, is_over: Callable[[Message], Formula]) -> None:
    """The member delivers all up to `last` that it does not know and is not over, and acks."""

    def delivers(j: Message) -> Formula:
        return (j <= last) & ~s.known[j] & ~is_over(j)

    s.delivered_again[every] = lambda j: s.delivered_again[j] | (delivers(j) & s.delivered[j])
    s.delivered[every] = lambda j: s.delivered[j] | delivers(j)
    s.known[every] = lambda j: j <= last
    s.ack_under_way[last] = True


@initial
def start(s: Link) -> None:
    """Nothing has been submitted, and both have the same room."""
    s.fragment_size = s.at_the_start
    s.buffer_size = s.at_the_start
    s.window = s.messages_at_the_start
    s.places = s.messages_at_the_start
    s.threshold = s.messages_at_the_start
    s.capacity = s.messages_at_the_start


# --- the sender ------------------------------------------------------------------------------


@action(claims=FRAGMENTS + WINDOW)
def send(s: Link, m: Message) -> None:
    """`m` leaves the queue, is cut, and each fragment is sent."""
    waits = exists(Message, lambda k: (k < m) & is_queued(s, k))
    room = forall(Message, lambda k: implies((k < m) & is_unacked(s, k), s.fits[s.window, k, m]))
    guard(is_queued(s, m), "m is queued")
    guard(~waits, "no earlier message is queued")
    guard(room, "the window has room")

    s.fate[m] = Fate.SENT
    s.cut[m] = s.fragment_size
    s.under_way[m, every, every] = lambda f, k: s.pieces[s.fragment_size, f] & is_floor(s, k)


@action(claims=RETRIES)
def send_again(s: Link, m: Message, f: Fragment) -> None:
    """The retry timer runs out: a fragment of `m` that was not acked is sent again."""
    guard(is_unacked(s, m), "m is unacked")
    guard(s.pieces[s.cut[m], f], "m was cut into f, among others")

    s.under_way[m, f, every] = lambda k: s.under_way[m, f, k] | is_floor(s, k)


@action(claims=RETRIES + WINDOW)
def hear_ack(s: Link, m: Message) -> None:
    """The sender hears that the member knows `m` and all before it."""
    guard(s.ack_under_way[m], "the member has sent an ack")

    s.fate[every] = lambda k: ite((k <= m) & is_unacked(s, k), Fate.CONFIRMED, s.fate[k])


@action(claims=RETRY_TIME)
def give_up(s: Link, m: Message) -> None:
    """The retry time is over: the caller is told that `m` may not have come."""
    earlier = exists(Message, lambda k: (k < m) & is_unacked(s, k))
    guard(is_unacked(s, m), "m is unacked")
    guard(~earlier, "no earlier message is unacked")

    s.fate[m] = Fate.FAILED


# --- the network -----------------------------------------------------------------------------


@action()
def lose(s: Link, m: Message, f: Fragment, k: Message) -> None:
    """No copy that says so is on its way any more."""
    s.under_way[m, f, k] = False


@action()
def lose_ack(s: Link, m: Message) -> None:
    """No ack that says so is on its way any more."""
    s.ack_under_way[m] = False


# --- the member ------------------------------------------------------------------------------


@action(claims=FRAGMENTS + WINDOW)
def keep(s: Link, m: Message, f: Fragment, k: Message) -> None:
    """The member keeps a fragment, and knows nothing yet: it acks no message."""
    guard(s.under_way[m, f, k], "it is on its way")
    guard(
        waits_for_the_first(s, lambda j: j < k, is_part(m, f)),
        "the member waits for the first message",
    )

    s.held[m, f] = True


@action(claims=FRAGMENTS + WINDOW + RETRIES)
def receive(s: Link, m: Message, f: Fragment, k: Message, last: Message) -> None:
    """The member gets a fragment, waits no more for what is over, delivers up to `last`, and acks.

    So it does with a copy of what it knows: the ack may have been lost. If that does not fit the
    buffers any more, it might as well be lost.
    """
    guard(s.under_way[m, f, k], "it is on its way")
    guard(s.cut[m] <= s.buffer_size, "it fits the buffers", limit="environment")
    guard(knows_up_to(s, last, lambda j: j < k, is_part(m, f)), "that is what it knows then")

    s.held[every, every] = lambda j, g: (s.held[j, g] | is_part(m, f)(j, g)) & (last < j)
    deliver_up_to(s, last, lambda j: j < k)


@action(claims=RETRY_TIME)
def receive_notice(s: Link, m: Message, last: Message) -> None:
    """The sender has said that it is done with `m` and all before it, which is news."""
    done = forall(Message, lambda k: implies(k <= m, is_closed(s, k)))
    guard(done, "the sender is done with m and all before it")
    guard(~s.known[m], "the member does not know that", limit="environment")
    guard(knows_up_to(s, last, lambda j: j <= m), "that is what it knows then")

    s.held[every, every] = lambda j, g: s.held[j, g] & (last < j)
    deliver_up_to(s, last, lambda j: j <= m)


@action(claims=RETRY_TIME)
def forget(s: Link) -> None:
    """The member forgets what it knows and holds: its memory is bounded."""

    def is_kept(s: Link, j: Message) -> Formula:
        return s.known[j] | holds_some(s, j)

    says_less = exists(
        Message,
        Fragment,
        Message,
        Message,
        lambda m, f, k, j: s.under_way[m, f, k] & is_kept(s, j) & (k <= j),
    )
    guard(
        forall(Message, lambda m: implies(is_kept(s, m), is_closed(s, m))),
        "of all that it knows or holds no more copies are sent",
    )
    guard(~says_less, "each copy on its way says that all this is over")

    s.known[every] = False
    s.held[every, every] = False


# --- changes ---------------------------------------------------------------------------------


@action(claims=FRAGMENTS)
def switch_fragment_size(s: Link, z: Size) -> None:
    """The sender cuts messages to fragments of another size from now on."""
    guard(z <= s.buffer_size, "the member has such buffers")

    s.fragment_size = z


@action(claims=FRAGMENTS)
def switch_buffers(s: Link, z: Size) -> None:
    """The member makes its buffers larger or smaller; late copies of what it knows may not fit."""

    def is_larger(m: Message) -> Formula:
        return ~(s.cut[m] <= z)

    guard(s.fragment_size <= z, "the sender cuts no larger fragments")
    guard(
        forall(Message, lambda m: implies(is_unacked(s, m), ~is_larger(m))),
        "no larger fragment may be sent again",
    )
    guard(
        forall(Message, lambda m: implies(comes(s, m) & ~s.known[m], ~is_larger(m))),
        "no larger fragment is on its way that the member would keep",
    )

    s.buffer_size = z


@action(claims=WINDOW)
def switch_window(s: Link, c: Count) -> None:
    """The sender has another window from now on."""
    guard(c <= s.places, "the member has such places")

    s.window = c


@action(claims=WINDOW)
def switch_places(s: Link, c: Count) -> None:
    """The member makes more places for messages, or fewer."""

    def may_hold(m: Message) -> Formula:
        return holds_some(s, m) | ~s.known[m]

    fit = forall(
        Message,
        Message,
        lambda k, m: implies((k <= m) & may_hold(k) & holds_some(s, m), s.fits[c, k, m]),
    )
    guard(s.window <= c, "the window is no larger")
    guard(have_places(s, c, is_unacked), "what is unacked has places")
    guard(fit, "what the member may hold has places")
    guard(find_places(s, c), "what is on its way finds places")

    s.places = c


@action(claims=QUEUE)
def switch_threshold(s: Link, c: Count) -> None:
    """The queue turns new messages down at another length from now on; it keeps what it has."""
    s.threshold = c
    s.capacity = ite(s.capacity <= c, c, s.capacity)


# --- what that is ----------------------------------------------------------------------------


@refinement(at_most=8, sizes={"Node": 1}, claims=(*FRAGMENTS, *RETRIES, *RETRY_TIME, *WINDOW))
def message_layer(s: Link, t: Transport) -> None:
    """A channel is the message layer with one member; an ack is an ack of all before, too.

    Copies of what the member knows are as good as lost there: it can do no more than ack again.
    """
    t.fate[every] = lambda m: ite(s.fate[m] == Fate.SENT, Fate.RETRIED, s.fate[m])
    t.acked[every, every] = False
    t.buffer_size[every] = s.buffer_size
    t.places[every] = s.places
    t.under_way[every, every, every] = lambda n, m, f: (
        ~s.known[m] & exists(Message, lambda k: s.under_way[m, f, k])
    )
    t.ack_under_way[every, every] = lambda n, m: exists(
        Message, lambda k: (m <= k) & s.ack_under_way[k]
    )
    t.held[every, every, every] = lambda n, m, f: s.held[m, f]
    t.known[every, every] = lambda n, m: s.known[m]
    t.delivered[every, every] = lambda n, m: s.delivered[m]
    t.delivered_again[every, every] = lambda n, m: s.delivered_again[m]
