"""`samebeat claims` names a function of the core and a test for each element; both are there."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebeat_conformance.handlers import HANDLED, NOT_IN_THE_CORE, function
from samebeat_conformance.mutants.layers import Layer, one_test
from samebeat_conformance.mutants.runner import Runner
from samebeat_conformance.mutants.table import Mutant, core
from samebeat_spec.claims import CLAIMS, DESIGN_NOTES

TOP = Path(__file__).resolve().parents[2]
PAIRS = sorted({(f, h.test) for h in HANDLED.values() for f in h.functions})


def names_in(path: Path) -> Iterator[str]:
    """The tests of a file, as pytest names them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield f"{path.relative_to(TOP).as_posix()}::{node.name}"


def test_every_element_that_is_behaviour_has_a_handler_or_a_reason_why_not() -> None:
    behaviour = {c.id for c in CLAIMS + DESIGN_NOTES if c.behaviour}
    assert set(HANDLED) | set(NOT_IN_THE_CORE) == behaviour
    assert set(HANDLED) & set(NOT_IN_THE_CORE) == set()


@pytest.mark.parametrize("name", sorted({f for f, _ in PAIRS}))
def test_every_handler_is_a_function_of_the_core(name: str) -> None:
    assert callable(function(name))


def test_every_test_of_a_handler_is_there() -> None:
    named = {h.test for h in HANDLED.values()}
    there = {t for path in (TOP / "tests" / "impl").glob("test_*.py") for t in names_in(path)}
    assert named <= there


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("samebeat.change.gone", "samebeat.change.gone: there is no gone"),
        ("samebeat.gone.ask", "samebeat.gone.ask: there is no module samebeat.gone"),
        ("samebeat.node.Node.gone", "samebeat.node.Node.gone: there is no gone"),
        ("samebeat.change.NOTHING", "samebeat.change.NOTHING: this is no function"),
    ],
)
def test_a_handler_that_is_gone_is_an_error_that_says_where(name: str, problem: str) -> None:
    with pytest.raises(LookupError, match=re.escape(problem)):
        function(name)


def without_body(name: str) -> Mutant:
    """The core in which this function raises an error."""
    code = function(name).__code__
    path = Path(code.co_filename)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = node.body[1] if ast.get_docstring(node) else node.body[0]
            if node.decorator_list[:1] and node.decorator_list[0].lineno == code.co_firstlineno:
                break
            if node.lineno == code.co_firstlineno:
                break
    else:
        raise AssertionError(f"{name} has a body")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = sum(map(len, lines[: first.lineno - 1]))
    new = " " * first.col_offset + "raise RuntimeError('emptied')\n"
    return Mutant(name=name, file=path.name, old="", new=new, at=at)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the layers run where there is fork")
@pytest.mark.parametrize("name", sorted({f for f, _ in PAIRS}))
def test_a_test_fails_when_its_handler_does_nothing(name: str) -> None:
    """So it is that function which the test exercises, each of the tests that name it."""
    assert core() == TOP / "impl" / "samebeat"
    layers = [
        Layer(test, one_test(test), 60) for test in sorted({t for f, t in PAIRS if f == name})
    ]
    row = Runner(layers, {}, all_layers=True).judge(without_body(name))
    assert [kill.layer for kill in row.asked or () if kill.by] == [x.name for x in layers]
