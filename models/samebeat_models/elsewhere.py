"""From one model of a spec to another: what is different, and what the same things are called.

Elements, cells and constants are the same if their labels are. So a run of a protocol can be
followed on another protocol, with other constants or of another size.
"""

from __future__ import annotations

from collections.abc import Iterator

from samebeat_models.render import Change
from samebeat_models.results import Step
from samebeat_spec.language import Instance, InstanceError
from samebeat_spec.language.instance import Arguments, StateTuple


class Elsewhere:
    """Two instances of one spec: ``there`` a run was recorded, ``here`` it is followed."""

    def __init__(self, there: Instance, here: Instance) -> None:
        self.there, self.here = there, here
        places = {here.cell_label(i): i for i in range(len(here.cells))}
        self._same_cell = {
            i: places[there.cell_label(i)]
            for i in range(len(there.cells))
            if there.cell_label(i) in places
        }

    def arguments(self, step: Step) -> Arguments:
        """Return a step's arguments as elements of ``here``.

        Raises:
            InstanceError: there is no such element here.
        """
        parameters = self.there.spec.find_action(step.action).parameters
        return tuple(
            self.here.element(p.sort, self.there.label(p.sort, x))
            for p, x in zip(parameters, step.arguments, strict=True)
        )

    def check_effect(self, before: StateTuple, after: StateTuple) -> None:
        """Refuse a step recorded there that changes a cell, or gives a value, unknown here.

        Raises:
            InstanceError: there is no such cell or element here.
        """
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            if old == new:
                continue
            if i not in self._same_cell:
                raise InstanceError(f"{self.here.name}: there is no {self.there.cell_label(i)}")
            self.here.element(self.there.cells[i].variable.to, self.there.value_label(i, new))

    def changes(self, here: StateTuple, there: StateTuple) -> tuple[Change, ...]:
        """Return the cells of both that have another value there than here."""
        pairs = (
            (i, self.here.value_label(j, here[j]), self.there.value_label(i, there[i]))
            for i, j in self._same_cell.items()
        )
        return tuple(Change(self.there.cell_label(i), a, b) for i, a, b in pairs if a != b)


def differences(there: Instance, here: Instance) -> tuple[Change, ...]:
    """Return the constants and sizes that are other ones here than there.

    What a constant says of elements that only one of both has goes without saying.
    """
    before, after = dict(constants_of(there)), dict(constants_of(here))
    said = [Change(name, x, after[name]) for name, x in before.items() if name in after]
    new = dict(sizes_of(here))
    said += [Change(sort, old, new[sort]) for sort, old in sizes_of(there)]
    return tuple(c for c in said if c.old != c.new)


def constants_of(instance: Instance) -> Iterator[tuple[str, str]]:
    """Yield each constant at each place, and its value: ``interval_ticks[0]`` and ``6``."""
    for v in instance.spec.constants:
        for place, value in sorted(instance.constant_values[v.name].items()):
            labels = ", ".join(map(instance.label, v.arguments, place))
            yield f"{v.name}[{labels}]" if labels else v.name, instance.label(v.to, value)


def sizes_of(instance: Instance) -> Iterator[tuple[str, str]]:
    """Yield each sort and its size: ``Node`` and ``3``, ``Ticks`` and ``1..4``."""
    for sort in instance.spec.sorts:
        yield sort.__name__, _size(instance.domain(sort))


def _size(domain: range) -> str:
    return str(len(domain)) if domain[0] == 0 else f"{domain[0]}..{domain[-1]}"
