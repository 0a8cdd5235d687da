"""The solver's transition relation of a finite instance, held against the interpreter's steps."""

from __future__ import annotations

from itertools import product

import z3

from samebeat_proofs.facts import Proof
from samebeat_proofs.obligations import Generator, Step
from samebeat_proofs.solver import Budget, Solver
from samebeat_proofs.translate import Scope
from samebeat_proofs.universe import Z3
from samebeat_spec.language import Cell, Instance, Property, Spec
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.terms import SortClass


def bare(spec: Spec) -> Proof:
    """Return a proof that shows nothing, for its generator."""
    reals = tuple(s.__name__ for s in spec.sorts if s.integer)
    left_out = {p.name: "" for p in spec.of_kind("invariant", "step")}
    return Proof(spec, (), left_out=left_out, reals=reals)


class Grounded:
    """An action with concrete arguments: when it can be taken, and what it changes."""

    def __init__(self, relation: Relation, step: Step, arguments: Arguments) -> None:
        elements = [
            relation.element(p.sort, i)
            for p, i in zip(step.action.parameters, arguments, strict=True)
        ]
        pairs = list(zip(step.parameters, elements, strict=True))
        generator = relation.generator
        self.needs = [
            [z3.substitute(formula, *pairs, *witnesses) for formula in step.needs.values()]
            for witnesses in _choices(step, relation)
        ]
        self.after = [
            {
                i: z3.substitute(after, *pairs, *witnesses)
                for i, cell in enumerate(relation.instance.cells)
                if not (after := step.after(cell.variable, relation.place(cell))).eq(
                    generator.before(cell.variable, relation.place(cell))
                )
            }
            for witnesses in _choices(step, relation)
        ]


def _choices(step: Step, relation: Relation) -> list[list[tuple[Z3, Z3]]]:
    """Return every choice of what ``following`` may stand for; the step's needs decide."""
    witnesses = list(step.witnesses.values())
    domains = [relation.sorts[w.sort().name()] for w in witnesses]
    return [list(zip(witnesses, chosen, strict=True)) for chosen in product(*domains)]


class Relation:
    """Everything that the solver says of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        spec = instance.spec
        sizes = {s.__name__: len(instance.domain(s)) for s in spec.sorts if not s.elements}
        self.generator = Generator(bare(spec), sizes)
        self.universe = self.generator.universe
        self.sorts = {s.__name__: self.universe.elements(s) for s in spec.sorts}
        self.terms = [self.generator.before(c.variable, self.place(c)) for c in instance.cells]
        self.known = {**self.generator.axioms, **self._constants()}
        self.formulas: dict[str, Z3] = {}
        self.steps = {
            (step.action.name, arguments): Grounded(self, step, arguments)
            for step in self.generator.steps
            for arguments in instance.choices(step.action.parameters)
        }

    def element(self, sort: SortClass, index: int) -> Z3:
        """Return an element; of truth values, the truth."""
        if sort is None:
            return z3.BoolVal(bool(index), self.universe.context)
        if self.universe.is_real(sort):
            return self.universe.number(sort, index)
        return self.universe.elements(sort)[index]

    def place(self, cell: Cell) -> tuple[Z3, ...]:
        """Return the arguments of a cell."""
        return tuple(
            self.element(s, i) for s, i in zip(cell.variable.arguments, cell.arguments, strict=True)
        )

    def _constants(self) -> dict[str, Z3]:
        found = {}
        for v in self.instance.spec.constants:
            for place, value in self.instance.constant_values[v.name].items():
                at = tuple(self.element(s, i) for s, i in zip(v.arguments, place, strict=True))
                found[f"{v.name} {place}"] = self.generator.before(v, at) == self.element(
                    v.to, value
                )
        return found

    def is_state(self, state: StateTuple, terms: list[Z3] | None = None) -> list[Z3]:
        """Return that the cells have the values of a state."""
        return [
            term == self.element(cell.variable.to, value)
            for term, cell, value in zip(
                terms or self.terms, self.instance.cells, state, strict=True
            )
        ]

    def model(self, state: StateTuple) -> Z3:
        """Return a model in which the state before a step is this one."""
        solver = Solver(self.universe.context, Budget())
        cells = dict(enumerate(self.is_state(state)))
        assert solver.ask({**self.known, **{f"cell {i}": f for i, f in cells.items()}}) == z3.sat
        return solver.model()

    def after(
        self, model: Z3, state: StateTuple, name: str, arguments: Arguments
    ) -> list[StateTuple]:
        """Return the states that a step leads to from a state, whose model it is: none, or one."""
        grounded = self.steps[name, arguments]
        found = []
        for needs, after in zip(grounded.needs, grounded.after, strict=True):
            if all(z3.is_true(model.eval(f, model_completion=True)) for f in needs):
                new = {i: self.value(model, term) for i, term in after.items()}
                found.append(tuple(new.get(i, old) for i, old in enumerate(state)))
        return found

    def value(self, model: Z3, term: Z3) -> int:
        """Return which element a term is, by its number."""
        value = model.eval(term, model_completion=True)
        if z3.is_bool(value):
            return int(z3.is_true(value))
        if z3.is_int_value(value):
            return int(value.as_long())
        (index,) = [i for i, e in enumerate(self.sorts[value.sort().name()]) if e.eq(value)]
        return index

    def holds(self, model: Z3, prop: Property) -> bool:
        """Return whether a formula about one state holds in a model."""
        if prop.name not in self.formulas:
            scope = Scope(self.generator.before)
            self.formulas[prop.name] = self.generator.translator.closed(prop.formula, scope)
        return bool(z3.is_true(model.eval(self.formulas[prop.name], model_completion=True)))

    def initial_states_differ_from(self, states: list[StateTuple]) -> list[str]:
        """Return how the solver's initial states differ from these: too many, or one missing."""
        problems = []
        for start in self.generator.starts:
            terms = [start.after(c.variable, self.place(c)) for c in self.instance.cells]
            each = [z3.And(*self.is_state(s, terms)) for s in states]
            needs = {**self.known, **{f"need {k}": v for k, v in start.needs.items()}}
            other = Solver(self.universe.context, Budget())
            if (
                other.ask({**needs, "other": z3.Not(self.generator.translator.any_of(each))})
                != z3.unsat
            ):
                problems.append("there is another one")
            for state, formula in zip(states, each, strict=True):
                if Solver(self.universe.context, Budget()).ask({**needs, "it": formula}) != z3.sat:
                    problems.append(f"{state} is none")
        return problems
