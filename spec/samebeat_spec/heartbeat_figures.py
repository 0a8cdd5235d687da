"""What is measured of the heartbeat pair: for how long its nodes differ, and how late it notices.

Where acks may be late without bound, so may be the end of a change: such figures have no bound,
and say so. All are in ticks.
"""

from __future__ import annotations

from samebeat_spec.heartbeat import (
    ANNOUNCE,
    DEFER,
    FIRST,
    SECOND,
    SECOND_MODIFIES,
    Change,
    TimedPair,
    settled,
    widens,
)
from samebeat_spec.language import Formula, stay


def values_differ(s: TimedPair, c: Change, d: Change) -> Formula:
    """Two changes ask for different intervals or deadlines."""
    return (s.interval_ticks[c] != s.interval_ticks[d]) | (
        s.deadline_ticks[c] != s.deadline_ticks[d]
    )


@stay(claims=(*DEFER, *SECOND_MODIFIES, "C3"))
def different_values(s: TimedPair) -> Formula:
    """The nodes have recorded different values, and the first is alive."""
    return s.alive & values_differ(s, s.recorded[FIRST], s.recorded[SECOND])


@stay(claims=("C1",))
def different_timers(s: TimedPair) -> Formula:
    """The nodes' timers use different values, and the first is alive."""
    return s.alive & values_differ(s, s.effective[FIRST], s.effective[SECOND])


@stay(claims=("C1",))
def open_envelope(s: TimedPair) -> Formula:
    """The second waits for another deadline than it has recorded, and the first is alive."""
    return s.alive & widens(s) & (s.effective[SECOND] != s.recorded[SECOND])


@stay(claims=(*ANNOUNCE, *DEFER))
def open_change(s: TimedPair) -> Formula:
    """From asking for a change until the last one asked for is settled or undone."""
    return s.alive & ~settled(s)


@stay(claims=("C1", "3.heartbeat_message_timeout", "3.heartbeat_failure_threshold"))
def detection(s: TimedPair) -> Formula:
    """From the crash of the first until the second suspects it."""
    return ~s.alive & ~s.suspected
