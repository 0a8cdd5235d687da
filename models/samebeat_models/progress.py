"""Progress: what an engine tells while it runs."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Snapshot:
    """Where an exploration, or what comes after it, stands.

    ``frontier`` is the number of states of the last level, ``memory_bytes`` what the process holds.
    ``doing`` says what is done with the states once they are all there.
    ``resumed`` states were found by an earlier run.
    """

    model: str
    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int
    doing: str = ""
    resumed: int = 0

    @property
    def rate(self) -> float:
        """Distinct states a second so far."""
        return (self.states - self.resumed) / self.seconds if self.seconds > 0 else 0.0


def resident_bytes() -> int:
    """Return the memory that this process holds now; where that is not told, its peak.

    Mapped files are left out, where the system tells them apart: it needs to keep none of them.
    """
    try:
        _, held, mapped = Path("/proc/self/statm").read_text("ascii").split()[:3]
        return (int(held) - int(mapped)) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)


def machine_memory_mb() -> float:
    """Return the machine's memory in units of 2^20 bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20


Progress = Callable[[Snapshot], None]


@dataclass(frozen=True)
class Budget:
    """What a run may use; None is no limit. Exceeding one ends in "undetermined".

    ``memory_mb`` (of 2^20 bytes) is for the whole process, Python and all. Of ``seconds`` so many
    are ``spent`` before a run begins.
    """

    states: int | None = None
    seconds: float | None = None
    memory_mb: float | None = None
    spent: float = 0.0

    def exceeded(self, now: Snapshot) -> str:
        """Return what has been used up, in words; empty if nothing has."""
        if self.states is not None and now.states > self.states:
            return f"the budget of {self.states:,} states"
        if self.seconds is not None and self.spent + now.seconds > self.seconds:
            return f"the budget of {self.seconds:g} s"
        if self.memory_mb is not None and now.memory_bytes > self.memory_mb * 2**20:
            return f"the budget of {self.memory_mb:g} MB"
        return ""

    def after(self, seconds: float) -> Budget:
        """Return the budget of a run that begins when so much time has been spent."""
        return replace(self, spent=self.spent + seconds)


class OutOfBudget(Exception):  # noqa: N818  (`except OutOfBudget` is the sentence)
    """The budget is used up; the message says what of it."""


@dataclass
class Watch:
    """Tells how far work on the states of a model is, and ends it when its budget is used up.

    Call it often, and with ``room`` before so many bytes are taken at once.
    """

    model: str = ""
    budget: Budget = field(default_factory=Budget)
    progress: Progress | None = None
    states: int = 0
    doing: str = ""
    started: float = field(default_factory=time.perf_counter)

    def __call__(self, room: int = 0) -> None:
        """Tell how far it is.

        Raises:
            OutOfBudget: the budget is used up, or would be with ``room``.
        """
        now = Snapshot(
            model=self.model,
            states=self.states,
            transitions=0,
            depth=0,
            frontier=0,
            seconds=time.perf_counter() - self.started,
            memory_bytes=resident_bytes() + room,
            doing=self.doing,
        )
        if self.progress is not None:
            self.progress(now)
        if reason := self.budget.exceeded(now):
            raise OutOfBudget(reason)
