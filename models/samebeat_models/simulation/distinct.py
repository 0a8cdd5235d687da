"""How many different states a simulation has visited: about, in memory that does not grow.

Each state marks one slot of a table. How many slots are still empty says how many states there
were, two states in one slot reckoned in (linear counting: Whang, Vander-Zanden and Taylor, 1990).
Up to a hundred million states the estimate is off by a few thousandths.
"""

from __future__ import annotations

from math import log

import numpy as np

from samebeat_models.explorer.layout import Words

_SLOT_BITS = 24
_FEWEST_EMPTY = 1_000
"""With fewer empty slots than this the estimate is a lower bound."""
_DIGITS = 3
"""Digits of the estimate that are told."""


class DistinctCount:
    """Counts different states, about."""

    def __init__(self) -> None:
        self._marked = np.zeros(1 << _SLOT_BITS, np.bool_)

    def add(self, states: Words) -> None:
        """Take note of states."""
        self._marked[_mix(states) >> np.uint64(64 - _SLOT_BITS)] = True

    def about(self) -> tuple[int, bool]:
        """Return the estimate, to three digits, and whether it is only a lower bound."""
        slots = len(self._marked)
        empty = slots - int(np.count_nonzero(self._marked))
        many = empty < _FEWEST_EMPTY
        estimate = round(slots * log(slots / max(empty, _FEWEST_EMPTY)))
        return round(estimate, min(0, _DIGITS - len(str(estimate)))), many


def _mix(states: Words) -> Words:
    """Return 64 bits mixed from all bits of a state (the finalizer of MurmurHash3)."""
    mixed = np.zeros(states.shape[1], np.uint64)
    for word in states:
        mixed ^= word
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            mixed ^= mixed >> np.uint64(33)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(33)
    return mixed
