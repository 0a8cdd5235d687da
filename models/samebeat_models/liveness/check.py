"""Promises about infinite runs, looked for in the state graph of an instance.

A promise is broken by a run that is fair, comes to a state where what is given holds, and from
there on never meets the goal. One that is never given anything without its goal is *vacuous*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samebeat_models.graph import StateGraph
from samebeat_models.liveness.fair import Lasso, fair_lasso
from samebeat_models.liveness.labelled import Labelled
from samebeat_models.progress import Watch
from samebeat_models.render import labels_of_choice
from samebeat_models.results import Step, Trace
from samebeat_models.runs import Bools
from samebeat_spec.language import Instance, Liveness
from samebeat_spec.language.instance import Arguments


@dataclass(frozen=True)
class Lived:
    """What was found out about one promise.

    ``trace`` is a run that breaks it for the choice ``arguments`` of its parameters, None if it
    holds for all of them.
    """

    promise: Liveness
    trace: Trace | None
    arguments: Arguments = ()
    vacuous: bool = False


class LivenessCheck:
    """The whole graph of an instance, ready to be asked; not one with symmetry."""

    def __init__(self, graph: StateGraph, watch: Watch | None = None) -> None:
        self._graph, self._watch = graph, watch or Watch()
        self._instance: Instance = graph.machine.instance

    def look(self, promise: Liveness) -> Lived:
        """Return whether a promise is kept, for each choice of its parameters.

        Raises:
            InstanceError: fairness is stated of an element that the instance does not have.
            OutOfBudget: the budget of the watch is used up.
        """
        labelled = self._labelled(promise)
        vacuous = True
        for arguments in self._instance.choices(promise.parameters):
            who = labels_of_choice(self._instance, promise.parameters, arguments)
            self._watch.doing = _question(promise.name, who)
            begin, inside = self._open(promise, arguments)
            if not begin.any():
                continue
            vacuous = False
            lasso = fair_lasso(labelled, begin, inside)
            if lasso is not None:
                return Lived(promise, self._trace(lasso), arguments)
        return Lived(promise, None, vacuous=vacuous)

    def _open(self, promise: Liveness, arguments: Arguments) -> tuple[Bools, Bools]:
        """Return the states where the goal begins to be missing, and those where it is."""
        names = {p.label: x for p, x in zip(promise.parameters, arguments, strict=True)}
        grounding = self._graph.machine.grounding
        inside = ~self._graph.where(grounding.formula(promise.goal, names))
        if promise.kind == "leads_to":
            return inside & self._graph.where(grounding.formula(promise.given, names)), inside
        begin = np.zeros(len(self._graph), np.bool_)
        begin[self._graph.initial] = True
        return begin & inside, inside

    def _labelled(self, promise: Liveness) -> Labelled:
        actions = self._graph.machine.steps.actions
        fair = {
            (f.action, arguments): f.strong
            for f in sorted(promise.fair, key=lambda f: f.strong)
            for arguments in self._instance.fair_choices(f)
        }
        known = [fair.get((a.action.name, a.arguments)) for a in actions]
        weak = np.array([strong is False for strong in known], np.bool_)
        strong = np.array([strong is True for strong in known], np.bool_)
        graph = self._graph
        return Labelled(
            start=graph.start,
            target=graph.target,
            label=graph.step,
            initial=graph.initial,
            depth=graph.depth,
            weak=weak,
            strong=strong,
            watch=self._watch,
        )

    def _trace(self, lasso: Lasso) -> Trace:
        steps = tuple(self._steps((*lasso.way, *lasso.loop)))
        return Trace(self._instance, self._graph.state(lasso.first), steps, loop=len(lasso.way))

    def _steps(self, edges: tuple[int, ...]) -> Iterator[Step]:
        for edge in edges:
            action, arguments = self._graph.label(edge)
            after = self._graph.state(int(self._graph.target[edge]))
            yield Step(action.name, arguments, after)


def _question(promise: str, who: str) -> str:
    """Return what is looked for, in words."""
    return f"looking for a run that breaks {promise}" + (f" for {who}" if who else "")
