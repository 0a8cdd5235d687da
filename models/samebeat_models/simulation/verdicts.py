"""The verdicts of a simulation: violated by a run, or undetermined; never "holds".

What a model expects is compared as far as walks can tell: they can show that something is not as
pinned, and not that it is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from samebeat_models.catalog import GuardMissing, Model
from samebeat_models.check import EXIT_OF_KIND, claims_of, not_explored
from samebeat_models.explorer.machine import build_machine
from samebeat_models.liveness import findings as liveness
from samebeat_models.progress import Progress
from samebeat_models.refinement import findings as refinements
from samebeat_models.results import DEADLOCK_FREE, PINNED, Exit, Finding, Row, Verdict
from samebeat_models.simulation.results import Options, Simulation
from samebeat_models.simulation.shorten import shortest_found
from samebeat_models.simulation.walks import Walks
from samebeat_spec.language import Spec

_NOT_LISTED = "the model lists what is violated first, and nothing is said of the rest"
_NOT_WALKED = {
    "always_reachable": "walks show this only where a run gets stuck without the goal",
    refinements.KIND: "walks do not look at refinements",
    liveness.KIND: "walks do not look at runs without an end",
}


def simulate_model(
    model: Model, spec: Spec, options: Options | None = None, progress: Progress | None = None
) -> tuple[Simulation | None, tuple[Row, ...]]:
    """Walk through a model; return what was found, with one row a property.

    A model that lists violations is walked until all of them are found, any other until the first
    one; either, until the walks or the budget are used up. A control whose guard is not in the
    spec is not walked: None, and a row that says so.

    Raises:
        InstanceError: the model does not fit the spec.
        StateError: a step leads to a state that does not fit.
    """
    try:
        instance = model.instance(spec)
    except GuardMissing as missing:
        return None, not_explored(model, spec, str(missing))[1]
    started = time.perf_counter()
    machine = build_machine(instance, symmetry=False)
    walks = Walks(
        machine,
        options or Options(),
        wanted=model.violates or None,
        deadlocks=not model.is_control or DEADLOCK_FREE in model.violates,
        progress=progress,
        started=started,
    )
    walks.run()
    found = _simulation(model, walks)
    return found, tuple(_control_rows(model, found) if model.violates else _rows(model, found))


def _simulation(model: Model, walks: Walks) -> Simulation:
    instance, monitors = walks.machine.instance, walks.monitors
    taken = Counter({a.name: 0 for a in instance.spec.actions})
    for ground, count in zip(walks.machine.steps.actions, walks.taken.tolist(), strict=True):
        taken[ground.action.name] += count
    findings = tuple(_findings(model, walks))
    distinct, many = walks.distinct.about()
    return Simulation(
        instance=instance,
        options=walks.options,
        steps=walks.steps,
        walks=walks.begun,
        longest=walks.longest,
        distinct=distinct,
        many=many,
        taken=dict(taken),
        findings=findings,
        unseen=monitors.vacuous(),
        terminals={name: count > 0 for name, count in monitors.terminal_counts.items()},
        ended=walks.ended,
        seconds=time.perf_counter() - walks.started,
    )


def _findings(model: Model, walks: Walks) -> Iterator[Finding]:
    spec = walks.machine.instance.spec
    kinds = [(p.name, p.kind) for p in spec.of_kind("invariant", "step", "always_reachable")]
    kinds += [(DEADLOCK_FREE, "deadlock")] if walks.deadlocks else []
    kinds += [(name, refinements.KIND) for name in model.refines]
    kinds += [(name, liveness.KIND) for name in model.live]
    for name, kind in kinds:
        if name in walks.violations:
            trace = shortest_found(walks.machine, walks.violations[name])
            yield Finding(name, kind, Verdict.VIOLATED, len(trace.steps), trace)
        else:
            yield Finding(name, kind, Verdict.UNDETERMINED, why=_NOT_WALKED.get(kind, ""))
    for w in walks.monitors.witnesses:
        verdict = Verdict.HOLDS if w.seen else Verdict.UNDETERMINED
        yield Finding(w.name, "witness", verdict, w.depth)


# --- rows ----------------------------------------------------------------------------------


def _rows(model: Model, found: Simulation) -> Iterator[Row]:
    """Yield the rows of a model that is expected to keep every property."""
    for finding in found.findings:
        unreached = finding.kind == "witness" and finding.property in model.unreached
        if not unreached:  # whether that is so is among the pins
            yield _row(model, found, finding, Verdict.HOLDS)
    yield from _pins_row(model, found, _refuted(model, found))


def _control_rows(model: Model, found: Simulation) -> Iterator[Row]:
    """Yield the rows of a control: what is violated, or should be.

    A control says what is violated at the least depth. What else a longer run violates, or what
    a check does not look at behind a violation, neither fits that nor is against it.
    """
    for finding in found.findings:
        if finding.property in model.violates:
            yield _row(model, found, finding, Verdict.VIOLATED)
        elif finding.verdict is Verdict.VIOLATED:
            yield replace(_row(model, found, finding, Verdict.UNDETERMINED), detail=_NOT_LISTED)
    yield from _pins_row(model, found, _refuted_by_control(model, found))


def _row(model: Model, found: Simulation, finding: Finding, expected: Verdict) -> Row:
    why = ""
    if finding.verdict is Verdict.UNDETERMINED:
        why = finding.why or f"not seen in {found.steps:,} steps of {found.walks:,} walks"
    return Row(
        model=model.name,
        property=finding.property,
        kind=finding.kind,
        claims=claims_of(found.instance.spec, finding),
        verdict=finding.verdict,
        expected=expected,
        states=found.distinct,
        transitions=found.steps,
        depth=found.longest if finding.depth is None else finding.depth,
        seconds=found.seconds,
        exit=_exit(finding, expected),
        detail=why,
        trace=finding.trace,
    )


def _exit(finding: Finding, expected: Verdict) -> Exit:
    if finding.verdict is expected or expected is Verdict.UNDETERMINED:
        return Exit.OK
    if finding.verdict is Verdict.UNDETERMINED:
        return Exit.UNDETERMINED
    return EXIT_OF_KIND[finding.kind]


# --- pins ----------------------------------------------------------------------------------


def _pins_row(model: Model, found: Simulation, refuted: list[str]) -> Iterator[Row]:
    """Yield a row if the walks have shown something that the model says is not so."""
    if refuted:
        yield Row(
            model=model.name,
            property=PINNED,
            kind="pins",
            claims=(),
            verdict=Verdict.VIOLATED,
            expected=Verdict.HOLDS,
            states=found.distinct,
            transitions=found.steps,
            depth=found.longest,
            seconds=found.seconds,
            exit=Exit.NOT_AS_PINNED,
            detail="; ".join(refuted),
        )


def _refuted(model: Model, found: Simulation) -> list[str]:
    """Return what a model says never happens, and has happened."""
    looked_at = {f.property for f in found.findings if f.kind != liveness.KIND}
    had_a_case = looked_at - set(found.unseen)
    never = [name for name, count in model.terminal.items() if count == 0]
    return [
        *(f"{name} is reached" for name in model.unreached if name in found.reached),
        *(f"{name} is taken" for name in model.idle if found.taken[name]),
        *(f"{name} has a case" for name in model.vacuous if name in had_a_case),
        *(f"runs end in {name}" for name in never if found.terminals[name]),
    ]


def _refuted_by_control(model: Model, found: Simulation) -> list[str]:
    """Return what speaks against the least depth of a control, or what it says is violated there.

    A property that is not listed may be violated, but not as early as those that are.
    """
    if model.depth is None:
        return []
    refuted = []
    for f in found.findings:
        listed = f.property in model.violates
        behind = f.kind == "always_reachable" and not listed  # never looked at by a check
        if f.verdict is not Verdict.VIOLATED or f.depth is None or behind:
            continue
        if f.depth < model.depth:
            refuted.append(f"{f.property} is violated after {f.depth} steps, not {model.depth}")
        elif f.depth == model.depth and not listed:
            refuted.append(f"{f.property} is violated after {f.depth} steps too")
    return refuted
