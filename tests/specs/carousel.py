"""A carousel: a ride ends when one likes, so nothing bounds it.

Not modelled: the fare.
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
    stay,
    terminal,
    variable,
)


class Angle(Integer, low=0, high=3):
    """How far it has turned."""


class Carousel(State):
    """One seat that turns, with or without somebody on it."""

    riding = flag()
    angle = variable(Angle)
    asleep = flag()


@initial
def standing(s: Carousel) -> None:
    """Nobody is on it."""


@action()
def get_on(s: Carousel) -> None:
    """Somebody gets on."""
    guard(~s.riding & ~s.asleep, "the seat is free and its owner awake")

    s.riding = True


@action()
def get_off(s: Carousel) -> None:
    """They get off."""
    guard(s.riding, "somebody is on it")

    s.riding = False
    s.angle = 0


@action(tick=True)
def turn(s: Carousel) -> None:
    """A tick passes; with nobody on it, only time does."""
    s.angle = ite(s.riding, ite(s.angle == 3, 0, s.angle + 1), s.angle)


@action()
def doze(s: Carousel) -> None:
    """The owner falls asleep, with nobody on it."""
    guard(~s.riding, "nobody is on it")

    s.asleep = True


@invariant()
def empty_when_asleep(s: Carousel) -> Formula:
    """Nobody rides while the owner sleeps."""
    return ~(s.riding & s.asleep)


@terminal
def closed(s: Carousel) -> Formula:
    """The owner sleeps."""
    return s.asleep


@stay()
def a_ride(s: Carousel) -> Formula:
    """Somebody is on it: it goes round and round."""
    return s.riding


@stay()
def a_first_half(s: Carousel) -> Formula:
    """Somebody is on it and has not come past half of it: a bound, although it goes round."""
    return s.riding & (s.angle <= 2)


@stay()
def nobody(s: Carousel) -> Formula:
    """Nobody is on it: time goes on, and nothing else changes."""
    return ~s.riding


MODELS = [
    Model(
        name="carousel",
        states=6,
        transitions=13,
        depth=4,
        terminal={"closed": 1},
        figures={
            "a_ride": (0, "no bound"),
            "a_first_half": (0, 2),
            "nobody": (0, "no bound"),
        },
    ),
]
