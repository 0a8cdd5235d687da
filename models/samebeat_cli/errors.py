"""What ends a command before its report: one line and an exit code."""

from __future__ import annotations

from samebeat_cli import INTERRUPTED as INTERRUPTED
from samebeat_models.results import Exit


class CommandError(Exception):
    """A command cannot do what it was asked; the message is one line for the user."""

    def __init__(self, message: str, exit_code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user pressed Ctrl-C; the message says how far the command got."""
