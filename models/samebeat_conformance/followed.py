"""A run of the spec `cluster`, step by step on cores: do they take each step, and with what effect?

Each step is decoded into inputs of the core that takes it: what it must have received, and what its
host does. All ways to follow the run so far are kept, since what a core has heard the spec does not
know. Where a core takes several steps of a run at once it is followed, too. A step that no core
takes, however it got there, is *refused*: the run is none of the implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from samebeat.ids import ChangeId, ViewId
from samebeat_conformance.concrete import first_local
from samebeat_conformance.inputs import Ask, Propose
from samebeat_conformance.mapping import Mapping, Unmapped
from samebeat_conformance.moves import Faults, Move, Moves
from samebeat_conformance.trace import words_of
from samebeat_models.render import step_label
from samebeat_models.results import Step, Trace
from samebeat_spec.cluster import Crash as Crashes
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple

SPEC = "cluster"
"""The spec that the implementation can be held against."""
MOST_WAYS = 3_000
"""More ways to have come to one state of a run are not gone on with; then nothing is refused."""
MOST_AT_ONCE = 6
"""The most steps of a run that a core takes on one input."""
INSTEAD_SHOWN = 8


class CannotFollow(Exception):  # noqa: N818  (`except CannotFollow` is the sentence)
    """The implementation cannot be held against such a run; the message is one line."""


class Place(NamedTuple):
    """Where a cluster of cores is.

    Attributes:
        locals_: the numbers of the nodes' local states.
        network: the bits of the datagrams sent.
        ids, views: what stands for the changes and views of the spec.
        crashes: how many there have been.
    """

    locals_: tuple[int, ...]
    network: int
    ids: tuple[ChangeId | None, ...]
    views: tuple[ViewId | None, ...]
    crashes: int


@dataclass(frozen=True)
class Followed:
    """What came of following a run.

    Attributes:
        steps: how many steps the run has.
        accepted: how many of them the cores took.
        refused: the first that they do not take, as in ``apply(n1, c1)``; empty: they took all.
        instead: what the core does at most at that place, in words.
        inputs: for each step what the core that took it was given, in words.
        complete: all ways to get there were looked at; if not, nothing is known from there on.
    """

    steps: int
    accepted: int
    refused: str = ""
    instead: tuple[str, ...] = ()
    inputs: tuple[tuple[str, ...], ...] = ()
    complete: bool = True


def follow_trace(trace: Trace) -> Followed:
    """Follow a run on cores.

    Raises:
        CannotFollow: it is a run of another spec, or its cluster is none that cores can be.
    """
    instance = trace.instance
    if instance.spec.name != SPEC:
        raise CannotFollow(
            f"the implementation is that of {SPEC}; a run of {instance.spec.name} has no place in "
            "it: use --against spec"
        )
    if instance.constant_values["may_lose_journal"][()]:
        raise CannotFollow(
            f"{instance.name}: in this model journals are lost; a core without its journal does "
            "not start at all: use --against spec"
        )
    return _Follower(instance).follow(trace)


class _Follower:
    """The cores of one instance, and the ways in which they follow a run."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.mapping = Mapping(instance)
        constants = instance.constant_values
        self._most_crashes = len(instance.domain(Crashes)) - 1
        names = self.mapping.nodes
        proposals = [q for q in self.mapping.quorums if q] if self.mapping.views > 1 else []
        self.moves = Moves(
            names,
            list(dict.fromkeys(self.mapping.asked.values())),
            {n: [q for q in proposals if n in q] for n in names},
            Faults(
                crashes=self._most_crashes > 0,
                undo_may_fail=bool(constants["undo_may_fail"][()]),
                may_hang=bool(constants["may_hang"][()]),
            ),
            on_demand=True,
        )
        self._alphas: dict[tuple[object, ...], StateTuple | None] = {}
        self.complete = True

    def follow(self, trace: Trace) -> Followed:
        """Follow a run from its first state."""
        states, steps = trace.states, trace.steps
        ways: list[dict[Place, tuple[str, ...]]] = [{} for _ in states]
        start = self._start()
        if self.alpha(start) != states[0]:
            return Followed(len(steps), 0, "init", ("the cores start in another state",))
        ways[0][start] = ()
        inputs: list[tuple[str, ...]] = []
        farthest = 0
        for i, step in enumerate(steps):
            self._stand_still(ways[i], states[i], step)
            self._take(ways, i, states, steps)
            farthest = max([farthest, *(j for j in range(i + 1, len(ways)) if ways[j])])
            if farthest <= i:
                label = step_label(self.instance, step.action, step.arguments)
                instead = self._instead(ways[i], states[i], step.arguments[0])
                return Followed(len(steps), i, label, instead, tuple(inputs), self.complete)
            inputs.append(next(iter(ways[i + 1].values()), ("together with the next",)))
        return Followed(len(steps), len(steps), inputs=tuple(inputs), complete=self.complete)

    def _start(self) -> Place:
        names = self.mapping.nodes
        locals_ = [self.moves.nodes.number(first_local(self.mapping.config(n))) for n in names]
        nobody = (None,) * len(self.mapping.changes)
        return Place(tuple(locals_), 0, nobody, self.mapping.first_views(), 0)

    def _stand_still(
        self, here: dict[Place, tuple[str, ...]], state: StateTuple, step: Step
    ) -> None:
        """Add where cores can be without a step of the spec: first the one that is to move."""
        order = [step.arguments[0], *range(len(self.mapping.nodes))]
        waiting = list(here)
        while waiting:
            place = waiting.pop(0)
            for n in dict.fromkeys(order):
                for _, after in self._after(place, n, None):
                    if after in here or self.alpha(after) != state:
                        continue
                    if len(here) >= MOST_WAYS:
                        self.complete = False
                        return
                    here[after] = here[place]
                    waiting.append(after)

    def _take(
        self,
        ways: list[dict[Place, tuple[str, ...]]],
        i: int,
        states: Sequence[StateTuple],
        steps: Sequence[Step],
    ) -> None:
        """Let the core that is to move take this step of the run, or several of its own at once."""
        node = steps[i].arguments[0]
        last = i + 1
        while last < len(steps) and last - i < MOST_AT_ONCE and steps[last].arguments[0] == node:
            last += 1
        for place in list(ways[i]):
            for move, after in self._after(place, node, steps[i:last]):
                reached = self.alpha(after)
                for j in range(i + 1, last + 1):
                    if reached == states[j] and len(ways[j]) < MOST_WAYS:
                        words = [words_of(self.mapping.nodes[node], x) for x in move.inputs]
                        ways[j].setdefault(after, tuple(words))
            if states[i] == states[i + 1]:
                ways[i + 1].setdefault(place, ("nothing: it changes nothing",))

    def _after(
        self, place: Place, n: int, steps: Sequence[Step] | None
    ) -> Iterator[tuple[Move, Place]]:
        """Yield each move of a core with where it leads; a new change or view is the run's."""
        for move in self.moves.of(place.locals_, n, place.network):
            crashes = place.crashes + move.crashes
            ids, views, cause = place.ids, place.views, move.cause
            if crashes > self._most_crashes:
                continue
            if isinstance(cause, Ask):
                found = self._asked(place, cause, move, steps)
                if found is None:
                    continue
                ids = found
            elif isinstance(cause, Propose):
                proposed = self._proposed(place, move, steps)
                if proposed is None:
                    continue
                views = proposed
            locals_ = (*place.locals_[:n], move.after, *place.locals_[n + 1 :])
            yield move, Place(locals_, place.network | move.sent, ids, views, crashes)

    def _asked(
        self, place: Place, ask: Ask, move: Move, steps: Sequence[Step] | None
    ) -> tuple[ChangeId | None, ...] | None:
        for step in steps or ():
            if step.action == "request" and place.ids[step.arguments[1]] is None:
                c = step.arguments[1]
                if self.mapping.asked[c] == ask.settings:
                    return (*place.ids[:c], move.asked, *place.ids[c + 1 :])
        return None

    def _proposed(
        self, place: Place, move: Move, steps: Sequence[Step] | None
    ) -> tuple[ViewId | None, ...] | None:
        view = self.moves.nodes.locals[move.after].node.journal.promise.view
        for step in steps or ():
            if step.action != "propose" or place.views[step.arguments[1]] is not None:
                continue
            _, v, q = step.arguments
            if self.mapping.quorums[view.members] == q:
                views = (*place.views[:v], view.id, *place.views[v + 1 :])
                known = [w for w in views if w is not None]
                return views if known == sorted(known) else None
        return None

    def alpha(self, place: Place) -> StateTuple | None:
        """Return the state of the spec that the cores are in; None: it has none."""
        nodes = self.moves.nodes
        numbers = tuple([nodes.account[i] for i in place.locals_])
        known = (numbers, place.ids, place.views, place.crashes)
        if known not in self._alphas:
            accounts = [nodes.locals[i].account for i in place.locals_]
            try:
                found = self.mapping.state(accounts, place.ids, place.views, place.crashes)
            except Unmapped:
                found = None
            self._alphas[known] = found
        return self._alphas[known]

    def _instead(
        self, here: dict[Place, tuple[str, ...]], state: StateTuple, n: int
    ) -> tuple[str, ...]:
        """Return what the core does there that the spec sees."""
        found: dict[str, None] = {}
        for place in here:
            for move in self.moves.of(place.locals_, n, place.network):
                if isinstance(move.cause, Ask | Propose):
                    continue
                locals_ = (*place.locals_[:n], move.after, *place.locals_[n + 1 :])
                after = place._replace(
                    locals_=locals_,
                    network=place.network | move.sent,
                    crashes=place.crashes + move.crashes,
                )
                if after.crashes <= self._most_crashes and self.alpha(after) not in (state, None):
                    found[words_of(self.mapping.nodes[n], move.last)] = None
        return tuple(sorted(found)[:INSTEAD_SHOWN])
