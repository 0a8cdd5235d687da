"""Nodes point to their leader and shorten the way to it; a leader may hand over.

Not modelled: messages. At the start each leads itself, and any of them are awake.
"""

from __future__ import annotations

from samebeat_models import Model, Tier
from samebeat_spec.language import (
    Formula,
    Sort,
    State,
    action,
    always_reachable,
    anything,
    every,
    exists,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    relation,
    step_property,
    witness,
)


class Node(Sort, symmetric=True):
    """A member."""


class Leader(State):
    """The pointers, and who is awake."""

    leader = function(Node, to=Node)
    awake = relation(Node)


@initial
def alone(s: Leader) -> None:
    """Each leads itself; any are awake."""
    s.leader[every] = lambda n: n
    s.awake[every] = anything


@action()
def shorten(s: Leader, n: Node) -> None:
    """`n` follows its leader's leader."""
    guard(s.awake[n], "n is awake")

    s.leader[n] = s.leader[s.leader[n]]


@action()
def hand_over(s: Leader, n: Node, m: Node) -> None:
    """The leader of `n` hands over to `m`, which may be a leader already, or itself."""
    guard(s.leader[s.leader[n]] == s.leader[n], "the leader of n leads itself")

    s.leader[s.leader[n]] = m
    s.leader[m] = m
    s.awake[m] = True


@invariant()
def pointers_come_back(s: Leader) -> Formula:
    """Somebody is pointed at by somebody."""
    return exists(Node, Node, lambda n, m: s.leader[n] == m)


@step_property()
def a_leader_gives_way_to_a_leader(s: Leader, t: Leader) -> Formula:
    """Who no longer leads itself points to one that does."""
    return forall(
        Node,
        lambda n: implies(
            (s.leader[n] == n) & (t.leader[n] != n),
            t.leader[t.leader[n]] == t.leader[n],
        ),
    )


@always_reachable()
def settled(s: Leader) -> Formula:
    """Every node points to one that leads itself."""
    return forall(Node, lambda n: s.leader[s.leader[n]] == s.leader[n])


@witness()
def one_leader(s: Leader) -> Formula:
    """All have one leader."""
    return exists(Node, lambda m: forall(Node, lambda n: s.leader[n] == m))


MODELS = [
    Model(name="leader-3", states=56, transitions=582, depth=2, sizes={"Node": 3}),
    Model(name="leader-3-sym", states=13, depth=2, sizes={"Node": 3}, symmetry=True),
    Model(
        name="leader-4", tier=Tier.FULL, states=576, transitions=9_304, depth=3, sizes={"Node": 4}
    ),
]
