"""``samebeat prove --bmc DEPTH``: a bounded search by a SAT solver, on models of the catalog."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from time import perf_counter

from samebeat_cli.bounded import search_model
from samebeat_cli.commands.check import write_traces
from samebeat_cli.errors import CommandError, Interrupted
from samebeat_cli.output import WIDE, console, emit, make_folder, write_file
from samebeat_cli.progress import Progress
from samebeat_cli.reports import Outcome
from samebeat_cli.reports.bounded import NOT_A_PROOF, data, show
from samebeat_cli.selection import Selected, catalog, select_models
from samebeat_models.catalog import Tier
from samebeat_models.results import Exit, Report, Row, Verdict
from samebeat_proofs.bounded import RLIMIT, Searched
from samebeat_proofs.facts import ProofError
from samebeat_proofs.solver import Budget
from samebeat_spec.specs import SPEC_NAMES


def search_models(
    names: Sequence[str],
    depth: int,
    *,
    parallel: bool,
    rlimit: int | None,
    seed: int,
    out_itf: Path | None,
    output: Path | None,
    as_json: bool,
) -> Exit:
    """Search models to a depth, deliver the report, and return the exit code.

    Raises:
        CommandError: no model is named, or a name fits none.
    """
    if not names:
        raise CommandError("--bmc needs models by name, or a spec whose models are meant")
    if out_itf is not None:
        make_folder(out_itf)
    selection = _selected(names)
    budget = Budget(rlimit or RLIMIT, seed)
    outcome, searches = _run(selection, depth, parallel, budget, out_itf)
    if as_json:
        emit(json.dumps(data(outcome, searches), indent=2, ensure_ascii=False) + "\n", output)
    elif output is None:
        show(outcome, searches, console())
    else:
        from rich.console import Console

        buffer = StringIO()
        plain = Console(file=buffer, width=WIDE, highlight=False, markup=False, emoji=False)
        show(outcome, searches, plain)
        write_file(output, buffer.getvalue())
    return outcome.report.exit_code


def _selected(names: Sequence[str]) -> tuple[Selected, ...]:
    """Return the models that names mean; the name of a spec means its models of tier fast."""
    models = {s.name for s in catalog()}
    found: list[str] = []
    for name in names:
        if name in SPEC_NAMES and name not in models:
            own = (s for s in catalog() if s.model.spec == name and s.model.tier is Tier.FAST)
            found += (s.name for s in own)
        else:
            found.append(name)
    return select_models(found)


def _run(
    selection: Sequence[Selected],
    depth: int,
    parallel: bool,
    budget: Budget,
    out_itf: Path | None,
) -> tuple[Outcome, list[Searched]]:
    begin = perf_counter()
    rows: list[Row] = []
    searches: list[Searched] = []
    files: dict[tuple[str, str], str] = {}
    progress = Progress(len(selection))
    try:
        with progress:
            for selected in selection:
                progress.start(selected.name)
                found, own = _search_one(selected, depth, parallel, budget)
                searches.append(found)
                rows += own
                if out_itf is not None:
                    files.update(write_traces(selected, own, out_itf))
                progress.finish()
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None
    open_ = any(row.verdict is Verdict.UNDETERMINED for row in rows)
    report = Report(tuple(rows), NOT_A_PROOF if open_ else "")
    models = {s.name: s for s in selection}
    return Outcome(report, models, perf_counter() - begin, files), searches


def _search_one(
    selected: Selected, depth: int, parallel: bool, budget: Budget
) -> tuple[Searched, tuple[Row, ...]]:
    try:
        return search_model(selected, depth, parallel, budget)
    except ProofError as error:
        raise CommandError(f"{selected.name} cannot be searched by a solver: {error}") from None
