"""``samebeat export``: a model in the language of another checker."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samebeat_cli.output import make_folder, path_option, write_file
from samebeat_cli.selection import select_one


class Target(StrEnum):
    """The languages that models are exported to."""

    TLA = "tla"
    MURPHI = "murphi"
    PROMELA = "promela"


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL|FILE", help="One model.")],
    to: Annotated[Target, typer.Option("--to", help="The language.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=path_option,
            help="Write the files into this folder; without it, print them.",
        ),
    ] = None,
) -> None:
    """Write a model for TLC and Apalache (tla), Rumur (murphi) or Spin (promela).

    For TLC, what the model promises of infinite runs is written too.
    """
    from samebeat_models import exports

    selected = select_one(model)
    if out is not None:
        make_folder(out)
    promises = selected.model.live if to is Target.TLA else ()
    files = exports.export(selected.instance(), to.value, promises=promises)
    for name, text in files.items():
        if out is None:
            typer.echo(text, nl=not text.endswith("\n"))
        else:
            write_file(out / name, text)
            typer.echo(str(out / name))
