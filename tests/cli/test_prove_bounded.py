"""`samebeat prove --bmc`: violated with a trace that replays, or searched; never "holds"."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

CONTROL = "apply-without-every-ack"


def test_a_violation_that_a_control_expects_is_exit_0_and_its_trace_replays(
    run: Run, tmp_path: Path
) -> None:
    ran = run("prove", "--bmc", "12", CONTROL, "--out-itf", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert f"{CONTROL}: apply_after_full_receipt is violated, as expected" in ran.out
    assert "found in 4 steps, sets of actions a step: " in ran.out
    (file,) = tmp_path.iterdir()
    assert f"replay it: samebeat replay {file}" in ran.out
    replayed = run("replay", file)
    assert replayed.code == 0
    assert "apply_after_full_receipt is violated after step 4" in replayed.out


def test_times_are_in_the_trace_where_the_spec_has_time(run: Run, tmp_path: Path) -> None:
    ran = run("prove", "--bmc", "9", "acks-tick-without-heartbeat", "--out-itf", tmp_path)
    assert ran.code == 0
    (file,) = tmp_path.iterdir()
    replayed = run("replay", file)
    assert replayed.code == 0
    assert "no_false_suspicion is violated after step 5, at " in replayed.out


def test_nothing_found_is_searched_and_exit_3(run: Run) -> None:
    ran = run("prove", "--bmc", "3", "group-2x1")
    assert ran.code == 3
    assert "searched to depth 3" in ran.out
    assert "holds" not in ran.out
    (line,) = (x for x in ran.out.splitlines() if "within this depth no run takes" in x)
    assert "send_busy, " in line
    assert "commit" in line
    assert "quiescence_reachable: only runs that get stuck were looked for" in ran.out
    assert ran.out.splitlines()[-1].endswith("; exit 3: undetermined")


def test_a_control_that_is_not_caught_so_early_is_undetermined(run: Run) -> None:
    ran = run("prove", "--bmc", "3", CONTROL, "--one-action")
    assert ran.code == 3
    assert "searched to depth 3" in ran.out


def test_a_wrong_protocol_that_says_nothing_of_it_is_exit_12(run: Run, room: Path) -> None:
    text = room.read_text("utf-8").replace('        violates=("alone",),\n', "")
    room.write_text(text, "utf-8")
    ran = run("prove", "--bmc", "4", f"{room.name}::room-open")
    assert ran.code == 12
    assert "room-open: alone is violated" in ran.out


def test_a_run_that_gets_stuck_is_a_deadlock(run: Run, room: Path) -> None:
    text = room.read_text("utf-8").replace("@terminal\n", "@witness()\n")
    room.write_text(text, "utf-8")
    ran = run("prove", "--bmc", "6", f"{room.name}::room")
    assert ran.code == 11
    assert "room: deadlock_free is violated" in ran.out


def test_a_run_shorter_than_the_pin_is_not_as_pinned(run: Run, room: Path) -> None:
    text = room.read_text("utf-8").replace('violates=("alone",)', 'violates=("alone",), depth=5')
    room.write_text(text, "utf-8")
    ran = run("prove", "--bmc", "4", f"{room.name}::room-open")
    assert ran.code == 10
    assert "the counterexample has 2 steps instead of 5" in ran.out


def test_a_budget_that_runs_out_is_undetermined(run: Run) -> None:
    ran = run("prove", "--bmc", "12", "group-2x1", "--rlimit", "1000")
    assert ran.code == 3
    assert "the budget of the solver ran out at depth" in ran.out
    assert "--rlimit gives it more" in ran.out


@pytest.mark.slow
def test_the_report_for_programs_has_the_rung(run: Run) -> None:
    found = json.loads(run("prove", "--bmc", "4", CONTROL, "--format", "json").out)
    (result,) = found["results"]
    assert (result["verdict"], result["rung"], result["depth"]) == ("violated", "searched", 4)
    assert result["trace"][3]["action"] == "apply"
    open_ = json.loads(run("prove", "--bmc", "2", "group-2x1", "--format", "json").out)
    assert {r["verdict"] for r in open_["results"]} == {"undetermined"}
    assert {(r["rung"], r["depth"]) for r in open_["results"]} == {("searched", 2)}
    assert open_["searches"][0]["taken"] == ["receive_request", "request"]
    assert (open_["exhaustive"], open_["exit_code"]) == (False, 3)


def test_a_report_can_go_to_a_file(run: Run, tmp_path: Path) -> None:
    ran = run("prove", "--bmc", "4", CONTROL, "--output", tmp_path / "found.txt")
    assert (ran.code, ran.out) == (0, "")
    assert "violated, as expected" in (tmp_path / "found.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bmc", "4"), "--bmc needs models by name"),
        (("--bmc", "4", "grup-2x1"), "has no model 'grup-2x1'"),
        (("--bmc", "4", CONTROL, "--obligations"), "--obligations is not for --bmc"),
        (("group", "--one-action"), "--one-action is not for a proof"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    fails: Callable[..., str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in fails(2, "prove", *arguments)


@pytest.mark.slow
def test_a_spec_means_its_fast_models(run: Run) -> None:
    ran = run("prove", "--bmc", "2", "group")
    assert ran.code == 3
    assert "commit-without-every-ok" in ran.out
    assert "group-2x1" in ran.out
