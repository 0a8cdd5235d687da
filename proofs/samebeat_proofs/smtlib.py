"""Obligations as SMT-LIB, so that any other solver can check them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import z3

from samebeat_proofs.obligations import Generator, Obligation
from samebeat_proofs.universe import Z3

SUFFIX = ".smt2"
DENIED = "the goal denied"


def smtlib(generator: Generator, obligation: Obligation) -> str:
    """Return an obligation as a script that must answer ``unsat``; each formula has its name.

    The logic is UFDT: quantifiers, relations and functions over sorts of any size, and the
    enumerations as data types; with numbers UFDTLRA, linear arithmetic over the reals. Nothing in
    it is particular to one solver.
    """
    formulas = {**obligation.assumptions, DENIED: obligation.denied}
    lines = [
        f"; {generator.spec.name}: {obligation.name}",
        "; expected: unsat",
        "(set-logic UFDTLRA)" if generator.universe.reals else "(set-logic UFDT)",
        *(
            _declared_sort(generator, sort)
            for sort in generator.spec.sorts
            if not generator.universe.is_real(sort)
        ),
        *sorted(_declarations(formulas.values())),
        *(f"(assert (! {f.sexpr()} :named |{_name(label)}|))" for label, f in formulas.items()),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def _declared_sort(generator: Generator, sort: Z3) -> str:
    elements = generator.universe.elements(sort)
    if not elements:
        return f"(declare-sort {sort.__name__} 0)"
    return f"(declare-datatype {sort.__name__} ({' '.join(f'({e})' for e in elements)}))"


def _declarations(formulas: Iterable[Z3]) -> set[str]:
    """Return the declaration of every symbol in formulas, those under quantifiers too."""
    found: dict[int, str] = {}
    for part in _parts(formulas):
        if z3.is_app(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            symbol = part.decl()
            domain = " ".join(symbol.domain(i).name() for i in range(symbol.arity()))
            found[symbol.get_id()] = f"(declare-fun {symbol} ({domain}) {symbol.range().name()})"
    return set(found.values())


def _parts(formulas: Iterable[Z3]) -> Iterator[Z3]:
    pending, seen = list(formulas), set[int]()
    while pending:
        part = pending.pop()
        if part.get_id() not in seen:
            seen.add(part.get_id())
            yield part
            pending += [part.body()] if z3.is_quantifier(part) else part.children()


def _name(label: str) -> str:
    return label.replace("|", "/").replace("\\", "/")
