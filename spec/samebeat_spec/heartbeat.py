"""The heartbeat pair with time (claims 19 to 25): one node sends heartbeats, one watches them.

The first node sends a heartbeat each interval T; the second suspects it when none has come for a
deadline D. A change replaces the pair (T, D). What the two nodes *record* follows the claims; what
their timers use is the *effective* value; what their running timers were set to is what is
*armed*. Four rules for who goes first are instances of this one spec (``Policy``).

The network: each heartbeat arrives within a largest delay or is lost; no more in a row are lost
than the deadline is meant to tolerate; heartbeats overtake each other, and copies of old ones come
at any time. Acks are a set that only grows: late up to a bound or without one, lost, repeated and
in any order. Clocks count whole ticks since something happened, up to what matters. No time passes
while something is due.

Time is that of the second's clock. The first's clock may be slow against it, so an interval lasts
from T to T and a drift, each time anew.

Not modelled here: suspicion in the other direction (by acks that fail to come), a node that
returns after a crash, and a second node that stops.

A change that fails is in ``heartbeat_failures``, what this protocol promises in
``heartbeat_properties``.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Integer,
    Ordered,
    State,
    action,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    one_of,
    relation,
    variable,
)

# Claims 26 to 31 say of an apparatus and of a product what claim 19 says of a method.
ANNOUNCE = ("19(a)", "23(a)", "26(b).send", "29", "31(a).send")
HEARTBEAT = ("19.preamble", "23.record")
SECOND_MODIFIES = ("23(b)", "25(a)")
ACK = ("19.preamble", "22", "23(b)")
DEADLINE = (
    "3.heartbeat_message_timeout",
    "3.heartbeat_failure_threshold",
    "3.receive_send_timer_ratio",
)
"""A deadline is a threshold times a time-out, or times a ratio and the interval."""
INTERVAL = ("3.heartbeat_interval",)
DEFER = ("19(b)", "24", "25(b)", "26(b).defer", "30", "31(a).defer")


class Node(Enumeration):
    """The two nodes of the pair."""

    FIRST = element("sends heartbeats")
    SECOND = element("watches them and acks")


class Change(Ordered):
    """A change of the pair's values, in the order they are asked for; the first: as at the start.

    What an operator takes back is a later change with the values of an earlier one. A change that
    fails is undone.
    """


class Heartbeat(Enumeration):
    """The heartbeats that can be on their way or come again."""

    LATEST = element("the one that was sent last")
    PREVIOUS = element("the one that was sent before it")


class Flight(Enumeration):
    """Where a heartbeat is."""

    LOST = element("never sent, or lost")
    IN_FLIGHT = element("sent, and newer than every heartbeat that has arrived")
    DONE = element("has arrived or was overtaken by a newer one; copies may still come")


class Fate(Enumeration):
    """What the network does with a heartbeat."""

    ARRIVES = element("delivers it within the largest delay")
    LOST = element("loses it")


class Policy(Enumeration):
    """Who acts when."""

    SECOND_FIRST = element("claim 19 to the letter: the second modifies, acks, the first follows")
    FIRST_FIRST = element("the first modifies, says so in a heartbeat, the second follows")
    DIRECTION_AWARE = element("whichever of the two relaxes goes first; effective is recorded")
    ENVELOPE = element("records as claimed; timers use the safest of all values still possible")
    SECOND_ENVELOPE = element("an envelope at the second only; the first's timer as recorded")
    LAST_TWO = element("an envelope that knows only the last two values: too short a memory")


class Rearming(Enumeration):
    """What the first does with a running send timer when its effective interval changes."""

    KEEP = element("lets it run out")
    SHIFT = element("measures the new interval from the last heartbeat")
    RESTART = element("as SHIFT, but measures a longer interval from now: wrong")


class Ticks(Integer):
    """A duration in ticks; each instance says how many there are."""


class Misses(Integer, low=0, high=3):
    """How many heartbeats in a row."""


class Excess(Integer, low=0, high=0):
    """Nothing but 0: another value is an error of the instance, never a state."""


FIRST, SECOND = Node.FIRST, Node.SECOND
LATEST, PREVIOUS = Heartbeat.LATEST, Heartbeat.PREVIOUS


class TimedPair(State, name="heartbeat"):
    """The pair's records and timers, the heartbeats on their way, and the acks sent so far."""

    interval_ticks = function(Change, to=Ticks, constant=True)
    """T: how often the first sends"""
    drift_ticks = function(Change, to=Ticks, constant=True)
    """by how much an interval may last longer, because the first's clock is slow; 0: no drift"""
    deadline_ticks = function(Change, to=Ticks, constant=True)
    """D: for how long the second waits"""
    delay_ticks = variable(Ticks, constant=True)
    """the largest delay of a heartbeat"""
    tolerated = variable(Misses, constant=True)
    """how many heartbeats may be lost in a row"""
    policy = variable(Policy, constant=True)
    rearming = variable(Rearming, constant=True)
    second_rearms = flag(constant=True)
    """the second moves a running deadline when its effective deadline changes"""
    announced = flag(constant=True)
    """the second may also learn of a change beside the heartbeats, as in a group change"""
    bounded_acks = flag(constant=True)
    """acks take at most `ack_delay_ticks`; if false, they may be late without bound"""
    ack_delay_ticks = variable(Ticks, constant=True)
    """the longest an ack takes: to modify first, on its way and to follow; 0: no time"""
    may_fail = flag(constant=True)
    """a change may fail, and is undone then; the first has one change open at a time"""
    crashes_early = flag(constant=True)
    """the first may crash at any time; if false, only once the last change is settled"""
    states_requests = flag(constant=True)
    """heartbeats call a change made that is only asked for: wrong"""
    values_count = flag(constant=True)
    """a mismatch of values counts as broken; if false, only the harm that may come of it does"""

    alive = flag()
    """the first has not crashed"""
    suspected = flag()
    """a deadline of the second has passed"""
    asked = variable(Change)
    """the change that the first has asked for last"""
    recorded = function(Node, to=Change)
    """the change whose value a node has adopted"""
    effective = function(Node, to=Change)
    """the change whose value a node's timer is set to, whenever it is set"""
    armed = function(Node, to=Change)
    """the change whose value the running timer was set to"""
    answered = variable(Change)
    """the last change that the second has modified, or has learnt of that it failed"""
    failed = relation(Change)
    """the changes that have failed at the second, or at another member of a group"""
    pre_image = variable(Change)
    """what the second had recorded before it modified last; kept where changes may fail"""
    since_sent_ticks = variable(Ticks)
    """since the first sent its last heartbeat"""
    since_heard_ticks = variable(Ticks)
    """since the second received its last heartbeat"""
    since_crash_ticks = variable(Ticks)
    """how long the first has been dead without being suspected"""
    ack_waits_ticks = function(Change, to=Ticks)
    """where acks are bounded, how long the ack of a change has been on its way"""

    flight = function(Heartbeat, to=Flight)
    until_arrival_ticks = function(Heartbeat, to=Ticks)
    says_recorded = function(Heartbeat, to=Change)
    """what the first had recorded when it sent the heartbeat"""
    says_asked = function(Heartbeat, to=Change)
    """what the first had asked for when it sent the heartbeat"""
    lost_in_a_row = variable(Misses)
    too_many_in_flight = variable(Excess)

    heard = variable(Change)
    """the last change that the second knows to be asked for"""
    stated = variable(Change)
    """what the last heartbeat that the second received calls recorded by the first"""
    acked = relation(Change)
    """the acks: the second has said that it has modified"""


def widens(s: TimedPair) -> Formula:
    """The second's effective deadline may be longer than the recorded one."""
    return one_of(s.policy, Policy.ENVELOPE, Policy.SECOND_ENVELOPE, Policy.LAST_TWO)


def first_leads(s: TimedPair, c: Change) -> Formula:
    """The first records `c` as it asks for it."""
    relaxes = s.interval_ticks[c] <= s.interval_ticks[s.recorded[FIRST]]
    return (s.policy == Policy.FIRST_FIRST) | ((s.policy == Policy.DIRECTION_AWARE) & relaxes)


def second_may_modify(s: TimedPair, c: Change) -> Formula:
    """The rule for who goes first lets the second record `c`."""
    relaxes = s.deadline_ticks[s.recorded[SECOND]] <= s.deadline_ticks[c]
    leads = widens(s) | (s.policy == Policy.SECOND_FIRST)
    leads |= (s.policy == Policy.DIRECTION_AWARE) & relaxes
    follows = one_of(s.policy, Policy.FIRST_FIRST, Policy.DIRECTION_AWARE)
    return ((s.heard == c) & leads) | ((s.stated == c) & follows)


def may_modify(s: TimedPair, c: Change) -> Formula:
    """The second has an answer to give to `c`, and it is its turn."""
    return (s.answered < c) & second_may_modify(s, c)


def owes_ack(s: TimedPair, c: Change) -> Formula:
    """The second has modified and re-armed, and has not said so."""
    return ~s.acked[c] & (s.recorded[SECOND] == c) & (s.armed[SECOND] == s.effective[SECOND])


def may_follow(s: TimedPair, c: Change) -> Formula:
    """An ack tells the first of a change that it has not recorded."""
    return s.alive & s.acked[c] & (s.recorded[FIRST] < c)


def ack_on_its_way(s: TimedPair, c: Change) -> Formula:
    """Acks are bounded, and one of `c` is to be prepared, to be sent or to be acted on."""
    return s.bounded_acks & ~s.failed[c] & (may_modify(s, c) | owes_ack(s, c) | may_follow(s, c))


def ack_due(s: TimedPair, c: Change) -> Formula:
    """An ack of `c` has been on its way for as long as it may."""
    return ack_on_its_way(s, c) & (s.ack_delay_ticks <= s.ack_waits_ticks[c])


def withdrawn(s: TimedPair) -> Formula:
    """What was asked for last has failed, and the first no longer sends as if it were open."""
    return s.failed[s.asked] & (s.effective[FIRST] == s.recorded[FIRST])


def undone(s: TimedPair) -> Formula:
    """What was asked for last has failed, and both have given it up."""
    return withdrawn(s) & (s.answered == s.asked)


def settled(s: TimedPair) -> Formula:
    """Both have recorded one change; their timers use it and are armed with it.

    It is what was asked for last, unless that has failed and both have given it up.
    """
    return forall(
        Change,
        lambda c: implies(
            s.recorded[SECOND] == c,
            (s.recorded[FIRST] == c)
            & (s.effective[FIRST] == c)
            & (s.effective[SECOND] == c)
            & (s.armed[FIRST] == c)
            & (s.armed[SECOND] == c)
            & ((s.asked == c) | undone(s)),
        ),
    )


def all_settled(s: TimedPair) -> Formula:
    """The last change of the model is settled."""
    return forall(Change, lambda c: c <= s.asked) & settled(s)


def shorter(s: TimedPair, c: Change, d: Change) -> Change:
    """Return the change with the shorter interval; `c` if they are equal."""
    return ite(s.interval_ticks[c] <= s.interval_ticks[d], c, d)


def longer(s: TimedPair, c: Change, d: Change) -> Change:
    """Return the change with the longer deadline; `c` if they are equal."""
    return ite(s.deadline_ticks[d] <= s.deadline_ticks[c], c, d)


def one_tick_more(s: TimedPair, since: Ticks) -> Ticks:
    """Return a clock after one tick; it stops once the longest deadline has passed."""
    counts = exists(Change, lambda c: since <= s.deadline_ticks[c])
    later: Ticks = ite(counts, since + 1, since)
    return later


def one_tick_less(left: Ticks) -> Ticks:
    """Return a countdown after one tick; it stops at 0."""
    later: Ticks = ite(left == 0, 0, left - 1)
    return later


def may_send(s: TimedPair) -> Formula:
    """The first's send timer may have run out; that of a crashed node stands still."""
    return s.interval_ticks[s.armed[FIRST]] <= s.since_sent_ticks


def heartbeat_due(s: TimedPair) -> Formula:
    """The first's send timer has run out, however slow its clock is."""
    c = s.armed[FIRST]
    longest: Ticks = s.interval_ticks[c] + s.drift_ticks[c]
    return longest <= s.since_sent_ticks


def rearm_first(s: TimedPair, c: Change) -> None:
    """The first's effective interval becomes that of `c`; its running timer follows, or not."""
    longer_now = s.interval_ticks[s.armed[FIRST]] < s.interval_ticks[c]
    restarts = (s.rearming == Rearming.RESTART) & longer_now
    s.since_sent_ticks = ite(restarts, 0, s.since_sent_ticks)
    s.armed[FIRST] = ite(s.rearming == Rearming.KEEP, s.armed[FIRST], c)
    s.effective[FIRST] = c


def rearm_second(s: TimedPair, c: Change) -> None:
    """The second's effective deadline becomes that of `c`; its running one follows, or not."""
    overdue = s.deadline_ticks[c] < s.since_heard_ticks
    s.effective[SECOND] = c
    s.armed[SECOND] = ite(s.second_rearms, c, s.armed[SECOND])
    s.suspected = s.suspected | (s.second_rearms & overdue)


@initial
def start(s: TimedPair) -> None:
    """Both hold the same values; a heartbeat may go and the second has just begun to wait."""
    s.alive = True
    s.since_sent_ticks = s.interval_ticks[Change.first]
    s.acked[Change.first] = True


# --- the first node --------------------------------------------------------------------------


@action(claims=ANNOUNCE)
def ask(s: TimedPair, c: Change) -> None:
    """The first opens `c`; where nothing can fail, an earlier change may still be open."""
    decided = (s.recorded[FIRST] == s.asked) | withdrawn(s)
    guard(s.alive, "the first has not stopped")
    guard(c == following(s.asked), "changes are asked for in order", limit="environment")
    guard(~s.may_fail | decided, "nothing can fail or no change is open")

    leads, old = first_leads(s, c), s.effective[FIRST]
    keeps_both = one_of(s.policy, Policy.ENVELOPE, Policy.LAST_TWO)
    s.asked = c
    rearm_first(s, ite(leads, c, ite(keeps_both, shorter(s, c, old), old)))
    s.recorded[FIRST] = ite(leads, c, s.recorded[FIRST])


@action(claims=HEARTBEAT + ANNOUNCE + INTERVAL)
def send_heartbeat(s: TimedPair, f: Fate) -> None:
    """The first sends a heartbeat, which says what it has asked for and what it has recorded."""
    guard(may_send(s), "the send timer has run out")
    guard((f == Fate.ARRIVES) | (s.lost_in_a_row < s.tolerated), "no more losses than tolerated")

    arrives, none = f == Fate.ARRIVES, s.too_many_in_flight
    s.too_many_in_flight = ite(s.flight[PREVIOUS] == Flight.IN_FLIGHT, none + 1, none)
    s.flight[PREVIOUS] = s.flight[LATEST]
    s.until_arrival_ticks[PREVIOUS] = s.until_arrival_ticks[LATEST]
    s.says_recorded[PREVIOUS] = s.says_recorded[LATEST]
    s.says_asked[PREVIOUS] = s.says_asked[LATEST]
    s.flight[LATEST] = ite(arrives, Flight.IN_FLIGHT, Flight.LOST)
    s.until_arrival_ticks[LATEST] = ite(arrives, s.delay_ticks, 0)
    s.says_recorded[LATEST] = ite(s.states_requests, s.asked, s.recorded[FIRST])
    s.says_asked[LATEST] = s.asked
    s.lost_in_a_row = ite(arrives, 0, ite(s.lost_in_a_row == s.tolerated, 0, s.lost_in_a_row + 1))
    s.since_sent_ticks = 0
    s.armed[FIRST] = s.effective[FIRST]


@action(claims=(*DEFER, *INTERVAL, "3.combinations"))
def receive_ack(s: TimedPair, c: Change) -> None:
    """The first learns that the second has modified, and modifies too."""
    guard(s.alive, "the first has not stopped")
    guard(s.acked[c], "the second has acked c")
    guard(s.recorded[FIRST] < c, "c is newer than what the first has recorded")
    guard(~s.failed[c], "c has not failed")

    keeps_both = one_of(s.policy, Policy.ENVELOPE, Policy.LAST_TWO)
    rearm_first(s, ite(keeps_both & (c != s.asked), s.effective[FIRST], c))
    s.recorded[FIRST] = c


@action()
def crash(s: TimedPair) -> None:
    """The first stops for good, and its send timer with it."""
    guard(s.crashes_early | all_settled(s), "crashes are early or all is settled")

    s.alive = False
    s.since_sent_ticks = 0


# --- the second node -------------------------------------------------------------------------


@action(claims=(*HEARTBEAT, "C1"))
def receive_heartbeat(s: TimedPair, h: Heartbeat) -> None:
    """The second receives a heartbeat and waits again from now.

    An envelope closes when a heartbeat states what the second has recorded.
    """
    guard(s.flight[h] != Flight.LOST, "the network has it")
    guard(s.flight[h] != Flight.DONE, "it is newer than every heartbeat received")

    def over(k: Heartbeat) -> Formula:
        return (k == h) | ((h == LATEST) & (s.flight[k] == Flight.IN_FLIGHT))

    closes = widens(s) & (s.says_recorded[h] == s.recorded[SECOND])
    c = ite(closes, s.recorded[SECOND], s.effective[SECOND])
    s.until_arrival_ticks[every] = lambda k: ite(over(k), 0, s.until_arrival_ticks[k])
    s.flight[every] = lambda k: ite(over(k), Flight.DONE, s.flight[k])
    s.heard = ite(s.heard < s.says_asked[h], s.says_asked[h], s.heard)
    s.stated = s.says_recorded[h]
    s.effective[SECOND] = c
    s.armed[SECOND] = c
    s.since_heard_ticks = 0


@action(claims=("C3",))
def hear_announcement(s: TimedPair) -> None:
    """The second learns beside the heartbeats what has been asked for."""
    guard(s.announced, "requests travel beside heartbeats too")

    s.heard = s.asked


@action(claims=(*SECOND_MODIFIES, *DEADLINE, "3.combinations"))
def modify(s: TimedPair, c: Change) -> None:
    """The second records `c`; its running deadline follows, or not until the next heartbeat."""
    guard(s.answered < c, "c is newer than what the second has answered")
    guard(second_may_modify(s, c), "it is the second's turn")
    guard(~s.failed[s.recorded[SECOND]], "the second has undone what has failed")

    known = ite(s.policy == Policy.LAST_TWO, s.recorded[SECOND], s.effective[SECOND])
    rearm_second(s, ite(widens(s), longer(s, c, known), c))
    s.pre_image = ite(s.may_fail, s.recorded[SECOND], s.pre_image)
    s.recorded[SECOND] = c
    s.answered = c


@action(claims=ACK)
def send_ack(s: TimedPair) -> None:
    """The second says what it has recorded."""
    guard(s.armed[SECOND] == s.effective[SECOND], "its deadline is armed with it")

    s.acked[s.recorded[SECOND]] = True


# --- time ------------------------------------------------------------------------------------


def too_long_dead(s: TimedPair) -> Formula:
    """The first has been dead for longer than any deadline and the largest delay."""
    return forall(Change, lambda c: s.deadline_ticks[c] + s.delay_ticks < s.since_crash_ticks)


@action(claims=(*DEADLINE, "C1"), tick=True)
def tick(s: TimedPair) -> None:
    """One tick passes; a deadline that was already due then has passed."""
    guard(~heartbeat_due(s), "no heartbeat is due")
    guard(
        forall(
            Heartbeat,
            lambda h: (s.flight[h] != Flight.IN_FLIGHT) | (s.until_arrival_ticks[h] != 0),
        ),
        "no heartbeat has been on its way for the largest delay",
    )
    guard(~exists(Change, lambda c: ack_due(s, c)), "no ack has been on its way for its bound")

    passed = s.suspected | (s.deadline_ticks[s.armed[SECOND]] <= s.since_heard_ticks)
    counts = ~s.alive & ~passed & ~too_long_dead(s)
    s.suspected = passed
    s.since_sent_ticks = ite(s.alive, one_tick_more(s, s.since_sent_ticks), 0)
    s.since_heard_ticks = one_tick_more(s, s.since_heard_ticks)
    s.since_crash_ticks = ite(counts, s.since_crash_ticks + 1, s.since_crash_ticks)
    s.ack_waits_ticks[every] = lambda c: ite(
        ack_on_its_way(s, c), one_tick_more(s, s.ack_waits_ticks[c]), 0
    )
    s.until_arrival_ticks[every] = lambda h: one_tick_less(s.until_arrival_ticks[h])
