"""One run: a time with faults, then none any more, and all must come to rest and agree.

A run comes from a seed or from a list of faults; the list that a seed has drawn gives the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from samebeat.effects import Outcome
from samebeat.ids import View
from samebeat_conformance.simulator.clock import US
from samebeat_conformance.simulator.cluster import Broken, Cluster, Observer
from samebeat_conformance.simulator.faults import (
    Ask,
    Drawn,
    Fates,
    Fixed,
    Happening,
    Item,
    Kind,
)
from samebeat_conformance.simulator.plans import Plan, happenings, plan_of, tight
from samebeat_conformance.simulator.promises import Promises, is_at_rest
from samebeat_conformance.simulator.spec_check import SpecCheck

SECOND_US = 1_000 * US
CONVERGES_IN_S = 240
"""So much time after the last fault every change is decided, and all agree."""
_LOOKS_EVERY_US = SECOND_US


class Log(Observer):
    """Writes down what happens; equal runs have equal digests."""

    def __init__(self, keep: bool = False) -> None:
        self.lines: list[str] = []
        self._keep = keep
        self._hash = sha256()

    def received(self, cluster: Cluster, node: str, source: str, data: bytes) -> None:
        """Note what has come."""
        self._hash.update(data)

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Note an input and when it came."""
        line = f"{cluster.now_us} {what}"
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """A digest of all that has happened."""
        return self._hash.hexdigest()


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        plan: what it was made of.
        items: all faults that it had; a run of these is the same one.
        promise: the promise that was broken, and `text` how; empty: none.
        outcomes: how often a change was committed, undone, or refused to be asked for.
        virtual_us: how much time has passed in it.
        events: how many inputs the cores got.
        counts: how often each kind of fault has happened.
        digest: of the whole run.
        spec_steps: how often each action of the spec was taken.
    """

    plan: Plan
    items: tuple[Item, ...]
    promise: str
    text: str
    outcomes: Counter[str]
    virtual_us: int
    events: int
    counts: Counter[Kind]
    digest: str
    spec_steps: Counter[str]

    @property
    def failed(self) -> bool:
        """Some promise is broken."""
        return bool(self.promise)


def from_seed(seed: int, size: int, observers: Sequence[Observer] = ()) -> Result:
    """Run what a seed says on a cluster of this size."""
    plan = plan_of(seed, size)
    fates = Drawn(seed, plan.rates)
    items = happenings(plan)
    return _run(plan, items, fates, observers)


def from_items(plan: Plan, items: Sequence[Item], observers: Sequence[Observer] = ()) -> Result:
    """Run a list of faults on the cluster of a plan."""
    return _run(plan, tuple(items), Fixed(items), observers)


def _run(
    plan: Plan, items: tuple[Item, ...], fates: Fates, observers: Sequence[Observer]
) -> Result:
    log, promises = Log(), Promises(plan.is_calm)
    spec = SpecCheck(plan.setup.names, plan.setup.start, plan.setup.transport)
    watching: tuple[Observer, ...] = (log, promises, *observers, spec)
    promise = text = ""
    cluster: Cluster | None = None
    try:
        cluster = Cluster(plan.setup, fates, watching)
        for item in items:
            if isinstance(item, Happening):
                cluster.schedule(item)
        cluster.run_until(plan.faults_until_us)
        _heal(cluster)
        _converge(cluster, promises)
        _one_more_change(cluster, promises)
    except Broken as broken:
        promise, text = broken.promise, broken.text
    assert cluster is not None, "a cluster starts without faults"
    noted = fates.noted if isinstance(fates, Drawn) else []
    return Result(
        plan,
        (*items, *noted),
        promise,
        text,
        Counter(_outcome(o) for o in promises.outcomes.values()),
        cluster.now_us,
        cluster.events,
        cluster.counts,
        log.digest,
        spec.steps,
    )


def _outcome(of: dict[str, Outcome]) -> str:
    return next(iter(of.values())).value if of else "open"


def _heal(cluster: Cluster) -> None:
    """No faults from now on: whoever is down comes back, and everything passes."""
    cluster.fates = Fixed(())
    cluster.cuts.clear()
    for name, machine in cluster.machines.items():
        machine.crash = None
        machine.paused_until_us = min(machine.paused_until_us, cluster.now_us)
        cluster.restart(name)


def active(cluster: Cluster) -> list[str]:
    """Return the nodes that are to take part: all but those that are out for good."""
    return [n for n, m in cluster.machines.items() if m.node is not None and not m.node.journal.out]


def _converge(cluster: Cluster, promises: Promises) -> None:
    """All come to rest in one view that has them all, in time."""
    end_us = cluster.now_us + CONVERGES_IN_S * SECOND_US
    while not _agree(cluster):
        if cluster.now_us >= end_us:
            raise Broken("change_decided", f"not within {CONVERGES_IN_S} s: {_where(cluster)}")
        cluster.run_until(cluster.now_us + _LOOKS_EVERY_US)


def _agree(cluster: Cluster) -> bool:
    names = active(cluster)
    nodes = [m.node for n in names if (m := cluster.machines[n]).node and is_at_rest(m)]
    views: set[View] = {n.view for n in nodes}
    if len(nodes) < len(names) or len(views) != 1:
        return False
    return set(names) == set(views.pop().members)


def _where(cluster: Cluster) -> str:
    def one(name: str) -> str:
        node = cluster.machines[name].node
        if node is None:
            return f"{name} is down"
        j = node.journal
        rest = "at rest" if node.is_quiet else f"{len(j.opens)} open"
        seen = f"view {node.view.id.number} of {j.promise.view.id.number}"
        return f"{name} {seen}, epoch {j.epoch}, {rest}"

    return "; ".join(map(one, cluster.machines))


def _one_more_change(cluster: Cluster, promises: Promises) -> None:
    """Without faults a change is committed, by all."""
    who = active(cluster)[0]
    before = set(promises.asked_for)
    calm = promises.nobody_is_to_be_suspected
    values = tight(5_000) if calm else {"heartbeat_interval": 1_250}
    cluster.happen(Ask(cluster.now_us, who, tuple(values.items())))
    asked = set(promises.asked_for) - before
    if not asked:
        raise Broken("no_fault_commits", f"{who} is at rest and refuses a change")
    (change,) = asked
    cluster.run_until(cluster.now_us + 5 * SECOND_US)
    told = promises.outcomes[change]
    if set(told) != set(active(cluster)) or set(told.values()) != {Outcome.COMMITTED}:
        raise Broken("no_fault_commits", f"{change} is not committed by all")
