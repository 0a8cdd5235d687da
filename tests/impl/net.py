"""A cluster of cores in memory: hosts with disks, a network, and one clock. No sockets, no waiting.

What must never happen is checked as it happens, by an observer who sees every disk and message:
agreement, one commit for each epoch, no apply before every ack, no commit after a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from samebeat.config import Config
from samebeat.effects import (
    Decided,
    Event,
    Install,
    NotDelivered,
    Outcome,
    Persist,
    Purpose,
    Send,
    Suspected,
    TookItselfOut,
)
from samebeat.ids import ChangeId
from samebeat.journal import read
from samebeat.messages import Ack, AnyBody, Failure, Heartbeat, Ok
from samebeat.node import Node
from samebeat.parameters import Settings
from samebeat_conformance.wire import Observer

Datagram = tuple[str, str, bytes, int]
"""From whom, to whom, what, and when it arrives."""
NAMES = ("a", "b", "c", "d", "e")
SLOW = {"heartbeat_interval": 2_000}


@dataclass
class Host:
    """One machine: a disk, what is in effect, and the node as long as it runs."""

    config: Config
    node: Node | None = None
    disk: bytes = b""
    installed: Settings | None = None
    running: list[Install] = field(default_factory=list)
    ready_ms: int = 0
    """when the local operation that runs is over"""
    waiting: list[Event | Send] = field(default_factory=list)
    done: int = 0
    """how many effects this host has carried out"""
    crash_after: int | None = None
    """crash once so many effects are carried out"""
    refuses: set[Purpose] = field(default_factory=set)
    """local operations of these kinds fail"""
    holds: set[Purpose] = field(default_factory=set)
    """local operations of these kinds hang until `finish` is called"""


class Net:
    """Some hosts, what is on its way between them, and what an observer has seen."""

    def __init__(self, size: int = 3, seed: int | None = None, **config: int) -> None:
        names = NAMES[:size]
        self.now = 1_000
        self.rng = None if seed is None else Random(seed)
        self.hosts = {n: Host(Config("test", n, names, **config)) for n in names}  # type: ignore[arg-type]
        self.flying: list[Datagram] = []
        self.observer = Observer()
        self.failures: list[tuple[str, NotDelivered]] = []
        """what the message layer could not deliver, and who was told so"""
        self.delay_ms = self.work_ms = 0
        """the longest that a datagram, or a local operation, takes; how long is drawn each time"""
        self.loses: Callable[[str, str, AnyBody], bool] = lambda source, to, body: False
        self.beats: list[tuple[str, int]] = []
        """who has sent a heartbeat, and when"""
        self.cut: set[tuple[str, str]] = set()
        self.loss = self.copies = 0.0
        self.suspicions: list[tuple[str, str]] = []
        self.outcomes: dict[ChangeId, dict[str, Outcome]] = {}
        self.said: dict[type, set[tuple[str, ChangeId]]] = {Ack: set(), Ok: set(), Failure: set()}
        self.reasons: dict[str, str] = {}
        for n in names:
            self.hosts[n].node = Node.first_start(self.hosts[n].config, self.now)
            self.carry_out(n)

    # --- what a host does ------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        """The node of a host that is up."""
        node = self.hosts[name].node
        assert node is not None, f"{name} is up"
        return node

    def up(self) -> list[str]:
        """The hosts that run."""
        return [n for n, h in self.hosts.items() if h.node is not None]

    def carry_out(self, name: str) -> None:
        """Do what the node asks for, in order, until nothing is left or the host crashes."""
        host = self.hosts[name]
        while host.node is not None:
            effects = [*host.node.events(), *host.node.data_to_send()]
            if not effects:
                return
            for effect in effects:
                if host.crash_after is not None and host.done >= host.crash_after:
                    host.crash_after = None
                    self.crash(name)
                    return
                host.done += 1
                self._do(name, host, effect)

    def _do(self, name: str, host: Host, effect: Event | Send) -> None:
        assert host.node is not None
        match effect:
            case Persist():
                host.disk = effect.journal
                host.node.persisted(effect.number)
            case Install():
                if effect.purpose is Purpose.APPLY:
                    self._check_all_acked(name)
                host.running.append(effect)
                host.ready_ms = self.now + self._draw(self.work_ms)
            case Decided():
                self._check_agreement(name, effect)
            case Suspected():
                self.suspicions.append((name, effect.member))
            case NotDelivered():
                self.failures.append((name, effect))
            case TookItselfOut():
                self.reasons[name] = effect.reason
            case Send():
                self._send(name, effect)
            case _:
                pass

    def _draw(self, longest_ms: int) -> int:
        return self.rng.randint(0, longest_ms) if self.rng else longest_ms

    def _send(self, name: str, send: Send) -> None:
        for to in (n for n in self.hosts if n != name and send.to in (None, n)):
            body = self.observer.body(name, to, send.data)
            if isinstance(body, Ack | Ok | Failure):
                self.said[type(body)].add((name, body.change))
            if isinstance(body, Heartbeat) and (name, self.now) not in self.beats[-1:]:
                self.beats.append((name, self.now))
            if (name, to) in self.cut or (self.rng and self.rng.random() < self.loss):
                continue
            if self.loses(name, to, body):
                continue
            self.flying.append((name, to, send.data, self.now + self._draw(self.delay_ms)))
            if self.rng and self.rng.random() < self.copies:
                self.flying.append((name, to, send.data, self.now + self._draw(self.delay_ms)))

    def _check_all_acked(self, name: str) -> None:
        (change,) = [o for o in read(self.hosts[name].disk).opens if o.phase == 2]
        others = set(change.home.members) - {name}
        answers = self.said[Ack] | self.said[Ok]  # a status says that, too
        assert all((m, change.id) in answers for m in others), "every member has acked"

    def _check_agreement(self, name: str, decided: Decided) -> None:
        known = self.outcomes.setdefault(decided.change, {})
        if decided.outcome is not Outcome.PASSED:
            known[name] = decided.outcome
        assert len(set(known.values())) <= 1, f"agreement on {decided.change}: {known}"
        committed = {c for c, o in self.outcomes.items() if Outcome.COMMITTED in o.values()}
        bases = [c.base for c in committed]
        assert len(bases) == len(set(bases)), "one commit for each base epoch"
        failed = {c for _, c in self.said[Failure]}
        assert not committed & failed, "a failure excludes a commit"

    # --- what can happen -------------------------------------------------------------------------

    def ask(self, name: str, **values: int) -> ChangeId:
        """A node asks for a change."""
        change = self.node(name).request_change(values or SLOW, self.now)
        self.carry_out(name)
        return change

    def crash(self, name: str) -> None:
        """A host stops; what is on its disk stays, and what is on its way, too."""
        self.hosts[name].node = None
        self.hosts[name].running.clear()

    def restart(self, name: str) -> None:
        """A host comes back with its disk; one that never wrote anything starts anew."""
        host = self.hosts[name]
        assert host.node is None
        if host.disk:
            host.node = Node.restart(host.config, host.disk, self.now)
        else:
            host.node = Node.first_start(host.config, self.now)
        self.carry_out(name)

    def partition(self, *groups: Iterable[str]) -> None:
        """Let messages pass within groups only."""
        of = {n: i for i, group in enumerate(groups) for n in group}
        self.cut = {(n, m) for n in self.hosts for m in self.hosts if of.get(n) != of.get(m)}

    def deliver(self, index: int = 0) -> None:
        """One datagram arrives."""
        source, to, data, _ = self.flying.pop(index)
        node = self.hosts[to].node
        if node is not None and (source, to) not in self.cut:
            node.receive(data, source, self.now)
            self.carry_out(to)

    def finish(self, name: str, success: bool = True) -> None:
        """The oldest local operation of a host is over."""
        host = self.hosts[name]
        operation = host.running.pop(0)
        if success:
            host.installed = operation.settings
        self.node(name).apply_finished(operation.token, success, self.now)
        self.carry_out(name)

    def _ready_operations(self) -> list[str]:
        return [
            n
            for n, h in self.hosts.items()
            if h.running and h.running[0].purpose not in h.holds and h.ready_ms <= self.now
        ]

    def step(self) -> bool:
        """Let one thing happen that needs no time; return whether there was one."""
        operations = self._ready_operations()
        arrived = [i for i, (*_, due) in enumerate(self.flying) if due <= self.now]
        choices = len(operations) + len(arrived)
        if not choices:
            return False
        pick = 0 if self.rng is None else self.rng.randrange(choices)
        if pick < len(operations):
            host = self.hosts[operations[pick]]
            self.finish(operations[pick], host.running[0].purpose not in host.refuses)
        else:
            self.deliver(arrived[pick - len(operations)])
        return True

    def settle(self, limit: int = 20_000) -> None:
        """Let everything happen that needs no time."""
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError("messages without end")

    def pass_time(self, until: int) -> None:
        """Let timers run out in order, and everything happen between them."""
        self.settle()
        while True:
            due = {n: self.node(n).next_timer() for n in self.up()}
            work = [h.ready_ms for h in self.hosts.values() if h.running and h.ready_ms > self.now]
            timers = [t for t in due.values() if t is not None]
            first = min((*timers, *work, *(t for *_, t in self.flying)), default=None)
            if first is None or first > until:
                self.now = max(self.now, until)
                return
            self.now = max(self.now, first)
            for n in [n for n, t in due.items() if t is not None and t <= self.now]:
                if self.hosts[n].node is not None:
                    self.node(n).on_timer(self.now)
                    self.carry_out(n)
            self.settle()

    def run_until(self, done: Callable[[], bool], at_most_ms: int = 120_000) -> None:
        """Let time pass until something holds."""
        end = self.now + at_most_ms
        while not done():
            assert self.now < end, f"not within {at_most_ms} ms: {self.describe()}"
            self.pass_time(self.now + 250)

    # --- what an observer sees -------------------------------------------------------------------

    def all_quiet(self) -> bool:
        """All hosts that are up have nothing open and are in one view, which has them all."""
        nodes = [self.node(n) for n in self.up() if n not in self.reasons]
        together = {n.view for n in nodes}
        in_it = len(together) == 1 and all(
            self.node(n).state.config.me in self.node(n).view.members
            for n in self.up()
            if n not in self.reasons
        )
        return in_it and all(n.is_quiet for n in nodes)

    def check_all_or_nothing(self) -> None:
        """All quiet members of one view hold the same, on disk and in effect."""
        held = {
            (self.node(n).journal.epoch, self.node(n).journal.last, self.hosts[n].installed)
            for n in self.up()
            if n not in self.reasons
        }
        assert len(held) == 1, held
        for n in self.up():
            if n not in self.reasons:
                assert self.hosts[n].installed == self.node(n).journal.settings

    def run_to_the_end(self, at_most_ms: int = 120_000) -> None:
        """Let all come to rest, and look whether they agree."""
        self.run_until(self.all_quiet, at_most_ms)
        self.check_all_or_nothing()

    def outcome(self, change: ChangeId) -> Outcome | None:
        """What became of a change, as far as anybody has decided it."""
        return next(iter(self.outcomes.get(change, {}).values()), None)

    def interval(self, name: str) -> int:
        """The heartbeat interval that is in effect on a host."""
        installed = self.hosts[name].installed
        assert installed is not None
        return installed.heartbeat_interval

    def describe(self) -> str:
        """Return where everybody is, for a message."""
        return "; ".join(
            f"{n}: down"
            if h.node is None
            else f"{n}: epoch {h.node.journal.epoch}, view {h.node.view.id.number} of "
            f"{h.node.journal.promise.view.id.number} {''.join(h.node.view.members)}, "
            f"{len(h.node.journal.opens)} open, {h.running}"
            for n, h in self.hosts.items()
        )
