"""A channel is proved for any number of messages, sizes and windows, and each part is needed."""

from dataclasses import replace
from functools import cache

import pytest
from tests.share import some

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.link_proof import link_proof
from samebeat_proofs.solver import RLIMIT, Budget

PROOF = link_proof()
SPEC = PROOF.spec
CONTROLS = {m.name: m.without for m in load_catalog() if m.spec == "link" and m.without}

SLOW = ("at_most_once", "ack_was_delivered", "late_copies_fit", "in_order")
WITHOUT_FACT = {
    "accepted_in_order": "queued_fit.submit",
    "sent_in_order": "unacked_fit.send",
    "closed_in_order": "late_copies_fit.send_again",
    "under_way_was_sent": "held_was_sent.keep",
    "said_is_true": "in_flight_fits.forget",
    "ack_was_delivered": "never_silently_lost.hear_ack",
    "known_in_order": "held_fit.keep",
    "held_was_sent": "late_copies_fit.send",
    "known_was_sent": "known_was_delivered.send",
    "known_was_delivered": "ack_was_delivered.receive",
    "forgotten_is_gone": "at_most_once.receive",
    "new_traffic_fits": "in_flight_fits.send",
    "unacked_fragments_fit": "in_flight_fits.send_again",
    "unacked_fit": "no_receiver_drop.send_again",
    "late_copies_fit": "held_fit.keep",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_AXIOM = {
    "every_message_has_a_fragment": "known_was_sent.receive_notice",
    "one_message_fits": "queued_fit.submit",
    "more_is_more": "unacked_fit.send",
}

WITHOUT_GUARD = {
    "link-submit-without-room": "queued_fit",
    "link-turn-down-at-will": "turned_down_when_full",
    "link-send-what-is-not-queued": "sent_in_order",
    "link-send-out-of-turn": "sent_in_order",
    "link-send-without-window": "unacked_fit",
    "link-send-again-what-is-not-unacked": "under_way_was_sent",
    "link-send-again-what-is-no-part": "nothing_but_pieces",
    "link-hear-ack-without-ack": "never_silently_lost",
    "link-give-up-what-waits": "queue_never_purged",
    "link-give-up-out-of-turn": "closed_in_order",
    "link-keep-from-nowhere": "held_was_sent",
    "link-keep-what-is-next": "held_fit",
    "link-receive-from-nowhere": "known_was_sent",
    "link-receive-and-know-more": "known_was_sent",
    "link-notice-of-what-is-open": "known_was_sent",
    "link-notice-and-know-more": "known_was_sent",
    "link-forget-while-retried": "forgotten_is_gone",
    "link-forget-before-the-last-copy": "forgotten_is_gone",
    "link-size-raised-sender-first": "new_traffic_fits",
    "link-size-lowered-member-first": "new_traffic_fits",
    "link-size-lowered-while-retried": "unacked_fragments_fit",
    "link-size-lowered-undrained": "in_flight_fits",
    "link-window-raised-sender-first": "new_traffic_fits",
    "link-window-lowered-member-first": "new_traffic_fits",
    "link-window-lowered-while-retried": "unacked_fit",
    "link-window-lowered-on-the-member": "held_fit",
    "link-window-lowered-undrained": "no_receiver_drop",
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
@pytest.mark.parametrize("seed", range(1, 6))
def test_no_obligation_depends_on_luck(seed):
    """Five seeds, half the budget: what the member knows after a copy is dear."""
    engine = Engine(PROOF, Budget(RLIMIT // 2, seed))
    unlucky = [
        d.name for d in map(engine.discharge, engine.obligations) if d.answer is not Answer.PROVED
    ]
    assert unlucky == []
