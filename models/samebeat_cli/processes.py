"""Independent work in several processes: started, watched, and ended with this one.

What is worked on must not depend on each other. A process that dies takes the command with it:
what it was at is no pass.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for_one
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from samebeat_cli.errors import CommandError
from samebeat_models.results import Exit

if TYPE_CHECKING:
    from samebeat_cli.progress import Progress

T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[str], None]
Message = tuple[int, str]

EACH = 10
"""Unless told otherwise, so many tasks are worth a process."""
_SECONDS = 0.1
"""How often a process tells how far it is, and how often that is shown."""
_PRELOADED = ["samebeat_cli.exploring", "samebeat_models.check"]
"""Loaded once, and shared by all processes."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def how_many(jobs: int | None, tasks: int) -> int:
    """Return how many processes so many tasks are given; ``jobs`` is what the user wants."""
    return max(1, min(cores(), tasks // EACH) if jobs is None else min(jobs, tasks))


def work(
    function: Callable[[T, Tell], R],
    tasks: Sequence[T],
    names: Sequence[str],
    jobs: int,
    progress: Progress,
    order: Sequence[int] | None = None,
) -> list[R]:
    """Return what the function makes of each task, in order; it may tell how far it is.

    Args:
        function: one that a module defines; it, the tasks and the results are pickled.
        tasks: what is to be done.
        names: what each is called.
        jobs: how many processes do it.
        progress: is told what they are at.
        order: the numbers of the tasks, in the order in which they are begun.

    Raises:
        CommandError: a process has died.
        Exception: what the first task that fails has raised.
    """
    running: dict[int, str] = {}
    found = []
    try:
        with _pool(jobs) as (pool, said):
            with _deaf_to_ctrl_c():  # the processes inherit that
                begun = order or range(len(tasks))
                futures = {i: pool.submit(_one, function, i, tasks[i], names[i]) for i in begun}
            for i in range(len(tasks)):
                _await(futures[i], futures, said, running, progress)
                found.append(futures[i].result())
    except BrokenProcessPool:
        raise _died(running.values()) from None
    return found


def _await(
    future: Future[R],
    futures: Mapping[int, Future[R]],
    said: SimpleQueue[Message],
    running: dict[int, str],
    progress: Progress,
) -> None:
    """Wait for one task, and show meanwhile what all processes are at."""
    done = False
    while not done:
        done = bool(wait([future], _SECONDS).done)
        while not said.empty():
            number, what = said.get()
            running[number] = what
        finished = {i for i, f in futures.items() if f.done() and not _is_lost(f)}
        for number in finished & running.keys():
            del running[number]
        progress.done = len(finished)
        progress.say(running.values())


def _is_lost(future: Future[R]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _died(at: Iterable[str]) -> CommandError:
    names = " or ".join(said.partition(":")[0] for said in at)
    return CommandError(
        f"a process has died at {names or 'its start'}, perhaps for want of memory, so nothing is "
        "known; --jobs 1 does all in one process",
        Exit.INTERNAL,
    )


@contextmanager
def _pool(jobs: int) -> Iterator[tuple[ProcessPoolExecutor, SimpleQueue[Message]]]:
    """Make processes, and end them at once if anything goes wrong here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    said: SimpleQueue[Message] = context.SimpleQueue()
    pool = ProcessPoolExecutor(jobs, context, _begin, (said, str(Path.cwd())))
    try:
        yield pool, said
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        said.close()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- in a process -------------------------------------------------------------------------------

_said: SimpleQueue[Message]


def _begin(said: SimpleQueue[Message], folder: str) -> None:
    """Begin in the folder of the command, print nothing, end when it does."""
    global _said
    _said = said
    os.chdir(folder)
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    Thread(target=_end_with_the_command, daemon=True).start()


def _end_with_the_command() -> None:
    command = multiprocessing.parent_process()
    if command is not None:
        wait_for_one([command.sentinel])
        os._exit(1)


def _one(function: Callable[[T, Tell], R], number: int, task: T, name: str) -> R:
    """Do one task; what is told at short intervals is left out."""
    told = time.monotonic()
    _said.put((number, name))

    def tell(what: str) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS:
            told = time.monotonic()
            _said.put((number, what))

    return function(task, tell)
