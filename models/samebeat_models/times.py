"""Times in traces: when a step happens, and how a duration is written.

A spec counts time in ticks. What a tick is in the world, if anything, the model says.
"""

from __future__ import annotations

from fractions import Fraction

from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance, Spec, Variable

Milliseconds = int | float | Fraction
SUFFIX = "_ticks"
"""How the name of a variable ends that holds a duration in ticks."""
_SECONDS_FROM_MS = 100
"""The shortest tick with which durations are written in seconds."""


def has_time(spec: Spec) -> bool:
    """Return whether time passes in a spec: it has an action in which a tick does."""
    return any(a.tick for a in spec.actions)


def is_tick(instance: Instance, step: Step) -> bool:
    """Return whether a tick of time passes in a step."""
    return instance.spec.find_action(step.action).tick


def step_times(trace: Trace) -> tuple[int, ...]:
    """Return when each step happens, in ticks since the start.

    The first is the time of the initial state, the last that of a further step, if there were one.
    A step in which a tick passes happens when that tick begins, and the next step when it is over.
    """
    found = [0, 0]
    for step in trace.steps:
        found.append(found[-1] + is_tick(trace.instance, step))
    return tuple(found)


def duration(ticks: int, tick_ms: Milliseconds | None = None) -> str:
    """Return ``3 ticks``; ``75 ms`` or ``1.5 s`` if it is known how many ms a tick is.

    What is not whole is rounded to a thousandth of the unit.
    """
    if tick_ms is None:
        return f"{ticks:,} tick{'' if ticks == 1 else 's'}"
    in_seconds = tick_ms >= _SECONDS_FROM_MS
    value = ticks * Fraction(tick_ms) / (1000 if in_seconds else 1)
    number = f"{float(value):.3f}".rstrip("0").rstrip(".")
    return f"{number} {'s' if in_seconds else 'ms'}"


def value_text(
    instance: Instance, v: Variable, value: int, tick_ms: Milliseconds | None = None
) -> str:
    """Return how reports write a value of a variable or constant, a duration as ``duration``.

    Without ``tick_ms`` the name says that it is in ticks, and the number is enough.
    """
    if tick_ms is not None and v.name.endswith(SUFFIX):
        return duration(value, tick_ms)
    return instance.label(v.to, value)


def plain_name(name: str, tick_ms: Milliseconds | None) -> str:
    """Return a name that does not say ticks where the value beside it has another unit."""
    return name if tick_ms is None else name.removesuffix(SUFFIX)


def time_data(ticks: int, tick_ms: Milliseconds | None) -> dict[str, int | float]:
    """Return a time for JSON: ``time_ticks``, and ``time_ms`` if it is known what a tick is."""
    if tick_ms is None:
        return {"time_ticks": ticks}
    value = ticks * Fraction(tick_ms)
    return {
        "time_ticks": ticks,
        "time_ms": value.numerator if value.denominator == 1 else float(value),
    }
