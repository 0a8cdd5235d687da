"""The console entry point, so small that Ctrl-C finds it ready: all else is imported inside."""

from __future__ import annotations

import sys

from samebeat_cli import INTERRUPTED

TYPE_CHECKING = False  # `typing` itself would take longer to import than this module
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code (see ``app.run``)."""
    try:
        from samebeat_cli.app import run

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        if sys.stderr:
            sys.stderr.write("samebeat: interrupted\n")
        return INTERRUPTED


def __getattr__(name: str) -> Any:
    """Let ``app`` be found here too, without importing it beforehand."""
    if name == "app":
        from samebeat_cli.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
