"""To receive a message when it is acted upon loses no behaviour of the group change (note C5).

The group change has a step for each reception, the hardened protocol has none: a reduction that is
built into the spec. Where both are small enough, both are explored in full, and what members hold
and have said is the same set of situations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

CALM = {m.sizes["Node"]: m for m in load_catalog() if m.name.endswith("-calm")}
"""For two and for three members, a model of the hardened protocol without faults."""


def calm(members: int, changes: int) -> Instance:
    """The hardened protocol without faults and with so many changes."""
    model, size = CALM[members], changes + 1
    sizes = {**model.sizes, "Change": changes, "Epoch": size, "Value": size}
    asked = {f"c{i}": f"v{i + 1}" for i in range(1, size)}
    return Instance("calm", load_spec("cluster"), sizes, {**model.constants, "asked": asked})


def situations(look: Any) -> Iterator[tuple[object, ...]]:
    """Yield for each reachable state what members hold and have said.

    The group change has more steps: a request arrives and is answered, a failure is known, said and
    closed. Situations between them are read as the one before, or as the one after if it is said.
    """
    instance: Instance = look.instance
    index = instance.cell_index
    for state in look.depths:
        cells = {
            (name, place): instance.value_label(index[name][place], state[index[name][place]])
            for name in ("requested", "base", "sent", "phase", "value", "epoch")
            for place in index[name]
        }
        for (name, place), label in list(cells.items()):
            said = cells.get(("sent", (*place, 3)))
            if name == "phase" and label == "RECEIVED":
                cells[name, place] = "IDLE"
            if name == "phase" and label == "FAILED":
                cells[name, place] = "ACKED" if said == "false" else "UNDONE"
        yield tuple(sorted(cells.items()))


def is_answered(situation: tuple[Any, ...]) -> bool:
    """Somebody has acked what is asked for: its initiator does so as it asks."""
    cells = dict(situation)
    acked = [label for (name, place), label in situation if name == "sent" and place[2] == 0]
    return cells["requested", (0,)] == "false" or "true" in acked


@pytest.mark.parametrize("members", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_same_situations_are_reached_with_receptions_and_without(
    members: int,
    group: Callable[[int, int], Instance],
    oracle: Callable[[Instance], Any],
) -> None:
    with_receptions = set(filter(is_answered, situations(oracle(group(members, 1)))))
    without = set(situations(oracle(calm(members, 1))))
    assert without == with_receptions


@pytest.mark.slow
def test_two_changes_reach_no_other_situations_than_with_receptions(
    group: Callable[[int, int], Instance], oracle: Callable[[Instance], Any]
) -> None:
    """There, a member may also ask while it is busy, and turn its own request down."""
    with_receptions = set(situations(oracle(group(2, 2))))
    without = set(situations(oracle(calm(2, 2))))
    assert without < with_receptions
