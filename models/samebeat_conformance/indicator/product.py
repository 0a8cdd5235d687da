"""The product of the spec `pair` and two cores: each input is steps of one node, or nothing.

A core that takes all steps at once comes from one state of the spec to another by a path. One that
takes one step at a time takes one step of the spec with each input, or none; what counts as covered
is what such cores take.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from samebeat.asking import STEPS
from samebeat.messages import Heartbeat
from samebeat.node import Refused, steps
from samebeat_conformance.concrete import state_key
from samebeat_conformance.indicator.ends import (
    NAMES,
    Ask,
    Beat,
    End,
    Hear,
    Input,
    Step,
    Stepped,
    first_ends,
    stepped,
)
from samebeat_conformance.indicator.instances import Listed
from samebeat_conformance.indicator.mapping import Mapping, OffTheMap, body_of
from samebeat_conformance.network import Network
from samebeat_conformance.product import UNREACHED, Conformance
from samebeat_conformance.specgraph import SpecGraph
from samebeat_spec.language.instance import StateTuple

MOST_AT_ONCE = 6
"""The most spec steps that one input is."""
_ASKS = ("open_change", "modify_at_once", "set_indicator")
_ANSWERS = ("modify_as_second", "refuse", "set_for_ack", "clear_for_ack", "send_ack")
_FOLLOWS = ("modify_as_first", "close_refused")
MAY = {
    "ask": _ASKS,
    "beat": ("send_heartbeat",),
    "heartbeat": ("receive_heartbeat", *_ANSWERS),
    "ack": ("receive_ack", *_FOLLOWS),
    "step": ("set_indicator", *_ANSWERS, *_FOLLOWS),
}
"""For each kind of input the actions that it may be."""


class Pair(NamedTuple):
    """A product state: the numbers of the nodes' states, and the bits of the messages sent."""

    ends: tuple[int, int]
    network: int


class Move(NamedTuple):
    """An input of one node, and what comes of it."""

    mover: int
    kind: str
    words: str
    after: Pair


@dataclass(frozen=True)
class Divergence:
    """The shortest run to a move that is no step of the spec."""

    pairs: tuple[Pair, ...]
    words: tuple[str, ...]
    why: str


class Steps(SpecGraph):
    """The steps of one instance, as paths of one node."""

    def take(self, here: int, there: int, node: int, kind: str, most: int) -> int:
        """Return the length of a shortest path of what an input may be; 0: there is none.

        A path of one step is covered, and so is every step that cannot be told from it.
        """
        reached, layer = {here}, [here]
        for length in range(1, most + 1):
            following = []
            for state in layer:
                for e in range(self._start[state], self._start[state + 1]):
                    action, arguments = self._actions[self._label[e]]
                    if action not in MAY[kind] or arguments[0] != node:
                        continue
                    after = self._target[e]
                    if length == 1 and after == there:
                        self.covered[e] = 1
                    if after not in reached:
                        reached.add(after)
                        following.append(after)
            if there in reached:
                return length
            layer = following
        return 0


def nothing(_pairs: int, _checks: int) -> None:
    """Watch nothing."""


class Product:
    """One exploration."""

    def __init__(
        self,
        listed: Listed,
        most_pairs: int = 2_000_000,
        watch: Callable[[int, int], None] = nothing,
        *,
        stepwise: bool = False,
        spec: Steps | None = None,
    ) -> None:
        self.listed, self.stepwise = listed, stepwise
        instance = listed.instance
        self.mapping = Mapping(instance)
        self.spec = spec or Steps(instance)
        self.spec.covered = bytearray(len(self.spec.covered))
        self.most_pairs, self._watch = most_pairs, watch
        self.result = Conformance()
        self.divergence: Divergence | None = None
        self.network = Network(NAMES)
        self.ends: list[End] = []
        self._numbers: dict[Any, int] = {}
        self._after: dict[tuple[int, Input], tuple[int, Stepped] | None] = {}
        self._alphas: dict[Pair, int] = {}
        self._before: dict[Pair, tuple[Pair, str] | None] = {}

    def run(self) -> Conformance:
        """Explore, breadth first, and return what came of it."""
        began = time.perf_counter()
        a, b = first_ends(stepwise=self.stepwise)
        first = Pair((self.number(a), self.number(b)), self._without_record(a, b))
        assert self.cells(first) == self.mapping.start, "both begin alike"
        self._before[first] = None
        waiting = deque([first])
        while waiting and self.divergence is None:
            waiting.extend(self._explore(waiting.popleft()))
            self._watch(len(self._before), self.result.moves + self.result.stutter_checks)
        result, spec = self.result, self.spec
        result.seconds, result.pairs = time.perf_counter() - began, len(self._before)
        result.states, result.edges = spec.states, spec.edges
        result.edges_covered = spec.edges_covered
        return result

    def _without_record(self, *ends: End) -> int:
        """Return the heartbeats and acks that say nothing of a change: they were sent before."""
        bits = 0
        for end, other in zip(ends, reversed(ends), strict=True):
            (beat,) = stepped(end, Beat()).sent
            bits |= self.network.bits(end.name, [(None, beat)])
            heard = stepped(other, Hear(beat))
            place = len(tuple(steps(heard.end.state))) - 1
            acks = heard.sent or stepped(heard.end, Step(place)).sent
            bits |= self.network.bits(other.name, [(None, data) for data in acks])
        assert bits.bit_count() == 2 * len(ends), "a heartbeat and an ack of each"
        return bits

    def _explore(self, pair: Pair) -> Iterator[Pair]:
        here = self.alpha(pair)
        for move in self._moves(pair):
            why = self._judge(here, move)
            if why:
                self._diverge(pair, move, why)
                return
            if move.after in self._before:
                continue
            if len(self._before) >= self.most_pairs:
                self.result.complete = False
                continue
            self._before[move.after] = (pair, move.words)
            yield move.after

    def _judge(self, here: int, move: Move) -> str:
        """Return why a move is neither nothing nor a path of the spec; empty: it is."""
        try:
            there = self.alpha(move.after)
        except OffTheMap as error:
            return str(error)
        if there == here:
            self.result.stutter_checks += 1
            return ""
        self.result.moves += 1
        most = 1 if self.stepwise else MOST_AT_ONCE
        length = 0
        if there != UNREACHED:
            length = self.spec.take(here, there, move.mover, move.kind, most)
        self.result.at_once[length] += 1
        return "" if length else "no step of this node leads there"

    # --- inputs ----------------------------------------------------------------------------------

    def _moves(self, pair: Pair) -> Iterator[Move]:
        for n, number in enumerate(pair.ends):
            for kind, what in self._inputs(pair, n, self.ends[number]):
                found = self.step(number, what)
                if found is None:
                    continue
                after, done = found
                ends = (after, pair.ends[1]) if n == 0 else (pair.ends[0], after)
                sent = tuple((None, data) for data in done.sent)
                network = pair.network | self.network.bits(NAMES[n], sent)
                yield Move(n, kind, f"{NAMES[n]}: {_said(what)}", Pair(ends, network))

    def _inputs(self, pair: Pair, n: int, end: End) -> Iterator[tuple[str, Input]]:
        used = {c for i in pair.ends for _, c, _ in self.ends[i].wishes}
        yield from (("ask", self.mapping.ask(c)) for c in self.mapping.changes if c not in used)
        yield "beat", Beat()
        for _, _, data in self.network.of(pair.network & self.network.reaches[NAMES[n]]):
            if not isinstance(body_of(data), Heartbeat):
                yield "ack", Hear(data)
                continue
            for newer in (False, True):
                yield "heartbeat", Hear(data, newer)
                if not self.stepwise:
                    yield "heartbeat", Hear(data, newer, refuses=True)
        if self.stepwise:
            for place in range(len(tuple(steps(end.state)))):
                yield "step", Step(place)
                yield "step", Step(place, refuses=True)

    def step(self, number: int, what: Input) -> tuple[int, Stepped] | None:
        """Return what an input does and the number of the state after it; None: refused."""
        known = (number, what)
        if known not in self._after:
            try:
                done = stepped(self.ends[number], what)
            except Refused:
                self._after[known] = None
            else:
                self._after[known] = self.number(done.end), done
        return self._after[known]

    def key(self, end: End) -> Any:
        """Return what tells a node's state from others."""
        return end.name, state_key(end.state), end.wishes, end.answers

    def number(self, end: End) -> int:
        """Return the number of a node's state."""
        number = self._numbers.setdefault(self.key(end), len(self.ends))
        if number == len(self.ends):
            self.ends.append(end)
        return number

    # --- alpha -----------------------------------------------------------------------------------

    def alpha(self, pair: Pair) -> int:
        """Return the number of the spec's state that a product state is in, or `UNREACHED`."""
        number = self._alphas.get(pair)
        if number is None:
            found = self.spec.number(self.cells(pair))
            number = self._alphas[pair] = UNREACHED if found is None else found
        return number

    def cells(self, pair: Pair) -> StateTuple:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        a, b = (self.ends[i] for i in pair.ends)
        sent = [(NAMES.index(m), data) for m, _, data in self.network.of(pair.network)]
        return self.mapping.state((a, b), sent)

    def _diverge(self, pair: Pair, move: Move, why: str) -> None:
        pairs, words = [move.after, pair], [move.words]
        at = self._before[pair]
        while at is not None:
            pairs.append(at[0])
            words.append(at[1])
            at = self._before[at[0]]
        self.divergence = Divergence(tuple(pairs[::-1]), tuple(words[::-1]), why)


def _said(what: Input) -> str:
    match what:
        case Ask():
            return f"ask for {what.parameter} {what.value}"
        case Beat():
            return "send a heartbeat"
        case Step():
            name = STEPS[(what.place - 3) % len(STEPS)].__name__
            return f"take a step ({name})"
        case Hear():
            body = body_of(what.data)
            kind = "heartbeat" if isinstance(body, Heartbeat) else "ack"
            how = " and does not suit" if what.refuses else ""
            copy = "" if what.newer else "an older copy of "
            return f"hear {copy}the {kind} with {getattr(body, 'record', None)}{how}"
