"""Models side by side, for people and for programs.

The table says as much in each cell as the terminal is wide enough for. Where it is narrow, letters
stand for the properties, then what names a row is stacked, and at last there is a list instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from textwrap import wrap
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from samebeat_cli.reports import Outcome, count_of
from samebeat_models.results import Verdict
from samebeat_models.side_by_side import Shown, SideBySide, shown
from samebeat_models.times import duration, time_data

UNEXPECTED = "!"
"""What marks a cell that is not as expected."""
_Cells = Mapping[str, Shown]


def show(outcome: Outcome, beside: SideBySide, console: Console) -> None:
    """Print models side by side, and what the marks and letters in the table mean."""
    cells = _cells(outcome, beside)
    letters = _letters(cells)
    endless = console.options.update(max_width=10_000)

    def fits(layout: _OneLine) -> bool:
        table = layout.table(outcome, beside, cells)
        return Measurement.get(console, endless, table).maximum <= console.width

    layouts = (_OneLine(), _TwoLines(), _Lettered(letters), _Stacked(letters))
    layout = next(filter(fits, layouts), None)
    if layout is None:
        _list(outcome, beside, cells, console)
    else:
        console.print(layout.table(outcome, beside, cells))
    if isinstance(layout, _Lettered):
        for name, letter in letters.items():
            console.print(f"{letter}: {name}", soft_wrap=True)
    console.print(_what_cells_mean(cells), soft_wrap=True)
    if not all(cell.as_expected for cell in cells.values()):
        console.print(f"{UNEXPECTED} is not as expected: see below.", soft_wrap=True)
    console.print()


def _list(outcome: Outcome, beside: SideBySide, cells: _Cells, console: Console) -> None:
    """Print each row as a paragraph: for a terminal that is too narrow for columns."""
    width, layout = max(map(len, beside.columns)), _OneLine()
    for line in beside.lines:
        named = zip(beside.labels, line.labels, strict=True)
        console.print(Text(", ".join(f"{name} {x}" for name, x in named), "bold"), soft_wrap=True)
        for column, name in line.models.items():
            said = layout.cell(outcome, cells[name])
            console.print(Text(f"  {column:<{width}}  ").append_text(said), soft_wrap=True)
    console.print()


def data(outcome: Outcome, beside: SideBySide) -> dict[str, Any]:
    """Return models side by side for JSON: a row for each line, a cell for each column."""
    cells = _cells(outcome, beside)
    return {
        "by": beside.by,
        "columns": list(beside.columns),
        "rows": [
            {
                "differs": dict(zip(beside.labels, line.labels, strict=True)),
                "cells": {
                    column: _cell_data(outcome, cells[name]) for column, name in line.models.items()
                },
            }
            for line in beside.lines
        ],
        "alone": list(beside.alone),
    }


def _cell_data(outcome: Outcome, cell: Shown) -> dict[str, Any]:
    times = {} if cell.ticks is None else time_data(cell.ticks, _tick_ms(outcome, cell))
    return {
        "model": cell.model,
        "verdict": str(cell.verdict),
        "as_expected": cell.as_expected,
        "property": cell.property or None,
        "others": cell.others,
        "steps": cell.steps,
        **times,
    }


def _cells(outcome: Outcome, beside: SideBySide) -> _Cells:
    names = [name for line in beside.lines for name in line.models.values()]
    return {name: shown(name, outcome.report.rows) for name in names}


def _tick_ms(outcome: Outcome, cell: Shown) -> float | None:
    return outcome.models[cell.model].model.tick_ms


def _letters(cells: _Cells) -> dict[str, str]:
    names = dict.fromkeys(cell.property for cell in cells.values() if cell.property)
    count = len(ascii_lowercase)
    return {name: ascii_lowercase[i % count] * (i // count + 1) for i, name in enumerate(names)}


def _what_cells_mean(cells: _Cells) -> str:
    timed = any(cell.ticks is not None for cell in cells.values())
    facts = "time and length" if timed else "the length"
    named = f" Else: what is violated, with {facts} of the shortest trace."
    violated = any(cell.property for cell in cells.values())
    return "safe: all properties hold." + (named if violated else "")


# --- lay-outs --------------------------------------------------------------------------------


class _OneLine:
    """A column for whatever differs between rows; each cell is one line."""

    between = " at "
    leading = 0
    padding = 2

    def table(self, outcome: Outcome, beside: SideBySide, cells: _Cells) -> Table:
        table = Table(
            box=SIMPLE_HEAD,
            pad_edge=False,
            header_style="bold",
            show_footer=True,
            leading=self.leading,
            padding=(0, self.padding, 0, 0),
        )
        names = [self.names(line.labels) for line in beside.lines]
        for i, heading in enumerate(self.names(beside.labels)):
            width = max(len(part) for row in names for part in row[i].split("\n"))
            footer = "safe" if i == 0 else ""
            table.add_column(_folded(heading, width), footer, no_wrap=True, style="bold")
        rows = [
            [self.cell(outcome, cells.get(line.models.get(c, ""))) for c in beside.columns]
            for line in beside.lines
        ]
        for i, column in enumerate(beside.columns):
            width = max(len(part) for row in rows for part in row[i].plain.split("\n"))
            table.add_column(_folded(column, width), _safe(beside, cells, column), no_wrap=True)
        for label, row in zip(names, rows, strict=True):
            table.add_row(*label, *row)
        return table

    def names(self, labels: Sequence[str]) -> Sequence[str]:
        """Return the texts of a row's first columns."""
        return labels

    def property(self, cell: Shown) -> str:
        """Return how a cell names the property."""
        return cell.property + (f" +{cell.others}" if cell.others else "")

    def cell(self, outcome: Outcome, cell: Shown | None) -> Text:
        """Return what a model shows."""
        if cell is None:
            return Text("")
        mark = "" if cell.as_expected else f"{UNEXPECTED} "
        if cell.verdict is not Verdict.VIOLATED:
            said = "safe" if cell.verdict is Verdict.HOLDS else str(cell.verdict)
            return Text(mark + said, _style(cell))
        facts = [] if cell.ticks is None else [duration(cell.ticks, _tick_ms(outcome, cell))]
        facts.append(count_of(cell.steps or 0, "step"))
        return Text(f"{mark}{self.property(cell)}{self.between}{self.join(facts)}", _style(cell))

    def join(self, facts: Sequence[str]) -> str:
        """Return time and length as one text."""
        return ", ".join(facts)


class _TwoLines(_OneLine):
    """Time and length stand below the property."""

    between = "\n"


class _Lettered(_OneLine):
    """A letter stands for the property, and columns are close to each other."""

    between = ": "
    padding = 1

    def __init__(self, letters: Mapping[str, str]) -> None:
        self.letters = letters

    def property(self, cell: Shown) -> str:
        return self.letters[cell.property] + (f" +{cell.others}" if cell.others else "")

    def join(self, facts: Sequence[str]) -> str:
        return ",\n".join(facts)


class _Stacked(_Lettered):
    """What names a row is one column."""

    leading = 1

    def names(self, labels: Sequence[str]) -> Sequence[str]:
        return ["\n".join(labels)] if labels else []


def _folded(heading: str, width: int) -> str:
    """Return a heading in lines of about ``width``, broken where words of a name meet."""
    lines = []
    for part in heading.split("\n"):
        spaced = wrap(part.replace("_", "_ "), max(width, 8), break_long_words=False)
        lines += [line.replace("_ ", "_") for line in spaced]
    return "\n".join(lines)


def _safe(beside: SideBySide, cells: _Cells, column: str) -> str:
    """Return in how many rows of a column everything holds."""
    found = [cells[line.models[column]] for line in beside.lines if column in line.models]
    return f"{sum(c.verdict is Verdict.HOLDS for c in found)} of {len(found)}"


def _style(cell: Shown) -> str:
    if not cell.as_expected:
        return "bold red"
    return {Verdict.HOLDS: "green", Verdict.VIOLATED: "cyan", Verdict.UNDETERMINED: "yellow"}[
        cell.verdict
    ]
