"""Why some specs have no proof yet: what is known of them, the models of the catalog show."""

from __future__ import annotations

UNPROVED = {
    "acks": (
        "its clocks count in ticks, and the proof over the reals is about heartbeats; acks are the "
        "same question the other way round, which is argued and not proved"
    ),
    "limits": "levels are small whole numbers that models choose; no proof has been tried",
    "retries": (
        "its clocks count in ticks; that each of its steps is one of transport, which is proved, "
        "is checked in its models"
    ),
}
"""For each spec with promises about safety and without a proof, why, in one line."""
