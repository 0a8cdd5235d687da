"""A walk through a corridor, with known durations: at most two ticks in each place.

Not modelled: why one walks.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Integer,
    State,
    Term,
    action,
    flag,
    guard,
    initial,
    invariant,
    one_if,
    stay,
    tally,
    terminal,
    variable,
)


class Place(Integer, low=0, high=3):
    """The door, two places, the end."""


class Ticks(Integer, low=0, high=2):
    """For how long."""


class Corridor(State):
    """Where one is and for how long, and a lamp."""

    place = variable(Place)
    spent_ticks = variable(Ticks)
    lit = flag()


@initial
def at_the_door(s: Corridor) -> None:
    """The walk begins."""


@action(tick=True)
def wait(s: Corridor) -> None:
    """A tick passes."""
    guard(s.spent_ticks < 2, "the place may be used for longer")

    s.spent_ticks = s.spent_ticks + 1


@action()
def walk(s: Corridor) -> None:
    """On to the next place."""
    guard(s.place < 3, "there is one")

    s.place = s.place + 1
    s.spent_ticks = 0


@action()
def switch(s: Corridor) -> None:
    """The lamp goes on or off, at once and as often as one likes."""
    s.lit = ~s.lit


@invariant()
def keeps_moving(s: Corridor) -> Formula:
    """Nobody is anywhere for longer than two ticks."""
    return s.spent_ticks <= 2


@terminal
def through(s: Corridor) -> Formula:
    """The walk is over."""
    return s.place == 3


def inside(s: Corridor) -> Formula:
    """In one of the two places."""
    return (s.place == 1) | (s.place == 2)


def lit_at(s: Corridor, p: Place) -> Formula:
    """The lamp is on, and one is at `p`."""
    return s.lit & (s.place == p)


@stay()
def at_first(s: Corridor) -> Formula:
    """At the door, where each walk begins."""
    return s.place == 0


@stay()
def in_between(s: Corridor) -> Formula:
    """In the corridor."""
    return inside(s)


@stay()
def in_a_hurry(s: Corridor) -> Formula:
    """In the corridor, and not for two ticks in one place: a tick ends it too."""
    return inside(s) & (s.spent_ticks < 2)


@stay()
def at_last(s: Corridor) -> Formula:
    """At the end, which nobody leaves."""
    return s.place == 3


@stay()
def in_two_places(s: Corridor) -> Formula:
    """In two places at once."""
    return (s.place == 1) & (s.place == 2)


@tally(when=lit_at, unit="marks")
def marks(s: Corridor, p: Place) -> Term:
    """One for the place 2, one for each tick in it."""
    found: Term = one_if(p == 2) + one_if(s.spent_ticks >= 1) + one_if(s.spent_ticks == 2)
    return found


@tally(when=inside, unit="lamps")
def lamps(s: Corridor) -> Term:
    """How many lamps are on in the corridor."""
    lit: Term = one_if(s.lit)
    return lit


MODELS = [
    Model(
        name="corridor",
        tick_ms=250,
        states=24,
        transitions=58,
        depth=6,
        figures={
            "at_first": (0, 2),
            "in_between": (0, 4),
            "in_a_hurry": (0, 2),
            "at_last": ("no bound", "no bound"),
            "in_two_places": ("never", "never"),
            "marks": (0, 3),
            "lamps": (0, 1),
        },
    ),
]
