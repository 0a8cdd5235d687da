"""``samebeat figures``: what each of the eleven parameters of the core does, measured."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from samebeat_cli.output import check_can_write, console, emit, path_option
from samebeat_models.results import Exit

if TYPE_CHECKING:
    from samebeat_conformance.simulator.measures import Figure
    from samebeat_conformance.simulator.traffic import Harm

    Row: TypeAlias = tuple[tuple[Figure, ...], Harm]

_HARM = ("lost", "twice", "refused", "suspected")
_WHEN = ("before", "raising", "raised", "lowering", "lowered")


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
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            parser=path_option,
            help="Draw them, as .png, .svg or .pdf; needs matplotlib.",
        ),
    ] = None,
) -> None:
    """Measure what each parameter does, before, during and after a group change of it.

    Clusters of the production core run in virtual time. Exit 10 if a figure is not what the
    parameter's value says, or if a change loses, repeats or refuses a message or makes anybody
    suspect who is alive; 3 if something could not be measured.

    Example: samebeat figures --plot figures.png
    """
    from samebeat_cli.plots import draw
    from samebeat_conformance.simulator.layer_measures import LAYER_MEASURES
    from samebeat_conformance.simulator.measures import MEASURES, NotMeasured, figures_of, harm_of

    for path in (output, plot):
        if path is not None:
            check_can_write(path)
    try:
        rows = [(figures_of(m), harm_of(m)) for m in (*MEASURES, *LAYER_MEASURES)]
    except NotMeasured as error:
        typer.echo(f"samebeat: not measured: {error}", err=True)
        raise typer.Exit(int(Exit.UNDETERMINED)) from None
    if form is FiguresFormat.JSON:
        emit(json.dumps(_data(rows), indent=2, ensure_ascii=False) + "\n", output)
    else:
        emit(_text(rows), output)
    if plot is not None:
        draw(rows, plot)
    if _wrong(rows):
        raise typer.Exit(int(Exit.NOT_AS_PINNED))


def _wrong(rows: list[Row]) -> int:
    """Return how many figures are not what a value says, and changes that do harm."""
    figures_wrong = sum(f.measured != f.expected for found, _ in rows for f in found)
    return figures_wrong + sum(not harm.is_none for _, harm in rows)


def _data(rows: list[Row]) -> dict[str, Any]:
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
            for found, _ in rows
            for f in found
        ],
        "under_load": [
            {
                "parameter": found[0].parameter,
                "messages": harm.messages,
                "lost": harm.lost,
                "duplicated": harm.duplicated,
                "refused_fragments": harm.refused,
                "false_suspicions": harm.suspicions,
            }
            for found, harm in rows
        ],
    }


def _text(rows: list[Row]) -> str:
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("parameter, and what is measured", *_WHEN, *_HARM):
        table.add_column(name, justify="left" if "," in name else "right", no_wrap=True)
    for found, harm in rows:
        counts = (harm.lost, harm.duplicated, harm.refused, harm.suspicions)
        cells = [_value(f) for f in found]
        table.add_row(found[0].parameter, *cells, *(f"{n:,}" for n in counts))
        table.add_row(f"  {found[0].figure}", *(_cell(f) for f in found))
    buffer = StringIO()
    width = max(console().width, 140)
    out = Console(file=buffer, width=width, highlight=False, markup=False, emoji=False)
    out.print(table)
    wrong = _wrong(rows)
    code = Exit.NOT_AS_PINNED if wrong else Exit.OK
    messages = sum(harm.messages for _, harm in rows)
    out.print(
        "Above the value, below what was measured: before a change, while one that raises the "
        "value is open, after it,\nand the same for one that lowers it. Lost, delivered twice, "
        f"refused by a member that\ncannot take them, and suspected though alive: during these "
        f"changes under load, {messages:,} messages in all.\n"
        f"{len(rows)} parameters, {wrong} not as their values say; exit {int(code)}"
    )
    return buffer.getvalue()


def _value(f: Figure) -> str:
    return f"{f.value:,}" if f.when in ("before", "raised", "lowered") else f"(to {f.value:,})"


def _cell(f: Figure) -> str:
    right = "" if f.measured == f.expected else f" (not {f.expected:,})"
    return f"{f.measured:,}{right}"
