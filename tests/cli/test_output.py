"""Reports as files: several at once, whole or not there, and refused before the run if they
could not be written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_cli.errors import CommandError
from samebeat_cli.output import file_name, write_file
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
