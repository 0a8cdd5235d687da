"""A solver with a budget and a seed: the only way in which proofs make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import z3

from samebeat_proofs.facts import Proof
from samebeat_proofs.universe import Z3

RLIMIT = 2_000_000
"""What one obligation may cost, in the solver's unit of work."""


@dataclass(frozen=True)
class Budget:
    """What a solver may use, and the seed of its random choices.

    The limit is the solver's own count of its work, not seconds: the same obligation has the same
    answer on a fast machine and on a slow one.
    """

    rlimit: int = RLIMIT
    seed: int = 0

    @classmethod
    def of(cls, proof: Proof, rlimit: int | None = None, seed: int = 0) -> Budget:
        """Return what an obligation of a proof may cost: as given, as it says, or as usual."""
        return cls(rlimit or proof.rlimit or RLIMIT, seed)


class Solver:
    """A new solver of one context, for one question."""

    def __init__(self, context: Z3, budget: Budget) -> None:
        # Not `z3.Solver`, which starts another kind of solver when it is in trouble.
        self._solver = z3.SimpleSolver(ctx=context)
        self._solver.set("rlimit", budget.rlimit)
        self._solver.set("random_seed", budget.seed)
        self._begin = self._count()

    def ask(self, formulas: Mapping[str, Z3]) -> Z3:
        """Return ``z3.sat``, ``z3.unsat`` or ``z3.unknown`` for labelled formulas together."""
        for label, formula in formulas.items():
            self._solver.assert_and_track(formula, label)
        return self._solver.check()

    def core(self) -> set[str]:
        """Return the labels of formulas that contradict each other."""
        return {str(label).strip("|") for label in self._solver.unsat_core()}

    def model(self) -> Z3:
        """Return values that satisfy the formulas."""
        return self._solver.model()

    def why_unknown(self) -> str:
        """Return what the solver says it lacks."""
        return str(self._solver.reason_unknown())

    @property
    def cost(self) -> int:
        """What the question has cost, in the unit of the budget."""
        return self._count() - self._begin

    def _count(self) -> int:
        return int(self._solver.statistics().get_key_value("rlimit count"))


class FiniteSolver:
    """A SAT solver of one context for many questions about the same formulas, which only grow."""

    def __init__(self, context: Z3, budget: Budget) -> None:
        self._solver = z3.SolverFor("QF_FD", ctx=context)
        self._solver.set("rlimit", budget.rlimit)
        self._solver.set("random_seed", budget.seed)
        self._context = context
        self._asked = 0

    def add(self, formula: Z3) -> None:
        """Let a formula be true from now on."""
        self._solver.add(formula)

    def ask(self, formula: Z3) -> Z3:
        """Return ``z3.sat``, ``z3.unsat`` or ``z3.unknown`` for one more formula, this once."""
        self._asked += 1
        name = z3.Bool(f"question {self._asked}", self._context)
        self._solver.add(z3.Implies(name, formula))
        return self._solver.check(name)

    def model(self) -> Z3:
        """Return values that satisfy the formulas of the last question."""
        return self._solver.model()

    def why_unknown(self) -> str:
        """Return what the solver says it lacks."""
        return str(self._solver.reason_unknown())

    @property
    def cost(self) -> int:
        """What all questions have cost, in the unit of the budget."""
        statistics = self._solver.statistics()
        return sum(int(v) for k, v in statistics if k == "rlimit count")
