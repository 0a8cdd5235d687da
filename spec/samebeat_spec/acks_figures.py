"""What is measured of the node that watches acks: how late it notices that they have stopped.

COUNT: at worst the largest threshold times the longest interval, and the longest ack time-out.
DEADLINE: at worst the longest deadline, and the largest delay of an ack that was sent before the
crash (decision 0011). The first looks as soon as something has passed, but no sooner than a tick
has begun: that tick is counted here.
"""

from __future__ import annotations

from samebeat_spec.acks import VALUES, AckedPair
from samebeat_spec.language import Formula, stay


@stay(claims=(*VALUES, "C1"))
def detection(s: AckedPair) -> Formula:
    """From the crash of the second until the first suspects it."""
    return ~s.alive & ~s.suspected
