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

from samebeat import journal as journals
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
        up: whether it runs; if not, its journal is all that counts.
    """

    node: Node
    leaving: Datagrams
    ghost: Ghost
    up: bool = True


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
    """The timer is called, after no time or after that of the retry timer."""

    later: bool = False


@dataclass(frozen=True)
class Crash:
    """The node stops; its journal stays, and an ok that has not left is lost.

    An ok on which the node has acted counts as sent: it may have left, and be delayed for ever.
    """


@dataclass(frozen=True)
class Recover:
    """The node comes back with its journal, and restores its settings."""


Input: TypeAlias = Ask | Crash | Deliver | Finish | Leave | Lose | Recover | Tick
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
    if isinstance(what, Crash):
        said = tuple(d for d in local.leaving if not is_unsaid(local, decode(d[1]).body))
        return Stepped(Local(local.node, (), local.ghost, up=False), said)
    if isinstance(what, Recover):
        return _recovered(local)
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
            retry_ms = node.journal.settings.message_retry_timer
            node.on_timer(NOW_MS + (retry_ms if what.later else 0))
    before = {o.id for o in local.node.journal.opens if o.phase is not Phase.RECEIVED}
    ghost = local.ghost
    if any(o.id not in before and o.phase is not Phase.RECEIVED for o in node.journal.opens):
        ghost = Ghost(ghost.ends, local.node.journal.settings)
    return _handled(node, ghost, local.leaving, asked)


def _recovered(local: Local) -> Stepped:
    journal = journals.write(local.node.journal)
    config = local.node.state.config
    began = _handled(Node.restart(config, journal, NOW_MS), local.ghost, ())
    after = stepped(began.local, Finish(success=True))
    return Stepped(after.local, (*began.sent, *after.sent))


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


def is_unsaid(local: Local, body: AnyBody) -> bool:
    """Return whether this is an ok, about to leave, on which the node has not acted yet."""
    if not isinstance(body, Ok):
        return False
    opened = local.node.journal.open_change(body.change)
    return opened is not None and opened.phase is Phase.APPLIED and opened.ballot is None


class Nodes:
    """All local states that were met, numbered, and the transitions between them."""

    def __init__(self) -> None:
        self.locals: list[Local] = []
        self._numbers: dict[Any, int] = {}
        self._after: dict[tuple[int, Input], tuple[int, Stepped] | None] = {}

    def number(self, local: Local) -> int:
        """Return the number of a local state."""
        state = local.node.state
        key = (state.config.me, key_of(state), local.leaving, local.ghost, local.up)
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
