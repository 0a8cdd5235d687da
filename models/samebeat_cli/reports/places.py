"""Where a property is written: the file and line that annotations point at."""

from __future__ import annotations

import sys
from pathlib import Path

from samebeat_cli.selection import Selected


def place_of(selected: Selected, name: str) -> tuple[str, int]:
    """Return file and line of a property, refinement or action; else of the spec's module.

    The file is relative to the working folder if it is inside, with forward slashes.
    """
    places = {p.name: p.place for p in selected.spec.promises}
    places |= {a.name: a.place for a in selected.spec.actions}
    place = places.get(name, "")
    file, _, line = place.rpartition(":")
    module = sys.modules.get(selected.spec.module)
    home = Path(selected.source or getattr(module, "__file__", None) or selected.spec.name)
    path = home.parent / file if file else home
    return _relative(path if path.exists() else home), int(line or 1)


def _relative(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.name
