"""SAFE is tight: below it by however little, a live node is suspected, without any change.

A run for every interval, drift, delay, number of losses and deadline that is too short: a heartbeat
arrives at once; all that may be lost is lost, each after the longest interval; the next heartbeat
takes the largest delay, and the deadline passes. The parts in between are repeated: once for each
loss, and once for each interval that the delay is longer than. An interval is longer than no time,
and losses are a number, so that ends; that the parts follow each other is read off here, not asked
of the solver.
"""

from __future__ import annotations

from samebeat_proofs.courses import Told, part
from samebeat_proofs.facts import Fact, Role
from samebeat_proofs.timed_model import Beat, Loss, RealPair, longest, needed, none_on_its_way
from samebeat_spec.heartbeat import FIRST, SECOND, Change, Ticks
from samebeat_spec.language import Formula, following, forall, implies
from samebeat_spec.language.definitions import record_property


def is_short(s: RealPair) -> Formula:
    """The deadline that runs is shorter than SAFE, by any amount, and an interval takes time."""
    deadline: Ticks = s.deadline_ticks[s.armed[SECOND]]
    return (longest(s, s.armed[FIRST]) > 0) & (deadline < needed(s, s.armed[FIRST]))


def only_losses(s: RealPair) -> Formula:
    """Since the last arrival each heartbeat was lost, each after the longest interval."""
    c = s.armed[FIRST]
    heard: Ticks = s.since_heard_ticks + s.loss_ticks[s.losses_left, c]
    return (
        s.alive
        & none_on_its_way(s)
        & (s.effective[FIRST] == c)
        & (s.since_sent_ticks == 0)
        & (heard == s.loss_ticks[s.tolerated_losses, c])
        & is_short(s)
    )


def on_its_last_way(s: RealPair, b: Beat) -> Formula:
    """After all losses `b` was sent, and no other heartbeat arrives before it."""
    c = s.armed[FIRST]
    waited: Ticks = s.age_ticks[b] + longest(s, c) + s.loss_ticks[s.tolerated_losses, c]
    return (
        s.alive
        & s.on_its_way[b]
        & (s.effective[FIRST] == c)
        & (s.since_sent_ticks == 0)
        & (s.age_ticks[b] >= 0)
        & (s.age_ticks[b] <= s.delay_ticks)
        & (s.since_heard_ticks == waited)
        & forall(Beat, lambda k: implies(s.on_its_way[k], s.age_ticks[k] <= s.age_ticks[b]))
        & is_short(s)
    )


@part("send_heartbeat", "receive_heartbeat", at_start=True)
def first_arrival(s: RealPair, b: Beat) -> Told:
    """A heartbeat arrives as soon as it is sent."""
    return is_short(s), [[b], [b]], only_losses(s)


@part("tick", "lose_heartbeat")
def another_loss(s: RealPair, k: Loss) -> Told:
    """As long as losses are left, another heartbeat is lost."""
    given = only_losses(s) & (s.losses_left == following(k))
    return given, [[longest(s, s.armed[FIRST])], [k]], only_losses(s) & (s.losses_left == k)


@part("tick", "send_heartbeat")
def last_sent(s: RealPair, b: Beat) -> Told:
    """When no losses are left, a heartbeat goes on its way."""
    given = only_losses(s) & (s.losses_left == Loss.first)
    return given, [[longest(s, s.armed[FIRST])], [b]], on_its_last_way(s, b)


@part("tick", "send_heartbeat")
def another_sent(s: RealPair, b: Beat, n: Beat, x: Ticks) -> Told:
    """As long as the delay is not over, another interval passes."""
    pause = longest(s, s.armed[FIRST])
    given = (
        on_its_last_way(s, b)
        & (s.age_ticks[b] == x)
        & (x + pause <= s.delay_ticks)
        & forall(Beat, lambda k: implies(s.on_its_way[k], k < n))
    )
    later = s.age_ticks[b] == x + pause
    return given, [[pause], [n]], on_its_last_way(s, b) & later


@part("tick")
def suspicion(s: RealPair, b: Beat) -> Told:
    """When the heartbeat is about to arrive, the deadline has passed."""
    left = s.delay_ticks - s.age_ticks[b]
    given = on_its_last_way(s, b) & (s.delay_ticks < s.age_ticks[b] + longest(s, s.armed[FIRST]))
    return given, [[left]], s.alive & s.suspected


def safe_is_tight(s: RealPair) -> Formula:
    """Where intervals take time, a deadline shorter than SAFE lets a live node be suspected."""
    return forall(Change, lambda c: needed(s, c) <= s.deadline_ticks[c])


TIGHT = Fact(
    record_property(safe_is_tight, "run"),
    Role.RUN,
    parts=(first_arrival, another_loss, last_sent, another_sent, suspicion),
    without=("values_are_safe", "rule_is_safe", "claim_19_only_raises", "timers_follow"),
)
"""The fact; its formula is the hypothesis that is shown to be needed."""
