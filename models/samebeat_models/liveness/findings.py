"""Promises about infinite runs of a catalog's model, as findings beside those of its exploration.

A verdict is refused where the graph is not the whole truth: an exploration that ended early, one
state of each orbit only, more states than fit, or steps that the model cuts off.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from samebeat_models.catalog import Model
from samebeat_models.graph import GraphTooLarge, state_graph
from samebeat_models.liveness.check import Lived, LivenessCheck
from samebeat_models.liveness.truncation import truncation, unfair_limit
from samebeat_models.render import labels_of_choice
from samebeat_models.results import Exploration, Finding, Verdict

KIND = "liveness"
MOST_STATES = 1_000_000
"""A larger graph is not built: what is promised of infinite runs is undetermined."""


def with_liveness(model: Model, outcome: Exploration, limit: int = MOST_STATES) -> Exploration:
    """Return the outcome of an exploration with a finding for each promise in ``model.live``.

    Raises:
        InstanceError: fairness is stated of an element that the instance does not have.
    """
    if not model.live:
        return outcome
    why = _refusal(model, outcome, limit)
    if why:
        return _refused(model, outcome, why)
    begin = perf_counter()
    try:
        graph = state_graph(outcome.instance, limit)
    except GraphTooLarge:
        return _refused(model, outcome, f"more than {limit:,} states")
    why = truncation(graph)
    if why:
        return _refused(model, outcome, why)
    check = LivenessCheck(graph)
    found: list[Finding] = []
    vacuous: list[str] = []
    for promise in map(outcome.instance.spec.find_liveness, model.live):
        why = unfair_limit(graph, promise)
        if why:
            found.append(_undecided(promise.name, why))
            continue
        lived = check.look(promise)
        found.append(_finding(lived))
        vacuous += [promise.name] if lived.vacuous else []
    return replace(
        outcome,
        findings=(*outcome.findings, *found),
        vacuous=(*outcome.vacuous, *vacuous),
        seconds=outcome.seconds + perf_counter() - begin,
    )


def _refusal(model: Model, outcome: Exploration, limit: int) -> str:
    """Return why nothing can be said about infinite runs, "" if it can."""
    if outcome.incomplete_reason:
        return outcome.incomplete_reason
    if model.symmetry:
        return "with symmetry only one state of each orbit is looked at"
    return f"more than {limit:,} states" if outcome.states > limit else ""


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
