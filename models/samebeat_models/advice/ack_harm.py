"""What would happen with acks: the first node suspects a live second one.

The interval is exact in ticks. The ack time-out is rounded up, the round trip down, losses to what
the spec can count: whoever suspects a live node then, does so with the true numbers too. In the run
acks are either as late as they may be or lost, whichever the values do not stand. It begins when
the first node has them: all that counts is its own, so no order plays a part (decision 0011).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from samebeat_models.advice.judgement import Advice
from samebeat_models.advice.numbers import plain
from samebeat_models.advice.run import (
    NO_HARM,
    PROPERTY,
    TOO_MANY_TICKS,
    Case,
    Harm,
    Run,
    fitting,
)
from samebeat_models.catalog import Model
from samebeat_spec.acks import Misses
from samebeat_spec.combinations import Settings, steady
from samebeat_spec.language import StateError
from samebeat_spec.parameters import BY_NAME, CONSTRAINTS, Assumptions, Constraint, Number
from samebeat_spec.specs import load_spec

SPEC = "acks"
IN_TIME, TOLERATED = (
    next(c for c in CONSTRAINTS if c.name == name)
    for name in ("ack_in_time", "ack_losses_tolerated")
)
ACKS_NOW = Case("now", "the present values, before any change")
ACKS_WANT = Case("want", "the new values, once the first node has them")

_INTERVAL = "heartbeat_interval"
_TIMEOUT, _THRESHOLD = "heartbeat_ack_timeout", "heartbeat_ack_failure_threshold"
_MOST_MISSES = max(Misses.bounds or ())
_AS_LATE_AS_ALLOWED = ("tick", "miss PREVIOUS", "miss LATEST")
_LEAST_TICKS = 5
"""An ack time-out has so many, or ticks are of a ms: it is seen a tick later that it has passed."""
_TOO_MANY_MISSES = f"the timed model counts up to {_MOST_MISSES} missed acks in a row"
_TOO_MANY_WAITING = (
    "the timed model has two heartbeats that wait for their acks at once, and an ack time-out of "
    "two intervals or more makes more of them wait"
)
_ACKED_BEFORE = "with so long an ack time-out a later ack comes before the last miss is counted"


def ack_harm(advice: Advice, case: Case, broken: Constraint) -> Harm:
    """Return the run in which the values of a case break a constraint, or why there is none."""
    settings = advice.now if case is ACKS_NOW else advice.then
    chosen = chosen_values(settings, advice.assumptions)
    true = _watch({**settings, **chosen}, advice.assumptions, broken)
    if reason := true.no_run:
        return Harm(case, reason=reason)
    scaled = fitting(true.interval, lambda tick: _Ticks(true, tick))
    if scaled is None:
        return Harm(case, reason=TOO_MANY_TICKS)
    model = scaled.model(case)
    run = Run(model.instance(load_spec(SPEC)))
    sends = ("ARRIVES",) if broken is IN_TIME else ("LOST", "ARRIVES")
    try:
        harmed = run.take_until_harm(*_AS_LATE_AS_ALLOWED, *(f"send_heartbeat {f}" for f in sends))
    except StateError:
        harmed = False
    if not harmed:
        return Harm(case, reason=NO_HARM)
    return Harm(case, run.trace, model, scaled.tick_ms, scaled.rounded, chosen)


def chosen_values(settings: Settings, assumptions: Assumptions) -> dict[str, Number]:
    """Return plain values that are safe, for what is not given.

    They are never what does harm: of a constraint that is broken all values are given.
    """
    values = assumptions.values()
    trip = ceil(IN_TIME.small.evaluate(values))
    power = 10
    while power <= max(trip, settings.get(_TIMEOUT, 0)):
        power *= 10
    interval = settings.get(_INTERVAL, min(power, BY_NAME[_INTERVAL].high))
    plain_ones = {
        _INTERVAL: interval,
        _TIMEOUT: max(trip, ceil(interval / 2)),
        _THRESHOLD: int(TOLERATED.small.evaluate(values)),
    }
    return {name: x for name, x in plain_ones.items() if name not in settings}


@dataclass(frozen=True)
class _Watch:
    """The numbers of a first node that watches acks, times in ms.

    Attributes:
        losses: how many heartbeats in a row may go without an ack.
    """

    broken: Constraint
    interval: int
    timeout: Fraction
    threshold: int
    round_trip: Fraction
    ack_delay: Fraction
    losses: int

    @property
    def no_run(self) -> str:
        """Why no run can be shown, however short the ticks are; empty if one may."""
        if self.broken is TOLERATED and not self.missed_before_ack(self.losses):
            return _ACKED_BEFORE
        if self.timeout >= 2 * self.interval:
            return _TOO_MANY_WAITING
        most = self.threshold <= _MOST_MISSES and (
            self.broken is IN_TIME or self.missed_before_ack(min(self.losses, _MOST_MISSES))
        )
        return "" if most else _TOO_MANY_MISSES

    def missed_before_ack(self, losses: int) -> bool:
        """Return whether so many losses are missed before an ack of the next heartbeat comes."""
        return _missed_before_ack(
            self.threshold, losses, self.interval, self.timeout, self.round_trip
        )


def _watch(settings: Settings, assumptions: Assumptions, broken: Constraint) -> _Watch:
    values = steady(settings, assumptions)
    return _Watch(
        broken,
        int(settings[_INTERVAL]),
        Fraction(IN_TIME.large.evaluate(values)),
        int(TOLERATED.large.evaluate(values)),
        Fraction(IN_TIME.small.evaluate(values)),
        Fraction(assumptions.delay * (1 + assumptions.drift)),
        assumptions.unacked,
    )


def _missed_before_ack(
    threshold: int, losses: int, interval: Number, timeout: Number, round_trip: Number
) -> bool:
    """Return whether so many losses are missed before an ack of the next heartbeat settles them.

    The threshold may be as low as the losses, and still nobody suspects: the last time-out is so
    long that the next ack comes first.
    """
    last_miss = (threshold - 1) * interval + timeout
    return threshold <= losses and last_miss < losses * interval + round_trip


class _Ticks:
    """The same numbers in ticks.

    How late an ack may come after a crash is rounded down, and not told: nobody crashes in the run.
    """

    def __init__(self, true: _Watch, tick_ms: Fraction) -> None:
        self._true, self.tick_ms = true, tick_ms
        self.interval = int(true.interval / tick_ms)
        self.timeout = ceil(true.timeout / tick_ms)
        self.round_trip = floor(true.round_trip / tick_ms)
        self.ack_delay = floor(true.ack_delay / tick_ms)
        self.losses = min(true.losses, _MOST_MISSES)

    @property
    def size(self) -> int:
        """Enough for a crash to be noticed, and for a look a tick too late."""
        return self._true.threshold * self.interval + self.timeout + 3

    @property
    def shows_harm(self) -> bool:
        """Whether they do harm, are not too coarse, and no third heartbeat waits for its ack."""
        coarse = self.timeout < _LEAST_TICKS and self.tick_ms > 1
        if coarse or self.timeout + 2 > 2 * self.interval:
            return False
        if self._true.broken is IN_TIME:
            return self.timeout < self.round_trip
        return _missed_before_ack(
            self._true.threshold, self.losses, self.interval, self.timeout, self.round_trip
        )

    @property
    def rounded(self) -> tuple[str, ...]:
        true = self._true
        pairs = (
            ("ack time-out", true.timeout, self.timeout),
            ("round trip", true.round_trip, self.round_trip),
        )
        found = [
            f"{what} {plain(t)} -> {plain(n * self.tick_ms)} ms"
            for what, t, n in pairs
            if t != n * self.tick_ms
        ]
        if true.losses > self.losses:
            found.append(f"heartbeats in a row without an ack {true.losses} -> {self.losses}")
        return tuple(found)

    def model(self, case: Case) -> Model:
        """Return the instance, as a catalog entry."""
        return Model(
            name=f"advise-{case.name}",
            spec=SPEC,
            about=f"A wish that was judged: {case.about}.",
            sizes={"Values": 1, "Ticks": self.size},
            constants={
                "interval_ticks": {"0": self.interval},
                "wait_ticks": {"0": self.timeout},
                "threshold": {"0": self._true.threshold},
                "round_trip_ticks": self.round_trip,
                "delay_ticks": self.ack_delay,
                "tolerated": self.losses,
                "watch": "COUNT",
                "policy": "LEAVE",
                "send_timer": "SHIFT",
                "settles_older": True,
                "clamps": False,
                "any_order": False,
                "crashes_early": False,
                "values_count": False,
            },
            tick_ms=float(self.tick_ms),
            violates=(PROPERTY,),
        )
