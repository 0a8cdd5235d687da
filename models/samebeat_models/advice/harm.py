"""What would happen with these very numbers: runs of the timed pair in which harm is done.

The numbers become whole ticks. Intervals are exact. A deadline is rounded up, the delay and the
drift down, tolerated losses to what the spec can count: whoever suspects a live node then, does so
with the true numbers too. The run is played on the spec, step by step, by the interpreter, with
everything as late as is allowed: so it is a run of the spec, but others may be shorter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, gcd
from typing import Any

from samebeat_models.advice.judgement import Advice, Order
from samebeat_models.advice.numbers import plain
from samebeat_models.catalog import Model
from samebeat_models.results import Step, Trace
from samebeat_spec.combinations import steady
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.parameters import DEADLINE, SAFE, Place, Quantity, Values
from samebeat_spec.specs import load_spec

PROPERTY = "no_false_suspicion"
SPEC = "heartbeat"
_INTERVAL = Quantity("heartbeat_interval", Place.FIRST)
_MOST_TICKS = 4_096
_FEW_TICKS = 256
"""Up to so many, the numbers are shown exactly although longer ticks would do."""
_MOST_LOSSES = 3
_FINEST = 1_000
"""A tick is a whole number of parts of a ms; so many make one."""
_WAIT = "wait"
_BEAT = ("send_heartbeat ARRIVES", "receive_heartbeat LATEST")
_AS_LATE_AS_ALLOWED = ("tick", "send_heartbeat LOST", "send_heartbeat ARRIVES")


@dataclass(frozen=True)
class Case:
    """Values that meet and do not suit each other, and how they come to meet.

    Attributes:
        about: one sentence.
        policy: who goes first.
        interval, deadline: whose values meet: 0 for the present ones, 1 for the new.
        steps: what leads there, as action and argument; ``wait`` is until a heartbeat is due.
    """

    name: str
    about: str
    policy: str
    interval: int
    deadline: int
    steps: tuple[str, ...]


NOW = Case("now", "the present values, before any change", "SECOND_FIRST", 0, 0, _BEAT)
WANT = Case(
    "want",
    "the new values, after a change in the safest way there is",
    "SECOND_ENVELOPE",
    1,
    1,
    ("ask 1", *_BEAT, "modify 1", "send_ack", "receive_ack 1", _WAIT, *_BEAT),
)
LITERAL = Case(
    "literal",
    "the claims' own order, the second node first",
    "SECOND_FIRST",
    0,
    1,
    ("ask 1", *_BEAT, "modify 1", "send_ack"),
)
NO_ORDER = Case(
    "no-order", "no order, the first node first", "FIRST_FIRST", 1, 0, (*_BEAT, "ask 1")
)


@dataclass(frozen=True)
class Harm:
    """A run in which a live node is suspected, or the reason why none is shown.

    Attributes:
        case: which values meet, and how.
        trace: the run; None if there is none to show.
        model: the instance that it is a run of, in the form of a catalog entry.
        tick_ms: how long a tick is.
        rounded: which numbers are not shown exactly, in words.
        reason: why there is no trace; empty if there is one.
    """

    case: Case
    trace: Trace | None = None
    model: Model | None = None
    tick_ms: Fraction = field(default=Fraction(1))
    rounded: tuple[str, ...] = ()
    reason: str = ""


def harms(advice: Advice) -> dict[str, Harm]:
    """Return what harm is done, by the name of the case; only cases that are unsafe."""
    found: dict[str, Harm] = {}
    if not all(j.holds for j in advice.present):
        broken = next((j for j in advice.present if j.constraint is SAFE), None)
        shown = broken is not None and not broken.holds
        found[NOW.name] = _harm(advice, NOW) if shown else _untimed(advice, NOW, advice.present)
    if not advice.safe:
        shown = any(j.constraint is SAFE and not j.holds for j in advice.new)
        found[WANT.name] = _harm(advice, WANT) if shown else _untimed(advice, WANT, advice.new)
    elif NOW.name not in found:
        if not advice.literal.safe:
            found[LITERAL.name] = _harm_of_order(advice, LITERAL, advice.literal)
        elif not advice.no_order.safe:
            found[NO_ORDER.name] = _harm_of_order(advice, NO_ORDER, advice.no_order)
    return found


def _harm_of_order(advice: Advice, case: Case, order: Order) -> Harm:
    worst = order.worst
    if worst is not None and worst.constraint is SAFE:
        return _harm(advice, case)
    name = worst.constraint.name if worst else "this"
    return Harm(case, reason=f"there is no timed model of {name} here")


def _untimed(advice: Advice, case: Case, judged: Any) -> Harm:
    names = ", ".join(j.constraint.name for j in judged if not j.holds)
    return Harm(case, reason=f"there is no timed model of {names} here")


# --- numbers into ticks ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scaled:
    """The numbers of a pair in ticks, for the present values and the new."""

    tick_ms: Fraction
    intervals: tuple[int, ...]
    deadlines: tuple[int, ...]
    drifts: tuple[int, ...]
    delay: int
    losses: int

    @property
    def size(self) -> int:
        """How many ticks a clock must be able to count, 0 among them."""
        longest = max(t + d for t, d in zip(self.intervals, self.drifts, strict=True))
        return max(longest, max(self.deadlines) + self.delay) + 2

    def breaks(self, case: Case) -> bool:
        """Return whether the values that meet are unsafe, rounded as they are."""
        c = case.interval
        gap = (self.losses + 1) * (self.intervals[c] + self.drifts[c]) + self.delay
        return self.deadlines[case.deadline] < gap


def _scale(advice: Advice, n: int) -> _Scaled:
    """Return the numbers in ticks of which ``n`` make the largest that fits both intervals."""
    intervals, deadlines = _values(advice)
    a = advice.assumptions
    tick = Fraction(gcd(*intervals), n)
    ticks = tuple(int(t / tick) for t in intervals)
    return _Scaled(
        tick,
        ticks,
        tuple(ceil(d / tick) for d in deadlines),
        tuple(floor(t * Fraction(a.drift) / tick) for t in intervals),
        min(floor(Fraction(a.delay) / tick), 2 * min(ticks) - 1),
        min(a.losses, _MOST_LOSSES),
    )


def _values(advice: Advice) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    both: list[Values] = [steady(s, advice.assumptions) for s in (advice.now, advice.then)]
    return (
        tuple(int(values[_INTERVAL]) for values in both),
        tuple(Fraction(DEADLINE.evaluate(values)) for values in both),
    )


def _fitting(advice: Advice, case: Case) -> _Scaled | None:
    """Return the numbers in ticks that show the harm; None if they would be too many.

    The longest ticks in which nothing is rounded, if few will do; else the longest of all.
    """
    rough: _Scaled | None = None
    parts = gcd(*_values(advice)[0]) * _FINEST
    for n in range(1, min(parts, _MOST_TICKS) + 1):
        if parts % n:
            continue
        scaled = _scale(advice, n)
        if scaled.size > (_MOST_TICKS if rough is None else _FEW_TICKS):
            break
        if scaled.breaks(case):
            if not _rounded(advice, scaled):
                return scaled
            rough = rough or scaled
    return rough


def _rounded(advice: Advice, s: _Scaled) -> tuple[str, ...]:
    """Return which numbers are shown otherwise than they are."""
    intervals, deadlines = _values(advice)
    a = advice.assumptions
    drifts = [t * Fraction(a.drift) for t in intervals]
    pairs = [
        *(("deadline", true, n) for true, n in zip(deadlines, s.deadlines, strict=True)),
        ("delay", Fraction(a.delay), s.delay),
        *(("drift of an interval", t, n) for t, n in zip(drifts, s.drifts, strict=True)),
    ]
    found = [
        f"{what} {plain(true)} -> {plain(n * s.tick_ms)} ms"
        for what, true, n in dict.fromkeys(pairs)
        if true != n * s.tick_ms
    ]
    if a.losses > s.losses:
        found.append(f"losses in a row {a.losses} -> {s.losses}")
    return tuple(found)


# --- the run -------------------------------------------------------------------------------------


class _Run:
    """A run that is played step by step, as the interpreter allows."""

    def __init__(self, instance: Instance) -> None:
        self._instance, self._judge = instance, Interpreter(instance)
        (self.initial,) = self._judge.initial_states()
        self._state = self.initial
        self._promise = instance.spec.find_property(PROPERTY)
        self.steps: list[Step] = []

    @property
    def broken(self) -> bool:
        """Whether a live node is suspected."""
        return not self._judge.holds(self._promise, self._state)

    def take(self, words: str) -> bool:
        """Take a step, given as action and arguments, if it is enabled; return whether it was."""
        name, *labels = words.split()
        action = self._instance.spec.find_action(name)
        arguments = tuple(
            self._instance.element(p.sort, x)
            for p, x in zip(action.parameters, labels, strict=True)
        )
        if self._judge.refusals(action, arguments, self._state):
            return False
        self._state = self._judge.step(action, arguments, self._state)
        self.steps.append(Step(name, arguments, self._state))
        return True

    def play(self, case: Case) -> bool:
        """Play a case, then let everything be as late as is allowed; return whether it harms."""
        for words in case.steps:
            if words != _WAIT:
                self.take(words)
            while words == _WAIT and not self.broken and self.take("tick"):
                pass
            if self.broken:
                return True
        while not self.broken:
            if not any(self.take(words) for words in _AS_LATE_AS_ALLOWED):
                return False
        return True


def _harm(advice: Advice, case: Case) -> Harm:
    scaled = _fitting(advice, case)
    if scaled is None:
        return Harm(
            case,
            reason=f"the timed pair counts up to {_MOST_TICKS:,} ticks, and that is not enough "
            "to show these numbers",
        )
    model = _model(case, scaled)
    spec = load_spec(SPEC)
    run = _Run(model.instance(spec))
    try:
        harmed = run.play(case)
    except StateError:
        harmed = False
    if not harmed:
        return Harm(case, reason="the run that was tried in the timed pair does no harm")
    trace = Trace(model.instance(spec), run.initial, tuple(run.steps))
    return Harm(case, trace, model, scaled.tick_ms, _rounded(advice, scaled))


def _model(case: Case, s: _Scaled) -> Model:
    return Model(
        name=f"advise-{case.name}",
        spec=SPEC,
        about=f"A wish that was judged: {case.about}.",
        sizes={"Change": len(s.intervals), "Ticks": s.size},
        constants={
            "interval_ticks": _by_change(s.intervals),
            "deadline_ticks": _by_change(s.deadlines),
            "drift_ticks": _by_change(s.drifts),
            "delay_ticks": s.delay,
            "tolerated": s.losses,
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
        tick_ms=float(s.tick_ms),
        violates=(PROPERTY,),
    )


def _by_change(values: tuple[int, ...]) -> dict[str, int]:
    return {str(change): value for change, value in enumerate(values)}


def models_file(models: Iterable[Model]) -> str:
    """Return models as the text of a Python file that ``samebeat replay --model`` takes."""
    keys = ("name", "spec", "about", "sizes", "constants", "tick_ms", "violates")
    entries = [[f"        {key}={getattr(m, key)!r},\n" for key in keys] for m in models]
    listed = "".join(f"    Model(\n{''.join(entry)}    ),\n" for entry in entries)
    return (
        '"""Values that were judged by samebeat advise; see the traces beside this file."""\n\n'
        f"from samebeat_models import Model\n\nMODELS = [\n{listed}]\n"
    )
