"""The hardened group change is proved for any number of members, changes, views and crashes."""

from __future__ import annotations

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.obligations import ONE_VALUE
from samebeat_proofs.solver import RLIMIT, Budget
from samebeat_spec.specs import load_spec

SPEC = load_spec("cluster")
PROOF = cluster_proof()
ENGINE = Engine(PROOF)
DECISIVE = (
    "agreement.implied",
    "chosen_is_not_barred.implied",
    "failure_excludes_commit.implied",
    "commit_needs_all_ok.implied",
    "one_commit_per_base_epoch.implied",
    "one_deciding_view.implied",
    "rejoin_before_active.send_ack",
    "epoch_monotone.commit",
    "view_monotone.begin_view",
    "quarantine_excluded.lose_journal",
    "settled_misses_nothing_later.implied",
)


@pytest.mark.parametrize("name", DECISIVE)
def test_what_carries_the_promises_is_proved(name):
    assert ENGINE.discharge(ENGINE.find(name)).answer is Answer.PROVED


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(f.name for f in PROOF.facts), ONE_VALUE])
def test_every_obligation_of_a_fact_is_proved(name):
    for obligation in ENGINE.generator.obligations_called(name):
        assert ENGINE.discharge(obligation).answer is Answer.PROVED, obligation.name


def test_hints_name_what_their_obligations_may_assume():
    for name, labels in PROOF.hints.items():
        assert set(labels) <= set(ENGINE.find(name).assumptions), name


DEAR = {"reports_exclude_commit.propose", "vote_stays.vote_in_flush"}
"""What costs more than that with some seeds, also with its hint."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DEAR))
def test_what_is_dear_is_proved_with_other_seeds(name):
    """Five seeds, all of this proof's budget."""
    engine = Engine(PROOF)
    for seed in range(1, 6):
        engine.budget = Budget.of(PROOF, seed=seed)
        assert engine.discharge(engine.find(name)).answer is Answer.PROVED, seed


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROOF.hints.keys() - DEAR))
def test_with_its_hint_no_obligation_depends_on_luck(name):
    """Twenty seeds, the usual budget of one obligation, a tenth of this proof's."""
    engine = Engine(PROOF)
    for seed in range(1, 21):
        engine.budget = Budget.of(PROOF, seed=seed)
        found = engine.discharge(engine.find(name))
        assert (found.answer, found.cost < RLIMIT) == (Answer.PROVED, True), seed


def test_every_safety_property_is_proved_and_none_is_left_out():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    shown = {f.name for f in PROOF.facts if not f.is_strengthening}
    assert promised == shown
    assert not PROOF.left_out


def test_only_mechanisms_are_assumed_and_any_fault_may_happen():
    """Nothing is assumed of faults, nor of how many crashes there are, nor of who comes back."""
    assert [a.name for a in PROOF.axioms] == [
        "quorums_meet",
        "everyone_is_everyone",
        "mechanisms_are_on",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *(a.name for a in SPEC.actions)])
def test_the_proof_is_about_something(name):
    """All facts can hold at once, and then every action can be taken."""
    examples = ENGINE.examples
    assert examples.of_action(name) if name else examples.of_facts()
