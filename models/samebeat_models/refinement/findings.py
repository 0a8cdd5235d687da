"""Refinements of a catalog's model: looked at after its exploration, as findings of its own."""

from __future__ import annotations

from dataclasses import replace

from samebeat_models.catalog import Model
from samebeat_models.progress import Budget, Progress
from samebeat_models.refinement.check import Refined, check_refinements
from samebeat_models.results import Exploration, Finding, Verdict

KIND = "refinement"


def with_refinements(
    model: Model, outcome: Exploration, budget: Budget, progress: Progress | None = None
) -> Exploration:
    """Return the outcome of an exploration with a finding for each refinement of the model.

    A search that ended early says nothing about a refinement, unless it is a control's: then
    violations up to the depth of the one that ended it count, and deeper ones no longer do.

    Raises:
        InstanceError: an abstract instance is not complete.
        StateError: a projected state does not fit.
    """
    if not model.refines:
        return outcome
    violated = outcome.violated()
    if outcome.incomplete_reason and not (model.is_control and violated):
        undecided = (Finding(name, KIND, Verdict.UNDETERMINED) for name in model.refines)
        return replace(outcome, findings=(*outcome.findings, *undecided))
    spec = outcome.instance.spec
    results = check_refinements(
        outcome.instance,
        [spec.find_refinement(name) for name in model.refines],
        symmetry=model.symmetry,
        budget=budget.after(outcome.seconds),
        progress=progress,
        max_depth=violated[0].depth if violated else None,
    )
    seconds = outcome.seconds + max(r.seconds for r in results)
    joined = replace(
        outcome, findings=(*outcome.findings, *map(_finding, results)), seconds=seconds
    )
    reason = next((r.incomplete_reason for r in results if r.incomplete_reason), "")
    if reason and not joined.violated():
        return replace(joined, incomplete_reason=reason, out_of_budget=True)
    return _nearest_only(joined) if model.is_control else joined


def mismatches(model: Model, outcome: Exploration) -> list[str]:
    """Return what differs from the pins of the refinements that hold."""
    found: list[str] = []
    for f in outcome.findings:
        if f.kind != KIND or f.verdict is not Verdict.HOLDS or f.projected is None:
            continue
        pinned = model.projected.get(f.property, f.projected)
        for what, now, before in zip(("states", "steps"), f.projected, pinned, strict=True):
            if now != before:
                found.append(f"{f.property}: {now:,} projected {what} instead of {before:,}")
        listed = set(model.uncovered.get(f.property, ()))
        for name in sorted(set(f.uncovered) ^ listed):
            problem = "is never taken" if name in f.uncovered else "is taken, and listed as never"
            found.append(f"{f.property}: the abstract action {name} {problem}")
    return found


def _finding(r: Refined) -> Finding:
    return Finding(
        property=r.refinement.name,
        kind=KIND,
        verdict=r.verdict,
        depth=r.depth,
        trace=r.trace,
        notes=r.notes,
        projected=(r.states, r.steps),
        uncovered=r.uncovered,
    )


def _nearest_only(outcome: Exploration) -> Exploration:
    """Return the outcome with only those violations that lie at the least depth."""
    depths = [f.depth for f in outcome.violated() if f.depth is not None]
    if not depths:
        return outcome
    nearest = min(depths)

    def seen_first(f: Finding) -> Finding:
        if f.verdict is not Verdict.VIOLATED or f.kind == "witness" or f.depth == nearest:
            return f
        return Finding(f.property, f.kind, Verdict.UNDETERMINED)

    return replace(outcome, findings=tuple(map(seen_first, outcome.findings)))
