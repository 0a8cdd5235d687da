"""The report for people: a table, then what is not as expected with its trace."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import Outcome, count_of, verdict_words
from samebeat_models.results import Exit, Report, Row, Verdict

CLAIMS_SHOWN = 2
"""How many claims the table names of a property that rests on more."""
CLAIMS_WIDTHS = (24, 8, None)
"""Columns for the claims: the first with which the table fits; None is a table without them."""
NARROWEST = 12
"""Columns that a model's name has however narrow the terminal."""
TRACES_SHOWN = 5
"""How many traces a report prints; the others are in the files that it names."""


def show(outcome: Outcome, console: Console) -> None:
    """Print an outcome."""
    rows = outcome.report.rows
    if outcome.beside is not None:
        from samebeat_cli.reports.side_by_side import show as show_side_by_side

        show_side_by_side(outcome, outcome.beside, console)
        rows = tuple(row for row in rows if row.model in outcome.beside.alone)
        if rows:
            console.print("These stand beside no other model:")
    if rows:
        console.print(_fitting(replace(outcome, report=Report(rows)), console))
    if outcome.figures is not None:
        from samebeat_cli.reports.figures import show as show_figures

        show_figures(outcome, console)
    if outcome.simulations is not None:
        from samebeat_cli.reports.simulations import show as show_simulations

        show_simulations(outcome, console)
    if outcome.campaign is not None:
        from samebeat_cli.reports.campaigns import show as show_campaign

        show_campaign(outcome.campaign, console)
    traces = 0
    for row in outcome.report.rows:
        caught = outcome.all_traces and row.as_expected and row.verdict is Verdict.VIOLATED
        if (row.as_expected and not caught) or row.verdict is Verdict.UNDETERMINED:
            _refuse(outcome, row, console)
            continue  # for what is undetermined, one line below says why for all of a model
        _explain(outcome, row, console, outcome.all_traces or traces < TRACES_SHOWN)
        traces += row.trace is not None
    if outcome.report.incomplete_reason:
        console.print(f"Not exhaustive: {outcome.report.incomplete_reason}", soft_wrap=True)
    style = "bold green" if outcome.report.exit_code is Exit.OK else "bold red"
    console.print(Text(outcome.summary, style), soft_wrap=True)


def _fitting(outcome: Outcome, console: Console) -> Table:
    """Return the table with as much of the claims as fits; names are broken only without them."""
    endless = console.options.update(max_width=10_000)
    excess = 0
    for claims_width in CLAIMS_WIDTHS:
        table = _table(outcome, claims_width)
        excess = Measurement.get(console, endless, table).maximum - console.width
        if excess <= 0:
            return table
    longest = max(len(row.model) for row in outcome.report.rows)
    return _table(outcome, None, max(longest - excess, NARROWEST))


def _table(outcome: Outcome, claims_width: int | None, name_width: int | None = None) -> Table:
    with_claims = claims_width is not None
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True, style="bold")
    if with_claims:
        table.add_column("claims", no_wrap=True, style="dim")
    table.add_column("property", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    about = " (about)" if outcome.simulations is not None else ""
    counted = "inputs" if outcome.campaign is not None else f"states{about}"
    for name in (counted, "depth", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for _, group in groupby(outcome.report.rows, key=lambda row: row.model):
        rows = list(group)
        reached = [row for row in rows if row.kind == "witness" and row.as_expected]
        folded = [row for row in rows if row.kind == "pins" and row.as_expected and not reached]
        shown = [row for row in rows if row not in reached and row not in folded]
        lines = [_cells(row, i == 0, claims_width, name_width) for i, row in enumerate(shown)]
        if reached and lines:
            skipped = ("", "") if with_claims else ("",)
            said = count_of(len(reached), "witness", "es")
            pinned = shown[-1].kind == "pins"
            lines.insert(len(lines) - pinned, (*skipped, said, Text("reached", "green")))
        for i, cells in enumerate(lines):
            table.add_row(*cells, end_section=i == len(lines) - 1)
    return table


def _cells(
    row: Row, first: bool, claims_width: int | None, name_width: int | None
) -> tuple[str | Text, ...]:
    """Return a row's cells; what is the same for all of a model stands in its first row."""
    return (
        _broken(row.model, name_width) if first else "",
        *(() if claims_width is None else (_short(row.claims, claims_width),)),
        row.property,
        Text(verdict_words(row), _style(row)),
        f"{row.states:,}" if first or row.kind == "refinement" else "",
        "" if row.depth is None else str(row.depth),
        f"{row.seconds:.2f}" if first else "",
    )


def _short(claims: tuple[str, ...], width: int) -> str:
    """Return the first claims and how many more there are; the other formats list them all."""
    for count in range(min(CLAIMS_SHOWN, len(claims)), 0, -1):
        more = [f"+{len(claims) - count}"] if len(claims) > count else []
        shown = ", ".join([*claims[:count], *more])
        if len(shown) <= width:
            return shown
    return count_of(len(claims), "claim") if claims else ""


def _broken(name: str, width: int | None) -> str:
    """Return a model's name in lines of at most ``width``, broken after hyphens where it can be."""
    if width is None:
        return name
    lines = [""]
    for part in re.findall(r"[^-]*-|[^-]+", name):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(piece for line in lines for piece in wrap(line, width))


def _style(row: Row) -> str:
    if not row.as_expected:
        return "bold red"
    return {Verdict.HOLDS: "green", Verdict.VIOLATED: "cyan", Verdict.UNDETERMINED: "yellow"}[
        row.verdict
    ]


def _refuse(outcome: Outcome, row: Row, console: Console) -> None:
    """Print why a row is undetermined, if that is for a reason of its own."""
    own = row.verdict is Verdict.UNDETERMINED and row.kind == "liveness"
    own = own and outcome.simulations is None  # they say so themselves
    if own and row.detail not in outcome.report.incomplete_reason:
        console.print(Text(outcome.headline(row), "bold red"), soft_wrap=True)


def _explain(outcome: Outcome, row: Row, console: Console, with_trace: bool) -> None:
    """Print a violation: what was promised, why it fails, and the trace."""
    style = "cyan" if row.as_expected else "bold red"
    console.print(Text(outcome.headline(row), style), soft_wrap=True)
    claims = f" (claims {', '.join(row.claims)})" if row.claims else ""
    promise = outcome.promise(row)
    if promise:
        console.print(f"  {' '.join(promise.split())}{claims}", soft_wrap=True)
    if (row.trace is not None and with_trace) or outcome.campaign is not None:
        for line in outcome.story(row):
            console.print(f"  {line}", soft_wrap=True)
    file = outcome.trace_files.get((row.model, row.property))
    if file:
        console.print(f"  replay it: samebeat replay {file}", soft_wrap=True)
    elif row.trace is not None and not with_trace:
        console.print("  its trace: add --traces or --out-itf DIR", soft_wrap=True)
    console.print()
