"""The message layer between a node and one peer, in both directions (claims 3 and 6).

Messages go in fragments, are acked, sent again until they are acked or given up, and delivered in
order and at most once. No clock, no socket: the time is an argument, and what is to be sent, what
was delivered and what has failed are taken out with `to_send`, `delivered` and `failed`.

What is kept is bounded whatever the peer does: of what it sends, at most `window` messages, and
1,024, of 16,128 bytes each in at most 252 fragments, and one number for all that was delivered; of
what is sent to it, at most a window and a full queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from samebeat.messages import FragmentAck, Notice, Piece
from samebeat.parameters import Settings
from samebeat.receiving import Receiving, Takes
from samebeat.sending import Failure, Sending


@dataclass(frozen=True)
class Holds:
    """What a node has committed, and what it must be able to take.

    Attributes:
        epoch: what it has committed last.
        settings: what that asks for; it sends by that.
        takes: what that and every open change ask for; it takes that.
    """

    epoch: int
    settings: Settings
    takes: Takes


@dataclass
class Channel:
    """What a node keeps for one peer. Every value in it is immutable, so a copy is shallow.

    Attributes:
        sending, receiving: the two directions.
        outbox: what is to be sent.
        inbox: what was delivered.
        failures: what has failed, and why.
    """

    sending: Sending
    receiving: Receiving
    outbox: tuple[Piece, ...] = ()
    inbox: tuple[bytes, ...] = ()
    failures: tuple[tuple[bytes, Failure], ...] = ()

    @classmethod
    def start(cls, boot: int, takes: Takes) -> Channel:
        """Return the channel of a node that has started for the so many-th time; it greets."""
        channel = cls(Sending(boot), Receiving(boot, takes))
        channel._out((channel.receiving.greeting(),))
        return channel

    def copy(self) -> Channel:
        """Return a snapshot."""
        return replace(self, sending=replace(self.sending), receiving=replace(self.receiving))

    # --- inputs ----------------------------------------------------------------------------------

    def enqueue(self, data: bytes, now_ms: int, holds: Holds) -> None:
        """Send a message, as soon as the window allows it.

        Raises:
            Overflow: the queue is full, and nothing has changed.
        """
        self.sending.enqueue(data, holds.settings)
        self._send(now_ms, holds)

    def receive(self, body: Piece, now_ms: int, holds: Holds) -> None:
        """Take a sound fragment, a notice, or an ack."""
        if isinstance(body, FragmentAck):
            self.failures = (*self.failures, *self.sending.acked(body))
            self._send(now_ms, holds)
            return
        said = (now_ms, holds.epoch, holds.takes)
        if isinstance(body, Notice):
            ack, delivered = self.receiving.notice(body, *said)
        else:
            ack, delivered = self.receiving.receive(body, *said)
        self.inbox = (*self.inbox, *delivered)
        if ack is not None:
            self._out((ack,))

    def on_timer(self, now_ms: int, holds: Holds) -> None:
        """Do what is due: give up, send again, forget."""
        self.receiving.forget_if_due(now_ms)
        self.give_up(now_ms)
        self._out(self.sending.retry(now_ms, holds.epoch, holds.settings))
        self._send(now_ms, holds)

    def give_up(self, now_ms: int) -> None:
        """Give up what is too old, and keep it to be reported."""
        self.failures = (*self.failures, *self.sending.give_up(now_ms))

    def follow(self, now_ms: int, holds: Holds) -> None:
        """What the node holds has changed: take that too, and send what a wider window lets out.

        If it takes more now, it says so at once: the peer may not ask, and sends by what it knows.
        """
        if self.receiving.hold(holds.takes):
            self._out((self.receiving.greeting(),))
        self._send(now_ms, holds)

    # --- outputs ---------------------------------------------------------------------------------

    def next_timer(self) -> int | None:
        """Return when `on_timer` is to be called; None: only when something is received."""
        timers = (self.sending.next_timer(), self.receiving.forgets_at())
        return min((t for t in timers if t is not None), default=None)

    def to_send(self) -> tuple[Piece, ...]:
        """Return what is to be sent, in order, once."""
        out, self.outbox = self.outbox, ()
        return out

    def delivered(self) -> tuple[bytes, ...]:
        """Return the messages that have come, in order, once."""
        messages, self.inbox = self.inbox, ()
        return messages

    def failed(self) -> tuple[tuple[bytes, Failure], ...]:
        """Return the messages of which it is not known whether they have come, once."""
        failures, self.failures = self.failures, ()
        return failures

    # --- inside ----------------------------------------------------------------------------------

    def _send(self, now_ms: int, holds: Holds) -> None:
        self.give_up(now_ms)  # or a new message would say that what is over is open
        self._out(self.sending.send(now_ms, holds.epoch, holds.settings))
        self._out(self.sending.news(now_ms, holds.epoch, holds.settings))

    def _out(self, bodies: Iterable[Piece]) -> None:
        self.outbox = (*self.outbox, *bodies)
