"""Bounded search: whether some run of so many steps breaks a promise, for a SAT solver.

At each step the solver takes one action or, in parallel, any set of actions that do not interfere:
none of them sets a cell that another one reads or sets. Each of these can then be taken in the same
state with the same effect, whichever of the others come first. So

- the set can be taken one by one, in any order, with the same state at the end. That is not only
  argued: every run that is found is taken again so, by the interpreter, and each step must be
  enabled;
- each part of the set is such a set too. So no state on the way is missed, if the states after all
  sets are looked at. A promise about steps is looked at where the last set is a single action.

A search that finds nothing has seen every run of at most ``depth`` steps, and many longer ones if
sets were taken. That is no proof: the verdict is "searched", and never "holds".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import z3

from samebeat_proofs.finite import Finite, GroundStep
from samebeat_proofs.serial import DEADLOCK_FREE, Judge, Run
from samebeat_proofs.solver import Budget, FiniteSolver
from samebeat_proofs.universe import Z3
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter

SEARCHED = ("invariant", "step", "always_reachable")
RLIMIT = 200_000_000
"""What one question may cost, in the solver's unit of work."""
MISFIT = "a state that does not fit"


@dataclass(frozen=True)
class Promise:
    """What a run may break: an invariant, a step property, or that no run gets stuck.

    Of a goal that must stay within reach only this is looked for: a state in which it is not so,
    and in which nothing can change any more. ``broken`` is a formula over ``Finite.cells`` (and
    ``after``).
    """

    name: str
    kind: str
    broken: Z3


@dataclass(frozen=True)
class Searched:
    """What came of a bounded search.

    Args:
        instance: what was searched.
        parallel: whether a step is a set of actions.
        depth: every run of so many steps was looked at; -1 if not even the initial states were.
        promises: the names of what was looked for, with its kind.
        run: a run that breaks a promise in one more step, if there is one.
        broken: what it breaks.
        at_once: how many actions the solver took in each step of the run that it found; ``run``
            has those of them that are needed.
        why: what ended the search early, if nothing was found.
        taken: the actions that can be taken within the depth; None if that was not asked.
        choices: how many steps (actions with arguments) there are.
        cost: the solver's unit of work.
        seconds: wall time.
    """

    instance: Instance
    parallel: bool
    depth: int
    promises: Mapping[str, str]
    run: Run | None = None
    broken: tuple[str, ...] = ()
    at_once: tuple[int, ...] = ()
    why: str = ""
    taken: frozenset[str] | None = None
    choices: int = 0
    cost: int = 0
    seconds: float = 0.0


def search(
    instance: Instance,
    depth: int,
    *,
    parallel: bool = True,
    deadlocks: bool = True,
    wanted: Sequence[str] | None = None,
    budget: Budget | None = None,
    begin: Callable[[int], None] | None = None,
) -> Searched:
    """Look for a run of at most ``depth`` steps that breaks a promise of the instance's spec.

    Args:
        instance: the instance.
        depth: how many steps.
        parallel: take any set of actions that do not interfere in one step; else one action, and
            the run that is found is a shortest one.
        deadlocks: whether getting stuck breaks a promise too.
        wanted: look for these promises only; None for all.
        budget: what each question to the solver may cost, and its seed.
        begin: told of each depth before it is searched.

    Raises:
        ProofError: the spec says something that the solver does not understand.
        StateError: a step leads to a state that does not fit.
    """
    at = perf_counter()
    engine = BoundedSearch(
        instance, parallel=parallel, deadlocks=deadlocks, wanted=wanted, budget=budget
    )
    return replace(engine.search(depth, begin), seconds=perf_counter() - at)


class BoundedSearch:
    """Searches one instance, depth by depth."""

    def __init__(
        self,
        instance: Instance,
        *,
        parallel: bool = True,
        deadlocks: bool = True,
        wanted: Sequence[str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.instance = instance
        self.parallel = parallel
        self.deadlocks = deadlocks
        self.wanted = wanted
        self.finite = Finite(instance)
        self.solver = FiniteSolver(self.finite.universe.context, budget or Budget(RLIMIT))
        self._at: list[tuple[Z3, ...]] = []
        self._taken: list[tuple[Z3, ...]] = []

    def search(self, depth: int, begin: Callable[[int], None] | None = None) -> Searched:
        """Look for a run of at most ``depth`` steps that breaks a promise."""
        names = {p.name: p.kind for p in self.promises}
        done = Searched(self.instance, self.parallel, -1, names, choices=len(self.finite.steps))
        for number in range(depth + 1):
            if begin is not None:
                begin(number)
            self._extend()
            here = self._broken_here(done)
            if here.run is None and not here.why:
                here = replace(here, why=self._misfit_here())
            if here.run is not None or here.why:
                return replace(here, cost=self.solver.cost)
            done = replace(here, depth=number)
        taken = self._actions_taken()
        return replace(done, taken=taken, cost=self.solver.cost)

    # --- what is looked for --------------------------------------------------------------------

    @cached_property
    def promises(self) -> tuple[Promise, ...]:
        """What a run may break."""
        spec, finite = self.finite.spec, self.finite
        found = []
        for prop in spec.of_kind(*SEARCHED):
            broken = z3.Not(finite.formula(prop.formula))
            if prop.kind == "always_reachable":
                broken = z3.And(self._stuck, broken)
            found.append(Promise(prop.name, prop.kind, broken))
        if self.deadlocks:
            ends = (z3.Not(finite.formula(p.formula)) for p in spec.of_kind("terminal"))
            found.append(Promise(DEADLOCK_FREE, "deadlock", z3.And(self._stuck, *ends)))
        return tuple(p for p in found if self.wanted is None or p.name in self.wanted)

    @cached_property
    def _stuck(self) -> Z3:
        """That no step can be taken which changes something."""
        return self.finite.translator.all_of(
            z3.Not(z3.And(s.needs, z3.Or(z3.Not(s.fits), *self._changes(s))))
            for s in self.finite.steps
        )

    def _changes(self, step: GroundStep) -> Iterator[Z3]:
        for cell, (when, value) in step.effects.items():
            yield z3.And(when, z3.Not(value == self.finite.cells[cell]))

    @cached_property
    def _misfit(self) -> Z3:
        """That some step can be taken whose state after it is none of the instance."""
        return self.finite.translator.any_of(
            z3.And(s.needs, z3.Not(s.fits)) for s in self.finite.steps
        )

    # --- runs as formulas ----------------------------------------------------------------------

    @cached_property
    def _choices(self) -> tuple[Z3, ...]:
        """For each step, whether it is taken."""
        context = self.finite.universe.context
        return tuple(z3.Bool(f"takes {i}", context) for i in range(len(self.finite.steps)))

    @cached_property
    def _transition(self) -> Z3:
        """That ``after`` comes of ``cells`` by the steps that are taken."""
        parts = []
        writers: dict[int, list[int]] = {}
        for i, step in enumerate(self.finite.steps):
            parts.append(z3.Implies(self._choices[i], z3.And(step.needs, step.fits)))
            for cell in step.effects:
                writers.setdefault(cell, []).append(i)
        for cell, old in enumerate(self.finite.cells):
            value = old
            for i in writers.get(cell, ()):
                when, new = self.finite.steps[i].effects[cell]
                value = z3.If(z3.And(self._choices[i], when), new, value)
            parts.append(self.finite.after[cell] == value)
        if self.parallel:
            parts += self._do_not_interfere(writers)
        elif self._choices:
            parts.append(z3.AtMost(*self._choices, 1))
        return z3.And(*parts)

    def _do_not_interfere(self, writers: Mapping[int, Sequence[int]]) -> Iterator[Z3]:
        """Yield for each cell that what one of the steps sets, no other one reads or sets."""
        for cell, set_by in writers.items():
            if len(set_by) > 1:
                yield z3.AtMost(*(self._choices[i] for i in set_by), 1)
            for j, step in enumerate(self.finite.steps):
                others = [self._choices[i] for i in set_by if i != j]
                if cell in step.reads and others:
                    yield z3.Implies(self._choices[j], z3.Not(z3.Or(*others)))

    def _extend(self) -> None:
        """Add the initial states, or one more step."""
        number = len(self._at)
        self._at.append(self.finite.at(f"@{number}"))
        if not number:
            self.solver.add(self._moved(self.finite.start(), 0))
            return
        context = self.finite.universe.context
        self._taken.append(
            tuple(z3.Bool(f"takes {i}@{number}", context) for i in range(len(self._choices)))
        )
        self.solver.add(self._moved(self._transition, number - 1))

    def _moved(self, formula: Z3, number: int) -> Z3:
        """Return a formula about the state after so many steps, and the step from there."""
        pairs = list(zip(self.finite.cells, self._at[number], strict=True))
        if number + 1 < len(self._at):
            pairs += zip(self.finite.after, self._at[number + 1], strict=True)
            pairs += zip(self._choices, self._taken[number], strict=True)
        return z3.substitute(formula, *pairs) if pairs else formula

    # --- questions -----------------------------------------------------------------------------

    def _broken_here(self, done: Searched) -> Searched:
        """Look for a run of as many steps as there are now that breaks something."""
        last = len(self._at) - 1
        broken = [
            z3.And(self._moved(p.broken, last - 1), self._single)
            if p.kind == "step"
            else self._moved(p.broken, last)
            for p in self.promises
            if p.kind != "step" or last
        ]
        answer = self.solver.ask(z3.Or(*broken)) if broken else z3.unsat
        if answer == z3.unknown:
            return replace(done, why=self._why_unknown(f"at depth {last}"))
        if answer == z3.unsat:
            return done
        run = self._read()
        if not self._judge.broken(run):
            raise AssertionError("the interpreter finds no broken promise at the end of the run")
        short = self._judge.shortened(run)
        at_once = tuple(map(len, self._picks()))
        return replace(done, run=short, broken=self._judge.broken(short), at_once=at_once)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self.instance, [p.name for p in self.promises])

    @property
    def _single(self) -> Z3:
        """That the last step is one action."""
        return z3.PbEq([(x, 1) for x in self._taken[-1]], 1)

    def _misfit_here(self) -> str:
        """Return why it is not known that every step fits; raise an error if one does not."""
        last = len(self._at) - 1
        answer = self.solver.ask(self._moved(self._misfit, last))
        if answer == z3.unknown:
            return self._why_unknown(f"at depth {last}, about {MISFIT}")
        if answer == z3.sat:
            state = self._state(last)
            for _ in Interpreter(self.instance).successors(state):
                pass  # it raises the error, with the place in the spec
            raise AssertionError("the interpreter finds no step that does not fit")
        return ""

    def _actions_taken(self) -> frozenset[str] | None:
        """Return which actions can be taken within the depth; None if the budget ran out."""
        found: set[str] = set()
        for action in self.finite.spec.actions:
            own = [i for i, s in enumerate(self.finite.steps) if s.action is action]
            if action.name in found or not own or not self._taken:
                continue
            answer = self.solver.ask(z3.Or(*(taken[i] for taken in self._taken for i in own)))
            if answer == z3.unknown:
                return None
            if answer == z3.sat:
                found.update(
                    self.finite.steps[i].action.name for taken in self._picks() for i in taken
                )
        return frozenset(found)

    def _why_unknown(self, where: str) -> str:
        return f"the budget of the solver ran out {where} ({self.solver.why_unknown()})"

    # --- reading -------------------------------------------------------------------------------

    def _state(self, number: int) -> StateTuple:
        return self.finite.read_state(self.solver.model(), self._at[number])

    def _picks(self) -> list[list[int]]:
        """Return which steps the solver takes, set by set."""
        model = self.solver.model()
        return [
            [i for i, x in enumerate(taken) if z3.is_true(model.eval(x))] for taken in self._taken
        ]

    def _read(self) -> Run:
        """Return the solver's run, one action after the other, as the interpreter takes them."""
        initial = self._state(0)
        if initial not in self._judge.interpreter.initial_states():
            raise AssertionError("the solver starts in a state that is not initial")
        run = Run(initial, (), ())
        for number, picked in enumerate(self._picks(), 1):
            steps = (self.finite.steps[i] for i in picked)
            taken = [(s.action.name, s.arguments) for s in steps]
            longer = self._judge.run(run.last, taken)
            if longer is None:
                raise AssertionError(f"one by one, an action of step {number} is refused: {taken}")
            if longer.last != self._state(number):
                raise AssertionError(f"one by one, the actions of step {number} lead elsewhere")
            run = Run(initial, (*run.taken, *longer.taken), (*run.after, *longer.after))
        return run
