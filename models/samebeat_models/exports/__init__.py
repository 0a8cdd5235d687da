"""Exports: an instance as a model for TLC (TLA+), Rumur (Murphi) or Spin (Promela).

The same transition system, written for a checker that shares no code with ours, so that its
answer is a second opinion. See ``samebeat_models.second_opinion`` for running them.
"""

from __future__ import annotations

from collections.abc import Sequence

from samebeat_models.exports.murphi import murphi
from samebeat_models.exports.promela import promela
from samebeat_models.exports.tla import tla
from samebeat_spec.language import Instance

_TARGETS = {"tla": tla, "murphi": murphi, "promela": promela}
TARGETS = tuple(_TARGETS)


def export(
    instance: Instance,
    target: str,
    properties: Sequence[str] | None = None,
    promises: Sequence[str] = (),
) -> dict[str, str]:
    """Return the files of an export: file name -> text, the same bytes every time.

    Args:
        instance: what to export.
        target: "tla", "murphi" or "promela".
        properties: names of the invariants and step properties to check, and "deadlock_free";
            by default all of them. For TLA+, also promises about infinite runs.
        promises: names of promises about infinite runs to check besides; only TLA+ can say them.

    Raises:
        KeyError: an unknown target or property.
        ValueError: a property of a kind that the target cannot say.
    """
    if target not in _TARGETS:
        raise KeyError(f"no export to {target!r}; there are {', '.join(TARGETS)}")
    return _TARGETS[target](instance, properties, promises)
