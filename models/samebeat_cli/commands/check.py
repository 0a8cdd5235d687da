"""``samebeat check``: explore models and hold what is found against what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.commands.deliver import Delivery, FormatOption, OutputOption
from samebeat_cli.commands.options import (
    Jobs,
    MaxMemory,
    MaxSeconds,
    MaxStates,
    OnDisk,
    Resume,
    ShowTraces,
    TracesFolder,
    UpToTier,
)
from samebeat_cli.errors import CommandError, Interrupted
from samebeat_cli.exploring import Wanted, explore, how_to_go_on
from samebeat_cli.output import file_name, make_folder, write_file
from samebeat_cli.processes import how_many
from samebeat_cli.reports import Outcome, count_of
from samebeat_cli.selection import Selected, select_models
from samebeat_models.progress import Budget, machine_memory_mb
from samebeat_models.results import Report, Row, Verdict
from samebeat_models.side_by_side import NothingBesideError, SideBySide, arrange

if TYPE_CHECKING:
    from samebeat_models.explorer.checkpoint import Checkpoints


def check(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL|FILE]...",
            help="Models by name or pattern (group-*), or a file of yours with a spec and MODELS "
            "(my_protocol.py, my_protocol.py::small*). Nothing: the whole catalog.",
            show_default=False,
        ),
    ] = None,
    tier: UpToTier = None,
    formats: FormatOption = None,
    outputs: OutputOption = None,
    out_itf: TracesFolder = None,
    traces: ShowTraces = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="CONSTANT",
            help="Show models side by side that differ in this constant only: its values are the "
            "columns (text and JSON).",
        ),
    ] = None,
    figures: Annotated[
        bool,
        typer.Option(
            "--figures",
            help="Measure too: for how long members differ, how late a crash is noticed, what a "
            "change takes; the least and the most over all runs (text, JSON, Markdown).",
        ),
    ] = False,
    max_states: MaxStates = None,
    max_seconds: MaxSeconds = None,
    max_memory_mb: MaxMemory = None,
    on_disk: OnDisk = None,
    resume: Resume = False,
    jobs: Jobs = None,
) -> None:
    """Explore models exhaustively and report every property's verdict.

    Example: samebeat check --format junit --output junit.xml
    """
    delivery = Delivery(formats, outputs)
    if out_itf is not None:
        make_folder(out_itf)
    selection = select_models(models or (), tier)
    beside = None if by is None else _side_by_side(selection, by)
    kept = _folders(selection, on_disk, resume)
    if kept and jobs not in (None, 1):
        raise CommandError("--on-disk explores one model after the other; leave out --jobs")
    memory_mb = max_memory_mb or 0.8 * machine_memory_mb()
    budget = Budget(states=max_states, seconds=max_seconds, memory_mb=memory_mb)
    processes = 1 if kept else how_many(jobs, len(selection))
    outcome = _run(selection, Wanted(budget, figures, traces), out_itf, kept, processes)
    delivery.deliver(replace(outcome, all_traces=traces, beside=beside))


def _side_by_side(selection: Sequence[Selected], by: str) -> SideBySide:
    """Return how the models stand side by side, before any of them runs."""
    try:
        return arrange([(s.model, s.spec) for s in selection], by)
    except NothingBesideError as error:
        raise CommandError(f"--by: {error}") from None


def _folders(
    selection: Sequence[Selected], on_disk: Path | None, resume: bool
) -> dict[str, Checkpoints]:
    """Return the folder of each model; hours of work are neither overwritten nor mislaid."""
    if on_disk is None:
        if resume:
            raise CommandError("--resume needs --on-disk DIR, with the checkpoints to go on from")
        return {}
    from samebeat_models.explorer.checkpoint import Checkpoints

    make_folder(on_disk)
    found = {s.name: Checkpoints(on_disk / file_name(s.name), resume=resume) for s in selection}
    there = [kept for kept in found.values() if kept.exists]
    if resume and not there:
        raise CommandError(f"{on_disk}: there is no checkpoint to go on from; leave out --resume")
    if there and not resume:
        raise CommandError(
            f"{there[0].folder}: there is a checkpoint; add --resume to go on from it, or remove it"
        )
    return found


def _run(
    selection: Sequence[Selected],
    wanted: Wanted,
    out_itf: Path | None,
    folders: Mapping[str, Checkpoints],
    jobs: int,
) -> Outcome:
    """Check every model, in one process or in several; the report is the same."""
    from samebeat_cli.progress import Progress

    begin = perf_counter()
    files: dict[tuple[str, str], str] = {}
    progress = Progress(len(selection))
    try:
        with progress:
            explored = []
            for selected, found in explore(selection, wanted, folders, jobs, progress):
                explored.append(found)
                if out_itf is not None:
                    files.update(write_traces(selected, found.rows, out_itf))
    except KeyboardInterrupt:
        kept = folders.get(progress.current)
        raise Interrupted(progress.how_far() + how_to_go_on(kept)) from None
    rows = tuple(row for found in explored for row in found.rows)
    report = Report(rows, "; ".join(found.short for found in explored if found.short))
    models = {s.name: s for s in selection}
    figures = tuple(m for found in explored for m in found.measured) if wanted.figures else None
    return Outcome(report, models, perf_counter() - begin, files, figures=figures)


def write_traces(
    selected: Selected, rows: Sequence[Row], folder: Path
) -> dict[tuple[str, str], str]:
    """Write the trace of each violated property; return the files by model and property."""
    from samebeat_models import itf

    files: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.trace is None or row.verdict is not Verdict.VIOLATED:
            continue
        path = folder / (file_name(row.model, row.property) + itf.SUFFIX)
        steps = count_of(len(row.trace.steps), "step")
        described = f"{row.model}: {row.property} is {row.verdict} after {steps}"
        if row.trace.loop is not None:
            described += ", in a run that goes on for ever"
        text = itf.dumps(row.trace, selected.model, selected.spec, described, shows=row.property)
        write_file(path, text)
        files[row.model, row.property] = str(path)
    return files
