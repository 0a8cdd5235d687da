"""`samebeat prove`: what a fact is good for, and counterexamples as text, data and pictures."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.proofs.ballot import PROOF, SPEC

from samebeat_cli.commands import prove as command
from samebeat_cli.reports.counterexamples import Counterexample
from samebeat_cli.reports.pictures import picture
from samebeat_models.classify import classify
from samebeat_models.progress import Budget
from samebeat_proofs import proofs
from samebeat_proofs.examples import Example
from samebeat_proofs.facts import Proof
from samebeat_spec.group import Phase
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

from .conftest import Run

Shipped = Callable[[Proof], None]
WEAKER = PROOF.about(SPEC.without("vote", "v has not voted"))


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Shipped:
    """Put one proof in the place of the shipped ones."""

    def install(proof: Proof) -> None:
        monkeypatch.setattr(proofs, "PROOFS", {"ballot": lambda: proof})

    return install


def words(picture: Path) -> str:
    """Return all the text of a picture."""
    root = ElementTree.fromstring(picture.read_text("utf-8"))
    return "\n".join(e.text or "" for e in root.iter() if e.tag.endswith("}text"))


def test_without_a_fact_the_report_shows_what_it_is_good_for(run: Run, shipped: Shipped) -> None:
    shipped(PROOF)
    ran = run("prove", "--without", "decided_by_quorum")
    assert ran.code == 12
    said = ran.out[ran.out.index("one_decision.implied is not met") :].splitlines()
    assert [re.split(r"\[|  +", x.strip())[0] for x in said[1:3]] == ["0", "decided"]
    assert said[3].startswith("  one_decision is broken by decided[c1], decided[c2]")
    assert said[5].startswith("  the state: reached by no run of this size (")
    assert "a fact is missing, or more elements are needed." in ran.out


def test_with_the_fact_nothing_is_missing(run: Run, shipped: Shipped) -> None:
    shipped(PROOF)
    assert run("prove").code == 0


def test_without_a_fact_that_is_none_the_message_names_those_that_are(
    fails: Callable[..., str], shipped: Shipped
) -> None:
    shipped(PROOF)
    said = fails(2, "prove", "--without", "one_decision")
    assert "no fact that only a proof needs is 'one_decision': one_vote, decided_by_quorum" in said


def test_a_budget_that_runs_out_leaves_the_class_undetermined(
    run: Run, shipped: Shipped, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "SEARCH", Budget(states=1))
    shipped(PROOF)
    ran = run("prove", "--without", "decided_by_quorum", "--draw", tmp_path)
    assert ran.code == 12
    assert "  the state: undetermined, not among the first " in ran.out
    assert "Whether a run breaks one_decision is undetermined: " in ran.out
    assert "undetermined: " in words(tmp_path / "ballot.one_decision.implied.svg")


def test_programs_get_the_cells_that_matter_and_the_class(run: Run, shipped: Shipped) -> None:
    shipped(WEAKER)
    found = json.loads(run("prove", "--format", "json").out)
    (vote,) = (r for r in found["results"] if r["property"] == "one_vote")
    (open_,) = (o for o in vote["obligations"] if o["counterexample"])
    shown = open_["counterexample"]
    assert (open_["name"], shown["class"]) == ("one_vote.vote", "reached")
    assert (shown["before"]["steps"], shown["after"]["steps"]) == (1, 2)
    assert [(c["before"], c["after"], c["changed"]) for c in shown["cells"]] in (
        [("true", "true", False), ("false", "true", True)],
        [("false", "true", True), ("true", "true", False)],
    )
    assert all(c["breaks"] for c in shown["cells"])
    assert [s["action"] for s in shown["run"]] == ["vote", "vote"]


def test_a_picture_of_a_defect_has_the_run_from_the_start(
    run: Run, shipped: Shipped, tmp_path: Path
) -> None:
    shipped(WEAKER)
    run("prove", "--draw", tmp_path)
    said = words(tmp_path / "ballot.one_vote.vote.svg")
    assert "not true: a run gets here from the start" in said
    for part in ("start", "1 step", "the state before", "the state after", "vote(v1, c"):
        assert part in said
    assert "<- changed, breaks it" in said
    assert "the run, 2 steps: vote > vote" in said
    assert "no run" not in said


def test_a_picture_of_a_missing_fact_has_the_state_outside_of_what_runs_reach(
    run: Run, shipped: Shipped, tmp_path: Path
) -> None:
    shipped(PROOF)
    run("prove", "--without", "decided_by_quorum", "--draw", tmp_path)
    (file,) = tmp_path.iterdir()
    said = words(file)
    assert "a fact is missing: no run gets to this state, and none breaks one_decision" in said
    assert "no run\n" in said
    assert "stroke-dasharray" in file.read_text("utf-8")
    assert "the state after" not in said


def test_a_picture_of_a_run_elsewhere_says_so(tmp_path: Path) -> None:
    """Nobody looks whether all have said ok: the state is none of a run, but the promise breaks."""
    spec = load_spec("group").without("commit", "n has heard every ok")
    sizes = {"Node": 2, "Change": 1, "Epoch": 2, "Value": 2}
    instance = Instance("wrong", spec, sizes, {"start_value": "v1", "asked": {"c1": "v2"}})
    (start,) = Interpreter(instance).initial_states()
    phases = {"phase[n1, c1]": "COMMITTED", "phase[n2, c1]": "UNDONE"}
    state = tuple(
        instance.element(Phase, phases[label]) if (label := instance.cell_label(i)) in phases else x
        for i, x in enumerate(start)
    )
    promise = spec.find_property("failure_excludes_commit")
    found = classify(instance, promise, state, None, Budget(states=1_000))
    shown = Counterexample("it.implied", "it", False, Example(instance, state), promise, found)
    assert shown.verdict == "Another run breaks it in 10 steps: a defect."
    (tmp_path / "it.svg").write_text(picture(shown), "utf-8")
    said = words(tmp_path / "it.svg")
    assert "a defect: no run gets to this state, but another run breaks it" in said
    assert "no run\n" in said
    assert "the run, 10 steps: request > " in said


def test_no_text_runs_over_the_edge_of_a_picture(
    run: Run, shipped: Shipped, tmp_path: Path
) -> None:
    shipped(WEAKER)
    run("prove", "--draw", tmp_path)
    for file in tmp_path.iterdir():
        root = ElementTree.fromstring(file.read_text("utf-8"))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        texts = [e for e in root.iter() if e.tag.endswith("}text")]
        assert texts
        for e in texts:
            half = 0.5 if e.attrib["text-anchor"] == "middle" else 1
            assert float(e.attrib["x"]) + half * len(e.text or "") * 7.9 <= width
            assert float(e.attrib["y"]) <= height
