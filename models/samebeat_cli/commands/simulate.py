"""``samebeat simulate``: random walks through models too large to explore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from samebeat_cli.commands.check import write_traces
from samebeat_cli.commands.deliver import Delivery, FormatOption, OutputOption
from samebeat_cli.commands.options import MaxMemory, ShowTraces, TracesFolder, UpToTier
from samebeat_cli.errors import CommandError, Interrupted
from samebeat_cli.output import make_folder, write_file
from samebeat_cli.reports import Format, Outcome
from samebeat_cli.selection import Selected, select_models
from samebeat_conformance.simulator.limits import LEAST_NODES, MOST_NODES, RUNS
from samebeat_models.catalog import Tier
from samebeat_models.itf import SUFFIX
from samebeat_models.progress import Budget, machine_memory_mb
from samebeat_models.results import Report, Row, Verdict
from samebeat_models.simulation.results import DEPTH, SEED, WALKS, Options, Simulation

DEEPEST = 10_000
NOT_EXHAUSTIVE = "random walks show what is violated, never that something holds"


Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODEL|FILE]...",
        help="Models, as for check. Nothing: the whole catalog.",
        show_default=False,
    ),
]
Walks = Annotated[
    int | None,
    typer.Option(
        min=1,
        help=f"Walks through each model. Default: {WALKS:,}; with --max-seconds no limit.",
        show_default=False,
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(min=0, help="Stop a model after this time. Then the seed does not say all."),
]
Impl = Annotated[
    bool,
    typer.Option(
        "--impl",
        help="Not a model: clusters of the production core in virtual time, with faults. "
        f"--walks is how many runs, {RUNS} by default.",
    ),
]
Nodes = Annotated[
    int | None,
    typer.Option(
        min=LEAST_NODES,
        max=MOST_NODES,
        help="With --impl: how many nodes. Nothing: 3 to 9 in turn.",
        show_default=False,
    ),
]


def simulate(
    models: Models = None,
    tier: UpToTier = None,
    walks: Walks = None,
    depth: Annotated[
        int, typer.Option(min=1, max=DEEPEST, help="The most steps of a walk.")
    ] = DEPTH,
    seed: Annotated[
        int, typer.Option(min=0, help="Another seed, other walks; the same seed, the same walks.")
    ] = SEED,
    max_seconds: MaxSeconds = None,
    max_memory_mb: MaxMemory = None,
    formats: FormatOption = None,
    outputs: OutputOption = None,
    out_itf: TracesFolder = None,
    traces: ShowTraces = False,
    impl: Impl = False,
    nodes: Nodes = None,
) -> None:
    """Walk through models at random: a violation is found, or all is undetermined (exit code 3).

    With --impl, runs of the production core: 12 or 13 if a promise is broken, 3 if none is, or if
    a kind of fault has not happened.

    Examples: samebeat simulate composed-3-all-clocked --max-seconds 60;
    samebeat simulate --impl --walks 200
    """
    delivery = Delivery(formats, outputs)
    _check_options(impl, models, tier, depth, nodes, formats)
    if out_itf is not None:
        make_folder(out_itf)
    if impl:
        runs = RUNS if walks is None and max_seconds is None else walks
        delivery.deliver(_run_cores(seed, runs, nodes, max_seconds, out_itf))
        return
    selection = select_models(models or (), tier)
    memory_mb = max_memory_mb or 0.8 * machine_memory_mb()
    options = Options(
        walks=WALKS if walks is None and max_seconds is None else walks,
        depth=depth,
        seed=seed,
        budget=Budget(seconds=max_seconds, memory_mb=memory_mb),
    )
    delivery.deliver(replace(_run(selection, options, out_itf), all_traces=traces))


def _check_options(
    impl: bool,
    models: Sequence[str] | None,
    tier: Tier | None,
    depth: int,
    nodes: int | None,
    formats: Sequence[Format] | None,
) -> None:
    """Refuse what makes no sense together."""
    if not impl and nodes is not None:
        raise CommandError("--nodes needs --impl; the sizes of a model are in the catalog")
    if impl and (models or tier is not None or depth != DEPTH):
        raise CommandError("--impl runs the production core: it takes no model, tier or depth")
    if impl and {Format.SARIF, Format.GITHUB} & set(formats or ()):
        raise CommandError("--format sarif and github point at lines of a spec; --impl has none")


def _run_cores(
    seed: int,
    runs: int | None,
    nodes: int | None,
    seconds: float | None,
    out_itf: Path | None,
) -> Outcome:
    """Run clusters of cores; a run that breaks a promise is shrunk, and written if asked for."""
    from samebeat_cli.progress import Progress
    from samebeat_cli.reports import campaigns
    from samebeat_conformance.simulator.campaign import Wanted, campaign
    from samebeat_conformance.simulator.trace import dumps

    begin = perf_counter()
    progress = Progress(1)
    try:
        with progress:
            progress.start(campaigns.MODEL)
            found = campaign(Wanted(seed, runs, nodes, seconds))
            progress.finish()
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None
    files: dict[tuple[str, str], str] = {}
    if found.shrunk is not None and out_itf is not None:
        promise = found.shrunk.result.promise
        path = out_itf / f"{campaigns.MODEL}.{promise}{SUFFIX}"
        write_file(path, dumps(found.shrunk.result))
        files[campaigns.MODEL, promise] = str(path)
    report = Report(campaigns.rows(found), campaigns.why_undetermined(found))
    return Outcome(report, {}, perf_counter() - begin, files, campaign=found)


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
