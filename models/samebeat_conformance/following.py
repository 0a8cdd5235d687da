"""How a run is followed where a state of the cores is one value: on a channel, and in time.

All ways in which the cores follow the run so far are kept. What a step of the run is taken by, and
which later steps may come with it, is for each kind of cores to say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from samebeat_conformance.followed import MOST_WAYS, Followed
from samebeat_models.render import step_label
from samebeat_models.results import Trace
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

P = TypeVar("P", bound=Hashable)
Way = tuple[P, frozenset[int]]
"""Where the cores are, and which later steps of the run they have taken."""
Ways = dict[Way[P], tuple[str, ...]]
"""Each way, with what the cores were given last on it, in words."""


class Follower(ABC, Generic[P]):
    """Follows one run on cores.

    Args:
        trace: the run.
        right: the instance that it is a run of, with every guard.
    """

    def __init__(self, trace: Trace, right: Instance) -> None:
        self.trace = trace
        self._judge, self._right = Interpreter(trace.instance), Interpreter(right)
        self.complete = True

    @abstractmethod
    def start(self) -> P:
        """Return where the cores are at first."""

    @abstractmethod
    def cells(self, place: P) -> StateTuple | None:
        """Return the state of the spec that the cores are in; None: it is none."""

    @abstractmethod
    def moves(self, place: P) -> Iterator[tuple[Any, P]]:
        """Yield what can happen there, and where it leads."""

    @abstractmethod
    def take(self, ways: Ways[P], i: int) -> Ways[P]:
        """Let the cores take this step of the run, or with it later ones."""

    @abstractmethod
    def instead(self, ways: Ways[P], i: int) -> tuple[str, ...]:
        """Return what else can happen there that the spec sees."""

    def follow(self) -> Followed:
        """Follow the run from its first state."""
        steps, start = self.trace.steps, self.start()
        if self.cells(start) != self.trace.initial:
            return Followed(len(steps), 0, "init", ("the cores start in another state",))
        ways: Ways[P] = {(start, frozenset()): ()}
        inputs: list[tuple[str, ...]] = []
        for i, step in enumerate(steps):
            self._stand_still(ways)
            after = self.take(ways, i)
            if not after:
                label = step_label(self.trace.instance, step.action, step.arguments)
                instead = self.instead(ways, i)
                return Followed(len(steps), i, label, instead, tuple(inputs), self.complete)
            inputs.append(next(iter(after.values())))
            ways = after
        return Followed(len(steps), len(steps), inputs=tuple(inputs), complete=self.complete)

    def _stand_still(self, ways: Ways[P]) -> None:
        """Add where the cores can be without a step of the spec."""
        waiting = list(ways)
        while waiting:
            place, early = waiting.pop(0)
            state = self.cells(place)
            for _, after in self.moves(place):
                way = (after, early)
                if way in ways or self.cells(after) != state:
                    continue
                if len(ways) >= MOST_WAYS:
                    self.complete = False
                    return
                ways[way] = ways[place, early]
                waiting.append(way)

    def states(self, state: StateTuple, own: Sequence[int]) -> list[StateTuple]:
        """Return the states after one, two ... of these steps, as long as they can be taken."""
        found: list[StateTuple] = []
        for place, j in enumerate(own):
            step, judge = self.trace.steps[j], self._right if place else self._judge
            try:
                state = judge.step(judge.spec.find_action(step.action), step.arguments, state)
            except (Refused, StateError):
                break
            found.append(state)
        return found

    def add(self, found: Ways[P], way: Way[P], words: str) -> None:
        """Add a way, unless there are too many: then what is refused is not known."""
        if len(found) < MOST_WAYS:
            found.setdefault(way, (words,))
        else:
            self.complete = False
