"""One core as a machine: what each input makes of it, and what it sends.

Time stands still: an input that needs time to pass (a tick, a watchdog, a suspicion) is given at a
later instant, and then all instants are set back. A node's journal is durable at once, but for that
of an apply, since the spec has a crash there; and an ok waits until it leaves, since the spec has a
step there. Heartbeats and requests to join are left out: what they lead to is an input.

What one node does depends on that node alone, so its transitions are computed once and numbered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from samebeat import codec, multicast, views
from samebeat import journal as journals
from samebeat.config import Config
from samebeat.effects import Event, Persist, Purpose, Send
from samebeat.ids import ChangeId
from samebeat.journal import Phase
from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck, Join, Ok
from samebeat.node import Node, Refused
from samebeat.pair import Watch
from samebeat.state import Operation, State, frozen
from samebeat_conformance.account import (
    Account,
    crashed,
    first_account,
    follow,
    ok_left,
    recovered,
)
from samebeat_conformance.inputs import (
    Ask,
    Beat,
    Crash,
    Deliver,
    Finish,
    FinishLate,
    Hang,
    Input,
    Leave,
    Lose,
    OneStep,
    Persisted,
    Propose,
    Recover,
    Tick,
)
from samebeat_conformance.stepwise import StepwiseNode

NOW_MS = 1_000
_LONG_AGO_MS = -(10**9)
"""So long ago that each deadline has passed, however far the envelope widens it."""
_LEFT_OUT = (Heartbeat, HeartbeatAck, Join)

Datagrams: TypeAlias = tuple[tuple[str | None, bytes], ...]
"""To whom (None: all others), and what."""


@dataclass(frozen=True)
class Local:
    """One node between two inputs.

    Attributes:
        node: a snapshot; its journal is durable.
        account: what the spec says of it.
        leaving: the oks that it is about to send, and has never sent.
        applied: its apply has succeeded, and that is in no journal yet; then this is the account
            of before.
    """

    node: Node
    account: Account
    leaving: Datagrams = ()
    applied: Account | None = None

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node._state.config.me


@dataclass(frozen=True)
class Stepped:
    """What an input does to a node: what leaves it, and the id of the change it asks for."""

    local: Local
    sent: Datagrams = ()
    asked: ChangeId | None = None


@dataclass(frozen=True)
class _Done:
    """What a node has done on an input, before any of its effects is carried out."""

    node: Node
    events: tuple[Event, ...]
    sends: Datagrams
    asked: ChangeId | None = None

    @property
    def writes(self) -> bool:
        return any(isinstance(e, Persist) for e in self.events)


@lru_cache(maxsize=1 << 16)
def body_of(data: bytes) -> AnyBody:
    """Return what a datagram says."""
    return codec.decode(data).body


def first_local(config: Config, kind: type[Node] = Node) -> Local:
    """Return a node that has started for the first time and restored its settings."""
    node = kind.first_start(config, NOW_MS)
    local = Local(node, first_account(config))
    after = _carried_out(local, _collected(node)).local
    return stepped(after, Finish(success=True)).local


def stepped(local: Local, what: Input, *, journals_late: bool = False) -> Stepped:
    """Return what an input does to a node.

    Args:
        local: the node.
        what: the input.
        journals_late: an apply is in effect before it is durable, as a step of its own.

    Raises:
        Refused: the node does not do that now.
    """
    match what:
        case Leave():
            account = ok_left(local.account, _change_of(local.leaving[0]))
            line, said = _lined_up(local.leaving, account)
            return Stepped(replace(local, account=account, leaving=line), said)
        case Lose():
            return Stepped(replace(local, leaving=local.leaving[1:]))
        case Persisted():
            assert local.applied is not None
            before = Local(local.node, local.applied, local.leaving)
            return stepped(before, Finish(success=True))
        case Crash():
            return _crashed(local, what)
        case Recover():
            return _recovered(local)
        case Finish(success=True) if journals_late and _applies(local):
            return Stepped(_applied(local))
        case _:
            return _carried_out(local, _given(local.node, what))


def _applies(local: Local) -> bool:
    operation = local.node._state.operation
    return operation is not None and operation.purpose is Purpose.APPLY


def _applied(local: Local) -> Local:
    """The value has changed, the journal has not."""
    after = _carried_out(local, _given(local.node, Finish(success=True))).local.account
    operation = local.node._state.operation
    assert operation is not None, "an operation runs"
    assert operation.change is not None, "it is that of a change"
    phases = dict(local.account.phases) | {operation.change: "APPLIED"}
    account = replace(local.account, value=after.value, phases=frozenset(phases.items()))
    return replace(local, account=account, applied=local.account)


# --- inputs --------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _given(node: Node, what: Input) -> _Done:
    """Give an input to a copy of the node; with the crashes during it that is asked for often."""
    node = node.copy()
    asked = None
    match what:
        case Ask():
            asked = node.request_change(msgspec.structs.asdict(what.settings), NOW_MS)
        case Deliver():
            node.receive(what.data, what.source, NOW_MS)
        case Beat():
            node.receive(what.data, what.source, NOW_MS)
            _set_back(node._state)
        case Finish():
            operation = node._state.operation
            assert operation is not None, "an operation runs"
            node.apply_finished(operation.token, what.success, NOW_MS)
        case FinishLate(success=success):
            given_up = node._state.given_up
            assert given_up is not None, "an operation was given up"
            node.apply_finished(given_up.token, success, NOW_MS)
        case Tick():
            node.on_timer(NOW_MS + multicast.pace_ms(node._state))
            _set_back(node._state)
        case Hang():
            late_ms = NOW_MS + node._state.config.watchdog_ms
            _not_before(node._state, late_ms)
            node.on_timer(late_ms)
            _set_back(node._state)
        case Propose():
            _propose(node, what.members)
        case OneStep():
            assert isinstance(node, StepwiseNode), "others take all steps at once"
            node.take_step(what.place, NOW_MS)
        case _:
            raise TypeError(f"no meaning for {what}")
    return _collected(node, asked)


def _propose(node: Node, members: tuple[str, ...]) -> None:
    """Let deadlines pass, and joiners ask, until the node proposes a view of these members."""
    s = node._state
    before = s.promised
    config = s.config
    late_ms = NOW_MS + 1 + config.view_timeout_ms + config.stagger_ms * len(config.members)
    _not_before(s, late_ms)
    s.promised_ms = NOW_MS
    s.watches = frozen(
        {
            p: Watch((0, 0), _LONG_AGO_MS, Fraction(1))
            for p in s.promised.members
            if p not in members
        }
    )
    s.joiners = frozen({p: late_ms for p in members if p not in s.promised.members})
    node.on_timer(NOW_MS + 1)
    if s.promised == before:
        node.on_timer(late_ms)
    if s.promised == before or s.promised.members != members:
        raise Refused("the node proposes no view of these members")
    _set_back(s)


def _not_before(s: State, late_ms: int) -> None:
    """Nothing else is due before that."""
    s.repeat_ms = late_ms + 1 if s.repeat_ms else 0
    s.beat = (s.beat[0], late_ms)
    s.promised_ms = late_ms
    if s.operation is not None and s.operation.started_ms + s.config.watchdog_ms > late_ms:
        s.operation = replace(s.operation, started_ms=late_ms)


def _set_back(s: State) -> None:
    """Set all instants back, and forget what heartbeats have led to."""
    s.now_ms = s.promised_ms = NOW_MS
    s.repeat_ms = NOW_MS + multicast.pace_ms(s) if s.repeat_ms else 0
    s.beat = (0, None)
    s.joiners = s.watches = frozen()  # type: ignore[assignment]
    s.ack_watches, s.suspected = frozen(), frozenset()
    if s.operation is not None:
        s.operation = replace(s.operation, started_ms=NOW_MS)
    if s.given_up is not None:
        s.given_up = replace(s.given_up, started_ms=NOW_MS)
    s.wish = (views.wished(s), NOW_MS)


# --- effects -------------------------------------------------------------------------------------


def _collected(node: Node, asked: ChangeId | None = None) -> _Done:
    """Take what the node asks of its host, as if the journal were durable."""
    events, sends = _effects(node)
    kept = tuple((s.to, s.data) for s in sends if not isinstance(body_of(s.data), _LEFT_OUT))
    return _Done(node, events, kept, asked)


def _effects(node: Node) -> tuple[tuple[Event, ...], tuple[Send, ...]]:
    events = node.events()
    for event in events:
        if isinstance(event, Persist):
            node.persisted(event.number)
    return events, node.data_to_send()


def _carried_out(local: Local, done: _Done) -> Stepped:
    """Carry out all effects; an ok is lined up, unless it counts as said: then it leaves, too."""
    if not (done.events or done.sends) and is_same(local.node._state, done.node._state):
        return Stepped(local, (), done.asked)
    bodies = [(to, body_of(data)) for to, data in done.sends]
    oks = tuple(d for d in done.sends if isinstance(body_of(d[1]), Ok))
    rest = tuple(d for d in done.sends if not isinstance(body_of(d[1]), Ok))
    kept = [body_of(data) for _, data in oks]
    account = follow(local.account, local.node, done.node, bodies, done.events, kept)
    all_ = tuple(dict.fromkeys((*local.leaving, *oks)))
    for ok in all_:
        if not _is_unsaid(done.node, _change_of(ok)):
            account = ok_left(account, _change_of(ok))
    line, said = _lined_up(all_, account)
    return Stepped(Local(done.node, account, line), (*rest, *said), done.asked)


def _lined_up(oks: Datagrams, account: Account) -> tuple[Datagrams, Datagrams]:
    """Return the oks that have never been sent, and those that count as said."""
    said = tuple(ok for ok in oks if ("OK", _change_of(ok)) in account.sent)
    return tuple(ok for ok in oks if ok not in said), said


def _change_of(ok: tuple[str | None, bytes]) -> ChangeId:
    body = body_of(ok[1])
    assert isinstance(body, Ok)
    return body.change


def _is_unsaid(node: Node, change: ChangeId) -> bool:
    """Return whether an ok is one that the node has not acted upon since."""
    opened = node.journal.open_change(change)
    return opened is not None and opened.phase is Phase.APPLIED and opened.ballot is None


def _crashed(local: Local, what: Crash) -> Stepped:
    if what.during is None:
        return Stepped(Local(local.node, crashed(local.applied or local.account)))
    done = _given(local.node, what.during)
    if not done.writes or len(done.sends) <= what.sends:
        raise Refused("the effects have no such prefix")
    left, lost = done.sends[: what.sends], done.sends[what.sends :]
    bodies = [(to, body_of(data)) for to, data in done.sends]
    kept = [body_of(data) for _, data in lost if isinstance(body_of(data), Ok)]
    account = follow(local.account, local.node, done.node, bodies, done.events, kept)
    return Stepped(Local(done.node, crashed(account)), left, done.asked)


def _recovered(local: Local) -> Stepped:
    journal = journals.write(local.node.journal)
    node = type(local.node).restart(local.node._state.config, journal, NOW_MS)
    before = replace(local, account=recovered(local.account))
    return _carried_out(before, _collected(node))


def left_out(node: Node) -> tuple[bytes, ...]:
    """Return what the node says again and again, and what is not in the network: others answer."""
    node = node.copy()
    node.on_timer(NOW_MS + multicast.pace_ms(node._state))
    _, sends = _effects(node)
    return tuple(s.data for s in sends if isinstance(body_of(s.data), _LEFT_OUT))


def possible_operations(local: Local, *, undo_may_fail: bool) -> tuple[Finish, ...]:
    """Return how the operation that runs may end; what is installed again is, without fail."""
    operation = local.node._state.operation
    if operation is None:
        return ()
    may_fail = operation.purpose is Purpose.APPLY or (
        undo_may_fail and operation.purpose is Purpose.UNDO
    )
    return (Finish(success=True), *((Finish(success=False),) if may_fail else ()))


# --- all of them, numbered -----------------------------------------------------------------------


def _map_key(entries: Mapping[Any, Any]) -> frozenset[tuple[Any, Any]]:
    return frozenset(entries.items())


_KEYS: dict[str, Callable[[Any], Any] | None] = {
    **dict.fromkeys(("journal", "now_ms", "sequence", "promised_ms", "seen", "outside")),
    **dict.fromkeys(("suspected", "wish", "ahead", "installed", "active", "beat", "repeat_ms")),
    "pair_changes": None,
    "heard": lambda heard: frozenset(
        (c, h.acks, h.oks, h.failed, _map_key(h.ballots)) for c, h in heard.items()
    ),
    **dict.fromkeys(("reports", "joiners", "watches", "ack_watches", "channels"), _map_key),
    **dict.fromkeys(("owed", "firsts", "seconds"), _map_key),
    **dict.fromkeys(("operation", "given_up"), lambda operation: operation_key(operation)),
}
"""How each field of a node's state is told from others; None: as it is."""
_NOT_KEYS = frozenset({"token", "config", "sends", "events"})
"""What numbers things, never changes, or is empty between two inputs."""
assert {f.name for f in fields(State)} == _KEYS.keys() | _NOT_KEYS, "no field is forgotten"


def operation_key(operation: Operation | None) -> Any:
    """Return what tells a local operation from others, without its number."""
    if operation is None:
        return None
    return operation.purpose, operation.settings, operation.started_ms, operation.change


def is_same(one: State, other: State) -> bool:
    """Return whether nothing that is kept differs; what is replaced by its like may count as so."""
    return all(
        getattr(one, f) is getattr(other, f) or getattr(one, f) == getattr(other, f) for f in _KEYS
    )


def state_key(s: State) -> Any:
    """Return what tells a node's state from others."""
    return tuple([getattr(s, f) if key is None else key(getattr(s, f)) for f, key in _KEYS.items()])


class Nodes:
    """All local states that were met, numbered, and the transitions between them."""

    def __init__(self, *, journals_late: bool = False) -> None:
        self.locals: list[Local] = []
        self.account: list[int] = []
        """for each local state the number of its account"""
        self._journals_late = journals_late
        self._numbers: dict[Any, int] = {}
        self._accounts: dict[tuple[str, Account], int] = {}
        self._after: list[dict[Input, tuple[int, Stepped] | None]] = []

    def number(self, local: Local) -> int:
        """Return the number of a local state; of a node that is down only the journal counts."""
        state = local.node._state
        rest = (local.account, local.leaving, local.applied)
        what = state_key(state) if local.account.up else state.journal
        number = self._numbers.setdefault((state.config.me, what, rest), len(self.locals))
        if number == len(self.locals):
            self.locals.append(local)
            self._after.append({})
            own = (state.config.me, local.account)
            self.account.append(self._accounts.setdefault(own, len(self._accounts)))
        return number

    def step(self, number: int, what: Input) -> tuple[int, Stepped] | None:
        """Return what an input does and the number of the state after it; None: refused."""
        known = self._after[number]
        if what not in known:
            try:
                after = stepped(self.locals[number], what, journals_late=self._journals_late)
            except Refused:
                known[what] = None
            else:
                known[what] = self.number(after.local), after
        return known[what]
