"""The two ends of a channel as states that can be compared, and what each input makes of them.

An end is a `Channel` of the core, taken apart and put together again around each input. What only
counts is left out, so that there are finitely many states: the clock always shows 0, and the
explorer says which timer runs out; acks are numbered by what they say is taken; epochs count from
the older of the two that the ends have committed. `product` keeps all that in step.

What a state cannot show any more is kept as an account, from what the channel tells its host: which
messages have failed, which were turned down, what was delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from msgspec import structs

from samebeat.channel import Channel, Holds
from samebeat.fragments import Partial, is_sound
from samebeat.messages import Fragment, FragmentAck, Notice, Piece
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import Receiving, Takes
from samebeat.sending import Overflow, Sending, Sent
from samebeat_conformance.layer.stepwise import StepwiseChannel

ASSUMED = Assumptions()
_LATER_MS, _LAST_MS = 1, 2
"""When the timers of a message run out, unless the explorer says that one has."""
BOOT = 1
"""Of both nodes."""
NEVER_STATED = -1
"""The sender says again and again where it is, as nobody has told it that this is known."""


class Fate(Enum):
    """What has become of a message, as far as its sender knows."""

    NEW, TURNED_DOWN, QUEUED, SENT, CONFIRMED, FAILED = range(6)


CLOSED = (Fate.CONFIRMED, Fate.FAILED)


@dataclass(frozen=True)
class Sender:
    """The sender's end.

    Attributes:
        sending: the core's state.
        epoch, settings: what its node has committed.
        fates: of each message.
        cuts: how large the fragments of each are, once it is sent; 0 before.
        capacity: how many messages the queue has had to have memory for at most.
    """

    sending: tuple[int, int, int, tuple[bytes, ...], tuple[Sent, ...]]
    epoch: int
    settings: Settings
    fates: tuple[Fate, ...]
    cuts: tuple[int, ...]
    capacity: int

    @property
    def size(self) -> int:
        """How large a fragment it cuts: no larger than the member has said that it takes."""
        return min(self.sending[0], self.settings.maximum_fragment_size)

    @property
    def window(self) -> int:
        """How many messages it sends: no more than the member has said that it takes."""
        return min(self.sending[1], self.settings.message_send_window)

    @property
    def floor(self) -> int:
        """Nothing below is sent any more."""
        return self.flight[0].sequence if self.flight else self.last + 1

    @property
    def last(self) -> int:
        """The number of the last message that was sent."""
        return self.sending[2]

    @property
    def flight(self) -> tuple[Sent, ...]:
        """What is sent, and not acked."""
        return self.sending[4]


Parts: TypeAlias = tuple[tuple[int, int, int, tuple[tuple[int, bytes], ...]], ...]


@dataclass(frozen=True)
class Receiver:
    """The receiver's end.

    Attributes:
        boot, below, parts, size, window: the core's state.
        number: of its acks that say what it takes now.
        epoch, settings, opened: what its node has committed, and the change that is open.
        delivered, again: how often each message was delivered: at all, and more than once.
        heard_ms, memory_ms: when anything came last, and W; 0 where there is no time.
    """

    boot: int
    below: int
    parts: Parts
    size: int
    window: int
    number: int
    epoch: int
    settings: Settings
    opened: Settings | None
    delivered: tuple[bool, ...]
    again: tuple[bool, ...]
    heard_ms: int = 0
    memory_ms: int = 0

    def has(self, sequence: int, index: int) -> bool:
        """Return whether it has acked a piece, and would again."""
        return sequence < self.below or any(
            sequence == n and index in dict(parts) for n, _, _, parts in self.parts
        )


class Ends:
    """Makes steps of the two ends of a channel for given messages.

    Args:
        messages: what is sent.
        start: what both have committed.
        stepwise: whether the ends take one step at a time.
        assumed: what both assume of the network.
    """

    def __init__(
        self,
        messages: tuple[bytes, ...],
        start: Settings,
        *,
        stepwise: bool = False,
        assumed: Assumptions = ASSUMED,
    ) -> None:
        self.messages, self.assumed = messages, assumed
        self._channel = StepwiseChannel if stepwise else Channel
        self.of_receiver = (self.receive, self.forget, self.open, self.close)
        """the inputs that are not the sender's"""
        self._of = {data: m for m, data in enumerate(messages)}
        takes = Takes.of(start, assumed)
        nothing = len(messages) * (False,)
        self.sender = Sender(
            (takes.size, takes.window, 0, (), ()),
            1,
            start,
            len(messages) * (Fate.NEW,),
            len(messages) * (0,),
            start.send_queue_overflow_threshold,
        )
        self.receiver = Receiver(
            BOOT, 1, (), takes.size, takes.window, 0, 1, start, None, nothing, nothing
        )

    # --- the sender ------------------------------------------------------------------------------

    def submit(self, s: Sender, m: int) -> tuple[Sender, tuple[Piece, ...]]:
        """The caller enqueues a message; the queue may be full."""
        channel = self._sending(s)
        try:
            channel.enqueue(self.messages[m], 0, self._holds(s))
        except Overflow:
            return replace(s, fates=_with(s.fates, m, Fate.TURNED_DOWN)), ()
        return self._sent(replace(s, fates=_with(s.fates, m, Fate.QUEUED)), channel)

    def hear(self, s: Sender, ack: FragmentAck) -> tuple[Sender, tuple[Piece, ...], bool]:
        """An ack comes; also return whether what it says is taken counts from now on."""
        channel = self._sending(s)
        channel.receive(ack, 0, self._holds(s))
        news = channel.sending.acks > 0
        return (*self._sent(s, channel), news)

    def retry(self, s: Sender, m: int) -> tuple[Sender, tuple[Piece, ...]]:
        """The retry timer of a message runs out."""
        channel = self._sending(s, retry=m)
        channel.on_timer(0, self._holds(s))
        return self._sent(s, channel)

    def give_up(self, s: Sender, m: int) -> tuple[Sender, tuple[Piece, ...]]:
        """The retry time of a message is over."""
        channel = self._sending(s, give_up=m)
        channel.on_timer(0, self._holds(s))
        return self._sent(s, channel)

    def send(self, s: Sender) -> tuple[Sender, tuple[Piece, ...]]:
        """A channel that takes one step at a time sends what is next, if the window lets it out."""
        channel = self._sending(s)
        assert isinstance(channel, StepwiseChannel), "others send at once"
        channel.send_next(0, self._holds(s))
        return self._sent(s, channel)

    def follow(self, s: Sender) -> tuple[Sender, tuple[Piece, ...]]:
        """Nothing has changed; it may say where it is."""
        channel = self._sending(s)
        channel.follow(0, self._holds(s))
        return self._sent(s, channel)

    @staticmethod
    def notice(floor: int) -> Notice:
        """Return a notice of the sender that states no epoch."""
        return Notice(BOOT, BOOT, 0, floor)

    def commit(
        self, s: Sender, settings: Settings, epochs: int
    ) -> tuple[Sender, tuple[Piece, ...]]:
        """The sender's node commits so many changes: one, or none that counts."""
        capacity = max(s.capacity, settings.send_queue_overflow_threshold)
        s = replace(s, epoch=s.epoch + epochs, settings=settings, capacity=capacity)
        channel = self._sending(s)
        channel.follow(0, self._holds(s))
        return self._sent(s, channel)

    def _sending(self, s: Sender, retry: int = -1, give_up: int = -1) -> Channel:
        size, window, last, queue, flight = s.sending
        due = tuple(
            replace(
                sent,
                retry_at_ms=0 if sent.sequence == retry + 1 else _LATER_MS,
                give_up_at_ms=0 if sent.sequence == give_up + 1 else _LAST_MS,
            )
            for sent in flight
        )
        sending = Sending(BOOT, BOOT, size, window, 0, last, queue, due, NEVER_STATED)
        return self._channel(sending, Receiving(BOOT, Takes.of(s.settings, self.assumed)))

    def _holds(self, s: Sender) -> Holds:
        return Holds(s.epoch, s.settings, Takes.of(s.settings, self.assumed))

    def _quiet(self, flight: tuple[Sent, ...]) -> tuple[Sent, ...]:
        """Return what is unacked without its times, which the explorer decides."""
        return tuple(replace(x, retry_at_ms=_LATER_MS, give_up_at_ms=_LAST_MS) for x in flight)

    def _sent(self, s: Sender, channel: Channel) -> tuple[Sender, tuple[Piece, ...]]:
        """Read off a channel what has become of the messages."""
        after, out = channel.sending, channel.to_send()
        failed = {self._of[data] for data, _ in channel.failed()}
        flight = {self._of[sent.data]: sent for sent in after.flight}
        queued = {self._of[data] for data in after.queue}
        fates, cuts = list(s.fates), list(s.cuts)
        for m, fate in enumerate(s.fates):
            if m in flight:
                fates[m] = Fate.SENT
                cuts[m] = flight[m].size
            elif m in failed:
                fates[m] = Fate.FAILED
            elif fate is Fate.SENT and m not in queued:
                fates[m] = Fate.CONFIRMED
            elif fate is Fate.QUEUED and m not in queued:
                fates[m] = Fate.NEW  # it is gone, and nobody was told
        flight_now = self._quiet(after.flight)
        sending = (after.size, after.window, after.last, after.queue, flight_now)
        return replace(s, sending=sending, fates=tuple(fates), cuts=tuple(cuts)), out

    # --- the receiver ----------------------------------------------------------------------------

    def receive(self, r: Receiver, piece: Piece) -> tuple[Receiver, tuple[Piece, ...]]:
        """A fragment comes, or a notice."""
        if isinstance(piece, Fragment) and not is_sound(piece):
            return r, ()
        channel = self._receiving(r)
        channel.receive(piece, 0, self._takes(r))
        return self._received(r, channel)

    def forget(self, r: Receiver) -> tuple[Receiver, tuple[Piece, ...]]:
        """So much time has passed without a fragment that no copy can come any more."""
        channel = self._receiving(r)
        channel.on_timer(channel.receiving.takes.memory_ms, self._takes(r))
        return self._received(r, channel)

    def open(self, r: Receiver, settings: Settings) -> tuple[Receiver, tuple[Piece, ...]]:
        """A change is open at the receiver's node."""
        return self._follow(replace(r, opened=settings))

    def close(self, r: Receiver, commit: bool) -> tuple[Receiver, tuple[Piece, ...]]:
        """The change that is open there is committed or undone."""
        assert r.opened is not None, "it is open"
        settings, epoch = (r.opened, r.epoch + 1) if commit else (r.settings, r.epoch)
        return self._follow(replace(r, opened=None, settings=settings, epoch=epoch))

    def _follow(self, r: Receiver) -> tuple[Receiver, tuple[Piece, ...]]:
        channel = self._receiving(r)
        channel.follow(0, self._takes(r))
        return self._received(r, channel)

    def _receiving(self, r: Receiver) -> Channel:
        takes = Takes(r.size, r.window, self._memory_ms(r))
        partials: Mapping[int, Partial] = MappingProxyType(
            {
                sequence: Partial(size, length, MappingProxyType(dict(parts)))
                for sequence, size, length, parts in r.parts
            }
        )
        receiving = Receiving(BOOT, takes, r.boot, r.below, partials, r.heard_ms, r.number - 1)
        return self._channel(Sending(BOOT, BOOT), receiving)

    def _memory_ms(self, r: Receiver) -> int:
        return Takes.of(r.settings, self.assumed).memory_ms

    def _takes(self, r: Receiver) -> Holds:
        takes = Takes.of(r.settings, self.assumed)
        if r.opened is not None:
            takes = takes.and_also(Takes.of(r.opened, self.assumed))
        return Holds(r.epoch, r.settings, takes)

    def _received(self, r: Receiver, channel: Channel) -> tuple[Receiver, tuple[Piece, ...]]:
        after = channel.receiving
        delivered, again = list(r.delivered), list(r.again)
        for data in channel.delivered():
            if data not in self._of:  # nobody has sent that; the spec has no such state
                again = [True for _ in again]
                continue
            m = self._of[data]
            again[m] |= delivered[m]
            delivered[m] = True
        parts = tuple(
            (sequence, p.size, p.length, tuple(sorted(p.parts.items())))
            for sequence, p in sorted(after.partials.items())
        )
        takes = (after.takes.size, after.takes.window)
        number = r.number + (takes != (r.size, r.window))
        out = tuple(
            structs.replace(a, number=number)
            for a in channel.to_send()
            if isinstance(a, FragmentAck)
        )
        state = replace(
            r,
            boot=after.boot,
            below=after.below,
            parts=parts,
            size=takes[0],
            window=takes[1],
            number=number,
            delivered=tuple(delivered),
            again=tuple(again),
        )
        return state, out


def _with(fates: tuple[Fate, ...], m: int, fate: Fate) -> tuple[Fate, ...]:
    return (*fates[:m], fate, *fates[m + 1 :])
