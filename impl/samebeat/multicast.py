"""How the messages of a group change get to the members: one channel for each (claims 3 and 6).

A message to all goes to every other configured member, in the channel of each. Heartbeats and their
acks stay datagrams of their own: a late one is worth nothing.

The change layer says things again, too, but it does not fight the channels: what is still on its
way to a member is not said to it again, and what is not, at a slower pace (decision 0044).
"""

from __future__ import annotations

from collections.abc import Iterator

from samebeat import codec
from samebeat.channel import Channel, Holds
from samebeat.config import Transport
from samebeat.effects import NotDelivered, Rejected
from samebeat.fragments import is_sound
from samebeat.messages import Fragment, Heartbeat, HeartbeatAck, Message, Piece
from samebeat.receiving import Takes
from samebeat.sending import Failure, Overflow
from samebeat.state import State, frozen, with_entry

_DATAGRAMS = Heartbeat | HeartbeatAck | Piece
"""What is never cut into fragments."""
_SLOWER = 4
"""The change layer repeats itself once in so many retry timers of the channels."""
REQUEST_AND_ACK = 2
"""So many messages go out at once when a change is asked for."""


def start(s: State) -> None:
    """Set up a channel for each other member, if messages go in channels."""
    if s.config.transport is Transport.CHANNEL:
        takes = holds(s).takes
        s.channels = frozen({m: Channel.start(s.journal.boot, takes) for m in s.config.others})


def holds(s: State) -> Holds:
    """Return what the node sends by: the last commit; and takes: that, and every open change."""
    takes = Takes.of(s.journal.settings, s.config.assumed)
    for o in s.journal.opens:
        takes = takes.and_also(Takes.of(o.settings, s.config.assumed))
    return Holds(s.journal.epoch, s.journal.settings, takes)


def pace_ms(s: State) -> int:
    """Return how long the change layer waits before it repeats itself."""
    return s.journal.settings.message_retry_timer * (_SLOWER if s.channels else 1)


def refusal(s: State) -> str:
    """Return why a change cannot be asked for: whose send queue is full; empty: nobody's."""
    for member in s.view.members:
        channel = s.channels.get(member)
        if channel is not None and channel.sending.room(s.journal.settings) < REQUEST_AND_ACK:
            most = s.journal.settings.send_queue_overflow_threshold
            return (
                f"the send queue to {member} is full: send_queue_overflow_threshold is {most}; "
                "the request was sent to nobody; try again later"
            )
    return ""


def say(s: State, to: str | None, message: Message) -> bool:
    """Put a message into the channels of whom it is for; return whether it goes that way at all."""
    if not s.channels or isinstance(message.body, _DATAGRAMS):
        return False
    data, held = codec.encode(message), holds(s)
    for member in s.config.others if to is None else (to,):
        if s.channels[member].sending.is_waiting(data):
            continue
        channel = s.channels[member].copy()
        try:
            channel.enqueue(data, s.now_ms, held)
        except Overflow:
            s.tell(NotDelivered(member, type(message.body).__name__, Failure.OVERFLOW))
        else:
            s.channels = with_entry(s.channels, member, channel)
    return True


def arrive(s: State, source: str, message: Message) -> tuple[Message, ...]:
    """Return the messages that have come with a datagram; what is none is an event."""
    body = message.body
    if isinstance(body, Heartbeat | HeartbeatAck):
        return (message,)
    if not isinstance(body, Piece):
        if not s.channels:
            return (message,)
        s.tell(Rejected(source, f"{type(body).__name__} does not come as a datagram here"))
        return ()
    if not s.channels:
        s.tell(Rejected(source, f"{type(body).__name__} is none of the messages here"))
        return ()
    if isinstance(body, Fragment) and not is_sound(body):
        s.tell(Rejected(source, "this fragment contradicts itself"))
        return ()
    channel = s.channels[source].copy()
    channel.receive(body, s.now_ms, holds(s))
    delivered = channel.delivered()
    _report(s, source, channel)
    s.channels = with_entry(s.channels, source, channel)
    return tuple(_read(s, source, delivered))


def _read(s: State, source: str, delivered: tuple[bytes, ...]) -> Iterator[Message]:
    for data in delivered:
        try:
            message = codec.decode(data)
        except codec.ProtocolError as error:
            s.tell(Rejected(source, str(error)))
            continue
        if message.cluster != s.config.cluster or isinstance(message.body, _DATAGRAMS):
            s.tell(Rejected(source, f"{type(message.body).__name__} does not come in fragments"))
        else:
            yield message


def _report(s: State, member: str, channel: Channel) -> None:
    for data, reason in channel.failed():
        s.tell(NotDelivered(member, type(codec.decode(data).body).__name__, reason))


def on_timer(s: State) -> None:
    """Let every channel do what is due."""
    held = holds(s)
    for member, known in s.channels.items():
        due_ms = known.next_timer()
        if due_ms is not None and due_ms <= s.now_ms:
            channel = known.copy()
            channel.on_timer(s.now_ms, held)
            _report(s, member, channel)
            s.channels = with_entry(s.channels, member, channel)


def timers(s: State) -> Iterator[int]:
    """Yield when something is due in a channel."""
    for channel in s.channels.values():
        due_ms = channel.next_timer()
        if due_ms is not None:
            yield due_ms


def flush(s: State) -> Iterator[tuple[str, Piece]]:
    """Yield what goes out: after the steps of an input, by what the node holds then.

    What was found to be over, as something new was sent, is reported.
    """
    held = holds(s) if s.channels else None
    for member, known in s.channels.items():
        channel = known.copy()
        if held is not None:
            channel.follow(s.now_ms, held)
            _report(s, member, channel)
        yield from ((member, body) for body in channel.to_send())
        if channel != known:
            s.channels = with_entry(s.channels, member, channel)
