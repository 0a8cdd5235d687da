"""Refutes obligations, one solver each, and says what each refutation rests on.

Every answer is one of three: proved, not proved, or undetermined. A run also shows that the proof
is about something: that a state exists in which all facts hold, and a step of every action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import count
from time import perf_counter

import z3

from samebeat_proofs.examples import Example, Examples
from samebeat_proofs.facts import Proof, Role
from samebeat_proofs.fragment import Edge
from samebeat_proofs.obligations import IMPLIED, Generator, Obligation
from samebeat_proofs.smtlib import DENIED
from samebeat_proofs.solver import RLIMIT, Budget, Solver
from samebeat_proofs.universe import Z3

ALL_FACTS = "all facts at once"
CHOICE = "guard choice"
OPTIONAL = ("axiom ", CHOICE)
"""Labels of what is left out of the first attempts too, if it says "there is"."""

ATTEMPTS = 100
"""Of the budget of an obligation, the first attempts may cost this part, later ones more."""


class Answer(StrEnum):
    """What came of an obligation; running out of budget is never a proof."""

    PROVED = "proved"
    FAILED = "not proved"
    UNDETERMINED = "undetermined"


_ANSWERS = {"unsat": Answer.PROVED, "sat": Answer.FAILED}


@dataclass(frozen=True)
class Discharged:
    """An obligation with its answer.

    Args:
        obligation: what was to be shown.
        answer: whether it was.
        used: labels of the assumptions that the refutation rests on, in order.
        seconds: wall time.
        cost: the solver's unit of work.
        circle: sorts that go round in a circle, in what the solver was given when it answered;
            nothing if that question is decidable.
        why: of what is undetermined, what the solver says.
    """

    obligation: Obligation
    answer: Answer
    used: tuple[str, ...]
    seconds: float
    cost: int = 0
    circle: tuple[Edge, ...] = ()
    why: str = ""

    @property
    def name(self) -> str:
        """The obligation's name."""
        return self.obligation.name


@dataclass(frozen=True)
class Run:
    """A proof with what came of it.

    ``possible`` has an example for ``ALL_FACTS`` and for each action by name: a state in which
    every fact holds, and a step by the action from there; None where none was found. ``rlimit`` is
    what an obligation might cost.
    """

    proof: Proof
    discharged: tuple[Discharged, ...]
    possible: dict[str, Example | None]
    rlimit: int = RLIMIT

    @property
    def impossible(self) -> tuple[str, ...]:
        """What could not be shown to be possible: the proof may say nothing of it."""
        return tuple(name for name, example in self.possible.items() if example is None)

    @property
    def missing(self) -> tuple[str, ...]:
        """The obligations that induction needs and that were not discharged: there must be none.

        Counted from the spec and the roles of the facts, not from what was generated.
        """
        starts = [a.name for a in self.proof.spec.initials]
        actions = [a.name for a in self.proof.spec.actions]
        parts = {Role.INDUCTIVE: [*starts, *actions], Role.STEP: actions, Role.IMPLIED: [IMPLIED]}
        needed = [
            f"{f.name}.{part}"
            for f in self.proof.facts
            for part in parts.get(f.role, [p.name for p in f.parts] or ["a part"])
        ]
        done = {d.name for d in self.discharged}
        return tuple(name for name in needed if name not in done)

    @property
    def answer(self) -> Answer:
        """Whether everything was proved, with nothing missing, the proof being about something."""
        answers = {d.answer for d in self.discharged}
        if Answer.FAILED in answers:
            return Answer.FAILED
        if Answer.UNDETERMINED in answers or self.impossible or self.missing:
            return Answer.UNDETERMINED
        return Answer.PROVED

    def of(self, fact: str) -> tuple[Discharged, ...]:
        """Return what came of the obligations of one fact."""
        return tuple(d for d in self.discharged if d.obligation.fact == fact)


class Engine:
    """Discharges the obligations of one proof."""

    def __init__(self, proof: Proof, budget: Budget | None = None) -> None:
        self.proof = proof
        self.budget = budget or Budget.of(proof)
        self.examples = Examples(proof, self.budget)

    @cached_property
    def generator(self) -> Generator:
        """What cuts the proof into obligations, over any number of elements."""
        return Generator(self.proof)

    @cached_property
    def obligations(self) -> tuple[Obligation, ...]:
        """Every obligation of the proof."""
        return tuple(self.generator.obligations())

    def find(self, name: str) -> Obligation:
        """Return the obligation called ``name``, without making any other.

        Raises:
            KeyError: there is none.
        """
        return self.generator.find(name)

    def run(self, begin: Callable[[Obligation], None] | None = None) -> Run:
        """Discharge every obligation, and look for examples of what must be possible.

        ``begin`` is told of each obligation before it is discharged.
        """
        found = []
        for obligation in self.obligations:
            if begin is not None:
                begin(obligation)
            found.append(self.discharge(obligation))
        possible = {ALL_FACTS: self.examples.of_facts()}
        for action in self.proof.spec.actions:
            possible[action.name] = self.examples.of_action(action.name)
        return Run(self.proof, tuple(found), possible, self.budget.rlimit)

    def discharge(self, obligation: Obligation) -> Discharged:
        """Refute one obligation, or say why not."""
        begin = perf_counter()
        if obligation.untouched:
            itself = (f"fact {obligation.fact}",)
            return Discharged(obligation, Answer.PROVED, itself, perf_counter() - begin)
        spent, fewer = 0, tuple(self._fewer(obligation))
        for attempt in self._attempts(obligation, fewer) if fewer else ():
            spent += attempt.cost
            if attempt.answer is not Answer.UNDETERMINED or spent >= self.budget.rlimit:
                break
        if not fewer or attempt.answer is Answer.UNDETERMINED:
            attempt = self._refute(obligation, self.budget)
            spent += attempt.cost
        circle = self.generator.graph.circle(
            {**attempt.obligation.assumptions, DENIED: obligation.denied}
        )
        seconds = perf_counter() - begin
        return replace(attempt, obligation=obligation, seconds=seconds, cost=spent, circle=circle)

    def _attempts(
        self, obligation: Obligation, fewer: tuple[dict[str, Z3], ...]
    ) -> Iterator[Discharged]:
        """Yield what comes of an obligation with fewer assumptions, or less budget; without end.

        Where a search is long, another one with fewer assumptions or another seed is often short.
        """
        limit = self.budget.rlimit // ATTEMPTS
        for turn in count(self.budget.seed):
            budget = Budget(limit, turn)
            for assumptions in fewer:
                found = self._refute(replace(obligation, assumptions=assumptions), budget)
                if found.answer is Answer.FAILED:
                    found = replace(found, answer=Answer.UNDETERMINED, why="too little assumed")
                yield found
            yield self._refute(obligation, budget)
            limit *= 2

    def _fewer(self, obligation: Obligation) -> Iterator[dict[str, Z3]]:
        """Yield parts of what may be assumed, if some of it says "there is".

        Such a fact makes the solver's search grow, and most obligations need none, or one: first
        the proof's hint, then the fact itself, what says no such thing, and with one that does.
        """
        alternations = self.generator.graph.alternations
        facts = {label for label in obligation.assumptions if label.startswith("fact ")}
        there_is = {
            label
            for label, formula in obligation.assumptions.items()
            if (label in facts or label.startswith(OPTIONAL)) and alternations(formula)
        }
        own = f"fact {obligation.fact}"
        if hint := self.proof.hints.get(obligation.name):
            yield {k: v for k, v in obligation.assumptions.items() if k in hint}
        if there_is <= {own}:
            return
        steps = {f"fact {f.name}" for f in self.proof.facts if f.role is Role.STEP}
        basis = {own, *steps}
        without = [(there_is | facts) - basis, there_is - basis]
        for label in sorted(there_is - basis):
            kept = basis | {label} | {x for x in there_is if x.startswith(CHOICE)}
            without += [(there_is | facts) - kept, there_is - kept]
        for left_out in without:
            yield {k: v for k, v in obligation.assumptions.items() if k not in left_out}

    def _refute(self, obligation: Obligation, budget: Budget) -> Discharged:
        """Refute one obligation from all that it assumes, or say why not."""
        begin = perf_counter()
        formulas = {**obligation.assumptions, DENIED: obligation.denied}
        solver = Solver(self.generator.universe.context, budget)
        result = solver.ask(formulas)
        core = solver.core() if result == z3.unsat else set()
        used = tuple(label for label in formulas if label in core and label != DENIED)
        answer = _ANSWERS.get(str(result), Answer.UNDETERMINED)
        why = solver.why_unknown() if answer is Answer.UNDETERMINED else ""
        seconds = perf_counter() - begin
        return Discharged(obligation, answer, used, seconds, solver.cost, why=why)
