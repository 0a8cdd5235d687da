"""The heartbeat pair is proved for any number of changes, and each part of the proof is needed."""

from dataclasses import replace
from functools import cache

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.pair_invariants import two_nodes
from samebeat_proofs.pair_proof import pair_proof
from samebeat_proofs.second_opinion import ask_cvc5, is_available
from samebeat_proofs.smtlib import smtlib
from samebeat_proofs.solver import RLIMIT, Budget

PROOF = pair_proof()
SPEC = PROOF.spec
ENGINE = Engine(PROOF)
CONTROLS = {m.name: m for m in load_catalog() if m.spec == "pair" and m.without}

WITHOUT_FACT = {
    "indicator_means_open": "local_waits_for_nobody.send_heartbeat",
    "heartbeat_means_asked": "asked_means_indicated.open_change",
    "asked_means_indicated": "heard_means_indicated.receive_ack",
    "received_was_asked": "set_means_modified.refuse",
    "answered_was_asked": "no_foreign_message.implied",
    "duty_means_answer": "ready_means_recorded.set_for_ack",
    "ready_means_recorded": "set_means_modified.send_ack",
    "heard_was_answered": "decided_as_the_other.modify_as_first",
    "heard_means_indicated": "heard_was_answered.open_change",
    "decided_as_the_other": "tightener_defers.implied",
    "second_has_what_is_open": "equal_unless_open.modify_as_first",
    "equal_unless_open": "all_or_nothing.implied",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_GUARD = {
    "open-without-new-id": "decision_stable.open_change",
    "open-without-global-parameter": "local_waits_for_nobody.open_change",
    "open-without-nothing-else-open": "one_open_change.open_change",
    "modify-at-once-without-new-id": "kept_until_replaced.modify_at_once",
    "modify-at-once-without-local-parameter": "decided_as_the_other.modify_at_once",
    "set-indicator-without-open-change": "indicator_means_open.set_indicator",
    "send-heartbeat-without-indicator": "indicator_set_before_heartbeat.send_heartbeat",
    "receive-heartbeat-without-sender": "received_was_asked.receive_heartbeat",
    "receive-heartbeat-without-first-time": "received_was_asked.receive_heartbeat",
    "modify-as-second-without-request": "value_known.modify_as_second",
    "refuse-without-request": "set_means_modified.refuse",
    "set-for-ack-without-modifying": "ready_means_recorded.set_for_ack",
    "clear-for-ack-without-refusing": "ready_means_recorded.clear_for_ack",
    "send-ack-without-answer": "clear_means_not_modified.send_ack",
    "receive-ack-without-sender": "heard_was_answered.receive_ack",
    "receive-ack-without-open-change": "heard_means_indicated.receive_ack",
    "receive-ack-without-its-change": "heard_was_answered.receive_ack",
    "modify-as-first-without-open-change": "decision_stable.modify_as_first",
    "modify-as-first-without-set-ack": "decided_as_the_other.modify_as_first",
    "close-refused-without-open-change": "decision_stable.close_refused",
    "close-refused-without-clear-ack": "decided_as_the_other.close_refused",
}
WITHOUT_MECHANISM = {
    "ack_names_change": "heard_was_answered.receive_ack",
    "heartbeat_names_change": "received_was_asked.receive_heartbeat",
    "record_per_direction": "indicator_means_open.set_for_ack",
}
MAY_BE_UNDECIDABLE = {
    f"value_known.{action}"
    for action in ("open_change", "modify_at_once", "modify_as_second", "modify_as_first")
} | {"value_known.close_refused"}
"""A value was asked for by some change of its parameter: Parameter -> Change -> Parameter."""


def answer(proof: Proof, obligation: str) -> Answer:
    engine = Engine(proof)
    return engine.discharge(engine.find(obligation)).answer


@cache
def answers(seed: int = 0) -> dict[str, Answer]:
    engine = Engine(PROOF, Budget(RLIMIT // 4, seed))
    return {o.name: engine.discharge(o).answer for o in engine.obligations}


@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_every_obligation_of_a_fact_is_proved(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        discharged = ENGINE.discharge(obligation)
        assert discharged.answer is Answer.PROVED, obligation.name
        assert bool(discharged.circle) == (obligation.name in MAY_BE_UNDECIDABLE)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, a quarter of the budget."""
    assert set(answers(seed).values()) == {Answer.PROVED}
    assert len(answers(seed)) == 281


def test_every_safety_property_of_the_spec_has_a_role():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    assert promised == {f.name for f in PROOF.facts if not f.is_strengthening}
    assert not PROOF.left_out


@pytest.mark.slow
def test_the_proof_is_about_something():
    """All facts can hold at once, and then every action can be taken."""
    run = ENGINE.run()
    assert run.answer is Answer.PROVED
    assert run.impossible == ()
    assert set(run.possible) == {"all facts at once", *(a.name for a in SPEC.actions)}


def test_every_fact_that_only_the_proof_needs_has_a_control():
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT)
    assert not any(f.lemma for f in PROOF.strengthenings)


@pytest.mark.parametrize(("fact", "obligation"), WITHOUT_FACT.items(), ids=WITHOUT_FACT)
def test_without_a_fact_an_obligation_is_not_met(fact, obligation):
    assert answer(PROOF.without_fact(fact), obligation) is Answer.FAILED


def test_every_guard_has_a_wrong_protocol_with_a_trace_of_known_length():
    """The catalog pins a trace from the start for each; here is the obligation for each."""
    guards = {(m.without.action, m.without.guard) for m in CONTROLS.values() if m.without}
    assert set(WITHOUT_GUARD) == set(CONTROLS)
    assert guards == {(a.name, why) for a, why in SPEC.guards()}
    assert all(m.depth and m.violates for m in CONTROLS.values())


@pytest.mark.parametrize(("name", "obligation"), WITHOUT_GUARD.items(), ids=WITHOUT_GUARD)
def test_a_wrong_protocol_breaks_an_obligation(name, obligation):
    without = CONTROLS[name].without
    assert without
    weaker = PROOF.about(SPEC.without(without.action, without.guard))
    assert answer(weaker, obligation) is Answer.FAILED


@pytest.mark.parametrize("obligation", sorted(WITHOUT_MECHANISM.values()))
def test_without_the_change_id_or_the_second_record_an_obligation_is_not_met(obligation):
    """Note C4: the models ``pair-one-bit`` and ``pair-shared-record`` have the traces."""
    assert answer(replace(PROOF, axioms=(two_nodes,)), obligation) is Answer.FAILED


def test_a_third_node_would_not_follow():
    """The claims speak of two nodes, and the proof says that it needs that."""
    named = tuple(a for a in PROOF.axioms if a is not two_nodes)
    weaker = replace(PROOF, axioms=named)
    assert answer(weaker, "received_was_asked.receive_heartbeat") is Answer.FAILED


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.skipif(not is_available(), reason="cvc5 is not installed")
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_cvc5_agrees_on_every_obligation(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ask_cvc5(smtlib(ENGINE.generator, obligation)) == "unsat", obligation.name
