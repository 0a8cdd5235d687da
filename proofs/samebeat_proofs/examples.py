"""Looks for examples of a situation among small sizes, and reads them as states of an instance.

Two uses. A proof that assumes what is never the case shows nothing: so there must be a state in
which all facts hold, and for each action one in which it can be taken. And an obligation that is
not met has a counterexample to induction: a state that satisfies what was assumed, and a step that
breaks the fact. That state need not be reachable: then a fact is missing.

With sizes, all quantifiers are written out and nothing is left to the solver's luck. Numbers that
stand for real ones are whole there: they count some small unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import z3

from samebeat_proofs.facts import Proof
from samebeat_proofs.obligations import Generator, Step
from samebeat_proofs.solver import Budget, Solver
from samebeat_proofs.universe import Z3
from samebeat_spec.language import Instance, Spec, Variable
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.language.terms import SortClass

SMALL = (1, 2, 3)
"""How many elements each sort has, one attempt after the other."""
LARGEST = 24
"""The largest number before a step, where a sort of numbers is read as all real numbers."""

LARGER = (2,)
"""How many elements each sort has at least, where the smallest counterexample has too few."""


@dataclass(frozen=True)
class Example:
    """A state of an instance, and a step from it: an action, its arguments, the state after.

    Where there is no step, ``action`` is empty and ``after`` None.
    """

    instance: Instance
    state: StateTuple
    action: str = ""
    arguments: Arguments = ()
    after: StateTuple | None = None


class Examples:
    """Looks for examples of situations of one proof."""

    def __init__(self, proof: Proof, budget: Budget) -> None:
        self.proof = proof
        self.budget = budget
        self._generators: dict[tuple[int, ...], Generator] = {}

    def of_facts(self) -> Example | None:
        """Return a state in which every fact holds."""
        for sizes in self._uniform():
            generator = self._generator(sizes)
            found = self._solve(generator, {**generator.axioms, **generator.facts_before}, None)
            if found:
                return found
        return None

    def of_action(self, action: str) -> Example | None:
        """Return a state in which every fact holds, and a step by this action."""
        for sizes in self._uniform():
            generator = self._generator(sizes)
            (step,) = (s for s in generator.steps if s.action.name == action)
            assumed = {**generator.axioms, **generator.facts_before, **step.needs}
            found = self._solve(generator, assumed, step)
            if found:
                return found
        return None

    def against(self, fact: str, part: str) -> Example | None:
        """Return a counterexample to an obligation, with no more elements than it needs."""
        for sizes in self._uniform():
            found = self._against(sizes, fact, part)
            if found:
                return self._shrunk(found, sizes, fact, part)
        return None

    def larger(self, fact: str, part: str, than: Instance) -> Iterator[Instance]:
        """Yield instances with more elements that have a counterexample to an obligation too."""
        for size in LARGER:
            sizes = {s: max(size, count) for s, count in than.sizes.items() if type(count) is int}
            if sizes != dict(than.sizes) and (found := self._against(sizes, fact, part)):
                yield found.instance

    def _shrunk(self, found: Example, sizes: Mapping[str, int], fact: str, part: str) -> Example:
        """Take away elements, sort by sort, as long as it stays a counterexample."""
        for name in sizes:
            fewer = {**sizes, name: sizes[name] - 1}
            while fewer[name] and (smaller := self._against(fewer, fact, part)):
                found, sizes = smaller, fewer
                fewer = {**sizes, name: sizes[name] - 1}
        return found

    def _against(self, sizes: Mapping[str, int], fact: str, part: str) -> Example | None:
        generator = self._generator(sizes)
        for obligation in generator.obligations_called(fact, part):
            if obligation.part == part and not obligation.untouched:
                steps = (*generator.starts, *generator.steps)
                step = next((s for s in steps if s.action.name == part), None)
                formulas = {**obligation.assumptions, "denied": obligation.denied}
                return self._solve(generator, formulas, step)
        return None

    # --- solving and reading -----------------------------------------------------------------

    def _uniform(self) -> list[dict[str, int]]:
        open_sorts = [s.__name__ for s in self.proof.spec.sorts if not (s.elements or s.integer)]
        return [dict.fromkeys(open_sorts, size) for size in SMALL]

    def _generator(self, sizes: Mapping[str, int]) -> Generator:
        key = tuple(sizes.values())
        if key not in self._generators:
            self._generators[key] = Generator(self.proof, sizes)
        return self._generators[key]

    def _solve(
        self, generator: Generator, formulas: Mapping[str, Z3], step: Step | None
    ) -> Example | None:
        solver = Solver(generator.universe.context, self.budget)
        if solver.ask({**formulas, **_small_numbers(generator, step)}) != z3.sat:
            return None
        return _Reading(generator, solver.model()).example(step)


def _small_numbers(generator: Generator, step: Step | None) -> dict[str, Z3]:
    """Return that no number before a step is negative or large, for people and the interpreter."""
    universe, spec = generator.universe, generator.spec
    terms = [
        generator.before(v, place)
        for v in (*spec.variables, *spec.constants)
        if universe.is_real(v.to)
        for place in product(*(universe.elements(s) for s in v.arguments))
    ]
    terms += [x for x in (step.parameters if step else ()) if z3.is_int(x)]
    return {f"small {i}": z3.And(x >= 0, x <= LARGEST) for i, x in enumerate(terms)}


class _Reading:
    """A model of the solver, read as a state of an instance."""

    def __init__(self, generator: Generator, model: Z3) -> None:
        self.generator = generator
        self.spec: Spec = generator.spec
        self.model = model
        self.universe = generator.universe

    def example(self, step: Step | None) -> Example:
        """Return the state, and what the interpreter makes of the step."""
        instance = self.instance()
        state = tuple(self.value(cell.variable, cell.arguments) for cell in instance.cells)
        if step is None:
            return Example(instance, state)
        arguments = tuple(
            self.index(x, p.sort)
            for x, p in zip(step.parameters, step.action.parameters, strict=True)
        )
        if step in self.generator.starts:  # the state itself breaks the fact
            return Example(instance, self.after(instance, step))
        after = Interpreter(instance).step(step.action, arguments, state)
        return Example(instance, state, step.action.name, arguments, after)

    def after(self, instance: Instance, step: Step) -> StateTuple:
        """Return the state after a step as the solver has it."""
        return tuple(
            self.index(step.after(c.variable, self.place(c.variable, c.arguments)), c.variable.to)
            for c in instance.cells
        )

    def instance(self) -> Instance:
        """Return the instance whose constants are those of the model."""
        numbers = (s for s in self.spec.sorts if self.universe.is_real(s))
        sizes = {**(self.universe.sizes or {}), **{s.__name__: 2 * LARGEST + 1 for s in numbers}}
        bare = Instance("small", replace(self.spec, constants=()), sizes)  # knows the labels
        constants = {v.name: self.table(v, bare) for v in self.spec.constants}
        return Instance("small", self.spec, sizes, constants)

    def table(self, v: Variable, bare: Instance) -> object:
        """Return a constant's values by labels, as an instance takes them."""
        places = list(product(*(bare.domain(s) for s in v.arguments)))
        found = {}
        for place in places:
            labels = ",".join(map(bare.label, v.arguments, place))
            found[labels] = bare.label(v.to, self.value(v, place))
        return found if v.arguments else found[""]

    def value(self, v: Variable, arguments: Arguments) -> int:
        """Return what a variable is at a place in the state before the step."""
        return self.index(self.generator.before(v, self.place(v, arguments)), v.to)

    def place(self, v: Variable, arguments: Arguments) -> tuple[Z3, ...]:
        """Return the solver's elements for those of the instance."""
        return tuple(
            self.universe.elements(s)[i] for s, i in zip(v.arguments, arguments, strict=True)
        )

    def index(self, term: Z3, sort: SortClass) -> int:
        """Return which element a term is in the model; of truth values, 0 or 1."""
        value = self.model.eval(term, model_completion=True)
        if sort is None:
            return int(z3.is_true(value))
        if self.universe.is_real(sort):
            return int(value.as_long())
        return next(i for i, e in enumerate(self.universe.elements(sort)) if e.eq(value))
