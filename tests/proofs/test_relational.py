"""Functions read as relations: less is known of them, so what is proved holds, and no more is."""

from dataclasses import replace

import pytest

from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Fact, Proof, ProofError
from samebeat_proofs.group_proof import group_proof

PROOF = group_proof()
VALUES = replace(PROOF, relational=("value", "pre_image"))
NEED_EPOCHS = ("one_commit_per_base_epoch", "value_known")


def answer(proof: Proof, name: str) -> Answer:
    engine = Engine(proof)
    return engine.discharge(engine.find(name)).answer


def with_epochs(fact: Fact) -> Fact:
    return replace(fact, total=("epoch",)) if fact.name in NEED_EPOCHS else fact


@pytest.mark.slow
def test_the_group_change_is_proved_with_values_as_relations():
    engine = Engine(VALUES)
    for obligation in engine.obligations:
        d = engine.discharge(obligation)
        assert (d.answer, d.circle) == (Answer.PROVED, ()), d.name


@pytest.mark.parametrize(
    "name",
    [
        "value_of_last_commit.undo",
        "applied_value.apply",
        pytest.param("value_known.implied", marks=pytest.mark.slow),
    ],
)
def test_what_speaks_of_values_is_proved_with_values_as_relations(name):
    assert answer(VALUES, name) is Answer.PROVED


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        ("pre_image_of_last_commit", "value_of_last_commit.undo"),
        pytest.param("applied_value", "value_known.implied", marks=pytest.mark.slow),
        ("value_at_the_start", "undo_restores_pre_image.implied"),
    ],
)
def test_what_needs_a_fact_still_needs_it(fact, name):
    assert answer(VALUES.without_fact(fact), name) is Answer.FAILED


def test_where_a_value_must_exist_the_fact_says_so():
    """Of an epoch that is not read, only `total` says that it is there."""
    epochs = replace(PROOF, relational=("epoch",))
    name = "one_commit_per_base_epoch.commit"
    assert answer(epochs, name) is Answer.FAILED
    assert answer(replace(epochs, facts=tuple(map(with_epochs, PROOF.facts))), name) is (
        Answer.PROVED
    )


def test_a_function_that_is_a_relation_makes_no_edge_between_sorts():
    def edges(proof: Proof) -> set[tuple[str, str]]:
        generator = Engine(proof).generator
        found = generator.graph.edges(generator.facts_before)
        return {(e.source, e.target) for e in found}

    gone = edges(PROOF) - edges(replace(PROOF, relational=("value", "pre_image", "asked")))
    assert gone == {("Node", "Value"), ("Change", "Value")}


@pytest.mark.slow
def test_the_group_change_is_proved_with_epochs_as_relations():
    facts = tuple(map(with_epochs, PROOF.facts))
    engine = Engine(replace(PROOF, facts=facts, relational=("epoch",)))
    for obligation in engine.obligations:
        d = engine.discharge(obligation)
        assert (d.answer, d.circle) == (Answer.PROVED, ()), d.name


@pytest.mark.parametrize("name", ["phase", "requested", "start_value", "luck"])
def test_only_a_function_to_a_sort_of_any_size_can_be_a_relation(name):
    with pytest.raises(ProofError, match=f"{name} is no function to a sort"):
        replace(PROOF, relational=(name,))


def test_only_a_relational_function_can_be_total():
    facts = tuple(map(with_epochs, PROOF.facts))
    with pytest.raises(ProofError, match="epoch is not relational"):
        replace(PROOF, facts=facts)
