"""Exact numbers: 0.1 in a wish is one tenth, in every inequality and in what is printed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from samebeat_spec.parameters import Number

_MOST_DIGITS = 18


class NumberError(ValueError):
    """No number that a parameter could have; the message ends a sentence that begins with it."""


def exact(text: str | int | Decimal) -> int | Fraction:
    """Return the number that is written, in digits from 0 to 9.

    Raises:
        NumberError: there is none, or none that a parameter could have.
    """
    try:
        written = Decimal(text)
    except InvalidOperation:
        raise NumberError("is no number") from None
    if not written.is_finite():
        raise NumberError("is no number")
    if isinstance(text, str) and not text.isascii():
        raise NumberError("is no number: write it with the digits 0 to 9")
    if written and written.adjusted() >= _MOST_DIGITS:
        raise NumberError(f"is too large: {_MOST_DIGITS} digits are the most")
    if written and written.adjusted() < -_MOST_DIGITS:
        raise NumberError(f"is too close to 0: {_MOST_DIGITS} decimals are the most")
    if len(written.as_tuple().digits) > 2 * _MOST_DIGITS:
        raise NumberError(f"has too many digits: {2 * _MOST_DIGITS} are the most")
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
