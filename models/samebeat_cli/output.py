"""Where reports go: the terminal, and files that are either whole or not there."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

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


def check_can_write(path: Path) -> None:
    """Refuse a report file that could not be written, before any work is done.

    Raises:
        CommandError: it is a folder, or its folder is missing or not writable.
    """
    if path.is_dir():
        raise CommandError(f"{path}: cannot be written: it is a folder")
    _check_folder(path.parent, str(path))


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

    Raises:
        CommandError: it cannot be written; nothing is left behind.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from None
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
