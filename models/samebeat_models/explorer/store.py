"""The visited set: every state seen so far, level by level, exactly.

Levels are kept sorted, so that a shortest trace is walked back without parent pointers. For
look-ups the same states also lie in a few sorted runs, merged like a log-structured tree, behind a
filter: a table with one byte a slot. A state whose slot is empty is surely new; any other is looked
up in the runs. So the filter saves time and decides nothing.

States of several words are ordered by 40 bits mixed from their words. Two states with equal mixes
are compared whole: a collision costs a little time and is never taken for equality.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.layout import Words

Keys = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(32)
_ONE = np.uint64(1)
_POSITION_BITS = np.uint64(24)
"""Bits of a sort word that hold a position; the other 40 hold the key of a state."""
_SLOTS_A_STATE = 6


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
    if states.shape[1] == 0:
        return states
    if states.shape[0] == 1:
        states[0].sort()
    else:
        states = _sorted_by_mix(states)
    fresh = np.empty(states.shape[1], np.bool_)
    fresh[0] = True
    fresh[1:] = _differs(states)
    unique = np.empty((states.shape[0], np.count_nonzero(fresh)), np.uint64)
    for word, out in zip(states, unique, strict=True):
        np.compress(fresh, word, out=out)
    return unique


def _sorted_by_mix(states: Words) -> Words:
    """Return states of several words in order of their keys, equal states side by side.

    A key and a position share one word, so that a plain sort serves as the (slower) argsort.
    """
    keys = keys_of(states)
    if states.shape[1] <= 1 << int(_POSITION_BITS):
        packed = keys << _POSITION_BITS
        packed |= np.arange(len(packed), dtype=np.uint64)
        packed.sort()
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
    return states


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

    @property
    def nbytes(self) -> int:
        """Bytes held; a single word is its own key."""
        return self.states.nbytes + (0 if self.states.shape[0] == 1 else self.keys.nbytes)

    def positions(self, wanted: Words) -> Positions:
        """Return where each wanted state lies, -1 where it does not."""
        targets = keys_of(wanted)
        at = np.searchsorted(self.keys, targets)
        found = np.full(len(targets), -1, np.int64)
        pending = np.flatnonzero(at < len(self))
        while len(pending):  # more than once only where keys collide
            pending = pending[self.keys[at[pending]] == targets[pending]]
            here = at[pending]
            equal = np.ones(len(pending), np.bool_)
            for word, other in zip(self.states, wanted, strict=True):
                equal &= word[here] == other[pending]
            found[pending[equal]] = here[equal]
            pending = pending[~equal]
            at[pending] += 1
            pending = pending[at[pending] < len(self)]
        return found

    def merged(self, other: Sorted) -> Sorted:
        """Return these states and those of ``other``, which are all different ones."""
        if self.states.shape[0] == 1:
            row = np.concatenate((self.states[0], other.states[0]))
            row.sort(kind="stable")  # finds the two runs and merges them
            return Sorted(row[np.newaxis])
        both = np.empty((self.states.shape[0], len(self) + len(other)), np.uint64)
        at = np.searchsorted(self.keys, other.keys) + np.arange(len(other))
        mine = np.ones(len(self) + len(other), np.bool_)
        mine[at] = False
        keys = np.empty(len(mine), np.uint64)
        for column, own, theirs in zip(
            (*both, keys), (*self.states, self.keys), (*other.states, other.keys), strict=True
        ):
            column[mine], column[at] = own, theirs
        return Sorted(both, keys)


class Store:
    """Visited states.

    Attributes:
        levels: for each depth the states first seen there, sorted by key.
        count: how many states there are.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        self.levels: list[Words] = []
        self.count = 0
        self._runs: list[Sorted] = []
        self._recent: tuple[int, Sorted] | None = None
        self._filter: npt.NDArray[np.uint8] = np.zeros(1 << 10, np.uint8)

    @property
    def nbytes(self) -> int:
        """Bytes held by levels, runs and filter."""
        runs = [run for run in self._runs if run.states is not self.levels[-1]]
        held = sum(level.nbytes for level in self.levels) + self._filter.nbytes
        return held + sum(run.nbytes for run in runs)

    def add_level(self, candidates: Words) -> Words:
        """Keep the unseen ones of ``candidates`` (sorted, unique) as the next level; return it."""
        slots = self._slots(candidates)
        maybe = np.flatnonzero(self._filter[slots])
        if len(maybe):
            known = maybe[self._seen(candidates[:, maybe])]
            if len(known):
                fresh = np.ones(candidates.shape[1], np.bool_)
                fresh[known] = False
                candidates, slots = candidates[:, fresh], slots[fresh]
        if candidates.shape[1] == 0:
            return candidates
        self.levels.append(candidates)
        self.count += candidates.shape[1]
        self._filter[slots] = 1
        self._grow_filter()
        self._add_run(Sorted(candidates))
        return candidates

    def find(self, states: Words, near: int) -> tuple[Positions, Positions]:
        """Return the level of each state and its position there, looking near a level first.

        Every one of ``states`` must have been visited.
        """
        level = np.full(states.shape[1], -1, np.int64)
        position = np.zeros(states.shape[1], np.int64)
        pending = np.arange(states.shape[1])
        for d in sorted(range(len(self.levels)), key=lambda d: abs(d - near)):
            at = self.sorted_level(d).positions(states[:, pending])
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
        while len(self._runs) > 1:
            last = self._runs.pop()
            self._runs[-1] = self._runs[-1].merged(last)
        self._filter = np.zeros(1 << 10, np.uint8)
        return self._runs[0]

    def sorted_level(self, depth: int) -> Sorted:
        """Return a level with its keys; the last one is remembered, walks stay on it for long."""
        if self._recent is None or self._recent[0] != depth:
            self._recent = (depth, Sorted(self.levels[depth]))
        return self._recent[1]

    def _seen(self, states: Words) -> Bools:
        seen = np.zeros(states.shape[1], np.bool_)
        for run in self._runs:
            unseen = np.flatnonzero(~seen)
            seen[unseen] = run.positions(states[:, unseen]) >= 0
        return seen

    def _slots(self, states: Words) -> Positions:
        shift = np.uint64(64 - (len(self._filter).bit_length() - 1))
        return ((keys_of(states) * _SPREAD) >> shift).view(np.int64)

    def _grow_filter(self) -> None:
        if self.count * _SLOTS_A_STATE <= len(self._filter):
            return
        size = len(self._filter)
        while size < self.count * _SLOTS_A_STATE:
            size *= 2
        self._filter = np.zeros(size, np.uint8)
        for level in self.levels:
            self._filter[self._slots(level)] = 1

    def _add_run(self, run: Sorted) -> None:
        """Add a run and merge it with its neighbours while they are not much larger."""
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = self._runs.pop().merged(run)
        self._runs.append(run)
