"""A run of the spec `heartbeat` or `timed_cluster`, step by step on two cores with clocks.

These are the cores of the products in `timed`. In `heartbeat` the pair is what two members of a
larger group see of a change of the heartbeat interval: a third member, which the explorer plays,
acks last, and may make it fail. All ways in which the cores follow the run so far are kept. A step
of the run is taken by a move that leads to the same state of the spec, or that takes later steps of
the same node with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from samebeat_conformance.followed import INSTEAD_SHOWN, PAIR, CannotFollow, Followed
from samebeat_conformance.following import Follower, Ways
from samebeat_conformance.product import UNREACHED
from samebeat_conformance.timed.instances import NAMES, Listed
from samebeat_conformance.timed.mapping import Net, OffTheClock
from samebeat_conformance.timed.nodes import first_pair
from samebeat_conformance.timed.product import (
    MOST_AT_ONCE,
    Move,
    Pair,
    Product,
    actors_in_composition,
    actors_in_pair,
)
from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.specs import load_spec

_SIZES = {
    "Node": (2, "more or fewer members than two"),
    "Change": (1, "more than one change"),
    "Value": (2, "more values than two"),
    "View": (1, "more than one view"),
    "Crash": (1, "crashes"),
}
"""How large a cluster is that two cores can be, and what it has otherwise."""


@dataclass(frozen=True)
class Traced(Listed):
    """The pair of cores that a run is followed on: with the intervals and deadlines of its model.

    Attributes:
        own: the instance that the run was recorded on, with every guard.
    """

    own: Instance | None = None

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        assert self.own is not None, "a run has an instance"
        return self.own


def follow_in_time(trace: Trace) -> Followed:
    """Follow a run in time on cores.

    Raises:
        CannotFollow: its model has what the cores have not, or not in this way.
    """
    return _Follower(trace).follow()


def traced(instance: Instance) -> Traced:
    """Return the pair of cores with the values of an instance.

    Raises:
        CannotFollow: there is none.
    """
    constants = instance.constant_values
    is_pair = instance.spec.name == PAIR
    wrong = _beyond_a_pair(instance) if is_pair else _beyond_two_members(instance)
    if wrong:
        raise CannotFollow(
            f"{instance.name} has {wrong}; the cores in time are two, with one change, one view "
            "and exact clocks: use --against spec"
        )
    interval, deadline = constants["interval_ticks"], constants["deadline_ticks"]
    clocked = (
        NAMES[:1] if is_pair else tuple(x for i, x in enumerate(NAMES) if _is_clocked(instance, i))
    )
    return Traced(
        instance.name,
        "the cores that a run is followed on",
        instance.spec.name,
        (interval[0,], interval[1,]),
        (deadline[0,], deadline[1,]),
        tolerated=constants["tolerated"][()],
        clocked=clocked,
        stops=is_pair and bool(constants["crashes_early"][()]),
        delay=constants["delay_ticks"][()],
        own=Instance(
            instance.name, load_spec(instance.spec.name), instance.sizes, instance.constants
        ),
    )


def _is_clocked(instance: Instance, n: int) -> bool:
    return bool(instance.constant_values["clocked"][n,])


def _beyond_a_pair(instance: Instance) -> str:
    """Return what the model of a pair has that the cores have not; empty: nothing."""
    constants = instance.constant_values
    if len(instance.domain(_sort(instance, "Change"))) != 2:
        return "more than one change"
    if any(constants["drift_ticks"].values()):
        return "clocks that drift"
    return "acks within a time" if constants["bounded_acks"][()] else ""


def _beyond_two_members(instance: Instance) -> str:
    """Return what the model of a cluster has that the cores have not; empty: nothing."""
    constants = instance.constant_values
    for name, (count, what) in _SIZES.items():
        if len(instance.domain(_sort(instance, name))) != count:
            return what
    if constants["bounded_rounds"][()]:
        return "rounds within a time"
    first, asked = constants["start_value"][()], constants["asked"][0,]
    return (
        "" if (first, asked) == (0, 1) else "a change of other values than the first to the second"
    )


def _sort(instance: Instance, name: str) -> Any:
    return next(s for s in instance.spec.sorts if s.__name__ == name)


class _Follower(Follower[Pair]):
    def __init__(self, trace: Trace) -> None:
        self.listed = traced(trace.instance)
        super().__init__(trace, self.listed.instance)
        self.product = Product(self.listed)
        in_pair = trace.instance.spec.name == PAIR
        self._actors = actors_in_pair if in_pair else actors_in_composition

    def start(self) -> Pair:
        configs = [self.listed.config(name) for name in NAMES]
        locals_ = first_pair(configs, [self.listed.clocks(n) for n in (0, 1)])
        first, second = (self.product.nodes.number(local) for local in locals_)
        return Pair((first, second), 0, self.product._net(Net()))

    def cells(self, place: Pair) -> StateTuple | None:
        """Return the state that the cores are in; None: it is none of the spec."""
        try:
            return self.product.cells(place)
        except OffTheClock:
            return None

    def moves(self, place: Pair) -> Iterator[tuple[Move, Pair]]:
        """Yield what can happen; whatever is off the clock there ends it."""
        try:
            here = self.product.alpha(place)
            yield from self.product._moves(place, 0 if here == UNREACHED else here)
        except OffTheClock:
            return

    def take(self, ways: Ways[Pair], i: int) -> Ways[Pair]:
        """Let the cores take this step of the run, or with it later ones of the same node."""
        step = self.trace.steps[i]
        actors = self._actors(step.action, step.arguments)
        found: Ways[Pair] = {}
        for pair, early in ways:
            if i in early:
                found.setdefault((pair, early - {i}), ("taken before, at once",))
                continue
            here = self.cells(pair)
            assert here is not None, "the cores are in a state of the spec"
            for mover in actors:
                own = self._own_steps(early, i, mover)
                states = self.states(here, own)
                if states and states[0] == here:
                    found.setdefault((pair, early), ("nothing: the step changes nothing",))
                for move, after in self.moves(pair):
                    reached = self.cells(after)
                    if move.mover != mover or reached not in states:
                        continue
                    taken = frozenset(own[1 : states.index(reached) + 1])
                    self.add(found, (after, early | taken), move.words)
        return found

    def _own_steps(self, early: frozenset[int], i: int, mover: int) -> list[int]:
        """Return the next steps of a node, by number; a tick is taken by itself."""
        steps = self.trace.steps
        own = [i]
        for j in range(i + 1, len(steps)):
            if steps[j].action == "tick":
                break
            if j not in early and mover in self._actors(steps[j].action, steps[j].arguments):
                own.append(j)
        return own[:MOST_AT_ONCE] if steps[i].action != "tick" else own[:1]

    def instead(self, ways: Ways[Pair], i: int) -> tuple[str, ...]:
        """Return what else can happen there that the spec sees: to who was to move, at first."""
        step = self.trace.steps[i]
        actors = self._actors(step.action, step.arguments)
        found: dict[str, int] = {}
        for pair, _ in ways:
            state = self.cells(pair)
            for move, after in self.moves(pair):
                if self.cells(after) not in (state, None):
                    found.setdefault(move.words, int(move.mover not in actors))
        return tuple(sorted(found, key=lambda words: (found[words], words))[:INSTEAD_SHOWN])
