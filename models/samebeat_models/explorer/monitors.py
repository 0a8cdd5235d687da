"""Monitors: a spec's properties, compiled to watch states and steps as they are found."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from samebeat_models.explorer.economy import AssumptionBroken
from samebeat_models.explorer.formulas import FALSE, Ground
from samebeat_models.explorer.kernels import Block, Kernel, Mask, Operation
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.vacuity import triggers
from samebeat_spec.language import Property
from samebeat_spec.language.terms import Formula

_EXAMPLES = 256
"""States handed on with a broken assumption, to learn from."""


@dataclass
class Sighting:
    """Something that some state or step must show: a witness, or a property's trigger."""

    name: str
    operation: Operation
    depth: int | None = None
    position: int | None = None

    @property
    def seen(self) -> bool:
        """Whether some reachable state has shown it."""
        return self.depth is not None


@dataclass
class StepWatch:
    """What to look at on the steps of one ground action; operations read the state before."""

    violations: list[tuple[Property, Operation]] = field(default_factory=list)
    sightings: list[tuple[Sighting, Operation]] = field(default_factory=list)
    assumption: Operation | None = None


class Noted(msgspec.Struct, frozen=True):
    """What monitors have noted so far, as a checkpoint keeps it."""

    terminals: dict[str, int]
    goals_missed: list[str]
    sightings: list[tuple[int | None, int | None]]


class Monitors:
    """The properties of a machine's spec.

    Invariants, witnesses and triggers look at states; step properties are turned into conditions
    on the state before each ground action, most of which are false for good and vanish.
    """

    def __init__(self, machine: Machine, *, deadlocks: bool = True) -> None:
        self._machine = machine
        self._deadlocks = deadlocks
        self._kernel: Kernel = machine.steps.kernel
        spec = machine.instance.spec
        self.unmoved = {p.name for p in spec.of_kind("invariant") if self._is_unmoved(p.formula)}
        self.invariants = [
            (p, self._kernel.mask(machine.grounding.formulas.factored(bad)))
            for p in spec.of_kind("invariant")
            if (bad := self._violation(p.formula)) is not FALSE
        ]
        self.witnesses = [Sighting(p.name, self._state(p.formula)) for p in spec.of_kind("witness")]
        self.terminals = [(p, self._state(p.formula)) for p in spec.of_kind("terminal")]
        self.terminal_counts = {p.name: 0 for p, _ in self.terminals}
        self.goals = [(p, self._state(p.formula)) for p in spec.of_kind("always_reachable")]
        self.goals_missed: set[str] = set()
        self.triggers = [
            Sighting(p.name, self._state(t))
            for p in spec.of_kind("invariant")
            for t in triggers(p.formula)
        ]
        self.step_triggers: list[Sighting] = []
        self.steps = self._step_watches()

    def _violation(self, formula: Formula) -> Ground:
        return self._machine.grounding.formulas.negate(self._ground(formula))

    def _is_unmoved(self, formula: Formula) -> bool:
        """Return whether a formula reads only what no step changes: it says one thing for ever."""
        grounding = self._machine.grounding
        grounding.read.clear()
        grounding.formula(formula, {})
        return grounding.read <= self._machine.fixed

    def _ground(self, formula: Formula) -> Ground:
        return self._machine.grounding.formula(formula, {})

    def _state(self, formula: Formula) -> Operation:
        return self._kernel.mask(self._ground(formula))

    def _step_watches(self) -> list[StepWatch]:
        grounding, formulas = self._machine.grounding, self._machine.grounding.formulas
        actions = self._machine.steps.actions
        watches = [StepWatch() for _ in actions]
        for watch, broken in zip(watches, self._machine.assumptions, strict=False):
            watch.assumption = None if broken is FALSE else self._kernel.mask(broken)
        for p in self._machine.instance.spec.of_kind("step"):
            for watch, action in zip(watches, actions, strict=True):
                bad = formulas.negate(grounding.step_formula(p.formula, action))
                bad = formulas.all_of((action.guard, bad))
                if bad is not FALSE:
                    watch.violations.append((p, self._kernel.mask(bad)))
            for t in triggers(p.formula):
                sighting = Sighting(p.name, lambda block: np.zeros(block.size, np.bool_))
                self.step_triggers.append(sighting)
                for watch, action in zip(watches, actions, strict=True):
                    shown = formulas.all_of((action.guard, grounding.step_formula(t, action)))
                    if shown is not FALSE:
                        watch.sightings.append((sighting, self._kernel.mask(shown)))
        return watches

    def noted(self) -> Noted:
        """Return what has been noted so far."""
        seen = [(s.depth, s.position) for s in self._sightings()]
        return Noted(dict(self.terminal_counts), sorted(self.goals_missed), seen)

    def recall(self, noted: Noted) -> None:
        """Go on from what an earlier search of the same machine had noted."""
        self.terminal_counts = dict(noted.terminals)
        self.goals_missed = set(noted.goals_missed)
        for sighting, seen in zip(self._sightings(), noted.sightings, strict=True):
            sighting.depth, sighting.position = seen

    def _sightings(self) -> tuple[Sighting, ...]:
        return (*self.witnesses, *self.triggers, *self.step_triggers)

    # --- states ----------------------------------------------------------------------------

    def look_at_states(self, block: Block, depth: int, start: int) -> dict[str, int]:
        """Look at a block of new states; return the violated invariants and where, first each.

        ``start`` is the position of the block's first state in its level.
        """
        for sighting in (*self.witnesses, *self.triggers):
            if not sighting.seen and (at := _first(sighting.operation(block))) is not None:
                sighting.depth, sighting.position = depth, start + at
        return {
            p.name: start + at
            for p, operation in self.invariants
            if (at := _first(operation(block))) is not None
        }

    def look_at_stuck(self, block: Block, stuck: Mask) -> int | None:
        """Count terminal states among the stuck ones; return the first one that is none.

        Goals that a stuck state misses are noted: it will never reach them.
        """
        self.goals_missed |= {
            p.name for p, at_goal in self.goals if (stuck & ~at_goal(block)).any()
        }
        unintended = stuck.copy()
        for p, operation in self.terminals:
            here = stuck & operation(block)
            self.terminal_counts[p.name] += int(np.count_nonzero(here))
            unintended &= ~here
        return _first(unintended) if self._deadlocks else None

    # --- steps -----------------------------------------------------------------------------

    def look_at_steps(self, block: Block, index: int, depth: int) -> dict[str, int]:
        """Look at the steps of ground action ``index``; return violated step properties and where.

        Raises:
            AssumptionBroken: a step leads to a state that the layout cannot hold.
        """
        watch = self.steps[index]
        if watch.assumption is not None and (broken := watch.assumption(block)).any():
            raise AssumptionBroken(index, block.words[:, broken][:, :_EXAMPLES])
        for sighting, operation in watch.sightings:
            if not sighting.seen and operation(block).any():
                sighting.depth = depth
        return {
            p.name: at
            for p, operation in watch.violations
            if (at := _first(operation(block))) is not None
        }

    def vacuous(self) -> tuple[str, ...]:
        """Return the properties that no state or step could break, for want of a case, in order.

        Those with a trigger that nothing has shown, and the invariants about what never changes.
        """
        unseen = self.unmoved | {
            s.name for s in (*self.triggers, *self.step_triggers) if not s.seen
        }
        return tuple(p.name for p in self._machine.instance.spec.properties if p.name in unseen)


def _first(mask: Mask) -> int | None:
    """Return the position of the first true entry."""
    at = int(mask.argmax()) if len(mask) else 0
    return at if len(mask) and mask[at] else None
