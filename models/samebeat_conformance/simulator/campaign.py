"""Many runs from one seed on, what all of them had, and the first that breaks a promise.

That nothing else happens in other runs, no number of runs can show. And runs in which a kind of
fault has not happened say nothing of it: that is named.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from samebeat.config import Transport
from samebeat_conformance.simulator.faults import Kind
from samebeat_conformance.simulator.limits import LEAST_NODES, MOST_NODES, RUNS, SIZES
from samebeat_conformance.simulator.run import Result, from_seed
from samebeat_conformance.simulator.shrink import Shrunk, shrink


@dataclass(frozen=True)
class Wanted:
    """What to run.

    Attributes:
        seed: of the first run; each later one has the next.
        runs: how many; None: as many as the time allows.
        size: how many nodes; None: sizes in turn, from 3 to 9.
        seconds: stop after this time.
    """

    seed: int = 1
    runs: int | None = RUNS
    size: int | None = None
    seconds: float | None = None

    def size_of(self, seed: int) -> int:
        """Return how many nodes the run of a seed has."""
        return self.size if self.size is not None else SIZES[seed % len(SIZES)]


@dataclass
class Campaign:
    """What came of many runs.

    Attributes:
        runs, calm: how many there were, and how many of them calm.
        virtual_us: the time in all of them together; `seconds` is what they took.
        transports: how many runs there were in channels, and on bare datagrams.
        spec_steps: how often each action of the spec was taken.
        shrunk: the first run that breaks a promise, as short as it got.
    """

    wanted: Wanted
    runs: int = 0
    calm: int = 0
    events: int = 0
    virtual_us: int = 0
    seconds: float = 0.0
    counts: Counter[Kind] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    transports: Counter[Transport] = field(default_factory=Counter)
    spec_steps: Counter[str] = field(default_factory=Counter)
    failed: Result | None = None
    shrunk: Shrunk | None = None

    @property
    def never(self) -> tuple[str, ...]:
        """The kinds of faults, and of outcomes, that no run had."""
        kinds = [kind.value for kind in Kind if not self.counts[kind]]
        ends = [f"{o} change" for o in ("committed", "undone") if not self.outcomes[o]]
        runs = [] if 0 < self.calm < self.runs else ["a calm run and a storm"]
        ways = [] if len(self.transports) > 1 else ["runs in channels and on bare datagrams"]
        spec = [] if self.spec_steps else ["a step of the spec"]
        return (*kinds, *ends, *runs, *ways, *spec)

    @property
    def verdict(self) -> str:
        """`violated`, or `undetermined`: runs that find nothing show nothing of all other runs."""
        return "violated" if self.failed is not None else "undetermined"

    @property
    def virtual_hours(self) -> float:
        """The time in all runs together."""
        return self.virtual_us / 3_600_000_000

    @property
    def rate(self) -> float:
        """How many inputs the cores have got a second."""
        return self.events / self.seconds if self.seconds else 0.0


def campaign(wanted: Wanted, done: Callable[[int], None] = lambda runs: None) -> Campaign:
    """Run from seed to seed until a promise is broken, or all is run."""
    assert wanted.size is None or LEAST_NODES <= wanted.size <= MOST_NODES
    found = Campaign(wanted)
    began = time.perf_counter()
    seed = wanted.seed
    while found.failed is None and _goes_on(wanted, found.runs, time.perf_counter() - began):
        _add(found, from_seed(seed, wanted.size_of(seed)))
        seed += 1
        done(found.runs)
    found.seconds = time.perf_counter() - began
    if found.failed is not None:
        found.shrunk = shrink(found.failed)
    return found


def _goes_on(wanted: Wanted, runs: int, seconds: float) -> bool:
    enough = wanted.runs is not None and runs >= wanted.runs
    return not enough and (wanted.seconds is None or seconds < wanted.seconds)


def _add(found: Campaign, result: Result) -> None:
    found.runs += 1
    found.calm += result.plan.is_calm
    found.events += result.events
    found.virtual_us += result.virtual_us
    found.counts.update(result.counts)
    found.outcomes.update(result.outcomes)
    found.transports[result.plan.setup.transport] += 1
    found.spec_steps.update(result.spec_steps)
    found.sizes[len(result.plan.setup.names)] += 1
    if result.failed:
        found.failed = result
