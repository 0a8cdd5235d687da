"""Whose an exception is: the core's on an input, or the harness's own.

A core that raises where the right one does not is noticed. A harness that raises says nothing of
the core: it was not loaded, or has a bug, or does not know what to make of a core that is wrong.
Then the mutant is undetermined.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

_OURS = Path(__file__).resolve().parents[3]
"""The top of the checkout: what is in it and is no copy of the core is the harness."""


def is_of_the_core(error: BaseException, folder: Path) -> bool:
    """Return whether the core in `folder` has raised this.

    Going back from where it was raised, the first that is either core or harness is to blame, so an
    error that a library raises is of whoever has called that.
    """
    for frame in reversed(_frames(error.__traceback__)):
        path = Path(frame).resolve()
        if path.is_relative_to(folder.resolve()):
            return True
        if path.is_relative_to(_OURS) and "site-packages" not in path.parts:
            return False
    return False


def the_core() -> Path:
    """Return the folder with the core that is imported."""
    return Path(str(sys.modules["samebeat"].__file__)).parent


def words_of(error: BaseException) -> str:
    """Return an exception in one line."""
    text = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {text}"


def _frames(last: TracebackType | None) -> list[str]:
    """Return the files that an exception came through, outermost first."""
    files = []
    while last is not None:
        files.append(last.tb_frame.f_code.co_filename)
        last = last.tb_next
    return files
