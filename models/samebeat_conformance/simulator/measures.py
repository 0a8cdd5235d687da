"""What each of the six heartbeat parameters does, as a figure, before and after a group change.

The figures are those that the design names for each parameter. Each is measured on a cluster in
virtual time: as it starts, after a group change that has raised the parameter, and after one that
has lowered it. What the settings say that it should be stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from msgspec import structs

from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck
from samebeat.parameters import Settings
from samebeat_conformance.simulator.clock import US
from samebeat_conformance.simulator.cluster import Cluster, Setup
from samebeat_conformance.simulator.faults import NO_DELAY_US, Ask, MessageFate
from samebeat_conformance.simulator.scenario import (
    Probe,
    Rule,
    Scenario,
    late,
    lost,
    nothing_special,
)

Value: TypeAlias = int | float
_SECOND_US = 1_000 * US
_ASKED_US, _MEASURED_US, _LASTS_US = 5 * _SECOND_US, 40 * _SECOND_US, 120 * _SECOND_US
_WATCHER, _WATCHED = "a", "b"
_TRIP_MS = 2 * NO_DELAY_US // US


class NotMeasured(Exception):  # noqa: N818  (`except NotMeasured` is the sentence)
    """A scenario did not go as it should; the message says where."""


@dataclass(frozen=True)
class Measure:
    """A parameter, and the figure that it moves.

    Attributes:
        parameter: its name.
        figure: what is measured, with its unit.
        start: the settings to start with; what else is in them keeps out of the way.
        raised, lowered: its values after a change.
        measured: measures it on a cluster that starts with `start` and is then asked for a value.
        expected: what it should be with these settings.
    """

    parameter: str
    figure: str
    start: Settings
    raised: Value
    lowered: Value
    measured: Callable[[Settings, tuple[Ask, ...]], int]
    expected: Callable[[Settings], int]


@dataclass(frozen=True)
class Figure:
    """One figure: with which value of the parameter, what it is and what it should be."""

    parameter: str
    figure: str
    when: str
    value: Value
    measured: int
    expected: int


def _run(
    start: Settings, load: tuple[Ask, ...], rule: Rule = nothing_special, killed: str = ""
) -> tuple[Cluster, Probe]:
    setup = Setup(("a", "b", "c"), start)
    scenario = Scenario(
        setup, load, rule=rule, killed=killed, kill_us=_MEASURED_US, lasts_us=_LASTS_US
    )
    cluster, probe = scenario.run()
    node = cluster.machines[_WATCHER].node
    if node is None or node.journal.epoch != len(load):
        raise NotMeasured(f"the change of {[a.values for a in load]} was not committed")
    early = [s for s in probe.suspicions if s[0] < _MEASURED_US]
    if early:
        raise NotMeasured(f"{early[0][1]} suspects {early[0][2]} before anything is measured")
    return cluster, probe


def _suspected_us(probe: Probe) -> int | None:
    """Return when the watcher has first suspected the watched."""
    found = (at for at, who, whom in probe.suspicions if (who, whom) == (_WATCHER, _WATCHED))
    return next(found, None)


def _arrivals(probe: Probe) -> list[int]:
    return [at for at, source, to in probe.arrivals if (source, to) == (_WATCHED, _WATCHER)]


# --- figures -------------------------------------------------------------------------------------


def kill_to_suspicion_ms(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return how long after its crash the watched is suspected; its last heartbeat has just left.

    The heartbeat is under way for 1 ms, and a deadline has passed 1 ms after it.
    """
    _, probe = _run(start, load, killed=_WATCHED)
    at_us = _suspected_us(probe)
    if at_us is None:
        raise NotMeasured("nobody suspects the node that has crashed")
    return (at_us - probe.crashes[_WATCHED]) // US


def receive_timer_ms(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return for how long the watcher's timer runs: from the last arrival to the suspicion."""
    _, probe = _run(start, load, killed=_WATCHED)
    at_us = _suspected_us(probe)
    if at_us is None:
        raise NotMeasured("nobody suspects the node that has crashed")
    return (at_us - max(_arrivals(probe))) // US - 1


def gap_between_arrivals_ms(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return the time between two heartbeats of the watched, at the watcher."""
    _, probe = _run(start, load)
    arrivals = [at for at in _arrivals(probe) if at >= _MEASURED_US]
    gaps = {(b - a) // US for a, b in pairwise(arrivals)}
    if len(gaps) != 1:
        raise NotMeasured(f"heartbeats come at gaps of {sorted(gaps)} ms")
    return gaps.pop()


def drops_to_suspicion(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return how many heartbeats in a row must be lost for the watched to be suspected."""
    return _least(lambda n: _is_suspected(start, load, Heartbeat, n))


def ack_drops_to_suspicion(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return how many acks in a row must be lost for the watched to be suspected."""
    return _least(lambda n: _is_suspected(start, load, HeartbeatAck, n))


def longest_ack_delay_ms(start: Settings, load: tuple[Ask, ...]) -> int:
    """Return the longest time from a heartbeat to its ack that is not a miss."""

    def is_missed(round_trip_ms: int) -> bool:
        def rule(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
            slow = isinstance(body, HeartbeatAck) and (source, to) == (_WATCHED, _WATCHER)
            if not slow or now_us < _MEASURED_US:
                return None
            return late(source, to, round_trip_ms * US - NO_DELAY_US)

        _, probe = _run(start, load, rule=rule)
        return _suspected_us(probe) is not None

    low, high = _TRIP_MS, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_missed(middle) else (middle, high)
    return low


def _is_suspected(start: Settings, load: tuple[Ask, ...], kind: type, drops: int) -> bool:
    """Return whether the watched is suspected if so many of its messages in a row are lost."""
    seen = 0

    def rule(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
        nonlocal seen
        if not isinstance(body, kind) or (source, to) != (_WATCHED, _WATCHER):
            return None
        if now_us < _MEASURED_US:
            return None
        seen += 1
        return lost(source, to) if seen <= drops else None

    _, probe = _run(start, load, rule=rule)
    return _suspected_us(probe) is not None


def _least(fails: Callable[[int], bool]) -> int:
    return next(n for n in range(1, 100) if fails(n))


# --- the six parameters --------------------------------------------------------------------------

_NO_ACKS, _FAR = 1_000, 50.0
"""An ack threshold and a ratio with which only the other role suspects anybody."""

MEASURES = (
    Measure(
        "heartbeat_message_timeout",
        "kill to suspicion, ms",
        Settings(
            receive_send_timer_ratio=None,
            heartbeat_message_timeout=1_500,
            heartbeat_ack_failure_threshold=_NO_ACKS,
        ),
        2_500,
        900,
        kill_to_suspicion_ms,
        lambda s: int(s.deadline_ms) + 2,
    ),
    Measure(
        "heartbeat_ack_timeout",
        "longest delay of an ack that is not missed, ms",
        Settings(
            heartbeat_ack_failure_threshold=1,
            heartbeat_ack_timeout=500,
            receive_send_timer_ratio=_FAR,
        ),
        900,
        200,
        longest_ack_delay_ms,
        lambda s: s.heartbeat_ack_timeout,
    ),
    Measure(
        "heartbeat_interval",
        "gap between arrivals, ms",
        Settings(heartbeat_ack_failure_threshold=_NO_ACKS),
        2_000,
        400,
        gap_between_arrivals_ms,
        lambda s: s.heartbeat_interval,
    ),
    Measure(
        "heartbeat_failure_threshold",
        "lost heartbeats to suspicion",
        Settings(receive_send_timer_ratio=1.0, heartbeat_ack_failure_threshold=_NO_ACKS),
        5,
        2,
        drops_to_suspicion,
        lambda s: s.heartbeat_failure_threshold,
    ),
    Measure(
        "heartbeat_ack_failure_threshold",
        "lost acks to suspicion",
        Settings(
            heartbeat_ack_failure_threshold=4,
            heartbeat_ack_timeout=300,
            receive_send_timer_ratio=_FAR,
        ),
        6,
        2,
        ack_drops_to_suspicion,
        lambda s: s.heartbeat_ack_failure_threshold,
    ),
    Measure(
        "receive_send_timer_ratio",
        "period of the receive timer, ms",
        Settings(heartbeat_failure_threshold=1, heartbeat_ack_failure_threshold=_NO_ACKS),
        3.5,
        1.5,
        receive_timer_ms,
        lambda s: int((s.receive_send_timer_ratio or 0) * s.heartbeat_interval),
    ),
)


def figures_of(measure: Measure) -> tuple[Figure, ...]:
    """Return a parameter's figure before, after it was raised, and after it was lowered.

    Raises:
        NotMeasured: a change was not committed, or nothing could be measured.
    """
    before: Value = getattr(measure.start, measure.parameter)
    found = []
    for when, value in (
        ("before", before),
        ("raised", measure.raised),
        ("lowered", measure.lowered),
    ):
        asks = () if when == "before" else (Ask(_ASKED_US, "c", ((measure.parameter, value),)),)
        after = structs.replace(measure.start, **{measure.parameter: value})
        found.append(
            Figure(
                measure.parameter,
                measure.figure,
                when,
                value,
                measure.measured(measure.start, asks),
                measure.expected(after),
            )
        )
    return tuple(found)
