"""What the composition promises beside what the group change does, and what must be possible.

All promises of ``group_properties`` are promises of the composition too.
"""

from __future__ import annotations

from samebeat_spec.composed import (
    HEARTBEAT_INTERVAL,
    Composed,
    heartbeat_due,
    sends_as,
)
from samebeat_spec.group import Change, Node, Phase, Value, is_open, quiescent
from samebeat_spec.heartbeat import Flight, Heartbeat, Ticks
from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    forall,
    implies,
    invariant,
    ite,
    one_of,
    step_property,
    terminal,
    witness,
)


def covers(s: Composed, u: Value, v: Value) -> Formula:
    """SAFE: the deadline of `u` outlasts tolerated losses at the interval of `v`, and the delay."""
    t: Ticks = s.interval_ticks[v]
    two: Ticks = t + t
    few, many = ite(s.tolerated == 0, t, two), ite(s.tolerated == 2, two + t, two + two)
    needed: Ticks = ite(s.tolerated <= 1, few, many) + s.delay_ticks
    return needed <= s.deadline_ticks[u]


def envelope_closed(s: Composed, n: Node) -> Formula:
    """The watcher of `n` waits for as long as the value that it holds says."""
    return s.deadline[n] == s.value[s.watcher[n]]


def settled(s: Composed) -> Formula:
    """No member has an open change, and all timers use what is held."""
    return quiescent(s) & forall(Node, lambda n: envelope_closed(s, n))


@invariant(claims=(*HEARTBEAT_INTERVAL, "C3"))
def no_mismatch_window(s: Composed) -> Formula:
    """At every instant the deadline for each member suits the interval that the member uses."""
    return forall(Node, lambda n: implies(s.values_count, covers(s, s.deadline[n], sends_as(s, n))))


@invariant(claims=(*HEARTBEAT_INTERVAL, "1.preamble", "C3"))
def no_false_suspicion(s: Composed) -> Formula:
    """Nobody suspects a member: all are alive."""
    return forall(Node, lambda n: ~s.suspected[n])


@step_property(claims=("C1", "C2"))
def tightener_defers(s: Composed, t: Composed) -> Formula:
    """Who tightens waits until the other side has room for it.

    A member sends less often only if its watcher already waits for long enough. A watcher waits
    for less only if that suits the interval that the member already uses.
    """

    def interval(r: Composed, n: Node) -> Ticks:
        return r.interval_ticks[sends_as(r, n)]

    def waits(r: Composed, n: Node) -> Ticks:
        return r.deadline_ticks[r.deadline[n]]

    return forall(
        Node,
        lambda n: (
            implies(
                s.values_count & (interval(s, n) < interval(t, n)),
                covers(s, s.deadline[n], sends_as(t, n)),
            )
            & implies(
                s.values_count & (waits(t, n) < waits(s, n)),
                covers(s, t.deadline[n], sends_as(s, n)),
            )
        ),
    )


@step_property(claims=(*HEARTBEAT_INTERVAL, "1.preamble"))
def interval_kept(s: Composed, t: Composed) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    return forall(
        Node,
        Heartbeat,
        lambda n, h: implies(
            (s.flight[n, h] != Flight.IN_FLIGHT) & (t.flight[n, h] == Flight.IN_FLIGHT),
            heartbeat_due(s, n),
        ),
    )


@always_reachable(claims=("C1", "C2"))
def envelopes_can_close(s: Composed) -> Formula:
    """Whatever has happened, all changes can end and all timers use what is held."""
    return settled(s)


@terminal
def all_decided(s: Composed) -> Formula:
    """Every change is decided by every member, and all timers use what is held."""
    return settled(s) & forall(
        Node, Change, lambda n, c: one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE)
    )


@witness(claims=("C3",))
def an_interval_not_yet_in_use(s: Composed) -> Formula:
    """A member has applied a new interval and goes on sending as often as before."""
    return exists(
        Node,
        Change,
        lambda n, c: (s.phase[n, c] == Phase.APPLIED) & (sends_as(s, n) != s.value[n]),
    )


@witness(claims=("C2",))
def an_envelope_after_an_undo(s: Composed) -> Formula:
    """A watcher has undone the change and still waits for longer than what it holds says."""
    return (
        exists(Node, Change, lambda n, c: s.phase[s.watcher[n], c] == Phase.UNDONE)
        & exists(Node, lambda n: ~envelope_closed(s, n))
        & quiescent(s)
    )


@witness(claims=("C3",))
def confirmed_before_the_decision(s: Composed) -> Formula:
    """A heartbeat tells a watcher that the change is decided, before all statuses do."""
    return exists(
        Node,
        Change,
        lambda n, c: (
            is_open(s, s.watcher[n], c)
            & (s.phase[s.watcher[n], c] == Phase.APPLIED)
            & (s.phase[n, c] == Phase.COMMITTED)
            & (s.deadline[n] == s.asked[c])
        ),
    )
