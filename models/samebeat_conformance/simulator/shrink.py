"""What is left of a run that fails when every fault is taken out that it fails without.

Delta debugging (Zeller and Hildebrandt, 2002): larger parts first, then smaller ones, until no
single fault can be taken out. Then times are made smaller, as far as the run fails all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from samebeat_conformance.simulator.faults import (
    Ask,
    Crash,
    Cut,
    Item,
    MessageFate,
    Pause,
    Restart,
    SyncFate,
    WorkFate,
)
from samebeat_conformance.simulator.run import Result, from_items

MOST_EVENTS = 1_500_000
"""Tries may give cores so many inputs together; then what is left may have a fault too many."""


@dataclass(frozen=True)
class Shrunk:
    """A run that is as short as it got.

    Attributes:
        result: the run.
        tries: how many runs that took.
        is_minimal: no single fault can be taken out of it.
    """

    result: Result
    tries: int
    is_minimal: bool


Replays = Callable[[Sequence[Item]], Result]


def shrink(failed: Result, replays: Replays | None = None) -> Shrunk:
    """Return the shortest run found that breaks the same promise."""
    runs = _Runs(failed, replays or (lambda items: from_items(failed.plan, items)))
    assert runs.fails(failed.items), "the run fails again"
    _by_kind(runs)
    _halve(runs)
    _simplify(runs)
    return Shrunk(runs.best, runs.tries, runs.events < MOST_EVENTS)


class _Runs:
    """Tries lists of faults, and keeps the last one that fails."""

    def __init__(self, failed: Result, replays: Replays) -> None:
        self.best, self.tries, self.events = failed, 0, 0
        self._replays = replays

    @property
    def items(self) -> tuple[Item, ...]:
        return self.best.items

    def fails(self, items: Sequence[Item]) -> bool:
        """Return whether a run breaks the same promise; then it is the best so far."""
        if self.events >= MOST_EVENTS:
            return False
        self.tries += 1
        found = self._replays(items)
        self.events += found.events
        if found.promise != self.best.promise:
            return False
        self.best = found
        return True


def _by_kind(runs: _Runs) -> None:
    """Take out everything, or else all faults of a kind: most runs need few kinds."""
    if runs.fails(()):
        return
    for kind in (MessageFate, SyncFate, WorkFate, Cut, Pause, Restart, Crash, Ask):
        rest = tuple(i for i in runs.items if not isinstance(i, kind))
        if len(rest) < len(runs.items):
            runs.fails(rest)


def _halve(runs: _Runs) -> None:
    """Take out parts of the list, in halves first, and then in smaller parts."""
    parts = 2
    while len(runs.items) > 1:
        size = -(-len(runs.items) // parts)
        items = runs.items
        starts = range(0, len(items), size)
        smaller = any(runs.fails((*items[:i], *items[i + size :])) for i in starts)
        if smaller:
            parts = max(parts - 1, 2)
        elif size == 1:
            return
        else:
            parts = min(2 * parts, len(items))


def _simplify(runs: _Runs) -> None:
    """Let nothing be late for longer than it must, and no crash come later than it must."""
    for item in runs.items:
        for simpler in _simpler(item):
            if runs.fails(tuple(simpler if i == item else i for i in runs.items)):
                break


def _simpler(item: Item) -> Sequence[Item]:
    match item:
        case Ask() if len(item.values) > 1:
            return [replace(item, values=item.values[:1])]
        case Crash() if item.after:
            return [replace(item, after=0)]
        case MessageFate() if item.late_us > 100_000:
            return [replace(item, late_us=10_000), replace(item, late_us=100_000)]
    return []
