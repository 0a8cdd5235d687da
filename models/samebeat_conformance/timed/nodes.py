"""One core in time: what each input makes of it, and what it sends.

Time is an input here, a tick of ``TICK_MS`` at a time. All instants are kept relative to now, and
no older than they can matter, and heartbeats are renumbered, so that there are finitely many
states. Nothing else of a node is touched, but for what is left out: acks of heartbeats (the spec
``acks``), the retry timer and the watchdog, whose times are an hour, and the clocks of a direction
that has none: its heartbeats go whenever the explorer likes, and each comes in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from samebeat import codec
from samebeat.config import Config
from samebeat.effects import Persist, Purpose
from samebeat.messages import Heartbeat, HeartbeatAck, Ok
from samebeat.node import Node, Refused
from samebeat.pair import Watch
from samebeat.state import State, frozen
from samebeat_conformance.account import Account, first_account, follow, ok_left
from samebeat_conformance.concrete import (
    Datagrams,
    body_of,
    state_key,
)
from samebeat_conformance.inputs import Ask, Deliver, Finish, Leave

TICK_MS = 10
NOW_MS = 1_000_000
LATEST_NUMBER = 3
"""The sequence of the heartbeat that was sent last; of the one before it one less, and so on."""
_MOST_INSTANTS = 10
"""At so many instants within a tick something may be due."""


@dataclass(frozen=True)
class Pass:
    """A tick passes; what is due within it is done, what is due at its end not yet."""


@dataclass(frozen=True)
class Due:
    """What is due now is done."""


@dataclass(frozen=True)
class Beat:
    """A node whose heartbeats have no clock sends one."""


@dataclass(frozen=True)
class Stop:
    """The node stops for good."""


@dataclass(frozen=True)
class Older:
    """The other node has sent a heartbeat: all earlier ones count as one older."""


Input: TypeAlias = Ask | Beat | Deliver | Due | Finish | Leave | Older | Pass | Stop


class Clocks(NamedTuple):
    """What of a node has clocks.

    Attributes:
        sends: its heartbeats.
        watches: the deadline for those of the other node.
        longest_ms: no clock counts further.
    """

    sends: bool
    watches: bool
    longest_ms: int


@dataclass(frozen=True)
class Timed:
    """One node between two inputs; its journal is durable.

    Attributes:
        node: a snapshot.
        account: what the group change says of it; it is down once it has stopped.
        stated: the epoch that the last heartbeat states which it has received.
        told: some heartbeat that it has received was sent after the other one had acked.
        leaving: the ok that it is about to send.
    """

    node: Node
    account: Account
    stated: int = 0
    told: bool = False
    leaving: Datagrams = ()

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node._state.config.me


class Stepped(NamedTuple):
    """What an input does to a node: what it says about the change, and the heartbeats."""

    local: Timed
    sent: Datagrams
    beats: tuple[bytes, ...]


def possible_finishes(local: Timed) -> tuple[Finish, ...]:
    """Return how the operation that runs may end: that of an apply in both ways."""
    operation = local.node._state.operation
    if operation is None:
        return ()
    fails = (Finish(success=False),) if operation.purpose is Purpose.APPLY else ()
    return (Finish(success=True), *fails)


def first_pair(configs: list[Config], clocks: list[Clocks]) -> list[Timed]:
    """Return nodes that have heard from each other; where there are clocks a heartbeat is due."""
    nodes = [Node.first_start(c, NOW_MS) for c in configs]
    beats = []
    for node in nodes:
        _collect(node)
        operation = node._state.operation
        assert operation is not None, "a node that starts restores its settings"
        node.apply_finished(operation.token, True, NOW_MS)
        _collect(node)
        node.on_timer(NOW_MS)
        _, sends = _collect(node)
        (beat,) = (data for _, data in sends if isinstance(body_of(data), Heartbeat))
        beats.append(beat)
    for i, node in enumerate(nodes):
        node.receive(beats[1 - i], configs[1 - i].me, NOW_MS)
        _collect(node)
        s = node._state
        s.beat = (LATEST_NUMBER, NOW_MS - s.journal.settings.heartbeat_interval)
        s.watches = frozen(
            {p: replace(w, newest=(w.newest[0], LATEST_NUMBER)) for p, w in s.watches.items()}
        )
        _make_relative(s, clocks[i], 0)
    return [Timed(n, first_account(c)) for n, c in zip(nodes, configs, strict=True)]


def stepped(local: Timed, what: Input, clocks: Clocks) -> Stepped:
    """Return what an input does to a node.

    Raises:
        Refused: the node does not do that now.
    """
    match what:
        case Leave():
            body = body_of(local.leaving[0][1])
            assert isinstance(body, Ok)
            account = ok_left(local.account, body.change)
            return Stepped(replace(local, account=account, leaving=()), local.leaving, ())
        case Stop():
            node = local.node.copy()
            node._state.beat = (LATEST_NUMBER, NOW_MS)
            down = replace(local.account, up=False)
            return Stepped(replace(local, node=node, account=down, leaving=()), (), ())
        case Older():
            node = local.node.copy()
            node._state.watches = frozen({p: _older(w) for p, w in node._state.watches.items()})
            return Stepped(replace(local, node=node), (), ())
        case _:
            return _given(local, what, clocks)


def _older(w: Watch) -> Watch:
    boot, number = w.newest
    return replace(w, newest=(boot, max(number - 1, 1)))


def _given(local: Timed, what: Input, clocks: Clocks) -> Stepped:
    node, passed_ms = local.node.copy(), 0
    s = node._state
    match what:
        case Ask():
            node.request_change(structs.asdict(what.settings), NOW_MS)
        case Deliver():
            node.receive(what.data, what.source, NOW_MS)
        case Finish():
            operation = s.operation
            assert operation is not None, "an operation runs"
            node.apply_finished(operation.token, what.success, NOW_MS)
        case Beat():
            s.beat = (s.beat[0], None)
            node.on_timer(NOW_MS)
        case Due():
            node.on_timer(NOW_MS)
        case Pass():
            passed_ms = TICK_MS
            _pass(node)
        case _:
            raise TypeError(f"no meaning for {what}")
    events, sends = _collect(node)
    after = _followed(local, node, events, sends)
    _make_relative(s, clocks, passed_ms)
    if clocks.watches and isinstance(what, Deliver) and _is_newer(local.node, node, what.source):
        after = replace(after, stated=codec.decode(what.data).epoch)
    said = tuple(d for d in sends if not isinstance(body_of(d[1]), (Heartbeat, HeartbeatAck, Ok)))
    if local.leaving and not after.leaving and _said_ok(after):
        said = (*local.leaving, *said)
    beats = tuple(
        renumbered(d) if clocks.sends else d for _, d in sends if isinstance(body_of(d), Heartbeat)
    )
    return Stepped(after, said, beats)


def _pass(node: Node) -> None:
    """Let a tick pass on the node's clock."""
    end_ms = NOW_MS + TICK_MS
    for _ in range(_MOST_INSTANTS):
        due_ms = node.next_timer()
        if due_ms is None or due_ms >= end_ms:
            break
        node.on_timer(due_ms)
    node._state.now_ms = end_ms


def _is_newer(before: Node, after: Node, source: str) -> bool:
    """Return whether a heartbeat has made the node wait anew."""
    old, new = before._state.watches.get(source), after._state.watches.get(source)
    return new is not None and (old is None or old.newest != new.newest)


def _said_ok(local: Timed) -> bool:
    return any(kind == "OK" for kind, _ in local.account.sent)


# --- effects -------------------------------------------------------------------------------------


def _collect(node: Node) -> tuple[tuple[Any, ...], Datagrams]:
    """Take what the node asks of its host, as if the journal were durable."""
    events = node.events()
    for event in events:
        if isinstance(event, Persist):
            node.persisted(event.number)
    return events, tuple((s.to, s.data) for s in node.data_to_send())


def _followed(local: Timed, node: Node, events: tuple[Any, ...], sends: Datagrams) -> Timed:
    """Return what the input comes to; an ok waits to leave as long as the change is open.

    It has left before the node votes to commit, and never once the change is undone.
    """
    bodies = [(to, body_of(data)) for to, data in sends]
    oks = [d for d in sends if isinstance(body_of(d[1]), Ok)]
    kept = [body_of(data) for _, data in oks]
    account = follow(local.account, local.node, node, bodies, events, kept)
    waits = bool(node.journal.opens) and not any(kind == "OK" for kind, _ in account.sent)
    leaving = (local.leaving or tuple(oks)) if waits else ()
    return Timed(node, account, local.stated, local.told, leaving)


# --- time and numbers ----------------------------------------------------------------------------


def _make_relative(s: State, clocks: Clocks, passed_ms: int) -> None:
    """Set all instants back to now, and number the latest heartbeat as ever."""

    def kept(instant_ms: int, *, has_clock: bool) -> int:
        return max(instant_ms - passed_ms, NOW_MS - clocks.longest_ms) if has_clock else NOW_MS

    number, sent_ms = s.beat
    s.now_ms = s.promised_ms = NOW_MS
    s.repeat_ms = NOW_MS + s.journal.settings.message_retry_timer if s.repeat_ms else 0
    s.wish = (s.wish[0], NOW_MS)
    number = LATEST_NUMBER if clocks.sends else LATEST_NUMBER - 1
    s.beat = (number, kept(NOW_MS if sent_ms is None else sent_ms, has_clock=clocks.sends))
    s.ack_watches = frozen()
    s.watches = frozen(
        {
            p: Watch(
                w.newest if clocks.watches else (w.newest[0], LATEST_NUMBER - 1),
                kept(w.heard_ms, has_clock=clocks.watches),
                w.deadline_ms,
            )
            for p, w in s.watches.items()
        }
    )
    if s.operation is not None:
        s.operation = replace(s.operation, started_ms=NOW_MS)


@lru_cache(maxsize=1 << 12)
def renumbered(data: bytes, *, last: Any = ...) -> bytes:
    """Return a heartbeat with the number before its own, or one that states another change."""
    message = codec.decode(data)
    body = message.body
    assert isinstance(body, Heartbeat)
    if last is ...:
        body = structs.replace(body, sequence=max(body.sequence - 1, 1))
    else:
        body = structs.replace(body, last=last)
    return codec.encode(structs.replace(message, body=body))


# --- all of them, numbered -----------------------------------------------------------------------


class TimedNodes:
    """All local states that were met, numbered, and the transitions between them."""

    def __init__(self, clocks: dict[str, Clocks]) -> None:
        self.locals: list[Timed] = []
        self.due: list[bool] = []
        """for each local state whether the node has something to do before time may pass"""
        self._clocks = clocks
        self._numbers: dict[Any, int] = {}
        self._after: list[dict[Any, tuple[int, Stepped] | None]] = []

    def number(self, local: Timed) -> int:
        """Return the number of a local state; of a node that has stopped the journal counts."""
        s = local.node._state
        what = state_key(s) if local.account.up else s.journal
        rest = (local.account, local.stated, local.told, local.leaving)
        number = self._numbers.setdefault((local.name, what, rest), len(self.locals))
        if number == len(self.locals):
            self.locals.append(local)
            self.due.append(_is_due(local))
            self._after.append({})
        return number

    def step(self, number: int, what: Input, *, told: bool = False) -> tuple[int, Stepped] | None:
        """Return what an input does and the number of the state after it; None: refused."""
        known = self._after[number]
        key = (what, told)
        if key not in known:
            local = self.locals[number]
            try:
                found = stepped(local, what, self._clocks[local.name])
            except Refused:
                known[key] = None
            else:
                if told and not local.told:
                    found = found._replace(local=replace(found.local, told=True))
                known[key] = (self.number(found.local), found)
        return known[key]

    def disturb(self, number: int, what: Deliver) -> Timed:
        """Return a node after an input that is not part of the exploration."""
        local = self.locals[number]
        return stepped(local, what, self._clocks[local.name]).local

    def is_same(self, number: int, local: Timed) -> bool:
        """Return whether a local state is the one with this number."""
        mine, other = self.locals[number], local
        same_node = state_key(mine.node._state) == state_key(other.node._state)
        return same_node and replace(mine, node=other.node) == other


def _is_due(local: Timed) -> bool:
    due_ms = local.node.next_timer()
    return local.account.up and due_ms is not None and due_ms <= NOW_MS
