"""What two generators that share no code say of the same obligations, on one finite size."""

from __future__ import annotations

from samebeat_proofs.facts import Proof
from samebeat_proofs.naive import Naive
from samebeat_proofs.obligations import IMPLIED, Generator, Obligation
from samebeat_proofs.solver import Budget, Solver


def naive_answer(proof: Proof, naive: Naive, obligation: Obligation) -> bool:
    """Ask the naive generator for what an obligation says, with the same facts assumed."""
    fact = proof.find(obligation.fact)
    assumed = [f.prop for f in proof.facts if f"fact {f.name}" in obligation.assumptions]
    assumed += proof.axioms
    if obligation.part == IMPLIED:
        return naive.implied(fact.prop, assumed)
    if obligation.kind == "start":
        (initial,) = proof.spec.initials
        return naive.at_start(fact.prop, initial, proof.axioms)
    return naive.kept(fact.prop, proof.spec.find_action(obligation.part), assumed)


def finite_answer(generator: Generator, obligation: Obligation) -> bool:
    """Ask the solver of the other one."""
    if obligation.untouched:
        return True
    solver = Solver(generator.universe.context, Budget())
    answer = str(solver.ask({**obligation.assumptions, "denied": obligation.denied}))
    return {"unsat": True, "sat": False}[answer]


def disagreements(proof: Proof, sizes: dict[str, int]) -> tuple[list[str], int]:
    """Return on which obligations the two differ, and how many do not hold."""
    generator, naive = Generator(proof, sizes), Naive(proof.spec, sizes)
    found, broken = [], 0
    for obligation in generator.obligations():
        finite = finite_answer(generator, obligation)
        broken += not finite
        if finite != naive_answer(proof, naive, obligation):
            found.append(obligation.name)
    return found, broken
