"""What the group change promises, the composition promises for any number of members and any time.

The facts are those of the group change, and ``test_group_controls`` shows that each is needed.
"""

from dataclasses import replace

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.composed_invariants import (
    losses_are_tabled,
    timers_use_the_envelope,
    values_are_safe,
)
from samebeat_proofs.composed_proof import composed_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.second_opinion import ask_cvc5, is_available
from samebeat_proofs.smtlib import smtlib
from samebeat_proofs.solver import Budget

PROOF = composed_proof()
ENGINE = Engine(PROOF)
SLOW = ("tightener_defers.commit", "tightener_defers.hear")
WITHOUT_FACT = {
    "acked_from_reached_epoch": "nothing_applied_ahead.implied",
    "holds_pre_image_until_applied": "waits_for_pre_image.apply",
    "committed_is_last": "ready_to_commit.implied",
    "nothing_applied_ahead": "ready_to_commit.implied",
    "ready_to_commit": "tightener_defers.commit",
    "confirmed_is_committed": "confirmed_is_sent.implied",
    "nobody_ahead_of_the_unapplied": "confirmed_is_sent.implied",
    "one_value_an_epoch": "confirmed_is_sent.implied",
    "confirmed_is_sent": "tightener_defers.hear",
    "heartbeats_state_reached_epochs": "waits_for_pre_image.receive_heartbeat",
    "waits_for_pre_image": "waits_for_what_it_holds.undo",
    "waits_for_what_it_holds": "tightener_defers.commit",
    "waits_for_what_is_sent": "no_mismatch_window.implied",
}
"""For each fact about deadlines that only the proof needs, an obligation that is not met."""


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_every_obligation_of_a_fact_is_proved(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ENGINE.discharge(obligation).answer is Answer.PROVED, obligation.name


@pytest.mark.parametrize("name", ["agreement.implied", "decision_stable.tick", "status_once.hear"])
def test_what_the_group_change_promises_is_proved_with_clocks_around(name):
    assert ENGINE.discharge(ENGINE.find(name)).answer is Answer.PROVED


def test_the_facts_are_those_of_the_group_change_and_more_about_deadlines():
    assert PROOF.facts[: len(group_proof().facts)] == group_proof().facts
    assert set(PROOF.left_out) == {"no_false_suspicion"}
    assert {f.name for f in PROOF.strengthenings} - {f.name for f in group_proof().facts} == set(
        WITHOUT_FACT
    )


@pytest.mark.parametrize(
    "obligation",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in sorted({*WITHOUT_FACT.values()})
    ],
)
def test_with_all_facts_what_is_said_of_deadlines_is_proved(obligation):
    assert ENGINE.discharge(ENGINE.find(obligation)).answer is Answer.PROVED


@pytest.mark.slow
@pytest.mark.parametrize(("fact", "obligation"), WITHOUT_FACT.items(), ids=WITHOUT_FACT)
def test_without_a_fact_an_obligation_is_not_met(fact, obligation):
    weaker = Engine(PROOF.without_fact(fact))
    assert weaker.discharge(weaker.find(obligation)).answer is Answer.FAILED


@pytest.mark.slow
def test_without_safe_values_the_deadlines_do_not_suit_the_intervals():
    weaker = Engine(replace(PROOF, axioms=(losses_are_tabled, timers_use_the_envelope)))
    broken = weaker.discharge(weaker.find("no_mismatch_window.implied"))
    assert broken.answer is Answer.FAILED


@pytest.mark.slow
def test_with_claim_1_alone_a_window_opens():
    """Note C3: the model ``claim-1-raises-window`` has the trace; timers use what is held."""
    weaker = Engine(replace(PROOF, axioms=(values_are_safe, losses_are_tabled)))
    broken = weaker.discharge(weaker.find("waits_for_pre_image.apply"))
    assert broken.answer is Answer.FAILED


@pytest.mark.slow
def test_a_heartbeat_that_states_a_later_epoch_breaks_an_obligation():
    without = next(m.without for m in load_catalog() if m.name == "hear-without-epoch")
    assert without
    weaker = Engine(PROOF.about(PROOF.spec.without(without.action, without.guard)))
    broken = weaker.discharge(weaker.find("waits_for_pre_image.hear"))
    assert broken.answer is Answer.FAILED


def test_a_heartbeat_before_its_time_breaks_what_is_promised():
    early = next(m for m in load_catalog() if m.name == "member-sends-without-timer")
    assert early.without
    weaker = Engine(PROOF.about(PROOF.spec.without(early.without.action, early.without.guard)))
    broken = weaker.discharge(weaker.find("interval_kept.send_heartbeat"))
    assert broken.answer is Answer.FAILED
    assert early.violates == ("interval_kept",)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, four times the usual budget: the proof states it."""
    engine = Engine(PROOF, Budget.of(PROOF, None, seed))
    answers = {engine.discharge(o).answer for o in engine.obligations}
    assert answers == {Answer.PROVED}


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.skipif(not is_available(), reason="cvc5 is not installed")
@pytest.mark.parametrize("fact", sorted(WITHOUT_FACT))
def test_cvc5_agrees_on_what_is_said_of_deadlines(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(ENGINE.generator, obligation)) == "unsat", obligation.name
