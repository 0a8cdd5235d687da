"""What members say to each other.

Each message carries the version, the cluster's label, the sender's view and its epoch; so whoever
is behind is seen to be. Who has sent it is known from where it comes.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from samebeat.ids import LARGEST, ChangeId, Name, Natural, PairChangeId, View, ViewId
from samebeat.journal import Ballot, Report
from samebeat.parameters import Rhythm, Settings


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


class HeartbeatRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a first node says in its heartbeats of a change between the two (claim 23).

    Attributes:
        change: the number of its latest change, in this boot.
        indicator: the change request indicator: it asks for that change.
        asked: what that change asks for.
        held: what its heartbeats follow; None: the settings of the group.

    Raises:
        ValueError: the time-out and the ratio are both set, or neither.
    """

    change: Annotated[int, Meta(ge=1, le=LARGEST)]
    indicator: bool
    asked: Rhythm
    held: Rhythm | None = None

    def __post_init__(self) -> None:
        if not self.asked.is_sound or not (self.held is None or self.held.is_sound):
            raise ValueError("a rhythm has either a time-out or a ratio")


class Heartbeat(Body, frozen=True, tag="heartbeat"):
    """I am here. The epoch of the message and this change say what I have decided last.

    What the sender has of its own with this one peer is in the record, if there is anything.
    """

    boot: Natural
    sequence: Natural
    last: ChangeId | None
    record: HeartbeatRecord | None = None


class AckRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a second node says in its acks of a change that it was asked for (claim 23).

    Attributes:
        change: the change.
        indicator: the change request indicator: I have modified; otherwise I have refused.
    """

    change: PairChangeId
    indicator: bool


class HeartbeatAck(Body, frozen=True, tag="heartbeat-ack"):
    """I have received this heartbeat of yours; and this is what I have made of your requests."""

    boot: Natural
    sequence: Natural
    record: AckRecord | None = None


MIN_FRAGMENT = 64
"""Every node takes fragments of so many bytes."""
MAX_PAYLOAD = 16_128
"""No message that goes in fragments is longer, in bytes."""
MAX_FRAGMENTS = MAX_PAYLOAD // MIN_FRAGMENT
"""No message has more fragments."""

FragmentSize = Annotated[int, Meta(ge=MIN_FRAGMENT, le=65_507)]
Index = Annotated[int, Meta(ge=0, lt=MAX_FRAGMENTS)]


class Fragment(Body, frozen=True, tag="fragment"):
    """A piece of a message to one member; what it is a piece of is a message of its own.

    Attributes:
        boot: mine, which names the stream.
        to: yours, as far as I know; 0: I do not, and ask for it.
        epoch: nothing of mine is under way that was first sent in an earlier epoch.
        floor: nothing below comes any more: it is acked or given up.
        sequence: the number of the message in the stream.
        index, size, length: which piece, how large pieces are, and how long the message is.
        data: the piece.
    """

    boot: Natural
    to: Natural
    epoch: Natural
    floor: Annotated[int, Meta(ge=1, lt=LARGEST)]
    sequence: Annotated[int, Meta(ge=1, lt=LARGEST)]
    index: Index
    size: FragmentSize
    length: Annotated[int, Meta(ge=1, le=MAX_PAYLOAD)]
    data: Annotated[bytes, Meta(min_length=1, max_length=MAX_PAYLOAD)]


class FragmentAck(Body, frozen=True, tag="fragment-ack"):
    """I have this piece, and all that is below; and this is what I take.

    Attributes:
        boot: mine.
        to: that of the stream that this is about; 0: of none, I have just started.
        number: counts my acks of the stream; what the latest one says that I take counts.
        below: every message below is delivered, or given up by you.
        sequence, index: the piece that I have; sequence 0: none.
        size, window: how large a piece, and how many messages from `below` on, I take.
    """

    boot: Natural
    to: Natural
    number: Natural
    below: Natural
    sequence: Natural
    index: Index
    size: FragmentSize
    window: Annotated[int, Meta(ge=1, le=65_535)]


class Notice(Body, frozen=True, tag="notice"):
    """What each fragment says besides its data, where none is sent that would say it.

    Attributes:
        boot, to: of the stream, as in a fragment.
        epoch: as in a fragment.
        floor: nothing below is sent any more.
    """

    boot: Natural
    to: Natural
    epoch: Natural
    floor: Annotated[int, Meta(ge=1, lt=LARGEST)]


Piece: TypeAlias = Fragment | FragmentAck | Notice
"""What goes from one end of a channel to the other."""

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
    | Fragment
    | FragmentAck
    | Notice
)


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message as it is sent."""

    version: Annotated[int, Meta(ge=1, le=1)]
    cluster: Name
    view: ViewId
    epoch: Natural
    body: AnyBody
