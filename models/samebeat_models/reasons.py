"""Why a formula has the value that it has: the few cells that alone decide it.

Of "all are so", which is false, one counterexample is enough; of "some are so", which is true, one
example. What is left are cells such that the formula has this value whatever the others are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from samebeat_spec.language import Action, Instance, Property
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Environment, Interpreter
from samebeat_spec.language.terms import (
    And,
    Apply,
    Exists,
    Expr,
    ForAll,
    Holds,
    IfThenElse,
    Implies,
    Not,
    Or,
    parts_of,
)

Reasons = frozenset[tuple[int, bool]]
"""Cells by their number; true for those that are read in the state after a step."""


@dataclass(frozen=True)
class Matters:
    """Which cells matter for a step that breaks a fact, by number.

    Args:
        changed: the step sets them to something else.
        guards: that the step can be taken, or what it sets, depends on them.
        before: cells of the state before that the fact is broken by.
        after: cells of the state after it; of the only state, if there is no step.
    """

    changed: frozenset[int]
    guards: frozenset[int]
    before: frozenset[int]
    after: frozenset[int]

    @property
    def all(self) -> tuple[int, ...]:
        """Every cell that matters, in order."""
        return tuple(sorted(self.changed | self.guards | self.before | self.after))


class Why:
    """Says why formulas of one instance have their values in a state, or at a step."""

    def __init__(
        self, instance: Instance, state: StateTuple, after: StateTuple | None = None
    ) -> None:
        self.instance = instance
        self.state = state
        self.after = after
        self._judge = Interpreter(instance)

    def value(self, expr: Expr, names: Environment) -> int:
        """Return the value of an expression."""
        return self._judge.evaluate(expr, names, self.state, self.after)

    def reasons(self, expr: Expr, names: Environment) -> Reasons:
        """Return cells that alone decide the value of an expression."""

        def own(e: Expr) -> Reasons:
            return self.reasons(e, names)

        match expr:
            case Holds(v, arguments, late) | Apply(v, arguments, late):
                found = _union(own(a) for a in arguments)
                if v.constant:
                    return found
                place = tuple(self.value(a, names) for a in arguments)
                return found | {(self.instance.cell_index[v.name][place], late)}
            case And(parts) | Or(parts):
                return self._decided([(p, names) for p in parts], isinstance(expr, And))
            case Implies(antecedent, consequent):
                return self._decided([(Not(antecedent), names), (consequent, names)], False)
            case ForAll(name, body) | Exists(name, body):
                each = [(body, {**names, name.label: x}) for x in self.instance.domain(name.sort)]
                return self._decided(each, isinstance(expr, ForAll))
            case IfThenElse(condition, then, otherwise):
                return own(condition) | own(then if self.value(condition, names) else otherwise)
        return self._of_all(expr, names)

    def _of_all(self, expr: Expr, names: Environment) -> Reasons:
        """Return the reasons of all that an expression is made of; of a count, of each element."""
        bound = getattr(expr, "name", None)
        if bound is None:
            return _union(self.reasons(part, names) for part in parts_of(expr))
        body: Expr = expr.body  # type: ignore[attr-defined]  # what binds a name has a body
        domain = self.instance.domain(bound.sort)
        return _union(self.reasons(body, {**names, bound.label: x}) for x in domain)

    def _decided(self, parts: Sequence[tuple[Expr, Environment]], every: bool) -> Reasons:
        """Return the reasons of "all of these" or "one of these": of all, or of the plainest."""
        deciding = [p for p in parts if bool(self.value(*p)) != every]
        if not deciding:
            return _union(self.reasons(*p) for p in parts)
        return min((self.reasons(*p) for p in deciding), key=lambda r: (len(r), sorted(r)))


def _union(parts: Iterable[Reasons]) -> Reasons:
    return frozenset().union(*parts)


def what_matters(
    instance: Instance,
    prop: Property | None,
    state: StateTuple,
    action: Action | None = None,
    arguments: Arguments = (),
    after: StateTuple | None = None,
) -> Matters:
    """Return the cells that matter for a state, or a step, that breaks a fact.

    Args:
        instance: where they are.
        prop: the fact, an invariant or a step property; None if it is no formula of the spec.
        state: the state, or the state before the step.
        action: the action of the step, if there is one.
        arguments: its arguments.
        after: the state after it.
    """
    nothing: frozenset[int] = frozenset()
    if action is None or after is None:
        broken = Why(instance, state).reasons(prop.formula, {}) if prop else frozenset()
        return Matters(nothing, nothing, nothing, frozenset(cell for cell, _ in broken))
    changed = frozenset(i for i, (a, b) in enumerate(zip(state, after, strict=True)) if a != b)
    names = {p.label: x for p, x in zip(action.parameters, arguments, strict=True)}
    here = Why(instance, state)
    needed = [here.reasons(g.condition, names) for g in action.guards]
    for x in action.assignments:
        if x.value is not None and not x.bound:
            needed += [here.reasons(e, names) for e in (*x.arguments, x.value)]
    broken = frozenset()
    if prop is not None and prop.kind == "step":
        broken = Why(instance, state, after).reasons(prop.formula, {})
    elif prop is not None:
        broken = frozenset((i, True) for i, _ in Why(instance, after).reasons(prop.formula, {}))
    return Matters(
        changed,
        frozenset(cell for cell, _ in _union(needed)),
        frozenset(cell for cell, late in broken if not late),
        frozenset(cell for cell, late in broken if late),
    )
