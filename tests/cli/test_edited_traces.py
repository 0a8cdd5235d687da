"""`samebeat replay` exits with an error for each trace that was edited and is no run any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samebeat_cli.loader import load_file
from samebeat_models.itf import TraceFileError, decode, dumps, loads
from samebeat_models.results import Exit, Step, Trace
from samebeat_spec.language import StateError
from samebeat_spec.language.interpreter import Interpreter, Refused

from .conftest import Run

STORY = (
    Step("enter", (0,), (1, 0, 1)),
    Step("leave", (0,), (2, 0, 0)),
    Step("enter", (1,), (2, 1, 1)),
    Step("leave", (1,), (2, 2, 0)),
)


def whole(room: Path) -> dict[str, Any]:
    """The file of a run in which one client enters and leaves, and then the other one."""
    models, specs = load_file(room)
    model, spec = models[0], specs["room"]
    text = dumps(Trace(model.instance(spec), (0, 0, 0), STORY), model, spec)
    found: dict[str, Any] = json.loads(text)
    return found


def numbered(file: dict[str, Any], states: list[Any]) -> dict[str, Any]:
    """The file with these states, numbered as they stand."""
    copies = [{**s, "#meta": {**s["#meta"], "index": i}} for i, s in enumerate(states)]
    return {**file, "states": copies}


def edits(file: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """One line dropped (but for the last), or two in each other's place, or another client."""
    states = file["states"]
    for i in range(len(states) - 1):
        yield f"without line {i}", numbered(file, states[:i] + states[i + 1 :])
    for i in range(len(states)):
        for j in range(i + 1, len(states)):
            other = [*states]
            other[i], other[j] = states[j], states[i]
            yield f"lines {i} and {j} swapped", numbered(file, other)
    for i in range(1, len(states)):
        text = json.dumps(states[i]["#meta"])
        meta = json.loads(text.replace("c1", "c0").replace("c2", "c1").replace("c0", "c2"))
        changed = {**states[i], "#meta": meta}
        yield (
            f"another client in line {i}",
            numbered(file, [*states[:i], changed, *states[i + 1 :]]),
        )


def is_run(room: Path, file: dict[str, Any]) -> bool:
    """Whether the interpreter takes each step from its state to the next."""
    models, specs = load_file(room)
    try:
        trace = decode(loads(json.dumps(file), "t.itf.json"), models[0], specs["room"])
    except TraceFileError:
        return False
    judge = Interpreter(trace.instance)
    try:
        return trace.initial in judge.initial_states() and all(
            judge.step(judge.spec.find_action(s.action), s.arguments, before) == s.state
            for before, s in zip(trace.states, trace.steps, strict=False)
        )
    except (Refused, StateError):
        return False


@pytest.mark.slow
def test_every_dropped_swapped_or_edited_line_is_an_exit_code(run: Run, room: Path) -> None:
    file = whole(room)
    assert is_run(room, file)
    path = Path("t.itf.json")
    path.write_text(json.dumps(file), "utf-8")
    assert run("replay", path, "--model", room).code == Exit.OK
    wrong = {}
    for what, edited in edits(file):
        assert not is_run(room, edited), what
        path.write_text(json.dumps(edited), "utf-8")
        wrong[what] = run("replay", path, "--model", room).code
    assert len(wrong) == 4 + 10 + 4
    assert set(wrong.values()) <= {Exit.NOT_AS_PINNED, Exit.BAD_FILE}, wrong
