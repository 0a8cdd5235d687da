"""The other side of the heartbeat pair, with time: the first suspects the second when acks stop.

The first node sends a heartbeat each interval T, and the second acks it. A heartbeat and its ack
are one *exchange*: it takes up to a round trip, or is lost, or ends with the second. The first
watches in one of two ways (``Watch``). Either each heartbeat has an ack time-out, and the first
suspects the second after so many missed acks in a row; or one deadline runs since the last new
ack. All values are the first's own, so it changes them at one instant. Which instant is arbitrary
here: every rule of the pair for when the first may follow is covered.

The network decides at sending whether an exchange is lost, so that "in a row" has a meaning. Acks
overtake each other, and copies of old ones come at any time. Ticks are those of the first's clock:
T and the time-outs are exact, and a round trip is as long as that clock may find it. No time passes
while something is due.

Not modelled here: what the second does when heartbeats stop (``heartbeat``), more than two
heartbeats that wait at once, and a second node that returns.

What this protocol promises is in ``acks_properties``.
"""

from __future__ import annotations

from samebeat_spec.heartbeat import Excess, Ticks
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Integer,
    Ordered,
    State,
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
    implies,
    initial,
    ite,
    relation,
    variable,
)

VALUES = (
    "3.heartbeat_interval",
    "3.heartbeat_ack_timeout",
    "3.heartbeat_ack_failure_threshold",
)


class Values(Ordered):
    """An interval, an ack time-out or deadline, and a threshold: adopted together."""


class Heartbeat(Enumeration):
    """The heartbeats that may still be acked, or whose acks may come again."""

    LATEST = element("the one that was sent last")
    PREVIOUS = element("the one that was sent before it")


class Exchange(Enumeration):
    """What has become of a heartbeat and its ack."""

    LOST = element("never sent, or lost on one of the two ways")
    UNDER_WAY = element("the heartbeat or its ack is on its way")
    DONE = element("the ack has come or counts no more; copies may still come")


class Fate(Enumeration):
    """What becomes of an exchange."""

    ARRIVES = element("the ack is there within the round trip")
    LOST = element("the heartbeat is lost, or its ack")


class Watch(Enumeration):
    """How the first notices that acks stop."""

    COUNT = element("each heartbeat has an ack time-out; misses in a row are counted")
    DEADLINE = element("one deadline runs since the last new ack")


class Policy(Enumeration):
    """What a change does to a time-out or deadline that runs."""

    LEAVE = element("it runs out as it was set; new values count from the next one on")
    FOLLOW = element("it is that of the new values at once")
    LENGTHEN = element("it may get longer, and never shorter; new ones are set as recorded")
    ENVELOPE = element("as LENGTHEN, and so are new ones until a later heartbeat is acked")
    BY_VALUE = element("as ENVELOPE, but an ack of an earlier one with these values will do: wrong")


class SendTimer(Enumeration):
    """What a change does to the send timer that runs."""

    KEEP = element("it runs out as it was set")
    SHIFT = element("the new interval is measured from the last heartbeat")


class Misses(Integer, low=0, high=4):
    """How many heartbeats in a row."""


LATEST, PREVIOUS = Heartbeat.LATEST, Heartbeat.PREVIOUS


class AckedPair(State, name="acks"):
    """The first's values and timers, and the exchanges under way; of the second, if it lives."""

    interval_ticks = function(Values, to=Ticks, constant=True)
    """T: how often the first sends"""
    wait_ticks = function(Values, to=Ticks, constant=True)
    """COUNT: the ack time-out; DEADLINE: how long the first waits for a new ack"""
    threshold = function(Values, to=Misses, constant=True)
    """COUNT: so many misses in a row make the second suspect"""
    round_trip_ticks = variable(Ticks, constant=True)
    """the longest time from a heartbeat to its ack: two delays and the processing"""
    delay_ticks = variable(Ticks, constant=True)
    """the largest delay of an ack alone"""
    tolerated = variable(Misses, constant=True)
    """how many heartbeats in a row may go without an ack"""
    watch = variable(Watch, constant=True)
    policy = variable(Policy, constant=True)
    send_timer = variable(SendTimer, constant=True)
    settles_older = flag(constant=True)
    """an ack also settles the heartbeats before its own; if false, each needs its own ack"""
    clamps = flag(constant=True)
    """a lower threshold cuts the counter to one below itself"""
    any_order = flag(constant=True)
    """values change in any order, as often as one likes; if false, once each and in order"""
    crashes_early = flag(constant=True)
    """the second may crash at any time; if false, only once the last change is settled"""
    values_count = flag(constant=True)
    """a mismatch of values counts as broken; if false, only the harm that may come of it does"""

    alive = flag()
    """the second has not crashed"""
    suspected = flag()
    """the first suspects the second; it then neither sends nor watches"""
    recorded = variable(Values)
    """the values that the first has adopted"""
    send_armed = variable(Values)
    """the values that the running send timer was set to"""
    deadline_armed = variable(Values)
    """DEADLINE: the values that the running deadline was set to"""
    since_acked_ticks = variable(Ticks)
    """DEADLINE: since the last new ack"""
    misses = variable(Misses)
    """COUNT: missed acks since the last new ack"""
    since_crash_ticks = variable(Ticks)
    """how long the second has been dead without being suspected"""

    exchange = function(Heartbeat, to=Exchange)
    since_sent_ticks = function(Heartbeat, to=Ticks)
    """since a heartbeat was sent; for the previous one, as long as that matters"""
    waits = relation(Heartbeat)
    """COUNT: the heartbeat's ack time-out runs"""
    timeout_armed = function(Heartbeat, to=Values)
    """COUNT: the values that the heartbeat's running ack time-out was set to"""
    sent_since_change = relation(Heartbeat)
    """ENVELOPE: the heartbeat was sent after the last change"""
    sent_with = function(Heartbeat, to=Values)
    """BY_VALUE: what the first had recorded when it sent the heartbeat"""
    lost_in_a_row = variable(Misses)
    too_many_waiting = variable(Excess)


def counts(s: AckedPair) -> Formula:
    """The first counts missed acks."""
    return s.watch == Watch.COUNT


def times(n: Misses, t: Ticks) -> Ticks:
    """Return `n` times `t`, for `n` up to 4."""
    product: Ticks = t + t + t + t
    for m, less in ((3, t + t + t), (2, t + t), (1, t), (0, 0)):
        product = ite(n == m, less, product)
    return product


def longer(s: AckedPair, v: Values, w: Values) -> Values:
    """Return the values with the longer time-out or deadline; `v` if they are equal."""
    return ite(s.wait_ticks[w] <= s.wait_ticks[v], v, w)


def moved(s: AckedPair, old: Values, v: Values) -> Values:
    """Return what a time-out or deadline that runs with `old` is set to once `v` is adopted."""
    kept = ite(s.policy == Policy.LEAVE, old, longer(s, old, v))
    return ite(s.policy == Policy.FOLLOW, v, kept)


def pending(s: AckedPair, h: Term) -> Formula:
    """A heartbeat's ack may come, or its time-out runs."""
    return (s.exchange[h] == Exchange.UNDER_WAY) | s.waits[h]


def heartbeat_due(s: AckedPair) -> Formula:
    """The send timer has run out."""
    return ~s.suspected & (s.interval_ticks[s.send_armed] <= s.since_sent_ticks[LATEST])


def settled(s: AckedPair) -> Formula:
    """The last values are adopted, and all that runs is set to them."""
    return forall(Values, lambda v: v <= s.recorded) & (
        (s.send_armed == s.recorded)
        & (counts(s) | (s.deadline_armed == s.recorded))
        & forall(Heartbeat, lambda h: implies(s.waits[h], s.timeout_armed[h] == s.recorded))
    )


@initial
def start(s: AckedPair) -> None:
    """A heartbeat is due, and the first has just begun to wait for an ack."""
    s.alive = True
    s.since_sent_ticks[LATEST] = s.interval_ticks[Values.first]


# --- the first node --------------------------------------------------------------------------


@action(claims=(*VALUES, "C1"))
def adopt(s: AckedPair, v: Values) -> None:
    """The first changes its values; timers that run follow, or not.

    A threshold that is lower than the misses so far is reached, or cuts them.
    """
    guard(s.any_order | (v == following(s.recorded)), "changes are made in order")

    reached = counts(s) & (s.threshold[v] <= s.misses)
    s.send_armed = ite(s.send_timer == SendTimer.KEEP, s.send_armed, v)
    s.deadline_armed = ite(counts(s), Values.first, moved(s, s.deadline_armed, v))
    s.timeout_armed[every] = lambda h: ite(
        s.waits[h], moved(s, s.timeout_armed[h], v), Values.first
    )
    s.sent_since_change[every] = lambda h: s.sent_since_change[h] & (v == s.recorded)
    s.suspected = s.suspected | (reached & ~s.clamps)
    s.misses = ite(reached & s.clamps, s.threshold[v] - 1, s.misses)
    s.recorded = v


@action(claims=("19.preamble", "3.heartbeat_interval"))
def send_heartbeat(s: AckedPair, f: Fate) -> None:
    """The first sends a heartbeat, and the network decides what becomes of it and of its ack."""
    guard(heartbeat_due(s), "the send timer has run out")
    guard((f == Fate.LOST) | s.alive, "a crashed node acks nothing")
    guard(
        (f == Fate.ARRIVES) | ~s.alive | (s.lost_in_a_row < s.tolerated),
        "no more losses than tolerated",
    )

    arrives, none = f == Fate.ARRIVES, s.too_many_waiting
    again = arrives | ~s.alive | (s.lost_in_a_row == s.tolerated)
    s.too_many_waiting = ite(pending(s, PREVIOUS), none + 1, none)
    s.exchange[PREVIOUS] = s.exchange[LATEST]
    s.since_sent_ticks[PREVIOUS] = ite(pending(s, LATEST), s.since_sent_ticks[LATEST], 0)
    s.waits[PREVIOUS] = s.waits[LATEST]
    s.timeout_armed[PREVIOUS] = s.timeout_armed[LATEST]
    s.sent_since_change[PREVIOUS] = s.sent_since_change[LATEST]
    s.sent_with[PREVIOUS] = s.sent_with[LATEST]
    s.exchange[LATEST] = ite(arrives, Exchange.UNDER_WAY, Exchange.LOST)
    s.since_sent_ticks[LATEST] = 0
    s.waits[LATEST] = counts(s)
    s.timeout_armed[LATEST] = ite(counts(s), s.recorded, Values.first)
    s.sent_since_change[LATEST] = s.policy == Policy.ENVELOPE
    s.sent_with[LATEST] = ite(s.policy == Policy.BY_VALUE, s.recorded, Values.first)
    s.lost_in_a_row = ite(again, 0, s.lost_in_a_row + 1)
    s.send_armed = s.recorded


@action(claims=("19.preamble", "C1"))
def receive_ack(s: AckedPair, h: Heartbeat) -> None:
    """The first hears the ack of `h`: the second lives; misses are forgiven, a deadline restarts.

    An envelope closes when the ack answers a heartbeat sent since the last change.
    """
    guard(s.exchange[h] != Exchange.LOST, "the network has it")
    guard(s.exchange[h] != Exchange.DONE, "it is newer than every ack that counts")

    def over(k: Term) -> Formula:
        return (k == h) | (s.settles_older & (h == LATEST))

    earlier = (s.policy == Policy.ENVELOPE) & ~s.sent_since_change[h]
    other = (s.policy == Policy.BY_VALUE) & (s.sent_with[h] != s.recorded)
    s.exchange[every] = lambda k: ite(
        over(k) & (s.exchange[k] == Exchange.UNDER_WAY), Exchange.DONE, s.exchange[k]
    )
    s.since_sent_ticks[PREVIOUS] = ite(over(PREVIOUS), 0, s.since_sent_ticks[PREVIOUS])
    s.waits[every] = lambda k: s.waits[k] & ~over(k)
    s.misses = 0
    s.since_acked_ticks = 0
    s.deadline_armed = ite(counts(s) | earlier | other, s.deadline_armed, s.recorded)


def timed_out(s: AckedPair, h: Heartbeat) -> Formula:
    """The ack time-out of `h` runs and has passed."""
    passed = s.wait_ticks[s.timeout_armed[h]] < s.since_sent_ticks[h]
    return s.waits[h] & ~s.suspected & passed


def deadline_passed(s: AckedPair) -> Formula:
    """No new ack has come for the whole deadline."""
    return ~counts(s) & ~s.suspected & (s.wait_ticks[s.deadline_armed] < s.since_acked_ticks)


@action(claims=("3.heartbeat_ack_timeout", "3.heartbeat_ack_failure_threshold", "C1"))
def miss(s: AckedPair, h: Heartbeat) -> None:
    """The first counts a missed ack, and may suspect. An ack that comes later counts no more."""
    guard(timed_out(s, h), "its ack time-out has passed")

    misses = ite(s.misses < s.threshold[s.recorded], s.misses + 1, s.misses)
    under_way = s.exchange[h] == Exchange.UNDER_WAY
    s.exchange[h] = ite(under_way, Exchange.DONE, s.exchange[h])
    s.waits[h] = False
    s.misses = misses
    s.suspected = s.suspected | (s.threshold[s.recorded] <= misses)


@action(claims=("3.heartbeat_ack_timeout", "C1"))
def suspect(s: AckedPair) -> None:
    """The first has waited for a new ack for long enough, and suspects."""
    guard(deadline_passed(s), "the deadline has passed")

    s.suspected = True


# --- the second node -------------------------------------------------------------------------


@action()
def crash(s: AckedPair) -> None:
    """The second stops for good. Acks that it has sent may still come."""
    guard(s.crashes_early | settled(s), "crashes are early or all is settled")

    s.alive = False
    s.lost_in_a_row = 0


# --- time ------------------------------------------------------------------------------------


def ack_due(s: AckedPair) -> Formula:
    """An ack of a live node has been on its way for as long as it may."""
    return s.alive & exists(
        Heartbeat,
        lambda h: (
            (s.exchange[h] == Exchange.UNDER_WAY) & (s.round_trip_ticks <= s.since_sent_ticks[h])
        ),
    )


def too_late(s: AckedPair, h: Term) -> Formula:
    """The second was dead before it could send the ack of `h`, or the ack would have come."""
    ended = s.round_trip_ticks <= s.since_sent_ticks[h]
    return ~s.alive & (ended | (s.delay_ticks <= s.since_crash_ticks))


def too_long_dead(s: AckedPair) -> Formula:
    """The second has been dead for longer than the watch may take to notice, and one tick more."""
    counted = forall(
        Values,
        Values,
        Values,
        lambda u, v, w: (
            times(s.threshold[u], s.interval_ticks[v]) + s.wait_ticks[w] + 1 < s.since_crash_ticks
        ),
    )
    waited = forall(Values, lambda v: s.wait_ticks[v] + s.delay_ticks + 1 < s.since_crash_ticks)
    return (counts(s) & counted) | (~counts(s) & waited)


@action(claims=("C1",), tick=True)
def tick(s: AckedPair) -> None:
    """One tick passes. What a dead node has not sent does not come."""
    guard(~heartbeat_due(s), "no heartbeat is due")
    guard(~ack_due(s), "no ack of a live node has been on its way for a round trip")
    guard(
        ~exists(Heartbeat, lambda h: timed_out(s, h)) & ~deadline_passed(s),
        "no time-out or deadline has passed unseen",
    )

    dead = ~s.alive & ~s.suspected & ~too_long_dead(s)
    comes = (s.exchange[PREVIOUS] == Exchange.UNDER_WAY) & ~too_late(s, PREVIOUS)
    runs = ~s.suspected & (comes | s.waits[PREVIOUS])
    s.exchange[every] = lambda h: ite(
        (s.exchange[h] == Exchange.UNDER_WAY) & too_late(s, h), Exchange.LOST, s.exchange[h]
    )
    s.since_sent_ticks[LATEST] = ite(s.suspected, 0, s.since_sent_ticks[LATEST] + 1)
    s.since_sent_ticks[PREVIOUS] = ite(runs, s.since_sent_ticks[PREVIOUS] + 1, 0)
    s.since_acked_ticks = ite(counts(s) | s.suspected, 0, s.since_acked_ticks + 1)
    s.since_crash_ticks = ite(dead, s.since_crash_ticks + 1, s.since_crash_ticks)
