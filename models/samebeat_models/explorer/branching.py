"""Branching: from which states is a goal out of reach?

Decided backwards over the graph, without storing it: a state is *good* if the goal holds in it or
some successor is good. Levels are swept from the last to the first until nothing changes; a state
that is good is not expanded again. What stays is every state from which no run reaches the goal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samebeat_models.explorer.formulas import Ground
from samebeat_models.explorer.kernels import Block, blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.store import Bools, Store

_WINDOW = 1 << 19
"""States of a level among which those that are not good yet are taken together."""


def unable_to_reach(
    machine: Machine, store: Store, goal: Ground, report: Callable[[Words], None]
) -> tuple[int, int] | None:
    """Return (level, position) of a nearest state that cannot reach ``goal``, None if all can.

    Every level of ``store`` must be complete. ``report`` is called with each level as it is swept.
    """
    at_goal = machine.steps.kernel.mask(goal)
    ends = np.cumsum([level.shape[1] for level in store.levels])
    good = np.split(store.place.flags(store.count), ends[:-1])
    for level, g in zip(store.levels, good, strict=True):
        for start, block in blocks(level):
            g[start : start + block.size] = at_goal(block)
    changed = True
    while changed and not all(g.all() for g in good):
        changed = False
        for depth in reversed(range(len(good))):
            report(store.levels[depth])
            changed |= _sweep(machine, store, good, depth)
    for depth, g in enumerate(good):
        if not g.all():
            return depth, int(np.argmin(g))
    return None


def _sweep(machine: Machine, store: Store, good: list[Bools], depth: int) -> bool:
    """Mark the states of one level that have a good successor; return whether any was found."""
    level = store.levels[depth]
    found = False
    for begin in range(0, level.shape[1], _WINDOW):
        pending = begin + np.flatnonzero(~good[depth][begin : begin + _WINDOW])
        for start, block in blocks(level[:, pending]):
            here = pending[start : start + block.size]
            newly = _with_good_successor(machine, store, good, depth, block)
            good[depth][here[newly]] = True
            found |= bool(newly.any())
    return found


def _with_good_successor(
    machine: Machine, store: Store, good: list[Bools], depth: int, block: Block
) -> Bools:
    newly = np.zeros(block.size, np.bool_)
    for steps in machine.steps.steps(block):
        source = np.flatnonzero(steps.source)
        unsettled = ~newly[source]
        if not unsettled.any():
            continue
        after = machine.canonical(steps.after[:, unsettled])
        levels, positions = store.find(after, near=depth + 1)
        reached = np.zeros(len(levels), np.bool_)
        for d in np.unique(levels):
            on = levels == d
            reached[on] = good[d][positions[on]]
        newly[source[unsettled][reached]] = True
    return newly
