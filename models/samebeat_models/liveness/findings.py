"""Promises about infinite runs of a catalog's model, as findings beside those of its exploration.

A verdict is refused where the graph is not the whole truth: an exploration that ended early, one
state of each orbit only, more states than fit, or steps that the model cuts off.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from samebeat_models.catalog import Model
from samebeat_models.explorer.search import Explored
from samebeat_models.graph import GraphTooLarge, StateGraph, graph_of, state_graph
from samebeat_models.liveness.check import Lived, LivenessCheck
from samebeat_models.liveness.truncation import truncation
from samebeat_models.progress import Budget, OutOfBudget, Progress, Watch
from samebeat_models.render import labels_of_choice
from samebeat_models.results import Exploration, Finding, Verdict

KIND = "liveness"
MOST_STATES = 20_000_000
"""A larger graph is not built: what is promised of infinite runs is undetermined.

With ten edges a state, all of them on circles, it takes some 10 GB; see docs/adr/0017-liveness.md.
"""


def with_liveness(
    model: Model,
    outcome: Exploration,
    explored: Explored | None = None,
    *,
    budget: Budget | None = None,
    progress: Progress | None = None,
    limit: int = MOST_STATES,
) -> Exploration:
    """Return the outcome of an exploration with a finding for each promise in ``model.live``.

    Args:
        model: the model.
        outcome: what was found out about it so far.
        explored: what the exploration left behind; without it the states are looked for again.
        budget: when to stop, undetermined; the exploration has used some of it.
        progress: is told where the search stands.
        limit: a larger graph is not looked at.

    Raises:
        InstanceError: fairness is stated of an element that the instance does not have.
    """
    if not model.live:
        return outcome
    why = _refusal(model, outcome, limit)
    if why:
        return _refused(model, outcome, why)
    rest = (budget or Budget()).after(outcome.seconds)
    watch = Watch(outcome.instance.name, rest, progress, outcome.states)
    looked = _look(model, outcome, explored, watch, limit)
    seconds = outcome.seconds + perf_counter() - watch.started
    return replace(looked, seconds=seconds)


def _look(
    model: Model, outcome: Exploration, explored: Explored | None, watch: Watch, limit: int
) -> Exploration:
    """Return the outcome with what is found out about each promise while the budget lasts."""
    found: list[Finding] = []
    vacuous: list[str] = []
    reason = ""
    try:
        graph = _graph(outcome, explored, watch, limit)
        if why := truncation(graph):
            return _refused(model, outcome, why)
        check = LivenessCheck(graph, watch)
        for promise in map(outcome.instance.spec.find_liveness, model.live):
            lived = check.look(promise)
            found.append(_finding(lived))
            vacuous += [promise.name] if lived.vacuous else []
    except GraphTooLarge:
        return _refused(model, outcome, _too_many(limit))
    except OutOfBudget as stop:
        reason = f"stopped by {stop}"
        found += (_undecided(name, reason) for name in model.live[len(found) :])
    return replace(
        outcome,
        findings=(*outcome.findings, *found),
        vacuous=(*outcome.vacuous, *vacuous),
        incomplete_reason=reason,
        out_of_budget=bool(reason),
    )


def _graph(outcome: Exploration, explored: Explored | None, watch: Watch, limit: int) -> StateGraph:
    watch.doing = "making the graph"
    if explored is None:
        return state_graph(outcome.instance, limit, watch=watch)
    return graph_of(explored.machine, explored.store, watch)


def _refusal(model: Model, outcome: Exploration, limit: int) -> str:
    """Return why nothing can be said about infinite runs, "" if it can."""
    if outcome.incomplete_reason:
        return outcome.incomplete_reason
    if model.symmetry:
        return "with symmetry only one state of each orbit is looked at"
    return _too_many(limit) if outcome.states > limit else ""


def _too_many(limit: int) -> str:
    return f"more than {limit:,} states"


def _refused(model: Model, outcome: Exploration, why: str) -> Exploration:
    undecided = (_undecided(name, why) for name in model.live)
    return replace(outcome, findings=(*outcome.findings, *undecided))


def _undecided(name: str, why: str) -> Finding:
    return Finding(name, KIND, Verdict.UNDETERMINED, why=why)


def _finding(lived: Lived) -> Finding:
    promise, trace = lived.promise, lived.trace
    if trace is None:
        return Finding(promise.name, KIND, Verdict.HOLDS)
    who = labels_of_choice(trace.instance, promise.parameters, lived.arguments)
    meant = f"This is about {who}. " if who else ""
    fair = ", ".join(map(str, promise.fair))
    said = f"The run is fair to {fair}." if fair else "Nothing has to be fair."
    return Finding(
        property=promise.name,
        kind=KIND,
        verdict=Verdict.VIOLATED,
        depth=len(trace.steps),
        trace=trace,
        notes=(meant + said,),
    )
