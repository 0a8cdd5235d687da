"""Counterexamples to induction, for people: two states, a step, and only what matters of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from samebeat_cli.reports import count_of
from samebeat_models.broken import Broken
from samebeat_models.classify import Classified, Kind, Place
from samebeat_models.reasons import Matters, what_matters
from samebeat_models.render import step_label, trace_data, trace_lines
from samebeat_models.results import Step, Verdict
from samebeat_proofs.examples import Example
from samebeat_spec.language import Instance, Property


@dataclass(frozen=True)
class Counterexample:
    """An obligation that is not met, with a small example of that.

    Args:
        name: the obligation's name.
        fact: what is broken, by name.
        own: whether only the proof needs the fact, so that no promise is broken with it.
        example: the state and the step.
        prop: the fact; None if it is not one of the proof's.
        classified: what the example is worth; None if that was not looked at.
    """

    name: str
    fact: str
    own: bool
    example: Example
    prop: Property | None
    classified: Classified | None

    @property
    def matters(self) -> Matters:
        """The cells that matter."""
        e = self.example
        action = e.instance.spec.find_action(e.action) if e.action else None
        return what_matters(e.instance, self.prop, e.state, action, e.arguments, e.after)

    @property
    def step(self) -> str:
        """The step, ``commit(n1, c1)``; nothing if a single state breaks the fact."""
        e = self.example
        return step_label(e.instance, e.action, e.arguments) if e.action else ""

    def cell(self, index: int) -> str:
        """Return a cell as reports write it."""
        return self.example.instance.cell_label(index)

    def value(self, index: int, after: bool = False) -> str:
        """Return what a cell is, before the step or after it."""
        state = self.example.after if after and self.example.after else self.example.state
        return self.example.instance.value_label(index, state[index])

    @property
    def size(self) -> str:
        """How many elements it has, ``2 of Node, 1 of Change``."""
        return _sizes(self.example.instance)

    @property
    def _larger(self) -> str:
        assert self.classified is not None
        return _sizes(self.classified.others[-1].instance)

    @property
    def verdict(self) -> str:
        """What the counterexample is worth, in one sentence."""
        found = self.classified
        if found is None:
            return "It was not looked up."
        if found.trace is not None:
            steps = count_of(len(found.trace.steps), "step")
            kind = "it is not true" if self.own else "a defect"
            which = "This" if found.kind is Kind.REACHED else "Another"
            larger = f", with {self._larger}" if found.others else ""
            return f"{which} run breaks {self.fact} in {steps}{larger}: {kind}."
        states = count_of(found.before.states, "state")
        if found.kind is Kind.UNREACHED:
            more = "".join(f", {_also(x)}" for x in found.others)
            return (
                f"No run of this instance breaks {self.fact} ({states}){more}: a fact is missing, "
                "or more elements are needed."
            )
        return f"Whether a run breaks {self.fact} is undetermined: {found.why}"


def _sizes(instance: Instance) -> str:
    """Return how many elements each sort has; of numbers that is no news."""
    numbers = {s.__name__ for s in instance.spec.sorts if s.integer}
    return ", ".join(f"{n} of {name}" for name, n in instance.sizes.items() if name not in numbers)


def _also(other: Broken) -> str:
    """Say of a larger instance that no run breaks the fact there, or that this is not known."""
    sizes = _sizes(other.instance)
    states = count_of(other.states, "state")
    if other.verdict is Verdict.HOLDS:
        return f"nor with {sizes} ({states})"
    return f"undetermined with {sizes} ({other.why})"


def step_of(example: Example) -> Step | None:
    """Return the step of an example, if it has one."""
    if example.after is None:
        return None
    return Step(example.action, example.arguments, example.after)


def lines(c: Counterexample) -> Iterator[str]:
    """Yield a counterexample for people, before the verdict."""
    matters = c.matters
    cells = matters.all or tuple(range(len(c.example.state)))
    head = "  0  a state  "
    for i in cells:
        value = c.value(i)
        said = {"true": c.cell(i), "false": f"not {c.cell(i)}"}.get(value, f"{c.cell(i)} = {value}")
        yield f"{head}{said}"
        head = " " * len(head)
    if c.step:
        changed = [
            f"{c.cell(i)}: {c.value(i)} -> {c.value(i, True)}"
            for i in cells
            if i in matters.changed
        ]
        head = f"  1  {c.step}  "
        for said in changed or ["nothing changes"]:
            yield f"{head}{said}"
            head = " " * len(head)
    broken = sorted(matters.before | matters.after)
    if broken:
        yield f"  {c.fact} is broken by {', '.join(map(c.cell, broken))}"
    yield f"  shown is what matters; with {c.size}"
    if c.classified is not None:
        for when, place in (("before", c.classified.before), ("after", c.classified.after)):
            if place is not None:
                which = f"the state {when}" if c.step else "the state"
                yield f"  {which}: {_where(place)}"


def run_lines(c: Counterexample) -> Iterator[str]:
    """Yield the run from the start that breaks the fact, if there is one."""
    if c.classified is not None and c.classified.trace is not None:
        yield from trace_lines(c.classified.trace)


def _where(place: Place) -> str:
    if place.trace is not None:
        return f"reached by a run of {count_of(len(place.trace.steps), 'step')}"
    states = count_of(place.states, "state")
    if place.why:
        return f"undetermined, not among the first {states}: {place.why}"
    return f"reached by no run of this size ({states}, all seen)"


def data(c: Counterexample) -> dict[str, Any]:
    """Return a counterexample as plain data."""
    cells, matters = c.matters.all, c.matters
    return {
        "sizes": dict(c.example.instance.sizes),
        "step": c.step,
        "cells": [
            {
                "cell": c.cell(i),
                "before": c.value(i),
                "after": c.value(i, True) if c.step else None,
                "changed": i in matters.changed,
                "guard": i in matters.guards,
                "breaks": i in matters.before | matters.after,
            }
            for i in cells
        ],
        "class": str(c.classified.kind) if c.classified else None,
        "before": _place(c.classified.before) if c.classified else None,
        "after": _place(c.classified.after) if c.classified and c.classified.after else None,
        "why": c.classified.why if c.classified else "",
        "larger": [
            {"sizes": dict(x.instance.sizes), "verdict": str(x.verdict), "states": x.states}
            for x in (c.classified.others if c.classified else ())
        ],
        "run": trace_data(c.classified.trace) if c.classified and c.classified.trace else None,
    }


def _place(place: Place) -> dict[str, Any]:
    steps = None if place.trace is None else len(place.trace.steps)
    return {"reached": place.verdict, "steps": steps, "states": place.states, "why": place.why}
