"""What belongs to no stream of the two ends must change nothing; and an ack is its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias, TypeVar

from msgspec import structs

from samebeat.messages import Fragment, FragmentAck, Notice, Piece
from samebeat_conformance.layer import acks
from samebeat_conformance.layer.ends import Sender
from samebeat_conformance.layer.product import Product
from samebeat_conformance.noise import Noise

Said = TypeVar("Said", Fragment, Notice)
Heard: TypeAlias = tuple[Sender, frozenset[Piece]]


def make_noise(product: Product, noise: Noise) -> None:
    """Give what is foreign or contradicts itself to each end in each state that it was in.

    Every fragment, notice and ack of the exploration comes with another boot of its sender or
    receiver, or of a stream that is not this one; and every fragment with a part missing. A
    receiver may answer what was meant for an earlier boot of it, and remembers nothing.

    Args:
        product: after its exploration.
        noise: what came of it is added to this.
    """
    _disturb_senders(product, noise)
    _disturb_receivers(product, noise)


def _disturb_senders(product: Product, noise: Noise) -> None:
    for s in list(product.senders.all):
        unchanged = product.ends.follow(s)
        for ack in product.whole:
            for other in _foreign_acks(ack):
                noise.foreign += 1
                if product.ends.hear(s, other)[:2] != unchanged:
                    noise.failures += (f"the sender takes an ack of {other.boot} to {other.to}",)
            if ack.below > s.last + 1 or product.is_giving_up(s):
                continue
            if _hear(product, s, ack) != _hear_parts(product, s, ack):
                noise.failures += (f"the sender hears more than the parts of {ack}",)


def _disturb_receivers(product: Product, noise: Noise) -> None:
    floors = range(1, len(product.mapping.messages) + 2)
    notices = [product.ends.notice(floor) for floor in floors]
    for r in [r for r in product.receivers.all if not product.is_forgetting(r)]:
        foreign: list[Fragment | Notice] = [*_foreign(product.copies.all), *_foreign(notices)]
        for piece in foreign:
            noise.foreign += 1
            if product.ends.receive(r, piece)[0] != r:
                noise.failures += (f"the receiver takes what {piece.boot} sends to {piece.to}",)
        for f in (other for known in product.copies.all for other in _unsound(known)):
            noise.garbage += 1
            if product.ends.receive(r, f) != (r, ()):
                noise.failures += ("the receiver takes a fragment that contradicts itself",)


def _hear(product: Product, s: Sender, *heard: FragmentAck) -> Heard:
    """Return what comes of acks, one after the other; notices come again and again anyway."""
    sent: set[Piece] = set()
    for ack in heard:
        s, out, _ = product.ends.hear(s, ack)
        sent.update(p for p in out if not isinstance(p, Notice))
    return s, frozenset(sent)


def _hear_parts(product: Product, s: Sender, a: FragmentAck) -> Heard:
    """Return what comes of the parts as the product lets them come."""
    piece = (acks.piece_of(a.sequence, a.index),) if a.sequence else ()
    below, takes = acks.delivered_of(a.below), acks.taken_of(a.number, a.size, a.window)
    rest = (takes, below) if product.stepwise else (acks.together(below, takes),)
    return _hear(product, s, *piece, *rest)


def _foreign_acks(a: FragmentAck) -> Iterator[FragmentAck]:
    yield structs.replace(a, boot=0)
    yield structs.replace(a, to=7)
    yield structs.replace(a, below=99)


def _foreign(pieces: Iterable[Said]) -> Iterator[Said]:
    """Yield them for another boot of the receiver."""
    for piece in pieces:
        yield structs.replace(piece, to=0)
        yield structs.replace(piece, to=7)


def _unsound(f: Fragment) -> Iterator[Fragment]:
    yield structs.replace(f, data=f.data[1:])
    yield structs.replace(f, data=f.data + b"x")
    yield structs.replace(f, floor=f.sequence + 1)
