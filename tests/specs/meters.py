"""Meters that count up to a limit, one of them alone, and meters with a sum.

Not modelled: what they measure.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_models.catalog import Without
from samebeat_spec.language import (
    Formula,
    Integer,
    Sort,
    State,
    action,
    forall,
    function,
    guard,
    initial,
    invariant,
    refinement,
    terminal,
    variable,
)


class Place(Sort, symmetric=True):
    """Where a meter is."""


class Reading(Integer, low=0, high=3):
    """What a meter shows."""


class Sum(Integer, low=0, high=6):
    """What meters have counted together."""


class Meter(State, name="meter"):
    """One meter."""

    limit = variable(Reading, constant=True)
    reading = variable(Reading)


@initial
def new(s: Meter) -> None:
    """It shows nothing."""


@action()
def add_one(s: Meter) -> None:
    """It counts."""
    guard(s.reading < s.limit, "it is below its limit")

    s.reading = s.reading + 1


@action()
def clear_it(s: Meter) -> None:
    """It begins again."""
    guard(s.reading == s.limit, "it is at its limit")

    s.reading = 0


class Meters(State, name="meters"):
    """A meter at each place."""

    limit = function(Place, to=Reading, constant=True)
    reading = function(Place, to=Reading)


@initial
def all_new(s: Meters) -> None:
    """They show nothing."""


@action()
def add(s: Meters, p: Place) -> None:
    """The meter at `p` counts."""
    guard(s.reading[p] < s.limit[p], "it is below its limit")
    guard(s.reading[p] < 3, "it has a digit for it")

    s.reading[p] = s.reading[p] + 1


@action()
def clear(s: Meters, p: Place) -> None:
    """The meter at `p` begins again."""
    guard(s.reading[p] == s.limit[p], "it is at its limit")

    s.reading[p] = 0


@invariant()
def has_digits(s: Meters) -> Formula:
    """No meter shows more than it can."""
    return forall(Place, lambda p: s.reading[p] <= 3)


@refinement()
def each(s: Meters, m: Meter, p: Place) -> None:
    """Each meter is one."""
    m.limit = s.limit[p]
    m.reading = s.reading[p]


class Summed(Meters, name="summed"):
    """Meters, and what they have counted together."""

    total = variable(Sum)


add_alone = add


@action()  # type: ignore[no-redef]  # it takes the place of the other
def add(s: Summed, p: Place) -> None:
    """As before, and the sum grows."""
    guard(s.total < 6, "the sum has room")
    add_alone(s, p)

    s.total = s.total + 1


@terminal
def full(s: Summed) -> Formula:
    """The sum has no room for more."""
    return s.total == 6


@refinement()
def meters(s: Summed, m: Meters) -> None:
    """Without the sum they are meters."""


MODELS = [
    Model(
        name="meters",
        spec="meters",
        states=24,
        transitions=72,
        depth=6,
        sizes={"Place": 3},
        constants={"limit": {"p1": "1", "p2": "2", "p3": "3"}},
        refines=("each",),
        projected={"each": (9, 9)},
    ),
    Model(
        name="meters-symmetric",
        spec="meters",
        states=10,
        depth=6,
        sizes={"Place": 3},
        constants={"limit": {"p1": "2", "p2": "2", "p3": "2"}},
        symmetry=True,
        refines=("each",),
        projected={"each": (3, 3)},
    ),
    Model(
        name="meters-without-limit",
        spec="meters",
        depth=2,
        sizes={"Place": 3},
        constants={"limit": {"p1": "1", "p2": "2", "p3": "3"}},
        without=Without("add", "it is below its limit"),
        refines=("each",),
        violates=("each",),
    ),
    Model(
        name="summed",
        spec="summed",
        states=33,
        transitions=59,
        depth=9,
        terminal={"full": 2},
        sizes={"Place": 2},
        constants={"limit": {"p1": "1", "p2": "2"}},
        refines=("meters",),
        projected={"meters": (6, 12)},
    ),
]
