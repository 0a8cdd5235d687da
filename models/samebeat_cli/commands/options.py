"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samebeat_cli.output import path_option
from samebeat_models.catalog import Tier

UpToTier = Annotated[
    Tier | None,
    typer.Option(help="Take models up to this tier. Default: fast; any for a model by name."),
]
TracesFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=path_option,
        help="Write the trace of every violation here, as ITF.",
    ),
]
ShowTraces = Annotated[
    bool, typer.Option("--traces", help="Print the traces of expected violations too.")
]
MaxStates = Annotated[
    int | None, typer.Option(min=1, help="Stop a model after this many states: undetermined.")
]
MaxSeconds = Annotated[
    float | None, typer.Option(min=0, help="Stop a model after this time: undetermined.")
]
MaxMemory = Annotated[
    float | None,
    typer.Option(
        min=1,
        help="Stop a model when the process holds so much: undetermined. Default: four fifths "
        "of the machine's memory.",
        show_default=False,
    ),
]
OnDisk = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=path_option,
        help="Keep the states here, in files, not in memory. What ends before its time leaves a "
        "checkpoint. (Refinements, promises about infinite runs and figures stay in memory.)",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on from the checkpoints in --on-disk; models without one begin anew."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="So many processes at once. Default: as many as there are cores, if there are ten "
        "models or instances for each.",
        show_default=False,
    ),
]
