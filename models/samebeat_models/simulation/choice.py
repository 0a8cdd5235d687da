"""Which step each walk takes next.

Each walk has a liking of its own for each action: a power of two, drawn when the walk begins. At
each step it draws an action among those that it can take, the more it likes one the likelier, and
then a step of that action, all alike. So in one walk messages hardly arrive, in another time hardly
passes: such runs, in which much piles up, are rare where all walks are alike (ADR 0020).

All is reckoned in integers, so that the same draws mean the same walks on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Generator = np.random.Generator

LIKINGS = 10
"""How many likings there are: the most liked action is up to 2 ** 9 times as likely as another."""
NONE = -1


def likings(draw: Generator, actions: int, walks: int) -> Numbers:
    """Return how much each action (row) is liked in each walk (column)."""
    exponents: Numbers = draw.integers(0, LIKINGS, size=(actions, walks))
    return np.left_shift(1, exponents)


def choose(
    draw: Generator, walks: Numbers, steps: Numbers, action_of: Numbers, liking: Numbers
) -> Numbers:
    """Return for each walk the step that it takes, ``NONE`` if it has none.

    Args:
        draw: where chance comes from.
        walks: for each enabled step the walk that could take it.
        steps: that step's number.
        action_of: for each number of a step its action.
        liking: see ``likings``.
    """
    actions, count = liking.shape
    able = np.zeros((actions, count), np.bool_)
    able[action_of[steps], walks] = True
    reach = np.cumsum(liking * able, axis=0)
    total = reach[-1]
    action = (reach <= draw.integers(0, np.maximum(total, 1))).sum(axis=0)
    fits = np.flatnonzero(action_of[steps] == action[walks])
    fits = fits[np.argsort(walks[fits], kind="stable")]
    width = np.bincount(walks[fits], minlength=count)
    at = np.cumsum(width) - width + draw.integers(0, np.maximum(width, 1))
    chosen = np.full(count, NONE, np.int64)
    moving = total > 0
    chosen[moving] = steps[fits][at[moving]]
    return chosen
