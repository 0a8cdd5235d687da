"""What is foreign or garbage must change nothing, and an epoch alone must close no envelope."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from samebeat import codec
from samebeat.ids import ChangeId
from samebeat.messages import Heartbeat, Message
from samebeat_conformance.concrete import body_of
from samebeat_conformance.inputs import Deliver
from samebeat_conformance.noise import Noise, foreign, rejected, sample
from samebeat_conformance.timed.instances import NAMES
from samebeat_conformance.timed.nodes import Timed
from samebeat_conformance.timed.product import Product


def make_noise(product: Product) -> Noise:
    """Give foreign datagrams and garbage to each node in each state that it was in.

    A heartbeat that is newer than all before, and states the epoch of what a node holds and another
    change, comes to each of those states as well: it must leave the deadline as it is.
    """
    noise, nodes = Noise(), product.nodes
    datagrams = {data for _, _, data in product.network.datagrams}
    datagrams |= {f.data for net in product.nets for b in net.beats for f in b[:2] if f.data}
    kinds: dict[str, bytes] = {}
    for data in sorted(datagrams):
        kinds.setdefault(type(body_of(data)).__name__, data)
    garbage = sample(list(rejected(datagrams, noise)))
    for number in range(len(nodes.locals)):
        local = nodes.locals[number]
        if not local.account.up:
            continue
        other = next(name for name in NAMES if name != local.name)
        for what in foreign(kinds.values(), local.name, other):
            noise.foreign += 1
            _must_change_nothing(product, number, what, noise)
        for data in garbage:
            noise.garbage += 1
            _must_change_nothing(product, number, Deliver(other, data), noise)
        for what in _of_another_change(local, other):
            noise.foreign += 1
            _must_close_nothing(product, number, what, noise)
    return noise


def _must_change_nothing(product: Product, number: int, what: Deliver, noise: Noise) -> None:
    nodes = product.nodes
    if not nodes.is_same(number, nodes.disturb(number, what)):
        name = nodes.locals[number].name
        noise.failures += (f"{name}: {what.data[:40]!r} from {what.source}",)


def _of_another_change(local: Timed, other: str) -> Iterator[Deliver]:
    """Yield a heartbeat of a member that has come to another change from the same epoch."""
    s = local.node._state
    epoch, held, _ = s.journal.held
    if epoch == 0 or other not in s.watches:
        return
    boot, number = s.watches[other].newest
    stranger = ChangeId(epoch - 1, other, boot, 9)
    assert stranger != held, "it is another change"
    body = Heartbeat(boot, number + 1, stranger)
    message = Message(codec.VERSION, s.config.cluster, s.promised.id, epoch, body)
    yield Deliver(other, codec.encode(message))
    unknown = structs.replace(message, body=structs.replace(body, last=None))
    yield Deliver(other, codec.encode(unknown))


def _must_close_nothing(product: Product, number: int, what: Deliver, noise: Noise) -> None:
    before = product.nodes.locals[number]
    after = product.nodes.disturb(number, what)
    old, new = (x.node._state.watches[what.source].deadline_ms for x in (before, after))
    if old != new:
        text = f"{before.name}: a heartbeat about another change of the same epoch sets a deadline"
        noise.failures += (text,)
