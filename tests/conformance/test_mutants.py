"""Mistakes put into the core are noticed: the fast share. `make mutants` runs all of them."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from samebeat_conformance.mutants.command import main
from samebeat_conformance.mutants.generated import generated, of_source
from samebeat_conformance.mutants.kept import load, rows
from samebeat_conformance.mutants.layers import LAYERS, Layer, Seen, conformance, one_test
from samebeat_conformance.mutants.matrix import Share, data, print_matrix, shares
from samebeat_conformance.mutants.runner import Kill, Row, Runner, WrongUnchanged
from samebeat_conformance.mutants.table import Mutant, core, explained, written
from samebeat_conformance.mutants.worker import NotTheCopy, Result, Task, look
from samebeat_spec.specs import SPEC_NAMES, load_spec

OF_THE_CODEC = {"one_protocol_error", "bounded_memory"}
ADOPTS = "tests/impl/test_group_change.py::test_all_members_adopt_a_value_that_all_could_apply"
"""A test that takes little time."""


def of(name: str) -> Mutant:
    """The mutant of this name."""
    (found,) = [m for m in written() if m.name == name]
    return found


def test_there_are_forty_mutants_and_more_each_with_a_name_of_its_own() -> None:
    names = Counter(m.name for m in (*written(), *generated()))
    assert len(written()) >= 40
    assert len(generated()) >= 300
    assert names.most_common(1)[0][1] == 1


@pytest.mark.parametrize("mutant", written(), ids=lambda m: m.name)
def test_a_mutant_is_another_program_and_says_what_it_breaks(mutant: Mutant) -> None:
    source = (core() / mutant.file).read_text("utf-8")
    assert ast.dump(ast.parse(mutant.applied(source))) != ast.dump(ast.parse(source))
    assert mutant.breaks.endswith(".")


def test_a_mutant_is_about_a_property_of_some_spec_or_of_the_codec() -> None:
    known = {p.name for name in SPEC_NAMES for p in load_spec(name).promises}
    assert {m.property for m in written()} <= known | OF_THE_CODEC


@pytest.mark.slow
def test_generated_mutants_are_other_programs_and_always_the_same() -> None:
    sources = {p.name: p.read_text("utf-8") for p in core().glob("*.py")}
    plain = {name: ast.dump(ast.parse(source)) for name, source in sources.items()}
    for mutant in generated()[::7]:
        assert ast.dump(ast.parse(mutant.applied(sources[mutant.file]))) != plain[mutant.file]
    assert generated.__wrapped__() == generated()


def test_generated_mutants_change_operators_constants_and_statements() -> None:
    source = "def f(a, b):\n    if not a and a < 3:\n        b.c = True\n        print(b)\n"
    assert [m.name.removeprefix("m.f: ") for m in of_source("m.py", source)] == [
        "not a and a < 3 -> (not a or a < 3)",
        "not a -> (bool(a))",
        "a < 3 -> (a <= 3)",
        "3 -> 4",
        "b.c = True -> pass",
        "True -> False",
        "print(b) -> pass",
    ]


def test_an_old_text_that_is_not_there_once_is_an_error() -> None:
    mutant = Mutant(name="m", file="f.py", old="a", new="b")
    for source, times in (("", 0), ("a a", 2)):
        with pytest.raises(ValueError, match=rf"f.py: 'm': its old text is there {times} times"):
            mutant.applied(source)


def test_every_explanation_is_of_a_mutant_that_there_is() -> None:
    assert set(explained()) <= {m.name for m in (*written(), *generated())}


def judged(seen: dict[str, Seen], **options: Any) -> list[str]:
    """The layers that were asked, by a runner that sees this in the mutant and nothing else."""
    layers = [Layer(name, conformance, 1, thorough=name == "slow") for name in ("a", "b", "slow")]

    def fake(folder: Path, layer: Layer, task: Task) -> Result:
        if task.costs is None:  # the core as it is
            return Result(Seen(figures={"edges": 3}), 0.0)
        return Result(seen.get(layer.name, Seen(figures={"edges": 3})), 0.0)

    row = Runner(layers, {}, look=fake, **options).judge(of("undoes to the new value"))
    return [f"{k.layer}: {k.by}" for k in row.asked or ()]


@pytest.mark.slow
def test_layers_are_asked_in_order_until_one_notices() -> None:
    wrong = {"a": Seen("t"), "b": Seen(figures={"edges": 2})}
    assert judged(wrong) == ["a: t"]
    assert judged(wrong, all_layers=True) == ["a: t", "b: edges: 2 instead of 3"]
    assert judged({}) == ["a: ", "b: ", "slow: "]


def test_what_each_layer_notices_and_one_alone_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mutant = of("undoes to the new value")
    noticed, nothing = Kill("tests", "t", 1.0), Kill("tests", "", 3.0)
    fuzz, elsewhere = Kill("fuzz", "f", 2.0), Kill("fuzz", "", 0.0, runs=False)
    some = [
        Row(mutant, (noticed, fuzz)),
        Row(mutant, (nothing, fuzz)),
        Row(mutant, (noticed, elsewhere)),
        Row(mutant, (noticed,)),
    ]
    assert shares(some, ["tests", "fuzz"]) == (
        3,
        [Share("tests", 3, 2, 1, 1.0), Share("fuzz", 2, 2, 1, 2.0)],
    )
    print_matrix(some, ["tests", "fuzz"])
    printed = capsys.readouterr().out
    assert "\nnoticed first by: tests 3, fuzz 1\n" in printed
    assert "\nof 3 that each layer was asked about:\n" in printed


def test_a_mutant_that_nothing_notices_survives_unless_that_is_explained() -> None:
    mutant = of("undoes to the new value")
    blind = [Layer("blind", conformance, 1)]
    nothing, wrong = (lambda f, x, t: Result(Seen(), 0.0)), {mutant.name: "why"}
    row = Runner(blind, {}, look=nothing).judge(mutant)
    assert (row.verdict, row.is_right) == ("survives", False)
    row = Runner(blind, wrong, look=nothing).judge(mutant)
    assert (row.verdict, row.is_right) == ("explained", True)
    assert data([row])["counts"] == {"explained": 1}


def test_an_explanation_of_what_is_noticed_is_wrong() -> None:
    mutant = of("undoes to the new value")
    seen = iter((Seen(), Seen("t")))
    runner = Runner(
        [LAYERS["tests"]], {mutant.name: "why"}, look=lambda f, x, t: Result(next(seen), 0)
    )
    row = runner.judge(mutant)
    assert (row.verdict, row.is_right) == ("killed, and explained", False)


def test_a_layer_that_finds_the_core_itself_wrong_can_say_nothing_of_mutants() -> None:
    runner = Runner([LAYERS["tests"]], {}, look=lambda f, x, t: Result(Seen("t"), 0.0))
    with pytest.raises(WrongUnchanged, match="tests: the core as it is: t"):
        runner.judge(of("undoes to the new value"))


def test_names_can_be_listed_and_none_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--kind", "written", "--only", "undoes to"]) == 0
    assert capsys.readouterr().out == "undoes to the new value\nundoes to the first value\n"
    assert main(["--only", "there is no such mutant"]) == 2
    assert "no name has this in it" in capsys.readouterr().err


def _at_home(at: object) -> Seen:
    return Seen()


@pytest.mark.slow
def test_a_layer_that_does_not_see_the_copy_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotTheCopy):
        look(tmp_path, Layer("home", _at_home, 10))


@cache
def by_tests() -> Runner:
    """What asks the fast tests; it looks at the unchanged core once."""
    return Runner([LAYERS["tests"]], explained())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "applies when a quorum has acked",
        "undoes to the new value",
        "skips the journal",
        "begins a view before all have reported",
        "the deadline of the last value alone counts",
        "lets the decoder's own errors through",
        "a message is whole without its last fragment",
    ],
)
def test_a_mistake_is_noticed(name: str) -> None:
    row = by_tests().judge(of(name))
    assert row.verdict == "killed", row


NOTICED = [r for r in rows(generated(), load()) if r.kill is not None and r.kill.layer == "tests"]
"""Those whose verdict counts: what has noticed them is as it was."""


@pytest.mark.slow
@pytest.mark.parametrize("row", NOTICED[::40], ids=lambda r: r.mutant.name)
def test_a_generated_mistake_is_noticed_as_its_verdict_says(row: Row) -> None:
    assert row.kill is not None
    again = by_tests().judge(row.mutant, {"tests": row.kill.by})
    assert again.kill is not None
    assert again.kill.by == row.kill.by


@pytest.mark.slow
def test_without_a_mistake_nothing_is_noticed() -> None:
    same = Mutant(name="same", file="change.py", old="", new="", at=0)
    row = Runner([Layer("one", one_test(ADOPTS), 60), LAYERS["conformance"]], {}).judge(same)
    assert row.verdict == "survives"
