"""Runs of the specs that cores are to follow, or to refuse: the layer `replay`.

Right runs are drawn; cores follow them to their end. Wrong ones are counterexamples of the museum,
which have a guard less; cores refuse them at a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from samebeat_conformance.followed import CannotFollow, Followed, follow_trace
from samebeat_conformance.instances import group_change
from samebeat_conformance.layer import instances as channels
from samebeat_conformance.mutants.prepared import wrong_runs
from samebeat_conformance.timed import instances as pairs
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter

DRAWN, STEPS = 3, 14
"""How many right runs there are of each instance, and how many steps they have at most."""


def right_instances() -> tuple[Instance, ...]:
    """Return the instances whose runs cores follow."""
    ends = [channels.find(name) for name in ("link-fragments", "link-order")]
    return (
        group_change(2, 1),
        *(end.instance for end in ends if end is not None),
        pairs.find("composed-raises").instance,
    )


def right_runs() -> Iterator[tuple[str, Trace]]:
    """Yield runs of the right specs, with a name for each."""
    for instance in right_instances():
        judge = Interpreter(instance)
        for seed in range(DRAWN):
            yield f"{instance.name}, drawn with {seed}", _drawn(judge, Random(seed))


def _drawn(judge: Interpreter, rng: Random) -> Trace:
    """Draw a run in which each step changes something."""
    (state,) = judge.initial_states()
    first, steps = state, list[Step]()
    while len(steps) < STEPS:
        possible = [step for step in judge.successors(state) if step[2] != state]
        if not possible:
            break
        action, arguments, state = rng.choice(possible)
        steps.append(Step(action.name, arguments, state))
    return Trace(judge.instance, first, tuple(steps))


def replayed(at: Callable[[str], None]) -> tuple[str, dict[str, int]]:
    """Follow all of them.

    Args:
        at: is called with the name of what is followed next.

    Returns:
        The first right run that is refused, and where, in one line; empty: none is. And how many
        steps of each wrong run were taken.
    """
    for name, trace in right_runs():
        at(name)
        found = follow_trace(trace)
        if found.refused:
            return f"{name}: {found.refused} is refused, step {found.accepted + 1}", {}
    taken = {}
    for name, prop, trace in wrong_runs():
        at(name)
        followed = _followed(trace, prop)
        taken[f"steps taken of {name} ({prop})"] = -1 if followed is None else followed.accepted
    return "", taken


def _followed(trace: Trace, prop: str) -> Followed | None:
    try:
        return follow_trace(trace, prop)
    except CannotFollow:
        return None
