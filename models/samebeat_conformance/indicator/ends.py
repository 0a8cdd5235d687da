"""One core of a pair: what each input makes of it, and what it sends.

Time stands still: a heartbeat goes whenever the explorer likes, and comes whenever it likes. So all
instants are set back after each input, and what is counted is numbered by what it says: a heartbeat
by its record, of which a sender has one after the other. All heartbeats that say the same are one
message, of which an older copy may come and a newer one; and all acks that say the same are one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from msgspec import structs

from samebeat import codec
from samebeat.config import Config, Transport
from samebeat.deferral import Duty
from samebeat.effects import Event, Outcome, PairDecided, Persist
from samebeat.messages import Heartbeat, HeartbeatAck
from samebeat.node import Node, Refused
from samebeat.parameters import Assumptions, Settings
from samebeat.state import State, frozen
from samebeat_conformance.stepwise import StepwiseNode

NAMES = ("n1", "n2")
NOW_MS = 1_000
BOOT = 1
"""Of both nodes."""
_NEVER_SUITS = Assumptions(delay_ms=10**9)
"""Under which a second node refuses whatever it is asked for."""
_APART = 10
"""Heartbeats that say different things are numbered so far apart; copies lie in between."""


@dataclass(frozen=True)
class Ask:
    """The host asks for a change of the spec, by its number: a parameter and its value."""

    change: int
    parameter: str
    value: int


@dataclass(frozen=True)
class Beat:
    """A heartbeat is due."""


@dataclass(frozen=True)
class Hear:
    """A message comes: of a heartbeat a newer copy or an older one than any that has come.

    Attributes:
        data: the message as it is kept.
        newer: whether it is a newer copy.
        refuses: what it asks for does not suit the node.
    """

    data: bytes
    newer: bool = True
    refuses: bool = False


@dataclass(frozen=True)
class Step:
    """A core that takes one step at a time takes one, by its place."""

    place: int
    refuses: bool = False


Input: TypeAlias = Ask | Beat | Hear | Step


@dataclass(frozen=True)
class End:
    """One node between two inputs.

    Attributes:
        node: a snapshot; its journal is durable.
        wishes: of each change that it has asked for: its number here, that of the spec, how far.
        answers: of each change that it was asked for: its number there, and how it has answered.
    """

    node: Node
    wishes: tuple[tuple[int, int, str], ...] = ()
    answers: tuple[tuple[int, str], ...] = ()

    @property
    def state(self) -> State:
        """What the node knows."""
        return self.node._state

    @property
    def name(self) -> str:
        """The node's name."""
        return self.state.config.me

    @property
    def peer(self) -> str:
        """The other node's name."""
        return self.state.config.others[0]


@dataclass(frozen=True)
class Stepped:
    """What an input does to a node, and what it sends."""

    end: End
    sent: tuple[bytes, ...] = ()


def config(name: str) -> Config:
    """Return what a node is told."""
    return Config("pair", name, NAMES, Settings(), transport=Transport.DATAGRAMS)


def first_ends(*, stepwise: bool) -> tuple[End, End]:
    """Return two nodes that watch each other."""
    kind = StepwiseNode if stepwise else Node
    ends = []
    for name in NAMES:
        node = kind.first_start(config(name), NOW_MS)
        _carry_out(node)
        operation = node._state.operation
        assert operation is not None, "a node that starts restores its settings"
        node.apply_finished(operation.token, True, NOW_MS)
        _carry_out(node)
        _set_back(node._state)
        ends.append(End(node))
    first, second = ends
    (beat,) = stepped(first, Beat()).sent
    (other,) = stepped(second, Beat()).sent
    return _acked(stepped(first, Hear(other)).end), _acked(stepped(second, Hear(beat)).end)


def _acked(end: End) -> End:
    """Let the first ack leave, where that is a step of its own."""
    node = end.node.copy()
    node._state.owed = frozen()
    return replace(end, node=node)


def stepped(end: End, what: Input) -> Stepped:
    """Return what an input does to a node.

    Raises:
        Refused: the node does not do that now.
    """
    node, asked = end.node.copy(), 0
    s = node._state
    usual = s.config
    if isinstance(what, Hear | Step) and what.refuses:
        s.config = replace_assumed(usual)
    match what:
        case Ask():
            values = {what.parameter: what.value}
            asked = node.request_pair_change(end.peer, values, NOW_MS).number
        case Beat():
            _make_due(s)
            node.on_timer(NOW_MS)
        case Hear():
            node.receive(copy_of(what.data, newer=what.newer), end.peer, NOW_MS)
        case Step():
            assert isinstance(node, StepwiseNode), "others take all steps at once"
            node.take_step(what.place, NOW_MS)
    s.config = usual
    events, sent = _carry_out(node)
    _set_back(s)
    wishes = end.wishes
    if isinstance(what, Ask):
        wishes = (*wishes, (asked, what.change, "OPEN"))
    after = End(node, _decided(wishes, events), _answered(end, s))
    return Stepped(after, tuple(kept(data) for data in sent))


def _decided(
    wishes: tuple[tuple[int, int, str], ...], events: tuple[Event, ...]
) -> tuple[tuple[int, int, str], ...]:
    words = {Outcome.COMMITTED: "MODIFIED", Outcome.UNDONE: "REFUSED", Outcome.PASSED: "PASSED"}
    told = {e.change.number: words[e.outcome] for e in events if isinstance(e, PairDecided)}
    return tuple((number, c, told.get(number, how)) for number, c, how in wishes)


def _answered(end: End, s: State) -> tuple[tuple[int, str], ...]:
    """Return how it has answered; what it says now about the latest request counts."""
    second = s.seconds.get(end.peer)
    answers = dict(end.answers)
    if second is not None and second.request is not None and second.duty is not Duty.RECEIVED:
        modified = second.has_modified_for(second.request)
        answers[second.request.number] = "MODIFIED" if modified else "REFUSED"
    return tuple(sorted(answers.items()))


@lru_cache(maxsize=4)
def replace_assumed(usual: Config) -> Config:
    """Return what is told to a node that nothing suits; it is not checked against the start."""
    other = replace(usual)
    object.__setattr__(other, "assumed", _NEVER_SUITS)
    return other


def _make_due(s: State) -> None:
    s.beat = (s.beat[0], None)
    s.firsts = frozen({p: replace(f, sent_ms=None) for p, f in s.firsts.items()})


def _carry_out(node: Node) -> tuple[tuple[Event, ...], tuple[bytes, ...]]:
    """Take what the node asks of its host, as if the journal were durable."""
    events = node.events()
    for event in events:
        if isinstance(event, Persist):
            node.persisted(event.number)
    sends = [send.data for send in node.data_to_send()]
    known = (Heartbeat, HeartbeatAck)
    return events, tuple(data for data in sends if isinstance(codec.decode(data).body, known))


def _set_back(s: State) -> None:
    """Set all instants back, and number what was heard by what it says."""
    s.beat, s.ack_watches = (1, NOW_MS), frozen()
    s.firsts = frozen({p: replace(f, sent_ms=NOW_MS) for p, f in s.firsts.items()})
    s.watches = frozen(
        {
            p: replace(w, newest=(w.newest[0], _rounded(w.newest[1])), heard_ms=NOW_MS)
            for p, w in s.watches.items()
        }
    )
    s.owed = frozen({p: (boot, _rounded(number)) for p, (boot, number) in s.owed.items()})


def _rounded(number: int) -> int:
    return (number + _APART // 2) // _APART * _APART


@lru_cache(maxsize=1 << 12)
def kept(data: bytes) -> bytes:
    """Return a message as it is kept: a heartbeat is numbered by what it says, an ack is not."""
    message = codec.decode(data)
    body = message.body
    if isinstance(body, Heartbeat):
        record = body.record
        place = 0 if record is None else 2 * record.change - int(record.indicator)
        body = structs.replace(body, sequence=_APART * (place + 1))
    else:
        assert isinstance(body, HeartbeatAck)
        body = structs.replace(body, sequence=0)
    return codec.encode(structs.replace(message, body=body))


@lru_cache(maxsize=1 << 12)
def copy_of(data: bytes, *, newer: bool) -> bytes:
    """Return a copy of a message that is kept, newer or older than those that have come."""
    message = codec.decode(data)
    body = message.body
    if isinstance(body, HeartbeatAck):
        return data
    assert isinstance(body, Heartbeat)
    body = structs.replace(body, sequence=body.sequence + (1 if newer else -1))
    return codec.encode(structs.replace(message, body=body))


__all__ = ["Ask", "Beat", "End", "Hear", "Input", "Refused", "Step", "Stepped", "stepped"]
