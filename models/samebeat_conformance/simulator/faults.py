"""What may go wrong in a run: happenings at a time, and the fate of single messages and operations.

A run is made of a seed, or of a list of these. What a seed has drawn is noted as such a list, so
that the run can be repeated without the seed, and then without most of the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, TypeVar

from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck
from samebeat_conformance.simulator.disk import Unsynced
from samebeat_conformance.simulator.draws import between, chance


class Kind(StrEnum):
    """The kinds of faults, as they are counted."""

    LOSS = "loss"
    COPY = "duplication"
    DELAY = "delay"
    PARTITION = "partition"
    PAUSE = "pause"
    CRASH = "crash"
    RESTART = "restart"
    LOST_WRITE = "lost write"
    KEPT_WRITE = "unconfirmed write kept"
    TORN_WRITE = "torn write"
    LOST_JOURNAL = "lost journal"
    SLOW_DISK = "slow disk"
    SKEW = "clock skew"
    FAILING_APPLY = "failing apply"
    HANGING_APPLY = "hanging apply"
    SLOW_APPLY = "slow apply"
    FAILING_UNDO = "failing undo"
    """or a restore, or an adoption: the node takes itself out"""


@dataclass(frozen=True)
class Ask:
    """A node is asked for a change."""

    at_us: int
    node: str
    values: tuple[tuple[str, int | float | None], ...]


@dataclass(frozen=True)
class Crash:
    """A node stops.

    Attributes:
        after: it still carries out so many effects.
        in_write: it stops in the middle of its next write.
        unsynced: what becomes of a write that is under way.
        part: of a torn one, so many thousandths are written.
    """

    at_us: int
    node: str
    after: int = 0
    unsynced: Unsynced = Unsynced.LOST
    part: int = 0
    in_write: bool = False


@dataclass(frozen=True)
class Restart:
    """A node comes back, if it is down."""

    at_us: int
    node: str


@dataclass(frozen=True)
class Cut:
    """Nothing passes from some nodes to others for a while."""

    at_us: int
    until_us: int
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Pause:
    """A node does nothing for a while; what arrives waits."""

    at_us: int
    until_us: int
    node: str


Happening: TypeAlias = Ask | Crash | Restart | Cut | Pause


@dataclass(frozen=True)
class MessageFate:
    """What becomes of the message with this number from one node to another."""

    source: str
    to: str
    number: int
    kind: Kind
    late_us: int = 0


@dataclass(frozen=True)
class WorkFate:
    """How the local operation with this number goes; by itself it succeeds, and soon."""

    node: str
    number: int
    kind: Kind
    lasts_us: int
    success: bool = True


@dataclass(frozen=True)
class SyncFate:
    """The write with this number takes so long."""

    node: str
    number: int
    lasts_us: int


Fate: TypeAlias = MessageFate | WorkFate | SyncFate
Item: TypeAlias = Happening | Fate
FateType = TypeVar("FateType", MessageFate, WorkFate, SyncFate)

NO_DELAY_US = 1_000
"""What a message, a write or an operation takes if nothing is said of it."""


class Fates(Protocol):
    """Says what becomes of each message, operation and write."""

    def message(self, source: str, to: str, number: int, body: AnyBody) -> MessageFate | None:
        """Return what is special about a message, if anything is."""

    def work(self, node: str, number: int) -> WorkFate | None:
        """Return what is special about a local operation."""

    def sync(self, node: str, number: int) -> SyncFate | None:
        """Return what is special about a write."""


class Fixed:
    """The fates in a list, and no others."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._messages: dict[tuple[str, str, int], MessageFate] = {}
        self._work: dict[tuple[str, int], WorkFate] = {}
        self._syncs: dict[tuple[str, int], SyncFate] = {}
        for item in items:
            match item:
                case MessageFate():
                    self._messages[item.source, item.to, item.number] = item
                case WorkFate():
                    self._work[item.node, item.number] = item
                case SyncFate():
                    self._syncs[item.node, item.number] = item

    def message(self, source: str, to: str, number: int, body: AnyBody) -> MessageFate | None:
        """Return what the list says of a message."""
        return self._messages.get((source, to, number))

    def work(self, node: str, number: int) -> WorkFate | None:
        """Return what the list says of a local operation."""
        return self._work.get((node, number))

    def sync(self, node: str, number: int) -> SyncFate | None:
        """Return what the list says of a write."""
        return self._syncs.get((node, number))


@dataclass(frozen=True)
class Rates:
    """How often each thing goes wrong, of 1, and how badly.

    Attributes:
        losses_in_a_row: of heartbeats and their acks, on one link each; None: no limit.
    """

    loss: float = 0.06
    copy: float = 0.05
    delay: float = 0.10
    delay_us: int = 3_000_000
    losses_in_a_row: int | None = None
    fails: float = 0.10
    hangs: float = 0.05
    hang_us: int = 30_000_000
    late_success: float = 0.5
    slow: float = 0.20
    slow_us: int = 4_000_000
    slow_disk: float = 0.15
    sync_us: int = 60_000


class Drawn:
    """Fates drawn from a seed; `noted` has all that were, in order."""

    def __init__(self, seed: int, rates: Rates) -> None:
        self.noted: list[Fate] = []
        self._seed, self._rates = seed, rates
        self._streaks: Counter[tuple[str, str, type]] = Counter()

    def message(self, source: str, to: str, number: int, body: AnyBody) -> MessageFate | None:
        """Draw what becomes of a message."""
        rates, key = self._rates, ("message", source, to, number)
        luck = chance(self._seed, *key)
        late_us = between(NO_DELAY_US, rates.delay_us, self._seed, *key, "late")
        link = (source, to, type(body))
        if luck < rates.loss and self._may_lose(link, body):
            self._streaks[link] += 1
            return self._note(MessageFate(source, to, number, Kind.LOSS))
        self._streaks[link] = 0
        luck -= rates.loss
        if 0 <= luck < rates.copy:
            return self._note(MessageFate(source, to, number, Kind.COPY, late_us))
        if 0 <= luck - rates.copy < rates.delay:
            return self._note(MessageFate(source, to, number, Kind.DELAY, late_us))
        return None

    def _may_lose(self, link: tuple[str, str, type], body: AnyBody) -> bool:
        most = self._rates.losses_in_a_row
        counted = isinstance(body, Heartbeat | HeartbeatAck)
        return most is None or not counted or self._streaks[link] < most

    def work(self, node: str, number: int) -> WorkFate | None:
        """Draw how a local operation goes."""
        rates, key = self._rates, ("work", node, number)
        luck = chance(self._seed, *key)
        if luck < rates.fails:
            return self._note(WorkFate(node, number, Kind.FAILING_APPLY, NO_DELAY_US, False))
        luck -= rates.fails
        if 0 <= luck < rates.hangs:
            lasts_us = between(10_000_000, rates.hang_us, self._seed, *key, "hangs")
            success = chance(self._seed, *key, "late") < rates.late_success
            return self._note(WorkFate(node, number, Kind.HANGING_APPLY, lasts_us, success))
        if 0 <= luck - rates.hangs < rates.slow:
            lasts_us = between(NO_DELAY_US, rates.slow_us, self._seed, *key, "slow")
            return self._note(WorkFate(node, number, Kind.SLOW_APPLY, lasts_us))
        return None

    def sync(self, node: str, number: int) -> SyncFate | None:
        """Draw how long a write takes."""
        rates, key = self._rates, ("sync", node, number)
        if chance(self._seed, *key) >= rates.slow_disk:
            return None
        return self._note(
            SyncFate(node, number, between(NO_DELAY_US, rates.sync_us, self._seed, *key, "lasts"))
        )

    def _note(self, fate: FateType) -> FateType:
        self.noted.append(fate)
        return fate
