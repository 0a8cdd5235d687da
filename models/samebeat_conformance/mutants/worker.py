"""A layer, run in a process of its own on a copy of the core."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from samebeat_conformance.mutants.layers import Layer, Seen

_MEMORY_BYTES = 4 * 2**30
_PRELOADED = [
    *("pytest", "hypothesis", "networkx", "typer", "samebeat_models.catalog"),
    *("samebeat_spec.specs", "samebeat_spec.language.interpreter"),
]
"""Loaded once and shared by all that follow; nothing of the core."""
_LONGEST_SECONDS = 1_200


class NotTheCopy(RuntimeError):  # noqa: N818  (`except NotTheCopy` is the sentence)
    """The layer has not looked at the copy, so what it says is about nothing."""


@dataclass(frozen=True)
class Result:
    """What came of one layer: what it has seen, and how long it took."""

    seen: Seen
    seconds: float


def _work(said: Connection, folder: str, layer: Layer) -> None:
    """Look at the core in `folder`; the first thing that is told must be that it is this one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.path.insert(0, folder)
    try:
        import samebeat
    except Exception as error:
        said.send(Seen(f"the core cannot be imported: {type(error).__name__}"))
        return
    if Path(samebeat.__file__).parent.parent != Path(folder):
        said.send(NotTheCopy(samebeat.__file__))
        return

    def at(what: str) -> None:
        """Tell what the layer is at, and let it have so much work until it is at the next."""
        signal.setitimer(signal.ITIMER_PROF, layer.cpu_seconds)  # then SIGPROF ends the process
        said.send(what)

    at("its start")
    try:
        said.send(layer.look(at))
    except Exception as error:
        said.send(
            Seen(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        )


def look(folder: Path, layer: Layer) -> Result:
    """Return what a layer sees in the core of this folder.

    Raises:
        NotTheCopy: another core was imported.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ours, theirs = context.Pipe(duplex=False)
    began = time.perf_counter()
    process = context.Process(target=_work, args=(theirs, str(folder.resolve()), layer))
    process.start()
    theirs.close()
    at, last = "", None
    try:
        while ours.poll(_LONGEST_SECONDS):
            last = ours.recv()
            at = last if isinstance(last, str) else at
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
        last = Seen(f"{at.removeprefix('tests/impl/')}: does not come to an end")
    return Result(last, time.perf_counter() - began)
