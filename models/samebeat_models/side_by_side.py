"""Side by side: models that are equal but for one constant, and what each of them shows.

Such models are one row, and the values of the constant are the columns. A row is named by what
differs between the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from samebeat_models.catalog import Model
from samebeat_models.results import Row, Verdict
from samebeat_models.times import Milliseconds, has_time, plain_name, step_times, value_text
from samebeat_spec.language import Instance, Spec, Variable

ModelOfSpec = tuple[Model, Spec]
_CONSTANT = "constant "


class NothingBesideError(Exception):
    """The models cannot be put side by side; the message is one line that says why."""


@dataclass(frozen=True)
class Line:
    """One row: a text for each of ``SideBySide.labels``, and a model's name for each column."""

    labels: tuple[str, ...]
    models: Mapping[str, str]


@dataclass(frozen=True)
class SideBySide:
    """Which models stand side by side.

    Args:
        by: the constant whose values are the columns.
        columns: its values, as labels, in the order of the models.
        labels: what the texts that name a row are about.
        lines: the rows, in the order of the models.
        alone: all other models: those that no other one differs from in ``by`` only, and those
            equal to one in a row.
    """

    by: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    alone: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """What a model shows: of the violated properties the one with the shortest trace.

    Args:
        model: its name.
        verdict: violated if any property is; holds if all do; else undetermined.
        as_expected: whether everything about the model is, its pinned counts too.
        property: the violated property; empty if none is.
        others: how many more are violated.
        steps: the length of the trace.
        ticks: when its last step happens; None if the spec has no time.
    """

    model: str
    verdict: Verdict
    as_expected: bool
    property: str = ""
    others: int = 0
    steps: int | None = None
    ticks: int | None = None


def arrange(models: Sequence[ModelOfSpec], by: str) -> SideBySide:
    """Return how models stand side by side that differ in the constant ``by`` only.

    Raises:
        NothingBesideError: no spec has this constant, or no two models differ in it only.
    """
    known = list(dict.fromkeys(v.name for _, spec in models for v in spec.constants))
    if by not in known:
        have = ", ".join(known) or "none"
        raise NothingBesideError(f"no constant of these models is called {by!r}; there are {have}")
    groups: dict[tuple[tuple[str, str], ...], dict[str, ModelOfSpec]] = {}
    for model, spec in models:
        facts = _facts(model, spec)
        value = facts.pop(_CONSTANT + by, None)
        if value is not None:
            groups.setdefault(tuple(facts.items()), {}).setdefault(value, (model, spec))
    rows = [beside for beside in groups.values() if len(beside) > 1]
    if not rows:
        raise NothingBesideError(f"no two of these models differ in {by} only")
    return _side_by_side(by, models, rows)


def _side_by_side(
    by: str, models: Sequence[ModelOfSpec], rows: Sequence[Mapping[str, ModelOfSpec]]
) -> SideBySide:
    """Return the rows with their texts, in ms or s if all models say that a tick is as long."""
    lengths = {model.tick_ms for model, _ in models}
    tick_ms = lengths.pop() if len(lengths) == 1 else None
    key = _CONSTANT + plain_name(by, tick_ms)
    columns = {
        value: _facts(*one, tick_ms)[key] for beside in rows for value, one in beside.items()
    }
    facts = [_facts(*next(iter(beside.values())), tick_ms) for beside in rows]
    labels = _labels([{name: x for name, x in row.items() if name != key} for row in facts])
    lines = [
        Line(
            tuple(row.get(label, "") for label in labels),
            {columns[value]: model.name for value, (model, _) in beside.items()},
        )
        for row, beside in zip(facts, rows, strict=True)
    ]
    placed = {name for line in lines for name in line.models.values()}
    return SideBySide(
        by,
        tuple(columns.values()),
        tuple(label.removeprefix(_CONSTANT) for label in labels),
        tuple(lines),
        tuple(model.name for model, _ in models if model.name not in placed),
    )


def _facts(model: Model, spec: Spec, tick_ms: Milliseconds | None = None) -> dict[str, str]:
    """Return all that makes a model what it is, as texts by what they are about."""
    instance = Instance(model.name, spec, model.sizes, model.constants)
    facts = {"spec": spec.name}
    for v in spec.constants:
        facts[_CONSTANT + plain_name(v.name, tick_ms)] = _constant(instance, v, tick_ms)
    facts |= {f"size of {sort}": str(size) for sort, size in sorted(model.sizes.items())}
    left_out = model.without
    facts["without"] = f"{left_out.action}: {left_out.guard}" if left_out else ""
    facts["symmetry"] = str(model.symmetry).lower()
    return facts


def _constant(instance: Instance, v: Variable, tick_ms: Milliseconds | None) -> str:
    """Return a constant's value: ``4``, ``6 -> 2`` in the order of an ordered sort, or a table."""
    texts = {
        ", ".join(map(instance.label, v.arguments, place)): value_text(instance, v, x, tick_ms)
        for place, x in sorted(instance.constant_values[v.name].items())
    }
    if not v.arguments:
        return texts[""]
    if v.to is None:
        return "; ".join(place for place, holds in texts.items() if holds == "true") or "nothing"
    if len(v.arguments) == 1 and v.arguments[0].ordered:
        return " -> ".join(texts.values())
    return ", ".join(f"{place} = {value}" for place, value in texts.items())


def _labels(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return what differs between rows: constants, and anything else if they do not suffice."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    differing = [n for n in names if len({row.get(n, "") for row in rows}) > 1]
    constants = tuple(n for n in differing if n.startswith(_CONSTANT))
    if len({tuple(row.get(n, "") for n in constants) for row in rows}) == len(rows):
        return constants
    return tuple(differing)


def shown(model: str, rows: Sequence[Row]) -> Shown:
    """Return what the rows of a report say of a model."""
    own = [row for row in rows if row.model == model]
    as_expected = all(row.as_expected for row in own)
    judged = [row for row in own if row.kind not in ("witness", "pins")]
    broken = [row for row in judged if row.verdict is Verdict.VIOLATED]
    if not broken:
        holds = judged and all(row.verdict is Verdict.HOLDS for row in judged)
        return Shown(model, Verdict.HOLDS if holds else Verdict.UNDETERMINED, as_expected)
    first = min(broken, key=lambda row: len(row.trace.steps) if row.trace else row.depth or 0)
    trace = first.trace
    return Shown(
        model,
        Verdict.VIOLATED,
        as_expected,
        first.property,
        len(broken) - 1,
        len(trace.steps) if trace else first.depth,
        step_times(trace)[len(trace.steps)] if trace and has_time(trace.instance.spec) else None,
    )
