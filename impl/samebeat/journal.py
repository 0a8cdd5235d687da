"""What a node writes down before it says anything: it must survive a crash.

The journal is small and is replaced as a whole. Of earlier changes it keeps the last one that was
committed. Of those that were undone it keeps one mark for each initiator: an initiator asks for a
change only when it has decided the one before, so of its changes from one epoch all but the last
are undone, and a mark stands for all up to it.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from samebeat.config import Config
from samebeat.ids import MAX_MEMBERS, ChangeId, Name, Natural, View, ViewId
from samebeat.parameters import Settings

VERSION = 1
_CHECKSUM_BYTES = 4


class Phase(IntEnum):
    """How far a node is with a change that it has not decided."""

    RECEIVED = 1
    """It takes part in the flush only."""
    ACKED = 2
    APPLIED = 3


class Ballot(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A vote in one view: to commit, or to undo."""

    view: ViewId
    commit: bool


class Open(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A change that is not decided, and the latest vote on it."""

    id: ChangeId
    home: View
    settings: Settings
    phase: Phase
    ballot: Ballot | None = None


class Mark(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All changes of an initiator up to this one that start from the present epoch are undone."""

    initiator: Name
    boot: Natural
    sequence: Natural


Opens = Annotated[tuple[Open, ...], Meta(max_length=MAX_MEMBERS)]
Marks = Annotated[tuple[Mark, ...], Meta(max_length=MAX_MEMBERS)]


class Report(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a member tells a view as it joins it, and with it promises away all earlier ones."""

    view: View
    epoch: Natural
    last: ChangeId | None
    settings: Settings
    opens: Opens = ()
    undone: Marks = ()


class Journal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All that a node must remember.

    Attributes:
        boot: how often it has started.
        epoch, last, settings: what it has committed last.
        opens, undone: the changes that start from this epoch.
        promise: its latest report.
        view: the view that has begun for it.
        out: why it has taken itself out; empty: it has not.
    """

    boot: Natural
    epoch: Natural
    last: ChangeId | None
    settings: Settings
    opens: Opens
    undone: Marks
    promise: Report
    view: View
    out: Annotated[str, Meta(max_length=200)] = ""

    def open_change(self, change: ChangeId) -> Open | None:
        """Return the open change with this id, if there is one."""
        return next((o for o in self.opens if o.id == change), None)

    @property
    def held(self) -> tuple[int, ChangeId | None, Settings]:
        """The epoch, change and settings that the node holds: applied, or else committed."""
        for o in self.opens:
            if o.phase is Phase.APPLIED:
                return o.id.base + 1, o.id, o.settings
        return self.epoch, self.last, self.settings


class JournalError(ValueError):
    """A journal cannot be read; the message says why."""


class JournalLost(JournalError):  # noqa: N818  (`except JournalLost` is the sentence)
    """There is no journal: the node must not come back under its old name."""


def blank(config: Config) -> Journal:
    """Return the journal of a node that starts for the first time."""
    report = first_report(config)
    return Journal(0, 0, None, config.start, (), (), report, report.view)


def first_report(config: Config) -> Report:
    """Return what all members report to the first view: nothing has happened."""
    return Report(config.first_view, 0, None, config.start)


def write(journal: Journal) -> bytes:
    """Return the journal as bytes, with a checksum."""
    body = msgspec.msgpack.encode((VERSION, journal))
    return zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") + body


_decoder = msgspec.msgpack.Decoder(tuple[int, Journal])


def read(data: bytes) -> Journal:
    """Return the journal that `write` wrote.

    Raises:
        JournalLost: it is empty.
        JournalError: it is torn, damaged or of another version.
    """
    if not data:
        raise JournalLost("the journal is empty: give the node a new name")
    body = data[_CHECKSUM_BYTES:]
    if zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") != data[:_CHECKSUM_BYTES]:
        raise JournalError("the journal is damaged: its checksum does not fit")
    try:
        version, journal = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise JournalError(f"the journal cannot be read: {error}") from None
    if version != VERSION:
        raise JournalError(f"the journal has version {version}, this program reads {VERSION}")
    return journal


def covers(undone: tuple[Mark, ...], change: ChangeId) -> bool:
    """Return whether the marks say that a change from their epoch is undone."""
    return any(
        (m.initiator == change.initiator)
        and ((change.boot, change.sequence) <= (m.boot, m.sequence))
        for m in undone
    )


def marked(undone: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Return the marks with one more; the later one of an initiator stands."""
    rest = tuple(m for m in undone if m.initiator != mark.initiator)
    old = [m for m in undone if m.initiator == mark.initiator]
    latest = max((*old, mark), key=lambda m: (m.boot, m.sequence))
    return tuple(sorted((*rest, latest), key=lambda m: m.initiator))
