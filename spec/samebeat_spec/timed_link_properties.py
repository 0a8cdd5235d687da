"""What a channel with clocks promises of time, and what must be possible in it.

What it promises of messages is in ``link_properties``, and is promised here, too.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    exists,
    forall,
    implies,
    invariant,
    leads_to,
    step_property,
    witness,
)
from samebeat_spec.stream import (
    RETRIES,
    RETRY_TIME,
    WINDOW,
    Fate,
    Fragment,
    Message,
    is_closed,
    is_queued,
    is_unacked,
)
from samebeat_spec.timed_link import (
    TimedLink,
    can_be_sent,
    forget,
    give_up,
    has_come,
    is_due,
    is_first,
    is_over,
    lose,
    lose_ack,
    send,
    send_again,
    tick,
)


@invariant(claims=RETRIES)
def no_late_retry(s: TimedLink) -> Formula:
    """No message waits for longer than its retry timer to be sent again."""
    return forall(
        Message,
        lambda m: implies(is_unacked(s, m), s.since_sent_ticks[m] <= s.timer_ticks[s.sent_by[m]]),
    )


@step_property(claims=RETRIES)
def no_early_retry(s: TimedLink, t: TimedLink) -> Formula:
    """A message that was sent is not sent again before its retry timer has run out."""
    return forall(
        Message,
        lambda m: implies(
            is_unacked(s, m) & is_unacked(t, m) & (t.since_sent_ticks[m] < s.since_sent_ticks[m]),
            is_due(s, m),
        ),
    )


@step_property(claims=RETRIES)
def sent_again(s: TimedLink, t: TimedLink) -> Formula:
    """When the timer runs out, what the member lacks is sent, and the first message anyway."""

    def comes(m: Message, f: Fragment) -> Formula:
        return exists(Message, lambda k: t.under_way[m, f, k] & (t.copy_age_ticks[m, f, k] == 0))

    return forall(
        Message,
        Fragment,
        lambda m, f: implies(
            is_due(s, m)
            & is_unacked(t, m)
            & ~is_due(t, m)
            & s.pieces[s.cut[m], f]
            & ~has_come(s, m, f),
            comes(m, f),
        ),
    ) & forall(
        Message,
        lambda m: implies(
            is_due(s, m) & is_unacked(t, m) & ~is_due(t, m) & is_first(s, m),
            exists(Fragment, lambda f: comes(m, f)),
        ),
    )


@invariant(claims=RETRY_TIME)
def told_in_time(s: TimedLink) -> Formula:
    """The caller is told when the retry time is over."""
    return forall(Message, lambda m: s.since_first_ticks[m] <= s.time_ticks[s.sent_by[m]])


@step_property(claims=RETRY_TIME)
def tried_for_long_enough(s: TimedLink, t: TimedLink) -> Formula:
    """No message is given up before its retry time is over, or that of a later one."""
    return forall(
        Message,
        lambda m: implies(
            is_unacked(s, m) & (t.fate[m] == Fate.FAILED),
            exists(Message, lambda k: (m <= k) & is_over(s, k)),
        ),
    )


@step_property(claims=WINDOW)
def sent_at_once(s: TimedLink, t: TimedLink) -> Formula:
    """No clock of a message goes on while another one waits that the window lets out."""
    waits = exists(Message, lambda m: can_be_sent(s, m))
    goes_on = exists(Message, lambda m: s.since_first_ticks[m] < t.since_first_ticks[m])
    return ~(waits & goes_on)


@invariant(claims=RETRY_TIME)
def forgotten_in_time(s: TimedLink) -> Formula:
    """The member remembers nothing for longer than its memory after the last that came."""
    return s.since_heard_ticks <= s.memory_ticks[s.memory]


@leads_to(
    weak=(send, send_again, give_up, lose, lose_ack, forget, tick),
    claims=RETRY_TIME,
)
def told_in_the_end(s: TimedLink, m: Message) -> tuple[Formula, Formula]:
    """A message that was accepted is confirmed or given up in the end, if time goes on."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)


@leads_to(
    weak=(send, send_again, give_up, lose, lose_ack, forget, tick),
    claims=RETRIES,
)
def confirmed_in_the_end(s: TimedLink, m: Message) -> tuple[Formula, Formula]:
    """As in `link` a message is closed in the end; but time must go on, and it is given up then."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)


# --- what must be possible -------------------------------------------------------------------


@witness(claims=RETRIES)
def a_retry(s: TimedLink) -> Formula:
    """A message was sent again."""
    return exists(
        Message, lambda m: is_unacked(s, m) & (s.since_sent_ticks[m] < s.since_first_ticks[m])
    )


@witness(claims=RETRY_TIME)
def a_copy_at_the_last_tick(s: TimedLink) -> Formula:
    """A copy comes at the last tick before the member forgets the message."""
    return exists(
        Message,
        Fragment,
        Message,
        lambda m, f, k: (
            s.under_way[m, f, k]
            & s.known[m]
            & is_closed(s, m)
            & (s.since_heard_ticks + 1 == s.memory_ticks[s.memory])
        ),
    )


@witness(claims=RETRY_TIME)
def over_out_of_turn(s: TimedLink) -> Formula:
    """A later message, which has a shorter retry time, is over before an earlier one."""
    return exists(
        Message,
        Message,
        lambda k, m: (k < m) & is_unacked(s, k) & ~is_over(s, k) & is_over(s, m),
    )


@witness(claims=RETRY_TIME)
def retry_times_drain(s: TimedLink) -> Formula:
    """The sender retries for less long, and the member remembers what was sent before that."""
    return exists(
        Message, lambda m: (s.setting < s.memory) & is_unacked(s, m) & (s.setting < s.sent_by[m])
    )
