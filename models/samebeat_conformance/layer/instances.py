"""The channels that are held against the spec `link`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

_ONE_EACH = ("0,0,0", "0,1,1")
_BOTH = ("0,0,0", "0,0,1", "0,1,1")


@dataclass(frozen=True)
class Listed:
    """A channel that ``samebeat conform`` explores.

    Attributes:
        name: what it is called.
        about: what is looked at, in a sentence.
        messages, fragments, sizes, counts: how many there are of each; with more than one size or
            count the nodes change between them, again and again.
        fits: for each count the rows of messages that are no longer.
        fast: it takes seconds.
    """

    name: str
    about: str
    messages: int
    fragments: int = 1
    sizes: int = 1
    counts: int = 1
    fits: tuple[str, ...] = _ONE_EACH
    fast: bool = False
    spec: str = "link"
    full: bool = True

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        sizes: Mapping[str, int] = {
            "Message": self.messages,
            "Fragment": self.fragments,
            "Size": self.sizes,
            "Count": self.counts,
        }
        pieces = [
            f"{z},f{f + 1}" for z in range(self.sizes) for f in range(-(-self.fragments // 2**z))
        ]
        fits = [row for row in self.fits if all(int(m) < self.messages for m in row.split(",")[1:])]
        constants = {
            "pieces": pieces,
            "fits": fits,
            "at_the_start": 0,
            "messages_at_the_start": 0,
        }
        return Instance(self.name, load_spec("link"), sizes, constants)


_ONE_OR_TWO = (*_ONE_EACH, "0,2,2", "1,0,0", "1,0,1", "1,1,1", "1,1,2", "1,2,2")

LISTED = (
    Listed("link-fragments", "One message in two fragments.", 1, 2, fast=True),
    Listed("link-order", "Two messages under way at once.", 2, fits=_BOTH, fast=True),
    Listed("link-overflow", "Three messages, one under way, one queued, one turned down.", 3,
           fast=True, fits=(*_ONE_EACH, "0,2,2")),
    Listed("link-one-by-one", "Two messages of two fragments, and a window of one.", 2, 2),
    Listed("link-size", "Fragments of half a message or a whole one, and back.", 1, 2, sizes=2),
    Listed("link-window", "A window and a queue of one or two messages, and back.", 2, counts=2,
           fits=_ONE_OR_TWO),
    Listed("link-three", "Two of three messages under way, or two queued.", 3,
           fast=True, fits=(*_BOTH, "0,1,2", "0,2,2")),
)  # fmt: skip


def find(name: str) -> Listed | None:
    """Return a listed channel; None: there is none of that name."""
    return {listed.name: listed for listed in LISTED}.get(name)
