"""Members that watch each other's heartbeats while they change the interval (claims 1 and 2).

This is what two compositions have in common. Both have the variables of ``Watching`` beside those
of a group change: ``composed`` that of claim 1, ``timed_cluster`` the hardened one. The heartbeats
are those of ``heartbeat``, and where a member's heartbeats have clocks, that member and the one
that watches it are a pair of that spec (see ``watching_refinements``). Heartbeats without clocks
may come at any time, also late and more than once: that is less than the network promises, and
enough for what does not speak of time. Since nobody suspects anybody in a run that is right,
directions do not meet except in the group change, and clocks in one of them show what clocks in all
would.

A member waits for the longest deadline that it has held since a heartbeat last stated the epoch of
what it holds. At which interval it sends is for the composition to say (``sends_as``).

The messages of the group change may be late without bound. Where rounds are bounded, each of the
three of a change is over in time: the request, the answers, and the statuses, with the votes where
there are any (``Round``).

What members promise each other so is in ``watching_properties``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from samebeat_spec.group import Change, Epoch, Message, Node, Phase, Value
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
    State,
    Term,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    ite,
    one_of,
    relation,
    variable,
)

if TYPE_CHECKING:
    from samebeat_spec.composed import Composed
    from samebeat_spec.timed_cluster import TimedCluster

    Members: TypeAlias = Composed | TimedCluster
    """A group change with the variables of ``Watching``."""

LATEST, PREVIOUS = Heartbeat.LATEST, Heartbeat.PREVIOUS

HEARTBEAT_INTERVAL = ("2", "3.heartbeat_interval", "3.heartbeat_message_timeout")


class Round(Enumeration):
    """What members wait for in a change; a round begins as soon as the one before it is over."""

    REQUEST = element("to receive the request, until every member has answered it")
    ANSWERS = element("to hear every answer, until no member that has acked waits")
    STATUSES = element("to hear every status, until every member has decided")


class Watching(State):
    """For each member the heartbeats that another member watches.

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

    @abstractmethod
    def sends_as(self, n: Node) -> Value:
        """Return the value whose interval `n` uses."""


def longer(s: Members, v: Value, u: Value) -> Value:
    """Return the value with the longer deadline; `v` if they are equal."""
    chosen: Value = ite(s.deadline_ticks[u] <= s.deadline_ticks[v], v, u)
    return chosen


def shorter(s: Members, v: Value, u: Value) -> Value:
    """Return the value with the shorter interval; `v` if they are equal."""
    chosen: Value = ite(s.interval_ticks[v] <= s.interval_ticks[u], v, u)
    return chosen


def heartbeat_due(s: Members, n: Node) -> Formula:
    """The send timer of `n` has run out; without a clock it never does."""
    return s.interval_ticks[s.sends_as(n)] <= s.since_sent_ticks[n]


def holds_epoch(s: Members, n: Node, e: Epoch) -> Formula:
    """What `n` holds is what all members hold in epoch `e`, if they get there."""
    applied = exists(Change, lambda c: s.phase[n, c] == Phase.APPLIED)
    return (~applied & (s.epoch[n] == e)) | exists(
        Change, lambda c: (s.phase[n, c] == Phase.APPLIED) & (following(s.base[c]) == e)
    )


def confirmed(s: Members, n: Node, e: Epoch) -> Formula:
    """A heartbeat of `n` that states epoch `e` confirms what the watcher of `n` holds."""
    return s.envelope & exists(Node, lambda w: (s.watcher[n] == w) & holds_epoch(s, w, e))


def start(s: Members) -> None:
    """All hold one value; heartbeats are due and the deadlines have just begun to run."""
    s.deadline[every] = s.start_value
    s.since_sent_ticks[every] = lambda n: ite(s.clocked[n], s.interval_ticks[s.start_value], 0)


# --- deadlines -------------------------------------------------------------------------------


def rearm_watcher(s: Members, n: Node, waits_for: Callable[[Node], Value]) -> None:
    """`n` changes the deadlines for the members it watches, and sees which have passed already."""

    def deadline(m: Node) -> Value:
        new: Value = ite(s.watcher[m] == n, waits_for(m), s.deadline[m])
        return new

    def overdue(m: Node) -> Formula:
        return s.clocked[m] & (s.deadline_ticks[deadline(m)] < s.since_heard_ticks[m])

    s.suspected[every] = lambda m: s.suspected[m] | overdue(m)
    s.deadline[every] = deadline


def wait_for_both(s: Members, n: Node, new: Value) -> None:
    """`n` comes to hold `new`; with the envelope it does not wait for less than before."""
    rearm_watcher(s, n, lambda m: ite(s.envelope, longer(s, new, s.deadline[m]), new))


def wait_as_before(s: Members, n: Node, old: Value) -> None:
    """`n` holds `old` again; with the envelope it waits for as long as it did."""
    rearm_watcher(s, n, lambda m: ite(s.envelope, s.deadline[m], old))


# --- heartbeats ------------------------------------------------------------------------------


def hear(s: Members, n: Node, e: Epoch) -> None:
    """A heartbeat of `n`, without a clock, reaches its watcher: one of now or an earlier one."""
    guard(~s.clocked[n], "n's heartbeats have no clocks")
    guard(e <= s.epoch[n], "n has been in epoch e")

    s.deadline[n] = ite(confirmed(s, n, e), s.value[s.watcher[n]], s.deadline[n])


def send_heartbeat(s: Members, n: Node, f: Fate) -> None:
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


def receive_heartbeat(s: Members, n: Node, h: Heartbeat) -> None:
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


def one_tick_more(s: Members, n: Node, since: Ticks) -> Ticks:
    """Return a clock after one tick; it stops once the longest deadline has passed."""
    counts = s.clocked[n] & exists(Value, lambda v: since <= s.deadline_ticks[v])
    later: Ticks = ite(counts, since + 1, since)
    return later


def arrival_due(s: Members, n: Node) -> Formula:
    """A heartbeat of `n` has been on its way for the largest delay."""
    return exists(
        Heartbeat,
        lambda h: (s.flight[n, h] == Flight.IN_FLIGHT) & (s.until_arrival_ticks[n, h] == 0),
    )


def some_member_is(s: Members, c: Change, *phases: Term) -> Formula:
    """Some member is in one of `phases` of `c`."""
    return exists(Node, lambda n: one_of(s.phase[n, c], *phases))


def lasts(s: Members, c: Change, r: Round) -> Formula:
    """Rounds are bounded, and round `r` of `c` has begun and is not over."""
    unanswered = some_member_is(s, c, Phase.IDLE, Phase.RECEIVED)
    waits = some_member_is(s, c, Phase.ACKED)
    open_still = some_member_is(s, c, Phase.APPLIED, Phase.FAILED)
    request = (r == Round.REQUEST) & s.requested[c] & unanswered
    answers = (r == Round.ANSWERS) & ~unanswered & waits
    statuses = (r == Round.STATUSES) & ~unanswered & ~waits & open_still
    return s.bounded_rounds & (request | answers | statuses)


def round_due(s: Members, c: Change, r: Round) -> Formula:
    """Round `r` of `c` has lasted for as long as it may."""
    return lasts(s, c, r) & (s.round_ticks <= s.round_lasts_ticks[c, r])


def round_one_tick_more(s: Members, c: Change, r: Round) -> Ticks:
    """Return how long a round has lasted after one tick; it stops at the longest deadline."""
    so_far = s.round_lasts_ticks[c, r]
    counts = exists(Value, lambda v: so_far <= s.deadline_ticks[v])
    later: Ticks = ite(lasts(s, c, r), ite(counts, so_far + 1, so_far), 0)
    return later


def tick(s: Members) -> None:
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
