"""The verdicts about mutants that are kept in the repository, and what `make mutants` says of them.

A verdict that no longer fits the code is no error here: its mutant counts as not judged, and
`make mutants` says so and does not end with 0.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from samebeat_conformance.mutants import command, kept, reach
from samebeat_conformance.mutants.command import SURVIVES, UNDETERMINED, exit_code, main
from samebeat_conformance.mutants.generated import generated
from samebeat_conformance.mutants.kept import Answer, Verdict
from samebeat_conformance.mutants.layers import LAYERS, Layer, Seen, conformance
from samebeat_conformance.mutants.matrix import shares, totals
from samebeat_conformance.mutants.place import digest, function_of
from samebeat_conformance.mutants.runner import Kill, Row, Runner
from samebeat_conformance.mutants.table import Mutant, explained, written
from samebeat_conformance.mutants.worker import Done, Result, Task, _ended

TOP = Path(__file__).parents[2]
IMPL = TOP / "tests" / "impl"
ALL = (*written(), *generated())
NAME, OTHER = "undoes to the new value", "skips the journal"
SOURCE = "LIMIT = 3\n\n\ndef f(a):\n    return a < 3\n\n\ndef g(a):\n    return a < 4\n"


def all_rows() -> list[Row]:
    """A row for each mutant, by the verdicts that are kept."""
    return kept.rows(ALL, kept.load())


# --- what is kept ------------------------------------------------------------------------------


def test_a_verdict_has_answers_of_layers_that_there_are() -> None:
    verdicts = kept.load().values()
    assert len(verdicts) > 100
    assert {a.layer for v in verdicts for a in v.answers} <= set(LAYERS)
    assert all(a.runs for v in verdicts for a in v.answers if a.by)


def test_each_test_that_a_verdict_names_is_there() -> None:
    there = {
        f"{path.name}::{node.name}"
        for path in IMPL.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    killers = [by for v in kept.load().values() for by in v.killers.values()]
    found = [re.match(r"(test_\w+\.py::\w+)", by) for by in killers]
    named = {match[1] for match in found if match is not None}
    assert len(named) > 50
    assert named <= there


def test_nothing_survives_without_a_reason_and_no_reason_is_of_what_is_killed() -> None:
    rows = all_rows()
    assert [r.mutant.name for r in rows if r.verdict == "survives"] == []
    assert [r.mutant.name for r in rows if r.verdict == "killed, and explained"] == []
    assert exit_code(rows) != SURVIVES
    reasons = explained()
    silent = [n for n, v in kept.load().items() if not v.killers]
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


BY = "test_group_change.py::test_all_members_adopt_a_value_that_all_could_apply[1]"
"""A test that there is."""


def said(by: str = BY, layer: str = "tests", of: str | None = None, unknown: str = "") -> Answer:
    """What a layer says, and rests on what there is, if nothing else is given."""
    rests = kept.rests_on(layer, by) if of is None else of
    return Answer(layer, by, 1.0, rests, unknown)


def keep(path: Path, *answers: Answer, digest_is: str = "") -> None:
    """Keep a verdict with these answers, about the code that there is."""
    (mutant,) = [m for m in written() if m.name == NAME]
    of = digest_is or digest(mutant, kept._source(mutant.file))
    kept.save({NAME: Verdict(NAME, of, answers)}, ALL, path)


@pytest.mark.parametrize(
    ("answer", "ends"),
    [(said(), 0), (said(""), SURVIVES), (said("", unknown="took too long"), UNDETERMINED)],
    ids=["noticed", "not noticed", "not known"],
)
def test_what_survives_and_what_is_not_known_are_no_success(
    answer: Answer, ends: int, tmp_path: Path
) -> None:
    path = tmp_path / "verdicts.json"
    keep(path, answer)
    assert main(["--only", NAME], path) == ends
    keep(path, answer, digest_is="other")
    assert main(["--only", NAME], path) == UNDETERMINED, "the code is not what was judged"


def test_a_verdict_whose_killer_has_changed_is_to_be_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "verdicts.json"
    keep(path, said(of="other"))
    assert main(["--only", NAME], path) == UNDETERMINED
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 mutants thought of: 1 undetermined" in printed
    assert "to be judged again" in printed
    keep(path, said(of="other"), said("seed 3", "simulator"))
    assert main(["--only", NAME], path) == 0, "another layer notices it as well"


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
        kept.put(name, Verdict(name, "", (said(),)), ALL, path)
    assert set(kept.load(path)) == {NAME, OTHER}
    kept.put(NAME, None, ALL, path)
    assert set(kept.load(path)) == {OTHER}
    assert list(tmp_path.iterdir()) == [path]


@dataclass
class Asked:
    """Layers that notice what they are told to, and note what they were asked.

    Attributes:
        notices: what is wrong, by the layer or by the one test that is asked.
        log: which layers were asked about mutants, and which test alone.
    """

    notices: dict[str, str]
    log: list[str] = field(default_factory=list)

    def __call__(self, folder: Path, layer: Layer, task: Task) -> Result:
        """Answer, and note it."""
        alone = str(layer.look.args[0]) if isinstance(layer.look, partial) else ""
        what = f"{layer.name}, {alone.rpartition('::')[2]} alone" if alone else layer.name
        if task.costs is None:
            return Result(Seen(), 0.0, (Done("all", 1.0, frozenset({"change.undo"})),))
        self.log.append(what)
        return Result(Seen(self.notices.get(what, "")), 0.0)


def ask(asked: Asked, path: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    """Run the command with layers that are made up."""
    names = ("tests", "simulator", "slow tests")
    monkeypatch.setattr(command, "LAYERS", {name: LAYERS[name] for name in names})
    monkeypatch.setattr(command, "Runner", partial(Runner, look=asked))
    return main([*options, "--only", NAME], path)


def test_what_is_judged_again_is_asked_first_of_what_has_noticed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verdicts.json"
    keep(path, said(of="other"))
    alone = f"tests, {BY.partition('::')[2]} alone"
    asked = Asked({alone: BY})
    assert ask(asked, path, monkeypatch, "--judge") == 0
    assert asked.log == [alone]
    assert ask(asked, path, monkeypatch, "--judge") == 0
    assert asked.log == [alone], "nothing is open any more"


def test_what_has_noticed_it_and_does_not_any_more_is_followed_by_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verdicts.json"
    keep(path, said(of="other"))
    asked = Asked({"simulator": "seed 3"})
    assert ask(asked, path, monkeypatch, "--judge") == 0
    assert asked.log == [f"tests, {BY.partition('::')[2]} alone", "tests", "simulator"]
    assert kept.load(path)[NAME].killers == {"simulator": "seed 3"}


def test_each_layer_that_has_not_answered_is_asked_if_all_are_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verdicts.json"
    keep(path, said())
    asked = Asked({"simulator": "seed 3"})
    assert ask(asked, path, monkeypatch, "--judge") == 0
    assert asked.log == []
    assert ask(asked, path, monkeypatch, "--judge", "--all-layers") == 0
    assert asked.log == ["simulator"], "and none that is thorough"
    assert kept.load(path)[NAME].killers == {"tests": BY, "simulator": "seed 3"}


def test_the_record_says_how_many_were_noticed() -> None:
    verdicts = kept.load().values()
    record = TOP / "docs" / "adr" / "0043-mutants-and-fuzzing.md"
    prose = " ".join(record.read_text("utf-8").split())
    of_ours = {m.name for m in written()}
    ours = sum(v.name in of_ours for v in verdicts if v.killers)
    generated_ones = sum(v.name not in of_ours for v in verdicts if v.killers)
    assert f"{ours} that somebody thought of and {generated_ones} that a program made" in prose


def test_the_record_says_what_each_layer_notices() -> None:
    """As they were asked last, whatever has changed since."""
    verdicts = kept.load()
    rows = [
        Row(m, tuple(Kill(a.layer, a.by, a.seconds, a.unknown, a.runs) for a in v.answers))
        for m in written()
        if (v := verdicts.get(m.name)) is not None
    ]
    number, found = shares(rows, [name for name, layer in LAYERS.items() if not layer.thorough])
    record = (TOP / "docs" / "adr" / "0043-mutants-and-fuzzing.md").read_text("utf-8")
    assert f"asked about {number} of those" in " ".join(record.split())
    for one in found:
        assert f"| {one.layer} | {one.asked} | {one.notices} | {one.alone} |" in record


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
