"""The datagrams of a cluster of cores: a set that only grows, written as the bits of a number.

Order is free, a lost datagram is never delivered, a repeated one is delivered twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Datagram: TypeAlias = tuple[str, str | None, bytes]
"""From whom, to whom (None: all others), and what."""


class Network:
    """All datagrams that were met, numbered."""

    def __init__(self, names: Iterable[str]) -> None:
        self.datagrams: list[Datagram] = []
        self._numbers: dict[Datagram, int] = {}
        self.sent_by = dict.fromkeys(names, 0)
        """for each node the datagrams that it has sent"""
        self.reaches = dict(self.sent_by)
        """for each node those that others have sent to it"""

    def bit(self, datagram: Datagram) -> int:
        """Return the bit that stands for a datagram."""
        number = self._numbers.setdefault(datagram, len(self.datagrams))
        bit = 1 << number
        if number == len(self.datagrams):
            self.datagrams.append(datagram)
            source, to, _ = datagram
            self.sent_by[source] |= bit
            for name in self.reaches:
                if name != source and to in (None, name):
                    self.reaches[name] |= bit
        return bit

    def bits(self, source: str, sent: Iterable[tuple[str | None, bytes]]) -> int:
        """Return the bits of what a node sends."""
        found = 0
        for to, data in sent:
            found |= self.bit((source, to, data))
        return found

    def of(self, bits: int) -> Iterator[Datagram]:
        """Yield the datagrams that the bits stand for, in order."""
        while bits:
            low = bits & -bits
            yield self.datagrams[low.bit_length() - 1]
            bits ^= low
