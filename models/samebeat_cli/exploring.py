"""Models explored one after the other, or several at once; what comes of it is the same.

Several processes share the memory that one may use, in equal parts. A model that does not fit into
its part is explored again when they have ended, in this process, with all of the memory.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from samebeat_cli.loader import load_file
from samebeat_cli.processes import Tell, work
from samebeat_cli.progress import Progress, describe
from samebeat_cli.selection import Selected, shipped_spec
from samebeat_models.catalog import Model
from samebeat_models.progress import Budget, Snapshot
from samebeat_models.progress import Progress as Watcher
from samebeat_models.results import Exploration, Row, Verdict
from samebeat_spec.language import Figure, Instance, Spec

if TYPE_CHECKING:
    from samebeat_models.explorer.checkpoint import Checkpoints
    from samebeat_models.figures import Measured


@dataclass(frozen=True)
class Wanted:
    """What is wanted of each model: within what budget, and whether ``figures`` are measured.

    With ``traces``, figures come with runs that show them.
    """

    budget: Budget
    figures: bool = False
    traces: bool = False


@dataclass(frozen=True)
class Explored:
    """What came of a model; ``short`` says why the search ended before it had to, if it did."""

    rows: tuple[Row, ...]
    measured: tuple[Measured, ...] = ()
    short: str = ""


def explore(
    selection: Sequence[Selected],
    wanted: Wanted,
    folders: Mapping[str, Checkpoints],
    jobs: int,
    progress: Progress,
) -> Iterator[tuple[Selected, Explored]]:
    """Yield each model with what came of it, in order.

    Raises:
        CommandError: a process has died.
    """
    known = _explored_in_processes(selection, wanted, jobs, progress) if jobs > 1 else {}
    progress.done = len(known)
    for selected in selection:
        if selected.name in known:
            yield selected, known[selected.name]
            continue
        progress.start(selected.name)
        kept = folders.get(selected.name)
        yield selected, _explore_one(selected, wanted, progress, kept)
        progress.finish()


def _explore_one(
    selected: Selected, wanted: Wanted, watcher: Watcher, kept: Checkpoints | None = None
) -> Explored:
    from samebeat_models.check import check_model

    model, spec, budget = selected.model, selected.spec, wanted.budget
    exploration, rows = check_model(model, spec, budget, watcher, kept)
    measured: tuple[Measured, ...] = ()
    if wanted.figures:
        from samebeat_models.figures import MOST_STATES, figures_of_model, held_against_pins

        limit = min(budget.states or MOST_STATES, MOST_STATES)
        measured = figures_of_model(
            model, spec, exploration, rows, limit=limit, traces=wanted.traces
        )
        rows = held_against_pins(model, rows, measured)
    short = ""
    if _falls_short(selected, exploration, rows):
        short = f"{selected.name}: {exploration.incomplete_reason}{how_to_go_on(kept)}"
    return Explored(rows, measured, short)


def _falls_short(selected: Selected, exploration: Exploration, rows: Sequence[Row]) -> bool:
    """Return whether a search ended before it had to; a control's ends when it is caught."""
    undecided = any(row.verdict is Verdict.UNDETERMINED for row in rows)
    return not exploration.exhaustive and (undecided or not selected.model.is_control)


def how_to_go_on(kept: Checkpoints | None) -> str:
    """Return what is said to somebody whose search has left a checkpoint."""
    if kept is None or kept.depth is None:
        return ""
    return f"; --resume goes on from depth {kept.depth}"


# --- in several processes -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """A model; its spec is loaded by name, or from the user's file."""

    model: Model
    source: str
    wanted: Wanted


class _DoesNotFit(Exception):  # noqa: N818  (`except _DoesNotFit` is the sentence)
    """A model needs more than its part of the memory."""


@dataclass(frozen=True)
class _Share(Budget):
    """A budget of which the memory is a part of what one process may use."""

    def exceeded(self, now: Snapshot) -> str:
        """Return what has been used up, as ever; but end it all if that is the memory."""
        if Budget(memory_mb=self.memory_mb).exceeded(now):
            raise _DoesNotFit
        return super().exceeded(now)


def _explored_in_processes(
    selection: Sequence[Selected], wanted: Wanted, jobs: int, progress: Progress
) -> dict[str, Explored]:
    """Return what came of the models, by name, but for those that did not fit."""
    budget = wanted.budget
    part = None if budget.memory_mb is None else budget.memory_mb / jobs
    share = replace(wanted, budget=_Share(budget.states, budget.seconds, part, budget.spent))
    tasks = [_Task(s.model, s.source, share) for s in selection]
    longest_first = sorted(range(len(tasks)), key=lambda i: -(tasks[i].model.transitions or 0))
    names = [s.name for s in selection]
    done = work(_explored, tasks, names, jobs, progress, longest_first)
    pairs = zip(selection, done, strict=True)
    return {s.name: _unpacked(packed, s) for s, packed in pairs if packed is not None}


def _explored(task: _Task, tell: Tell) -> bytes | None:
    """Explore a model in a process of its own; None if it does not fit."""
    selected = Selected(task.model, _spec(task.source, task.model.spec), task.source)
    try:
        return _packed(_explore_one(selected, task.wanted, lambda now: tell(describe(now))))
    except (_DoesNotFit, MemoryError):
        return None


def _spec(source: str, name: str) -> Spec:
    return _specs_of(source)[name] if source else shipped_spec(name)


@cache
def _specs_of(source: str) -> dict[str, Spec]:
    return load_file(Path(source))[1]


class _Packer(pickle.Pickler):
    """Leaves out what belongs to a spec: both sides have it."""

    def persistent_id(self, value: object) -> str | None:
        """Return what stands for an instance or a figure."""
        if isinstance(value, Figure):
            return value.name
        return "" if isinstance(value, Instance) else None


class _Unpacker(pickle.Unpickler):
    """Puts in again what was left out."""

    def __init__(self, packed: bytes, selected: Selected) -> None:
        super().__init__(BytesIO(packed))
        self._selected = selected

    def persistent_load(self, name: str) -> Instance | Figure:
        """Return what a name stands for."""
        if name:
            return next(f for f in self._selected.spec.figures if f.name == name)
        return self._selected.instance()


def _packed(explored: Explored) -> bytes:
    packed = BytesIO()
    _Packer(packed).dump(explored)
    return packed.getvalue()


def _unpacked(packed: bytes, selected: Selected) -> Explored:
    found = _Unpacker(packed, selected).load()
    assert isinstance(found, Explored)
    return found
