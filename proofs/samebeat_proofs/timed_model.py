"""The heartbeat pair with real time, any number of heartbeats on their way and of losses in a row.

It extends ``samebeat_spec.heartbeat``: what the two nodes do is recorded there, and read from
there. Three things are more general here than what can be explored:

- time passes by any amount (``tick``), not by whole ticks;
- any number of heartbeats are on their way, and each says what it said when it was sent;
- how many losses in a row are tolerated is any number. What that number takes in time is a table
  (``loss_ticks``), so that nothing is multiplied. ``loss_time`` shows what is assumed of it.

Acks have no bound here. So whatever a pair with explored clocks does, a pair of this spec can do
too; a test takes every step of explored instances and finds it here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from samebeat_spec import heartbeat
from samebeat_spec.heartbeat import FIRST, SECOND, Change, Ticks, TimedPair, may_send, widens
from samebeat_spec.language import (
    Action,
    Formula,
    Ordered,
    Spec,
    action,
    every,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    relation,
    spec_of,
    step_property,
    variable,
)
from samebeat_spec.language.terms import Apply, Holds
from samebeat_spec.specs import load_spec

_Action = TypeVar("_Action", bound=Action)


class Beat(Ordered):
    """The heartbeats, in the order in which they are sent."""


class Loss(Ordered):
    """How many heartbeats in a row may still be lost; the first: none."""


class RealPair(TimedPair, name="heartbeat-reals"):
    """The pair of ``heartbeat``, with real time and any number of heartbeats on their way."""

    loss_ticks = function(Loss, Change, to=Ticks, constant=True)
    """how long so many losses in a row may last at the intervals of a change"""
    tolerated_losses = variable(Loss, constant=True)
    """how many heartbeats may be lost in a row"""

    losses_left = variable(Loss)
    """how many more heartbeats may be lost in this row"""
    on_its_way = relation(Beat)
    """the heartbeats that were sent and are newer than every one that has arrived"""
    age_ticks = function(Beat, to=Ticks)
    """since a heartbeat was sent"""
    beat_recorded = function(Beat, to=Change)
    """what the first had recorded when it sent the heartbeat"""
    beat_asked = function(Beat, to=Change)
    """what the first had asked for when it sent the heartbeat"""
    longest_used = variable(Change)
    """of what the first has recorded since the envelope closed, what has the longest interval;
    for the proof only: nothing depends on it"""


def longest(s: RealPair, c: Change) -> Ticks:
    """Return how long an interval of `c` may last, with its drift."""
    t: Ticks = s.interval_ticks[c] + s.drift_ticks[c]
    return t


def needed(s: RealPair, c: Change) -> Ticks:
    """Return the shortest SAFE deadline for `c`: it outlasts tolerated losses and the delay."""
    t: Ticks = longest(s, c) + s.loss_ticks[s.tolerated_losses, c] + s.delay_ticks
    return t


def covers(s: RealPair, d: Change, c: Change) -> Formula:
    """SAFE: the deadline of `d` outlasts tolerated losses at the interval of `c`, and the delay."""
    return needed(s, c) <= s.deadline_ticks[d]


def longer_lasting(s: RealPair, c: Change, d: Change) -> Change:
    """Return the change whose interval may last longer; `c` if they are equal."""
    return ite(longest(s, d) <= longest(s, c), c, d)


def none_on_its_way(s: RealPair) -> Formula:
    """No heartbeat is on its way."""
    return forall(Beat, lambda b: ~s.on_its_way[b])


@initial
def start(s: RealPair) -> None:
    """As in ``heartbeat``; no heartbeat has been lost."""
    heartbeat.start(s)
    s.losses_left = s.tolerated_losses


# --- the first node --------------------------------------------------------------------------


@action(claims=heartbeat.send_heartbeat.claims)
def send_heartbeat(s: RealPair, b: Beat) -> None:
    """The first sends a heartbeat that will arrive, or be overtaken by one that does."""
    guard(s.alive, "the first is alive")
    guard(may_send(s), "the send timer has run out")
    guard(forall(Beat, lambda k: implies(s.on_its_way[k], k < b)), "b is newer than all others")

    s.on_its_way[b] = True
    s.age_ticks[b] = 0
    s.beat_recorded[b] = ite(s.states_requests, s.asked, s.recorded[FIRST])
    s.beat_asked[b] = s.asked
    s.losses_left = s.tolerated_losses
    s.since_sent_ticks = 0
    s.armed[FIRST] = s.effective[FIRST]


@action(claims=heartbeat.send_heartbeat.claims)
def lose_heartbeat(s: RealPair, k: Loss) -> None:
    """The first sends a heartbeat that is lost; `k` more may be."""
    guard(s.alive, "the first is alive")
    guard(may_send(s), "the send timer has run out")
    guard(s.losses_left == following(k), "no more losses than tolerated")

    s.losses_left = k
    s.since_sent_ticks = 0
    s.armed[FIRST] = s.effective[FIRST]


@action(claims=heartbeat.receive_ack.claims)
def receive_ack(s: RealPair, c: Change) -> None:
    """As in ``heartbeat``."""
    used = longer_lasting(s, s.longest_used, c)
    heartbeat.receive_ack(s, c)
    s.longest_used = used


# --- the second node -------------------------------------------------------------------------


@action(claims=heartbeat.receive_heartbeat.claims)
def receive_heartbeat(s: RealPair, b: Beat) -> None:
    """The second receives a heartbeat and waits again from now; older ones are overtaken.

    An envelope closes when a heartbeat states what the second has recorded.
    """
    guard(s.on_its_way[b], "it was sent, and is newer than every heartbeat received")

    closes = widens(s) & (s.beat_recorded[b] == s.recorded[SECOND])
    c = ite(closes, s.recorded[SECOND], s.effective[SECOND])
    s.longest_used = ite(closes, s.recorded[SECOND], s.longest_used)
    s.on_its_way[every] = lambda k: s.on_its_way[k] & (b < k)
    s.heard = ite(s.heard < s.beat_asked[b], s.beat_asked[b], s.heard)
    s.stated = s.beat_recorded[b]
    s.effective[SECOND] = c
    s.armed[SECOND] = c
    s.since_heard_ticks = 0


# --- time ------------------------------------------------------------------------------------


@action(claims=heartbeat.tick.claims, tick=True)
def tick(s: RealPair, d: Ticks) -> None:
    """The time `d` passes, and nothing is due before it is over; a deadline may pass meanwhile."""
    guard(d >= 0, "time goes on")
    guard(
        implies(s.alive, s.since_sent_ticks + d <= longest(s, s.armed[FIRST])),
        "no heartbeat is due",
    )
    guard(
        forall(Beat, lambda b: implies(s.on_its_way[b], s.age_ticks[b] + d <= s.delay_ticks)),
        "no heartbeat has been on its way for the largest delay",
    )

    passed = s.suspected | (s.deadline_ticks[s.armed[SECOND]] < s.since_heard_ticks + d)
    s.suspected = passed
    s.since_sent_ticks = ite(s.alive, s.since_sent_ticks + d, 0)
    s.since_heard_ticks = s.since_heard_ticks + d
    s.since_crash_ticks = ite(~s.alive & ~passed, s.since_crash_ticks + d, s.since_crash_ticks)
    s.age_ticks[every] = lambda b: s.age_ticks[b] + d


# --- what is promised, with any number of losses ---------------------------------------------


@invariant(claims=(*heartbeat.DEADLINE, *heartbeat.INTERVAL, "3.combinations", "C1"))
def no_mismatch_window(s: RealPair) -> Formula:
    """At every instant the effective deadline suits the effective interval."""
    return covers(s, s.effective[SECOND], s.effective[FIRST])


@invariant(claims=("C1",))
def armed_within_effective(s: RealPair) -> Formula:
    """Each running timer suits what the other node's timer may be set to next."""
    return covers(s, s.effective[SECOND], s.armed[FIRST]) & covers(
        s, s.armed[SECOND], s.effective[FIRST]
    )


@step_property(claims=(*heartbeat.DEFER, *heartbeat.SECOND_MODIFIES, "C1"))
def tightener_defers(s: RealPair, t: RealPair) -> Formula:
    """Who tightens waits: an interval grows once the deadline suits it, and the other way round."""
    first, second = s.effective[FIRST], s.effective[SECOND]
    grows = s.interval_ticks[first] < t.interval_ticks[t.effective[FIRST]]
    shrinks = t.deadline_ticks[t.effective[SECOND]] < s.deadline_ticks[second]
    moved = t.effective[SECOND] <= s.recorded[FIRST]
    return implies(grows, s.acked[t.effective[FIRST]]) & implies(
        shrinks, moved | covers(s, t.effective[SECOND], first)
    )


@step_property(claims=("3.heartbeat_interval",))
def interval_kept(s: RealPair, t: RealPair) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    return forall(Beat, lambda b: implies(t.on_its_way[b] & ~s.on_its_way[b], may_send(s)))


# --- the spec --------------------------------------------------------------------------------


def real_pair() -> Spec:
    """Return the spec: what is promised of every state and every step, and what that speaks of.

    What ``heartbeat`` needs to have finitely many states is left out with the rest.
    """
    load_spec("heartbeat")  # files what heartbeat promises, whatever was imported before
    whole = spec_of(RealPair)
    safety = replace(
        whole,
        properties=whole.of_kind("invariant", "step"),
        figures=(),
        refinements=(),
        liveness=(),
    )
    read = {e.variable.name for e in safety.expressions if isinstance(e, Apply | Holds)}
    return replace(
        safety,
        variables=tuple(v for v in safety.variables if v.name in read),
        constants=tuple(v for v in safety.constants if v.name in read),
        initials=tuple(_setting(read, a) for a in safety.initials),
        actions=tuple(_setting(read, a) for a in safety.actions),
    )


def _setting(read: set[str], a: _Action) -> _Action:
    """Return an action that sets only what something reads."""
    return replace(a, assignments=tuple(x for x in a.assignments if x.variable.name in read))
