"""The product of spec and cores in time: each step of the cores must be steps of the spec.

Two cores with all that they know, the datagrams about the change (a set that only grows), and the
heartbeats on their way. An input of one node must stutter in the spec's eyes, or be a path of
enabled spec steps of that node. A tick is an input of all: each core does first what is due, each
heartbeat comes within the largest delay, and then the spec must take its tick, which is one step.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from samebeat.change import NOTHING
from samebeat.codec import VERSION, encode
from samebeat.ids import ChangeId
from samebeat.journal import Phase
from samebeat.messages import Ack, AnyBody, Closed, Message, Ok
from samebeat_conformance.concrete import body_of
from samebeat_conformance.inputs import Ask, Deliver, Leave
from samebeat_conformance.network import Network
from samebeat_conformance.product import UNREACHED, Conformance
from samebeat_conformance.specgraph import SpecGraph, Step
from samebeat_conformance.timed.instances import NAMES, THIRD, Listed
from samebeat_conformance.timed.mapping import (
    DONE,
    IN_FLIGHT,
    LOST,
    Beats,
    Flying,
    Mapping,
    Net,
    OffTheClock,
    Part,
)
from samebeat_conformance.timed.nodes import (
    Beat,
    Due,
    Input,
    Older,
    Pass,
    Stepped,
    Stop,
    TimedNodes,
    first_pair,
    possible_finishes,
    renumbered,
)
from samebeat_spec.language.instance import Arguments, StateTuple

MOST_AT_ONCE = 6
"""The most spec steps that a core takes on one input."""
EVERYBODY = 2
"""Who takes the step when time passes."""
OTHERS = 3
"""The rest of the group: a member that the explorer plays."""
_SECOND_ACTS = ("receive_heartbeat", "hear_announcement", "modify", "send_ack", "restore")
_ANYBODY = frozenset({0, 1, OTHERS})


class Pair(NamedTuple):
    """A product state.

    Attributes:
        locals_: the numbers of the nodes' local states.
        network: the bits of the datagrams about the change.
        net: the number of what is known of heartbeats.
    """

    locals_: tuple[int, int]
    network: int
    net: int


class Move(NamedTuple):
    """What happens: to whom, and what becomes of a heartbeat that is sent."""

    mover: int
    what: Input
    fate: str = ""
    again: bool = False

    @property
    def words(self) -> str:
        """The same in words."""
        if self.mover == EVERYBODY:
            return "a tick passes"
        what = self.what
        if self.mover == OTHERS and isinstance(what, Deliver):
            return f"{type(body_of(what.data)).__name__} is said by {THIRD}"
        name = NAMES[self.mover]
        if isinstance(what, Deliver):
            kind = type(body_of(what.data)).__name__
            return f"{kind} of {what.source} reaches {name}" + (" again" if self.again else "")
        if isinstance(what, Due):
            sent = {LOST: "; its heartbeat is lost", IN_FLIGHT: "; its heartbeat goes out"}
            return f"{name} does what is due" + sent.get(self.fate, "")
        success = getattr(what, "success", None)
        return f"{name}: {type(what).__name__}" + ("" if success is None else f" {success}")


class Divergence(NamedTuple):
    """A move that is none of the spec's: the shortest way there, and the state after it.

    Attributes:
        why: why that state cannot be read as one of the spec; then `after` is the one before it.
    """

    pairs: tuple[Pair, ...]
    moves: tuple[Move, ...]
    after: Pair
    why: str = ""


def _nothing(_pairs: int, _checks: int) -> None:
    return


def actors_in_pair(action: str, _arguments: Arguments) -> frozenset[int]:
    """Return who takes a step of `heartbeat`; a change may fail anywhere."""
    if action == "tick":
        return frozenset({EVERYBODY})
    if action == "fail":
        return _ANYBODY
    return frozenset({int(action in _SECOND_ACTS)})


def actors_in_composition(action: str, arguments: Arguments) -> frozenset[int]:
    """Return who takes a step of `timed_cluster`: heartbeats are received by who watches them."""
    if action == "tick":
        return frozenset({EVERYBODY})
    received = action in ("hear", "receive_heartbeat")
    return frozenset({1 - arguments[0] if received else arguments[0]})


class Product:
    """One exploration."""

    def __init__(
        self,
        listed: Listed,
        most_pairs: int = 2_000_000,
        watch: Callable[[int, int], None] = _nothing,
    ) -> None:
        self.listed, self.mapping = listed, Mapping(listed)
        self._is_pair = listed.spec == "heartbeat"
        actors = actors_in_pair if self._is_pair else actors_in_composition
        self.spec = SpecGraph(self.mapping.instance, actors)
        self.most_pairs, self._watch = most_pairs, watch
        self.result = Conformance()
        self.divergence: Divergence | None = None
        self.network = Network(listed.members)
        clocks = [listed.clocks(n) for n in (0, 1)]
        self.nodes = TimedNodes(dict(zip(NAMES, clocks, strict=True)))
        self.nets: list[Net] = []
        self._net_numbers: dict[Net, int] = {}
        self._parts: dict[tuple[int, int], Part] = {}
        self._net_parts: dict[tuple[bool, int], Part] = {}
        self._alphas: dict[tuple[tuple[int, int], int, bool], int] = {}
        self._paths: dict[tuple[int, int, int], int] = {}
        self._said_by_third: dict[AnyBody, bytes] = {}
        self._before: dict[Pair, tuple[Pair, Move] | None] = {}

    def run(self) -> Conformance:
        """Explore, breadth first, and return what came of it."""
        began = time.perf_counter()
        configs = [self.listed.config(name) for name in NAMES]
        locals_ = first_pair(configs, [self.listed.clocks(n) for n in (0, 1)])
        first, second = (self.nodes.number(local) for local in locals_)
        start = Pair((first, second), 0, self._net(Net()))
        self._before[start] = None
        try:
            assert self.mapping.start == self.cells(start), "both begin alike"
        except OffTheClock as error:
            self.divergence = Divergence((start,), (), start, str(error))
            return self.result
        waiting = deque([start])
        while waiting and self.divergence is None:
            waiting.extend(self._explore(waiting.popleft()))
            self._watch(len(self._before), self.result.checks)
        self._count(time.perf_counter() - began)
        return self.result

    def _explore(self, pair: Pair) -> Iterator[Pair]:
        """Make each move that is possible, check it, and yield what is new."""
        here = self.alpha(pair)
        for move, after in self._moves(pair, here):
            try:
                there = self.alpha(after)
            except OffTheClock as error:
                self._diverge(pair, move, pair, str(error))
                return
            if not self._check(here, there, move.mover):
                self._diverge(pair, move, after)
                return
            if after in self._before:
                continue
            if len(self._before) >= self.most_pairs:
                self.result.complete = False
                continue
            self._before[after] = (pair, move)
            yield after

    def _check(self, here: int, there: int, mover: int) -> bool:
        """Take the spec's steps from `here` to `there`; return whether there are any, or none."""
        if there == here:
            self.result.stutter_checks += 1
            return True
        known = (here, there, mover)
        length = self._paths.get(known)
        if length is None:
            most = 1 if mover == EVERYBODY else MOST_AT_ONCE
            path = self.spec.path(here, there, mover, most) if there != UNREACHED else []
            self.spec.cover(path)
            length = self._paths[known] = len(path)
        self.result.moves += 1
        self.result.at_once[length] += 1
        return length > 0

    # --- moves -----------------------------------------------------------------------------------

    def _moves(self, pair: Pair, here: int) -> Iterator[tuple[Move, Pair]]:
        net = self.nets[pair.net]
        for n in (0, 1):
            if not self.nodes.locals[pair.locals_[n]].account.up:
                continue
            for what in self._inputs(pair, n):
                yield from self._made(pair, Move(n, what))
            yield from self._heartbeats(pair, n, net)
        if self._is_pair and self.spec.may(here, "crash"):
            yield from self._made(pair, Move(0, Stop()))
        if self.listed.has_third:
            yield from self._others(pair)
        yield from self._tick(pair, net)

    def _asked(self, pair: Pair) -> ChangeId | None:
        accounts = [self.nodes.locals[i].account for i in pair.locals_]
        return next((c for a in accounts for c, _ in a.requests), None)

    def _others(self, pair: Pair) -> Iterator[tuple[Move, Pair]]:
        """Let the change fail at the third member, as long as nobody has its ok."""
        asked = self._asked(pair)
        if asked is None or self._has_third_failed(pair.network):
            return
        nodes = [self.nodes.locals[i].node._state for i in pair.locals_]
        if any(s.journal.epoch or THIRD in s.heard.get(asked, NOTHING).oks for s in nodes):
            return
        data = self._third_says(Closed(asked))
        bit = self.network.bit((THIRD, None, data))
        yield Move(OTHERS, Deliver(THIRD, data)), pair._replace(network=pair.network | bit)

    def _from_third(self, pair: Pair, n: int) -> Iterator[Deliver]:
        """Yield the third member's ack and its ok, each when it is the last that `n` waits for."""
        s, asked = self.nodes.locals[pair.locals_[n]].node._state, self._asked(pair)
        opened = None if asked is None else s.journal.open_change(asked)
        if opened is None or asked is None:
            return
        heard, other = s.heard.get(asked, NOTHING), NAMES[1 - n]
        if opened.phase is Phase.ACKED and other in heard.acks and THIRD not in heard.acks:
            yield Deliver(THIRD, self._third_says(Ack(asked)))
        failed = self._has_third_failed(pair.network)
        if opened.phase is Phase.APPLIED and other in heard.oks and THIRD not in heard.oks:
            yield from [] if failed else [Deliver(THIRD, self._third_says(Ok(asked)))]

    def _third_says(self, body: AnyBody) -> bytes:
        """Return a datagram of the third member."""
        if body not in self._said_by_third:
            config = self.listed.config(NAMES[0])
            message = Message(VERSION, config.cluster, config.first_view.id, 0, body)
            self._said_by_third[body] = encode(message)
        return self._said_by_third[body]

    def _inputs(self, pair: Pair, n: int) -> Iterator[Input]:
        """Yield what can happen to a node, but for heartbeats that arrive."""
        local = self.nodes.locals[pair.locals_[n]]
        if self._asked(pair) is None and n in self.listed.askers:
            yield Ask(self.mapping.changed)
        yield from possible_finishes(local)
        if local.leaving:
            yield Leave()
        if self.nodes.due[pair.locals_[n]]:
            yield Due()
        for source, _, data in self.network.of(pair.network & self.network.reaches[NAMES[n]]):
            yield Deliver(source, data)
        if self.listed.has_third:
            yield from self._from_third(pair, n)

    def _heartbeats(self, pair: Pair, n: int, net: Net) -> Iterator[tuple[Move, Pair]]:
        """Let the other node's heartbeats reach `n`: what is on its way, and copies of the rest."""
        m = 1 - n
        if NAMES[m] not in self.listed.clocked:
            if self.nodes.locals[pair.locals_[m]].account.up:
                beat = self.nodes.step(pair.locals_[m], Beat())
                assert beat is not None
                if beat[0] != pair.locals_[m]:
                    return  # it has something else to do, which is a move of its own
                (data,) = beat[1].beats
                yield from self._made(pair, Move(n, Deliver(NAMES[m], data)))
            return
        beats = net.beats[m]
        for flying in (beats.latest, beats.previous):
            what = Deliver(NAMES[m], flying.data)
            if flying.where == IN_FLIGHT:
                after = _arrived(beats, flying)
                yield from self._made(pair, Move(n, what), self._net(_with(net, m, after)))
            elif flying.where == DONE:
                yield from self._made(pair, Move(n, what, again=True))
                older = Deliver(NAMES[m], renumbered(flying.data))
                if flying is beats.previous:
                    yield from self._made(pair, Move(n, older, again=True))

    def _made(self, pair: Pair, move: Move, net: int | None = None) -> Iterator[tuple[Move, Pair]]:
        """Let one node do something, and yield what comes of it."""
        number = pair.net if net is None else net
        n, told = move.mover, self._is_pair and self._tells(pair, move)
        found = self.nodes.step(pair.locals_[n], move.what, told=told)
        if found is None:
            return
        after, done = found
        locals_ = (after, pair.locals_[1]) if n == 0 else (pair.locals_[0], after)
        network = pair.network | self.network.bits(NAMES[n], done.sent)
        yield from self._sent(Pair(locals_, network, number), move, done)

    def _tells(self, pair: Pair, move: Move) -> bool:
        """Return whether a heartbeat was sent after its sender had acked the change."""
        what = move.what
        beats = self.nets[pair.net].beats[1 - move.mover]
        return isinstance(what, Deliver) and any(
            f.acked and f.where != LOST and f.data == what.data for f in beats[:2]
        )

    def _sent(self, pair: Pair, move: Move, done: Stepped) -> Iterator[tuple[Move, Pair]]:
        """Yield the move with each fate of the heartbeat that it sends, if it sends one."""
        n, net = move.mover, self.nets[pair.net]
        if not done.beats or NAMES[n] not in self.listed.clocked:
            yield move, pair
            return
        (data,) = done.beats
        lost = net.beats[n].lost
        for fate in (IN_FLIGHT, LOST):
            if fate == IN_FLIGHT or lost < self.listed.tolerated:
                beats = self._launched(pair, n, data, fate)
                yield move._replace(fate=fate), self._aged(pair, n, _with(net, n, beats))

    def _launched(self, pair: Pair, n: int, data: bytes, fate: str) -> Beats:
        """Return the heartbeats of a node after it has sent one more."""
        old = self.nets[pair.net].beats[n]
        assert old.previous.where != IN_FLIGHT or old.latest.where != IN_FLIGHT, "at most one waits"
        acked = any(k == "ACK" for k, _ in self.nodes.locals[pair.locals_[n]].account.sent)
        ticks = self.listed.delay if fate == IN_FLIGHT else 0
        before = old.latest
        if before.data:
            before = before._replace(data=renumbered(before.data))
        in_a_row = 0 if fate == IN_FLIGHT or old.lost == self.listed.tolerated else old.lost + 1
        return Beats(Flying(data, fate, ticks, acked), before, in_a_row)

    def _aged(self, pair: Pair, n: int, net: Net) -> Pair:
        """Return the product state in which the watcher numbers what it has heard as older."""
        watcher = self.nodes.step(pair.locals_[1 - n], Older())
        assert watcher is not None
        a, b = pair.locals_
        locals_ = (a, watcher[0]) if n == 0 else (watcher[0], b)
        return Pair(locals_, pair.network, self._net(net))

    def _tick(self, pair: Pair, net: Net) -> Iterator[tuple[Move, Pair]]:
        """Let a tick pass, unless something is due now.

        A heartbeat that goes out within it sets a clock back, which no tick of the spec does.
        """
        waiting = [f for b in net.beats for f in b[:2] if f.where == IN_FLIGHT]
        nodes = [self.nodes.locals[i] for i in pair.locals_]
        if any(f.ticks == 0 for f in waiting) or any(self.nodes.due[i] for i in pair.locals_):
            return
        numbers, network = [], pair.network
        for n, local in enumerate(nodes):
            number = pair.locals_[n]
            if local.account.up:
                found = self.nodes.step(number, Pass())
                assert found is not None
                number, network = found[0], network | self.network.bits(NAMES[n], found[1].sent)
            numbers.append(number)
        ticked = Net((_ticked(net.beats[0]), _ticked(net.beats[1])), self._dead(nodes[0].account.up,
                     numbers[1], net.dead_ticks))  # fmt: skip
        after = Pair((numbers[0], numbers[1]), network, self._net(ticked))
        yield Move(EVERYBODY, Pass()), after

    def _dead(self, alive: bool, watcher: int, so_far: int) -> int:
        """Return for how long the first has been dead and nobody has seen it."""
        seen = NAMES[0] in self.nodes.locals[watcher].node._state.suspected
        most = max(self.listed.deadlines) + self.listed.delay
        return so_far if alive or seen or most < so_far else so_far + 1

    def _net(self, net: Net) -> int:
        number = self._net_numbers.setdefault(net, len(self.nets))
        if number == len(self.nets):
            self.nets.append(net)
        return number

    # --- alpha -----------------------------------------------------------------------------------

    def alpha(self, pair: Pair) -> int:
        """Return the number of the spec's state that a product state is in, or `UNREACHED`."""
        known = (pair.locals_, pair.net, self._has_third_failed(pair.network))
        number = self._alphas.get(known)
        if number is None:
            found = self.spec.number(self.cells(pair))
            number = self._alphas[known] = UNREACHED if found is None else found
        return number

    def cells(self, pair: Pair) -> StateTuple:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        parts = [self._part(n, i) for n, i in enumerate(pair.locals_)]
        flag = any(self.mapping.flag(self.nodes.locals[i]) for i in pair.locals_)
        flag |= self._has_third_failed(pair.network)
        known = (flag, pair.net)
        if known not in self._net_parts:
            self._net_parts[known] = self.mapping.net_part(flag, self.nets[pair.net])
        return self.mapping.joined([*parts, self._net_parts[known]])

    def _has_third_failed(self, network: int) -> bool:
        """Return whether the third member has closed the change."""
        return bool(self.network.sent_by.get(THIRD, 0) & network)

    def _part(self, n: int, number: int) -> Part:
        known = (n, number)
        if known not in self._parts:
            self._parts[known] = self.mapping.part(n, self.nodes.locals[number])
        return self._parts[known]

    # --- what came of it -------------------------------------------------------------------------

    def _diverge(self, pair: Pair, move: Move, after: Pair, why: str = "") -> None:
        pairs, moves = [pair], [move]
        at = self._before[pair]
        while at is not None:
            pairs.append(at[0])
            moves.append(at[1])
            at = self._before[at[0]]
        self.divergence = Divergence(tuple(pairs[::-1]), tuple(moves[::-1]), after, why)

    def _count(self, seconds: float) -> None:
        result, spec = self.result, self.spec
        result.seconds, result.pairs = seconds, len(self._before)
        result.states, result.edges = spec.states, spec.edges
        result.edges_covered = sum(spec.covered)
        images = self.images()
        for step in self.uncovered():
            result.uncovered[step.action] += 1
            if step.source in images:
                result.missed[step.action] += 1
        result.edges_possible = sum(spec.degree(s) for s in images)

    def images(self) -> set[int]:
        """Return the states of the spec that the cores can be in."""
        return {self.alpha(pair) for pair in self._before}

    def uncovered(self) -> Iterator[Step]:
        """Yield the steps of the spec that no move has taken."""
        return (self.spec.step(e) for e, taken in enumerate(self.spec.covered) if not taken)


def _arrived(beats: Beats, flying: Flying) -> Beats:
    """Return the heartbeats after one has arrived: it overtakes those that were sent before."""
    over = [flying] if flying is beats.previous else [beats.latest, beats.previous]

    def after(f: Flying) -> Flying:
        return f._replace(where=DONE, ticks=0) if f in over and f.where == IN_FLIGHT else f

    return Beats(after(beats.latest), after(beats.previous), beats.lost)


def _ticked(beats: Beats) -> Beats:
    latest, previous = (f._replace(ticks=max(f.ticks - 1, 0)) for f in beats[:2])
    return Beats(latest, previous, beats.lost)


def _with(net: Net, n: int, beats: Beats) -> Net:
    both = (beats, net.beats[1]) if n == 0 else (net.beats[0], beats)
    return net._replace(beats=both)
