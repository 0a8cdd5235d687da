"""Each part of the proof of the hardened group change is needed, and no wrong protocol is proved.

For each fact that only the proof needs, each guard and each mechanism, a small instance contradicts
a named obligation without it, though all else is assumed that may be. The catalog has a run from
the start for each guard and each mechanism, and pins its length.
"""

from __future__ import annotations

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.facts import Role
from samebeat_spec.language.terms import Expr, Holds, parts_of

from .weaker import ASSUMED, PROOF, SPEC, is_met, is_met_without_mechanism

Pin = tuple[str, int] | tuple[str, int, str]
"""An obligation, and how many elements each sort has; each time that a sort is named, one more."""
CATALOG = {m.name: m for m in load_catalog() if m.spec == "cluster"}
CONTROLS = {name: m for name, m in CATALOG.items() if m.without}

WITHOUT_FACT: dict[str, Pin] = {
    "forgetful_is_out": ("status_once.fail_to_apply", 1),
    "unrequested_is_unknown": ("journal_before_send.request", 1),
    "committed_below_epoch": ("acked_is_open_or_past.implied", 1),
    "commit_vote_means_all_ok": ("chosen_is_not_barred.implied", 1),
    "home_vote_is_commit": ("vote_stays.hold", 1),
    "undone_was_barred": ("undone_was_not_chosen.implied", 1),
    "running_is_given_up": ("late_has_change.finish_late", 1),
    "late_has_change": ("busy_needs_two.send_busy", 1),
    "busy_needs_two": ("busy_needs_rival.implied", 1),
    "first_view_has_begun": ("view_has_begun.lose_journal", 2),
    "reported_was_proposed": ("no_foreign_message.propose", 2),
    "view_has_begun": ("no_foreign_message.request", 2),
    "home_has_begun": ("apply_after_full_receipt.propose", 2),
    "failed_is_closed": ("journal_before_send.vote_in_flush", 2),
    "busy_never_acked": ("chosen_is_not_barred.implied", 2),
    "acted_means_acked": ("no_foreign_message.fail_to_apply", 2),
    "one_acked_open": ("one_open_change.apply", 2),
    "taking_part_reached": ("pre_image_of_last_commit.commit", 2),
    "vote_in_a_view_that_has_begun": ("commit_vote_excludes_undo.implied", 2),
    "silent_report_means_no_vote": ("reports_exclude_commit.report", 2),
    "flush_of_what_is_open": ("undo_vote_has_reports.implied", 2),
    "commit_vote_is_reported": ("votes_of_a_view_agree.implied", 2),
    "undo_vote_is_reported": ("votes_of_a_view_agree.implied", 2),
    "committed_was_chosen": ("commit_needs_all_ok.implied", 2),
    "acked_two_means_barred": ("acked_two_commits_one.implied", 2),
    "epoch_has_commit": ("value_known.undo", 2),
    "pre_image_at_the_start": ("value_known.undo", 2),
    "pre_image_of_last_commit": ("value_known.undo", 2),
    "value_at_the_start": ("held_from_last_commit.implied", 2),
    "value_of_last_commit": ("held_from_last_commit.implied", 2),
    "earlier_epochs_of_changes": ("earlier_epochs_of_members.implied", 2, "Epoch"),
}
"""For each fact that only the proof needs and that is no lemma, what is not met without it."""

WITHOUT_GUARD: dict[str, Pin] = {
    "cluster-request-without-life": ("quarantine_excluded.request", 1),
    "cluster-request-without-new-id": ("journal_before_send.request", 1),
    "cluster-send-ack-without-life": ("quarantine_excluded.send_ack", 1),
    "cluster-send-ack-without-request": ("unrequested_is_unknown.send_ack", 1),
    "cluster-send-ack-without-first-time": ("journal_before_send.send_ack", 1),
    "cluster-send-busy-without-first-time": ("busy_never_acked.send_busy", 1),
    "cluster-send-busy-without-rival": ("busy_needs_two.send_busy", 1),
    "cluster-apply-without-life": ("quarantine_excluded.apply", 1),
    "cluster-apply-without-ack": ("journal_before_send.apply", 1),
    "cluster-fail-to-apply-without-life": ("status_once.fail_to_apply", 1),
    "cluster-fail-to-apply-without-ack": ("status_once.fail_to_apply", 1),
    "cluster-send-ok-without-life": ("status_once.send_ok", 1),
    "cluster-send-ok-without-applied": ("journal_before_send.send_ok", 1),
    "cluster-hold-without-life": ("quarantine_excluded.hold", 1),
    "cluster-hold-without-every-ok": ("commit_vote_means_all_ok.hold", 1),
    "cluster-undo-without-life": ("quarantine_excluded.undo", 1),
    "cluster-undo-without-word": ("undone_was_barred.undo", 1),
    "cluster-report-without-later-view": ("home_reports_are_older.report", 1),
    "cluster-vote-in-flush-without-reports": ("unrequested_is_unknown.vote_in_flush", 1),
    "cluster-hang-without-life": ("status_once.hang", 1),
    "cluster-hang-without-ack": ("status_once.hang", 1),
    "cluster-finish-late-without-operation": ("late_has_change.finish_late", 1),
    "cluster-fail-to-undo-without-life": ("quarantine_excluded.fail_to_undo", 1),
    "cluster-fail-to-undo-without-reason": ("unrequested_is_unknown.fail_to_undo", 1),
    "cluster-request-without-idleness": ("rejoin_before_active.request", 2),
    "cluster-send-ack-without-own-view": ("no_foreign_message.send_ack", 2),
    "cluster-send-ack-without-idleness": ("rejoin_before_active.send_ack", 2),
    "cluster-send-busy-without-life": ("quarantine_excluded.send_busy", 2),
    "cluster-send-busy-without-request": ("unrequested_is_unknown.send_busy", 2),
    "cluster-send-busy-without-own-view": ("no_foreign_message.send_busy", 2),
    "cluster-apply-without-every-ack": ("apply_after_full_receipt.apply", 2),
    "cluster-fail-to-apply-without-every-ack": ("apply_after_full_receipt.fail_to_apply", 2),
    "cluster-hold-without-promise": ("silent_report_means_no_vote.hold", 2),
    "cluster-hold-without-applied": ("journal_before_send.hold", 2),
    "cluster-commit-without-life": ("quarantine_excluded.commit", 2),
    "cluster-commit-without-wait": ("pre_image_of_last_commit.commit", 2),
    "cluster-commit-without-word": ("journal_before_send.commit", 2),
    "cluster-undo-without-open-change": ("value_known.undo", 2),
    "cluster-propose-without-life": ("quarantine_excluded.propose", 2),
    "cluster-propose-without-new-id": ("apply_after_full_receipt.propose", 2),
    "cluster-propose-without-membership": ("no_foreign_message.propose", 2),
    "cluster-report-without-life": ("quarantine_excluded.report", 2),
    "cluster-report-without-proposal": ("reported_was_proposed.report", 2),
    "cluster-report-without-membership": ("no_foreign_message.report", 2),
    "cluster-begin-view-without-life": ("quarantine_excluded.begin_view", 2),
    "cluster-begin-view-without-own-report": ("view_has_begun.begin_view", 2),
    "cluster-begin-view-without-promise": ("view_monotone.begin_view", 2),
    "cluster-begin-view-without-every-report": ("view_has_begun.begin_view", 2),
    "cluster-vote-in-flush-without-life": ("quarantine_excluded.vote_in_flush", 2),
    "cluster-unjournaled-without-life": ("quarantine_excluded.crash_before_journaling", 2),
    "cluster-unjournaled-without-journal": ("journal_before_send.crash_before_journaling", 2),
    "cluster-unjournaled-without-applied": ("journal_before_send.crash_before_journaling", 2),
    "cluster-lose-journal-without-life": ("quarantine_excluded.lose_journal", 2),
    "cluster-hang-without-every-ack": ("apply_after_full_receipt.hang", 2),
    "cluster-undo-late-without-late-success": ("value_known.undo_late", 2),
    "cluster-commit-without-open-change": ("epoch_monotone.commit", 2, "Epoch"),
    "cluster-vote-in-flush-without-promise": (
        "undo_vote_is_reported.vote_in_flush",
        1,
        "Node Node View View Quorum Quorum",
    ),
}
"""For each wrong protocol of the catalog, by its name there, what is not met of it."""

NOT_FOR_SAFETY = {"cluster-send-ack-without-promise": ("quiescence_reachable",)}
"""Wrong protocols that break no promise about safety, and what they do break."""

WITHOUT_MECHANISM: dict[str, tuple[str, Pin]] = {
    "held_round": ("without-held-round", ("decision_stable.commit", 2)),
    "flush_round": ("without-flush-round", ("committed_was_chosen.commit", 2)),
    "keeps_promise": ("without-promise", ("silent_report_means_no_vote.hold", 2)),
    "waits_for_reports": ("partial-reports", ("view_has_begun.begin_view", 2)),
    "transfers_state": ("without-state-transfer", ("rejoin_before_active.request", 2)),
    "journals_first": ("journal-after-send", ("journal_before_send.crash_before_journaling", 2)),
    "journals_promises": ("promise-in-memory", ("forgetful_is_out.crash", 2)),
    "quarantines": ("without-quarantine", ("value_at_the_start.fail_to_undo", 2)),
    "replaces_blank": ("blank-journal-comes-back", ("forgetful_is_out.lose_journal", 2)),
    "waits_for_late": ("late-success-ignored", ("pre_image_at_the_start.request", 2)),
    "latest_vote_counts": (
        "plain-union",
        ("reports_exclude_undo.report", 1, "Node View View Quorum"),
    ),
}
"""For each mechanism a model without it, and what is not met if it may be off."""

NEVER_ASSUMED = {"tells_decisions": ("without-decision-query", ("in_doubt_resolves",))}
"""Mechanisms that no promise about safety needs, and what breaks without them."""


def marked(pins: dict[str, Pin]) -> list[object]:
    """Return each name with its pin; beyond one element of each sort it takes a while."""
    return [
        pytest.param(name, pin, id=name, marks=[pytest.mark.slow] if pin[1:] != (1,) else [])
        for name, pin in pins.items()
    ]


def pins() -> set[Pin]:
    """Return the obligations that some table names, with their sizes, except the largest sizes."""
    mechanisms = (pin for _, pin in WITHOUT_MECHANISM.values())
    named = {*WITHOUT_FACT.values(), *WITHOUT_GUARD.values(), *mechanisms}
    return {pin for pin in named if len(pin) == 2}


@pytest.mark.parametrize(("fact", "pin"), marked(WITHOUT_FACT))
def test_without_a_fact_an_obligation_is_not_met(fact, pin):
    assert not is_met(*pin, without=f"fact {fact}")


@pytest.mark.parametrize(("control", "pin"), marked(WITHOUT_GUARD))
def test_a_wrong_protocol_breaks_an_obligation(control, pin):
    without = CONTROLS[control].without
    assert without
    assert pin[0].endswith(f".{without.action}")
    assert not is_met(*pin, without=f"guard {without.guard}")


@pytest.mark.slow
@pytest.mark.parametrize("flag", WITHOUT_MECHANISM)
def test_without_a_mechanism_an_obligation_is_not_met(flag):
    _, pin = WITHOUT_MECHANISM[flag]
    assert not is_met_without_mechanism(*pin, flag=flag)


@pytest.mark.slow
@pytest.mark.parametrize("pin", sorted(pins()), ids=lambda pin: "-".join(map(str, pin)))
def test_with_everything_in_place_the_same_obligation_is_met(pin):
    assert is_met(*pin)


@pytest.mark.slow
@pytest.mark.parametrize("control", NOT_FOR_SAFETY)
def test_what_no_promise_about_safety_needs_breaks_no_obligation(control):
    without = CONTROLS[control].without
    assert without
    names = [f"{f.name}.{without.action}" for f in PROOF.facts if f.role is not Role.IMPLIED]
    assert all(is_met(name, 2, without=f"guard {without.guard}") for name in names)


def test_every_fact_that_only_the_proof_needs_has_a_control_or_is_a_lemma():
    lemmas = {f.name for f in PROOF.strengthenings if f.is_lemma}
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT) | lemmas
    assert not lemmas & set(WITHOUT_FACT)
    assert {f.name for f in PROOF.strengthenings if f.lemma} == {
        "home_reports_are_older",
        "reports_exclude_commit",
        "reports_exclude_undo",
    }


def test_every_guard_has_a_wrong_protocol_with_a_trace_of_known_length():
    """Environment guards, such as how many crashes there are, only limit the models."""
    guards = {(a.name, g.why) for a in SPEC.actions for g in a.guards if not g.limit}
    assert {(m.without.action, m.without.guard) for m in CONTROLS.values() if m.without} == guards
    assert set(WITHOUT_GUARD) | set(NOT_FOR_SAFETY) == set(CONTROLS)
    assert all(m.depth and m.violates for m in CONTROLS.values())
    assert all(CONTROLS[name].violates == broken for name, broken in NOT_FOR_SAFETY.items())


def test_the_axiom_assumes_these_mechanisms_and_no_more():
    (axiom,) = (a for a in PROOF.axioms if a.name == "mechanisms_are_on")
    parts: list[Expr] = [axiom.formula]
    for part in parts:
        parts += parts_of(part)
    assert {p.variable.name for p in parts if isinstance(p, Holds)} == set(ASSUMED)


def test_every_mechanism_has_a_model_without_it_with_a_trace_of_known_length():
    models = {
        flag: name for flag, (name, _) in (*WITHOUT_MECHANISM.items(), *NEVER_ASSUMED.items())
    }
    assert set(models) == {*ASSUMED, *NEVER_ASSUMED}
    for flag, name in models.items():
        model = CATALOG[name]
        assert [f for f in models if not model.constants[f]] == [flag]
        assert model.depth
        assert model.violates
    assert all(CATALOG[name].violates == broken for name, broken in NEVER_ASSUMED.values())
