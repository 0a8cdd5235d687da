"""Obligations as SMT-LIB, so that any other solver can check them."""

from __future__ import annotations

import z3

from samebeat_proofs.obligations import Generator, Obligation

SUFFIX = ".smt2"
DENIED = "the goal denied"


def smtlib(generator: Generator, obligation: Obligation) -> str:
    """Return an obligation as a script that must answer ``unsat``; each formula has its name.

    The logic is UFDT: quantifiers, relations and functions over sorts of any size, and the
    enumerations as data types. Nothing in it is particular to one solver.
    """
    formulas = {**obligation.assumptions, DENIED: obligation.denied}
    solver = z3.SimpleSolver(ctx=generator.universe.context)
    solver.add(*formulas.values())
    declarations = solver.to_smt2().partition("(assert")[0]
    lines = [
        f"; {generator.spec.name}: {obligation.name}",
        "(set-logic UFDT)",
        "(set-info :status unsat)",
        *(line for line in declarations.splitlines() if line.startswith(("(declare", " "))),
        *(f"(assert (! {f.sexpr()} :named |{_name(label)}|))" for label, f in formulas.items()),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def _name(label: str) -> str:
    return label.replace("|", "/").replace("\\", "/")
