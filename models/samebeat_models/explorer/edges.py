"""The edges of a state graph, as small arrays: 6 bytes an edge.

States are numbered level by level, each level in the order of the store. Edges are made block by
block in the order of the states that they start from, so that nothing has to be sorted in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.kernels import Block, blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.store import Positions, Sorted, Store

Numbers = npt.NDArray[np.int32]
"""Numbers of states: there are less than 2^31 of them."""
Labels = npt.NDArray[np.uint16] | npt.NDArray[np.int32]

_MANY_LABELS = 1 << 16


@dataclass(frozen=True)
class EdgeArrays:
    """A CSR matrix: the edges from state ``i`` are ``start[i]`` to ``start[i + 1]``.

    ``target`` is where an edge leads, ``label`` the index of its ground action.
    """

    start: Positions
    target: Numbers
    label: Labels


class Numbering:
    """The numbers of the states in a store that is complete."""

    def __init__(self, store: Store) -> None:
        self._store = store
        sizes = [level.shape[1] for level in store.levels]
        self.bases: Positions = np.cumsum([0, *sizes])

    def of(self, states: Words, near: int) -> Numbers:
        """Return the number of each of some states; many of them should be of the level ``near``.

        Every one of them must have been visited.
        """
        numbers = np.full(states.shape[1], -1, np.int32)
        if near < len(self._store.levels):
            at = self._store.levels.sorted(near).positions(states)
            hit = at >= 0
            numbers[hit] = self.bases[near] + at[hit]
        pending = np.flatnonzero(numbers < 0)
        if len(pending):
            whole, number = self._whole
            at = whole.positions(states[:, pending])
            if (at < 0).any():
                raise AssertionError("a state is looked for that was never visited")
            numbers[pending] = number[at]
        return numbers

    @cached_property
    def _whole(self) -> tuple[Sorted, Numbers]:
        """All states in one run, and their numbers."""
        whole = self._store.whole()
        number = np.empty(len(whole), np.int32)
        for depth, level in enumerate(self._store.levels):
            at = whole.positions(level)
            number[at] = np.arange(self.bases[depth], self.bases[depth + 1], dtype=np.int32)
        return whole, number


def edges_of(
    machine: Machine, store: Store, numbering: Numbering, watch: Callable[[int], None]
) -> EdgeArrays:
    """Return the edges between the states of a complete store; steps that change nothing are none.

    Raises:
        StateError: a step leads to a state that does not fit.
    """
    few = len(machine.steps.actions) <= _MANY_LABELS
    counts = [np.zeros(1, np.int64)]
    targets, labels = [np.empty(0, np.int32)], [np.empty(0, np.uint16 if few else np.int32)]
    for depth, level in enumerate(store.levels):
        for _, block in blocks(level):
            watch(0)
            source, target, label = _leaving(machine, numbering, block, depth)
            counts.append(np.bincount(source, minlength=block.size))
            targets.append(target)
            labels.append(label.astype(labels[0].dtype))
    watch(sum(part.nbytes for part in (*targets, *labels)))
    start = np.cumsum(np.concatenate(counts))
    return EdgeArrays(start, np.concatenate(targets), np.concatenate(labels))


def _leaving(
    machine: Machine, numbering: Numbering, block: Block, depth: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the steps from a block in order of the states before: those, what follows, labels."""
    sources, labels = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    after = [block.words[:, :0]]
    for at, index, states in _steps(machine, block):
        sources.append(at)
        labels.append(np.full(len(at), index, np.int32))
        after.append(states)
    target = numbering.of(machine.canonical(np.concatenate(after, axis=1)), near=depth + 1)
    source = np.concatenate(sources)
    order = np.argsort(source, kind="stable")
    return source[order], target[order], np.concatenate(labels)[order]


def _steps(machine: Machine, block: Block) -> Iterator[tuple[Numbers, int, Words]]:
    for steps in machine.steps.steps(block):
        yield np.flatnonzero(steps.source).astype(np.int32), steps.index, steps.after
