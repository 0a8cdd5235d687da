"""Checking refinements: every step of a concrete instance, projected, is one of the abstract spec.

The concrete instance is explored breadth first, so the first step that is refused ends a shortest
counterexample. Most steps do not change what a projection looks at, and many look the same once
projected; each different projected step is looked at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from samebeat_models.explorer.kernels import Block, blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine, build_machine
from samebeat_models.explorer.retrace import retrace
from samebeat_models.explorer.store import Positions, Sorted, Store, sorted_unique
from samebeat_models.progress import Budget, Progress, Snapshot, resident_bytes
from samebeat_models.refinement.abstract import Abstract
from samebeat_models.refinement.naive import breaking, explanation
from samebeat_models.refinement.project import Projector
from samebeat_models.results import Step, Trace, Verdict
from samebeat_spec.language import Instance, Refinement


@dataclass(frozen=True)
class Refined:
    """What came of checking one refinement.

    ``states`` and ``steps`` count different projected states and different projected steps that
    move, over all projections. ``possible`` counts the abstract steps from projected states, and
    ``taken`` those of them that projected steps are. ``uncovered`` are the abstract actions that no
    projected step takes. ``depth`` is the number of steps to a violation, ``trace`` leads there,
    and ``notes`` say why it is one. ``incomplete_reason`` says what ended the check early;
    ``seconds`` is the time for all that were looked at together.
    """

    refinement: Refinement
    verdict: Verdict
    states: int
    steps: int
    taken: int
    possible: int
    uncovered: tuple[str, ...]
    depth: int | None = None
    trace: Trace | None = None
    notes: tuple[str, ...] = ()
    incomplete_reason: str = ""
    seconds: float = 0.0


class _OutOfBudget(Exception):  # noqa: N818  (`except _OutOfBudget` is the sentence)
    """The budget is used up; the message says what of it."""


def check_refinement(
    instance: Instance,
    refinement: Refinement,
    *,
    symmetry: bool = False,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> Refined:
    """Check one refinement; see ``check_refinements``."""
    return check_refinements(
        instance, (refinement,), symmetry=symmetry, budget=budget, progress=progress
    )[0]


def check_refinements(
    instance: Instance,
    refinements: Sequence[Refinement],
    *,
    symmetry: bool = False,
    budget: Budget | None = None,
    progress: Progress | None = None,
    max_depth: int | None = None,
) -> tuple[Refined, ...]:
    """Check that every run of an instance is, projected, a run of the abstract instances.

    Args:
        instance: the concrete instance.
        refinements: refinements of its spec; they are looked at together.
        symmetry: look at one state of each orbit of the symmetric sorts. Not done where a
            refinement gives one of these sorts another size.
        budget: when to stop, undetermined.
        progress: is told where the exploration stands.
        max_depth: look at violations of up to so many steps only; what has none is undetermined.

    Raises:
        InstanceError: an abstract instance is not complete.
        StateError: a state, or a projected one, does not fit.
    """
    symmetry = symmetry and all(_keeps_symmetry(instance, r) for r in refinements)
    machine = build_machine(instance, symmetry=symmetry)
    return _Check(machine, refinements, budget or Budget(), progress).run(max_depth)


def _keeps_symmetry(instance: Instance, refinement: Refinement) -> bool:
    """Return whether the symmetric sorts are as large in the abstract instance."""
    symmetric = {s.__name__ for s in instance.spec.sorts if s.symmetric}
    return not symmetric & set(refinement.sizes)


class _Question:
    """One refinement that is looked at: its projections, by the instance that they lead to."""

    def __init__(self, refinement: Refinement, machine: Machine, watch: Callable[[], None]) -> None:
        self.refinement = refinement
        self.projections = refinement.projections(machine.instance)
        self.culprit: tuple[int, int] | None = None
        """the level, and the position there, of the state before the first step that is refused"""
        self.refused_start = False
        by_constants: dict[str, list[Projector]] = {}
        for p in self.projections:
            same = by_constants.setdefault(repr(p.abstract.constants), [])
            same.append(Projector(p, machine))
        self.abstracts = [
            Abstract(projectors, refinement.at_most, watch) for projectors in by_constants.values()
        ]

    def look_at_initial(self, level: Words) -> None:
        """Look at the initial states."""
        for abstract in self.abstracts:
            for projector in abstract.projectors:
                refused = abstract.add_initial(projector.project(level))
                if refused.any() and self.culprit is None:
                    self.culprit, self.refused_start = (0, int(refused.argmax())), True

    def uncovered(self) -> tuple[str, ...]:
        """Return the abstract actions that no projected step takes, in order."""
        taken: set[str] = set().union(*(a.taken_actions() for a in self.abstracts))
        return tuple(a.name for a in self.refinement.abstract_spec.actions if a.name not in taken)


@dataclass(frozen=True)
class _Moves:
    """The steps from a block that change something: position of the state before, both states."""

    source: Positions
    before: Words
    after: Words


class _Check:
    """One exploration of a concrete instance with some refinements to look at."""

    def __init__(
        self,
        machine: Machine,
        refinements: Sequence[Refinement],
        budget: Budget,
        progress: Progress | None,
    ) -> None:
        self.machine = machine
        self.store = Store(machine.layout.words)
        self._budget, self._progress = budget, progress
        self._started = time.perf_counter()
        self._transitions, self._frontier = 0, 0
        self._reason = ""
        self.questions = [_Question(r, machine, self._watch) for r in refinements]

    def run(self, max_depth: int | None) -> tuple[Refined, ...]:
        """Explore until all is seen, every refinement is violated, or the budget is used up."""
        possible = [0] * len(self.questions)
        try:
            self._explore(max_depth)
            for i, q in enumerate(self.questions):
                possible[i] = sum(a.count_steps() for a in q.abstracts)
        except _OutOfBudget as stop:
            self._reason = f"stopped by {stop}"
        return tuple(self._refined(q, n) for q, n in zip(self.questions, possible, strict=True))

    def _explore(self, max_depth: int | None) -> None:
        first = self.machine.canonical(self.machine.pack(self.machine.initial))
        level = self.store.add_level(sorted_unique(first))
        for q in self.questions:
            q.look_at_initial(level)
        while level.shape[1] and self._open():
            if max_depth is not None and len(self.store.levels) > max_depth:
                self._reason = f"looked at up to {max_depth} steps"
                return
            level = self._expand(level)

    def _open(self) -> list[_Question]:
        return [q for q in self.questions if q.culprit is None]

    def _expand(self, level: Words) -> Words:
        """Look at the steps from a level; return the next one."""
        asked = [(q, a) for q in self._open() for a in q.abstracts]
        pairs: list[list[Words]] = [[] for _ in asked]
        parts = [level[:, :0]]
        self._frontier = level.shape[1]
        for _, block in blocks(level):
            moves = self._moves(block)
            for (_, abstract), own in zip(asked, pairs, strict=True):
                own += [sorted_unique(_pairs(p, moves)[1]) for p in abstract.projectors]
            parts.append(sorted_unique(self.machine.canonical(moves.after)))
            self._watch()
        for (q, abstract), own in zip(asked, pairs, strict=True):
            refused = abstract.add_steps(np.concatenate(own, axis=1))
            if refused.shape[1] and q.culprit is None:
                position = self._locate(level, abstract, Sorted(refused))
                q.culprit = (len(self.store.levels) - 1, position)
        return self.store.add_level(sorted_unique(np.concatenate(parts, axis=1)))

    def _moves(self, block: Block) -> _Moves:
        sources, after = [np.empty(0, np.int64)], [block.words[:, :0]]
        for steps in self.machine.steps.steps(block):
            self._transitions += steps.enabled
            sources.append(np.flatnonzero(steps.source))
            after.append(steps.after)
        source = np.concatenate(sources)
        return _Moves(source, block.words[:, source], np.concatenate(after, axis=1))

    def _locate(self, level: Words, abstract: Abstract, refused: Sorted) -> int:
        """Return the position of the first state of a level that has a refused step."""
        for begin, block in blocks(level):
            moves = self._moves(block)
            hits: list[int] = []
            for projector in abstract.projectors:
                at, pairs = _pairs(projector, moves)
                hits += at[refused.positions(pairs) >= 0].tolist()
            if hits:
                return begin + min(hits)
        raise AssertionError("a step was refused that no state has")

    def _watch(self) -> None:
        """Tell how far it is; raise if the budget is used up."""
        now = Snapshot(
            model=self.machine.instance.name,
            states=self.store.count,
            transitions=self._transitions,
            depth=len(self.store.levels) - 1,
            frontier=self._frontier,
            seconds=time.perf_counter() - self._started,
            memory_bytes=resident_bytes(),
        )
        if self._progress is not None:
            self._progress(now)
        if reason := self._budget.exceeded(now):
            raise _OutOfBudget(reason)

    # --- outcome -------------------------------------------------------------------------------

    def _refined(self, q: _Question, possible: int) -> Refined:
        trace = self._trace(q)
        verdict = Verdict.UNDETERMINED if self._reason else Verdict.HOLDS
        return Refined(
            refinement=q.refinement,
            verdict=verdict if trace is None else Verdict.VIOLATED,
            states=sum(a.states.count for a in q.abstracts),
            steps=sum(a.pairs.count for a in q.abstracts),
            taken=sum(a.single_steps for a in q.abstracts),
            possible=possible,
            uncovered=q.uncovered(),
            depth=None if trace is None else len(trace.steps),
            trace=trace,
            notes=() if trace is None else explanation(trace, q.refinement),
            incomplete_reason=self._reason if trace is None else "",
            seconds=time.perf_counter() - self._started,
        )

    def _trace(self, q: _Question) -> Trace | None:
        """Return a shortest run to a step, or an initial state, that is refused."""
        if q.culprit is None:
            return None
        way = retrace(self.machine, self.store, *q.culprit)
        if q.refused_start:
            return way
        before = way.states[-1]
        last = next(
            Step(action.name, arguments, after)
            for action, arguments, after in self.machine.interpreter.successors(before)
            if breaking(q.projections, before, after) is not None
        )
        return Trace(way.instance, way.initial, (*way.steps, last))


def _pairs(projector: Projector, moves: _Moves) -> tuple[Positions, Words]:
    """Return the projected steps that move: where they start, and both states as columns."""
    seen = np.flatnonzero(projector.may_move(moves.before, moves.after))
    before = projector.project(moves.before[:, seen])
    after = projector.project(moves.after[:, seen])
    moved = np.any(before != after, axis=0)
    return moves.source[seen[moved]], np.concatenate((before[:, moved], after[:, moved]))
