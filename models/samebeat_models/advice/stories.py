"""Runs in which harm is done, told in plain words."""

from __future__ import annotations

from samebeat_models.advice import ack_harm
from samebeat_models.advice.numbers import plain
from samebeat_models.advice.run import Harm
from samebeat_models.results import Step, Trace
from samebeat_models.times import is_tick, step_times
from samebeat_spec.acks import Exchange

_HEARTBEATS_END = "the second node's deadline has passed: it suspects a live node"
_ACKS_END = "that is the threshold: the first node suspects a live node"


def story(harm: Harm) -> list[str]:
    """Return a trace in plain words, a line for each step that is no tick, times in ms."""
    if harm.trace is None or harm.model is None:
        return []
    trace, times = harm.trace, step_times(harm.trace)
    acks = seen_later(harm)
    rows = [
        (times[i], _of_acks(harm, trace, i) if acks else _of_heartbeats(trace, i))
        for i, step in enumerate(trace.steps, 1)
        if not is_tick(trace.instance, step)
    ]
    rows.append((times[len(trace.steps)], _ACKS_END if acks else _HEARTBEATS_END))
    shown = [(f"{plain(ticks * harm.tick_ms)} ms", words) for ticks, words in rows]
    width = max(len(time) for time, _ in shown)
    return [f"{time:>{width}}  {words}" for time, words in shown]


def seen_later(harm: Harm) -> bool:
    """Return whether what has passed is seen by a step of its own, a tick later: so it is of acks.

    Of heartbeats it is seen in the tick itself.
    """
    return harm.model is not None and harm.model.spec == ack_harm.SPEC


def _of_heartbeats(trace: Trace, number: int) -> str:
    step = trace.steps[number - 1]
    switches = len(set(_around(trace, number, "recorded", 0))) > 1
    match step.action:
        case "ask":
            return "the first node " + ("switches and says so" if switches else "asks for it")
        case "send_heartbeat":
            lost = _label(trace, step) == "LOST"
            return "the first node sends a heartbeat" + (", which is lost" if lost else "")
        case "receive_heartbeat":
            return "the second node receives it"
        case "modify":
            return "the second node switches"
        case "send_ack":
            heard = any(other.action == "receive_ack" for other in trace.steps)
            return "the second node acks" + ("" if heard else "; the ack is late or lost")
        case "receive_ack":
            return "the first node hears the ack and switches"
    raise KeyError(step.action)


def _of_acks(harm: Harm, trace: Trace, number: int) -> str:
    step = trace.steps[number - 1]
    match step.action:
        case "send_heartbeat":
            lost = _label(trace, step) == "LOST"
            return "the first node sends a heartbeat" + ("; it or its ack is lost" if lost else "")
        case "miss":
            values = trace.instance.constant_values
            waited = plain(values["wait_ticks"][0,] * harm.tick_ms)
            was, _ = _around(trace, number, "exchange", *step.arguments)
            late = (
                ", as it is still on its way"
                if trace.instance.label(Exchange, was) == "UNDER_WAY"
                else ""
            )
            _, misses = _around(trace, number, "misses")
            return f"no ack within {waited} ms{late}: miss {misses} of {values['threshold'][0,]}"
    raise KeyError(step.action)


def _label(trace: Trace, step: Step) -> str:
    """Return the only argument of a step."""
    (parameter,) = trace.instance.spec.find_action(step.action).parameters
    return trace.instance.label(parameter.sort, *step.arguments)


def _around(trace: Trace, number: int, name: str, *place: int) -> tuple[int, int]:
    """Return a variable before and after a step."""
    cell = trace.instance.cell_index[name][place]
    return trace.states[number - 1][cell], trace.states[number][cell]
