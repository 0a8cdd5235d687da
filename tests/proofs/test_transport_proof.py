"""The message layer is proved for any number of messages and members, and each part is needed."""

from dataclasses import replace
from functools import cache

import pytest
from tests.share import some

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.solver import RLIMIT, Budget
from samebeat_proofs.transport_proof import transport_proof

PROOF = transport_proof()
SPEC = PROOF.spec
CONTROLS = {m.name: m.without for m in load_catalog() if m.spec == "transport" and m.without}

SLOW = ("at_most_once",)
WITHOUT_FACT = {
    "accepted_in_order": "queued_fit.submit",
    "sent_in_order": "unacked_fit.send",
    "given_up_in_order": "no_receiver_drop.receive",
    "under_way_was_sent": "no_receiver_drop.receive",
    "held_was_sent": "known_was_sent.deliver",
    "known_was_sent": "known_was_delivered.send",
    "known_was_delivered": "ack_was_delivered.ack_again",
    "ack_was_delivered": "never_silently_lost.hear_ack",
    "acked_was_delivered": "never_silently_lost.hear_ack",
    "known_is_not_held": "at_most_once.deliver",
    "forgotten_is_gone": "known_is_not_held.receive",
    "earlier_is_over": "in_order.deliver",
    "unacked_fragments_fit": "in_flight_fits.send_again",
    "late_copies_fit": "no_receiver_drop.receive",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_AXIOM = {
    "every_message_has_a_fragment": "at_most_once.deliver",
    "one_message_fits": "queued_fit.submit",
    "more_is_more": "unacked_fit.send",
}

WITHOUT_GUARD = {
    "transport-submit-without-room": "queued_fit",
    "transport-turn-down-at-will": "turned_down_when_full",
    "transport-send-what-is-not-queued": "unacked_fit",
    "transport-send-out-of-turn": "sent_in_order",
    "transport-send-without-window": "unacked_fit",
    "transport-send-again-what-waits": "in_flight_fits",
    "transport-hear-ack-without-ack": "never_silently_lost",
    "transport-hear-ack-too-late": "outcome_stable",
    "transport-give-up-what-waits": "queue_never_purged",
    "transport-give-up-out-of-turn": "given_up_in_order",
    "transport-receive-from-nowhere": "held_was_sent",
    "transport-receive-without-memory": "known_is_not_held",
    "transport-early-from-nowhere": "held_was_sent",
    "transport-early-without-memory": "known_is_not_held",
    "transport-skip-what-is-open": "known_was_delivered",
    "transport-ack-what-is-unknown": "ack_was_delivered",
    "transport-deliver-in-part": "delivered_whole",
    "transport-deliver-out-of-order": "earlier_is_over",
    "transport-forget-while-retried": "forgotten_is_gone",
    "transport-forget-before-the-last-copy": "forgotten_is_gone",
    "transport-size-raised-sender-first": "new_traffic_fits",
    "transport-size-lowered-member-first": "new_traffic_fits",
    "transport-size-lowered-while-retried": "unacked_fragments_fit",
    "transport-size-lowered-undrained": "in_flight_fits",
    "transport-window-raised-sender-first": "new_traffic_fits",
    "transport-window-lowered-member-first": "new_traffic_fits",
    "transport-window-lowered-undrained": "unacked_fit",
    "transport-window-lowered-on-the-member": "no_receiver_drop",
    "transport-queue-raised-without-memory": "new_traffic_fits",
    "transport-queue-lowered-memory-first": "new_traffic_fits",
    "transport-queue-lowered-undrained": "queue_never_purged",
}
"""For each wrong protocol, a fact that the action without its guard does not keep."""


def answer(proof: Proof, obligation: str) -> Answer:
    engine = Engine(proof)
    return engine.discharge(engine.find(obligation)).answer


@cache
def _engine() -> Engine:
    return Engine(PROOF)


@pytest.mark.parametrize(
    "fact",
    [pytest.param(f.name, marks=pytest.mark.slow if f.name in SLOW else ()) for f in PROOF.facts],
)
def test_every_obligation_of_a_fact_is_proved_in_the_decidable_fragment(fact):
    obligations = [o for o in _engine().obligations if o.fact == fact]
    assert len(obligations) in (len(SPEC.actions), 1 + len(SPEC.actions))
    for d in map(_engine().discharge, obligations):
        assert d.answer is Answer.PROVED, d.name
        assert not d.circle, d.name


def test_every_safety_promise_of_the_spec_has_a_role():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    assert promised == {f.name for f in PROOF.facts if not f.is_strengthening}
    assert not PROOF.left_out


@pytest.mark.slow
def test_the_proof_is_about_something():
    """All facts can hold at once, every action can be taken, and every guard is used."""
    run = _engine().run()
    assert run.answer is Answer.PROVED
    assert set(run.possible) == {"all facts at once", *(a.name for a in SPEC.actions)}
    used = {label for d in run.discharged if not d.obligation.untouched for label in d.used}
    needed = {g.why for a in SPEC.actions for g in a.guards if g.limit != "environment"}
    assert {f"guard {why}" for why in needed} <= used
    assert {f"axiom {a.name}" for a in PROOF.axioms} <= used


@pytest.mark.parametrize(("fact", "obligation"), some(WITHOUT_FACT))
def test_without_a_fact_an_obligation_is_not_met(fact, obligation):
    assert answer(PROOF.without_fact(fact), obligation) is Answer.FAILED


@pytest.mark.parametrize(("axiom", "obligation"), some(WITHOUT_AXIOM))
def test_without_an_axiom_an_obligation_is_not_met(axiom, obligation):
    kept = tuple(a for a in PROOF.axioms if a.name != axiom)
    assert answer(replace(PROOF, axioms=kept), obligation) is Answer.FAILED


def test_every_fact_that_only_the_proof_needs_and_every_axiom_has_a_control():
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT)
    assert {a.name for a in PROOF.axioms} == set(WITHOUT_AXIOM)


@pytest.mark.parametrize(("name", "fact"), some(WITHOUT_GUARD))
def test_a_wrong_protocol_breaks_an_obligation(name, fact):
    without = CONTROLS[name]
    wrong = PROOF.about(SPEC.without(without.action, without.guard))
    assert answer(wrong, f"{fact}.{without.action}") is Answer.FAILED


def test_every_guard_has_a_wrong_protocol():
    assert set(WITHOUT_GUARD) == set(CONTROLS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_no_obligation_depends_on_luck(seed):
    """Ten seeds, a tenth of the budget."""
    engine = Engine(PROOF, Budget(RLIMIT // 10, seed))
    unlucky = [
        d.name for d in map(engine.discharge, engine.obligations) if d.answer is not Answer.PROVED
    ]
    assert unlucky == []
