"""What the heartbeat pair promises, and what must be possible in it.

Names are those of the design and part of the interface: reports, proofs and replays use them.
A mismatch of values is latent; a suspicion of a live node is the harm that it may do. An instance
whose ``values_count`` is false judges the harm only.
"""

from __future__ import annotations

from samebeat_spec.heartbeat import (
    DEADLINE,
    DEFER,
    FIRST,
    INTERVAL,
    LATEST,
    PREVIOUS,
    SECOND,
    SECOND_MODIFIES,
    Change,
    Flight,
    Heartbeat,
    Ticks,
    TimedPair,
    all_settled,
    may_send,
    settled,
    too_long_dead,
    widens,
    withdrawn,
)
from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    forall,
    implies,
    invariant,
    ite,
    step_property,
    terminal,
    witness,
)

SAFE = (*INTERVAL, *DEADLINE)


def covers(s: TimedPair, d: Change, c: Change) -> Formula:
    """SAFE: the deadline of `d` outlasts tolerated losses at the interval of `c`, and the delay.

    The interval is the longest that it may last, with its drift.
    """
    t: Ticks = s.interval_ticks[c] + s.drift_ticks[c]
    two: Ticks = t + t
    few, many = ite(s.tolerated == 0, t, two), ite(s.tolerated == 2, two + t, two + two)
    needed: Ticks = ite(s.tolerated <= 1, few, many) + s.delay_ticks
    return needed <= s.deadline_ticks[d]


@invariant(claims=(*SAFE, "3.combinations", "C1"))
def no_mismatch_window(s: TimedPair) -> Formula:
    """At every instant the effective deadline suits the effective interval."""
    return forall(
        Change,
        Change,
        lambda c, d: implies(
            s.values_count & (s.effective[FIRST] == c) & (s.effective[SECOND] == d),
            covers(s, d, c),
        ),
    )


@invariant(claims=("C1",))
def armed_within_effective(s: TimedPair) -> Formula:
    """Each running timer suits what the other node's timer may be set to next."""
    return forall(
        Change,
        Change,
        lambda c, d: (
            implies(
                s.values_count & (s.armed[FIRST] == c) & (s.effective[SECOND] == d),
                covers(s, d, c),
            )
            & implies(
                s.values_count & (s.effective[FIRST] == c) & (s.armed[SECOND] == d),
                covers(s, d, c),
            )
        ),
    )


@invariant(claims=(*SAFE, *DEFER, "C1"))
def no_false_suspicion(s: TimedPair) -> Formula:
    """Nobody suspects a node that is alive."""
    return ~(s.alive & s.suspected)


@invariant(claims=("C1",))
def detection_bounded(s: TimedPair) -> Formula:
    """A crash is suspected within the longest deadline and the largest delay."""
    return implies(~s.alive, ~too_long_dead(s))


@invariant(claims=("C1",))
def detection_as_recorded(s: TimedPair) -> Formula:
    """Once all is settled, a crash is suspected within the recorded deadline and the delay.

    So a shorter deadline is not only recorded: it is what the second waits for.
    """
    longest: Ticks = s.deadline_ticks[s.recorded[SECOND]] + s.delay_ticks
    late = longest < s.since_crash_ticks
    return implies(~s.alive & ~s.crashes_early & ~s.suspected, ~late)


@step_property(claims=(*DEFER, *SECOND_MODIFIES, "C1"))
def tightener_defers(s: TimedPair, t: TimedPair) -> Formula:
    """Who tightens waits: an interval grows once the deadline suits it, and the other way round.

    The first sends less often only after an ack. The second waits for less only after the first
    has recorded a change that allows it, or if that suits the interval in use anyhow.
    """
    first, second = s.effective[FIRST], s.effective[SECOND]
    grows = s.interval_ticks[first] < t.interval_ticks[t.effective[FIRST]]
    shrinks = t.deadline_ticks[t.effective[SECOND]] < s.deadline_ticks[second]
    moved = t.effective[SECOND] <= s.recorded[FIRST]
    return implies(s.values_count & grows, s.acked[t.effective[FIRST]]) & implies(
        s.values_count & shrinks, moved | covers(s, t.effective[SECOND], first)
    )


@step_property(claims=("3.heartbeat_interval",))
def interval_kept(s: TimedPair, t: TimedPair) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    sent = exists(
        Heartbeat, lambda h: (s.flight[h] != Flight.IN_FLIGHT) & (t.flight[h] == Flight.IN_FLIGHT)
    )
    return implies(sent, may_send(s))


@step_property(claims=("C5",))
def stopped_for_good(s: TimedPair, t: TimedPair) -> Formula:
    """A first that has stopped asks for nothing, follows nothing and sets no timer."""
    records = (t.asked == s.asked) & (t.recorded[FIRST] == s.recorded[FIRST])
    timer = (t.effective[FIRST] == s.effective[FIRST]) & (t.armed[FIRST] == s.armed[FIRST])
    return implies(~s.alive, ~t.alive & records & timer)


@always_reachable(claims=DEFER)
def quiescence_reachable(s: TimedPair) -> Formula:
    """Whatever has happened, the pair can still settle on what was asked for last.

    Where the first may crash early this says nothing: a crash is always within reach.
    """
    return settled(s) | (s.crashes_early & ~s.alive)


@terminal
def crash_known(s: TimedPair) -> Formula:
    """The first has crashed and the second suspects it."""
    return ~s.alive & s.suspected


# --- what must be possible -------------------------------------------------------------------


@witness(claims=DEFER)
def a_deferral(s: TimedPair) -> Formula:
    """The second has modified what the first has asked for, and the first has not."""
    return (s.recorded[FIRST] < s.recorded[SECOND]) & (s.recorded[SECOND] == s.asked)


@witness(claims=("C1",))
def all_changes_settled(s: TimedPair) -> Formula:
    """The last change is settled."""
    return all_settled(s)


@witness(claims=("C1",))
def an_open_envelope(s: TimedPair) -> Formula:
    """The second waits for longer than it has recorded."""
    return widens(s) & (s.effective[SECOND] != s.recorded[SECOND])


@witness(claims=("C1", "C2"))
def a_second_change_before_the_first_is_confirmed(s: TimedPair) -> Formula:
    """The second has modified twice, and no heartbeat says that the first has modified once."""
    return exists(
        Change,
        lambda c: (Change.first < c) & (c < s.recorded[SECOND]) & (s.stated < c) & s.acked[c],
    )


@witness(claims=("C1",))
def a_heartbeat_overtaken(s: TimedPair) -> Formula:
    """Two heartbeats are on their way at once, so that the later one may come first."""
    return forall(Heartbeat, lambda h: s.flight[h] == Flight.IN_FLIGHT)


@witness(claims=("C1",))
def a_tolerated_loss(s: TimedPair) -> Formula:
    """A heartbeat was lost and the next one has arrived."""
    return (s.flight[PREVIOUS] == Flight.LOST) & (s.flight[LATEST] == Flight.DONE)


@witness(claims=("C1",))
def a_detection_as_late_as_can_be(s: TimedPair) -> Formula:
    """The first has been dead for the longest deadline and the largest delay, unsuspected."""
    return (
        ~s.alive
        & ~s.suspected
        & forall(Change, lambda c: s.deadline_ticks[c] + s.delay_ticks <= s.since_crash_ticks)
    )


@witness(claims=("C1",))
def a_last_moment_arrival(s: TimedPair) -> Formula:
    """A heartbeat arrives, or may still, when the deadline is due and has not passed."""
    return (
        s.alive
        & ~s.suspected
        & (s.since_heard_ticks == s.deadline_ticks[s.armed[SECOND]])
        & (s.flight[LATEST] == Flight.IN_FLIGHT)
    )


@witness(claims=("C1",))
def a_slow_interval(s: TimedPair) -> Formula:
    """An interval has lasted for as long as the drift allows, and that is longer than T."""
    c = s.armed[FIRST]
    longest: Ticks = s.interval_ticks[c] + s.drift_ticks[c]
    return s.alive & (s.interval_ticks[c] < longest) & (s.since_sent_ticks == longest)


@witness(claims=("C2",))
def a_failure_after_the_second_has_modified(s: TimedPair) -> Formula:
    """What the second has recorded has failed; the first has withdrawn it, the second has not."""
    return s.failed[s.recorded[SECOND]] & withdrawn(s)


@witness(claims=("C1", "C2"))
def a_deadline_still_long_after_an_undo(s: TimedPair) -> Formula:
    """The second has gone back and still waits for longer than it has recorded."""
    return (s.recorded[SECOND] < s.answered) & exists(
        Change,
        lambda c: (
            (s.recorded[SECOND] == c)
            & (s.deadline_ticks[c] < s.deadline_ticks[s.effective[SECOND]])
        ),
    )


@witness(claims=("C2",))
def a_change_after_one_that_failed(s: TimedPair) -> Formula:
    """One change has failed, and both have recorded a later one."""
    return exists(Change, lambda c: s.failed[c] & (c < s.recorded[FIRST])) & (
        s.recorded[FIRST] == s.recorded[SECOND]
    )
