"""What one core can do next, whatever the others do.

With *full knowledge* each input is a move of its own: the node may receive each datagram at any
time. *On demand* a datagram that only tells the node something is received just before the node
acts upon it. That leaves nothing out as far as one node is concerned, since what it has heard is
seen by nobody else, and what was sent can still be received later. Two more things are left out:

- Of two ways to hear enough for the same step, the one with fewer datagrams is gone on with. What
  the node has heard besides is heard again when it is needed.
- Answers to one member, and what the retry timer says again, are not kept in the network. They are
  there for whoever needs them, as long as the one who says them is in the same state; of a node
  that is down, as if it had said them just before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from samebeat.ids import ChangeId
from samebeat.messages import Request
from samebeat.node import Node, steps
from samebeat.parameters import Settings
from samebeat_conformance.account import recovered
from samebeat_conformance.concrete import (
    Local,
    Nodes,
    body_of,
    is_same,
    left_out,
    operation_key,
    possible_operations,
)
from samebeat_conformance.inputs import (
    Ask,
    Beat,
    Crash,
    Deliver,
    FinishLate,
    Hang,
    Input,
    Leave,
    Lose,
    OneStep,
    Persisted,
    Propose,
    Recover,
    Tick,
)
from samebeat_conformance.network import Network
from samebeat_conformance.stepwise import StepwiseNode

_MOST_SENDS = 8
"""An input makes a node send no more than that, as far as crashes are concerned; it is checked."""


@dataclass(frozen=True)
class Faults:
    """What may go wrong, as the instance says."""

    crashes: bool
    undo_may_fail: bool
    may_hang: bool


class Wishes(NamedTuple):
    """What a node may be made to begin: all else its surroundings have no place for.

    Attributes:
        asks: the settings that it may be asked to change to.
        proposals: the members of views that it may propose.
    """

    asks: tuple[Settings, ...]
    proposals: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Move:
    """What a node does after it has received some datagrams.

    Attributes:
        inputs: what it has received, and the last input.
        after: the number of its local state.
        sent: the bits of what it has sent.
        asked: the id of the change that it has asked for.
    """

    inputs: tuple[Input, ...]
    after: int
    sent: int
    asked: ChangeId | None

    @property
    def last(self) -> Input:
        """The input that has made it move."""
        return self.inputs[-1]

    @property
    def crashes(self) -> bool:
        """Whether the node stops."""
        return isinstance(self.last, Crash)

    @property
    def cause(self) -> Input:
        """The last input, or the one during which the node stops."""
        last = self.last
        return last.during if isinstance(last, Crash) and last.during is not None else last


class Moves:
    """The moves of each node from each of its states."""

    def __init__(
        self,
        names: list[str],
        asks: list[Settings],
        proposals: dict[str, list[tuple[str, ...]]],
        faults: Faults,
        *,
        on_demand: bool,
    ) -> None:
        self.names = names
        self.nodes = Nodes(journals_late=faults.crashes)
        self.network = Network(names)
        self.on_demand = on_demand
        self.checks = 0
        """how many inputs were given to nodes to find these moves"""
        self._all = {n: Wishes(tuple(asks), tuple(proposals[n])) for n in names}
        self._faults = faults
        self._known: dict[tuple[int, int, Wishes], list[Move]] = {}
        self._steps: dict[int, tuple[OneStep, ...]] = {}
        self._kept: dict[int, int] = {}
        self._kinds: dict[Any, int] = {}
        self._offers: dict[tuple[int, int, int], int] = {}

    def of(
        self, locals_: tuple[int, ...], n: int, network: int, wishes: Wishes | None = None
    ) -> list[Move]:
        """Return the moves of one node of a cluster; without wishes, whatever it may begin."""
        name = self.names[n]
        wishes = wishes or self._all[name]
        available = network & self.network.reaches[name]
        if self.on_demand:
            for m in range(len(locals_)):
                if m != n:
                    available |= self._offered(locals_[m], locals_[n], n, network)
        known = (locals_[n], available, wishes)
        if known not in self._known:
            search = self._on_demand if self.on_demand else self._each
            self._known[known] = list(search(locals_[n], name, available, wishes))
        return self._known[known]

    # --- full knowledge --------------------------------------------------------------------------

    def _each(self, number: int, name: str, available: int, wishes: Wishes) -> Iterator[Move]:
        for what in (*self._own_inputs(number, wishes), *self._deliveries(number, available)):
            move = self._move(number, name, (what,))
            if move is not None:
                yield move

    def _move(self, number: int, name: str, inputs: tuple[Input, ...]) -> Move | None:
        done = self.nodes.step(number, inputs[-1])
        if done is None:
            return None
        after, what = done
        sent = what.sent
        if self.on_demand:
            sent = tuple(d for d in sent if d[0] is None)
        return Move(inputs, after, self.network.bits(name, sent), what.asked)

    # --- on demand -------------------------------------------------------------------------------

    def _on_demand(self, number: int, name: str, available: int, wishes: Wishes) -> Iterator[Move]:
        """Yield the moves after as few datagrams as possible, no more than there are nodes."""
        found: set[Any] = set()
        known: set[Input] = set()
        here = self._matters(number)
        seen = {number}
        layer: list[tuple[int, tuple[Input, ...]]] = [(number, ())]
        for depth in range(len(self.names) + 1):
            following: list[tuple[int, tuple[Input, ...]]] = []
            for at, path in layer:
                inputs = (*self._own_inputs(at, wishes), *self._deliveries(at, available, known))
                for what in inputs:
                    move = self._move(at, name, (*path, what))
                    if move is None:
                        continue
                    self.checks += 1
                    if self._matters(move.after) == here and not move.asked and not move.crashes:
                        if move.after not in seen:
                            seen.add(move.after)
                            following.append((move.after, move.inputs))
                        elif depth == 0 and _tells_nothing(what):
                            known.add(what)
                        continue
                    kind = move.cause if isinstance(move.cause, Ask | Propose) else None
                    key = (self._matters(move.after), move.sent, move.asked, kind, move.crashes)
                    if key not in found:
                        found.add(key)
                        yield move
            layer = following if depth < len(self.names) else []

    def _matters(self, number: int) -> int:
        """Return what a node must keep, numbered: all but what others say again."""
        if number not in self._kept:
            what = self._what_matters(number)
            self._kept[number] = self._kinds.setdefault(what, len(self._kinds))
        return self._kept[number]

    def _what_matters(self, number: int) -> Any:
        local = self.nodes.locals[number]
        s = local.node._state
        own = (self.nodes.account[number], local.leaving, local.applied, s.journal)
        if not local.account.up:
            return own
        return (
            *own,
            operation_key(s.operation),
            operation_key(s.given_up),
            s.installed,
            s.sequence,
        )

    def _offered(self, other: int, number: int, n: int, network: int) -> int:
        """Return what another node says again, and what it answers to what `n` says."""
        name = self.names[n]
        words = network & self.network.sent_by[name]
        known = (other, number, words)
        if known not in self._offers:
            self._offers[known] = self._offer(self._alive(other), number, name, words)
        return self._offers[known]

    def _alive(self, number: int) -> int:
        """Return the node as it was just before it went down."""
        local = self.nodes.locals[number]
        if local.account.up:
            return number
        return self.nodes.number(Local(local.node, recovered(local.account)))

    def _offer(self, other: int, number: int, name: str, words: int) -> int:
        asks: list[Input] = [Deliver(name, data) for _, _, data in self.network.of(words)]
        if self.nodes.locals[number].account.up:
            again = self.nodes.step(number, Tick())
            assert again is not None
            asks += [Deliver(name, data) for to, data in again[1].sent]
            asks += [Beat(name, data) for data in left_out(self.nodes.locals[number].node)]
        offered = 0
        source = self.nodes.locals[other].name
        for what in (Tick(), *asks):
            done = self.nodes.step(other, what)
            if done is not None and self._matters(done[0]) == self._matters(other):
                said = [d for d in done[1].sent if d[0] in (None, name)]
                offered |= self.network.bits(source, said)
        return offered

    # --- inputs ----------------------------------------------------------------------------------

    def _deliveries(
        self, number: int, available: int, known: Collection[Input] = ()
    ) -> Iterator[Input]:
        local = self.nodes.locals[number]
        if local.account.up and local.applied is None:
            for source, _, data in self.network.of(available):
                what = Deliver(source, data)
                if what not in known:
                    yield from self._with_crashes(number, what)

    def _own_inputs(self, number: int, wishes: Wishes) -> Iterator[Input]:
        local, faults = self.nodes.locals[number], self._faults
        if faults.crashes:
            yield Crash()  # of a node that is down: as it starts, before it has done anything
        if not local.account.up:
            yield Recover()
            return
        if local.applied is not None:
            yield Persisted()
            return
        for what in (*self._local_inputs(local, wishes), *self._single_steps(number)):
            yield from self._with_crashes(number, what)
        if local.leaving:
            yield Leave()
            yield Lose()
        yield Tick()

    def _local_inputs(self, local: Local, wishes: Wishes) -> Iterator[Any]:
        faults, state = self._faults, local.node._state
        yield from (Ask(settings) for settings in wishes.asks)
        yield from possible_operations(local, undo_may_fail=faults.undo_may_fail)
        if faults.may_hang and state.given_up is not None:
            yield FinishLate()
            yield FinishLate(success=False)
        if faults.may_hang and _applies(local):
            yield Hang()
        yield from (Propose(members) for members in wishes.proposals)

    def _single_steps(self, number: int) -> tuple[OneStep, ...]:
        node = self.nodes.locals[number].node
        if not isinstance(node, StepwiseNode):
            return ()
        if number not in self._steps:
            self._steps[number] = tuple(OneStep(place) for place in _possible(node))
        return self._steps[number]

    def _with_crashes(self, number: int, what: Any) -> Iterator[Input]:
        """Yield an input, and a crash after each prefix of its effects that is one of its own."""
        yield what
        if not self._faults.crashes:
            return
        crashes: list[Crash] = []
        while self.nodes.step(number, crash := Crash(what, len(crashes))) is not None:
            crashes.append(crash)
            assert len(crashes) <= _MOST_SENDS, f"more than {_MOST_SENDS} datagrams on one input"
        yield from reversed(crashes)


def _tells_nothing(what: Input) -> bool:
    """Return whether what has changed nothing does not either after other datagrams.

    Of a request that may not be so: a node that has come back acks once it has all reports.
    """
    return isinstance(what, Deliver) and not isinstance(body_of(what.data), Request)


def _possible(node: Node) -> Iterator[int]:
    """Yield the places of the steps that a node can take: each is tried on a copy."""
    place, another = 0, not node.journal.out
    while another:
        state, another = node._state.copy(), False
        for step in islice(steps(state), place, None):
            place += 1
            if step():
                yield place - 1
            if not is_same(state, node._state):
                another = True
                break


def _applies(local: Local) -> bool:
    operation = local.node._state.operation
    return operation is not None and operation.purpose.name == "APPLY"
