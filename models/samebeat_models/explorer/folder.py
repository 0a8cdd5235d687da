"""A folder as a place: arrays that grow with the number of states live in files.

Files are mapped into memory, and what is mapped is no private memory: the system keeps as much of
it as it has room for. They are written with ``write`` and only then mapped, so that a full disk is
an error that can be told.

``levels`` holds the states of all levels, one after the other, each state with its words side by
side; it outlives the process. ``keys`` holds their sort keys, unless one word is its own key.
Everything else is scratch: files without a name, which are gone with the process.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from samebeat_models.errors import CheckpointError, DiskError
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.store import CHUNK, Bools, Levels, Memory, Sorted, keys_of, merged

_SMALL = 1 << 16
"""So many states are not worth a file of their own."""
_BYTES = 8
"""Bytes of a word."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Make whatever goes wrong with a file one error.

    Raises:
        DiskError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise DiskError(f"{path}: cannot be written: {error.strerror or error}") from None


class Folder:
    """A folder, as a place.

    Args:
        path: the folder; it must exist.
        known: the levels that are there already: how many states each has, and their digest.
    """

    most_slots = 1 << 29
    """64 MB: the filter stays in memory; beyond 90 million states it says less."""

    def __init__(self, path: Path, known: Sequence[tuple[int, str]] = ()) -> None:
        self.path = path
        self.digest = ""
        """of the level that was added last"""
        self._known = known

    def levels(self, words: int) -> Levels:
        """Return the levels that are there already.

        Raises:
            CheckpointError: they are not what was written.
            DiskError: the files cannot be written.
        """
        return _Filed(self, words, self._known)

    def gather(self, parts: Sequence[Sorted]) -> Sorted:
        """Return the states of all parts, each once.

        Raises:
            DiskError: there is no room for them.
        """
        if sum(map(len, parts)) <= _SMALL:
            return Memory().gather(parts)
        words = parts[0].states.shape[0]
        with writing(self.path), self._scratch() as states, self._scratch() as keys:
            for chunk in merged(parts):
                states.write(_bytes_of(chunk))
                if words > 1:
                    keys.write(chunk.keys.tobytes())
            columns = _columns(_mapped(states), words)
            return Sorted(columns, columns[0] if words == 1 else _mapped(keys))

    def flags(self, count: int) -> Bools:
        """Return an array of truths that can be written; they are all false.

        Raises:
            DiskError: there is no room for them.
        """
        if count <= _SMALL * _BYTES:
            return Memory().flags(count)
        with writing(self.path), self._scratch() as file:
            for start in range(0, count, CHUNK):
                file.write(bytes(min(CHUNK, count - start)))
            file.flush()
            return np.frombuffer(mmap.mmap(file.fileno(), count), np.bool_)

    def _scratch(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self.path)


class _Filed:
    """Levels in the files of a folder."""

    def __init__(self, folder: Folder, words: int, known: Sequence[tuple[int, str]]) -> None:
        self._folder = folder
        self._words = words
        self._files = [folder.path / "levels", folder.path / "keys"][: 1 if words == 1 else 2]
        self._ends = [0]
        self._begin(sum(states for states, _ in known))
        for depth, (states, digest) in enumerate(known):
            self._ends.append(self._ends[-1] + states)
            level = self[depth]
            if hashlib.sha256(level.T.data).hexdigest() != digest:
                raise CheckpointError(
                    f"{folder.path}: level {depth} is damaged; remove the folder to begin anew"
                )
            for start in range(0, states if words > 1 else 0, CHUNK):
                with writing(self._files[1]), self._files[1].open("ab") as file:
                    file.write(keys_of(level[:, start : start + CHUNK]).tobytes())
        self._map()

    def _begin(self, states: int) -> None:
        """Cut off what came after the last checkpoint."""
        size = states * self._words * _BYTES
        for path in self._files:
            with writing(path), path.open("ab") as file:
                if path is self._files[0] and os.fstat(file.fileno()).st_size < size:
                    raise CheckpointError(
                        f"{path}: it is too short; remove the folder to begin anew"
                    )
                file.truncate(size if path is self._files[0] else 0)
        self._map()

    def _map(self) -> None:
        self._maps: list[npt.NDArray[np.uint64]] = []
        for path in self._files:
            with writing(path), path.open("rb") as file:
                self._maps.append(_mapped(file))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, depth: int) -> Words:
        depth = range(len(self))[depth]
        begin, end = (at * self._words for at in self._ends[depth : depth + 2])
        return _columns(self._maps[0][begin:end], self._words)

    def __iter__(self) -> Iterator[Words]:
        return (self[depth] for depth in range(len(self)))

    def add(self, chunks: Iterable[Sorted]) -> Sorted:
        digest, count = hashlib.sha256(), 0
        for chunk in chunks:
            count += len(chunk)
            states = _bytes_of(chunk)
            digest.update(states)
            for path, data in zip(self._files, (states, chunk.keys.tobytes()), strict=False):
                with writing(path), path.open("ab") as file:
                    file.write(data)
        if count == 0:
            return Sorted(np.empty((self._words, 0), np.uint64))
        self._map()
        self._ends.append(self._ends[-1] + count)
        self._folder.digest = digest.hexdigest()
        return self.sorted(len(self) - 1)

    def sorted(self, depth: int) -> Sorted:
        level = self[depth]
        if self._words == 1:
            return Sorted(level)
        return Sorted(level, self._maps[1][self._ends[depth] : self._ends[depth + 1]])


def _bytes_of(chunk: Sorted) -> bytes:
    return chunk.states.T.tobytes()


def _columns(numbers: npt.NDArray[np.uint64], words: int) -> Words:
    return numbers.reshape(-1, words).T


def _mapped(file: IO[Any]) -> npt.NDArray[np.uint64]:
    """Return all that a file holds, mapped; it may be closed then."""
    if file.writable():
        file.flush()
    if os.fstat(file.fileno()).st_size == 0:
        return np.empty(0, np.uint64)
    return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint64)
