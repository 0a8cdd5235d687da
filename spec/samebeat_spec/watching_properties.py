"""What members that watch each other promise, whatever the group change beside it is like.

Each formula stands here once. Under which name a composition promises it, and with which claims,
is said there: in ``composed_properties`` and ``timed_cluster_properties``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebeat_spec.group import Change, Node, Phase, Value
from samebeat_spec.heartbeat import Flight, Heartbeat, Ticks
from samebeat_spec.language import Formula, exists, forall, implies, ite
from samebeat_spec.watching import heartbeat_due

if TYPE_CHECKING:
    from samebeat_spec.watching import Members


def covers(s: Members, u: Value, v: Value) -> Formula:
    """SAFE: the deadline of `u` outlasts tolerated losses at the interval of `v`, and the delay."""
    t: Ticks = s.interval_ticks[v]
    two: Ticks = t + t
    few, many = ite(s.tolerated == 0, t, two), ite(s.tolerated == 2, two + t, two + two)
    needed: Ticks = ite(s.tolerated <= 1, few, many) + s.delay_ticks
    return needed <= s.deadline_ticks[u]


def envelope_closed(s: Members, n: Node) -> Formula:
    """The watcher of `n` waits for as long as the value that it holds says."""
    return s.deadline[n] == s.value[s.watcher[n]]


def envelopes_closed(s: Members) -> Formula:
    """All watchers wait for as long as the values that they hold say."""
    return forall(Node, lambda n: envelope_closed(s, n))


def timers_suit(s: Members) -> Formula:
    """The deadline for each member suits the interval that the member uses."""
    return forall(Node, lambda n: implies(s.values_count, covers(s, s.deadline[n], s.sends_as(n))))


def nobody_suspected(s: Members) -> Formula:
    """No deadline has passed."""
    return forall(Node, lambda n: ~s.suspected[n])


def tighteners_wait(s: Members, t: Members) -> Formula:
    """Whose timer gets tighter in a step has room for it on the other side."""

    def interval(r: Members, n: Node) -> Ticks:
        return r.interval_ticks[r.sends_as(n)]

    def waits(r: Members, n: Node) -> Ticks:
        return r.deadline_ticks[r.deadline[n]]

    return forall(
        Node,
        lambda n: (
            implies(
                s.values_count & (interval(s, n) < interval(t, n)),
                covers(s, s.deadline[n], t.sends_as(n)),
            )
            & implies(
                s.values_count & (waits(t, n) < waits(s, n)),
                covers(s, t.deadline[n], s.sends_as(n)),
            )
        ),
    )


def sends_in_time(s: Members, t: Members) -> Formula:
    """A heartbeat that is on its way after a step, and was not before, was due."""
    return forall(
        Node,
        Heartbeat,
        lambda n, h: implies(
            (s.flight[n, h] != Flight.IN_FLIGHT) & (t.flight[n, h] == Flight.IN_FLIGHT),
            heartbeat_due(s, n),
        ),
    )


# --- what must be possible -------------------------------------------------------------------


def applied_not_sent(s: Members) -> Formula:
    """A member has applied a change and sends at another interval than it holds."""
    return exists(
        Node,
        Change,
        lambda n, c: (s.phase[n, c] == Phase.APPLIED) & (s.sends_as(n) != s.value[n]),
    )


def undone_and_waits(s: Members) -> Formula:
    """A watcher has undone a change, and some watcher waits for longer than it holds."""
    undone = exists(Node, Change, lambda n, c: s.phase[s.watcher[n], c] == Phase.UNDONE)
    return undone & exists(Node, lambda n: ~envelope_closed(s, n))


def told_by_heartbeat(s: Members) -> Formula:
    """A watcher has narrowed its deadline for a change that is decided, and not by itself yet."""
    return exists(
        Node,
        Change,
        lambda n, c: (
            (s.phase[s.watcher[n], c] == Phase.APPLIED)
            & (s.phase[n, c] == Phase.COMMITTED)
            & (s.deadline[n] == s.asked[c])
        ),
    )
