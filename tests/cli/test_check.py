"""`samebeat check`: which models run, what the report says, and every way a run can end."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_models import Model, Tier
from samebeat_models.progress import Snapshot
from samebeat_models.results import Exit, Row, Verdict
from samebeat_models.version import samebeat_version

from .conftest import ROOM, Run, Stub

Fails = Callable[..., str]
Result = Callable[..., Row]
SIZES: dict[str, int | tuple[int, int]] = {"Node": 2, "Change": 1, "Value": 2, "Epoch": 2}
CONSTANTS = {"asked": {"c1": "v2"}, "start_value": "v1"}


def model(name: str, tier: Tier = Tier.FAST) -> Model:
    return Model(name=name, spec="group", tier=tier, sizes=SIZES, constants=CONSTANTS)


@pytest.fixture
def models(catalog: Callable[..., None], engine: Stub, result: Result) -> None:
    """A catalog of four models, and an engine that finds nothing wrong."""
    catalog(
        model("group-2"),
        model("group-3"),
        model("group-4", Tier.FULL),
        model("pair-4", Tier.NIGHTLY),
    )
    engine(lambda m, _: [result(model=m.name)])


def checked(run: Run, *arguments: str) -> list[str]:
    ran = run("check", "--format", "json", *arguments)
    assert ran.code == 0
    return [entry["model"] for entry in json.loads(ran.out)["results"]]


# --- which models ----------------------------------------------------------------------------


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["group-2", "group-3"]),
        (["--tier", "full"], ["group-2", "group-3", "group-4"]),
        (["--tier", "nightly"], ["group-2", "group-3", "group-4", "pair-4"]),
        (["group-3", "group-2", "group-3"], ["group-3", "group-2"]),
        (["group-*"], ["group-2", "group-3"]),
        (["*-4", "--tier", "full"], ["group-4"]),
        (["pair-4"], ["pair-4"]),
    ],
)
def test_names_patterns_and_tiers_choose_the_models(
    run: Run, arguments: list[str], expected: list[str]
) -> None:
    assert checked(run, *arguments) == expected


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["grup-2"], "no model 'grup-2'; close: group-2"),
        (["tree-*"], "the catalog has no model 'tree-*'"),
        (["pair-*"], "'pair-*' fits only models of a later tier; add --tier nightly"),
        (["pair-4", "--tier", "full"], "add --tier nightly"),
        (["--tier", "slow"], "'slow' is not one of 'fast', 'full', 'nightly'"),
        (["--max-states", "0"], "Invalid value for '--max-states'"),
        (["--mystery"], "No such option: --mystery"),
        (["--format", "json", "--format", "junit"], "one --format goes to stdout"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    fails: Fails, arguments: list[str], problem: str
) -> None:
    assert problem in fails(2, "check", *arguments)


def test_two_models_of_one_name_are_not_checked_together(
    fails: Fails, room: Path, catalog: Callable[..., None]
) -> None:
    catalog(model("room"))
    assert "two models are called 'room'" in fails(2, "check", "room", room)


# --- how it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "end"),
    [
        (Verdict.HOLDS, Exit.OK),
        (Verdict.VIOLATED, Exit.OK),
        (Verdict.UNDETERMINED, Exit.UNDETERMINED),
        (Verdict.VIOLATED, Exit.NOT_AS_PINNED),
        (Verdict.VIOLATED, Exit.DEADLOCK),
        (Verdict.VIOLATED, Exit.SAFETY),
        (Verdict.VIOLATED, Exit.LIVENESS),
    ],
)
def test_the_exit_code_is_that_of_the_rows_and_stands_in_the_json(
    run: Run, room: Path, engine: Stub, result: Result, verdict: Verdict, end: Exit
) -> None:
    engine(lambda m, _: [result(model=m.name, verdict=verdict, end=end)])
    ran = run("check", f"{room}::room", "--format", "json")
    assert ran.code == end
    assert json.loads(ran.out)["exit_code"] == end


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([Exit.OK, Exit.UNDETERMINED, Exit.NOT_AS_PINNED], Exit.NOT_AS_PINNED),
        ([Exit.LIVENESS, Exit.DEADLOCK, Exit.NOT_AS_PINNED], Exit.DEADLOCK),
        ([Exit.DEADLOCK, Exit.SAFETY, Exit.LIVENESS], Exit.SAFETY),
    ],
)
def test_of_several_exit_codes_the_worst_counts(
    run: Run, room: Path, engine: Stub, result: Result, ends: list[Exit], expected: Exit
) -> None:
    engine(lambda _, __: [result(name=str(e), verdict=Verdict.VIOLATED, end=e) for e in ends])
    assert run("check", f"{room}::room").code == expected


def test_an_error_of_ours_is_one_line_and_exit_255(fails: Fails, room: Path, engine: Stub) -> None:
    def broken(_: Model, __: object) -> list[Row]:
        raise ZeroDivisionError("by zero")

    engine(broken)
    said = fails(255, "check", room)
    assert "internal error: ZeroDivisionError: by zero (SAMEBEAT_DEBUG=1 shows where)" in said


def test_running_out_of_memory_is_undetermined(fails: Fails, room: Path, engine: Stub) -> None:
    def greedy(_: Model, __: object) -> list[Row]:
        raise MemoryError

    engine(greedy)
    assert "out of memory; --max-memory-mb ends" in fails(3, "check", room)


def test_ctrl_c_says_how_far_it_got_and_leaves_no_file(
    fails: Fails, room: Path, result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_model(
        m: Model, spec: object, budget: object, progress: Callable[..., None], kept: object
    ) -> None:
        progress(Snapshot(m.name, 1_500, 9_000, 7, 300, 0.5, 2_000_000))
        raise KeyboardInterrupt

    monkeypatch.setattr("samebeat_models.check.check_model", check_model)
    before = set(Path().iterdir())
    said = fails(130, "check", room, "--format", "junit", "--output", "junit.xml")
    assert "interrupted: 0 of 2 models checked, stopped in room: 1,500 states, 3,000/s" in said
    assert set(Path().iterdir()) == before


# --- the real engine -------------------------------------------------------------------------


def test_a_protocol_in_one_file_is_checked_with_its_instances(run: Run, room: Path) -> None:
    ran = run("check", room)
    assert ran.code == 0, ran
    assert "violated, as expected" in ran.out
    assert "2 models" in ran.out.splitlines()[-1]
    assert ran.out.splitlines()[-1].endswith("exit 0: all as expected")
    assert ran.err == ""


def test_a_violation_that_nobody_expected_is_exit_12_with_its_trace(run: Run, room: Path) -> None:
    room.write_text(ROOM.replace('guard(~s.taken, "the room is free")', ""), "utf-8")
    ran = run("check", f"{room}::room")
    assert ran.code == 12
    assert "room: alone is violated" in ran.out
    story = ran.out[ran.out.index("At most one client is inside. (claims 1(f))") :].splitlines()
    assert story[1].split() == ["0", "initially", "where[every]", "=", "OUT"]
    assert re.fullmatch(r"  1  c[12]  enter      where\[c[12]\]: OUT -> IN", story[2])
    assert re.fullmatch(r"                    taken: false -> true", story[3])


def test_a_deadlock_is_exit_11(run: Run, room: Path) -> None:
    room.write_text(ROOM.replace("s.taken = False", "s.taken = True"), "utf-8")
    ran = run("check", f"{room}::room")
    assert ran.code == 11
    assert "room: deadlock_free is violated" in ran.out


def test_a_wrong_pin_is_exit_10(run: Run, room: Path) -> None:
    room.write_text(ROOM.replace('name="room",', 'name="room", states=7,'), "utf-8")
    ran = run("check", f"{room}::room")
    assert ran.code == 10
    assert "7" in ran.out


def test_an_exhausted_budget_is_undetermined_and_not_exhaustive(run: Run, room: Path) -> None:
    ran = run("check", f"{room}::room", "--max-states", "2", "--format", "json")
    assert ran.code == 3
    found = json.loads(ran.out)
    assert found["exhaustive"] is False
    assert found["incomplete_reason"] == "room: stopped by the budget of 2 states"
    assert {"undetermined"} == {r["verdict"] for r in found["results"] if r["property"] == "alone"}


def test_the_trace_of_an_expected_violation_is_printed_on_request(run: Run, room: Path) -> None:
    assert "-> IN" not in run("check", room).out
    ran = run("check", room, "--traces")
    assert ran.code == 0
    assert "room-open: alone is violated, as expected" in ran.out
    assert ran.out.count("-> IN") == 2


def test_the_traces_of_violations_are_written_controls_included(run: Run, room: Path) -> None:
    assert run("check", room, "--out-itf", "traces/new").code == 0
    assert [p.name for p in Path("traces/new").iterdir()] == ["room-open.alone.itf.json"]


@pytest.mark.slow
def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "samebeat_cli", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"samebeat {samebeat_version()}\n")
