"""Grounding: a spec's expressions and actions, over the cells of one instance.

A formula becomes a ground formula; a term becomes its *cases*: for each value, the ground formula
under which the term has it. An action becomes one ground action for each choice of arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from samebeat_models.explorer.formulas import FALSE, TRUE, Facts, Formulas, Ground
from samebeat_spec.language import Action, Assignment, Instance, StateError
from samebeat_spec.language.instance import Arguments
from samebeat_spec.language.terms import (
    And,
    Apply,
    CountOf,
    Element,
    Equal,
    Exists,
    Expr,
    Following,
    ForAll,
    Formula,
    Holds,
    Iff,
    IfThenElse,
    Implies,
    Key,
    Less,
    Literal,
    Name,
    Not,
    Or,
    Sum,
    Term,
    Truth,
    parts_of,
)

Cases = dict[int, Ground]
Environment = Mapping[str, int]


@dataclass(frozen=True)
class _Write:
    """An assignment to one cell, where ``condition`` holds."""

    cell: int
    condition: Ground
    value: Cases
    place: str


@dataclass(frozen=True)
class GroundAction:
    """One action with concrete arguments.

    ``effects`` maps a cell to the cases of its new value (the cases cover every state in which
    ``guard`` holds); ``changes`` holds where the step is not a stuttering one; ``misfits`` are
    conditions under which the step leads to a state that does not fit, each with what to say.
    """

    action: Action
    arguments: Arguments
    guard: Ground
    changes: Ground
    effects: Mapping[int, Cases]
    misfits: tuple[tuple[Ground, str], ...]


class Grounding:
    """Grounds one instance, given the values that each cell can take.

    Args:
        instance: the instance.
        possible: for each cell the values it can take (all that its sort allows, or fewer).

    Attributes:
        definitions: cells that others determine, with the cases of their value.
    """

    def __init__(self, instance: Instance, possible: Sequence[frozenset[int]]) -> None:
        self.instance = instance
        self.definitions: dict[int, Cases] = {}
        self.formulas = Formulas(possible)
        self.read: set[int] = set()
        """the cells that were looked at since somebody emptied this"""
        self._after: Mapping[int, Cases] | None = None
        self._cells: dict[int, Cases] = {}
        self._unmoved: dict[Key, Ground] = {}

    # --- formulas --------------------------------------------------------------------------

    def formula(self, expr: Expr, names: Environment) -> Ground:
        """Return the ground formula of ``expr``."""
        f = self.formulas
        match expr:
            case Truth(value):
                return TRUE if value else FALSE
            case Holds(variable, _, after):
                return self._read(variable.name, expr, names, after).get(1, FALSE)
            case Equal(left, right):
                return self.equal(self.cases(left, names), self.cases(right, names))
            case Less(left, right):
                return self._less(self.cases(left, names), self.cases(right, names))
            case Not(body):
                return f.negate(self.formula(body, names))
            case And(parts):
                return f.all_of(self.formula(p, names) for p in parts)
            case Or(parts):
                return f.any_of(self.formula(p, names) for p in parts)
            case Implies(antecedent, consequent):
                given = f.negate(self.formula(antecedent, names))
                return f.any_of((given, self.formula(consequent, names)))
            case Iff(left, right):
                a, b = self.formula(left, names), self.formula(right, names)
                return f.any_of((f.all_of((a, b)), f.all_of((f.negate(a), f.negate(b)))))
            case ForAll(name, body):
                return f.all_of(self._each(name, body, names))
            case Exists(name, body):
                return f.any_of(self._each(name, body, names))
        raise TypeError(f"{type(expr).__name__} is no formula")

    def _each(self, name: Name, body: Formula, names: Environment) -> list[Ground]:
        domain = self.instance.domain(name.sort)
        return [self.formula(body, {**names, name.label: x}) for x in domain]

    def equal(self, left: Cases, right: Cases) -> Ground:
        """Return where two terms, given by their cases, are the same."""
        both = (self.formulas.all_of((g, right[v])) for v, g in left.items() if v in right)
        return self.formulas.any_of(both)

    def _less(self, left: Cases, right: Cases) -> Ground:
        pairs = product(left.items(), right.items())
        f = self.formulas
        return f.any_of(f.all_of((g, h)) for (v, g), (w, h) in pairs if v < w)

    # --- terms -----------------------------------------------------------------------------

    def cases(self, expr: Expr, names: Environment) -> Cases:
        """Return the cases of a term."""
        match expr:
            case Name(label):
                return {names[label]: TRUE}
            case Element(_, _, index):
                return {index: TRUE}
            case Literal(_, value):
                return {value: TRUE}
            case Apply(variable, _, after):
                return self._read(variable.name, expr, names, after)
            case Following(body):
                return {v + 1: g for v, g in self.cases(body, names).items()}
            case Sum(left, right, sign):
                return self._sum(self.cases(left, names), self.cases(right, names), sign)
            case IfThenElse(condition, then, otherwise):
                c = self.formula(condition, names)
                return self._choose(c, self.cases(then, names), self.cases(otherwise, names))
            case CountOf(_, name, body):
                return self._count(self._each(name, body, names))
        raise TypeError(f"{type(expr).__name__} is no term")

    def _sum(self, left: Cases, right: Cases, sign: int) -> Cases:
        pairs = product(left.items(), right.items())
        return self._collect(
            (v + sign * w, self.formulas.all_of((g, h))) for (v, g), (w, h) in pairs
        )

    def _choose(self, condition: Ground, then: Cases, otherwise: Cases) -> Cases:
        f = self.formulas
        opposite = f.negate(condition)
        return self._collect(
            [
                *((v, f.all_of((condition, g))) for v, g in then.items()),
                *((v, f.all_of((opposite, g))) for v, g in otherwise.items()),
            ]
        )

    def _count(self, truths: list[Ground]) -> Cases:
        cases: Cases = {0: TRUE}
        for truth in truths:
            one_more = {v + 1: g for v, g in cases.items()}
            cases = self._choose(truth, one_more, cases)
        return cases

    def _collect(self, pairs: Iterable[tuple[int, Ground]]) -> Cases:
        merged: dict[int, list[Ground]] = {}
        for value, condition in pairs:
            if condition is not FALSE:
                merged.setdefault(value, []).append(condition)
        return {value: self.formulas.any_of(parts) for value, parts in merged.items()}

    def _read(self, name: str, expr: Holds | Apply, names: Environment, after: bool) -> Cases:
        """Return the cases of a variable at its arguments; those may depend on the state."""
        places = self._places(expr.arguments, names)
        if expr.variable.constant:
            table = self.instance.constant_values[name]
            return self._collect((table[place], g) for place, g in places)
        index = self.instance.cell_index[name]
        if len(places) == 1 and places[0][1] is TRUE:
            return self.cell_cases(index[places[0][0]], after)
        return self._collect(
            (v, self.formulas.all_of((g, h)))
            for place, g in places
            for v, h in self.cell_cases(index[place], after).items()
        )

    def _places(
        self, arguments: tuple[Term, ...], names: Environment
    ) -> list[tuple[Arguments, Ground]]:
        columns = [self.cases(a, names).items() for a in arguments]
        if all(len(column) == 1 for column in columns):
            return [(tuple(v for column in columns for v, _ in column), TRUE)]
        return [
            (tuple(v for v, _ in pick), self.formulas.all_of(g for _, g in pick))
            for pick in product(*columns)
        ]

    def cell_cases(self, cell: int, after: bool = False) -> Cases:
        """Return the cases of a cell's value, before or after the step in hand."""
        self.read.add(cell)
        if after and self._after is not None and cell in self._after:
            return self._after[cell]
        if cell in self.definitions:
            return self.definitions[cell]
        known = self._cells.get(cell)
        if known is None:
            values = sorted(self.formulas.possible[cell])
            known = self._cells[cell] = {v: self.formulas.test(cell, (v,)) for v in values}
        return known

    # --- actions ---------------------------------------------------------------------------

    def actions(self) -> list[GroundAction]:
        """Return every ground action that can be enabled at all, in order."""
        return [
            ground
            for action in self.instance.spec.actions
            for arguments in self.instance.choices(action.parameters)
            if (ground := self.action(action, arguments)) is not None
        ]

    def action(self, action: Action, arguments: Arguments) -> GroundAction | None:
        """Return one ground action, or None if its guard is false whatever the state."""
        names = {p.label: x for p, x in zip(action.parameters, arguments, strict=True)}
        f = self.formulas
        guard = f.all_of(self.formula(g.condition, names) for g in action.guards)
        if guard is FALSE:
            return None
        facts = f.facts(guard)
        writes: dict[int, list[_Write]] = {}
        for assignment in action.assignments:
            for write in self._writes(assignment, names, facts):
                writes.setdefault(write.cell, []).append(write)
        effects = {cell: self._new_value(cell, own, facts) for cell, own in writes.items()}
        misfits = [
            *(m for own in writes.values() for m in self._clashes(action, guard, own)),
            *(m for c, v in effects.items() for m in self._unfit(action, guard, writes[c], v)),
        ]
        stays = f.all_of(
            self.equal(cases, self.cell_cases(cell)) for cell, cases in effects.items()
        )
        changes = f.assume(f.negate(stays), facts)
        real = tuple((g, text) for g, text in misfits if g is not FALSE)
        return GroundAction(action, arguments, guard, changes, effects, real)

    def _writes(self, assignment: Assignment, names: Environment, facts: Facts) -> list[_Write]:
        """Return every cell that an assignment can touch, with the condition and the value."""
        index = self.instance.cell_index[assignment.variable.name]
        writes: list[_Write] = []
        for picks in self.instance.choices(assignment.bound):
            bound = {n.label: x for n, x in zip(assignment.bound, picks, strict=True)}
            env = {**names, **bound}
            value = self._value(assignment, env)
            for place, where in self._places(assignment.arguments, env):
                here = self.formulas.assume(where, facts)
                if here is not FALSE:
                    writes.append(_Write(index[place], here, value, assignment.place))
        return writes

    def _value(self, assignment: Assignment, env: Environment) -> Cases:
        if assignment.value is None:
            raise TypeError("`anything` is for initial states; the interpreter makes those")
        if isinstance(assignment.value, Formula):
            truth = self.formula(assignment.value, env)
            return self._collect([(1, truth), (0, self.formulas.negate(truth))])
        return self.cases(assignment.value, env)

    def _new_value(self, cell: int, writes: list[_Write], facts: Facts) -> Cases:
        cases = self.cell_cases(cell)
        for write in writes:
            cases = self._choose(write.condition, write.value, cases)
        simpler = ((v, self.formulas.assume(g, facts)) for v, g in cases.items())
        return {v: g for v, g in simpler if g is not FALSE}

    def _clashes(
        self, action: Action, guard: Ground, writes: list[_Write]
    ) -> Iterator[tuple[Ground, str]]:
        f = self.formulas
        for a, b in combinations(writes, 2):
            differ = f.negate(self.equal(a.value, b.value))
            yield (
                f.all_of((guard, a.condition, b.condition, differ)),
                (
                    f"{self.instance.spec.name}.{action.name}, {a.place} and {b.place}: "
                    f"{self.instance.cell_label(a.cell)} gets two values in one step"
                ),
            )

    def _unfit(
        self, action: Action, guard: Ground, writes: list[_Write], cases: Cases
    ) -> Iterator[tuple[Ground, str]]:
        """Yield when the new value of a cell, as these writes leave it, is out of bounds."""
        cell = writes[0].cell
        allowed = self.instance.cells[cell].values
        for value, condition in cases.items():
            if value not in allowed:
                place = next(w.place for w in writes if value in w.value)
                yield (
                    self.formulas.all_of((guard, condition)),
                    (
                        f"{self.instance.spec.name}.{action.name}, {place}: "
                        f"{self.instance.cell_label(cell)} would become {value}, outside "
                        f"{allowed[0]}..{allowed[-1]}; add a guard or widen the sort"
                    ),
                )

    def step_formula(self, expr: Formula, ground: GroundAction) -> Ground:
        """Return a formula about a step as one about the state before ``ground``'s step."""
        moved = {self.instance.cells[cell].variable.name for cell in ground.effects}
        whole = self._step(expr, ground.effects) if moved & later_reads(expr) else self._still(expr)
        return self.formulas.assume(whole, self.formulas.facts(ground.guard))

    def _still(self, expr: Formula) -> Ground:
        """Return what the formula says of a step that moves nothing it looks at later."""
        key = expr.key()
        if key not in self._unmoved:
            self._unmoved[key] = self._step(expr, {})
        return self._unmoved[key]

    def _step(self, expr: Formula, effects: Mapping[int, Cases]) -> Ground:
        self._after = effects
        try:
            return self.formula(expr, {})
        finally:
            self._after = None


def later_reads(expr: Expr) -> frozenset[str]:
    """Return the variables that an expression reads in the state after a step."""
    own = {expr.variable.name} if isinstance(expr, (Holds, Apply)) and expr.after else set()
    return frozenset(own).union(*(later_reads(part) for part in parts_of(expr)))


def possible_values(
    instance: Instance, initial_states: Sequence[tuple[int, ...]]
) -> list[frozenset[int]]:
    """Return for each cell a set that contains every value it takes in a reachable state.

    The least fixpoint of what single cells allow, so it may be larger than what is reachable,
    never smaller.

    Raises:
        StateError: there is no initial state.
    """
    if not initial_states:
        raise StateError(f"{instance.name}: no initial state passes its guards")
    possible = [frozenset(column) for column in zip(*initial_states, strict=True)]
    choices = [(a, x) for a in instance.spec.actions for x in instance.choices(a.parameters)]
    reads: dict[int, set[int]] = {}
    grown = set(range(len(possible)))
    while grown:
        grounding = Grounding(instance, possible)
        larger = list(possible)
        for i, (action, arguments) in enumerate(choices):
            if reads.get(i, grown) & grown:  # else it allows what it allowed before
                grounding.read = reads[i] = set()
                for cell, values in _allowed(grounding, grounding.action(action, arguments)):
                    larger[cell] |= values
        grown = {cell for cell, values in enumerate(larger) if values != possible[cell]}
        possible = larger
    return possible


def _allowed(
    grounding: Grounding, ground: GroundAction | None
) -> Iterator[tuple[int, frozenset[int]]]:
    """Yield the values that a step may give to each cell."""
    if ground is None:
        return
    f = grounding.formulas
    for cell, cases in ground.effects.items():
        allowed = grounding.instance.cells[cell].values
        yield (
            cell,
            frozenset(
                v
                for v, g in cases.items()
                if v in allowed and f.all_of((ground.guard, g)) is not FALSE
            ),
        )
