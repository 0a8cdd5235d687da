"""What a change of limits promises, and what must be possible in it.

Names are those of the design where they mean the same in this abstraction: ``in_flight_fits``,
``at_most_once`` and ``queue_never_purged`` will judge the message layer too, there by fragments and
messages, here by one number for each limit. ``new_traffic_fits`` is internal: what its breach does
to users, the promises about what is under way say.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    forall,
    implies,
    invariant,
    step_property,
    witness,
)
from samebeat_spec.limits import (
    COMBINATIONS,
    FIRST,
    GLOBAL,
    SECOND,
    Answer,
    Change,
    Course,
    Kind,
    Limits,
    Parameter,
    Turn,
    drains,
)


def all_hold(s: Limits, c: Change) -> Formula:
    """Both nodes hold every limit that `c` asks for."""
    return forall(
        Parameter,
        lambda p: (
            (s.value[FIRST, p] == s.wanted[c, p])
            & implies(s.is_global[p], s.value[SECOND, p] == s.wanted[c, p])
        ),
    )


def fits(s: Limits, p: Parameter) -> Formula:
    """The second node has room for what is under way."""
    return s.under_way[p] <= s.value[SECOND, p]


@invariant(claims=("3.maximum_fragment_size",))
def in_flight_fits(s: Limits) -> Formula:
    """Each fragment under way fits the second node's buffers."""
    return forall(Parameter, lambda p: implies(s.kind[p] == Kind.MAXIMUM_FRAGMENT_SIZE, fits(s, p)))


@invariant(claims=("3.message_send_window",))
def unacked_fit(s: Limits) -> Formula:
    """The second node has a buffer for each unacked message."""
    return forall(Parameter, lambda p: implies(s.kind[p] == Kind.MESSAGE_SEND_WINDOW, fits(s, p)))


@invariant(claims=("3.maximum_message_retry_time",))
def at_most_once(s: Limits) -> Formula:
    """The second node remembers a message for as long as copies of it may come."""
    return forall(
        Parameter,
        lambda p: implies(s.kind[p] == Kind.MAXIMUM_MESSAGE_RETRY_TIME, fits(s, p)),
    )


@step_property(claims=("3.send_queue_overflow_threshold",))
def queue_never_purged(s: Limits, t: Limits) -> Formula:
    """A queue gets no shorter because its threshold changes."""
    return forall(
        Parameter,
        lambda p: implies(
            (s.kind[p] == Kind.SEND_QUEUE_OVERFLOW_THRESHOLD)
            & (s.value[FIRST, p] != t.value[FIRST, p]),
            s.under_way[p] <= t.under_way[p],
        ),
    )


@invariant(claims=("3.message_retry_timer", "3.maximum_message_retry_time", *COMBINATIONS))
def retried_before_given_up(s: Limits) -> Formula:
    """The first node sends a message again before it gives it up."""
    return forall(
        Parameter,
        Parameter,
        lambda p, q: implies(
            (s.kind[p] == Kind.MESSAGE_RETRY_TIMER)
            & (s.kind[q] == Kind.MAXIMUM_MESSAGE_RETRY_TIME),
            s.value[FIRST, p] <= s.value[FIRST, q],
        ),
    )


@invariant(claims=GLOBAL, internal=True)
def new_traffic_fits(s: Limits) -> Formula:
    """The second node has room for all that the first node's limit allows."""
    return forall(
        Parameter, lambda p: implies(s.is_global[p], s.value[FIRST, p] <= s.value[SECOND, p])
    )


@invariant(claims=COMBINATIONS)
def all_or_nothing(s: Limits) -> Formula:
    """At rest all limits are those of the last change, or all are those from before it."""
    return implies(s.course == Course.REST, all_hold(s, s.asked) | all_hold(s, s.kept))


@invariant(claims=COMBINATIONS)
def undo_restores_pre_image(s: Limits) -> Formula:
    """At rest after a change that was undone, all limits are those from before it."""
    return implies((s.course == Course.REST) & (s.kept != s.asked), all_hold(s, s.kept))


@always_reachable(claims=COMBINATIONS)
def quiescence_reachable(s: Limits) -> Formula:
    """Whatever has happened, the change can still be made or undone."""
    return s.course == Course.REST


# --- what must be possible -----------------------------------------------------------------


@witness(claims=GLOBAL)
def more_under_way_than_the_new_limit(s: Limits) -> Formula:
    """The first node has lowered its limit, and more than that is under way."""
    return exists(Parameter, lambda p: s.is_global[p] & (s.value[FIRST, p] < s.under_way[p]))


@witness(claims=("3.send_queue_overflow_threshold",))
def a_queue_that_drains(s: Limits) -> Formula:
    """A queue holds more than its new threshold, which only turns new messages down."""
    return exists(
        Parameter,
        lambda p: (
            (s.kind[p] == Kind.SEND_QUEUE_OVERFLOW_THRESHOLD)
            & drains(s, p)
            & (s.wanted[s.asked, p] < s.under_way[p])
        ),
    )


@witness(claims=("3.message_retry_timer",))
def a_retry_timer_as_long_as_the_retry_time(s: Limits) -> Formula:
    """The retry timer was raised as far as it may be."""
    return exists(
        Parameter,
        Parameter,
        lambda p, q: (
            (s.kind[p] == Kind.MESSAGE_RETRY_TIMER)
            & (s.kind[q] == Kind.MAXIMUM_MESSAGE_RETRY_TIME)
            & (s.wanted[Change.first, p] < s.value[FIRST, p])
            & (s.value[FIRST, p] == s.value[FIRST, q])
        ),
    )


@witness(claims=GLOBAL)
def room_before_use(s: Limits) -> Formula:
    """The second node has made more room, and the first does not use it yet."""
    return exists(
        Parameter,
        lambda p: (
            s.is_global[p]
            & (s.wanted[s.kept, p] == s.value[FIRST, p])
            & (s.value[FIRST, p] < s.value[SECOND, p])
        ),
    )


@witness(claims=COMBINATIONS)
def half_a_combination(s: Limits) -> Formula:
    """On the way a node holds one limit of the change and not yet another."""
    return exists(
        Parameter,
        Parameter,
        lambda p, q: (
            (s.value[FIRST, p] == s.wanted[s.asked, p])
            & (s.value[FIRST, p] != s.wanted[s.kept, p])
            & (s.value[FIRST, q] != s.wanted[s.asked, q])
        ),
    )


@witness(claims=COMBINATIONS)
def an_undo_of_something(s: Limits) -> Formula:
    """The second node has switched for a change, refused a later turn of it, and gone back."""
    return exists(
        Change,
        Turn,
        Turn,
        lambda c, t, u: (
            s.answer[c, t, Answer.SWITCHED] & s.answer[c, u, Answer.REFUSED] & s.went_back[c]
        ),
    )


@witness(claims=COMBINATIONS)
def a_change_made(s: Limits) -> Formula:
    """The last change is made."""
    return (s.course == Course.REST) & (Change.first < s.kept) & (s.kept == s.asked)


@witness(claims=COMBINATIONS)
def a_change_undone(s: Limits) -> Formula:
    """The last change is undone."""
    return (s.course == Course.REST) & (s.kept != s.asked)
