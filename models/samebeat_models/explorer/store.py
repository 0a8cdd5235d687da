"""The visited set: every state seen so far, level by level, exactly.

Levels are kept sorted, so that a shortest trace is walked back without parent pointers. For
look-ups the same states also lie in a few sorted runs, merged like a log-structured tree, behind a
filter: a table with one bit a slot. A state whose slot is empty is surely new; any other is looked
up in the runs. So the filter saves time and decides nothing.

States of several words are ordered by 40 bits mixed from their words. Two states with equal mixes
are compared whole: a collision costs a little time and is never taken for equality.

Arrays that grow with the number of states live in a *place*: in memory (``Memory``), or in files
(``folder.Folder``). Whatever is done to them is done in chunks, so that neither needs much room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.layout import Words

Keys = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CHUNK = 1 << 17
"""States that are merged, or looked up, together: few enough for the cache."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(32)
_ONE = np.uint64(1)
_POSITION_BITS = np.uint64(24)
"""Bits of a sort word that hold a position; the other 40 hold the key of a state."""
_SLOTS_A_STATE = 6
_FEWEST_SLOTS = 1 << 13


def keys_of(states: Words) -> Keys:
    """Return the sort keys of states: the word itself, or 40 bits mixed from several words."""
    first: Keys = states[0]
    if states.shape[0] == 1:
        return first
    keys = first * _SPREAD
    for word in states[1:]:
        keys ^= keys >> _FOLD
        keys += word
        keys *= _SPREAD
    return keys >> _POSITION_BITS


def sorted_unique(states: Words) -> Words:
    """Return ``states`` in order of their keys, each once; ``states`` itself may be reordered."""
    return arranged(states).states


def arranged(states: Words) -> Sorted:
    """Return ``states`` sorted, each once; ``states`` itself may be reordered."""
    return _arranged(states, keys_of(states), None)


def _arranged(states: Words, keys: Keys, kind: Literal["stable"] | None) -> Sorted:
    """Return states sorted, each once; a "stable" sort is fast where sorted parts follow."""
    if states.shape[1] == 0:
        return Sorted(states, keys)
    if states.shape[0] == 1:
        states[0].sort(kind=kind)
    else:
        states, keys = _sorted_by_mix(states, keys, kind)
    fresh = np.empty(states.shape[1], np.bool_)
    fresh[0] = True
    fresh[1:] = _differs(states)
    unique = np.empty((states.shape[0], np.count_nonzero(fresh)), np.uint64)
    for word, out in zip(states, unique, strict=True):
        np.compress(fresh, word, out=out)
    return Sorted(unique, unique[0] if states.shape[0] == 1 else keys[fresh])


def _sorted_by_mix(states: Words, keys: Keys, kind: Literal["stable"] | None) -> tuple[Words, Keys]:
    """Return states of several words in order of their keys, equal states side by side.

    A key and a position share one word, so that a plain sort serves as the (slower) argsort.
    """
    if states.shape[1] <= 1 << int(_POSITION_BITS):
        packed = keys << _POSITION_BITS
        packed |= np.arange(len(packed), dtype=np.uint64)
        packed.sort(kind=kind)
        order = (packed & ((_ONE << _POSITION_BITS) - _ONE)).view(np.int64)
        keys = packed >> _POSITION_BITS
    else:
        order = np.argsort(keys)
        keys = keys[order]
    states = np.stack([word.take(order) for word in states])
    collisions = (keys[1:] == keys[:-1]) & _differs(states)
    if collisions.any():
        rows = np.flatnonzero(np.isin(keys, keys[1:][collisions]))
        states[:, rows] = states[:, rows[np.lexsort((*states[:, rows], keys[rows]))]]
    return states, keys


def _differs(states: Words) -> Bools:
    """Return for each state but the first whether it differs from the one before."""
    differs: Bools = states[0, 1:] != states[0, :-1]
    for word in states[1:]:
        differs |= word[1:] != word[:-1]
    return differs


class Sorted:
    """States in order of their keys, with the keys at hand."""

    def __init__(self, states: Words, keys: Keys | None = None) -> None:
        self.states = states
        self.keys = keys_of(states) if keys is None else keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, chosen: slice | Positions | Bools) -> Sorted:
        """Return some of the states, which stay in order."""
        states = self.states[:, chosen]
        return Sorted(states, states[0] if states.shape[0] == 1 else self.keys[chosen])

    @property
    def nbytes(self) -> int:
        """Bytes held; a single word is its own key."""
        return self.states.nbytes + (0 if self.states.shape[0] == 1 else self.keys.nbytes)

    def positions(self, wanted: Words) -> Positions:
        """Return where each wanted state lies, -1 where it does not."""
        return self.find(Sorted(wanted))

    def find(self, wanted: Sorted) -> Positions:
        """Return where each wanted state lies, -1 where it does not; they need not be in order."""
        targets = wanted.keys
        at = np.searchsorted(self.keys, targets)
        found = np.full(len(targets), -1, np.int64)
        pending = np.flatnonzero(at < len(self))
        while len(pending):  # more than once only where keys collide
            pending = pending[self.keys[at[pending]] == targets[pending]]
            here = at[pending]
            equal = np.ones(len(pending), np.bool_)
            for word, other in zip(self.states, wanted.states, strict=True):
                equal &= word[here] == other[pending]
            found[pending[equal]] = here[equal]
            pending = pending[~equal]
            at[pending] += 1
            pending = pending[at[pending] < len(self)]
        return found


def merged(parts: Sequence[Sorted]) -> Iterator[Sorted]:
    """Yield the states of all ``parts`` in order, each once, about ``CHUNK`` at a time.

    Equal keys are never torn apart, so what is in two parts meets itself in one chunk.
    """
    width = max(1, CHUNK // max(1, len(parts)))
    rest = [part for part in parts if len(part)]
    while len(rest) > 1:
        last = min(part.keys[min(width, len(part)) - 1] for part in rest)
        ends = [int(np.searchsorted(part.keys, last, "right")) for part in rest]
        states = np.concatenate(
            [part.states[:, :end] for part, end in zip(rest, ends, strict=True)], axis=1
        )
        if states.shape[0] == 1:
            yield _arranged(states, states[0], "stable")
        else:
            keys = [part.keys[:end] for part, end in zip(rest, ends, strict=True)]
            yield _arranged(states, np.concatenate(keys), "stable")
        rest = [part[end:] for part, end in zip(rest, ends, strict=True) if end < len(part)]
    for part in rest:
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]


class Levels(Protocol):
    """The levels of a store, in the place where they live."""

    def __len__(self) -> int: ...

    def __getitem__(self, depth: int, /) -> Words: ...

    def __iter__(self) -> Iterator[Words]: ...

    def add(self, chunks: Iterable[Sorted]) -> Sorted:
        """Add a level that comes in chunks, unless it is empty; return it."""

    def sorted(self, depth: int) -> Sorted:
        """Return a level with its keys."""


class Place(Protocol):
    """Where arrays live that grow with the number of states.

    Attributes:
        most_slots: the size of a filter, at most.
    """

    most_slots: int

    def levels(self, words: int) -> Levels:
        """Return the levels that are there already: none, unless an exploration goes on."""

    def gather(self, parts: Sequence[Sorted]) -> Sorted:
        """Return the states of all parts, each once."""

    def flags(self, count: int) -> Bools:
        """Return an array of truths that can be written; they are all false."""


class _Remembered(list[Words]):
    """Levels in memory; the keys of the last one asked for are kept, walks stay on it for long."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self._words = words
        self._recent: tuple[int, Sorted] | None = None

    def add(self, chunks: Iterable[Sorted]) -> Sorted:
        parts = list(chunks)
        if len(parts) == 1:
            level = parts[0]
        else:
            nothing = np.empty((self._words, 0), np.uint64)
            level = Sorted(np.concatenate([nothing, *(part.states for part in parts)], axis=1))
        if len(level):
            self.append(level.states)
        return level

    def sorted(self, depth: int) -> Sorted:
        if self._recent is None or self._recent[0] != depth:
            self._recent = (depth, Sorted(self[depth]))
        return self._recent[1]


class Memory:
    """The memory of this process, as a place."""

    most_slots = 1 << 48

    def levels(self, words: int) -> Levels:
        """Return no levels."""
        return _Remembered(words)

    def gather(self, parts: Sequence[Sorted]) -> Sorted:
        """Return the states of all parts, each once."""
        words = parts[0].states.shape[0]
        states = np.empty((words, sum(map(len, parts))), np.uint64)
        keys = states[0] if words == 1 else np.empty(states.shape[1], np.uint64)
        count = 0
        for chunk in merged(parts):
            here = slice(count, count + len(chunk))
            states[:, here] = chunk.states
            if words > 1:
                keys[here] = chunk.keys
            count = here.stop
        return Sorted(states[:, :count], keys[:count])

    def flags(self, count: int) -> Bools:
        """Return an array of truths that can be written; they are all false."""
        return np.zeros(count, np.bool_)


class Runs:
    """Sorted parts, merged like a log-structured tree: each is more than twice all after it."""

    def __init__(self, place: Place) -> None:
        self.parts: list[Sorted] = []
        self._place = place

    @property
    def nbytes(self) -> int:
        """Bytes held by all parts."""
        return sum(part.nbytes for part in self.parts)

    def add(self, part: Sorted) -> None:
        """Add a part, merged with those that are not much larger."""
        few, count = [part], len(part)
        while self.parts and len(self.parts[-1]) <= 2 * count:
            few.append(self.parts.pop())
            count += len(few[-1])
        self.parts.append(part if len(few) == 1 else self._place.gather(few))


class _Filter:
    """A table of bits: it says of keys which are surely new."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._table = np.zeros(slots >> 3, np.uint8)
        self._shift = np.uint64(64 - (slots.bit_length() - 1))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._table.nbytes

    def maybe_known(self, keys: Keys) -> Positions:
        """Return which keys may have been added; all others surely have not."""
        byte, bit = self._places(keys)
        return np.flatnonzero(self._table[byte] & bit)

    def add(self, keys: Keys) -> None:
        """Add keys."""
        for start in range(0, len(keys), CHUNK):
            byte, bit = self._places(keys[start : start + CHUNK])
            while len(byte):  # more than once only where keys share a byte
                self._table[byte] |= bit
                lost = (self._table[byte] & bit) == 0
                byte, bit = byte[lost], bit[lost]

    def _places(self, keys: Keys) -> tuple[Positions, npt.NDArray[np.uint8]]:
        slots = ((keys * _SPREAD) >> self._shift).view(np.int64)
        return slots >> 3, _BITS[slots & 7]


_BITS = np.left_shift(np.uint8(1), np.arange(8, dtype=np.uint8))


class Store:
    """Visited states.

    Attributes:
        levels: for each depth the states first seen there, sorted by key.
        count: how many states there are.
    """

    def __init__(self, words: int, place: Place | None = None) -> None:
        self.words = words
        self.place: Place = place or Memory()
        self.levels = self.place.levels(words)
        self.count = 0
        self._runs = Runs(self.place)
        self._filter = _Filter(_FEWEST_SLOTS)
        for depth in range(len(self.levels)):
            self._adopt(self.levels.sorted(depth))

    @property
    def nbytes(self) -> int:
        """Bytes held by levels, runs and filter, wherever they live."""
        held = self.count * self.words * 8 + self._filter.nbytes + self._runs.nbytes
        newest = self._runs.parts[-1] if self._runs.parts else None
        is_level = newest is not None and len(newest) == self.levels[-1].shape[1]
        return held - (self.levels[-1].nbytes if is_level else 0)

    def add_level(self, candidates: Words) -> Words:
        """Keep the unseen ones of ``candidates`` (sorted, unique) as the next level; return it."""
        return self.add_merged([Sorted(candidates)])

    def add_merged(self, parts: Sequence[Sorted]) -> Words:
        """Keep the unseen states of all ``parts`` as the next level; return it."""
        level = self.levels.add(self._unseen(chunk) for chunk in merged(parts))
        if len(level):
            self._adopt(level)
        return level.states

    def find(self, states: Words, near: int) -> tuple[Positions, Positions]:
        """Return the level of each state and its position there, looking near a level first.

        Every one of ``states`` must have been visited.
        """
        wanted = Sorted(states)
        level = np.full(len(wanted), -1, np.int64)
        position = np.zeros(len(wanted), np.int64)
        pending = np.arange(len(wanted))
        for d in sorted(range(len(self.levels)), key=lambda d: abs(d - near)):
            at = self.levels.sorted(d).find(wanted[pending])
            hit = at >= 0
            level[pending[hit]] = d
            position[pending[hit]] = at[hit]
            pending = pending[~hit]
            if len(pending) == 0:
                return level, position
        if len(pending):
            raise AssertionError("a state is looked for that was never visited")
        return level, position

    def whole(self) -> Sorted:
        """Return all states in one run. No more levels may be added."""
        if len(self._runs.parts) > 1:
            self._runs.parts = [self.place.gather(self._runs.parts)]
        self._filter = _Filter(_FEWEST_SLOTS)
        return self._runs.parts[0]

    def _unseen(self, chunk: Sorted) -> Sorted:
        maybe = self._filter.maybe_known(chunk.keys)
        if len(maybe) == 0:
            return chunk
        known = maybe[self._seen(chunk[maybe])]
        if len(known) == 0:
            return chunk
        fresh = np.ones(len(chunk), np.bool_)
        fresh[known] = False
        return chunk[fresh]

    def _seen(self, states: Sorted) -> Bools:
        seen = np.zeros(len(states), np.bool_)
        for run in self._runs.parts:
            unseen = np.flatnonzero(~seen)
            seen[unseen] = run.find(states[unseen]) >= 0
        return seen

    def _adopt(self, level: Sorted) -> None:
        """Make a level known: to the filter, and as a run."""
        self.count += len(level)
        self._runs.add(level)
        slots = self._filter.slots
        while slots < min(self.count * _SLOTS_A_STATE, self.place.most_slots):
            slots *= 2
        if slots == self._filter.slots:
            self._filter.add(level.keys)
            return
        self._filter = _Filter(slots)
        for run in self._runs.parts:
            self._filter.add(run.keys)
