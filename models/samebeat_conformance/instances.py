"""The clusters on which the core is held against the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samebeat_models.catalog import load_catalog
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

_CALM = "cluster-2x2-calm"
"""The model of the catalog whose mechanisms and faults these clusters have."""


def group_change(members: int, changes: int, crashes: int = 0) -> Instance:
    """Return the hardened group change with so many members, changes and crashes, in one view."""
    names = [f"n{i + 1}" for i in range(members)]
    quorums = _quorums(names)
    everyone = next(q for q, of in quorums.items() if len(of) == members)
    sizes = {
        "Node": members,
        "Change": changes,
        "Epoch": changes + 1,
        "Value": changes + 1,
        "Quorum": len(quorums),
        "View": 1,
        "Crash": crashes + 1,
    }
    constants = {
        **_constants_of(_CALM),
        "asked": {f"c{i + 1}": f"v{i + 2}" for i in range(changes)},
        "start_value": "v1",
        "in_quorum": [f"{q},{n}" for q, of in quorums.items() for n in of],
        "everyone": everyone,
    }
    return Instance(f"cluster-{members}x{changes}", load_spec("cluster"), sizes, constants)


def _constants_of(name: str) -> Mapping[str, Any]:
    """Return the constants of a model of the catalog."""
    return next(m.constants for m in load_catalog() if m.name == name)


def _quorums(names: list[str]) -> dict[str, list[str]]:
    """Name each set of members that is more than half of them."""
    sets = [[n for i, n in enumerate(names) if bits >> i & 1] for bits in range(1, 2 ** len(names))]
    return {f"q{i + 1}": of for i, of in enumerate(s for s in sets if 2 * len(s) > len(names))}
