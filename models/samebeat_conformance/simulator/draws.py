"""Random numbers that depend on a seed and on what they are for, and on nothing else.

So a fault that is taken out of a run changes no draw of another one.
"""

from __future__ import annotations

from hashlib import blake2b

_BITS = 64


def draw(seed: int, *key: int | str) -> int:
    """Return 64 bits for this purpose; the same on every machine."""
    words = "\0".join(map(str, (seed, *key)))
    return int.from_bytes(blake2b(words.encode(), digest_size=_BITS // 8).digest(), "big")


def between(low: int, high: int, seed: int, *key: int | str) -> int:
    """Return a whole number from `low` to `high`, both included."""
    return low + draw(seed, *key) % (high - low + 1)


def chance(seed: int, *key: int | str) -> float:
    """Return a number from 0 to 1, 1 excluded."""
    return float(draw(seed, *key) / 2**_BITS)
