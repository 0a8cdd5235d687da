"""``samebeat conform``: the production core against the spec, step by step, on small clusters.

Its message layer is held against the spec `link` in the same way, on single channels; two cores
in time against `heartbeat` and `timed_cluster`; and changes of a single pair against `pair`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from fnmatch import filter as fitting
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.commands.options import Jobs
from samebeat_cli.errors import CommandError, Interrupted
from samebeat_cli.output import (
    WIDE,
    check_can_write,
    console,
    emit,
    file_name,
    make_folder,
    path_option,
    write_file,
)
from samebeat_cli.processes import how_many

if TYPE_CHECKING:
    from samebeat_cli.progress import Progress
    from samebeat_conformance.indicator.instances import Listed as Indicator
    from samebeat_conformance.instances import Listed as Cluster
    from samebeat_conformance.layer.instances import Listed as Channel
    from samebeat_conformance.run import Outcome
    from samebeat_conformance.timed.instances import Listed as Timed

    Instance = Cluster | Channel | Timed | Indicator

_SHOW_EVERY = 1_000
"""The line that says how far it is moves on after so many product states."""


class ConformFormat(StrEnum):
    """The formats of a report on conformance."""

    TEXT = "text"
    JSON = "json"


def conform(
    instances: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INSTANCE]...",
            help="Clusters, channels and pairs by name, also with * and ?. Nothing: all.",
            show_default=False,
        ),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Only those that take seconds.")] = False,
    max_pairs: Annotated[
        int, typer.Option(min=1, help="Product states of each at most; more: undetermined.")
    ] = 2_000_000,
    out_itf: Annotated[
        Path | None,
        typer.Option(
            "--out-itf",
            metavar="DIR",
            parser=path_option,
            help="Write the shortest run to each divergence here, with both sides, as ITF.",
        ),
    ] = None,
    form: Annotated[
        ConformFormat, typer.Option("--format", help="How to print.")
    ] = ConformFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_option, help="Write the report to this file."),
    ] = None,
    jobs: Jobs = None,
) -> None:
    """Hold the production core against its specs, step by step: clusters, channels, and in time.

    Each input that is possible is given to each core in each state, through the real codec: what it
    does must be steps of the spec, or nothing that the spec knows of; and each step of the spec
    must be taken by some core. Exit 12 if not, 3 if not all was explored.

    Example: samebeat conform 2x1 3x1
    """
    from samebeat_cli.reports.conformance import exit_code

    if output is not None:
        check_can_write(output)
    if out_itf is not None:
        make_folder(out_itf)
    chosen = _select(instances or (), fast)
    outcomes = _run(chosen, max_pairs, how_many(jobs, len(chosen)))
    _deliver(outcomes, form, output)
    for outcome in outcomes:
        if out_itf is not None and outcome.itf:
            path = out_itf / (file_name(outcome.listed.name, "divergence") + ".itf.json")
            write_file(path, outcome.itf)
    if code := exit_code(outcomes):
        raise typer.Exit(int(code))


def _select(names: Sequence[str], fast: bool) -> list[Instance]:
    from samebeat_conformance.indicator.instances import LISTED as INDICATORS
    from samebeat_conformance.instances import LISTED as CLUSTERS
    from samebeat_conformance.layer.instances import LISTED as CHANNELS
    from samebeat_conformance.timed.instances import LISTED as TIMED

    listed_all: tuple[Instance, ...] = (*CLUSTERS, *CHANNELS, *TIMED, *INDICATORS)
    known = {listed.name: listed for listed in listed_all}
    fits = {name: fitting(known, name) for name in names or known}
    for name, found in fits.items():
        if not found:
            raise CommandError(f"there is no instance {name!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in dict.fromkeys(chain.from_iterable(fits.values()))]
    if fast and not any(listed.fast for listed in chosen):
        raise CommandError("none of these instances takes seconds; leave --fast out")
    return [listed for listed in chosen if listed.fast or not fast]


def _run(chosen: Sequence[Instance], max_pairs: int, jobs: int) -> list[Outcome]:
    from samebeat_cli.progress import Progress

    progress = Progress(len(chosen), "instances")
    try:
        with progress:
            if jobs > 1:
                return _run_in_processes(chosen, max_pairs, jobs, progress)
            return [_run_one(listed, max_pairs, progress) for listed in chosen]
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None


def _run_in_processes(
    chosen: Sequence[Instance], max_pairs: int, jobs: int, progress: Progress
) -> list[Outcome]:
    from samebeat_cli.processes import work

    names = [listed.name for listed in chosen]
    long_first = sorted(range(len(chosen)), key=lambda i: chosen[i].fast)
    tasks = [(name, max_pairs) for name in names]
    outcomes = work(_run_named, tasks, names, jobs, progress, long_first)
    return [replace(o, listed=listed) for o, listed in zip(outcomes, chosen, strict=True)]


def _run_named(task: tuple[str, int], tell: Callable[[str], None]) -> Outcome:
    """Do one instance in a process of its own; the instance itself is not handed over."""
    name, max_pairs = task
    (listed,) = _select([name], fast=False)
    outcome = _conform(listed, max_pairs, tell)
    return replace(outcome, listed=None)  # type: ignore[arg-type]  # put in again above


def _run_one(listed: Instance, max_pairs: int, progress: Progress) -> Outcome:
    progress.start(listed.name)
    outcome = _conform(listed, max_pairs, progress.start)
    progress.finish()
    return outcome


def _conform(listed: Instance, max_pairs: int, say: Callable[[str], None]) -> Outcome:
    from samebeat_conformance.indicator.instances import Listed as Indicator
    from samebeat_conformance.indicator.run import conform as conform_indicator
    from samebeat_conformance.layer.instances import Listed as Channel
    from samebeat_conformance.layer.run import conform as conform_channel
    from samebeat_conformance.run import conform as conform_cluster
    from samebeat_conformance.timed.instances import Listed as Timed
    from samebeat_conformance.timed.run import conform as conform_timed

    def watch(pairs: int, checks: int) -> None:
        if pairs % _SHOW_EVERY == 0:
            say(f"{listed.name}: {pairs:,} product states, {checks:,} inputs checked")

    if isinstance(listed, Channel):
        return conform_channel(listed, max_pairs, watch)
    if isinstance(listed, Timed):
        return conform_timed(listed, max_pairs, watch)
    if isinstance(listed, Indicator):
        return conform_indicator(listed, max_pairs, watch)
    return conform_cluster(listed, max_pairs, watch)


def _deliver(outcomes: Sequence[Outcome], form: ConformFormat, output: Path | None) -> None:
    from samebeat_cli.reports.conformance import data, show

    if form is ConformFormat.JSON:
        emit(json.dumps(data(outcomes), indent=2, ensure_ascii=False) + "\n", output)
    elif output is None:
        show(outcomes, console())
    else:
        from rich.console import Console

        buffer = StringIO()
        show(
            outcomes,
            Console(file=buffer, width=WIDE, highlight=False, markup=False, emoji=False),
        )
        write_file(output, buffer.getvalue())
