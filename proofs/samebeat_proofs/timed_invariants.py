"""Why the heartbeat pair keeps its promises at all real times: what else is true of it.

Read from the top: the order of changes, changes that fail, what is safe for whom, and then how long
the second may have to wait. Times are compared and added, never multiplied.
"""

from __future__ import annotations

from samebeat_proofs.facts import Role, axiom, strengthening
from samebeat_proofs.timed_model import (
    Beat,
    Loss,
    RealPair,
    covers,
    longest,
    needed,
    none_on_its_way,
)
from samebeat_spec.heartbeat import FIRST, SECOND, Change, Policy, Rearming, widens
from samebeat_spec.language import Formula, exists, following, forall, implies, one_of

# --- what is assumed of the constants ----------------------------------------------------------


@axiom
def values_are_safe(s: RealPair) -> Formula:
    """SAFE: each deadline outlasts tolerated losses at the change's interval, and the delay."""
    return forall(Change, lambda c: covers(s, c, c))


@axiom
def times_are_times(s: RealPair) -> Formula:
    """No interval, drift or delay is negative."""
    return (s.delay_ticks >= 0) & forall(
        Change, lambda c: (s.interval_ticks[c] >= 0) & (s.drift_ticks[c] >= 0)
    )


@axiom
def losses_take_time(s: RealPair) -> Formula:
    """No losses take no time, and one more takes one interval more."""
    return forall(
        Loss,
        Loss,
        Change,
        lambda k, n, c: (
            (s.loss_ticks[Loss.first, c] == 0)
            & implies(n == following(k), s.loss_ticks[n, c] == s.loss_ticks[k, c] + longest(s, c))
        ),
    )


@axiom
def more_losses_take_longer(s: RealPair) -> Formula:
    """More losses in a row take no less time, and as many at longer intervals neither."""
    return forall(
        Loss,
        Loss,
        Change,
        lambda k, n, c: implies(k <= n, s.loss_ticks[k, c] <= s.loss_ticks[n, c]),
    ) & forall(
        Loss,
        Change,
        Change,
        lambda k, c, d: implies(
            longest(s, c) <= longest(s, d), s.loss_ticks[k, c] <= s.loss_ticks[k, d]
        ),
    )


@axiom
def rule_is_safe(s: RealPair) -> Formula:
    """The second goes first as in claim 19, or its timer keeps an envelope."""
    return one_of(s.policy, Policy.SECOND_FIRST, Policy.ENVELOPE, Policy.SECOND_ENVELOPE)


@axiom
def claim_19_only_raises(s: RealPair) -> Formula:
    """Where claim 19 is taken to the letter, no change shortens the deadline."""
    return implies(
        s.policy == Policy.SECOND_FIRST,
        forall(
            Change, Change, lambda c, d: implies(c < d, s.deadline_ticks[c] <= s.deadline_ticks[d])
        ),
    )


@axiom
def drift_grows(s: RealPair) -> Formula:
    """Where the first compares intervals, the shorter one is also over earlier with its drift."""
    return implies(
        s.policy == Policy.ENVELOPE,
        forall(
            Change,
            Change,
            lambda c, d: implies(
                s.interval_ticks[c] <= s.interval_ticks[d], longest(s, c) <= longest(s, d)
            ),
        ),
    )


@axiom
def timers_follow(s: RealPair) -> Formula:
    """A longer interval is measured from the last heartbeat, not from when it was learnt of."""
    return s.rearming != Rearming.RESTART


@axiom
def flag_means_switched(s: RealPair) -> Formula:
    """Heartbeats call a change recorded only when it is."""
    return ~s.states_requests


# --- the order of changes ----------------------------------------------------------------------


@strengthening("what is asked for next must be newer than all that anybody knows")
def nothing_before_asked(s: RealPair) -> Formula:
    """Nobody has recorded, answered or heard of what was not asked for."""
    return (
        (s.recorded[FIRST] <= s.asked)
        & (s.answered <= s.asked)
        & (s.heard <= s.asked)
        & (s.recorded[SECOND] <= s.answered)
    )


@strengthening("what a heartbeat tells the second must have been asked for")
def beats_say_what_was_asked(s: RealPair) -> Formula:
    """A heartbeat on its way speaks of what was asked for, and recorded, when it was sent."""
    return forall(
        Beat,
        lambda b: implies(
            s.on_its_way[b],
            (s.beat_asked[b] <= s.asked) & (s.beat_recorded[b] <= s.recorded[FIRST]),
        ),
    )


@strengthening("the first may follow on an ack: then the second must have what it follows to")
def acked_is_recorded(s: RealPair) -> Formula:
    """What the second has acked, it has recorded, or a later change, or it has failed."""
    return forall(Change, lambda c: implies(s.acked[c] & ~s.failed[c], c <= s.recorded[SECOND]))


@strengthening("the first must have nothing that the second has not")
def first_has_acked(s: RealPair) -> Formula:
    """What the first has recorded was acked, and has not failed."""
    return s.acked[s.recorded[FIRST]] & ~s.failed[s.recorded[FIRST]]


# --- changes that fail -------------------------------------------------------------------------


@strengthening("a change that is asked for must not have failed before")
def failed_was_asked(s: RealPair) -> Formula:
    """What has failed was asked for, where changes may fail."""
    return forall(Change, lambda c: implies(s.failed[c], s.may_fail & (c <= s.asked)))


@strengthening("an undo must lead back to what the first has recorded, whatever was skipped")
def one_open_change(s: RealPair) -> Formula:
    """Where changes may fail, all between what the first has recorded and the last have failed."""
    return forall(
        Change,
        lambda c: implies(s.may_fail & (s.recorded[FIRST] < c) & (c < s.asked), s.failed[c]),
    )


@strengthening("an undo must lead back to what the first has recorded")
def pre_image_is_recorded(s: RealPair) -> Formula:
    """Where the second is ahead and a change may fail, its pre-image is what the first has."""
    return implies(
        s.may_fail & (s.recorded[FIRST] < s.recorded[SECOND]),
        s.pre_image == s.recorded[FIRST],
    )


# --- what is safe for whom ---------------------------------------------------------------------


@strengthening("the interval that the first uses must be no longer than what it has recorded")
def first_uses_recorded(s: RealPair) -> Formula:
    """The first uses what it has recorded; with an envelope of its own, nothing longer."""
    both = s.policy == Policy.ENVELOPE
    return implies(~both, s.effective[FIRST] == s.recorded[FIRST]) & implies(
        both, s.interval_ticks[s.effective[FIRST]] <= s.interval_ticks[s.recorded[FIRST]]
    )


@strengthening("an ack that comes late must not make the first's recorded interval too short")
def first_keeps_the_shortest(s: RealPair) -> Formula:
    """With an envelope of its own the first uses nothing longer than any change that is open."""
    return implies(
        (s.policy == Policy.ENVELOPE) & ~s.may_fail,
        forall(
            Change,
            lambda c: implies(
                (s.recorded[FIRST] <= c) & (c <= s.asked),
                s.interval_ticks[s.effective[FIRST]] <= s.interval_ticks[c],
            ),
        ),
    )


@strengthening("claim 19 has no envelope: what the second uses is what it has recorded")
def second_uses_recorded(s: RealPair) -> Formula:
    """Without an envelope the second uses what it has recorded; with one, nothing shorter."""
    return implies(~widens(s), s.effective[SECOND] == s.recorded[SECOND]) & (
        s.deadline_ticks[s.recorded[SECOND]] <= s.deadline_ticks[s.effective[SECOND]]
    )


@strengthening("the first may go to whatever was acked, at once")
def acked_is_covered(s: RealPair) -> Formula:
    """No deadline in use is shorter than that of what the first has, or may still follow to."""
    return forall(
        Change,
        lambda c: implies(
            s.acked[c] & ~s.failed[c] & (s.recorded[FIRST] <= c),
            (s.deadline_ticks[c] <= s.deadline_ticks[s.effective[SECOND]])
            & (s.deadline_ticks[c] <= s.deadline_ticks[s.armed[SECOND]]),
        ),
    )


@strengthening("a running send timer may still be that of an older, longer interval")
def used_is_longest(s: RealPair) -> Formula:
    """No interval in use lasts longer than the longest one since the envelope closed."""
    return forall(
        Change,
        lambda c: implies(
            (s.armed[FIRST] == c) | (s.effective[FIRST] == c) | (s.recorded[FIRST] == c),
            longest(s, c) <= longest(s, s.longest_used),
        ),
    )


@strengthening("the second must wait for what was sent before the last switch too")
def used_is_covered(s: RealPair) -> Formula:
    """The deadlines in use suit the longest interval since the envelope closed."""
    return covers(s, s.effective[SECOND], s.longest_used) & covers(
        s, s.armed[SECOND], s.longest_used
    )


@strengthening("an undo of claim 19 shortens the deadline, to what still suits all intervals used")
def used_is_older(s: RealPair) -> Formula:
    """Without an envelope, what was used is no newer than what the first has recorded."""
    return implies(~widens(s), s.longest_used <= s.recorded[FIRST])


@strengthening("when an envelope closes, no older and longer interval may be running")
def beats_of_recorded(s: RealPair) -> Formula:
    """If a heartbeat on its way states what the first has recorded, no longer interval is left."""
    return forall(
        Beat,
        lambda b: implies(
            s.on_its_way[b] & (s.beat_recorded[b] == s.recorded[FIRST]),
            (longest(s, s.armed[FIRST]) <= longest(s, s.recorded[FIRST]))
            & implies(s.alive, s.since_sent_ticks <= longest(s, s.recorded[FIRST])),
        ),
    )


# --- how long the second waits -----------------------------------------------------------------


@strengthening("clocks that run backwards would make anything late")
def clocks_count_up(s: RealPair) -> Formula:
    """No clock is negative, and no heartbeat has been on its way for longer than the delay."""
    return (
        (s.since_sent_ticks >= 0)
        & (s.since_heard_ticks >= 0)
        & forall(
            Beat,
            lambda b: implies(
                s.on_its_way[b], (s.age_ticks[b] >= 0) & (s.age_ticks[b] <= s.delay_ticks)
            ),
        )
    )


@strengthening("no more may be lost than is tolerated")
def losses_within_bound(s: RealPair) -> Formula:
    """No more losses are left than are tolerated."""
    return s.losses_left <= s.tolerated_losses


@strengthening("the next heartbeat must go out in time")
def sends_in_time(s: RealPair) -> Formula:
    """A first that is alive has sent within the longest interval used."""
    return implies(s.alive, s.since_sent_ticks <= longest(s, s.longest_used))


@strengthening("while nothing is on its way, only losses may have passed since the last arrival")
def silence_is_losses(s: RealPair) -> Formula:
    """If nothing is on its way, the second has waited no longer than the losses so far take.

    So long and the time since the last heartbeat was sent, at any interval as long as those used.
    """
    return implies(
        s.alive & none_on_its_way(s),
        forall(
            Change,
            lambda c: implies(
                longest(s, s.longest_used) <= longest(s, c),
                s.since_heard_ticks + s.loss_ticks[s.losses_left, c]
                <= s.since_sent_ticks + s.loss_ticks[s.tolerated_losses, c],
            ),
        ),
    )


@strengthening("a heartbeat on its way must come in time")
def one_comes_in_time(s: RealPair) -> Formula:
    """If something is on its way, one of it was sent after all tolerated losses at most."""
    in_time = exists(
        Beat,
        lambda b: (
            s.on_its_way[b]
            & (
                s.since_heard_ticks
                <= s.age_ticks[b]
                + longest(s, s.longest_used)
                + s.loss_ticks[s.tolerated_losses, s.longest_used]
            )
        ),
    )
    return implies(s.alive & ~none_on_its_way(s), in_time)


# --- a crash -----------------------------------------------------------------------------------


@strengthening("what is on its way when the first crashes may still make the second wait again")
def crash_after_sending(s: RealPair) -> Formula:
    """Nothing is sent after a crash, and nothing arrives later than the delay after it."""
    return implies(
        ~s.alive & ~s.suspected, s.since_crash_ticks <= s.since_heard_ticks + s.delay_ticks
    ) & (
        forall(
            Beat,
            lambda b: implies(
                ~s.alive & ~s.suspected & s.on_its_way[b], s.since_crash_ticks <= s.age_ticks[b]
            ),
        )
    )


@strengthening("the clock of a crash must begin with the crash")
def no_crash_no_clock(s: RealPair) -> Formula:
    """While the first is alive, its crash has lasted for no time."""
    return implies(s.alive, s.since_crash_ticks == 0)


@strengthening("an unsuspected node is one whose deadline has not passed")
def deadline_not_passed(s: RealPair) -> Formula:
    """Unless it suspects, the second has waited no longer than its deadline."""
    return implies(~s.suspected, s.since_heard_ticks <= s.deadline_ticks[s.armed[SECOND]])


@strengthening("a first that crashes late leaves nothing that could still change the deadline")
def settled_before_late_crash(s: RealPair) -> Formula:
    """If crashes come late, all is settled after one."""
    return implies(
        ~s.alive & ~s.crashes_early,
        forall(Change, lambda c: c <= s.asked)
        & (s.recorded[FIRST] == s.recorded[SECOND])
        & (s.effective[SECOND] == s.recorded[SECOND])
        & (s.armed[SECOND] == s.recorded[SECOND])
        & (s.answered == s.asked),
    )


@strengthening(
    "a deadline passes or is moved in a step, and what counts is the silence after it",
    role=Role.STEP,
)
def silence_stays_short(s: RealPair, t: RealPair) -> Formula:
    """As long as the first is alive, the second never waits for longer than SAFE allows."""
    return implies(s.alive & t.alive, t.since_heard_ticks <= needed(s, t.longest_used))
