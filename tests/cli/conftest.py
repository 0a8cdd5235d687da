"""What the tests of the command line share: a way to run it, a protocol in a file, a stub."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from samebeat_cli import selection
from samebeat_cli.main import main
from samebeat_models import Model
from samebeat_models.results import Exit, Exploration, Row, Trace, Verdict
from samebeat_spec.language import Spec

ROOM = '''\
"""Clients enter a room, one at a time.

Not modelled: how they knock.
"""

from samebeat_models import Model, Without
from samebeat_spec.language import (
    Enumeration, Formula, Sort, State, action, element, exists, flag, forall, function, guard,
    implies, initial, invariant, terminal, witness,
)


class Client(Sort, symmetric=True):
    """Who wants in."""


class Where(Enumeration):
    OUT = element("has not been inside")
    IN = element("is inside")
    GONE = element("has been inside")


class Room(State):
    """Who is where."""

    where = function(Client, to=Where)
    """where a client is"""
    taken = flag()


@initial
def start(s: Room) -> None:
    """All are outside."""


@action(claims=("1(a)",))
def enter(s: Room, c: Client) -> None:
    """`c` enters."""
    guard(~s.taken, "the room is free")
    guard(s.where[c] == Where.OUT, "c is outside")

    s.where[c] = Where.IN
    s.taken = True


@action(claims=("1(b)",))
def leave(s: Room, c: Client) -> None:
    """`c` leaves."""
    guard(s.where[c] == Where.IN, "c is inside")

    s.where[c] = Where.GONE
    s.taken = False


@invariant(claims=("1(f)",))
def alone(s: Room) -> Formula:
    """At most one client is inside."""
    inside = lambda c: s.where[c] == Where.IN
    return forall(Client, Client, lambda c, d: implies(inside(c) & inside(d), c == d))


@witness()
def somebody(s: Room) -> Formula:
    """Somebody is inside."""
    return exists(Client, lambda c: s.where[c] == Where.IN)


@terminal
def all_gone(s: Room) -> Formula:
    """All have been inside."""
    return forall(Client, lambda c: s.where[c] == Where.GONE)


MODELS = [
    Model(name="room", about="Two clients.", sizes={"Client": 2}),
    Model(
        name="room-open",
        about="Nobody looks first.",
        sizes={"Client": 2},
        without=Without("enter", "the room is free"),
        violates=("alone",),
    ),
]
'''


@dataclass(frozen=True)
class Ran:
    """What came of one command line."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line as the shell would: exit code, stdout, stderr."""

    def call(*arguments: object) -> Ran:
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def fails(run: Run) -> Callable[..., str]:
    """Run a command line that must end in one line on stderr; return that line."""

    def call(code: int, *arguments: object) -> str:
        ran = run(*arguments)
        assert ran.code == code, ran
        assert ran.out == ""
        assert ran.err.startswith("samebeat: ")
        assert ran.err.count("\n") == 1
        assert "Traceback" not in ran.err
        return ran.err

    return call


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A protocol of a user's, in the working folder, with a right model and a wrong one."""
    monkeypatch.chdir(tmp_path)
    path = Path("room.py")
    path.write_text(ROOM, "utf-8")
    return path


@pytest.fixture
def room_text() -> str:
    """The text of that protocol."""
    return ROOM


Stub = Callable[[Callable[[Model, Spec], Sequence[Row]]], None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Put a function in the place of the explorer: what it returns are a model's rows."""

    def install(judge: Callable[[Model, Spec], Sequence[Row]]) -> None:
        def check_model(
            model: Model, spec: Spec, budget: Any, progress: Any, kept: Any
        ) -> tuple[Exploration, tuple[Row, ...]]:
            rows = tuple(judge(model, spec))
            reason = "the budget of 1 state" if any(r.exit == 3 for r in rows) else ""
            found = Exploration(
                model.instance(spec), 1, 1, 1, 0.0, (), {}, incomplete_reason=reason
            )
            return found, rows

        module = ModuleType("samebeat_models.check")
        module.check_model = check_model  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "samebeat_models.check", module)

    return install


@pytest.fixture
def result() -> Callable[..., Row]:
    """Make a row of a report about ``alone`` in the model ``room``, as expected unless told."""

    def make(
        name: str = "alone",
        verdict: Verdict = Verdict.HOLDS,
        end: Exit = Exit.OK,
        trace: Trace | None = None,
        **more: Any,
    ) -> Row:
        values = {
            "model": "room",
            "property": name,
            "kind": "invariant",
            "claims": ("1(f)",),
            "verdict": verdict,
            "expected": verdict if end is Exit.OK else Verdict.HOLDS,
            "states": 1234,
            "transitions": 5678,
            "depth": 9,
            "seconds": 0.25,
            "exit": end,
            "trace": trace,
        }
        return Row(**{**values, **more})

    return make


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put other models in the place of the shipped ones."""

    def install(*models: Model) -> None:
        monkeypatch.setattr(selection, "load_catalog", lambda: models)
        selection.catalog.cache_clear()

    yield install
    selection.catalog.cache_clear()
