"""How a member and the one that watches it are read as a pair of ``heartbeat``.

A refinement is of one composition: ``composed_refinements`` and ``timed_cluster_refinements`` have
them. What they say is here, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebeat_spec import heartbeat as pair
from samebeat_spec.group import Change, Epoch, Message, Node, Phase, Value
from samebeat_spec.heartbeat import FIRST, SECOND, Rearming, TimedPair
from samebeat_spec.language import Formula, Term, every, exists, following, guard, ite, one_of

if TYPE_CHECKING:
    from samebeat_spec.watching import Members

OLD, NEW = pair.Change.first, following(pair.Change.first)


def new_if(condition: Formula) -> Term:
    """Return the pair's change if `condition` holds, and what there was before it otherwise."""
    return ite(condition, NEW, OLD)


def has_failed(s: Members, c: Change) -> Formula:
    """Some member could not apply `c`."""
    return exists(Node, lambda m: (s.phase[m, c] == Phase.FAILED) | s.sent[m, c, Message.FAILURE])


def set_heartbeats(s: Members, p: TimedPair, n: Node, c: Change) -> None:
    """The heartbeats of `n` and the clocks are those of the pair."""
    p.since_sent_ticks = s.since_sent_ticks[n]
    p.since_heard_ticks = s.since_heard_ticks[n]
    p.since_crash_ticks = 0
    p.ack_waits_ticks[every] = 0
    p.flight[every] = lambda h: s.flight[n, h]
    p.until_arrival_ticks[every] = lambda h: s.until_arrival_ticks[n, h]
    p.says_recorded[every] = lambda h: ite(s.says_epoch[n, h] == Epoch.first, OLD, NEW)
    p.says_asked[every] = lambda h: ite(s.says_acked[n, h, c], NEW, OLD)
    p.lost_in_a_row = s.lost_in_a_row[n]
    p.too_many_in_flight = s.too_many_in_flight


def set_constants(s: Members, p: TimedPair, c: Change, policy: Term) -> None:
    """The pair has the values of before and after `c`, and the rules of the composition."""

    def value(d: pair.Change) -> Value:
        old_or_new: Value = ite(d == OLD, s.start_value, s.asked[c])
        return old_or_new

    p.interval_ticks[every] = lambda d: s.interval_ticks[value(d)]
    p.deadline_ticks[every] = lambda d: s.deadline_ticks[value(d)]
    p.drift_ticks[every] = 0
    p.policy = policy
    p.rearming = Rearming.SHIFT
    p.second_rearms = True
    p.announced = True
    p.bounded_acks = False
    p.ack_delay_ticks = 0
    p.may_fail = True
    p.crashes_early = False
    p.states_requests = False


def set_pair(s: Members, p: TimedPair, n: Node, c: Change, policy: Term) -> None:
    """`n` and its watcher are the pair; `c` is its one change.

    The member asks as it acks, and the watcher has heard of it at once. To apply is to modify, the
    good status is the ack, to commit is to follow. A failure anywhere is a failure of the pair.
    """
    guard(s.clocked[n], "n's heartbeats have clocks")
    guard(s.asked[c] != s.start_value, "c changes the value")

    w = s.watcher[n]
    acked = s.sent[n, c, Message.ACK]
    set_constants(s, p, c, policy)
    p.alive = True
    p.suspected = s.suspected[n]
    p.asked = new_if(acked)
    p.heard = new_if(acked)
    p.recorded[FIRST] = new_if(s.phase[n, c] == Phase.COMMITTED)
    p.recorded[SECOND] = new_if(one_of(s.phase[w, c], Phase.APPLIED, Phase.COMMITTED))
    p.answered = new_if(one_of(s.phase[w, c], Phase.APPLIED, Phase.COMMITTED, Phase.UNDONE))
    p.pre_image = OLD
    p.failed[every] = lambda d: (d == NEW) & has_failed(s, c)
    p.acked[every] = lambda d: (d == OLD) | s.sent[w, c, Message.OK]
    for role, used in ((FIRST, s.sends_as(n)), (SECOND, s.deadline[n])):
        p.effective[role] = new_if(used == s.asked[c])
        p.armed[role] = new_if(used == s.asked[c])
    p.stated = new_if(s.stated[n] != Epoch.first)
    set_heartbeats(s, p, n, c)
