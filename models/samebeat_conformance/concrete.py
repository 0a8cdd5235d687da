"""A cluster of cores as a machine: nodes, what they are about to send, and what has been sent.

The network is a set of datagrams that only grows, as in the spec: a lost one is never delivered, a
repeated one is delivered twice, order is free. A node's journal is durable at once, and so its
datagrams leave at once; only an ok waits, since the spec has a step there. Time stands still.

What one node does depends on that node alone, so its transitions are computed once and numbered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

import msgspec

from samebeat.codec import decode
from samebeat.config import Config
from samebeat.effects import Decided, Outcome, Persist, Purpose, Send
from samebeat.ids import ChangeId
from samebeat.journal import Phase
from samebeat.messages import Ack, AnyBody, Closed, Ok
from samebeat.node import Node, Refused
from samebeat.parameters import Settings

NOW_MS = 1_000
_COUNTERS = frozenset({"token", "config"})
"""Fields that number things, or never change: two states that differ in them alone are one."""


Datagrams: TypeAlias = tuple[tuple[str | None, bytes], ...]
"""To whom (None: all others), and what."""


@dataclass(frozen=True)
class Ghost:
    """What the spec remembers for ever and the implementation has good reason to forget.

    Attributes:
        ends: the changes that have ended at the node, and how.
        pre_image: what it held when it last acked a change.
    """

    ends: frozenset[tuple[ChangeId, Outcome]]
    pre_image: Settings


@dataclass(frozen=True)
class Local:
    """One node between two inputs.

    Attributes:
        node: a snapshot; its journal is durable.
        leaving: the oks that it is about to send: to whom (None: all others) and what.
    """

    node: Node
    leaving: Datagrams
    ghost: Ghost


@dataclass(frozen=True)
class Stepped:
    """What an input does to a node: what leaves it, and the id of the change it asks for."""

    local: Local
    sent: Datagrams
    asked: ChangeId | None = None


@dataclass(frozen=True)
class Ask:
    """The host asks for a change to these settings."""

    settings: Settings


@dataclass(frozen=True)
class Deliver:
    """A datagram arrives."""

    source: str
    data: bytes


@dataclass(frozen=True)
class Finish:
    """The local operation that runs is over."""

    success: bool


@dataclass(frozen=True)
class Leave:
    """The next datagram leaves."""


@dataclass(frozen=True)
class Lose:
    """The next datagram, an ok, is lost before it leaves."""


@dataclass(frozen=True)
class Tick:
    """The timer is called, with no time having passed."""


Input: TypeAlias = Ask | Deliver | Finish | Leave | Lose | Tick
Datagram: TypeAlias = tuple[str, str | None, bytes]
"""From whom, to whom (None: all others), and what."""


def key_of(value: Any) -> Any:
    """Return something that can be compared and hashed, without what only numbers things."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(
            key_of(getattr(value, f.name)) for f in fields(value) if f.name not in _COUNTERS
        )
    if isinstance(value, Mapping):
        return frozenset((key_of(k), key_of(v)) for k, v in value.items())
    if isinstance(value, tuple):
        return tuple(map(key_of, value))
    return value


def first_local(config: Config) -> Local:
    """Return a node that has started and restored its settings."""
    node = Node.first_start(config, NOW_MS)
    local = _handled(node, Ghost(frozenset(), config.start), ()).local
    return stepped(local, Finish(success=True)).local


def stepped(local: Local, what: Input) -> Stepped:
    """Return what an input does to a node.

    Raises:
        Refused: the node does not ask for a change now.
    """
    if isinstance(what, Leave | Lose):
        rest = Local(local.node, local.leaving[1:], local.ghost)
        return Stepped(rest, local.leaving[:1] if isinstance(what, Leave) else ())
    node, asked = local.node.copy(), None
    match what:
        case Ask():
            asked = node.request_change(msgspec.structs.asdict(what.settings), NOW_MS)
        case Deliver():
            node.receive(what.data, what.source, NOW_MS)
        case Finish():
            operation = node.state.operation
            assert operation is not None, "an operation runs"
            node.apply_finished(operation.token, what.success, NOW_MS)
        case Tick():
            node.on_timer(NOW_MS)
    before = {o.id for o in local.node.journal.opens if o.phase is not Phase.RECEIVED}
    ghost = local.ghost
    if any(o.id not in before and o.phase is not Phase.RECEIVED for o in node.journal.opens):
        ghost = Ghost(ghost.ends, local.node.journal.settings)
    return _handled(node, ghost, local.leaving, asked)


def _handled(
    node: Node, ghost: Ghost, leaving: Datagrams, asked: ChangeId | None = None
) -> Stepped:
    """Make the journal durable, note what has ended, and send; an ok is lined up."""
    ends = set(ghost.ends)
    for event in node.events():
        if isinstance(event, Persist):
            node.persisted(event.number)
        elif isinstance(event, Decided):
            ends.add((event.change, event.outcome))
    sends: tuple[Send, ...] = node.data_to_send()
    turned_down = {b.change for s in sends if (b := _busy(s)) is not None}
    bodies = [decode(s.data).body for s in sends]
    acked = {b.change for b in bodies if isinstance(b, Ack)}
    ends |= {(c, Outcome.UNDONE) for c in turned_down - acked}
    oks = tuple((s.to, s.data) for s, b in zip(sends, bodies, strict=True) if isinstance(b, Ok))
    rest = tuple(
        (s.to, s.data) for s, b in zip(sends, bodies, strict=True) if not isinstance(b, Ok)
    )
    line = tuple(dict.fromkeys((*leaving, *oks)))
    return Stepped(Local(node, line, Ghost(frozenset(ends), ghost.pre_image)), rest, asked)


def _busy(send: Send) -> Closed | None:
    """Return the busy answer that a datagram is: one to all, about a change never acked."""
    body: AnyBody = decode(send.data).body
    return body if isinstance(body, Closed) and send.to is None else None


def possible_operations(local: Local) -> tuple[Finish, ...]:
    """Return how the operation that runs may end."""
    operation = local.node.state.operation
    if operation is None:
        return ()
    if operation.purpose is Purpose.APPLY:
        return Finish(success=True), Finish(success=False)
    return (Finish(success=True),)


class Nodes:
    """All local states that were met, numbered, and the transitions between them."""

    def __init__(self) -> None:
        self.locals: list[Local] = []
        self._numbers: dict[Any, int] = {}
        self._after: dict[tuple[int, Input], tuple[int, Stepped] | None] = {}

    def number(self, local: Local) -> int:
        """Return the number of a local state."""
        state = local.node.state
        key = (state.config.me, key_of(state), local.leaving, local.ghost)
        number = self._numbers.setdefault(key, len(self.locals))
        if number == len(self.locals):
            self.locals.append(local)
        return number

    def step(self, number: int, what: Input) -> tuple[int, Stepped] | None:
        """Return what an input does and the number of the state after it; None: refused."""
        known = (number, what)
        if known not in self._after:
            try:
                after = stepped(self.locals[number], what)
            except Refused:
                self._after[known] = None
            else:
                self._after[known] = self.number(after.local), after
        return self._after[known]
