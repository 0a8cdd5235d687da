"""The solver and the interpreter read changes of limits the same way.

Every reachable state of small models, every step from it and every one that is refused; and what
the proof needs is true of each of these states.
"""

from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.limits_proof import limits_proof

from .compared import Compared

PROOF = limits_proof()
CATALOG = {m.name: m for m in load_catalog()}
SMALL = ("limits-fragment-lower", "limits-queue", "limits-retry-timer")


def compared(name: str, oracle: Any) -> Compared:
    instance = CATALOG[name].instance(PROOF.spec)
    return Compared(instance, oracle(instance).steps)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_step_of_a_small_model_is_the_interpreters(name, oracle):
    assert compared(name, oracle).everything() == CATALOG[name].transitions


@pytest.mark.slow
@pytest.mark.parametrize("name", ["limits-fragment-lower", "limits-retry-time"])
def test_every_fact_means_the_same_to_both_and_is_true(name, oracle):
    both = compared(name, oracle)
    facts = [f.prop for f in PROOF.strengthenings]
    assert both.formulas(facts) == len(facts)
    for state in both.models:
        assert all(both.judge.holds(f, state) for f in facts)
