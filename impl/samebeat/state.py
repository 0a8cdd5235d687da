"""All that a node knows, and what waits to be handed to its host.

Every value in here is immutable, and a map is replaced and never changed in place. So a shallow
copy is a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from msgspec import structs

from samebeat.channel import Channel
from samebeat.config import Config
from samebeat.deferral import First, Second
from samebeat.effects import Event, Purpose
from samebeat.ids import ChangeId, View, ViewId
from samebeat.journal import Ballot, Journal, Mark, Open, Report, covers, marked
from samebeat.messages import AnyBody, Committed
from samebeat.pair import AckWatch, Watch
from samebeat.parameters import Settings

K = TypeVar("K")
V = TypeVar("V")


def frozen(entries: Mapping[K, V] | None = None) -> Mapping[K, V]:
    """Return a map that nobody can change."""
    return MappingProxyType(dict(entries or {}))


def with_entry(entries: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """Return the map with one entry set."""
    return MappingProxyType({**entries, key: value})


def without(entries: Mapping[K, V], *keys: K) -> Mapping[K, V]:
    """Return the map without some entries."""
    return MappingProxyType({k: v for k, v in entries.items() if k not in keys})


@dataclass(frozen=True)
class Heard:
    """What others have said about a change. It is in no journal: they say it again.

    Attributes:
        acks: who has acked; a status says that, too.
        oks: who has applied.
        failed: somebody could not, or has closed the change as undone.
        ballots: the latest vote of each member.
    """

    acks: frozenset[str] = frozenset()
    oks: frozenset[str] = frozenset()
    failed: bool = False
    ballots: Mapping[str, Ballot] = field(default_factory=frozen)


@dataclass(frozen=True)
class Operation:
    """A local operation that the host runs."""

    token: int
    purpose: Purpose
    settings: Settings
    started_ms: int
    change: ChangeId | None = None


@dataclass
class State:
    """One node.

    Attributes:
        journal: what is, or is about to be, on disk.
        now_ms: the latest time that was passed in.
        sequence: how many changes the node has asked for in this boot.
        heard: what others have said about changes.
        reports: the reports to the view that the node has promised.
        promised_ms: when it has, in this boot.
        seen: the latest view id that was in any message.
        outside: the node knows of a later view that it is not in.
        joiners: who asks to be let in, and when they last did.
        suspected: the members that are suspected.
        wish: the members that the next view should have, and since when.
        ahead: what others have committed and this node has not.
        operation: the local operation that runs.
        given_up: the operation that was given up and goes on.
        installed: the settings that the last local operation has made effective.
        active: the node sends heartbeats.
        beat: the sequence of the last heartbeat; when it was sent.
        watches, ack_watches: what is known of each peer.
        owed: boot and sequence of the heartbeat of each peer that is to be acked.
        firsts, seconds: the changes with single peers, as first and as second node.
        pair_changes: how many of these the node has asked for in this boot.
        channels: what the message layer keeps for each other member; none on bare datagrams.
        repeat_ms: when what is unfinished is sent again.
        sends: what goes out at the end of this input.
        events: what the host is told at the end of this input.
    """

    config: Config
    journal: Journal
    now_ms: int = 0
    sequence: int = 0
    heard: Mapping[ChangeId, Heard] = field(default_factory=frozen)
    reports: Mapping[str, Report] = field(default_factory=frozen)
    promised_ms: int = 0
    seen: ViewId | None = None
    outside: bool = False
    joiners: Mapping[str, int] = field(default_factory=frozen)
    suspected: frozenset[str] = frozenset()
    wish: tuple[tuple[str, ...], int] = ((), 0)
    ahead: Committed | None = None
    operation: Operation | None = None
    given_up: Operation | None = None
    installed: Settings | None = None
    active: bool = False
    beat: tuple[int, int | None] = (0, None)
    watches: Mapping[str, Watch] = field(default_factory=frozen)
    ack_watches: Mapping[str, AckWatch] = field(default_factory=frozen)
    owed: Mapping[str, tuple[int, int]] = field(default_factory=frozen)
    firsts: Mapping[str, First] = field(default_factory=frozen)
    seconds: Mapping[str, Second] = field(default_factory=frozen)
    pair_changes: int = 0
    channels: Mapping[str, Channel] = field(default_factory=frozen)
    repeat_ms: int = 0
    token: int = 0
    sends: tuple[tuple[str | None, AnyBody], ...] = ()
    events: tuple[Event, ...] = ()

    def copy(self) -> State:
        """Return a snapshot."""
        return copy(self)

    def say(self, body: AnyBody, to: str | None = None) -> None:
        """Send a message at the end of this input, after the journal."""
        self.sends = (*self.sends, (to, body))

    def tell(self, event: Event) -> None:
        """Tell the host."""
        self.events = (*self.events, event)

    def write(self, **changes: object) -> None:
        """Change the journal; it is handed out once, at the end of this input."""
        self.journal = structs.replace(self.journal, **changes)

    @property
    def view(self) -> View:
        """The view that has begun for the node."""
        return self.journal.view

    @property
    def promised(self) -> View:
        """The view that the node has reported to last."""
        return self.journal.promise.view

    @property
    def is_ready(self) -> bool:
        """The promised view has begun, and what was reported to it is at hand."""
        return self.view == self.promised and self.has_all_reports

    @property
    def has_all_reports(self) -> bool:
        """Every member of the promised view has reported to it."""
        return all(name in self.reports for name in self.promised.members)

    @property
    def is_behind(self) -> bool:
        """Others have committed what the node has not."""
        return self.ahead is not None and self.ahead.epoch > self.journal.epoch

    @property
    def is_restoring(self) -> bool:
        """The node has started, and its settings are not in effect yet."""
        return self.operation is not None and self.operation.purpose is Purpose.RESTORE

    def replace_open(self, old: Open, **changes: object) -> Open:
        """Journal a step of an open change, and return it."""
        new: Open = structs.replace(old, **changes)
        self.write(opens=tuple(new if o.id == old.id else o for o in self.journal.opens))
        return new

    def mark_undone(self, change: ChangeId) -> None:
        """Journal that a change from the present epoch is undone; it is open no more."""
        self.heard = without(self.heard, change)
        mark = Mark(change.initiator, change.boot, change.sequence)
        self.write(
            opens=tuple(o for o in self.journal.opens if o.id != change),
            undone=marked(self.journal.undone, mark),
        )

    def knows_undone(self, change: ChangeId) -> bool:
        """Return whether a change from the present epoch is undone here."""
        return change.base == self.journal.epoch and covers(self.journal.undone, change)
