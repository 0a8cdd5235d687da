"""What is none of the cluster's own messages must change nothing.

Late and repeated datagrams need nothing of their own: each datagram that was ever sent can reach
each node in each later state of the product.

Bytes that are no message are told so by the codec, whatever state a node is in. So each datagram of
an exploration is cut at each length and has each bit flipped once, and a few of what is rejected
then goes to each state of each node. A flipped bit can give another valid message, which is one of
a member that lies; those are counted, and nothing is said about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from msgspec import structs

from samebeat import codec
from samebeat.ids import ChangeId, View, ViewId
from samebeat.journal import Ballot
from samebeat.messages import Ack, AnyBody, Closed, Message, Ok, Request, Vote
from samebeat_conformance.concrete import Local, Nodes
from samebeat_conformance.inputs import Deliver
from samebeat_conformance.network import Network

_RANDOM, _LONGEST = 64, 200
"""How many random datagrams there are, and how many bytes they have at most."""
_SAMPLE = 3
"""How much garbage of each kind goes to each state of a node."""


@dataclass
class Noise:
    """What came of it.

    Attributes:
        rejected: how many garbled datagrams the codec has rejected.
        other_messages: how many garbled ones are valid messages that nobody has sent.
        foreign: how often a datagram of others was given to a node.
        garbage: the same for garbage.
        failures: what has changed something, in words.
    """

    rejected: int = 0
    other_messages: int = 0
    foreign: int = 0
    garbage: int = 0
    failures: tuple[str, ...] = ()

    def joined_with(self, other: Noise) -> Noise:
        """Return what came of both."""
        return Noise(
            self.rejected + other.rejected,
            self.other_messages + other.other_messages,
            self.foreign + other.foreign,
            self.garbage + other.garbage,
            (*self.failures, *other.failures),
        )


def make_noise(nodes: Nodes, network: Network) -> Noise:
    """Give what is foreign and what is garbage to each node in each state that it was in."""
    noise = Noise()
    kinds: dict[str, bytes] = {}
    for _, _, data in network.datagrams:
        kinds.setdefault(type(codec.decode(data).body).__name__, data)
    garbage = sample(list(rejected({data for _, _, data in network.datagrams}, noise)))
    for number in range(len(nodes.locals)):
        local = nodes.locals[number]
        if local.account.up and local.applied is None:
            _disturb(nodes, number, local, kinds.values(), garbage, noise)
    return noise


def sample(garbage: list[bytes]) -> list[bytes]:
    """Return a few of the garbled datagrams, nothing at all, and random bytes."""
    few = [g for i, g in enumerate(garbage) if i % (1 + len(garbage) // _SAMPLE) == 0]
    return [*few, *[b"", *_random_bytes()][: 1 + _SAMPLE]]


def _disturb(
    nodes: Nodes, number: int, local: Local, kinds: Iterable[bytes], garbage: list[bytes], n: Noise
) -> None:
    me = local.name
    other = next((m for m in local.node.state.config.others), me)
    for what in foreign(kinds, me, other):
        n.foreign += 1
        _must_change_nothing(nodes, number, what, n)
    for data in garbage:
        n.garbage += 1
        _must_change_nothing(nodes, number, Deliver(other, data), n)
    for what in _of_no_change(local, other):
        n.foreign += 1
        after = nodes.step(number, what)
        assert after is not None
        if nodes.account[after[0]] != nodes.account[number]:
            n.failures += (f"{me}: a {_name(what)} about nothing that was asked for",)


def _must_change_nothing(nodes: Nodes, number: int, what: Deliver, n: Noise) -> None:
    after = nodes.step(number, what)
    assert after is not None
    if after[0] != number or after[1].sent:
        n.failures += (f"{nodes.locals[number].name}: {what.data[:40]!r} from {what.source}",)


def foreign(kinds: Iterable[bytes], me: str, other: str) -> Iterator[Deliver]:
    """Yield each kind of message with another label, from a stranger, and from the node itself."""
    for data in kinds:
        message = codec.decode(data)
        yield Deliver(other, codec.encode(structs.replace(message, cluster="another")))
        yield Deliver("stranger", data)
        yield Deliver(me, data)


def _of_no_change(local: Local, other: str) -> Iterator[Deliver]:
    """Yield messages about a change that nobody has asked for, in a view that never was."""
    s = local.node.state
    header = (codec.VERSION, s.config.cluster, s.promised.id, s.journal.epoch)
    never = View(ViewId(99, other), s.config.members)
    stranger = ChangeId(s.journal.epoch, "stranger", 1, 1)
    future = ChangeId(s.journal.epoch + 7, other, 1, 1)
    bodies: list[AnyBody] = [
        Request(ChangeId(s.journal.epoch, other, 99, 1), never, s.config.start),
        Request(future, s.view, s.config.start),
    ]
    for change in (stranger, future):
        bodies += [Ack(change), Ok(change), Closed(change)]
        bodies.append(Vote(change, Ballot(never.id, commit=True)))
    yield from (Deliver(other, codec.encode(Message(*header, body))) for body in bodies)


def _name(what: Deliver) -> str:
    return type(codec.decode(what.data).body).__name__


def rejected(datagrams: Iterable[bytes], noise: Noise) -> Iterator[bytes]:
    """Yield each datagram cut at each length, and with each bit flipped, if it is no message."""
    for data in sorted(datagrams):
        cut = [data[:length] for length in range(len(data))]
        flipped = [
            data[:i] + bytes([data[i] ^ 1 << bit]) + data[i + 1 :]
            for i in range(len(data))
            for bit in range(8)
        ]
        for garbled in (*cut, *flipped):
            try:
                codec.decode(garbled)
            except codec.ProtocolError:
                noise.rejected += 1
                yield garbled
            else:
                noise.other_messages += 1


def _random_bytes() -> Iterator[bytes]:
    rng = Random(0)
    for _ in range(_RANDOM):
        yield rng.randbytes(rng.randint(1, _LONGEST))
