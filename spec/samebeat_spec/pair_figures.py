"""What is measured of a deferral: how much a change takes that both nodes must make in step.

A heartbeat that asks and the ack that answers it are one message each, however often they are sent
again. A round is one link of the longest chain in which a message waits for another one.
"""

from __future__ import annotations

from samebeat_spec.language import Formula, Term, count, exists, one_if, tally
from samebeat_spec.pair import (
    ACK,
    ASK,
    DEFER,
    SECOND_MODIFIES,
    Change,
    Indicator,
    Node,
    Pair,
    Wish,
    needs_synchronisation,
)


def modified_after_deferral(s: Pair, c: Change) -> Formula:
    """A node has deferred `c` and then modified."""
    return needs_synchronisation(s, c) & exists(Node, lambda n: s.wish[n, c] == Wish.MODIFIED)


def refused(s: Pair, c: Change) -> Formula:
    """A node has closed `c`, because the other one refused."""
    return exists(Node, lambda n: s.wish[n, c] == Wish.REFUSED)


def messages(s: Pair, c: Change) -> Term:
    """Return how many messages there have been about `c`: heartbeats that ask, and acks."""
    asked = count(Node, lambda n: s.heartbeat[n, c])
    said = count(Node, lambda n: s.ack[n, c, Indicator.SET])
    said += count(Node, lambda n: s.ack[n, c, Indicator.CLEARED])
    total: Term = asked + said
    return total


def rounds(s: Pair, c: Change) -> Term:
    """Return how many rounds `c` has taken so far: to ask, and to answer."""
    asked = exists(Node, lambda n: s.heartbeat[n, c])
    said = exists(Node, Indicator, lambda n, i: s.ack[n, c, i])
    total: Term = one_if(asked) + one_if(said)
    return total


@tally(when=modified_after_deferral, unit="messages", claims=(*ASK, *SECOND_MODIFIES, *DEFER))
def messages_of_a_deferral(s: Pair, c: Change) -> Term:
    """What a change takes that both nodes make in step."""
    return messages(s, c)


@tally(when=modified_after_deferral, unit="rounds", claims=(*ASK, *SECOND_MODIFIES, *DEFER))
def rounds_of_a_deferral(s: Pair, c: Change) -> Term:
    """How often nodes wait for each other in a change that they make in step."""
    return rounds(s, c)


@tally(when=refused, unit="messages", claims=(*ASK, *ACK))
def messages_of_a_refusal(s: Pair, c: Change) -> Term:
    """What a change takes that the second node refuses."""
    return messages(s, c)


@tally(when=refused, unit="rounds", claims=(*ASK, *ACK))
def rounds_of_a_refusal(s: Pair, c: Change) -> Term:
    """How often nodes wait for each other in a change that is refused."""
    return rounds(s, c)
