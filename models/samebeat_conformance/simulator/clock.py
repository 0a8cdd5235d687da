"""The clock of one machine: it counts milliseconds, too fast or too slow, from some point on."""

from __future__ import annotations

from dataclasses import dataclass

_MILLION = 1_000_000
US = 1_000
"""So many microseconds are a millisecond; true time is counted in microseconds."""


@dataclass(frozen=True)
class Clock:
    """A clock that shows `start_ms` at true time 0.

    Attributes:
        start_ms: what it shows at first.
        drift_ppm: by how much it is too fast, in millionths; below 0: too slow.
    """

    start_ms: int = 1_000
    drift_ppm: int = 0

    def local_ms(self, true_us: int) -> int:
        """Return what the clock shows at a true time."""
        return self.start_ms + true_us * (_MILLION + self.drift_ppm) // (_MILLION * US)

    def true_us(self, local_ms: int) -> int:
        """Return the first true time at which the clock shows this, or has shown it."""
        return max(0, -((self.start_ms - local_ms) * _MILLION * US // (_MILLION + self.drift_ppm)))
