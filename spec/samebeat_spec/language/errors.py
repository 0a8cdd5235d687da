"""Errors of the spec language: they name the spec, the action, the line, and what to write."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

_LANGUAGE_FOLDER = str(Path(__file__).parent)


class SpecError(Exception):
    """A spec is ill-formed.

    The message is one line: where (spec, definition, file and line), what is wrong, and what to
    write instead.
    """

    def __init__(self, problem: str, *, advice: str = "", within: str = "", at: str = "") -> None:
        place = at or place_outside_the_language()
        parts = [part for part in (within, place, problem) if part]
        super().__init__(": ".join(parts) + (f"; {advice}" if advice else ""))
        self.problem = problem
        self.advice = advice


class InstanceError(Exception):
    """An instance does not fit its spec: a size, a constant or an element is missing or wrong."""


class StateError(Exception):
    """A step leads to a state that does not fit.

    A value leaves its bounds, or two assignments give one place two values.
    """


def frame_outside_the_language() -> FrameType | None:
    """Return the nearest calling frame that is not part of the language itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LANGUAGE_FOLDER):
        frame = frame.f_back
    return frame


def place_outside_the_language() -> str:
    """Return ``file:line`` of that frame."""
    frame = frame_outside_the_language()
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""
