"""Runs that measure something: a cluster, what is asked of it, what goes wrong, and a probe.

A scenario says all of that in one value, so that the same one can be run with other settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from samebeat.codec import decode
from samebeat.journal import Journal
from samebeat.messages import AnyBody, Heartbeat
from samebeat_conformance.simulator.clock import US
from samebeat_conformance.simulator.cluster import Cluster, Observer, Setup
from samebeat_conformance.simulator.faults import (
    Ask,
    Crash,
    Happening,
    Kind,
    MessageFate,
    SyncFate,
    WorkFate,
)
from samebeat_conformance.simulator.promises import Promises

Rule: TypeAlias = Callable[[int, str, str, AnyBody], MessageFate | None]
"""Says what becomes of a message, from the true time, source, target and body."""


def nothing_special(now_us: int, source: str, to: str, body: AnyBody) -> MessageFate | None:
    """Let every message arrive."""
    return None


class Probe(Observer):
    """Notes what there is to measure, at true times.

    Attributes:
        arrivals: when a heartbeat of whom has reached whom.
        suspicions: when who has come to suspect whom.
        crashes: when who has crashed.
        opened_us, closed_us: when a change was first open at all, and then first closed by one.
    """

    def __init__(self) -> None:
        self.arrivals: list[tuple[int, str, str]] = []
        self.suspicions: list[tuple[int, str, str]] = []
        self.crashes: dict[str, int] = {}
        self.opened_us: int | None = None
        self.closed_us: int | None = None
        self._open: set[str] = set()
        self._suspected: dict[str, frozenset[str]] = {}

    def received(self, cluster: Cluster, node: str, source: str, data: bytes) -> None:
        """Note a heartbeat."""
        if isinstance(decode(data).body, Heartbeat):
            self.arrivals.append((cluster.now_us, source, node))

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Note a suspicion as it arises; its host is told once the journal is durable."""
        core = cluster.machines[node].node
        now = core.state.suspected if core is not None else frozenset()
        before = self._suspected.get(node, frozenset())
        self._suspected[node] = now
        self.suspicions += [(cluster.now_us, node, member) for member in sorted(now - before)]

    def durable(self, cluster: Cluster, node: str, journal: Journal) -> None:
        """Note when a change is open at all, and when no more."""
        if journal.opens:
            self._open.add(node)
        else:
            self._open.discard(node)
        if self.opened_us is None and len(self._open) == len(cluster.machines):
            self.opened_us = cluster.now_us
        if self.opened_us is not None and self.closed_us is None and not journal.opens:
            self.closed_us = cluster.now_us

    def is_open_at(self, time_us: int) -> bool:
        """Return whether the first change that was open at all was so at a time."""
        opened, closed = self.opened_us, self.closed_us
        return opened is not None and opened <= time_us and (closed is None or time_us < closed)

    def stopped(self, cluster: Cluster, node: str) -> None:
        """Note a crash."""
        self.crashes[node] = cluster.now_us


@dataclass(frozen=True)
class Scenario:
    """A run that measures something.

    Attributes:
        setup: the cluster.
        load: what is asked for, and when.
        faults: what happens, and when.
        rule: what becomes of messages.
        slow: this node needs so long for local operations that begin from a time on.
        killed: this node crashes as its first heartbeat after `kill_us` has left.
        lasts_us: for how long it runs.
    """

    setup: Setup
    load: tuple[Ask, ...] = ()
    faults: tuple[Happening, ...] = ()
    rule: Rule = nothing_special
    slow: tuple[str, int, int] | None = None
    killed: str = ""
    kill_us: int = 0
    lasts_us: int = 60_000 * US
    observers: Sequence[Observer] = field(default_factory=tuple)

    def run(self) -> tuple[Cluster, Probe]:
        """Run it, and return the cluster at the end and what was measured.

        Raises:
            Broken: a promise is broken on the way.
        """
        probe = Probe()
        ruled = _Ruled(self.rule, self.slow)
        killer = _Killer(self.killed, self.kill_us)
        observers = (Promises(), probe, ruled, killer, *self.observers)
        cluster = Cluster(self.setup, ruled, observers)
        for happening in (*self.load, *self.faults):
            cluster.schedule(happening)
        cluster.run_until(self.lasts_us)
        return cluster, probe


class _Ruled(Observer):
    """The fates that a rule says; it knows the time."""

    def __init__(self, rule: Rule, slow: tuple[str, int, int] | None) -> None:
        self._rule, self._slow = rule, slow
        self._cluster: Cluster | None = None

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """Remember the time at which messages leave."""
        self._cluster = cluster

    def message(self, source: str, to: str, number: int, body: AnyBody) -> MessageFate | None:
        """Return what the rule says of a message."""
        assert self._cluster is not None, "it was sent"
        return self._rule(self._cluster.now_us, source, to, body)

    def work(self, node: str, number: int) -> WorkFate | None:
        """Local operations succeed, and soon where nothing else is said."""
        if self._slow is None or self._cluster is None:
            return None
        who, from_us, lasts_us = self._slow
        is_slow = node == who and self._cluster.now_us >= from_us
        return WorkFate(node, number, Kind.SLOW_APPLY, lasts_us) if is_slow else None

    def sync(self, node: str, number: int) -> SyncFate | None:
        """Writes take their time."""
        return None


class _Killer(Observer):
    """Lets a node crash as one of its heartbeats has left."""

    def __init__(self, node: str, at_us: int) -> None:
        self._node, self._at_us = node, at_us

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """Let the node crash, once."""
        if node == self._node and isinstance(body, Heartbeat) and cluster.now_us >= self._at_us:
            cluster.schedule(Crash(cluster.now_us, node))
            self._node = ""


def lost(source: str, to: str) -> MessageFate:
    """Return the fate of a message that is lost."""
    return MessageFate(source, to, 0, Kind.LOSS)


def late(source: str, to: str, late_us: int) -> MessageFate:
    """Return the fate of a message that takes so long."""
    return MessageFate(source, to, 0, Kind.DELAY, late_us)
