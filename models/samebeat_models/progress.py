"""Progress: what an engine tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Snapshot:
    """Where an exploration stands; ``frontier`` is the number of states of the last level."""

    model: str
    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int

    @property
    def rate(self) -> float:
        """Distinct states a second so far."""
        return self.states / self.seconds if self.seconds > 0 else 0.0


Progress = Callable[[Snapshot], None]


@dataclass(frozen=True)
class Budget:
    """What a run may use; None is no limit. Exceeding one ends in "undetermined"."""

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
