"""Expressions as text: what TLA+, Murphi and Promela have in common.

A language is a subclass with its operators; names in scope travel in ``scope``, a mapping from
labels to identifiers, so a binder never shadows another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from samebeat_models.exports.text import Block, Doc, Names, flat, in_parentheses
from samebeat_models.exports.trees import constant_index
from samebeat_spec.language import Instance, Variable
from samebeat_spec.language.terms import (
    And,
    Apply,
    CountOf,
    Equal,
    Exists,
    Expr,
    Following,
    ForAll,
    Holds,
    Iff,
    IfThenElse,
    Implies,
    Less,
    Name,
    Not,
    Or,
    SortClass,
    Sum,
    Truth,
)

Scope = Mapping[str, str]
_ATOM, _SUM, _COMPARISON, _CONNECTIVE = range(4)


class Printer(ABC):
    """Prints expressions; the class attributes are a language's operators."""

    truth: ClassVar[tuple[str, str]]
    negation: ClassVar[str]
    conjunction: ClassVar[str]
    disjunction: ClassVar[str]
    implication: ClassVar[str] = ""
    equivalence: ClassVar[str]
    equal: ClassVar[str]
    unequal: ClassVar[str]
    at_most: ClassVar[str]
    choice: ClassVar[tuple[str, str, str]]
    """before the condition, between condition and first value, between the values"""

    def __init__(self, instance: Instance, names: Names) -> None:
        self.instance = instance
        self.names = names

    # --- what a language adds --------------------------------------------------------------

    @abstractmethod
    def place(self, variable: Variable, arguments: list[str], after: bool) -> str:
        """Return how a variable is read at its arguments."""

    @abstractmethod
    def constant(self, sort: SortClass, index: int) -> str:
        """Return how an element of a sort is written."""

    @abstractmethod
    def quantifier(self, expr: ForAll | Exists, scope: Scope) -> Doc:
        """Return a quantified formula."""

    @abstractmethod
    def count(self, expr: CountOf, scope: Scope) -> Doc:
        """Return how many elements make a formula true."""

    quantifier_is_atom: ClassVar[bool] = False

    # --- what they share -------------------------------------------------------------------

    def bind(self, name: Name, scope: Scope) -> tuple[str, dict[str, str]]:
        """Return a new identifier for a bound name, and the scope inside its binder."""
        word = self.names.local(name.label, set(scope.values()))
        return word, {**scope, name.label: word}

    def doc(self, expr: Expr, scope: Scope) -> Doc:
        """Return ``expr`` without parentheses around it."""
        index = constant_index(expr)
        if index is not None:
            return self.constant(expr.sort, index)  # type: ignore[attr-defined]
        match expr:
            case Truth(value):
                return self.truth[value]
            case Name(label):
                return scope[label]
            case Holds(variable, arguments, after) | Apply(variable, arguments, after):
                return self.place(variable, [flat(self.doc(a, scope)) for a in arguments], after)
            case ForAll() | Exists():
                return self.quantifier(expr, scope)
            case CountOf():
                return self.count(expr, scope)
            case Sum(left, right, sign):
                parts = (self.wrap(left, scope, _SUM), self.wrap(right, scope, _ATOM))
                return Block("", parts, " + " if sign > 0 else " - ")
            case Following(body):
                return Block("", (self.wrap(body, scope, _SUM), "1"), " + ")
            case IfThenElse(condition, then, otherwise):
                return self._choice(condition, then, otherwise, scope)
        return self._formula(expr, scope)

    def _formula(self, expr: Expr, scope: Scope) -> Doc:
        match expr:
            case Not(Equal(left, right)):
                return self._binary(left, right, self.unequal, scope, _SUM)
            case Not(Less(left, right)):
                return self._binary(right, left, self.at_most, scope, _SUM)
            case Equal(left, right):
                return self._binary(left, right, self.equal, scope, _SUM)
            case Less(left, right):
                return self._binary(left, right, "<", scope, _SUM)
            case Not(body):
                inner = self.wrap(body, scope, _ATOM)
                if isinstance(inner, str):
                    return self.negation + inner
                return Block(self.negation + inner.head, inner.parts, inner.joiner, inner.tail)
            case And(parts):
                return self._list(parts, self.conjunction, scope)
            case Or(parts):
                return self._list(parts, self.disjunction, scope)
            case Implies(left, right):
                return self._implies(left, right, scope)
            case Iff(left, right):
                return self._binary(left, right, self.equivalence, scope, _ATOM)
        raise TypeError(f"no text for {type(expr).__name__}")

    def _implies(self, left: Expr, right: Expr, scope: Scope) -> Doc:
        if self.implication:
            return self._binary(left, right, self.implication, scope, _COMPARISON)
        return self._list((Not(left), right), self.disjunction, scope)  # type: ignore[arg-type]

    def _binary(self, left: Expr, right: Expr, operator: str, scope: Scope, most: int) -> Doc:
        parts = (self.wrap(left, scope, most), self.wrap(right, scope, most))
        return Block("", parts, f" {operator} ")

    def _list(self, parts: tuple[Expr, ...], operator: str, scope: Scope) -> Doc:
        return Block("", tuple(self.wrap(p, scope, _COMPARISON) for p in parts), f" {operator} ")

    def _choice(self, condition: Expr, then: Expr, otherwise: Expr, scope: Scope) -> Doc:
        before, middle, last = self.choice
        first = self.wrap(condition, scope, _COMPARISON)
        head = Block(before, (first, self.wrap(then, scope, _SUM)), middle)
        return Block("(", (head, self.wrap(otherwise, scope, _SUM)), last, ")")

    def wrap(self, expr: Expr, scope: Scope, most: int) -> Doc:
        """Return ``expr``, in parentheses if it binds looser than ``most`` allows."""
        inner = self.doc(expr, scope)
        return inner if self._looseness(expr) <= most else in_parentheses(inner)

    def conjunct(self, expr: Expr, scope: Scope) -> Doc:
        """Return ``expr`` as one part of a conjunction."""
        return self.wrap(expr, scope, _COMPARISON)

    def operand(self, expr: Expr, scope: Scope) -> Doc:
        """Return ``expr`` as one side of a comparison."""
        return self.wrap(expr, scope, _SUM)

    def _looseness(self, expr: Expr) -> int:
        match expr:
            case Sum() | Following():
                return _SUM
            case Equal() | Less() | Not(Equal() | Less()):
                return _COMPARISON
            case ForAll() | Exists():
                return _ATOM if self.quantifier_is_atom else _CONNECTIVE
            case And() | Or() | Implies() | Iff():
                return _CONNECTIVE
            case Not():
                return _SUM
        return _ATOM


def index_text(place: str, arguments: list[str]) -> str:
    """Return ``place[a][b]``."""
    return place + "".join(f"[{a}]" for a in arguments)
