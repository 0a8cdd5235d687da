"""A run of the spec `link`, step by step on the two ends of a channel.

These are the ends of the products in `layer`, in the grain in which what is queued leaves one by
one. All ways in which they follow the run so far are kept. A step of the run is taken by an input
that leads to the same state of the spec, or that takes later steps with it, of those that such an
input may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from samebeat_conformance.followed import INSTEAD_SHOWN, LINK, MOST_AT_ONCE, CannotFollow, Followed
from samebeat_conformance.following import Follower, Ways
from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.pairs import Pair
from samebeat_conformance.layer.product import Move, Product
from samebeat_conformance.layer.steps import MAY
from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.specs import load_spec


@dataclass(frozen=True)
class _Channel(Listed):
    """The channel that a run is followed on: that of its model, with every guard."""

    right: Instance = field(kw_only=True)

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        return self.right


def _channel(instance: Instance) -> _Channel:
    sizes = {s.__name__: len(instance.domain(s)) for s in instance.spec.sorts}
    right = Instance(instance.name, load_spec(LINK), instance.sizes, instance.constants)
    about = "the channel that a run is followed on"
    return _Channel(instance.name, about, sizes["Message"], right=right)


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
        follower = _Follower(trace)
    except AssertionError as error:  # the mapping says what a channel must be
        raise CannotFollow(
            f"{trace.instance.name} is a channel that no cores have ({error}): use --against spec"
        ) from None
    return follower.follow()


def _fits_any_size(instance: Instance) -> bool:
    """Return whether two sizes cut a message alike: a core looks at what is in a fragment."""
    pieces = instance.constant_values["pieces"]
    sorts = {s.__name__: instance.domain(s) for s in instance.spec.sorts}
    counts = [sum(pieces[z, f] for f in sorts["Fragment"]) for z in sorts["Size"]]
    return len(set(counts)) < len(counts)


class _Follower(Follower[Pair]):
    def __init__(self, trace: Trace) -> None:
        self.product = Product(_channel(trace.instance), stepwise=True)
        super().__init__(trace, self.product.listed.instance)

    def start(self) -> Pair:
        product = self.product
        receiver = product.receivers.number(product.ends.receiver)
        sender = product.senders.number(product.ends.sender)
        first = Pair(sender, receiver, 0, 0, (), (0, 0), None)
        return product._sender("submit", first, *product.ends.follow(product.ends.sender)).after

    def cells(self, place: Pair) -> StateTuple:
        return self.product.cells(place)

    def moves(self, place: Pair) -> Iterator[tuple[Move, Pair]]:
        return ((move, move.after) for move in self.product._moves(place))

    def take(self, ways: Ways[Pair], i: int) -> Ways[Pair]:
        """Let an end take this step of the run, or later ones with it."""
        found: Ways[Pair] = {}
        for pair, early in ways:
            if i in early:
                found.setdefault((pair, early - {i}), ("taken before, at once",))
                continue
            here = self.cells(pair)
            if self.states(here, [i]) == [here]:
                found.setdefault((pair, early), ("nothing: the step changes nothing",))
            for move, after in self.moves(pair):
                own = self._own_steps(early, i, move.kind)
                states, reached = self.states(here, own), self.cells(after)
                if reached in states:
                    taken = frozenset(own[1 : states.index(reached) + 1])
                    self.add(found, (after, early | taken), move.words)
        return found

    def _own_steps(self, early: frozenset[int], i: int, kind: str) -> list[int]:
        """Return the next steps that an input of a kind may be, by number; this one is first."""
        steps = self.trace.steps
        if steps[i].action not in MAY[kind]:
            return []
        later = (j for j in range(i + 1, len(steps)) if j not in early)
        return [i, *(j for j in later if steps[j].action in MAY[kind])][:MOST_AT_ONCE]

    def instead(self, ways: Ways[Pair], i: int) -> tuple[str, ...]:
        found = {
            move.words
            for pair, _ in ways
            for move, after in self.moves(pair)
            if self.cells(after) != self.cells(pair)
        }
        return tuple(sorted(found)[:INSTEAD_SHOWN])
