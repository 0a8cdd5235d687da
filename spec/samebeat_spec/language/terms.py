"""Expressions: what a symbolic value is and how it is compared, combined and quantified.

An action's body runs once, on symbolic values; the operators below record it as a tree. Every
reader (interpreter, explorer, exports, proofs, documentation) walks these trees and nothing else.
Formulas are true or false; terms are elements of a sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

from samebeat_spec.language.errors import SpecError

if TYPE_CHECKING:
    from samebeat_spec.language.state import Variable

SortClass = Any  # a subclass of sorts.Sort: classes of classes defeat the type checker
Key = tuple[Any, ...]
_T = TypeVar("_T")


class Expr:
    """A formula or a term. ``key()`` is its structure: equal keys, equal trees."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise SpecError(
            "a symbolic value has no truth of its own (Python `if`, `and`, `or`, `not`, `in` or a "
            "chained comparison was used on it)",
            advice="write guard(...), &, |, ~, implies(a, b), one_of(x, a, b) or ite(c, a, b)",
        )

    def __hash__(self) -> int:
        return hash(self.key())

    def key(self) -> Key:
        """Return the structure of this expression as a nested tuple."""
        fields = type(self).__match_args__  # type: ignore[attr-defined]  # every node is a dataclass
        return (type(self).__name__, *(_key_of(getattr(self, name)) for name in fields))


class Formula(Expr):
    """A truth value that depends on the state."""

    __slots__ = ()

    def __and__(self, other: Formula | bool) -> Formula:
        return conjunction(self, as_formula(other, "&"))

    def __or__(self, other: Formula | bool) -> Formula:
        return disjunction(self, as_formula(other, "|"))

    def __invert__(self) -> Formula:
        return Not(self)

    __rand__ = __and__
    __ror__ = __or__

    def __rshift__(self, other: object) -> NoReturn:
        raise SpecError(
            "`>>` binds tighter than `&` and `|`, so `a & b >> c` is not what it looks like",
            advice="write implies(a, b)",
        )

    def __eq__(self, other: object) -> Formula:  # type: ignore[override]
        return Iff(self, as_formula(other, "=="))

    def __ne__(self, other: object) -> Formula:  # type: ignore[override]
        return Not(Iff(self, as_formula(other, "!=")))

    __hash__ = Expr.__hash__


class Term(Expr):
    """An element of a sort that depends on the state."""

    __slots__ = ()
    sort: SortClass

    def __eq__(self, other: object) -> Formula:  # type: ignore[override]
        return Equal(self, as_term(other, self.sort, "=="))

    def __ne__(self, other: object) -> Formula:  # type: ignore[override]
        return Not(Equal(self, as_term(other, self.sort, "!=")))

    def __lt__(self, other: object) -> Formula:
        return Less(self, self._comparable(other, "<"))

    def __le__(self, other: object) -> Formula:
        return Not(Less(self._comparable(other, "<="), self))

    def __gt__(self, other: object) -> Formula:
        return Less(self._comparable(other, ">"), self)

    def __ge__(self, other: object) -> Formula:
        return Not(Less(self, self._comparable(other, ">=")))

    def __add__(self, other: Term | int) -> Any:
        return Sum(self._number("+"), as_term(other, self.sort, "+"), 1)

    def __sub__(self, other: Term | int) -> Any:
        return Sum(self._number("-"), as_term(other, self.sort, "-"), -1)

    def __radd__(self, other: int) -> Any:
        return Sum(as_term(other, self._number("+").sort, "+"), self, 1)

    def __rsub__(self, other: int) -> Any:
        return Sum(as_term(other, self._number("-").sort, "-"), self, -1)

    def __mul__(self, _: object) -> NoReturn:
        raise SpecError("`*` is not in the language", advice="write x + x, or compare without it")

    __rmul__ = __mul__

    def __and__(self, _: object) -> NoReturn:
        raise SpecError(
            f"`&`, `|` and `~` need truth values, not {describe(self)}",
            advice="put each comparison in parentheses: (x == a) & (y == b)",
        )

    __rand__ = __or__ = __ror__ = __and__

    def __invert__(self) -> NoReturn:
        self.__and__(None)

    __hash__ = Expr.__hash__

    def _comparable(self, other: object, operator: str) -> Term:
        if not (self.sort.ordered or self.sort.integer):
            raise SpecError(
                f"{self.sort.__name__} has no order, so `{operator}` means nothing on it",
                advice="declare it as Ordered, or let a parameter choose any element",
            )
        return as_term(other, self.sort, operator)

    def _number(self, operator: str) -> Term:
        if not self.sort.integer:
            raise SpecError(
                f"`{operator}` needs bounded integers, {self.sort.__name__} is none",
                advice="use an Integer sort, or following(x) on an Ordered sort",
            )
        return self


@dataclass_transform(frozen_default=True, eq_default=False)
def _node(cls: type[_T]) -> type[_T]:
    """Make a syntax-tree class: frozen, compared by ``key()`` and never by ``==``."""
    return dataclass(frozen=True, eq=False, repr=False)(cls)


# --- formulas ------------------------------------------------------------------------------


@_node
class Truth(Formula):
    """A constant truth value."""

    value: bool


@_node
class Holds(Formula):
    """A relation (or flag) holds of its arguments; ``after`` reads the state after a step."""

    variable: Variable
    arguments: tuple[Term, ...]
    after: bool = False


@_node
class Equal(Formula):
    """Two terms of one sort are the same element."""

    left: Term
    right: Term


@_node
class Less(Formula):
    """``left`` comes strictly before ``right`` in an ordered sort or among integers."""

    left: Term
    right: Term


@_node
class Not(Formula):
    """The negation of ``body``."""

    body: Formula


@_node
class And(Formula):
    """All of ``parts`` (flattened; at least two)."""

    parts: tuple[Formula, ...]


@_node
class Or(Formula):
    """At least one of ``parts`` (flattened; at least two)."""

    parts: tuple[Formula, ...]


@_node
class Implies(Formula):
    """If ``antecedent`` then ``consequent``."""

    antecedent: Formula
    consequent: Formula


@_node
class Iff(Formula):
    """Both sides are true or both are false."""

    left: Formula
    right: Formula


@_node
class ForAll(Formula):
    """``body`` holds for every element that ``name`` can stand for."""

    name: Name
    body: Formula


@_node
class Exists(Formula):
    """``body`` holds for some element that ``name`` can stand for."""

    name: Name
    body: Formula


# --- terms ---------------------------------------------------------------------------------


@_node
class Name(Term):
    """A parameter of an action or a bound variable."""

    label: str
    sort: SortClass


@_node
class Element(Term):
    """A named element: of an enumeration, or the first of an ordered sort."""

    sort: SortClass
    label: str
    index: int


@_node
class Literal(Term):
    """A whole number, of an Integer sort."""

    sort: SortClass
    value: int


@_node
class Apply(Term):
    """A function (or single variable) read at its arguments; ``after`` reads the later state."""

    variable: Variable
    arguments: tuple[Term, ...]
    after: bool = False

    @property
    def sort(self) -> SortClass:
        """The sort of the variable's values."""
        return self.variable.to


@_node
class Following(Term):
    """The next element of an ordered sort; past the last it equals nothing and fits nowhere."""

    body: Term

    @property
    def sort(self) -> SortClass:
        """The ordered sort."""
        return self.body.sort


@_node
class Sum(Term):
    """``left + right`` (``sign`` 1) or ``left - right`` (``sign`` -1) of bounded integers."""

    left: Term
    right: Term
    sign: int

    @property
    def sort(self) -> SortClass:
        """The integer sort of the left operand."""
        return self.left.sort


@_node
class IfThenElse(Term):
    """``then`` where ``condition`` holds, ``otherwise`` where it does not."""

    condition: Formula
    then: Term
    otherwise: Term

    @property
    def sort(self) -> SortClass:
        """The sort of both branches."""
        return self.then.sort


@_node
class CountOf(Term):
    """How many elements make ``body`` true, as an integer of ``sort``."""

    sort: SortClass
    name: Name
    body: Formula


# --- building ------------------------------------------------------------------------------


def parts_of(expr: Expr) -> Iterator[Expr]:
    """Yield the expressions that ``expr`` is directly made of."""
    for name in type(expr).__match_args__:  # type: ignore[attr-defined]
        field = getattr(expr, name)
        for part in field if isinstance(field, tuple) else (field,):
            if isinstance(part, Expr):
                yield part


def as_formula(value: object, where: str) -> Formula:
    """Return ``value`` as a formula.

    Raises:
        SpecError: it is neither a formula nor a bool.
    """
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, Formula):
        return value
    raise SpecError(
        f"{where} needs something true or false, not {describe(value)}",
        advice="compare it: x == y, x < y, or read a relation",
    )


def as_term(value: object, sort: SortClass, where: str) -> Term:
    """Return ``value`` as a term of ``sort``; a Python int becomes a literal of an Integer sort.

    Raises:
        SpecError: it is no term, or of another sort.
    """
    if isinstance(value, int) and not isinstance(value, bool) and sort.integer:
        return Literal(sort, value)
    if not isinstance(value, Term):
        raise SpecError(
            f"{where} needs an element of {sort.__name__}, not {describe(value)}",
            advice=f"give it a parameter, a bound variable or a function value of {sort.__name__}",
        )
    if value.sort is sort or (value.sort.integer and sort.integer):
        return value
    raise SpecError(
        f"{where} needs an element of {sort.__name__}, not one of {value.sort.__name__}",
        advice="compare and index with elements of one sort only",
    )


def describe(value: object) -> str:
    """Return a few words for an error message about ``value``."""
    if isinstance(value, Term):
        return f"an element of {value.sort.__name__}"
    if isinstance(value, Formula):
        return "a formula"
    return f"the Python {type(value).__name__} {value!r}"


def conjunction(*parts: Formula) -> Formula:
    """Return the conjunction of ``parts``, flattened; true if there are none."""
    flat = _flatten(And, parts)
    return flat[0] if len(flat) == 1 else And(flat) if flat else Truth(True)


def disjunction(*parts: Formula) -> Formula:
    """Return the disjunction of ``parts``, flattened; false if there are none."""
    flat = _flatten(Or, parts)
    return flat[0] if len(flat) == 1 else Or(flat) if flat else Truth(False)


def _flatten(kind: type[And | Or], parts: tuple[Formula, ...]) -> tuple[Formula, ...]:
    flat: list[Formula] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)


def _key_of(field: object) -> Any:
    if isinstance(field, Expr):
        return field.key()
    if isinstance(field, tuple):
        return tuple(_key_of(part) for part in field)
    if isinstance(field, type):
        return field.__name__
    return getattr(field, "name", field)  # a variable is known by its name
