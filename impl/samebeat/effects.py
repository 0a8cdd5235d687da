"""What a node asks of its host, and what it tells it.

The order is part of the meaning: a journal that is handed out must be durable before anything that
comes after it is done or sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from samebeat.ids import ChangeId, PairChangeId, View
from samebeat.parameters import Settings
from samebeat.sending import Failure


class Purpose(Enum):
    """Why settings are to be installed."""

    RESTORE = "the node has started"
    APPLY = "a change is applied"
    UNDO = "the pre-image is restored"
    ADOPT = "others have committed it"
    UNDO_LATE = "an operation that was given up has succeeded after all"


class Outcome(Enum):
    """How a change has ended at this node."""

    COMMITTED = "committed"
    UNDONE = "undone"
    PASSED = "others have gone on; the node has what they have, and not how this one ended"


@dataclass(frozen=True)
class Persist:
    """Make this journal durable in place of the one before, then say `persisted(number)`."""

    number: int
    journal: bytes


@dataclass(frozen=True)
class Install:
    """Run the local operation that makes these settings effective, then say `apply_finished`."""

    token: int
    settings: Settings
    purpose: Purpose


@dataclass(frozen=True)
class Decided:
    """A change has ended here."""

    change: ChangeId
    outcome: Outcome


@dataclass(frozen=True)
class PairDecided:
    """A change of a heartbeat pair that this node has asked for has ended.

    It is committed once this node has modified, too; it is undone if the peer has refused. A change
    of the whole group goes before it: then it has passed.
    """

    peer: str
    change: PairChangeId
    outcome: Outcome


@dataclass(frozen=True)
class Began:
    """A view has begun for this node."""

    view: View


@dataclass(frozen=True)
class Suspected:
    """A member is suspected to be dead."""

    member: str


@dataclass(frozen=True)
class TookItselfOut:
    """The node takes part in nothing any more; this is why."""

    reason: str


@dataclass(frozen=True)
class NotDelivered:
    """The message layer does not know that a message to a member was delivered.

    The change layer says it again, at its own slow pace, for as long as that matters.

    Attributes:
        member: to whom.
        what: the kind of the message.
        reason: whether it was not sent, or may have been delivered all the same.
    """

    member: str
    what: str
    reason: Failure


@dataclass(frozen=True)
class Rejected:
    """Something was received that is no message of this cluster."""

    source: str
    reason: str


Event: TypeAlias = (
    Persist
    | Install
    | Decided
    | PairDecided
    | Began
    | Suspected
    | TookItselfOut
    | NotDelivered
    | Rejected
)


@dataclass(frozen=True)
class Send:
    """A datagram; `to` is a member, or None for all others."""

    to: str | None
    data: bytes
