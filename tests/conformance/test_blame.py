"""An exception of the harness is no kill, and one of the core on an input is; answers have sources.

Both keep a verdict from saying more than was seen.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from samebeat_conformance.mutants import sources
from samebeat_conformance.mutants.blame import is_of_the_core
from samebeat_conformance.mutants.layers import LAYERS, At, Layer, Seen, _one_test
from samebeat_conformance.mutants.runner import Kill, Row, Runner
from samebeat_conformance.mutants.table import Mutant, core, written
from samebeat_conformance.mutants.worker import _raised, look

CORE = "def by_itself():\n    return {}['x']\n\n\ndef with_a_library():\n    import json\n" + (
    "    return json.loads('{')\n\n\ndef with(f):\n    return f()\n".replace("with(", "calls(")
)


def broken() -> Any:
    """Raise: this file is part of the harness."""
    raise ImportError("no such thing")


def error_of(function: Callable[[], Any]) -> Exception:
    """What this raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is not the question)
        function()
    return caught.value


@pytest.mark.parametrize(
    ("name", "is_kill"),
    [
        ("by_itself", True),
        ("with_a_library", True),
        ("the harness", False),
        ("the harness with a library", False),
        ("calls", False),
    ],
)
def test_who_has_raised_is_told_apart(name: str, is_kill: bool, tmp_path: Path) -> None:
    path = tmp_path / "samebeat" / "f.py"
    path.parent.mkdir()
    path.write_text(CORE, "utf-8")
    core = runpy.run_path(str(path))
    harness: dict[str, Callable[[], Any]] = {
        "the harness": broken,
        "the harness with a library": partial(Path.read_text, tmp_path / "nothing"),
        "calls": lambda: core["calls"](broken),
    }
    error = error_of(harness.get(name) or core[name])
    assert is_of_the_core(error, tmp_path) is is_kill
    seen = _raised(error, str(tmp_path))
    assert (bool(seen.wrong), bool(seen.unknown)) == (is_kill, not is_kill)
    kill = Kill("tests", seen.against(Seen()), 0.0, seen.unknown)
    assert Row(written()[0], (kill,)).verdict == ("killed" if is_kill else "undetermined")


def _breaks(at: At) -> Seen:
    """A layer with a bug, which is only there if the core has a mistake."""
    from samebeat import change

    if "NOT_THERE" in vars(change):
        broken()
    return Seen()


def _makes_the_core_raise(at: At) -> Seen:
    from samebeat import change

    if "NOT_THERE" in vars(change):
        change.ask(None, None)  # type: ignore[arg-type]
    return Seen()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "verdict"), [(_breaks, "undetermined"), (_makes_the_core_raise, "killed")]
)
def test_a_layer_that_breaks_says_nothing_of_the_core(
    layer: Callable[[At], Seen], verdict: str
) -> None:
    line = "from samebeat.messages import"
    with_name = Mutant(name="m", file="change.py", old=line, new=f"NOT_THERE = 1\n{line}")
    row = Runner([Layer("one", layer, 20)], {}).judge(with_name)
    assert row.verdict == verdict
    assert (row.unknown == "the harness itself: ImportError: no such thing") == (layer is _breaks)


@pytest.mark.slow
def test_a_test_that_cannot_be_loaded_is_no_kill(tmp_path: Path) -> None:
    path = tmp_path / "test_broken.py"
    path.write_text("import there_is_no_such_module\n", "utf-8")
    seen = look(core().parent, Layer("one", partial(_one_test, str(path)), 20)).seen
    assert seen.wrong == ""
    assert "there_is_no_such_module" in seen.unknown


# --- what an answer rests on -------------------------------------------------------------------

HELPS = "LIMIT = 3\n\n\ndef helps():\n    return LIMIT\n\n\ndef other():\n    return 1\n"
TESTS = (
    "from .net import helps\n\n\ndef test_a():\n    assert helps()\n\n\ndef test_b():\n    pass\n"
)


def digests(folder: Path, tests: str = TESTS, helps: str = HELPS) -> tuple[str, str]:
    """The digests of the two tests, of files with these texts."""
    room = folder / sources.digest_of.__name__ / str(len(list(folder.rglob("*.py"))))
    room.mkdir(parents=True)
    (room / "net.py").write_text(helps, "utf-8")
    (room / "test_x.py").write_text(tests, "utf-8")
    path = room / "test_x.py"
    return sources.digest_of(path, "test_a"), sources.digest_of(path, "test_b")


def test_an_answer_rests_on_the_test_and_on_what_that_uses_and_on_nothing_else(
    tmp_path: Path,
) -> None:
    a, b = digests(tmp_path)
    assert digests(tmp_path, TESTS.replace("pass", "assert 1"))[0] == a
    assert digests(tmp_path, TESTS.replace("helps()", "not helps()")) != (a, b)
    assert digests(tmp_path, helps=HELPS.replace("LIMIT = 3", "LIMIT = 4"))[0] != a
    assert digests(tmp_path, helps=HELPS.replace("return 1", "return 2")) == (a, b)
    assert digests(tmp_path, helps=HELPS.replace("def other", "# why\ndef other"))[0] == a


@pytest.mark.slow
def test_a_layer_rests_on_what_it_imports_and_on_the_spec() -> None:
    path = Path(sources.__file__).parent / "layers.py"
    for layer, file in (("views", "product.py"), ("time", "nodes.py"), ("simulator", "run.py")):
        look = LAYERS[layer].look.__name__
        assert file in {place[0].name for place in sources._reached(path, look)}
    alone = sources.digest_of(path, "views")
    assert sources.digest_of(path, "views", LAYERS["views"].also) != alone
