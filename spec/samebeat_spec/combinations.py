"""Changes of one or several parameters: validated, applied and undone as one (claim 3).

While a change is on its way the two nodes switch at different times. The order keeps every
constraint at every instant, if it holds of the old values and of the new: first switches whatever
leaves a constraint between the nodes more room, then what is under way drains, then the rest
switches. That is derived from the constraints (see ``parameters``) and from the numbers, and so is
the order for a single parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from samebeat_spec.parameters import (
    BY_NAME,
    CONSTRAINTS,
    PARAMETERS,
    Assumptions,
    Constraint,
    Number,
    Place,
    Quantity,
    Values,
    constraints_of,
    copies,
    traces,
)

Settings: TypeAlias = Mapping[str, Number]
"""For each parameter that is set, the value on which both nodes have agreed."""

TIMEOUT_OR_RATIO = ("heartbeat_message_timeout", "receive_send_timer_ratio")
"""Exactly one of the two is set; a change may take one away and set the other."""
_GRID = 1_000
"""Values that need not be whole are proposed in steps of one part of this."""


class InvalidCombination(ValueError):  # noqa: N818  (`except InvalidCombination` is the sentence)
    """A change that must not be made; ``problems`` says why, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Direction(Enum):
    """Which way a value changes."""

    RAISE = "raise"
    LOWER = "lower"


class Move(Enum):
    """A step of a change; between two of them any time may pass."""

    FIRST = "the first node switches"
    SECOND = "the second node switches"
    DRAIN = "what is under way drains to the new value; meanwhile nothing beyond it is admitted"


_PLACES = {Move.FIRST: Place.FIRST, Move.SECOND: Place.SECOND}


@dataclass(frozen=True)
class Stage:
    """A move and the parameters that it concerns, in alphabetical order."""

    move: Move
    names: tuple[str, ...]


@dataclass(frozen=True)
class Combination:
    """New values that are adopted together; None takes the time-out or the ratio away."""

    wanted: Mapping[str, Number | None]

    def problems(self, present: Settings, assumptions: Assumptions) -> tuple[str, ...]:
        """Return why this change must not be made; nothing if it may.

        The values wanted are judged, together with the present ones that stay. Whether the present
        values keep the constraints is not: a change may repair them.
        """
        found = tuple(self.malformed(present))
        if found:
            return found
        after = self.after(present)
        if sum(name in after for name in TIMEOUT_OR_RATIO) != 1:
            return (f"exactly one of {' and '.join(TIMEOUT_OR_RATIO)} must be set",)
        return tuple(self._broken(steady(after, assumptions)))

    def applied(self, present: Settings, assumptions: Assumptions) -> dict[str, Number]:
        """Return the values after the change: all that is wanted, and what else there was.

        Raises:
            InvalidCombination: the change must not be made; nothing has changed.
        """
        problems = self.problems(present, assumptions)
        if problems:
            raise InvalidCombination(problems)
        return self.after(present)

    def undo(self, present: Settings) -> Combination:
        """Return the change that leads back to the present values: the pre-image of this one."""
        return Combination({name: present.get(name) for name in self.wanted})

    def stages(self, present: Settings, assumptions: Assumptions) -> tuple[Stage, ...]:
        """Return in which order the nodes switch, so that no constraint breaks on the way."""
        return _stages(present, self.after(present), assumptions)

    def touched(self) -> tuple[Constraint, ...]:
        """Return the constraints by which the change is judged: those of what is wanted."""
        return tuple(c for c in CONSTRAINTS if any(map(c.mentions, self.wanted)))

    def nearest(self, name: str, present: Settings, assumptions: Assumptions) -> Number | None:
        """Return the value of one parameter closest to the wish that keeps every constraint.

        The others are as wanted. Every constraint is linear in any one parameter, so each leaves
        an interval of values. None if there is no such value in the parameter's range.
        """
        p, after = BY_NAME[name], self.after(present)
        step = Fraction(1) if p.whole else Fraction(1, _GRID)
        low, high = Fraction(p.low), Fraction(p.high)

        def slack(c: Constraint, x: Number) -> Fraction:
            return Fraction(c.slack(steady({**after, name: x}, assumptions)))

        for c in self.touched():
            at_low, at_high = slack(c, p.low), slack(c, p.high)
            if at_low < 0 and at_high < 0:
                return None
            if at_low < 0 or at_high < 0:
                edge = p.low + (p.high - p.low) * at_low / (at_low - at_high)
                if at_low < 0:
                    low = max(low, ceil(edge / step) * step)
                else:
                    high = min(high, floor(edge / step) * step)
        found = min(max(Fraction(after[name]), low), high)
        return None if high < low else int(found) if p.whole else found

    def after(self, present: Settings) -> dict[str, Number]:
        """Return the values after the change, good or bad: what is wanted, and what stays."""
        after = {name: number for name, number in present.items() if name not in self.wanted}
        after.update((name, x) for name, x in self.wanted.items() if x is not None)
        return after

    def malformed(self, present: Settings) -> Iterator[str]:
        """Yield what is wrong with the values wanted, whatever the constraints say of them."""
        if not self.wanted:
            yield "nothing is wanted"
        for name, number in self.wanted.items():
            if name not in BY_NAME:
                yield f"{name} is no parameter"
            elif name not in (*present, *TIMEOUT_OR_RATIO):
                yield f"{name} has no present value"
            elif number is None:
                if name not in TIMEOUT_OR_RATIO:
                    yield f"{name} cannot be taken away"
            else:
                p = BY_NAME[name]
                shown = float(number) if isinstance(number, Fraction) else number
                if not p.low <= number <= p.high:
                    yield f"{name}: {shown} lies outside {p.low}..{p.high} {p.unit}"
                elif p.whole and number != int(number):
                    yield f"{name}: {shown} is no whole number of {p.unit}"

    def _broken(self, values: Values) -> Iterator[str]:
        for c in self.touched():
            try:
                if not c.holds(values):
                    yield f"{c.name} would be broken by {-c.slack(values)}: {c.why}"
            except KeyError as error:
                yield f"{c.name} cannot be judged: {error.args[0].name} is not set"


def steady(settings: Settings, assumptions: Assumptions) -> dict[Quantity, Number]:
    """Return what holds between changes, with as much traffic as there may be."""
    values = assumptions.values()
    for name, number in settings.items():
        values |= dict.fromkeys(copies(name), number)
        values |= dict.fromkeys(traces(name), number)
    return values


def instants(
    present: Settings, after: Settings, assumptions: Assumptions, stages: Iterable[Stage]
) -> Iterator[Values]:
    """Yield what holds at the start and after each stage, with traffic at worst."""
    values = steady(present, assumptions)
    yield dict(values)
    for stage in stages:
        for name in stage.names:
            _make(stage.move, name, after.get(name), values)
        yield dict(values)


def safe_order(name: str, direction: Direction) -> tuple[Move, ...]:
    """Return the moves that change one parameter alone, whatever the numbers.

    The interval and the threshold are taken where no time-out is set: then both nodes use them.
    """
    timeout, ratio = TIMEOUT_OR_RATIO
    unset = ratio if name == timeout else timeout
    settings: dict[str, Number] = {p.name: 4 for p in PARAMETERS if p.name != unset}
    small, large = {**settings, name: 1}, {**settings, name: 2}  # only the direction counts
    old, new = (small, large) if direction is Direction.RAISE else (large, small)
    return tuple(stage.move for stage in _stages(old, new, Assumptions()))


def _make(move: Move, name: str, number: Number | None, values: dict[Quantity, Number]) -> None:
    """Change the values of one parameter as a move does; None takes it away."""
    for q in copies(name):
        if q.place is _PLACES.get(move):
            values.pop(q, None)
            if number is not None:
                values[q] = number
    for q in traces(name):
        if number is None:
            continue
        if move is Move.DRAIN:
            values[q] = min(values[q], number)
        elif _PLACES[move] is BY_NAME[name].home:  # from now on there may be as much
            values[q] = max(values[q], number)


def _stages(present: Settings, after: Settings, assumptions: Assumptions) -> tuple[Stage, ...]:
    changed = {name for name in (*present, *after) if present.get(name) != after.get(name)}
    lowered = {n for n in changed & present.keys() & after.keys() if after[n] < present[n]}
    early: dict[Move, set[str]] = {Move.FIRST: set(), Move.SECOND: set()}
    late: dict[Move, set[str]] = {Move.SECOND: set(), Move.FIRST: set()}
    before = steady(present, assumptions)
    for group in _groups(changed):
        for move, place in _PLACES.items():
            here = {n for n in group if any(q.place is place for q in copies(n))}
            chosen = early if _gives_room(move, here, before, after) else late
            chosen[move] |= here
    drains = {n for n in lowered if traces(n)}
    order = [*early.items(), (Move.DRAIN, drains), *late.items()]
    return tuple(Stage(move, tuple(sorted(names))) for move, names in order if names)


def _gives_room(move: Move, names: set[str], before: Values, after: Settings) -> bool:
    """Return whether a node's switch leaves the constraints between the nodes no less room."""
    between = [c for c in CONSTRAINTS if c.spans_both() and any(map(c.mentions, names))]
    values = dict(before)
    for name in names:
        _make(move, name, after.get(name), values)
    return bool(between) and all(c.slack(values) >= c.slack(before) for c in between)


def _groups(names: set[str]) -> list[set[str]]:
    """Return the parameters in groups: those of one constraint switch together on a node."""
    groups: list[set[str]] = []
    for name in sorted(names):
        family = {p.name for c in constraints_of(name) for p in PARAMETERS if c.mentions(p.name)}
        joined = [g for g in groups if g & family]
        groups = [g for g in groups if not g & family]
        groups.append({name}.union(*joined))
    return groups
