"""``samebeat prove``: what holds for every number of nodes, and what that rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from io import StringIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from samebeat_cli.commands.options import TracesFolder
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
    from samebeat_cli.assurance import Assurance
    from samebeat_cli.progress import Progress
    from samebeat_cli.reports.proofs import Proved
    from samebeat_models.results import Exit
    from samebeat_proofs.engine import Engine
    from samebeat_proofs.facts import Proof
    from samebeat_proofs.obligations import Obligation


SEARCH = Budget(states=200_000, seconds=10)
"""How far the states of a counterexample, and a run that breaks its fact, are looked for."""


class ProveFormat(StrEnum):
    """The formats of a proof's report."""

    TEXT = "text"
    JSON = "json"


Specs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SPEC|MODEL]...",
        help="Specs by name. Nothing: all that have a proof. With --bmc: models.",
        show_default=False,
    ),
]
Rlimit = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="What an obligation may cost, in the solver's unit of work; above: undetermined. "
        "Nothing: what each proof says.",
    ),
]
Smt2 = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=path_option,
        help="Write every obligation here as SMT-LIB, for another solver.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", parser=path_option, help="Write the report to this file."),
]
Without = Annotated[
    str | None,
    typer.Option(
        metavar="FACT",
        help="Leave out a fact that only the proof needs, to see what it is good for.",
    ),
]
Draw = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=path_option,
        help="Draw the counterexample to each obligation that is not met here, as SVG.",
    ),
]
Bmc = Annotated[
    int | None,
    typer.Option(
        "--bmc",
        metavar="DEPTH",
        min=0,
        help="No proof: look for a run of so many steps that breaks a promise, on models by "
        "name (or all of a spec). A step is any set of actions that do not interfere.",
    ),
]
OneAction = Annotated[
    bool,
    typer.Option(
        "--one-action",
        help="With --bmc: one action a step, so a run that is found is shortest.",
    ),
]


def prove(
    specs: Specs = None,
    obligations: Annotated[
        bool, typer.Option("--obligations", help="List every obligation with what it uses (text).")
    ] = False,
    rlimit: Rlimit = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the solver's random choices.")] = 0,
    smt2: Smt2 = None,
    form: Annotated[ProveFormat, typer.Option("--format", help="How to print.")] = ProveFormat.TEXT,
    output: Output = None,
    without: Without = None,
    draw: Draw = None,
    bmc: Bmc = None,
    one_action: OneAction = False,
    out_itf: TracesFolder = None,
) -> None:
    """Prove properties by induction, for every number of nodes; exit 12 if a step is not met.

    An obligation that is not met has a state and a step that break a fact. If a run from the start
    breaks it too, that is a defect; if none does, a fact is missing. What exceeds the budget is
    undetermined: exit 3.

    Example: samebeat prove group --obligations
    """
    if bmc is not None:
        useless = {"--obligations": obligations, "--smt2": smt2, "--without": without}
        _refuse("--bmc", {**useless, "--draw": draw})
        code = _search(specs or (), bmc, one_action, rlimit, seed, out_itf, form, output)
        raise typer.Exit(int(code))
    _refuse("a proof", {"--one-action": one_action, "--out-itf": out_itf})
    from samebeat_cli.assurance import explored_only
    from samebeat_cli.reports.proofs import exit_code

    if output is not None:
        check_can_write(output)
    if smt2 is not None:
        make_folder(smt2)
    if draw is not None:
        make_folder(draw)
    proofs = _without(_select(specs or ()), without)
    proved = _run(proofs, rlimit, seed, smt2)
    if draw is not None:
        _draw(proved, draw)
    _deliver(proved, explored_only(specs or ()), form, output, obligations)
    if code := exit_code(proved):
        raise typer.Exit(int(code))


def _refuse(what: str, options: Mapping[str, object]) -> None:
    """Refuse options that say nothing here."""
    for name, value in options.items():
        if value:
            raise CommandError(f"{name} is not for {what}")


def _search(
    names: Sequence[str],
    depth: int,
    one_action: bool,
    rlimit: int | None,
    seed: int,
    out_itf: Path | None,
    form: ProveFormat,
    output: Path | None,
) -> Exit:
    from samebeat_cli.commands.prove_bounded import search_models

    if output is not None:
        check_can_write(output)
    return search_models(
        names,
        depth,
        parallel=not one_action,
        rlimit=rlimit,
        seed=seed,
        out_itf=out_itf,
        output=output,
        as_json=form is ProveFormat.JSON,
    )


def _deliver(
    proved: list[Proved],
    explored: Sequence[Assurance],
    form: ProveFormat,
    output: Path | None,
    obligations: bool,
) -> None:
    """Print the report, or write it to a file."""
    from samebeat_cli.reports.proofs import data, show

    if form is ProveFormat.JSON:
        emit(json.dumps(data(proved, explored), indent=2, ensure_ascii=False) + "\n", output)
    elif output is None:
        show(proved, console(), obligations, explored)
    else:
        from rich.console import Console

        buffer = StringIO()
        plain = Console(file=buffer, width=WIDE, highlight=False, markup=False, emoji=False)
        show(proved, plain, obligations, explored)
        write_file(output, buffer.getvalue())


def _select(names: Sequence[str]) -> list[Proof]:
    from samebeat_proofs.proofs import PROOFS, load_proof
    from samebeat_proofs.unproved import UNPROVED

    for name in names:
        if name not in PROOFS:
            why = f": {UNPROVED[name]}" if name in UNPROVED else ""
            known = ", ".join(PROOFS)
            raise CommandError(f"there is no proof of {name!r}{why}; there are: {known}")
    return [load_proof(name) for name in dict.fromkeys(names or PROOFS)]


def _without(proofs: list[Proof], fact: str | None) -> list[Proof]:
    """Return the proofs that have a fact that only they need, without it; all if it is None."""
    if fact is None:
        return proofs
    found = [p for p in proofs if fact in {f.name for f in p.strengthenings}]
    if not found:
        known = ", ".join(f.name for p in proofs for f in p.strengthenings)
        raise CommandError(f"--without: no fact that only a proof needs is {fact!r}: {known}")
    return [p.without_fact(fact) for p in found]


def _draw(proved: Sequence[Proved], folder: Path) -> None:
    """Draw each counterexample that was found."""
    from samebeat_cli.reports.pictures import SUFFIX, picture

    for p in proved:
        for d in p.run.discharged:
            if (found := p.counterexample(d)) is not None:
                name = file_name(p.name, d.obligation.fact, d.obligation.part)
                write_file(folder / (name + SUFFIX), picture(found))


def _run(proofs: Sequence[Proof], rlimit: int | None, seed: int, smt2: Path | None) -> list[Proved]:
    """Discharge the obligations of every proof in turn."""
    from samebeat_cli.progress import Progress
    from samebeat_proofs.engine import Engine
    from samebeat_proofs.solver import Budget as SolverBudget

    engines = [Engine(proof, SolverBudget.of(proof, rlimit, seed)) for proof in proofs]
    progress = Progress(sum(len(engine.obligations) for engine in engines), "obligations")
    try:
        with progress:
            return [_run_one(engine, progress, smt2) for engine in engines]
    except KeyboardInterrupt:
        raise Interrupted(progress.how_far()) from None


def _run_one(engine: Engine, progress: Progress, smt2: Path | None) -> Proved:
    """Discharge the obligations of one proof, and look for a counterexample to what is not met."""
    from samebeat_cli.reports.counterexamples import step_of
    from samebeat_cli.reports.proofs import Proved
    from samebeat_models.classify import classify
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
    classified = {}
    for key, example in counterexamples.items():
        fact, _, part = key.partition(".")
        if example is None or fact == ONE_VALUE or engine.proof.find(fact).role is Role.RUN:
            continue
        progress.start(f"{name}: looking up the counterexample to {key}")
        prop, step = engine.proof.find(fact).prop, step_of(example)
        larger = engine.examples.larger(fact, part, example.instance)
        at = example.instance, prop, example.state, step
        classified[key] = classify(*at, SEARCH, larger)
    return Proved(run, counterexamples, classified, perf_counter() - begin)


def _write(engine: Engine, folder: Path) -> None:
    from samebeat_proofs.smtlib import SUFFIX, smtlib

    for obligation in engine.obligations:
        name = file_name(engine.proof.spec.name, obligation.fact, obligation.part)
        write_file(folder / (name + SUFFIX), smtlib(engine.generator, obligation))
