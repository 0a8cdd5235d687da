"""Two jugs, a tap, and four litres wanted (the TLA+ examples, `DieHard`).

Not modelled: spilling.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Integer,
    State,
    action,
    always_reachable,
    guard,
    implies,
    initial,
    invariant,
    ite,
    step_property,
    variable,
    witness,
)


class Small(Integer, low=0, high=3):
    """Litres in the small jug."""


class Big(Integer, low=0, high=5):
    """Litres in the big jug."""


class Jugs(State):
    """How full the jugs are."""

    small = variable(Small)
    big = variable(Big)


@initial
def start(s: Jugs) -> None:
    """Both are empty."""


@action()
def fill_small(s: Jugs) -> None:
    """Fill the small jug."""
    s.small = 3


@action()
def fill_big(s: Jugs) -> None:
    """Fill the big jug."""
    s.big = 5


@action()
def empty_small(s: Jugs) -> None:
    """Empty the small jug."""
    s.small = 0


@action()
def empty_big(s: Jugs) -> None:
    """Empty the big jug."""
    s.big = 0


@action()
def small_to_big(s: Jugs) -> None:
    """Pour until the small jug is empty or the big one full."""
    all_of_it = s.small + s.big <= 5
    both = s.small + s.big

    s.big = ite(all_of_it, both, 5)
    s.small = ite(all_of_it, 0, both - 5)


@action()
def big_to_small(s: Jugs) -> None:
    """Pour until the big jug is empty or the small one full."""
    guard(s.big >= 0, "there is a big jug")
    all_of_it = s.small + s.big <= 3
    both = s.small + s.big

    s.small = ite(all_of_it, both, 3)
    s.big = ite(all_of_it, 0, both - 3)


@invariant()
def one_jug_is_full_or_empty(s: Jugs) -> Formula:
    """Nothing else can be measured."""
    return (s.small == 0) | (s.small == 3) | (s.big == 0) | (s.big == 5)


@step_property()
def nothing_comes_from_nowhere(s: Jugs, t: Jugs) -> Formula:
    """What one jug gains and the other does not lose comes from the tap, which fills it up."""
    return implies((t.small > s.small) & (t.big >= s.big), t.small == 3)


@always_reachable()
def both_empty(s: Jugs) -> Formula:
    """One can always start again."""
    return (s.small == 0) & (s.big == 0)


@witness()
def four_litres(s: Jugs) -> Formula:
    """The puzzle has a solution."""
    return s.big == 4


# TLC counts the initial state too: 97 generated.
MODELS = [Model(name="die-hard", states=16, transitions=96, depth=7)]
