"""Runs the layers on mutants, and keeps what has noticed which: the kill matrix."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from samebeat_conformance.mutants import reach
from samebeat_conformance.mutants.layers import Layer
from samebeat_conformance.mutants.place import function_of
from samebeat_conformance.mutants.table import Mutant, core
from samebeat_conformance.mutants.worker import Result, Task, look

Look = Callable[[Path, Layer, Task], Result]


class WrongUnchanged(RuntimeError):  # noqa: N818  (`except WrongUnchanged` is the sentence)
    """A layer finds something wrong with the core as it is, so it can say nothing of mutants."""


class Kill(msgspec.Struct, frozen=True):
    """One layer about one mutant.

    Attributes:
        layer: its name.
        by: the test, edge or promise that fails; empty: nothing does.
        seconds: how long that took.
        unknown: what it could not tell, and why.
    """

    layer: str
    by: str
    seconds: float
    unknown: str = ""


class Row(msgspec.Struct, frozen=True):
    """One mutant, and the layers that were asked about it; None: it was not judged."""

    mutant: Mutant
    asked: tuple[Kill, ...] | None
    because: str = ""

    @property
    def kill(self) -> Kill | None:
        """The first layer that has noticed it, if there is one."""
        return next((k for k in self.asked or () if k.by), None)

    @property
    def unknown(self) -> str:
        """What no layer could tell; empty: all that were asked have come to an end."""
        return "; ".join(k.unknown for k in self.asked or () if k.unknown)

    @property
    def verdict(self) -> str:
        """`killed`, `explained` or `survives`; `undetermined` or `not judged`.

        Or `killed, and explained`: a reason that is none.
        """
        if self.asked is None:
            return "not judged"
        if self.kill is not None:
            return "killed, and explained" if self.because else "killed"
        if self.unknown:
            return "undetermined"
        return "explained" if self.because else "survives"

    @property
    def is_right(self) -> bool:
        """Killed, or explained, and not both."""
        return self.verdict in {"killed", "explained"}


class Runner:
    """Puts mutants into copies of the core, one at a time.

    Args:
        layers: which to ask, in this order.
        explained: why some survive.
        all_layers: ask every layer that is not thorough, also after one has noticed.
        look: what runs one layer on one folder.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        explained: dict[str, str],
        all_layers: bool = False,
        look: Look = look,
    ) -> None:
        self._layers = layers
        self._explained = explained
        self._all_layers = all_layers
        self._look = look
        self._unchanged: dict[str, Result] = {}

    def _of_unchanged(self, layer: Layer) -> Result:
        """Return what a layer says of the core as it is, which notes what has run; asked once.

        Raises:
            WrongUnchanged: it finds something wrong.
        """
        if layer.name not in self._unchanged:
            with tempfile.TemporaryDirectory() as room:
                reach.with_notes(_copy(Path(room)))
                result = self._look(Path(room), layer, Task())
            if wrong := result.seen.wrong or result.seen.unknown:
                raise WrongUnchanged(f"{layer.name}: the core as it is: {wrong}")
            self._unchanged[layer.name] = result
        return self._unchanged[layer.name]

    def judge(self, mutant: Mutant, first: str = "") -> Row:
        """Ask the layers about one mutant; of the tests, the one that is named comes first."""
        asked: list[Kill] = []
        with tempfile.TemporaryDirectory() as room:
            path = _copy(Path(room)) / mutant.file
            source = path.read_text("utf-8")
            path.write_text(mutant.applied(source), "utf-8")
            for layer in self._layers:
                known = any(k.by for k in asked)
                if known and (layer.thorough or not self._all_layers):
                    continue
                task = self._task(layer, function_of(mutant, source), first)
                if task is not None:
                    asked.append(self._ask(Path(room), layer, task))
        return Row(mutant, tuple(asked), self._explained.get(mutant.name, ""))

    def _task(self, layer: Layer, function: str | None, first: str) -> Task | None:
        """Return what to ask a layer about a mistake in a function; None: it never runs that."""
        unchanged = self._of_unchanged(layer)
        if function is None or not any(unchanged.ran.values()):
            return Task(None, unchanged.costs)
        if not any(function in ran for ran in unchanged.ran.values()):
            return None
        tests = reach.of_tests(function, unchanged.ran, unchanged.costs)
        if tests is not None and first in tests:
            tests = (first, *(t for t in tests if t != first))
        return Task(tests, unchanged.costs)

    def _ask(self, room: Path, layer: Layer, task: Task) -> Kill:
        result = self._look(room, layer, task)
        by = result.seen.against(self._unchanged[layer.name].seen)
        return Kill(layer.name, by, round(result.seconds, 2), result.seen.unknown)


def _copy(room: Path) -> Path:
    """Copy the core into a folder and return where it is."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(core(), room / "samebeat", ignore=ignored))
