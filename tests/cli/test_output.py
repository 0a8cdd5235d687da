"""Reports as files: several at once, whole or not there, and refused before the run if they
could not be written."""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_cli.errors import CommandError
from samebeat_cli.output import check_can_write, file_name, write_file
from samebeat_models.results import Row

from .conftest import Run, Stub

Fails = Callable[..., str]
Result = Callable[..., Row]


@pytest.fixture
def started(engine: Stub, result: Result) -> list[str]:
    """The models that an engine, which finds nothing wrong, has started on."""
    names: list[str] = []

    def judge(m: object, _: object) -> list[Row]:
        names.append(str(m))
        return [result()]

    engine(judge)
    return names


@pytest.mark.usefixtures("started")
def test_every_format_goes_to_its_file_and_the_text_to_stdout(run: Run, room: Path) -> None:
    ran = run(
        *("check", f"{room}::room", "--format", "json", "--output", "a.json"),
        *("--format", "junit", "--output", "b.xml"),
    )
    assert ran.code == 0
    assert "exit 0: all as expected" in ran.out
    assert json.loads(Path("a.json").read_text())["exit_code"] == 0
    assert Path("b.xml").read_text().startswith("<?xml")
    assert sorted(p.name for p in Path().iterdir()) == ["a.json", "b.xml", "room.py"]


@pytest.mark.usefixtures("started")
def test_a_format_without_a_file_goes_to_stdout(run: Run, room: Path) -> None:
    ran = run(
        *("check", f"{room}::room", "--format", "text", "--output", "a.txt"),
        *("--format", "json"),
    )
    assert json.loads(ran.out)["tool"] == "samebeat"
    assert "exit 0: all as expected" in Path("a.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--output", "none/a.json"], "none/a.json: cannot be written: No such file"),
        (["--output", "."], ".: cannot be written: it is a folder"),
        (["--output", "room.py/a.json"], "room.py/a.json: cannot be written: Not a directory"),
        (["--output", ""], "Invalid value for '--output': the path is empty"),
        (["--out-itf", ""], "Invalid value for '--out-itf': the path is empty"),
        (["--out-itf", "room.py"], "room.py: cannot be made: File exists"),
        (["--out-itf", "room.py/deep"], "room.py/deep: cannot be made: Not a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_run(
    fails: Fails, room: Path, started: list[str], arguments: list[str], problem: str
) -> None:
    assert problem in fails(2, "check", room, *arguments)
    assert started == []
    assert [p.name for p in Path().iterdir()] == ["room.py"]


def test_a_folder_without_permission_is_refused(
    fails: Fails, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("samebeat_cli.output.tempfile.TemporaryFile", refuse)
    assert "a.json: cannot be written: Permission denied" in fails(
        2, "check", room, "--output", "a.json"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["graph", "room.py::room", "--output", ""],
        ["export", "room.py::room", "--to", "tla", "--out", ""],
        ["replay", "room.py", "--output", ""],
    ],
)
def test_an_empty_path_is_not_the_current_folder(
    fails: Fails, room: Path, arguments: list[str]
) -> None:
    assert "the path is empty" in fails(2, *arguments)
    assert list(Path().iterdir()) == [room]


def test_a_link_stays_and_the_file_it_leads_to_is_written(run: Run, room: Path) -> None:
    Path("far").mkdir()
    Path("link.dot").symlink_to("far/real.dot")
    for _ in range(2):  # first there is nothing where it leads
        assert run("graph", f"{room}::room", "--output", "link.dot").code == 0
        assert Path("link.dot").is_symlink()
        assert [p.name for p in Path("far").iterdir()] == ["real.dot"]
        assert "digraph" in Path("far/real.dot").read_text()


def test_a_link_that_leads_nowhere_is_refused_and_stays(fails: Fails, room: Path) -> None:
    Path("loop").symlink_to("loop")
    said = fails(2, "graph", f"{room}::room", "--output", "loop")
    assert "loop: cannot be written: Too many levels of symbolic links" in said
    assert Path("loop").is_symlink()


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()), daemon=True)
    reader.start()
    check_can_write(pipe)
    write_file(pipe, "a report\n")
    reader.join(5)
    assert heard == ["a report\n"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_is_written_to_and_not_replaced(tmp_path: Path, device: str) -> None:
    if not Path(device).is_char_device():
        pytest.skip(f"this system has no {device}")
    link = tmp_path / "link"
    link.symlink_to(device)
    check_can_write(link)
    if device == "/dev/null":
        write_file(link, "a report")
    else:
        with pytest.raises(CommandError, match="link: cannot be written: No space left"):
            write_file(link, "a report")
    assert Path(device).is_char_device()
    assert link.is_symlink()


def test_a_path_that_is_our_stdout_is_one_stream_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with ``--output /dev/stdout > all.txt``: neither report overwrites the other."""
    path = tmp_path / "all.txt"
    with path.open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        check_can_write(path)
        write_file(path, "the file\n")
        stdout.write("the text\n")
    assert path.read_text() == "the file\nthe text\n"


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CommandError, match="No space left on device"):
        write_file(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_file_names_hold_nothing_that_a_file_system_minds() -> None:
    assert file_name("a/b c", "../d") == "a-b-c.d"
