"""What has to be refuted, one by one: nothing else stands between the facts and the proof.

With the inductive facts I, the implied facts C and a transition system with initial states and
actions, the obligations are, each with a name ``fact.action``:

- ``fact.start``: an initial state satisfies each inductive fact;
- ``fact.action``: each action keeps each inductive fact, from a state that satisfies I and C;
- ``fact.implied``: I, and the C before it, imply each implied fact;
- ``step.action``: each action has each step property, from a state that satisfies I and C;
- ``run.part``: from where a part of a run begins, its steps can be taken and lead to its end;
- ``one_value.action``: an action gives no place two values, from a state that satisfies I and C.

Then, by induction, every fact holds in every state of every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import combinations, product

import z3

from samebeat_proofs.courses import course
from samebeat_proofs.facts import Fact, Proof, ProofError, Role
from samebeat_proofs.fragment import SortGraph
from samebeat_proofs.translate import Reader, Scope, Translator
from samebeat_proofs.universe import Z3, Universe
from samebeat_spec.language import Action, Assignment, Initial
from samebeat_spec.language.terms import (
    Exists,
    Expr,
    Following,
    ForAll,
    IfThenElse,
    Name,
    parts_of,
)

IMPLIED = "implied"
ONE_VALUE = "one_value"


@dataclass(frozen=True)
class Obligation:
    """That some assumptions and the negation of a goal contradict each other.

    Args:
        fact: what is shown, by name.
        part: the action, the initial state, or "implied".
        kind: "start", "step", "implied", "run" or "one_value".
        assumptions: what may be assumed, by a label that says what it is.
        denied: the negation of the goal.
        untouched: the action sets nothing that the fact reads, so the assumption is the goal.
    """

    fact: str
    part: str
    kind: str
    assumptions: Mapping[str, Z3]
    denied: Z3
    untouched: bool = False

    @property
    def name(self) -> str:
        """The name that reports use: ``agreement.commit``."""
        return f"{self.fact}.{self.part}"


@dataclass(frozen=True)
class Step:
    """An action (or an initial state) for the solver: when it can be taken, and what it leads to.

    ``needs`` are its guards, each with its reason, and that what ``following`` assigns exists.
    """

    action: Action
    parameters: tuple[Z3, ...]
    needs: Mapping[str, Z3]
    scope: Scope
    after: Reader
    witnesses: Mapping[int, Z3] = field(default_factory=dict)


class Generator:
    """Cuts a proof into obligations, over any number of elements or over so many.

    Args:
        proof: the proof.
        sizes: how many elements each sort without named ones has; None for any number.
    """

    def __init__(self, proof: Proof, sizes: Mapping[str, int] | None = None) -> None:
        self.proof = proof
        self.spec = proof.spec
        self.universe = Universe(proof.spec, sizes, proof.relational, proof.reals)
        self.translator = Translator(self.universe)
        self.before = self.translator.state()
        self.graph = SortGraph()

    # --- what is given -----------------------------------------------------------------------

    @cached_property
    def axioms(self) -> dict[str, Z3]:
        """What is known of orders and constants, by label."""
        found = {**dict(self.universe.order_axioms()), **dict(self.universe.value_axioms())}
        for assumed in self.proof.axioms:
            if any(not v.constant for v in _variables(assumed.formula)):
                raise ProofError(f"{self.spec.name}: the axiom {assumed.name} reads a variable")
            scope = Scope(self.before)
            found[f"axiom {assumed.name}"] = self.translator.closed(assumed.formula, scope)
        return found

    @cached_property
    def facts_before(self) -> dict[str, Z3]:
        """Each fact about one state, of the state before a step, by name."""
        return {f.name: self.at(f, self.before) for f in self._state_facts}

    @property
    def _state_facts(self) -> tuple[Fact, ...]:
        return tuple(f for f in self.proof.facts if f.role not in (Role.STEP, Role.RUN))

    def at(self, fact: Fact, state: Reader) -> Z3:
        """Return a fact of one state, as an assumption."""
        return self.translator.closed(fact.prop.formula, Scope(state))

    def denied(self, fact: Fact, before: Reader, after: Reader | None = None) -> Z3:
        """Return that a fact does not hold of a state, or of a step."""
        scope = Scope(before, after).denied()
        return z3.Not(self.translator.closed(fact.prop.formula, scope))

    def is_existential(self, fact: Fact) -> bool:
        """Return whether, as an assumption, it says "there is" under a "for all"."""
        return bool(self.graph.alternations(self.facts_before[fact.name]))

    def assumed_for(self, fact: Fact) -> dict[str, Z3]:
        """Return the facts that the obligations of ``fact`` may assume, by label."""
        totals = {f"values of {name}": self.universe.has_values(name) for name in fact.total}
        facts = {
            f"fact {other.name}": self.facts_before[other.name]
            for other in self._state_facts
            if (other is not fact or fact.role is Role.INDUCTIVE)
            and self.proof.may_use(fact, other)
            and self._is_chosen(fact, other)
        }
        return {**totals, **facts}

    def _axioms_for(self, fact: Fact) -> dict[str, Z3]:
        """Return what the obligations of ``fact`` may assume of orders and constants."""
        left_out = {f"axiom {name}" for name in fact.without}
        return {label: f for label, f in self.axioms.items() if label not in left_out}

    def _is_chosen(self, fact: Fact, other: Fact) -> bool:
        """Return whether ``fact`` is shown with the help of ``other``, if it may be."""
        if other is fact or other.name in fact.uses:
            return True
        return other.name in fact.only if fact.only else not self.is_existential(other)

    # --- steps -------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every action."""
        return tuple(self.step(a, self.before) for a in self.spec.actions)

    @cached_property
    def starts(self) -> tuple[Step, ...]:
        """Every set of initial states."""
        return tuple(self.step(a, self.translator.unset()) for a in self.spec.initials)

    def step(self, action: Action, before: Reader) -> Step:
        """Return an action from a state, its parameters being any elements."""
        parameters = tuple(
            self.universe.constant(f"{action.name}.{p.label}", p.sort) for p in action.parameters
        )
        names = {p.label: x for p, x in zip(action.parameters, parameters, strict=True)}
        scope = Scope(before, None, names)
        needs = {g.why: self.translator.closed(g.condition, scope) for g in action.guards}
        witnesses: dict[int, Z3] = {}
        for x in action.assignments:
            for following, when in _followings(x):
                self._check_not_bound(action, x, following)
                number = len(witnesses) + 1
                element = self.universe.constant(
                    f"{action.name}.following.{number}", following.sort
                )
                witnesses[id(following)] = element
                exists = self._follows(following, element, scope)
                conditions = [self.translator.closed(c, scope) for c in when]
                needs[f"what follows exists ({number})"] = (
                    z3.Implies(self.translator.all_of(conditions), exists) if when else exists
                )
        if self.universe.sizes is None:
            self._name_choices(action, scope, needs, witnesses)
        after = self.translator.after(action.assignments, scope, witnesses)
        return Step(action, parameters, needs, scope, after, witnesses)

    def _name_choices(
        self, action: Action, scope: Scope, needs: dict[str, Z3], witnesses: dict[int, Z3]
    ) -> None:
        """Give a name to each "for all" or "there is" by which an assignment chooses its value.

        What is assigned is put wherever a place is read, under quantifiers too, and the solver
        would look for the elements again each time.
        """
        number = 0
        for x in action.assignments:
            own = {name.label for name in x.bound}
            for choice in _choices(x.value):
                inside = list(_within(choice.condition))
                if any(isinstance(e, Name) and e.label in own for e in inside):
                    continue
                if any(isinstance(e, ForAll | Exists) for e in inside):
                    number += 1
                    name = z3.Bool(f"{action.name}.choice.{number}", self.universe.context)
                    yes, no = (
                        self.translator.closed(c, scope)
                        for c in (choice.condition, ~choice.condition)
                    )
                    needs[f"choice {number}"] = z3.And(z3.Implies(name, yes), z3.Or(name, no))
                    witnesses[id(choice)] = name

    def _follows(self, following: Following, element: Z3, scope: Scope) -> Z3:
        relation = self.universe.following(following.sort)
        return self.translator.standing_alone(
            lambda: relation(self.translator.term(following.body, scope), element), scope
        )

    def _check_not_bound(self, action: Action, x: Assignment, following: Following) -> None:
        bound = {name.label for name in x.bound}
        if any(isinstance(e, Name) and e.label in bound for e in _within(following)):
            raise ProofError(
                f"{self.spec.name}.{action.name}, {x.place}: following(...) of many places at "
                "once, which proofs do not understand"
            )

    # --- obligations -------------------------------------------------------------------------

    def obligations(self) -> Iterator[Obligation]:
        """Yield every obligation of the proof, in the order of its facts."""
        for fact in self.proof.facts:
            yield from self.obligations_of(fact)
        yield from self.obligations_called(ONE_VALUE)

    def find(self, name: str) -> Obligation:
        """Return the obligation called ``name``, without making any other.

        Raises:
            KeyError: there is none.
        """
        fact, _, part = name.partition(".")
        for obligation in self.obligations_called(fact, part):
            if obligation.part == part:
                return obligation
        raise KeyError(name)

    def obligations_called(self, name: str, part: str | None = None) -> Iterator[Obligation]:
        """Yield the obligations of a fact by its name, or those that each place has one value."""
        if name != ONE_VALUE:
            yield from self.obligations_of(self.proof.find(name), part)
        else:
            for step in (*self.starts, *self.steps):
                yield from self._one_value(step)

    def obligations_of(self, fact: Fact, part: str | None = None) -> Iterator[Obligation]:
        """Yield the obligations of one fact; if ``part`` is given, of these that one."""
        axioms = self._axioms_for(fact)
        if fact.role is Role.RUN:
            for own in fact.parts:
                given, denied = course(self, own)
                if part not in (None, own.name):
                    continue
                yield Obligation(fact.name, own.name, "run", {**axioms, **given}, denied)
            return
        if fact.role is Role.IMPLIED:
            denied = self.denied(fact, self.before)
            assumptions = {**axioms, **self.assumed_for(fact)}
            yield Obligation(fact.name, IMPLIED, "implied", assumptions, denied)
            return
        if fact.role is Role.INDUCTIVE:
            for start in _called(part, self.starts):
                denied = self.denied(fact, start.after)
                assumptions = {**axioms, **_labelled(start)}
                yield Obligation(fact.name, start.action.name, "start", assumptions, denied)
        for step in _called(part, self.steps):
            yield self._kept(fact, step)

    def _kept(self, fact: Fact, step: Step) -> Obligation:
        """Return the obligation that one action keeps a fact, or has a step property."""
        about_steps = {
            f"fact {other.name}": self.translator.closed(
                other.prop.formula, Scope(self.before, step.after)
            )
            for other in map(self.proof.find, fact.uses)
            if other.role is Role.STEP
        }
        known = {**self._axioms_for(fact), **self.assumed_for(fact), **about_steps}
        assumptions = {**known, **_labelled(step)}
        if fact.role is Role.STEP:
            denied, untouched = self.denied(fact, self.before, step.after), False
        else:
            denied = self.denied(fact, step.after)
            untouched = self.at(fact, step.after).eq(self.facts_before[fact.name])
        return Obligation(fact.name, step.action.name, "step", assumptions, denied, untouched)

    def _one_value(self, step: Step) -> Iterator[Obligation]:
        """Yield that no two assignments of a step give one place two values, where they might."""
        clashes = [
            clash
            for one, other in combinations(step.action.assignments, 2)
            if one.variable is other.variable
            for clash in self._clash(one, other, step)
            if not z3.is_false(clash)
        ]
        if not clashes:
            return
        before = isinstance(step.action, Initial)
        facts = {
            f"fact {f.name}": self.facts_before[f.name]
            for f in self._state_facts
            if not before and not self.is_existential(f)
        }
        assumptions = {**self.axioms, **facts, **_labelled(step)}
        denied = self.translator.any_of(clashes)
        yield Obligation(ONE_VALUE, step.action.name, ONE_VALUE, assumptions, denied)

    def _clash(self, one: Assignment, other: Assignment, step: Step) -> Iterator[Z3]:
        """Yield when two assignments to one variable meet and differ, at a place of any names."""
        sorts, translator = one.variable.arguments, self.translator
        choices = [
            self.universe.elements(s) or (self.universe.constant(f"place.{s.__name__}.{i}", s),)
            for i, s in enumerate(sorts)
        ]
        for place in product(*choices):
            yield translator.standing_alone(
                partial(self._differ, one, other, step, place), step.scope
            )

    def _differ(self, one: Assignment, other: Assignment, step: Step, place: tuple[Z3, ...]) -> Z3:
        translator, values, conditions = self.translator, [], []
        for x in (one, other):
            here, names = translator.match(x, place, step.scope)
            if here is None:
                return translator.truth(False)
            scope = step.scope.with_names(names)
            conditions.append(here)
            values.append(translator.assigned(x, scope, step.witnesses, place))
        return translator.all_of([*conditions, z3.Not(translator.same(*values))])


def _called(part: str | None, steps: Sequence[Step]) -> list[Step]:
    return [s for s in steps if part in (None, s.action.name)]


def _labelled(step: Step) -> dict[str, Z3]:
    return {f"guard {why}": formula for why, formula in step.needs.items()}


def _followings(x: Assignment) -> Iterator[tuple[Following, Sequence[Expr]]]:
    """Yield each ``following`` that an assignment may give, with the choices that lead to it."""

    def look(
        value: Expr | None, when: tuple[Expr, ...]
    ) -> Iterator[tuple[Following, tuple[Expr, ...]]]:
        if isinstance(value, Following):
            yield value, when
        elif isinstance(value, IfThenElse):
            yield from look(value.then, (*when, value.condition))
            yield from look(value.otherwise, (*when, ~value.condition))

    yield from look(x.value, ())


def _choices(value: Expr | None) -> Iterator[IfThenElse]:
    """Yield each choice that leads to the value of an assignment."""
    if isinstance(value, IfThenElse):
        yield value
        yield from _choices(value.then)
        yield from _choices(value.otherwise)


def _within(expr: Expr) -> Iterator[Expr]:
    yield expr
    for part in parts_of(expr):
        yield from _within(part)


def _variables(expr: Expr) -> Iterator[Z3]:
    return (e.variable for e in _within(expr) if hasattr(e, "variable"))
