"""``samebeat assurance`` and the other commands say the same of how a promise is known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from samebeat_cli import assurance
from samebeat_cli.assurance import STALE, Rung, explored_only, ladder
from samebeat_cli.reports.as_json import _rung
from samebeat_cli.reports.proofs import _explored
from samebeat_cli.selection import shipped_spec
from samebeat_models.results import Verdict
from samebeat_proofs import proofs
from samebeat_proofs.proofs import PROOFS, load_proof
from samebeat_proofs.unproved import UNPROVED
from samebeat_proofs.verified import VERIFIED
from samebeat_spec.specs import SPEC_NAMES

ROWS = {(row.spec, row.name): row for row in ladder()}


def test_every_promise_of_every_spec_is_on_the_ladder_once():
    promised = [
        (name, p.name)
        for name in SPEC_NAMES
        for p in shipped_spec(name).promises
        if getattr(p, "kind", "") not in ("witness", "terminal")
    ]
    assert list(ROWS) == promised
    assert len(ladder()) == len(promised)


def test_nothing_that_is_promised_is_unchecked_or_only_searched():
    assert {row.rung for row in ladder()} <= {Rung.EXHAUSTIVE, Rung.ALL_N, Rung.ALL_REALS}


def test_agreement_is_proved_for_every_size_and_explored_too():
    row = ROWS["group", "agreement"]
    assert (row.rung, row.proof, row.why) == (Rung.ALL_N, "group", "")
    assert row.largest.startswith("group-")
    assert "Node" in row.largest


def test_the_pair_says_what_its_proof_assumes():
    row = ROWS["pair", "tightener_defers"]
    assert row.rests_on[0] == "There are two nodes, and no more."


def test_what_is_promised_of_the_end_is_explored_only_and_says_why():
    row = ROWS["group", "change_decided"]
    assert (row.rung, row.proof) == (Rung.EXHAUSTIVE, "")
    assert row.why


def test_a_spec_without_a_proof_has_a_reason_and_one_with_a_proof_has_none():
    silent = {row.spec for row in ladder() if row.is_safety and not row.proof}
    assert silent - set(PROOFS) == set(UNPROVED)
    assert all(row.why for row in ladder() if not row.proof)


def test_without_its_proof_a_promise_falls_back_to_what_is_explored(monkeypatch):
    others = {name: proof for name, proof in PROOFS.items() if name != "group"}
    monkeypatch.setattr(proofs, "PROOFS", others)
    assurance.ladder.cache_clear()
    try:
        (row,) = [r for r in ladder() if (r.spec, r.name) == ("group", "agreement")]
        assert (row.rung, row.proof) == (Rung.EXHAUSTIVE, "")
    finally:
        assurance.ladder.cache_clear()


def test_a_promise_that_no_model_looks_at_and_no_proof_shows_is_not_checked():
    assert assurance._rung(None, explored=False) is Rung.NONE


def test_the_command_prints_one_line_for_each_promise_and_the_sum(run):
    out = run("assurance", "pair").out
    assert "tightener_defers" in out
    assert "proved for all N" in out
    assert out.splitlines()[-1].startswith("14 promises: 12 proved for all N, 2 exhaustive")


def test_the_command_writes_json_and_markdown(run):
    rows = json.loads(run("assurance", "pair", "--format", "json").out)
    assert {row["rung"] for row in rows} == {"all-n", "exhaustive"}
    written = run("assurance", "pair", "--format", "markdown")
    assert (written.code, written.out[:18]) == (0, "| spec | promise |")


def test_an_unknown_spec_is_one_line(fails):
    assert "no spec is called 'nonsense'; there are: group" in fails(2, "assurance", "nonsense")


@pytest.mark.parametrize(
    ("verdict", "vacuous", "kind", "rung"),
    [
        (Verdict.HOLDS, False, "invariant", "exhaustive"),
        (Verdict.HOLDS, True, "invariant", None),
        (Verdict.UNDETERMINED, False, "invariant", "searched"),
        (Verdict.VIOLATED, False, "invariant", None),
        (Verdict.HOLDS, False, "pins", None),
    ],
)
def test_check_says_on_which_rung_a_line_is(verdict, vacuous, kind, rung, result):
    row = result(verdict=verdict, vacuous=vacuous, kind=kind)
    assert _rung(row) == rung
    assert _rung(replace(row, states=0, verdict=Verdict.UNDETERMINED)) is None


def test_prove_says_what_is_only_explored_up_to_what_size_and_why():
    composed = [row for row in explored_only(["composed"]) if row.name == "no_false_suspicion"]
    (line,) = _explored(composed)
    assert line.startswith("Only explored, up to composed-3-all-clocked (3 Node, 1 Change): ")
    assert "composed.no_false_suspicion: it is proved of one pair of members" in line
    assert explored_only(["pair"]) == ()


def test_every_proof_is_the_one_that_was_run_to_its_end():
    """If this fails: run `samebeat prove`, and record the fingerprint once all is proved."""
    assert {name: make().fingerprint for name, make in PROOFS.items()} == VERIFIED


def test_a_proof_that_has_changed_since_counts_no_more(monkeypatch):
    monkeypatch.setitem(VERIFIED, "group", "another")
    assurance.ladder.cache_clear()
    try:
        (row,) = [r for r in ladder() if (r.spec, r.name) == ("group", "agreement")]
        assert (row.rung, row.proof, row.why) == (Rung.EXHAUSTIVE, "", STALE)
    finally:
        assurance.ladder.cache_clear()


def test_a_fingerprint_changes_with_a_fact_an_axiom_and_the_spec():
    proof = load_proof("pair")
    others = (
        proof.without_fact("equal_unless_open"),
        replace(proof, axioms=proof.axioms[1:]),
        proof.about(proof.spec.without("refuse", "n has a request to decide about")),
    )
    assert len({proof.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_a_fingerprint_changes_with_what_a_run_of_a_proof_does():
    proof = load_proof("heartbeat")
    tight = proof.find("safe_is_tight")
    shorter = replace(tight, parts=(*tight.parts[:-1], replace(tight.parts[-1], steps=())))
    freer = replace(tight, without=())
    others = [
        replace(proof, facts=tuple(other if f is tight else f for f in proof.facts))
        for other in (shorter, freer)
    ]
    assert len({proof.fingerprint, *(other.fingerprint for other in others)}) == 3
