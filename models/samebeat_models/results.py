"""What engines report and commands print: verdicts, traces, explorations, rows.

Data flows one way, spec -> instance -> engine -> report; this is the shape of the last arrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property

from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple


class Verdict(StrEnum):
    """The three verdicts. A budget that ran out is never a pass."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"


class Exit(IntEnum):
    """Exit codes of the command line; they are stable."""

    OK = 0
    USAGE = 2
    UNDETERMINED = 3
    NOT_AS_PINNED = 10
    DEADLOCK = 11
    SAFETY = 12
    LIVENESS = 13
    SPEC_ERROR = 150
    BAD_FILE = 151
    INTERNAL = 255


DEADLOCK_FREE = "deadlock_free"
"""Every state without a step that changes something is an intended terminal state."""
PINNED = "as_pinned"
"""Counts, witnesses, never-enabled actions and vacuous properties are as the model says."""


@dataclass(frozen=True)
class Step:
    """One step of a trace: the action by name, its concrete arguments, the state after it."""

    action: str
    arguments: Arguments
    state: StateTuple


@dataclass(frozen=True)
class Trace:
    """A run of an instance from an initial state.

    If it is infinite, the last state is that of number ``loop``, and what comes after that one
    happens for ever: nothing, if it is the last one itself.
    """

    instance: Instance
    initial: StateTuple
    steps: tuple[Step, ...]
    loop: int | None = None

    @property
    def states(self) -> tuple[StateTuple, ...]:
        """Every state of the run, the initial one first."""
        return (self.initial, *(step.state for step in self.steps))


@dataclass(frozen=True)
class Finding:
    """What an engine found out about one property.

    ``depth`` is the least number of steps to a violation (or to a witness), None if there is
    none; ``trace`` leads there, and ``notes`` say more about why it is a violation. Of a
    property that is undetermined for reasons of its own, ``why`` says which. Of a
    refinement, ``projected`` counts the projected states and the projected steps, and
    ``uncovered`` are the abstract actions that no step takes.
    """

    property: str
    kind: str
    verdict: Verdict
    depth: int | None = None
    trace: Trace | None = None
    notes: tuple[str, ...] = ()
    projected: tuple[int, int] | None = None
    uncovered: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Exploration:
    """The outcome of exploring one instance.

    ``transitions`` counts enabled steps, stuttering ones included; ``depth`` is the number of
    steps to the farthest state. ``incomplete_reason`` is empty if every reachable state was seen,
    else it says what ended the search.
    """

    instance: Instance
    states: int
    transitions: int
    depth: int
    seconds: float
    findings: tuple[Finding, ...]
    action_counts: Mapping[str, int]
    terminals: Mapping[str, int] = field(default_factory=dict)
    vacuous: tuple[str, ...] = ()
    incomplete_reason: str = ""
    peak_bytes: int = 0
    bits: int = 0
    out_of_budget: bool = False

    @property
    def exhaustive(self) -> bool:
        """Whether every reachable state was seen."""
        return not self.incomplete_reason

    def violated(self) -> tuple[Finding, ...]:
        """Return the findings of violated properties (not of witnesses), in order."""
        return tuple(
            f for f in self.findings if f.verdict is Verdict.VIOLATED and f.kind != "witness"
        )


@dataclass(frozen=True)
class Row:
    """One line of a report: a property of a model, its verdict and the one that was expected.

    ``exit`` is the exit code that this line alone would give; ``detail`` says in one line what is
    not as expected, with the numbers; ``notes`` follow the trace. ``states`` and ``transitions``
    are those of the model; for a refinement that holds, different projected states and steps.
    ``vacuous``: it holds here for want of a case.
    """

    model: str
    property: str
    kind: str
    claims: tuple[str, ...]
    verdict: Verdict
    expected: Verdict
    states: int
    transitions: int
    depth: int | None
    seconds: float
    exit: Exit = Exit.OK
    detail: str = ""
    trace: Trace | None = None
    notes: tuple[str, ...] = ()
    vacuous: bool = False

    @cached_property  # `property` is a field's name here
    def as_expected(self) -> bool:
        """Whether this line needs nobody's attention."""
        return self.exit is Exit.OK


_WORST_FIRST = (
    Exit.INTERNAL,
    Exit.SPEC_ERROR,
    Exit.BAD_FILE,
    Exit.SAFETY,
    Exit.DEADLOCK,
    Exit.LIVENESS,
    Exit.NOT_AS_PINNED,
    Exit.UNDETERMINED,
)


@dataclass(frozen=True)
class Report:
    """Everything one run of a command found out; ``incomplete_reason`` is empty if exhaustive."""

    rows: tuple[Row, ...]
    incomplete_reason: str = ""

    @property
    def exhaustive(self) -> bool:
        """Whether every model of this report was explored to the end it needs."""
        return not self.incomplete_reason

    @property
    def exit_code(self) -> Exit:
        """The most severe exit code of all rows."""
        found = {row.exit for row in self.rows}
        return next((code for code in _WORST_FIRST if code in found), Exit.OK)
