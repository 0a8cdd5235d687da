"""Why the cores refuse a step of a run: what the right spec, with what the cores have, says of it.

A wrong spec lacks a guard, or a mechanism that is a constant. So a step that the cores refuse is
put to the spec with every guard and the constants of the cores, in the state that the run is in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from samebeat_conformance.instances import mechanisms
from samebeat_models.render import step_label
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


_ENVELOPE = (
    "from its own ack on, until it has decided, a core sends at the shortest interval and waits "
    "for the longest deadline of those that may be in use"
)
ALWAYS = {
    "policy": _ENVELOPE,
    "envelope": _ENVELOPE,
    "rearming": "a core shifts a running timer to the new value; it neither keeps nor restarts it",
    "second_rearms": "a core arms its deadline with what it has recorded",
    "states_requests": "heartbeats of a core state what is decided, never what is asked for",
}
"""What a core does whatever a model says, of the constants that need a word more."""


class Reason(NamedTuple):
    """What the right spec says of a step.

    Attributes:
        instead: constants that are others in the cores, if one of them alone is enough: those.
        guards: the guards that are against the step.
        parts: where the step leads elsewhere there.
        since: the right spec takes the step, but not this earlier one, which the cores have passed
            over since it changes nothing for them; then all else is about that one.
    """

    instead: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    since: str = ""

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
    """Return what the right spec says of a step of a run, or of an earlier one that led there."""
    for i in range(number, -1, -1):
        found = _of_step(trace, i)
        if not found.is_right:
            step = trace.steps[i]
            label = step_label(trace.instance, step.action, step.arguments)
            return found._replace(since=f"step {i + 1}, {label}" if i < number else "")
    return Reason()


def _of_step(trace: Trace, number: int) -> Reason:
    """Return what the right spec says of a step of a run, in the state before it."""
    own = trace.instance
    others = {k: v for k, v in of_the_cores(own).items() if v != own.constants[k]}
    alone = {k: v for k, v in others.items() if not _said(trace, number, {k: v}).is_right}
    if not _said(trace, number, {}).is_right:
        alone = {}  # a guard is missing, whatever the constants
    elif not alone:
        alone = others
    instead = tuple(_instead(name, ours, own.constants[name]) for name, ours in alone.items())
    return _said(trace, number, others)._replace(instead=instead)


def _instead(name: str, ours: Any, theirs: Any) -> str:
    words = f"{name} = {_word(ours)} instead of {_word(theirs)}"
    return f"{words}: {ALWAYS[name]}" if name in ALWAYS else words


def _said(trace: Trace, number: int, others: dict[str, Any]) -> Reason:
    """Return what the spec with every guard, and with these constants, says of a step."""
    own = trace.instance
    constants = {**own.constants, **others}
    right = Instance(own.name, load_spec(own.spec.name), own.sizes, constants)
    judge, step, before = Interpreter(right), trace.steps[number], trace.states[number]
    action = judge.spec.find_action(step.action)
    guards = tuple(g.why for g in judge.refusals(action, step.arguments, before))
    if step.action == "propose" and not _is_majority(own, step.arguments[-1]):
        guards = (*guards, MINORITY)
    if guards:
        return Reason(guards=guards)
    try:
        after = judge.step(action, step.arguments, before)
    except StateError as error:
        return Reason(guards=(str(error),))
    return Reason(parts=_parts(right, step.state, after))


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
