"""`samebeat prove`: what is proved, what that rests on, and what becomes of what is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.proofs.ballot import PROOF, SPEC, Voter

from samebeat_proofs import proofs
from samebeat_proofs.facts import Proof
from samebeat_proofs.fragment import Edge, SortGraph
from samebeat_proofs.loss_time import loss_time_proof
from samebeat_proofs.proofs import load_proof
from samebeat_spec.language import exists
from samebeat_spec.specs import load_spec

from .conftest import Run

WEAKER = PROOF.about(SPEC.without("vote", "v has not voted"))
Shipped = Callable[[Proof], None]


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Shipped:
    """Put one proof in the place of the shipped ones."""

    def install(proof: Proof) -> None:
        monkeypatch.setattr(proofs, "PROOFS", {"ballot": lambda: proof})

    return install


@pytest.fixture
def results(run: Run) -> Callable[[], dict[str, Any]]:
    """Return the results of a run for programs, by property."""

    def look() -> dict[str, Any]:
        found = json.loads(run("prove", "--format", "json").out)
        return {r["property"]: r for r in found["results"]}

    return look


def test_what_is_proved_is_said_with_what_it_uses(run: Run, shipped: Shipped) -> None:
    shipped(PROOF)
    ran = run("prove", "ballot")
    assert (ran.code, ran.err) == (0, "")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "ballot, for any number of Voter, Choice and Quorum"
    (row,) = (line for line in lines if line.startswith("one_decision "))
    assert row.startswith("one_decision holds for all N 1 ")
    assert row.endswith(" quorums_meet, one_vote and 1 more")
    assert any(x.startswith("2 facts that only the proof needs holds for all N 6") for x in lines)
    assert "All are decidable: no sort depends on itself." in lines
    assert lines[-1].startswith("1 proof, 9 obligations in ")
    assert lines[-1].endswith("; exit 0: all proved")


def test_the_report_for_programs_has_the_rung_of_each_property(run: Run, shipped: Shipped) -> None:
    shipped(PROOF)
    found = json.loads(run("prove", "--format", "json").out)
    assert found["exit_code"] == 0
    by_name = {r["property"]: r for r in found["results"]}
    decision = by_name["one_decision"]
    assert (decision["verdict"], decision["rung"]) == ("holds", "all-n")
    assert (decision["kind"], decision["role"]) == ("invariant", "implied")
    assert decision["rests_on"] == ["one_vote", "decided_by_quorum"]
    assert decision["axioms"] == ["quorums_meet"]
    (obligation,) = decision["obligations"]
    assert (obligation["name"], obligation["answer"]) == ("one_decision.implied", "proved")
    assert obligation["decidable"]
    assert by_name["one_vote"]["why"]
    (proof,) = found["proofs"]
    assert proof["fingerprint"] == SPEC.fingerprint
    assert proof["impossible"] == []


def test_what_is_not_met_is_exit_12_with_a_state_and_a_step(run: Run, shipped: Shipped) -> None:
    shipped(WEAKER)
    ran = run("prove", "ballot")
    assert ran.code == 12
    said = ran.out[ran.out.index("one_vote.vote is not met") :].splitlines()
    assert said[1].split()[:4] == ["0", "a", "state", "voted[v1,"]
    assert said[2].split()[:2] == ["not", "voted[v1,"]
    assert said[3].split()[:2] == ["1", "vote(v1,"]
    assert said[4].startswith("  one_vote is broken by voted[v1, c")
    assert said[5] == "  shown is what matters; with 1 of Voter, 2 of Choice, 1 of Quorum"
    assert said[6] == "  the state before: reached by a run of 1 step"
    assert said[8] == "  This run breaks one_vote in 2 steps: it is not true."
    assert [line.split()[:2] for line in said[10:12]] == [["1", "vote(v1,"], ["2", "vote(v1,"]]
    assert ran.out.splitlines()[-1].endswith("exit 12: an obligation is not met")


def test_a_promise_that_a_run_breaks_is_a_defect(run: Run, shipped: Shipped) -> None:
    shipped(replace(PROOF, axioms=()))
    ran = run("prove")
    assert ran.code == 12
    assert "one_decision.implied is not met" in ran.out
    assert "This run breaks one_decision in " in ran.out
    assert " steps: a defect." in ran.out


@pytest.mark.slow
def test_where_no_run_breaks_the_fact_another_one_is_missing(
    run: Run, results: Callable[[], dict[str, Any]], shipped: Shipped
) -> None:
    """Without the fact that a decision has votes behind it, two decisions cannot be told apart."""
    shipped(PROOF.without_fact("decided_by_quorum"))
    ran = run("prove")
    assert ran.code == 12
    assert "one_decision.implied is not met" in ran.out
    assert "No run of this instance breaks one_decision (" in ran.out
    assert "a fact is missing, or more elements are needed." in ran.out
    (obligation,) = results()["one_decision"]["obligations"]
    assert obligation["counterexample"]["class"] == "not reached"
    assert obligation["counterexample"]["before"]["reached"] == "not reached"
    assert obligation["counterexample"]["run"] is None


def test_what_rests_on_something_that_is_not_proved_is_not_proved(
    results: Callable[[], dict[str, Any]], shipped: Shipped
) -> None:
    """The obligation of `one_decision` is met, but one of a fact that it uses is not."""
    shipped(WEAKER)
    found = results()
    assert found["decisions_stay"]["rung"] == "all-n"
    decision = found["one_decision"]
    assert [o["answer"] for o in decision["obligations"]] == ["proved"]
    assert (decision["verdict"], decision["rung"]) == ("undetermined", None)
    assert decision["open"] == ["one_vote.vote"]


def test_a_budget_that_runs_out_is_exit_3(run: Run, shipped: Shipped) -> None:
    shipped(PROOF)
    ran = run("prove", "--rlimit", "1")
    assert ran.code == 3
    assert "one_decision.implied is undetermined" in ran.out
    assert "exit 3: something is undetermined" in ran.out
    assert "one_decision holds" not in " ".join(ran.out.split())


def test_a_proof_may_say_what_an_obligation_may_cost(run: Run, shipped: Shipped) -> None:
    shipped(replace(PROOF, rlimit=1))
    assert run("prove").code == 3
    ran = run("prove", "--rlimit", "2000000")
    assert ran.code == 0
    assert "Each may cost 2,000,000 of the solver's units of work" in ran.out
    shipped(PROOF)
    (proof,) = json.loads(run("prove", "--format", "json").out)["proofs"]
    assert (proof["rlimit"], proof["undecidable"]) == (2_000_000, [])


def test_a_proof_about_nothing_is_exit_3(
    run: Run, results: Callable[[], dict[str, Any]], shipped: Shipped
) -> None:
    """An action that can never be taken keeps every fact; that shows nothing."""
    vote, decide = SPEC.actions
    never = replace(vote.guards[0], condition=exists(Voter, lambda v: v != v))
    stuck = replace(vote, guards=(never,))
    shipped(PROOF.about(replace(SPEC, actions=(stuck, decide))))
    ran = run("prove")
    assert ran.code == 3
    assert "vote: no example was found, so the proof may be about nothing" in ran.out
    assert {r["verdict"] for r in results().values()} == {"undetermined"}


def test_what_is_left_out_is_said_with_its_reason(run: Run, shipped: Shipped) -> None:
    facts = tuple(f for f in PROOF.facts if f.name != "one_decision")
    shipped(Proof(SPEC, facts, PROOF.axioms, {"one_decision": "only searched so far"}))
    ran = run("prove")
    assert ran.code == 0
    assert "Left out: one_decision, only searched so far" in ran.out


def test_what_may_be_undecidable_names_the_circle(
    run: Run, shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(PROOF)
    edge = Edge("Voter", "Voter", "fact one_vote")
    monkeypatch.setattr(SortGraph, "circle", lambda *_: (edge,))
    ran = run("prove")
    assert ran.code == 0
    circle = "Voter -> Voter (fact one_vote: for all ... there is)"
    assert f"one_vote.start, and 7 more may be undecidable: {circle}" in ran.out
    (proof,) = json.loads(run("prove", "--format", "json").out)["proofs"]
    assert len(proof["undecidable"]) == 8
    assert "All are decidable" not in ran.out


def test_every_obligation_can_be_listed_and_written(
    run: Run, shipped: Shipped, tmp_path: Path
) -> None:
    shipped(PROOF)
    ran = run("prove", "--obligations", "--smt2", tmp_path / "out")
    assert "decided_by_quorum.decide" in ran.out
    assert "what it reads is not set" in ran.out
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert len(files) == 9
    text = (tmp_path / "out" / "ballot.one_vote.vote.smt2").read_text("utf-8")
    assert text.startswith("; ballot: one_vote.vote\n; expected: unsat\n(set-logic UFDT)\n")
    assert ":named |guard v has not voted|" in text


def test_a_report_can_go_to_a_file(run: Run, shipped: Shipped, tmp_path: Path) -> None:
    shipped(PROOF)
    assert run("prove", "--output", tmp_path / "proof.txt").out == ""
    assert "all proved" in (tmp_path / "proof.txt").read_text("utf-8")


def test_a_report_for_programs_can_go_to_a_file(run: Run, shipped: Shipped, tmp_path: Path) -> None:
    shipped(PROOF)
    assert run("prove", "--format", "json", "--output", tmp_path / "proof.json").out == ""
    assert json.loads((tmp_path / "proof.json").read_text("utf-8"))["tool"] == "samebeat"


def test_ctrl_c_says_how_far_it_came(
    fails: Callable[..., str], shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samebeat_proofs.engine import Engine

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    shipped(PROOF)
    monkeypatch.setattr(Engine, "discharge", stop)
    said = fails(130, "prove")
    assert "0 of 9 obligations checked, stopped in ballot: one_vote.start" in said


def test_a_spec_without_a_proof_is_one_line(fails: Callable[..., str]) -> None:
    assert "there is no proof of 'retries': its clocks" in fails(2, "prove", "retries")
    assert "there is no proof of 'x'; there are: group" in fails(2, "prove", "x")


def test_an_ill_formed_proof_is_one_line(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(proofs.PROOFS, "group", lambda: Proof(load_spec("group"), ()))
    assert "bad proof: group: the proof says nothing of" in fails(150, "prove")


@pytest.mark.slow
def test_the_group_change_is_proved(run: Run) -> None:
    ran = run("prove", "group")
    assert ran.code == 0
    assert "331 of 331 obligations proved" in ran.out


@pytest.mark.slow
def test_the_hardened_group_change_is_proved_within_the_budget_that_its_proof_states(
    run: Run, tmp_path: Path
) -> None:
    ran = run("prove", "cluster", "--format", "json", "--output", tmp_path / "proof.json")
    found = json.loads((tmp_path / "proof.json").read_text("utf-8"))
    (proof,) = found["proofs"]
    assert (ran.code, proof["missing"], proof["impossible"]) == (0, [], [])
    assert {r["rung"] for r in found["results"]} == {"all-n"}
    costs = [o["cost"] for r in found["results"] for o in r["obligations"]]
    assert max(costs) <= proof["rlimit"] == load_proof("cluster").rlimit


def test_what_holds_for_all_real_numbers_says_so(run: Run) -> None:
    ran = run("prove", "loss-time")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "loss-time, for any number of Change and all real Ticks"
    assert "losses_take_time               holds for all reals" in ran.out


def test_the_report_for_programs_has_the_rung_of_real_numbers(
    results: Callable[[], dict[str, Any]], shipped: Shipped
) -> None:
    shipped(loss_time_proof())
    assert {r["rung"] for r in results().values()} == {"all-reals"}


@pytest.mark.slow
def test_a_proof_that_reads_a_spec_in_its_own_way_says_so(run: Run) -> None:
    found = json.loads(run("prove", "heartbeat", "--format", "json").out)
    (proof,) = found["proofs"]
    assert (proof["spec"], proof["read_as"]) == ("heartbeat", "heartbeat-reals")
    rungs = {r["property"]: r["rung"] for r in found["results"]}
    assert rungs["no_false_suspicion"] == rungs["safe_is_tight"] == "all-reals"
