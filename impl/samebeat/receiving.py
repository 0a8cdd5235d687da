"""What a node knows of the messages that one peer sends it: order, duplicates, what it can take.

In order delivery makes the memory of what was delivered one number: all below it is known. It is
kept for as long as a copy of anything below may still come, and then forgotten with the stream. The
memory is bounded by what this node takes: so many messages ahead, each so long at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from samebeat.fragments import NOTHING, Partial
from samebeat.messages import Fragment, FragmentAck, Notice
from samebeat.parameters import Assumptions, Settings

MAX_AHEAD = 1_024
"""No peer may have more unacked messages, whatever the window: buffers are bounded."""


@dataclass(frozen=True)
class Takes:
    """What a node must be able to take from a peer.

    Attributes:
        size: the largest fragment, in bytes.
        window: so many messages from the next one on.
        memory_ms: for how long a copy of what was delivered may still come.
    """

    size: int
    window: int
    memory_ms: int

    @classmethod
    def of(cls, settings: Settings, assumed: Assumptions) -> Takes:
        """Return what some settings ask for: W is X and a delay, on any clock (claim 3)."""
        longest: Fraction = assumed.on_any_clock(
            settings.maximum_message_retry_time + assumed.delay_ms
        )
        return cls(
            settings.maximum_fragment_size,
            min(settings.message_send_window, MAX_AHEAD),
            ceil(longest),
        )

    def and_also(self, other: Takes) -> Takes:
        """Return what suits both."""
        return Takes(
            max(self.size, other.size),
            max(self.window, other.window),
            max(self.memory_ms, other.memory_ms),
        )


@dataclass
class Receiving:
    """One direction of a channel, at its end. Every value in it is immutable.

    Attributes:
        me: the boot of this node; what was sent to an earlier one is not taken.
        takes: what is taken, the envelope: all that was held since the peer last said that it sends
            by what this node has committed.
        boot: that of the peer; 0: nothing is known of a stream.
        below: all sequences below are delivered, or given up by the peer.
        partials: what has come from there on.
        heard_ms: when the last fragment came.
        acks: how many acks were sent, for their order.
    """

    me: int
    takes: Takes
    boot: int = 0
    below: int = 0
    partials: Mapping[int, Partial] = field(default_factory=lambda: MappingProxyType({}))
    heard_ms: int = 0
    acks: int = 0

    def forgets_at(self) -> int | None:
        """Return when the stream is forgotten if nothing comes; None: there is none."""
        return self.heard_ms + self.takes.memory_ms if self.boot else None

    def forget_if_due(self, now_ms: int) -> None:
        """Forget the stream when no copy of what it had can come any more."""
        at = self.forgets_at()
        if at is not None and now_ms >= at:
            self._begin(0)

    def hold(self, held: Takes) -> bool:
        """From now on take this, too; return whether the peer may send more now than before."""
        before, self.takes = self.takes, self.takes.and_also(held)
        return (self.takes.size, self.takes.window) != (before.size, before.window)

    def receive(
        self, f: Fragment, now_ms: int, epoch: int, held: Takes
    ) -> tuple[FragmentAck | None, tuple[bytes, ...]]:
        """Take a sound fragment; return the ack, and the messages that are next in order.

        Args:
            f: the fragment.
            now_ms: the time.
            epoch: what this node has committed last.
            held: what that asks for, and every open change with it.
        """
        self.forget_if_due(now_ms)
        if f.boot < self.boot:
            return None, ()  # the peer has restarted since
        if f.to != self.me:
            return self._ack(f), ()
        if len(f.data) > self.takes.size:
            return self._say(f.boot, 0, 0, 0), ()  # as if it had not come, but for what is taken
        self._hear(f, now_ms, epoch, held)
        taken = f.sequence < self.below or self._keep(f)
        delivered = tuple(self._in_order())
        return (self._ack(f, f.sequence, f.index) if taken else self._ack(f)), delivered

    def notice(
        self, n: Notice, now_ms: int, epoch: int, held: Takes
    ) -> tuple[FragmentAck | None, tuple[bytes, ...]]:
        """Take a notice, as a fragment without data; it is acked only if it says something new."""
        self.forget_if_due(now_ms)
        if n.boot < self.boot:
            return None, ()
        if n.to != self.me:
            return self._ack(n), ()
        below = self._hear(n, now_ms, epoch, held)
        delivered = tuple(self._in_order())
        return (self._ack(n) if n.floor > below else None), delivered

    def _hear(self, said: Fragment | Notice, now_ms: int, epoch: int, held: Takes) -> int:
        """Take what a fragment says besides its data; return what was known below, before."""
        if said.boot > self.boot:
            self._begin(said.boot)
        self.heard_ms = now_ms
        if said.epoch == epoch:
            self.takes = held
        below = self.below
        self._skip_to(said.floor)
        return below

    def _begin(self, boot: int) -> None:
        self.boot, self.below, self.partials = boot, 0, MappingProxyType({})

    def _skip_to(self, floor: int) -> None:
        """The peer has given up what is below."""
        if floor > self.below:
            self.below = floor
            self._set({n: p for n, p in self.partials.items() if n >= floor})

    def _set(self, partials: dict[int, Partial]) -> None:
        self.partials = MappingProxyType(partials)

    def _keep(self, f: Fragment) -> bool:
        """Keep a fragment, if it is within what is taken; return whether it was."""
        known = self.partials.get(f.sequence, Partial(f.size, f.length, NOTHING))
        ahead = f.sequence - self.below
        if ahead >= self.takes.window or not known.fits(f):
            return False
        self._set({**self.partials, f.sequence: known.with_part(f)})
        return True

    def _in_order(self) -> list[bytes]:
        """Take out the messages that are whole and next."""
        found: list[bytes] = []
        rest = dict(self.partials)
        while (p := rest.get(self.below)) is not None and p.is_whole:
            found.append(rest.pop(self.below).data)
            self.below += 1
        if found:
            self._set(rest)
        return found

    def greeting(self) -> FragmentAck:
        """Return an ack of nothing: the boot of this node, and what it takes."""
        return self._say(0, 0, 0, 0)

    def _ack(self, f: Fragment | Notice, sequence: int = 0, index: int = 0) -> FragmentAck:
        return self._say(f.boot, self.below if f.to == self.me else 0, sequence, index)

    def _say(self, to: int, below: int, sequence: int, index: int) -> FragmentAck:
        self.acks += 1
        takes = self.takes
        return FragmentAck(self.me, to, self.acks, below, sequence, index, takes.size, takes.window)
