"""What a node sends to one peer: a bounded queue, a sliding window, and retries that end.

A message keeps the limits under which it was first sent. So a change of a parameter is for what is
first sent after it, and what is under way drains (decision 0044).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from samebeat.fragments import count, cut
from samebeat.messages import MAX_PAYLOAD, MIN_FRAGMENT, Fragment, FragmentAck, Notice
from samebeat.parameters import Settings


class Overflow(Exception):  # noqa: N818  (`except Overflow` is the sentence)
    """The send queue is full, and the message is not in it; the text says so, in one line."""


class Failure(Enum):
    """Why the sender of a message does not know that it was delivered."""

    OVERFLOW = "the send queue is full; it was not sent"
    GIVEN_UP = "it was not acked within the maximum retry time; it may have been delivered"
    RESTARTED = "the member has restarted before it acked; it may have been delivered"


@dataclass(frozen=True)
class Sent:
    """A message that is not acked.

    Attributes:
        sequence: its number in the stream.
        data: the message.
        size: how large its fragments are.
        epoch: what this node had committed when it was first sent.
        retry_ms: the time between retries.
        retry_at_ms: when the next one is.
        give_up_at_ms: when there will be no more.
        held: the fragments that the peer has acked.
    """

    sequence: int
    data: bytes
    size: int
    epoch: int
    retry_ms: int
    retry_at_ms: int
    give_up_at_ms: int
    held: frozenset[int] = frozenset()

    def missing(self, is_first: bool) -> list[int]:
        """Return the fragments to send now: what is not acked; of the first message one at least.

        Where all are acked, the peer has waited for an earlier message, and must be told that this
        was given up.
        """
        pieces = count(len(self.data), self.size)
        missing = [i for i in range(pieces) if i not in self.held]
        return missing or [pieces - 1] * is_first

    @property
    def due_ms(self) -> int:
        """When something is to be done about it."""
        return min(self.retry_at_ms, self.give_up_at_ms)


@dataclass
class Sending:
    """One direction of a channel, at its start. Every value in it is immutable.

    Attributes:
        me: the boot of this node, which names the stream.
        peer: the boot of the peer; 0: not known yet.
        size, window: what the peer has last said it takes.
        acks: the number of the ack in which it has.
        last: the sequence of the last message that was sent.
        queue: the messages that have not been sent.
        flight: those that have, and are not acked, in order.
        stated: the last epoch that was stated to the peer.
    """

    me: int
    peer: int = 0
    size: int = MIN_FRAGMENT
    window: int = 1
    acks: int = 0
    last: int = 0
    queue: tuple[bytes, ...] = ()
    flight: tuple[Sent, ...] = ()
    stated: int = 0

    @property
    def floor(self) -> int:
        """Nothing below this sequence is sent any more."""
        return self.flight[0].sequence if self.flight else self.last + 1

    def room(self, settings: Settings) -> int:
        """Return how many more messages can be enqueued now."""
        free = self._window(settings) - (self.last + 1 - self.floor)
        return max(0, settings.send_queue_overflow_threshold - len(self.queue)) + max(0, free)

    def is_waiting(self, data: bytes) -> bool:
        """Return whether the same message is queued, or not acked yet."""
        return data in self.queue or any(sent.data == data for sent in self.flight)

    def enqueue(self, data: bytes, settings: Settings) -> None:
        """Put a message into the queue.

        Raises:
            Overflow: it is full.
        """
        assert 0 < len(data) <= MAX_PAYLOAD, "a message of our own is within the bounds"
        most = settings.send_queue_overflow_threshold
        if len(self.queue) >= most:
            raise Overflow(f"the send queue is full: it holds {most} messages; try again later")
        self.queue = (*self.queue, data)

    def send(self, now_ms: int, epoch: int, settings: Settings) -> Iterator[Fragment]:
        """Send what the window lets out, and yield its fragments."""
        while self.may_send(settings):
            yield from self.send_next(now_ms, epoch, settings)

    def may_send(self, settings: Settings) -> bool:
        """Return whether a message is queued that the window lets out."""
        return bool(self.queue) and self.last + 1 - self.floor < self._window(settings)

    def send_next(self, now_ms: int, epoch: int, settings: Settings) -> Iterator[Fragment]:
        """Send the first message that is queued, and yield its fragments."""
        self.last += 1
        sent = Sent(
            self.last,
            self.queue[0],
            min(settings.maximum_fragment_size, self.size),
            epoch,
            settings.message_retry_timer,
            now_ms + settings.message_retry_timer,
            now_ms + settings.maximum_message_retry_time,
        )
        self.queue, self.flight = self.queue[1:], (*self.flight, sent)
        yield from self._fragments(sent, self._states(now_ms, epoch, settings))

    def news(self, now_ms: int, epoch: int, settings: Settings) -> Iterator[Notice]:
        """Yield a notice, if a later epoch could be stated than was: no fragment might come soon.

        A notice that is lost is not repeated: the next fragment says the same.
        """
        now = self._states(now_ms, epoch, settings)
        if self.peer and now > self.stated:
            self.stated = now
            yield Notice(self.me, self.peer, now, self.floor)

    def acked(self, ack: FragmentAck) -> list[tuple[bytes, Failure]]:
        """Take an ack; return the messages of which it is not known whether they were delivered.

        The peer names its boot. If that is new, what was sent to an earlier one has failed, and
        what was sent to nobody in particular is sent again from the start.
        """
        if ack.to not in (0, self.me) or ack.boot < self.peer or ack.below > self.last + 1:
            return []
        failed: list[tuple[bytes, Failure]] = []
        if ack.boot > self.peer:
            under_way = tuple(sent.data for sent in self.flight)
            if self.peer:
                failed = [(data, Failure.RESTARTED) for data in under_way]
            else:
                self.queue = (*under_way, *self.queue)
            self.flight, self.peer, self.acks, self.stated = (), ack.boot, 0, 0
        if ack.number > self.acks:
            self.acks, self.size, self.window = ack.number, ack.size, ack.window
        self.flight = tuple(
            replace(sent, held=sent.held | {ack.index}) if sent.sequence == ack.sequence else sent
            for sent in self.flight
            if sent.sequence >= ack.below
        )
        return failed

    def give_up(self, now_ms: int) -> list[tuple[bytes, Failure]]:
        """Give up what is too old, and return it; whatever is first now is due, and says so.

        Messages are given up in order: under a shorter retry time a later one may be over first,
        and the earlier ones have been tried for longer than that.
        """
        over = (n for n, m in enumerate(self.flight, 1) if m.give_up_at_ms <= now_ms)
        most = max(over, default=0)
        failed, rest = self.flight[:most], self.flight[most:]
        if failed and rest:
            rest = (replace(rest[0], retry_at_ms=now_ms), *rest[1:])
        self.flight = rest
        return [(m.data, Failure.GIVEN_UP) for m in failed]

    def retry(self, now_ms: int, epoch: int, settings: Settings) -> Iterator[Fragment]:
        """Send again what is due, and yield its fragments."""
        due = [m for m in self.flight if m.retry_at_ms <= now_ms]
        self.flight = tuple(
            replace(m, retry_at_ms=now_ms + m.retry_ms) if m in due else m for m in self.flight
        )
        stated = self._states(now_ms, epoch, settings)
        for sent in due:
            yield from self._fragments(sent, stated)

    def next_timer(self) -> int | None:
        """Return when something is to be done; None: only when something is received."""
        return min((m.due_ms for m in self.flight), default=None)

    def _window(self, settings: Settings) -> int:
        """Return how many messages may be unacked: until the peer is known, one asks for it."""
        return min(settings.message_send_window, self.window) if self.peer else 1

    def _states(self, now_ms: int, epoch: int, settings: Settings) -> int:
        """Return an epoch by whose settings all that is under way might have been sent now.

        That is the last one as soon as what was sent before keeps to its limits, too.
        """
        keep_to_it = all(
            min(m.size, len(m.data)) <= settings.maximum_fragment_size
            and m.sequence - self.floor < settings.message_send_window
            and m.give_up_at_ms <= now_ms + settings.maximum_message_retry_time
            for m in self.flight
        )
        return epoch if keep_to_it else self.flight[0].epoch

    def _fragments(self, sent: Sent, stated: int) -> Iterator[Fragment]:
        """Yield what is missing of a message; its first fragment, if the peer is not known."""
        floor = self.floor
        self.stated = max(self.stated, stated)
        for index in sent.missing(sent.sequence == floor) if self.peer else (0,):
            yield Fragment(
                self.me,
                self.peer,
                stated,
                floor,
                sent.sequence,
                index,
                sent.size,
                len(sent.data),
                cut(sent.data, sent.size, index),
            )
