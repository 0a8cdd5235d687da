"""What belongs to no stream of the two ends must change nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from samebeat.messages import Fragment, FragmentAck
from samebeat_conformance.layer.product import Product
from samebeat_conformance.noise import Noise


def make_noise(product: Product) -> Noise:
    """Give what is foreign or contradicts itself to each end in each state that it was in.

    Every fragment and ack of the exploration comes with another boot of its sender or receiver, or
    of a stream that is not this one; and every fragment with a part missing. A receiver may answer
    what was meant for an earlier boot of it, and remembers nothing.
    """
    noise = Noise()
    fragments = [p for p in product.pieces if isinstance(p, Fragment)]
    acks = [p for p in product.pieces if isinstance(p, FragmentAck)]
    for s in list(product.senders.all):
        for ack in (other for a in acks for other in _foreign_acks(a)):
            noise.foreign += 1
            after, out, _ = product.ends.hear(s, ack)
            if (after, out) != (s, ()):
                noise.failures += (f"the sender takes an ack of boot {ack.boot} to {ack.to}",)
    for r in list(product.receivers.all):
        for f in (other for known in fragments for other in _foreign(known)):
            noise.foreign += 1
            if product.ends.receive(r, f)[0] != r:
                noise.failures += (f"the receiver takes a fragment of {f.boot} to {f.to}",)
        for f in (other for known in fragments for other in _unsound(known)):
            noise.garbage += 1
            if product.ends.receive(r, f) != (r, ()):
                noise.failures += ("the receiver takes a fragment that contradicts itself",)
    return noise


def _foreign_acks(a: FragmentAck) -> Iterator[FragmentAck]:
    yield structs.replace(a, boot=0)
    yield structs.replace(a, to=7)
    yield structs.replace(a, below=99)


def _foreign(f: Fragment) -> Iterator[Fragment]:
    """Yield it for another boot of the receiver: those from an earlier boot come to none here."""
    yield structs.replace(f, to=0)
    yield structs.replace(f, to=7)


def _unsound(f: Fragment) -> Iterator[Fragment]:
    yield structs.replace(f, data=f.data[1:])
    yield structs.replace(f, data=f.data + b"x")
    yield structs.replace(f, floor=f.sequence + 1)
