"""A run of cores that was written to a file is made again: each line, and the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance import broken_cores

from samebeat_conformance.simulator.again import Again, again, is_run, read
from samebeat_conformance.simulator.disk import Unsynced
from samebeat_conformance.simulator.faults import (
    Ask,
    Crash,
    Cut,
    Item,
    Kind,
    MessageFate,
    Pause,
    Restart,
    SyncFate,
    WorkFate,
)
from samebeat_conformance.simulator.plans import plan_of
from samebeat_conformance.simulator.run import SECOND_US, Result, from_items, from_seed
from samebeat_conformance.simulator.trace import dumps
from samebeat_models.itf import TraceFileError

ITEMS: tuple[Item, ...] = (
    Ask(2 * SECOND_US, "a", (("heartbeat_interval", 2_000),)),
    SyncFate("a", 2, 40_000),
    MessageFate("a", "b", 3, Kind.DELAY, 30_000),
)


def _failing() -> Result:
    """A run of a core that commits on its own vote; it is wrong in the first change."""
    return from_items(plan_of(1, 3), ITEMS)


def _replayed(text: str) -> Again:
    assert is_run(text)
    return again(read(text, "run.itf.json"))


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of a failing run, of cores that are still as wrong."""
    broken_cores.commits_on_its_own_vote(monkeypatch)
    return dumps(_failing())


def test_a_failing_run_is_made_again_bit_for_bit_and_fails_in_the_same_way(text: str) -> None:
    found = _replayed(text)
    assert found.is_same
    assert found.result.promise == "step_of_the_spec"
    assert found.accepted == len(found.steps) > 5
    assert dumps(found.result) == text


def _states(text: str) -> tuple[list[str], int, int]:
    lines = text.splitlines()
    first = lines.index('  "states": [') + 1
    return lines, first, len(lines) - 2


def _edited(line: str) -> str:
    state = json.loads(line.rstrip(","))
    state["epoch"]["#map"][0][1] = {"#bigint": "7"}
    return json.dumps(state, ensure_ascii=False) + ("," if line.endswith(",") else "")


def _commas(lines: list[str], first: int, last: int) -> str:
    """Put a comma after each state but the last."""
    rows = [line.rstrip(",") for line in lines[first:last]]
    return "\n".join((*lines[:first], ",\n".join(rows), *lines[last:])) + "\n"


def test_an_edited_dropped_or_reordered_line_is_named(text: str) -> None:
    """One line each; all of them in the slow tests."""
    lines, first, last = _states(text)
    i = (first + last) // 2
    edited = [*lines[:i], _edited(lines[i]), *lines[i + 1 :]]
    swapped = [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]]
    assert _replayed("\n".join(edited)).line == i + 1
    assert _replayed(_commas([*lines[:i], *lines[i + 1 :]], first, last - 1)).line == i + 1
    assert _replayed(_commas(swapped, first, last)).line == i + 1


@pytest.mark.slow
def test_an_edited_line_is_refused_by_its_number(text: str) -> None:
    lines, first, last = _states(text)
    for i in range(first, last):
        found = _replayed("\n".join((*lines[:i], _edited(lines[i]), *lines[i + 1 :])))
        assert (found.accepted, found.line) == (i - first, i + 1)
        assert any(d.startswith("epoch is ") for d in found.differences)


@pytest.mark.slow
def test_a_dropped_line_is_refused_by_its_number(text: str) -> None:
    lines, first, last = _states(text)
    for i in range(first, last):
        found = _replayed(_commas([*lines[:i], *lines[i + 1 :]], first, last - 1))
        assert found.accepted == i - first
        assert found.line == (i + 1 if i < last - 1 else 0)
        assert found.refused


@pytest.mark.slow
def test_reordered_lines_are_refused_by_the_number_of_the_first(text: str) -> None:
    lines, first, last = _states(text)
    for i in range(first, last - 1):
        swapped = [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]]
        found = _replayed(_commas(swapped, first, last))
        assert (found.accepted, found.line) == (i - first, i + 1)


def _with(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    raw = json.loads(text)
    change(raw["#meta"])
    return json.dumps(raw, ensure_ascii=False)


@pytest.mark.slow
def test_a_fault_that_is_dropped_edited_or_put_in_makes_another_run(text: str) -> None:
    for change in (
        lambda m: m["faults"].pop(),
        lambda m: m["faults"][0].update(at_us=2_000_001),
        lambda m: m["faults"].append(m["faults"][2] | {"number": 4}),
        lambda m: m.update(seed=2),
    ):
        found = _replayed(_with(text, change))
        assert not found.is_same


@pytest.mark.parametrize(
    ("name", "value"),
    [("promise", "agreement"), ("description", "nothing"), ("digest", "0"), ("steps", 1)],
)
def test_what_the_file_says_of_its_end_must_come_out(text: str, name: str, value: object) -> None:
    found = _replayed(_with(text, lambda m: m.update({name: value})))
    assert (found.refused, found.is_same) == ("", False)
    assert found.differences[0].startswith(f"the file says {name} ")


@pytest.mark.slow
def test_a_core_that_is_mended_goes_on_where_the_file_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        broken_cores.commits_on_its_own_vote(patch)
        text = dumps(_failing())
    found = _replayed(text)
    assert not found.is_same
    assert found.result.promise == ""
    assert found.refused


@pytest.mark.slow
def test_every_kind_of_fault_comes_back_from_a_file() -> None:
    plan = plan_of(1, 3)
    items: tuple[Item, ...] = (
        *ITEMS,
        WorkFate("b", 2, Kind.FAILING_APPLY, SECOND_US, False),
        Crash(5 * SECOND_US, "c", 2, Unsynced.TORN, 300, True),
        Restart(9 * SECOND_US, "c"),
        Cut(10 * SECOND_US, 12 * SECOND_US, ("a",), ("b", "c")),
        Pause(14 * SECOND_US, 15 * SECOND_US, "b"),
    )
    result = from_items(plan, items)
    assert {type(i) for i in items} == {type(i) for i in read(dumps(result), "").items}
    assert _replayed(dumps(result)).is_same


@pytest.mark.slow
def test_a_whole_run_of_a_seed_is_made_again() -> None:
    assert _replayed(dumps(from_seed(2, 3))).is_same


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: m.update(seed="x"), "#meta: seed is missing, or no int"),
        (lambda m: m.update(nodes=2), "#meta: nodes is none of 3 to 9"),
        (lambda m: m["faults"][0].update(fault="Ask me"), "fault 1: no fault is called so"),
        (lambda m: m["faults"][0].pop("node"), "fault 1: a Ask says other things of itself"),
        (lambda m: m["faults"][0].update(node="z"), "fault 1: there is no node z in this run"),
        (lambda m: m["faults"][1].update(number="2"), "fault 2: Expected `int`, got `str`"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(
    text: str, change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    with pytest.raises(TraceFileError, match=problem.replace("`", ".")):
        _replayed(_with(text, change))


def test_a_trace_of_a_spec_is_no_run_of_cores() -> None:
    assert not is_run('{"#meta": {"format": "ITF", "spec": "group"}}')
    assert not is_run("no JSON")
