"""The hardened group change is proved for any number of members, changes, views and crashes."""

from __future__ import annotations

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.examples import Examples
from samebeat_proofs.obligations import ONE_VALUE
from samebeat_proofs.solver import Budget
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


NEEDED = {
    "forgetful_is_out": "busy_never_acked.send_ack",
    "first_view_has_begun": "view_has_begun.lose_journal",
    "view_has_begun": "home_has_begun.request",
    "home_has_begun": "rejoin_before_active.report",
    "unrequested_is_unknown": "committed_below_epoch.request",
    "acted_means_acked": "no_foreign_message.fail_to_apply",
    "one_acked_open": "nothing_beside_what_is_given_up.hang",
    "committed_below_epoch": "acked_two_means_barred.send_ack",
    "vote_in_a_view_that_has_begun": "undo_vote_is_reported.report",
}
"""For some facts, an obligation that a small instance contradicts without it."""


@pytest.mark.slow
@pytest.mark.parametrize("fact", NEEDED)
def test_without_a_fact_an_obligation_is_not_met(fact):
    examples = Examples(PROOF.without_fact(fact), Budget(4_000_000))
    assert examples.against(*NEEDED[fact].split("."))
