"""Nodes point to their leader and shorten the way to it; a leader may hand over.

Not modelled: messages. It starts anywhere: any pointer may point to any node.
"""

from __future__ import annotations

from samebeat_models import Model
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
    initial,
    invariant,
    step_property,
    witness,
)


class Node(Sort, symmetric=True):
    """A member."""


class Leader(State):
    """The pointers."""

    leader = function(Node, to=Node)


@initial
def anyhow(s: Leader) -> None:
    """Pointers point anywhere."""
    s.leader[every] = anything


@action()
def shorten(s: Leader, n: Node) -> None:
    """`n` follows its leader's leader."""
    s.leader[n] = s.leader[s.leader[n]]


@action()
def hand_over(s: Leader, n: Node, m: Node) -> None:
    """The leader of `n` hands over to `m`, whom everybody must follow first."""
    guard(s.leader[s.leader[n]] == s.leader[n], "the leader of n leads itself")
    guard(s.leader[m] == s.leader[n], "m has the same leader")

    s.leader[s.leader[n]] = m
    s.leader[m] = m


@invariant()
def pointers_come_back(s: Leader) -> Formula:
    """Somebody is pointed at by somebody."""
    return exists(Node, Node, lambda n, m: s.leader[n] == m)


@step_property()
def a_self_made_leader_was_close(s: Leader, t: Leader) -> Formula:
    """Who becomes its own leader was at most two pointers away from its leader's leader."""
    return forall(
        Node,
        lambda n: (
            (t.leader[n] != n)
            | (s.leader[s.leader[n]] == n)
            | (s.leader[s.leader[n]] == s.leader[n])
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
    Model(name="leader-3", sizes={"Node": 3}),
    Model(name="leader-3-sym", sizes={"Node": 3}, symmetry=True),
    Model(name="leader-4", sizes={"Node": 4}),
]
