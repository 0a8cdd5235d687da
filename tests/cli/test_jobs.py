"""``samebeat check --jobs``: several processes find, say and end as one does."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from samebeat_cli import exploring, processes
from samebeat_cli.exploring import Explored, Wanted, explore
from samebeat_cli.processes import how_many
from samebeat_cli.progress import Progress
from samebeat_cli.selection import select_models
from samebeat_models.progress import Budget
from samebeat_models.results import Verdict

SMALL = ("group-2x1", "apply-without-every-ack", "retries-1", "retries-sizes", "commit-never-done")
"""Models that hold, are violated with a trace, refine another spec, and go on for ever."""
IN_A_WORKER = """
import multiprocessing, os, time
from pathlib import Path
if multiprocessing.parent_process() is not None:
    {}
"""


def same(text: str) -> str:
    """Leave out how long it took."""
    return re.sub(r"\d+\.\d+( s)?", "", text)


# --- how many ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jobs", "tasks", "expected"),
    [(None, 9, 1), (None, 20, 2), (None, 500, 4), (1, 500, 1), (2, 500, 2), (8, 3, 3), (3, 0, 1)],
)
def test_ten_models_are_worth_a_process_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, jobs: int | None, tasks: int, expected: int
) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 4)
    assert how_many(jobs, tasks) == expected


def test_models_are_begun_longest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def work(_: object, tasks: list[Any], names: list[str], *more: Any) -> list[None]:
        begun.extend(names[i] for i in more[-1])
        return [None for _ in tasks]

    monkeypatch.setattr(exploring, "work", work)
    models = select_models(["group-*"])
    next(explore(models, Wanted(Budget()), {}, 2, Progress(len(models))))
    pinned = {s.name: s.model.transitions or 0 for s in models}
    assert sorted(begun) == sorted(pinned)
    assert [pinned[name] for name in begun] == sorted(pinned.values(), reverse=True)


# --- what comes of a model -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("group-2x1", False),
        pytest.param("group-2x1", True, marks=pytest.mark.slow),
        ("apply-without-every-ack", True),
    ],
)
def test_what_a_process_hands_over_is_what_it_has_found(name: str, figures: bool) -> None:
    (selected,) = select_models([name])
    wanted = Wanted(Budget(), figures, traces=True)
    task = exploring._Task(selected.model, "", wanted)
    packed = exploring._explored(task, lambda _: None)
    assert packed is not None
    found = exploring._unpacked(packed, selected)
    expected = exploring._explore_one(selected, wanted, lambda _: None)
    assert without_times(found) == without_times(expected)
    assert any(row.trace for row in found.rows) == selected.model.is_control
    assert bool(found.measured) == (figures and not selected.model.is_control)


def without_times(found: Explored) -> str:
    return re.sub(r"seconds=[\d.e-]+", "", repr(found))


def test_what_does_not_fit_into_its_part_of_the_memory_is_given_back() -> None:
    (selected,) = select_models(["group-2x1"])
    task = exploring._Task(selected.model, "", Wanted(exploring._Share(memory_mb=1)))
    assert exploring._explored(task, lambda _: None) is None


def test_other_budgets_run_out_in_a_process_as_ever() -> None:
    (selected,) = select_models(["group-2x1"])
    task = exploring._Task(selected.model, "", Wanted(exploring._Share(states=2, memory_mb=1e6)))
    packed = exploring._explored(task, lambda _: None)
    assert packed is not None
    found = exploring._unpacked(packed, selected)
    assert found.short.startswith("group-2x1: stopped by the budget of 2 states")
    assert found.rows[-1].verdict is Verdict.UNDETERMINED


def test_a_folder_for_states_and_several_processes_do_not_go_together(
    fails: Any, room: Path
) -> None:
    said = fails(2, "check", room, "--on-disk", "states", "--jobs", "2")
    assert said == "samebeat: --on-disk explores one model after the other; leave out --jobs\n"


# --- real processes ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--format", "text", "--traces"),
        ("--format", "json", "--figures"),
        *(("--format", form) for form in ("junit", "markdown")),
        *(("--format", form, "--max-states", "100") for form in ("text", "sarif", "github")),
    ],
    ids=" ".join,
)
def test_two_processes_say_what_one_says(run: Any, options: tuple[str, ...]) -> None:
    one, two = (run("check", *SMALL, *options, "--jobs", jobs) for jobs in (1, 2))
    assert same(two.out) == same(one.out)
    assert (two.code, two.err) == (one.code, one.err)
    assert one.code == (3 if "--max-states" in options else 0)
    assert "group-2x1" in one.out


@pytest.mark.slow
def test_a_file_of_the_users_and_its_traces_are_the_same_too(run: Any, room: Path) -> None:
    room.write_text(room.read_text("utf-8") + "\nprint('loaded')\n", "utf-8")
    one, two = (run("check", room, "--out-itf", f"out{jobs}", "--jobs", jobs) for jobs in (1, 2))
    assert (same(two.out), two.code, two.err) == (same(one.out), 0, "")
    assert two.out.count("loaded") == 1
    (written,) = Path("out2").iterdir()
    assert written.read_bytes() == (Path("out1") / written.name).read_bytes()


@pytest.mark.slow
def test_the_first_model_that_fails_is_the_one_that_is_said(run: Any, room: Path) -> None:
    text = room.read_text("utf-8").replace("MODELS = [", "MODELS = [*BAD,")
    bad = 'BAD = [Model(name=n, sizes={"Client": 2}, terminal={"all_gone": 1}) for n in "ab"]\n'
    text = text.replace("MODELS = [", bad + "MODELS = [")
    room.write_text(text.replace("s.taken = False", "s.taken = True"), "utf-8")
    one, two = (run("check", room, "--jobs", jobs) for jobs in (1, 2))
    assert (two.code, same(two.out), two.err) == (one.code, same(one.out), one.err)
    assert one.code == 11


@pytest.mark.slow
def test_a_process_that_dies_is_one_line_and_no_pass(fails: Any, room: Path) -> None:
    room.write_text(IN_A_WORKER.format("os._exit(9)") + room.read_text("utf-8"), "utf-8")
    said = fails(255, "check", room, "--jobs", "2")
    assert re.match(r"samebeat: a process has died at room( or room-open)?, perhaps", said)
    assert said.endswith("--jobs 1 does all in one process\n")


@pytest.mark.slow
def test_so_is_one_of_many_that_die_while_there_is_more_to_begin(fails: Any, room: Path) -> None:
    dies = IN_A_WORKER.format("os._exit(9)")
    many = '\nMODELS = [Model(name=f"m{i}", sizes={"Client": 2}) for i in range(300)]\n'
    room.write_text(dies + room.read_text("utf-8") + many, "utf-8")
    assert "a process has died at" in fails(255, "check", room, "--jobs", "3")


def test_running_out_of_memory_in_a_process_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("samebeat_models.check.check_model", greedy)
    (selected,) = select_models(["group-2x1"])
    task = exploring._Task(selected.model, "", Wanted(Budget()))
    assert exploring._explored(task, lambda _: None) is None


@pytest.mark.slow
def test_what_does_not_fit_is_explored_alone_with_all_of_the_memory() -> None:
    models = select_models(["group-2x1", "apply-without-every-ack"])
    wanted, progress = Wanted(Budget(memory_mb=1e5)), Progress(2)
    found = [e for _, e in explore(models, wanted, {}, 10**6, progress)]
    alone = [e for _, e in explore(models, wanted, {}, 1, Progress(2))]
    assert [without_times(e) for e in found] == [without_times(e) for e in alone]
    assert not any(e.short for e in found)
    assert progress.done == 2


STOPPED = """Path(f"at-work-{os.getpid()}").touch(); time.sleep(600)"""


@pytest.fixture
def at_work(room: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A command whose two processes are at work for ever, and their ids."""
    room.write_text(IN_A_WORKER.format(STOPPED) + room.read_text("utf-8"), "utf-8")
    command = subprocess.Popen(
        [sys.executable, "-m", "samebeat_cli", "check", str(room), "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(found := list(Path().glob("at-work-*"))) < 2:
        assert command.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)  # what they are at is heard of
    return command, [int(path.name.rpartition("-")[2]) for path in found]


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def all_gone(ids: list[int]) -> bool:
    for _ in range(200):
        if all(map(gone, ids)):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("to_all", [True, False])
def test_ctrl_c_ends_all_processes_and_says_how_far_they_came(
    at_work: tuple[subprocess.Popen[str], list[int]], to_all: bool
) -> None:
    command, ids = at_work
    (os.killpg if to_all else os.kill)(command.pid, signal.SIGINT)
    _, said = command.communicate()
    assert command.returncode == 130
    assert re.fullmatch(
        r"samebeat: interrupted: 0 of 2 models checked, stopped in room(-open)?; room(-open)?\n",
        said,
    )
    assert all_gone(ids)


@pytest.mark.slow
def test_no_process_outlives_a_command_that_is_killed(
    at_work: tuple[subprocess.Popen[str], list[int]],
) -> None:
    command, ids = at_work
    command.kill()
    command.communicate()
    assert all_gone(ids)


@pytest.mark.slow
def test_programs_read_the_same_rows(run: Any) -> None:
    one, two = (
        json.loads(run("check", *SMALL, "--format", "json", "--jobs", jobs).out)["results"]
        for jobs in (1, 2)
    )
    for row in (*one, *two):
        del row["seconds"]
    assert two == one
    assert {row["model"] for row in one} == set(SMALL)
