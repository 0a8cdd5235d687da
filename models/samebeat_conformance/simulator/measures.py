"""What each of the six heartbeat parameters does, as a figure: before, during and after a change.

The figures are those that the design names for each parameter. Each is measured on a cluster in
virtual time: as it starts, while a group change that raises the parameter is open, after that, and
the same for one that lowers it. What the settings say that it should be stands beside it. While a
change is open, deadlines for heartbeats are as long as the longer of both values asks for (note
C1), and all else goes by the old one. `under_load` counts what each change does to messages and to
members that are alive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
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
from samebeat_conformance.simulator.traffic import Harm, Traffic, disturbed

Value: TypeAlias = int | float
_SECOND_US = 1_000 * US
_ASKED_US, _MEASURED_US, _LASTS_US = 5 * _SECOND_US, 40 * _SECOND_US, 120 * _SECOND_US
_OPENED_US, _SLOW_US = _MEASURED_US - _SECOND_US // 2, 9 * _SECOND_US
"""A change that is to be open in a measurement is asked for then; a member applies so slowly."""
_WATCHER, _WATCHED = "a", "b"
_TRIP_MS = 2 * NO_DELAY_US // US


class NotMeasured(Exception):  # noqa: N818  (`except NotMeasured` is the sentence)
    """A scenario did not go as it should; the message says where."""


class Stage(Enum):
    """When something is measured."""

    BEFORE = "before a change is asked for"
    DURING = "while it is open"
    AFTER = "after it was committed"


@dataclass(frozen=True)
class Moment:
    """When something is measured, and which change that is about; no values: none."""

    stage: Stage
    values: tuple[tuple[str, Value], ...] = ()

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What is asked for."""
        at_us = _OPENED_US if self.stage is Stage.DURING else _ASKED_US
        return () if self.stage is Stage.BEFORE else (Ask(at_us, "c", self.values),)

    def asked(self, start: Settings) -> Settings:
        """Return the settings that the change asks for."""
        return structs.replace(start, **dict(self.values))


Between: TypeAlias = Callable[[Value, Value], Value]
"""From the old and the new value, the one that counts while a change is open."""


def the_old(old: Value, new: Value) -> Value:
    """Return the value that a sender keeps until it commits."""
    return old


@dataclass(frozen=True)
class Measure:
    """A parameter, and the figure that it moves.

    Attributes:
        parameter: its name.
        figure: what is measured, with its unit.
        start: the settings to start with; what else is in them keeps out of the way.
        raised, lowered: its values after a change.
        measured: measures it where one starts with `start`, at a moment.
        expected: what it should be with these settings.
        during: which value counts while a change is open.
        full_load: what a change of the first settings to others does where queue and window are
            full, if they can be.
    """

    parameter: str
    figure: str
    start: Settings
    raised: Value
    lowered: Value
    measured: Callable[[Settings, Moment], int]
    expected: Callable[[Settings], int]
    during: Between = max
    full_load: Callable[[Settings, Settings], Harm] | None = None


@dataclass(frozen=True)
class Figure:
    """One figure: with which value of the parameter, what it is and what it should be."""

    parameter: str
    figure: str
    when: str
    value: Value
    measured: int
    expected: int


def _scenario(start: Settings, moment: Moment, lasts_us: int) -> Scenario:
    """Return a run through a moment; a member applies slowly if a change is to stay open."""
    is_open = moment.stage is Stage.DURING
    slow = ("c", _OPENED_US, _SLOW_US) if is_open else None
    return Scenario(Setup(("a", "b", "c"), start), moment.asks, slow=slow, lasts_us=lasts_us)


def _checked(scenario: Scenario, moment: Moment) -> tuple[Cluster, Probe]:
    """Run a scenario whose moment is as it should be."""
    cluster, probe = scenario.run()
    is_open = moment.stage is Stage.DURING
    node = cluster.machines[_WATCHER].node
    if not is_open and (node is None or node.journal.epoch != len(moment.asks)):
        raise NotMeasured(f"the change of {moment.values} was not committed")
    if is_open and not probe.is_open_at(_MEASURED_US):
        raise NotMeasured(f"the change of {moment.values} is not open while it is measured")
    early = [s for s in probe.suspicions if s[0] < _MEASURED_US]
    if early:
        raise NotMeasured(f"{early[0][1]} suspects {early[0][2]} before anything is measured")
    return cluster, probe


def _run(
    start: Settings, moment: Moment, rule: Rule = nothing_special, killed: str = ""
) -> tuple[Cluster, Probe]:
    scenario = _scenario(start, moment, _LASTS_US)
    scenario = replace(scenario, rule=rule, killed=killed, kill_us=_MEASURED_US)
    return _checked(scenario, moment)


def cluster_at(start: Settings, moment: Moment) -> Cluster:
    """Return a cluster at the instant at which something is measured.

    Raises:
        NotMeasured: the change is not where it should be.
    """
    cluster, _ = _checked(_scenario(start, moment, _MEASURED_US), moment)
    return cluster


def _end_us(moment: Moment) -> int:
    """Return until when something is measured."""
    return _OPENED_US + _SLOW_US if moment.stage is Stage.DURING else _LASTS_US


def _suspected_us(probe: Probe) -> int | None:
    """Return when the watcher has first suspected the watched."""
    found = (at for at, who, whom in probe.suspicions if (who, whom) == (_WATCHER, _WATCHED))
    return next(found, None)


def _arrivals(probe: Probe) -> list[int]:
    return [at for at, source, to in probe.arrivals if (source, to) == (_WATCHED, _WATCHER)]


# --- figures -------------------------------------------------------------------------------------


def _silent_us(start: Settings, moment: Moment) -> int:
    """Return for how long the watcher hears nothing of the watched until it suspects it.

    The watched crashes as a heartbeat has left. While a change is open others would go on to a
    view without it at once; then its heartbeats to the watcher are lost from some time on.
    """

    def rule(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
        ends = isinstance(body, Heartbeat) and (source, to) == (_WATCHED, _WATCHER)
        return lost(source, to) if ends and now_us >= _MEASURED_US else None

    if moment.stage is Stage.DURING:
        _, probe = _run(start, moment, rule=rule)
        heard = [at for at in _arrivals(probe) if at < _MEASURED_US + NO_DELAY_US]
    else:
        _, probe = _run(start, moment, killed=_WATCHED)
        heard = _arrivals(probe)
    at_us = _suspected_us(probe)
    if at_us is None:
        raise NotMeasured("nobody suspects the node that is silent")
    return at_us - max(at for at in heard if at < at_us)


def kill_to_suspicion_ms(start: Settings, moment: Moment) -> int:
    """Return how long after its crash the watched is suspected; its last heartbeat has just left.

    The heartbeat is under way for 1 ms, and a deadline has passed 1 ms after it.
    """
    return (_silent_us(start, moment) + NO_DELAY_US) // US


def receive_timer_ms(start: Settings, moment: Moment) -> int:
    """Return for how long the watcher's timer runs: from the last arrival to the suspicion."""
    return _silent_us(start, moment) // US - 1


def gap_between_arrivals_ms(start: Settings, moment: Moment) -> int:
    """Return the time between two heartbeats of the watched, at the watcher."""
    _, probe = _run(start, moment)
    arrivals = [at for at in _arrivals(probe) if _MEASURED_US <= at < _end_us(moment)]
    gaps = {(b - a) // US for a, b in pairwise(arrivals)}
    if len(gaps) != 1:
        raise NotMeasured(f"heartbeats come at gaps of {sorted(gaps)} ms")
    return gaps.pop()


def drops_to_suspicion(start: Settings, moment: Moment) -> int:
    """Return how many heartbeats in a row must be lost for the watched to be suspected."""
    return _least(lambda n: _is_suspected(start, moment, Heartbeat, n))


def ack_drops_to_suspicion(start: Settings, moment: Moment) -> int:
    """Return how many acks in a row must be lost for the watched to be suspected."""
    return _least(lambda n: _is_suspected(start, moment, HeartbeatAck, n))


def longest_ack_delay_ms(start: Settings, moment: Moment) -> int:
    """Return the longest time from a heartbeat to its ack that is not a miss."""

    def is_missed(round_trip_ms: int) -> bool:
        def rule(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
            slow = isinstance(body, HeartbeatAck) and (source, to) == (_WATCHED, _WATCHER)
            if not slow or not _MEASURED_US <= now_us < _end_us(moment):
                return None
            return late(source, to, round_trip_ms * US - NO_DELAY_US)

        _, probe = _run(start, moment, rule=rule)
        return _suspected_us(probe) is not None

    low, high = _TRIP_MS, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_missed(middle) else (middle, high)
    return low


def _is_suspected(start: Settings, moment: Moment, kind: type, drops: int) -> bool:
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

    _, probe = _run(start, moment, rule=rule)
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
        the_old,
    ),
    Measure(
        "heartbeat_interval",
        "gap between arrivals, ms",
        Settings(heartbeat_ack_failure_threshold=_NO_ACKS),
        2_000,
        400,
        gap_between_arrivals_ms,
        lambda s: s.heartbeat_interval,
        min,
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
        the_old,
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
    """Return a parameter's figure before a change, and during and after two of them.

    Raises:
        NotMeasured: a change was not committed, or nothing could be measured.
    """
    first: Value = getattr(measure.start, measure.parameter)
    found = [_figure(measure, "before", Stage.BEFORE, first, first)]
    for verb, value in (("rais", measure.raised), ("lower", measure.lowered)):
        between = measure.during(first, value)
        found.append(_figure(measure, f"{verb}ing", Stage.DURING, value, between))
        found.append(_figure(measure, f"{verb}ed", Stage.AFTER, value, value))
    return tuple(found)


def _figure(measure: Measure, when: str, stage: Stage, value: Value, counts: Value) -> Figure:
    name = measure.parameter
    effective = structs.replace(measure.start, **{name: counts})
    return Figure(
        name,
        measure.figure,
        when,
        value,
        measure.measured(measure.start, Moment(stage, ((name, value),))),
        measure.expected(effective),
    )


# --- under load ----------------------------------------------------------------------------------

_LOAD = ((1, "a"), (3, "b"), (12, "a"), (14, "b"), (16, "a"))
"""In which second who asks for another change, so that messages are under way."""
_MAIN_S, _ENDS_S = 6, 60


def under_load(measure: Measure, value: Value) -> Harm:
    """Return what a change of a parameter does to the messages and members of a cluster.

    A quarter of the pieces of messages is lost, some come twice, and they overtake each other;
    other changes are asked for before and after it.

    Raises:
        NotMeasured: the change was not committed.
    """
    other = "message_send_window"
    if measure.parameter == other:
        other = "send_queue_overflow_threshold"
    base = getattr(measure.start, other)
    load = [Ask(second * _SECOND_US, who, ((other, base + second),)) for second, who in _LOAD]
    main = Ask(_MAIN_S * _SECOND_US, "c", ((measure.parameter, value),))
    traffic = Traffic()
    scenario = Scenario(
        Setup(("a", "b", "c"), measure.start),
        (*load, main),
        rule=disturbed,
        lasts_us=_ENDS_S * _SECOND_US,
        observers=(traffic,),
    )
    cluster, probe = scenario.run()
    for name, machine in cluster.machines.items():
        held = machine.node.journal.settings if machine.node is not None else measure.start
        if getattr(held, measure.parameter) != value:
            raise NotMeasured(f"{name} has not got {measure.parameter} = {value}")
    return traffic.harm(cluster, len(probe.suspicions))


def harm_of(measure: Measure) -> Harm:
    """Return what raising and lowering a parameter does, together, under each load."""
    harm = under_load(measure, measure.raised) + under_load(measure, measure.lowered)
    if measure.full_load is not None:
        for value in (measure.raised, measure.lowered):
            new = structs.replace(measure.start, **{measure.parameter: value})
            harm += measure.full_load(measure.start, new)
    return harm
