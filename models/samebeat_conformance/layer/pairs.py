"""The states of the product, and what is between the two ends in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from samebeat import codec
from samebeat.ids import ViewId
from samebeat.messages import Message, Piece
from samebeat.parameters import Settings

T = TypeVar("T")
_VIEW = ViewId(0, "a")

Said: TypeAlias = tuple[tuple[int, int, int], ...]
"""What the receiver has said that it takes, and the sender has not heard: number, size, window."""
Stated: TypeAlias = tuple[int, int]
"""From which message on the sender has stated epoch 1, and epoch 2; 0: it has not."""


Ages: TypeAlias = frozenset[tuple[int, int]]
"""How many ticks old copies and acks are: by the number of a copy, or -1 less that of a message."""


class Talk(NamedTuple):
    """The change between the two nodes: what it asks for, and who has committed it."""

    settings: Settings
    sender: bool = False
    receiver: bool = False


class Pair(NamedTuple):
    """A product state.

    What both ends may say again at any time, or have said and the spec does not see, is there for
    good: so `said` and `stated` only say what that is, and a piece is acked while the receiver has
    it. A sender that has stated an epoch from some message on may state it from any later one, and
    none at all from any: whoever hears that knows less.

    Attributes:
        sender, receiver: the numbers of the ends' states.
        copies: the bits of the fragments under way, which state no epoch.
        acks: the bits of the messages up to which an ack is under way.
        said, stated: see there.
        talk: the change.
        ages: of copies and acks, where there is time.
    """

    sender: int
    receiver: int
    copies: int
    acks: int
    said: Said
    stated: Stated
    talk: Talk | None
    ages: Ages = frozenset()


@dataclass
class Numbers(Generic[T]):
    """States or datagrams, numbered as they are met."""

    all: list[T] = field(default_factory=list)
    of: dict[T, int] = field(default_factory=dict)

    def number(self, what: T) -> int:
        """Return the number of something."""
        number = self.of.setdefault(what, len(self.all))
        if number == len(self.all):
            self.all.append(what)
        return number

    def under(self, bits: int) -> list[T]:
        """Return what some bits stand for."""
        return [what for i, what in enumerate(self.all) if bits >> i & 1]


@cache
def through_codec(piece: Piece) -> Piece:
    """Return what the other end reads of a datagram."""
    data = codec.encode(Message(codec.VERSION, "layer", _VIEW, 0, piece))
    body = codec.decode(data).body
    assert isinstance(body, Piece), "nothing else is sent"
    return body
