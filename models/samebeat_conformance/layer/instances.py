"""The channels that are held against the specs `link` and, with a clock, `timed_link`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        times, timers: X and the retry timer of each setting, in ticks; none: there is no clock.
        start: the setting at the start.
        delay: the largest delay, in ticks.
    """

    name: str
    about: str
    messages: int
    fragments: int = 1
    sizes: int = 1
    counts: int = 1
    fits: tuple[str, ...] = _ONE_EACH
    fast: bool = False
    full: bool = True
    times: tuple[int, ...] = ()
    timers: tuple[int, ...] = ()
    start: int = 0
    delay: int = 1

    @property
    def spec(self) -> str:
        """The spec that it is held against."""
        return "timed_link" if self.times else "link"

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
        constants: dict[str, Any] = {
            "pieces": pieces,
            "fits": fits,
            "at_the_start": 0,
            "messages_at_the_start": 0,
        }
        if self.times:
            sizes = {**sizes, "Setting": len(self.times), "Ticks": max(self.times) + self.delay + 3}
            constants |= self._clocks()
        return Instance(self.name, load_spec(self.spec), sizes, constants)

    def _clocks(self) -> dict[str, Any]:
        """Return the constants of the clocks; W is X and the largest delay."""
        return {
            "time_ticks": {str(i): x for i, x in enumerate(self.times)},
            "memory_ticks": {str(i): x + self.delay for i, x in enumerate(self.times)},
            "timer_ticks": {str(i): t for i, t in enumerate(self.timers)},
            "delay_ticks": self.delay,
            "setting_at_the_start": self.start,
        }


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
    Listed("retries-one", "One message, sent again and given up by the clock.", 1, fast=True,
           times=(5,), timers=(2,)),
    Listed("retries-change", "Retry timer, retry time and memory change, and back.", 1,
           times=(3, 5), timers=(2, 3)),
    Listed("retries-one-by-one", "Two messages by the clock, and a window of one.", 2,
           times=(3,), timers=(2,)),
    Listed("retries-two", "Two messages under way at once, by the clock.", 2, fits=_BOTH,
           times=(3,), timers=(2,)),
)  # fmt: skip


def find(name: str) -> Listed | None:
    """Return a listed channel; None: there is none of that name."""
    return {listed.name: listed for listed in LISTED}.get(name)
