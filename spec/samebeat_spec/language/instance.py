"""An instance: a spec with a size for every sort and a value for every constant.

Concretely, an element is a small int: its index, or for an Integer sort the number itself. A
state is a tuple with one int a *cell*; a cell is a variable with its arguments. Truth is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, TypeGuard

from samebeat_spec.language.errors import InstanceError
from samebeat_spec.language.liveness import Fair
from samebeat_spec.language.spec import Spec
from samebeat_spec.language.state import Variable
from samebeat_spec.language.terms import (
    Apply,
    Holds,
    IfThenElse,
    Literal,
    Name,
    SortClass,
    Term,
)

StateTuple = tuple[int, ...]
Arguments = tuple[int, ...]

_MOST_ELEMENTS = 4_096
_MOST_CELLS = 20_000
"""Far beyond what can be explored: a slip of the keyboard should not look like a long run."""


@dataclass(frozen=True)
class Cell:
    """One variable at concrete arguments, and the values that its sort allows it."""

    variable: Variable
    arguments: Arguments
    values: range


def _is_pair(given: object) -> TypeGuard[Sequence[int]]:
    return (
        isinstance(given, (list, tuple)) and len(given) == 2 and all(type(x) is int for x in given)
    )


@dataclass(frozen=True)
class Instance:
    """A finite instance of a spec.

    Args:
        name: what reports call it.
        spec: the spec.
        sizes: for each sort without named elements, how many there are (Integer: a pair
            ``(low, high)`` or a size n for 0..n-1).
        constants: for each constant its value by labels: "v1"; for a function a mapping
            {"c1": "v1"} or {"n1,n2": ...}; for a relation a list of argument labels.

    Raises:
        InstanceError: something is missing, unknown or does not fit.
    """

    name: str
    spec: Spec
    sizes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {s.__name__ for s in self.spec.sorts}
        self._no_extra(self.sizes, known, "sort")
        self._no_extra(self.constants, {v.name for v in self.spec.constants}, "constant")
        for sort in self.spec.sorts:
            self.domain(sort)
        _ = self.constant_values
        places = sum(prod(len(self.domain(s)) for s in v.arguments) for v in self.spec.variables)
        if places > _MOST_CELLS:
            raise InstanceError(
                f"{self.name}: a state has {places:,} cells, more than {_MOST_CELLS:,}; "
                "make the sorts smaller"
            )
        self._check_literals()

    def _no_extra(self, given: Mapping[str, Any], known: set[str], what: str) -> None:
        for name in given:
            if name not in known:
                have = ", ".join(sorted(known)) or "none"
                raise InstanceError(f"{self.name}: no {what} is called {name!r}; there are {have}")

    def _check_literals(self) -> None:
        """Refuse a number as an index that this instance's bounds do not allow."""
        for e in self.spec.expressions:
            if isinstance(e, (Holds, Apply)):
                for index, sort in zip(e.arguments, e.variable.arguments, strict=True):
                    self._check_literal(e.variable, index, sort)
        for a in (*self.spec.initials, *self.spec.actions):
            for x in a.assignments:
                for index, sort in zip(x.arguments, x.variable.arguments, strict=True):
                    self._check_literal(x.variable, index, sort)

    def _check_literal(self, v: Variable, index: Term, sort: SortClass) -> None:
        if isinstance(index, IfThenElse):
            self._check_literal(v, index.then, sort)
            self._check_literal(v, index.otherwise, sort)
        if isinstance(index, Literal) and index.value not in self.domain(sort):
            values = self.domain(sort)
            raise InstanceError(
                f"{self.name}: {v.name}[{index.value}] lies outside {sort.__name__}, "
                f"{values[0]}..{values[-1]}"
            )

    # --- sorts -----------------------------------------------------------------------------

    def domain(self, sort: SortClass) -> range:
        """Return the concrete elements of a sort.

        Raises:
            InstanceError: its size is missing or makes no sense.
        """
        if sort.elements:
            if sort.__name__ in self.sizes:
                raise InstanceError(
                    f"{self.name}: {sort.__name__} has the elements that the spec names, and no "
                    "other size"
                )
            return range(len(sort.elements))
        given = self.sizes.get(sort.__name__, sort.bounds)
        if given is None:
            raise InstanceError(f"{self.name}: the sort {sort.__name__} has no size")
        if type(given) is int:
            low, high = 0, given - 1
        elif sort.integer and _is_pair(given):
            low, high = given
        else:
            raise InstanceError(f"{self.name}: {sort.__name__} needs a size, not {given!r}")
        if high - low >= _MOST_ELEMENTS:
            raise InstanceError(
                f"{self.name}: the sort {sort.__name__} has more than {_MOST_ELEMENTS:,} elements"
            )
        if high < low:
            raise InstanceError(f"{self.name}: the sort {sort.__name__} is empty")
        return range(low, high + 1)

    def label(self, sort: SortClass, value: int) -> str:
        """Return how reports write an element: ``n1``, ``ACKED``, or a number."""
        if sort is None:
            return "true" if value else "false"
        if sort.elements:
            return str(sort.elements[value].label)
        if sort.integer or sort.ordered:
            return str(value)
        return f"{sort.prefix}{value + 1}"

    def element(self, sort: SortClass, label: object) -> int:
        """Return the concrete element that ``label`` names; the inverse of ``label``.

        Raises:
            InstanceError: the sort has no such element here.
        """
        if sort is None:
            if isinstance(label, bool):
                return int(label)
            if label in ("true", "false"):
                return int(label == "true")
        else:
            for value in self.domain(sort):
                if self.label(sort, value) == str(label):
                    return value
        name = "a truth value" if sort is None else sort.__name__
        raise InstanceError(f"{self.name}: {label!r} is no element of {name}")

    def choices(self, names: Sequence[Name]) -> list[Arguments]:
        """Return every choice of elements for ``names``, in a fixed order."""
        return list(product(*(self.domain(n.sort) for n in names)))

    def fair_choices(self, fair: Fair) -> list[Arguments]:
        """Return the choices of an action's parameters that a fairness is about, in order.

        Raises:
            InstanceError: a fixed element is not there in this instance.
        """
        parameters, fixed = self.spec.find_action(fair.action).parameters, dict(fair.fixed)
        wanted = [
            self.element(p.sort, fixed[p.label]) if p.label in fixed else None for p in parameters
        ]
        return [
            choice
            for choice in self.choices(parameters)
            if all(w is None or w == x for w, x in zip(wanted, choice, strict=True))
        ]

    # --- constants -------------------------------------------------------------------------

    @cached_property
    def constant_values(self) -> dict[str, dict[Arguments, int]]:
        """For each constant its table from arguments to values."""
        return {v.name: self._table(v) for v in self.spec.constants}

    def _table(self, v: Variable) -> dict[Arguments, int]:
        if v.name not in self.constants:
            raise InstanceError(f"{self.name}: the constant {v.name} has no value")
        given = self.constants[v.name]
        places = list(product(*(self.domain(s) for s in v.arguments)))
        if not v.arguments:
            return {(): self.element(v.to, given)}
        if v.to is None and isinstance(given, (list, tuple)):
            rows = {self._place(v, row) for row in given}
            return {place: int(place in rows) for place in places}
        if not isinstance(given, Mapping):
            raise InstanceError(f"{self.name}: the constant {v.name} needs a table, not {given!r}")
        table = {self._place(v, key): self.element(v.to, x) for key, x in given.items()}
        for place in places:
            if place not in table:
                labels = ", ".join(map(self.label, v.arguments, place))
                raise InstanceError(f"{self.name}: the constant {v.name} has no value at {labels}")
        return table

    def _place(self, v: Variable, key: object) -> Arguments:
        if isinstance(key, str):
            key = [part.strip() for part in key.split(",")]
        parts = key if isinstance(key, (list, tuple)) else [key]
        if len(parts) != len(v.arguments):
            raise InstanceError(f"{self.name}: {v.name} takes {len(v.arguments)} labels: {key!r}")
        return tuple(self.element(s, p) for s, p in zip(v.arguments, parts, strict=True))

    # --- cells -----------------------------------------------------------------------------

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of a state, in order of declaration and then of arguments."""
        return tuple(
            Cell(v, arguments, range(2) if v.to is None else self.domain(v.to))
            for v in self.spec.variables
            for arguments in product(*(self.domain(s) for s in v.arguments))
        )

    @cached_property
    def cell_index(self) -> dict[str, dict[Arguments, int]]:
        """For each variable, the position of its cell in a state tuple, by arguments."""
        table: dict[str, dict[Arguments, int]] = {v.name: {} for v in self.spec.variables}
        for i, cell in enumerate(self.cells):
            table[cell.variable.name][cell.arguments] = i
        return table

    def cell_label(self, index: int) -> str:
        """Return how reports write a cell: ``phase[n1, c2]``."""
        cell = self.cells[index]
        if not cell.arguments:
            return cell.variable.name
        labels = map(self.label, cell.variable.arguments, cell.arguments)
        return f"{cell.variable.name}[{', '.join(labels)}]"

    def value_label(self, index: int, value: int) -> str:
        """Return how reports write a cell's value."""
        return self.label(self.cells[index].variable.to, value)
