"""One end of a channel, spoken to by hand, for tests of the message layer."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from samebeat.channel import Channel, Holds
from samebeat.messages import Fragment, Piece
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import Takes
from samebeat_conformance.linked import Linked

SETTINGS = Settings(message_retry_timer=100, maximum_message_retry_time=1_000)
SMALL = Settings(
    message_retry_timer=100, maximum_message_retry_time=1_000, maximum_fragment_size=64
)
LONG = bytes(range(256))


def losing(link: Linked, *lost: int) -> None:
    """Lose the fragments with these numbers, counted from now on."""
    numbers = iter(range(1_000_000))
    link.fate = lambda source, piece: (
        [] if isinstance(piece, Fragment) and next(numbers) in lost else [link.delay_ms]
    )


def deaf(source: str, piece: Piece) -> list[int]:
    """Nothing gets through."""
    return []


def fragment(sequence: int = 1, **changes: Any) -> Fragment:
    """A fragment of `a`, which is a whole message."""
    fields: dict[str, Any] = {
        "boot": 1,
        "to": 1,
        "epoch": 0,
        "floor": 1,
        "sequence": sequence,
        "index": 0,
        "size": 1_400,
        "length": 4,
        "data": b"%4d" % sequence,
    }
    return Fragment(**{**fields, **changes})


def holds(held: Settings = SETTINGS, epoch: int = 0) -> Holds:
    """What a node holds that has these settings and no change open."""
    return Holds(epoch, held, Takes.of(held, Assumptions()))


def receiver(held: Settings = SETTINGS) -> Channel:
    """A node's end of a channel, in its first boot."""
    channel = Channel.start(1, holds(held).takes)
    channel.to_send()
    return channel


def hear(
    channel: Channel, *pieces: Piece, now_ms: int = 0, held: Holds | None = None
) -> list[bytes]:
    """Return what is delivered when these come."""
    for piece in pieces:
        channel.receive(piece, now_ms, held or holds())
    return list(channel.delivered())


def replace_settings(old: Settings, **values: int) -> Settings:
    """Settings with some values replaced."""
    return structs.replace(old, **values)
