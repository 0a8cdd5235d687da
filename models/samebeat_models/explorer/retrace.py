"""Retracing: a shortest run to a state, walked back over the levels and replayed forwards.

No parent pointers are kept. Going back, a predecessor of a state of level d is some state of
level d - 1 with a step to it. Going forwards, the interpreter makes the real steps; under
symmetry it chooses at each state a step into the next orbit, so that the trace is a real run.
"""

from __future__ import annotations

import numpy as np

from samebeat_models.explorer.kernels import blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.store import Store
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Property
from samebeat_spec.language.instance import StateTuple


def retrace(
    machine: Machine, store: Store, depth: int, position: int, broken: Property | None = None
) -> Trace:
    """Return a shortest run to a state of level ``depth``.

    Args:
        machine: what was explored.
        store: its levels.
        depth: the level of the state.
        position: its position there.
        broken: a step property that some step from that state breaks; the run ends with it.
    """
    path = _way_back(machine, store, depth, position)
    state = next(s for s in machine.initial if _same(machine, s, path[0]))
    initial, steps = state, []
    for goal in path[1:]:
        step = next(s for s in _steps(machine, state) if _same(machine, s.state, goal))
        steps.append(step)
        state = step.state
    if broken is not None:
        before = state
        steps.append(
            next(
                s
                for s in _steps(machine, before)
                if not machine.interpreter.holds(broken, before, s.state)
            )
        )
    return Trace(machine.instance, initial, tuple(steps))


def _way_back(machine: Machine, store: Store, depth: int, position: int) -> list[Words]:
    """Return the states (as one-column words) of a shortest path, the initial one first."""
    path = [store.levels[depth][:, [position]]]
    for d in reversed(range(depth)):
        path.append(_predecessor(machine, store.levels[d], path[-1]))
    return path[::-1]


def _predecessor(machine: Machine, level: Words, target: Words) -> Words:
    for _, block in blocks(level):
        for steps in machine.steps.steps(block):
            hits = np.all(machine.canonical(steps.after) == target, axis=0)
            if hits.any():
                source = np.flatnonzero(steps.source)[int(hits.argmax())]
                return block.words[:, [source]]
    raise AssertionError("a state has no predecessor on the level before")


def _steps(machine: Machine, state: StateTuple) -> list[Step]:
    return [
        Step(action.name, arguments, after)
        for action, arguments, after in machine.interpreter.successors(state)
    ]


def _same(machine: Machine, state: StateTuple, goal: Words) -> bool:
    return bool(np.all(machine.canonical(machine.pack([state])) == goal))
