"""Projecting: what a refinement says, compiled to NumPy operations on blocks of packed states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from samebeat_models.explorer.formulas import FALSE, Ground
from samebeat_models.explorer.grounding import Cases, Grounding
from samebeat_models.explorer.kernels import Kernel, Mask, blocks
from samebeat_models.explorer.layout import Layout, Words
from samebeat_models.explorer.machine import Machine
from samebeat_spec.language import Projection, StateError
from samebeat_spec.language.terms import Formula


class Projector:
    """One projection, as a function from packed concrete states to packed abstract ones.

    Attributes:
        projection: what it computes.
        cases: for each abstract cell the cases of its value.
    """

    def __init__(self, projection: Projection, machine: Machine) -> None:
        self.projection = projection
        self._machine = machine
        self._grounding = Grounding(projection.joint, machine.grounding.formulas.possible)
        self.cases = [self._cases(i) for i in range(len(projection.sources))]
        self._kernel = Kernel(machine.layout)
        self._read = self._read_masks()

    def _cases(self, cell: int) -> Cases:
        source, ground = self.projection.sources[cell], self._grounding
        try:
            if not isinstance(source.value, Formula):
                return ground.cases(source.value, source.names)
            truth = ground.formula(source.value, source.names)
        except KeyError as error:
            raise StateError(
                f"{self.projection.name}, {source.place}: a variable is read outside its bounds, "
                f"at {error}"
            ) from None
        both = ((1, truth), (0, ground.formulas.negate(truth)))
        return {value: g for value, g in both if g is not FALSE}

    def _read_masks(self) -> Words:
        """Return for each word the bits that the projection looks at."""
        masks = [0] * self._machine.layout.words
        for cell in {c for cases in self.cases for g in cases.values() for c in _cells(g)}:
            field = self._machine.layout.fields[cell]
            masks[field.word] |= field.mask
        return np.array(masks, np.uint64)

    def use(self, layout: Layout) -> None:
        """Take the layout of the projected states; it has every value of ``cases``."""
        self.layout = layout
        self._columns = [
            (field.word, self._kernel.bits(field, self.cases[cell]))
            for cell, field in layout.fields.items()
        ]

    def project(self, states: Words) -> Words:
        """Return the projected states, in the same order."""
        projected = np.zeros((self.layout.words, states.shape[1]), np.uint64)
        for begin, block in blocks(states):
            here = projected[:, begin : begin + block.size]
            for word, bits in self._columns:
                here[word] |= bits(block)
        return projected

    def may_move(self, before: Words, after: Words) -> Mask:
        """Return where two states differ in something that the projection looks at."""
        moves = np.zeros(before.shape[1], np.bool_)
        for mask, one, other in zip(self._read, before, after, strict=True):
            if mask:
                moves |= ((one ^ other) & mask) != 0
        return moves


def common_layout(projectors: Sequence[Projector]) -> Layout:
    """Return a layout that has every value of every projector's cells."""
    columns = zip(*(p.cases for p in projectors), strict=True)
    return Layout([frozenset(v for cases in column for v in cases) for column in columns])


def _cells(node: Ground) -> Iterator[int]:
    """Yield the cells that a ground formula looks at, some of them more than once."""
    if node.kind == "test":
        yield node.cell
    for part in node.parts:
        yield from _cells(part)
