"""What came of following a run on the production core: lines for people, data for programs."""

from __future__ import annotations

from typing import Any

from samebeat_cli.reports import count_of
from samebeat_conformance.followed import Followed, follow_trace
from samebeat_models import itf
from samebeat_models.catalog import Model
from samebeat_spec.language import Spec


def followed(recorded: itf.ItfTrace, model: Model, spec: Spec) -> Followed:
    """Follow a recorded run on cores, on the instance that it was recorded on.

    Raises:
        CannotFollow: the implementation cannot be held against such a run.
        TraceFileError: the file does not fit the model.
    """
    return follow_trace(itf.decode(recorded, model, spec), recorded.meta.property or "")


def text(found: Followed, property_name: str) -> str:
    """Return what came of it in lines."""
    lines = ["on the implementation:"]
    for number, words in enumerate(found.inputs, 1):
        lines.append(f"  {number:<3} {'; '.join(words)}")
    if found.refused:
        lines.append(
            f"step {found.accepted + 1}, {found.refused}, is refused by the implementation"
        )
        lines += [f"  it does instead: {words}" for words in found.instead]
        if not found.instead:
            lines.append("  it does nothing at all there")
    else:
        lines.append(f"the implementation takes {count_of(found.steps, 'step')}, all there are")
        if found.breaks:
            lines.append(f"{property_name} is violated by the implementation")
        elif found.looked_at:
            lines.append(f"{property_name} is not violated there: the cores are not done")
    if not found.complete:
        lines.append("not every way to get there was looked at: undetermined")
    return "\n".join(lines) + "\n"


def data(found: Followed) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "steps": found.steps,
        "accepted": found.accepted,
        "refused": found.refused or None,
        "instead": list(found.instead),
        "inputs": [list(words) for words in found.inputs],
        "breaks_the_promise": found.breaks,
        "complete": found.complete,
    }
