"""State variables: relations, functions, flags and single values, and the constants of instances.

A spec's state is a class; its variables are the class's attributes::

    class Group(State):
        phase = function(Node, Change, to=Phase)
        requested = relation(Change)
        epoch = function(Node, to=Epoch)

Inside an action, ``s.phase[n, c]`` reads the state *before* the step and ``s.phase[n, c] = ...``
sets the state after it. ``every`` as an index sets all places of that column at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, TypeVar, cast, overload

from samebeat_spec.language.errors import SpecError
from samebeat_spec.language.recorder import Every, Recorder, recorder
from samebeat_spec.language.sorts import Sort, check_sort
from samebeat_spec.language.terms import (
    Apply,
    Following,
    Formula,
    Holds,
    IfThenElse,
    Literal,
    Name,
    SortClass,
    Sum,
    Term,
    as_formula,
    as_term,
)

T = TypeVar("T", bound=Sort)


class Variable:
    """A state variable or a constant: its name, the sorts of its arguments and of its values.

    ``to`` is None for relations and flags (their values are true and false). A constant never
    changes; each instance fixes it.
    """

    name: str = ""

    def __init__(self, arguments: tuple[SortClass, ...], to: SortClass, constant: bool) -> None:
        for sort in (*arguments, *(() if to is None else (to,))):
            check_sort(sort, "a state variable")
        self.arguments = arguments
        self.to = to
        self.constant = constant

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def read(self, arguments: tuple[Term, ...], after: bool) -> Formula | Term:
        """Return the expression that reads this variable."""
        return (Holds if self.to is None else Apply)(self, arguments, after)


@dataclass(frozen=True, eq=False)
class Places:
    """One variable of one state, ready to be indexed: what ``s.phase`` gives."""

    variable: Variable
    state: State

    def _indices(self, key: object) -> tuple[Any, ...]:
        indices = key if isinstance(key, tuple) else (key,)
        sorts = self.variable.arguments
        if len(indices) != len(sorts):
            wanted = ", ".join(s.__name__ for s in sorts)
            raise SpecError(
                f"{self.variable.name} takes {len(sorts)} argument(s), {len(indices)} given",
                advice=f"write {self.variable.name}[{wanted}]",
            )
        return tuple(
            index if index is every else self._index(index, sort)
            for index, sort in zip(indices, sorts, strict=True)
        )

    def _index(self, index: object, sort: SortClass) -> Term:
        """Return one index; only what surely stays within the sort's bounds may be one."""
        term = as_term(index, sort, f"{self.variable.name}[...]")
        if not _stays_within(term, sort):
            raise SpecError(
                f"{self.variable.name}[...] may be read outside its bounds",
                advice="add a parameter i to the action, guard(i == ..., why) with what stands "
                "here, and index with i",
            )
        return term

    def __getitem__(self, key: object) -> Any:
        indices = self._indices(key)
        if any(index is every for index in indices):
            raise SpecError(
                f"{self.variable.name}[every] cannot be read",
                advice="use forall(...) or exists(...) over the elements",
            )
        return self.state.read(self.variable, indices)

    def __setitem__(self, key: object, value: object) -> None:
        self.state.assign(self.variable, self._indices(key), value)

    def _whole(self, *_: object) -> NoReturn:
        wanted = ", ".join(s.__name__ for s in self.variable.arguments)
        raise SpecError(
            f"{self.variable.name} cannot be compared or combined as a whole",
            advice=f"write {self.variable.name}[{wanted}], under forall or exists for all places",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _whole
    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __bool__ = _whole
    __iter__ = __contains__ = __call__ = _whole
    __hash__ = None  # type: ignore[assignment]


def _stays_within(term: Term, sort: SortClass) -> bool:
    """Return whether a term is an element of ``sort`` whatever the state.

    A literal of a sort whose bounds only the instance knows is checked there.
    """
    if isinstance(term, IfThenElse):
        return _stays_within(term.then, sort) and _stays_within(term.otherwise, sort)
    if isinstance(term, Literal) and sort.bounds is not None and term.sort is sort:
        low, high = sort.bounds
        return bool(low <= term.value <= high)
    return term.sort is sort and not isinstance(term, (Sum, Following))


class Relation(Variable):
    """``r[n, m]`` is a formula."""

    def __init__(self, *arguments: SortClass, constant: bool = False) -> None:
        super().__init__(arguments, None, constant)

    @overload
    def __get__(self, instance: None, owner: type) -> Relation: ...
    @overload
    def __get__(self, instance: State, owner: type) -> RelationPlaces: ...
    def __get__(self, instance: State | None, owner: type) -> Relation | RelationPlaces:
        return self if instance is None else RelationPlaces(self, instance)


class Function(Variable, Generic[T]):
    """``f[n]`` is a term of the sort ``to``."""

    def __init__(self, *arguments: SortClass, to: type[T], constant: bool = False) -> None:
        super().__init__(arguments, to, constant)

    @overload
    def __get__(self, instance: None, owner: type) -> Function[T]: ...
    @overload
    def __get__(self, instance: State, owner: type) -> FunctionPlaces[T]: ...
    def __get__(self, instance: State | None, owner: type) -> Function[T] | FunctionPlaces[T]:
        return self if instance is None else FunctionPlaces(self, instance)


class Single(Variable, Generic[T]):
    """A variable without arguments, read as ``s.turn`` and set as ``s.turn = n``."""

    def __init__(self, to: type[T], constant: bool = False) -> None:
        super().__init__((), to, constant)

    @overload
    def __get__(self, instance: None, owner: type) -> Single[T]: ...
    @overload
    def __get__(self, instance: State, owner: type) -> T: ...
    def __get__(self, instance: State | None, owner: type) -> Single[T] | T:
        return self if instance is None else cast("T", instance.read(self, ()))

    def __set__(self, instance: State, value: object) -> None:
        instance.assign(self, (), value)


class Flag(Variable):
    """A truth value without arguments, read as ``s.open`` and set as ``s.open = True``."""

    def __init__(self, constant: bool = False) -> None:
        super().__init__((), None, constant)

    @overload
    def __get__(self, instance: None, owner: type) -> Flag: ...
    @overload
    def __get__(self, instance: State, owner: type) -> Formula: ...
    def __get__(self, instance: State | None, owner: type) -> Flag | Formula:
        return self if instance is None else cast("Formula", instance.read(self, ()))

    def __set__(self, instance: State, value: object) -> None:
        instance.assign(self, (), value)


class RelationPlaces(Places):
    """A relation of one state."""

    def __getitem__(self, key: object) -> Formula:
        return cast("Formula", super().__getitem__(key))


class FunctionPlaces(Places, Generic[T]):
    """A function of one state."""

    def __getitem__(self, key: object) -> T:
        return cast("T", super().__getitem__(key))


def relation(*arguments: SortClass, constant: bool = False) -> Relation:
    """Declare a relation over ``arguments``; at the start it holds of nothing."""
    return Relation(*arguments, constant=constant)


def function(*arguments: SortClass, to: type[T], constant: bool = False) -> Function[T]:
    """Declare a total function from ``arguments`` to ``to``."""
    return Function(*arguments, to=to, constant=constant)


def variable(to: type[T], constant: bool = False) -> Single[T]:
    """Declare a single value of the sort ``to``."""
    return Single(to, constant)


def flag(constant: bool = False) -> Flag:
    """Declare a single truth value."""
    return Flag(constant)


class _EveryType(Every):
    def __repr__(self) -> str:
        return "every"


class _AnythingType:
    def __repr__(self) -> str:
        return "anything"


every = _EveryType()
"""As an index on the left of an assignment: all places of that column."""
anything = _AnythingType()
"""As a value in an ``@initial`` definition: any value, independently for each place."""


class State:
    """Base of a spec's state; its docstring is the spec's header (first what is *not* modelled).

    A state that extends another one has its variables too, and its spec has the definitions of
    the other, unless it defines one of the same name.

    An instance stands for the state before a step, or after it (``after=True``, in step
    properties), or for the abstract state that a refinement assigns (``projected=True``). ``name``
    is the spec's name in reports and on the command line. ``refinements`` are those of this very
    state: a state that extends it does not have them.
    """

    variables: ClassVar[tuple[Variable, ...]] = ()
    definitions: ClassVar[list[Any]] = []
    refinements: ClassVar[list[Any]] = []
    spec_name: ClassVar[str] = ""

    def __init_subclass__(cls, *, name: str = "") -> None:
        super().__init_subclass__()
        inherited = [v for base in cls.__bases__ for v in getattr(base, "variables", ())]
        own = [v for v in vars(cls).values() if isinstance(v, Variable)]
        cls.variables = (*inherited, *own)
        cls.definitions, cls.refinements = [], []
        cls.spec_name = name or cls.__name__.lower()
        taken = [v.name for v in own if any(hasattr(base, v.name) for base in cls.__bases__)]
        if taken:
            raise SpecError(
                f"no state variable can be called {taken[0]!r}",
                within=cls.spec_name,
                advice="the language uses that name; choose another",
            )

    @classmethod
    def all_definitions(cls) -> tuple[Any, ...]:
        """Return what is defined for this state and for those it extends, without the replaced."""
        own = {d.name for d in cls.definitions}
        inherited = [
            d
            for base in cls.__bases__
            if issubclass(base, State)
            for d in base.all_definitions()
            if d.name not in own
        ]
        return (*inherited, *cls.definitions)

    def __init__(self, after: bool = False, projected: bool = False) -> None:
        vars(self)["_after"] = after
        vars(self)["_projected"] = projected

    def __setattr__(self, name: str, value: object) -> None:
        if not isinstance(getattr(type(self), name, None), (Single, Flag)):
            raise SpecError(
                f"s.{name} cannot be set as a whole",
                advice=f"set one place, s.{name}[n] = ..., or all of them, s.{name}[every] = ...",
            )
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(v.name for v in type(self).variables)
        raise SpecError(
            f"{type(self).__name__} has no state variable {name!r}", advice=f"it has {known}"
        )

    def read(self, variable: Variable, arguments: tuple[Term, ...]) -> Formula | Term:
        """Return the expression that reads ``variable`` here; refuse a place assigned before."""
        if vars(self)["_projected"]:
            raise SpecError(
                f"{variable.name} of the abstract state is assigned, never read",
                advice="say it in terms of the concrete state",
            )
        expression = variable.read(arguments, vars(self)["_after"])
        recorder().check_not_assigned(variable, arguments)
        return expression

    def assign(self, variable: Variable, indices: tuple[Any, ...], value: object) -> None:
        """Record an assignment to the places that ``indices`` name (``every`` for a column)."""
        target = recorder()
        self._check_assignable(target, variable)
        names = tuple(
            target.fresh_name(sort.__name__[0].lower(), sort)
            for index, sort in zip(indices, variable.arguments, strict=True)
            if index is every
        )
        remaining = iter(names)
        arguments = tuple(next(remaining) if index is every else index for index in indices)
        new = _value(target, variable, value, names)
        target.record_assignment(variable, arguments, names, new)
        target.release(names)

    def _check_assignable(self, target: Recorder, variable: Variable) -> None:
        projected: bool = vars(self)["_projected"]
        if target.kind == "refinement" and not projected:
            raise SpecError(
                f"{variable.name} is of the concrete state, which a refinement only reads",
                advice="assign the variables of the abstract state",
            )
        if variable.constant and not projected:
            raise SpecError(
                f"{variable.name} is a constant: an instance fixes it and no step changes it"
            )
        if vars(self)["_after"]:
            raise SpecError("a step property compares two states and sets none")


def _value(target: Recorder, variable: Variable, value: object, names: tuple[Name, ...]) -> Any:
    """Return the recorded form of an assigned value; a callable takes the ``every`` elements."""
    if value is anything:
        return target.allow_anything()
    if callable(value) and not isinstance(value, (Formula, Term)):
        value = cast("Callable[..., object]", value)(*names)
    where = f"the value of {variable.name}"
    if variable.to is None:
        return as_formula(value, where)
    return as_term(value, variable.to, where)
