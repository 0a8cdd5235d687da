"""The message layer with clocks: when a message is sent again, given up, and forgotten.

It extends ``transport``. The sender sends a message again when the retry timer has run out, and
gives it up when the maximum retry time X is over. A member forgets a message when its memory W is
over, which it counts from the first copy that came, and knows nothing else of the sender. That W is
X and the largest delay, and that a shorter W waits until the delay after X was shortened, makes
each step here a step of ``transport``, where members forget only what cannot come again.

A setting is a retry time, the memory that goes with it, and a retry timer. The sender and each
member use one each; the retry timer is the sender's alone, and changes by itself.

The network: each copy and each ack arrives within the largest delay or is lost; a member delivers
and acks at once. Clocks count whole ticks up to what matters, and no time passes while something is
due. The retry timer is not waited for: what it is for is that nothing is sent again too early.

Not modelled here: clocks that differ, and the rest as in ``transport``.
"""

from __future__ import annotations

from samebeat_spec import transport as layer
from samebeat_spec.language import (
    Formula,
    Integer,
    Ordered,
    action,
    every,
    exists,
    flag,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    leads_to,
    refinement,
    step_property,
    variable,
    witness,
)
from samebeat_spec.stream import (
    RETRIES,
    RETRY_TIME,
    Fate,
    Fragment,
    Message,
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


class Ticks(Integer):
    """A duration in ticks; each instance says how many there are."""


class Setting(Ordered):
    """A maximum retry time, the memory for it, and a retry timer; in the order of their length."""


class Retries(Transport):
    """The message layer, its settings and its clocks."""

    time_ticks = function(Setting, to=Ticks, constant=True)
    """X: for how long a message is sent again"""
    memory_ticks = function(Setting, to=Ticks, constant=True)
    """W: for how long a member remembers what it has received"""
    timer_ticks = function(Setting, to=Ticks, constant=True)
    """the retry timer: an unacked message is sent again after this"""
    delay_ticks = variable(Ticks, constant=True)
    """the largest delay of a copy or an ack; at least one"""
    setting_at_the_start = variable(Setting, constant=True)
    loses = flag(constant=True)
    """the network may lose copies and acks"""

    retry_time = variable(Setting)
    """whose X the sender uses"""
    timer = variable(Setting)
    """whose retry timer the sender uses"""
    memory = function(Node, to=Setting)
    """whose W a member uses"""

    since_first_ticks = function(Message, to=Ticks)
    """since an unacked message was sent for the first time"""
    since_sent_ticks = function(Node, Message, to=Ticks)
    """since an unacked message was sent to a member"""
    copy_age_ticks = function(Node, Message, to=Ticks)
    """how old the last copy under way is"""
    ack_age_ticks = function(Node, Message, to=Ticks)
    """how old the last ack under way is"""
    since_received_ticks = function(Node, Message, to=Ticks)
    """since a member received the first copy of what it holds or knows"""
    since_switch_ticks = variable(Ticks)
    """since the sender's retry time changed"""


def is_coming(s: Retries, n: Node, m: Message) -> Formula:
    """A copy of `m` is on its way to `n`."""
    return exists(Fragment, lambda f: s.under_way[n, m, f])


def is_over(s: Retries, m: Message) -> Formula:
    """The retry time of `m` is over."""
    return s.time_ticks[s.retry_time] < s.since_first_ticks[m]


def can_deliver(s: Retries, n: Node, m: Message) -> Formula:
    """`n` holds all of `m` and knows what comes before."""
    earlier = forall(Message, lambda k: implies(k < m, s.known[n, k]))
    return holds_all(s, n, m) & earlier


def one_tick_more(s: Retries, since: Ticks) -> Ticks:
    """Return a clock after one tick; it stops when the longest memory is over."""
    counts = exists(Setting, lambda x: since <= s.memory_ticks[x])
    later: Ticks = ite(counts, since + 1, since)
    return later


@initial
def start(s: Retries) -> None:
    """Nothing has been submitted, and all have the same setting."""
    layer.start(s)
    s.retry_time = s.setting_at_the_start
    s.timer = s.setting_at_the_start
    s.memory[every] = s.setting_at_the_start


# --- messages --------------------------------------------------------------------------------


@action(claims=RETRIES)
def send_again(s: Retries, n: Node, m: Message) -> None:
    """The retry timer of `m` has run out, and its retry time is not over."""
    guard(s.timer_ticks[s.timer] <= s.since_sent_ticks[n, m], "the retry timer has run out")
    guard(~is_over(s, m), "the retry time is not over")

    layer.send_again(s, n, m)
    s.since_sent_ticks[n, m] = 0
    s.copy_age_ticks[n, m] = 0


@action(claims=RETRY_TIME)
def give_up(s: Retries, m: Message) -> None:
    """The retry time of `m` is over."""
    guard(is_over(s, m), "the retry time is over")

    layer.give_up(s, m)


@action()
def lose(s: Retries, n: Node, m: Message, f: Fragment) -> None:
    """No copy is on its way to `n` any more: the last is lost, or has come."""
    came = s.held[n, m, f] | s.known[n, m]
    guard(s.loses | came, "it came or the network loses it", limit="environment")

    layer.lose(s, n, m, f)


@action()
def lose_ack(s: Retries, n: Node, m: Message) -> None:
    """No ack is on its way from `n` any more: the last is lost, or has come."""
    came = s.acked[n, m] | ~is_unacked(s, m)
    guard(s.loses | came, "it came or the network loses it", limit="environment")

    layer.lose_ack(s, n, m)
    s.ack_age_ticks[n, m] = 0


@action(claims=RETRIES)
def ack_again(s: Retries, n: Node, m: Message) -> None:
    """`n` acks again because a copy has come."""
    guard(is_coming(s, n, m), "a copy comes", limit="environment")

    layer.ack_again(s, n, m)
    s.ack_age_ticks[n, m] = 0


@action(claims=RETRY_TIME)
def forget(s: Retries, n: Node, m: Message) -> None:
    """The memory of `n` is over: it forgets `m`, whatever has become of it."""
    w = s.memory_ticks[s.memory[n]]
    guard(w < s.since_received_ticks[n, m], "n has remembered m for as long as it has to")

    s.known[n, m] = False
    s.held[n, m, every] = False
    s.since_received_ticks[n, m] = 0


# --- changes ---------------------------------------------------------------------------------


@action(claims=RETRIES)
def switch_timer(s: Retries, x: Setting) -> None:
    """The sender has another retry timer from now on."""
    guard(s.timer_ticks[x] <= s.time_ticks[s.retry_time], "it is no longer than the retry time")

    s.timer = x


@action(claims=RETRY_TIME)
def switch_retry_time(s: Retries, x: Setting) -> None:
    """The sender retries for longer, or less long, from now on, whatever is under way."""
    guard(forall(Node, lambda n: x <= s.memory[n]), "every member remembers for so long")
    guard(s.timer_ticks[s.timer] <= s.time_ticks[x], "it is no shorter than the retry timer")

    s.retry_time = x
    s.since_switch_ticks = 0


@action(claims=RETRY_TIME)
def switch_memory(s: Retries, n: Node, x: Setting) -> None:
    """`n` remembers for longer, or less long, from now on."""
    guard(s.retry_time <= x, "the sender retries no longer than that")
    guard(
        (s.memory[n] <= x) | (s.delay_ticks < s.since_switch_ticks),
        "n remembers no less, or the delay is over",
    )

    s.memory[n] = x


# --- time ------------------------------------------------------------------------------------


@action(claims=RETRIES + RETRY_TIME, tick=True)
def tick(s: Retries) -> None:
    """One tick passes."""
    late = exists(
        Node, Message, lambda n, m: is_coming(s, n, m) & (s.delay_ticks <= s.copy_age_ticks[n, m])
    )
    late_ack = exists(
        Node, Message, lambda n, m: s.ack_under_way[n, m] & (s.delay_ticks <= s.ack_age_ticks[n, m])
    )
    guard(~late, "no copy has been on its way for the largest delay")
    guard(~late_ack, "no ack has been on its way for the largest delay")
    guard(~exists(Node, Message, lambda n, m: can_deliver(s, n, m)), "who can deliver has done so")
    guard(~exists(Message, lambda m: is_unacked(s, m) & is_over(s, m)), "no retry time is over")

    def if_(condition: Formula, since: Ticks) -> Ticks:
        counted: Ticks = ite(condition, one_tick_more(s, since), 0)
        return counted

    s.since_first_ticks[every] = lambda m: if_(is_unacked(s, m), s.since_first_ticks[m])
    s.since_sent_ticks[every, every] = lambda n, m: if_(is_unacked(s, m), s.since_sent_ticks[n, m])
    s.copy_age_ticks[every, every] = lambda n, m: if_(is_coming(s, n, m), s.copy_age_ticks[n, m])
    s.ack_age_ticks[every, every] = lambda n, m: if_(s.ack_under_way[n, m], s.ack_age_ticks[n, m])
    s.since_received_ticks[every, every] = lambda n, m: if_(
        holds_some(s, n, m) | s.known[n, m], s.since_received_ticks[n, m]
    )
    drained = s.delay_ticks < s.since_switch_ticks
    s.since_switch_ticks = ite(drained, s.since_switch_ticks, s.since_switch_ticks + 1)


# --- what is promised, and what must be possible ---------------------------------------------


@invariant(claims=RETRIES)
def no_early_retry(s: Retries) -> Formula:
    """If nothing is lost, nothing is sent again."""
    return forall(Message, lambda m: implies(~s.loses, s.fate[m] != Fate.RETRIED))


@invariant(claims=RETRIES + RETRY_TIME)
def retried_before_given_up(s: Retries) -> Formula:
    """The retry timer runs out before the retry time is over."""
    return s.timer_ticks[s.timer] <= s.time_ticks[s.retry_time]


@invariant(claims=RETRY_TIME)
def told_in_time(s: Retries) -> Formula:
    """The caller is told by the end of the longest retry time."""
    return exists(
        Setting,
        lambda x: forall(Message, lambda m: s.since_first_ticks[m] <= s.time_ticks[x] + 1),
    )


@step_property(claims=RETRY_TIME)
def tried_for_long_enough(s: Retries, t: Retries) -> Formula:
    """No message is given up before its retry time is over."""
    return forall(
        Message,
        lambda m: implies(is_unacked(s, m) & (t.fate[m] == Fate.FAILED), is_over(s, m)),
    )


@leads_to(weak=(layer.send, layer.deliver, lose, lose_ack, give_up, tick), claims=RETRY_TIME)
def told_in_the_end(s: Retries, m: Message) -> tuple[Formula, Formula]:
    """A message that was accepted is confirmed or given up in the end, if time goes on."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)


@leads_to(weak=(layer.receive, layer.deliver, layer.hear_ack), claims=RETRIES)
def confirmed_in_the_end(s: Retries, m: Message) -> tuple[Formula, Formula]:
    """If nothing is lost, what was sent is confirmed, and not given up."""
    return is_unacked(s, m) & ~s.loses, s.fate[m] == Fate.CONFIRMED


@witness(claims=RETRY_TIME)
def a_copy_at_the_last_tick(s: Retries) -> Formula:
    """A copy comes at the last tick at which the member must remember."""
    return exists(
        Node,
        Message,
        lambda n, m: (
            is_coming(s, n, m)
            & s.known[n, m]
            & (s.since_received_ticks[n, m] == s.memory_ticks[s.memory[n]])
        ),
    )


@witness(claims=RETRIES)
def a_retry_after_a_longer_timer(s: Retries) -> Formula:
    """A message was sent again, and the timer is longer than at the start."""
    return (s.setting_at_the_start < s.timer) & exists(Message, lambda m: s.fate[m] == Fate.RETRIED)


@witness(claims=RETRY_TIME)
def retry_times_drain(s: Retries) -> Formula:
    """The sender retries for less long, and a member waits for what was retried for longer."""
    waits = s.since_switch_ticks <= s.delay_ticks
    return waits & exists(
        Node, Message, lambda n, m: (s.retry_time < s.memory[n]) & is_coming(s, n, m)
    )


@refinement(claims=RETRY_TIME)
def message_layer(s: Retries, t: Transport) -> None:
    """Without its clocks this is the message layer: what is forgotten cannot come again."""
