"""Checkpoints: what is needed to go on after the last complete level, kept in a folder.

The states lie in ``levels`` (see ``folder``). ``checkpoint.jsonl`` is the journal: first a line
that says what is explored and how its states are packed, then a line for each complete level.
A line is ``[digest, content]``, where the digest is of the content and the digest before. A line
is written when its level is; so a process that is killed leaves at most a torn last line, which is
ignored. Whatever else does not fit is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import msgspec

from samebeat_models.elsewhere import constants_of, sizes_of
from samebeat_models.errors import CheckpointError, DiskError
from samebeat_models.explorer.folder import Folder, writing
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.monitors import Noted
from samebeat_models.version import samebeat_version
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple

_FORMAT = 1
_JOURNAL = "checkpoint.jsonl"
_FILES = (_JOURNAL, "levels", "keys")
_ADVICE = "remove the folder to begin anew"

_Content = TypeVar("_Content")


class Identity(msgspec.Struct, frozen=True):
    """What is explored: two explorations with equal identities find the same."""

    samebeat: str
    model: str
    spec: str
    fingerprint: str
    sizes: dict[str, str]
    constants: dict[str, str]
    symmetry: bool
    deadlocks: bool
    min_words: int
    byte_order: str = sys.byteorder
    format: int = _FORMAT


class Attempt(msgspec.Struct, frozen=True):
    """Which of the attempts to use fewer bits a state this is, and what the others taught."""

    number: int = 0
    lessons: tuple[StateTuple, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """Where a search stands at the end of a level; ``counts`` are by ground action."""

    transitions: int
    counts: dict[int, int]
    peak_bytes: int
    noted: Noted


class _Header(msgspec.Struct, frozen=True):
    identity: Identity
    attempt: Attempt
    layout: str


class _Origin(msgspec.Struct, frozen=True):
    samebeat: str
    format: int


class _AnyHeader(msgspec.Struct, frozen=True):
    """What every version writes into its first line."""

    identity: _Origin


class _Level(msgspec.Struct, frozen=True):
    states: int
    sha256: str
    standing: Standing


def identity_of(instance: Instance, *, symmetry: bool, deadlocks: bool, min_words: int) -> Identity:
    """Return what tells an exploration from any that may find something else."""
    return Identity(
        samebeat=samebeat_version(),
        model=instance.name,
        spec=instance.spec.name,
        fingerprint=instance.spec.fingerprint,
        sizes=dict(sizes_of(instance)),
        constants=dict(constants_of(instance)),
        symmetry=symmetry,
        deadlocks=deadlocks,
        min_words=min_words,
    )


class Checkpoints:
    """The folder of one exploration; use it as a context manager.

    Args:
        folder: where; it is made if need be.
        resume: go on from the checkpoint that is there. Otherwise it is overwritten.

    Attributes:
        depth: the level of the last checkpoint, None if there is none.
        place: where arrays live, once ``begin`` was called.
        standing: where to go on from, None for the beginning.
    """

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        self.folder = folder
        self.depth: int | None = None
        self.place = Folder(folder)
        self.standing: Standing | None = None
        self._resume = resume
        self._journal: IO[bytes]
        self._last = ""
        self._header: _Header | None = None
        self._levels: list[_Level] = []

    @property
    def exists(self) -> bool:
        """Whether the folder has a checkpoint."""
        with suppress(OSError):
            return (self.folder / _JOURNAL).stat().st_size > 0
        return False

    def __enter__(self) -> Checkpoints:
        """Make the folder ours, and read what is there.

        Raises:
            CheckpointError: the journal is damaged.
            DiskError: the folder cannot be written, or another process uses it.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._journal = (self.folder / _JOURNAL).open("a+b", buffering=0)
        try:
            self._lock()
            if self._resume:
                self._read()
        except BaseException:
            self._journal.close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def attempt(self, identity: Identity) -> Attempt:
        """Return the attempt to take up; it is the first one where nothing is to be resumed.

        Raises:
            CheckpointError: the checkpoint is of something else.
        """
        if self._header is None:
            return Attempt()
        for what, there, here in _differences(self._header.identity, identity):
            raise CheckpointError(
                f"{self.folder}: it is of another run: {what} is {there} there, and {here} now; "
                f"{_ADVICE}"
            )
        return self._header.attempt

    def begin(self, identity: Identity, attempt: Attempt, machine: Machine) -> None:
        """Take up the checkpoint, if it is of this attempt; else begin a new one.

        Raises:
            CheckpointError: states are packed in another way there.
            DiskError: the journal cannot be written.
        """
        header = _Header(identity, attempt, _digest_of_layout(machine))
        if self._header is not None and self._header.attempt == attempt:
            if self._header.layout != header.layout:
                raise CheckpointError(f"{self.folder}: its states are packed otherwise; {_ADVICE}")
        else:
            self._begin_anew(header)
        self._header = None
        known = [(level.states, level.sha256) for level in self._levels]
        self.depth = len(known) - 1 if known else None
        self.standing = self._levels[-1].standing if known else None
        self.place = Folder(self.folder, known)

    def save(self, states: int, standing: Standing) -> None:
        """Add the level that the place was given last.

        Raises:
            DiskError: the journal cannot be written.
        """
        self._write(_Level(states, self.place.digest, standing))
        self.depth = 0 if self.depth is None else self.depth + 1

    def discard(self) -> None:
        """Remove the files: there is nothing more to do."""
        self.depth = None
        with suppress(OSError):
            for name in _FILES:
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()

    # --- the journal -----------------------------------------------------------------------

    def _lock(self) -> None:
        with writing(self.folder):
            try:
                fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DiskError(f"{self.folder}: another run uses it") from None

    def _begin_anew(self, header: _Header) -> None:
        with writing(self.folder / _JOURNAL):
            self._journal.truncate(0)
        self._levels, self._last = [], ""
        self._write(header)

    def _write(self, content: _Header | _Level) -> None:
        raw = msgspec.json.encode(content)
        self._last = _chained(self._last, raw)
        line = memoryview(b'["%s",%s]\n' % (self._last.encode(), raw))
        with writing(self.folder / _JOURNAL):
            while line:
                line = line[self._journal.write(line) :]

    def _read(self) -> None:
        """Read the journal, and cut off what comes after its last whole line."""
        self._journal.seek(0)
        text = self._journal.read()
        *lines, _ = text.split(b"\n")
        contents = list(self._contents(lines))
        if not contents:
            if text:
                raise CheckpointError(f"{self.folder}: its first line is torn; {_ADVICE}")
            return
        origin = self._decoded(contents[0], _AnyHeader).identity
        if origin.format != _FORMAT:
            raise CheckpointError(f"{self.folder}: it is of samebeat {origin.samebeat}; {_ADVICE}")
        self._header = self._decoded(contents[0], _Header)
        self._levels = [self._decoded(raw, _Level) for raw in contents[1:]]
        with writing(self.folder / _JOURNAL):
            self._journal.truncate(sum(len(line) + 1 for line in lines))

    def _contents(self, lines: Sequence[bytes]) -> Iterator[bytes]:
        for line in lines:
            digest, raw = self._decoded(line, tuple[str, msgspec.Raw])
            self._last = _chained(self._last, bytes(raw))
            if digest != self._last:
                raise CheckpointError(f"{self.folder}: {_JOURNAL} is damaged; {_ADVICE}")
            yield bytes(raw)

    def _decoded(self, raw: bytes, kind: type[_Content]) -> _Content:
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise CheckpointError(f"{self.folder}: {_JOURNAL} is damaged; {_ADVICE}") from None


def _chained(before: str, raw: bytes) -> str:
    return hashlib.sha256(before.encode() + raw).hexdigest()


def _digest_of_layout(machine: Machine) -> str:
    """Return a digest of what gives the bits of a state their meaning."""
    layout, learned = machine.layout, machine.learned
    dependencies = () if learned is None else learned.dependencies
    parts = (
        [sorted(values) for values in layout.possible],
        sorted(layout.fields.items()),
        [(d.cell, d.by, sorted(d.table.items())) for d in dependencies],
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _differences(there: Identity, here: Identity) -> Iterator[tuple[str, object, object]]:
    """Yield what is another one here: its name, and both values."""
    for name in there.__struct_fields__:
        old, new = getattr(there, name), getattr(here, name)
        if isinstance(old, dict):
            for key in sorted({*old, *new}):
                if old.get(key) != new.get(key):
                    yield key, old.get(key, "missing"), new.get(key, "missing")
        elif old != new:
            yield name.replace("_", " "), old, new
