"""Economy: fewer bits a state, so that more models fit into one word.

Two kinds of bits carry nothing: those of values that a cell never takes, and those of a cell that
a few others determine (a member has sent its ack exactly in the phases after it). Both are
*learned* from a sample of reachable states and then *checked on every step* of the exploration:
each ground action gets the conditions under which it would lead to a state that breaks what was
learned. So a state is still represented exactly; a wrong guess costs a second attempt, never a
state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samebeat_models.explorer.formulas import FALSE, TRUE, Formulas, Ground
from samebeat_models.explorer.grounding import Cases, GroundAction, Grounding
from samebeat_models.explorer.kernels import StepKernel, blocks
from samebeat_models.explorer.layout import Layout, Words
from samebeat_models.explorer.store import sorted_unique
from samebeat_models.explorer.symmetry import CellMap, Group

Codes = npt.NDArray[np.int64]
_MAX_DETERMINANTS = 4
_QUICK_LOOK = 2000
_QUICK_LOOKS = 5
_MAX_LEVELS = 400


class AssumptionBroken(Exception):  # noqa: N818  (`except AssumptionBroken` is the sentence)
    """Steps lead to states unlike the sample: what was learned does not hold.

    ``index`` is the ground action, ``states`` are some of the states before those steps.
    """

    def __init__(self, index: int, states: Words) -> None:
        super().__init__()
        self.index = index
        self.states = states


@dataclass(frozen=True)
class Dependency:
    """``cell`` is determined by ``by``: for each combination of their values seen, its value."""

    cell: int
    by: tuple[int, ...]
    table: Mapping[tuple[int, ...], int]


@dataclass(frozen=True)
class Learned:
    """The values that each cell takes, and the cells that others determine."""

    possible: tuple[frozenset[int], ...]
    dependencies: tuple[Dependency, ...]

    @property
    def left_out(self) -> frozenset[int]:
        """The cells that need no bits of their own."""
        return frozenset(d.cell for d in self.dependencies)


# --- learning ------------------------------------------------------------------------------


def sample(steps: StepKernel, initial: Words, width: int) -> Words:
    """Return reachable states: of each level and each ground action at most ``width`` successors.

    A share for each action, because the rare steps are the ones to learn most from.
    """
    frontier = sorted_unique(initial)
    found = [frontier]
    for _ in range(_MAX_LEVELS):
        by_action: dict[int, list[Words]] = {}
        for _, block in blocks(frontier):
            for s in steps.steps(block, must_fit=False):
                by_action.setdefault(s.index, []).append(s.after)
        shares = [_share(np.concatenate(parts, axis=1), width) for parts in by_action.values()]
        if not shares:
            break
        frontier = sorted_unique(np.concatenate(shares, axis=1))
        if frontier.shape[1] == 0:
            break
        found.append(frontier)
    return sorted_unique(np.concatenate(found, axis=1))


def _share(states: Words, width: int) -> Words:
    stride = max(1, -(-states.shape[1] // width))
    return states[:, ::stride]


def learn(
    layout: Layout, actions: Sequence[GroundAction], states: Words, group: Group | None
) -> Learned:
    """Return what a sample of states suggests."""
    columns = {i: layout.codes(f, states) for i, f in layout.fields.items()}
    seen = list(layout.possible)
    for i, field in layout.fields.items():
        seen[i] = frozenset(field.values[code] for code in np.unique(columns[i]))
    possible = seen if group is None else group.closed(seen)
    found = _choose(_Sample(layout, columns), possible, _related(actions))
    kept = _whole_orbits(found, group)
    dependencies = tuple(
        Dependency(cell, found[cell], _table(cell, found[cell], columns, layout)) for cell in kept
    )
    return Learned(tuple(possible), dependencies)


class _Sample:
    """The codes of every cell in the sample, and in a small part of it for quick looks."""

    def __init__(self, layout: Layout, columns: Mapping[int, Codes]) -> None:
        self.columns = columns
        self.sizes = {c: len(layout.fields[c].values) for c in columns}
        length = len(next(iter(columns.values()), ()))
        self._rows = np.random.default_rng(0).permutation(length)[:_QUICK_LOOK]
        self.quick = {c: column[self._rows] for c, column in columns.items()}

    def undecided(self, by: Sequence[int], cell: int) -> Codes:
        """Return the states of the whole sample in which ``by`` leave ``cell`` open."""
        groups = np.zeros(len(self.columns[cell]), np.int64)
        for c in by:
            groups = _compact(groups * self.sizes[c] + self.columns[c])
        _, mixed = _tally(groups, self.columns[cell], self.sizes[cell])
        return np.flatnonzero(mixed[groups])

    def look_at(self, rows: Codes) -> None:
        """Add states to the small part."""
        self._rows = np.concatenate((self._rows, rows[: _QUICK_LOOK // 10]))
        self.quick = {c: column[self._rows] for c, column in self.columns.items()}


def _choose(
    sample: _Sample, possible: Sequence[frozenset[int]], related: Mapping[int, set[int]]
) -> dict[int, tuple[int, ...]]:
    """Return cells to leave out, each with those that determine it and are kept."""
    varying = [c for c in sample.columns if len(possible[c]) > 1]
    found: dict[int, tuple[int, ...]] = {}
    needed: set[int] = set()

    def look(cell: int) -> tuple[int, ...] | None:
        near = related.get(cell, set())
        others = [c for c in varying if c != cell and c not in found]
        return _determinants(sample, cell, sorted(others, key=lambda c: (c not in near, c)))

    guesses = {c: by for c in varying if (by := look(c)) is not None}
    for cell in sorted(guesses, key=lambda c: (len(guesses[c]), c)):  # the simplest first
        if cell in needed:
            continue
        by = guesses[cell] if found.keys().isdisjoint(guesses[cell]) else look(cell)
        if by is not None:
            found[cell] = by
            needed.update(by)
    return found


def _determinants(sample: _Sample, cell: int, others: Sequence[int]) -> tuple[int, ...] | None:
    """Return a few cells that determine ``cell`` in the sample, or None."""
    for _ in range(_QUICK_LOOKS):
        chosen = _greedy(sample, cell, others)
        if chosen is None:
            return None
        missed = sample.undecided(chosen, cell)
        if len(missed) == 0:
            return _fewest(sample, cell, chosen)
        sample.look_at(missed)
    return None


def _greedy(sample: _Sample, cell: int, others: Sequence[int]) -> list[int] | None:
    """Return cells that decide ``cell`` in the small part, each the one that decides most."""
    target, size = sample.quick[cell], sample.sizes[cell]
    groups = np.zeros(len(target), np.int64)
    chosen: list[int] = []
    while len(chosen) < _MAX_DETERMINANTS + 2:
        splits = {c: groups * sample.sizes[c] + sample.quick[c] for c in others if c not in chosen}
        if not splits:
            return None
        scores = {c: _tally(g, target, size)[0] for c, g in splits.items()}
        best = min(scores, key=scores.__getitem__)  # the first of equals: a near one
        chosen.append(best)
        if scores[best] == 0:
            return chosen
        groups = _compact(splits[best])
    return None


def _fewest(sample: _Sample, cell: int, chosen: Sequence[int]) -> tuple[int, ...] | None:
    """Return the cells of ``chosen`` that are needed to determine ``cell``; None if too many."""
    kept = list(chosen)
    for c in chosen[:-1]:
        fewer = [k for k in kept if k != c]
        if len(sample.undecided(fewer, cell)) == 0:
            kept = fewer
    return tuple(kept) if len(kept) <= _MAX_DETERMINANTS else None


def _compact(groups: Codes) -> Codes:
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _tally(groups: Codes, target: Codes, size: int) -> tuple[int, npt.NDArray[np.bool_]]:
    """Return how many states lie in groups with several values of the target, and which those are.

    ``size`` is the number of values that the target can have.
    """
    counts = np.bincount(groups * size + target, minlength=(int(groups.max()) + 1) * size)
    table = counts.reshape(-1, size)
    total = table.sum(axis=1)
    mixed = table.max(axis=1) != total
    return int(total[mixed].sum()), mixed


def _related(actions: Sequence[GroundAction]) -> dict[int, set[int]]:
    """Return for each cell the cells that the actions which write it read or write."""
    related: dict[int, set[int]] = {}
    for action in actions:
        read = _cells(action.guard)
        written = set(action.effects)
        for cases in action.effects.values():
            read.update(*(_cells(g) for g in cases.values()))
        for cell in written:
            related.setdefault(cell, set()).update((read | written) - {cell})
    return related


def _cells(node: Ground) -> set[int]:
    if node.kind == "test":
        return {node.cell}
    return set().union(*(_cells(part) for part in node.parts))


def _whole_orbits(found: Mapping[int, tuple[int, ...]], group: Group | None) -> list[int]:
    """Return the found cells whose images under every permutation are found too."""
    maps = () if group is None else group.maps
    return [cell for cell in found if all(m.target[cell] in found for m in maps)]


def _table(
    cell: int, by: tuple[int, ...], columns: Mapping[int, Codes], layout: Layout
) -> dict[tuple[int, ...], int]:
    rows = np.unique(np.stack([*(columns[c] for c in by), columns[cell]]), axis=1).T
    fields = [layout.fields[c] for c in (*by, cell)]
    decoded = (tuple(f.values[code] for f, code in zip(fields, row, strict=True)) for row in rows)
    return {row[:-1]: row[-1] for row in decoded}


# --- using and checking --------------------------------------------------------------------


def definitions(formulas: Formulas, learned: Learned) -> dict[int, Cases]:
    """Return the cases of each determined cell over the cells that determine it."""
    return {d.cell: _cases(formulas, d.by, d.table) for d in learned.dependencies}


def _cases(formulas: Formulas, by: tuple[int, ...], table: Mapping[tuple[int, ...], int]) -> Cases:
    values = set(table.values())
    if len(values) == 1:
        return {values.pop(): TRUE}
    first, rest = by[0], by[1:]
    branches: dict[tuple[object, ...], tuple[list[int], dict[tuple[int, ...], int]]] = {}
    for value in sorted({row[0] for row in table}):
        below = {row[1:]: v for row, v in table.items() if row[0] == value}
        key = tuple(sorted(below.items()))
        branches.setdefault(key, ([], below))[0].append(value)
    unseen = formulas.possible[first] - {row[0] for row in table}
    next(iter(branches.values()))[0].extend(unseen)  # either way; the checks watch over it
    cases: dict[int, list[Ground]] = {}
    for tested, below in branches.values():
        here = formulas.test(first, tested)
        for v, condition in _cases(formulas, rest, below).items():
            cases.setdefault(v, []).append(formulas.all_of((here, condition)))
    return {v: formulas.any_of(conditions) for v, conditions in cases.items()}


Promise = tuple[int, Cases]
"""A cell, and the cases of its value that what was learned claims."""


def promises(grounding: Grounding, group: Group | None) -> list[Promise]:
    """Return the definitions and their images under the group, each once.

    A state is stored as its least image, so what is claimed must be true of every image.
    """
    found: dict[tuple[int, frozenset[tuple[int, int]]], Promise] = {}
    for cell, cases in grounding.definitions.items():
        images = [(cell, cases)]
        for m in () if group is None else group.maps:
            moved = {m.values[cell][v]: _moved(grounding.formulas, g, m) for v, g in cases.items()}
            images.append((m.target[cell], moved))
        for target, own in images:
            key = (target, frozenset((v, id(g)) for v, g in own.items()))
            found.setdefault(key, (target, own))
    return list(found.values())


def _moved(formulas: Formulas, node: Ground, m: CellMap) -> Ground:
    """Return the formula that is true of a state's image exactly where ``node`` is of the state."""
    if node.kind == "test":
        return formulas.test(m.target[node.cell], (m.values[node.cell][v] for v in node.values))
    parts = [_moved(formulas, part, m) for part in node.parts]
    return formulas.all_of(parts) if node.kind == "all" else formulas.any_of(parts)


def checks(grounding: Grounding, promised: Sequence[Promise], action: GroundAction) -> Ground:
    """Return the condition under which ``action`` leads to a state unlike what was learned."""
    f = grounding.formulas
    bad = [
        f.all_of((action.guard, condition))
        for cell, cases in action.effects.items()
        for value, condition in cases.items()
        if value not in f.possible[cell]
    ]
    for cell, before in promised:
        by = set().union(*map(_cells, before.values()))
        if cell in action.effects or not by.isdisjoint(action.effects):
            real = action.effects.get(cell, grounding.definitions[cell])
            claimed = {v: _after(f, g, action.effects) for v, g in before.items()}
            agree = f.any_of(f.all_of((g, claimed[v])) for v, g in real.items() if v in claimed)
            disagree = f.assume(f.negate(agree), f.facts(action.guard))
            bad.append(f.all_of((action.guard, disagree)))
    return f.any_of(bad)


def _after(formulas: Formulas, node: Ground, effects: Mapping[int, Cases]) -> Ground:
    """Return the formula about the state before a step that says ``node`` of the one after."""
    if node is TRUE or node is FALSE:
        return node
    if node.kind == "test":
        cases = effects.get(node.cell)
        if cases is None:
            return node
        return formulas.any_of(g for v, g in cases.items() if v in node.values)
    parts = [_after(formulas, part, effects) for part in node.parts]
    return formulas.all_of(parts) if node.kind == "all" else formulas.any_of(parts)
