"""Progress: what an engine tells while it runs."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Snapshot:
    """Where an exploration stands.

    ``frontier`` is the number of states of the last level, ``memory_bytes`` what the process holds.
    ``resumed`` states were found by an earlier run.
    """

    model: str
    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int
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

    ``memory_mb`` (of 2^20 bytes) is for the whole process, Python and all.
    """

    states: int | None = None
    seconds: float | None = None
    memory_mb: float | None = None

    def exceeded(self, now: Snapshot) -> str:
        """Return what has been used up, in words; empty if nothing has."""
        if self.states is not None and now.states > self.states:
            return f"the budget of {self.states:,} states"
        if self.seconds is not None and now.seconds > self.seconds:
            return f"the budget of {self.seconds:g} s"
        if self.memory_mb is not None and now.memory_bytes > self.memory_mb * 2**20:
            return f"the budget of {self.memory_mb:g} MB"
        return ""
