"""Refinements: how each state of one spec is read as a state of a simpler one.

A refinement is a function of both states: the concrete one is read, the abstract one assigned. It
promises that every run of the concrete spec, read in this way, is a run of the abstract one: each
step is a step of it, or leaves it where it is. The explorer checks that promise.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from types import MappingProxyType
from typing import Any

from samebeat_spec.language.definitions import (
    Claims,
    _check_parentheses,
    _docstring,
    _Named,
    _place,
    _type_hints,
)
from samebeat_spec.language.errors import InstanceError, SpecError, StateError
from samebeat_spec.language.instance import Arguments, Instance, StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.language.recorder import Assignment, Guard, recording
from samebeat_spec.language.sorts import check_sort
from samebeat_spec.language.spec import Spec, spec_of
from samebeat_spec.language.state import State, Variable
from samebeat_spec.language.terms import (
    Apply,
    Element,
    Expr,
    Holds,
    Literal,
    Name,
    SortClass,
    parts_of,
)

Size = int | tuple[int, int] | SortClass
"""A size as an instance has it, or a sort of the concrete spec: as many as there are of that."""


@dataclass(frozen=True)
class Refinement:
    """How states of ``concrete`` are read as states of ``abstract``.

    There is one projection for each choice of ``parameters`` that passes the ``guards``; these
    speak of constants only. ``assignments`` set every variable and every constant of the abstract
    state; those of the names in ``copied`` were not written, since both states have them. A step
    may be up to ``at_most`` abstract steps. ``sizes`` are those of the abstract spec's sorts that
    the concrete one does not have, or has in another number.
    """

    name: str
    doc: str
    claims: Claims
    concrete: type[State]
    abstract: type[State]
    parameters: tuple[Name, ...]
    guards: tuple[Guard, ...]
    assignments: tuple[Assignment, ...]
    copied: tuple[str, ...]
    at_most: int
    sizes: Mapping[str, Size]
    place: str

    @cached_property
    def abstract_spec(self) -> Spec:
        """The abstract spec, without its properties: what counts here is what it does."""
        return replace(spec_of(self.abstract), properties=(), figures=(), liveness=())

    def projections(self, instance: Instance) -> tuple[Projection, ...]:
        """Return the projections of an instance, one for each choice of the parameters.

        Raises:
            InstanceError: there is none, the abstract instance is not complete, or a place is not
                assigned.
        """
        choices = [a for a in instance.choices(self.parameters) if self._allows(instance, a)]
        if not choices:
            reasons = "; ".join(g.why for g in self.guards)
            raise InstanceError(f"{instance.name}: {self.name} is about nothing: never {reasons}")
        return tuple(Projection(self, instance, arguments) for arguments in choices)

    def _allows(self, instance: Instance, arguments: Arguments) -> bool:
        """Return whether there is a projection for these parameters."""
        names = {p.label: x for p, x in zip(self.parameters, arguments, strict=True)}
        nothing = (0,) * len(instance.cells)  # guards read constants only
        judge = Interpreter(instance)
        return all(judge.evaluate(g.condition, names, nothing) for g in self.guards)


def refinement(
    *bare: object,
    at_most: int = 1,
    sizes: Mapping[str, Size] = MappingProxyType({}),
    claims: Claims = (),
) -> Callable[[Callable[..., None]], Refinement]:
    """Define how a state is read as a state of another spec.

    The function takes the concrete state, the abstract one, and the elements for each choice of
    which there is a projection. What it does not assign is copied, where the concrete state has
    the same: the name, the sorts, and a constant for a constant. A ``guard`` over constants says
    for which elements there is a projection.

    Args:
        bare: nothing; it is there to refuse ``@refinement`` without parentheses.
        at_most: how many abstract steps one concrete step may be.
        sizes: of sorts that only the abstract spec has, or that differ there.
        claims: the claims that it shows.
    """
    _check_parentheses("refinement", bare)

    def decorate(function: Callable[..., None]) -> Refinement:
        concrete, abstract, sorts = _states(function)
        place = _place(function)
        with recording("refinement") as recorder, _Named(_name(concrete, function)):
            parameters = tuple(recorder.fresh_name(label, sort) for label, sort in sorts.items())
            body: Callable[..., object] = function
            if body(concrete(), abstract(projected=True), *parameters) is not None:
                raise SpecError("a refinement returns nothing", at=place, advice="use assignments")
            written = tuple(recorder.assignments)
            _check_written(recorder.guards, written, at_most, place)
            copies = _copies(concrete, abstract, written, place)
            found = Refinement(
                name=function.__name__,
                doc=_docstring(function),
                claims=claims,
                concrete=concrete,
                abstract=abstract,
                parameters=parameters,
                guards=tuple(recorder.guards),
                assignments=(*written, *copies),
                copied=tuple(a.variable.name for a in copies),
                at_most=at_most,
                sizes=dict(sizes),
                place=place,
            )
        _file_refinement(found)
        return found

    return decorate


# --- definitions -----------------------------------------------------------------------------


def _name(state: type[State], function: Callable[..., Any]) -> str:
    return f"{state.spec_name}.{function.__name__}"


def _states(function: Callable[..., Any]) -> tuple[type[State], type[State], dict[str, Any]]:
    """Return the two states and the sorts of the parameters after them."""
    hints = _type_hints(function)
    labels = list(inspect.signature(function).parameters)
    found = [hints.get(label) for label in labels]
    states = [h for h in found[:2] if isinstance(h, type) and issubclass(h, State)]
    if len(states) < 2 or State in states:
        raise SpecError(
            "the first two parameters must be the concrete and the abstract state",
            within=function.__name__,
            at=_place(function),
            advice="write def name(s: MyState, p: SimplerState) -> None",
        )
    concrete, abstract = states
    with _Named(_name(concrete, function)):
        for label, sort in zip(labels[2:], found[2:], strict=True):
            check_sort(sort, f"parameter {label}")
    return concrete, abstract, dict(zip(labels[2:], found[2:], strict=True))


def _check_written(
    guards: Sequence[Guard], written: tuple[Assignment, ...], at_most: int, place: str
) -> None:
    """Refuse what a refinement cannot say."""
    if at_most < 1:
        raise SpecError(
            "at_most is the number of abstract steps that a step may be: 1 or more", at=place
        )
    for g in guards:
        if _reads_variable(g.condition):
            raise SpecError(
                "a guard of a refinement speaks of constants only",
                at=g.place,
                advice="say with ite(c, a, b) how a value depends on the state",
            )
    for a in written:
        _check_assignment(a)


def _check_assignment(a: Assignment) -> None:
    """Refuse a place that depends on the state, and a constant whose value does."""
    bound = {name.label for name in a.bound}
    for index in a.arguments:
        everywhere = isinstance(index, Name) and index.label in bound
        if not everywhere and not isinstance(index, (Element, Literal)):
            raise SpecError(
                f"{a.variable.name} is assigned at a place that is no fixed element",
                at=a.place,
                advice=f"write {a.variable.name}[every] = lambda x: ite(x == ..., a, b)",
            )
    if a.variable.constant and a.value is not None and _reads_variable(a.value):
        raise SpecError(
            f"{a.variable.name} is a constant of the abstract spec, and its value depends on the "
            "state",
            at=a.place,
            advice="use the constants of the concrete spec and fixed elements",
        )


def _reads_variable(e: Expr) -> bool:
    if isinstance(e, (Holds, Apply)) and not e.variable.constant:
        return True
    return any(_reads_variable(part) for part in parts_of(e))


def _copies(
    concrete: type[State], abstract: type[State], written: tuple[Assignment, ...], place: str
) -> tuple[Assignment, ...]:
    """Return the assignments that were not written; refuse what is assigned in part only."""
    assigned = {a.variable.name for a in written}
    left = [v for v in abstract.variables if v.name not in assigned]
    copies = tuple(_copy(concrete, abstract, v, place) for v in left)
    for v in abstract.variables:
        _check_covered(v, written, place)
    return copies


def _copy(
    concrete: type[State], abstract: type[State], variable: Variable, place: str
) -> Assignment:
    """Return the assignment that copies a variable from the concrete state, which must have it."""
    twin = next((v for v in concrete.variables if v.name == variable.name), None)
    same = (
        twin is not None
        and twin.arguments == variable.arguments
        and twin.to is variable.to
        and (twin.constant or not variable.constant)
    )
    if twin is None or not same:
        kind = "constant" if variable.constant else "variable"
        has = "has none of this name" if twin is None else "has one of this name that differs"
        raise SpecError(
            f"it does not assign the {kind} {variable.name} of {abstract.spec_name}, and "
            f"{concrete.spec_name} {has}",
            at=place,
            advice=f"assign {variable.name}",
        )
    bound = tuple(Name(f"x{i}", sort) for i, sort in enumerate(variable.arguments, 1))
    return Assignment(variable, bound, bound, twin.read(bound, after=False), place)


def _check_covered(v: Variable, written: tuple[Assignment, ...], place: str) -> None:
    """Refuse a variable that is assigned at some of its places only.

    A sort without named elements is covered by ``every`` alone: its size is an instance's.
    """
    own = [a for a in written if a.variable is v]
    if not own:
        return
    columns: list[list[object]] = [[e.label for e in s.elements] or [None] for s in v.arguments]
    for choice in product(*columns):
        if not any(_covers(a, choice) for a in own):
            where = ", ".join("every" if label is None else str(label) for label in choice)
            raise SpecError(
                f"it assigns {v.name} at some places, but not at {v.name}[{where}]",
                at=place,
                advice="assign each place",
            )


def _covers(a: Assignment, choice: tuple[object, ...]) -> bool:
    return all(
        isinstance(index, Name) or (isinstance(index, Element) and index.label == label)
        for index, label in zip(a.arguments, choice, strict=True)
    )


def _file_refinement(found: Refinement) -> None:
    state = found.concrete
    names = (d.name for d in (*state.all_definitions(), *state.refinements))
    if found.name in names:
        raise SpecError(
            f"{found.name} is defined twice",
            within=state.spec_name,
            at=found.place,
            advice="give each refinement a name that no action and no property has",
        )
    state.refinements.append(found)


# --- instances -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Joint(Instance):
    """A concrete instance in which the sorts of the abstract one have their elements too.

    It evaluates what a refinement says. A sort that both have is as in the concrete instance.
    """

    abstract: Instance | None = None

    def domain(self, sort: SortClass) -> range:
        """Return the elements of a sort of either spec."""
        if sort in self.spec.sorts or self.abstract is None:
            return super().domain(sort)
        return self.abstract.domain(sort)


@dataclass(frozen=True)
class Source:
    """What one cell of the abstract state is: an expression over the concrete state.

    ``names`` are the elements that its parameters stand for; ``place`` is where it is written.
    """

    value: Expr
    names: Mapping[str, int]
    place: str


@dataclass(frozen=True)
class Projection:
    """One refinement of one instance, for one choice of its parameters.

    Raises:
        InstanceError: the abstract instance is not complete, or a place is not assigned.
    """

    refinement: Refinement
    concrete: Instance
    arguments: Arguments = ()
    _sources: dict[tuple[str, Arguments], Source] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._sources.update(self._find_sources())
        _ = self.abstract

    @property
    def label(self) -> str:
        """The refinement with its arguments: ``direction(n1)``."""
        parameters = self.refinement.parameters
        said = [
            self.concrete.label(p.sort, x) for p, x in zip(parameters, self.arguments, strict=True)
        ]
        return self.refinement.name + (f"({', '.join(said)})" if said else "")

    @property
    def name(self) -> str:
        """The concrete instance and the label: what errors call the abstract instance."""
        return f"{self.concrete.name}: {self.label}"

    @cached_property
    def joint(self) -> Joint:
        """The instance that evaluates the sources."""
        c = self.concrete
        return Joint(c.name, c.spec, c.sizes, c.constants, self._shape)

    @cached_property
    def abstract(self) -> Instance:
        """The abstract instance, with the constants that the refinement gives it."""
        spec = self.refinement.abstract_spec
        constants = {v.name: self._constant(v) for v in spec.constants}
        return Instance(self.name, spec, self._sizes, constants)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """For each cell of the abstract instance what it is."""
        return tuple(self._sources[c.variable.name, c.arguments] for c in self.abstract.cells)

    def state(self, state: StateTuple) -> StateTuple:
        """Return a concrete state as an abstract one.

        Raises:
            StateError: a value is not of its sort in the abstract instance.
        """
        cells = enumerate(self.sources)
        return tuple(self._fitting(i, self.value(source, state)) for i, source in cells)

    def value(self, source: Source, state: StateTuple) -> int:
        """Return the value of one cell.

        Raises:
            StateError: a variable is read outside its bounds.
        """
        try:
            return Interpreter(self.joint).evaluate(source.value, source.names, state)
        except StateError as error:
            raise StateError(f"{self.name}, {source.place}: {error}") from None

    def unfit(self, cell: int, value: int) -> str:
        """Return what to say of a value that a cell of the abstract instance cannot have."""
        allowed = self.abstract.cells[cell].values
        return (
            f"{self.name}, {self.sources[cell].place}: {self.abstract.cell_label(cell)} would be "
            f"{value}, outside {allowed[0]}..{allowed[-1]}; give the sort another size in sizes=, "
            "or project otherwise"
        )

    def _fitting(self, cell: int, value: int) -> int:
        if value not in self.abstract.cells[cell].values:
            raise StateError(self.unfit(cell, value))
        return value

    # --- the abstract instance -----------------------------------------------------------------

    @cached_property
    def _sizes(self) -> dict[str, Any]:
        """The sizes of the abstract spec's sorts."""
        given, shared = self.refinement.sizes, self.concrete.spec.sorts
        sizes: dict[str, Any] = {k: self._size(v) for k, v in given.items()}
        for sort in self.refinement.abstract_spec.sorts:
            if sort.__name__ not in sizes and sort in shared and not sort.elements:
                sizes[sort.__name__] = self._size(sort)
        return sizes

    def _size(self, given: Size) -> int | tuple[int, int]:
        if isinstance(given, (int, tuple)):
            return given
        domain = self.concrete.domain(given)
        return (domain[0], domain[-1]) if given.integer else len(domain)

    @cached_property
    def _shape(self) -> Instance:
        """The abstract instance with its constants as variables, before they have values."""
        spec = self.refinement.abstract_spec
        cells = replace(spec, variables=(*spec.constants, *spec.variables), constants=())
        return Instance(self.name, cells, self._sizes)

    def _find_sources(self) -> dict[tuple[str, Arguments], Source]:
        r, shape = self.refinement, self._shape
        own = {p.label: x for p, x in zip(r.parameters, self.arguments, strict=True)}
        found: dict[tuple[str, Arguments], Source] = {}
        for a in r.assignments:
            for picks in shape.choices(a.bound):
                names = {**own, **{n.label: x for n, x in zip(a.bound, picks, strict=True)}}
                place = tuple(_fixed(index, names) for index in a.arguments)
                assert a.value is not None  # `anything` is for initial states
                found[a.variable.name, place] = Source(a.value, names, a.place)
        for name, index in shape.cell_index.items():
            for place, cell in index.items():
                if (name, place) not in found:
                    raise InstanceError(f"{self.name}: it does not set {shape.cell_label(cell)}")
        for name, place in found:
            if place not in shape.cell_index[name]:
                raise InstanceError(f"{self.name}: {name} is set outside its bounds, at {place}")
        return found

    def _constant(self, v: Variable) -> Any:
        """Return the value of an abstract constant by labels, as an instance takes it."""
        shape, nothing = self._shape, (0,) * len(self.concrete.cells)
        table: dict[str, str] = {}
        for place, cell in shape.cell_index[v.name].items():
            source = self._sources[v.name, place]
            value = self.value(source, nothing)
            if value not in shape.cells[cell].values:
                raise InstanceError(
                    f"{self.name}, {source.place}: {shape.cell_label(cell)} cannot be {value}; "
                    "give the sort another size in sizes="
                )
            labels = map(shape.label, v.arguments, place)
            table[",".join(labels)] = shape.label(v.to, value)
        return table if v.arguments else table[""]


def _fixed(index: Expr, names: Mapping[str, int]) -> int:
    match index:
        case Name(label):
            return names[label]
        case Element(_, _, position):
            return position
        case Literal(_, value):
            return value
    raise TypeError(f"no fixed element: {type(index).__name__}")
