"""Grounding: an instance without quantifiers, parameters or indices.

Promela has no functions over finite sets, so every choice of parameters becomes a guarded command
over cells (one variable at one place). Guards are folded; a command that can never change anything
is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeVar, cast

from samebeat_models.exports.trees import (
    FALSE,
    TRUE,
    Facts,
    all_of,
    any_of,
    assume,
    before_step,
    change_of,
    choice,
    constant_index,
    equality,
    facts_of,
    is_bound,
    less,
    negation,
    read,
    rebuild,
    subtrees,
    term_choice,
    total,
    with_first_values,
)
from samebeat_spec.language import Action, Assignment, Formula, Instance, Property, Term, Variable
from samebeat_spec.language.terms import (
    Apply,
    CountOf,
    Element,
    Exists,
    Expr,
    Following,
    ForAll,
    Holds,
    IfThenElse,
    Key,
    Literal,
    Name,
    SortClass,
    Sum,
    Truth,
)

E = TypeVar("E", bound=Expr)
Environment = Mapping[str, Term]
Place = tuple[int, ...]


@dataclass(frozen=True)
class Command:
    """An action at concrete arguments: if ``guard``, then all ``updates`` at once.

    ``updates`` are (cell, value); ``checks`` are step properties as formulas about the state
    before the step; ``fits`` says that every new value is within its sort's bounds.
    """

    action: Action
    arguments: tuple[int, ...]
    guard: Formula
    updates: tuple[tuple[int, Expr], ...]
    checks: tuple[tuple[str, Formula], ...]
    fits: Formula


@dataclass(frozen=True)
class Start:
    """One or many initial states: the value of each cell, None where it may be any."""

    name: str
    values: tuple[int | None, ...]


class Grounder:
    """Grounds the expressions and actions of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    # --- expressions -----------------------------------------------------------------------

    def constant(self, sort: SortClass, index: int) -> Term:
        """Return a concrete element as a term."""
        if sort.integer:
            return Literal(sort, index)
        return Element(sort, self.instance.label(sort, index), index)

    def value(self, sort: SortClass, index: int) -> Expr:
        """Return a concrete value as an expression; the sort of truth values is None."""
        return Truth(bool(index)) if sort is None else self.constant(sort, index)

    def first(self, sort: SortClass) -> Expr:
        """Return the first value of a sort, which places hold unless an initial state sets them."""
        return FALSE if sort is None else self.constant(sort, self.instance.domain(sort)[0])

    def elements(self, sort: SortClass) -> list[Term]:
        """Return every element of a sort."""
        return [self.constant(sort, i) for i in self.instance.domain(sort)]

    def ground(self, expr: E, env: Environment) -> E:
        """Return ``expr`` over cells only; ``env`` gives the names that are free in it."""

        def go(e: Expr) -> Expr:
            match e:
                case Name(label):
                    return env[label]
                case Element(sort, _, index):
                    return self.constant(sort, index)
                case Holds(variable, arguments, after) | Apply(variable, arguments, after):
                    place = tuple(cast("Term", go(a)) for a in arguments)
                    return self._read(variable, place, after)
                case ForAll(name, body):
                    return all_of(self._instances(name, body, env))
                case Exists(name, body):
                    return any_of(self._instances(name, body, env))
                case CountOf(sort, name, body):
                    return self._count(sort, self._instances(name, body, env))
            return rebuild(e, go)

        return cast("E", go(expr))

    def _instances(self, name: Name, body: Formula, env: Environment) -> Iterator[Formula]:
        for element in self.elements(name.sort):
            yield self.ground(body, {**env, name.label: element})

    @staticmethod
    def _count(sort: SortClass, parts: Iterator[Formula]) -> Term:
        fixed, result = 0, None
        zero, one = Literal(sort, 0), Literal(sort, 1)
        for part in parts:
            if isinstance(part, Truth):
                fixed += int(part.value)
            else:
                term = term_choice(part, one, zero)
                result = term if result is None else Sum(result, term, 1)
        base = Literal(sort, fixed)
        return base if result is None else total(result, base, 1)

    def _read(self, variable: Variable, place: tuple[Term, ...], after: bool) -> Expr:
        """Read at a place; one that depends on the state becomes a choice between cells."""
        indices = [constant_index(a) for a in place]
        for i, index in enumerate(indices):
            if index is None:
                return self._read_any(variable, place, i, after)
        concrete = cast("Place", tuple(indices))
        if variable.constant:
            table = self.instance.constant_values[variable.name]
            found = table.get(concrete)
        elif concrete in self.instance.cell_index[variable.name]:
            return read(variable, place, after)
        else:
            found = None
        return self.first(variable.to) if found is None else self.value(variable.to, found)

    def _read_any(self, variable: Variable, place: tuple[Term, ...], i: int, after: bool) -> Expr:
        elements = self.elements(variable.arguments[i])
        options = [
            (equality(place[i], e), self._read(variable, (*place[:i], e, *place[i + 1 :]), after))
            for e in elements
        ]
        result = options[-1][1]
        for condition, value in reversed(options[:-1]):
            result = choice(condition, value, result)
        return result

    def cell_of(self, expr: Holds | Apply) -> int:
        """Return the cell that a ground read reads."""
        place = tuple(cast("int", constant_index(a)) for a in expr.arguments)
        return self.instance.cell_index[expr.variable.name][place]

    def cells_in(self, expr: Expr) -> set[int]:
        """Return the cells that a ground expression reads."""
        return {self.cell_of(e) for e in subtrees(expr) if isinstance(e, (Holds, Apply))}

    def bounds(self, expr: Expr) -> tuple[int, int]:
        """Return numbers between which the value of a ground expression lies."""
        match expr:
            case Apply():
                domain = self.instance.domain(expr.sort)
                return domain[0], domain[-1]
            case Element(_, _, index) | Literal(_, index):
                return index, index
            case Following(body):
                low, high = self.bounds(body)
                return low + 1, high + 1
            case Sum(left, right, sign):
                (low, high), other = self.bounds(left), self.bounds(right)
                shift = sorted((sign * other[0], sign * other[1]))
                return low + shift[0], high + shift[1]
            case IfThenElse(_, then, otherwise):
                (a, b), (c, d) = self.bounds(then), self.bounds(otherwise)
                return min(a, c), max(b, d)
        return 0, 1

    # --- actions ---------------------------------------------------------------------------

    def commands(self, action: Action, properties: tuple[Property, ...]) -> Iterator[Command]:
        """Yield the commands of an action that can ever change anything.

        ``properties`` are the step properties to check.
        """
        change = change_of(action)
        checks = [(p.name, before_step(p.formula, action)) for p in properties]
        for arguments in self.instance.choices(action.parameters):
            env = self._environment(action, arguments)
            guard, facts = self._guard(action, change, env)
            if isinstance(guard, Truth) and not guard.value:
                continue
            updates, fits = self._updates(action, env, facts)
            grounded = [(n, assume(self.ground(f, env), facts)) for n, f in checks]
            needed = [(n, f) for n, f in grounded if not (isinstance(f, Truth) and f.value)]
            yield Command(action, arguments, guard, updates, tuple(needed), fits)

    def _environment(self, action: Action, arguments: Place) -> dict[str, Term]:
        pairs = zip(action.parameters, arguments, strict=True)
        return {p.label: self.constant(p.sort, i) for p, i in pairs}

    def _guard(
        self, action: Action, change: Formula, env: Environment
    ) -> tuple[Formula, dict[Key, Expr]]:
        """Return the guards as one formula, each simplified by those before it, and the facts."""
        facts: dict[Key, Expr] = {}
        parts: list[Formula] = []
        for condition in (*(g.condition for g in action.guards), change):
            part = assume(self.ground(condition, env), facts)
            facts.update(facts_of(part))
            parts.append(part)
        return all_of(parts), facts

    def _updates(
        self, action: Action, env: Environment, facts: Facts
    ) -> tuple[tuple[tuple[int, Expr], ...], Formula]:
        found: dict[int, Expr] = {}
        fits: list[Formula] = []
        for a in action.assignments:
            for cell, condition, value in self._effects(a, env):
                old = self._cell_read(cell)
                fits.append(self._fit(cell, condition, assume(value, facts)))
                found[cell] = choice(condition, value, found.get(cell, old))
        new = {cell: assume(value, facts) for cell, value in found.items()}
        changed = {
            cell: value
            for cell, value in new.items()
            if value.key() not in (self._cell_read(cell).key(), self._known(cell, facts))
        }
        return tuple(changed.items()), assume(all_of(fits), facts)

    def _known(self, cell: int, facts: Facts) -> object:
        fact = facts.get(self._cell_read(cell).key())
        return None if fact is None else fact.key()

    def _cell_read(self, cell: int) -> Expr:
        c = self.instance.cells[cell]
        sorts = c.variable.arguments
        place = tuple(self.constant(s, i) for s, i in zip(sorts, c.arguments, strict=True))
        return read(c.variable, place)

    def _effects(self, a: Assignment, env: Environment) -> Iterator[tuple[int, Formula, Expr]]:
        """Yield (cell, condition, value): the cell gets the value where the condition holds."""
        index = self.instance.cell_index[a.variable.name]
        for picks in self.instance.choices(a.bound):
            bound = {n.label: self.constant(n.sort, i) for n, i in zip(a.bound, picks, strict=True)}
            inner = {**env, **bound}
            place = [self.ground(t, inner) for t in a.arguments]
            value = self.ground(cast("Expr", a.value), inner)
            columns = zip(place, a.variable.arguments, strict=True)
            for options in product(*(self._options(t, s) for t, s in columns)):
                target = tuple(i for i, _ in options)
                yield index[target], all_of(c for _, c in options), value

    def _options(self, term: Term, sort: SortClass) -> list[tuple[int, Formula]]:
        """Return each element that an index may be, with when it is that one."""
        domain = self.instance.domain(sort)
        options = [(i, equality(term, self.constant(sort, i))) for i in domain]
        return [(i, c) for i, c in options if not (isinstance(c, Truth) and not c.value)]

    def _fit(self, cell: int, condition: Formula, value: Expr) -> Formula:
        """Return "the value is within the bounds of its cell", as far as that is not certain."""
        if isinstance(value, Formula):
            return TRUE
        term, allowed = cast("Term", value), self.instance.cells[cell].values
        low, high = self.bounds(term)
        sort = term.sort
        parts = []
        if low < allowed[0]:
            parts.append(negation(less(term, self.constant(sort, allowed[0]))))
        if high > allowed[-1]:
            parts.append(negation(less(self.constant(sort, allowed[-1]), term)))
        return any_of((negation(condition), all_of(parts)))

    # --- initial states --------------------------------------------------------------------

    def starts(self) -> list[Start]:
        """Return the initial states, one entry for each choice of an initial's parameters."""
        found: list[Start] = []
        for definition in self.instance.spec.initials:
            for arguments in self.instance.choices(definition.parameters):
                env = self._environment(definition, arguments)
                guards = (self._at_start(g.condition, env) for g in definition.guards)
                if all_of(guards).key() == TRUE.key():
                    labels = [
                        self.instance.label(p.sort, i)
                        for p, i in zip(definition.parameters, arguments, strict=True)
                    ]
                    name = " ".join((definition.name, *labels))
                    found.append(Start(name, self._start_values(definition, env)))
        return found

    def _start_values(self, definition: Action, env: Environment) -> tuple[int | None, ...]:
        values: dict[int, int | None] = {}
        for a in definition.assignments:
            concrete = [t if is_bound(a, t) else self._at_start(t, env) for t in a.arguments]
            for picks in self.instance.choices(a.bound):
                pairs = zip(a.bound, picks, strict=True)
                inner = {**env, **{n.label: self.constant(n.sort, i) for n, i in pairs}}
                place = tuple(self._concrete(t, inner) for t in concrete)
                cell = self.instance.cell_index[a.variable.name][place]
                values[cell] = None if a.value is None else self._concrete(a.value, inner)
        cells = enumerate(self.instance.cells)
        return tuple(values.get(i, cell.values[0]) for i, cell in cells)

    def _at_start(self, expr: E, env: Environment) -> E:
        return self.ground(with_first_values(expr, self.first), env)

    def _concrete(self, expr: Expr, env: Environment) -> int:
        value = self._at_start(expr, env)
        return int(value.value) if isinstance(value, Truth) else cast("int", constant_index(value))
