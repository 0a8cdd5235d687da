"""What a channel comes to in the end, as ``transport_liveness`` has it of the message layer."""

from __future__ import annotations

from samebeat_spec.language import Formula, leads_to
from samebeat_spec.link import Link, give_up, hear_ack, keep, receive, send, send_again
from samebeat_spec.stream import RETRIES, RETRY_TIME, Message, is_closed, is_queued, is_unacked


@leads_to(weak=(send, give_up), claims=RETRY_TIME)
def told_in_the_end(s: Link, m: Message) -> tuple[Formula, Formula]:
    """A message that was accepted is confirmed or given up in the end."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)


@leads_to(weak=(send, send_again), strong=(keep, receive, hear_ack), claims=RETRIES)
def confirmed_in_the_end(s: Link, m: Message) -> tuple[Formula, Formula]:
    """If copies and acks come through again and again, retries suffice to close a message."""
    return is_queued(s, m) | is_unacked(s, m), is_closed(s, m)
