"""What orders of turns are like: what the proof of changes of limits assumes of the constants.

The registry derives an order for each way from one change to another (``combinations``). A test
derives orders for many changes, and evaluates every axiom on them.
"""

from __future__ import annotations

from collections.abc import Callable

from samebeat_proofs.facts import axiom
from samebeat_spec.language import Formula, Term, exists, forall, implies, one_of
from samebeat_spec.limits import Change, Kind, Limits, Move, Parameter, Turn, suits

QUEUE, TIMER = Kind.SEND_QUEUE_OVERFLOW_THRESHOLD, Kind.MESSAGE_RETRY_TIMER
TIME = Kind.MAXIMUM_MESSAGE_RETRY_TIME


def every_way(says: Callable[[Change, Change], Formula]) -> Formula:
    """Say something of the way from any change to any later one."""
    return forall(Change, Change, lambda d, c: implies(d < c, says(d, c)))


def is_lowered(s: Limits, d: Change, c: Change, p: Parameter) -> Formula:
    """On the way from `d` to `c` a limit goes down."""
    return s.wanted[c, p] < s.wanted[d, p]


@axiom
def the_second_has_room_for_three_kinds(s: Limits) -> Formula:
    """Fragment size, window and retry time are global; queue threshold and retry timer local."""
    three = (Kind.MAXIMUM_FRAGMENT_SIZE, Kind.MESSAGE_SEND_WINDOW, TIME)
    return forall(
        Parameter,
        lambda p: (
            implies(s.is_global[p], one_of(s.kind[p], *three))
            & implies(one_of(s.kind[p], *three), s.is_global[p])
        ),
    )


@axiom
def levels_are_not_negative(s: Limits) -> Formula:
    """No limit is less than nothing, which is what is under way at the start."""
    return forall(Change, Parameter, lambda c, p: s.wanted[c, p] >= 0)


@axiom
def starts_valid(s: Limits) -> Formula:
    """The limits at the start are valid together."""
    return forall(Change, lambda c: implies(c == Change.first, suits(s, c)))


@axiom
def one_move_a_turn(s: Limits) -> Formula:
    """In a turn one node switches, or what is under way drains."""
    return forall(
        Change,
        Change,
        Turn,
        Move,
        Move,
        Parameter,
        Parameter,
        lambda d, c, t, m, n, p, q: implies(
            s.stage[d, c, t, m, p] & s.stage[d, c, t, n, q], m == n
        ),
    )


@axiom
def switched_once(s: Limits) -> Formula:
    """On one way a node switches a limit in one turn only."""
    return forall(
        Change,
        Change,
        Turn,
        Turn,
        Move,
        Parameter,
        lambda d, c, t, u, m, p: implies(
            (m != Move.DRAIN) & s.stage[d, c, t, m, p] & s.stage[d, c, u, m, p], t == u
        ),
    )


@axiom
def no_turn_is_empty(s: Limits) -> Formula:
    """Before a turn in which something is done, something is done in every turn."""

    def is_used(d: Change, c: Change, t: Turn) -> Formula:
        return exists(Move, Parameter, lambda m, p: s.stage[d, c, t, m, p])

    def is_last(d: Change, c: Change, t: Turn) -> Formula:
        return forall(
            Turn, Move, Parameter, lambda u, m, p: implies(t < u, ~s.stage[d, c, u, m, p])
        )

    return forall(Change, Change, Turn, lambda d, c, t: is_used(d, c, t) | is_last(d, c, t))


@axiom
def every_limit_has_its_turns(s: Limits) -> Formula:
    """What changes is switched on both nodes if it is global, and drains if it goes down."""

    def has_turn(d: Change, c: Change, m: Term, p: Parameter) -> Formula:
        return exists(Turn, lambda t: s.stage[d, c, t, m, p])

    return every_way(
        lambda d, c: forall(
            Parameter,
            lambda p: (
                implies(s.wanted[d, p] != s.wanted[c, p], has_turn(d, c, Move.FIRST, p))
                & implies(
                    (s.wanted[d, p] != s.wanted[c, p]) & s.is_global[p],
                    has_turn(d, c, Move.SECOND, p),
                )
                & implies(
                    is_lowered(s, d, c, p) & (s.kind[p] != TIMER), has_turn(d, c, Move.DRAIN, p)
                )
            ),
        )
    )


def every_turn(says: Callable[[Change, Change, Parameter, Turn], Formula]) -> Formula:
    """Say something of each limit and each turn on any way."""
    return every_way(lambda d, c: forall(Parameter, Turn, lambda p, t: says(d, c, p, t)))


@axiom
def more_use_comes_last(s: Limits) -> Formula:
    """The first makes use of more room only after every turn of the second."""

    def after_all(d: Change, c: Change, t: Turn) -> Formula:
        return forall(
            Turn, Parameter, lambda u, q: implies(s.stage[d, c, u, Move.SECOND, q], u < t)
        )

    return every_turn(
        lambda d, c, p, t: implies(
            (s.wanted[d, p] < s.wanted[c, p])
            & (s.kind[p] != TIMER)
            & s.stage[d, c, t, Move.FIRST, p],
            after_all(d, c, t),
        )
    )


@axiom
def less_room_comes_last(s: Limits) -> Formula:
    """No turn of the second comes after one in which it makes less room."""

    def no_later(d: Change, c: Change, t: Turn) -> Formula:
        return forall(
            Turn, Parameter, lambda u, q: implies(s.stage[d, c, u, Move.SECOND, q], u <= t)
        )

    return every_turn(
        lambda d, c, p, t: implies(
            is_lowered(s, d, c, p) & s.stage[d, c, t, Move.SECOND, p], no_later(d, c, t)
        )
    )


def comes_before(
    s: Limits, m: Term, n: Term, when: Callable[[Change, Change, Parameter], Formula]
) -> Formula:
    """On any way, where `when` is so, the turns `m` of a limit come before its turns `n`."""

    def before(d: Change, c: Change, p: Parameter, t: Turn) -> Formula:
        return forall(Turn, lambda u: implies(s.stage[d, c, u, m, p], u < t))

    return every_turn(
        lambda d, c, p, t: implies(when(d, c, p) & s.stage[d, c, t, n, p], before(d, c, p, t))
    )


@axiom
def less_use_before_less_room(s: Limits) -> Formula:
    """A limit that goes down, the first has switched before the second does."""
    return comes_before(s, Move.FIRST, Move.SECOND, lambda d, c, p: is_lowered(s, d, c, p))


@axiom
def drained_before_less_room(s: Limits) -> Formula:
    """What is under way has drained before the second makes less room for it."""
    return comes_before(s, Move.DRAIN, Move.SECOND, lambda d, c, p: is_lowered(s, d, c, p))


@axiom
def drained_before_the_queue_is_shorter(s: Limits) -> Formula:
    """A queue has drained before its threshold goes down."""
    return comes_before(
        s,
        Move.DRAIN,
        Move.FIRST,
        lambda d, c, p: (s.kind[p] == QUEUE) & is_lowered(s, d, c, p),
    )


@axiom
def timer_and_time_together(s: Limits) -> Formula:
    """The first switches a retry timer and the retry time in one turn, if both change."""

    def together(d: Change, c: Change, t: Turn) -> Formula:
        return forall(
            Turn,
            Parameter,
            lambda u, q: implies((s.kind[q] == TIME) & s.stage[d, c, u, Move.FIRST, q], t == u),
        )

    return every_turn(
        lambda d, c, p, t: implies(
            (s.kind[p] == TIMER) & s.stage[d, c, t, Move.FIRST, p], together(d, c, t)
        )
    )
