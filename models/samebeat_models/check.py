"""Checking a model: explore it and hold the outcome against what the catalog expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from samebeat_models.catalog import GuardMissing, Model
from samebeat_models.explorer.checkpoint import Checkpoints
from samebeat_models.explorer.search import Settings, explore_and_keep
from samebeat_models.liveness import findings as liveness
from samebeat_models.progress import Budget, Progress, Snapshot
from samebeat_models.refinement import findings as refinements
from samebeat_models.results import (
    DEADLOCK_FREE,
    PINNED,
    Exit,
    Exploration,
    Finding,
    Row,
    Verdict,
)
from samebeat_spec.language import Instance, Spec

__all__ = ["Budget", "Progress", "Snapshot", "check_model"]

EXIT_OF_KIND = {
    "invariant": Exit.SAFETY,
    "step": Exit.SAFETY,
    "deadlock": Exit.DEADLOCK,
    "always_reachable": Exit.LIVENESS,
    refinements.KIND: Exit.SAFETY,
    liveness.KIND: Exit.LIVENESS,
}
"""The exit code of a violated property."""


def check_model(
    model: Model,
    spec: Spec,
    budget: Budget | None = None,
    progress: Progress | None = None,
    kept: Checkpoints | None = None,
) -> tuple[Exploration, tuple[Row, ...]]:
    """Explore a model and return the outcome with its rows, one a property and one for the pins.

    A control whose guard is not in the spec is one line that is not as pinned: the other models
    show what its absence does.

    With ``kept``, it is explored in that folder. Refinements and promises about infinite runs
    explore again, in memory.

    Raises:
        CheckpointError: there is a checkpoint to be resumed, and it does not fit.
        DiskError: the folder cannot be written at all.
        InstanceError: the model does not fit the spec.
        StateError: a step leads to a state that does not fit.
    """
    try:
        instance = model.instance(spec)
    except GuardMissing as missing:
        return not_explored(model, spec, str(missing))
    budget = _with_pin(budget or Budget(), model)
    settings = Settings(
        symmetry=model.symmetry,
        # What a deadlock does to users other properties say; a control may name it all the same.
        deadlocks=not model.is_control or DEADLOCK_FREE in model.violates,
        budget=budget,
        progress=progress,
        kept=kept,
    )
    explored = explore_and_keep(instance, settings)
    outcome = explored.outcome
    states = explored if model.live and not model.symmetry and kept is None else None
    del explored  # it takes memory
    outcome = refinements.with_refinements(model, outcome, budget, progress)
    outcome = liveness.with_liveness(model, outcome, states, budget=budget, progress=progress)
    rows = _control_rows(model, outcome) if model.is_control else _rows(model, outcome)
    return outcome, tuple(rows)


def _with_pin(budget: Budget, model: Model) -> Budget:
    """Return the budget with an end for a model that has outgrown its pinned states by far.

    Some way beyond the pin a property may show what has gone wrong, so the end is not at once.
    """
    if model.states is None:
        return budget
    limit = min(max(20 * model.states, 100_000), model.states + 1_000_000)
    if budget.states is not None and budget.states <= limit:
        return budget
    return replace(budget, states=limit)


def not_explored(model: Model, spec: Spec, why: str) -> tuple[Exploration, tuple[Row, ...]]:
    """Return the outcome for a model that says something of its spec which is not so."""
    instance = Instance(model.name, spec, model.sizes, model.constants)
    nothing = Exploration(instance, 0, 0, 0, 0.0, (), {}, incomplete_reason=why)
    return nothing, (_pins_row(model, nothing, [why], compared=True),)


def _rows(model: Model, outcome: Exploration) -> Iterator[Row]:
    """Yield the rows of a model that is expected to keep every property."""
    for finding in outcome.findings:
        if finding.kind == "witness" and finding.verdict is Verdict.VIOLATED:
            continue  # whether that is as expected is among the pins
        yield _row(model, outcome, finding, Verdict.HOLDS)
    yield _pins_row(model, outcome, _mismatches(model, outcome))


def _control_rows(model: Model, outcome: Exploration) -> Iterator[Row]:
    """Yield the rows of a negative control: only what is violated, or should be, is of interest."""
    expected = set(model.violates)
    for finding in outcome.findings:
        if finding.property in expected:
            yield _row(model, outcome, finding, Verdict.VIOLATED)
        elif finding.verdict is Verdict.VIOLATED and finding.kind != "witness":
            yield _row(model, outcome, finding, Verdict.HOLDS)
    undecided = next((f.why for f in outcome.findings if f.property in expected and f.why), "")
    yield _pins_row(model, outcome, _control_mismatches(model, outcome), undecided=undecided)


def _row(model: Model, outcome: Exploration, finding: Finding, expected: Verdict) -> Row:
    states, transitions = outcome.states, outcome.transitions
    if finding.projected is not None and finding.verdict is Verdict.HOLDS:
        states, transitions = finding.projected
    return Row(
        model=model.name,
        property=finding.property,
        kind=finding.kind,
        claims=claims_of(outcome.instance.spec, finding),
        verdict=finding.verdict,
        expected=expected,
        states=states,
        transitions=transitions,
        depth=outcome.depth if finding.depth is None else finding.depth,
        seconds=outcome.seconds,
        exit=_exit(model, finding, expected),
        detail=_detail(outcome, finding, expected),
        trace=finding.trace,
        notes=finding.notes,
        vacuous=finding.verdict is Verdict.HOLDS and finding.property in outcome.vacuous,
    )


def _exit(model: Model, finding: Finding, expected: Verdict) -> Exit:
    if finding.verdict is expected:
        return Exit.OK
    if finding.verdict is Verdict.UNDETERMINED:
        return Exit.UNDETERMINED
    if model.is_control:
        return Exit.NOT_AS_PINNED
    return EXIT_OF_KIND.get(finding.kind, Exit.NOT_AS_PINNED)


def _detail(outcome: Exploration, finding: Finding, expected: Verdict) -> str:
    undetermined = finding.verdict is Verdict.UNDETERMINED and finding.verdict is not expected
    if undetermined:
        return finding.why or outcome.incomplete_reason
    return ""  # the verdict says it


def claims_of(spec: Spec, finding: Finding) -> tuple[str, ...]:
    """Return the claims that the property of a finding rests on."""
    if finding.property == DEADLOCK_FREE:
        return ()
    if finding.kind == refinements.KIND:
        return spec.find_refinement(finding.property).claims
    if finding.kind == liveness.KIND:
        return spec.find_liveness(finding.property).claims
    return spec.find_property(finding.property).claims


# --- pins ----------------------------------------------------------------------------------


def _pins_row(
    model: Model,
    outcome: Exploration,
    mismatches: list[str],
    *,
    compared: bool = False,
    undecided: str = "",
) -> Row:
    """Return the line about the pins; without an end of the search there is nothing to compare.

    Neither is there if what a control is there for is ``undecided``.
    """
    as_controls_do = model.is_control and outcome.violated() and not outcome.out_of_budget
    ended_early = "" if as_controls_do else outcome.incomplete_reason
    ended_early = ended_early or undecided
    verdict, code = Verdict.HOLDS, Exit.OK
    if model.states is not None and outcome.states > model.states and outcome.out_of_budget:
        verdict, code = Verdict.VIOLATED, Exit.NOT_AS_PINNED
        mismatches = [f"states: more than {outcome.states:,} instead of {model.states:,}"]
    elif ended_early and not compared:
        verdict, code = Verdict.UNDETERMINED, Exit.UNDETERMINED
        mismatches = [ended_early]
    elif mismatches:
        verdict, code = Verdict.VIOLATED, Exit.NOT_AS_PINNED
    return Row(
        model=model.name,
        property=PINNED,
        kind="pins",
        claims=(),
        verdict=verdict,
        expected=Verdict.HOLDS,
        states=outcome.states,
        transitions=outcome.transitions,
        depth=outcome.depth,
        seconds=outcome.seconds,
        exit=code,
        detail="; ".join(mismatches),
    )


def _mismatches(model: Model, outcome: Exploration) -> list[str]:
    """Return what differs from the pins of a model that keeps its properties."""
    found: list[str] = []
    for what in ("states", "transitions", "depth"):
        pinned, counted = getattr(model, what), getattr(outcome, what)
        if pinned is not None and pinned != counted:
            found.append(f"{what}: {counted:,} instead of {pinned:,}")
    unreached = {f.property for f in outcome.findings if f.kind == "witness" and f.depth is None}
    idle = {name for name, count in outcome.action_counts.items() if count == 0}
    found += _compare("is never reached", unreached, set(model.unreached))
    found += _compare("is never enabled", idle, set(model.idle))
    undecided = {f.property for f in outcome.findings if f.verdict is Verdict.UNDETERMINED}
    listed = set(model.vacuous) - undecided
    found += _compare("holds only for want of a case", set(outcome.vacuous), listed)
    for name, pinned in model.terminal.items():
        if (counted := outcome.terminals.get(name, 0)) != pinned:
            found.append(f"terminal states {name}: {counted:,} instead of {pinned:,}")
    return found + refinements.mismatches(model, outcome)


def _compare(what: str, found: set[str], listed: set[str]) -> list[str]:
    surprises = [f"{name} {what}" for name in sorted(found - listed)]
    return surprises + [f"{name} is listed as one that {what}" for name in sorted(listed - found)]


def _control_mismatches(model: Model, outcome: Exploration) -> list[str]:
    """Return what differs from the violations, and their least depth, that a control expects."""
    violated = outcome.violated()
    if {f.property for f in violated} != set(model.violates):
        found = ", ".join(f.property for f in violated) or "nothing"
        return [f"violated at the least depth: {found}, instead of {', '.join(model.violates)}"]
    least = min((f.depth for f in violated if f.depth is not None), default=None)
    if model.depth is not None and least != model.depth:
        return [f"the counterexample has {least} steps instead of {model.depth}"]
    return []
