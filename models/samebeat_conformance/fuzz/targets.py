"""What must hold whatever arrives. A target takes any bytes, and raises `Found` if it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from samebeat import journal as journals
from samebeat.codec import LONGEST_REASON, MAX_BYTES, ProtocolError, decode, encode
from samebeat.effects import Install, Persist, Rejected
from samebeat.ids import MAX_MEMBERS
from samebeat.node import Node, Refused
from samebeat.pair import MAX_WAITING
from samebeat.receiving import MAX_AHEAD
from samebeat.state import State
from samebeat_conformance.fuzz.stories import (
    ME,
    Ask,
    AskPeer,
    Datagram,
    Finish,
    Later,
    What,
    first_node,
    story,
    transport_of,
)

_LARGEST_WINDOW = 65_535
MAX_JOURNAL_BYTES = 2 * MAX_BYTES
"""No journal is longer: it has a report, which fits a message, and as much again."""


class Found(Exception):  # noqa: N818  (`except Found` is the sentence)
    """Something that must hold does not; the message says what, in one line."""


def decodes(data: bytes) -> None:
    """Any bytes are a message, or one ProtocolError that is one line."""
    try:
        message = decode(data)
    except ProtocolError as error:
        if not 0 < len(str(error)) <= LONGEST_REASON or not str(error).isprintable():
            raise Found("one_protocol_error: a reason that is not one short line") from error
        return
    except BaseException as error:
        raise Found(f"one_protocol_error: decode raises {type(error).__name__}") from error
    if decode(encode(message)) != message:
        raise Found("a message is another one once it was encoded")


def receives(data: bytes) -> None:
    """One datagram, as it is, at a node that has just started."""
    node = first_node()
    _give(node, Datagram("b", data), 1_000)


def survives(data: bytes) -> None:
    """A story made of these bytes: messages, honest or not, timers, requests, ends of operations.

    The node must never raise an error, outgrow its bounds, say what is no message, or hand out a
    journal that it could not come back with.
    """
    node, now_ms = first_node(transport_of(data)), 1_000
    for what in story(data):
        now_ms += what.after_ms if isinstance(what, Later) else 0
        _give(node, what, now_ms)


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {"decode": decodes, "receive": receives, "story": survives}
)


def _give(node: Node, what: What, now_ms: int) -> None:
    before = node.state
    try:
        match what:
            case Datagram():
                node.receive(what.data, what.source, now_ms)
            case Ask():
                node.request_change(what.values, now_ms)
            case AskPeer():
                node.request_pair_change(what.peer, what.values, now_ms)
            case Finish():
                token = before.token - what.ago
                node.apply_finished(token, what.success, now_ms)
            case Later():
                node.on_timer(now_ms)
    except Refused as error:
        if "\n" in str(error):
            raise Found("a refusal that is not one line") from error
    except Exception as error:
        raise Found(f"{type(what).__name__} raises {type(error).__name__}: {error}") from error
    rejected = _carry_out(node)
    if isinstance(what, Datagram) and not _is_message(what.data):
        after = node.state
        after.now_ms = before.now_ms
        if rejected != 1 or after != before:
            raise Found(f"garbage changes the node, or is {rejected} events and not one")


def _is_message(data: bytes) -> bool:
    try:
        decode(data)
    except ProtocolError:
        return False
    return True


def _carry_out(node: Node) -> int:
    """Do what the node asks for; return how many datagrams it has rejected."""
    rejected = 0
    for event in node.events():
        if isinstance(event, Rejected):
            rejected += 1
        if isinstance(event, Install) and event.settings is None:
            raise Found("an operation without settings")
        if isinstance(event, Persist):
            _check_journal(node, event.journal)
            node.persisted(event.number)
    for send in node.data_to_send():
        if not _is_message(send.data):
            raise Found("the node says what is no message")
        if send.to == ME:
            raise Found("the node sends to itself")
    for what in out_of_bounds(node.state):
        raise Found(f"bounded_memory: {what}")
    return rejected


def _check_journal(node: Node, journal: bytes) -> None:
    try:
        same = journals.read(journal) == node.journal
    except journals.JournalError as error:
        raise Found(f"a journal that the node cannot come back with: {error}") from error
    if not same:
        raise Found("the journal comes back as another one")


def out_of_bounds(s: State) -> Iterator[str]:
    """Yield what is more than what a node may remember, all of which members bound."""
    members = len(s.config.members)
    most = {
        "opens": (len(s.journal.opens), MAX_MEMBERS),
        "undone": (len(s.journal.undone), MAX_MEMBERS),
        "heard": (len(s.heard), MAX_MEMBERS + members),
        "reports": (len(s.reports), members),
        "joiners": (len(s.joiners), members),
        "suspected": (len(s.suspected), members - 1),
        "watches": (len(s.watches), members - 1),
        "ack watches": (len(s.ack_watches), members - 1),
        "firsts": (len(s.firsts), members - 1),
        "seconds": (len(s.seconds), members - 1),
        "owed acks": (len(s.owed), 0),
        "sends": (len(s.sends), 0),
        "events": (len(s.events), 0),
        "bytes of the journal": (len(journals.write(s.journal)), MAX_JOURNAL_BYTES),
    }
    for known in s.heard.values():
        said = max(len(known.acks), len(known.oks), len(known.ballots))
        most["said of one change"] = (max(said, most.get("said of one change", (0, 0))[0]), members)
    for watch in s.ack_watches.values():
        most["waiting for acks"] = (len(watch.waiting), MAX_WAITING)
    for channel in s.channels.values():
        sending, receiving = channel.sending, channel.receiving
        queue = s.journal.settings.send_queue_overflow_threshold + MAX_AHEAD
        most["queued"] = (len(sending.queue), queue)
        most["under way"] = (len(sending.flight), _LARGEST_WINDOW)
        most["messages in part"] = (len(receiving.partials), MAX_AHEAD)
        boxes = (*channel.inbox, *channel.outbox, *channel.failures)
        most["in boxes"] = (len(boxes), 0)
    yield from (f"{n} {name}, at most {bound}" for name, (n, bound) in most.items() if n > bound)
