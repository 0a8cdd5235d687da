"""A channel with clocks: when it sends again, gives up and forgets, to the tick.

It extends ``link``. What is said there of steps is said here of the time at which they come, and is
what a channel of the core does with a clock. In ``retries`` a sender may wait, and a member forgets
message by message; here nothing waits, and each step is one of ``link`` or none (``channel``).

- A message is sent again at the tick at which its retry timer runs out, and given up at the one at
  which its maximum retry time X is over. It keeps both as they were when it was first sent.
- The member forgets all it knows when its memory W has passed since anything came. W is X and the
  largest delay.
- An ack also says which fragment has come. What the sender so knows is not sent again, but the
  first message is, as its ack may be lost.

The sender and the member use one setting each: a retry timer, X, and the W for it. A member uses a
shorter one when it *hears* that all that is unacked will be over by then. That comes at any time
once it is true, and so does a notice and what an ack says of fragments: they have no clocks.

The network: each copy and each ack arrives within the largest delay, or is lost. Clocks count whole
ticks. No time passes while something is due; what is due at one tick comes in any order, but that
what is over is given up before anything is sent again, and forgotten before anything comes.

Not modelled here: clocks that differ, and what ``link`` does not model. A message that is sent
again and has several fragments, of which all have come, sends all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from samebeat_spec import link
from samebeat_spec.language import (
    Formula,
    action,
    every,
    exists,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    refinement,
    relation,
    variable,
)
from samebeat_spec.link import Link, holds_some, is_floor
from samebeat_spec.retries import Setting, Ticks
from samebeat_spec.stream import (
    FRAGMENTS,
    RETRIES,
    RETRY_TIME,
    WINDOW,
    Fate,
    Fragment,
    Message,
    is_queued,
    is_unacked,
)


class TimedLink(Link, name="timed_link"):
    """The two ends of a channel, their settings and clocks."""

    time_ticks = function(Setting, to=Ticks, constant=True)
    """X: so long after a message was first sent it is given up"""
    memory_ticks = function(Setting, to=Ticks, constant=True)
    """W: so long after anything came the member forgets"""
    timer_ticks = function(Setting, to=Ticks, constant=True)
    """the retry timer: so long after it was sent an unacked message is sent again"""
    delay_ticks = variable(Ticks, constant=True)
    """the largest delay of a copy or an ack"""
    setting_at_the_start = variable(Setting, constant=True)

    setting = variable(Setting)
    """what the sender uses for messages that it sends for the first time"""
    sent_by = function(Message, to=Setting)
    """by which setting an unacked message was first sent"""
    memory = variable(Setting)
    """whose W the member uses"""
    came = relation(Message, Fragment)
    """the sender has heard that this fragment of an unacked message has come"""

    since_first_ticks = function(Message, to=Ticks)
    """since an unacked message was sent for the first time"""
    since_sent_ticks = function(Message, to=Ticks)
    """since an unacked message was sent"""
    copy_age_ticks = function(Message, Fragment, Message, to=Ticks)
    """how old the last copy under way is"""
    ack_age_ticks = function(Message, to=Ticks)
    """how old the last ack under way is"""
    since_heard_ticks = variable(Ticks)
    """since anything came, as long as the member knows or holds something"""


def is_over(s: TimedLink, m: Message) -> Formula:
    """`m` is unacked, and its retry time is over."""
    return is_unacked(s, m) & (s.time_ticks[s.sent_by[m]] <= s.since_first_ticks[m])


def is_due(s: TimedLink, m: Message) -> Formula:
    """`m` is unacked, and its retry timer has run out."""
    return is_unacked(s, m) & (s.timer_ticks[s.sent_by[m]] <= s.since_sent_ticks[m])


def is_first(s: TimedLink, m: Message) -> Formula:
    """No earlier message is unacked."""
    return ~exists(Message, lambda k: (k < m) & is_unacked(s, k))


def can_be_sent(s: TimedLink, m: Message) -> Formula:
    """`m` is the next in the queue, and the window has room for it."""
    waits = exists(Message, lambda k: (k < m) & is_queued(s, k))
    room = forall(Message, lambda k: implies((k < m) & is_unacked(s, k), s.fits[s.window, k, m]))
    return is_queued(s, m) & ~waits & room


def has_come(s: TimedLink, m: Message, f: Fragment) -> Formula:
    """The member has the fragment, or knows all of the message."""
    return s.held[m, f] | s.known[m]


def remembers(s: TimedLink) -> Formula:
    """The member knows or holds something."""
    return exists(Message, lambda m: s.known[m] | holds_some(s, m))


def memory_is_over(s: TimedLink) -> Formula:
    """W has passed since anything came: the member must forget what it remembers."""
    return remembers(s) & (s.memory_ticks[s.memory] <= s.since_heard_ticks)


def one_tick_more(s: TimedLink, since: Ticks) -> Ticks:
    """Return a clock after one tick; it stops when the longest memory is over."""
    counts = exists(Setting, lambda x: since <= s.memory_ticks[x])
    later: Ticks = ite(counts, since + 1, since)
    return later


@initial
def start(s: TimedLink) -> None:
    """Nothing has been submitted, and both have the same setting."""
    link.start(s)
    s.setting = s.setting_at_the_start
    s.memory = s.setting_at_the_start
    s.sent_by[every] = s.setting_at_the_start


# --- the sender ------------------------------------------------------------------------------


@action(claims=FRAGMENTS + RETRIES + RETRY_TIME + WINDOW)
def send(s: TimedLink, m: Message) -> None:
    """As in `link`; `m` keeps the setting of now, and does not say that what is over is open."""
    guard(~exists(Message, lambda k: is_over(s, k)), "what is over has been given up")
    link.send(s, m)

    s.sent_by[m] = s.setting


@action(claims=RETRIES)
def send_again(s: TimedLink, m: Message) -> None:
    """The retry timer of `m` runs out: what has not come is sent again, or all if `m` is first."""
    guard(is_due(s, m), "m is unacked, and its retry timer has run out")
    guard(~exists(Message, lambda k: is_over(s, k)), "what is over has been given up")

    def is_sent(f: Fragment) -> Formula:
        is_part = s.pieces[s.cut[m], f]
        lacks_some = exists(Fragment, lambda g: s.pieces[s.cut[m], g] & ~s.came[m, g])
        return is_part & (~s.came[m, f] | (is_first(s, m) & ~lacks_some))

    s.since_sent_ticks[m] = 0
    s.under_way[m, every, every] = lambda f, k: s.under_way[m, f, k] | (is_sent(f) & is_floor(s, k))
    s.copy_age_ticks[m, every, every] = lambda f, k: ite(
        is_sent(f) & is_floor(s, k), 0, s.copy_age_ticks[m, f, k]
    )


def stop_clocks(s: TimedLink, closes: Callable[[Message], Formula]) -> None:
    """The sender is done with some messages: their clocks show nothing any more."""
    s.since_first_ticks[every] = lambda k: ite(closes(k), 0, s.since_first_ticks[k])
    s.sent_by[every] = lambda k: ite(closes(k), s.setting_at_the_start, s.sent_by[k])
    s.came[every, every] = lambda k, f: s.came[k, f] & ~closes(k)


@action(claims=RETRIES + WINDOW)
def hear_ack(s: TimedLink, m: Message) -> None:
    """As in `link`: `m` and all before it are confirmed."""
    guard(s.ack_under_way[m], "the member has sent an ack")

    def closes(k: Message) -> Formula:
        return (k <= m) & is_unacked(s, k)

    stop_clocks(s, closes)
    s.since_sent_ticks[every] = lambda k: ite(closes(k), 0, s.since_sent_ticks[k])
    s.fate[every] = lambda k: ite(closes(k), Fate.CONFIRMED, s.fate[k])


@action(claims=RETRIES)
def hear_piece(s: TimedLink, m: Message, f: Fragment) -> None:
    """The sender hears that a fragment of `m` has come: it need not be sent again."""
    guard(is_unacked(s, m), "the sender waits for it", limit="environment")
    guard(s.pieces[s.cut[m], f], "m was cut into f, among others", limit="environment")
    guard(has_come(s, m, f), "it has come")

    s.came[m, f] = True


@action(claims=RETRY_TIME)
def give_up(s: TimedLink, m: Message) -> None:
    """X is over for `m`, or for a later message, which has a shorter one; the next is due now."""
    over = exists(Message, lambda k: (m <= k) & is_over(s, k))
    guard(is_unacked(s, m), "m is unacked")
    guard(is_first(s, m), "no earlier message is unacked")
    guard(over, "the retry time of m is over, or that of a later message")

    def is_next(k: Message) -> Formula:
        between = exists(Message, lambda j: (m < j) & (j < k) & is_unacked(s, j))
        return (m < k) & is_unacked(s, k) & ~between

    s.since_sent_ticks[every] = lambda k: ite(
        k == m, 0, ite(is_next(k), s.timer_ticks[s.sent_by[k]], s.since_sent_ticks[k])
    )
    stop_clocks(s, lambda k: k == m)
    s.fate[m] = Fate.FAILED


# --- the network -----------------------------------------------------------------------------


@action()
def lose(s: TimedLink, m: Message, f: Fragment, k: Message) -> None:
    """As in `link`."""
    link.lose(s, m, f, k)

    s.copy_age_ticks[m, f, k] = 0


@action()
def lose_ack(s: TimedLink, m: Message) -> None:
    """As in `link`."""
    link.lose_ack(s, m)

    s.ack_age_ticks[m] = 0


# --- the member ------------------------------------------------------------------------------


def forget_first(s: TimedLink) -> None:
    """Whatever comes, comes when what is over has been forgotten."""
    guard(~memory_is_over(s), "what is over has been forgotten", limit="environment")


@action(claims=FRAGMENTS + WINDOW)
def keep(s: TimedLink, m: Message, f: Fragment, k: Message) -> None:
    """As in `link`."""
    forget_first(s)
    link.keep(s, m, f, k)

    s.since_heard_ticks = 0


@action(claims=FRAGMENTS + WINDOW + RETRIES)
def receive(s: TimedLink, m: Message, f: Fragment, k: Message, last: Message) -> None:
    """As in `link`, with an ack of now."""
    forget_first(s)
    link.receive(s, m, f, k, last)

    s.since_heard_ticks = 0
    s.ack_age_ticks[last] = 0


@action(claims=RETRY_TIME)
def receive_notice(s: TimedLink, m: Message, last: Message) -> None:
    """As in `link`, with an ack of now."""
    forget_first(s)
    link.receive_notice(s, m, last)

    s.since_heard_ticks = 0
    s.ack_age_ticks[last] = 0


@action(claims=RETRY_TIME)
def hear_nothing_new(s: TimedLink) -> None:
    """A notice comes that says what the member knows: so the memory counts from now."""
    guard(remembers(s), "the member remembers something", limit="environment")
    forget_first(s)

    s.since_heard_ticks = 0


@action(claims=RETRY_TIME)
def forget(s: TimedLink) -> None:
    """W is over: the member forgets what it knows and holds, whatever has become of it."""
    guard(memory_is_over(s), "the memory is over")

    s.known[every] = False
    s.held[every, every] = False
    s.since_heard_ticks = 0


# --- changes ---------------------------------------------------------------------------------


@action(claims=RETRIES + RETRY_TIME)
def switch_setting(s: TimedLink, x: Setting) -> None:
    """The sender uses another setting for what it first sends from now on."""
    guard(x <= s.memory, "the member remembers for so long")

    s.setting = x


@action(claims=RETRY_TIME)
def switch_memory(s: TimedLink, x: Setting) -> None:
    """The member remembers for longer; or less long, from when it hears that this suffices."""
    in_time = forall(
        Message,
        lambda m: implies(
            is_unacked(s, m),
            s.time_ticks[s.sent_by[m]] <= s.time_ticks[x] + s.since_first_ticks[m],
        ),
    )
    longer = s.memory <= x
    guard(s.setting <= x, "the sender uses no longer one")
    guard(longer | in_time, "it is no shorter, or all that is unacked will be over by then")
    guard(longer | ~memory_is_over(s), "what is over has been forgotten", limit="environment")

    s.memory = x
    s.since_heard_ticks = ite(longer, s.since_heard_ticks, 0)


# --- time ------------------------------------------------------------------------------------


@action(claims=RETRIES + RETRY_TIME, tick=True)
def tick(s: TimedLink) -> None:
    """One tick passes."""
    late = exists(
        Message,
        Fragment,
        Message,
        lambda m, f, k: s.under_way[m, f, k] & (s.delay_ticks <= s.copy_age_ticks[m, f, k]),
    )
    late_ack = exists(Message, lambda m: s.ack_under_way[m] & (s.delay_ticks <= s.ack_age_ticks[m]))
    guard(~late, "no copy has been on its way for the largest delay")
    guard(~late_ack, "no ack has been on its way for the largest delay", limit="environment")
    guard(~exists(Message, lambda m: is_due(s, m)), "what is due has been sent again")
    guard(~exists(Message, lambda m: is_over(s, m)), "what is over has been given up")
    guard(~exists(Message, lambda m: can_be_sent(s, m)), "what the window lets out has been sent")
    guard(~memory_is_over(s), "what is over has been forgotten")

    def if_(condition: Formula, since: Ticks) -> Ticks:
        counted: Ticks = ite(condition, one_tick_more(s, since), 0)
        return counted

    s.since_first_ticks[every] = lambda m: if_(is_unacked(s, m), s.since_first_ticks[m])
    s.since_sent_ticks[every] = lambda m: if_(is_unacked(s, m), s.since_sent_ticks[m])
    s.copy_age_ticks[every, every, every] = lambda m, f, k: if_(
        s.under_way[m, f, k], s.copy_age_ticks[m, f, k]
    )
    s.ack_age_ticks[every] = lambda m: if_(s.ack_under_way[m], s.ack_age_ticks[m])
    s.since_heard_ticks = if_(remembers(s), s.since_heard_ticks)


# --- what that is ----------------------------------------------------------------------------


@refinement(at_most=4, claims=RETRY_TIME)
def channel(s: TimedLink, t: Link) -> None:
    """Without its clocks this is a channel: what is forgotten cannot come again."""
