"""A second generator of obligations, naive on purpose, to hold the first one against.

It shares no code with ``obligations`` and ``translate``, and follows the interpreter case by case,
on one finite size. There are only truth values: a term is a table that says for each number when
it is that number. Each choice of arguments is written out, each quantifier is a list, and what
follows an element is that number plus one. What both generators say of the same obligation must be
the same, of those that hold and of those that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import z3

from samebeat_spec.language import Action, Property, Spec, Variable
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
    SortClass,
    Truth,
)

Place = tuple[str, tuple[int, ...]]
Table = dict[int, Any]
"""When a term is which number; in every case it is one of them, and only one. What is never the
case has no entry; what is always the case is a plain ``True``."""
Cells = Mapping[Place, Table]
Names = Mapping[str, int]


class Naive:
    """The obligations of a spec on one finite size.

    Args:
        spec: the spec.
        sizes: how many elements each sort without named elements has.
    """

    def __init__(self, spec: Spec, sizes: Mapping[str, int]) -> None:
        self.spec = spec
        self.sizes = sizes
        self.variables = (*spec.variables, *spec.constants)
        self._facts: dict[str, Any] = {}
        self._steps: dict[tuple[str, tuple[int, ...]], tuple[list[Any], Cells]] = {}
        self.cells: Cells = {
            (v.name, place): self.any(f"{v.name}{place}", v)
            for v in self.variables
            for place in self.places(v)
        }

    def domain(self, sort: SortClass) -> range:
        """Return the elements of a sort; 0 and 1 for truth values."""
        if sort is None:
            return range(2)
        return range(len(sort.elements) or self.sizes[sort.__name__])

    def places(self, v: Variable) -> Iterator[tuple[int, ...]]:
        """Return every place of a variable."""
        return product(*(self.domain(s) for s in v.arguments))

    def any(self, name: str, v: Variable) -> Table:
        """Return a cell of which nothing is known."""
        return {i: z3.Bool(f"{name} is {i}") for i in self.domain(v.to)}

    def fit(self, cells: Cells, before: Cells | None = None) -> list[Any]:
        """Return that every cell that is new has one value, and that it is of its sort."""
        found = []
        for v in self.variables:
            for place in self.places(v):
                cell = cells[v.name, place]
                if before is not None and cell is before[v.name, place]:
                    continue
                inside = [cell[i] for i in self.domain(v.to) if i in cell]
                both = [neither(x, y) for x, y in combinations(inside, 2)]
                found.append(all_of([any_of(inside), *both]))
        return found

    # --- the interpreter's semantics -------------------------------------------------------------

    def truth(self, expr: Expr, names: Names, cells: Cells, after: Cells | None = None) -> Any:
        """Return when a formula is true."""
        return self.value(expr, names, cells, after).get(1, False)

    def value(self, expr: Expr, names: Names, cells: Cells, after: Cells | None = None) -> Table:
        """Return the value of an expression, as the interpreter has it."""

        def own(e: Expr) -> Table:
            return self.value(e, names, cells, after)

        def true(e: Expr) -> Any:
            return own(e).get(1, False)

        match expr:
            case Truth(constant):
                return {int(constant): True}
            case Holds(v, arguments, late) | Apply(v, arguments, late):
                return self._read(v, [own(a) for a in arguments], (after or {}) if late else cells)
            case Equal(left, right) | Iff(left, right):
                return _truth(_when(own(left), own(right), lambda a, b: a == b))
            case Less(left, right):
                return _truth(_when(own(left), own(right), lambda a, b: a < b))
            case Not(body):
                return _truth(negation(true(body)))
            case And(parts):
                return _truth(all_of([true(p) for p in parts]))
            case Or(parts):
                return _truth(any_of([true(p) for p in parts]))
            case Implies(antecedent, consequent):
                return _truth(any_of([negation(true(antecedent)), true(consequent)]))
            case IfThenElse(condition, then, otherwise):
                return _either(true(condition), own(then), own(otherwise))
            case Name(label):
                return {names[label]: True}
            case Element(_, _, index):
                return {index: True}
            case Following(body):
                return {i + 1: when for i, when in own(body).items()}
            case ForAll(name, body) | Exists(name, body):
                each = [
                    self.truth(body, {**names, name.label: i}, cells, after)
                    for i in self.domain(name.sort)
                ]
                return _truth(all_of(each) if isinstance(expr, ForAll) else any_of(each))
        raise TypeError(f"no meaning for {type(expr).__name__}")

    def _read(self, v: Variable, place: Sequence[Table], cells: Cells) -> Table:
        """Return what a variable is at a place: of each place that it may be, what is there."""
        found: dict[int, list[Any]] = {}
        for i in self.places(v):
            here = all_of(_is(place, i))
            for value, when in cells[v.name, i].items() if here is not False else ():
                found.setdefault(value, []).append(all_of([here, when]))
        return _table({value: any_of(cases) for value, cases in found.items()})

    def step(self, action: Action, names: Names, before: Cells) -> tuple[list[Any], Cells]:
        """Return what a step needs, and the cells after it."""
        needs = [self.truth(g.condition, names, before) for g in action.guards]
        cells = dict(before)
        for x in action.assignments:
            for picked in product(*(self.domain(n.sort) for n in x.bound)):
                env = {**names, **dict(zip((n.label for n in x.bound), picked, strict=True))}
                target = [self.value(a, env, before) for a in x.arguments]
                for place in self.places(x.variable):
                    key = x.variable.name, place
                    here = all_of(_is(target, place))
                    if here is not False:
                        new = (
                            self.any(f"anything {key}", x.variable)
                            if x.value is None
                            else self.value(x.value, env, before)
                        )
                        cells[key] = _either(here, new, cells[key])
        return needs + self.fit(cells, before), cells

    # --- obligations ---------------------------------------------------------------------------

    def implied(self, goal: Property, assumed: Sequence[Property]) -> bool:
        """Return whether facts imply another one, on this size."""
        denied = negation(self.truth(goal.formula, {}, self.cells))
        return _contradict([*self._given(assumed, self.cells), denied])

    def kept(self, goal: Property, action: Action, assumed: Sequence[Property]) -> bool:
        """Return whether an action leads only to where a fact holds, from where others hold.

        What is assumed may also be about steps, and then it is assumed of this one.
        """
        about_steps = [p for p in assumed if p.kind == "step"]
        known = [p for p in assumed if p.kind != "step"]
        broken = any_of(list(self._broken(goal, action, self.cells, about_steps)))
        return _contradict([*self._given(known, self.cells), broken])

    def at_start(self, goal: Property, initial: Action, axioms: Sequence[Property]) -> bool:
        """Return whether a fact holds in the initial states."""
        constants = {v.name for v in self.spec.constants}
        unset: Cells = {
            key: cell if key[0] in constants else {0: True} for key, cell in self.cells.items()
        }
        broken = any_of(list(self._broken(goal, initial, unset)))
        return _contradict([*self._given(axioms, unset), broken])

    def _given(self, assumed: Sequence[Property], cells: Cells) -> list[Any]:
        """Return what is known of the cells; of any state, each fact is written out once."""
        if cells is not self.cells:
            return [*self.fit(cells), *(self.truth(p.formula, {}, cells) for p in assumed)]
        for p in assumed:
            if p.name not in self._facts:
                self._facts[p.name] = self.truth(p.formula, {}, cells)
        return [*self.fit(cells), *(self._facts[p.name] for p in assumed)]

    def _broken(
        self, goal: Property, action: Action, before: Cells, known: Sequence[Property] = ()
    ) -> Iterator[Any]:
        """Yield for each choice of arguments that the step can be taken and breaks a fact."""
        for picked in product(*(self.domain(p.sort) for p in action.parameters)):
            labels = (p.label for p in action.parameters)
            names = dict(zip(labels, picked, strict=True))
            if (action.name, picked) not in self._steps:
                self._steps[action.name, picked] = self.step(action, names, before)
            needs, after = self._steps[action.name, picked]
            pair = (before, after) if goal.kind == "step" else (after, None)
            step = [self.truth(p.formula, {}, before, after) for p in known]
            yield all_of([*needs, *step, negation(self.truth(goal.formula, {}, *pair))])


# --- truth, computed where it can be -----------------------------------------------------------


def all_of(parts: Sequence[Any]) -> Any:
    """Return the conjunction."""
    if any(p is False for p in parts):
        return False
    open_parts = [p for p in parts if p is not True]
    return z3.And(open_parts) if len(open_parts) > 1 else open_parts[0] if open_parts else True


def negation(part: Any) -> Any:
    """Return the negation."""
    return not part if isinstance(part, bool) else z3.Not(part)


def any_of(parts: Sequence[Any]) -> Any:
    """Return the disjunction."""
    if any(p is True for p in parts):
        return True
    open_parts = [p for p in parts if p is not False]
    return z3.Or(open_parts) if len(open_parts) > 1 else open_parts[0] if open_parts else False


def neither(one: Any, other: Any) -> Any:
    """Return that not both are true."""
    return negation(all_of([one, other]))


def _table(cases: Table) -> Table:
    return {value: when for value, when in cases.items() if when is not False}


def _truth(when: Any) -> Table:
    return _table({1: when, 0: negation(when)})


def _when(left: Table, right: Table, relate: Callable[[int, int], bool]) -> Any:
    """Return when two terms are numbers of which something is true."""
    pairs = product(left.items(), right.items())
    return any_of([all_of([x, y]) for (i, x), (j, y) in pairs if relate(i, j)])


def _is(terms: Sequence[Table], numbers: Sequence[int]) -> list[Any]:
    """Return when terms are these numbers, one by one."""
    return [term.get(i, False) for term, i in zip(terms, numbers, strict=True)]


def _either(condition: Any, then: Table, otherwise: Table) -> Table:
    other = negation(condition)
    return _table(
        {
            i: any_of(
                [all_of([condition, then.get(i, False)]), all_of([other, otherwise.get(i, False)])]
            )
            for i in {**then, **otherwise}
        }
    )


def _contradict(formulas: Sequence[Any]) -> bool:
    solver = z3.SimpleSolver()
    solver.add(*formulas)
    answer = solver.check()
    if answer == z3.unknown:
        raise RuntimeError(f"a finite question without an answer: {solver.reason_unknown()}")
    return bool(answer == z3.unsat)
