"""Layout: where each cell of a state lies in one or more 64-bit words.

Packing is exact: a cell with k possible values gets ceil(log2 k) bits, a cell with one value
none, and no state is ever represented by anything less than all of its cells.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from samebeat_spec.language.instance import StateTuple

Words = npt.NDArray[np.uint64]
"""States as columns: shape (words a state, number of states)."""

WORD_BITS = 64


@dataclass(frozen=True)
class Field:
    """The bits of one cell: ``values[code]`` is the cell's value where the bits hold ``code``."""

    cell: int
    word: int
    shift: int
    width: int
    values: tuple[int, ...]

    @property
    def mask(self) -> int:
        """The field's bits, set, in place."""
        return ((1 << self.width) - 1) << self.shift

    def code(self, value: int) -> int:
        """Return the bits that stand for ``value``, in place."""
        return self.values.index(value) << self.shift

    def codes(self, values: Collection[int]) -> list[int]:
        """Return the codes of ``values``, not in place, ascending."""
        return [i for i, v in enumerate(self.values) if v in values]


class Layout:
    """The fields of every cell that can take more than one value.

    Args:
        possible: for each cell the values it can take.
        left_out: cells that are not stored, because others determine them.
        min_words: use at least so many words (to measure what a second word costs).
    """

    def __init__(
        self,
        possible: Sequence[frozenset[int]],
        left_out: Collection[int] = (),
        min_words: int = 1,
    ) -> None:
        self.possible = possible
        stored = [i for i in range(len(possible)) if i not in left_out and len(possible[i]) > 1]
        widths = {i: (len(possible[i]) - 1).bit_length() for i in stored}
        self.bits = sum(widths.values())
        room = max(WORD_BITS, 1) if min_words == 1 else -(-self.bits // min_words)
        room = min(WORD_BITS, max(room, max(widths.values(), default=1)))
        self.fields: dict[int, Field] = {}
        used: list[int] = [0]
        for i in stored:
            word = next((w for w, u in enumerate(used) if u + widths[i] <= room), len(used))
            if word == len(used):
                used.append(0)
            values = tuple(sorted(possible[i]))
            self.fields[i] = Field(i, word, used[word], widths[i], values)
            used[word] += widths[i]
        self.words = max(len(used), min_words)

    @cached_property
    def constants(self) -> dict[int, int]:
        """The cells that have the same value in every state."""
        return {i: next(iter(p)) for i, p in enumerate(self.possible) if len(p) == 1}

    def pack(self, states: Sequence[StateTuple]) -> Words:
        """Return states as words, in the given order."""
        words = np.zeros((self.words, len(states)), np.uint64)
        for field in self.fields.values():
            codes = [field.code(state[field.cell]) for state in states]
            words[field.word] |= np.array(codes, np.uint64)
        return words

    def unpack(self, states: Words, position: int) -> dict[int, int]:
        """Return the values of one state's cells, those left out missing."""
        values = dict(self.constants)
        for field in self.fields.values():
            word = int(states[field.word, position])
            values[field.cell] = field.values[(word & field.mask) >> field.shift]
        return values

    def codes(self, field: Field, words: Words) -> npt.NDArray[np.int64]:
        """Return the codes of one field, for each state of ``words``."""
        raw: Words = (words[field.word] & np.uint64(field.mask)) >> np.uint64(field.shift)
        return raw.astype(np.int64)
