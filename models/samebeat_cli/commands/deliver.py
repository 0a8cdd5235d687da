"""Handing a report over: to stdout, to files, and as the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from samebeat_cli.errors import CommandError
from samebeat_cli.output import check_can_write, console, path_option, write_file
from samebeat_cli.reports import Format, Outcome, render

FormatOption = Annotated[
    list[Format] | None,
    typer.Option(
        "--format",
        metavar="|".join(Format),
        help="Format of the report; repeat it, one for each --output.",
    ),
]
OutputOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        metavar="FILE",
        parser=path_option,
        help="Write the report to this file; the first --output takes the first --format. "
        "A format without a file goes to stdout, which otherwise has the text.",
    ),
]


class Delivery:
    """Where the reports of a run go; wrong wishes are refused before the run."""

    def __init__(self, formats: Sequence[Format] | None, outputs: Sequence[Path] | None) -> None:
        wanted, files = list(formats or ()), list(outputs or ())
        if len(wanted) > len(files) + 1:
            raise CommandError("one --format goes to stdout, every other needs an --output")
        padded = wanted + [Format.TEXT] * (len(files) - len(wanted))
        self.files = list(zip(files, padded, strict=False))
        self.stdout = wanted[len(files)] if len(wanted) > len(files) else Format.TEXT
        for path, _ in self.files:
            check_can_write(path)

    def deliver(self, outcome: Outcome) -> None:
        """Write and print every report, then end with the outcome's exit code.

        Raises:
            typer.Exit: always, unless the exit code is 0.
        """
        for path, form in self.files:
            write_file(path, render(form, outcome))
        if self.stdout is Format.TEXT:
            from samebeat_cli.reports.text import show

            show(outcome, console())
        else:
            typer.echo(render(self.stdout, outcome), nl=False)
        if outcome.report.exit_code:
            raise typer.Exit(int(outcome.report.exit_code))
