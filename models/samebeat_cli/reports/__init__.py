"""Reports: what a run found out, in the formats that people and other tools read.

Every command that judges something gives an ``Outcome``; every format takes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING

from samebeat_cli.output import WIDE
from samebeat_cli.selection import Selected
from samebeat_models.render import trace_lines
from samebeat_models.results import Exit, Report, Row, Verdict
from samebeat_models.side_by_side import SideBySide

if TYPE_CHECKING:
    from samebeat_conformance.simulator.campaign import Campaign
    from samebeat_models.figures import Measured
    from samebeat_models.simulation.results import Simulation


class Format(StrEnum):
    """The formats of a report."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"
    MARKDOWN = "markdown"


MEANING: Mapping[Exit, str] = {
    Exit.OK: "all as expected",
    Exit.UNDETERMINED: "something is undetermined",
    Exit.NOT_AS_PINNED: "something is not as pinned",
    Exit.DEADLOCK: "a deadlock",
    Exit.SAFETY: "a safety property is violated",
    Exit.LIVENESS: "a liveness property is violated",
    Exit.SPEC_ERROR: "the spec is wrong",
    Exit.BAD_FILE: "a model or trace file is wrong",
    Exit.INTERNAL: "an internal error",
}


@dataclass(frozen=True)
class Outcome:
    """A report with what is needed to explain it.

    Args:
        report: the rows.
        models: every model that was looked at, by name.
        seconds: wall time of the whole run.
        trace_files: for a model and a property, the file that holds the trace.
        all_traces: show the traces of expected violations too.
        beside: how the models stand side by side; None if they do not.
        figures: what was measured of the models; None if nobody asked.
        simulations: what walks covered of the models; None if they were explored.
        campaign: what runs of the production core had in them; None if there were none.
    """

    report: Report
    models: Mapping[str, Selected]
    seconds: float = 0.0
    trace_files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    all_traces: bool = False
    beside: SideBySide | None = None
    figures: tuple[Measured, ...] | None = None
    simulations: tuple[Simulation, ...] | None = None
    campaign: Campaign | None = None

    @property
    def unexpected(self) -> tuple[Row, ...]:
        """The rows that need somebody's attention."""
        return tuple(row for row in self.report.rows if not row.as_expected)

    @property
    def summary(self) -> str:
        """One sentence with the counts and what the exit code means."""
        rows, code = self.report.rows, self.report.exit_code
        caught = sum(r.as_expected and r.verdict is Verdict.VIOLATED for r in rows)
        counts = [
            count_of(len({r.model for r in rows}), "model"),
            count_of(len(rows), "result"),
            f"{len(rows) - len(self.unexpected):,} as expected"
            + (f" ({count_of(caught, 'violation')} among them)" if caught else ""),
        ]
        undetermined = sum(r.verdict is Verdict.UNDETERMINED for r in self.unexpected)
        if len(self.unexpected) > undetermined:
            counts.append(f"{len(self.unexpected) - undetermined} not")
        if undetermined:
            counts.append(f"{undetermined} undetermined")
        time = f" in {self.seconds:.2f} s" if self.seconds else ""
        return f"{', '.join(counts)}{time}; exit {int(code)}: {MEANING[code]}"

    def headline(self, row: Row) -> str:
        """Return ``group-2: agreement is violated: why``."""
        verdict = "holds" if row.verdict is Verdict.HOLDS else f"is {row.verdict}"
        caught = row.expected is not Verdict.VIOLATED or row.verdict is Verdict.VIOLATED
        expected = "" if caught else f", expected {row.expected}"
        if row.as_expected and row.verdict is Verdict.VIOLATED:
            expected = ", as expected" if row.expected is Verdict.VIOLATED else " too"
        detail = f": {row.detail}" if row.detail else ""
        return f"{row.model}: {row.property} {verdict}{expected}{detail}"

    def promise(self, row: Row) -> str:
        """Return what the row's property says, or an empty text for a check of the engine's own."""
        selected = self.models.get(row.model)
        if selected is None:
            return ""
        said = (p.doc for p in selected.spec.promises if p.name == row.property)
        return next(said, "")

    def tick_ms(self, row: Row) -> float | None:
        """Return how many ms a tick is in the row's model, None if the model does not say."""
        selected = self.models.get(row.model)
        return selected.model.tick_ms if selected else None

    def story(self, row: Row) -> list[str]:
        """Return the row's trace as lines, its times in the unit of the model, then its notes."""
        lines = trace_lines(row.trace, tick_ms=self.tick_ms(row)) if row.trace else []
        return [*lines, *row.notes]


def verdict_words(row: Row) -> str:
    """Return the verdict as the table says it."""
    if row.as_expected:
        if row.verdict is Verdict.VIOLATED:
            return "violated, as expected" if row.expected is row.verdict else "violated too"
        return f"{row.verdict}, no case" if row.vacuous else str(row.verdict)
    if row.verdict in (row.expected, Verdict.UNDETERMINED):
        return f"{row.verdict} (see below)"
    return f"{row.verdict} (expected: {row.expected})"


def render(form: Format, outcome: Outcome) -> str:
    """Return an outcome as text in one format, for a file or for stdout."""
    if form is Format.TEXT:
        from rich.console import Console

        from samebeat_cli.reports.text import show

        buffer = StringIO()
        show(outcome, Console(file=buffer, width=WIDE, highlight=False, markup=False, emoji=False))
        return buffer.getvalue()
    module = import_module(f"samebeat_cli.reports.as_{form.value}")
    rendered: str = module.render(outcome)
    return rendered


def count_of(number: int, what: str, plural: str = "s") -> str:
    """Return ``1 model`` or ``2 models``; ``plural`` is what the word ends in."""
    return f"{number:,} {what}{'' if number == 1 else plural}"
