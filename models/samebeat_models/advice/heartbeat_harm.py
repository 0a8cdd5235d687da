"""What would happen with heartbeats: the second node suspects a live first one.

Intervals are exact in ticks, if that shows the harm. Else they are rounded down, as the delay and
the drift are; a deadline is rounded up, tolerated losses down to what the spec can count. Whoever
suspects a live node then, does so with the true numbers too. Ticks are of the second's clock, as in
the spec: so the delay counts with the drift. In the run everything is as late as is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd

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
    fitting_roughly,
)
from samebeat_models.catalog import Model
from samebeat_spec.combinations import steady
from samebeat_spec.heartbeat import Misses
from samebeat_spec.language import StateError
from samebeat_spec.parameters import DEADLINE, Number, Place, Quantity, Values
from samebeat_spec.specs import load_spec

SPEC = "heartbeat"
_INTERVAL = Quantity("heartbeat_interval", Place.FIRST)
_MOST_LOSSES = max(Misses.bounds or ())
_TOO_MANY_LOSSES = f"the timed model has at most {_MOST_LOSSES} losses in a row"
_TOO_MANY_UNDER_WAY = (
    "the timed model has two heartbeats on their way at once, and a delay of two intervals or more "
    "puts more there"
)
_NOT_ENOUGH = ", and that is not enough to show these numbers"
_WAIT = "wait"
_BEAT = ("send_heartbeat ARRIVES", "receive_heartbeat LATEST")
_AS_LATE_AS_ALLOWED = ("tick", "send_heartbeat LOST", "send_heartbeat ARRIVES")


@dataclass(frozen=True)
class Meeting(Case):
    """Values that meet and do not suit each other, and how they come to meet.

    Attributes:
        policy: who goes first.
        interval, deadline: whose values meet: 0 for the present ones, 1 for the new.
        steps: what leads there, as action and argument; ``wait`` is until a heartbeat is due.
    """

    policy: str
    interval: int
    deadline: int
    steps: tuple[str, ...]


NOW = Meeting("now", "the present values, before any change", "SECOND_FIRST", 0, 0, _BEAT)
WANT = Meeting(
    "want",
    "the new values, after a change in the safest way there is",
    "SECOND_ENVELOPE",
    1,
    1,
    ("ask 1", *_BEAT, "modify 1", "send_ack", "receive_ack 1", _WAIT, *_BEAT),
)
LITERAL = Meeting(
    "literal",
    "the claims' own order, the second node first",
    "SECOND_FIRST",
    0,
    1,
    ("ask 1", *_BEAT, "modify 1", "send_ack"),
)
NO_ORDER = Meeting(
    "no-order", "no order, the first node first", "FIRST_FIRST", 1, 0, (*_BEAT, "ask 1")
)


def heartbeat_harm(advice: Advice, case: Meeting) -> Harm:
    """Return the run in which the values of a case do harm, or why there is none."""
    both: list[Values] = [steady(s, advice.assumptions) for s in (advice.now, advice.then)]
    true = _Pair(
        case,
        tuple(int(values[_INTERVAL]) for values in both),
        tuple(Fraction(DEADLINE.evaluate(values)) for values in both),
        tuple(Fraction(values[_INTERVAL] * advice.assumptions.drift) for values in both),
        Fraction(advice.assumptions.delay * (1 + advice.assumptions.drift)),
        advice.assumptions.losses,
    )
    if reason := true.no_run:
        return Harm(case, reason=reason)

    def scale(tick_ms: Fraction) -> _Ticks:
        return _Ticks(true, tick_ms)

    scaled = fitting(gcd(*true.intervals), scale) or fitting_roughly(scale)
    if scaled is None:
        return Harm(case, reason=TOO_MANY_TICKS)
    model = scaled.model
    run = Run(model.instance(load_spec(SPEC)))
    try:
        harmed = _play(run, case)
    except StateError:
        harmed = False
    if not harmed:
        return Harm(case, reason=NO_HARM)
    return Harm(case, run.trace, model, scaled.tick_ms, scaled.rounded)


@dataclass(frozen=True)
class _Pair:
    """The numbers of a pair in ms of the second's clock, for the present values and the new."""

    case: Meeting
    intervals: tuple[int, ...]
    deadlines: tuple[Fraction, ...]
    drifts: tuple[Fraction, ...]
    delay: Fraction
    losses: int

    @property
    def no_run(self) -> str:
        """Why no run can be shown, however short the ticks are; empty if one may."""
        few = min(self.losses, _MOST_LOSSES)
        if not self._harms(few, self.delay):
            return _TOO_MANY_LOSSES + _NOT_ENOUGH
        most = 2 * min(self.intervals)
        return "" if self.delay < most or self._harms(few, Fraction(most)) else _TOO_MANY_UNDER_WAY

    def _harms(self, losses: int, delay: Fraction) -> bool:
        c = self.case
        longest = self.intervals[c.interval] + self.drifts[c.interval]
        return self.deadlines[c.deadline] < (losses + 1) * longest + delay


class _Ticks:
    """The same numbers in ticks."""

    def __init__(self, true: _Pair, tick_ms: Fraction) -> None:
        self._true, self.tick_ms = true, tick_ms
        self.intervals = tuple(int(t / tick_ms) for t in true.intervals)
        self.deadlines = tuple(ceil(d / tick_ms) for d in true.deadlines)
        self.drifts = tuple(floor(d / tick_ms) for d in true.drifts)
        self.delay = min(floor(true.delay / tick_ms), 2 * min(self.intervals) - 1)
        self.losses = min(true.losses, _MOST_LOSSES)

    @property
    def size(self) -> int:
        longest = max(t + d for t, d in zip(self.intervals, self.drifts, strict=True))
        return max(longest, max(self.deadlines) + self.delay) + 2

    @property
    def shows_harm(self) -> bool:
        if min(self.intervals) < 1:
            return False
        case = self._true.case
        c = case.interval
        gap = (self.losses + 1) * (self.intervals[c] + self.drifts[c]) + self.delay
        return self.deadlines[case.deadline] < gap

    @property
    def rounded(self) -> tuple[str, ...]:
        true = self._true
        pairs: list[tuple[str, Number, int]] = [
            *(("interval", t, n) for t, n in zip(true.intervals, self.intervals, strict=True)),
            *(("deadline", t, n) for t, n in zip(true.deadlines, self.deadlines, strict=True)),
            ("delay with drift" if any(true.drifts) else "delay", true.delay, self.delay),
            *(
                ("drift of an interval", t, n)
                for t, n in zip(true.drifts, self.drifts, strict=True)
            ),
        ]
        found = [
            f"{what} {plain(t)} -> {plain(n * self.tick_ms)} ms"
            for what, t, n in dict.fromkeys(pairs)
            if t != n * self.tick_ms
        ]
        if true.losses > self.losses:
            found.append(f"losses in a row {true.losses} -> {self.losses}")
        return tuple(found)

    @property
    def model(self) -> Model:
        """The instance, as a catalog entry."""
        case = self._true.case
        return Model(
            name=f"advise-{case.name}",
            spec=SPEC,
            about=f"A wish that was judged: {case.about}.",
            sizes={"Change": len(self.intervals), "Ticks": self.size},
            constants={
                "interval_ticks": _by_change(self.intervals),
                "deadline_ticks": _by_change(self.deadlines),
                "drift_ticks": _by_change(self.drifts),
                "delay_ticks": self.delay,
                "tolerated": self.losses,
                "policy": case.policy,
                "rearming": "SHIFT",
                "second_rearms": True,
                "announced": False,
                "bounded_acks": False,
                "ack_delay_ticks": 0,
                "may_fail": False,
                "crashes_early": False,
                "states_requests": False,
                "values_count": False,
            },
            tick_ms=float(self.tick_ms),
            violates=(PROPERTY,),
        )


def _by_change(values: tuple[int, ...]) -> dict[str, int]:
    return {str(change): value for change, value in enumerate(values)}


def _play(run: Run, case: Meeting) -> bool:
    """Play a case, then let everything be as late as is allowed; return whether it harms."""
    for words in case.steps:
        if words == _WAIT:
            run.take_until_harm("tick")
        else:
            run.take(words)
        if run.broken:
            return True
    return run.take_until_harm(*_AS_LATE_AS_ALLOWED)
