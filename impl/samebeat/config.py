"""What a node is told before it starts, and never changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import msgspec

from samebeat.ids import MAX_MEMBERS, Members, Name, View, ViewId, ordered
from samebeat.parameters import Assumptions, Settings, problems


class Transport(Enum):
    """How the messages of a group change get from member to member."""

    CHANNEL = "in fragments, acked, sent again, in order and at most once"
    DATAGRAMS = "each as one datagram, which the change layer itself repeats"


@dataclass(frozen=True)
class Config:
    """One node's place in a cluster.

    Attributes:
        cluster: the label that all messages of the cluster carry.
        me: the name of this node.
        members: the names of all configured members, this node included.
        start: what all members hold in epoch 0.
        assumed: what settings must suit.
        watchdog_ms: a local operation that takes longer is given up.
        view_timeout_ms: a view that has not begun after this is replaced by another one.
        stagger_ms: members propose one after the other, so far apart.
        transport: the same for all members. The change layer is safe on either; on datagrams the
            parameters of the message layer have no effect, but for the retry timer. That is for
            holding the change layer against its spec, and for tests of it alone.

    Raises:
        ValueError: it contradicts itself; the message says where.
    """

    cluster: str
    me: str
    members: tuple[str, ...]
    start: Settings = field(default_factory=Settings)
    assumed: Assumptions = field(default_factory=Assumptions)
    watchdog_ms: int = 10_000
    view_timeout_ms: int = 5_000
    stagger_ms: int = 500
    transport: Transport = Transport.CHANNEL

    def __post_init__(self) -> None:
        try:
            msgspec.convert(self.cluster, Name)
            msgspec.convert(self.members, Members)
        except msgspec.ValidationError as error:
            raise ValueError(f"config: labels or names: {error}") from None
        if self.members != ordered(self.members):
            raise ValueError("config: members: list each name once, in order")
        if self.me not in self.members:
            raise ValueError(f"config: {self.me!r} is not among the {MAX_MEMBERS} or fewer members")
        if min(self.watchdog_ms, self.view_timeout_ms, self.stagger_ms) < 1:
            raise ValueError("config: times are 1 ms at least")
        wrong = problems(self.start, self.assumed)
        if wrong:
            raise ValueError(f"config: start: {wrong[0]}")

    @property
    def others(self) -> tuple[str, ...]:
        """All configured members but this node."""
        return tuple(name for name in self.members if name != self.me)

    @property
    def first_view(self) -> View:
        """The view of all configured members, in which everybody starts."""
        return View(ViewId(0, self.members[0]), self.members)
