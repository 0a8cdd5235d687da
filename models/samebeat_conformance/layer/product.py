"""The product of the spec `link` and a channel: each input is steps of the spec, or nothing.

Where time is, the explorer decides: any retry timer runs out whenever it likes, and any retry time.
Only this is assumed of time, and it is what W is for: a stream is forgotten when what the receiver
knows or holds of it is closed and no copy is under way that says less.

What the spec does not see comes whenever it may, and is never lost for good: what a sender has
stated, what a receiver has of a message, and what it takes (`Pair`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from samebeat.messages import Fragment, FragmentAck, Notice, Piece
from samebeat.parameters import Settings
from samebeat_conformance.layer import acks
from samebeat_conformance.layer.ends import Ends, Fate, Receiver, Sender
from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.mapping import Mapping
from samebeat_conformance.layer.pairs import Numbers, Pair, Talk, through_codec
from samebeat_conformance.layer.steps import Steps
from samebeat_conformance.product import UNREACHED, Conformance
from samebeat_spec.language.instance import Arguments

MOST_AT_ONCE = 10
"""The most spec steps that one input is."""
MOST_UNHEARD = 2
"""A change begins only if the sender has heard of all but so many changes of what is taken."""


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
        about: the first arguments of the step that it is.
    """

    kind: str
    words: str
    after: Pair
    about: Arguments = ()


def copy_of(f: Fragment) -> tuple[int, int, int]:
    """Return message and fragment of a copy, and the first message that it says is open."""
    return f.sequence - 1, f.index, f.floor - 1


def nothing(_pairs: int, _checks: int) -> None:
    """Watch nothing."""


Heard: TypeAlias = tuple[Sender, tuple[Piece, ...], bool]


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
        self.mapping = self._make_mapping()
        self.spec = spec or Steps(listed.instance)
        self.spec.covered = bytearray(self.spec.edges)
        self.most_pairs, self._watch = most_pairs, watch
        self.result = Found()
        start = self.mapping.start_settings()
        self.targets = self.mapping.every_settings()
        self.ends = self._make_ends(start)
        self.senders, self.receivers = Numbers[Sender](), Numbers[Receiver]()
        self.copies = Numbers[Fragment]()
        self.whole: set[FragmentAck] = set()
        """the acks that were sent, which come in parts"""
        self._alphas: dict[tuple[Any, ...], int] = {}
        self._made: dict[tuple[Any, ...], Any] = {}
        self._before: dict[Pair, tuple[Pair, str] | None] = {}
        self._lengths: dict[tuple[int, int, str, Arguments], int] = {}

    def _make_mapping(self) -> Mapping:
        return Mapping(self.listed.instance)

    def _make_ends(self, start: Settings) -> Ends:
        return Ends(self.mapping.datas(), start, stepwise=self.stepwise)

    def run(self) -> Found:
        """Explore, breadth first, and return what came of it."""
        began = time.perf_counter()
        r = self.receivers.number(self.ends.receiver)
        first = Pair(self.senders.number(self.ends.sender), r, 0, 0, (), (0, 0), None)
        after, out = self.ends.follow(self.ends.sender)
        first = self._sender("submit", first, after, out).after
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
        known = (here, there, move.kind, move.about)
        length = self._lengths.get(known)
        if length is None:
            allowed = self.spec.allowed(move.kind, move.about)
            length = self._lengths[known] = self.spec.take(here, there, allowed, MOST_AT_ONCE)
        self.result.at_once[length] += 1
        return length > 0

    # --- inputs ----------------------------------------------------------------------------------

    def _moves(self, pair: Pair) -> Iterator[Move]:
        s, r = self.senders.all[pair.sender], self.receivers.all[pair.receiver]
        yield from self._of_sender(pair, s)
        yield from self._heard(pair, s, r)
        for f in self.copies.under(pair.copies):
            yield from self._comes(pair, r, f)
        for floor in range(1, max(s.floor, *pair.stated) + 1):
            yield from self._comes(pair, r, self.ends.notice(floor))
        yield from self._losses(pair)
        if r.boot and self._may_forget(pair, s, r):
            yield self._receiver("forget", pair, *self._make(self.ends.forget, pair.receiver))
        yield from self._changes(pair, s, r)

    def _make(self, input_of: Callable[..., Any], number: int, *rest: Any) -> Any:
        """Return what an input makes of an end, which is always the same."""
        known = (input_of.__name__, number, *rest)
        if known not in self._made:
            ends = self.receivers.all if input_of in self.ends.of_receiver else self.senders.all
            self._made[known] = input_of(ends[number], *rest)
        return self._made[known]

    def _of_sender(self, pair: Pair, s: Sender) -> Iterator[Move]:
        """The caller, and the timers."""
        n = pair.sender
        m = next((i for i, f in enumerate(s.fates) if f in (Fate.NEW, Fate.TURNED_DOWN)), None)
        if m is not None:
            after, out = self._make(self.ends.submit, n, m)
            yield self._sender("submit", pair, after, out, (m,))
        if self.stepwise and Fate.QUEUED in s.fates:
            yield self._sender("send", pair, *self._make(self.ends.send, n))
        for x in s.flight:
            m = x.sequence - 1
            after, out = self._make(self.ends.retry, n, m)
            yield self._sender("retry", pair, after, out, (m,))
            after, out = self._make(self.ends.give_up, n, m)
            yield self._sender("give_up", pair, after, out, (m,))

    def _heard(self, pair: Pair, s: Sender, r: Receiver) -> Iterator[Move]:
        """Acks come, in parts; what makes room also with what is taken, as all may come at once."""
        takes = [acks.taken_of(*said) for said in pair.said]
        for ack in takes:
            yield self._hears(pair, ack)
        for x in s.flight:
            for i in x.missing(is_first=False):
                if r.has(x.sequence, i):
                    yield self._hears(pair, acks.piece_of(x.sequence, i))
        for m in self.mapping.messages:
            if pair.acks >> m & 1:
                plain = acks.delivered_of(m + 2)
                yield self._hears(pair, plain)
                for ack in takes if not self.stepwise else ():
                    yield self._hears(pair, acks.together(plain, ack))

    def _hears(self, pair: Pair, ack: FragmentAck) -> Move:
        after, out, news = self._make(self.ends.hear, pair.sender, through_codec(ack))
        if news:
            r, number = self.receivers.all[pair.receiver], ack.number
            known = self.receivers.number(replace(r, number=r.number - number))
            later = tuple((n - number, size, window) for n, size, window in pair.said if n > number)
            pair = pair._replace(receiver=known, said=later)
        return self._sender("hear", pair, after, out, (ack.below - 2,))

    def _comes(self, pair: Pair, r: Receiver, piece: Fragment | Notice) -> Iterator[Move]:
        """Something comes that states no epoch, or the one of the receiver if it might."""
        about = copy_of(piece) if isinstance(piece, Fragment) else (piece.floor - 2,)
        kind = "receive" if isinstance(piece, Fragment) else "notice"
        first = pair.stated[r.epoch - 1]
        for epoch in (0, r.epoch) if 0 < first <= piece.floor else (0,):
            read = through_codec(structs.replace(piece, epoch=epoch))
            after, out = self._make(self.ends.receive, pair.receiver, read)
            yield self._receiver(kind, pair, after, out, about)

    def _losses(self, pair: Pair) -> Iterator[Move]:
        """All copies of a fragment that say the same are lost, or all acks of a message."""
        for f in self.copies.under(pair.copies):
            rest = pair.copies & ~(1 << self.copies.of[f])
            about = copy_of(f)
            yield Move("lose", f"lose {about}", pair._replace(copies=rest), about)
        for m in self.mapping.messages:
            if pair.acks >> m & 1:
                after = pair._replace(acks=pair.acks & ~(1 << m))
                yield Move("lose_ack", f"lose_ack {m}", after, (m,))

    def _may_forget(self, pair: Pair, s: Sender, r: Receiver) -> bool:
        """What the receiver has is closed, and each copy under way says so."""
        last = max([r.below - 2, *(sequence - 1 for sequence, *_ in r.parts)])
        says_less = any(f.floor - 1 <= last for f in self.copies.under(pair.copies))
        return s.floor - 1 > last and not says_less

    def _changes(self, pair: Pair, s: Sender, r: Receiver) -> Iterator[Move]:
        """The steps of a change: open, then committed by one after the other, or undone.

        The receiver has nothing to do with the threshold, so that is as if both committed at once.
        """
        talk = pair.talk
        for most in self.mapping.counts:
            if most != s.settings.send_queue_overflow_threshold:
                settings = structs.replace(s.settings, send_queue_overflow_threshold=most)
                done = self._make(self.ends.commit, pair.sender, settings, 0)
                yield self._sender("commit", pair, *done)
        if talk is None:
            for target in self.targets if r.number < MOST_UNHEARD else ():
                if target != r.settings:
                    opened = pair._replace(talk=Talk(target))
                    done = self._make(self.ends.open, pair.receiver, target)
                    yield self._receiver("follow", opened, *done)
            return
        if not talk.sender:
            most = s.settings.send_queue_overflow_threshold
            settings = structs.replace(talk.settings, send_queue_overflow_threshold=most)
            over = pair._replace(talk=None if talk.receiver else talk._replace(sender=True))
            done = self._make(self.ends.commit, pair.sender, settings, 1)
            yield self._sender("commit", over, *done)
        if not talk.receiver:
            over = pair._replace(talk=None if talk.sender else talk._replace(receiver=True))
            done = self._make(self.ends.close, pair.receiver, True)
            yield self._receiver("follow", over, *done)
        if not talk.sender and not talk.receiver:
            done = self._make(self.ends.close, pair.receiver, False)
            yield self._receiver("follow", pair._replace(talk=None), *done)

    # --- what comes of them ----------------------------------------------------------------------

    def _sender(
        self, kind: str, pair: Pair, after: Sender, out: tuple[Piece, ...], about: Arguments = ()
    ) -> Move:
        copies, stated = pair.copies, list(pair.stated)
        for p in out:
            assert isinstance(p, Fragment | Notice), "a sender hears acks, and sends none"
            if p.epoch > 0:
                first = stated[p.epoch - 1]
                stated[p.epoch - 1] = min(first, p.floor) if first else p.floor
            if isinstance(p, Fragment):
                copies |= 1 << self.copies.number(structs.replace(p, epoch=0))
        moved = pair._replace(
            sender=self.senders.number(after), copies=copies, stated=(stated[0], stated[1])
        )
        return self._move(f"sender: {kind}", kind, moved, about)

    def _receiver(
        self, kind: str, pair: Pair, after: Receiver, out: tuple[Piece, ...], about: Arguments = ()
    ) -> Move:
        under_way, said = pair.acks, pair.said
        for ack in out:
            assert isinstance(ack, FragmentAck), "a receiver sends nothing else"
            self.whole.add(ack)
            if ack.below > 1:
                under_way |= 1 << (ack.below - 2)
        if after.number and after.number not in (number for number, *_ in said):
            said = (*said, (after.number, after.size, after.window))
        moved = pair._replace(receiver=self.receivers.number(after), acks=under_way, said=said)
        return self._move(f"receiver: {kind}", kind, moved, about)

    def _move(self, words: str, kind: str, pair: Pair, about: Arguments) -> Move:
        said = " ".join((words, *map(str, about)))
        return Move(kind, said, self._tidy(pair), about)

    def _tidy(self, pair: Pair) -> Pair:
        """Count epochs from the older one; what the receiver is past says nothing any more."""
        s, r = self.senders.all[pair.sender], self.receivers.all[pair.receiver]
        past = min(s.epoch, r.epoch) - 1

        def since(epoch: int) -> int:
            return epoch - past if epoch >= r.epoch else 0

        stated = (*(pair.stated if r.epoch == 1 else (0, pair.stated[1])), 0)
        flight = tuple(
            x if since(x.epoch) == x.epoch else replace(x, epoch=since(x.epoch)) for x in s.flight
        )
        if past or flight != s.flight:
            s = replace(s, epoch=s.epoch - past, sending=(*s.sending[:4], flight))
            r = replace(r, epoch=r.epoch - past)
        return pair._replace(
            sender=self.senders.number(s),
            receiver=self.receivers.number(r),
            stated=(stated[past], stated[past + 1]),
        )

    # --- alpha -----------------------------------------------------------------------------------

    def alpha(self, pair: Pair) -> int:
        """Return the number of the spec's state that a product state is in, or `UNREACHED`."""
        known = (*pair[:4], pair.ages)
        number = self._alphas.get(known)
        if number is None:
            found = self.spec.number(self.cells(pair)) if self.has_place(pair) else None
            number = self._alphas[known] = UNREACHED if found is None else found
        return number

    def has_place(self, pair: Pair) -> bool:
        """Return whether all limits are some that the instance has."""
        ends = self.senders.all[pair.sender], self.receivers.all[pair.receiver]
        return self.mapping.has_place(*ends)

    def is_giving_up(self, s: Sender) -> bool:
        """Return whether a sender gives up with whatever it hears; only with time it does."""
        return False

    def is_forgetting(self, r: Receiver) -> bool:
        """Return whether a receiver forgets whatever comes; only with time it does."""
        return False

    def cells(self, pair: Pair) -> tuple[int, ...]:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        return self.mapping.state(
            self.senders.all[pair.sender],
            self.receivers.all[pair.receiver],
            {copy_of(f) for f in self.copies.under(pair.copies)},
            [m for m in self.mapping.messages if pair.acks >> m & 1],
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
