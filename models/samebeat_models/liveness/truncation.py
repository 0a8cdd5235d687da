"""Truncation: does a model cut off steps that the system would take if the model were larger?

What a number cannot hold is an error already, and no step is lost by it. A step is lost where a
guard refuses it only because the model is small: a guard that says so (``limit="system"``), or one
that asks for what follows the last element of a sort. That its limit falls on requests or faults,
a guard says by ``limit="environment"``. How many elements a sort has is the size of the model, as
in every other check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from samebeat_models.explorer.formulas import FALSE, Ground
from samebeat_models.explorer.grounding import Grounding
from samebeat_models.graph import StateGraph
from samebeat_spec.language import Action, Guard
from samebeat_spec.language.instance import Arguments
from samebeat_spec.language.terms import CountOf, Exists, Expr, Following, ForAll, parts_of


def truncation(graph: StateGraph) -> str:
    """Return which guard cuts off a step in some reachable state, "" if none does."""
    instance = graph.machine.instance
    for action in instance.spec.actions:
        for guard in filter(_is_limit, action.guards):
            choices = instance.choices(action.parameters)
            if any(_cuts(graph, action, guard, arguments) for arguments in choices):
                what = "a limit of the model" if guard.limit else "the last element of a sort"
                return f"{what} cuts off steps: {action.name}, {guard.why}"
    return ""


def _is_limit(guard: Guard) -> bool:
    """Return whether a guard may refuse a step only because the model is small."""
    if guard.limit:
        return guard.limit == "system"
    return _asks_what_follows(guard.condition)


def _cuts(graph: StateGraph, action: Action, limit: Guard, arguments: Arguments) -> bool:
    """Return whether in some state a step is refused by a limit, and else only by other limits."""
    grounding = graph.machine.grounding
    f = grounding.formulas
    names = {p.label: x for p, x in zip(action.parameters, arguments, strict=True)}
    parts = []
    for guard in action.guards:
        holds = grounding.formula(guard.condition, names)
        if guard is limit:
            parts.append(_refuses(grounding, guard, names))
        elif _is_limit(guard):
            parts.append(f.any_of((holds, _refuses(grounding, guard, names))))
        else:
            parts.append(holds)
    cut = f.all_of(parts)
    return cut is not FALSE and bool(graph.where(cut).any())


def _refuses(grounding: Grounding, limit: Guard, names: Mapping[str, int]) -> Ground:
    """Return where a limit refuses a step that a larger model would perhaps have."""
    if limit.limit:
        return grounding.formulas.negate(grounding.formula(limit.condition, names))
    return grounding.formulas.any_of(_past_the_last(grounding, limit.condition, names))


def _asks_what_follows(expr: Expr) -> bool:
    return isinstance(expr, Following) or any(map(_asks_what_follows, parts_of(expr)))


def _past_the_last(grounding: Grounding, expr: Expr, names: Mapping[str, int]) -> Iterator[Ground]:
    """Yield where an expression asks for what follows the last element of a sort."""
    if isinstance(expr, Following):
        last = grounding.instance.domain(expr.sort)[-1]
        yield grounding.cases(expr.body, names).get(last, FALSE)
    if isinstance(expr, (ForAll, Exists, CountOf)):
        for x in grounding.instance.domain(expr.name.sort):
            yield from _past_the_last(grounding, expr.body, {**names, expr.name.label: x})
        return
    for part in parts_of(expr):
        yield from _past_the_last(grounding, part, names)
