"""The command itself: version, help, progress, and a closed pipe."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from samebeat_cli.main import main
from samebeat_cli.progress import Progress, describe
from samebeat_models.progress import Snapshot
from samebeat_models.version import samebeat_version

from .conftest import Run

COMMANDS = ("check", "list", "show", "replay", "graph", "export", "claims")
SNAPSHOT = Snapshot("room", 1_500, 9_000, 7, 300, 0.5, 2_000_000)


def test_the_version_is_that_of_the_distribution(run: Run) -> None:
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"samebeat {samebeat_version()}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: samebeat {command}")


def test_the_help_documents_every_exit_code(run: Run) -> None:
    shown = " ".join(run("--help").out.split())
    for code in (0, 10, 11, 12, 13, 3, 2, 150, 151, 130, 255):
        assert f" {code} " in shown


def test_no_command_shows_the_help_and_is_a_usage_error(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert all(command in ran.out for command in COMMANDS)


def test_an_unknown_command_is_one_line(fails: Callable[..., str]) -> None:
    assert "No such command 'chek'" in fails(2, "chek")


def test_progress_is_silent_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(2) as progress:
        progress.start("room")
        progress(SNAPSHOT)
    assert capsys.readouterr() == ("", "")


def test_progress_is_a_live_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(2) as progress:
        progress.start("room")
        progress(SNAPSHOT)
    assert isinstance(sys.stderr, Terminal)
    assert "[1/2] room: 1,500 states, 3,000/s, depth 7, frontier 300, 2 MB" in sys.stderr.getvalue()


def test_progress_says_what_is_done_with_the_states_once_they_are_there() -> None:
    said = describe(replace(SNAPSHOT, doing="making the graph"))
    assert said == "room: 1,500 states, making the graph, 2 MB"


@pytest.mark.slow
def test_starting_up_loads_neither_arrays_nor_graphs_nor_the_solver() -> None:
    script = (
        "import sys, samebeat_cli.main as m; m.main(['--version'])\n"
        "heavy = {'numpy', 'scipy', 'networkx', 'rich', 'z3'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- Ctrl-C before there is anything to interrupt ---------------------------------------------


def test_ctrl_c_while_the_program_is_being_imported_is_one_line_and_exit_130(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class CtrlC:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "samebeat_cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "samebeat_cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [CtrlC(), *sys.meta_path])
    assert fails(130, "list") == "samebeat: interrupted\n"


@pytest.mark.parametrize("module", ["samebeat_cli.main", "samebeat_cli.__main__"])
def test_an_entry_point_imports_nothing_before_it_can_be_interrupted(module: str) -> None:
    script = (
        f"import sys; before = set(sys.modules); import {module}\n"
        "more = set(sys.modules) - before - {'__future__'}\n"
        "sys.exit(str(sorted(m for m in more if not m.startswith('samebeat_cli'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == "[]\n"


# --- a stdout that cannot be written ----------------------------------------------------------

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
PRINTING = (
    ["--version"],
    ["check", "--help"],
    pytest.param(["list"], marks=pytest.mark.slow),
    pytest.param(["list", "--format", "json"], marks=pytest.mark.slow),
    ["check", "room.py"],
    ["check", "room.py", "--format", "json"],
    ["graph", "room.py::room"],
    ["export", "room.py::room", "--to", "tla"],
)


@pytest.fixture
def stdout_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Put another stream in the place of stdout."""

    def put(stream: Any) -> None:
        monkeypatch.setattr(sys, "stdout", stream)

    return put


@FULL
@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_disk_on_stdout_is_one_line_and_exit_2(
    arguments: list[str], stdout_is: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        stdout_is(full)
        assert main(arguments) == 2
    said = "samebeat: stdout: cannot be written: No space left on device\n"
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_reader_who_has_left_is_told_nothing(
    arguments: list[str], stdout_is: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        stdout_is(pipe)
        main(arguments)
    assert capsys.readouterr().err == ""


def test_a_closed_stdout_is_one_line_and_exit_2(
    stdout_is: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stdout_is(None)
    assert main(["--version"]) == 2
    assert capsys.readouterr().err == "samebeat: stdout: cannot be written: it is closed\n"


@FULL
def test_an_error_that_nobody_can_be_told_still_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert main(["chek"]) == 2
        with pytest.raises(OSError, match="No space"):
            full.close()
