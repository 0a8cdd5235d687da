"""A clock with minutes, and the simpler one that shows hours only.

Not modelled: what makes it run.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Integer,
    State,
    action,
    flag,
    guard,
    initial,
    invariant,
    ite,
    refinement,
    variable,
)


class Hour(Integer, low=0, high=2):
    """An hour of a short day."""


class Minute(Integer, low=0, high=3):
    """A minute of a short hour."""


class Hours(State, name="hours"):
    """What the hour hand shows."""

    hour = variable(Hour)


@initial
def midnight(s: Hours) -> None:
    """It is midnight."""


@action()
def strike(s: Hours) -> None:
    """An hour begins."""
    s.hour = ite(s.hour == 2, 0, s.hour + 1)


class Clock(State, name="clock"):
    """Both hands."""

    jumpy = flag(constant=True)
    """the minute hand may jump to the end of the day"""

    hour = variable(Hour)
    minute = variable(Minute)


@initial
def start(s: Clock) -> None:
    """It is midnight."""


@action()
def tick(s: Clock) -> None:
    """A minute passes; after the last one of an hour the next hour begins."""
    last = s.minute == 3
    s.minute = ite(last, 0, s.minute + 1)
    s.hour = ite(last, ite(s.hour == 2, 0, s.hour + 1), s.hour)


@action()
def jump(s: Clock) -> None:
    """The day is over at once."""
    guard(s.jumpy, "the clock is jumpy")

    s.minute = 0
    s.hour = 0


@invariant()
def fits(s: Clock) -> Formula:
    """There is no such hour as the fourth."""
    return s.hour <= 2


@refinement()
def hours(s: Clock, p: Hours) -> None:
    """Without its minute hand the clock shows hours."""


MODELS = [
    Model(
        name="clock",
        spec="clock",
        states=12,
        transitions=12,
        depth=11,
        constants={"jumpy": False},
        idle=("jump",),
        refines=("hours",),
        projected={"hours": (3, 3)},
    ),
    Model(
        name="clock-jumpy",
        spec="clock",
        depth=5,
        constants={"jumpy": True},
        refines=("hours",),
        violates=("hours",),
    ),
]
