"""One finite instance for the solver, down to its cells: for questions about runs, not proofs.

The expressions of the spec are translated as for the proofs (``translate``), for another universe:
every element is a number of a few bits, every cell of a state is a symbol of its own, constants are
known, and every quantifier is written out. So what is left is for a SAT solver. Bounded integers
and counting are understood too: of one instance they are finite.

Each action is taken apart into its steps, one for each choice of arguments. What a step reads and
writes is read off its formulas: they mention nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import z3

from samebeat_proofs.translate import Reader, Scope, Translator
from samebeat_proofs.universe import Z3, Universe
from samebeat_spec.language import Action, Assignment, Instance, Variable
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.terms import (
    CountOf,
    Expr,
    Following,
    IfThenElse,
    Literal,
    Name,
    SortClass,
    Sum,
    Term,
)


class FiniteUniverse(Universe):
    """The elements of one instance, each a number of as many bits as its sort needs."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._bits = _bits_of_integers(instance)
        super().__init__(instance.spec, {})

    def _add(self, sort: SortClass) -> None:
        domain = self.instance.domain(sort)
        bits = self._bits if sort.integer else max(1, (len(domain) - 1).bit_length())
        name = sort.__name__
        self._sorts[name] = z3.BitVecSort(bits, self.context)
        self._elements[name] = tuple(z3.BitVecVal(x, bits, self.context) for x in domain)

    def sort(self, sort: SortClass) -> Z3:
        """Return the solver's sort; all sorts of integers are one, also that of counts."""
        if sort is not None and sort.integer:
            return z3.BitVecSort(self._bits, self.context)
        return super().sort(sort)

    def element(self, sort: SortClass, value: int) -> Z3:
        """Return the solver's term for an element, or for a truth value."""
        if sort is None:
            return z3.BoolVal(bool(value), self.context)
        return self._elements[sort.__name__][value - self.instance.domain(sort)[0]]

    def number(self, sort: SortClass, value: int) -> Z3:
        """Return a number, of a sort of integers but perhaps outside its bounds."""
        return z3.BitVecVal(value, self.sort(sort))

    def less(self, sort: SortClass) -> Z3:
        """Return the order, computed where both elements are known."""
        return _computed(z3.ULT, lambda a, b: a < b)

    def following(self, sort: SortClass) -> Z3:
        """Return the relation of an element to the next one; the last has none."""
        last = self.elements(sort)[-1]

        def follows(a: Z3, b: Z3) -> Z3:
            return z3.And(a != last, b == a + 1)

        return _computed(follows, lambda a, b: a + 1 == b)


def _computed(relate: Callable[[Z3, Z3], Z3], known: Callable[[int, int], bool]) -> Any:
    def related(a: Z3, b: Z3) -> Z3:
        if z3.is_bv_value(a) and z3.is_bv_value(b):
            return z3.BoolVal(known(a.as_long(), b.as_long()), a.ctx)
        return relate(a, b)

    return related


def _bits_of_integers(instance: Instance) -> int:
    """Return how many bits hold every number that an expression can come to, with its sign."""
    spec = instance.spec
    bounds = [abs(x) for s in spec.sorts if s.integer for x in _ends(instance.domain(s))]
    counted = [
        len(instance.domain(e.name.sort)) for e in spec.expressions if isinstance(e, CountOf)
    ]
    written = [abs(e.value) for e in spec.expressions if isinstance(e, Literal)]
    most = max([1, *bounds, *counted, *written])
    summands = max([1, *(_summands(e) for e in spec.expressions if isinstance(e, Sum))])
    return (most * summands).bit_length() + 1


def _ends(domain: range) -> tuple[int, int]:
    return domain[0], domain[-1]


def _summands(expr: Expr) -> int:
    if isinstance(expr, Sum):
        return _summands(expr.left) + _summands(expr.right)
    if isinstance(expr, IfThenElse):
        return max(_summands(expr.then), _summands(expr.otherwise))
    return 1


class FiniteTranslator(Translator):
    """Translates expressions of one instance; what is known is computed on the way."""

    universe: FiniteUniverse

    def __init__(self, universe: FiniteUniverse) -> None:
        super().__init__(universe)
        self.instance = universe.instance

    def reader(self, cells: Sequence[Z3]) -> Reader:
        """Return the state with these cells, in the instance's order."""

        def cell(v: Variable, place: Arguments) -> Z3:
            if v.constant:
                return self.universe.element(v.to, self.instance.constant_values[v.name][place])
            return cells[self.instance.cell_index[v.name][place]]

        def read(v: Variable, place: tuple[Z3, ...]) -> Z3:
            each = [self._places(x, s) for x, s in zip(place, v.arguments, strict=True)]
            found = None
            for choice in product(*each):
                here = self.all_of([condition for condition, _ in choice])
                value = cell(v, tuple(i for _, i in choice))
                found = value if found is None else self.choose(here, value, found)
            return found

        return read

    def _places(self, term: Z3, sort: SortClass) -> list[tuple[Z3, int]]:
        """Return which elements a term may be, and when it is each."""
        domain = self.instance.domain(sort)
        if z3.is_bv_value(term):
            value = term.as_signed_long() if sort.integer else term.as_long()
            return [(self.truth(True), min(max(value, domain[0]), domain[-1]))]
        return [(term == self.universe.element(sort, i), i) for i in domain]

    def same(self, left: Z3, right: Z3) -> Z3:
        """Return whether two terms are one element; of numbers that is known."""
        if z3.is_bv_value(left) and z3.is_bv_value(right):
            return self.truth(left.as_long() == right.as_long())
        return super().same(left, right)

    def choose(self, condition: Z3, then: Z3, otherwise: Z3) -> Z3:
        """Return ``then`` where the condition holds, in the plainest form."""
        if z3.is_false(condition):
            return otherwise
        return super().choose(condition, then, otherwise)

    def _compare(
        self, left: Term, right: Term, scope: Scope, relate: Callable[[Term, Term, Scope], Z3]
    ) -> Z3:
        if not left.sort.integer:
            return super()._compare(left, right, scope, relate)
        one, other = self.term(left, scope), self.term(right, scope)
        return self.same(one, other) if relate == self._equal else z3.simplify(one < other)

    def term(self, expr: Expr, scope: Scope) -> Z3:
        """Return a term of the spec as a number of the solver."""
        match expr:
            case Literal(sort, value):
                return self.universe.number(sort, value)
            case Sum(left, right, sign):
                one, other = self.term(left, scope), self.term(right, scope)
                return z3.simplify(one + other if sign > 0 else one - other)
            case CountOf(sort, name, body):
                zero, one = self.universe.number(sort, 0), self.universe.number(sort, 1)
                total = zero
                for element in self.universe.elements(name.sort):
                    here = self.formula(body, scope.with_names({name.label: element}))
                    total += self.choose(z3.simplify(here), one, zero)
                return z3.simplify(total)
            case IfThenElse(condition, then, otherwise):
                given = z3.simplify(self.formula(condition, scope))
                return self.choose(given, self.term(then, scope), self.term(otherwise, scope))
        return super().term(expr, scope)

    def _value(self, term: Any, scope: Scope, witnesses: Mapping[int, Z3]) -> Z3:
        if isinstance(term, Following):
            return z3.simplify(self.term(term.body, scope) + 1)
        if isinstance(term, IfThenElse):
            given = z3.simplify(self.formula(term.condition, scope))
            then = self._value(term.then, scope, witnesses)
            return self.choose(given, then, self._value(term.otherwise, scope, witnesses))
        return self.term(term, scope)

    def fits(self, term: Any, sort: SortClass, scope: Scope) -> Z3:
        """Return that a value is an element of the sort that it is assigned to."""
        if sort is None or not (sort.integer or sort.ordered):
            return self.truth(True)
        if isinstance(term, IfThenElse):
            given = z3.simplify(self.formula(term.condition, scope))
            then, otherwise = (self.fits(x, sort, scope) for x in (term.then, term.otherwise))
            return self.choose(given, then, otherwise)
        low, *_, high = (*self.universe.elements(sort), self.universe.elements(sort)[-1])
        if isinstance(term, Following):
            return z3.Not(self.same(self.term(term.body, scope), high))
        if not sort.integer:
            return self.truth(True)
        value = self.term(term, scope)
        return z3.simplify(z3.And(low <= value, value <= high))


@dataclass(frozen=True)
class GroundStep:
    """An action with its arguments: when it can be taken, and what it does.

    Args:
        action, arguments: the step.
        needs: its guards.
        fits: that the state after it is one of the instance; if not so, the spec has an error.
        effects: for each cell that it may set, when it does and to what.
        reads: the cells that any of these formulas mention.
    """

    action: Action
    arguments: Arguments
    needs: Z3
    fits: Z3
    effects: Mapping[int, tuple[Z3, Z3]]
    reads: frozenset[int]

    @property
    def writes(self) -> frozenset[int]:
        """The cells that it may set."""
        return frozenset(self.effects)


class Finite:
    """An instance as formulas over the cells of one state, and of the state after a step."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.spec = instance.spec
        self.universe = FiniteUniverse(instance)
        self.translator = FiniteTranslator(self.universe)
        self.cells = self.at("")
        self.after = self.at("'")
        self._numbers = {cell.get_id(): i for i, cell in enumerate(self.cells)}

    def at(self, suffix: str) -> tuple[Z3, ...]:
        """Return the cells of a state, as symbols that end in ``suffix``."""
        return tuple(
            z3.Const(f"{self.instance.cell_label(i)}{suffix}", self.universe.sort(cell.variable.to))
            for i, cell in enumerate(self.instance.cells)
        )

    def formula(self, expr: Expr) -> Z3:
        """Return a formula about a state, or about a step, over ``cells`` and ``after``."""
        scope = Scope(self.translator.reader(self.cells), self.translator.reader(self.after))
        return z3.simplify(self.translator.formula(expr, scope))

    @cached_property
    def steps(self) -> tuple[GroundStep, ...]:
        """Every step that is not ruled out by what is known of constants."""
        return tuple(
            step
            for action in self.spec.actions
            for arguments in self.instance.choices(action.parameters)
            if (step := self._step(action, arguments, self.cells)) is not None
        )

    def start(self) -> Z3:
        """Return that ``cells`` are those of an initial state."""
        zero = tuple(
            self.universe.element(cell.variable.to, cell.values[0]) for cell in self.instance.cells
        )
        found = []
        for initial in self.spec.initials:
            for arguments in self.instance.choices(initial.parameters):
                step = self._step(initial, arguments, zero)
                if step is not None:
                    found.append(z3.And(step.needs, step.fits, *self._begins(step, zero)))
        return z3.Or(*found) if found else self.translator.truth(False)

    def _begins(self, step: GroundStep, zero: Sequence[Z3]) -> Iterator[Z3]:
        """Yield what each cell is in an initial state; one that may be anything is an element."""
        for i, cell in enumerate(self.cells):
            when, value = step.effects.get(i, (self.translator.truth(False), zero[i]))
            if value is None:
                yield self._is_element(i)
            else:
                yield cell == self.translator.choose(when, value, zero[i])

    def _is_element(self, index: int) -> Z3:
        sort = self.instance.cells[index].variable.to
        if sort is None:
            return self.translator.truth(True)
        return z3.Or(*(self.cells[index] == x for x in self.universe.elements(sort)))

    def _step(
        self, action: Action, arguments: Arguments, before: Sequence[Z3]
    ) -> GroundStep | None:
        names = {
            p.label: self.universe.element(p.sort, x)
            for p, x in zip(action.parameters, arguments, strict=True)
        }
        scope = Scope(self.translator.reader(before), None, names)
        needs = self._all(self.translator.formula(g.condition, scope) for g in action.guards)
        if z3.is_false(needs):
            return None
        effects: dict[int, tuple[Z3, Z3]] = {}
        fits: list[Z3] = []
        for x in action.assignments:
            for index, when, value, fit in self._effects(x, scope):
                fits.append(z3.Implies(when, fit))
                if index in effects:
                    other, old = effects[index]
                    fits.append(z3.Not(z3.And(when, other, z3.Not(value == old))))
                    when, value = z3.Or(when, other), self.translator.choose(when, value, old)
                effects[index] = when, value
        fit = self._all(fits)
        mentioned = [needs, fit, *(x for pair in effects.values() for x in pair)]
        return GroundStep(action, arguments, needs, fit, effects, self._mentioned(mentioned))

    def _all(self, formulas: Any) -> Z3:
        return z3.simplify(self.translator.all_of(list(formulas)))

    def _effects(self, x: Assignment, scope: Scope) -> Iterator[tuple[int, Z3, Z3, Z3]]:
        """Yield for each cell that an assignment may set: when, to what, and that it fits."""
        outside = self._all(self._arguments_fit(x, scope))
        for place, index in self.instance.cell_index[x.variable.name].items():
            here = tuple(
                self.universe.element(s, i)
                for s, i in zip(x.variable.arguments, place, strict=True)
            )
            when, bound = self.translator.match(x, here, scope)
            if when is None:
                continue
            inner = scope.with_names(bound)
            if x.value is None:
                yield index, self.translator.truth(True), None, outside
                continue
            value = z3.simplify(self.translator.assigned(x, inner, {}, here))
            fit = self.translator.fits(x.value, x.variable.to, inner)
            yield index, z3.simplify(when), value, z3.And(outside, fit)

    def _arguments_fit(self, x: Assignment, scope: Scope) -> Iterator[Z3]:
        own = {name.label for name in x.bound}
        for argument, sort in zip(x.arguments, x.variable.arguments, strict=True):
            if not (isinstance(argument, Name) and argument.label in own):
                yield self.translator.fits(argument, sort, scope)

    def _mentioned(self, formulas: Sequence[Z3]) -> frozenset[int]:
        """Return the cells that formulas mention."""
        found, seen, pending = set(), set(), [f for f in formulas if f is not None]
        while pending:
            e = pending.pop()
            if e.get_id() in seen:
                continue
            seen.add(e.get_id())
            if e.get_id() in self._numbers:
                found.add(self._numbers[e.get_id()])
            pending += e.children()
        return frozenset(found)

    def read_state(self, model: Z3, cells: Sequence[Z3]) -> StateTuple:
        """Return the cells of a state in a model of the solver."""
        return tuple(
            self._value(model.eval(x, model_completion=True), cell.variable.to)
            for x, cell in zip(cells, self.instance.cells, strict=True)
        )

    @staticmethod
    def _value(value: Z3, sort: SortClass) -> int:
        if sort is None:
            return int(z3.is_true(value))
        return int(value.as_signed_long() if sort.integer else value.as_long())
