"""A run of a timed spec in which a live node is suspected, and what all such runs share.

A run is played on the spec, step by step, by the interpreter. So it is a run of the spec, but
others may be shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, TypeVar

from samebeat_models.catalog import Model
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.parameters import Number

PROPERTY = "no_false_suspicion"
"""What is broken at the end of a run; each spec that is played has it."""
MOST_TICKS = 4_096
TOO_MANY_TICKS = (
    f"the timed model counts up to {MOST_TICKS:,} ticks, and that is not enough to show these "
    "numbers"
)
NO_HARM = "the run that was tried in the timed model does no harm"
_FEW_TICKS = 256
"""Up to so many, the numbers are shown exactly although longer ticks would do."""
_FINEST = 1_000
"""A tick is a whole number of parts of a ms; so many make one."""
_ROUND = tuple(
    m * Fraction(10) ** e
    for mantissas in ((50, 20, 10), range(99, 10, -1))
    for e in range(5, -4, -1)
    for m in mantissas
)
"""Ticks in ms that people like, and then others of two digits; each time the longest first."""


@dataclass(frozen=True)
class Case:
    """Values that do harm.

    Attributes:
        about: which, and how they come about, in words.
    """

    name: str
    about: str


@dataclass(frozen=True)
class Harm:
    """A run in which a live node is suspected, or the reason why none is shown.

    Attributes:
        case: which values do harm.
        trace: the run; None if there is none to show.
        model: the instance that it is a run of, in the form of a catalog entry.
        tick_ms: how long a tick is.
        rounded: which numbers are not shown exactly, in words.
        chosen: values that were not given and that the run needs, by parameter.
        reason: why there is no trace; empty if there is one.
    """

    case: Case
    trace: Trace | None = None
    model: Model | None = None
    tick_ms: Fraction = field(default=Fraction(1))
    rounded: tuple[str, ...] = ()
    chosen: dict[str, Number] = field(default_factory=dict)
    reason: str = ""


class Scaled(Protocol):
    """Numbers in ticks."""

    @property
    def size(self) -> int:
        """How many ticks a clock must be able to count, 0 among them."""

    @property
    def shows_harm(self) -> bool:
        """Whether they can be played and do harm, rounded as they are."""

    @property
    def rounded(self) -> tuple[str, ...]:
        """Which numbers are not shown exactly, in words."""


AnyScaled = TypeVar("AnyScaled", bound=Scaled)


def fitting(whole_ms: int, scale: Callable[[Fraction], AnyScaled]) -> AnyScaled | None:
    """Return the numbers in ticks that show the harm; None if they would be too many.

    The longest ticks in which nothing is rounded, if few will do; else the longest of all.

    Args:
        whole_ms: what must be a whole number of ticks.
        scale: returns the numbers, given how many ms a tick is.
    """
    rough: AnyScaled | None = None
    parts = whole_ms * _FINEST
    for n in range(1, min(parts, MOST_TICKS) + 1):
        if parts % n:
            continue
        scaled = scale(Fraction(whole_ms, n))
        if scaled.size > (MOST_TICKS if rough is None else _FEW_TICKS):
            break
        if scaled.shows_harm:
            if not scaled.rounded:
                return scaled
            rough = rough or scaled
    return rough


def fitting_roughly(scale: Callable[[Fraction], AnyScaled]) -> AnyScaled | None:
    """Return the numbers in ticks that need not divide any of them, and that show the harm.

    The first that will do of some lengths of a tick; None if none does.
    """
    for tick_ms in _ROUND:
        scaled = scale(tick_ms)
        if scaled.size <= MOST_TICKS and scaled.shows_harm:
            return scaled
    return None


class Run:
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

    @property
    def trace(self) -> Trace:
        """The run so far."""
        return Trace(self._instance, self.initial, tuple(self.steps))

    def take(self, words: str) -> bool:
        """Take a step, given as action and arguments, if it is enabled; return whether it was.

        Raises:
            StateError: the state after it is beyond what the instance counts.
        """
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

    def take_until_harm(self, *choices: str) -> bool:
        """Take each time the first of the steps that is enabled; return whether that harms.

        Raises:
            StateError: the state after a step is beyond what the instance counts.
        """
        while not self.broken:
            if not any(self.take(words) for words in choices):
                return False
        return True


def models_file(models: Iterable[Model]) -> str:
    """Return models as the text of a Python file that ``samebeat replay --model`` takes."""
    keys = ("name", "spec", "about", "sizes", "constants", "tick_ms", "violates")
    entries = [[f"        {key}={getattr(m, key)!r},\n" for key in keys] for m in models]
    listed = "".join(f"    Model(\n{''.join(entry)}    ),\n" for entry in entries)
    return (
        '"""Values that were judged by samebeat advise; see the traces beside this file."""\n\n'
        f"from samebeat_models import Model\n\nMODELS = [\n{listed}]\n"
    )
