"""``samebeat replay`` of a run of cores: it is made again, and must come out as the file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from samebeat_cli.reports import count_of
from samebeat_conformance.simulator.again import Again, Recorded, again, is_run, read
from samebeat_models.version import samebeat_version

SHOWN = 40
"""So many of the last steps are shown; JSON has all."""


def recorded_run(path: Path) -> Recorded | None:
    """Return the run of cores in a file; None: it is no such file.

    Raises:
        TraceFileError: it is one, and makes no sense.
    """
    try:
        text = path.read_text("utf-8")
    except (UnicodeDecodeError, OSError):
        return None
    return read(text, str(path)) if is_run(text) else None


def made_again(recorded: Recorded) -> Again:
    """Make the run again."""
    return again(recorded)


def text(recorded: Recorded, found: Again) -> str:
    """Return what came of it in lines."""
    meta, total = recorded.meta, len(found.steps) - 1
    faults = count_of(len(recorded.items), "fault")
    cores = f"{meta['nodes']} cores from seed {meta['seed']}"
    lines = [
        f"{recorded.source}: a run of {cores}, {faults}, {count_of(total, 'step')}",
        str(meta.get("description", "")),
        "",
    ]
    steps = list(enumerate(found.steps))[: found.accepted]
    if len(steps) > SHOWN:
        lines.append(f"... {len(steps) - SHOWN} earlier steps")
    lines += [f"{i:4} {at_us / 1_000_000:10.3f} s  {what}" for i, (at_us, what) in steps[-SHOWN:]]
    lines += ["", *_verdict(recorded, found)]
    return "\n".join(lines) + "\n"


def _verdict(recorded: Recorded, found: Again) -> list[str]:
    if found.refused:
        where = f"line {found.line}, step" if found.line else "step"
        head = f"{where} {found.accepted}, {found.refused}: the cores do something else"
        return [head, *(f"  {d}" for d in found.differences), *_hint(recorded)]
    if found.differences:
        return [
            "all steps are as the file says, and it is not the same run",
            *(f"  {d}" for d in found.differences),
            *_hint(recorded),
        ]
    lines = [f"all {count_of(len(found.steps) - 1, 'step')} are made again, bit for bit"]
    promise = found.result.promise
    lines.append(f"{promise} is violated, as the file says" if promise else "no promise is broken")
    return lines


def _hint(recorded: Recorded) -> list[str]:
    wrote, here = recorded.meta["samebeat"], samebeat_version()
    return [] if wrote == here else [f"  the file is of samebeat {wrote}, this is {here}"]


def data(recorded: Recorded, found: Again) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "run": {
            "seed": recorded.meta["seed"],
            "nodes": recorded.meta["nodes"],
            "faults": len(recorded.items),
            "steps": len(found.steps) - 1,
            "accepted": found.accepted,
            "same": found.is_same,
            "refused": found.refused or None,
            "line": found.line or None,
            "differences": list(found.differences),
            "promise": found.result.promise or None,
            "text": found.result.text,
            "digest": found.result.digest,
        }
    }


def as_json(recorded: Recorded, found: Again) -> str:
    """Return it as the text of a JSON document."""
    return json.dumps(data(recorded, found), indent=2, ensure_ascii=False) + "\n"
