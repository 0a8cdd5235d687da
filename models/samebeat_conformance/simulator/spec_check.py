"""Each thing that a core does in a run, held against the spec as soon as it is durable.

What the spec says of a node is its account. A step of a core happens, for the spec, when the
journal that it rests on is durable: before that nobody has heard of it, and a crash undoes it. Then
the states of the spec before and after must be the same, or be joined by enabled steps of that
node.

Only on bare datagrams: in a channel, what is queued counts as said at another moment. And only
where no restore, no adoption and no late operation fails: the spec has no step for these.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from samebeat.codec import decode
from samebeat.effects import Event, Persist
from samebeat.ids import ChangeId
from samebeat.journal import Journal
from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck, Join, Ok
from samebeat.node import Node
from samebeat.parameters import Settings
from samebeat_conformance.account import Account, crashed, first_account, follow, recovered
from samebeat_conformance.simulator.cluster import Broken, Cluster, Observer
from samebeat_conformance.simulator.grown import Facts, Grown

_LEFT_OUT = (Heartbeat, HeartbeatAck, Join)
Bodies = tuple[tuple[str | None, AnyBody], ...]


@dataclass(frozen=True)
class Entry:
    """An input that a core has dealt with, until it is durable."""

    before: Node
    after: Node
    said: Bodies
    events: tuple[Event, ...]
    number: int
    starts: bool = False


class SpecCheck(Observer):
    """Holds each durable step of a run against the spec.

    Attributes:
        steps: how often each action of the spec was taken.
        stutters: how many inputs were no step at all.
    """

    def __init__(self, names: tuple[str, ...], start: Settings) -> None:
        self.steps: Counter[str] = Counter()
        self.stutters = 0
        self._names = names
        self._facts = Facts(names, start)
        self._grown: Grown | None = None
        self._queues: dict[str, deque[Entry]] = {n: deque() for n in names}
        self._last: dict[str, Node] = {}
        self._unsent: dict[str, int] = dict.fromkeys(names, 0)
        self._left: dict[str, set[AnyBody]] = {n: set() for n in names}
        self._begun: dict[str, int] = dict.fromkeys(names, 0)
        self._starts: set[str] = set()

    def asked(self, cluster: Cluster, node: str, change: ChangeId, settings: Settings) -> None:
        """Remember what a change asks for."""
        self._facts.asked[change] = settings

    def started(self, cluster: Cluster, node: str) -> None:
        """The next input of this node is its start."""
        self._starts.add(node)
        self._unsent[node] = 0
        if node not in self._facts.accounts:
            config = cluster.machines[node].config
            self._facts.accounts[node] = first_account(config)

    def answered(self, cluster: Cluster, node: str, events: tuple[Event, ...]) -> None:
        """Keep what a core makes of an input until it is durable."""
        core = cluster.machines[node].node
        assert core is not None, "it has just answered"
        starts = node in self._starts
        self._starts.discard(node)
        new = core._waiting[self._unsent[node] :]
        said = tuple((s.to, body) for _, s in new for body in (decode(s.data).body,))
        said = tuple((to, body) for to, body in said if not isinstance(body, _LEFT_OUT))
        after = core.copy()
        before = after if starts else self._last[node]
        self._last[node] = after
        if not said and not events and not starts and _looks_alike(before, after):
            self.stutters += 1
            return
        self._queues[node].append(Entry(before, after, said, events, core._number, starts))

    def told(self, cluster: Cluster, node: str, event: Event) -> None:
        """Note which write has begun."""
        if isinstance(event, Persist):
            self._begun[node] = event.number

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """Note which oks have left."""
        if isinstance(body, Ok):
            self._left[node].add(body)

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Hold what is durable now against the spec."""
        core = cluster.machines[node].node
        if core is not None:
            self._unsent[node] = len(core._waiting)
            self._follow(node, core._durable, what)
            self._left[node].clear()

    def durable(self, cluster: Cluster, node: str, journal: Journal) -> None:
        """A write that was under way as the machine stopped is durable all the same."""
        if cluster.machines[node].node is None:
            self._follow(node, self._begun[node], f"{node} crashes, its journal is durable")

    def stopped(self, cluster: Cluster, node: str) -> None:
        """What is not durable was never done; then the node is down."""
        last = self._last[node]
        self._follow(node, last._durable, f"{node} crashes")
        self._queues[node].clear()
        self._left[node].clear()
        account = self._facts.accounts[node]
        if account.up:
            self._step(node, crashed(account), f"{node} crashes", crashes=1)

    def _follow(self, node: str, durable: int, what: str) -> None:
        queue = self._queues[node]
        while queue and queue[0].number <= durable:
            entry = queue.popleft()
            account = self._facts.accounts[node]
            if entry.starts and not account.up:
                account = recovered(account)
            oks = [b for _, b in entry.said if isinstance(b, Ok)]
            kept = [b for b in oks if b not in self._left[node]]
            after = follow(account, entry.before, entry.after, entry.said, entry.events, kept)
            self._step(node, after, what)

    def _step(self, node: str, account: Account, what: str, crashes: int = 0) -> None:
        """Go from one account to the next by steps of the spec."""
        before = self._facts.accounts[node]
        if account == before:
            self.stutters += 1
            return
        after = self._facts.grown(node, account, crashes)
        if self._grown is None or not self._grown.has_room(after):
            self._grown = Grown(after)
        path = self._grown.path(self._facts, after, self._names.index(node))
        if path is None:
            changed = "; ".join(self._grown.changes(self._facts, after))
            raise Broken("step_of_the_spec", f"{what}, which is no step of the spec: {changed}")
        self.steps.update(path)
        self.stutters += not path
        self._facts = after


def _looks_alike(before: Node, after: Node) -> bool:
    """Return whether an input has changed nothing that an account says anything of."""
    s, t = before._state, after._state
    return (
        s.journal is t.journal
        and s.operation is t.operation
        and s.given_up is t.given_up
        and s.installed is t.installed
    )
