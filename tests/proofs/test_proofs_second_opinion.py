"""Another solver, from the same SMT-LIB, comes to the same answers."""

from dataclasses import replace

import pytest

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.engine import Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.link_proof import link_proof
from samebeat_proofs.loss_time import loss_time_proof
from samebeat_proofs.obligations import ONE_VALUE
from samebeat_proofs.second_opinion import ask_cvc5, is_available
from samebeat_proofs.smtlib import smtlib
from samebeat_proofs.timed_proof import timed_proof
from samebeat_proofs.transport_proof import transport_proof

from .ballot import PROOF as BALLOT

pytestmark = [
    pytest.mark.second_opinion,
    pytest.mark.skipif(not is_available(), reason="cvc5 is not installed"),
]


UNKNOWN = {
    "reports_exclude_commit.hold",
    "reports_exclude_commit.vote_in_flush",
}
"""Obligations of the hardened group change that cvc5 does not answer: undetermined, for it."""


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


def test_cvc5_agrees_on_what_losses_take():
    assert set(answers(loss_time_proof()).values()) == {"unsat"}


def test_cvc5_does_not_agree_that_losses_take_time_without_times():
    found = answers(replace(loss_time_proof(), axioms=()))
    assert {name for name, answer in found.items() if answer != "unsat"} == {
        "more_losses_take_longer.lose_one"
    }


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in timed_proof().facts])
def test_cvc5_agrees_on_every_obligation_of_the_heartbeat_pair(fact):
    engine = Engine(timed_proof())
    for obligation in engine.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(engine.generator, obligation)) == "unsat", obligation.name


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in link_proof().facts])
def test_cvc5_agrees_on_every_obligation_of_a_channel(fact):
    engine = Engine(link_proof())
    for obligation in engine.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(engine.generator, obligation)) == "unsat", obligation.name


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in transport_proof().facts])
def test_cvc5_agrees_on_every_obligation_of_the_message_layer(fact):
    engine = Engine(transport_proof())
    for obligation in engine.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(engine.generator, obligation)) == "unsat", obligation.name


@pytest.mark.slow
@pytest.mark.parametrize("fact", [*(f.name for f in cluster_proof().facts), ONE_VALUE])
def test_cvc5_agrees_on_what_the_hardened_group_change_rests_on(fact):
    """It is asked of what each refutation uses: from less, it shows more."""
    engine = Engine(cluster_proof())
    for d in map(engine.discharge, engine.generator.obligations_called(fact)):
        used = {k: f for k, f in d.obligation.assumptions.items() if k in d.used}
        script = smtlib(engine.generator, replace(d.obligation, assumptions=used))
        answer = ask_cvc5(script, rlimit=100_000)
        assert answer == "unsat" or (answer.startswith("unknown") and d.name in UNKNOWN), d.name
