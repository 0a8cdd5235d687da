"""The visited set: every state seen so far, level by level, exactly.

Levels are kept sorted, so that a shortest trace is walked back without parent pointers. For
look-ups the same states also lie in a few sorted runs, merged like a log-structured tree, behind a
filter: a table with one byte a slot. A state whose slot is empty is surely new; any other is looked
up in the runs. So the filter saves time and decides nothing.

States of several words are ordered by a 64-bit mix of their words. Two states with equal mixes
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
_SLOTS_A_STATE = 4


def keys_of(states: Words) -> Keys:
    """Return the sort keys of states: the word itself, or a mix of several words."""
    first: Keys = states[0]
    if states.shape[0] == 1:
        return first
    keys = first * _SPREAD
    for word in states[1:]:
        keys ^= keys >> _FOLD
        keys += word
        keys *= _SPREAD
    keys ^= keys >> _FOLD
    return keys


def sorted_unique(states: Words) -> Words:
    """Return ``states`` in order of their keys, each once."""
    if states.shape[1] == 0:
        return states
    if states.shape[0] == 1:
        row = np.sort(states[0])
        fresh = np.empty(len(row), np.bool_)
        fresh[0] = True
        np.not_equal(row[1:], row[:-1], out=fresh[1:])
        return row[fresh][np.newaxis]
    keys = keys_of(states)
    order = np.argsort(keys)
    keys, states = keys[order], states[:, order]
    same_key = keys[1:] == keys[:-1]
    differs = np.any(states[:, 1:] != states[:, :-1], axis=0)
    if np.any(same_key & differs):  # a collision: order its states by all their words
        order = np.lexsort((*states[::-1], keys))
        states = states[:, order]
        differs = np.any(states[:, 1:] != states[:, :-1], axis=0)
    return states[:, np.concatenate(([True], differs))]


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
            equal = np.all(self.states[:, here] == wanted[:, pending], axis=0)
            found[pending[equal]] = here[equal]
            pending = pending[~equal]
            at[pending] += 1
            pending = pending[at[pending] < len(self)]
        return found

    def merged(self, other: Sorted) -> Sorted:
        """Return these states and those of ``other``, which are all different ones."""
        both = np.concatenate((self.states, other.states), axis=1)
        if both.shape[0] == 1:
            both.sort(axis=1, kind="stable")  # finds the two runs and merges them
            return Sorted(both)
        keys = np.concatenate((self.keys, other.keys))
        order = np.argsort(keys, kind="stable")
        return Sorted(both[:, order], keys[order])


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
            at = self._sorted_level(d).positions(states[:, pending])
            hit = at >= 0
            level[pending[hit]] = d
            position[pending[hit]] = at[hit]
            pending = pending[~hit]
            if len(pending) == 0:
                break
        return level, position

    def _sorted_level(self, depth: int) -> Sorted:
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
