"""Symmetry: one state of each orbit under permutations of symmetric sorts.

The permutations used are those that map the constants of the instance and its set of initial
states onto themselves (the stabiliser); the language lets nothing else tell elements apart. A
state's representative is the least of its images. A trace over representatives is turned into a
real run by choosing, at each step, a step of the real state that leads into the next orbit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod

import numpy as np

from samebeat_models.explorer.layout import Field, Layout, Words
from samebeat_spec.language import Instance, InstanceError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.terms import SortClass

Permutation = dict[str, tuple[int, ...]]
"""For each symmetric sort the image of each element."""

_TABLE_BITS = 12
_MOST_PERMUTATIONS = 5_040


@dataclass(frozen=True)
class CellMap:
    """What a permutation does to states: cell ``i`` moves to ``target[i]``, its value is mapped."""

    target: tuple[int, ...]
    values: tuple[dict[int, int], ...]

    def apply(self, state: StateTuple) -> StateTuple:
        """Return the image of one state."""
        image = [0] * len(state)
        for cell, value in enumerate(state):
            image[self.target[cell]] = self.values[cell][value]
        return tuple(image)


@dataclass(frozen=True)
class Group:
    """The permutations (without the identity) under which an instance looks the same."""

    maps: tuple[CellMap, ...]

    def closed(self, possible: Sequence[frozenset[int]]) -> list[frozenset[int]]:
        """Return the possible values with those of every image added."""
        larger = [set(values) for values in possible]
        for m in self.maps:
            for cell, values in enumerate(possible):
                larger[m.target[cell]].update(m.values[cell][v] for v in values)
        return [frozenset(values) for values in larger]


def symmetry_of(instance: Instance, initial: Collection[StateTuple]) -> Group:
    """Return the group of an instance's symmetric sorts that keeps constants and initial states.

    Raises:
        InstanceError: there are too many permutations for each state to be held against all.
    """
    symmetric = [s for s in instance.spec.sorts if s.symmetric]
    count = prod(factorial(len(instance.domain(s))) for s in symmetric)
    if count > _MOST_PERMUTATIONS:
        raise InstanceError(
            f"{instance.name}: {count:,} permutations are too many to use symmetry (at most "
            f"{_MOST_PERMUTATIONS:,}); leave symmetry out or make the sorts smaller"
        )
    columns = [list(permutations(instance.domain(s))) for s in symmetric]
    start = set(initial)
    maps = []
    for pick in product(*columns):
        chosen = {s.__name__: image for s, image in zip(symmetric, pick, strict=True)}
        if all(list(image) == sorted(image) for image in pick):
            continue
        m = _cell_map(instance, chosen)
        if _keeps_constants(instance, chosen) and {m.apply(s) for s in start} == start:
            maps.append(m)
    return Group(tuple(maps))


def _image(p: Permutation, sort: SortClass, value: int) -> int:
    image = p.get(sort.__name__) if sort is not None else None
    return value if image is None else image[value]


def _cell_map(instance: Instance, p: Permutation) -> CellMap:
    target = []
    values = []
    for cell in instance.cells:
        v = cell.variable
        moved = tuple(_image(p, s, a) for s, a in zip(v.arguments, cell.arguments, strict=True))
        target.append(instance.cell_index[v.name][moved])
        values.append({x: _image(p, v.to, x) for x in cell.values})
    return CellMap(tuple(target), tuple(values))


def _keeps_constants(instance: Instance, p: Permutation) -> bool:
    for v in instance.spec.constants:
        table = instance.constant_values[v.name]
        for place, value in table.items():
            moved = tuple(_image(p, s, a) for s, a in zip(v.arguments, place, strict=True))
            if table[moved] != _image(p, v.to, value):
                return False
    return True


class Symmetry:
    """A group, as look-up tables over a layout.

    A word is cut into chunks of whole fields; a table gives for each value of a chunk the bits
    that it turns into. An image is the union of a few look-ups.
    """

    def __init__(self, group: Group, layout: Layout) -> None:
        self.group = group
        self._layout = layout
        self._chunks = _chunks(layout)
        self._tables = [[_table(m, layout, c) for c in self._chunks] for m in group.maps]

    def canonical(self, states: Words) -> Words:
        """Return for each state the least of its images."""
        least = states.copy()
        size = 1 << 15
        for start in range(0, states.shape[1], size):
            self._lessen(states[:, start : start + size], least[:, start : start + size])
        return least

    def _lessen(self, states: Words, least: Words) -> None:
        indices = [
            ((states[c[0].word] >> np.uint64(c[0].shift)) & np.uint64((1 << _width(c)) - 1)).view(
                np.int64
            )
            for c in self._chunks
        ]
        for tables in self._tables:
            image = np.zeros_like(states)
            for index, table in zip(indices, tables, strict=True):
                for word, column in table:
                    image[word] |= column.take(index)
            _take_lesser(image, least)


def _take_lesser(image: Words, least: Words) -> None:
    """Put into ``least`` the lesser of both, columns compared from the first word on."""
    if image.shape[0] == 1:
        np.minimum(image, least, out=least)
        return
    less = np.zeros(image.shape[1], np.bool_)
    equal = np.ones(image.shape[1], np.bool_)
    for a, b in zip(image, least, strict=True):
        less |= equal & (a < b)
        equal &= a == b
    least[:, less] = image[:, less]


def _chunks(layout: Layout) -> list[list[Field]]:
    """Return the fields in groups that lie side by side and have at most 12 bits together."""
    chunks: list[list[Field]] = []
    for field in sorted(layout.fields.values(), key=lambda f: (f.word, f.shift)):
        last = chunks[-1] if chunks else None
        if last and last[0].word == field.word and _width(last) + field.width <= _TABLE_BITS:
            last.append(field)
        else:
            chunks.append([field])
    return chunks


def _width(chunk: list[Field]) -> int:
    return sum(f.width for f in chunk)


def _table(m: CellMap, layout: Layout, chunk: list[Field]) -> list[tuple[int, Words]]:
    """Return for one chunk, and each word it reaches, the table from its bits to image bits."""
    columns: dict[int, Words] = {}
    codes = np.arange(1 << _width(chunk))
    offset = chunk[0].shift
    for field in chunk:
        target = layout.fields[m.target[field.cell]]
        images = np.zeros(1 << field.width, np.uint64)
        for code, value in enumerate(field.values):
            images[code] = target.code(m.values[field.cell][value])
        own = (codes >> (field.shift - offset)) & ((1 << field.width) - 1)
        column = columns.setdefault(target.word, np.zeros(len(codes), np.uint64))
        column |= images[own]
    return list(columns.items())
