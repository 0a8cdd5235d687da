"""Files that users write: every mistake is one line with file and place, and an exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_models import Model

from .conftest import ROOM, Ran

Fails = Callable[..., str]
HEAD, TAIL = ROOM.split("MODELS = [")


@pytest.mark.parametrize(
    ("old", "new", "guilty", "problem"),
    [
        ("def enter(", "def enter((", "def enter((", ""),
        ("s.taken = True", "s.taken = = True", "= =", "invalid syntax"),
        ("guard(~s.taken,", "if s.taken: guard(~s.taken,", "if s.taken", "Python `if`"),
        ("guard(~s.taken,", "guard(~s.gone,", "s.gone", "no state variable 'gone'"),
        ("s.taken = True", "s.taken = True; s.taken = False", "= False", "assigned twice"),
        ("[c] = Where.IN", "[c, c] = Where.IN", "[c, c]", "takes 1 argument(s), 2 given"),
        ("[c] = Where.IN", "[c] = c", "[c] = c", "an element of Where, not one of Client"),
        ("to=Where)", "to=int)", "to=int)", "int is an unbounded integer"),
        ("= flag()", "= flog()", "flog()", "NameError: name 'flog' is not defined"),
        ("class Client", "import nowhere; class Client", "import nowhere", ""),
        ("MODELS", "import nowhere\nMODELS", "import nowhere", "ModuleNotFoundError: No module"),
        ("MODELS", "raise SystemExit(0)\nMODELS", "raise SystemExit", "SystemExit: 0"),
    ],
)
def test_a_spec_with_an_error_is_exit_150_with_file_and_line(
    fails: Fails, room: Path, old: str, new: str, guilty: str, problem: str
) -> None:
    text = ROOM.replace(old, new, 1)
    room.write_text(text, "utf-8")
    line = 1 + text[: text.index(guilty)].count("\n")
    said = fails(150, "check", room)
    assert f"room.py:{line}: " in said
    assert problem in said
    assert "samebeat_file" not in said


def test_a_spec_without_actions_is_a_spec_error_that_names_the_file(
    fails: Fails, room: Path
) -> None:
    actions = ROOM[ROOM.index("@action") : ROOM.index("@invariant")]
    room.write_text(ROOM.replace(actions, ""), "utf-8")
    assert "spec error: room.py:1: room: it has no actions" in fails(150, "check", room)


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ("", "room.py: it has no MODELS; write MODELS = [Model("),
        ("MODELS = []", "room.py: MODELS must be a list of models"),
        ("MODELS = {}", "room.py: MODELS must be a list of models"),
        ("MODELS = [7]", "room.py: MODELS[0] is no Model but 7"),
        ("MODELS = [Model(name='')]", "room.py: MODELS[0] has no name; write MODELS = [Model("),
        ("MODELS = [Model(name='a'), Model(name=' ')]", "room.py: MODELS[1] has no name"),
        ("MODELS = [Model(name=7)]", "room.py: model 7: Expected `str`"),
        ("MODELS = [Model(name='a'), Model(name='a')]", "room.py: two models are called 'a'"),
        ("MODELS = [Model(name='a')]", "room.py: a: the sort Client has no size"),
        ("MODELS = [Model(name='a', sizes={'Clients': 2})]", "no sort is called 'Clients'"),
        ("MODELS = [Model(name='a', sizes={'Client': '2'})]", "room.py: model a: Expected"),
        ("MODELS = [Model(name='a', spec='rom')]", "model a: no spec is called 'rom'; there are"),
    ],
)
def test_a_wrong_list_of_models_is_exit_151_and_names_file_and_model(
    fails: Fails, room: Path, models: str, problem: str
) -> None:
    room.write_text(HEAD + models + "\n", "utf-8")
    assert problem in fails(151, "check", room)


def test_a_model_with_an_unknown_key_is_named_with_its_line(fails: Fails, room: Path) -> None:
    room.write_text(HEAD + "MODELS = [Model(name='a', colour=1)]\n", "utf-8")
    line = len(HEAD.splitlines()) + 1
    assert f"room.py:{line}: TypeError: Unexpected keyword argument 'colour'" in fails(
        150, "check", room
    )


def test_a_model_of_a_shipped_spec_needs_no_spec_of_its_own(fails: Fails, room: Path) -> None:
    room.write_text(
        "from samebeat_models import Model\nMODELS = [Model(name='mine', spec='group')]\n", "utf-8"
    )
    assert "room.py: mine: the sort Change has no size" in fails(151, "check", room)


def test_a_file_with_several_specs_needs_each_model_to_name_one(fails: Fails, room: Path) -> None:
    second = HEAD[HEAD.index("class Room") :].replace("Room", "Hall")
    room.write_text(HEAD + second + "MODELS = [Model(name='a')]\n", "utf-8")
    said = fails(151, "check", room)
    assert "model a: the file has several specs (room, hall)" in said


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none.py", "none.py: no such file"),
        ("folder.py", "folder.py: not a file"),
        ("room.py::hall", "room.py has no model 'hall'; close: room"),
    ],
)
def test_a_file_or_model_that_is_not_there_is_a_usage_error(
    fails: Fails, room: Path, name: str, problem: str
) -> None:
    Path("folder.py").mkdir()
    assert problem in fails(2, "check", name)


def test_running_a_users_file_leaves_nothing_beside_it(fails: Fails, room: Path) -> None:
    fails(2, "check", f"{room}::nothing-at-all")
    assert [p.name for p in Path().iterdir()] == ["room.py"]


def test_a_catalog_entry_with_an_unknown_key_is_exit_151(
    fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samebeat_cli import selection
    from samebeat_models.catalog import parse_catalog

    def broken() -> tuple[Model, ...]:
        text = 'spec = "group"\n[[model]]\nname = "g"\ncolour = 1\n'
        return parse_catalog(text, "group.toml")

    monkeypatch.setattr(selection, "load_catalog", broken)
    selection.catalog.cache_clear()
    said = fails(151, "check")
    assert "bad model: group.toml: " in said
    assert "model g" in said
    assert "colour" in said


def test_a_catalog_entry_of_an_unknown_spec_is_exit_151(
    fails: Fails, catalog: Callable[..., None]
) -> None:
    catalog(Model(name="g", spec="grop"))
    assert "the catalog: model g: no spec is called 'grop'; there are group" in fails(151, "list")


def test_a_control_of_a_guard_that_is_not_there_is_a_result_and_names_it(
    run: Callable[..., Ran], room: Path
) -> None:
    room.write_text(ROOM.replace('"the room is free"),', '"why"),'), "utf-8")
    ran = run("check", f"{room}::room-open")
    assert ran.code == 10
    assert "room has no guard 'enter: why' to take out" in ran.out
