"""Each part of the proof of the group change is needed, and no wrong protocol is proved."""

from functools import cache

import pytest
from tests.share import some

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Discharged, Engine, Run
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.standing import standings
from samebeat_spec.language import Spec
from samebeat_spec.language.interpreter import Interpreter

PROOF = group_proof()
SPEC = PROOF.spec
CONTROLS = {m.name: m for m in load_catalog() if m.spec == "group" and m.without}

WITHOUT_FACT = {
    "known_was_requested": "one_commit_per_base_epoch.request",
    "silent_before_answer": "busy_never_acked.send_busy",
    "busy_never_acked": "agreement.implied",
    "ok_means_applied": "failure_excludes_commit.implied",
    "failure_means_failed": "status_once.send_ok",
    "undo_has_culprit": "agreement.implied",
    "nothing_heard_without_open": "no_foreign_message.send_ack",
    "open_from_own_epoch": "epoch_monotone.commit",
    "committed_below_epoch": "one_commit_per_base_epoch.commit",
    "epoch_has_commit": "kept_until_replaced.implied",
    "applied_value": "value_known.implied",
    "pre_image_at_the_start": "value_at_the_start.undo",
    "pre_image_of_last_commit": "value_of_last_commit.undo",
    "value_at_the_start": "undo_restores_pre_image.implied",
    "value_of_last_commit": "kept_until_replaced.implied",
    "later_epoch_has_commit": "busy_needs_two.send_busy",
    "busy_needs_two": "busy_needs_rival.implied",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_GUARD = {
    "request-without-new-id": "one_commit_per_base_epoch.request",
    "receive-request-without-request": "known_was_requested.receive_request",
    "receive-request-without-first-time": "decision_stable.receive_request",
    "send-ack-without-unanswered-request": "decision_stable.send_ack",
    "send-ack-without-nothing-else-open": "one_open_change.send_ack",
    "send-ack-without-same-epoch": "open_from_own_epoch.send_ack",
    "send-busy-without-unanswered-request": "decision_stable.send_busy",
    "send-busy-without-rival": "busy_needs_two.send_busy",
    "receive-without-sender": "no_foreign_message.receive",
    "receive-without-open-change": "nothing_heard_without_open.receive",
    "close-busied-without-acked-phase": "decision_stable.close_busied",
    "close-busied-without-busy-answer": "undo_has_culprit.close_busied",
    "apply-without-acked-phase": "decision_stable.apply",
    "apply-without-every-ack": "apply_after_full_receipt.apply",
    "fail-to-apply-without-acked-phase": "decision_stable.fail_to_apply",
    "fail-to-apply-without-every-ack": "apply_after_full_receipt.fail_to_apply",
    "send-ok-without-applied": "status_once.send_ok",
    "send-failure-without-failed-apply": "status_once.send_failure",
    "commit-without-applied": "commit_needs_all_ok.commit",
    "commit-without-every-ok": "commit_needs_all_ok.commit",
    "undo-without-open-change": "decision_stable.undo",
    "undo-without-heard-failure": "undo_has_culprit.undo",
}


def guard_of(name: str) -> tuple[str, str]:
    """Return the action and the guard that a wrong protocol lacks."""
    without = CONTROLS[name].without
    assert without
    return without.action, without.guard


def wrong(name: str) -> Spec:
    """Return a wrong protocol of the museum."""
    return SPEC.without(*guard_of(name))


@cache
def _engine() -> Engine:
    return Engine(PROOF)


@pytest.mark.parametrize(("fact", "obligation"), some(WITHOUT_FACT, ("pre_image_of_last_commit",)))
def test_without_a_fact_an_obligation_is_not_met(fact, obligation):
    weaker = Engine(PROOF.without_fact(fact))
    assert weaker.discharge(weaker.find(obligation)).answer is Answer.FAILED


@pytest.mark.parametrize("obligation", sorted({*WITHOUT_FACT.values()}))
def test_with_all_facts_the_same_obligation_is_met(obligation):
    assert _engine().discharge(_engine().find(obligation)).answer is Answer.PROVED


def test_every_fact_that_only_the_proof_needs_has_a_control_or_a_reason():
    lemmas = {f.name for f in PROOF.strengthenings if f.lemma}
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT) | lemmas
    assert lemmas == {"one_epoch_at_rest"}
    assert not lemmas & set(WITHOUT_FACT)
    assert all(f.why for f in PROOF.strengthenings)


@pytest.mark.parametrize(("name", "obligation"), some(WITHOUT_GUARD, ("receive-without-sender",)))
def test_a_wrong_protocol_breaks_an_obligation(name, obligation):
    weaker = Engine(PROOF.about(wrong(name)))
    assert weaker.discharge(weaker.find(obligation)).answer is Answer.FAILED


def test_every_guard_has_a_wrong_protocol_with_a_trace_of_known_length():
    """The catalog pins a trace from the start for each; here is the obligation for each."""
    assert set(WITHOUT_GUARD) == set(CONTROLS)
    assert set(map(guard_of, CONTROLS)) == {(a.name, why) for a, why in SPEC.guards()}
    assert all(m.depth and m.violates for m in CONTROLS.values())


def rerun(name: str) -> Run:
    """Return the run for a wrong protocol; only the obligations of its action are asked again."""
    weaker, changed = Engine(PROOF.about(wrong(name))), guard_of(name)[0]
    found: list[Discharged] = []
    for known, obligation in zip(_discharged(), weaker.obligations, strict=True):
        assert known.name == obligation.name
        same = obligation.part != changed
        found.append(known if same else weaker.discharge(obligation))
    return Run(weaker.proof, tuple(found), {})


@cache
def _discharged() -> tuple[Discharged, ...]:
    return tuple(_engine().discharge(o) for o in _engine().obligations)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTROLS)
def test_what_a_wrong_protocol_violates_is_never_proved_of_it(name):
    """What the explorer shows to be false must not come out as proved."""
    answers = {s.fact.name: s.answer for s in standings(rerun(name))}
    assert Answer.UNDETERMINED not in answers.values()
    about_safety = set(CONTROLS[name].violates) - {"quiescence_reachable"}
    assert all(answers[violated] is Answer.FAILED for violated in about_safety)
    assert Answer.FAILED in answers.values()


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTROLS)
def test_a_wrong_protocol_has_a_counterexample_that_the_interpreter_confirms(name):
    spec = wrong(name)
    fact, part = WITHOUT_GUARD[name].split(".")
    found = Engine(PROOF.about(spec)).examples.against(fact, part)
    assert found
    assert found.after
    judge, prop = Interpreter(found.instance), PROOF.find(fact).prop
    assert judge.step(spec.find_action(part), found.arguments, found.state) == found.after
    if prop.kind == "step":
        assert not judge.holds(prop, found.state, found.after)
    else:
        assert judge.holds(prop, found.state)
        assert not judge.holds(prop, found.after)
