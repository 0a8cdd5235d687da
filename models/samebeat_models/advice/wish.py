"""What an operator wishes: present values, wanted values, and what is assumed of the network.

It is given as ``name=value`` texts or as a TOML file, named as in the registry. Everything that is
wrong with it is one line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from samebeat_models.advice.numbers import NumberError, exact, plain
from samebeat_spec.combinations import TIMEOUT_OR_RATIO, Combination, steady
from samebeat_spec.parameters import BY_NAME, SAFE, Assumptions, Number

NONE = "none"
"""The wish that takes a time-out or a ratio away."""
ASSUMED = tuple(f.name for f in fields(Assumptions))
_TABLES = ("now", "want", "network")
_MOST_SHOWN = 40


class WishError(ValueError):
    """A wish that cannot be judged; the message is one line: what is wrong and what to do."""


@dataclass(frozen=True)
class Wish:
    """Texts that have become numbers; not all that is needed need be there yet.

    Attributes:
        now, want: values by parameter; None in ``want`` takes the parameter away.
        network: values by assumption.
    """

    now: Mapping[str, Number] = field(default_factory=dict)
    want: Mapping[str, Number | None] = field(default_factory=dict)
    network: Mapping[str, Number] = field(default_factory=dict)

    def over(self, other: Wish) -> Wish:
        """Return this wish, and what ``other`` says where this one says nothing."""
        return Wish(
            {**other.now, **self.now},
            {**other.want, **self.want},
            {**other.network, **self.network},
        )

    @property
    def change(self) -> Combination:
        """The change that is wished."""
        return Combination(self.want)

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed; nothing is lost, late or wrong where nothing is said.

        Raises:
            WishError: a value makes no sense.
        """
        for name, value in self.network.items():
            if value < 0:
                raise WishError(f"{name}: {plain(value)} is less than 0")
            if name.endswith("losses") and not isinstance(value, int):
                what = "acks" if name == "ack_losses" else "heartbeats"
                raise WishError(f"{name}: {plain(value)} is no whole number of {what}")
        if self.network.get("drift", 0) >= 1:
            drift = plain(self.network["drift"])
            raise WishError(f"drift: {drift} is no part of one; one per cent is 0.01")
        return Assumptions(**dict(self.network))  # type: ignore[arg-type]

    def check(self) -> None:
        """See that the wish can be judged.

        Raises:
            WishError: a value is out of its range, or one that is needed is missing.
        """
        assumptions = self.assumptions
        if not self.want:
            raise WishError("nothing is wanted; say --want NAME=VALUE, or give a file")
        given = Combination(self.now).malformed(self.now) if self.now else ()
        problems = [*(f"present values: {p}" for p in given), *self.change.malformed(self.now)]
        if problems:
            raise WishError(problems[0])
        touches_safe = SAFE in self.change.touched()
        for when, settings in (
            ("present values", self.now),
            ("wanted values", self.change.after(self.now)),
        ):
            set_here = sum(name in settings for name in TIMEOUT_OR_RATIO)
            if set_here > 1 or (touches_safe and set_here < 1):
                timeout, ratio = TIMEOUT_OR_RATIO
                raise WishError(
                    f"{when}: exactly one of {timeout} and {ratio} must be set; "
                    f"NAME={NONE} takes one away"
                )
            known = steady(settings, assumptions)
            for c in self.change.touched():
                try:
                    c.slack(known)
                except KeyError as error:
                    missing = error.args[0].name
                    raise WishError(
                        f"{c.name} cannot be judged: give the present value of {missing}"
                    ) from None


def from_options(
    now: Iterable[str], want: Iterable[str], network: Mapping[str, str | None]
) -> Wish:
    """Return the wish that ``name=value`` texts and the texts of assumptions describe.

    Raises:
        WishError: a text has another form, a name is unknown or given twice, a value no number.
    """
    assumed: dict[str, Number] = {}
    for name, text in network.items():
        if text is not None:
            assumed[name] = _number(text, f"--{name.replace('_', '-')}")
    return Wish(
        _numbers(_pairs(now, "--now"), "--now"), _wanted(_pairs(want, "--want"), "--want"), assumed
    )


def from_toml(text: str, source: str) -> Wish:
    """Return the wish that a TOML text describes, in the tables now, want and network.

    Raises:
        WishError: it is no TOML, a table or name is unknown, or a value is no number.
    """
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except ValueError as error:  # of numbers with thousands of digits too
        raise WishError(f"{source}: not TOML: {error}") from None
    for name, table in tables.items():
        if name not in _TABLES:
            raise WishError(f"{source}: {name} is none of the tables [now], [want], [network]")
        if not isinstance(table, dict):
            raise WishError(f"{source}: [{name}] must be a table")
    now, want, network = (tables.get(name, {}) for name in _TABLES)
    return Wish(
        _numbers(now, f"{source}: now"),
        _wanted(want, f"{source}: want"),
        _numbers(network, f"{source}: network", ASSUMED, "assumption"),
    )


def _pairs(texts: Iterable[str], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise WishError(f"{where}: {text!r} has no value; write NAME=VALUE")
        if name in found:
            raise WishError(f"{where}: {name} is given twice")
        found[name] = value
    return found


def _wanted(given: Mapping[str, Any], where: str) -> dict[str, Number | None]:
    away = [name for name, value in given.items() if value == NONE]
    numbers = _numbers({n: 0 if n in away else x for n, x in given.items()}, where)
    return {name: None if name in away else x for name, x in numbers.items()}


def _numbers(
    given: Mapping[str, Any],
    where: str,
    names: Iterable[str] = tuple(BY_NAME),
    what: str = "parameter",
) -> dict[str, Number]:
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
            raise WishError(f"{where}: {name!r} is no {what}; {hint}")
    return {name: _number(value, f"{where}: {name}") for name, value in given.items()}


def _number(value: object, where: str) -> Number:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise WishError(f"{where}: {str(value)!r} is no number")
    try:
        return exact(value)
    except NumberError as error:
        text = str(value)
        shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
        raise WishError(f"{where}: {shown!r} {error}") from None
