"""Each thing that a core does in a run, held against the spec as soon as it is durable.

What the spec says of a node is its account. A step of a core happens, for the spec, when the
journal that it rests on is durable: before that nobody has heard of it, and a crash undoes it. Then
the states of the spec before and after must be the same, or be joined by enabled steps of that
node. What a core does about each message that it is delivered is looked at by itself.

What is put into a channel counts as said: should it leave later, or never, then it is delayed. And
what leaves must have been said. On bare datagrams an ok counts when it leaves.

One thing has no step of its own in the spec. Who cannot restore, or adopt, takes itself out, and is
for the others one that has crashed and does not come back.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from samebeat.config import Transport
from samebeat.effects import Event, Persist
from samebeat.ids import ChangeId
from samebeat.journal import Journal
from samebeat.messages import (
    AnyBody,
    Fragment,
    FragmentAck,
    Heartbeat,
    HeartbeatAck,
    Join,
    Notice,
    Ok,
)
from samebeat.parameters import Settings
from samebeat_conformance.account import Account, crashed, first_account, follow, recovered
from samebeat_conformance.simulator.cluster import Broken, Cluster, Observer
from samebeat_conformance.simulator.grown import Facts, Grown
from samebeat_conformance.simulator.overheard import Part

_LEFT_OUT = (Heartbeat, HeartbeatAck, Join)
_PIECES = (Fragment, FragmentAck, Notice)


@dataclass(frozen=True)
class Entry:
    """What a core has done about one message, until it is durable."""

    part: Part
    number: int
    starts: bool = False


class SpecCheck(Observer):
    """Holds each durable step of a run against the spec.

    Attributes:
        steps: how often each action of the spec was taken.
        stutters: how many inputs were no step at all.
    """

    def __init__(self, names: tuple[str, ...], start: Settings, transport: Transport) -> None:
        self.steps: Counter[str] = Counter()
        self.stutters = 0
        self._names = names
        self._in_channels = transport is Transport.CHANNEL
        self._facts = Facts(names, start)
        self._grown: Grown | None = None
        self._queues: dict[str, deque[Entry]] = {n: deque() for n in names}
        self._durable: dict[str, int] = dict.fromkeys(names, 0)
        self._said: dict[str, set[AnyBody]] = {n: set() for n in names}
        self._left: dict[str, set[AnyBody]] = {n: set() for n in names}
        self._begun: dict[str, int] = dict.fromkeys(names, 0)
        self._starts: set[str] = set()

    def asked(self, cluster: Cluster, node: str, change: ChangeId, settings: Settings) -> None:
        """Remember what a change asks for."""
        self._facts.asked[change] = settings

    def started(self, cluster: Cluster, node: str) -> None:
        """The next input of this node is its start."""
        self._starts.add(node)
        if node not in self._facts.accounts:
            config = cluster.machines[node].config
            self._facts.accounts[node] = first_account(config)

    def answered(self, cluster: Cluster, node: str, events: tuple[Event, ...]) -> None:
        """Keep what a core makes of an input until it is durable."""
        core = cluster.machines[node].node
        assert core is not None, "it has just answered"
        self._durable[node] = core._durable
        parts = [_without_beats(p) for p in core.parts()]
        if node in self._starts:
            self._starts.discard(node)
            after = core.copy()
            said = tuple(x for p in parts for x in p.said)
            told = tuple(e for p in parts for e in p.events)
            self._queues[node].append(Entry(Part(after, after, said, told), core._number, True))
        else:
            self.stutters += not parts
            self._queues[node] += [Entry(p, core._number) for p in parts]
        self._said[node].update(body for p in parts for _, body in p.said)

    def told(self, cluster: Cluster, node: str, event: Event) -> None:
        """Note which write has begun."""
        if isinstance(event, Persist):
            self._begun[node] = event.number

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """What leaves was said; note which oks have left."""
        if isinstance(body, Ok):
            self._left[node].add(body)
        if not isinstance(body, (*_LEFT_OUT, *_PIECES)) and body not in self._said[node]:
            what = type(body).__name__
            raise Broken("step_of_the_spec", f"{node} sends what it has never said: {what}")

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """Hold what is durable now against the spec."""
        core = cluster.machines[node].node
        if core is not None:
            self._follow(node, core._durable, what)
            self._left[node].clear()

    def durable(self, cluster: Cluster, node: str, journal: Journal) -> None:
        """A write that was under way as the machine stopped is durable all the same."""
        if cluster.machines[node].node is None:
            self._follow(node, self._begun[node], f"{node} crashes, its journal is durable")

    def stopped(self, cluster: Cluster, node: str) -> None:
        """What is not durable was never done; then the node is down."""
        self._follow(node, self._durable[node], f"{node} crashes")
        self._queues[node].clear()
        self._left[node].clear()
        account = self._facts.accounts[node]
        if account.up:
            self._step(node, crashed(account), f"{node} crashes", crashes=1)

    def _follow(self, node: str, durable: int, what: str) -> None:
        queue = self._queues[node]
        while queue and queue[0].number <= durable:
            self._follow_one(node, queue.popleft(), what)

    def _follow_one(self, node: str, entry: Entry, what: str) -> None:
        part, account = entry.part, self._facts.accounts[node]
        if part.after.journal.out and not account.up and not account.out:
            return  # it has started, to say that it is out
        if entry.starts and not account.up:
            account = recovered(account)
        oks = [b for _, b in part.said if isinstance(b, Ok)]
        kept = [b for b in oks if not self._in_channels and b not in self._left[node]]
        after = follow(account, part.before, part.after, part.said, part.events, kept)
        if after.out and not account.out and not _cannot_undo(account, after):
            self._step(node, crashed(account), what, crashes=1)
            return
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


def _without_beats(part: Part) -> Part:
    return part._replace(said=tuple(x for x in part.said if not isinstance(x[1], _LEFT_OUT)))


def _cannot_undo(before: Account, after: Account) -> bool:
    """Return whether a node is out because an undo has failed, which the spec has a step for."""
    closed = {c for c, phase in after.phases if phase == "UNDONE"}
    return any(phase == "APPLIED" and c in closed for c, phase in before.phases)
