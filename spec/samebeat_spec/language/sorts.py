"""Sorts: the kinds of things a spec speaks of.

A sort is a class, and its elements are its (symbolic) instances, so that ``n: Node`` in an action
means what it says to a reader, to an editor and to the type checker:

- ``class Node(Sort, symmetric=True)``: elements without a name; the instance says how many.
- ``class Phase(Enumeration)``: elements named by the spec, ``NAME = element("its meaning")``.
- ``class Epoch(Ordered)``: a total order with a first element; the instance says how long.
- ``class Level(Integer, low=0, high=3)``: bounded integers; the instance may fix the bounds.
"""

from __future__ import annotations

from typing import ClassVar, cast

from samebeat_spec.language.errors import SpecError
from samebeat_spec.language.terms import Element, Term


class _Declared:
    """An element of an enumeration before its class exists."""

    def __init__(self, doc: str) -> None:
        self.doc = doc


def element(doc: str = "") -> Term:
    """Declare an element of an ``Enumeration``; ``doc`` says what it means."""
    return cast("Term", _Declared(doc))  # the class turns it into an element


class Sort(Term):
    """A sort whose elements have no names; an instance says how many there are.

    ``symmetric=True`` promises that elements are interchangeable; the explorer may then look at
    one state of each orbit. The language allows no order on such a sort, so the promise holds
    unless an instance's constants tell elements apart (then only what keeps them is used).
    """

    symmetric: bool = False
    ordered: bool = False
    integer: bool = False
    prefix: str = ""
    elements: tuple[Element, ...] = ()
    docs: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None

    def __init_subclass__(cls, *, symmetric: bool = False, prefix: str = "") -> None:
        super().__init_subclass__()
        cls.symmetric = symmetric
        cls.prefix = prefix or cls.__name__[0].lower()

    def __init__(self) -> None:
        raise SpecError(
            f"{type(self).__name__} is a sort, its elements are not made by calling it",
            advice="take one as a parameter of the action or with forall / exists",
        )


class Enumeration(Sort):
    """A sort whose elements the spec names: ``IDLE = element("has nothing open")``."""

    def __init_subclass__(cls, *, symmetric: bool = False) -> None:
        _check_not_symmetric(cls, symmetric, "its elements have names")
        super().__init_subclass__()
        declared = {k: v for k, v in vars(cls).items() if isinstance(v, _Declared)}
        if not declared:
            raise SpecError(
                f"the enumeration {cls.__name__} has no elements",
                advice='write NAME = element("what it means") in its body',
            )
        cls.docs = tuple(d.doc for d in declared.values())
        cls.elements = tuple(Element(cls, label, i) for i, label in enumerate(declared))
        for e in cls.elements:
            setattr(cls, e.label, e)


class Ordered(Sort):
    """A totally ordered sort with a first element: ``Epoch.first``, ``following(e)``, ``e < f``."""

    first: ClassVar[Term]
    ordered = True

    def __init_subclass__(cls, *, symmetric: bool = False) -> None:
        _check_not_symmetric(cls, symmetric, "its elements have an order")
        super().__init_subclass__()
        cls.first = Element(cls, "first", 0)


class Integer(Sort):
    """Bounded integers. ``low`` and ``high`` are inclusive; an instance may give the bounds."""

    integer = True

    def __init_subclass__(
        cls, *, low: int | None = None, high: int | None = None, symmetric: bool = False
    ) -> None:
        _check_not_symmetric(cls, symmetric, "its elements are numbers")
        super().__init_subclass__()
        if (low is None) != (high is None):
            raise SpecError(
                f"{cls.__name__} is an unbounded integer: it has only one bound",
                advice="give both low= and high=, or none and let each instance give them",
            )
        if low is not None and high is not None:
            if low > high:
                raise SpecError(f"{cls.__name__}: low {low} is above high {high}")
            cls.bounds = (low, high)


def _check_not_symmetric(sort: type[Sort], symmetric: bool, reason: str) -> None:
    if symmetric:
        raise SpecError(
            f"{sort.__name__} cannot be symmetric: {reason}", advice="drop symmetric=True"
        )


def check_sort(value: object, where: str) -> None:
    """Refuse anything that is not a sort.

    Raises:
        SpecError: with a hint for the usual mistakes (``int``, ``bool``, an element).
    """
    if isinstance(value, type) and issubclass(value, Sort) and value not in _ABSTRACT:
        return
    if value is int:
        raise SpecError(
            f"{where}: int is an unbounded integer",
            advice="declare class Level(Integer, low=0, high=3) and use Level",
        )
    if value is bool:
        raise SpecError(f"{where}: bool is not a sort", advice="use relation(...) or flag()")
    name = value.__name__ if isinstance(value, type) else repr(value)
    raise SpecError(
        f"{where}: {name} is not a sort",
        advice="declare a class that extends Sort, Enumeration, Ordered or Integer",
    )


class Number(Integer, low=0, high=2**31):
    """What ``count(...)`` gives; it is compared, never stored."""


_ABSTRACT = (Sort, Enumeration, Ordered, Integer, Number)
