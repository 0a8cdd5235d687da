"""What is left of an obligation of the hardened group change if something is taken away.

Asked of a finite size, so that the answer is yes or no; and with everything assumed that may be, so
that no other fact could stand in for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, reduce
from operator import and_

import z3

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.facts import Fact, Proof, Role, axiom
from samebeat_proofs.obligations import Generator
from samebeat_proofs.solver import Budget, Solver
from samebeat_proofs.translate import Scope
from samebeat_proofs.universe import Z3
from samebeat_spec.cluster import Cluster
from samebeat_spec.language import Formula, Property

PROOF = cluster_proof()
SPEC = PROOF.spec
MECHANISMS = "axiom mechanisms_are_on"
ASSUMED = (
    "held_round",
    "flush_round",
    "latest_vote_counts",
    "keeps_promise",
    "waits_for_reports",
    "transfers_state",
    "journals_first",
    "journals_promises",
    "quarantines",
    "replaces_blank",
    "waits_for_late",
)
"""The mechanisms that are assumed to be on."""


def generous(proof: Proof) -> Proof:
    """Return the proof with every fact about a state assumed wherever it may be."""

    def all_but(fact: Fact) -> tuple[str, ...]:
        return tuple(
            other.name
            for other in proof.facts
            if other is not fact and other.role is not Role.STEP and proof.may_use(fact, other)
        )

    return replace(
        proof, facts=tuple(replace(f, only=(), uses=all_but(f)) for f in proof.facts), hints={}
    )


@cache
def generator(size: int, more: str = "") -> Generator:
    """Return the generator for so many elements of each sort, one more for a name in `more`."""
    names = [s.__name__ for s in SPEC.sorts if not s.elements]
    sizes = {name: size + more.split().count(name) for name in names}
    return Generator(generous(PROOF), sizes)


def is_met(
    name: str,
    size: int,
    more: str = "",
    *,
    without: str = "",
    instead: Mapping[str, Z3] | None = None,
) -> bool:
    """Return whether an obligation is met, without one assumption or with another in its place."""
    small = generator(size, more)
    obligation = small.find(name)
    assert without in obligation.assumptions or not without
    known = {k: v for k, v in obligation.assumptions.items() if k != without}
    solver = Solver(small.universe.context, Budget())
    answer = solver.ask({**known, **(instead or {}), "denied": obligation.denied})
    assert answer != z3.unknown
    return bool(answer == z3.unsat)


def all_but_one(flag: str) -> Property:
    """Return the axiom that says nothing of one mechanism, and that the others are on."""

    @axiom
    def mechanisms_are_on(s: Cluster) -> Formula:
        """No other mechanism is switched off."""
        others: Formula = reduce(and_, (getattr(s, name) for name in ASSUMED if name != flag))
        return others

    return mechanisms_are_on


def is_met_without_mechanism(name: str, size: int, more: str = "", *, flag: str) -> bool:
    """Return whether an obligation is met though a mechanism may be off."""
    small = generator(size, more)
    weaker = small.translator.closed(all_but_one(flag).formula, Scope(small.before))
    return is_met(name, size, more, without=MECHANISMS, instead={MECHANISMS: weaker})
