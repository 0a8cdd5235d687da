"""What a change of the pair comes to in the end, if both nodes go on and messages arrive.

Fairness is all weak. Nobody has to want a change, and whether the second node modifies or refuses
is left open; that it does one of them is not.
"""

from __future__ import annotations

from samebeat_spec.language import Formula, leads_to
from samebeat_spec.pair import (
    DEFER,
    Change,
    Node,
    Pair,
    Wish,
    clear_for_ack,
    close_refused,
    modify_as_first,
    modify_as_second,
    receive_ack,
    receive_heartbeat,
    send_ack,
    send_heartbeat,
    set_for_ack,
    set_indicator,
)

ASKING = (set_indicator, send_heartbeat, receive_heartbeat)
ANSWERING = (modify_as_second, set_for_ack, clear_for_ack, send_ack)
"""To refuse is one way to come to an answer, and so no step that must be taken."""
FOLLOWING = (receive_ack, modify_as_first, close_refused)


@leads_to(weak=(*ASKING, *ANSWERING, *FOLLOWING), claims=(*DEFER, "22"))
def change_decided(s: Pair, n: Node, c: Change) -> tuple[Formula, Formula]:
    """A change that the first node has open is in the end made, or given up."""
    return s.wish[n, c] == Wish.OPEN, s.wish[n, c] != Wish.OPEN
