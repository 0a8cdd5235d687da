"""What is measured of the group change: how much it takes, and for how long members differ.

A multicast counts once, however many members it reaches and however often it is sent again. A
round is one link of the longest chain in which a multicast waits for others: request, answers
(acks or busy), statuses. Deciding takes no multicast, so it is no round.
"""

from __future__ import annotations

from samebeat_spec.group import (
    ACK_ROUND,
    CONFIRM_STATUS,
    FAILURE,
    MULTICAST,
    STATUS,
    STATUS_ROUND,
    UNDO,
    Change,
    Group,
    Message,
    Node,
    Phase,
)
from samebeat_spec.language import Formula, Term, count, exists, forall, one_if, stay, tally

ROUNDS = ACK_ROUND + STATUS_ROUND


def some_sent(s: Group, c: Change, *kinds: Term) -> Formula:
    """Somebody has sent one of `kinds` about `c`."""
    found = exists(Node, lambda n: s.sent[n, c, kinds[0]])
    return found | some_sent(s, c, *kinds[1:]) if kinds[1:] else found


def committed(s: Group, c: Change) -> Formula:
    """Every member has committed `c`."""
    return forall(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)


def closed(s: Group, c: Change) -> Formula:
    """Every member has undone `c`."""
    return forall(Node, lambda n: s.phase[n, c] == Phase.UNDONE)


def undone_after_a_failure(s: Group, c: Change) -> Formula:
    """Some member could not apply `c`, and every member has undone it."""
    return closed(s, c) & some_sent(s, c, Message.FAILURE)


def busied(s: Group, c: Change) -> Formula:
    """Some member has turned `c` down, and every member has closed it."""
    return closed(s, c) & some_sent(s, c, Message.BUSY)


def multicasts(s: Group, c: Change) -> Term:
    """Return how many multicasts there have been about `c`: the request, answers, statuses."""
    answers = count(Node, lambda n: s.sent[n, c, Message.ACK])
    answers += count(Node, lambda n: s.sent[n, c, Message.BUSY])
    statuses = count(Node, lambda n: s.sent[n, c, Message.OK])
    statuses += count(Node, lambda n: s.sent[n, c, Message.FAILURE])
    total: Term = one_if(s.requested[c]) + answers + statuses
    return total


def rounds(s: Group, c: Change) -> Term:
    """Return how many rounds `c` has taken so far."""
    answers = some_sent(s, c, Message.ACK, Message.BUSY)
    statuses = some_sent(s, c, Message.OK, Message.FAILURE)
    total: Term = one_if(s.requested[c]) + one_if(answers) + one_if(statuses)
    return total


@stay(claims=("C3",))
def different_values(s: Group) -> Formula:
    """Two members hold different values."""
    return exists(Node, Node, lambda n, m: s.value[n] != s.value[m])


@tally(when=committed, unit="multicasts", claims=(*CONFIRM_STATUS, *STATUS, *MULTICAST))
def multicasts_of_a_commit(s: Group, c: Change) -> Term:
    """What a change takes that every member commits."""
    return multicasts(s, c)


@tally(when=committed, unit="rounds", claims=(*CONFIRM_STATUS, *ROUNDS))
def rounds_of_a_commit(s: Group, c: Change) -> Term:
    """How often members wait for each other in a change that every member commits."""
    return rounds(s, c)


@tally(when=undone_after_a_failure, unit="multicasts", claims=(*FAILURE, *UNDO, *MULTICAST))
def multicasts_of_an_undo(s: Group, c: Change) -> Term:
    """What a change takes that a member fails to apply and every member undoes."""
    return multicasts(s, c)


@tally(when=undone_after_a_failure, unit="rounds", claims=(*FAILURE, *UNDO, *ROUNDS))
def rounds_of_an_undo(s: Group, c: Change) -> Term:
    """How often members wait for each other in a change that fails and is undone."""
    return rounds(s, c)


@tally(when=busied, unit="multicasts", claims=("C6", *MULTICAST))
def multicasts_of_a_busied_change(s: Group, c: Change) -> Term:
    """What a change takes that a member turns down and every member closes."""
    return multicasts(s, c)


@tally(when=busied, unit="rounds", claims=("C6", *ROUNDS))
def rounds_of_a_busied_change(s: Group, c: Change) -> Term:
    """How often members wait for each other in a change that is turned down."""
    return rounds(s, c)
