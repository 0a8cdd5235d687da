"""The walks of a simulation: what each of them meets is held against the spec's properties.

All walks go on at once, one step each a round. In every state the invariants are looked at, and
all the steps from it, not only the one that is taken. A walk ends where nothing can change any
more, or at the most steps that it may take; another one begins in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from samebeat_models.explorer.kernels import Block, Mask, Operation
from samebeat_models.explorer.machine import Machine
from samebeat_models.explorer.monitors import Monitors
from samebeat_models.progress import Progress, Snapshot, resident_bytes
from samebeat_models.results import DEADLOCK_FREE
from samebeat_models.simulation.choice import NONE, Numbers, choose
from samebeat_models.simulation.crowd import Crowd
from samebeat_models.simulation.distinct import DistinctCount
from samebeat_models.simulation.results import Options

_REPORTS_A_SECOND = 4
_THIS_ROUND = -1
_NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Violation:
    """A walk that shows that a property is violated.

    Attributes:
        name: the property.
        shows: says of states in which of them it is violated, by themselves or by ``last``.
        start: the position of the initial state.
        steps: the steps of the walk, by the numbers of ground actions.
        last: the step that breaks a step property, None for what a state breaks.
    """

    name: str
    shows: Operation
    start: int
    steps: tuple[int, ...]
    last: int | None = None


@dataclass
class Walks:
    """Random walks through one machine.

    Attributes:
        machine: what to walk through, without symmetry.
        options: how.
        wanted: the violations that are looked for: when all are found, it ends. None: any one.
        deadlocks: a state without a step that is no intended terminal state is a violation.
        progress: is told where the walks stand, some times a second.
        started: when the simulation began, a ``time.perf_counter()``.
        violations: what was found, one a property, the first met.
        ended: why it ended.
        crowd: the walks that are under way.
        begun, steps, longest: see ``Simulation``.
        taken: for each ground action how often it was taken.
    """

    machine: Machine
    options: Options
    wanted: Collection[str] | None = None
    deadlocks: bool = True
    progress: Progress | None = None
    started: float = field(default_factory=time.perf_counter)
    violations: dict[str, Violation] = field(default_factory=dict, init=False)
    ended: str = field(default="", init=False)
    steps: int = field(default=0, init=False)
    longest: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        spec = self.machine.instance.spec
        names = [a.name for a in spec.actions]
        kernel = self.machine.steps
        self.monitors = Monitors(self.machine, deadlocks=self.deadlocks)
        self.distinct = DistinctCount()
        self.taken: Numbers = np.zeros(len(kernel.actions), np.int64)
        self._action_of = np.array([names.index(g.action.name) for g in kernel.actions], np.int64)
        self._draw = np.random.default_rng(self.options.seed)
        self._reported = self.started
        self.crowd = Crowd(self.machine, self._draw, self.options.walks, self.options.depth)
        self.begun = self.crowd.size

    def run(self) -> None:
        """Walk until there is an end: of the walks, of the budget, or by what was found."""
        while not self.ended:
            self.round()
            self.ended = self._end()

    def round(self) -> None:
        """Look at the state that each walk is in, and take a step in each or begin anew."""
        crowd = self.crowd
        block = Block(crowd.words)
        self.distinct.add(crowd.words)
        self._look_at_states(block)
        walks, steps = self.possible(block)
        stuck = np.bincount(walks, minlength=crowd.size) == 0
        if stuck.any():
            self._look_at_stuck(block, stuck)
        done = stuck | (crowd.lengths == self.options.depth)
        chosen = choose(self._draw, walks, steps, self._action_of, crowd.liking)
        chosen[done] = NONE
        crowd.take(chosen)
        took = chosen[~done]
        self.steps += len(took)
        self.taken += np.bincount(took, minlength=len(self.taken))
        self.longest = max(self.longest, int(crowd.lengths.max()))
        if done.any():
            self._renew(np.flatnonzero(done))

    def _renew(self, done: Numbers) -> None:
        """Begin as many walks as still may, in the places of those that are done."""
        limit = self.options.walks
        count = len(done) if limit is None else min(len(done), limit - self.begun)
        self.crowd.begin(done[:count])
        self.begun += count
        if count < len(done):
            self.crowd.leave(done[count:])

    # --- looking ---------------------------------------------------------------------------

    def _look_at_states(self, block: Block) -> None:
        for name, at in self.monitors.look_at_states(block, _THIS_ROUND, 0).items():
            shows = next(o for p, o in self.monitors.invariants if p.name == name)
            self._note(name, at, shows)
        for sighting in (*self.monitors.witnesses, *self.monitors.triggers):
            if sighting.depth == _THIS_ROUND and sighting.position is not None:
                sighting.depth = int(self.crowd.lengths[sighting.position])

    def possible(self, block: Block) -> tuple[Numbers, Numbers]:
        """Look at all steps; return those that change something: in which walk, and which."""
        walks: list[Numbers] = [_NOWHERE]
        indices, counts = [0], [0]
        for index, _, source in self.machine.steps.moves(block):
            watch = self.monitors.steps[index]
            if watch.violations or watch.sightings:
                for name, at in self.monitors.look_at_steps(block, index, 0).items():
                    shows = next(o for p, o in watch.violations if p.name == name)
                    self._note(name, at, shows, index)
            walks.append(np.flatnonzero(source))
            indices.append(index)
            counts.append(len(walks[-1]))
        return np.concatenate(walks), np.repeat(np.array(indices, np.int64), counts)

    def _look_at_stuck(self, block: Block, stuck: Mask) -> None:
        """Look at states that nothing leads on from: deadlocks, and goals that they miss."""
        deadlock = self.monitors.look_at_stuck(block, stuck)
        if deadlock is not None:
            self._note(DEADLOCK_FREE, deadlock, self._stuck_unless(self._intended))
        for p, at_goal in self.monitors.goals:
            missed = np.flatnonzero(stuck & ~at_goal(block))
            if len(missed):
                self._note(p.name, int(missed[0]), self._stuck_unless(at_goal))

    def _intended(self, block: Block) -> Mask:
        found = np.zeros(block.size, np.bool_)
        for _, operation in self.monitors.terminals:
            found |= operation(block)
        return found

    def _stuck_unless(self, excused: Operation) -> Callable[[Block], Mask]:
        """Return the operation that says where nothing can change and that is not ``excused``."""

        def stuck(block: Block) -> Mask:
            still = ~excused(block)
            for _, _, source in self.machine.steps.moves(block):
                still &= ~source
            return still

        return stuck

    def _note(self, name: str, walk: int, shows: Operation, last: int | None = None) -> None:
        if name not in self.violations:
            start, steps = int(self.crowd.starts[walk]), self.crowd.path(walk)
            self.violations[name] = Violation(name, shows, start, steps, last)

    # --- ending ----------------------------------------------------------------------------

    def _end(self) -> str:
        """Return why it ends now, an empty text if it does not."""
        if self.wanted is None and self.violations:
            return "stopped at the first violation"
        if self.wanted and self.violations.keys() >= set(self.wanted):
            return "stopped at the expected violation"
        if self.crowd.size == 0:
            return "all walks done"
        self._report()
        exceeded = self.options.budget.exceeded(self._now(0))
        return f"stopped by {exceeded}" if exceeded else ""

    def _report(self) -> None:
        now = time.perf_counter()
        if self.progress is not None and now > self._reported + 1 / _REPORTS_A_SECOND:
            self._reported = now
            self.progress(self._now(self.distinct.about()[0]))

    def _now(self, states: int) -> Snapshot:
        return Snapshot(
            model=self.machine.instance.name,
            states=states,
            transitions=self.steps,
            depth=self.longest,
            frontier=self.crowd.size,
            seconds=time.perf_counter() - self.started,
            memory_bytes=resident_bytes(),
        )
