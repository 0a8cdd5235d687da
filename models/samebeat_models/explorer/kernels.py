"""Kernels: ground formulas and actions as NumPy operations on blocks of states.

A conjunction of single-valued tests is one mask and one comparison a word, whatever its length;
that is where the speed comes from. Everything works on blocks small enough for the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.formulas import FALSE, TRUE, Formulas, Ground
from samebeat_models.explorer.grounding import Cases, GroundAction
from samebeat_models.explorer.layout import Field, Layout, Words
from samebeat_spec.language import StateError

Mask = npt.NDArray[np.bool_]
BLOCK = 1 << 15
"""States a block: a few arrays of this length fit into a core's own cache."""


class Block:
    """A slice of states with the masks computed on it so far."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.size = words.shape[1]
        self.cache: dict[int, Mask] = {}
        self.scratch = np.empty(self.size, np.uint64)


def blocks(states: Words) -> Iterator[tuple[int, Block]]:
    """Yield ``states`` in blocks, each with the position of its first state."""
    for start in range(0, states.shape[1], BLOCK):
        words = states[:, start : start + BLOCK]
        if words.strides[1] != words.itemsize:  # as files have them: a state's words side by side
            words = np.ascontiguousarray(words)
        yield start, Block(words)


class Arena:
    """Memory that successors are written into, one batch after the other, and used again.

    New memory for each batch would cost more than what is written into it.
    """

    def __init__(self, words: int, capacity: int) -> None:
        self._room = np.empty((words, capacity), np.uint64)
        self._beyond: list[Words] = []
        self._used = 0

    @property
    def full(self) -> bool:
        """Whether it is time to empty it."""
        return bool(self._beyond) or 4 * self._used > 3 * self._room.shape[1]

    def take(self, count: int) -> Words:
        """Return room for ``count`` states; beyond the capacity it is room of their own."""
        end = self._used + count
        if end > self._room.shape[1]:
            self._beyond.append(np.empty((self._room.shape[0], count), np.uint64))
            return self._beyond[-1]
        taken = self._room[:, self._used : end]
        self._used = end
        return taken

    def empty(self) -> Words:
        """Return everything taken so far, to be read before anything is taken again."""
        taken = self._room[:, : self._used]
        if self._beyond:
            taken = np.concatenate((taken, *self._beyond), axis=1)
        self._beyond, self._used = [], 0
        return taken


Operation = Callable[[Block], Mask]


def _remembered(key: int, operation: Operation) -> Operation:
    """Return the operation that computes its mask once a block."""

    def remembered(block: Block) -> Mask:
        known = block.cache.get(key)
        if known is None:
            known = block.cache[key] = operation(block)
        return known

    return remembered


class Kernel:
    """Compiles ground formulas to mask operations; a part that is shared is computed once."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._compiled: dict[int, Operation] = {}
        self._kept: list[Ground] = []  # keeps formulas alive, so that their ids stay theirs

    def mask(self, node: Ground) -> Operation:
        """Return the operation that computes where ``node`` is true. Callers don't write to it."""
        found = self._compiled.get(id(node))
        if found is None:
            found = self._compiled[id(node)] = self._compile(node)
            self._kept.append(node)
        return found

    def _compile(self, node: Ground) -> Operation:
        if node is TRUE or node is FALSE:
            value = node is TRUE
            return lambda block: np.full(block.size, value)
        if node.kind == "test":
            return self._test(node)
        operations = self._merged_tests(node)
        merge = np.logical_and if node.kind == "all" else np.logical_or
        if len(operations) == 1:
            return operations[0]

        def combined(block: Block) -> Mask:
            merged: Mask = merge(operations[0](block), operations[1](block))
            for operation in operations[2:]:
                merge(merged, operation(block), out=merged)
            return merged

        return _remembered(id(node), combined)

    def _merged_tests(self, node: Ground) -> list[Operation]:
        """Return the operations of the parts, with all single-valued tests of a word as one.

        For "all" these are tests that allow one code, for "any" tests that forbid one code: a
        disjunction is true unless every part is false, which is again one masked comparison.
        """
        want_all = node.kind == "all"
        masks: dict[int, tuple[int, int]] = {}
        rest: list[Operation] = []
        for part in node.parts:
            single = self._single(part, want_all) if part.kind == "test" else None
            if single is None:
                rest.append(self.mask(part))
                continue
            field, code = single
            mask, value = masks.get(field.word, (0, 0))
            masks[field.word] = (mask | field.mask, value | code)
        compare = np.equal if want_all else np.not_equal
        merged = [self._compare(w, m, v, compare) for w, (m, v) in masks.items()]
        return merged + rest

    def _single(self, test: Ground, allows: bool) -> tuple[Field, int] | None:
        field = self.layout.fields[test.cell]
        values = test.values if allows else frozenset(field.values) - test.values
        return (field, field.code(next(iter(values)))) if len(values) == 1 else None

    def _test(self, test: Ground) -> Operation:
        field = self.layout.fields[test.cell]
        for allows, compare in ((True, np.equal), (False, np.not_equal)):
            single = self._single(test, allows)
            if single is not None:
                return self._compare(field.word, field.mask, single[1], compare)
        codes = field.codes(test.values)
        if codes[-1] - codes[0] + 1 == len(codes):
            return _remembered(id(test), self._interval(field, codes[0], codes[-1]))
        return _remembered(id(test), self._lookup(field, codes))

    @staticmethod
    def _compare(word: int, mask: int, value: int, compare: np.ufunc) -> Operation:
        m, v = np.uint64(mask), np.uint64(value)

        def operation(block: Block) -> Mask:
            np.bitwise_and(block.words[word], m, out=block.scratch)
            mask: Mask = compare(block.scratch, v)
            return mask

        return operation

    @staticmethod
    def _interval(field: Field, low: int, high: int) -> Operation:
        """Return the test for a run of codes: subtracting wraps below, so one comparison does."""
        m, first = np.uint64(field.mask), np.uint64(low << field.shift)
        width = np.uint64((high - low) << field.shift)

        def operation(block: Block) -> Mask:
            np.bitwise_and(block.words[field.word], m, out=block.scratch)
            np.subtract(block.scratch, first, out=block.scratch)
            return np.less_equal(block.scratch, width)

        return operation

    def _lookup(self, field: Field, codes: Sequence[int]) -> Operation:
        table = np.zeros(1 << field.width, np.bool_)
        table[list(codes)] = True
        return lambda block: table[self.layout.codes(field, block.words)]

    def bits(self, field: Field, cases: Cases) -> Callable[[Block], Words]:
        """Return the function that computes a field's bits, in place, from states.

        The field may be of another layout than the states.
        """
        source = self._copied(field, cases)
        if source is not None:
            table = np.zeros(1 << source.width, np.uint64)
            for i, v in enumerate(source.values):
                table[i] = field.code(v)
            return lambda block: table[self.layout.codes(source, block.words)]
        codes = [
            (np.uint64(field.code(v)), self.mask(g)) for v, g in cases.items() if v in field.values
        ]

        def select(block: Block) -> Words:
            bits = np.zeros(block.size, np.uint64)
            for code, mask in codes:
                bits[mask(block)] = code
            return bits

        return select

    def _copied(self, field: Field, cases: Cases) -> Field | None:
        """Return the field whose value is copied, if the cases say no more than that."""
        cells = {g.cell for g in cases.values()}
        if len(cells) != 1 or -1 in cells:
            return None
        source = self.layout.fields[cells.pop()]
        exact = all(g.values == {v} for v, g in cases.items())
        covers = set(source.values) <= set(cases) & set(field.values)
        return source if exact and covers else None


@dataclass(frozen=True)
class Steps:
    """The steps of one ground action from a block: how many are enabled, which change the state.

    ``source`` marks the states with a step that changes something; ``after`` are their
    successors, in the same order.
    """

    index: int
    enabled: int
    source: Mask
    after: Words


class StepKernel:
    """All ground actions of an instance, ready to run on blocks."""

    def __init__(self, formulas: Formulas, layout: Layout, actions: Sequence[GroundAction]) -> None:
        self.kernel = Kernel(layout)
        self.layout = layout
        self.actions = actions
        self._guards = [self.kernel.mask(a.guard) for a in actions]
        changing = [formulas.all_of((a.guard, a.changes)) for a in actions]
        self._changing = [self.kernel.mask(c) for c in changing]
        self._always = [c is a.guard for c, a in zip(changing, actions, strict=True)]
        self._misfits = [[(self.kernel.mask(g), text) for g, text in a.misfits] for a in actions]
        self._updates = [self._update(a) for a in actions]

    def steps(
        self, block: Block, must_fit: bool = True, arena: Arena | None = None
    ) -> Iterator[Steps]:
        """Yield the steps of each ground action that is enabled somewhere in ``block``.

        With an ``arena``, successors are written there.

        Raises:
            StateError: a step leads to a state that does not fit, and ``must_fit``.
        """
        for index, count, source in self.moves(block, must_fit):
            moving = int(np.count_nonzero(source))
            room = None if arena is None else arena.take(moving)
            before = np.empty((len(block.words), moving), np.uint64) if room is None else room
            for row, out in zip(block.words, before, strict=True):
                np.compress(source, row, out=out)
            yield Steps(index, count, source, self.after(index, before))

    def moves(self, block: Block, must_fit: bool = True) -> Iterator[tuple[int, int, Mask]]:
        """Yield for each ground action enabled in ``block``: its index, how often, where it moves.

        Raises:
            StateError: a step leads to a state that does not fit, and ``must_fit``.
        """
        for index, guard in enumerate(self._guards):
            enabled = guard(block)
            count = int(np.count_nonzero(enabled))
            if count == 0:
                continue
            if must_fit:
                self._check_fit(index, block)
            yield index, count, enabled if self._always[index] else self._changing[index](block)

    def moving(self, index: int, block: Block) -> Mask:
        """Return where a ground action is enabled and changes the state.

        Raises:
            StateError: it leads to a state that does not fit.
        """
        self._check_fit(index, block)
        return self._changing[index](block)

    def _check_fit(self, index: int, block: Block) -> None:
        for does_not_fit, text in self._misfits[index]:
            if does_not_fit(block).any():
                raise StateError(text)

    def after(self, index: int, states: Words) -> Words:
        """Turn states in which a ground action is enabled into those after it; return them."""
        return self._updates[index](states)

    def _update(self, action: GroundAction) -> Callable[[Words], Words]:
        """Return the function that turns states into their successors, in place."""
        clear = [0] * self.layout.words
        put = [0] * self.layout.words
        others: list[tuple[Field, Cases]] = []
        for cell, cases in action.effects.items():
            field = self.layout.fields.get(cell)
            if field is None:
                continue
            clear[field.word] |= field.mask
            cases = {v: g for v, g in cases.items() if v in field.values}
            if len(cases) <= 1:  # none: a step that breaks an assumption and is never taken
                put[field.word] |= sum(map(field.code, cases))
            else:
                others.append((field, cases))
        masks = [np.uint64(~c & (2**64 - 1)) for c in clear]
        values = [np.uint64(p) for p in put]
        changes = [self.kernel.bits(field, cases) for field, cases in others]

        def update(states: Words) -> Words:
            block = Block(states)
            new = [change(block) for change in changes]
            for word, (mask, value) in enumerate(zip(masks, values, strict=True)):
                states[word] &= mask
                states[word] |= value
            for (field, _), bits in zip(others, new, strict=True):
                states[field.word] |= bits
            return states

        return update
