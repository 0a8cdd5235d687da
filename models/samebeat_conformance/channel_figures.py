"""What the five parameters of the message layer do, measured (claim 3).

Each function measures one figure on two linked channels: the same figure is what the parameter
promises. `change_under_load` measures all that a change of them does to messages under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from random import Random

from samebeat.messages import Fragment, FragmentAck, Piece
from samebeat.parameters import Settings
from samebeat.sending import Overflow
from samebeat_conformance.linked import Linked

_PATIENCE_MS = 50
"""After so long a caller tries again."""


def _only_acks(source: str, piece: Piece) -> list[int]:
    """Lose every fragment."""
    return [] if isinstance(piece, Fragment) else [0]


def fragments_per_message(settings: Settings, length: int) -> int:
    """Return in how many fragments a message of so many bytes goes."""
    link = Linked(settings)
    link.enqueue("a", bytes(length))
    link.run(0)
    assert link.ends["b"].delivered == [bytes(length)], "it has come"
    return len(link.fragments())


def first_retry_ms(settings: Settings) -> int:
    """Return how long after a message that is lost it is sent again."""
    link = Linked(settings)
    link.fate = _only_acks
    link.enqueue("a", b"lost")
    link.run(settings.message_retry_timer + 1)
    (first_ms, _), (second_ms, _) = link.fragments()
    return second_ms - first_ms


def copies_without_loss(settings: Settings, round_trip_ms: int) -> int:
    """Return how often a message is sent of which nothing is lost."""
    link = Linked(settings, delay_ms=0)
    link.fate = lambda source, piece: [round_trip_ms if source == "b" else 0]
    link.enqueue("a", b"slow")
    link.run(settings.maximum_message_retry_time)
    return len(link.fragments())


def give_up_ms(settings: Settings) -> int:
    """Return how long after it was sent a message is reported as given up."""
    link = Linked(settings)
    link.fate = _only_acks
    link.enqueue("a", b"lost")
    link.run(2 * settings.maximum_message_retry_time)
    ((failed_ms, _, _),) = link.ends["a"].failed
    return failed_ms - link.fragments()[0][0]


def overflows_at(settings: Settings) -> int:
    """Return which message in a row, to a peer that does not ack, is turned down."""
    link = Linked(settings)
    link.fate = _only_acks
    for number in count(1):
        try:
            link.enqueue("a", b"%d" % number)
        except Overflow:
            return number
    raise AssertionError("a queue without end")


def peak_in_flight(settings: Settings, messages: int) -> int:
    """Return how many messages are unacked at most, when so many are sent at once."""
    link = Linked(settings, delay_ms=1)
    peak = 0
    for number in range(messages):
        link.enqueue("a", b"%d" % number)
    while link.flying:
        peak = max(peak, len(link.ends["a"].channel.sending.flight))
        link.arrive()
    assert len(link.ends["b"].delivered) == messages, "all have come"
    return peak


@dataclass(frozen=True)
class UnderLoad:
    """What a change does to the messages under way.

    Attributes:
        messages: how many there were.
        lost: how many messages have neither come nor been reported.
        failed: how many have been reported as not known to have come.
        duplicated: how many have come more than once.
        refused: how many fragments the receiver could not take.
        largest: the largest fragment before, during and after the change, in bytes.
        peak: the most unacked messages before, during and after.
    """

    messages: int
    lost: int
    failed: int
    duplicated: int
    refused: int
    largest: tuple[int, ...]
    peak: tuple[int, ...]


def change_under_load(
    old: Settings, new: Settings, messages: int = 30, length: int = 300
) -> UnderLoad:
    """Change settings between two nodes that send to each other without a pause.

    As in a group change, both hold the change as open before either commits it. A third of the
    datagrams is lost, some come twice, and order is free. Three loads of messages are sent: before
    the change, in the middle of it, and after. What finds a full queue is tried again.
    """
    link = Linked(old, delay_ms=5)
    rng = Random(7)
    link.fate = lambda source, piece: [
        rng.randint(1, 5) for _ in range(rng.choice((0, 0, 1, 1, 1, 2)))
    ]
    largest: list[int] = []
    peaks: list[int] = []
    said = {"a": [_message("a", i, length) for i in range(3 * messages)]}
    said["b"] = [_message("b", i, length) for i in range(3 * messages)]
    change = _change(link, new)
    for phase in range(3):
        known = len(link.sent)
        loads = [slice(third, None, 3) for third in range(3)]
        peak = 0
        for load, n in product(loads, "ab"):
            if phase == 1:
                next(change, None)
                link.run(7)
            for data in said[n][phase * messages : (phase + 1) * messages][load]:
                _enqueue(link, n, data)
            peak = max(peak, _in_flight(link))
        while _in_flight(link):
            link.run(5)
            peak = max(peak, _in_flight(link))
        sizes = [len(p.data) for _, _, p in link.sent[known:] if isinstance(p, Fragment)]
        largest.append(max(sizes))
        peaks.append(peak)
    return UnderLoad(6 * messages, *_counted(link, said), tuple(largest), tuple(peaks))


def _enqueue(link: Linked, name: str, data: bytes) -> None:
    """Send a message; while the queue is full, the caller is told so, and tries again."""
    while True:
        try:
            return link.enqueue(name, data)
        except Overflow:
            link.run(_PATIENCE_MS)


def _message(name: str, number: int, length: int) -> bytes:
    return f"{name}{number};".encode().ljust(length, b".")


def _in_flight(link: Linked) -> int:
    return max(len(end.channel.sending.flight) for end in link.ends.values())


def _change(link: Linked, new: Settings) -> Iterator[None]:
    """Open the change at both, and commit it at one after the other; a step each time."""
    for n in "ab":
        link.open(n, new)
        yield
    for n in "ab":
        link.commit(n)
        yield


def _counted(link: Linked, said: dict[str, list[bytes]]) -> tuple[int, int, int, int]:
    """Return how many messages are lost, failed and duplicated, and how many pieces refused."""
    lost = failed = duplicated = 0
    for source, to in (("a", "b"), ("b", "a")):
        come = link.ends[to].delivered
        reported = {data for _, data, _ in link.ends[source].failed}
        lost += len(set(said[source]) - set(come) - reported)
        failed += len(reported)
        duplicated += len(come) - len(set(come))
    refused = sum(isinstance(p, FragmentAck) and p.to > p.sequence == 0 for _, _, p in link.sent)
    return lost, failed, duplicated, refused
