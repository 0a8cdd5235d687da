"""The disk of one machine: two slots, written in turn, so that a torn write costs the newest only.

A write that was begun and not confirmed may be lost, be there, or be torn when the machine stops.
Whether a slot is torn, only the reader of the journal can tell: it must.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from samebeat import journal as journals
from samebeat.journal import Journal, JournalError


class Unsynced(StrEnum):
    """What becomes of a write that was begun as the machine stops."""

    LOST = "lost"
    KEPT = "kept"
    TORN = "torn"
    WIPED = "wiped"
    """the whole disk is lost with it"""


@dataclass
class Disk:
    """What is durable, and what is being written.

    Attributes:
        newest, older: the two slots; empty: never written.
        writing: what is being written over the older one.
        wiped: all was lost.
    """

    newest: bytes = b""
    older: bytes = b""
    writing: bytes | None = None
    wiped: bool = False

    def begin(self, data: bytes) -> None:
        """Begin to write over the older slot."""
        self.writing = data

    def sync(self) -> bytes:
        """The write is durable; return it."""
        assert self.writing is not None, "something is being written"
        self.newest, self.older, self.writing = self.writing, self.newest, None
        return self.newest

    def stop(self, unsynced: Unsynced, part: int) -> Unsynced | None:
        """The machine stops; return what became of a write that was under way, if one was.

        Args:
            unsynced: what is to become of it.
            part: of a torn one, so many thousandths are written.
        """
        data, self.writing = self.writing, None
        if unsynced is Unsynced.WIPED:
            self.newest, self.older, self.wiped = b"", b"", True
            return unsynced
        if data is None:
            return None
        if unsynced is Unsynced.KEPT:
            self.newest, self.older = data, self.newest
        if unsynced is Unsynced.TORN:
            torn = _torn(data, self.older, part)
            if torn == self.older:
                return Unsynced.LOST
            self.newest, self.older = torn, self.newest
            if torn == data:  # what was there before ends alike
                return Unsynced.KEPT
        return unsynced

    def read(self) -> tuple[Journal | None, bool]:
        """Return the newest journal that can be read, and whether a torn one is passed over.

        None: no write was ever confirmed.

        Raises:
            JournalError: both slots are damaged; a crash alone cannot do that.
        """
        if not self.newest:
            return None, False
        try:
            return journals.read(self.newest), False
        except JournalError:
            self.newest, self.older = self.older, b""
        return (journals.read(self.newest) if self.newest else None), True


def _torn(new: bytes, old: bytes, part: int) -> bytes:
    """Return a write of which only the first part has come to the disk."""
    size = min(len(new) - 1, len(new) * part // 1_000)
    return new[:size] + old[size : len(new)]
