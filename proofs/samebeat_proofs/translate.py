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
    Literal,
    Name,
    Not,
    Or,
    Sum,
    Term,
    Truth,
)

Reader = Callable[[Variable, tuple[Z3, ...]], Z3]
"""What a variable is at a place, in some state."""


@dataclass(frozen=True)
class Scope:
    """What names stand for, and what variables are, before a step and after it.

    ``asserted`` says whether what is translated is claimed to be true, or denied. ``general`` are
    the bound variables that stand for many elements once all is claimed.
    """

    before: Reader
    after: Reader | None = None
    names: Mapping[str, Z3] = field(default_factory=dict)
    asserted: bool = True
    general: frozenset[str] = frozenset()

    def with_names(self, names: Mapping[str, Z3]) -> Scope:
        """Return this scope with more names."""
        return replace(self, names={**self.names, **names})

    def denied(self) -> Scope:
        """Return this scope under one more negation."""
        return replace(self, asserted=not self.asserted)

    def under(self, bound: str, every: bool) -> Scope:
        """Return this scope with a variable bound by "for all", or by "there is".

        What exists for each of many elements is many elements too.
        """
        many = every == self.asserted or bool(self.general)
        return replace(self, general=self.general | {bound}) if many else self


@dataclass
class _Value:
    """A name for the value at a place of a function that is read as a relation."""

    variable: Variable
    place: tuple[Z3, ...]
    name: Z3
    many: bool = False


class Translator:
    """Translates expressions of one spec for one universe.

    Bound variables are numbered within one formula, so that none is captured when what a step
    assigns is put in the place of what is read, and so that the same formula about the same state
    is translated to the same expression.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._bound = 0
        self._values: list[_Value] = []

    # --- states ------------------------------------------------------------------------------

    def state(self, prefix: str = "") -> Reader:
        """Return a state of which nothing is known, with symbols of this prefix."""

        def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
            if self.universe.is_relational(v):
                return self._value_at(v, place)
            symbol = self.universe.symbol(v, "" if v.constant else prefix)
            return symbol(*place) if place else symbol

        return read

    def _value_at(self, v: Variable, place: tuple[Z3, ...]) -> Z3:
        """Return a name for what a function that is read as a relation is at a place."""
        for known in self._values:
            if known.variable is v and all(map(_same, known.place, place)):
                return known.name
        self._bound += 1
        name = self.universe.constant(f"{v.name}.{self._bound}", v.to)
        self._values.append(_Value(v, place, name))
        return name

    def atom(self, build: Callable[[], Z3], scope: Scope) -> Z3:
        """Return a formula, with the values of functions that are read as relations bound.

        Of a function that has one value everywhere, "each value is such" and "some value is such"
        say the same. Of many elements we take "each value", here, which depends on nothing. Of one
        element we take "some value", which tells the solver that there is one; that is said where
        the element is bound.
        """
        count = len(self._values)
        found = build()
        general = set(scope.general)
        own = self._values[count:]
        for value in own:
            value.many = any(_mentions(x, general) for x in value.place)
            general |= {str(value.name)} if value.many else set()
        self._values[count:] = [v for v in own if not v.many]
        return self._with_values(found, [v for v in own if v.many], scope, not scope.asserted)

    def _with_values(self, found: Z3, values: list[_Value], scope: Scope, some: bool) -> Z3:
        """Return a formula under names of values: of some value, or of each."""
        for value in reversed(values):
            link = self.universe.graph(value.variable)(*value.place, value.name)
            if some:
                found = z3.Exists([value.name], z3.And(link, found))
            else:
                found = z3.ForAll([value.name], z3.Implies(link, found))
        return found

    def _bind_values(self, found: Z3, bound: str | None, count: int, scope: Scope) -> Z3:
        """Bind the values at elements that are bound here; at the outermost place, all."""
        names = {bound or ""}
        own: list[_Value] = []
        others: list[_Value] = []
        for value in self._values[count:]:
            here = bound is None or any(_mentions(x, names) for x in value.place)
            names |= {str(value.name)} if here else set()
            (own if here else others).append(value)
        self._values[count:] = others
        return self._with_values(found, own, scope, scope.asserted)

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
            named = witnesses.get(id(term))
            condition = self.formula(term.condition, scope) if named is None else named
            then = self._value(term.then, scope, witnesses)
            return z3.If(condition, then, self._value(term.otherwise, scope, witnesses))
        return self.term(term, scope)

    # --- formulas ----------------------------------------------------------------------------

    def closed(self, formula: Expr, scope: Scope) -> Z3:
        """Return a formula that stands alone: its bound variables are numbered from zero."""
        self._bound = 0
        return self._bind_values(self.formula(formula, scope), None, 0, scope)

    def standing_alone(self, build: Callable[[], Z3], scope: Scope) -> Z3:
        """Return a formula that is built outside of any other, its values bound."""
        return self._bind_values(self.atom(build, scope), None, 0, scope)

    def formula(self, expr: Expr, scope: Scope) -> Z3:
        """Return a formula of the spec as one of the solver."""
        match expr:
            case Truth(value):
                return self.truth(value)
            case Holds():
                return self.atom(lambda: self._read(expr, scope), scope)
            case Equal(left, right):
                return self._compare(left, right, scope, self._equal)
            case Less(left, right):
                return self._compare(left, right, scope, self._less)
            case Not(body):
                return z3.Not(self.formula(body, scope.denied()))
            case And(parts):
                return self.all_of([self.formula(p, scope) for p in parts])
            case Or(parts):
                return self.any_of([self.formula(p, scope) for p in parts])
            case Implies(antecedent, consequent):
                given = self.formula(antecedent, scope.denied())
                return z3.Implies(given, self.formula(consequent, scope))
            case Iff(left, right):
                return self._iff(left, right, scope)
            case ForAll(name, body) | Exists(name, body):
                return self._quantified(name, body, scope, isinstance(expr, ForAll))
        raise self._unknown(expr)

    def _iff(self, left: Formula, right: Formula, scope: Scope) -> Z3:
        if not self.universe.relational:
            return self.formula(left, scope) == self.formula(right, scope)
        return z3.And(*(self.formula(Implies(*x), scope) for x in ((left, right), (right, left))))

    def _quantified(self, name: Name, body: Formula, scope: Scope, every: bool) -> Z3:
        elements = self.universe.elements(name.sort)
        if elements:
            parts = [self.formula(body, scope.with_names({name.label: e})) for e in elements]
            return self.all_of(parts) if every else self.any_of(parts)
        if name.sort.integer:
            raise self._numbers()
        self._bound += 1
        bound = self.universe.constant(f"{name.label}.{self._bound}", name.sort)
        inside = scope.with_names({name.label: bound}).under(str(bound), every)
        count = len(self._values)
        inner = self._bind_values(self.formula(body, inside), str(bound), count, inside)
        return z3.ForAll([bound], inner) if every else z3.Exists([bound], inner)

    def _compare(
        self, left: Term, right: Term, scope: Scope, relate: Callable[[Term, Term, Scope], Z3]
    ) -> Z3:
        """Compare terms after drawing each choice out: ``following`` is no term of the solver."""
        if left.sort.integer and not self.universe.is_real(left.sort):
            raise self._numbers()
        for i, side in enumerate((left, right)):
            if isinstance(side, IfThenElse):
                then, otherwise = (
                    self._compare(*((x, right) if i == 0 else (left, x)), scope, relate)
                    for x in (side.then, side.otherwise)
                )
                return self._branch(side.condition, then, otherwise, scope)
        return self.atom(lambda: relate(left, right, scope), scope)

    def _branch(self, condition: Formula, then: Z3, otherwise: Z3, scope: Scope) -> Z3:
        if not self.universe.relational:
            return z3.If(self.formula(condition, scope), then, otherwise)
        given = self.formula(condition, scope.denied())
        return z3.And(z3.Implies(given, then), z3.Or(self.formula(condition, scope), otherwise))

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
        if self.universe.is_real(left.sort):
            return self.term(left, scope) < self.term(right, scope)
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
            case Literal(sort, number) if self.universe.is_real(sort):
                return self.universe.number(sort, number)
            case Sum(left, right, sign) if self.universe.is_real(left.sort):
                one, other = self.term(left, scope), self.term(right, scope)
                return one + other if sign > 0 else one - other
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


def _same(one: Z3, other: Z3) -> bool:
    return bool(one.eq(other))


def _mentions(term: Z3, names: set[str]) -> bool:
    """Return whether a term has a constant of one of these names in it."""
    if not names:
        return False
    return (
        str(term) in names
        if term.num_args() == 0
        else any(_mentions(part, names) for part in term.children())
    )
