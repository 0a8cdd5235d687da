"""Figures: the least and the most of what a spec has measured, over all runs of a model.

A *stay* is a part of a run in which a formula holds without a break. Its length is what passes
between its first and its last state: ticks, or steps where nothing ticks. A tick that begins or
ends it does not count: what a tick changes, it changes as it begins. A stay that need not end, or
in which time goes round in a circle, has no bound, and that is the answer. A *tally* is read in
each state where its formula holds.

All answers are exact. Under symmetry they are taken from one state of each orbit: formulas cannot
tell the states of an orbit apart, and steps lead from orbit to orbit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from samebeat_models.catalog import Model
from samebeat_models.explorer.formulas import Ground
from samebeat_models.explorer.kernels import Block, blocks
from samebeat_models.graph import GraphTooLarge, StateGraph, state_graph
from samebeat_models.results import PINNED, Exit, Exploration, Row, Step, Trace, Verdict
from samebeat_models.runs import Bools, Edges, Numbers, Stay
from samebeat_models.times import has_time
from samebeat_spec.language import Figure, Instance, Spec
from samebeat_spec.language.instance import StateTuple

MOST_STATES = 1_000_000
"""A larger graph is not built: its figures are undetermined."""


class Answer(StrEnum):
    """What is known of one end of a figure."""

    EXACT = "exact"
    NO_BOUND = "no bound"
    NEVER = "never"
    """the formula never holds in this model"""
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Extreme:
    """One end of a figure: the least or the most.

    ``value`` is there if the answer is exact; ``why`` if there is no bound or it is undetermined;
    ``trace`` is a run that shows it, if asked for.
    """

    answer: Answer
    value: int | None = None
    why: str = ""
    trace: Trace | None = None

    @property
    def said(self) -> int | str:
        """The number, or in words why there is none: what a pin holds."""
        return str(self.answer) if self.value is None else self.value


@dataclass(frozen=True)
class Measured:
    """A figure of a model; ``unit`` is "ticks", "steps" or what a tally counts."""

    model: str
    figure: Figure
    unit: str
    least: Extreme
    most: Extreme

    @property
    def said(self) -> tuple[int | str, int | str]:
        """The least and the most, as a pin holds them."""
        return self.least.said, self.most.said


def figures_of_model(
    model: Model,
    spec: Spec,
    outcome: Exploration,
    rows: Sequence[Row],
    *,
    limit: int = MOST_STATES,
    traces: bool = False,
) -> tuple[Measured, ...]:
    """Return the figures of a model that was explored; a control, which is wrong, has none.

    Raises:
        InstanceError: a figure does not fit the instance.
    """
    if model.is_control or not spec.figures:
        return ()
    why = outcome.incomplete_reason
    if not why and not all(row.as_expected for row in rows if row.property != PINNED):
        why = "the model does not hold"
    if not why and outcome.states > limit:
        why = f"more than {limit:,} states"
    if why:
        return _undetermined(outcome.instance, why)
    return figures_of(outcome.instance, symmetry=model.symmetry, limit=limit, traces=traces)


def figures_of(
    instance: Instance, *, symmetry: bool = False, limit: int = MOST_STATES, traces: bool = False
) -> tuple[Measured, ...]:
    """Return every figure of an instance, in order of definition.

    Args:
        instance: what to measure.
        symmetry: look at one state of each orbit.
        limit: give up on a graph with more states: all is undetermined.
        traces: add a run that shows the least, and one that shows the most.

    Raises:
        InstanceError: a figure does not fit the instance.
        StateError: a step leads to a state that does not fit.
    """
    try:
        graph = state_graph(instance, limit, symmetry=symmetry)
    except GraphTooLarge:
        return _undetermined(instance, f"more than {limit:,} states")
    measure = _Measure(graph, traces)
    return tuple(measure.figure(f) for f in instance.spec.figures)


def _undetermined(instance: Instance, why: str) -> tuple[Measured, ...]:
    unknown, spec = Extreme(Answer.UNDETERMINED, why=why), instance.spec
    return tuple(
        Measured(instance.name, f, unit_of(spec, f), unknown, unknown) for f in spec.figures
    )


def unit_of(spec: Spec, figure: Figure) -> str:
    """Return what a figure is measured in."""
    return figure.unit or ("ticks" if has_time(spec) else "steps")


def held_against_pins(
    model: Model, rows: Sequence[Row], measured: Sequence[Measured]
) -> tuple[Row, ...]:
    """Return the rows of a model, the line about its pins with what is wrong with the figures."""
    found = {m.figure.name: m for m in measured}
    wrong, unknown = [], []
    for name, pinned in model.figures.items() if measured else ():
        least, most = found[name].said
        if Answer.UNDETERMINED in (least, most):
            unknown.append(f"{name}: {found[name].most.why}")
        elif (least, most) != pinned:
            wrong.append(f"{name}: {least} to {most} instead of {pinned[0]} to {pinned[1]}")
    if not wrong and not unknown:
        return tuple(rows)
    verdict = Verdict.VIOLATED if wrong else Verdict.UNDETERMINED
    code = Exit.NOT_AS_PINNED if wrong else Exit.UNDETERMINED
    detail = "; ".join(wrong or unknown)
    return tuple(
        replace(row, verdict=verdict, exit=code, detail=detail)
        if row.property == PINNED and row.as_expected
        else row
        for row in rows
    )


class _Measure:
    """A state graph, ready to be measured."""

    def __init__(self, graph: StateGraph, traces: bool) -> None:
        self._graph = graph
        self._machine = graph.machine
        self._traces = traces
        spec, actions = graph.machine.instance.spec, graph.machine.steps.actions
        counts = np.array([a.action.tick or not has_time(spec) for a in actions], np.bool_)
        costs = counts[graph.step] if len(actions) else np.zeros(0, np.bool_)
        target = graph.target.astype(np.int64)
        self._edges = Edges(graph.start, target, costs, graph.initial)
        self._bases = np.cumsum([0, *(level.shape[1] for level in graph.store.levels)])

    def figure(self, f: Figure) -> Measured:
        """Return one figure."""
        least, most = self._stay(f) if f.kind == "stay" else self._tally(f)
        instance = self._machine.instance
        return Measured(instance.name, f, unit_of(instance.spec, f), least, most)

    # --- stays -----------------------------------------------------------------------------

    def _stay(self, f: Figure) -> tuple[Extreme, Extreme]:
        inside = self._holds(self._machine.grounding.formula(f.formula, {}))
        if not inside.any():
            return Extreme(Answer.NEVER), Extreme(Answer.NEVER)
        stay = Stay(self._edges, inside)
        least = Extreme(Answer.NO_BOUND, why="nothing ends it")
        if stay.exits.any():
            least = self._complete(stay, stay.shortest(), longest=False)
        return least, self._endless(stay, inside) or self._complete(
            stay, stay.longest(), longest=True
        )

    def _complete(self, stay: Stay, costs: Numbers, *, longest: bool) -> Extreme:
        """Return the shortest or the longest stay that ends, given what each state costs."""
        exits = np.flatnonzero(stay.exits)
        last = int(exits[costs[exits].argmax() if longest else costs[exits].argmin()])
        trace = self._trace(stay.run_through(costs, last), last) if self._traces else None
        return Extreme(Answer.EXACT, int(costs[last]), trace=trace)

    def _endless(self, stay: Stay, inside: Bools) -> Extreme | None:
        """Return why a stay has no bound, None if it has one."""
        circle = stay.circle()
        if circle is not None:
            trace = self._trace(stay.run_round(circle), circle) if self._traces else None
            return Extreme(Answer.NO_BOUND, why="it can go round in a circle for ever", trace=trace)
        still = np.flatnonzero(inside & self._holds(self._still()))
        if len(still):
            last = int(still[0])
            trace = self._trace(stay.run_into(last), last) if self._traces else None
            trace = trace and self._with_still_tick(trace)
            return Extreme(Answer.NO_BOUND, why="time can go on while nothing changes", trace=trace)
        trapped = stay.without_way_out()
        if len(trapped):
            last = int(trapped[0])
            trace = self._trace(stay.run_into(last), last) if self._traces else None
            return Extreme(
                Answer.NO_BOUND, why="in some state nothing ends it any more", trace=trace
            )
        return None

    def _still(self) -> Ground:
        """Return where a tick can pass that changes nothing; the graph has no edge for it."""
        f = self._machine.grounding.formulas
        ticks = (a for a in self._machine.steps.actions if a.action.tick)
        return f.any_of(f.all_of((a.guard, f.negate(a.changes))) for a in ticks)

    def _holds(self, ground: Ground) -> Bools:
        """Return where a formula holds, by the number of the state."""
        operation = self._machine.steps.kernel.mask(ground)
        found = [operation(b) for level in self._graph.store.levels for _, b in blocks(level)]
        return np.concatenate(found)

    # --- tallies ---------------------------------------------------------------------------

    def _tally(self, f: Figure) -> tuple[Extreme, Extreme]:
        least: list[tuple[int, int]] = []
        most: list[tuple[int, int]] = []
        for choice in self._machine.instance.choices(f.parameters):
            names = {p.label: x for p, x in zip(f.parameters, choice, strict=True)}
            states, amounts = self._amounts(f, names)
            if len(states):
                least.append((int(amounts.min()), int(states[amounts.argmin()])))
                most.append((int(amounts.max()), int(states[amounts.argmax()])))
        if not least:
            return Extreme(Answer.NEVER), Extreme(Answer.NEVER)
        return self._reached(*min(least)), self._reached(*max(most, key=lambda found: found[0]))

    def _reached(self, amount: int, state: int) -> Extreme:
        if not self._traces:
            return Extreme(Answer.EXACT, amount)
        run = self._edges.route(self._edges.initial, state)
        return Extreme(Answer.EXACT, amount, trace=self._trace(run, state))

    def _amounts(self, f: Figure, names: dict[str, int]) -> tuple[Numbers, Numbers]:
        """Return the states where a tally is to be read, and what it is there."""
        kernel, grounding = self._machine.steps.kernel, self._machine.grounding
        when = kernel.mask(grounding.formula(f.formula, names))
        cases = {} if f.amount is None else grounding.cases(f.amount, names)
        values = [(value, kernel.mask(where)) for value, where in cases.items()]
        states, amounts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for base, level in zip(self._bases, self._graph.store.levels, strict=False):
            for begin, block in blocks(level):
                here = np.flatnonzero(when(block))
                few, amount = Block(block.words[:, here]), np.zeros(len(here), np.int64)
                for value, where in values if len(here) else ():
                    amount[where(few)] = value
                states.append(base + begin + here)
                amounts.append(amount)
        return np.concatenate(states), np.concatenate(amounts)

    # --- traces ----------------------------------------------------------------------------

    def _trace(self, run: list[int], last: int) -> Trace:
        """Return the run to ``last`` along some edges, as the interpreter makes it.

        Under symmetry it makes at each state a step of the same kind into the next orbit.
        """
        machine, edges = self._machine, self._edges
        first = int(edges.source[run[0]]) if run else last
        state = next(s for s in machine.initial if self._is(s, first))
        initial, steps = state, []
        for edge in run:
            name, goal = self._graph.label(edge)[0].name, int(edges.target[edge])
            step = next(
                Step(action.name, arguments, after)
                for action, arguments, after in machine.interpreter.successors(state)
                if action.name == name and after != state and self._is(after, goal)
            )
            steps.append(step)
            state = step.state
        return Trace(machine.instance, initial, tuple(steps))

    def _with_still_tick(self, trace: Trace) -> Trace:
        """Return a run with a tick more, in which nothing changes."""
        last = trace.states[-1]
        tick = next(
            Step(action.name, arguments, after)
            for action, arguments, after in self._machine.interpreter.successors(last)
            if action.tick and after == last
        )
        return replace(trace, steps=(*trace.steps, tick))

    def _is(self, state: StateTuple, number: int) -> bool:
        """Return whether a state is the one of that number, or of its orbit."""
        level = int(np.searchsorted(self._bases, number, side="right")) - 1
        stored = self._graph.store.levels[level][:, [number - self._bases[level]]]
        return bool(np.all(self._machine.canonical(self._machine.pack([state])) == stored))
