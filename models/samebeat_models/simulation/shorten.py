"""A short run out of a long walk, for people to read.

Parts of the walk are left out, and what is left is walked again, without the steps that are then
no longer possible. If the property is still violated, that is the shorter walk. Larger parts are
tried first, at last each single step; all that are of one size at once, as walks side by side. The
run that comes out needs each of its steps. There may still be a shorter one, which goes another
way.
"""

from __future__ import annotations

import numpy as np

from samebeat_models.explorer.kernels import Block
from samebeat_models.explorer.machine import Machine
from samebeat_models.results import DEADLOCK_FREE, Step, Trace
from samebeat_models.simulation.crowd import Bools
from samebeat_models.simulation.walks import Violation
from samebeat_spec.language.instance import StateTuple

_CUTS = 1_000
"""Of a walk with more steps than this, no single step is tried, but parts of this share."""


def shortest_found(machine: Machine, violation: Violation) -> Trace:
    """Return a run, made by the interpreter, that shows the violation and needs all its steps."""
    steps = violation.steps
    before = len(steps) + 1
    while len(steps) < before:
        before = len(steps)
        size = 1 << before.bit_length()
        while size > 1 and size > before // _CUTS:
            size //= 2
            steps = _without_parts(machine, violation, steps, size)
    trace = _run(machine, violation, steps)
    _confirm(machine, violation, trace)
    return trace


def _without_parts(
    machine: Machine, violation: Violation, steps: tuple[int, ...], size: int
) -> tuple[int, ...]:
    """Return the steps without as many parts of one size as can be left out, one by one."""
    while steps:
        starts = np.arange(0, len(steps), max(1, size // 2))[:, np.newaxis]
        at = np.arange(len(steps))[np.newaxis, :]
        took, shown = _walk_again(machine, violation, steps, (at < starts) | (at >= starts + size))
        lengths = np.where(shown, took.sum(axis=1), len(steps))
        best = int(lengths.argmin())
        if lengths[best] == len(steps):
            break
        steps = tuple(s for s, t in zip(steps, took[best], strict=True) if t)
    return steps


def _walk_again(
    machine: Machine, violation: Violation, steps: tuple[int, ...], kept: Bools
) -> tuple[Bools, Bools]:
    """Walk once for each row of ``kept``, which says for each step whether to try it.

    Returns which steps each walk took, up to where it shows the violation, and whether it did.
    """
    start = machine.pack([machine.initial[violation.start]])
    words = np.repeat(start, len(kept), axis=1)
    took = np.zeros_like(kept)
    shown = violation.shows(Block(words)).copy()
    for j, index in enumerate(steps):
        able = machine.steps.moving(index, Block(words))
        walks = np.flatnonzero(kept[:, j] & ~shown & able)
        if len(walks):
            after = machine.steps.after(index, np.take(words, walks, axis=1))
            words[:, walks] = after
            took[walks, j] = True
            shown[walks] = violation.shows(Block(after))
    return took, shown


def _run(machine: Machine, violation: Violation, steps: tuple[int, ...]) -> Trace:
    """Return the run that takes these steps, and the one that breaks a step property."""
    state = machine.initial[violation.start]
    found: list[Step] = []
    for index in steps if violation.last is None else (*steps, violation.last):
        ground = machine.steps.actions[index]
        state = machine.interpreter.step(ground.action, ground.arguments, state)
        found.append(Step(ground.action.name, ground.arguments, state))
    return Trace(machine.instance, machine.initial[violation.start], tuple(found))


def _confirm(machine: Machine, violation: Violation, trace: Trace) -> None:
    """See that the interpreter too finds the property violated at the end of the run."""
    judge, last = machine.interpreter, trace.states[-1]
    spec = machine.instance.spec
    if violation.name == DEADLOCK_FREE:
        intended = any(judge.holds(p, last) for p in spec.of_kind("terminal"))
        agreed = not intended and _is_stuck(machine, last)
    else:
        prop = spec.find_property(violation.name)
        if prop.kind == "step":
            agreed = not judge.holds(prop, *trace.states[-2:])
        else:
            stuck = prop.kind == "invariant" or _is_stuck(machine, last)
            agreed = stuck and not judge.holds(prop, last)
    if not agreed:
        raise AssertionError(f"{violation.name}: the interpreter finds no violation in a walk")


def _is_stuck(machine: Machine, state: StateTuple) -> bool:
    return all(after == state for _, _, after in machine.interpreter.successors(state))
