"""What watching acks promises, and what must be possible in it.

Names are those of the design and part of the interface: reports, proofs and replays use them.
An instance whose ``values_count`` is false judges the harm only, and not the mismatch of values
that may lead to it. Here a mismatch need not come first: see decision 0011.
"""

from __future__ import annotations

from samebeat_spec.acks import (
    LATEST,
    PREVIOUS,
    VALUES,
    AckedPair,
    Exchange,
    Heartbeat,
    Policy,
    Values,
    counts,
    heartbeat_due,
    settled,
    times,
    too_long_dead,
)
from samebeat_spec.heartbeat import Ticks
from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    forall,
    implies,
    invariant,
    step_property,
    terminal,
    witness,
)


def suits(s: AckedPair, v: Values, w: Values) -> Formula:
    """The deadline of `w` outlasts tolerated losses at the interval of `v`, and a round trip."""
    t: Ticks = s.interval_ticks[v]
    needed: Ticks = times(s.tolerated, t) + t + s.round_trip_ticks
    return needed <= s.wait_ticks[w]


@invariant(claims=(*VALUES, "C1"))
def no_mismatch_window(s: AckedPair) -> Formula:
    """At every instant the values suit each other, those that timers run with included.

    COUNT: no time-out that runs is shorter than a round trip, and the threshold exceeds the
    tolerated losses. DEADLINE: the running deadline suits the running send timer.
    """
    timeouts = forall(
        Heartbeat,
        lambda h: implies(s.waits[h], s.round_trip_ticks <= s.wait_ticks[s.timeout_armed[h]]),
    )
    counted = timeouts & (s.tolerated < s.threshold[s.recorded])
    deadline = suits(s, s.send_armed, s.deadline_armed)
    return implies(s.values_count, (counts(s) & counted) | (~counts(s) & deadline))


@invariant(claims=(*VALUES, "C1"))
def no_false_suspicion(s: AckedPair) -> Formula:
    """Nobody suspects a node that is alive."""
    return ~(s.alive & s.suspected)


@invariant(claims=(*VALUES, "C1"))
def detection_bounded(s: AckedPair) -> Formula:
    """A crash is suspected in time.

    COUNT: within the largest threshold times the longest interval, and the longest time-out.
    DEADLINE: within the longest deadline and the largest delay of an ack.
    """
    return implies(~s.alive, ~too_long_dead(s))


@step_property(claims=("3.heartbeat_interval",))
def interval_kept(s: AckedPair, t: AckedPair) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    sent = exists(
        Heartbeat,
        lambda h: (s.exchange[h] != Exchange.UNDER_WAY) & (t.exchange[h] == Exchange.UNDER_WAY),
    )
    return implies(sent, heartbeat_due(s))


@always_reachable(claims=("C1",))
def quiescence_reachable(s: AckedPair) -> Formula:
    """Whatever has happened, all that runs can still be set to the last values.

    Where the second may crash early this says nothing: a crash is always within reach.
    """
    return settled(s) | (s.crashes_early & ~s.alive)


@terminal
def crash_known(s: AckedPair) -> Formula:
    """The second has crashed and the first suspects it."""
    return ~s.alive & s.suspected


# --- what must be possible -------------------------------------------------------------------


@witness(claims=("C1",))
def all_changes_settled(s: AckedPair) -> Formula:
    """All that runs is set to the last values."""
    return settled(s)


@witness(claims=("C1",))
def an_open_envelope(s: AckedPair) -> Formula:
    """The first waits for longer than it has recorded, beyond the next ack."""
    return (s.policy == Policy.ENVELOPE) & (s.deadline_armed != s.recorded)


@witness(claims=("C1",))
def an_ack_overtaken(s: AckedPair) -> Formula:
    """Two exchanges are under way at once, so that the later ack may come first."""
    return forall(Heartbeat, lambda h: s.exchange[h] == Exchange.UNDER_WAY)


@witness(claims=("C1",))
def a_tolerated_loss(s: AckedPair) -> Formula:
    """A heartbeat went without an ack and the next one was acked."""
    return (s.exchange[PREVIOUS] == Exchange.LOST) & (s.exchange[LATEST] == Exchange.DONE) & s.alive


@witness(claims=("3.heartbeat_ack_failure_threshold",))
def as_many_misses_as_tolerated(s: AckedPair) -> Formula:
    """Every tolerated loss was counted and the second lives unsuspected."""
    return counts(s) & s.alive & ~s.suspected & (s.misses == s.tolerated) & (s.misses != 0)


@witness(claims=("C1",))
def a_last_moment_ack(s: AckedPair) -> Formula:
    """An ack comes, or may still, when its time-out or the deadline is due and has not passed."""
    under_way = s.exchange[LATEST] == Exchange.UNDER_WAY
    timeout = s.wait_ticks[s.timeout_armed[LATEST]] == s.since_sent_ticks[LATEST]
    deadline = s.wait_ticks[s.deadline_armed] == s.since_acked_ticks
    due = (s.waits[LATEST] & timeout) | (~counts(s) & deadline)
    return s.alive & ~s.suspected & due & under_way


@witness(claims=("C1",))
def a_detection_as_late_as_can_be(s: AckedPair) -> Formula:
    """The second has been dead for as long as the bound allows, unsuspected."""
    counted = forall(
        Values,
        Values,
        Values,
        lambda u, v, w: (
            times(s.threshold[u], s.interval_ticks[v]) + s.wait_ticks[w] <= s.since_crash_ticks
        ),
    )
    waited = forall(Values, lambda v: s.wait_ticks[v] + s.delay_ticks <= s.since_crash_ticks)
    return ~s.alive & ~s.suspected & ((counts(s) & counted) | (~counts(s) & waited))
