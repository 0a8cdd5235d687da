"""A group change of the heartbeat interval: both protocols at once (claims 1 and 2, note C3).

All members change the interval and the deadline of their heartbeats as in the group change, and
meanwhile each of them is watched by another one. The members apply at different times, so for a
while they hold different values. What a member *holds* follows claim 1. What its timers *use* is

- with claim 1 alone: what it holds;
- with the envelope: a member sends at the interval that it has decided last, and it waits for the
  longest deadline that it has held since a heartbeat last stated the epoch of what it holds.

This spec extends ``group``: what is not said here is as there. The heartbeats are those of
``heartbeat``, and where a member's heartbeats have clocks, that member and the one that watches it
are a pair of that spec (see ``composed_refinements``). Heartbeats without clocks may come at any
time, also late and more than once: that is less than the network promises, and enough for what
does not speak of time. Since nobody suspects anybody in a run that is right, directions do not
meet except in the group change, and clocks in one of them show what clocks in all would.

The messages of the group change may be late without bound. Where rounds are bounded, each of the
three of a change is over in time: the request, the answers, and the statuses (``Round``).

Not modelled here: crashes, views, clocks that run at different rates.

What this protocol promises is in ``composed_properties``.
"""

from __future__ import annotations

from collections.abc import Callable

from samebeat_spec import group
from samebeat_spec.group import (
    Change,
    Epoch,
    Group,
    Message,
    Node,
    Phase,
    Value,
    has_open_change,
)
from samebeat_spec.heartbeat import (
    Excess,
    Fate,
    Flight,
    Heartbeat,
    Misses,
    Ticks,
    one_tick_less,
)
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Term,
    action,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    initial,
    ite,
    one_of,
    relation,
    variable,
)

LATEST, PREVIOUS = Heartbeat.LATEST, Heartbeat.PREVIOUS

HEARTBEAT_INTERVAL = ("2", "3.heartbeat_interval", "3.heartbeat_message_timeout")


class Round(Enumeration):
    """What members wait for in a change; a round begins as soon as the one before it is over."""

    REQUEST = element("to receive the request, until every member has answered it")
    ANSWERS = element("to hear every answer, until no member that has acked waits")
    STATUSES = element("to hear every status, until every member has decided")


class Composed(Group, name="composed"):
    """The group change, and for each member the heartbeats that another member watches.

    What is said of the heartbeats of a member is indexed by that member, also what its watcher
    knows about them.
    """

    watcher = function(Node, to=Node, constant=True)
    """who watches a member's heartbeats"""
    clocked = relation(Node, constant=True)
    """a member's heartbeats, and the deadline for them, have clocks"""
    interval_ticks = function(Value, to=Ticks, constant=True)
    """T: how often a member sends"""
    deadline_ticks = function(Value, to=Ticks, constant=True)
    """D: for how long its watcher waits"""
    delay_ticks = variable(Ticks, constant=True)
    """the largest delay of a heartbeat"""
    tolerated = variable(Misses, constant=True)
    """how many heartbeats may be lost in a row"""
    bounded_rounds = flag(constant=True)
    """a round takes at most `round_ticks`; if false, its messages may be late without bound"""
    round_ticks = variable(Ticks, constant=True)
    """the longest that a round takes: its messages are sent, received and acted on"""
    envelope = flag(constant=True)
    """timers use the safest of all values still possible; if false, the value that is held"""
    values_count = flag(constant=True)
    """a mismatch of values counts as broken; if false, only the harm that may come of it does"""

    deadline = function(Node, to=Value)
    """the value whose deadline the watcher of a member uses"""
    suspected = relation(Node)
    """a deadline for the member's heartbeats has passed"""
    since_sent_ticks = function(Node, to=Ticks)
    since_heard_ticks = function(Node, to=Ticks)
    flight = function(Node, Heartbeat, to=Flight)
    until_arrival_ticks = function(Node, Heartbeat, to=Ticks)
    says_epoch = function(Node, Heartbeat, to=Epoch)
    """the member's epoch when it sent the heartbeat"""
    says_acked = relation(Node, Heartbeat, Change)
    """the changes that the member had acked by then: the change request indicator (claim 23)"""
    stated = function(Node, to=Epoch)
    """the epoch that the last heartbeat states which the watcher received"""
    lost_in_a_row = function(Node, to=Misses)
    too_many_in_flight = variable(Excess)
    round_lasts_ticks = function(Change, Round, to=Ticks)
    """where rounds are bounded, how long a round of a change has lasted"""


def longer(s: Composed, v: Value, u: Value) -> Value:
    """Return the value with the longer deadline; `v` if they are equal."""
    chosen: Value = ite(s.deadline_ticks[u] <= s.deadline_ticks[v], v, u)
    return chosen


def sends_as(s: Composed, n: Node) -> Value:
    """Return the value whose interval `n` uses: with the envelope, what it has decided last."""
    decided: Value = ite(s.envelope & has_open_change(s, n), s.pre_image[n], s.value[n])
    return decided


def heartbeat_due(s: Composed, n: Node) -> Formula:
    """The send timer of `n` has run out; without a clock it never does."""
    return s.interval_ticks[sends_as(s, n)] <= s.since_sent_ticks[n]


def holds_epoch(s: Composed, n: Node, e: Epoch) -> Formula:
    """What `n` holds is what all members hold in epoch `e`, if they get there."""
    applied = exists(Change, lambda c: s.phase[n, c] == Phase.APPLIED)
    return (~applied & (s.epoch[n] == e)) | exists(
        Change, lambda c: (s.phase[n, c] == Phase.APPLIED) & (following(s.base[c]) == e)
    )


def confirmed(s: Composed, n: Node, e: Epoch) -> Formula:
    """A heartbeat of `n` that states epoch `e` confirms what the watcher of `n` holds."""
    return s.envelope & exists(Node, lambda w: (s.watcher[n] == w) & holds_epoch(s, w, e))


@initial
def start(s: Composed) -> None:
    """All hold one value; heartbeats are due and the deadlines have just begun to run."""
    group.start(s)
    s.deadline[every] = s.start_value
    s.since_sent_ticks[every] = lambda n: ite(s.clocked[n], s.interval_ticks[s.start_value], 0)


# --- the group change, where it touches the timers -------------------------------------------


def rearm_watcher(s: Composed, n: Node, waits_for: Callable[[Node], Value]) -> None:
    """`n` changes the deadlines for the members it watches, and sees which have passed already."""

    def deadline(m: Node) -> Value:
        new: Value = ite(s.watcher[m] == n, waits_for(m), s.deadline[m])
        return new

    def overdue(m: Node) -> Formula:
        return s.clocked[m] & (s.deadline_ticks[deadline(m)] < s.since_heard_ticks[m])

    s.suspected[every] = lambda m: s.suspected[m] | overdue(m)
    s.deadline[every] = deadline


@action(claims=(*group.RECEIPT, *group.MODIFY, *HEARTBEAT_INTERVAL, "C3"))
def apply(s: Composed, n: Node, c: Change) -> None:
    """As in the group change; with the envelope `n` does not wait for less than before."""
    group.apply(s, n, c)

    new = s.asked[c]
    rearm_watcher(s, n, lambda m: ite(s.envelope, longer(s, new, s.deadline[m]), new))


@action(claims=(*group.FAILURE, *group.UNDO, *HEARTBEAT_INTERVAL, "C2"))
def undo(s: Composed, n: Node, c: Change) -> None:
    """As in the group change; with the envelope `n` waits for as long as it did."""
    group.undo(s, n, c)

    rearm_watcher(s, n, lambda m: ite(s.envelope, s.deadline[m], s.pre_image[n]))


# --- heartbeats ------------------------------------------------------------------------------


@action(claims=("19.preamble", "C3"))
def hear(s: Composed, n: Node, e: Epoch) -> None:
    """A heartbeat of `n`, without a clock, reaches its watcher: one of now or an earlier one."""
    guard(~s.clocked[n], "n's heartbeats have no clocks")
    guard(e <= s.epoch[n], "n has been in epoch e")

    s.deadline[n] = ite(confirmed(s, n, e), s.value[s.watcher[n]], s.deadline[n])


@action(claims=("19.preamble", "23.record", "C3"))
def send_heartbeat(s: Composed, n: Node, f: Fate) -> None:
    """`n` sends a heartbeat, which states its epoch."""
    guard(heartbeat_due(s, n), "the send timer has run out")
    guard((f == Fate.ARRIVES) | (s.lost_in_a_row[n] < s.tolerated), "no more losses than tolerated")

    arrives, none, lost = f == Fate.ARRIVES, s.too_many_in_flight, s.lost_in_a_row[n]
    s.too_many_in_flight = ite(s.flight[n, PREVIOUS] == Flight.IN_FLIGHT, none + 1, none)
    s.flight[n, PREVIOUS] = s.flight[n, LATEST]
    s.until_arrival_ticks[n, PREVIOUS] = s.until_arrival_ticks[n, LATEST]
    s.says_epoch[n, PREVIOUS] = s.says_epoch[n, LATEST]
    s.says_acked[n, PREVIOUS, every] = lambda c: s.says_acked[n, LATEST, c]
    s.flight[n, LATEST] = ite(arrives, Flight.IN_FLIGHT, Flight.LOST)
    s.until_arrival_ticks[n, LATEST] = ite(arrives, s.delay_ticks, 0)
    s.says_epoch[n, LATEST] = s.epoch[n]
    s.says_acked[n, LATEST, every] = lambda c: s.sent[n, c, Message.ACK]
    s.lost_in_a_row[n] = ite(arrives, 0, ite(lost == s.tolerated, 0, lost + 1))
    s.since_sent_ticks[n] = 0


@action(claims=("19.preamble", "23.record", "C1"))
def receive_heartbeat(s: Composed, n: Node, h: Heartbeat) -> None:
    """A heartbeat of `n` reaches its watcher, which waits again from now.

    If it states the epoch of what the watcher holds, no other value is possible any more.
    """
    guard(s.flight[n, h] == Flight.IN_FLIGHT, "it is on its way, and newer than those received")

    def over(k: Heartbeat) -> Formula:
        return (k == h) | ((h == LATEST) & (s.flight[n, k] == Flight.IN_FLIGHT))

    e = s.says_epoch[n, h]
    s.until_arrival_ticks[n, every] = lambda k: ite(over(k), 0, s.until_arrival_ticks[n, k])
    s.flight[n, every] = lambda k: ite(over(k), Flight.DONE, s.flight[n, k])
    s.stated[n] = e
    s.deadline[n] = ite(confirmed(s, n, e), s.value[s.watcher[n]], s.deadline[n])
    s.since_heard_ticks[n] = 0


# --- time ------------------------------------------------------------------------------------


def one_tick_more(s: Composed, n: Node, since: Ticks) -> Ticks:
    """Return a clock after one tick; it stops once the longest deadline has passed."""
    counts = s.clocked[n] & exists(Value, lambda v: since <= s.deadline_ticks[v])
    later: Ticks = ite(counts, since + 1, since)
    return later


def arrival_due(s: Composed, n: Node) -> Formula:
    """A heartbeat of `n` has been on its way for the largest delay."""
    return exists(
        Heartbeat,
        lambda h: (s.flight[n, h] == Flight.IN_FLIGHT) & (s.until_arrival_ticks[n, h] == 0),
    )


def some_member_is(s: Composed, c: Change, *phases: Term) -> Formula:
    """Some member is in one of `phases` of `c`."""
    return exists(Node, lambda n: one_of(s.phase[n, c], *phases))


def lasts(s: Composed, c: Change, r: Round) -> Formula:
    """Rounds are bounded, and round `r` of `c` has begun and is not over."""
    unanswered = some_member_is(s, c, Phase.IDLE, Phase.RECEIVED)
    waits = some_member_is(s, c, Phase.ACKED)
    open_still = some_member_is(s, c, Phase.APPLIED, Phase.FAILED)
    request = (r == Round.REQUEST) & s.requested[c] & unanswered
    answers = (r == Round.ANSWERS) & ~unanswered & waits
    statuses = (r == Round.STATUSES) & ~unanswered & ~waits & open_still
    return s.bounded_rounds & (request | answers | statuses)


def round_due(s: Composed, c: Change, r: Round) -> Formula:
    """Round `r` of `c` has lasted for as long as it may."""
    return lasts(s, c, r) & (s.round_ticks <= s.round_lasts_ticks[c, r])


def round_one_tick_more(s: Composed, c: Change, r: Round) -> Ticks:
    """Return how long a round has lasted after one tick; it stops at the longest deadline."""
    so_far = s.round_lasts_ticks[c, r]
    counts = exists(Value, lambda v: so_far <= s.deadline_ticks[v])
    later: Ticks = ite(lasts(s, c, r), ite(counts, so_far + 1, so_far), 0)
    return later


@action(claims=("C1",), tick=True)
def tick(s: Composed) -> None:
    """One tick passes on all clocks; a deadline that was already due then has passed."""
    guard(forall(Node, lambda n: ~heartbeat_due(s, n)), "no heartbeat is due")
    guard(
        forall(Node, lambda n: ~arrival_due(s, n)),
        "no heartbeat has been on its way for the largest delay",
    )
    guard(
        ~exists(Change, Round, lambda c, r: round_due(s, c, r)),
        "no round has lasted for its bound",
    )

    def due(n: Node) -> Formula:
        return s.clocked[n] & (s.deadline_ticks[s.deadline[n]] <= s.since_heard_ticks[n])

    s.suspected[every] = lambda n: s.suspected[n] | due(n)
    s.since_sent_ticks[every] = lambda n: one_tick_more(s, n, s.since_sent_ticks[n])
    s.since_heard_ticks[every] = lambda n: one_tick_more(s, n, s.since_heard_ticks[n])
    s.until_arrival_ticks[every, every] = lambda n, h: one_tick_less(s.until_arrival_ticks[n, h])
    s.round_lasts_ticks[every, every] = lambda c, r: round_one_tick_more(s, c, r)
