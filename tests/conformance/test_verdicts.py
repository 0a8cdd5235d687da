"""The verdicts about mutants that are kept in the repository, and what `make mutants` says of them.

A verdict that no longer fits the code is no error here: its mutant counts as not judged, and
`make mutants` says so and does not end with 0.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import pytest

from samebeat_conformance.mutants import command, kept, reach
from samebeat_conformance.mutants.command import SURVIVES, UNDETERMINED, exit_code, main
from samebeat_conformance.mutants.generated import generated
from samebeat_conformance.mutants.kept import Verdict
from samebeat_conformance.mutants.layers import LAYERS, Layer, Seen, conformance
from samebeat_conformance.mutants.matrix import totals
from samebeat_conformance.mutants.place import digest, function_of
from samebeat_conformance.mutants.runner import Kill, Row, Runner
from samebeat_conformance.mutants.table import Mutant, explained, written
from samebeat_conformance.mutants.worker import NO_END, Done, Result, Task, _ended

TOP = Path(__file__).parents[2]
IMPL = TOP / "tests" / "impl"
ALL = (*written(), *generated())
NAME, OTHER = "undoes to the new value", "skips the journal"
SOURCE = "LIMIT = 3\n\n\ndef f(a):\n    return a < 3\n\n\ndef g(a):\n    return a < 4\n"


def all_rows() -> list[Row]:
    """A row for each mutant, by the verdicts that are kept."""
    return kept.rows(ALL, kept.load())


# --- what is kept ------------------------------------------------------------------------------


def test_a_verdict_is_of_a_layer_that_there_is() -> None:
    verdicts = kept.load().values()
    assert len(verdicts) > 100
    assert {v.layer for v in verdicts} <= {*LAYERS, ""}
    assert all(bool(v.layer) == bool(v.by) for v in verdicts)


def test_each_test_that_a_verdict_names_is_there() -> None:
    there = {
        f"{path.name}::{node.name}"
        for path in IMPL.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    found = [re.match(r"(test_\w+\.py::\w+)", v.by) for v in kept.load().values()]
    named = {match[1] for match in found if match is not None}
    assert len(named) > 50
    assert named <= there


def test_nothing_survives_without_a_reason_and_no_reason_is_of_what_is_killed() -> None:
    rows = all_rows()
    assert [r.mutant.name for r in rows if r.verdict == "survives"] == []
    assert [r.mutant.name for r in rows if r.verdict == "killed, and explained"] == []
    assert exit_code(rows) != SURVIVES
    reasons = explained()
    silent = [n for n, v in kept.load().items() if not v.layer and not v.unknown]
    assert set(silent) <= set(reasons)


def test_the_command_prints_each_mutant_and_counts_those_that_are_not_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = all_rows()
    assert main(["--only", "forgets"]) in (0, UNDETERMINED)
    printed = capsys.readouterr().out
    assert all(r.mutant.name in printed for r in rows if "forgets" in r.mutant.name)
    assert sum(row.asked is None for row in rows) == sum(
        int(n) for line in totals(rows)[:2] for n in re.findall(r"(\d+) not judged", line)
    )


def test_without_verdicts_all_are_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = tmp_path / "verdicts.json"
    none.write_text("[]", "utf-8")
    assert main(["--only", NAME], none) == UNDETERMINED
    assert "1 mutants thought of: 1 not judged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verdict", "ends"),
    [
        (Verdict(NAME, "", "tests", "test_x.py::test_y", 1.0), 0),
        (Verdict(NAME, ""), SURVIVES),
        (Verdict(NAME, "", unknown="took too long"), UNDETERMINED),
    ],
)
def test_what_survives_and_what_is_not_known_are_no_success(
    verdict: Verdict, ends: int, tmp_path: Path
) -> None:
    (mutant,) = [m for m in written() if m.name == NAME]
    right = msgspec.structs.replace(verdict, digest=digest(mutant, kept._source(mutant.file)))
    path = tmp_path / "verdicts.json"
    kept.save({NAME: right}, ALL, path)
    assert main(["--only", NAME], path) == ends
    kept.save({NAME: msgspec.structs.replace(right, digest="other")}, ALL, path)
    assert main(["--only", NAME], path) == UNDETERMINED, "the code is not what was judged"


@pytest.mark.parametrize(
    ("wrong", "asked", "ends", "kept_ones"),
    [
        ("test_x.py::test_y", ["--layer", "tests"], 0, {NAME}),
        ("", ["--layer", "tests"], UNDETERMINED, set()),
        ("", [], SURVIVES, {NAME}),
    ],
    ids=["noticed", "not noticed by one layer", "not noticed by any"],
)
def test_of_what_some_layers_say_only_what_they_notice_is_kept(
    wrong: str,
    asked: list[str],
    ends: int,
    kept_ones: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked(folder: Path, layer: Layer, task: Task) -> Result:
        return Result(Seen() if task.costs is None else Seen(wrong), 0.0)

    monkeypatch.setattr(command, "Runner", partial(Runner, look=looked))
    monkeypatch.setattr(command, "LAYERS", {"tests": LAYER})
    path = tmp_path / "verdicts.json"
    path.write_text("[]", "utf-8")
    assert main(["--judge", *asked, "--only", NAME], path) == ends
    assert set(kept.load(path)) == kept_ones


def test_a_verdict_is_kept_beside_those_that_another_process_has_kept(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    for name in (NAME, OTHER):
        kept.put(name, Verdict(name, "", "tests", "test_x.py::test_y", 1.0), ALL, path)
    assert set(kept.load(path)) == {NAME, OTHER}
    kept.put(NAME, None, ALL, path)
    assert set(kept.load(path)) == {OTHER}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_judged_again_is_asked_first_of_the_test_that_has_noticed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...] | None] = []
    tests = {f"tests/impl/test_x.py::test_{n}": frozenset({"change.undo"}) for n in "abc"}
    done = tuple(Done(name, 1.0, ran) for name, ran in tests.items())

    def looked(folder: Path, layer: Layer, task: Task) -> Result:
        if task.costs is not None:
            asked.append(task.tests)
        return Result(Seen(), 0.0, done)

    monkeypatch.setattr(command, "Runner", partial(Runner, look=looked))
    path = tmp_path / "verdicts.json"
    kept.save({NAME: Verdict(NAME, "", "tests", f"test_x.py::test_b{NO_END}", 1.0)}, ALL, path)
    assert main(["--again", "--layer", "tests", "--only", NAME], path) == UNDETERMINED
    (names,) = asked
    assert [name[-1] for name in names or ()] == ["b", "a", "c"]
    assert kept.load(path) == {}, "it is not noticed any more"


def test_the_record_says_how_many_were_noticed() -> None:
    verdicts = kept.load().values()
    record = TOP / "docs" / "adr" / "0043-mutants-and-fuzzing.md"
    prose = " ".join(record.read_text("utf-8").split())
    of_ours = {m.name for m in written()}
    ours = sum(v.name in of_ours for v in verdicts if v.layer)
    generated_ones = sum(v.name not in of_ours for v in verdicts if v.layer)
    said = f"{ours} that somebody thought of and {generated_ones} that a program made"
    assert said in prose


# --- which code a verdict is about -------------------------------------------------------------


def mutant_of(old: str, at: int | None = None) -> Mutant:
    """A mutant of the source above."""
    return Mutant(name="m", file="f.py", old=old, new="0", at=at)


def test_a_verdict_is_about_the_function_around_the_mutant() -> None:
    mutant = mutant_of("a < 3")
    before = digest(mutant, SOURCE)
    assert function_of(mutant, SOURCE) == "f.f"
    assert digest(mutant, SOURCE.replace("a < 4", "a < 5").replace("LIMIT = 3", "")) == before
    assert digest(mutant, SOURCE.replace("return", "return not")) != before
    assert digest(mutant_of("3", SOURCE.index("3\n\n\ndef g")), SOURCE) != before


def test_outside_of_functions_it_is_about_the_statement() -> None:
    mutant = mutant_of("LIMIT = 3")
    assert function_of(mutant, SOURCE) is None
    assert digest(mutant, SOURCE) == digest(mutant, SOURCE.replace("a <", "a >"))


# --- which tests are asked ---------------------------------------------------------------------


def test_only_tests_that_run_the_function_are_asked_the_cheapest_first() -> None:
    ran = {"t.py": {"f.g"}, "t.py::a": {"f.f"}, "t.py::b": {"f.f"}, "u.py::c": {"f.h"}}
    costs = {"t.py": 0.1, "t.py::a": 3.0, "t.py::b": 1.0, "u.py::c": 1.0}
    assert reach.of_tests("f.f", ran, costs) == ("t.py::b", "t.py::a")
    assert reach.of_tests("f.g", ran, costs) == ("t.py::b", "t.py::a"), "as the file is loaded"
    assert reach.of_tests("f.f", {**ran, "its start": {"f.f"}}, costs) is None


def test_a_function_notes_that_it_has_run(tmp_path: Path) -> None:
    path = tmp_path / "f.py"
    path.write_text('"""What."""\n\nfrom __future__ import annotations\n\n' + SOURCE, "utf-8")
    reach.with_notes(tmp_path)
    noted = path.read_text("utf-8")
    assert noted.index("from __future__") < noted.index("from samebeat._ran import ran as _ran")
    assert "    _ran('f.f')\n    return a < 3\n" in noted
    assert "RAN" in (tmp_path / "_ran.py").read_text("utf-8")


# --- what takes too long -----------------------------------------------------------------------

LAYER = Layer("tests", conformance, 4)


def test_ten_times_the_work_of_the_unchanged_core_is_allowed_and_at_least_that_of_the_layer() -> (
    None
):
    task = Task(costs={"cheap": 0.1, "dear": 2.0})
    assert [task.limit(LAYER, what) for what in ("cheap", "dear", "new")] == [4, 20, 4]


@dataclass(frozen=True)
class End:
    """How a layer has ended, and what that says."""

    at: str
    exitcode: int
    wrong: str


@pytest.mark.parametrize(
    "end",
    [
        End("known", -27, "known: does not come to an end"),
        End("new", -27, ""),
        End("known", -9, ""),
    ],
    ids=lambda end: f"{end.at} {end.exitcode}",
)
def test_what_is_ended_is_noticed_only_if_it_is_known_how_long_it_takes(end: End) -> None:
    seen = _ended(end.at, end.exitcode, Task(costs={"known": 0.1}))
    assert seen.against(Seen(figures={"edges": 3})) == end.wrong
    assert bool(seen.unknown) == (not end.wrong)
    kill = Kill("tests", end.wrong, 1.0, seen.unknown)
    assert Row(written()[0], (kill,)).verdict == ("killed" if end.wrong else "undetermined")
