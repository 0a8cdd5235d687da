"""What the hardened change promises, it promises for any number of members with clocks around.

The facts are those of ``cluster``, and ``test_cluster_controls`` shows that they can fail.
"""

from __future__ import annotations

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.obligations import ONE_VALUE
from samebeat_proofs.solver import Budget
from samebeat_proofs.timed_cluster_proof import HINTS, timed_cluster_proof
from samebeat_spec.specs import load_spec

SPEC = load_spec("timed_cluster")
PROOF = timed_cluster_proof()
ENGINE = Engine(PROOF)


@pytest.mark.parametrize(
    "name", ["agreement.implied", "status_once.hear", "decision_stable.tick", "interval_kept.tick"]
)
def test_what_the_hardened_change_promises_is_proved_with_clocks_around(name):
    assert ENGINE.discharge(ENGINE.find(name)).answer is Answer.PROVED


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(f.name for f in PROOF.facts), ONE_VALUE])
def test_every_obligation_of_a_fact_is_proved(name):
    for obligation in ENGINE.generator.obligations_called(name):
        assert ENGINE.discharge(obligation).answer is Answer.PROVED, obligation.name


def test_the_facts_are_those_of_the_hardened_change_and_that_intervals_are_kept():
    facts = cluster_proof().facts
    assert PROOF.facts[: len(facts)] == facts
    assert [f.name for f in PROOF.facts[len(facts) :]] == ["interval_kept"]


def test_what_members_wait_for_is_left_out_and_says_why():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    proved = {f.name for f in PROOF.facts}
    assert promised - proved == set(PROOF.left_out)
    assert set(PROOF.left_out) == {
        "no_mismatch_window",
        "no_false_suspicion",
        "interval_of_both",
        "tightener_defers",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", HINTS)
def test_with_its_hint_no_obligation_depends_on_luck(name):
    engine = Engine(PROOF)
    for seed in range(1, 6):
        engine.budget = Budget.of(PROOF, seed=seed)
        assert engine.discharge(engine.find(name)).answer is Answer.PROVED, seed
