"""An elevator that stops at every other floor, and one that stops at each.

Not modelled: who rides.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Integer,
    State,
    action,
    guard,
    initial,
    ite,
    refinement,
    variable,
)


class Floor(Integer, low=0, high=4):
    """A floor of the house."""


class Stop(Integer, low=0, high=2):
    """A floor where the express stops."""


class Floors(State, name="floors"):
    """An elevator that stops at each floor."""

    floor = variable(Floor)


@initial
def ground_floor(s: Floors) -> None:
    """It begins at the bottom."""


@action()
def rise(s: Floors) -> None:
    """One floor up."""
    guard(s.floor < 4, "there is a floor above")

    s.floor = s.floor + 1


@action()
def sink(s: Floors) -> None:
    """One floor down."""
    guard(s.floor > 0, "there is a floor below")

    s.floor = s.floor - 1


@action()
def drop(s: Floors) -> None:
    """From one floor two floors down."""
    guard(s.floor == 3, "this is the floor with the hole")

    s.floor = 1


class Elevator(State, name="elevator"):
    """An express."""

    stop = variable(Stop)


@initial
def bottom(s: Elevator) -> None:
    """It begins at the bottom."""


@action()
def up(s: Elevator) -> None:
    """To the next stop above."""
    guard(s.stop < 2, "there is a stop above")

    s.stop = s.stop + 1


@action()
def down(s: Elevator) -> None:
    """To the next stop below."""
    guard(s.stop > 0, "there is a stop below")

    s.stop = s.stop - 1


@refinement()
def floors(s: Elevator, p: Floors) -> None:
    """Each ride is one floor: it is not."""
    p.floor = s.stop + s.stop


@refinement(at_most=2)
def floors_by_two(s: Elevator, p: Floors) -> None:
    """Each ride is at most two floors."""
    p.floor = s.stop + s.stop


@refinement(at_most=2)
def upside_down(s: Elevator, p: Floors) -> None:
    """The house stands on its roof: it does not."""
    p.floor = 4 - (s.stop + s.stop)


@refinement(at_most=2)
def out_of_the_roof(s: Elevator, p: Floors) -> None:
    """The highest stop is not in the house."""
    p.floor = ite(s.stop == 2, s.stop + 3, s.stop)


MODELS = [
    Model(
        name="elevator",
        spec="elevator",
        states=3,
        transitions=4,
        depth=2,
        refines=("floors_by_two",),
        projected={"floors_by_two": (3, 4)},
        uncovered={"floors_by_two": ("drop",)},
    ),
    Model(
        name="elevator-too-fast",
        spec="elevator",
        depth=1,
        refines=("floors",),
        violates=("floors",),
    ),
]
