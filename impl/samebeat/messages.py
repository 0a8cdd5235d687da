"""What members say to each other.

Each message carries the version, the cluster's label, the sender's view and its epoch; so whoever
is behind is seen to be. Who has sent it is known from where it comes.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from samebeat.ids import ChangeId, Name, Natural, View, ViewId
from samebeat.journal import Ballot, Report
from samebeat.parameters import Settings


class Body(Struct, frozen=True, array_like=True, tag=True, forbid_unknown_fields=True):
    """What a message says."""


class Request(Body, frozen=True, tag="request"):
    """Somebody asks for a change of a view; whoever has it open may repeat that."""

    change: ChangeId
    home: View
    settings: Settings


class Ack(Body, frozen=True, tag="ack"):
    """I have received the request and take part."""

    change: ChangeId


class Ok(Body, frozen=True, tag="ok"):
    """I have applied."""

    change: ChangeId


class Failure(Body, frozen=True, tag="failure"):
    """I could not apply; my value has not changed."""

    change: ChangeId


class Vote(Body, frozen=True, tag="vote"):
    """I vote on a change, in one view."""

    change: ChangeId
    ballot: Ballot


class Closed(Body, frozen=True, tag="closed"):
    """I have closed the change as undone, or was busy with another one and closed it at once."""

    change: ChangeId


class Committed(Body, frozen=True, tag="committed"):
    """This is the last change that I have committed; it led to the epoch after its base."""

    change: ChangeId
    settings: Settings

    @property
    def epoch(self) -> int:
        """The epoch that it led to."""
        return self.change.base + 1


class Told(Body, frozen=True, tag="told"):
    """My report to a view; it proposes the view to whoever does not know it.

    Attributes:
        wants: whether I lack a report and ask for yours.
    """

    report: Report
    wants: bool


class Join(Body, frozen=True, tag="join"):
    """I am in no view, and want to be."""


class Heartbeat(Body, frozen=True, tag="heartbeat"):
    """I am here. The epoch of the message and this change say what I have decided last."""

    boot: Natural
    sequence: Natural
    last: ChangeId | None


class HeartbeatAck(Body, frozen=True, tag="heartbeat-ack"):
    """I have received this heartbeat of yours."""

    boot: Natural
    sequence: Natural


AnyBody: TypeAlias = (
    Request
    | Ack
    | Ok
    | Failure
    | Vote
    | Closed
    | Committed
    | Told
    | Join
    | Heartbeat
    | HeartbeatAck
)


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message as it is sent."""

    version: Annotated[int, Meta(ge=1, le=1)]
    cluster: Name
    view: ViewId
    epoch: Natural
    body: AnyBody
