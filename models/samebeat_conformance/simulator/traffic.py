"""What becomes of the messages of a cluster: how many are lost or come twice, whatever changes.

It is read off the channels of both ends, not off what they say of themselves to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from samebeat.codec import decode
from samebeat.effects import Event, NotDelivered
from samebeat.messages import AnyBody, Fragment, FragmentAck, Notice, Piece
from samebeat_conformance.simulator.clock import US
from samebeat_conformance.simulator.cluster import Cluster, Observer
from samebeat_conformance.simulator.draws import between, chance
from samebeat_conformance.simulator.faults import Kind, MessageFate

_SEED = 45
_LOSS, _COPY, _DELAY = 0.25, 0.15, 0.3
_LONGEST_US = 60 * US


@dataclass(frozen=True)
class Harm:
    """What a change has done to what was under way.

    Attributes:
        messages: how many there were.
        lost: how many of them have not come, or are not known to have come.
        duplicated: how many have come more than once.
        suspicions: how often somebody was suspected, who was alive.
        refused: how many fragments a member could not take.
    """

    messages: int
    lost: int
    duplicated: int
    suspicions: int
    refused: int = 0

    def __add__(self, other: Harm) -> Harm:
        return Harm(
            self.messages + other.messages,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.suspicions + other.suspicions,
            self.refused + other.refused,
        )

    @property
    def is_none(self) -> bool:
        """Nothing was lost or refused, nothing came twice, and nobody was suspected."""
        return not (self.lost or self.duplicated or self.suspicions or self.refused)


class Traffic(Observer):
    """Counts messages; nobody may restart."""

    def __init__(self) -> None:
        self.failed = 0
        self.duplicated = 0
        self._floors: dict[tuple[str, str], int] = {}
        self._below: dict[tuple[str, str], int] = {}
        self._top: dict[tuple[str, str], int] = {}

    def told(self, cluster: Cluster, node: str, event: Event) -> None:
        """A message is not known to have come."""
        self.failed += isinstance(event, NotDelivered)

    def received(self, cluster: Cluster, node: str, source: str, data: bytes) -> None:
        """Note from which message on a stream goes, should it have been forgotten."""
        body = decode(data).body
        if isinstance(body, Fragment | Notice):
            self._floors[node, source] = body.floor

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Note what has been delivered: what is below a number, and was not before."""
        core = cluster.machines[node].node
        for peer, channel in core.state.channels.items() if core is not None else ():
            key, receiving = (node, peer), channel.receiving
            if not receiving.boot:
                self._below.pop(key, None)
                continue
            first = self._below.get(key, self._floors.get(key, 1))
            top = self._top.get(key, 1)
            self.duplicated += len(range(first, min(top, receiving.below)))
            self._below[key] = receiving.below
            self._top[key] = max(top, receiving.below)

    def harm(self, cluster: Cluster, suspicions: int) -> Harm:
        """Return what has become of all messages; what is still under way counts as lost."""
        messages = missing = 0
        for node, machine in cluster.machines.items():
            assert machine.node is not None, "nobody is down"
            for peer, channel in machine.node.state.channels.items():
                sending = channel.sending
                messages += sending.last + len(sending.queue)
                missing += sending.last + 1 - self._top.get((peer, node), 1) + len(sending.queue)
        return Harm(messages, missing + self.failed, self.duplicated, suspicions)


def _number(piece: Piece) -> int:
    """Return what tells it from others of its kind."""
    match piece:
        case Fragment():
            return piece.sequence
        case FragmentAck():
            return piece.number
        case Notice():
            return piece.floor


def disturbed(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
    """Lose, repeat and delay pieces of messages, and let heartbeats alone."""
    if not isinstance(body, Piece):
        return None
    number = _number(body)
    key = (type(body).__name__, source, to, number, now_us)
    luck = chance(_SEED, *key)
    late_us = between(US, _LONGEST_US, _SEED, *key, "late")
    if luck < _LOSS:
        return MessageFate(source, to, 0, Kind.LOSS)
    if luck < _LOSS + _COPY:
        return MessageFate(source, to, 0, Kind.COPY, late_us)
    return MessageFate(source, to, 0, Kind.DELAY, late_us) if luck < _LOSS + _DELAY else None
