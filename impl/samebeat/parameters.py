"""The eleven parameters of claim 3: what values there are, and which go together.

A constraint says what must hold between the values of a node that sends, the first, and those of a
node that receives, the second. All members hold the same settings once a change is decided, so a
combination is judged with the same values for both. Times are in milliseconds. A deadline may be a
fraction of one, and is compared exactly.

Whether a parameter is local to a node or concerns its peer, too, is read off the constraints
(claims 20, 21, 27 and 28).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, cast, get_type_hints

from msgspec import Meta, Struct, ValidationError, convert, defstruct, structs

Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
Misses = Annotated[int, Meta(ge=1, le=1_000)]
Ratio = Annotated[float, Meta(ge=1, le=1_000)]


class Rhythm(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the two nodes of a direction must be in step about: how often, and for how long.

    Either the message time-out or the ratio is set, never both.
    """

    heartbeat_interval: Milliseconds = 1_000
    heartbeat_message_timeout: Milliseconds | None = None
    receive_send_timer_ratio: Ratio | None = 2.0
    heartbeat_failure_threshold: Misses = 3

    @property
    def is_sound(self) -> bool:
        """Exactly one of the message time-out and the ratio is set."""
        return (self.heartbeat_message_timeout is None) != (self.receive_send_timer_ratio is None)

    @property
    def deadline_ms(self) -> Fraction:
        """For how long a node waits for a heartbeat before it suspects the one that sends them."""
        if self.heartbeat_message_timeout is not None:
            return Fraction(self.heartbeat_failure_threshold * self.heartbeat_message_timeout)
        ratio = Fraction(self.receive_send_timer_ratio or 0)
        return self.heartbeat_failure_threshold * ratio * self.heartbeat_interval


class Settings(Rhythm, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A value of each parameter."""

    heartbeat_ack_timeout: Milliseconds = 1_000
    heartbeat_ack_failure_threshold: Misses = 6
    maximum_fragment_size: Annotated[int, Meta(ge=64, le=65_507)] = 1_400
    message_retry_timer: Milliseconds = 500
    maximum_message_retry_time: Annotated[int, Meta(ge=1, le=86_400_000)] = 30_000
    send_queue_overflow_threshold: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000
    message_send_window: Annotated[int, Meta(ge=1, le=65_535)] = 64

    @property
    def rhythm(self) -> Rhythm:
        """The part of them that both nodes of a direction must be in step about."""
        return Rhythm(*(getattr(self, name) for name in Rhythm.__struct_fields__))

    def with_rhythm(self, rhythm: Rhythm | None) -> Settings:
        """Return them with another rhythm; None: as they are."""
        if rhythm is None:
            return self
        return structs.replace(self, **structs.asdict(rhythm))


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


@dataclass(frozen=True)
class Constraint:
    """What must hold between a first and a second node.

    Attributes:
        holds: whether it does, for the settings of the first and of the second.
        otherwise: what is wrong if it does not, as a sentence.
    """

    holds: Callable[[Settings, Settings, Assumptions], bool]
    otherwise: str


CONSTRAINTS: tuple[Constraint, ...] = (
    Constraint(
        lambda first, second, assumed: (
            second.deadline_ms
            >= assumed.on_any_clock(
                (assumed.losses + 1) * first.heartbeat_interval + assumed.delay_ms
            )
        ),
        "the deadline for heartbeats is shorter than a live node may be silent",
    ),
    Constraint(
        lambda first, _, assumed: (
            first.heartbeat_ack_timeout
            >= assumed.on_any_clock(2 * assumed.delay_ms + assumed.processing_ms)
        ),
        "heartbeat_ack_timeout is shorter than an ack may take",
    ),
    Constraint(
        lambda first, _, assumed: (
            first.heartbeat_ack_failure_threshold >= (assumed.losses + 1) * (assumed.ack_losses + 1)
        ),
        "heartbeat_ack_failure_threshold is lower than the losses that are tolerated",
    ),
    Constraint(
        lambda first, _, assumed: (
            first.message_retry_timer
            >= assumed.on_any_clock(2 * assumed.delay_ms + assumed.ack_delay_ms)
        ),
        "message_retry_timer is shorter than an ack may take",
    ),
    Constraint(
        lambda first, _, __: first.maximum_message_retry_time >= first.message_retry_timer,
        "maximum_message_retry_time is shorter than message_retry_timer",
    ),
    Constraint(
        lambda first, second, _: first.maximum_fragment_size <= second.maximum_fragment_size,
        "a fragment is larger than the other node takes",
    ),
    Constraint(
        lambda first, second, _: first.message_send_window <= second.message_send_window,
        "more messages are under way than the other node has buffers for",
    ),
    Constraint(
        lambda first, second, _: (
            first.maximum_message_retry_time <= second.maximum_message_retry_time
        ),
        "messages are retried for longer than the other node remembers them",
    ),
)
"""The last three, about what a second node keeps, hold wherever both have the same settings."""


def problems(settings: Settings, assumed: Assumptions) -> tuple[str, ...]:
    """Return what is wrong with a combination of values, one sentence each; empty: nothing."""
    if not settings.is_sound:
        return ("exactly one of heartbeat_message_timeout and receive_send_timer_ratio is set",)
    return tuple(c.otherwise for c in CONSTRAINTS if not c.holds(settings, settings, assumed))


# --- local or global -------------------------------------------------------------------------


class _Reads:
    """Settings that note which parameters are read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        derived = getattr(Settings, name)
        if isinstance(derived, property) and derived.fget is not None:
            return derived.fget(self)
        self.names.add(name)
        return getattr(self._settings, name)


def _global() -> Iterator[str]:
    """Yield what constraints read that read something of either node."""
    ratio = Settings()
    timeout = structs.replace(ratio, heartbeat_message_timeout=1, receive_send_timer_ratio=None)
    for constraint in CONSTRAINTS:
        for settings in (ratio, timeout):
            first, second = _Reads(settings), _Reads(settings)
            constraint.holds(cast(Settings, first), cast(Settings, second), Assumptions())
            if first.names and second.names:
                yield from first.names | second.names


GLOBAL: frozenset[str] = frozenset(_global())
"""The parameters whose constraints mention the peer, too; all others are local to a node."""


def needs_peer(name: str) -> bool:
    """Return whether the peer must be in step when this parameter changes (claims 20 and 21)."""
    return name in GLOBAL


def _halves(values: Values) -> dict[str, int | float | None]:
    """Let a new time-out replace the ratio, and the other way round, where only one is named."""
    either = ("heartbeat_message_timeout", "receive_send_timer_ratio")
    named = [name for name in either if values.get(name) is not None]
    if len(named) != 1:
        return dict(values)
    (other,) = {*either} - {*named}
    return {other: None, **values}
