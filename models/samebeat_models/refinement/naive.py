"""Refinement one step at a time, by the interpreter: what replay uses, and what explains a refusal.

Slow and plain on purpose; it shares nothing with the engine that looks at whole graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from samebeat_models.render import changes, initial_facts, step_label
from samebeat_models.results import Trace
from samebeat_spec.language import Action, Instance, Projection, Refinement, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

_NEAREST_SHOWN = 3
"""How many of the abstract steps that come closest are named."""


def breaking(
    projections: Sequence[Projection], before: StateTuple | None, after: StateTuple
) -> Projection | None:
    """Return the first projection in which a step is none of the abstract spec, if any.

    Without a state before, ``after`` is an initial state.
    """
    return next((p for p in projections if not _is_fine(p, before, after)), None)


def broken_by(trace: Trace, refinement: Refinement) -> Projection | None:
    """Return the first projection in which the last step of a run breaks a refinement, if any.

    A run without steps breaks it with its initial state.
    """
    before = trace.states[-2] if trace.steps else None
    return breaking(refinement.projections(trace.instance), before, trace.states[-1])


def _is_fine(projection: Projection, before: StateTuple | None, after: StateTuple) -> bool:
    judge, goal = Interpreter(projection.abstract), projection.state(after)
    if before is None:
        return goal in judge.initial_states()
    reached = {projection.state(before)}
    for _ in range(projection.refinement.at_most):
        if goal in reached:
            return True
        reached |= {t for s in reached for _, _, t in judge.successors(s)}
    return goal in reached


# --- why -------------------------------------------------------------------------------------


def explanation(trace: Trace, refinement: Refinement) -> tuple[str, ...]:
    """Return lines that say why the last step of a run breaks a refinement; () if it does not."""
    projection = broken_by(trace, refinement)
    if projection is None:
        return ()
    abstract, onto = projection.abstract, projection.refinement.abstract.spec_name
    after = projection.state(trace.states[-1])
    if not trace.steps:
        judge = Interpreter(abstract)
        nearest = min(
            (changes(abstract, s, after) for s in judge.initial_states()), key=len, default=()
        )
        differs = [f"  {c.cell} is {c.new}; the nearest one has {c.old}" for c in nearest]
        return (
            f"{projection.label}: the projected state is no initial state of the spec {onto}:",
            f"  {', '.join(initial_facts(abstract, after))}",
            *differs,
        )
    before = projection.state(trace.states[-2])
    at_most = projection.refinement.at_most
    said = "step" if at_most == 1 else f"path of at most {at_most} steps"
    return (
        f"{projection.label}: the projected step is no {said} of the spec {onto}:",
        f"  before: {', '.join(initial_facts(abstract, before)) or 'nothing holds'}",
        *(f"  {c}" for c in changes(abstract, before, after)),
        *_why_not(abstract, before, after),
    )


def _why_not(abstract: Instance, before: StateTuple, after: StateTuple) -> list[str]:
    """Return which guards refuse the actions that would do this, or what comes closest."""
    judge = Interpreter(abstract)
    lines: list[str] = []
    near: list[tuple[int, str]] = []
    for action in abstract.spec.actions:
        for arguments in abstract.choices(action.parameters):
            label = step_label(abstract, action.name, arguments)
            state = _effect(judge, action, arguments, before)
            refusing = judge.refusals(action, arguments, before) if state else []
            if state == after and refusing:
                reasons = "; ".join(g.why for g in refusing)
                lines.append(f"  {label} would do it, but not so: {reasons}")
            elif state is not None and state != before and not refusing:
                other = ", ".join(f"{c.cell} = {c.old}" for c in changes(abstract, state, after))
                count = sum(a != b for a, b in zip(state, after, strict=True))
                near.append((count, f"  {label} is enabled, but leads to {other}"))
    if lines:
        return lines
    near.sort(key=lambda pair: pair[0])
    return [line for _, line in near[:_NEAREST_SHOWN]] or ["  nothing is enabled that moves it"]


def _effect(
    judge: Interpreter, action: Action, arguments: Arguments, state: StateTuple
) -> StateTuple | None:
    """Return where a step would lead without its guards; None where that makes no sense."""
    try:
        return judge.step(replace(action, guards=()), arguments, state)
    except (Refused, StateError):
        return None
