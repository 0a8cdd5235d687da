"""What a spec's sorts and variables are for the solver: of any size, or of one finite size.

- A sort without names is a sort of the solver: all that is known is that it has an element.
- An enumeration is a data type with its elements. Quantifiers over it are written out.
- An ordered sort has a total order with a first element. ``following`` is a relation: an epoch
  need not have one that follows it. If it has, there is nothing in between. So the order may be
  finite, infinite or dense; whole numbers are one case.
- A function that is to be read as a relation is one of which only is known that it has at most one
  value everywhere. What is shown of it holds for functions, which have one.
- With sizes, each sort is a data type too and every quantifier is written out: that is an instance.

Bounded integers are not of the core tier of the language, and are refused. A proof may read a sort
of them as all real numbers. With sizes they are whole numbers: where nothing but 0 is written as a
number, and numbers are only added and compared, rational ones are whole ones of a smaller unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import z3

from samebeat_proofs.facts import ProofError
from samebeat_spec.language import Spec, Variable
from samebeat_spec.language.terms import SortClass

Z3 = Any
"""An expression, sort or declaration of the solver: its Python interface has no types."""


class Universe:
    """The solver's sorts, elements and symbols for one spec, in a context of their own.

    Args:
        spec: the spec.
        sizes: how many elements each sort without named elements has; None for any number.
        relational: names of functions that are read as relations; with sizes they are not.
        reals: names of sorts of whole numbers that are read as all real numbers.

    Raises:
        ProofError: the spec has bounded integers.
    """

    def __init__(
        self,
        spec: Spec,
        sizes: Mapping[str, int] | None = None,
        relational: Sequence[str] = (),
        reals: Sequence[str] = (),
    ) -> None:
        self.spec = spec
        self.reals = frozenset(reals)
        self.sizes = sizes
        self.relational = frozenset(relational if sizes is None else ())
        self.context: Z3 = z3.Context()
        self._sorts: dict[str, Z3] = {}
        self._elements: dict[str, tuple[Z3, ...]] = {}
        self._symbols: dict[str, Z3] = {}
        for sort in spec.sorts:
            self._add(sort)

    def _add(self, sort: SortClass) -> None:
        name = sort.__name__
        if self.is_real(sort):
            whole = self.sizes is not None
            self._sorts[name] = z3.IntSort(self.context) if whole else z3.RealSort(self.context)
            return
        if sort.integer:
            raise ProofError(
                f"{self.spec.name}: {name} is a sort of bounded integers; proofs for all sizes "
                "know sorts, enumerations and orders only"
            )
        if sort.elements:
            labels = [f"{name}.{e.label}" for e in sort.elements]
        elif self.sizes is not None:
            labels = [f"{name}.{i}" for i in range(self.sizes[name])]
        else:
            self._sorts[name] = z3.DeclareSort(name, self.context)
            return
        self._sorts[name], elements = z3.EnumSort(name, labels, self.context)
        self._elements[name] = tuple(elements)

    def is_real(self, sort: SortClass) -> bool:
        """Return whether a sort of whole numbers is read as all real numbers."""
        return sort is not None and sort.integer and sort.__name__ in self.reals

    def number(self, sort: SortClass, value: int) -> Z3:
        """Return a number of a sort that is read as all real numbers."""
        whole = self.sizes is not None
        return z3.IntVal(value, self.context) if whole else z3.RealVal(value, self.context)

    def sort(self, sort: SortClass) -> Z3:
        """Return the solver's sort; truth values where ``sort`` is None."""
        return z3.BoolSort(self.context) if sort is None else self._sorts[sort.__name__]

    def elements(self, sort: SortClass) -> tuple[Z3, ...]:
        """Return all elements of a sort, or nothing if it can have any number."""
        return self._elements.get(sort.__name__, ())

    def first(self, sort: SortClass) -> Z3:
        """Return the first element of an ordered sort; of another sort, its default element.

        A function that an initial state does not set has that value everywhere.
        """
        if self.is_real(sort):
            return self.number(sort, 0)
        if self.elements(sort):
            return self.elements(sort)[0]
        return self.constant(f"{sort.__name__}.first", sort)

    def constant(self, name: str, sort: SortClass) -> Z3:
        """Return a symbol for one element of a sort."""
        return z3.Const(name, self.sort(sort))

    def symbol(self, v: Variable, prefix: str = "") -> Z3:
        """Return the function (or constant) that stands for a variable in some state."""
        name = prefix + v.name
        if name not in self._symbols:
            result = self.sort(v.to)
            sorts = [self.sort(s) for s in v.arguments]
            made = z3.Function(name, *sorts, result) if sorts else z3.Const(name, result)
            self._symbols[name] = made
        return self._symbols[name]

    def is_relational(self, v: Variable) -> bool:
        """Return whether a function is read as a relation."""
        return v.name in self.relational

    def graph(self, v: Variable) -> Z3:
        """Return the relation of a function's arguments to its value."""
        name = f"{v.name}.is"
        if name not in self._symbols:
            sorts = [self.sort(s) for s in (*v.arguments, v.to)]
            self._symbols[name] = z3.Function(name, *sorts, z3.BoolSort(self.context))
        return self._symbols[name]

    def value_axioms(self) -> Iterator[tuple[str, Z3]]:
        """Yield that a function which is read as a relation has at most one value everywhere."""
        for v in (*self.spec.variables, *self.spec.constants):
            if self.is_relational(v):
                place = [self.constant(f"{v.name}.{i}", s) for i, s in enumerate(v.arguments)]
                one, other = (self.constant(f"{v.name}.{x}", v.to) for x in ("one", "other"))
                graph = self.graph(v)
                both = z3.And(graph(*place, one), graph(*place, other))
                law = z3.ForAll([*place, one, other], z3.Implies(both, one == other))
                yield f"one value of {v.name}", law

    def has_values(self, name: str) -> Z3:
        """Return that a function which is read as a relation has a value everywhere."""
        (v,) = (v for v in (*self.spec.variables, *self.spec.constants) if v.name == name)
        if not self.is_relational(v):
            return z3.BoolVal(True, self.context)
        place = [self.constant(f"{name}.{i}", s) for i, s in enumerate(v.arguments)]
        value = self.constant(f"{name}.value", v.to)
        return z3.ForAll(place, z3.Exists([value], self.graph(v)(*place, value)))

    def less(self, sort: SortClass) -> Z3:
        """Return the order of an ordered sort, a relation."""
        return self._order(sort, "less")

    def following(self, sort: SortClass) -> Z3:
        """Return the relation of an element to the one that follows it."""
        return self._order(sort, "following")

    def _order(self, sort: SortClass, name: str) -> Z3:
        name, domain = f"{sort.__name__}.{name}", self.sort(sort)
        if name not in self._symbols:
            self._symbols[name] = z3.Function(name, domain, domain, z3.BoolSort(self.context))
        return self._symbols[name]

    def order_axioms(self) -> Iterator[tuple[str, Z3]]:
        """Yield what is known of each ordered sort, with its name."""
        for sort in self.spec.sorts:
            if sort.ordered:
                axioms = self._finite_order(sort) if self.elements(sort) else self._order_of(sort)
                yield f"order of {sort.__name__}", z3.And(*axioms)

    def _order_of(self, sort: SortClass) -> list[Z3]:
        a, b, c = (self.constant(f"{sort.__name__}.{x}", sort) for x in "abc")
        less, following, first = self.less(sort), self.following(sort), self.first(sort)
        return [
            z3.ForAll([a], z3.Not(less(a, a))),
            z3.ForAll([a, b, c], z3.Implies(z3.And(less(a, b), less(b, c)), less(a, c))),
            z3.ForAll([a, b], z3.Or(less(a, b), a == b, less(b, a))),
            z3.ForAll([a], z3.Not(less(a, first))),
            z3.ForAll([a, b], z3.Implies(following(a, b), less(a, b))),
            z3.ForAll([a, b, c], z3.Not(z3.And(following(a, b), less(a, c), less(c, b)))),
        ]

    def _finite_order(self, sort: SortClass) -> list[Z3]:
        pairs = list(product(enumerate(self.elements(sort)), repeat=2))
        less, following = self.less(sort), self.following(sort)
        return [
            *(less(a, b) == z3.BoolVal(i < j, self.context) for (i, a), (j, b) in pairs),
            *(following(a, b) == z3.BoolVal(i + 1 == j, self.context) for (i, a), (j, b) in pairs),
        ]
