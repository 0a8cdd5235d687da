"""The spec object: everything a reader needs, frozen."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from samebeat_spec.language.definitions import Action, Initial, Property
from samebeat_spec.language.errors import SpecError
from samebeat_spec.language.figures import Figure
from samebeat_spec.language.liveness import Liveness, check_fairness
from samebeat_spec.language.recorder import Assignment
from samebeat_spec.language.state import State, Variable
from samebeat_spec.language.terms import Expr, Name, SortClass, parts_of

if TYPE_CHECKING:
    from samebeat_spec.language.refinement import Refinement


@dataclass(frozen=True)
class Spec:
    """A transition system in first-order logic: variables, initial states, actions, properties.

    ``variables`` change, ``constants`` are fixed by each instance; both in order of declaration.
    ``figures`` are measured and promise nothing, so they are no part of the fingerprint.
    ``refinements`` say how it is read as another spec; what it means does not depend on them, nor
    on what is promised of infinite runs, ``liveness``.
    """

    name: str
    doc: str
    module: str
    variables: tuple[Variable, ...]
    constants: tuple[Variable, ...]
    initials: tuple[Initial, ...]
    actions: tuple[Action, ...]
    properties: tuple[Property, ...]
    figures: tuple[Figure, ...] = ()
    refinements: tuple[Refinement, ...] = ()
    liveness: tuple[Liveness, ...] = ()

    @cached_property
    def sorts(self) -> tuple[SortClass, ...]:
        """Every sort that a variable, a parameter or a quantifier mentions, in that order."""
        mentioned = [
            *(s for v in (*self.variables, *self.constants) for s in (*v.arguments, v.to)),
            *(p.sort for a in (*self.initials, *self.actions) for p in a.parameters),
            *(p.sort for promise in self.liveness for p in promise.parameters),
            *(e.sort for e in self.expressions if isinstance(e, Name)),
        ]
        found: dict[str, SortClass] = {}
        for sort in mentioned:
            if sort is not None and found.setdefault(sort.__name__, sort) is not sort:
                raise SpecError(
                    f"two sorts are called {sort.__name__}",
                    within=self.name,
                    at=self.module,
                    advice="give each sort a name of its own",
                )
        return tuple(found.values())

    @cached_property
    def expressions(self) -> tuple[Expr, ...]:
        """Every formula and term of the spec, and all that they are made of."""
        found: list[Expr] = [p.formula for p in self.properties]
        for a in (*self.initials, *self.actions):
            found += (g.condition for g in a.guards)
            for x in a.assignments:
                found += (*x.arguments, *(() if x.value is None else (x.value,)))
        for f in self.figures:
            found += (f.formula, *(() if f.amount is None else (f.amount,)))
        found += (formula for p in self.liveness for formula in (p.given, p.goal))
        for e in found:  # grows as it goes
            found += parts_of(e)
        return tuple(found)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the meaning changes (not with comments or docstrings)."""
        parts = [
            repr([(v.name, _sorts(v), v.constant) for v in (*self.variables, *self.constants)]),
            repr([(s.__name__, [e.label for e in s.elements], s.bounds) for s in self.sorts]),
            *(repr(_action_key(a)) for a in (*self.initials, *self.actions)),
            *(repr((p.name, p.kind, p.internal, p.formula.key())) for p in self.properties),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def promises(self) -> tuple[Property | Liveness | Refinement, ...]:
        """The properties, then what is promised of infinite runs, then the refinements."""
        return (*self.properties, *self.liveness, *self.refinements)

    def of_kind(self, *kinds: str) -> tuple[Property, ...]:
        """Return the properties of these kinds, in order of definition."""
        return tuple(p for p in self.properties if p.kind in kinds)

    def find_action(self, name: str) -> Action:
        """Return the action called ``name``.

        Raises:
            KeyError: there is none.
        """
        return next((a for a in self.actions if a.name == name), None) or _missing(name)

    def find_property(self, name: str) -> Property:
        """Return the property called ``name``.

        Raises:
            KeyError: there is none.
        """
        return next((p for p in self.properties if p.name == name), None) or _missing(name)

    def find_figure(self, name: str) -> Figure:
        """Return the figure called ``name``.

        Raises:
            KeyError: there is none.
        """
        return next((f for f in self.figures if f.name == name), None) or _missing(name)

    def find_liveness(self, name: str) -> Liveness:
        """Return the promise about infinite runs called ``name``.

        Raises:
            KeyError: there is none.
        """
        return next((p for p in self.liveness if p.name == name), None) or _missing(name)

    def find_refinement(self, name: str) -> Refinement:
        """Return the refinement called ``name``.

        Raises:
            KeyError: there is none.
        """
        return next((r for r in self.refinements if r.name == name), None) or _missing(name)

    def guards(self) -> Iterator[tuple[Action, str]]:
        """Yield every guard of every action as (action, its reason)."""
        for a in self.actions:
            for g in a.guards:
                yield a, g.why

    def without(self, action: str, why: str) -> Spec:
        """Return this spec with one guard taken out: a wrong protocol, to be caught.

        Raises:
            KeyError: the action or the guard does not exist.
        """
        target = self.find_action(action)
        kept = tuple(g for g in target.guards if g.why != why)
        if len(kept) == len(target.guards):
            raise KeyError(f"{action}: {why}")
        weaker = replace(target, guards=kept)
        return replace(self, actions=tuple(weaker if a is target else a for a in self.actions))

    def unfair(self, actions: Sequence[str]) -> Spec:
        """Return this spec with no promise relying on ``actions``: too little, to be caught.

        Raises:
            KeyError: no promise relies on one of them.
        """
        relied_on = {f.action for p in self.liveness for f in p.fair}
        for name in actions:
            if name not in relied_on:
                raise KeyError(name)
        weaker = tuple(p.without_fairness_of(actions) for p in self.liveness)
        return replace(self, liveness=weaker)

    def with_end_properties_only(self) -> Spec:
        """Return this spec without its internal properties: what a control must break is harm."""
        return replace(self, properties=tuple(p for p in self.properties if not p.internal))


def spec_of(state: type[State]) -> Spec:
    """Return the spec whose state class is ``state``, with every definition filed so far.

    Raises:
        SpecError: it has no variables, no initial state or no action.
    """
    definitions = state.all_definitions()
    initials = tuple(d for d in definitions if isinstance(d, Initial))
    actions = tuple(d for d in definitions if isinstance(d, Action) and not isinstance(d, Initial))
    for what, found in (("state variables", state.variables), ("actions", actions)):
        if not found:
            raise SpecError(f"it has no {what}", within=state.spec_name, at=state.__module__)
    if not initials:
        raise SpecError(
            "it has no initial state",
            within=state.spec_name,
            at=state.__module__,
            advice="add @initial def start(s: ...) -> None: ...",
        )
    spec = Spec(
        name=state.spec_name,
        doc=inspect.getdoc(state) or "",
        module=state.__module__,
        variables=tuple(v for v in state.variables if not v.constant),
        constants=tuple(v for v in state.variables if v.constant),
        initials=initials,
        actions=actions,
        properties=tuple(d for d in definitions if isinstance(d, Property)),
        figures=tuple(d for d in definitions if isinstance(d, Figure)),
        refinements=tuple(state.refinements),
        liveness=tuple(d for d in definitions if isinstance(d, Liveness)),
    )
    for promise in spec.liveness:
        check_fairness(promise, spec.actions, spec.name)
    _ = spec.sorts  # refuses two sorts of one name
    return spec


def specs_in(module: ModuleType) -> tuple[Spec, ...]:
    """Return the specs that a module defines, in order."""
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, State)
        and value.__module__ == module.__name__
        and value is not State
    ]
    return tuple(spec_of(state) for state in own)


def header(spec: Spec) -> str:
    """Return the docstring of the spec's module, or of its state class where there is none."""
    module = sys.modules.get(spec.module)
    return inspect.getdoc(module) or spec.doc if module else spec.doc


def _sorts(v: Variable) -> tuple[str, ...]:
    return tuple(s.__name__ for s in v.arguments) + (() if v.to is None else (v.to.__name__,))


def _action_key(a: Action) -> tuple[Any, ...]:
    return (
        a.name,
        tuple(p.key() for p in a.parameters),
        tuple((g.why, g.condition.key()) for g in a.guards),
        tuple(_assignment_key(x) for x in a.assignments),
    )


def _assignment_key(x: Assignment) -> tuple[Any, ...]:
    value = None if x.value is None else x.value.key()
    return (x.variable.name, tuple(a.key() for a in x.arguments), len(x.bound), value)


def _missing(name: str) -> Any:
    raise KeyError(name)
