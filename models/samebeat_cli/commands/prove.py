"""``samebeat prove``: what holds for every number of nodes, and what that rests on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from io import StringIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

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
from samebeat_models.progress import Budget

if TYPE_CHECKING:
    from samebeat_cli.progress import Progress
    from samebeat_cli.reports.proofs import Proved
    from samebeat_proofs.engine import Engine
    from samebeat_proofs.facts import Proof
    from samebeat_proofs.obligations import Obligation
    from samebeat_proofs.solver import Budget as SolverBudget


SEARCH = Budget(states=200_000, seconds=10)
"""How far a run is looked for that breaks the fact of a counterexample."""


class ProveFormat(StrEnum):
    """The formats of a proof's report."""

    TEXT = "text"
    JSON = "json"


def prove(
    specs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC]...",
            help="Specs by name. Nothing: all that have a proof.",
            show_default=False,
        ),
    ] = None,
    obligations: Annotated[
        bool, typer.Option("--obligations", help="List every obligation with what it uses (text).")
    ] = False,
    rlimit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="What an obligation may cost, in the solver's unit of work; above: undetermined.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the solver's random choices.")] = 0,
    smt2: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=path_option,
            help="Write every obligation here as SMT-LIB, for another solver.",
        ),
    ] = None,
    form: Annotated[ProveFormat, typer.Option("--format", help="How to print.")] = ProveFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_option, help="Write the report to this file."),
    ] = None,
) -> None:
    """Prove properties by induction, for every number of nodes; exit 12 if a step is not met.

    An obligation that is not met has a state and a step that break a fact. If a run from the start
    breaks it too, that is a defect; if none does, a fact is missing. What exceeds the budget is
    undetermined: exit 3.

    Example: samebeat prove group --obligations
    """
    from samebeat_cli.reports.proofs import exit_code
    from samebeat_proofs.solver import RLIMIT
    from samebeat_proofs.solver import Budget as SolverBudget

    if output is not None:
        check_can_write(output)
    if smt2 is not None:
        make_folder(smt2)
    proofs = _select(specs or ())
    proved = _run(proofs, SolverBudget(rlimit or RLIMIT, seed), smt2)
    _deliver(proved, form, output, obligations)
    if code := exit_code(proved):
        raise typer.Exit(int(code))


def _deliver(
    proved: list[Proved], form: ProveFormat, output: Path | None, obligations: bool
) -> None:
    """Print the report, or write it to a file."""
    from samebeat_cli.reports.proofs import data, show

    if form is ProveFormat.JSON:
        emit(json.dumps(data(proved), indent=2, ensure_ascii=False) + "\n", output)
    elif output is None:
        show(proved, console(), obligations)
    else:
        from rich.console import Console

        buffer = StringIO()
        plain = Console(file=buffer, width=WIDE, highlight=False, markup=False, emoji=False)
        show(proved, plain, obligations)
        write_file(output, buffer.getvalue())


def _select(names: Sequence[str]) -> list[Proof]:
    from samebeat_proofs.proofs import PROOFS, load_proof

    for name in names:
        if name not in PROOFS:
            raise CommandError(f"there is no proof of {name!r}; there are: {', '.join(PROOFS)}")
    return [load_proof(name) for name in dict.fromkeys(names or PROOFS)]


def _run(proofs: Sequence[Proof], budget: SolverBudget, smt2: Path | None) -> list[Proved]:
    """Discharge the obligations of every proof in turn."""
    from samebeat_cli.progress import Progress
    from samebeat_proofs.engine import Engine

    engines = [Engine(proof, budget) for proof in proofs]
    progress = Progress(sum(len(engine.obligations) for engine in engines), "obligations")
    try:
        with progress:
            return [_run_one(engine, progress, smt2) for engine in engines]
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None


def _run_one(engine: Engine, progress: Progress, smt2: Path | None) -> Proved:
    """Discharge the obligations of one proof, and look for a counterexample to what is not met."""
    from samebeat_cli.reports.proofs import Proved
    from samebeat_models.broken import look_for
    from samebeat_proofs.engine import Answer
    from samebeat_proofs.facts import Role
    from samebeat_proofs.obligations import ONE_VALUE

    begin, name = perf_counter(), engine.proof.shows or engine.proof.spec.name

    def tell(obligation: Obligation) -> None:
        if progress.current:
            progress.finish()
        progress.start(f"{name}: {obligation.name}")

    if smt2 is not None:
        _write(engine, smt2)
    run = engine.run(tell)
    progress.finish()
    failed = (d.obligation for d in run.discharged if d.answer is Answer.FAILED)
    counterexamples = {o.name: engine.examples.against(o.fact, o.part) for o in failed}
    broken = {}
    for key, example in counterexamples.items():
        fact = key.partition(".")[0]
        if (
            example is not None
            and fact != ONE_VALUE
            and engine.proof.find(fact).role is not Role.RUN
        ):
            progress.start(f"{name}: looking for a run that breaks {fact}")
            broken[key] = look_for(example.instance, engine.proof.find(fact).prop, SEARCH)
    return Proved(run, counterexamples, broken, perf_counter() - begin)


def _write(engine: Engine, folder: Path) -> None:
    from samebeat_proofs.smtlib import SUFFIX, smtlib

    for obligation in engine.obligations:
        name = file_name(engine.proof.spec.name, obligation.fact, obligation.part)
        write_file(folder / (name + SUFFIX), smtlib(engine.generator, obligation))
