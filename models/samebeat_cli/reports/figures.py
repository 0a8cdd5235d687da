"""Figures in reports: a table for people, plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import Outcome, count_of
from samebeat_models.figures import Answer, Extreme, Measured
from samebeat_models.render import trace_data, trace_lines
from samebeat_models.times import duration, time_data

COLUMNS = ("model", "figure", "least", "most", "unit", "meaning")
NO_FIGURES = "No figures: a control has none, nor has a spec that defines none."


def show(outcome: Outcome, console: Console) -> None:
    """Print the figures as a table, what they mean, why some are no numbers and, if asked, traces.

    The name of a model stands above its figures, so that names are whole on a narrow terminal too.
    """
    if not outcome.figures:
        console.print(NO_FIGURES)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in COLUMNS[1:-1]:
        table.add_column(
            name, justify="right" if name in ("least", "most") else "left", no_wrap=True
        )
    for model, group in groupby(outcome.figures, key=lambda m: m.model):
        own = list(group)
        table.add_row(Text(model, "bold"))
        for i, measured in enumerate(own):
            _, figure, *cells, _ = cells_of(outcome, measured)
            styled = [Text(cell, _style(cell)) for cell in cells]
            table.add_row(f"  {figure}", *styled, end_section=i == len(own) - 1)
    console.print(table)
    for line in meanings(outcome):
        console.print(line, soft_wrap=True)
    console.print()
    for line in notes(outcome):
        console.print(line, soft_wrap=True)
    for measured in outcome.figures if outcome.all_traces else ():
        for line in _run(outcome, measured):
            console.print(line, soft_wrap=True)


def markdown(outcome: Outcome) -> Iterator[str]:
    """Yield the figures as a Markdown table, then why some are no numbers."""
    if not outcome.figures:
        yield NO_FIGURES
        return
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---|---|--:|--:|---|---|"
    for measured in outcome.figures or ():
        cells = (cell.replace("|", "\\|") for cell in cells_of(outcome, measured))
        yield f"| {' | '.join(cells)} |"
    for note in notes(outcome):
        yield ""
        yield note


def cells_of(outcome: Outcome, measured: Measured) -> tuple[str, ...]:
    """Return what a table says of a figure, in the order of ``COLUMNS``."""
    return (
        measured.model,
        measured.figure.name,
        _said(outcome, measured, measured.least),
        _said(outcome, measured, measured.most),
        measured.unit,
        " ".join(measured.figure.doc.partition("\n\n")[0].split()),
    )


def meanings(outcome: Outcome) -> Iterator[str]:
    """Yield what each figure means, once for all models: one line each."""
    found = [cells_of(outcome, measured) for measured in outcome.figures or ()]
    told = list(dict.fromkeys((cells[1], cells[-1]) for cells in found))
    width = max((len(name) for name, _ in told), default=0)
    for name, meaning in told:
        yield f"  {name:{width}}  {meaning}"


def notes(outcome: Outcome) -> Iterator[str]:
    """Yield why a figure is no number, in one line for all models with the same reason."""
    reasons: dict[str, list[Measured]] = {}
    for measured in outcome.figures or ():
        if measured.most.why:
            reasons.setdefault(f"{measured.most.answer}: {measured.most.why}", []).append(measured)
    for reason, found in reasons.items():
        names = ", ".join(dict.fromkeys(m.figure.name for m in found))
        models = list(dict.fromkeys(m.model for m in found))
        where = models[0] if len(models) == 1 else count_of(len(models), "model")
        yield f"{reason} ({names}; {where})"


def data(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the figures for JSON."""
    return [
        {
            "model": measured.model,
            "figure": measured.figure.name,
            "kind": measured.figure.kind,
            "claims": list(measured.figure.claims),
            "unit": measured.unit,
            "meaning": " ".join(measured.figure.doc.split()),
            "least": _extreme(outcome, measured, measured.least),
            "most": _extreme(outcome, measured, measured.most),
        }
        for measured in outcome.figures or ()
    ]


def _extreme(outcome: Outcome, measured: Measured, extreme: Extreme) -> dict[str, Any]:
    tick_ms = _tick_ms(outcome, measured)
    found: dict[str, Any] = {
        "answer": str(extreme.answer),
        "value": extreme.value,
        "why": extreme.why,
    }
    if tick_ms is not None and extreme.value is not None and measured.unit == "ticks":
        found["ms"] = time_data(extreme.value, tick_ms)["time_ms"]
    if extreme.trace is not None:
        found["trace"] = trace_data(extreme.trace, tick_ms)
    return found


def _run(outcome: Outcome, measured: Measured) -> Iterator[str]:
    """Yield the run that shows the most."""
    most, tick_ms = measured.most, _tick_ms(outcome, measured)
    if most.trace is None:
        return
    said = f"{measured.model}: {measured.figure.name} "
    if most.value is None:
        said += f"has no bound: {most.why}"
    else:
        verb = "lasts" if measured.figure.kind == "stay" else "is"
        said += f"{verb} at most {most.value:,} {measured.unit}"
        if tick_ms is not None and measured.unit == "ticks":
            said += f", {duration(most.value, tick_ms)}"
    yield said
    yield from (f"  {line}" for line in trace_lines(most.trace, None, tick_ms))
    yield ""


def _said(outcome: Outcome, measured: Measured, extreme: Extreme) -> str:
    """Return ``7``, ``7 (175 ms)`` or, in words, why there is no number."""
    if extreme.value is None:
        return str(extreme.answer)
    tick_ms = _tick_ms(outcome, measured)
    if tick_ms is None or measured.unit != "ticks":
        return f"{extreme.value:,}"
    return f"{extreme.value:,} ({duration(extreme.value, tick_ms)})"


def _tick_ms(outcome: Outcome, measured: Measured) -> float | None:
    selected = outcome.models.get(measured.model)
    return selected.model.tick_ms if selected else None


def _style(cell: str) -> str:
    styles = {str(Answer.NO_BOUND): "cyan", str(Answer.UNDETERMINED): "yellow"}
    return styles.get(cell, "dim" if cell == Answer.NEVER else "")
