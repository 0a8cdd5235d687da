"""What a bounded search found out, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import MEANING, Outcome, count_of, verdict_words
from samebeat_cli.reports.as_json import data as report_data
from samebeat_models.results import Exit, Row, Verdict
from samebeat_proofs.bounded import Searched

RUNG = "searched"
"""The rung of the ladder of assurance: some runs were looked at, up to a depth."""
NOT_A_PROOF = "a search to a depth says nothing of longer runs"
_LEFT_OUT = ("number", "states", "transitions")
"""What a report of states has, and this one has not."""


# --- for people ----------------------------------------------------------------------------


def show(outcome: Outcome, searches: Sequence[Searched], console: Console) -> None:
    """Print what was found in each model, and how far the search went."""
    console.print(_table(outcome))
    for row in outcome.report.rows:
        if row.verdict is Verdict.VIOLATED:
            _explain(outcome, row, console)
    for s in searches:
        for line in _about(s):
            console.print(line, soft_wrap=True)
    code = outcome.report.exit_code
    open_ = sum(s.run is None for s in searches)
    counts = [
        count_of(len(searches), "model"),
        f"{len(searches) - open_:,} violated",
        f"{open_:,} searched without a violation, which proves nothing",
    ]
    said = "undetermined" if code is Exit.UNDETERMINED else MEANING[code]
    shown = [c for c in counts if not c.startswith("0 ")]
    line = f"{', '.join(shown)}, in {outcome.seconds:.2f} s; exit {int(code)}: {said}"
    console.print(Text(line, "bold green" if code is Exit.OK else "bold red"), soft_wrap=True)


def _table(outcome: Outcome) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True, style="bold")
    table.add_column("property", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("steps", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for name, group in groupby(outcome.report.rows, key=lambda row: row.model):
        rows = list(group)
        lines = [
            (row.property, _verdict(row), str(row.depth))
            for row in rows
            if row.verdict is Verdict.VIOLATED
        ]
        if open_ := [row for row in rows if row.verdict is Verdict.UNDETERMINED]:
            lines.append((_several(open_, bool(lines)), _depth(open_[0]), ""))
        for i, line in enumerate(lines):
            first = (name, f"{rows[0].seconds:.2f}") if i == 0 else ("", "")
            table.add_row(first[0], *line, first[1], end_section=i == len(lines) - 1)
    return table


def _several(rows: Sequence[Row], others: bool) -> str:
    if len(rows) == 1:
        return rows[0].property
    return f"{len(rows)} others" if others else f"all {len(rows)} properties"


def _verdict(row: Row) -> Text:
    words = verdict_words(row) if row.as_expected else str(row.verdict)
    return Text(words, "cyan" if row.as_expected else "bold red")


def _depth(row: Row) -> Text:
    reached = f"searched to depth {row.depth}" if row.depth is not None and row.depth >= 0 else ""
    return Text(reached or "undetermined (see below)", "yellow")


def _explain(outcome: Outcome, row: Row, console: Console) -> None:
    style = "cyan" if row.as_expected else "bold red"
    console.print(Text(outcome.headline(row), style), soft_wrap=True)
    if promise := outcome.promise(row):
        claims = f" (claims {', '.join(row.claims)})" if row.claims else ""
        console.print(f"  {' '.join(promise.split())}{claims}", soft_wrap=True)
    for line in outcome.story(row):
        console.print(f"  {line}", soft_wrap=True)
    if file := outcome.trace_files.get((row.model, row.property)):
        console.print(f"  replay it: samebeat replay {file}", soft_wrap=True)
    console.print()


def _about(s: Searched) -> Iterator[Text | str]:
    """Yield how one model was searched, and what is not known."""
    name, how = s.instance.name, "sets of actions" if s.parallel else "one action"
    if s.run is not None:
        taken = sum(s.at_once)
        needed = len(s.run.taken)
        yield (
            f"{name}: found in {count_of(len(s.at_once), 'step')}, {how} a step: "
            f"{count_of(taken, 'action')}, {needed} of them needed"
        )
        return
    choices = count_of(s.choices, "action")
    yield f"{name}: {choices} with arguments, {how} a step; {s.cost:,} units of work"
    if s.why:
        yield Text(f"{name}: {s.why}; --rlimit gives it more", "yellow")
    if s.taken is not None:
        never = [a.name for a in s.instance.spec.actions if a.name not in s.taken]
        if never:
            said = f"{name}: within this depth no run takes {', '.join(never)}"
            yield Text(f"{said}: nothing is known of what these do", "yellow")
        else:
            yield f"{name}: every action is taken by some run within this depth"
    if stuck := [p for p, kind in s.promises.items() if kind == "always_reachable"]:
        yield f"{name}: {', '.join(stuck)}: only runs that get stuck were looked for"
    spec = s.instance.spec
    if others := [*(p.name for p in spec.liveness), *(r.name for r in spec.refinements)]:
        yield f"{name}: not looked at: {', '.join(others)}"


# --- for programs --------------------------------------------------------------------------


def data(outcome: Outcome, searches: Sequence[Searched]) -> dict[str, Any]:
    """Return what was found as plain data; a result has the shape of those of ``check``."""
    found = report_data(outcome)
    specs = {s.instance.name: s.instance.spec.name for s in searches}
    for result in found["results"]:
        for key in _LEFT_OUT:
            result.pop(key, None)
        result.update(spec=specs[result["model"]], rung=RUNG)
    found["searches"] = [_search(s) for s in searches]
    return found


def _search(s: Searched) -> dict[str, Any]:
    return {
        "model": s.instance.name,
        "depth": s.depth,
        "parallel": s.parallel,
        "choices": s.choices,
        "at_once": list(s.at_once),
        "taken": None if s.taken is None else sorted(s.taken),
        "why": s.why,
        "cost": s.cost,
        "seconds": round(s.seconds, 6),
    }
