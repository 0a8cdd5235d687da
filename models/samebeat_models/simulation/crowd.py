"""A crowd: many walks through the states of a machine, side by side in arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine
from samebeat_models.simulation.choice import NONE, Generator, Numbers, likings

Bools = npt.NDArray[np.bool_]

_MOST = 8_192
"""Walks at a time: enough for NumPy, few enough for a core's cache."""
_STEPS_KEPT = 1 << 24
"""Steps that all walks together remember; with longer walks there are fewer at a time."""


class Crowd:
    """Walks that are under way.

    Attributes:
        words: the state that each walk is in.
        starts: the initial state that it began in.
        lengths: how many steps it has taken.
        liking: how much it likes each action.
    """

    def __init__(self, machine: Machine, draw: Generator, walks: int | None, depth: int) -> None:
        size = max(1, min(_MOST, _STEPS_KEPT // depth))
        if walks is not None:  # as many at a time as keep all places filled up to the end
            size = -(-walks // -(-walks // size))
        self._kernel, self._draw = machine.steps, draw
        self._initial = machine.pack(machine.initial)
        self.words: Words = np.zeros((machine.layout.words, size), np.uint64)
        self.starts: Numbers = np.zeros(size, np.int64)
        self.lengths: Numbers = np.zeros(size, np.int64)
        self.liking: Numbers = np.ones((len(machine.instance.spec.actions), size), np.int64)
        self._taken = np.zeros((depth, size), np.int32)
        self.begin(np.arange(size))

    @property
    def size(self) -> int:
        """How many walks are under way."""
        return len(self.starts)

    def begin(self, walks: Numbers) -> None:
        """Put new walks, each in some initial state, in the places of these."""
        self.starts[walks] = self._draw.integers(0, self._initial.shape[1], size=len(walks))
        self.words[:, walks] = self._initial[:, self.starts[walks]]
        self.lengths[walks] = 0
        self.liking[:, walks] = likings(self._draw, len(self.liking), len(walks))

    def leave(self, walks: Numbers) -> None:
        """End walks without new ones in their places."""
        stay = np.ones(self.size, np.bool_)
        stay[walks] = False
        self.words, self.starts = self.words[:, stay], self.starts[stay]
        self.lengths, self.liking = self.lengths[stay], self.liking[:, stay]
        self._taken = self._taken[:, stay]

    def take(self, chosen: Numbers) -> None:
        """Take in each walk the step chosen for it, none where that is ``NONE``."""
        moving = np.flatnonzero(chosen != NONE)
        self._taken[self.lengths[moving], moving] = chosen[moving]
        self.lengths[moving] += 1
        order = moving[np.argsort(chosen[moving], kind="stable")]
        indices, begins = np.unique(chosen[order], return_index=True)
        for index, walks in zip(indices, np.split(order, begins[1:]), strict=False):
            before = np.take(self.words, walks, axis=1)
            self.words[:, walks] = self._kernel.after(int(index), before)

    def path(self, walk: int) -> tuple[int, ...]:
        """Return the steps that a walk has taken."""
        return tuple(self._taken[: self.lengths[walk], walk].tolist())
