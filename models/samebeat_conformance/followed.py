"""A run of the spec `cluster`, step by step on cores: do they take each step, and with what effect?

Each step is decoded into inputs of the core that takes it: what it must have received, and what its
host does. All ways to follow the run so far are kept, since what a core has heard the spec does not
know. A step that no core takes, however it got there, is *refused*.

A core takes several steps at once where the spec has them one by one, with steps of others between
them. So later steps of the node that moves may come forward, past steps of others, if the right
spec lets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from samebeat.ids import ChangeId, ViewId
from samebeat.node import Node
from samebeat_conformance.as_cluster import as_cluster
from samebeat_conformance.concrete import first_local
from samebeat_conformance.inputs import Ask, Propose
from samebeat_conformance.mapping import Mapping, Unmapped
from samebeat_conformance.moves import Faults, Move, Moves, Wishes
from samebeat_conformance.refusals import Reason, reason, right_instance
from samebeat_conformance.stepwise import StepwiseNode
from samebeat_conformance.timed.instances import COMPOSITION
from samebeat_conformance.trace import words_of
from samebeat_models.render import step_label
from samebeat_models.results import Step, Trace
from samebeat_spec.cluster import Crash as Crashes
from samebeat_spec.cluster import View
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

SPEC = "cluster"
"""The spec that the implementation is held against, step by step."""
CLAIMED = "group"
"""The group change as claimed, without what the core has more."""
PAIR = "heartbeat"
"""Two nodes with clocks."""
LINK = "link"
"""A channel of the message layer."""
FOLLOWED = (SPEC, CLAIMED, PAIR, COMPOSITION, LINK)
COARSER = (
    "a core asks and acks in one step, never while it is busy, and fails and closes in one step"
)
"""Why a core does not take each step that the group change as claimed takes."""
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
        looked_at: the cores took all, and the run says which invariant it breaks.
        breaks: that invariant is broken with all mechanisms of the core, too.
        parts: what the step that is refused does in the run, and in the core not.
        coarser: the right spec takes that step, and why the core does not.
        reason: what the right spec, with what the cores have, says of the step that is refused.
    """

    steps: int
    accepted: int
    refused: str = ""
    instead: tuple[str, ...] = ()
    inputs: tuple[tuple[str, ...], ...] = ()
    complete: bool = True
    looked_at: bool = False
    breaks: bool = False
    parts: str = ""
    coarser: str = ""
    reason: Reason | None = None


def follow_trace(trace: Trace, shows: str = "") -> Followed:
    """Follow a run on cores.

    Args:
        trace: the run.
        shows: the property that it violates where it was recorded; it is looked at again at the
            end, if it is an invariant, with the mechanisms that the core has.

    Raises:
        CannotFollow: it is a run of another spec, or its cluster is none that cores can be.
    """
    instance = trace.instance
    if instance.spec.name == CLAIMED:
        return _as_cluster(trace, shows)
    if instance.spec.name in (PAIR, COMPOSITION):
        from samebeat_conformance.followed_in_time import follow_in_time

        return _judged(follow_in_time(trace), trace, shows)
    if instance.spec.name == LINK:
        from samebeat_conformance.followed_in_channel import follow_in_channel

        return _judged(follow_in_channel(trace), trace, shows)
    if instance.spec.name != SPEC:
        raise CannotFollow(
            f"no core can follow runs of {instance.spec.name}, only those of "
            f"{', '.join(FOLLOWED)}: use --against spec"
        )
    if instance.constant_values["may_lose_journal"][()]:
        raise CannotFollow(
            f"{instance.name}: in this model journals are lost; a core without its journal does "
            "not start at all: use --against spec"
        )
    return _judged(_in_both_grains(trace), trace, shows)


def _in_both_grains(trace: Trace) -> Followed:
    """Follow a run of `cluster`: where not all is taken, by cores that take one step at a time.

    Both are the same code. What only the second take lies within what the core does on one input.
    """
    found = _Follower(trace).follow()
    if not found.refused or len(trace.instance.domain(View)) == 1:
        return found
    stepwise = _Follower(trace, StepwiseNode).follow()
    return stepwise if stepwise.accepted > found.accepted else found


def _as_cluster(trace: Trace, shows: str) -> Followed:
    """Follow a run of the group change as claimed: read as one of the hardened one."""
    read = as_cluster(trace)
    found = _Follower(read.trace).follow()
    accepted = read.numbers[found.accepted]
    inputs = [("nothing: with another step, or of no effect",)] * accepted
    for j, words in enumerate(found.inputs):
        if read.numbers[j] < accepted:
            before = inputs[read.numbers[j]] if j and read.numbers[j] == read.numbers[j - 1] else ()
            inputs[read.numbers[j]] = (*before, *words)
    found = replace(found, steps=len(trace.steps), accepted=accepted, inputs=tuple(inputs))
    if not found.refused and not read.parts:
        return _judged(found, read.trace, shows)
    step = trace.steps[accepted]
    label = step_label(trace.instance, step.action, step.arguments)
    found = replace(found, refused=label, parts="" if found.refused else read.parts)
    return replace(found, coarser=_coarser(trace, accepted), reason=reason(trace, accepted))


def _coarser(trace: Trace, number: int) -> str:
    """Return why a core does not take a step that the right group change takes, if that does."""
    instance = trace.instance
    right = Instance(instance.name, load_spec(CLAIMED), instance.sizes, instance.constants)
    judge = Interpreter(right)
    for i, step in enumerate(trace.steps[: number + 1]):
        action = judge.spec.find_action(step.action)
        if judge.refusals(action, step.arguments, trace.states[i]):
            return ""
    return COARSER


def _judged(found: Followed, run: Trace, shows: str) -> Followed:
    """Say whether a run that is followed to its end breaks an invariant, and why one is refused."""
    if found.refused:
        no_step = found.refused == "init"
        return found if no_step else replace(found, reason=reason(run, found.accepted))
    instance = run.instance
    spec = load_spec(instance.spec.name)
    prop = next((p for p in spec.of_kind("invariant") if p.name == shows), None)
    if prop is None:
        return found
    right = Interpreter(right_instance(instance))
    return replace(found, looked_at=True, breaks=not right.holds(prop, run.states[-1]))


class Way(NamedTuple):
    """One way to have come so far: where the cores are, and which later steps they have taken."""

    place: Place
    early: frozenset[int]


Ways: TypeAlias = dict[Way, tuple[str, ...]]
"""Ways to have come so far, and what the core that took the last step was given."""


class _Follower:
    """The cores of one instance, and the ways in which they follow a run."""

    def __init__(self, trace: Trace, kind: type[Node] = Node) -> None:
        instance = trace.instance
        self._kind = kind
        self.instance, self.trace = instance, trace
        self.mapping = Mapping(instance)
        self._judge = Interpreter(instance)
        right = Instance(instance.name, load_spec(SPEC), instance.sizes, instance.constants)
        self._right = Interpreter(right)
        constants = instance.constant_values
        self._most_crashes = len(instance.domain(Crashes)) - 1
        names = self.mapping.nodes
        self.moves = Moves(
            names,
            [],
            {n: [] for n in names},
            Faults(
                crashes=self._most_crashes > 0,
                undo_may_fail=bool(constants["undo_may_fail"][()]),
                may_hang=bool(constants["may_hang"][()]),
            ),
            on_demand=True,
        )
        self._alphas: dict[tuple[object, ...], StateTuple | None] = {}
        self.complete = True

    def follow(self) -> Followed:
        """Follow the run from its first state."""
        steps = self.trace.steps
        start = self._start()
        if self.alpha(start) != self.trace.initial:
            return Followed(len(steps), 0, "init", ("the cores start in another state",))
        ways: Ways = {Way(start, frozenset()): ()}
        inputs: list[tuple[str, ...]] = []
        for i, step in enumerate(steps):
            self._stand_still(ways, step)
            after = self._take(ways, i)
            if not after:
                label = step_label(self.instance, step.action, step.arguments)
                instead = self._instead(ways, step.arguments[0])
                return Followed(len(steps), i, label, instead, tuple(inputs), self.complete)
            inputs.append(next(iter(after.values())))
            ways = after
        return Followed(len(steps), len(steps), inputs=tuple(inputs), complete=self.complete)

    def _start(self) -> Place:
        names = self.mapping.nodes
        locals_ = [
            self.moves.nodes.number(first_local(self.mapping.config(n), self._kind)) for n in names
        ]
        nobody = (None,) * len(self.mapping.changes)
        return Place(tuple(locals_), 0, nobody, self.mapping.first_views(), 0)

    def _stand_still(self, ways: Ways, step: Step) -> None:
        """Add where cores can be without a step of the spec: first the one that is to move."""
        order = [step.arguments[0], *range(len(self.mapping.nodes))]
        waiting = list(ways)
        while waiting:
            way = waiting.pop(0)
            state = self.alpha(way.place)
            for n in dict.fromkeys(order):
                for _, place in self._after(way.place, n, ()):
                    other = Way(place, way.early)
                    if other in ways or self.alpha(place) != state:
                        continue
                    if len(ways) >= MOST_WAYS:
                        self.complete = False
                        return
                    ways[other] = ways[way]
                    waiting.append(other)

    def _take(self, ways: Ways, i: int) -> Ways:
        """Let the core that is to move take this step of the run, or several of its own at once."""
        step = self.trace.steps[i]
        node, name = step.arguments[0], self.mapping.nodes[step.arguments[0]]
        found: Ways = {}
        for way in ways:
            if i in way.early:
                found.setdefault(Way(way.place, way.early - {i}), ("taken before, at once",))
                continue
            own = self._own_steps(way, i, node)
            states = self._states(way.place, own[:1], self._judge)
            states += self._states(way.place, own, self._right)[1:] if states else []
            if states and states[0] == self.alpha(way.place):
                found.setdefault(way, ("nothing: the step changes nothing",))
            taken = [self.trace.steps[j] for j in own]
            for move, place in self._after(way.place, node, taken):
                reached = self.alpha(place)
                for count, state in enumerate(states, 1):
                    if reached == state and len(found) >= MOST_WAYS:
                        self.complete = False
                    elif reached == state:
                        early = way.early | set(own[1:count])
                        words = tuple(words_of(name, what) for what in move.inputs)
                        found.setdefault(Way(place, early), words)
        return found

    def _own_steps(self, way: Way, i: int, node: int) -> list[int]:
        """Return the next steps of a node that are not taken yet, by number."""
        steps = self.trace.steps
        rest = (j for j in range(i, len(steps)) if j not in way.early)
        return [j for j in rest if steps[j].arguments[0] == node][:MOST_AT_ONCE]

    def _states(self, place: Place, own: Sequence[int], judge: Interpreter) -> list[StateTuple]:
        """Return the spec's states after one, two ... of these steps, as long as it lets them."""
        found: list[StateTuple] = []
        state = self.alpha(place)
        assert state is not None, "the cores are in a state of the spec"
        for j in own:
            step = self.trace.steps[j]
            try:
                state = judge.step(judge.spec.find_action(step.action), step.arguments, state)
            except (Refused, StateError):
                break
            found.append(state)
        return found

    def _after(self, place: Place, n: int, steps: Sequence[Step]) -> Iterator[tuple[Move, Place]]:
        """Yield each move of a core with where it leads; a new change or view is the run's."""
        for move in self.moves.of(place.locals_, n, place.network, self._wishes(steps)):
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

    def _wishes(self, steps: Sequence[Step]) -> Wishes:
        """Return what the node may begin: what it begins in the run, with that view's number."""
        asks = [s.arguments[1] for s in steps if s.action == "request"]
        views = [s.arguments[1:] for s in steps[:1] if s.action == "propose"]
        return Wishes(
            tuple(dict.fromkeys(self.mapping.asked[c] for c in asks)),
            tuple(self.mapping.members[q] for _, q in views),
            views[0][0] if views else None,
        )

    def _asked(
        self, place: Place, ask: Ask, move: Move, steps: Sequence[Step]
    ) -> tuple[ChangeId | None, ...] | None:
        for step in steps:
            if step.action == "request" and place.ids[step.arguments[1]] is None:
                c = step.arguments[1]
                if self.mapping.asked[c] == ask.settings:
                    return (*place.ids[:c], move.asked, *place.ids[c + 1 :])
        return None

    def _proposed(
        self, place: Place, move: Move, steps: Sequence[Step]
    ) -> tuple[ViewId | None, ...] | None:
        view = self.moves.nodes.locals[move.after].node.journal.promise.view
        for step in steps:
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

    def _instead(self, ways: Ways, n: int) -> tuple[str, ...]:
        """Return what the core does there that the spec sees."""
        found: dict[str, None] = {}
        for place, _ in ways:
            for move in self.moves.of(place.locals_, n, place.network):
                if isinstance(move.cause, Ask | Propose):
                    continue
                locals_ = (*place.locals_[:n], move.after, *place.locals_[n + 1 :])
                after = place._replace(
                    locals_=locals_,
                    network=place.network | move.sent,
                    crashes=place.crashes + move.crashes,
                )
                possible = after.crashes <= self._most_crashes
                if possible and self.alpha(after) not in (self.alpha(place), None):
                    found[words_of(self.mapping.nodes[n], move.last)] = None
        return tuple(sorted(found)[:INSTEAD_SHOWN])
