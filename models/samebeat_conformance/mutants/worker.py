"""A layer, run in a process of its own on a copy of the core."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from samebeat_conformance.mutants import reach
from samebeat_conformance.mutants.blame import is_of_the_core, words_of
from samebeat_conformance.mutants.layers import At, Layer, Seen

_MEMORY_BYTES = 4 * 2**30
_PRELOADED = [
    *("pytest", "hypothesis", "networkx", "typer", "samebeat_models.catalog"),
    *("samebeat_spec.specs", "samebeat_spec.language.interpreter"),
    "samebeat_conformance.mutants.preload",
]
"""Loaded once and shared by all that follow; nothing of the core."""
_LONGEST_SECONDS = 1_200
_TIMES = 10
"""What takes so many times its work does not come to an end."""
NO_END = ": does not come to an end"
"""What is said of it."""


class NotTheCopy(RuntimeError):  # noqa: N818  (`except NotTheCopy` is the sentence)
    """The layer has not looked at the copy, so what it says is about nothing."""


@dataclass(frozen=True)
class Done:
    """One thing that a layer has done: how much work it was, and what of the core has run."""

    what: str
    cpu_seconds: float
    ran: frozenset[str]


@dataclass(frozen=True)
class Task:
    """What a layer is asked to do.

    Attributes:
        tests: only these; None: all.
        costs: the work that each thing is for the unchanged core; None: this is that core.
    """

    tests: tuple[str, ...] | None = None
    costs: Mapping[str, float] | None = None

    def limit(self, layer: Layer, what: str) -> float:
        """Return after how much work on this thing the layer is ended."""
        known = (self.costs or {}).get(what, 0.0)
        unknown = _LONGEST_SECONDS if self.costs is None else layer.cpu_seconds
        return max(unknown, _TIMES * known)


@dataclass(frozen=True)
class Result:
    """What came of one layer: what it has seen, how long it took, and what it has done."""

    seen: Seen
    seconds: float
    done: tuple[Done, ...] = field(default=())

    @property
    def costs(self) -> dict[str, float]:
        """The work that each thing was."""
        return {d.what: d.cpu_seconds for d in self.done}

    @property
    def ran(self) -> dict[str, frozenset[str]]:
        """The functions that each thing has run."""
        return {d.what: d.ran for d in self.done}


class _Teller:
    """Tells what the layer is at, what it has done, and lets it have so much work for each."""

    def __init__(self, said: Connection, layer: Layer, task: Task) -> None:
        self._said, self._layer, self._task = said, layer, task
        self._what, self._since = "", time.process_time()

    def begin(self, what: str) -> None:
        """Begin with a thing; what was before it is done."""
        self.end()
        signal.setitimer(signal.ITIMER_PROF, self._task.limit(self._layer, what))  # then SIGPROF
        self._said.send(what)
        self._what = what

    def end(self) -> None:
        """Say what was done."""
        now, ran = time.process_time(), reach.taken()
        if self._what:
            self._said.send(Done(self._what, now - self._since, ran))
        self._since = now


def _work(said: Connection, folder: str, layer: Layer, task: Task) -> None:
    """Look at the core in `folder`; the first thing that is told must be that it is this one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.path.insert(0, folder)
    teller = _Teller(said, layer, task)
    teller.begin(_START)
    try:
        import samebeat
        import samebeat.node
    except Exception as error:
        said.send(_raised(error, folder, "the core cannot be imported: "))
        return
    if Path(samebeat.__file__).parent.parent != Path(folder):
        said.send(NotTheCopy(samebeat.__file__))
        return
    try:
        seen = layer.look(At(teller.begin, task.tests))
    except Exception as error:
        seen = _raised(error, folder)
    teller.end()
    said.send(seen)


def _raised(error: Exception, folder: str, before: str = "") -> Seen:
    """Return what an exception says: one that the core raises is noticed, and no other."""
    said = before + words_of(error)
    if is_of_the_core(error, Path(folder)):
        return Seen(said)
    return Seen(unknown=f"the harness itself: {said}")


_START = "its start"


def look(folder: Path, layer: Layer, task: Task = Task()) -> Result:
    """Return what a layer sees in the core of this folder.

    Raises:
        NotTheCopy: another core was imported.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ours, theirs = context.Pipe(duplex=False)
    began = time.perf_counter()
    process = context.Process(target=_work, args=(theirs, str(folder.resolve()), layer, task))
    process.start()
    theirs.close()
    at, done, last = "", [], None
    try:
        while ours.poll(_LONGEST_SECONDS):
            last = ours.recv()
            at = last if isinstance(last, str) else at
            if isinstance(last, Done):
                done.append(last)
    except EOFError:
        pass
    else:
        process.kill()
    process.join()
    if last is None:
        raise NotTheCopy(f"the layer {layer.name!r} has not started")
    if isinstance(last, NotTheCopy):
        raise last
    if not isinstance(last, Seen):
        last = _ended(at, process.exitcode, task)
    return Result(last, time.perf_counter() - began, tuple(done))


def _ended(at: str, exitcode: int | None, task: Task) -> Seen:
    """Return what it says that a layer was ended, or has died, while it was at something."""
    what = at.removeprefix("tests/impl/")
    if exitcode == -signal.SIGPROF and at in (task.costs or {}):
        return Seen(what + NO_END)
    return Seen(unknown=f"{what}: ended with {exitcode}, and it is not known how long it may take")
