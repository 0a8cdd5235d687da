"""`samebeat check --on-disk`: the same report, and every way to end and to go on."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_models.explorer import folder

from .conftest import Run

Fails = Callable[..., str]
DISK = ("--on-disk", "states")


def results(out: str) -> list[dict[str, object]]:
    """Return the results of a JSON report, without what differs from run to run."""
    return [{k: v for k, v in r.items() if k != "seconds"} for r in json.loads(out)["results"]]


@pytest.fixture
def stopped(run: Run, room: Path) -> str:
    """Check a model until its budget ends; return what was said."""
    ran = run("check", f"{room}::room", "--max-states", "2", *DISK)
    assert ran.code == 3
    return ran.out


def test_the_report_is_the_same_and_nothing_is_left(run: Run, room: Path) -> None:
    in_memory = run("check", room, "--format", "json")
    on_disk = run("check", room, "--format", "json", *DISK)
    assert on_disk.code == in_memory.code == 0
    assert results(on_disk.out) == results(in_memory.out)
    assert list(Path("states").iterdir()) == []


def test_a_budget_that_runs_out_says_how_to_go_on(stopped: str) -> None:
    (line,) = [line for line in stopped.splitlines() if line.startswith("Not exhaustive: ")]
    assert line == (
        "Not exhaustive: room: stopped by the budget of 2 states; --resume goes on from depth 1"
    )


@pytest.mark.usefixtures("stopped")
def test_what_goes_on_ends_as_if_nothing_had_happened(run: Run, room: Path) -> None:
    in_memory = run("check", f"{room}::room", "--format", "json")
    ran = run("check", f"{room}::room", "--format", "json", "--resume", *DISK)
    assert ran.code == 0
    assert results(ran.out) == results(in_memory.out)
    assert list(Path("states").iterdir()) == []


@pytest.mark.usefixtures("stopped")
def test_of_several_models_those_without_a_checkpoint_begin_anew(run: Run, room: Path) -> None:
    ran = run("check", room, "--format", "json", "--resume", *DISK)
    assert ran.code == 0
    assert results(ran.out) == results(run("check", room, "--format", "json").out)


@pytest.mark.usefixtures("stopped")
def test_a_checkpoint_is_not_overwritten(fails: Fails, room: Path) -> None:
    before = Path("states/room/checkpoint.jsonl").read_bytes()
    said = fails(2, "check", room, *DISK)
    assert "states/room: there is a checkpoint; add --resume to go on from it, or remove it" in said
    assert Path("states/room/checkpoint.jsonl").read_bytes() == before


def test_resuming_needs_a_folder_and_something_in_it(fails: Fails, room: Path) -> None:
    assert "--resume needs --on-disk DIR" in fails(2, "check", room, "--resume")
    said = fails(2, "check", room, "--resume", *DISK)
    assert "states: there is no checkpoint to go on from; leave out --resume" in said


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(fails: Fails, room: Path) -> None:
    assert "cannot be made" in fails(2, "check", room, "--on-disk", room)


@pytest.mark.usefixtures("stopped")
def test_the_checkpoint_of_another_version_of_the_spec_is_exit_151(
    fails: Fails, room: Path, room_text: str
) -> None:
    room.write_text(room_text.replace('guard(~s.taken, "the room is free")', ""), "utf-8")
    said = fails(151, "check", f"{room}::room", "--resume", *DISK)
    assert "bad checkpoint: states/room: it is of another run: fingerprint is" in said
    assert "remove the folder to begin anew" in said


@pytest.mark.usefixtures("stopped")
def test_a_damaged_checkpoint_is_exit_151(fails: Fails, room: Path) -> None:
    Path("states/room/levels").write_bytes(b"x" * 1_000)
    said = fails(151, "check", f"{room}::room", "--resume", *DISK)
    assert "bad checkpoint: states/room: level 0 is damaged" in said


def test_ctrl_c_says_how_to_go_on(fails: Fails, room: Path, run: Run) -> None:
    def interrupt(now: object, *_: object) -> str:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("samebeat_models.progress.Budget.exceeded", interrupt)
        said = fails(130, "check", f"{room}::room", *DISK)
    assert "stopped in room: 1 states" in said
    assert said.endswith("; --resume goes on from depth 0\n")
    assert run("check", f"{room}::room", "--resume", *DISK).code == 0


def test_a_full_disk_is_undetermined_and_one_line(
    run: Run, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder, "_SMALL", 0)
    monkeypatch.setattr(folder.Folder, "_scratch", full)
    ran = run("check", f"{room}::room", *DISK)
    assert ran.code == 3
    (line,) = [line for line in ran.out.splitlines() if line.startswith("Not exhaustive: ")]
    assert "room: stopped by the disk: states/room: cannot be written: No space left" in line
    assert ran.err == ""
