"""``samebeat check``: explore models and hold what is found against what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.commands.deliver import Delivery, FormatOption, OutputOption
from samebeat_cli.errors import CommandError, Interrupted
from samebeat_cli.output import file_name, make_folder, path_option, write_file
from samebeat_cli.reports import Outcome, count_of
from samebeat_cli.selection import Selected, select_models
from samebeat_models.catalog import Tier
from samebeat_models.progress import Budget, machine_memory_mb
from samebeat_models.results import Exploration, Report, Row, Verdict
from samebeat_models.side_by_side import NothingBesideError, SideBySide, arrange

if TYPE_CHECKING:
    from samebeat_models.explorer.checkpoint import Checkpoints
    from samebeat_models.figures import Measured


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
    tier: Annotated[
        Tier | None,
        typer.Option(help="Take models up to this tier. Default: fast; any for a model by name."),
    ] = None,
    formats: FormatOption = None,
    outputs: OutputOption = None,
    out_itf: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=path_option,
            help="Write the trace of every violation here, as ITF.",
        ),
    ] = None,
    traces: Annotated[
        bool, typer.Option("--traces", help="Print the traces of expected violations too.")
    ] = False,
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
    memory_mb = max_memory_mb or 0.8 * machine_memory_mb()
    budget = Budget(states=max_states, seconds=max_seconds, memory_mb=memory_mb)
    outcome = _run(selection, budget, out_itf, Measuring(traces) if figures else None, kept)
    delivery.deliver(replace(outcome, all_traces=traces, beside=beside))


@dataclass
class Measuring:
    """What is measured of the models on the way; with ``traces``, runs that show it."""

    traces: bool
    found: list[Measured] = field(default_factory=list)

    def look(
        self, selected: Selected, exploration: Exploration, rows: tuple[Row, ...], budget: Budget
    ) -> tuple[Row, ...]:
        """Measure one model; return its rows, with what is wrong with figures that it pins."""
        from samebeat_models.figures import MOST_STATES, figures_of_model, held_against_pins

        model, limit = selected.model, min(budget.states or MOST_STATES, MOST_STATES)
        own = figures_of_model(
            model, selected.spec, exploration, rows, limit=limit, traces=self.traces
        )
        self.found += own
        return held_against_pins(model, rows, own)


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
    budget: Budget,
    out_itf: Path | None,
    measuring: Measuring | None,
    folders: Mapping[str, Checkpoints],
) -> Outcome:
    """Check every model in turn; traces are written as they are found."""
    from samebeat_cli.progress import Progress
    from samebeat_models.check import check_model

    begin = perf_counter()
    rows: list[Row] = []
    reasons: list[str] = []
    files: dict[tuple[str, str], str] = {}
    progress = Progress(len(selection))
    try:
        with progress:
            for selected in selection:
                progress.start(selected.name)
                kept = folders.get(selected.name)
                exploration, found = check_model(
                    selected.model, selected.spec, budget, progress, kept
                )
                if measuring is not None:
                    found = measuring.look(selected, exploration, found, budget)
                rows += found
                if _falls_short(selected, exploration, found):
                    why = f"{selected.name}: {exploration.incomplete_reason}"
                    reasons.append(why + _how_to_go_on(kept))
                if out_itf is not None:
                    files.update(write_traces(selected, found, out_itf))
                progress.finish()
    except KeyboardInterrupt:
        kept = folders.get(progress.current)
        raise Interrupted(progress.how_far() + _how_to_go_on(kept)) from None
    report = Report(tuple(rows), "; ".join(reasons))
    models = {s.name: s for s in selection}
    figures = None if measuring is None else tuple(measuring.found)
    return Outcome(report, models, perf_counter() - begin, files, figures=figures)


def _how_to_go_on(kept: Checkpoints | None) -> str:
    if kept is None or kept.depth is None:
        return ""
    return f"; --resume goes on from depth {kept.depth}"


def _falls_short(selected: Selected, exploration: Exploration, rows: Sequence[Row]) -> bool:
    """Return whether a search ended before it had to; a control's ends when it is caught."""
    undecided = any(row.verdict is Verdict.UNDETERMINED for row in rows)
    return not exploration.exhaustive and (undecided or not selected.model.is_control)


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
