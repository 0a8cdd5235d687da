"""Quantifiers, counting and the connectives that Python has no operator for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from samebeat_spec.language.errors import SpecError
from samebeat_spec.language.recorder import recorder
from samebeat_spec.language.sorts import Number, check_sort
from samebeat_spec.language.terms import (
    CountOf,
    Equal,
    Exists,
    Following,
    ForAll,
    Formula,
    IfThenElse,
    Implies,
    Name,
    Term,
    as_formula,
    as_term,
    describe,
    disjunction,
)

Body = Callable[..., Formula]
T = TypeVar("T", bound=Term)


def implies(antecedent: Formula | bool, consequent: Formula | bool) -> Formula:
    """Return "if ``antecedent`` then ``consequent``"."""
    return Implies(as_formula(antecedent, "implies"), as_formula(consequent, "implies"))


def forall(*sorts_and_body: Any) -> Formula:
    """Return "for all": ``forall(Node, Node, lambda n, m: ...)``."""
    names, body = _bind("forall", sorts_and_body)
    for name in reversed(names):
        body = ForAll(name, body)
    return body


def exists(*sorts_and_body: Any) -> Formula:
    """Return "there is": ``exists(Node, lambda m: s.heard_failed[n, m])``."""
    names, body = _bind("exists", sorts_and_body)
    for name in reversed(names):
        body = Exists(name, body)
    return body


def count(sort: Any, body: Body) -> Any:
    """Return how many elements of ``sort`` make ``body`` true (explorer and interpreter only)."""
    names, formula = _bind("count", (sort, body))
    return CountOf(Number, names[0], formula)


def one_of(term: Term, *choices: Term | int) -> Formula:
    """Return whether ``term`` is one of ``choices``."""
    if not choices:
        raise SpecError("one_of needs at least one choice")
    _check_term(term, "one_of")
    return disjunction(*(Equal(term, as_term(c, term.sort, "one_of")) for c in choices))


def ite(condition: Formula | bool, then: T | int, otherwise: T | int) -> T:
    """Return ``then`` where ``condition`` holds and ``otherwise`` where it does not."""
    terms = [t for t in (then, otherwise) if isinstance(t, Term)]
    if not terms:
        raise SpecError(
            f"ite chooses between terms, not {describe(then)} and {describe(otherwise)}",
            advice="for truth values write (c & a) | (~c & b)",
        )
    sort = terms[0].sort
    return IfThenElse(  # type: ignore[return-value]
        as_formula(condition, "ite"), as_term(then, sort, "ite"), as_term(otherwise, sort, "ite")
    )


def following(term: T) -> T:
    """Return the next element of an ordered sort; past the last it equals nothing.

    Raises:
        SpecError: the sort is not ``Ordered``.
    """
    _check_term(term, "following(...)")
    if not term.sort.ordered:
        raise SpecError(
            f"following(...) needs an element of an Ordered sort, not {describe(term)}",
            advice="write x + 1 for integers",
        )
    return Following(term)  # type: ignore[return-value]


def _check_term(value: object, where: str) -> None:
    if not isinstance(value, Term):
        raise SpecError(f"{where} needs an element of a sort, not {describe(value)}")


def _bind(where: str, sorts_and_body: tuple[Any, ...]) -> tuple[tuple[Name, ...], Formula]:
    *sorts, body = sorts_and_body
    if not sorts or not callable(body) or isinstance(body, type):
        raise SpecError(f"{where} needs sorts and a lambda", advice=f"{where}(Node, lambda n: ...)")
    for sort in sorts:
        check_sort(sort, where)
    labels = list(inspect.signature(body).parameters)
    if len(labels) != len(sorts):
        raise SpecError(f"{where} has {len(sorts)} sort(s) and a lambda of {len(labels)} name(s)")
    names = tuple(
        recorder().fresh_name(label, sort) for label, sort in zip(labels, sorts, strict=True)
    )
    formula = as_formula(body(*names), where)
    recorder().release(names)
    return names, formula
