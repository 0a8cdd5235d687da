"""A run of the spec `link`, step by step on the two ends of a channel.

These are the ends of the products in `layer`, in the grain in which what is queued leaves one by
one. All ways in which they follow the run so far are kept. A step of the run is taken by an input
that leads to the same state of the spec, or that takes later steps with it, of those that such an
input may be.
"""

from __future__ import annotations

from samebeat_conformance.followed import (
    INSTEAD_SHOWN,
    LINK,
    MOST_AT_ONCE,
    MOST_WAYS,
    CannotFollow,
    Followed,
)
from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.pairs import Pair
from samebeat_conformance.layer.product import Product
from samebeat_conformance.layer.steps import MAY
from samebeat_models.render import step_label
from samebeat_models.results import Trace
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

Way = tuple[Pair, frozenset[int]]
"""Where the ends are, and which later steps of the run they have taken."""
Ways = dict[Way, tuple[str, ...]]


class _Channel(Listed):
    """The channel that a run is followed on: that of its model, with every guard."""

    def __init__(self, instance: Instance) -> None:
        sizes = {s.__name__: len(instance.domain(s)) for s in instance.spec.sorts}
        super().__init__(instance.name, "the channel that a run is followed on", sizes["Message"])
        right = Instance(instance.name, load_spec(LINK), instance.sizes, instance.constants)
        object.__setattr__(self, "own", right)

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        found: Instance = vars(self)["own"]
        return found


def follow_in_channel(trace: Trace) -> Followed:
    """Follow a run of a channel on both its ends.

    Raises:
        CannotFollow: its messages are cut as no core cuts them, or no size is too large for them.
    """
    if _fits_any_size(trace.instance):
        raise CannotFollow(
            f"{trace.instance.name}: its messages fit into the smaller fragment as well, so for a "
            "core none is too large: use --against spec"
        )
    try:
        return _Follower(trace).follow()
    except AssertionError as error:
        raise CannotFollow(
            f"{trace.instance.name} is a channel that no cores have ({error}): use --against spec"
        ) from None


def _fits_any_size(instance: Instance) -> bool:
    """Return whether two sizes cut a message alike: a core looks at what is in a fragment."""
    pieces = instance.constant_values["pieces"]
    sorts = {s.__name__: instance.domain(s) for s in instance.spec.sorts}
    counts = [sum(pieces[z, f] for f in sorts["Fragment"]) for z in sorts["Size"]]
    return len(set(counts)) < len(counts)


class _Follower:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.product = Product(_Channel(trace.instance), stepwise=True)
        self._judge = Interpreter(trace.instance)
        self._right = Interpreter(self.product.listed.instance)
        self.complete = True

    def follow(self) -> Followed:
        """Follow the run from its first state."""
        steps, product = self.trace.steps, self.product
        receiver = product.receivers.number(product.ends.receiver)
        sender = product.senders.number(product.ends.sender)
        first = Pair(sender, receiver, 0, 0, (), (0, 0), None)
        start = product._sender("submit", first, *product.ends.follow(product.ends.sender)).after
        if product.cells(start) != self.trace.initial:
            return Followed(len(steps), 0, "init", ("the ends start in another state",))
        ways: Ways = {(start, frozenset()): ()}
        inputs: list[tuple[str, ...]] = []
        for i, step in enumerate(steps):
            self._stand_still(ways)
            after = self._take(ways, i)
            if not after:
                label = step_label(self.trace.instance, step.action, step.arguments)
                return Followed(
                    len(steps), i, label, self._instead(ways), tuple(inputs), self.complete
                )
            inputs.append(next(iter(after.values())))
            ways = after
        return Followed(len(steps), len(steps), inputs=tuple(inputs), complete=self.complete)

    def _stand_still(self, ways: Ways) -> None:
        """Add where the ends can be without a step of the spec."""
        waiting = list(ways)
        while waiting:
            pair, early = waiting.pop(0)
            state = self.product.cells(pair)
            for move in self.product._moves(pair):
                way = (move.after, early)
                if way in ways or self.product.cells(move.after) != state:
                    continue
                if len(ways) >= MOST_WAYS:
                    self.complete = False
                    return
                ways[way] = ways[pair, early]
                waiting.append(way)

    def _take(self, ways: Ways, i: int) -> Ways:
        """Let an end take this step of the run, or later ones with it."""
        found: Ways = {}
        for pair, early in ways:
            if i in early:
                found.setdefault((pair, early - {i}), ("taken before, at once",))
                continue
            here = self.product.cells(pair)
            if self._states(here, [i]) == [here]:
                found.setdefault((pair, early), ("nothing: the step changes nothing",))
            for move in self.product._moves(pair):
                own = self._own_steps(early, i, move.kind)
                states = self._states(here, own)
                reached = self.product.cells(move.after)
                if reached not in states:
                    continue
                taken = frozenset(own[1 : states.index(reached) + 1])
                if len(found) < MOST_WAYS:
                    found.setdefault((move.after, early | taken), (move.words,))
                else:
                    self.complete = False
        return found

    def _own_steps(self, early: frozenset[int], i: int, kind: str) -> list[int]:
        """Return the next steps that an input of a kind may be, by number; this one is first."""
        steps = self.trace.steps
        if steps[i].action not in MAY[kind]:
            return []
        later = (j for j in range(i + 1, len(steps)) if j not in early)
        return [i, *(j for j in later if steps[j].action in MAY[kind])][:MOST_AT_ONCE]

    def _states(self, state: StateTuple, own: list[int]) -> list[StateTuple]:
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

    def _instead(self, ways: Ways) -> tuple[str, ...]:
        """Return what else can happen there that the spec sees."""
        found = {
            move.words
            for pair, _ in ways
            for move in self.product._moves(pair)
            if self.product.cells(move.after) != self.product.cells(pair)
        }
        return tuple(sorted(found)[:INSTEAD_SHOWN])
