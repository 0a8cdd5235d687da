"""Changes of limits keep their promises for any number of limits, turns and changes; each fact,
guard and axiom is needed. Counterexamples are looked for among small sizes, where none is missed.
"""

from dataclasses import replace
from functools import cache

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.limits_proof import limits_proof
from samebeat_proofs.obligations import Generator
from samebeat_proofs.second_opinion import ask_cvc5, is_available
from samebeat_proofs.smtlib import smtlib
from samebeat_proofs.solver import RLIMIT, Budget

from .agreement import finite_answer

PROOF = limits_proof()
SPEC = PROOF.spec
ENGINE = Engine(PROOF)
SIZES = ({"Parameter": 2, "Change": 2, "Turn": 4}, {"Parameter": 2, "Change": 3, "Turn": 3})
"""Enough for a counterexample to each control, and all quantifiers are written out."""
CONTROLS = {m.name: m for m in load_catalog() if m.spec == "limits" and m.without}
DECISIVE = (
    "in_flight_fits.send",
    "unacked_fit.switch_second",
    "at_most_once.go_back",
    "new_traffic_fits.switch_first",
    "retried_before_given_up.switch_first",
    "queue_never_purged.switch_first",
    "all_or_nothing.implied",
    "undo_restores_pre_image.implied",
)

WITHOUT_FACT = {
    "leads_to_a_later_change": "under_way_is_within.finish",
    "open_order_is_the_present_one": "answered_was_ordered.switch_second",
    "orders_are_about_the_second": "open_order_is_the_present_one.finish_draining",
    "answered_was_ordered": "drained_stays_drained.hear_switched",
    "answers_are_of_the_past": "answered_was_ordered.ask",
    "one_answer": "open_order_is_the_present_one.hear_refused",
    "orders_are_of_turns_reached": "open_order_is_the_present_one.hear_refused",
    "passed_turns_are_switched": "new_traffic_fits.switch_first",
    "open_call_is_the_present_one": "second_holds_what_was_made.go_back",
    "returns_are_of_the_past": "went_back_means_old.ask",
    "first_holds_old_or_new": "retried_before_given_up.switch_first",
    "first_holds_new_after_its_turn": "first_holds_what_was_made.finish",
    "first_holds_old_before_its_turn": "under_way_is_within.hear_refused",
    "first_holds_what_was_made": "all_or_nothing.implied",
    "second_holds_old_or_new": "second_holds_what_was_made.finish",
    "second_holds_new_once_it_says_so": "new_traffic_fits.switch_first",
    "second_holds_old_until_it_says_so": "new_traffic_fits.hear_refused",
    "second_holds_what_was_made": "all_or_nothing.implied",
    "went_back_means_old": "second_holds_what_was_made.hear_went_back",
    "drained_stays_drained": "queue_never_purged.switch_first",
    "under_way_is_within": "in_flight_fits.go_back",
    "what_was_made_is_valid": "retried_before_given_up.hear_refused",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_GUARD = {
    "limits-send-without-limit": "in_flight_fits.send",
    "limits-ask-without-order": "answers_are_of_the_past.ask",
    "limits-ask-without-rest": "first_holds_old_or_new.ask",
    "limits-ask-without-validity": "what_was_made_is_valid.ask",
    "limits-switch-first-without-turn": "passed_turns_are_switched.switch_first",
    "limits-finish-draining-without-turn": "passed_turns_are_switched.finish_draining",
    "limits-finish-while-not-draining": "drained_stays_drained.finish_draining",
    "limits-send-order-without-turn": "orders_are_about_the_second.send_order",
    "limits-hear-switched-without-answer": "passed_turns_are_switched.hear_switched",
    "limits-hear-switch-without-its-change": "passed_turns_are_switched.hear_switched",
    "limits-hear-switched-without-its-turn": "passed_turns_are_switched.hear_switched",
    "limits-finish-without-every-turn": "first_holds_what_was_made.finish",
    "limits-hear-refused-without-answer": "under_way_is_within.hear_refused",
    "limits-hear-refused-without-its-change": "open_call_is_the_present_one.hear_refused",
    "limits-hear-went-back-without-answer": "second_holds_what_was_made.hear_went_back",
    "limits-hear-back-without-its-change": "second_holds_what_was_made.hear_went_back",
    "limits-switch-second-without-order": "answered_was_ordered.switch_second",
    "limits-switch-second-twice": "one_answer.switch_second",
    "limits-refuse-without-order": "answered_was_ordered.refuse",
    "limits-refuse-after-switching": "one_answer.refuse",
    "limits-go-back-without-call": "returns_are_of_the_past.go_back",
    "limits-go-back-twice": "second_holds_what_was_made.go_back",
}
WITHOUT_AXIOM = {
    "the_second_has_room_for_three_kinds": "in_flight_fits.send",
    "levels_are_not_negative": "under_way_is_within.start",
    "starts_valid": "what_was_made_is_valid.start",
    "one_move_a_turn": "passed_turns_are_switched.switch_first",
    "switched_once": "first_holds_old_before_its_turn.switch_first",
    "no_turn_is_empty": "first_holds_what_was_made.finish",
    "every_limit_has_its_turns": "new_traffic_fits.switch_first",
    "more_use_comes_last": "under_way_is_within.hear_refused",
    "less_room_comes_last": "new_traffic_fits.hear_refused",
    "less_use_before_less_room": "new_traffic_fits.switch_second",
    "drained_before_less_room": "in_flight_fits.switch_second",
    "drained_before_the_queue_is_shorter": "queue_never_purged.switch_first",
    "timer_and_time_together": "retried_before_given_up.switch_first",
}
"""For each thing that is assumed of the order of turns, an obligation that is not met without."""


def is_met(proof: Proof, obligation: str) -> bool:
    """Return whether an obligation has no counterexample among small sizes."""
    for sizes in SIZES:
        generator = Generator(proof, sizes)
        if not finite_answer(generator, generator.find(obligation)):
            return False
    return True


@cache
def answers(seed: int = 0) -> dict[str, Answer]:
    engine = Engine(PROOF, Budget(RLIMIT, seed))
    return {o.name: engine.discharge(o).answer for o in engine.obligations}


@pytest.mark.parametrize("name", DECISIVE)
def test_what_carries_the_promises_is_proved(name):
    assert ENGINE.discharge(ENGINE.find(name)).answer is Answer.PROVED


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_every_obligation_of_a_fact_is_proved(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ENGINE.discharge(obligation).answer is Answer.PROVED, obligation.name


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, within the budget."""
    assert set(answers(seed).values()) == {Answer.PROVED}
    assert len(answers(seed)) == 393


def test_every_safety_property_of_the_spec_has_a_role():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    assert promised == {f.name for f in PROOF.facts if not f.is_strengthening}
    assert not PROOF.left_out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *(a.name for a in SPEC.actions)])
def test_the_proof_is_about_something(name):
    """All facts can hold at once, and then every action can be taken."""
    examples = ENGINE.examples
    assert examples.of_action(name) if name else examples.of_facts()


# --- controls --------------------------------------------------------------------------------


def test_every_fact_axiom_and_guard_has_a_control():
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT)
    assert not any(f.lemma for f in PROOF.strengthenings)
    assert {a.name for a in PROOF.axioms} == set(WITHOUT_AXIOM)
    assert set(CONTROLS) == set(WITHOUT_GUARD)
    guards = {(m.without.action, m.without.guard) for m in CONTROLS.values() if m.without}
    assert guards == {(a.name, why) for a, why in SPEC.guards()}


def test_every_guard_has_a_wrong_protocol_with_a_trace_of_known_length():
    """The catalog pins a trace from the start for each."""
    assert all(m.depth and m.violates for m in CONTROLS.values())


@pytest.mark.slow
def test_a_missing_fact_is_noticed():
    assert is_met(PROOF, "went_back_means_old.ask")
    assert not is_met(PROOF.without_fact("returns_are_of_the_past"), "went_back_means_old.ask")


@pytest.mark.slow
@pytest.mark.parametrize(("fact", "obligation"), WITHOUT_FACT.items(), ids=WITHOUT_FACT)
def test_without_a_fact_an_obligation_is_not_met(fact, obligation):
    assert not is_met(PROOF.without_fact(fact), obligation)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "obligation"), WITHOUT_AXIOM.items(), ids=WITHOUT_AXIOM)
def test_without_an_axiom_an_obligation_is_not_met(name, obligation):
    others = tuple(a for a in PROOF.axioms if a.name != name)
    assert not is_met(replace(PROOF, axioms=others), obligation)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "obligation"), WITHOUT_GUARD.items(), ids=WITHOUT_GUARD)
def test_a_wrong_protocol_breaks_an_obligation(name, obligation):
    without = CONTROLS[name].without
    assert without
    assert not is_met(PROOF.about(SPEC.without(without.action, without.guard)), obligation)


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.skipif(not is_available(), reason="cvc5 is not installed")
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_cvc5_agrees_on_every_obligation(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(ENGINE.generator, obligation)) == "unsat", obligation.name
