"""The product of the spec `transport` and a channel: each input is steps of the spec, or nothing.

Where time is, the explorer decides: any retry timer runs out whenever it likes, and any retry time.
Only this is assumed of time, and it is what W is for: a stream is forgotten when what the receiver
knows or holds of it is closed and no copy of that is under way.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from samebeat import codec
from samebeat.ids import ViewId
from samebeat.messages import MIN_FRAGMENT, Fragment, FragmentAck, Message
from samebeat.parameters import Settings
from samebeat_conformance.layer.ends import CLOSED, Ends, Fate, Piece, Receiver, Sender
from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.mapping import Mapping
from samebeat_conformance.layer.steps import Lost, Steps
from samebeat_conformance.product import UNREACHED, Conformance
from samebeat_conformance.specgraph import Step

T = TypeVar("T")
MOST_AT_ONCE = 10
"""The most spec steps that one input is."""
MOST_UNHEARD = 2
"""A change begins only if the sender has heard of all but so many changes of what is taken."""
_VIEW = ViewId(0, "a")


class Talk(NamedTuple):
    """The change between the two nodes: what it asks for, and who has committed it."""

    settings: Settings
    sender: bool = False
    receiver: bool = False


class Pair(NamedTuple):
    """A product state.

    Attributes:
        sender, receiver: the numbers of the ends' states.
        network: the bits of the datagrams under way.
        void: those of them that the spec has lost: their receiver drops them for sure.
        talk: the number of the change.
    """

    sender: int
    receiver: int
    network: int
    void: int
    talk: Talk | None


@dataclass(frozen=True)
class Run:
    """A divergence: the shortest run to it, in words, and its states of the spec."""

    words: tuple[str, ...]
    states: tuple[tuple[int, ...], ...]


@dataclass
class Found(Conformance):
    """What came of it.

    Attributes:
        run: the divergence.
    """

    run: Run | None = None

    @property
    def verdict(self) -> str:
        """As of any other product."""
        if self.run is not None:
            return "violated"
        return "holds" if self.complete else "undetermined"


class Move(NamedTuple):
    """What an input does.

    Attributes:
        kind: which steps of the spec it may be.
        words: what happens.
        after: the product state after it.
        lost: of which fragments it may lose all copies, in the spec's eyes.
        fragment: the one that comes, if one does.
    """

    kind: str
    words: str
    after: Pair
    lost: Lost = frozenset()
    fragment: Fragment | None = None


def nothing(_pairs: int, _checks: int) -> None:
    """Watch nothing."""


@dataclass
class Numbers(Generic[T]):
    """States or datagrams, numbered as they are met."""

    all: list[T] = field(default_factory=list)
    of: dict[T, int] = field(default_factory=dict)

    def number(self, what: T) -> int:
        """Return the number of something."""
        number = self.of.setdefault(what, len(self.all))
        if number == len(self.all):
            self.all.append(what)
        return number


class Product:
    """One exploration."""

    def __init__(
        self,
        listed: Listed,
        most_pairs: int = 2_000_000,
        watch: Callable[[int, int], None] = nothing,
    ) -> None:
        self.listed = listed
        self.mapping = Mapping(listed.instance)
        self.spec = Steps(listed.instance)
        self.most_pairs, self._watch = most_pairs, watch
        self.result = Found()
        self.targets = self.mapping.every_settings(
            window=listed.changes_window, threshold=listed.changes_threshold
        )
        self.ends = Ends(self.mapping.datas(), self.mapping.start_settings())
        self.senders, self.receivers = Numbers[Sender](), Numbers[Receiver]()
        self.datagrams = Numbers[bytes]()
        self.pieces: list[Piece] = []
        """what is in each datagram, as the codec reads it"""
        self._alphas: dict[tuple[int, int, int], int] = {}
        self._heard_of: dict[tuple[int, FragmentAck], tuple[Sender, tuple[Piece, ...], bool]] = {}
        self._received: dict[tuple[int, Fragment], tuple[Receiver, tuple[Piece, ...]]] = {}
        self._before: dict[Pair, tuple[Pair, str] | None] = {}
        self._lengths: dict[tuple[int, int, str, Lost], int] = {}

    def run(self) -> Found:
        """Explore, breadth first, and return what came of it."""
        began = time.perf_counter()
        first = Pair(
            self.senders.number(self.ends.sender),
            self.receivers.number(self.ends.receiver),
            0,
            0,
            None,
        )
        assert self.spec.number(self.mapping.start) == self.alpha(first), "both begin alike"
        self._before[first] = None
        waiting = deque([first])
        while waiting and self.result.run is None:
            waiting.extend(self._explore(waiting.popleft()))
            self._watch(len(self._before), self.result.checks)
        self._count(time.perf_counter() - began)
        return self.result

    def _explore(self, pair: Pair) -> Iterator[Pair]:
        here = self.alpha(pair)
        for move in self._moves(pair):
            if not self._check(here, move):
                self.result.run = self._run_to(pair, move)
                return
            if move.after in self._before:
                continue
            if len(self._before) >= self.most_pairs:
                self.result.complete = False
                continue
            self._before[move.after] = (pair, move.words)
            yield move.after

    # --- is it a path of the spec? ---------------------------------------------------------------

    def _check(self, here: int, move: Move) -> bool:
        there = self.alpha(move.after)
        if there == here:
            self.result.stutter_checks += 1
            return True
        self.result.moves += 1
        if there == UNREACHED:
            return False
        length = self._length(here, there, move.kind, move.lost)
        if not length and move.fragment is not None:
            length = self._early(here, there, move)
        self.result.at_once[length] += 1
        return length > 0

    def _length(self, here: int, there: int, kind: str, lost: Lost) -> int:
        known = (here, there, kind, lost)
        length = self._lengths.get(known)
        if length is None:
            allowed = self.spec.allowed(kind, lost)
            length = self._lengths[known] = self.spec.take(here, there, allowed, MOST_AT_ONCE)
        return length

    def _early(self, here: int, there: int, move: Move) -> int:
        """A fragment says less than is true: it might as well have come when that was all."""
        f = move.fragment
        assert f is not None, "a fragment has come"
        state = self.mapping.after_early(self.spec.state(here), f.sequence - 1, f.index, f.floor)
        between = self.spec.number(state)
        if between is None:
            return 0
        length = self._length(between, there, "receive", move.lost)
        if between != there and not length:
            return 0
        self.result.early += 1
        return 1 + length

    # --- inputs ----------------------------------------------------------------------------------

    def _moves(self, pair: Pair) -> Iterator[Move]:
        s = self.senders.all[pair.sender]
        m = next((i for i, f in enumerate(s.fates) if f in (Fate.NEW, Fate.TURNED_DOWN)), None)
        if m is not None:
            yield self._sender("submit", f"message {m}", pair, *self.ends.submit(s, m))
        held = {x.sequence - 1: x.held for x in s.sending[4]}
        for m, acked in held.items():
            lost = frozenset((m, i) for i in acked)
            after, out = self.ends.retry(s, m)
            yield self._sender("retry", f"of message {m}", pair, after, out, lost)
            every = frozenset((k, i) for k, of in held.items() if k > m for i in of)
            after, out = self.ends.give_up(s, m)
            yield self._sender("give_up", f"message {m}", pair, after, out, every)
        for bit, piece in self._under_way(pair.network):
            if isinstance(piece, FragmentAck):
                yield self._hears(pair, s, piece)
            else:
                yield self._receives(pair, piece, bit)
        yield from self._losses(pair)
        if self._may_forget(pair, s):
            r = self.receivers.all[pair.receiver]
            yield self._receiver("forget", "the stream", pair, *self.ends.forget(r))
        yield from self._changes(pair, s)

    def _hears(self, pair: Pair, s: Sender, ack: FragmentAck) -> Move:
        known = (pair.sender, ack)
        if known not in self._heard_of:
            self._heard_of[known] = self.ends.hear(s, ack)
        after, out, news = self._heard_of[known]
        pair = self._heard(pair, ack.number) if news else pair
        return self._sender("hear", f"an ack below {ack.below}", pair, after, out)

    def _receives(self, pair: Pair, f: Fragment, bit: int) -> Move:
        known = (pair.receiver, f)
        if known not in self._received:
            self._received[known] = self.ends.receive(self.receivers.all[pair.receiver], f)
        after, out = self._received[known]
        words = f"fragment {f.index} of message {f.sequence - 1}"
        move = self._receiver("receive", words, pair, after, out)
        return move._replace(fragment=None if pair.void & bit else f)

    def _losses(self, pair: Pair) -> Iterator[Move]:
        """All copies of a fragment are lost, or all acks of a message and later ones."""
        seen: dict[tuple[str, int, int], int] = {}
        for bit, piece in self._under_way(pair.network):
            if isinstance(piece, Fragment):
                key = ("lose", piece.sequence - 1, piece.index)
                seen[key] = seen.get(key, 0) | bit
            else:
                for m in range(piece.below - 1):
                    key = ("lose_ack", m, 0)
                    seen[key] = seen.get(key, 0) | bit
        for (kind, m, i), bits in seen.items():
            after = pair._replace(network=pair.network & ~bits, void=pair.void & ~bits)
            yield Move(kind, f"message {m}, {i}", after)

    def _may_forget(self, pair: Pair, s: Sender) -> bool:
        r = self.receivers.all[pair.receiver]
        known = {*range(r.below - 1), *(sequence - 1 for sequence, *_ in r.parts)}
        comes = {m for m, _ in self._fragments(pair.network)}
        return bool(r.boot) and all(s.fates[m] in CLOSED for m in known) and not known & comes

    def _changes(self, pair: Pair, s: Sender) -> Iterator[Move]:
        """The steps of a change: open, then committed by one after the other, or undone."""
        r = self.receivers.all[pair.receiver]
        talk = pair.talk
        if talk is None:
            for target in self.targets if r.number < MOST_UNHEARD else ():
                if target != r.settings:
                    after, out = self.ends.open(r, target)
                    opened = pair._replace(talk=Talk(target))
                    yield self._receiver("follow", "opens a change", opened, after, out)
            return
        if not talk.sender:
            over = pair._replace(talk=None if talk.receiver else talk._replace(sender=True))
            yield self._sender("commit", "a change", over, *self.ends.commit(s, talk.settings))
        if not talk.receiver:
            over = pair._replace(talk=None if talk.sender else talk._replace(receiver=True))
            done = self.ends.close(r, commit=True)
            yield self._receiver("follow", "commits a change", over, *done)
        if not talk.sender and not talk.receiver:
            undone = pair._replace(talk=None)
            done = self.ends.close(r, commit=False)
            yield self._receiver("follow", "undoes a change", undone, *done)

    # --- what comes of them ----------------------------------------------------------------------

    def _sender(
        self,
        kind: str,
        words: str,
        pair: Pair,
        after: Sender,
        out: tuple[Piece, ...],
        lost: Lost = frozenset(),
    ) -> Move:
        sent = self._bits(out)
        network, void = pair.network | sent, pair.void & ~sent
        moved = pair._replace(sender=self.senders.number(after), network=network, void=void)
        return Move(kind, f"sender: {kind} {words}", self._tidy(moved), lost)

    def _receiver(
        self, kind: str, words: str, pair: Pair, after: Receiver, out: tuple[Piece, ...]
    ) -> Move:
        before: Receiver = self.receivers.all[pair.receiver]
        network, void, lost = pair.network | self._bits(out), pair.void, set()
        if after.size < before.size:
            for bit, f in self._under_way(pair.network & ~void):
                if isinstance(f, Fragment) and f.size > after.size and f.sequence < after.below:
                    void |= bit
                    lost.add((f.sequence - 1, f.index))
        number = self.receivers.number(after)
        moved = pair._replace(receiver=number, network=network, void=void)
        return Move(kind, f"receiver: {kind} {words}", self._tidy(moved), frozenset(lost))

    # --- states that differ in nothing that counts -----------------------------------------------

    def _heard(self, pair: Pair, number: int) -> Pair:
        """The sender has heard what is taken: only later acks can still say something new."""
        r = self.receivers.all[pair.receiver]
        known = self.receivers.number(replace(r, number=r.number - number))

        def later(piece: Piece) -> Piece:
            if not isinstance(piece, FragmentAck):
                return piece
            if piece.number > number:
                return structs.replace(piece, number=piece.number - number)
            return structs.replace(piece, number=0, size=MIN_FRAGMENT, window=1)

        network, void = self._rewritten(pair, later)
        return pair._replace(receiver=known, network=network, void=void)

    def _tidy(self, pair: Pair) -> Pair:
        """Count epochs from the older one, and let acks of what is closed say no more than that."""
        s = self.senders.all[pair.sender]
        r = self.receivers.all[pair.receiver]
        past = min(s.epoch, r.epoch) - 1
        floor = s.floor

        def plain(piece: Piece) -> Piece:
            if isinstance(piece, Fragment):
                return structs.replace(piece, epoch=max(0, piece.epoch - past)) if past else piece
            if 0 < piece.sequence < floor:
                piece = structs.replace(piece, sequence=0, index=0)
            if piece.number == 0 and (piece.size, piece.window) != (MIN_FRAGMENT, 1):
                piece = structs.replace(piece, size=MIN_FRAGMENT, window=1)
            return piece

        network, void = self._rewritten(pair, plain)
        if past:
            size, window, last, queue, flight = s.sending
            flight = tuple(replace(x, epoch=max(0, x.epoch - past)) for x in flight)
            sending = (size, window, last, queue, flight)
            s = replace(s, epoch=s.epoch - past, sending=sending)
            r = replace(r, epoch=r.epoch - past)
        return Pair(self.senders.number(s), self.receivers.number(r), network, void, pair.talk)

    def _rewritten(self, pair: Pair, write: Callable[[Piece], Piece]) -> tuple[int, int]:
        network = void = 0
        for bit, piece in self._under_way(pair.network):
            after = write(piece)
            new = bit if after is piece else self._bits((after,))
            network |= new
            void |= new if pair.void & bit else 0
        return network, void

    def _bits(self, pieces: tuple[Piece, ...]) -> int:
        found = 0
        for piece in pieces:
            data = codec.encode(Message(codec.VERSION, "layer", _VIEW, 0, piece))
            number = self.datagrams.number(data)
            if number == len(self.pieces):
                body = codec.decode(data).body
                assert isinstance(body, Fragment | FragmentAck), "nothing else is sent"
                self.pieces.append(body)
            found |= 1 << number
        return found

    def _under_way(self, bits: int) -> Iterator[tuple[int, Piece]]:
        while bits:
            bit = bits & -bits
            yield bit, self.pieces[bit.bit_length() - 1]
            bits ^= bit

    def _fragments(self, bits: int) -> frozenset[tuple[int, int]]:
        """Return of which fragments of which messages copies are under way."""
        pieces = (p for _, p in self._under_way(bits) if isinstance(p, Fragment))
        return frozenset((p.sequence - 1, p.index) for p in pieces)

    def _acked_below(self, bits: int) -> int:
        acks = (p for _, p in self._under_way(bits) if isinstance(p, FragmentAck))
        return max((p.below for p in acks), default=0)

    # --- alpha -----------------------------------------------------------------------------------

    def alpha(self, pair: Pair) -> int:
        """Return the number of the spec's state that a product state is in, or `UNREACHED`."""
        known = (pair.sender, pair.receiver, pair.network & ~pair.void)
        number = self._alphas.get(known)
        if number is None:
            found = self.spec.number(self.cells(pair))
            number = self._alphas[known] = UNREACHED if found is None else found
        return number

    def cells(self, pair: Pair) -> tuple[int, ...]:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        return self.mapping.state(
            self.senders.all[pair.sender],
            self.receivers.all[pair.receiver],
            self._fragments(pair.network & ~pair.void),
            self._acked_below(pair.network),
        )

    # --- what came of it -------------------------------------------------------------------------

    def _run_to(self, pair: Pair, move: Move) -> Run:
        words, states = [move.words], [self.cells(move.after), self.cells(pair)]
        at = self._before[pair]
        while at is not None:
            words.append(at[1])
            states.append(self.cells(at[0]))
            at = self._before[at[0]]
        return Run(tuple(words[::-1]), tuple(states[::-1]))

    def _count(self, seconds: float) -> None:
        result, spec = self.result, self.spec
        result.seconds, result.pairs = seconds, len(self._before)
        result.states, result.edges = spec.states, spec.edges
        result.edges_covered = sum(spec.covered)
        images = self.images()
        result.edges_possible = sum(spec.degree(s) for s in images)
        for step in self.uncovered():
            result.uncovered[step.action] += 1
            if step.source in images:
                result.missed[step.action] += 1

    def images(self) -> set[int]:
        """Return the states of the spec that a channel can be in."""
        return {self.alpha(pair) for pair in self._before}

    def uncovered(self) -> Iterator[Step]:
        """Yield the steps of the spec that no input has taken."""
        return (self.spec.step(e) for e, taken in enumerate(self.spec.covered) if not taken)
