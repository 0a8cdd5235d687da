"""Another solver, from the same SMT-LIB, comes to the same answers."""

from dataclasses import replace

import pytest

from samebeat_proofs.engine import Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.second_opinion import ask_cvc5, is_available
from samebeat_proofs.smtlib import smtlib
from samebeat_proofs.transport_proof import transport_proof

from .ballot import PROOF as BALLOT

pytestmark = [
    pytest.mark.second_opinion,
    pytest.mark.skipif(not is_available(), reason="cvc5 is not installed"),
]


def answers(proof: Proof) -> dict[str, str]:
    engine = Engine(proof)
    return {o.name: ask_cvc5(smtlib(engine.generator, o)) for o in engine.obligations}


def test_cvc5_agrees_on_every_obligation_of_the_ballot():
    assert set(answers(BALLOT).values()) == {"unsat"}


def test_cvc5_does_not_agree_to_a_wrong_protocol():
    """It finds a counterexample where ours does: it is not asked for the answer we want."""
    weaker = BALLOT.about(BALLOT.spec.without("vote", "v has not voted"))
    found = answers(weaker)
    assert {name for name, answer in found.items() if answer == "sat"} == {"one_vote.vote"}


def test_cvc5_does_not_agree_without_the_axiom():
    found = answers(replace(BALLOT, axioms=()))
    assert {name for name, answer in found.items() if answer == "sat"} == {"one_decision.implied"}


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in group_proof().facts])
def test_cvc5_agrees_on_every_obligation_of_the_group_change(fact):
    engine = Engine(group_proof())
    for obligation in engine.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(engine.generator, obligation)) == "unsat", obligation.name


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in transport_proof().facts])
def test_cvc5_agrees_on_every_obligation_of_the_message_layer(fact):
    engine = Engine(transport_proof())
    for obligation in engine.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(engine.generator, obligation)) == "unsat", obligation.name
