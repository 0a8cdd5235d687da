"""Ground formulas: truth over cells, with everything that an instance fixes folded away.

A ground formula is a test that one cell's value lies in a set, or all / any of such formulas.
Equal formulas are one object, so that an engine computes a shared part once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Literal

Facts = Mapping[int, frozenset[int]]


class Ground:
    """A node: a test of ``cell`` against ``values``, or "all" / "any" of ``parts``.

    ``cells`` are all that it speaks of.
    """

    __slots__ = ("cell", "cells", "kind", "parts", "values")

    def __init__(
        self,
        kind: Literal["test", "all", "any"],
        cell: int = -1,
        values: frozenset[int] = frozenset(),
        parts: tuple[Ground, ...] = (),
    ) -> None:
        self.kind = kind
        self.cell = cell
        self.values = values
        self.parts = parts
        own = (cell,) if kind == "test" else ()
        self.cells: frozenset[int] = frozenset(own).union(*(part.cells for part in parts))


TRUE = Ground("all")
FALSE = Ground("any")


def evaluate(node: Ground, state: Mapping[int, int]) -> bool:
    """Return whether a formula is true of one state, given as values by cell."""
    if node.kind == "test":
        return state[node.cell] in node.values
    truths = (evaluate(part, state) for part in node.parts)
    return all(truths) if node.kind == "all" else any(truths)


class Formulas:
    """Builds simplified ground formulas over cells whose ``possible`` values are known.

    ``possible[i]`` is the set of values that cell ``i`` can take; a test for all of them is true,
    a test for none of them is false.
    """

    def __init__(self, possible: Sequence[frozenset[int]]) -> None:
        self.possible = possible
        self._known: dict[Hashable, Ground] = {}
        self._negated: dict[Ground, Ground] = {}

    def test(self, cell: int, values: Iterable[int]) -> Ground:
        """Return "the cell's value is one of ``values``"."""
        found = self.possible[cell].intersection(values)
        if not found:
            return FALSE
        if found == self.possible[cell]:
            return TRUE
        return self._intern((cell, found), lambda: Ground("test", cell, found))

    def all_of(self, parts: Iterable[Ground]) -> Ground:
        """Return the conjunction, with the tests of one cell merged.

        What the tests say is used to simplify the other parts.
        """
        joined = self._join("all", parts)
        facts = self.facts(joined)
        if joined.kind != "all" or not facts or len(facts) == len(joined.parts):
            return joined
        simpler = [p if p.kind == "test" else self.assume(p, facts) for p in joined.parts]
        if all(a is b for a, b in zip(simpler, joined.parts, strict=True)):
            return joined
        return self.all_of(simpler)

    def any_of(self, parts: Iterable[Ground]) -> Ground:
        """Return the disjunction, with the tests of one cell merged."""
        return self._join("any", parts)

    def factored(self, node: Ground) -> Ground:
        """Return a disjunction with what its parts share taken out: less to compute.

        "(a and x) or (a and y)" becomes "a and (x or y)"; the most shared formula first.
        """
        if node.kind != "any":
            return node
        shared = Counter(p for part in node.parts if part.kind == "all" for p in part.parts)
        common, count = max(shared.items(), key=lambda item: item[1], default=(TRUE, 0))
        if count < 2:
            return node
        own = [part for part in node.parts if part.kind == "all" and common in part.parts]
        rest = [part for part in node.parts if part not in own]
        without = (self.all_of(p for p in part.parts if p is not common) for part in own)
        group = self._plain("all", (common, self.factored(self.any_of(without))))
        return self._plain("any", (group, self.factored(self.any_of(rest)))) if rest else group

    def _plain(self, kind: Literal["all", "any"], parts: tuple[Ground, ...]) -> Ground:
        """Return a node as it is given: joining would multiply out nothing but may reorder."""
        return self._intern((kind, frozenset(map(id, parts))), lambda: Ground(kind, parts=parts))

    def negate(self, node: Ground) -> Ground:
        """Return the negation, pushed down to the tests."""
        if node.kind == "test":
            return self.test(node.cell, self.possible[node.cell] - node.values)
        known = self._negated.get(node)
        if known is None:
            parts = [self.negate(part) for part in node.parts]
            known = self.any_of(parts) if node.kind == "all" else self.all_of(parts)
            self._negated[node] = known
        return known

    def assume(self, node: Ground, facts: Facts) -> Ground:
        """Return ``node`` simplified under ``facts``: each cell's value lies in the given set."""
        if node.kind == "test":
            known = facts.get(node.cell)
            if known is None:
                return node
            if known <= node.values:
                return TRUE
            return node if known & node.values else FALSE
        if node.cells.isdisjoint(facts):
            return node
        parts = [self.assume(part, facts) for part in node.parts]
        if all(a is b for a, b in zip(parts, node.parts, strict=True)):
            return node
        return self.all_of(parts) if node.kind == "all" else self.any_of(parts)

    def facts(self, node: Ground) -> dict[int, frozenset[int]]:
        """Return what a formula says about single cells whenever it is true."""
        if node.kind == "test":
            return {node.cell: node.values}
        tests = (p for p in node.parts if p.kind == "test") if node.kind == "all" else ()
        return {p.cell: p.values for p in tests}

    def _join(self, kind: Literal["all", "any"], parts: Iterable[Ground]) -> Ground:
        neutral, absorbing = (TRUE, FALSE) if kind == "all" else (FALSE, TRUE)
        tests: dict[int, frozenset[int]] = {}
        others: dict[int, Ground] = {}
        stack = list(parts)[::-1]
        while stack:
            part = stack.pop()
            if part is absorbing:
                return absorbing
            if part.kind == kind:
                stack.extend(reversed(part.parts))
            elif part.kind == "test":
                old = tests.get(part.cell)
                both = part.values if old is None else self._merge(kind, old, part.values)
                tests[part.cell] = both
            else:
                others[id(part)] = part
        merged = [self.test(cell, values) for cell, values in tests.items()]
        if absorbing in merged:
            return absorbing
        flat = tuple(m for m in merged if m is not neutral) + tuple(others.values())
        if not flat:
            return neutral
        if len(flat) == 1:
            return flat[0]
        return self._intern((kind, frozenset(map(id, flat))), lambda: Ground(kind, parts=flat))

    @staticmethod
    def _merge(kind: str, a: frozenset[int], b: frozenset[int]) -> frozenset[int]:
        return a & b if kind == "all" else a | b

    def _intern(self, key: Hashable, make: Callable[[], Ground]) -> Ground:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make()
        return found
