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
        does = "does something else in" if found.parts else "is refused by"
        lines.append(f"step {found.accepted + 1}, {found.refused}, {does} the implementation")
        lines += [f"  {found.parts}"] if found.parts else []
        lines += [f"  {line}" for line in _reason(found)]
        lines += [f"  it does instead: {words}" for words in found.instead]
        if not found.instead and not found.parts:
            lines.append("  it does nothing at all there")
        if found.coarser:
            lines.append(f"  the right spec takes this step, the core is coarser: {found.coarser}")
    else:
        lines.append(f"the implementation takes {count_of(found.steps, 'step')}, all there are")
        if found.breaks:
            lines.append(f"{property_name} is violated by the implementation")
        elif found.looked_at:
            lines.append(f"{property_name} is not violated there: the cores are not done")
    if not found.complete:
        lines.append("not every way to get there was looked at: undetermined")
    return "\n".join(lines) + "\n"


def _reason(found: Followed) -> list[str]:
    """Return what the right spec says of the step that is refused."""
    reason = found.reason
    if reason is None:
        return []
    instead = [f"the core has {constant}" for constant in reason.instead]
    guards = [f"not so: {why}" for why in reason.guards]
    if reason.is_right and not found.coarser:
        return [*instead, "the right spec takes this step: what the core lacks, not the run"]
    since = [f"already {reason.since} is wrong"] if reason.since else []
    return [*since, *instead, *guards, *reason.parts]


def data(found: Followed) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "steps": found.steps,
        "accepted": found.accepted,
        "refused": found.refused or None,
        "instead": list(found.instead),
        "inputs": [list(words) for words in found.inputs],
        "does_something_else": found.parts or None,
        "coarser": found.coarser or None,
        "reason": found.reason and found.reason._asdict(),
        "breaks_the_promise": found.breaks,
        "complete": found.complete,
    }
