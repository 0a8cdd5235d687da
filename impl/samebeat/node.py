"""One node of a cluster, as its host sees it.

Inputs are `receive`, `on_timer`, `request_change`, `request_pair_change`, `apply_finished` and
`persisted`; each takes the time from a clock that never goes back. After each input the host takes
`events()` and does what they ask for, in order, and then sends what `data_to_send()` gives. A
datagram is only given once the journal that it rests on was confirmed with `persisted`.
`next_timer()` says when to call `on_timer` at the latest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from msgspec import structs

from samebeat import asking, change, codec, heartbeats, messages, multicast, operations, views
from samebeat import journal as journals
from samebeat.config import Config
from samebeat.effects import Event, Persist, Purpose, Rejected, Send, TookItselfOut
from samebeat.ids import ChangeId, PairChangeId, View
from samebeat.journal import Journal
from samebeat.parameters import Values, changed, problems
from samebeat.state import State, frozen, with_entry

Waiting: TypeAlias = tuple[int, Send]
"""A datagram, and the number of the journal that must be durable first."""

_JOIN_LASTS = 4
"""Who asks to be let in is forgotten when so many repetitions have not come."""


class Refused(Exception):  # noqa: N818  (`except Refused` is the sentence)
    """A change is not asked for; the message says why, in one line."""


class Node:
    """One node: its state, and what waits for the host."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._handed_out: Journal | None = None
        self._number = 0
        self._durable = 0
        self._waiting: tuple[Waiting, ...] = ()
        self._events: tuple[Event, ...] = ()

    @classmethod
    def first_start(cls, config: Config, now_ms: int) -> Node:
        """Return a node that has never run before; its name must be new to the cluster."""
        return cls._boot(config, journals.blank(config), now_ms)

    @classmethod
    def restart(cls, config: Config, journal: bytes, now_ms: int) -> Node:
        """Return a node that comes back with its journal.

        Raises:
            JournalLost: the journal is empty; the node must not come back under its old name.
            JournalError: the journal cannot be read, and must not be guessed at.
        """
        return cls._boot(config, journals.read(journal), now_ms)

    @classmethod
    def _boot(cls, config: Config, journal: Journal, now_ms: int) -> Node:
        s = State(config, structs.replace(journal, boot=journal.boot + 1), now_ms)
        s.promised_ms = now_ms
        everybody = journals.first_report(config)
        if s.promised == everybody.view:
            s.reports = frozen(dict.fromkeys(config.members, everybody))
        else:
            s.reports = frozen({config.me: journal.promise})
        multicast.start(s)
        if journal.out:
            s.tell(TookItselfOut(journal.out))
        else:
            operations.start(s, Purpose.RESTORE, journal.held[2])
        node = cls(s)
        node._finish()
        return node

    def copy(self) -> Node:
        """Return a snapshot: nothing that happens to one of the two changes the other."""
        other = type(self)(self._state.copy())
        other._handed_out, other._number, other._durable = (
            self._handed_out,
            self._number,
            self._durable,
        )
        other._waiting, other._events = self._waiting, self._events
        return other

    # --- what can be read ------------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """What is, or is about to be, on disk."""
        return self._state.journal

    @property
    def state(self) -> State:
        """A snapshot of all that the node knows."""
        return self._state.copy()

    @property
    def is_quiet(self) -> bool:
        """Nothing is open, the node is in a view that has begun, and it has what others have."""
        s = self._state
        return not _is_unfinished(s) and not change.is_busy(s) and not s.journal.out

    @property
    def view(self) -> View:
        """The view that has begun."""
        return self._state.view

    # --- inputs ----------------------------------------------------------------------------------

    def receive(self, data: bytes, source: str, now_ms: int) -> None:
        """Take a datagram from the member `source`; garbage changes nothing but for an event."""
        s = self._at(now_ms)
        reason = ""
        try:
            message = codec.decode(data)
        except codec.ProtocolError as error:
            reason = str(error)
        else:
            if source not in s.config.others:
                reason = f"{source} is no other member of the cluster"
            elif message.cluster != s.config.cluster:
                reason = f"this is a message of the cluster {message.cluster}"
            elif not s.journal.out:
                for whole in multicast.arrive(s, source, message):
                    if not s.journal.out:
                        _take(s, source, whole)
                        self._take_steps()
        if reason:
            s.tell(Rejected(source, reason))
        self._finish()

    def on_timer(self, now_ms: int) -> None:
        """Do what is due: an operation that hangs, suspicions, proposals, heartbeats, repeats."""
        s = self._at(now_ms)
        if not s.journal.out:
            operations.watchdog(s)
        if not s.journal.out:  # a watchdog may have taken it out
            heartbeats.suspect(s)
            _forget_joiners(s)
            views.note_wish(s)
            views.propose_if_due(s)
            heartbeats.send_if_due(s)
            _repeat_if_due(s)
            multicast.on_timer(s)
        self._finish()

    def request_change(self, values: Values, now_ms: int) -> ChangeId:
        """Ask all members of the view for new values of some parameters (claims 1(a), 2 and 3).

        Raises:
            Refused: the values are wrong, or the node cannot take part in a change now.
        """
        s = self._at(now_ms)
        settings, wrong = changed(s.journal.settings, values)
        if settings is not None:
            wrong = problems(settings, s.config.assumed)
        refusal = "; ".join(wrong) or change.may_ask(s) or multicast.refusal(s)
        if refusal or settings is None:
            raise Refused(refusal)
        asked = change.ask(s, settings)
        self._finish()
        return asked

    def request_pair_change(self, peer: str, values: Values, now_ms: int) -> PairChangeId:
        """Change heartbeat parameters of the direction from here to one peer (claims 19 to 31).

        What is local to this node changes at once. For the rest the peer is asked in heartbeats,
        and this node defers until it has modified. A change of the whole group ends all of that.

        Raises:
            Refused: the values are wrong, or the node cannot ask for them now.
        """
        s = self._at(now_ms)
        settings, refusal = asking.judged(s, peer, values)
        if refusal or settings is None:
            raise Refused(refusal)
        asked = asking.begin(s, peer, settings, values)
        self._finish()
        return asked

    def apply_finished(self, token: int, success: bool, now_ms: int) -> None:
        """The local operation with this token is over; without success nothing has changed."""
        s = self._at(now_ms)
        if not s.journal.out:
            operations.finished(s, token, success)
        self._finish()

    def persisted(self, number: int) -> None:
        """The journal with this number, and so all before it, is durable."""
        self._durable = max(self._durable, min(number, self._number))

    # --- outputs ---------------------------------------------------------------------------------

    def events(self) -> tuple[Event, ...]:
        """Return what the host is to do or to know, in order, once."""
        events, self._events = self._events, ()
        return events

    def data_to_send(self) -> tuple[Send, ...]:
        """Return the datagrams that may go now, in order, once."""
        ready = tuple(send for number, send in self._waiting if number <= self._durable)
        self._waiting = tuple(w for w in self._waiting if w[0] > self._durable)
        return ready

    def next_timer(self) -> int | None:
        """Return when `on_timer` is to be called at the latest; None: only something received."""
        s = self._state
        return None if s.journal.out else min(_timers(s), default=None)

    # --- inside ----------------------------------------------------------------------------------

    def _at(self, now_ms: int) -> State:
        self._state.now_ms = max(self._state.now_ms, now_ms)
        return self._state

    def _take_steps(self) -> None:
        """Take every step that is possible now, the first one first."""
        while not self._state.journal.out and any(step() for step in steps(self._state)):
            pass

    def _finish(self) -> None:
        """Take every step that is possible now; then the journal goes first, and all else after."""
        s = self._state
        self._take_steps()
        datagrams: tuple[Send, ...] = ()
        if not s.journal.out:
            _settle(s)
            datagrams = tuple(_datagrams(s))
        if s.journal != self._handed_out:
            self._number += 1
            self._handed_out = s.journal
            self._events = (*self._events, Persist(self._number, journals.write(s.journal)))
        self._events = (*self._events, *s.events)
        self._waiting = (*self._waiting, *((self._number, send) for send in datagrams))
        s.events, s.sends = (), ()


def _datagrams(s: State) -> Iterator[Send]:
    """Yield what is said, as datagrams; what goes in a channel comes out as fragments."""
    header = (codec.VERSION, s.config.cluster, s.promised.id, s.journal.epoch)
    for to, body in s.sends:
        message = messages.Message(*header, body)
        if not multicast.say(s, to, message):
            yield Send(to, codec.encode(message))
    for member, piece in multicast.flush(s):
        yield Send(member, codec.encode(messages.Message(*header, piece)))


def _take(s: State, source: str, message: messages.Message) -> None:
    """Record what a message says, and tell its sender what it seems not to know."""
    body = message.body
    if s.seen is None or message.view > s.seen:
        s.seen = message.view
    if message.epoch < s.journal.epoch and s.journal.last is not None:
        s.say(messages.Committed(s.journal.last, s.journal.settings), source)
    if message.view < s.promised.id and not isinstance(body, messages.Told):
        s.say(messages.Told(s.journal.promise, wants=False), source)
    match body:
        case messages.Request():
            change.receive_request(s, source, body)
        case messages.Committed():
            change.learn_ahead(s, body.change, body.settings)
        case messages.Told():
            views.receive_report(s, source, body)
        case messages.Join():
            if source not in s.promised.members:
                s.joiners = with_entry(s.joiners, source, s.now_ms)
        case messages.Heartbeat():
            heartbeats.receive(s, source, message.epoch, body)
        case messages.HeartbeatAck():
            heartbeats.receive_ack(s, source, body)
        case messages.Fragment() | messages.FragmentAck() | messages.Notice():
            raise AssertionError("what is in fragments is put together before")
        case _:
            change.hear(s, source, body)


def steps(s: State) -> Iterator[Callable[[], bool]]:
    """Yield all steps, in the order in which a node tries them; each tells whether it was taken.

    A step is a guard and an effect, as in the spec.
    """
    for step in (views.begin, change.commit, views.vote_in_flush):
        yield partial(step, s)
    for o in s.journal.opens:
        for step_of in (change.undo, change.learn_commit, change.apply, change.vote_to_commit):
            yield partial(step_of, s, o)
    for peer in asking.concerned(s):
        for step_with in asking.STEPS:
            yield partial(step_with, s, peer)


def _settle(s: State) -> None:
    """Bring up to date what follows from the steps taken."""
    heartbeats.follow(s)
    if s.outside:
        s.active = False
    elif s.is_ready and not s.is_behind and not s.is_restoring:
        s.active = True
    views.note_wish(s)
    if not _is_unfinished(s):
        s.repeat_ms = 0
    elif s.repeat_ms == 0:
        s.repeat_ms = s.now_ms + multicast.pace_ms(s)


def _is_unfinished(s: State) -> bool:
    """Something is to be said again until others have answered it."""
    return bool(s.journal.opens) or not s.is_ready or s.outside


def _repeat_if_due(s: State) -> None:
    """Say again what is unfinished, at the pace of the change layer."""
    if not _is_unfinished(s) or s.now_ms < s.repeat_ms:
        return
    s.repeat_ms = s.now_ms + multicast.pace_ms(s)
    for body in change.repeated(s):
        s.say(body)
    if not s.is_ready:
        s.say(messages.Told(s.journal.promise, wants=True))
    if s.outside:
        s.say(messages.Join())


def _join_lasts_ms(s: State) -> int:
    return _JOIN_LASTS * multicast.pace_ms(s)


def _forget_joiners(s: State) -> None:
    late = [m for m, heard_ms in s.joiners.items() if heard_ms + _join_lasts_ms(s) <= s.now_ms]
    if late:
        s.joiners = frozen({m: t for m, t in s.joiners.items() if m not in late})


def _timers(s: State) -> Iterator[int]:
    """Yield the instants at which something is due."""
    for due_ms in (
        heartbeats.next_beat_ms(s),
        heartbeats.next_suspicion_ms(s),
        views.proposal_due_ms(s),
    ):
        if due_ms is not None:
            yield due_ms
    if s.operation is not None:
        yield s.operation.started_ms + s.config.watchdog_ms
    if _is_unfinished(s):
        yield s.repeat_ms
    yield from heartbeats.own_beats_ms(s)
    yield from (heard_ms + _join_lasts_ms(s) for heard_ms in s.joiners.values())
    yield from multicast.timers(s)
