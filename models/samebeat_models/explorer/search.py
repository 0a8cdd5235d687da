"""The search: breadth first, level by level, every state once, shortest counterexamples.

Breadth first means that the first violation found lies at the least depth; the search finishes
the level it is found on, so that *every* property violated at that depth is reported.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from samebeat_models.errors import DiskError
from samebeat_models.explorer.branching import unable_to_reach
from samebeat_models.explorer.checkpoint import Attempt, Checkpoints, Standing, identity_of
from samebeat_models.explorer.economy import AssumptionBroken
from samebeat_models.explorer.kernels import Arena, blocks
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.machine import Machine, NoEconomy, build_machine
from samebeat_models.explorer.monitors import Monitors
from samebeat_models.explorer.ranking import every_run_ends
from samebeat_models.explorer.retrace import retrace
from samebeat_models.explorer.store import Runs, Sorted, Store, arranged, sorted_unique
from samebeat_models.progress import Budget, Progress, Snapshot, resident_bytes
from samebeat_models.results import DEADLOCK_FREE, Exploration, Finding, Verdict
from samebeat_spec.language import Instance, StateError

_ARENA = 5 << 17
"""Room for successors that are sorted together before their level is complete."""

_STOPPED_BY = "stopped by"
_SMALL = 1_000_000
"""Up to so many states, several words a state cost less than learning to use fewer bits."""
_THRIFT = (0, 1, 1, 2, 2, 4, 4, 0)
"""How much each attempt learns from; the first ends if it gets large, the last does not."""
_LAST = Attempt(len(_THRIFT) - 1)


@dataclass
class _Violations:
    """What is violated at one depth: for each property where it shows.

    ``states``: position in the level at ``depth``. ``steps``: position of the state before, in
    the level at ``depth - 1``.
    """

    depth: int
    states: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.states or self.steps)


class _OutOfBudget(Exception):  # noqa: N818  (`except _OutOfBudget` is the sentence)
    """The budget is used up; the message says what of it."""


class _Large(Exception):  # noqa: N818
    """There are more states than ``small``: another representation may be worth its while."""


@dataclass(frozen=True)
class Settings:
    """How to explore; see ``explore``. ``started`` is a ``time.perf_counter()``.

    With ``kept``, which has begun, arrays live there and each level ends with a checkpoint.
    """

    symmetry: bool = False
    deadlocks: bool = True
    min_words: int = 1
    budget: Budget = field(default_factory=Budget)
    progress: Progress | None = None
    started: float = field(default_factory=time.perf_counter)
    kept: Checkpoints | None = None


class Search:
    """One exploration of one machine; with ``small``, only of one that has few states."""

    def __init__(
        self, machine: Machine, settings: Settings | None = None, small: int | None = None
    ) -> None:
        self.machine = machine
        self._settings = settings or Settings()
        self._small = small
        self.monitors = Monitors(machine, deadlocks=self._settings.deadlocks)
        self._kept = self._settings.kept
        self.store = Store(machine.layout.words, None if self._kept is None else self._kept.place)
        self._resumed = self.store.count
        self._arena = Arena(machine.layout.words, _ARENA)
        self._transitions = 0
        self._counts: Counter[int] = Counter()
        self._peak_bytes = 0
        self._violations = _Violations(0)
        self._reason = ""

    def run(self) -> Exploration:
        """Explore until everything is seen, something is violated or the budget is used up."""
        try:
            self._explore()
            stuck_behind = self._branching()
        except _OutOfBudget as stop:
            self._reason = f"{_STOPPED_BY} {stop}"
            stuck_behind = {}
        except DiskError as error:
            self._reason = f"{_STOPPED_BY} the disk: {error}"
            stuck_behind = {}
        findings = (*self._findings(stuck_behind), *self._witnesses())
        names = [a.action.name for a in self.machine.steps.actions]
        by_name = {a.name: 0 for a in self.machine.instance.spec.actions}
        for index, count in self._counts.items():
            by_name[names[index]] += count
        return Exploration(
            instance=self.machine.instance,
            states=self.store.count,
            transitions=self._transitions,
            depth=len(self.store.levels) - 1,
            seconds=time.perf_counter() - self._settings.started,
            findings=findings,
            action_counts=by_name,
            terminals=self.monitors.terminal_counts,
            vacuous=self.monitors.vacuous(),
            incomplete_reason=self._reason,
            peak_bytes=self._peak_bytes,
            bits=self.machine.layout.bits,
            out_of_budget=self._reason.startswith(_STOPPED_BY),
        )

    # --- exploring -------------------------------------------------------------------------

    def _explore(self) -> None:
        frontier = self._begin()
        while frontier.shape[1] and not self._violations:
            depth = len(self.store.levels)
            self._violations = _Violations(depth)
            found, deadlock = self._expand(frontier, depth)
            if deadlock is not None:  # a state of the level before: nearer than anything new
                self._violations = _Violations(depth - 1, {DEADLOCK_FREE: deadlock})
                break
            frontier = self.store.add_merged(found.parts)
            self._violations.states = self._look_at_level(frontier, depth)
            self._save(frontier)
        if self._violations.states and DEADLOCK_FREE not in self._violations.states:
            self._add_deadlock(frontier)
        if self._violations and frontier.shape[1]:  # there was more to explore
            self._reason = "stopped at the first violation"

    def _begin(self) -> Words:
        """Return the level to go on from: the first one, or that of a checkpoint."""
        if self._kept is not None and self._kept.standing is not None:
            standing = self._kept.standing
            self._transitions = standing.transitions
            self._counts.update(standing.counts)
            self._peak_bytes = standing.peak_bytes
            self.monitors.recall(standing.noted)
            return self.store.levels[-1]
        initial = self.machine.canonical(self.machine.pack(self.machine.initial))
        level = self.store.add_level(sorted_unique(initial))
        self._violations.states = self._look_at_level(level, 0)
        self._save(level)
        return level

    def _save(self, level: Words) -> None:
        """Write a checkpoint, unless all is said with this level."""
        if self._kept is not None and level.shape[1] and not self._violations:
            noted = self.monitors.noted()
            standing = Standing(self._transitions, dict(self._counts), self._peak_bytes, noted)
            self._kept.save(level.shape[1], standing)

    def _add_deadlock(self, level: Words) -> None:
        """Add the first deadlock of a level that is not expanded, since it has a violation."""
        for start, block in blocks(level):
            moves = np.zeros(block.size, np.bool_)
            for steps in self.machine.steps.steps(block):
                moves |= steps.source
            stuck = self.monitors.look_at_stuck(block, ~moves)
            if stuck is not None:
                self._violations.states[DEADLOCK_FREE] = start + stuck
                return

    def _expand(self, frontier: Words, depth: int) -> tuple[Runs, int | None]:
        """Return the successors of a level, in sorted parts, and its first deadlock, if any."""
        found = Runs(self.store.place)
        deadlock: int | None = None
        for start, block in blocks(frontier):
            moves = np.zeros(block.size, np.bool_)
            for steps in self.machine.steps.steps(block, arena=self._arena):
                self._transitions += steps.enabled
                self._counts[steps.index] += steps.enabled
                for name, at in self.monitors.look_at_steps(block, steps.index, depth).items():
                    self._violations.steps.setdefault(name, start + at)
                moves |= steps.source
            if deadlock is None and not moves.all():
                stuck = self.monitors.look_at_stuck(block, ~moves)
                deadlock = None if stuck is None else start + stuck
            if self._arena.full:
                found.add(self._representatives())
            self._report(frontier, found)
        found.add(self._representatives())
        return found, deadlock

    def _representatives(self) -> Sorted:
        """Empty the arena; return a representative of each orbit in it, sorted, each once."""
        unique = arranged(self._arena.empty())
        if self.machine.symmetry is None:
            return unique
        return arranged(self.machine.canonical(unique.states))

    def _look_at_level(self, level: Words, depth: int) -> dict[str, int]:
        violated: dict[str, int] = {}
        for start, block in blocks(level):
            found = self.monitors.look_at_states(block, depth, start)
            violated = {**found, **violated}
        return violated

    def _report(self, frontier: Words, found: Runs | None = None) -> None:
        held = self.store.nbytes + (0 if found is None else found.nbytes)
        self._peak_bytes = max(self._peak_bytes, held)
        now = Snapshot(
            model=self.machine.instance.name,
            states=self.store.count,
            transitions=self._transitions,
            depth=len(self.store.levels) - 1,
            frontier=frontier.shape[1],
            seconds=time.perf_counter() - self._settings.started,
            memory_bytes=resident_bytes(),
            resumed=self._resumed,
        )
        if self._small is not None and now.states > self._small:
            raise _Large
        if self._settings.progress is not None:
            self._settings.progress(now)
        if reason := self._settings.budget.exceeded(now):
            raise _OutOfBudget(reason)

    def _branching(self) -> dict[str, tuple[int, int]]:
        """Return the violated always-reachable properties, each with a nearest bad state."""
        if self._violations or self._reason:
            return {}
        goals = self.machine.instance.spec.of_kind("always_reachable")
        if goals and every_run_ends(self.machine.grounding, self.machine.steps.actions):
            goals = tuple(p for p in goals if p.name in self.monitors.goals_missed)
        found = {}
        for p in goals:
            goal = self.machine.grounding.formula(p.formula, {})
            bad = unable_to_reach(self.machine, self.store, goal, self._report)
            if bad is not None:
                found[p.name] = bad
        return found

    # --- findings --------------------------------------------------------------------------

    def _findings(self, stuck_behind: dict[str, tuple[int, int]]) -> list[Finding]:
        spec = self.machine.instance.spec
        kinds = [(p.name, p.kind) for p in spec.of_kind("invariant", "step", "always_reachable")]
        if self._settings.deadlocks:
            kinds.append((DEADLOCK_FREE, "deadlock"))
        return [self._finding(name, kind, stuck_behind) for name, kind in kinds]

    def _finding(self, name: str, kind: str, stuck_behind: dict[str, tuple[int, int]]) -> Finding:
        depth = self._violations.depth
        if name in self._violations.states:
            trace = retrace(self.machine, self.store, depth, self._violations.states[name])
        elif name in self._violations.steps:
            before = self._violations.steps[name]
            broken = self.machine.instance.spec.find_property(name)
            trace = retrace(self.machine, self.store, depth - 1, before, broken)
        elif name in stuck_behind:
            depth, position = stuck_behind[name]
            trace = retrace(self.machine, self.store, depth, position)
        else:
            undecided = bool(self._reason or self._violations)
            verdict = Verdict.UNDETERMINED if undecided else Verdict.HOLDS
            return Finding(name, kind, verdict)
        return Finding(name, kind, Verdict.VIOLATED, depth, trace)

    def _witnesses(self) -> list[Finding]:
        undecided = bool(self._reason or self._violations)
        missing = Verdict.UNDETERMINED if undecided else Verdict.VIOLATED
        return [
            Finding(w.name, "witness", Verdict.HOLDS if w.seen else missing, w.depth)
            for w in self.monitors.witnesses
        ]


@dataclass(frozen=True)
class Explored:
    """An exploration with what it leaves behind: the machine, and the states that it found."""

    outcome: Exploration
    machine: Machine
    store: Store


def explore(
    instance: Instance,
    *,
    symmetry: bool = False,
    deadlocks: bool = True,
    budget: Budget | None = None,
    progress: Progress | None = None,
    min_words: int = 1,
    kept: Checkpoints | None = None,
) -> Exploration:
    """Explore an instance exhaustively, or up to its first violation, or up to a budget.

    A model with states of several words that turns out to be large is begun again with fewer bits
    a state, if there is a way (see ``economy``).

    Args:
        instance: what to explore.
        symmetry: look at one state of each orbit of the symmetric sorts.
        deadlocks: a state without a step that is no intended terminal state is a violation.
        budget: when to stop, undetermined.
        progress: is told where the exploration stands, some times a second.
        min_words: use at least so many words a state (to measure what they cost).
        kept: explore in this folder. What is there stays if the exploration ends before its time,
            and is removed otherwise.

    Raises:
        StateError: there is no initial state, or a step leads to a state that does not fit.
        CheckpointError: there is a checkpoint to be resumed, and it does not fit.
        DiskError: the folder cannot be written at all.
    """
    settings = Settings(symmetry, deadlocks, min_words, budget or Budget(), progress, kept=kept)
    return explore_and_keep(instance, settings).outcome


def explore_and_keep(instance: Instance, settings: Settings) -> Explored:
    """Explore an instance, and return its states too; see ``explore``.

    States that were kept in a folder are not to be read afterwards.
    """
    kept = settings.kept
    if kept is None:
        return _attempts(instance, settings)
    with kept:
        try:
            explored = _attempts(instance, settings)
        except StateError:
            kept.discard()
            raise
        if not explored.outcome.out_of_budget:
            kept.discard()
        return explored


def _attempts(instance: Instance, settings: Settings) -> Explored:
    """Explore plainly; if there are many states, with what a sample and mistakes teach."""
    identity = identity_of(
        instance,
        symmetry=settings.symmetry,
        deadlocks=settings.deadlocks,
        min_words=settings.min_words,
    )
    attempt = Attempt() if settings.kept is None else settings.kept.attempt(identity)
    plain: Machine | None = None
    while True:
        number, lessons = attempt.number, attempt.lessons
        try:
            machine = plain if _THRIFT[number] == 0 else None
            machine = machine or build_machine(
                instance,
                symmetry=settings.symmetry,
                min_words=settings.min_words,
                thrift=_THRIFT[number],
                lessons=lessons,
            )
        except NoEconomy:
            attempt = _LAST
            continue
        if settings.kept is not None:
            settings.kept.begin(identity, attempt, machine)
        if number == 0:
            plain = machine
        may_pay = number == 0 and machine.layout.words > settings.min_words
        try:
            search = Search(machine, settings, _SMALL if may_pay else None)
            return Explored(search.run(), machine, search.store)
        except _Large:
            attempt = Attempt(1)
        except AssumptionBroken as broken:
            attempt = Attempt(number + 1, (*lessons, *machine.lessons(broken)))
