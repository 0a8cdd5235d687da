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

    Two states of the group change stand for one of the hardened one: whether a request has arrived
    that is not answered, and whether a failure has been said by the one who knows of it.
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
            if name == "phase" and label == "FAILED" and said == "false":
                cells[name, place] = "ACKED"
        yield tuple(sorted(cells.items()))


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        (2, 1),
        pytest.param(2, 2, marks=pytest.mark.slow),
        pytest.param(3, 1, marks=pytest.mark.slow),
    ],
)
def test_the_same_situations_are_reached_with_receptions_and_without(
    members: int,
    changes: int,
    group: Callable[[int, int], Instance],
    oracle: Callable[[Instance], Any],
) -> None:
    with_receptions = set(situations(oracle(group(members, changes))))
    without = set(situations(oracle(calm(members, changes))))
    assert without == with_receptions
