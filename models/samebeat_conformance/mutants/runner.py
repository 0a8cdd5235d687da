"""Runs the layers on mutants, and keeps what has noticed which: the kill matrix."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import msgspec

from samebeat_conformance.mutants import reach
from samebeat_conformance.mutants.layers import TESTS, Layer, one_test
from samebeat_conformance.mutants.place import function_of
from samebeat_conformance.mutants.table import Mutant, core
from samebeat_conformance.mutants.worker import NO_END, Result, Task, look

NONE: Mapping[str, str] = MappingProxyType({})
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
        runs: it runs the function with the mistake; if not, it was not asked and cannot notice.
    """

    layer: str
    by: str
    seconds: float
    unknown: str = ""
    runs: bool = True


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

    def _of_unchanged(self, layer: Layer, test: str = "") -> Result:
        """Return what a layer says of the core as it is, which notes what has run; asked once.

        With `test` it is that one alone.

        Raises:
            WrongUnchanged: it finds something wrong.
        """
        name = test or layer.name
        if name not in self._unchanged:
            with tempfile.TemporaryDirectory() as room:
                reach.with_notes(_copy(Path(room)))
                result = self._look(Path(room), layer, Task())
            if wrong := result.seen.wrong or result.seen.unknown:
                raise WrongUnchanged(f"{layer.name}: the core as it is: {wrong}")
            self._unchanged[name] = result
        return self._unchanged[name]

    def judge(
        self,
        mutant: Mutant,
        killers: Mapping[str, str] = NONE,
        known: Sequence[Kill] = (),
    ) -> Row:
        """Ask the layers about one mutant.

        Args:
            mutant: the mistake.
            killers: by layer, what has noticed it before. Such a layer is asked first, and of tests
                that one first, by itself.
            known: what layers have said that need not be asked again.
        """
        asked = list(known)
        with tempfile.TemporaryDirectory() as room:
            path = _copy(Path(room)) / mutant.file
            source = path.read_text("utf-8")
            path.write_text(mutant.applied(source), "utf-8")
            function = function_of(mutant, source)
            for layer in self._in_order(killers):
                noticed = any(k.by for k in asked)
                done = any(k.layer == layer.name for k in asked)
                if done or (noticed and (layer.thorough or not self._all_layers)):
                    continue
                killer = killers.get(layer.name, "")
                kill = self._ask_again(Path(room), layer, killer) if killer else None
                asked.append(kill or self._ask(Path(room), layer, function))
        return Row(mutant, tuple(asked), self._explained.get(mutant.name, ""))

    def _in_order(self, killers: Mapping[str, str]) -> list[Layer]:
        return sorted(self._layers, key=lambda layer: not killers.get(layer.name))

    def _ask(self, room: Path, layer: Layer, function: str | None) -> Kill:
        """Ask a layer about a mistake in a function, with all that runs it."""
        unchanged = self._of_unchanged(layer)
        tests = None
        if function is not None and any(unchanged.ran.values()):
            if not any(function in ran for ran in unchanged.ran.values()):
                return Kill(layer.name, "", 0.0, runs=False)
            tests = reach.of_tests(function, unchanged.ran, unchanged.costs)
        return self._answer(room, layer, Task(tests, unchanged.costs), unchanged)

    def _ask_again(self, room: Path, layer: Layer, killer: str) -> Kill | None:
        """Ask the one test that has noticed it before; None: it does not any more, or is gone."""
        test = killing_test(layer, killer)
        if not test:
            return None
        single = replace(layer, look=one_test(test))
        try:
            unchanged = self._of_unchanged(single, test)
        except WrongUnchanged:
            return None
        kill = self._answer(room, single, Task(None, unchanged.costs), unchanged)
        return kill if kill.by else None

    def _answer(self, room: Path, layer: Layer, task: Task, unchanged: Result) -> Kill:
        result = self._look(room, layer, task)
        by = result.seen.against(unchanged.seen)
        return Kill(layer.name, by, round(result.seconds, 2), result.seen.unknown)


def killing_test(layer: Layer, killer: str) -> str:
    """Return the test that has noticed something, as pytest names it; empty: it was no test."""
    if layer.name not in TESTS or "::" not in killer:
        return ""
    return f"tests/impl/{killer.removesuffix(NO_END)}"


def _copy(room: Path) -> Path:
    """Copy the core into a folder and return where it is."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(core(), room / "samebeat", ignore=ignored))
