"""What is foreign, garbage, or names a change that was never asked for, must change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from samebeat import codec
from samebeat.ids import PairChangeId
from samebeat.messages import AckRecord, HeartbeatAck
from samebeat_conformance.indicator.ends import BOOT, NOW_MS, End
from samebeat_conformance.indicator.mapping import body_of
from samebeat_conformance.indicator.product import Product
from samebeat_conformance.noise import Noise, foreign, rejected, sample


def make_noise(product: Product, noise: Noise) -> None:
    """Give all of that to each node in each state that it was in.

    Args:
        product: after its exploration.
        noise: what came of it is added to this.
    """
    datagrams = {data for _, _, data in product.network.datagrams}
    kinds: dict[str, bytes] = {}
    for data in sorted(datagrams, key=len, reverse=True):
        kinds.setdefault(type(body_of(data)).__name__, data)
    garbage = sample(list(rejected(datagrams, noise)))
    for end in list(product.ends):
        for what in foreign(kinds.values(), end.name, end.peer):
            noise.foreign += 1
            _must_change_nothing(product, end, what.source, what.data, noise)
        for data in _of_no_change(end, kinds.get("HeartbeatAck")):
            noise.foreign += 1
            _must_change_nothing(product, end, end.peer, data, noise)
        for data in garbage:
            noise.garbage += 1
            _must_change_nothing(product, end, end.peer, data, noise)


def _of_no_change(end: End, ack: bytes | None) -> Iterator[bytes]:
    """Yield acks about a change of another boot, and about one that nobody has asked for."""
    if ack is None:
        return
    message = codec.decode(ack)
    latest = max((number for number, _, _ in end.wishes), default=1)
    for change in (PairChangeId(BOOT + 1, latest), PairChangeId(BOOT, 99)):
        for indicator in (False, True):
            body = HeartbeatAck(BOOT, 0, AckRecord(change, indicator))
            yield codec.encode(structs.replace(message, body=body))


def _must_change_nothing(
    product: Product, end: End, source: str, data: bytes, noise: Noise
) -> None:
    node = end.node.copy()
    node.receive(data, source, NOW_MS)
    node.events()
    after = End(node, end.wishes, end.answers)
    if product.key(after) != product.key(end) or node.data_to_send():
        noise.failures += (f"{end.name}: {data[:40]!r} from {source}",)
