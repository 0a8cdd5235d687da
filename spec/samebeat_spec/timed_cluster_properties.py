"""What the hardened change with heartbeats promises beside what ``cluster_properties`` does.

The formulas are those of ``watching_properties``.
"""

from __future__ import annotations

from samebeat_spec import watching_properties as watching
from samebeat_spec.cluster import has_open_change
from samebeat_spec.cluster_properties import no_quorum_left, quiescent
from samebeat_spec.group import Change, Node, Phase
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
from samebeat_spec.timed_cluster import TimedCluster
from samebeat_spec.watching import HEARTBEAT_INTERVAL
from samebeat_spec.watching_properties import envelopes_closed


def sends_as_decided(s: TimedCluster) -> Formula:
    """Who has no change open sends at the interval that it holds."""
    return forall(Node, lambda n: has_open_change(s, n) | (s.interval[n] == s.value[n]))


@invariant(claims=(*HEARTBEAT_INTERVAL, "C3"))
def no_mismatch_window(s: TimedCluster) -> Formula:
    """At every instant the deadline for each member suits the interval that the member uses."""
    return watching.timers_suit(s)


@invariant(claims=(*HEARTBEAT_INTERVAL, "1.preamble", "C3"))
def no_false_suspicion(s: TimedCluster) -> Formula:
    """Nobody suspects a member: all are alive."""
    return watching.nobody_suspected(s)


@invariant(claims=(*HEARTBEAT_INTERVAL, "C1"), internal=True)
def interval_of_both(s: TimedCluster) -> Formula:
    """Who has a change open sends as often as both values ask for, and otherwise as it holds."""

    def no_longer_than(n: Node, c: Change) -> Formula:
        used = s.interval_ticks[s.interval[n]]
        both = (used <= s.interval_ticks[s.asked[c]]) & (used <= s.interval_ticks[s.pre_image[n]])
        return both & ((s.interval[n] == s.asked[c]) | (s.interval[n] == s.pre_image[n]))

    is_open = forall(
        Node,
        Change,
        lambda n, c: implies(
            s.envelope & ((s.phase[n, c] == Phase.ACKED) | (s.phase[n, c] == Phase.APPLIED)),
            no_longer_than(n, c),
        ),
    )
    return is_open & sends_as_decided(s)


@step_property(claims=("C1", "C2"))
def tightener_defers(s: TimedCluster, t: TimedCluster) -> Formula:
    """Who tightens waits until the other side has room for it.

    A member sends less often only if its watcher already waits for long enough. A watcher waits
    for less only if that suits the interval that the member already uses.
    """
    return watching.tighteners_wait(s, t)


@step_property(claims=(*HEARTBEAT_INTERVAL, "1.preamble"))
def interval_kept(s: TimedCluster, t: TimedCluster) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    return watching.sends_in_time(s, t)


@always_reachable(claims=("C1", "C2"))
def envelopes_can_close(s: TimedCluster) -> Formula:
    """As long as there is a quorum all changes can end, and all timers use what is held."""
    return (quiescent(s) & envelopes_closed(s) & sends_as_decided(s)) | no_quorum_left(s)


@witness(claims=("C3",))
def an_interval_not_yet_in_use(s: TimedCluster) -> Formula:
    """A member has applied a longer interval and goes on sending as often as before."""
    return watching.applied_not_sent(s)


@witness(claims=("C1",))
def an_interval_in_use_already(s: TimedCluster) -> Formula:
    """A member that has not applied a shorter interval sends at it already."""
    return exists(
        Node,
        Change,
        lambda n, c: (s.phase[n, c] == Phase.ACKED) & (s.interval[n] != s.value[n]),
    )


@witness(claims=("C2",))
def an_envelope_after_an_undo(s: TimedCluster) -> Formula:
    """A watcher has undone the change and still waits for longer than what it holds says."""
    return watching.undone_and_waits(s) & quiescent(s)


@witness(claims=("C3",))
def confirmed_before_the_decision(s: TimedCluster) -> Formula:
    """A heartbeat tells a watcher that the change is decided, before all votes do."""
    return watching.told_by_heartbeat(s)
