"""Some machines with cores, disks and clocks, a network between them, and the true time.

A machine does what its core asks for in order: nothing after a journal is done or sent before the
journal is durable. It may stop after any of it. What happens at one instant happens in the order in
which it was decided.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from samebeat.codec import decode
from samebeat.config import Config, Transport
from samebeat.effects import Event, Install, Persist, Purpose, Send
from samebeat.ids import ChangeId, is_quorum
from samebeat.journal import Journal, JournalLost, read
from samebeat.messages import AnyBody
from samebeat.node import Refused
from samebeat.parameters import Assumptions, Settings
from samebeat_conformance import wire
from samebeat_conformance.simulator.clock import Clock
from samebeat_conformance.simulator.disk import Disk, Unsynced
from samebeat_conformance.simulator.faults import (
    NO_DELAY_US,
    Ask,
    Crash,
    Cut,
    Fates,
    Happening,
    Kind,
    Pause,
    Restart,
)
from samebeat_conformance.simulator.overheard import Overheard

_LONGEST_US = 4_000_000
"""A local operation that is no apply takes no longer: it would be given up, and the node be out."""
MOST_AT_ONCE = 20_000
"""So many things in a row without time passing are taken for messages without end."""


class Broken(Exception):  # noqa: N818  (`except Broken` is the sentence)
    """A promise is broken; `promise` is its name."""

    def __init__(self, promise: str, text: str) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise, self.text = promise, text


class Observer:
    """Sees everything; each method is called after what its name says has happened."""

    def asked(self, cluster: Cluster, node: str, change: ChangeId, settings: Settings) -> None:
        """A node asks for a change."""

    def answered(self, cluster: Cluster, node: str, events: tuple[Event, ...]) -> None:
        """A core has dealt with an input; nothing of what it asks for is done yet."""

    def received(self, cluster: Cluster, node: str, source: str, data: bytes) -> None:
        """A datagram reaches a node, which has not dealt with it yet."""

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """A datagram leaves a node."""

    def durable(self, cluster: Cluster, node: str, journal: Journal) -> None:
        """A journal is durable."""

    def told(self, cluster: Cluster, node: str, event: Event) -> None:
        """A host has carried out an event, or learns of it."""

    def stopped(self, cluster: Cluster, node: str) -> None:
        """A node is down."""

    def started(self, cluster: Cluster, node: str) -> None:
        """A node has started."""

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """An input, in words, and all that follows from it at once is dealt with."""


@dataclass(frozen=True)
class Setup:
    """A cluster before it starts.

    Attributes:
        names: its members.
        start: what they hold at first.
        assumed: what settings must suit.
        drifts_ppm: by how much the clock of each is too fast; none: all are right.
        drops_out: what may fail so that a node takes itself out.
        transport: how the messages of a change get from node to node.
    """

    names: tuple[str, ...]
    start: Settings = field(default_factory=Settings)
    assumed: Assumptions = field(default_factory=Assumptions)
    drifts_ppm: tuple[int, ...] = ()
    drops_out: frozenset[Purpose] = frozenset(Purpose) - {Purpose.APPLY}
    transport: Transport = Transport.CHANNEL

    def config(self, name: str) -> Config:
        """Return what a member is told."""
        names, transport = self.names, self.transport
        return Config("simulated", name, names, self.start, self.assumed, transport=transport)

    def clock(self, name: str) -> Clock:
        """Return the clock of a member; no two start with the same time."""
        place = self.names.index(name)
        drift = self.drifts_ppm[place] if self.drifts_ppm else 0
        return Clock(start_ms=1_000 + 7_919 * place, drift_ppm=drift)


@dataclass
class Machine:
    """One machine.

    Attributes:
        boot: how often it has stopped; what was begun before that never ends.
        pending: what its core has asked for and is not done yet.
        running: the local operation that runs, if one does.
        installed: what the last local operation has made effective.
        crash: it stops after so many more effects.
        dead: it cannot come back: its journal is lost, or it has taken itself out.
    """

    name: str
    config: Config
    clock: Clock
    disk: Disk = field(default_factory=Disk)
    node: Overheard | None = None
    boot: int = 0
    pending: deque[Event] = field(default_factory=deque)
    write: Persist | None = None
    installed: Settings | None = None
    crash: Crash | None = None
    effects_left: int = 0
    paused_until_us: int = 0
    timer_us: int | None = None
    writes: int = 0
    works: int = 0
    dead: bool = False


Action: TypeAlias = Callable[[], None]


class Cluster:
    """The machines, what is on its way between them, and what will happen when."""

    def __init__(self, setup: Setup, fates: Fates, observers: Sequence[Observer] = ()) -> None:
        self.setup, self.fates, self.observers = setup, fates, observers
        self.now_us = 0
        self.events = 0
        self.counts: Counter[Kind] = Counter()
        self.machines = {n: Machine(n, setup.config(n), setup.clock(n)) for n in setup.names}
        self.cuts: list[Cut] = []
        self._queue: list[tuple[int, int, Action]] = []
        self._order = 0
        self._wire = wire.Observer()
        self._numbers: Counter[tuple[str, str]] = Counter()
        self.counts[Kind.SKEW] = sum(d != 0 for d in setup.drifts_ppm)
        for machine in self.machines.values():
            self._start(machine)

    # --- time ------------------------------------------------------------------------------------

    def at(self, time_us: int, action: Action) -> None:
        """Let something happen at a true time."""
        self._order += 1
        heapq.heappush(self._queue, (max(time_us, self.now_us), self._order, action))

    def run_until(self, end_us: int) -> None:
        """Let everything happen up to a true time, that included.

        Raises:
            Broken: a promise is broken.
        """
        in_a_row = 0
        while self._queue and self._queue[0][0] <= end_us:
            time_us, _, action = heapq.heappop(self._queue)
            in_a_row = in_a_row + 1 if time_us == self.now_us else 0
            if in_a_row > MOST_AT_ONCE:
                raise Broken("time_passes", "messages without end at one instant")
            self.now_us = time_us
            action()
        self.now_us = max(self.now_us, end_us)

    def schedule(self, happening: Happening) -> None:
        """Let something happen at its time."""
        self.at(happening.at_us, lambda: self.happen(happening))

    def happen(self, what: Happening) -> None:
        """Let something happen now; what makes no sense now does nothing."""
        match what:
            case Ask():
                self._ask(what)
            case Crash():
                self._crash_soon(self.machines[what.node], what)
            case Restart():
                self.restart(what.node)
            case Cut():
                self.counts[Kind.PARTITION] += 1
                self.cuts.append(what)
            case Pause():
                machine = self.machines[what.node]
                if machine.node is not None:  # who is down does nothing anyway
                    self.counts[Kind.PAUSE] += 1
                    machine.paused_until_us = max(machine.paused_until_us, what.until_us)

    def _when_awake(self, machine: Machine, action: Action) -> bool:
        """Return whether a machine is awake; otherwise the action comes when it is."""
        if machine.paused_until_us <= self.now_us:
            return True
        self.at(machine.paused_until_us, action)
        return False

    # --- inputs ----------------------------------------------------------------------------------

    def _ask(self, ask: Ask) -> None:
        machine = self.machines[ask.node]
        if machine.node is None or not self._when_awake(machine, lambda: self._ask(ask)):
            return
        now_ms = machine.clock.local_ms(self.now_us)
        try:
            change = machine.node.request_change(dict(ask.values), now_ms)
        except Refused:
            return
        opened = machine.node.journal.open_change(change)
        assert opened is not None, "who asks takes part itself"
        self._each("asked", machine.name, change, opened.settings)
        self._carry_out(machine, f"{machine.name} is asked for {change}")

    def _arrive(self, source: str, to: str, data: bytes) -> None:
        machine = self.machines[to]
        if machine.node is None or self._is_cut(source, to):
            return
        if self._when_awake(machine, lambda: self._arrive(source, to, data)):
            self._each("received", to, source, data)
            machine.node.receive(data, source, machine.clock.local_ms(self.now_us))
            kind = type(decode(data).body).__name__
            self._carry_out(machine, f"{kind} of {source} reaches {to}")

    def _timer(self, machine: Machine, boot: int, timer_us: int) -> None:
        if machine.node is None or (machine.boot, machine.timer_us) != (boot, timer_us):
            return
        if self._when_awake(machine, lambda: self._timer(machine, boot, timer_us)):
            machine.timer_us = None
            machine.node.on_timer(machine.clock.local_ms(self.now_us))
            self._carry_out(machine, f"the timer of {machine.name}")

    def _synced(self, machine: Machine, boot: int) -> None:
        if machine.boot != boot or machine.node is None:
            return
        if not self._when_awake(machine, lambda: self._synced(machine, boot)):
            return
        assert machine.write is not None, "something is being written"
        journal = read(machine.disk.sync())
        machine.node.persisted(machine.write.number)
        machine.write = None
        self._each("durable", machine.name, journal)
        self._carry_out(machine, f"the journal of {machine.name} is durable")

    def _finished(self, machine: Machine, boot: int, what: Install, success: bool) -> None:
        if machine.boot != boot or machine.node is None:
            return
        if not self._when_awake(machine, lambda: self._finished(machine, boot, what, success)):
            return
        if success:
            machine.installed = what.settings
        machine.node.apply_finished(what.token, success, machine.clock.local_ms(self.now_us))
        ends = "succeeds" if success else "fails"
        self._carry_out(machine, f"{what.purpose.name} of {machine.name} {ends}")

    # --- effects ---------------------------------------------------------------------------------

    def _carry_out(self, machine: Machine, what: str) -> None:
        """Do what the core asks for, until it waits for the disk or the machine stops."""
        self.events += 1
        if machine.node is not None:
            events = machine.node.events()
            machine.pending.extend(events)
            self._each("answered", machine.name, events)
        while machine.node is not None:
            if machine.write is None and machine.pending:
                if not self._stops(machine):
                    self._do(machine, machine.pending.popleft())
                continue
            sends = machine.node.data_to_send()
            for send in sends:
                if not self._stops(machine):
                    self._send(machine, send)
            if not sends:
                break
        if machine.node is not None:
            self._set_timer(machine)
        self._each("settled", machine.name, what)

    def _do(self, machine: Machine, event: Event) -> None:
        if isinstance(event, Persist):
            machine.writes += 1
            machine.write = event
            machine.disk.begin(event.journal)
            slow = self.fates.sync(machine.name, machine.writes)
            self.counts[Kind.SLOW_DISK] += slow is not None
            boot = machine.boot
            lasts_us = slow.lasts_us if slow else NO_DELAY_US
            if machine.crash is not None and machine.crash.in_write:
                crash = machine.crash
                self.at(self.now_us + lasts_us // 2, lambda: self._stop_if(machine, boot, crash))
            self.at(self.now_us + lasts_us, lambda: self._synced(machine, boot))
        elif isinstance(event, Install):
            self._install(machine, event)
        self._each("told", machine.name, event)

    def _install(self, machine: Machine, event: Install) -> None:
        machine.works += 1
        fate = self.fates.work(machine.name, machine.works)
        lasts_us, success = NO_DELAY_US, True
        if fate is not None and (fate.success or self._may_fail(machine, event)):
            lasts_us, success = fate.lasts_us, fate.success
            kind = fate.kind
            if event.purpose is not Purpose.APPLY:  # only what is applied may hang
                lasts_us = min(lasts_us, _LONGEST_US)
                kind = Kind.SLOW_APPLY if success else Kind.FAILING_UNDO
            self.counts[kind] += 1
        boot = machine.boot
        self.at(self.now_us + lasts_us, lambda: self._finished(machine, boot, event, success))

    def _may_fail(self, machine: Machine, event: Install) -> bool:
        """A node whose undo fails is out for good: there must be a quorum without it."""
        if event.purpose is Purpose.APPLY:
            return True
        if event.purpose not in self.setup.drops_out or not self._can_do_without(machine):
            return False
        machine.dead = True
        return True

    def _can_do_without(self, machine: Machine) -> bool:
        left = [n for n, m in self.machines.items() if m is not machine and not m.dead]
        return not machine.dead and is_quorum(left, self.setup.names)

    def _send(self, machine: Machine, send: Send) -> None:
        body = decode(send.data).body
        said = self._wire.body(machine.name, send.to or "", send.data)
        self._each("sent", machine.name, send.to, said)
        for to in self.setup.names:
            if to != machine.name and send.to in (None, to):
                self._send_to(machine.name, to, send.data, body)

    def _send_to(self, source: str, to: str, data: bytes, body: AnyBody) -> None:
        self._numbers[source, to] += 1
        if self._is_cut(source, to):
            return
        fate = self.fates.message(source, to, self._numbers[source, to], body)
        delays = [NO_DELAY_US]
        if fate is not None:
            self.counts[fate.kind] += 1
            delays = {
                Kind.LOSS: [],
                Kind.COPY: [NO_DELAY_US, fate.late_us],
                Kind.DELAY: [fate.late_us],
            }[fate.kind]
        for delay_us in delays:
            self.at(self.now_us + delay_us, lambda: self._arrive(source, to, data))

    def _is_cut(self, source: str, to: str) -> bool:
        return any(
            source in c.sources and to in c.targets and self.now_us < c.until_us for c in self.cuts
        )

    def _set_timer(self, machine: Machine) -> None:
        assert machine.node is not None
        due_ms = machine.node.next_timer()
        if due_ms is None:
            machine.timer_us = None
            return
        timer_us = max(machine.clock.true_us(due_ms), self.now_us)
        if timer_us != machine.timer_us:
            machine.timer_us, boot = timer_us, machine.boot
            self.at(timer_us, lambda: self._timer(machine, boot, timer_us))

    # --- crashes ---------------------------------------------------------------------------------

    def _crash_soon(self, machine: Machine, crash: Crash) -> None:
        if machine.node is None or machine.crash is not None:
            return
        if crash.unsynced is Unsynced.WIPED and not self._can_do_without(machine):
            return
        machine.crash, machine.effects_left = crash, crash.after
        if crash.after == 0 and not crash.in_write:
            self._stop_if(machine, machine.boot, crash)

    def _stop_if(self, machine: Machine, boot: int, crash: Crash) -> None:
        if machine.boot == boot:
            self._stop(machine, crash)
            self._each("settled", machine.name, f"{machine.name} crashes")

    def _stops(self, machine: Machine) -> bool:
        """Return whether the machine stops before its next effect, or has stopped."""
        if machine.node is None:
            return True
        if machine.crash is None or machine.crash.in_write:
            return False
        machine.effects_left -= 1
        if machine.effects_left >= 0:
            return False
        self._stop(machine, machine.crash)
        return True

    def _stop(self, machine: Machine, crash: Crash) -> None:
        became = machine.disk.stop(crash.unsynced, crash.part)
        machine.node, machine.crash, machine.write, machine.timer_us = None, None, None, None
        machine.boot += 1
        machine.pending.clear()
        machine.dead |= machine.disk.wiped
        self.counts[Kind.CRASH] += 1
        kinds = {
            Unsynced.LOST: Kind.LOST_WRITE,
            Unsynced.KEPT: Kind.KEPT_WRITE,
            Unsynced.TORN: Kind.TORN_WRITE,
            Unsynced.WIPED: Kind.LOST_JOURNAL,
        }
        if became is not None:
            self.counts[kinds[became]] += 1
        if became is Unsynced.KEPT:
            self._each("durable", machine.name, read(machine.disk.newest))
        self._each("stopped", machine.name)

    def restart(self, name: str) -> None:
        """A node comes back, unless its disk is lost: then its core must refuse."""
        machine = self.machines[name]
        if machine.node is None and machine.disk.wiped:
            try:
                Overheard.restart(machine.config, machine.disk.newest, 0)
            except JournalLost:
                return
            raise Broken("lost_journal_refused", f"{name} comes back without its journal")
        if machine.node is None:
            self.counts[Kind.RESTART] += 1
            self._start(machine)

    def _start(self, machine: Machine) -> None:
        now_ms = machine.clock.local_ms(self.now_us)
        torn_is_there = bool(machine.disk.newest)
        journal, torn = machine.disk.read()
        assert torn_is_there or not torn
        if journal is None:
            node = Overheard.first_start(machine.config, now_ms)
        else:
            node = Overheard.restart(machine.config, machine.disk.newest, now_ms)
        assert isinstance(node, Overheard)
        machine.node = node
        self._each("started", machine.name)
        self._carry_out(machine, f"{machine.name} starts")

    def _each(self, method: str, *arguments: object) -> None:
        for observer in self.observers:
            getattr(observer, method)(self, *arguments)
