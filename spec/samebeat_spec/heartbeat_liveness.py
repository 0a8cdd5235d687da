"""What the heartbeat pair comes to in the end, if time goes on and both nodes do their part.

Fairness is all weak. Time goes on unless something is due, and then that is done first. The network
need not be fair: how many heartbeats may be lost in a row is part of the model. Nobody has to ask
for a change, to crash, or to learn of a change beside the heartbeats, and no change has to fail.
"""

from __future__ import annotations

from samebeat_spec.heartbeat import (
    DEADLINE,
    DEFER,
    SECOND,
    TimedPair,
    modify,
    receive_ack,
    receive_heartbeat,
    send_ack,
    send_heartbeat,
    tick,
    widens,
)
from samebeat_spec.heartbeat_failures import restore
from samebeat_spec.language import Formula, leads_to

ACKS = (modify, send_ack, receive_ack)
"""Where acks are prompt, time waits for all of these; and without them no envelope closes."""


@leads_to(
    weak=(tick, send_heartbeat, receive_heartbeat, *ACKS, restore), claims=("C1", "C2", *DEFER)
)
def envelope_closes(s: TimedPair) -> tuple[Formula, Formula]:
    """The second waits in the end for the deadline that it has recorded, or the first crashes."""
    is_open = s.alive & widens(s) & (s.effective[SECOND] != s.recorded[SECOND])
    return is_open, ~is_open


@leads_to(weak=(tick, receive_heartbeat, modify, send_ack), claims=("C1", *DEADLINE))
def crash_suspected(s: TimedPair) -> tuple[Formula, Formula]:
    """A crash of the first is in the end suspected."""
    return ~s.alive, s.suspected
