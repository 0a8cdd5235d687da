"""What a node knows of changes of a heartbeat pair, in both roles (claims 19 to 31).

Each direction has a record of its own at either end, so requests that cross do not meet (note C4).
Nothing of this is in the journal: a node that restarts is back on the settings of the group, its
heartbeats say so, and those of others say what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from samebeat.ids import PairChangeId
from samebeat.messages import AckRecord, HeartbeatRecord
from samebeat.parameters import Rhythm


@dataclass(frozen=True)
class Patience:
    """What a first node changes by itself: when an ack is missed, and how many may be."""

    timeout_ms: int
    threshold: int


@dataclass(frozen=True)
class First:
    """One node as the first of a direction: it sends heartbeats, and wants changes.

    Attributes:
        open: the number of the change that it wants and defers; 0: none.
        asked: what that asks for.
        heard: the indicator of an ack about that change; None: none has come.
        record: the record for its heartbeats; None: it has never asked.
        patience: what it has changed of its own; None: that of the group.
        sent_ms: when the last heartbeat to this peer alone was sent; None: one is due.
    """

    open: int = 0
    asked: Rhythm | None = None
    heard: bool | None = None
    record: HeartbeatRecord | None = None
    patience: Patience | None = None
    sent_ms: int | None = None

    @property
    def held(self) -> Rhythm | None:
        """What its heartbeats follow; None: the settings of the group."""
        return None if self.record is None else self.record.held

    @property
    def has_own_beats(self) -> bool:
        """Its heartbeats to this peer are not those to everybody."""
        return self.open > 0 or self.record is not None


class Duty(IntEnum):
    """What a second node has yet to do about the request that it has received last."""

    IDLE = 0
    RECEIVED = 1
    MODIFIED = 2
    REFUSED = 3
    READY = 4


@dataclass(frozen=True)
class Second:
    """One node as the second of a direction: it watches the other, and acks.

    Attributes:
        held: what its deadline follows; None: the settings of the group.
        request: the latest request; requests of a boot are numbered, so all before are decided.
        asked: what that asks for.
        duty: what is to be done about it.
        record: the record for its acks.
    """

    held: Rhythm | None = None
    request: PairChangeId | None = None
    asked: Rhythm | None = None
    duty: Duty = Duty.IDLE
    record: AckRecord | None = None

    def knows(self, change: PairChangeId) -> bool:
        """Return whether it has decided about a change."""
        if self.request is None or change > self.request:
            return False
        return change < self.request or self.duty is not Duty.RECEIVED

    def has_modified_for(self, change: PairChangeId) -> bool:
        """Return whether it has modified as this change asks, and nothing has come after it."""
        if change != self.request or self.duty in (Duty.RECEIVED, Duty.REFUSED):
            return False
        return self.duty is Duty.MODIFIED or self.record == AckRecord(change, indicator=True)
