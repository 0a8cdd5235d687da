"""Where reports go: the terminal, and files that are either whole or not there."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

from samebeat_cli.errors import CommandError

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 140
"""Columns where nobody says how wide the output is (a pipe, a CI log)."""


def console(stderr: bool = False) -> Console:
    """Return a rich console; as wide as the terminal, or ``WIDE`` where there is none."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


class OutputClosed(Exception):  # noqa: N818 - nothing went wrong
    """Whoever read our output has stopped reading (``| head``)."""


@contextmanager
def guarded_stdout() -> Iterator[None]:
    """Make whatever is wrong with stdout one error, raised here at the latest.

    Raises:
        CommandError: it cannot be written, for example because a disk is full.
        OutputClosed: its reader has left.
    """
    guard = _Stdout(sys.stdout)
    with redirect_stdout(cast(TextIO, guard)):
        try:
            yield
        finally:
            guard.flush()


class _Stdout:
    """A stream that gives up at its first error: what is left in its buffer is let go.

    The error is raised again at every use, since libraries that try a stream out swallow it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        if stream is None:  # as Python has it if the file descriptor is closed
            raise CommandError("stdout: cannot be written: it is closed")
        self._stream = stream
        self._error: CommandError | OutputClosed | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._guard():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._guard():
            self._stream.flush()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        if self._error is None:
            try:
                yield
                return
            except OSError as error:
                self._error = self._give_up(error)
        raise self._error

    def _give_up(self, error: OSError) -> CommandError | OutputClosed:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            return OutputClosed()
        return CommandError(f"stdout: cannot be written: {error.strerror}")


def path_option(text: str) -> Path:
    """Return the path that an option names; use it as the option's parser.

    Raises:
        typer.BadParameter: it is empty, which ``Path`` would take for the current folder.
    """
    if not text:
        raise typer.BadParameter("the path is empty")
    return Path(text)


def check_can_write(path: Path) -> None:
    """Refuse a report file that could not be written, before any work is done.

    Raises:
        CommandError: it is a folder, or its folder is missing or not writable.
    """
    if os.path.isdir(path):  # noqa: PTH112 - unlike `Path.is_dir`, it raises nothing
        raise CommandError(f"{path}: cannot be written: it is a folder")
    try:
        if _is_replaceable(path):
            _check_folder(_target(path).parent, str(path))
        elif not os.access(path, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make an output folder and see that files can be put there.

    Raises:
        CommandError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: cannot be made: {error.strerror}") from None
    _check_folder(folder, str(folder))


def write_file(path: Path, text: str) -> None:
    """Write a file under a temporary name and put it in place when it is whole.

    A link stays, and the file that it leads to is written. A device or a pipe is never replaced.

    Raises:
        CommandError: it cannot be written; nothing is left behind.
    """
    try:
        if _is_stdout(path):
            sys.stdout.write(text)
        elif _is_replaceable(path):
            _replace(_target(path), text)
        else:
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def emit(text: str, output: Path | None) -> None:
    """Print a text that ends its last line, or write it to a file."""
    if output is None:
        sys.stdout.write(text)
    else:
        write_file(output, text)


def file_name(*parts: str) -> str:
    """Return a file name made of ``parts``, with nothing in it that a file system minds."""
    return ".".join(re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-") for part in parts)


def _target(path: Path) -> Path:
    """Return the file that a path leads to, links followed; it need not exist."""
    return Path(os.path.realpath(path))


def _is_replaceable(path: Path) -> bool:
    """Return whether a path is a regular file, or nothing yet."""
    try:
        return stat.S_ISREG(path.stat().st_mode) and not _is_stdout(path)
    except FileNotFoundError:
        return True


def _is_stdout(path: Path) -> bool:
    """Return whether a path is where our stdout goes (``/dev/stdout``): one stream writes both."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except OSError:  # among others: there is no such file, or a stdout without a descriptor
        return False


def _check_folder(folder: Path, what: str) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise CommandError(f"{what}: cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
