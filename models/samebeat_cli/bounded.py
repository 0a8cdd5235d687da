"""The verdicts of a bounded search: violated by a run, or searched to a depth; never "holds".

As with walks, a model that lists violations is searched for these; what is found there is as
expected. Any other is searched for all its promises.
"""

from __future__ import annotations

from collections.abc import Iterator

from samebeat_cli.selection import Selected
from samebeat_models.check import EXIT_OF_KIND, claims_of
from samebeat_models.results import (
    DEADLOCK_FREE,
    PINNED,
    Exit,
    Finding,
    Row,
    Step,
    Trace,
    Verdict,
)
from samebeat_proofs.bounded import Searched, search
from samebeat_proofs.serial import Run
from samebeat_proofs.solver import Budget
from samebeat_spec.language import Instance


def search_model(
    selected: Selected, depth: int, parallel: bool, budget: Budget
) -> tuple[Searched, tuple[Row, ...]]:
    """Search a model to a depth; return what came of it, with one row a property.

    Raises:
        InstanceError: the model does not fit the spec.
        ProofError: the spec says something that the solver does not understand.
        StateError: a step leads to a state that does not fit.
    """
    model, instance = selected.model, selected.instance()
    found = search(
        instance,
        depth,
        parallel=parallel,
        deadlocks=not model.is_control or DEADLOCK_FREE in model.violates,
        wanted=model.violates or None,
        budget=budget,
    )
    return found, tuple(_rows(selected, found))


def trace_of(instance: Instance, run: Run) -> Trace:
    """Return a run as a trace."""
    steps = zip(run.taken, run.after, strict=True)
    return Trace(instance, run.initial, tuple(Step(*taken, after) for taken, after in steps))


def _rows(selected: Selected, found: Searched) -> Iterator[Row]:
    """Yield the rows: what is broken; of a model that is right, what else was looked for too.

    Of those that a control lists, one that is found is enough: the search ends there.
    """
    model = selected.model
    for name, kind in found.promises.items():
        if name in found.broken or not (model.violates and found.broken):
            yield _row(selected, found, name, kind)
    if found.run is not None and model.depth is not None and model.violates:
        length = len(found.run.taken)
        if length < model.depth:
            why = f"the counterexample has {length} steps instead of {model.depth}"
            yield _pins(selected, found, why)


def _row(selected: Selected, found: Searched, name: str, kind: str) -> Row:
    expected = Verdict.VIOLATED if name in selected.model.violates else Verdict.HOLDS
    trace, verdict, depth = None, Verdict.UNDETERMINED, found.depth
    detail = found.why or f"searched to depth {found.depth}"
    if found.run is not None and name in found.broken:
        trace, verdict, detail = trace_of(found.instance, found.run), Verdict.VIOLATED, ""
        depth = len(found.run.taken)
    code = Exit.UNDETERMINED if trace is None else EXIT_OF_KIND[kind]
    return Row(
        model=selected.name,
        property=name,
        kind=kind,
        claims=claims_of(found.instance.spec, Finding(name, kind, verdict)),
        verdict=verdict,
        expected=expected,
        states=0,
        transitions=0,
        depth=depth,
        seconds=found.seconds,
        exit=Exit.OK if verdict is expected else code,
        detail=detail,
        trace=trace,
    )


def _pins(selected: Selected, found: Searched, why: str) -> Row:
    return Row(
        model=selected.name,
        property=PINNED,
        kind="pins",
        claims=(),
        verdict=Verdict.VIOLATED,
        expected=Verdict.HOLDS,
        states=0,
        transitions=0,
        depth=found.depth,
        seconds=found.seconds,
        exit=Exit.NOT_AS_PINNED,
        detail=why,
    )
