"""The live line: how far the current model is, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from samebeat_cli.output import console

if TYPE_CHECKING:
    from rich.live import Live

    from samebeat_models.progress import Snapshot


class Progress:
    """Shows one line on stderr while a command runs, and remembers what was said last.

    It is silent where stderr is no terminal. Use it as a context manager, and as the callable
    that engines report to. ``what`` is counted.
    """

    def __init__(self, total: int, what: str = "models") -> None:
        self.total = total
        self.what = what
        self.done = 0
        self.current = ""
        self.last: Snapshot | None = None
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if sys.stderr and sys.stderr.isatty():
            from rich.live import Live

            self._live = Live(console=console(stderr=True), refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def start(self, model: str) -> None:
        """Say that work on ``model`` (or on whatever is counted) begins."""
        self.current, self.last = model, None
        self._show(f"{model} ...")

    def finish(self) -> None:
        """Say that it is done."""
        self.done += 1
        self.current, self.last = "", None

    def __call__(self, snapshot: Snapshot) -> None:
        """Take a report from an engine."""
        self.last = snapshot
        self._show(describe(snapshot))

    def say(self, at: Iterable[str]) -> None:
        """Say what several processes are at."""
        self.current, self.last = "; ".join(at), None
        self._show(self.current)

    def how_far(self) -> str:
        """Return one sentence for somebody who interrupts the run."""
        said = f"{self.done} of {self.total} {self.what} checked"
        if self.last is not None:
            return f"{said}, stopped in {describe(self.last)}"
        return f"{said}, stopped in {self.current}" if self.current else said

    def _show(self, line: str) -> None:
        if self._live is not None:
            from rich.text import Text

            counter = f"[{self.done + 1}/{self.total}] "
            self._live.update(Text(counter + line, no_wrap=True, overflow="ellipsis"))


def describe(s: Snapshot) -> str:
    """Return ``group-3: 1,200,000 states, 3,100,000/s, depth 17, frontier 90,000, 120 MB``.

    Once the states are all there, say instead what is done with them.
    """
    if s.doing:
        return f"{s.model}: {s.states:,} states, {s.doing}, {s.memory_bytes / 1e6:,.0f} MB"
    return (
        f"{s.model}: {s.states:,} states, {s.rate:,.0f}/s, depth {s.depth}, "
        f"frontier {s.frontier:,}, {s.memory_bytes / 1e6:,.0f} MB"
    )
