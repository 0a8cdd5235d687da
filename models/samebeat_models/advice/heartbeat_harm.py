"""What would happen with heartbeats: the second node suspects a live first one.

Intervals are exact in ticks. A deadline is rounded up, the delay and the drift down, tolerated
losses to what the spec can count: whoever suspects a live node then, does so with the true numbers
too. In the run everything is as late as is allowed.
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
)
from samebeat_models.catalog import Model
from samebeat_spec.combinations import steady
from samebeat_spec.language import StateError
from samebeat_spec.parameters import DEADLINE, Place, Quantity, Values
from samebeat_spec.specs import load_spec

SPEC = "heartbeat"
_INTERVAL = Quantity("heartbeat_interval", Place.FIRST)
_MOST_LOSSES = 3
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
        Fraction(advice.assumptions.delay),
        advice.assumptions.losses,
    )
    scaled = fitting(gcd(*true.intervals), lambda tick: _Ticks(true, tick))
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
    """The numbers of a pair in ms, for the present values and the new."""

    case: Meeting
    intervals: tuple[int, ...]
    deadlines: tuple[Fraction, ...]
    drifts: tuple[Fraction, ...]
    delay: Fraction
    losses: int


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
        case = self._true.case
        c = case.interval
        gap = (self.losses + 1) * (self.intervals[c] + self.drifts[c]) + self.delay
        return self.deadlines[case.deadline] < gap

    @property
    def rounded(self) -> tuple[str, ...]:
        true = self._true
        pairs = [
            *(("deadline", t, n) for t, n in zip(true.deadlines, self.deadlines, strict=True)),
            ("delay", true.delay, self.delay),
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
                "prompt_acks": False,
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
