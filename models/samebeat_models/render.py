"""Readable traces: who did what, when, and only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from samebeat_models.results import Step, Trace
from samebeat_models.times import (
    SUFFIX,
    Milliseconds,
    duration,
    has_time,
    is_tick,
    plain_name,
    step_times,
    time_data,
    value_text,
)
from samebeat_spec.language import Instance, Variable
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.terms import Name


@dataclass(frozen=True)
class Change:
    """One cell with two values, as labels."""

    cell: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.old} -> {self.new}"


def changes(
    instance: Instance,
    before: StateTuple,
    after: StateTuple,
    tick_ms: Milliseconds | None = None,
) -> tuple[Change, ...]:
    """Return the cells whose values differ; durations in ms or s if it is known what a tick is."""
    return tuple(
        Change(
            _cell(instance, i, tick_ms),
            _value(instance, i, a, tick_ms),
            _value(instance, i, b, tick_ms),
        )
        for i, (a, b) in enumerate(zip(before, after, strict=True))
        if a != b
    )


def _cell(instance: Instance, index: int, tick_ms: Milliseconds | None) -> str:
    label, name = instance.cell_label(index), instance.cells[index].variable.name
    return plain_name(name, tick_ms) + label.removeprefix(name)


def _value(instance: Instance, index: int, value: int, tick_ms: Milliseconds | None) -> str:
    return value_text(instance, instance.cells[index].variable, value, tick_ms)


def labels(instance: Instance, action: str, arguments: Arguments) -> dict[str, str]:
    """Return a step's arguments as labels, by parameter."""
    parameters = instance.spec.find_action(action).parameters
    return {p.label: instance.label(p.sort, x) for p, x in zip(parameters, arguments, strict=True)}


def actor_of(instance: Instance, step: Step) -> str | None:
    """Return who acts, None if the spec has no sort of actors.

    It has one if the first parameter of all its actions, where there is any, is of one sort.
    """
    sorts = {a.parameters[0].sort for a in instance.spec.actions if a.parameters}
    said = labels(instance, step.action, step.arguments)
    return next(iter(said.values()), None) if len(sorts) == 1 else None


def labels_of_choice(instance: Instance, parameters: Sequence[Name], choice: Arguments) -> str:
    """Return ``c = c1, n = n2`` for a choice of elements."""
    pairs = zip(parameters, choice, strict=True)
    return ", ".join(f"{p.label} = {instance.label(p.sort, x)}" for p, x in pairs)


def step_label(instance: Instance, action: str, arguments: Arguments) -> str:
    """Return ``send_ack(n1, c1)``."""
    return f"{action}({', '.join(labels(instance, action, arguments).values())})"


def initial_facts(
    instance: Instance, state: StateTuple, tick_ms: Milliseconds | None = None
) -> tuple[str, ...]:
    """Return what an initial state says: what holds, and values, one fact where all are equal."""
    facts: list[str] = []
    for v in instance.spec.variables:
        cells = list(instance.cell_index[v.name].values())
        values = [_value(instance, i, state[i], tick_ms) for i in cells]
        if v.to is None:
            facts += [instance.cell_label(i) for i in cells if state[i]]
        elif len(set(values)) == 1:
            places = f"[{', '.join(['every'] * len(v.arguments))}]" if v.arguments else ""
            facts.append(f"{plain_name(v.name, tick_ms)}{places} = {values[0]}")
        else:
            names = [_cell(instance, i, tick_ms) for i in cells]
            facts += [f"{name} = {value}" for name, value in zip(names, values, strict=True)]
    return tuple(facts)


def given_durations(instance: Instance, tick_ms: Milliseconds | None = None) -> tuple[str, ...]:
    """Return the durations that an instance fixes: ``interval_ticks: 0 = 6, 1 = 2``."""
    return tuple(
        _given(instance, v, tick_ms) for v in instance.spec.constants if v.name.endswith(SUFFIX)
    )


def _given(instance: Instance, v: Variable, tick_ms: Milliseconds | None) -> str:
    name = plain_name(v.name, tick_ms)
    values = {
        ", ".join(map(instance.label, v.arguments, place)): value_text(instance, v, x, tick_ms)
        for place, x in sorted(instance.constant_values[v.name].items())
    }
    if len(set(values.values())) == 1:
        return f"{name} = {next(iter(values.values()))}"
    return f"{name}: " + ", ".join(f"{place} = {x}" for place, x in values.items())


# --- a run as text ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stretch:
    """The steps ``first`` to ``last``: one, or several ticks in which only clocks run."""

    first: int
    last: int

    @property
    def number(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def trace_lines(
    trace: Trace, limit: int | None = None, tick_ms: Milliseconds | None = None
) -> list[str]:
    """Return a run as aligned lines: number, time, who acts, action and arguments, changes.

    The time is there if the spec has any: how long after the start the step happens. Ticks in
    which nothing but clocks changes are one line. Who acts is a column of its own if that is
    always the first argument.

    Args:
        trace: the run.
        limit: show this many steps only.
        tick_ms: how many ms a tick is; None writes durations in ticks.
    """
    instance, states = trace.instance, trace.states
    timed, times = has_time(instance.spec), step_times(trace)

    def at(number: int) -> str:
        return duration(times[number], tick_ms) if timed else ""

    whole = limit is None or limit >= len(trace.steps)
    loop = trace.loop if whole else None

    first = initial_facts(instance, trace.initial, tick_ms) or ("nothing holds",)
    rows = [("0", at(0), "", "initially", first)]
    given = given_durations(instance, tick_ms) if timed else ()
    if given:
        rows.insert(0, ("", "", "", "given", given))
    for stretch in _stretches(trace, limit):
        if stretch.first - 1 == loop:
            rows.append(("", "", "", "then for ever", ("",)))
        who, what = _who_and_what(instance, trace.steps[stretch.first - 1])
        if stretch.last > stretch.first:
            what += f", {stretch.last - stretch.first + 1} times"
        before, after = states[stretch.first - 1], states[stretch.last]
        changed = tuple(map(str, changes(instance, before, after, tick_ms)))
        rows.append((stretch.number, at(stretch.first), who, what, changed or ("nothing changes",)))
    if loop == len(trace.steps):
        rows.append(("", "", "", "then for ever", ("nothing happens",)))
    return _aligned(rows)


def _stretches(trace: Trace, limit: int | None) -> Iterator[_Stretch]:
    """Yield the steps, consecutive ticks in which only clocks run as one."""
    first = 0
    count = len(trace.steps[:limit])
    for number in range(1, count + 1):
        runs = _only_clocks_run(trace, number)
        if first and number - 1 == trace.loop:
            yield _Stretch(first, number - 1)
            first = 0
        if runs:
            first = first or number
        if first and not (runs and number < count):
            yield _Stretch(first, number if runs else number - 1)
            first = 0
        if not runs:
            yield _Stretch(number, number)


def _only_clocks_run(trace: Trace, number: int) -> bool:
    """Return whether a step is a tick that changes nothing but durations."""
    instance, step = trace.instance, trace.steps[number - 1]
    return is_tick(instance, step) and all(
        cell.variable.name.endswith(SUFFIX)
        for cell, a, b in zip(instance.cells, trace.states[number - 1], step.state, strict=True)
        if a != b
    )


def _who_and_what(instance: Instance, step: Step) -> tuple[str, str]:
    """Return who acts, or nothing if the first argument does not say so, and the rest."""
    said = tuple(labels(instance, step.action, step.arguments).values())
    actor = actor_of(instance, step)
    who, others = ("", said) if actor is None else (actor, said[1:])
    return who, step.action + (f"({', '.join(others)})" if others else "")


def _aligned(rows: list[tuple[str, str, str, str, tuple[str, ...]]]) -> list[str]:
    """Return rows as lines, numbers to the right; a column that is empty in all is left out."""
    parts = [(number, *_split(time), who, what) for number, time, who, what, _ in rows]
    widths = [max(map(len, column)) for column in zip(*parts, strict=True)]
    lines: list[str] = []
    for (number, amount, unit, who, what), (*_, facts) in zip(parts, rows, strict=True):
        time = f"{amount:>{widths[1]}} {unit:<{widths[2]}}" if widths[1] else ""
        cells = (f"{number:>{widths[0]}}", time, who.ljust(widths[3]), what.ljust(widths[4]))
        head = "  ".join(filter(None, cells))
        lines.append(f"{head}  {facts[0]}".rstrip())
        lines += [" " * (len(head) + 2) + fact for fact in facts[1:]]
    return lines


def _split(time: str) -> tuple[str, str]:
    amount, _, unit = time.partition(" ")
    return amount, unit


def trace_data(trace: Trace, tick_ms: Milliseconds | None = None) -> list[dict[str, Any]]:
    """Return a run for JSON reports: each step's action, arguments, actor (or None), and changes.

    If the spec has time, ``time_ticks`` is how long after the start the step happens, and
    ``time_ms`` the same if ``tick_ms`` says how many ms a tick is. Changes are as in the spec.
    """
    instance, states = trace.instance, trace.states
    timed, times = has_time(instance.spec), step_times(trace)
    found: list[dict[str, Any]] = []
    for number, step in enumerate(trace.steps, 1):
        arguments = labels(instance, step.action, step.arguments)
        changed = changes(instance, states[number - 1], step.state)
        found.append(
            {
                "step": number,
                **(time_data(times[number], tick_ms) if timed else {}),
                "action": step.action,
                "arguments": arguments,
                "actor": actor_of(instance, step),
                "changes": [{"cell": c.cell, "old": c.old, "new": c.new} for c in changed],
            }
        )
    return found
