"""The two roles of a heartbeat pair: who sends heartbeats, and who watches for them (claim 19).

A node is both to each other member of its view. Records follow the group change; timers are safe
against all values that are still possible (the envelope, notes C1 to C3):

- a node sends at the shortest interval of what it has decided last and what it has open;
- it waits for the longest deadline that it has held since a heartbeat last stated what it holds.

Deadlines are computed from the event that they count from, never from what is left of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

MAX_WAITING = 1_024
"""So many heartbeats may wait for their acks; more are not looked at, which suspects nobody."""


@dataclass(frozen=True)
class Watch:
    """What the second node knows of the heartbeats of one first node.

    Attributes:
        newest: boot and sequence of the newest heartbeat; only a newer one re-arms.
        heard_ms: when that came.
        deadline_ms: the effective deadline.
    """

    newest: tuple[int, int]
    heard_ms: int
    deadline_ms: Fraction

    def holding(self, held_ms: Fraction) -> Watch:
        """Return the watch of a node that now holds this deadline."""
        return self if held_ms <= self.deadline_ms else replace(self, deadline_ms=held_ms)

    def heard(self, newest: tuple[int, int], now_ms: int, confirmed: Fraction | None) -> Watch:
        """Return the watch after a heartbeat; if it states what is held, no other value counts."""
        if newest <= self.newest:
            return self
        return Watch(newest, now_ms, self.deadline_ms if confirmed is None else confirmed)

    @property
    def due_ms(self) -> int:
        """The first instant at which the deadline has passed; at the deadline is in time."""
        return self.heard_ms + int(self.deadline_ms) + 1


@dataclass(frozen=True)
class AckWatch:
    """What the first node knows of one second node's acks.

    Each heartbeat has a time-out of its own, which is left as it was when values change. An ack
    settles its heartbeat and every earlier one, so misses are those since the last new ack.

    Attributes:
        waiting: sequence and time-out of each heartbeat since the last new ack.
    """

    waiting: tuple[tuple[int, int], ...] = ()

    def sent(self, sequence: int, due_ms: int) -> AckWatch:
        """Return it after a heartbeat was sent."""
        if len(self.waiting) >= MAX_WAITING:
            return self
        return AckWatch((*self.waiting, (sequence, due_ms)))

    def acked(self, sequence: int) -> AckWatch:
        """Return it after an ack."""
        return AckWatch(tuple(w for w in self.waiting if w[0] > sequence))

    def suspects_at(self, threshold: int) -> int | None:
        """Return the instant at which so many acks in a row are missed, as far as is known."""
        dues = sorted(due for _, due in self.waiting)
        return dues[threshold - 1] + 1 if len(dues) >= threshold else None
