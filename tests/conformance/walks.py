"""Runs of specs, drawn from a seed."""

from __future__ import annotations

from random import Random

from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter


def random_walk(instance: Instance, seed: int, most: int) -> Trace:
    """Return a run of so many steps at most; each changes something."""
    judge, rng = Interpreter(instance), Random(seed)
    (state,) = judge.initial_states()
    first, steps = state, list[Step]()
    for _ in range(most):
        following = [(a, x, t) for a, x, t in judge.successors(state) if t != state]
        if not following:
            break
        action, arguments, state = rng.choice(following)
        steps.append(Step(action.name, arguments, state))
    return Trace(instance, first, tuple(steps))
