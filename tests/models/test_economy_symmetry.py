"""A regression: what a sample teaches must be true of every image of a state, not of one."""

from __future__ import annotations

import pytest

from samebeat_models.explorer import explore
from samebeat_models.results import Verdict
from samebeat_spec.language import (
    Formula,
    Instance,
    Integer,
    Sort,
    State,
    action,
    every,
    exists,
    flag,
    forall,
    function,
    guard,
    initial,
    invariant,
    relation,
    spec_of,
    variable,
)


class Node(Sort, symmetric=True):
    """Who may open the vault."""


class Slot(Sort):
    """Many places that say the same: bits that carry nothing."""


class Dial(Sort):
    """A dial of the lock."""


class Digit(Integer):
    """What a dial shows."""


class Vault(State, name="vault"):
    """A vault whose rare state no small sample contains for both nodes."""

    at = function(Dial, to=Digit)
    special = relation(Node)
    shadow = relation(Node, Slot)
    dead = flag()
    token = variable(Node)


@initial
def start(s: Vault, n: Node) -> None:
    """Either node has the token."""
    s.token = n


@action()
def turn(s: Vault, d: Dial) -> None:
    """A dial moves on."""
    guard(exists(Digit, lambda x: x == s.at[d] + 1), "it is not at the end")

    s.at[d] = s.at[d] + 1


@action()
def crack(s: Vault) -> None:
    """The combination is right: whoever has the token is special, and its shadow shows it."""
    guard(forall(Dial, lambda d: s.at[d] == 7), "the combination is right")
    guard(forall(Node, lambda n: ~s.special[n]), "nobody was special before")

    s.special[s.token] = True
    s.shadow[s.token, every] = True


@action()
def hand_on(s: Vault, n: Node) -> None:
    """The token goes to `n`."""
    guard(s.token != n, "n does not have it")

    s.token = n


@action()
def strike(s: Vault) -> None:
    """A shadow without the token kills."""
    guard(
        exists(Node, lambda n: (n != s.token) & forall(Slot, lambda x: s.shadow[n, x])),
        "the shadow is elsewhere",
    )

    s.dead = True


@invariant()
def alive(s: Vault) -> Formula:
    """Nobody is killed."""
    return ~s.dead


@pytest.mark.slow
def test_fewer_bits_and_symmetry_together_miss_no_violation():
    """The first version stored the image of a state with the bits of the state itself."""
    sizes = {"Node": 2, "Slot": 24, "Dial": 6, "Digit": 11}
    outcome = explore(Instance("vault", spec_of(Vault), sizes), symmetry=True, deadlocks=False)
    found = next(f for f in outcome.findings if f.property == "alive")
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, 45)
