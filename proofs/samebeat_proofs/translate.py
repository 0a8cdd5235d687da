"""From the recorded expressions of a spec to formulas of the solver.

A step introduces no second copy of the state: a place read after the step is what the assignments
say of it, in terms of the state before (``Translator.after``). So nothing needs to be said of
what stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import z3

from samebeat_proofs.facts import ProofError
from samebeat_proofs.universe import Z3, Universe
from samebeat_spec.language import Assignment, Formula, Variable
from samebeat_spec.language.terms import (
    And,
    Apply,
    Element,
    Equal,
    Exists,
    Expr,
    Following,
    ForAll,
    Holds,
    Iff,
    IfThenElse,
    Implies,
    Less,
    Name,
    Not,
    Or,
    Term,
    Truth,
)

Reader = Callable[[Variable, tuple[Z3, ...]], Z3]
"""What a variable is at a place, in some state."""


@dataclass(frozen=True)
class Scope:
    """What names stand for, and what variables are, before a step and after it."""

    before: Reader
    after: Reader | None = None
    names: Mapping[str, Z3] = field(default_factory=dict)

    def with_names(self, names: Mapping[str, Z3]) -> Scope:
        """Return this scope with more names."""
        return replace(self, names={**self.names, **names})


class Translator:
    """Translates expressions of one spec for one universe.

    Bound variables are numbered within one formula, so that none is captured when what a step
    assigns is put in the place of what is read, and so that the same formula about the same state
    is translated to the same expression.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._bound = 0

    # --- states ------------------------------------------------------------------------------

    def state(self, prefix: str = "") -> Reader:
        """Return a state of which nothing is known, with symbols of this prefix."""

        def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
            symbol = self.universe.symbol(v, "" if v.constant else prefix)
            return symbol(*place) if place else symbol

        return read

    def unset(self) -> Reader:
        """Return the state before the initial one: relations false, functions at their first."""
        constants = self.state()

        def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
            if v.constant:
                return constants(v, place)
            return self.truth(False) if v.to is None else self.universe.first(v.to)

        return read

    def after(
        self, assignments: Sequence[Assignment], scope: Scope, witnesses: Mapping[int, Z3]
    ) -> Reader:
        """Return the state after assignments.

        ``witnesses`` has for a ``following(...)`` that is assigned, by its identity, the element
        that follows. Where a state may hold anything, nothing is known of it.
        """

        def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
            found = scope.before(v, place)
            for x in assignments:
                if x.variable is not v:
                    continue
                here, bound = self.match(x, place, scope)
                if here is not None:
                    value = self.assigned(x, scope.with_names(bound), witnesses, place)
                    found = self.choose(here, value, found)
            return found

        return read

    def match(
        self, x: Assignment, place: tuple[Z3, ...], scope: Scope
    ) -> tuple[Z3 | None, dict[str, Z3]]:
        """Return when an assignment sets ``place``, and what its bound names then are.

        None instead of a condition: never.
        """
        own = {name.label for name in x.bound}
        bound: dict[str, Z3] = {}
        conditions: list[Z3] = []
        for argument, here in zip(x.arguments, place, strict=True):
            if isinstance(argument, Name) and argument.label in own:
                bound[argument.label] = here  # each comes from `every`, so it stands alone
                continue
            same = self.same(self.term(argument, scope), here)
            if z3.is_false(same):
                return None, {}
            conditions += () if z3.is_true(same) else (same,)
        return self.all_of(conditions), bound

    def assigned(
        self, x: Assignment, scope: Scope, witnesses: Mapping[int, Z3], place: tuple[Z3, ...] = ()
    ) -> Z3:
        """Return the value that an assignment gives to a place."""
        if x.value is None:
            symbol = self.universe.symbol(x.variable, "anything.")
            return symbol(*place) if place else symbol
        if isinstance(x.value, Formula):
            return self.formula(x.value, scope)
        return self._value(x.value, scope, witnesses)

    def _value(self, term: Any, scope: Scope, witnesses: Mapping[int, Z3]) -> Z3:
        if isinstance(term, Following):
            return witnesses[id(term)]
        if isinstance(term, IfThenElse):
            condition = self.formula(term.condition, scope)
            then = self._value(term.then, scope, witnesses)
            return z3.If(condition, then, self._value(term.otherwise, scope, witnesses))
        return self.term(term, scope)

    # --- formulas ----------------------------------------------------------------------------

    def closed(self, formula: Expr, scope: Scope) -> Z3:
        """Return a formula that stands alone: its bound variables are numbered from zero."""
        self._bound = 0
        return self.formula(formula, scope)

    def formula(self, expr: Expr, scope: Scope) -> Z3:
        """Return a formula of the spec as one of the solver."""
        match expr:
            case Truth(value):
                return self.truth(value)
            case Holds():
                return self._read(expr, scope)
            case Equal(left, right):
                return self._compare(left, right, scope, self._equal)
            case Less(left, right):
                return self._compare(left, right, scope, self._less)
            case Not(body):
                return z3.Not(self.formula(body, scope))
            case And(parts):
                return self.all_of([self.formula(p, scope) for p in parts])
            case Or(parts):
                return self.any_of([self.formula(p, scope) for p in parts])
            case Implies(antecedent, consequent):
                return z3.Implies(self.formula(antecedent, scope), self.formula(consequent, scope))
            case Iff(left, right):
                return self.formula(left, scope) == self.formula(right, scope)
            case ForAll(name, body) | Exists(name, body):
                return self._quantified(name, body, scope, isinstance(expr, ForAll))
        raise self._unknown(expr)

    def _quantified(self, name: Name, body: Formula, scope: Scope, every: bool) -> Z3:
        elements = self.universe.elements(name.sort)
        if elements:
            parts = [self.formula(body, scope.with_names({name.label: e})) for e in elements]
            return self.all_of(parts) if every else self.any_of(parts)
        self._bound += 1
        bound = self.universe.constant(f"{name.label}.{self._bound}", name.sort)
        inner = self.formula(body, scope.with_names({name.label: bound}))
        return z3.ForAll([bound], inner) if every else z3.Exists([bound], inner)

    def _compare(
        self, left: Term, right: Term, scope: Scope, relate: Callable[[Term, Term, Scope], Z3]
    ) -> Z3:
        """Compare terms after drawing each choice out: ``following`` is no term of the solver."""
        if left.sort.integer:
            raise self._numbers()
        for i, side in enumerate((left, right)):
            if isinstance(side, IfThenElse):
                condition = self.formula(side.condition, scope)
                branches = [
                    self._compare(*((x, right) if i == 0 else (left, x)), scope, relate)
                    for x in (side.then, side.otherwise)
                ]
                return z3.If(condition, *branches)
        return relate(left, right, scope)

    def _equal(self, left: Term, right: Term, scope: Scope) -> Z3:
        match left, right:
            case Following(a), Following(b):
                return self._equal(a, b, scope)
            case (Following(a), b) | (b, Following(a)):
                follows = self.universe.following(left.sort)
                return follows(self.term(a, scope), self.term(b, scope))
        return self.same(self.term(left, scope), self.term(right, scope))

    def _less(self, left: Term, right: Term, scope: Scope) -> Z3:
        """Return ``left < right``; what follows the last element comes after every element."""
        match left, right:
            case Following(a), Following(b):
                return self._less(a, b, scope)
            case Following(a), b:
                equal = self._equal(left, right, scope)
                return z3.And(self._less(a, b, scope), z3.Not(equal))
            case a, Following(b):
                return z3.Not(self._less(b, a, scope))
        return self.universe.less(left.sort)(self.term(left, scope), self.term(right, scope))

    # --- terms -------------------------------------------------------------------------------

    def term(self, expr: Expr, scope: Scope) -> Z3:
        """Return a term of the spec as one of the solver.

        Raises:
            ProofError: it counts or calculates, or ``following`` stands where an element must.
        """
        match expr:
            case Name(label):
                return scope.names[label]
            case Element(sort, _, index):
                return self.universe.elements(sort)[index] if index else self.universe.first(sort)
            case Apply():
                return self._read(expr, scope)
            case IfThenElse(condition, then, otherwise):
                branches = self.term(then, scope), self.term(otherwise, scope)
                return z3.If(self.formula(condition, scope), *branches)
        raise self._unknown(expr)

    def _read(self, expr: Holds | Apply, scope: Scope) -> Z3:
        reader = scope.after if expr.after else scope.before
        if reader is None:
            raise ProofError(f"{expr.variable.name} is read after a step where there is none")
        return reader(expr.variable, tuple(self.term(a, scope) for a in expr.arguments))

    def _unknown(self, expr: Expr) -> ProofError:
        if isinstance(expr, Following):
            return ProofError(
                f"{self.universe.spec.name}: following(...) is an index, or of another "
                "following(...), which proofs do not understand"
            )
        return self._numbers()

    def _numbers(self) -> ProofError:
        return ProofError(
            f"{self.universe.spec.name}: it counts or calculates, which proofs for all sizes do "
            "not understand"
        )

    # --- small things ------------------------------------------------------------------------

    def truth(self, value: bool) -> Z3:
        """Return a constant truth value."""
        return z3.BoolVal(value, self.universe.context)

    def same(self, left: Z3, right: Z3) -> Z3:
        """Return whether two terms are one element; of named elements that is known."""
        if left.eq(right):
            return self.truth(True)
        if _is_named(left) and _is_named(right):
            return self.truth(False)
        return left == right

    def choose(self, condition: Z3, then: Z3, otherwise: Z3) -> Z3:
        """Return ``then`` where the condition holds, in the plainest form."""
        if z3.is_true(condition) or then.eq(otherwise):
            return then
        if z3.is_true(then):
            return z3.Or(condition, otherwise)
        if z3.is_false(then):
            return z3.And(z3.Not(condition), otherwise)
        return z3.If(condition, then, otherwise)

    def all_of(self, parts: Iterable[Z3]) -> Z3:
        """Return the conjunction; true if there is nothing."""
        kept = [p for p in parts if not z3.is_true(p)]
        return z3.And(*kept) if len(kept) > 1 else kept[0] if kept else self.truth(True)

    def any_of(self, parts: Iterable[Z3]) -> Z3:
        """Return the disjunction; false if there is nothing."""
        kept = [p for p in parts if not z3.is_false(p)]
        return z3.Or(*kept) if len(kept) > 1 else kept[0] if kept else self.truth(False)


def _is_named(term: Z3) -> bool:
    """Return whether a term is an element of a data type, which differs from all others."""
    return bool(z3.is_app(term) and term.decl().kind() == z3.Z3_OP_DT_CONSTRUCTOR)
