"""A recorded run that goes on for ever, judged by the interpreter: what promises does it break?

This is the slow second reading of what ``fair`` finds, and what a replay says.
"""

from __future__ import annotations

from itertools import pairwise

from samebeat_models.render import step_label
from samebeat_models.results import Trace
from samebeat_spec.language import Instance, Liveness, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused


def why_not_broken(trace: Trace, promise: Liveness) -> str:
    """Return why an infinite run does not break a promise, "" if it does.

    The run must be one of the spec, and lead from its last state to where its loop begins.
    """
    if trace.loop is None:
        return "the run ends, and what comes after it is not said"
    if not any(
        _goal_missing(trace, promise, x) for x in trace.instance.choices(promise.parameters)
    ):
        given = promise.kind == "leads_to"
        return "its goal is met" + (" whenever it has to be" if given else "")
    return _unfair(trace, promise)


def _goal_missing(trace: Trace, promise: Liveness, arguments: Arguments) -> bool:
    """Return whether the goal is missing in the loop, and since what is given."""
    names = {p.label: x for p, x in zip(promise.parameters, arguments, strict=True)}
    judge, states = Interpreter(trace.instance), trace.states
    due = promise.kind == "eventually"
    for state in states:
        due = due or bool(judge.evaluate(promise.given, names, state))
        if promise.kind == "eventually" and judge.evaluate(promise.goal, names, state):
            return False
        due = due and not judge.evaluate(promise.goal, names, state)
    met = any(judge.evaluate(promise.goal, names, s) for s in states[trace.loop :])
    return due and not met


def _unfair(trace: Trace, promise: Liveness) -> str:
    """Return what the loop owes to a step that is fair, "" if nothing."""
    states = trace.states[trace.loop :]
    moves = list(pairwise((*states, states[0])))
    for f in promise.fair:
        for arguments in trace.instance.fair_choices(f):
            after = {s: _after(trace.instance, f.action, arguments, s) for s in states}
            offered = [s for s in states if after[s] is not None]
            taken = any(after[s] == t for s, t in moves if after[s] is not None)
            due = bool(offered) if f.strong else len(offered) == len(states)
            if due and not taken:
                label = step_label(trace.instance, f.action, arguments)
                when = "again and again" if f.strong else "for ever"
                return f"the run is not fair: {label} is possible {when} and never happens"
    return ""


def _after(
    instance: Instance, action: str, arguments: Arguments, state: StateTuple
) -> StateTuple | None:
    """Return the state after a step, None if it is refused or changes nothing."""
    try:
        found = Interpreter(instance).step(instance.spec.find_action(action), arguments, state)
    except (Refused, StateError):
        return None
    return None if found == state else found
