"""Why the cores refuse a step of a run: what the right spec, with what the cores have, says of it.

A wrong spec lacks a guard, or a mechanism that is a constant. So a step that the cores refuse is
put to the spec with every guard and the constants of the cores, in the state that the run is in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from samebeat_conformance.instances import mechanisms
from samebeat_models.results import Trace
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

_SHOWN = 4
_PAIR: dict[str, Any] = {
    "policy": "ENVELOPE",
    "rearming": "SHIFT",
    "second_rearms": True,
    "announced": True,
    "states_requests": False,
    "values_count": True,
}
"""The rules of the core for a pair, as constants of `heartbeat`."""
MINORITY = "more than half of the configured members are in a view"
"""What a core demands of each view, and a model says in its constants."""


class Reason(NamedTuple):
    """What the right spec says of a step.

    Attributes:
        instead: constants of the run's model that are others in the cores.
        guards: the guards that are against the step.
        parts: where the step leads elsewhere there.
    """

    instead: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """The right spec takes the step as the run does."""
        return not (self.guards or self.parts)


def of_the_cores(instance: Instance) -> dict[str, Any]:
    """Return the constants that are what the cores have, whatever a model says."""
    match instance.spec.name:
        case "cluster":
            return dict(mechanisms())
        case "heartbeat":
            return _PAIR
        case "timed_cluster":
            return {**mechanisms(), "envelope": True, "values_count": True}
        case _:
            return {}


def right_instance(instance: Instance) -> Instance:
    """Return an instance with every guard, and the constants that the cores have."""
    name = instance.spec.name
    constants = {**instance.constants, **of_the_cores(instance)}
    return Instance(instance.name, load_spec(name), instance.sizes, constants)


def reason(trace: Trace, number: int) -> Reason:
    """Return what the right spec says of a step of a run, in the state before it."""
    own, right = trace.instance, right_instance(trace.instance)
    judge, step, before = Interpreter(right), trace.steps[number], trace.states[number]
    instead = tuple(
        f"{name} = {_word(theirs)} instead of {_word(own.constants[name])}"
        for name, theirs in of_the_cores(own).items()
        if theirs != own.constants[name]
    )
    action = judge.spec.find_action(step.action)
    guards = tuple(g.why for g in judge.refusals(action, step.arguments, before))
    if step.action == "propose" and not _is_majority(own, step.arguments[-1]):
        guards = (*guards, MINORITY)
    if guards:
        return Reason(instead, guards)
    try:
        after = judge.step(action, step.arguments, before)
    except StateError as error:
        return Reason(instead, (str(error),))
    return Reason(instead, parts=_parts(right, step.state, after))


def _is_majority(instance: Instance, quorum: int) -> bool:
    members = [
        is_in for (q, _), is_in in instance.constant_values["in_quorum"].items() if q == quorum
    ]
    return 2 * sum(members) > len(members)


def _parts(instance: Instance, theirs: tuple[int, ...], ours: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(
        f"{instance.cell_label(i)} is {instance.value_label(i, a)} in the trace, "
        f"{instance.value_label(i, b)} in the right spec"
        for i, (a, b) in enumerate(zip(theirs, ours, strict=True))
        if a != b
    )[:_SHOWN]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
