"""Exact numbers: 0.1 in a wish is one tenth, in every inequality and in what is printed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from samebeat_spec.parameters import Number

_MOST_DIGITS = 18


def exact(text: str | int | Decimal) -> int | Fraction | None:
    """Return the number that is written, None if there is none that a parameter could have."""
    try:
        written = Decimal(text)
    except InvalidOperation:
        return None
    if not written.is_finite() or (written and abs(written.adjusted()) > _MOST_DIGITS):
        return None
    if len(written.as_tuple().digits) > 2 * _MOST_DIGITS:
        return None
    value = Fraction(written)
    return value.numerator if value.denominator == 1 else value


def plain(number: Number) -> str:
    """Return a number as people write it: ``12``, ``0.01``."""
    value = Fraction(number)
    if value.denominator == 1:
        return str(value.numerator)
    return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


def for_json(number: Number) -> int | float:
    """Return a number as JSON has it; only what is not whole can lose digits."""
    value = Fraction(number)
    return value.numerator if value.denominator == 1 else float(value)
