"""What an obligation may assume: only what its fact names, facts about steps, named choices."""

from dataclasses import replace

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof, ProofError
from samebeat_proofs.obligations import Generator
from samebeat_proofs.solver import Budget

from .ballot import PROOF, one_vote

CLUSTER = cluster_proof()
SMALL = {"Node": 2, "Change": 1, "Epoch": 2, "Value": 2, "Quorum": 1, "View": 2, "Crash": 1}


def facts_of(proof: Proof, name: str) -> set[str]:
    """Return the facts that an obligation assumes."""
    labels = Engine(proof).find(name).assumptions
    return {label.removeprefix("fact ") for label in labels if label.startswith("fact ")}


def test_a_fact_that_says_only_assumes_nothing_else():
    assert facts_of(CLUSTER, "agreement.implied") == {
        "committed_is_not_barred",
        "undone_was_barred",
    }


def test_only_must_name_facts():
    with pytest.raises(ProofError, match="uses luck, which is no fact"):
        replace(PROOF, facts=(replace(one_vote, only=("luck",)), *PROOF.facts[1:]))


def test_a_fact_about_steps_helps_to_show_another_of_the_same_step():
    assert "vote_stays" in facts_of(CLUSTER, "committed_was_chosen.vote_in_flush")
    assert "vote_stays" not in facts_of(CLUSTER, "vote_stays.vote_in_flush")


def test_what_an_assignment_chooses_by_has_a_name_for_any_size_only():
    def needs(generator: Generator) -> set[str]:
        action = CLUSTER.spec.find_action("vote_in_flush")
        return {x for x in generator.step(action, generator.before).needs if "choice" in x}

    assert needs(Generator(CLUSTER)) == {"choice 1"}
    assert needs(Generator(CLUSTER, SMALL)) == set()


def test_not_proved_is_said_only_if_all_was_assumed():
    """Without its votes a decision is not unique: no attempt with fewer facts decides that."""
    without = PROOF.without_fact("one_vote")
    engine = Engine(without, Budget(200_000))
    d = engine.discharge(engine.find("one_decision.implied"))
    assert d.answer is Answer.FAILED
    proved = Engine(PROOF, Budget(200_000))
    assert proved.discharge(proved.find("one_decision.implied")).answer is Answer.PROVED
