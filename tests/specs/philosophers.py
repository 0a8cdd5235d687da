"""Philosophers around a table, with a stick between each two.

Not modelled: what they think.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Sort,
    State,
    action,
    always_reachable,
    element,
    exists,
    flag,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    leads_to,
    relation,
    witness,
)


class Seat(Sort, symmetric=True, prefix="p"):
    """A seat, its philosopher, and the stick on the left."""


class Mood(Enumeration):
    THINKING = element("holds no stick")
    WAITING = element("holds the left stick")
    EATING = element("holds both sticks")


class Table(State):
    """Who does what, and which sticks lie on the table."""

    next_to = function(Seat, to=Seat, constant=True)
    """the seat on the right; it makes the seats a ring, which only turning keeps"""
    polite = flag(constant=True)
    """they take both sticks at once"""

    mood = function(Seat, to=Mood)
    taken = relation(Seat)


@initial
def start(s: Table) -> None:
    """All think."""


@action()
def take_left(s: Table, p: Seat) -> None:
    """`p` takes the left stick."""
    guard(~s.polite, "one may take a single stick")
    guard(s.mood[p] == Mood.THINKING, "p thinks")
    guard(~s.taken[p], "the left stick is there")

    s.mood[p] = Mood.WAITING
    s.taken[p] = True


@action()
def take_right(s: Table, p: Seat) -> None:
    """`p` takes the right stick too."""
    guard(s.mood[p] == Mood.WAITING, "p has the left stick")
    guard(~s.taken[s.next_to[p]], "the right stick is there")

    s.mood[p] = Mood.EATING
    s.taken[s.next_to[p]] = True


@action()
def take_both(s: Table, p: Seat) -> None:
    """`p` takes both sticks at once."""
    guard(s.polite, "they are polite")
    guard(~s.taken[p] & ~s.taken[s.next_to[p]], "both sticks are there")

    s.mood[p] = Mood.EATING
    s.taken[p] = True
    s.taken[s.next_to[p]] = True


@action()
def put_back(s: Table, p: Seat) -> None:
    """`p` has eaten."""
    guard(s.mood[p] == Mood.EATING, "p eats")

    s.mood[p] = Mood.THINKING
    s.taken[p] = False
    s.taken[s.next_to[p]] = False


@invariant()
def neighbours_do_not_eat_together(s: Table) -> Formula:
    """A stick serves one at a time."""
    return forall(
        Seat,
        lambda p: implies(s.mood[p] == Mood.EATING, s.mood[s.next_to[p]] != Mood.EATING),
    )


@always_reachable()
def all_thinking(s: Table) -> Formula:
    """They can always come to rest."""
    return forall(Seat, lambda p: s.mood[p] == Mood.THINKING)


@leads_to(weak=(take_left, put_back), strong=(take_right, take_both))
def eats(s: Table, p: Seat) -> tuple[Formula, Formula]:
    """Whoever thinks will eat."""
    return s.mood[p] == Mood.THINKING, s.mood[p] == Mood.EATING


@witness()
def two_eat(s: Table) -> Formula:
    """Two eat at the same time."""
    return exists(
        Seat,
        Seat,
        lambda p, q: (p != q) & (s.mood[p] == Mood.EATING) & (s.mood[q] == Mood.EATING),
    )


RING_3 = {"p1": "p2", "p2": "p3", "p3": "p1"}
RING_4 = {"p1": "p2", "p2": "p3", "p3": "p4", "p4": "p1"}

MODELS = [
    Model(
        name="polite-4",
        states=7,
        transitions=16,
        depth=2,
        sizes={"Seat": 4},
        constants={"next_to": RING_4, "polite": True},
        idle=("take_left", "take_right"),
    ),
    Model(
        name="polite-3",
        states=4,
        transitions=6,
        depth=1,
        sizes={"Seat": 3},
        constants={"next_to": RING_3, "polite": True},
        idle=("take_left", "take_right"),
        unreached=("two_eat",),
        live=("eats",),
    ),
    Model(
        name="polite-4-starved",
        sizes={"Seat": 4},
        constants={"next_to": RING_4, "polite": True},
        live=("eats",),
        violates=("eats",),
        depth=5,
    ),
    Model(
        name="polite-4-sym",
        states=3,
        depth=2,
        sizes={"Seat": 4},
        constants={"next_to": RING_4, "polite": True},
        idle=("take_left", "take_right"),
        symmetry=True,
    ),
    Model(
        name="greedy-3",
        sizes={"Seat": 3},
        constants={"next_to": RING_3, "polite": False},
        violates=("all_thinking",),
        depth=3,
    ),
]
