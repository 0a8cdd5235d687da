"""Why some specs have no proof yet: what is known of them is known for the models of the catalog."""

from __future__ import annotations

UNPROVED = {
    "acks": (
        "its clocks count in ticks, and the proof over the reals is about heartbeats; acks are the "
        "same question the other way round, which is argued and not proved"
    ),
    "composed": (
        "its steps are those of two proved specs, group and heartbeat, in one state; that the two "
        "together keep both promises is explored"
    ),
    "limits": "levels are small whole numbers that models choose; no proof has been tried",
}
"""For each spec with promises about safety and without a proof, why, in one line."""
