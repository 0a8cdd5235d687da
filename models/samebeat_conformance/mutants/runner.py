"""Runs the layers on mutants, and keeps what has noticed which: the kill matrix."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from samebeat_conformance.mutants.layers import Layer, Seen
from samebeat_conformance.mutants.table import Mutant, core
from samebeat_conformance.mutants.worker import Result, look

Look = Callable[[Path, Layer], Result]


class WrongUnchanged(RuntimeError):  # noqa: N818  (`except WrongUnchanged` is the sentence)
    """A layer finds something wrong with the core as it is, so it can say nothing of mutants."""


class Kill(msgspec.Struct, frozen=True):
    """One layer about one mutant.

    Attributes:
        layer: its name.
        by: the test, edge or promise that fails; empty: nothing does.
        seconds: how long that took.
    """

    layer: str
    by: str
    seconds: float


class Row(msgspec.Struct, frozen=True):
    """One mutant, and the layers that were asked about it."""

    mutant: Mutant
    asked: tuple[Kill, ...]
    because: str = ""

    @property
    def kill(self) -> Kill | None:
        """The first layer that has noticed it, if there is one."""
        return next((k for k in self.asked if k.by), None)

    @property
    def verdict(self) -> str:
        """`killed`, `explained`, `survives`; or `killed, and explained`: a reason that is none."""
        if self.kill is not None:
            return "killed, and explained" if self.because else "killed"
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
        self._unchanged: dict[str, Seen] = {}

    def judge_unchanged(self) -> None:
        """Ask the layers about the core as it is.

        Raises:
            WrongUnchanged: one finds something wrong.
        """
        with tempfile.TemporaryDirectory() as room:
            _copy(Path(room))
            for layer in self._layers:
                seen = self._look(Path(room), layer).seen
                if seen.wrong:
                    raise WrongUnchanged(f"{layer.name}: the core as it is: {seen.wrong}")
                self._unchanged[layer.name] = seen

    def judge(self, mutant: Mutant) -> Row:
        """Ask the layers about one mutant."""
        if not self._unchanged:
            self.judge_unchanged()
        asked: list[Kill] = []
        with tempfile.TemporaryDirectory() as room:
            path = _copy(Path(room)) / mutant.file
            path.write_text(mutant.applied(path.read_text("utf-8")), "utf-8")
            for layer in self._layers:
                known = any(k.by for k in asked)
                if known and (layer.thorough or not self._all_layers):
                    continue
                result = self._look(Path(room), layer)
                by = result.seen.against(self._unchanged[layer.name])
                asked.append(Kill(layer.name, by, round(result.seconds, 2)))
        return Row(mutant, tuple(asked), self._explained.get(mutant.name, ""))

    def judge_all(self, mutants: Iterable[Mutant]) -> Iterable[Row]:
        """Yield a row for each mutant, as it is known."""
        yield from map(self.judge, mutants)


def _copy(room: Path) -> Path:
    """Copy the core into a folder and return where it is."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(core(), room / "samebeat", ignore=ignored))
