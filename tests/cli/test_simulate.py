"""`samebeat simulate`: verdicts, coverage, exit codes, and the same output for the same seed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from samebeat_models.results import Exit

from .conftest import ROOM, Run

Fails = Callable[..., str]
FEW = ("--walks", "50")
EXAMPLE = Path(__file__).parents[2] / "examples" / "fencing.py"
WITHOUT_GUARD = ROOM.replace('    guard(~s.taken, "the room is free")\n', "").partition("MODELS")[0]
TIMINGS = ("seconds", "steps_per_second")


def untimed(data: Any) -> Any:
    """Return a report without what depends on the machine."""
    if isinstance(data, dict):
        return {key: untimed(value) for key, value in data.items() if key not in TIMINGS}
    return [untimed(value) for value in data] if isinstance(data, list) else data


def report(run: Run, code: Exit, *arguments: object) -> dict[str, Any]:
    ran = run("simulate", "--format", "json", *arguments)
    assert (ran.code, ran.err) == (code, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


# --- exit codes ------------------------------------------------------------------------------


def test_a_right_model_is_undetermined_however_long_one_walks(run: Run, room: Path) -> None:
    found = report(run, Exit.UNDETERMINED, f"{room}::room", *FEW)
    verdicts = {r["property"]: r["verdict"] for r in found["results"]}
    assert verdicts == {
        "alone": "undetermined",
        "deadlock_free": "undetermined",
        "somebody": "holds",
    }
    assert not found["exhaustive"]


def test_a_control_that_is_caught_is_as_expected(run: Run, room: Path) -> None:
    found = report(run, Exit.OK, f"{room}::room-open", *FEW)
    (result,) = found["results"]
    assert (result["property"], result["verdict"]) == ("alone", "violated")
    assert [step["action"] for step in result["trace"]] == ["enter", "enter"]
    assert found["exhaustive"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (WITHOUT_GUARD, Exit.SAFETY),
        (ROOM.partition("MODELS")[0].replace("Where.GONE)", "Where.OUT)"), Exit.DEADLOCK),
    ],
    ids=["safety", "deadlock"],
)
def test_a_violation_in_a_model_that_has_none_ends_with_its_code(
    run: Run, room: Path, text: str, code: Exit
) -> None:
    room.write_text(text + 'MODELS = [Model(name="room", sizes={"Client": 2})]\n', "utf-8")
    ran = run("simulate", room, *FEW)
    assert ran.code == code
    assert re.search(r"1  c[12]  enter", ran.out)
    assert f"exit {int(code)}" in ran.out


def test_a_goal_missed_where_nothing_moves_is_a_matter_of_liveness(run: Run, room: Path) -> None:
    goal = (
        '@always_reachable()\ndef again(s: Room) -> Formula:\n    """Out."""\n    return ~s.taken\n'
    )
    stays = ROOM.replace('guard(s.where[c] == Where.IN, "c is inside")', 'guard(False, "never")')
    text = stays.replace("action, ", "action, always_reachable, ").partition("MODELS")[0]
    text = text.replace("Where.GONE)", "Where.IN) | s.taken")
    room.write_text(f'{text}{goal}MODELS = [Model(name="room", sizes={{"Client": 1}})]\n', "utf-8")
    found = report(run, Exit.LIVENESS, room, *FEW)
    broken = [r["property"] for r in found["results"] if r["verdict"] == "violated"]
    assert broken == ["again"]


def test_a_control_without_its_guard_to_take_out_is_not_as_pinned(run: Run, room: Path) -> None:
    room.write_text(
        ROOM.replace('"the room is free")\n    guard', '"it is free")\n    guard'), "utf-8"
    )
    ran = run("simulate", f"{room}::room-open", *FEW)
    assert ran.code == Exit.NOT_AS_PINNED
    assert "has no guard 'enter: the room is free' to take out" in ran.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["grup-2x1"], "no model 'grup-2x1'; close: group-2x1"),
        (["--walks", "0"], "Invalid value for '--walks'"),
        (["--depth", "0"], "Invalid value for '--depth'"),
        (["--depth", "10001"], "Invalid value for '--depth'"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--max-seconds", "soon"], "Invalid value for '--max-seconds'"),
        (["--figures"], "No such option: --figures"),
        (["--format", "json", "--format", "junit"], "one --format goes to stdout"),
        (["--output", "no/such/folder/x.json"], "no/such/folder/x.json: cannot be written"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    fails: Fails, arguments: list[str], problem: str
) -> None:
    assert problem in fails(Exit.USAGE, "simulate", *arguments)


# --- what is said ----------------------------------------------------------------------------


def test_the_text_says_what_was_covered(run: Run, room: Path) -> None:
    ran = run("simulate", f"{room}::room", *FEW)
    said = " ".join(ran.out.split())
    assert "room: 200 steps in 50 walks, about 8 states; all walks done" in said
    assert "seed 1, the longest walk has 4 steps" in said
    assert "taken enter 100, leave 100" in said
    assert "witnesses 1 of 1 reached" in said
    assert "random walks show what is violated, never that something holds" in said
    assert "exit 3: something is undetermined" in said


def test_walks_that_are_cut_short_are_said_to_be(run: Run, room: Path) -> None:
    ran = run("simulate", f"{room}::room", "--depth", 3, *FEW)
    assert "the longest walk has 3 steps, the limit" in ran.out


def test_an_action_that_no_walk_took_is_said_loudly(run: Run, room: Path) -> None:
    never = ROOM.replace('guard(s.where[c] == Where.IN, "c is inside")', 'guard(False, "never")')
    room.write_text(never, "utf-8")
    ran = run("simulate", f"{room}::room", *FEW)
    assert re.search(r"NEVER TAKEN +leave", ran.out)
    room.write_text(never.replace('about="Two', 'idle=("leave",), about="Two'), "utf-8")
    assert "NEVER TAKEN" not in run("simulate", f"{room}::room", *FEW).out


def test_coverage_in_json_adds_up(run: Run, room: Path) -> None:
    (found,) = report(run, Exit.UNDETERMINED, f"{room}::room", "--seed", 3, *FEW)["simulations"]
    assert sum(found["taken"].values()) == found["steps"] == 200
    assert (found["walks"], found["longest_walk"], found["seed"]) == (50, 4, 3)
    assert (found["states_about"], found["states_more_than_that"]) == (8, False)
    assert (found["reached"], found["not_reached"]) == (["somebody"], [])
    assert found["depth_limit"] == 200


@pytest.mark.parametrize("form", ["junit", "sarif", "github", "markdown"])
def test_every_format_says_undetermined(run: Run, room: Path, form: str) -> None:
    ran = run("simulate", f"{room}::room", "--format", form, *FEW)
    assert ran.code == Exit.UNDETERMINED
    assert "undetermined" in ran.out


def test_markdown_has_the_coverage(run: Run, room: Path) -> None:
    ran = run("simulate", f"{room}::room", "--format", "markdown", *FEW)
    assert "| room | 200 | 50 | 8 | 1 |  |  |" in ran.out


def test_a_trace_is_written_and_replays(run: Run, room: Path) -> None:
    ran = run("simulate", f"{room}::room-open", "--out-itf", "out", "--traces", *FEW)
    assert ran.code == Exit.OK
    assert "replay it: samebeat replay out/room-open.alone.itf.json" in ran.out
    again = run("replay", "out/room-open.alone.itf.json", "--model", room)
    assert again.code == Exit.OK
    assert "alone is violated after step 2" in again.out
    refused = run("replay", "out/room-open.alone.itf.json", "--model", f"{room}::room")
    assert refused.code == Exit.NOT_AS_PINNED


def test_a_time_limit_ends_the_walks(run: Run, room: Path) -> None:
    found = report(run, Exit.UNDETERMINED, f"{room}::room", "--max-seconds", 0)
    assert found["simulations"][0]["ended"] == "stopped by the budget of 0 s"


def test_a_file_of_a_users_is_walked_as_it_is_checked(run: Run) -> None:
    found = report(run, Exit.UNDETERMINED, EXAMPLE, "--walks", 200)
    verdicts = {(r["model"], r["property"]): r["verdict"] for r in found["results"]}
    assert verdicts["no-fence", "newer_write_stays"] == "violated"
    assert verdicts["fencing-3", "newer_write_stays"] == "undetermined"


# --- the same seed ---------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_report(run: Run, room: Path) -> None:
    first, second, other = (
        untimed(report(run, Exit.UNDETERMINED, room, "--seed", seed, *FEW)) for seed in (8, 8, 9)
    )
    assert first == second != other


@pytest.mark.slow
@pytest.mark.parametrize("models", [["group-2x2", "commit-*", "claim-1-raises"], [str(EXAMPLE)]])
def test_hash_seeds_change_neither_the_report_nor_a_trace(
    tmp_path: Path, models: list[str]
) -> None:
    found = []
    for hash_seed in ("1", "2"):
        folder = tmp_path / hash_seed
        folder.mkdir()
        command = [sys.executable, "-m", "samebeat_cli", "simulate", *models, "--walks", "2000"]
        subprocess.run(
            [*command, "--format", "json", "--output", "report.json", "--out-itf", "."],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=False,
            capture_output=True,
        )
        traces = {p.name: p.read_bytes() for p in sorted(folder.glob("*.itf.json"))}
        assert traces
        found.append((untimed(json.loads((folder / "report.json").read_text("utf-8"))), traces))
    assert found[0] == found[1]
