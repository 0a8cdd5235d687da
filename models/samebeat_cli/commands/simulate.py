"""``samebeat simulate``: random walks through models too large to explore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from samebeat_cli.commands.check import MaxMemory, write_traces
from samebeat_cli.commands.deliver import Delivery, FormatOption, OutputOption
from samebeat_cli.errors import Interrupted
from samebeat_cli.output import make_folder, path_option
from samebeat_cli.reports import Outcome
from samebeat_cli.selection import Selected, select_models
from samebeat_models.catalog import Tier
from samebeat_models.progress import Budget, machine_memory_mb
from samebeat_models.results import Report, Row, Verdict
from samebeat_models.simulation.results import DEPTH, SEED, WALKS, Options, Simulation

DEEPEST = 10_000
NOT_EXHAUSTIVE = "random walks show what is violated, never that something holds"


def simulate(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL|FILE]...",
            help="Models, as for check. Nothing: the whole catalog.",
            show_default=False,
        ),
    ] = None,
    tier: Annotated[
        Tier | None,
        typer.Option(help="Take models up to this tier. Default: fast; any for a model by name."),
    ] = None,
    walks: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Walks through each model. Default: {WALKS:,}; with --max-seconds no limit.",
            show_default=False,
        ),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=1, max=DEEPEST, help="The most steps of a walk.")
    ] = DEPTH,
    seed: Annotated[
        int, typer.Option(min=0, help="Another seed, other walks; the same seed, the same walks.")
    ] = SEED,
    max_seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Stop a model after this time. Then the seed does not say all."),
    ] = None,
    max_memory_mb: MaxMemory = None,
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
) -> None:
    """Walk through models at random: a violation is found, or all is undetermined (exit code 3).

    Example: samebeat simulate composed-3-all-clocked --max-seconds 60
    """
    delivery = Delivery(formats, outputs)
    if out_itf is not None:
        make_folder(out_itf)
    selection = select_models(models or (), tier)
    memory_mb = max_memory_mb or 0.8 * machine_memory_mb()
    options = Options(
        walks=WALKS if walks is None and max_seconds is None else walks,
        depth=depth,
        seed=seed,
        budget=Budget(seconds=max_seconds, memory_mb=memory_mb),
    )
    delivery.deliver(replace(_run(selection, options, out_itf), all_traces=traces))


def _run(selection: Sequence[Selected], options: Options, out_itf: Path | None) -> Outcome:
    """Walk through every model in turn; traces are written as they are found."""
    from samebeat_cli.progress import Progress
    from samebeat_models.simulation.verdicts import simulate_model

    begin = perf_counter()
    rows: list[Row] = []
    simulations: list[Simulation] = []
    files: dict[tuple[str, str], str] = {}
    progress = Progress(len(selection))
    try:
        with progress:
            for selected in selection:
                progress.start(selected.name)
                found, own = simulate_model(selected.model, selected.spec, options, progress)
                simulations += [] if found is None else [found]
                rows += own
                if out_itf is not None:
                    files.update(write_traces(selected, own, out_itf))
                progress.finish()
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None
    undecided = any(row.verdict is Verdict.UNDETERMINED for row in rows)
    return Outcome(
        Report(tuple(rows), NOT_EXHAUSTIVE if undecided else ""),
        {s.name: s for s in selection},
        perf_counter() - begin,
        files,
        simulations=tuple(simulations),
    )
