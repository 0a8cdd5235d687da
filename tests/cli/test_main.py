"""The command itself: version, help, progress, and a closed pipe."""

import io
import subprocess
import sys
from collections.abc import Callable

import pytest

from samebeat_cli.progress import Progress
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


def test_starting_up_loads_neither_arrays_nor_graphs() -> None:
    script = (
        "import sys, samebeat_cli.main as m; m.main(['--version'])\n"
        "heavy = {'numpy', 'scipy', 'networkx', 'rich'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
