"""A machine: an instance made ready for exploration, from spec to kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from samebeat_models.explorer.economy import (
    AssumptionBroken,
    Learned,
    checks,
    definitions,
    learn,
    promises,
    sample,
)
from samebeat_models.explorer.formulas import Ground, evaluate
from samebeat_models.explorer.grounding import Grounding, possible_values
from samebeat_models.explorer.kernels import StepKernel
from samebeat_models.explorer.layout import Layout, Words
from samebeat_models.explorer.symmetry import Symmetry, symmetry_of
from samebeat_spec.language import Instance, InstanceError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter

_SAMPLE_WIDTH = 30
"""Successors of each ground action, a level, in the first sample."""


_MOST_STEPS = 20_000
"""Choices of arguments for one action: each is looked at in every state."""


class NoEconomy(Exception):  # noqa: N818  (`except NoEconomy` is the sentence)
    """Learning does not get a state into fewer words."""


@dataclass(frozen=True)
class Machine:
    """An instance with its grounded actions, state layout and (if asked for) symmetry."""

    instance: Instance
    interpreter: Interpreter
    initial: tuple[StateTuple, ...]
    grounding: Grounding
    layout: Layout
    steps: StepKernel
    symmetry: Symmetry | None
    assumptions: tuple[Ground, ...] = ()
    """for each ground action the condition under which it breaks what the layout relies on"""
    fixed: frozenset[int] = frozenset()
    """the cells that no step sets to another value than they start with"""
    learned: Learned | None = None
    """what the layout relies on"""

    def canonical(self, states: Words) -> Words:
        """Return the representatives of the states' orbits; without symmetry, the states."""
        return states if self.symmetry is None else self.symmetry.canonical(states)

    def pack(self, states: Sequence[StateTuple]) -> Words:
        """Return states as words, in the given order, not canonical."""
        return self.layout.pack(states)

    def unpack(self, states: Words, position: int) -> StateTuple:
        """Return one state as a tuple of cell values."""
        stored = self.layout.unpack(states, position)
        cells = range(len(self.instance.cells))
        return tuple(
            stored[i]
            if i in stored
            else next(v for v, g in self.grounding.definitions[i].items() if evaluate(g, stored))
            for i in cells
        )

    def lessons(self, broken: AssumptionBroken) -> list[StateTuple]:
        """Return the states, whole, that this machine's layout turned out not to hold."""
        ground = self.steps.actions[broken.index]
        before = (self.unpack(broken.states, i) for i in range(broken.states.shape[1]))
        after = [self.interpreter.step(ground.action, ground.arguments, s) for s in before]
        maps = () if self.symmetry is None else self.symmetry.group.maps
        return after + [m.apply(s) for m in maps for s in after]


def build_machine(
    instance: Instance,
    *,
    symmetry: bool,
    min_words: int = 1,
    thrift: int = 0,
    lessons: Sequence[StateTuple] = (),
) -> Machine:
    """Return the machine of an instance.

    Args:
        instance: what to explore.
        symmetry: explore one state of each orbit of the symmetric sorts.
        min_words: use at least so many words a state (to measure what they cost).
        thrift: learn to use fewer bits, from a sample so many times the usual; 0 for not at all.
        lessons: reachable states that an earlier attempt did not expect.

    Raises:
        InstanceError: there are too many steps to look at, or too many permutations.
        StateError: there is no initial state.
        NoEconomy: ``thrift`` is asked for and saves no word.
    """
    _refuse_too_many_steps(instance)
    interpreter = Interpreter(instance)
    initial = tuple(interpreter.initial_states())
    possible = possible_values(instance, initial)
    group = symmetry_of(instance, initial) if symmetry else None
    if group is not None:
        possible = group.closed(possible)
    fixed = frozenset(cell for cell, values in enumerate(possible) if len(values) == 1)
    grounding = Grounding(instance, possible)
    actions = grounding.actions()
    layout = Layout(possible, min_words=min_words)
    steps = StepKernel(grounding.formulas, layout, actions)
    assumptions: tuple[Ground, ...] = ()
    learned: Learned | None = None
    if thrift:
        states = sample(steps, layout.pack((*initial, *lessons)), _SAMPLE_WIDTH * thrift)
        learned = learn(layout, actions, states, group)
        smaller = Layout(learned.possible, learned.left_out, min_words)
        if smaller.words == layout.words:
            raise NoEconomy
        layout = smaller
        grounding = Grounding(instance, learned.possible)
        grounding.definitions = definitions(grounding.formulas, learned)
        actions = grounding.actions()
        promised = promises(grounding, group)
        assumptions = tuple(checks(grounding, promised, a) for a in actions)
        steps = StepKernel(grounding.formulas, layout, actions)
    ready = None if group is None else Symmetry(group, layout)
    return Machine(
        instance, interpreter, initial, grounding, layout, steps, ready, assumptions, fixed, learned
    )


def _refuse_too_many_steps(instance: Instance) -> None:
    for action in (*instance.spec.initials, *instance.spec.actions):
        count = prod(len(instance.domain(p.sort)) for p in action.parameters)
        if count > _MOST_STEPS:
            raise InstanceError(
                f"{instance.name}: {action.name} has {count:,} choices of arguments, more than "
                f"{_MOST_STEPS:,}; make the sorts smaller"
            )
