"""Whether an obligation is decidable: what depends on what, among the sorts.

An obligation is a set of formulas that are to contradict each other. Where one of them says "for
all a of A there is a b of B", or where a function takes an A to a B, each A may bring about a new
B. If that can never go round in a circle, only finitely many elements come into play: the formulas
are *effectively propositional*, the solver always comes to an end, and its counterexamples are
finite. This module draws that graph, from the very formulas that the solver is given, and names
the circle where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import z3

from samebeat_proofs.universe import Z3


@dataclass(frozen=True)
class Edge:
    """Each element of ``source`` may bring about one of ``target``.

    ``because`` is the label of a formula that says so, ``function`` the function that does, or
    nothing if the formula says "for all ... there is".
    """

    source: str
    target: str
    because: str
    function: str = ""

    def __str__(self) -> str:
        how = f"function {self.function}" if self.function else "for all ... there is"
        return f"{self.source} -> {self.target} ({self.because}: {how})"


_Found = frozenset[tuple[str, str, str]]
"""Source, target, and the function or nothing."""


class SortGraph:
    """Finds the edges between sorts of formulas; each formula is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Z3, _Found, _Found]] = {}

    def alternations(self, formula: Z3) -> _Found:
        """Return the sorts of which the formula says "for all ... there is"."""
        return self._look(formula)[0]

    def edges(self, formulas: Mapping[str, Z3]) -> tuple[Edge, ...]:
        """Return the edges that formulas make together; each says which formula it is from."""
        found: dict[tuple[str, str], Edge] = {}
        for label, formula in formulas.items():
            alternations, functions = self._look(formula)
            for source, target, function in sorted(alternations | functions):
                found.setdefault((source, target), Edge(source, target, label, function))
        return tuple(found.values())

    def circle(self, formulas: Mapping[str, Z3]) -> tuple[Edge, ...]:
        """Return edges that go round in a circle; nothing if the formulas are decidable."""
        edges = {(e.source, e.target): e for e in self.edges(formulas)}
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for source, target in edges:
            sorter.add(source, target)
        try:
            sorter.prepare()
        except CycleError as error:
            names: list[str] = error.args[1]
            pairs = zip(names[1:], names[:-1], strict=True)  # each name comes before its sources
            return tuple(edges[pair] for pair in pairs)[::-1]
        return ()

    def _look(self, formula: Z3) -> tuple[_Found, _Found]:
        known = self._known.get(formula.get_id())
        if known is None:
            walk = _Walk()
            walk.formula(formula, True, ())
            known = formula, frozenset(walk.alternations), frozenset(walk.functions)
            self._known[formula.get_id()] = known  # the formula is kept, and so is its number
        return known[1], known[2]


_Scope = tuple[frozenset[str], ...]
"""For each bound variable, innermost last, the sorts of the "for all" that it depends on."""


class _Walk:
    """One formula: its alternations under the polarity of each part, and its functions."""

    def __init__(self) -> None:
        self.alternations: set[tuple[str, str, str]] = set()
        self.functions: set[tuple[str, str, str]] = set()
        self._seen: set[tuple[int, bool, _Scope]] = set()

    def formula(self, e: Z3, positive: bool, scope: _Scope) -> None:
        key = (e.get_id(), positive, scope)
        if key in self._seen:
            return
        self._seen.add(key)
        if z3.is_quantifier(e):
            self._quantifier(e, positive, scope)
        elif z3.is_not(e):
            self.formula(e.arg(0), not positive, scope)
        elif z3.is_and(e) or z3.is_or(e):
            for part in e.children():
                self.formula(part, positive, scope)
        elif z3.is_implies(e):
            self.formula(e.arg(0), not positive, scope)
            self.formula(e.arg(1), positive, scope)
        elif _is_boolean_choice(e):
            for polarity in (True, False):
                self.formula(e.arg(0), polarity, scope)
            for part in e.children()[1:]:
                for polarity in (True, False) if z3.is_eq(e) else (positive,):
                    self.formula(part, polarity, scope)
        else:
            self._atom(e, scope)

    def _quantifier(self, e: Z3, positive: bool, scope: _Scope) -> None:
        sorts = [e.var_sort(i).name() for i in range(e.num_vars())]
        if e.is_forall() == positive:
            own = tuple(frozenset({s}) for s in sorts)
        else:
            free = _free_variables(e.body(), e.num_vars())
            depends = frozenset[str]().union(*(scope[-1 - i] for i in free))
            self.alternations |= {(d, s, "") for d in depends for s in sorts}
            own = (depends,) * len(sorts)
        self.formula(e.body(), positive, (*scope, *own))

    def _atom(self, e: Z3, scope: _Scope) -> None:
        """Look at a relation or a term: a choice in it has a condition, under both polarities."""
        if not z3.is_app(e):
            return
        declaration = e.decl()
        target = e.sort()
        if declaration.kind() == z3.Z3_OP_UNINTERPRETED and _is_open(target):
            self.functions |= {
                (declaration.domain(i).name(), target.name(), declaration.name())
                for i in range(declaration.arity())
                if _is_open(declaration.domain(i))
            }
        for part in e.children():
            if z3.is_bool(part):
                for polarity in (True, False):
                    self.formula(part, polarity, scope)
            else:
                self._atom(part, scope)


def _is_boolean_choice(e: Z3) -> bool:
    """Return whether ``e`` is "if and only if", or a choice between two formulas."""
    kind = e.decl().kind() if z3.is_app(e) else None
    if kind == z3.Z3_OP_ITE:
        return bool(z3.is_bool(e.arg(1)))
    return bool(kind in (z3.Z3_OP_EQ, z3.Z3_OP_IFF) and z3.is_bool(e.arg(0)))


def _is_open(sort: Z3) -> bool:
    """Return whether a sort can have any number of elements."""
    return bool(sort.kind() == z3.Z3_UNINTERPRETED_SORT)


def _free_variables(e: Z3, depth: int) -> set[int]:
    """Return the variables, counted from the innermost outside, that a quantifier's body reads."""
    found: set[int] = set()
    pending: list[tuple[Z3, int]] = [(e, depth)]
    seen: set[tuple[int, int]] = set()
    while pending:
        part, inside = pending.pop()
        if (part.get_id(), inside) in seen:
            continue
        seen.add((part.get_id(), inside))
        if z3.is_var(part):
            index = z3.get_var_index(part)
            if index >= inside:
                found.add(index - inside)
        elif z3.is_quantifier(part):
            pending.append((part.body(), inside + part.num_vars()))
        else:
            pending.extend((child, inside) for child in part.children())
    return found


def describe(circle: Iterable[Edge]) -> str:
    """Return a circle in words."""
    return ", ".join(map(str, circle))
