"""The solver and the interpreter read the hardened group change the same way.

As in ``test_differential`` and ``test_naive``: every reachable state of a small instance, every
step from it and every one that is refused; every obligation, on a finite size, by two generators.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.facts import Role
from samebeat_proofs.naive import Naive
from samebeat_proofs.obligations import Generator
from samebeat_spec.language import Instance

from .agreement import disagreements, finite_answer, naive_answer
from .compared import Compared

PROOF = cluster_proof()
SPEC = PROOF.spec
OFF = ("needs_cause",)
FLAGS = [v.name for v in SPEC.constants if v.to is None and not v.arguments]
SIZES = {"Node": 2, "Change": 1, "Epoch": 2, "View": 2, "Quorum": 1, "Value": 2, "Crash": 2}
BROKEN = 25
"""How many obligations the promises alone do not meet on that size."""
COUNTS = {(1, 1): (352, 1_998), (2, 0): (1_494, 9_174)}
"""States and transitions by views and crashes, so that no instance becomes smaller unnoticed."""


def two_members(views: int, crashes: int) -> Instance:
    """Two members, one change; any fault may happen, and views need no cause."""
    return Instance(
        "two-members",
        SPEC,
        {**SIZES, "View": views, "Crash": crashes + 1},
        {
            "start_value": "v1",
            "asked": {"c1": "v2"},
            "in_quorum": ["q1,n1", "q1,n2"],
            "everyone": "q1",
            **{name: name not in OFF for name in FLAGS},
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", COUNTS)
def test_every_step_with_any_fault_is_the_interpreters(size, oracle):
    instance = two_members(*size)
    reached = oracle(instance)
    assert (len(reached.steps), reached.transitions) == COUNTS[size]
    assert Compared(instance, reached.steps).everything() == reached.transitions


@pytest.mark.slow
def test_every_action_is_among_these_steps(oracle):
    counts = [oracle(two_members(*size)).action_counts for size in COUNTS]
    assert all(any(c[a.name] for c in counts) for a in SPEC.actions)


@pytest.mark.slow
@pytest.mark.parametrize("size", COUNTS)
def test_every_strengthening_fact_means_the_same_to_both_and_is_true(size, oracle):
    instance = two_members(*size)
    some = dict(list(oracle(instance).steps.items())[::3])
    compared = Compared(instance, some)
    facts = [f.prop for f in PROOF.strengthenings if f.role is not Role.STEP]
    assert compared.formulas(facts) == len(facts)
    for state in compared.models:
        assert all(compared.judge.holds(f, state) for f in facts)


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_two_generators_agree_on_every_obligation_of_a_fact(fact):
    """Two members, two views, one change; the naive generator follows the interpreter."""
    generator, naive = _generators()
    for obligation in generator.obligations_called(fact):
        assert finite_answer(generator, obligation), obligation.name
        assert naive_answer(PROOF, naive, obligation), obligation.name


@pytest.mark.slow
def test_two_generators_agree_on_what_the_promises_alone_do_not_show():
    """Of an obligation that is not met both must say so: they are not asked to be agreeable."""
    facts = tuple(replace(f, uses=(), only=()) for f in PROOF.facts if not f.is_strengthening)
    found, broken = disagreements(replace(PROOF, facts=facts, relational=()), SIZES)
    assert found == []
    assert broken == BROKEN


@cache
def _generators() -> tuple[Generator, Naive]:
    return Generator(PROOF, SIZES), Naive(SPEC, SIZES)
