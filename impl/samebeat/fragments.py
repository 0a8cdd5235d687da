"""A message cut into fragments, and put together again.

Every fragment says how long the message is and how large fragments are, so each one says alone
which bytes it must have: all but the last are full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from samebeat.messages import Fragment


def count(length: int, size: int) -> int:
    """Return in how many fragments of `size` bytes so many bytes go: the quotient, rounded up."""
    return -(-length // size)


def cut(data: bytes, size: int, index: int) -> bytes:
    """Return what is in one fragment of a message."""
    return data[index * size : (index + 1) * size]


def is_sound(f: Fragment) -> bool:
    """Return whether a fragment has exactly the bytes that it must have by what it says."""
    return f.floor <= f.sequence and 0 < len(f.data) == min(f.size, f.length - f.index * f.size)


@dataclass(frozen=True)
class Partial:
    """What has come of one message.

    Attributes:
        size, length: as all its fragments say.
        parts: the bytes that have come, by index.
    """

    size: int
    length: int
    parts: Mapping[int, bytes]

    def fits(self, f: Fragment) -> bool:
        """Return whether a fragment speaks of the same cut."""
        return (f.size, f.length) == (self.size, self.length)

    def with_part(self, f: Fragment) -> Partial:
        """Return it with one fragment more."""
        if f.index in self.parts:
            return self
        return replace(self, parts=MappingProxyType({**self.parts, f.index: f.data}))

    @property
    def is_whole(self) -> bool:
        """Every fragment has come."""
        return len(self.parts) == count(self.length, self.size)

    @property
    def data(self) -> bytes:
        """The message, once it is whole."""
        return b"".join(self.parts[i] for i in range(len(self.parts)))


NOTHING: Mapping[int, bytes] = MappingProxyType({})
"""No parts."""
