"""Why some specs have no proof yet: what is known of them, the models of the catalog show."""

from __future__ import annotations

UNPROVED = {
    "acks": (
        "its clocks count in ticks, and no proof model with real time is written; the proof about "
        "heartbeats is none of it: here the sender watches, losses are of whole exchanges, and "
        "misses are counted. Decision 0011 has the argument for all numbers, in words"
    ),
    "retries": (
        "its clocks count in ticks; that each of its steps is one of transport, which is proved, "
        "is checked in its models"
    ),
    "timed_link": (
        "its clocks count in ticks; that each of its steps is one of link, which is proved, is "
        "checked in its models"
    ),
}
"""For each spec with promises about safety and without a proof, why, in one line."""
