"""``samebeat figures``: what each heartbeat parameter of the production core does, measured."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samebeat_cli.output import check_can_write, console, emit, path_option
from samebeat_models.results import Exit

if TYPE_CHECKING:
    from samebeat_conformance.simulator.measures import Figure

_WHEN = ("before", "raised", "lowered")


class FiguresFormat(StrEnum):
    """The formats of figures."""

    TEXT = "text"
    JSON = "json"


def figures(
    form: Annotated[
        FiguresFormat, typer.Option("--format", help="How to print.")
    ] = FiguresFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_option, help="Write the figures to this file."),
    ] = None,
) -> None:
    """Measure what each heartbeat parameter does, before and after a group change of it.

    Clusters of the production core run in virtual time. Exit 10 if a figure is not what the
    parameter's value says.

    Example: samebeat figures --format json
    """
    from samebeat_conformance.simulator.measures import MEASURES, figures_of

    if output is not None:
        check_can_write(output)
    rows = [figures_of(measure) for measure in MEASURES]
    if form is FiguresFormat.JSON:
        emit(json.dumps(_data(rows), indent=2, ensure_ascii=False) + "\n", output)
    else:
        emit(_text(rows), output)
    if any(f.measured != f.expected for row in rows for f in row):
        raise typer.Exit(int(Exit.NOT_AS_PINNED))


def _data(rows: list[tuple[Figure, ...]]) -> dict[str, Any]:
    return {
        "figures": [
            {
                "parameter": f.parameter,
                "figure": f.figure,
                "when": f.when,
                "value": f.value,
                "measured": f.measured,
                "expected": f.expected,
            }
            for row in rows
            for f in row
        ]
    }


def _text(rows: list[tuple[Figure, ...]]) -> str:
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("parameter", "figure"):
        table.add_column(name, no_wrap=True)
    for name in _WHEN:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row[0].parameter, row[0].figure, *(_cell(f) for f in row))
    buffer = StringIO()
    width = max(console().width, 120)
    out = Console(file=buffer, width=width, highlight=False, markup=False, emoji=False)
    out.print(table)
    wrong = sum(f.measured != f.expected for row in rows for f in row)
    code = Exit.NOT_AS_PINNED if wrong else Exit.OK
    out.print(
        "value -> what was measured with it, on 3 cores; before a change, after one that has "
        f"raised the value, and after one that has lowered it\n{len(rows)} parameters, "
        f"{wrong} figures are not what the value says; exit {int(code)}"
    )
    return buffer.getvalue()


def _cell(f: Figure) -> str:
    right = "" if f.measured == f.expected else f" (not {f.expected:,})"
    return f"{f.value:,} -> {f.measured:,}{right}"
