"""Two channels and the link between them, in memory: what tests and figures of the layer run on.

Everything passes through the real codec. The link delays, loses, copies and reorders as it is told,
and a run is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from samebeat.channel import Channel, Holds
from samebeat.codec import VERSION, decode, encode
from samebeat.ids import ViewId
from samebeat.messages import Fragment, Message, Piece
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import Takes
from samebeat.sending import Failure
from samebeat.state import State

Fate: TypeAlias = Callable[[str, Piece], list[int]]
"""After which delays, in ms, the copies of a datagram of a node arrive; none: it is lost."""

_PEER = {"a": "b", "b": "a"}


@dataclass
class End:
    """One node's end.

    Attributes:
        channel: what is measured.
        epoch, settings: what the node has committed.
        opened: the settings of the changes that are open at it.
        delivered: what has come, in order.
        failed: what has failed, and when.
        ahead_ms: by how much its clock is ahead of that of the link.
    """

    channel: Channel
    settings: Settings
    epoch: int = 0
    opened: tuple[Settings, ...] = ()
    delivered: list[bytes] = field(default_factory=list)
    failed: list[tuple[int, bytes, Failure]] = field(default_factory=list)
    ahead_ms: int = 0

    @classmethod
    def of(cls, node: State, peer: str, now_ms: int) -> End:
        """Return what a node has of the channel to a peer; `now_ms` is the time on its clock."""
        journal = node.journal
        opened = tuple(o.settings for o in journal.opens)
        channel = node.channels[peer].copy()
        return cls(channel, journal.settings, journal.epoch, opened, ahead_ms=now_ms)


class Linked:
    """Two ends, `a` and `b`, one clock, and what is on its way."""

    def __init__(
        self,
        settings: Settings,
        assumed: Assumptions | None = None,
        delay_ms: int = 0,
        greets: bool = True,
    ) -> None:
        self.assumed = assumed or Assumptions(delay_ms=delay_ms)
        self.delay_ms = delay_ms
        self.fate: Fate = lambda source, piece: [self.delay_ms]
        self.now_ms = 0
        self.boots = {"a": 1, "b": 1}
        self.flying: list[tuple[int, str, bytes]] = []
        self.sent: list[tuple[int, str, Piece]] = []
        """when, who, and what"""
        self.ends = {n: End(self._started(n, settings), settings) for n in "ab"}
        for n in "ab" if greets else "":
            self._carry_out(n)
        self.run(2 * delay_ms)

    @classmethod
    def between(cls, ends: dict[str, End], assumed: Assumptions, delay_ms: int) -> Linked:
        """Return the link between two ends that are there, `a` and `b`."""
        link = cls(ends["a"].settings, assumed, delay_ms)
        link.sent.clear()
        link.now_ms, link.ends = 0, ends
        link.boots = {n: end.channel.sending.me for n, end in ends.items()}
        return link

    def _started(self, name: str, settings: Settings) -> Channel:
        return Channel.start(self.boots[name], Takes.of(settings, self.assumed))

    def holds(self, name: str) -> Holds:
        """Return what a node holds now."""
        end = self.ends[name]
        takes = Takes.of(end.settings, self.assumed)
        for opened in end.opened:
            takes = takes.and_also(Takes.of(opened, self.assumed))
        return Holds(end.epoch, end.settings, takes)

    # --- inputs ----------------------------------------------------------------------------------

    def enqueue(self, name: str, data: bytes) -> None:
        """Send a message.

        Raises:
            Overflow: the queue is full.
        """
        self.ends[name].channel.enqueue(data, self._local_ms(name), self.holds(name))
        self._carry_out(name)

    def open(self, name: str, settings: Settings) -> None:
        """A change to these settings is open at a node: it may be committed by the other one."""
        self.ends[name].opened = (settings,)
        self._follow(name)

    def commit(self, name: str) -> None:
        """A node commits the change that is open."""
        end = self.ends[name]
        (end.settings,), end.opened, end.epoch = end.opened, (), end.epoch + 1
        self._follow(name)

    def undo(self, name: str) -> None:
        """The change that is open is undone."""
        self.ends[name].opened = ()
        self._follow(name)

    def restart(self, name: str) -> None:
        """A node stops and starts: what it knew of messages is gone."""
        self.boots[name] += 1
        self.ends[name].channel = self._started(name, self.ends[name].settings)
        self._carry_out(name)

    def _follow(self, name: str) -> None:
        self.ends[name].channel.follow(self._local_ms(name), self.holds(name))
        self._carry_out(name)

    def arrive(self, index: int = 0) -> None:
        """A datagram arrives, whenever it is due."""
        _, to, data = self.flying.pop(index)
        body = decode(data).body
        assert isinstance(body, Piece)
        self.ends[to].channel.receive(body, self._local_ms(to), self.holds(to))
        self._carry_out(to)

    # --- time ------------------------------------------------------------------------------------

    def run(self, for_ms: int) -> None:
        """Let time pass, and happen what is due, in order."""
        end_ms = self.now_ms + for_ms
        while (due_ms := self._next_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            arrived = next((i for i, f in enumerate(self.flying) if f[0] <= self.now_ms), None)
            if arrived is not None:
                self.arrive(arrived)
                continue
            for name, end in self.ends.items():
                timer_ms = self._timer_ms(name)
                if timer_ms is not None and timer_ms <= self.now_ms:
                    end.channel.on_timer(self._local_ms(name), self.holds(name))
                    self._carry_out(name)
        self.now_ms = end_ms

    def _local_ms(self, name: str) -> int:
        return self.now_ms + self.ends[name].ahead_ms

    def _timer_ms(self, name: str) -> int | None:
        """Return when something is due at an end."""
        end = self.ends[name]
        timer_ms = end.channel.next_timer()
        return None if timer_ms is None else timer_ms - end.ahead_ms

    def _next_ms(self) -> int | None:
        timers = (self._timer_ms(name) for name in self.ends)
        return min(
            (*(f[0] for f in self.flying), *(t for t in timers if t is not None)), default=None
        )

    def _carry_out(self, name: str) -> None:
        end = self.ends[name]
        end.delivered += end.channel.delivered()
        end.failed += ((self.now_ms, data, why) for data, why in end.channel.failed())
        for piece in end.channel.to_send():
            self.sent.append((self.now_ms, name, piece))
            data = encode(Message(VERSION, "linked", ViewId(0, name), end.epoch, piece))
            for delay_ms in self.fate(name, piece):
                self.flying.append((self.now_ms + delay_ms, _PEER[name], data))

    # --- what an observer sees -------------------------------------------------------------------

    def fragments(self, name: str = "a") -> list[tuple[int, Fragment]]:
        """Return the fragments that a node has sent, and when."""
        return [(at, p) for at, n, p in self.sent if n == name and isinstance(p, Fragment)]
