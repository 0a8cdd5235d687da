"""What the message layer comes to in the end.

``told_in_the_end`` holds whatever the network does, and says nothing of success.
``confirmed_in_the_end`` relies on retries, and on a network that does not lose all copies for ever
(strong fairness of what it delivers); nobody is made to give up there.
"""

from __future__ import annotations

from samebeat_spec.language import Formula, leads_to
from samebeat_spec.stream import (
    RETRIES,
    RETRY_TIME,
    Message,
    is_closed,
    is_queued,
    is_unacked,
)
from samebeat_spec.transport import (
    Transport,
    ack_again,
    deliver,
    give_up,
    hear_ack,
    receive,
    send,
    send_again,
)


@leads_to(weak=(send, give_up), claims=RETRY_TIME)
def told_in_the_end(s: Transport, m: Message) -> tuple[Formula, Formula]:
    """A message that was accepted is confirmed or given up in the end."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)


@leads_to(weak=(send, send_again, ack_again), strong=(receive, deliver, hear_ack), claims=RETRIES)
def confirmed_in_the_end(s: Transport, m: Message) -> tuple[Formula, Formula]:
    """If copies and acks come through again and again, retries suffice to close a message."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)
