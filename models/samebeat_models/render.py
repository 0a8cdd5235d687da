"""Readable traces: who did what, and only what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple


@dataclass(frozen=True)
class Change:
    """One cell with two values, as labels."""

    cell: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.old} -> {self.new}"


def changes(instance: Instance, before: StateTuple, after: StateTuple) -> tuple[Change, ...]:
    """Return the cells whose values differ."""
    return tuple(
        Change(instance.cell_label(i), instance.value_label(i, a), instance.value_label(i, b))
        for i, (a, b) in enumerate(zip(before, after, strict=True))
        if a != b
    )


def labels(instance: Instance, action: str, arguments: Arguments) -> dict[str, str]:
    """Return a step's arguments as labels, by parameter; the first one is who acts."""
    parameters = instance.spec.find_action(action).parameters
    return {p.label: instance.label(p.sort, x) for p, x in zip(parameters, arguments, strict=True)}


def step_label(instance: Instance, action: str, arguments: Arguments) -> str:
    """Return ``send_ack(n1, c1)``."""
    return f"{action}({', '.join(labels(instance, action, arguments).values())})"


def initial_facts(instance: Instance, state: StateTuple) -> tuple[str, ...]:
    """Return what an initial state says: what holds, and values, one fact where all are equal."""
    facts: list[str] = []
    for v in instance.spec.variables:
        cells = list(instance.cell_index[v.name].values())
        if v.to is None:
            facts += [instance.cell_label(i) for i in cells if state[i]]
        elif len({state[i] for i in cells}) == 1:
            places = f"[{', '.join(['every'] * len(v.arguments))}]" if v.arguments else ""
            facts.append(f"{v.name}{places} = {instance.value_label(cells[0], state[cells[0]])}")
        else:
            facts += [
                f"{instance.cell_label(i)} = {instance.value_label(i, state[i])}" for i in cells
            ]
    return tuple(facts)


def trace_lines(trace: Trace, limit: int | None = None) -> list[str]:
    """Return a run as aligned lines: number, who acts, action with other arguments, changes.

    Args:
        trace: the run.
        limit: show this many steps only.
    """
    instance, states = trace.instance, trace.states
    rows = [("0", "", "initially", initial_facts(instance, trace.initial) or ("nothing holds",))]
    for number, step in enumerate(trace.steps[:limit], 1):
        who, *others = labels(instance, step.action, step.arguments).values() or ("",)
        what = step.action + (f"({', '.join(others)})" if others else "")
        changed = tuple(map(str, changes(instance, states[number - 1], step.state)))
        rows.append((str(number), who, what, changed or ("nothing changes",)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines: list[str] = []
    for *cells, facts in rows:
        number_, who, what = (cell.ljust(w) for cell, w in zip(cells, widths, strict=True))
        lines.append(f"{number_.strip():>{widths[0]}}  {who}  {what}  {facts[0]}")
        lines += [" " * (sum(widths) + 6) + fact for fact in facts[1:]]
    return lines


def trace_data(trace: Trace) -> list[dict[str, Any]]:
    """Return a run for JSON reports: each step's action, arguments, actor and changes."""
    instance, states = trace.instance, trace.states
    found: list[dict[str, Any]] = []
    for number, step in enumerate(trace.steps, 1):
        arguments = labels(instance, step.action, step.arguments)
        changed = changes(instance, states[number - 1], step.state)
        found.append(
            {
                "step": number,
                "action": step.action,
                "arguments": arguments,
                "actor": next(iter(arguments.values()), None),
                "changes": [{"cell": c.cell, "old": c.old, "new": c.new} for c in changed],
            }
        )
    return found
