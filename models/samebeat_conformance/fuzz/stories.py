"""What may happen to one node, made of bytes: each byte is a choice.

Names, numbers and settings come from small sets, so that messages meet: about the same changes and
views, with the largest numbers there are, from members, from strangers and from the node itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, TypeVar

import msgspec

from samebeat import codec, messages
from samebeat.asking import OF_HEARTBEATS
from samebeat.config import Config, Transport
from samebeat.effects import Persist
from samebeat.ids import ChangeId, PairChangeId, View, ViewId, ordered
from samebeat.journal import Ballot, Mark, Open, Phase, Report
from samebeat.node import Node
from samebeat.parameters import Settings

T = TypeVar("T")

ME = "a"
MEMBERS = ("a", "b", "c")
_NAMES = (*MEMBERS, "b", "c", "x", "yy")
_NUMBERS = (0, 0, 1, 1, 2, 3, 2**53 - 1, 2**53)
_BASES = (0, 0, 1, 1, 2, 3, 2**53 - 2, 2**53 - 1)
_SEQUENCES = (1, 1, 2, 2, 3, 4, 2**53 - 1, 2**53)
_SETTINGS = (
    Settings(),
    Settings(heartbeat_interval=2_000),
    Settings(heartbeat_interval=1, heartbeat_failure_threshold=1),
    Settings(receive_send_timer_ratio=None),
    Settings(message_retry_timer=3_600_000),
    Settings(heartbeat_message_timeout=7, receive_send_timer_ratio=None),
)
_RHYTHMS = tuple(s.rhythm for s in _SETTINGS if s.rhythm.is_sound)
_LONGEST = 24
"""No story has more in it."""


@dataclass(frozen=True)
class Datagram:
    """Bytes arrive."""

    source: str
    data: bytes


@dataclass(frozen=True)
class Ask:
    """The host asks for a change."""

    values: dict[str, int | float | None]


@dataclass(frozen=True)
class AskPeer:
    """The host asks for a change with one peer."""

    peer: str
    values: dict[str, int | float | None]


@dataclass(frozen=True)
class Finish:
    """The host says how an operation went: the last one, or one before."""

    ago: int
    success: bool


@dataclass(frozen=True)
class Later:
    """Time passes, and the timer is called."""

    after_ms: int


class Choices:
    """Bytes, read one by one; when they are used up, the first choice is taken each time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_over(self) -> bool:
        """All bytes were used."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """Return the next byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def of(self, choices: Sequence[T]) -> T:
        """Return one of these."""
        return choices[self.byte() % len(choices)]

    def bytes(self, length: int) -> bytes:
        """Return the next bytes as they are."""
        self._at += length
        return self._data[self._at - length : self._at]

    def some(self, make: Callable[[], T], most: int) -> tuple[T, ...]:
        """Return up to so many."""
        return tuple(make() for _ in range(self.byte() % (most + 1)))


@cache
def _started(transport: Transport) -> Node:
    node = Node.first_start(Config("test", ME, MEMBERS, transport=transport), 1_000)
    node.apply_finished(node.state.token, True, 1_000)
    for event in node.events():
        if isinstance(event, Persist):
            node.persisted(event.number)
    node.data_to_send()
    return node


def first_node(transport: Transport = Transport.DATAGRAMS) -> Node:
    """Return a node that has started and said what it has to say."""
    return _started(transport).copy()


def transport_of(data: bytes) -> Transport:
    """Return how the node of this story says what it says: the first byte decides."""
    return Choices(data).of((Transport.DATAGRAMS, Transport.CHANNEL))


What: TypeAlias = Datagram | Ask | AskPeer | Finish | Later


def story(data: bytes) -> Iterator[What]:
    """Yield what the bytes say."""
    c = Choices(data)
    in_pieces = c.of((Transport.DATAGRAMS, Transport.CHANNEL)) is Transport.CHANNEL
    for _ in range(_LONGEST):
        if c.is_over:
            return
        kind = c.byte() % 16
        if kind < 10:
            message = _message(c)
            if in_pieces and c.byte() % 8:
                message = msgspec.structs.replace(message, body=_piece(c, codec.encode(message)))
            yield Datagram(c.of(_NAMES), codec.encode(message))
        elif kind == 10:
            yield Datagram(c.of(_NAMES), c.bytes(c.byte()))
        elif kind == 11:
            yield Datagram(c.of(_NAMES), _spoilt(c, codec.encode(_message(c))))
        elif kind == 12:
            yield Later(c.of((0, 1, 500, 1_000, 6_001, 20_000)))
        elif kind == 13:
            yield Ask({"heartbeat_interval": c.of((500, 2_000, 0)), **_odd(c)})
        elif kind == 14:
            name = c.of((*OF_HEARTBEATS, "message_retry_timer"))
            yield AskPeer(c.of(_NAMES), {name: c.of((1, 2, 900, None)), **_odd(c)})
        else:
            yield Finish(c.of((0, 0, 0, 1, 2)), c.of((True, True, False)))


def _odd(c: Choices) -> dict[str, int | float | None]:
    return c.of(({}, {}, {"nonsense": 1}, {"message_retry_timer": None}))


def _spoilt(c: Choices, data: bytes) -> bytes:
    at = c.byte() * 256 + c.byte()
    return data[: at % len(data)] + c.bytes(c.byte() % 4) + data[at % len(data) + 1 :]


def _message(c: Choices) -> messages.Message:
    cluster = c.of(("test",) * 15 + ("other",))
    return messages.Message(codec.VERSION, cluster, _view_id(c), c.of(_NUMBERS), _body(c))


def _view_id(c: Choices) -> ViewId:
    return ViewId(c.of(_NUMBERS), c.of(_NAMES))


def _view(c: Choices) -> View:
    members = c.of((MEMBERS, MEMBERS, ("a", "b"), ("b", "c"), ("a",), ("a", "x"), ("b", "a")))
    return View(_view_id(c), members)


def _change(c: Choices) -> ChangeId:
    return ChangeId(c.of(_BASES), c.of(_NAMES), c.of(_NUMBERS), c.of(_SEQUENCES))


def _maybe(c: Choices, make: Callable[[Choices], T]) -> T | None:
    return make(c) if c.byte() % 2 else None


def _ballot(c: Choices) -> Ballot:
    return Ballot(_view_id(c), c.of((True, False)))


def _open(c: Choices) -> Open:
    return Open(_change(c), _view(c), c.of(_SETTINGS), c.of(tuple(Phase)), _maybe(c, _ballot))


def _mark(c: Choices) -> Mark:
    name = c.of((*_NAMES, ""))
    return Mark(name or f"z{c.byte()}", c.of(_NUMBERS), c.of(_NUMBERS))


def _stranger(c: Choices) -> Open:
    """An open change of somebody whose name was never heard before."""
    found = _open(c)
    name = f"z{c.byte()}"
    return msgspec.structs.replace(found, id=msgspec.structs.replace(found.id, initiator=name))


def _report(c: Choices) -> Report:
    opens = (*c.some(lambda: _open(c), 3), *c.some(lambda: _stranger(c), 13))
    marks = c.some(lambda: _mark(c), 4)
    return Report(
        _view(c), c.of(_NUMBERS), _maybe(c, _change), c.of(_SETTINGS), opens, _in_order(marks)
    )


def _in_order(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    by_name = {m.initiator: m for m in marks}
    return tuple(by_name[n] for n in ordered(by_name))


def _piece(c: Choices, data: bytes) -> messages.Fragment:
    """A fragment, sound or not, which mostly is a whole message."""
    size = c.of((1_400, 1_400, 1_400, 64))
    index = c.of((0, 0, 0, 1, 251)) if size == 64 else 0
    piece = (data[index * size :][:size] or b"x") if c.byte() % 16 else c.bytes(8) + b"x"
    few = (1, 1, 2, 3, 4, 5, 2**53 - 1)
    return messages.Fragment(
        c.of((1, 1, 1, 2, 2**53)), c.of((1, 1, 1, 0, 2)), c.of(_NUMBERS), c.of(few), c.of(few),
        index, size, min(len(data), messages.MAX_PAYLOAD), piece,
    )  # fmt: skip


def _piece_ack(c: Choices) -> messages.FragmentAck:
    return messages.FragmentAck(
        c.of((1, 1, 1, 2, 2**53)), c.of((1, 1, 0, 2)), c.of(_NUMBERS), c.of(_NUMBERS),
        c.of(_NUMBERS), c.of((0, 0, 1, 251)), c.of((64, 1_400, 65_507)), c.of((1, 64, 65_535)),
    )  # fmt: skip


def _notice(c: Choices) -> messages.Notice:
    return messages.Notice(
        c.of((1, 1, 1, 2, 2**53)), c.of((1, 1, 1, 0, 2)), c.of(_NUMBERS), c.of((1, 2, 5, 2**53 - 1))
    )


def _record(c: Choices) -> messages.HeartbeatRecord:
    asked, held = c.of(_RHYTHMS), c.of((None, *_RHYTHMS))
    return messages.HeartbeatRecord(c.of(_SEQUENCES), c.of((True, False)), asked, held)


def _ack_record(c: Choices) -> messages.AckRecord:
    change = PairChangeId(c.of(_NUMBERS), c.of(_SEQUENCES))
    return messages.AckRecord(change, c.of((True, False)))


def _body(c: Choices) -> messages.AnyBody:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: messages.Request(_change(c), _view(c), c.of(_SETTINGS)),
        lambda: messages.Ack(_change(c)),
        lambda: messages.Ok(_change(c)),
        lambda: messages.Failure(_change(c)),
        lambda: messages.Vote(_change(c), _ballot(c)),
        lambda: messages.Closed(_change(c)),
        lambda: messages.Committed(_change(c), c.of(_SETTINGS)),
        lambda: messages.Told(_report(c), c.of((True, False))),
        lambda: messages.Told(_report(c), c.of((True, False))),
        lambda: messages.Join(),
        lambda: messages.Heartbeat(
            c.of(_NUMBERS), c.of(_NUMBERS), _maybe(c, _change), _maybe(c, _record)
        ),
        lambda: messages.HeartbeatAck(c.of(_NUMBERS), c.of(_NUMBERS), _maybe(c, _ack_record)),
        lambda: _piece(c, c.bytes(40)),
        lambda: _piece_ack(c),
        lambda: _notice(c),
    )
    body: messages.AnyBody = c.of(makers)()
    return body
