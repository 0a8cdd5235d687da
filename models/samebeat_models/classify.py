"""What a counterexample to induction is worth: whether runs reach the states that it shows.

A proof by induction fails at a step: a state in which all facts hold, and an action that breaks
one. Both states are looked up in the explored graph of the same small instance.

- Runs reach the state before: the step is part of a run, and the fact is not true.
- No run does, but another run breaks the fact all the same, if need be with more elements.
- No run does, and none breaks the fact: what keeps runs away is a fact that the proof lacks. That
  is said of the instances that were explored to their end, and of no larger one.
- The budget ran out: undetermined. Nothing is concluded from a part of the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from samebeat_models.broken import ROOM, Broken, look_for, wider
from samebeat_models.explorer.retrace import retrace
from samebeat_models.explorer.search import Explored, Settings, explore_and_keep
from samebeat_models.progress import Budget
from samebeat_models.results import Step, Trace, Verdict
from samebeat_spec.language import Instance, InstanceError, Property, StateError
from samebeat_spec.language.instance import StateTuple


class Kind(StrEnum):
    """What a counterexample is."""

    REACHED = "reached"
    """runs reach the state before: the fact is not true"""
    ELSEWHERE = "broken elsewhere"
    """no run reaches the state before, but another run breaks the fact"""
    UNREACHED = "not reached"
    """no run reaches the state before, and none breaks the fact: a fact is missing"""
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Place:
    """Whether runs reach a state: a shortest run to it, or how many states were looked at.

    Without a run, ``why`` is empty if every reachable state was seen: then no run reaches it.
    """

    instance: Instance
    states: int
    trace: Trace | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        """``reached``, ``not reached`` or ``undetermined``."""
        if self.trace is not None:
            return str(Kind.REACHED)
        return str(Kind.UNDETERMINED if self.why else Kind.UNREACHED)


@dataclass(frozen=True)
class Classified:
    """What a counterexample is worth.

    Args:
        kind: which of the four.
        before: where the state before the step is; the only state, if there is no step.
        after: where the state after it is, if there is one.
        trace: a run from the start that breaks the fact, if there is one.
        why: of what is undetermined, what ran out.
        others: the larger instances where a run was looked for that breaks the fact.
    """

    kind: Kind
    before: Place
    after: Place | None = None
    trace: Trace | None = None
    why: str = ""
    others: tuple[Broken, ...] = ()


def classify(
    instance: Instance,
    prop: Property,
    state: StateTuple,
    step: Step | None,
    budget: Budget,
    larger: Iterable[Instance] = (),
) -> Classified:
    """Classify a counterexample to induction: a state, and perhaps a step, that break a fact.

    Where runs need more elements of an ordered sort than the instance has, it gets some more.

    Args:
        instance: where the counterexample is.
        prop: the fact.
        state: the state, or that before the step.
        step: the step, if there is one.
        budget: what each look at an instance may use.
        larger: instances where a run is looked for too, if this one is too small to have any.
    """
    states = [state] if step is None else [state, step.state]
    before, *rest = look_up(instance, states, budget)
    after = rest[0] if rest else None
    if before.trace is not None:
        return Classified(Kind.REACHED, before, after, _longer(before.trace, instance, step))
    broken = look_for(instance, prop, budget)
    if broken.trace is not None:
        return Classified(Kind.ELSEWHERE, before, after, broken.trace)
    if before.why or broken.verdict is not Verdict.HOLDS:
        return Classified(Kind.UNDETERMINED, before, after, why=before.why or broken.why)
    others: list[Broken] = []
    for other in larger:
        others.append(look_for(other, prop, budget))
        if (run := others[-1].trace) is not None:
            return Classified(Kind.ELSEWHERE, before, after, run, others=tuple(others))
    return Classified(Kind.UNREACHED, before, after, others=tuple(others))


def _longer(run: Trace, instance: Instance, step: Step | None) -> Trace:
    """Return a run with one more step, in the instance of the run, which may be a wider one."""
    if step is None:
        return run
    last = _embedded(step.state, instance, run.instance)
    return replace(run, steps=(*run.steps, replace(step, state=last)))


def look_up(instance: Instance, states: Sequence[StateTuple], budget: Budget) -> tuple[Place, ...]:
    """Return for each of some states of an instance whether runs reach it."""
    why = ""
    for more in range(ROOM):
        try:
            wide = wider(instance, (), more)
            explored = explore_and_keep(wide, Settings(deadlocks=False, budget=budget))
        except (StateError, InstanceError) as error:
            why = str(error)
            continue
        return tuple(_place(explored, _embedded(s, instance, wide)) for s in states)
    return tuple(Place(instance, 0, why=why) for _ in states)


def _embedded(state: StateTuple, small: Instance, wide: Instance) -> StateTuple:
    """Return a state of an instance as one of another with more elements of ordered sorts."""
    if len(small.cells) == len(wide.cells):
        return state
    values = {(c.variable.name, c.arguments): x for c, x in zip(small.cells, state, strict=True)}
    return tuple(values.get((c.variable.name, c.arguments), c.values[0]) for c in wide.cells)


def _place(explored: Explored, state: StateTuple) -> Place:
    """Look one state up among those that were found; the whole state is compared."""
    outcome, machine, store = explored.outcome, explored.machine, explored.store
    fits = all(x in values for x, values in zip(state, machine.layout.possible, strict=True))
    wanted = machine.pack([state]) if fits else None
    for depth, level in enumerate(store.levels if wanted is not None else ()):
        for at in map(int, np.flatnonzero(np.all(level == wanted, axis=0))):
            if machine.unpack(level, at) == state:
                run = retrace(machine, store, depth, at)
                return Place(outcome.instance, outcome.states, run)
    return Place(outcome.instance, outcome.states, why=outcome.incomplete_reason)
