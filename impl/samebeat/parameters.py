"""The eleven parameters of claim 3: what values there are, and which go together.

All members hold the same settings once a change is decided, so a combination is judged for a node
that sends and a node that receives with the same values. Times are in milliseconds. A deadline may
be a fraction of one, and is compared exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, get_type_hints

from msgspec import Meta, Struct, ValidationError, convert, defstruct, structs

Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
Misses = Annotated[int, Meta(ge=1, le=1_000)]
Ratio = Annotated[float, Meta(ge=1, le=1_000)]


class Settings(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A value of each parameter. Either the message time-out or the ratio is set, never both."""

    heartbeat_interval: Milliseconds = 1_000
    heartbeat_message_timeout: Milliseconds | None = None
    receive_send_timer_ratio: Ratio | None = 2.0
    heartbeat_failure_threshold: Misses = 3
    heartbeat_ack_timeout: Milliseconds = 1_000
    heartbeat_ack_failure_threshold: Misses = 6
    maximum_fragment_size: Annotated[int, Meta(ge=64, le=65_507)] = 1_400
    message_retry_timer: Milliseconds = 500
    maximum_message_retry_time: Annotated[int, Meta(ge=1, le=86_400_000)] = 30_000
    send_queue_overflow_threshold: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000
    message_send_window: Annotated[int, Meta(ge=1, le=65_535)] = 64

    @property
    def deadline_ms(self) -> Fraction:
        """For how long a node waits for a heartbeat before it suspects the one that sends them."""
        if self.heartbeat_message_timeout is not None:
            return Fraction(self.heartbeat_failure_threshold * self.heartbeat_message_timeout)
        ratio = Fraction(self.receive_send_timer_ratio or 0)
        return self.heartbeat_failure_threshold * ratio * self.heartbeat_interval


NAMES: tuple[str, ...] = Settings.__struct_fields__
"""The names of the parameters, in the order in which they are sent."""

Values = Mapping[str, int | float | None]
"""New values of some parameters; None takes the time-out or the ratio away."""


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of the network and of clocks.

    Attributes:
        delay_ms: the longest time of a message under way, jitter included.
        losses: how many heartbeats in a row may be lost.
        ack_losses: how many acks in a row may be lost, of those that are sent.
        drift_ppm: by how much clocks differ, in millionths.
        processing_ms: the longest time from a heartbeat to its ack.
        ack_delay_ms: the longest time from a message to its ack.
    """

    delay_ms: int = 0
    losses: int = 0
    ack_losses: int = 0
    drift_ppm: int = 0
    processing_ms: int = 0
    ack_delay_ms: int = 0

    def on_any_clock(self, duration_ms: int) -> Fraction:
        """Return how long a duration may last on a clock that is fast."""
        return duration_ms * (1 + Fraction(self.drift_ppm, 1_000_000))


_ByName = defstruct("_ByName", list(get_type_hints(Settings, include_extras=True).items()))
"""The same by name and not in order, so that an error names the parameter."""


def changed(settings: Settings, values: Values) -> tuple[Settings | None, tuple[str, ...]]:
    """Return the settings with some values replaced, or None and what is wrong with them."""
    unknown = [name for name in values if name not in NAMES]
    if unknown:
        return None, tuple(f"{name} is no parameter" for name in unknown)
    try:
        checked = convert({**structs.asdict(settings), **_halves(values)}, _ByName)
    except ValidationError as error:
        return None, (str(error),)
    return Settings(**structs.asdict(checked)), ()


def problems(settings: Settings, assumed: Assumptions) -> tuple[str, ...]:
    """Return what is wrong with a combination of values, one sentence each; empty: nothing."""
    timeout, ratio = settings.heartbeat_message_timeout, settings.receive_send_timer_ratio
    if (timeout is None) == (ratio is None):
        return ("exactly one of heartbeat_message_timeout and receive_send_timer_ratio is set",)
    gap_ms = (assumed.losses + 1) * settings.heartbeat_interval + assumed.delay_ms
    round_trip_ms = 2 * assumed.delay_ms
    unacked = (assumed.losses + 1) * (assumed.ack_losses + 1)
    checks = (
        (
            settings.deadline_ms >= assumed.on_any_clock(gap_ms),
            "the deadline for heartbeats is shorter than a live node may be silent",
        ),
        (
            settings.heartbeat_ack_timeout
            >= assumed.on_any_clock(round_trip_ms + assumed.processing_ms),
            "heartbeat_ack_timeout is shorter than an ack may take",
        ),
        (
            settings.heartbeat_ack_failure_threshold >= unacked,
            "heartbeat_ack_failure_threshold is lower than the losses that are tolerated",
        ),
        (
            settings.message_retry_timer
            >= assumed.on_any_clock(round_trip_ms + assumed.ack_delay_ms),
            "message_retry_timer is shorter than an ack may take",
        ),
        (
            settings.maximum_message_retry_time >= settings.message_retry_timer,
            "maximum_message_retry_time is shorter than message_retry_timer",
        ),
    )
    return tuple(sentence for holds, sentence in checks if not holds)


def _halves(values: Values) -> dict[str, int | float | None]:
    """Let a new time-out replace the ratio, and the other way round, where only one is named."""
    either = ("heartbeat_message_timeout", "receive_send_timer_ratio")
    named = [name for name in either if values.get(name) is not None]
    if len(named) != 1:
        return dict(values)
    (other,) = {*either} - {*named}
    return {other: None, **values}
