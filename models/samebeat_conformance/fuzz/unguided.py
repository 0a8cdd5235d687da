"""Fuzzing without guidance: random bytes, and valid messages with some bytes changed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from samebeat_conformance.fuzz.stories import Datagram, story
from samebeat_conformance.fuzz.targets import TARGETS, Found

_LONGEST = 400
_OF_VALID = 3
"""So many of four datagrams start as a valid message."""


def without_guidance(executions: int, seed: int = 1) -> str:
    """Give each target its share of random bytes; return what does not hold, or nothing.

    The same number and seed give the same bytes.
    """
    rng = Random(seed)
    for number in range(executions):
        name = ("decode", "receive", "story")[number % 3]
        data = rng.randbytes(rng.randrange(_LONGEST)) if name == "story" else _datagram(rng)
        try:
            TARGETS[name](data)
        except Found as found:
            return f"{name}: {found}"
    return ""


def seeds(rng: Random, number: int) -> Iterator[bytes]:
    """Yield valid messages of all kinds."""
    while number:
        for what in story(rng.randbytes(200)):
            if isinstance(what, Datagram) and number:
                number -= 1
                yield what.data


def _datagram(rng: Random) -> bytes:
    if rng.randrange(4) >= _OF_VALID:
        return rng.randbytes(rng.randrange(64))
    data = bytearray(next(seeds(rng, 1)))
    for _ in range(rng.randrange(4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randrange(len(data) + 1)] if rng.randrange(8) == 0 else data)
