"""`samebeat conform`: what came of each cluster, what that leaves out, and what ends badly."""

import json
import pickle
from pathlib import Path

import pytest

from samebeat import change
from samebeat_cli.commands import conform

from .conftest import Run


def test_what_conforms_is_said_with_what_is_left_out(run: Run) -> None:
    ran = run("conform", "1x1")
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split() for line in ran.out.splitlines() if line.strip()]
    (row,) = (r for r in rows if r[0] == "1x1")
    assert row[:6] == ["1x1", "holds", "7", "6", "6", "4"]
    assert "  members that lie" in ran.out.splitlines()
    assert ran.out.splitlines()[-1].endswith("exit 0: the core conforms")


def test_the_report_for_programs_has_every_figure(run: Run) -> None:
    found = json.loads(run("conform", "1x1", "--format", "json").out)
    assert found["exit_code"] == 0
    (one,) = found["instances"]
    assert (one["states"], one["edges"], one["edges_covered"], one["pairs"]) == (7, 6, 6, 4)
    assert (one["verdict"], one["knowledge"], one["complete"]) == ("holds", "full", True)
    assert one["stutter_checks"] > 100
    assert one["seconds"] > 0
    assert one["left_out"] != []
    assert one["uncovered"] == []


def test_a_bound_is_no_pass(run: Run) -> None:
    ran = run("conform", "1x1", "--max-pairs", "2")
    assert ran.code == 3
    assert "undetermined" in ran.out


def test_a_core_that_diverges_ends_with_12_and_a_trace(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "all_applied", lambda s, o: True)
    monkeypatch.setattr(change, "is_outvoted", lambda s, o, commit: not commit)
    ran = run("conform", "1x1", "--out-itf", str(tmp_path))
    assert ran.code == 12
    assert "1x1: the core does what the spec does not:" in ran.out.splitlines()
    (written,) = tmp_path.iterdir()
    assert json.loads(written.read_text())["#meta"]["instance"] == "1x1"


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--max-pairs", "40")])
def test_two_processes_say_what_one_says(run: Run, options: tuple[str, ...]) -> None:
    names = ("1x1", "2x1", "link-order", "composed-raises")
    one, two = (
        json.loads(run("conform", *names, *options, "--format", "json", "--jobs", jobs).out)
        for jobs in (1, 2)
    )
    for instance in (*one["instances"], *two["instances"]):
        del instance["seconds"], instance["checks_per_second"]
    assert two == one
    assert [i["verdict"] for i in one["instances"]].count("holds") == (1 if options else 4)


def test_what_came_of_a_core_that_diverges_can_be_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(change, "all_applied", lambda s, o: True)
    monkeypatch.setattr(change, "is_outvoted", lambda s, o, commit: not commit)
    outcome = conform._run_named(("1x1", 1_000), lambda _: None)
    again = pickle.loads(pickle.dumps(outcome))
    assert again.divergence
    assert again == outcome


def test_an_unknown_cluster_is_named_with_those_there_are(run: Run) -> None:
    ran = run("conform", "9x9")
    assert ran.code == 2
    assert ran.err.startswith("samebeat: there is no instance '9x9'; there are: 1x1, 2x1")


def test_the_report_can_go_to_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    assert run("conform", "1x1", "--output", str(path)).code == 0
    assert "the core conforms" in path.read_text()


def test_names_may_have_stars_and_each_instance_runs_once(run: Run) -> None:
    ran = run("conform", "1x1", "1x?", "link-frag*", "--fast", "--format", "json")
    assert ran.code == 0
    names = [instance["name"] for instance in json.loads(ran.out)["instances"]]
    assert names == ["1x1", "link-fragments"]
