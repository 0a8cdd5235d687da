"""What a simulation is asked, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samebeat_models.progress import Budget
from samebeat_models.results import Finding, Verdict
from samebeat_spec.language import Instance

WALKS = 10_000
DEPTH = 200
SEED = 1


@dataclass(frozen=True)
class Options:
    """What to walk.

    Args:
        walks: how many walks; None: as many as the budget allows.
        depth: the most steps of a walk.
        seed: what all choices follow from.
        budget: when to stop all the same; its limit of states is not looked at.
    """

    walks: int | None = WALKS
    depth: int = DEPTH
    seed: int = SEED
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Simulation:
    """The outcome of walking through one instance.

    Attributes:
        instance: what was walked through.
        options: what was asked.
        steps: the steps taken by all walks; each changes the state.
        walks: how many walks were begun.
        longest: the most steps that a walk took.
        distinct: about how many states were visited; if ``many``, there were more than that.
        taken: for each action how often it was taken.
        findings: one for each property: violated or undetermined; a witness may hold.
        unseen: the properties for which no walk met a case.
        terminals: for each kind of intended terminal state whether a walk ended in one.
        ended: what ended the walks, as in "stopped at ...".
        seconds: wall time.
    """

    instance: Instance
    options: Options
    steps: int
    walks: int
    longest: int
    distinct: int
    many: bool
    taken: Mapping[str, int]
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]
    terminals: Mapping[str, bool]
    ended: str
    seconds: float

    @property
    def never_taken(self) -> tuple[str, ...]:
        """The actions that no walk took."""
        return tuple(name for name, count in self.taken.items() if count == 0)

    @property
    def reached(self) -> tuple[str, ...]:
        """The witnesses that some walk reached."""
        return self._witnesses(Verdict.HOLDS)

    @property
    def not_reached(self) -> tuple[str, ...]:
        """The witnesses that no walk reached."""
        return self._witnesses(Verdict.UNDETERMINED)

    def _witnesses(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(
            f.property for f in self.findings if f.kind == "witness" and f.verdict is verdict
        )

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.seconds if self.seconds > 0 else 0.0
