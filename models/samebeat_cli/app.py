"""The ``samebeat`` command: its subcommands, and what each way to end becomes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from samebeat_cli.commands.advise import advise
from samebeat_cli.commands.assurance import assurance
from samebeat_cli.commands.catalog import list_models, show
from samebeat_cli.commands.check import check
from samebeat_cli.commands.claims import claims
from samebeat_cli.commands.conform import conform
from samebeat_cli.commands.export import export
from samebeat_cli.commands.figures import figures
from samebeat_cli.commands.graph import graph
from samebeat_cli.commands.prove import prove
from samebeat_cli.commands.replay import replay
from samebeat_cli.commands.simulate import simulate
from samebeat_cli.errors import INTERRUPTED, CommandError, Interrupted
from samebeat_cli.output import OutputClosed, guarded_stdout
from samebeat_models.results import Exit

DEBUG = "SAMEBEAT_DEBUG"
"""Environment variable that asks for tracebacks."""

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(check)
app.command()(simulate)
app.command()(figures)
app.command("list")(list_models)
app.command()(show)
app.command()(replay)
app.command()(graph)
app.command()(export)
app.command()(claims)
app.command()(assurance)
app.command()(advise)
app.command()(prove)
app.command()(conform)


@app.callback(invoke_without_command=True)
def samebeat(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """Explore, replay, prove and export protocol specs.

    Exit codes: 0 all as expected; 10 not as pinned, or a replay refused; 11 deadlock; 12 safety, an
    unsafe wish, an obligation of a proof that is not met, or a core that does not conform; 13
    liveness; 3 undetermined (a budget ran out, or walks or a bounded search found nothing); 2
    usage; 150 spec error; 151 bad model, trace file or checkpoint; 130 interrupted; 255 internal
    error.
    """
    if version:
        from samebeat_models.version import samebeat_version

        typer.echo(f"samebeat {samebeat_version()}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.USAGE)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; nothing a user can cause gives a traceback."""
    try:
        with guarded_stdout():
            return _invoke(arguments)
    except OutputClosed:
        return int(Exit.USAGE)  # nobody is left to tell
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _say(*explain(error))


def _invoke(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("samebeat", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return int(Exit.OK)


def explain(error: Exception) -> tuple[str, int]:
    """Return one line for the user and the exit code for an exception."""
    from samebeat_models.catalog import CatalogError
    from samebeat_models.errors import CheckpointError, DiskError
    from samebeat_models.itf import TraceFileError
    from samebeat_proofs.facts import ProofError
    from samebeat_spec.language import InstanceError, SpecError, StateError

    match error:
        case Interrupted():
            return f"interrupted: {error}", INTERRUPTED
        case CommandError():
            return str(error), error.exit_code
        case typer.TyperException():
            return f"{error.format_message()} (samebeat --help)", Exit.USAGE
        case SpecError() | StateError():
            return f"spec error: {error}", Exit.SPEC_ERROR
        case ProofError():
            return f"bad proof: {error}", Exit.SPEC_ERROR
        case CatalogError() | InstanceError():
            return f"bad model: {error}", Exit.BAD_FILE
        case CheckpointError():
            return f"bad checkpoint: {error}", Exit.BAD_FILE
        case DiskError():
            return str(error), Exit.USAGE
        case TraceFileError():
            return f"bad trace: {error}", Exit.BAD_FILE
        case MemoryError():
            return "out of memory; --max-memory-mb ends a check in time", Exit.UNDETERMINED
    kind = type(error).__name__
    return f"internal error: {kind}: {error} ({DEBUG}=1 shows where)", Exit.INTERNAL


def _say(message: str, exit_code: int) -> int:
    with suppress(OSError):  # stderr may be as full as stdout
        typer.echo(f"samebeat: {' '.join(message.split())}", err=True)
    return int(exit_code)
