"""What must hold in every run, read off disks, datagrams and what hosts were told.

Decisions are read from journals that are durable, not from what nodes say: so those of a node that
crashed at once after it had decided count, too.
"""

from __future__ import annotations

from collections import defaultdict

from samebeat.effects import Event, Install, Outcome, Purpose, Suspected
from samebeat.ids import ChangeId, View
from samebeat.journal import Journal, Phase, covers
from samebeat.messages import Ack, AnyBody, Failure, Ok, Told, Vote
from samebeat.parameters import Settings
from samebeat_conformance.simulator.cluster import Broken, Cluster, Machine, Observer

PROMISES = (
    "agreement",
    "one_commit_per_base_epoch",
    "failure_excludes_commit",
    "apply_after_full_receipt",
    "journal_before_send",
    "keeps_promise",
    "kept_until_replaced",
    "epoch_monotone",
    "all_or_nothing",
    "no_false_suspicion",
    "step_of_the_spec",
    "change_decided",
    "no_fault_commits",
)
"""What is looked at in each run; the last two at its end."""


class Promises(Observer):
    """Watches a cluster, and raises `Broken` at the first promise that is.

    Attributes:
        nobody_is_to_be_suspected: delays, losses and drift are within what is assumed, and all
            nodes run.
    """

    def __init__(self, nobody_is_to_be_suspected: bool = False) -> None:
        self.nobody_is_to_be_suspected = nobody_is_to_be_suspected
        self.asked_for: dict[ChangeId, Settings] = {}
        self.homes: dict[ChangeId, View] = {}
        self.outcomes: dict[ChangeId, dict[str, Outcome]] = defaultdict(dict)
        self.committed: dict[int, ChangeId] = {}
        self.disks: dict[str, Journal] = {}
        self._acked: set[tuple[str, ChangeId]] = set()
        self._failed: set[ChangeId] = set()

    def asked(self, cluster: Cluster, node: str, change: ChangeId, settings: Settings) -> None:
        """Remember what a change asks for."""
        self.asked_for[change] = settings
        machine = cluster.machines[node]
        assert machine.node is not None, "who asks is up"
        self.homes[change] = machine.node.view

    # --- decisions -------------------------------------------------------------------------------

    def durable(self, cluster: Cluster, node: str, journal: Journal) -> None:
        """Read from a journal what its node has decided."""
        before = self.disks.get(node)
        self.disks[node] = journal
        self._check_promise(node, before, journal)
        if before is not None and journal.epoch < before.epoch:
            raise Broken("epoch_monotone", f"{node} goes from {before.epoch} to {journal.epoch}")
        if journal.last is not None:
            self._note(node, journal.last, Outcome.COMMITTED)
            if journal.settings != self.asked_for.get(journal.last):
                raise Broken("kept_until_replaced", f"{node} keeps what nobody has asked for")
        for change in self.asked_for:
            if change.base == journal.epoch and covers(journal.undone, change):
                self._note(node, change, Outcome.UNDONE)

    def _check_promise(self, node: str, before: Journal | None, journal: Journal) -> None:
        """Whoever has reported to a view gives no ack and no vote in an earlier one any more."""
        left = journal.promise.view.id
        for o in journal.opens:
            known = before.open_change(o.id) if before is not None else None
            acks = o.phase is Phase.ACKED and known is None and o.home.id < left
            ballot = known.ballot if known is not None else None
            votes = o.ballot is not None and o.ballot != ballot and o.ballot.view < left
            if acks or votes:
                kind = "an ack" if acks else "a vote"
                raise Broken("keeps_promise", f"{node} gives {kind} in a view that it has left")

    def _note(self, node: str, change: ChangeId, outcome: Outcome) -> None:
        known = self.outcomes[change]
        if known.get(node, outcome) is not outcome or set(known.values()) - {outcome}:
            others = {n: o.value for n, o in sorted(known.items())}
            raise Broken("agreement", f"{node} says {outcome.value}, others {others}")
        known[node] = outcome
        if outcome is Outcome.COMMITTED:
            if self.committed.setdefault(change.base, change) != change:
                raise Broken("one_commit_per_base_epoch", f"two from epoch {change.base}")
            if change in self._failed:
                raise Broken("failure_excludes_commit", f"{node} commits what has failed")

    # --- what is said ----------------------------------------------------------------------------

    def sent(self, cluster: Cluster, node: str, to: str | None, body: AnyBody) -> None:
        """What a node says of itself is on its disk already."""
        disk = self.disks.get(node)
        if isinstance(body, Ack | Ok):  # a status says that, too
            self._acked.add((node, body.change))
        if isinstance(body, Failure):
            self._failed.add(body.change)
            if Outcome.COMMITTED in self.outcomes[body.change].values():
                raise Broken("failure_excludes_commit", f"{node} fails what is committed")
        if isinstance(body, Ack | Ok | Failure | Vote | Told) and not _is_written(disk, body):
            kind = type(body).__name__.lower()
            raise Broken("journal_before_send", f"{node} sends a {kind} that it may forget")

    # --- local operations ------------------------------------------------------------------------

    def told(self, cluster: Cluster, node: str, event: Event) -> None:
        """Nobody applies before every ack; nobody who is live is suspected."""
        if isinstance(event, Install) and event.purpose is Purpose.APPLY:
            for o in self.disks[node].opens:
                if o.settings == event.settings and o.phase is Phase.ACKED:
                    self._check_acks(node, o.id, self.homes[o.id].members)
        if isinstance(event, Suspected) and self.nobody_is_to_be_suspected:
            raise Broken("no_false_suspicion", f"{node} suspects {event.member}, which is alive")

    def _check_acks(self, node: str, change: ChangeId, home: tuple[str, ...]) -> None:
        missing = [m for m in home if m != node and (m, change) not in self._acked]
        if missing:
            who = " and ".join(missing)
            raise Broken("apply_after_full_receipt", f"{node} applies without an ack of {who}")

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        """A node at rest uses what it has committed last, and so do all at rest in its view."""
        machine = cluster.machines[node]
        if machine.node is None or not is_at_rest(machine):
            return
        if machine.installed != machine.node.journal.settings:
            raise Broken("kept_until_replaced", f"{node} uses what it has not committed")
        view = machine.node.view
        members = [cluster.machines[m] for m in view.members]
        if not all(is_at_rest(m) and m.node and m.node.view == view for m in members):
            return
        held = {(j.epoch, j.last, j.settings) for m in members if m.node for j in (m.node.journal,)}
        if len(held) > 1:
            raise Broken("all_or_nothing", "all are at rest, and hold different values")


def is_at_rest(machine: Machine) -> bool:
    """A node runs, has nothing open and nothing to write."""
    node = machine.node
    return node is not None and machine.write is None and not machine.pending and node.is_quiet


def _is_written(disk: Journal | None, body: Ack | Ok | Failure | Vote | Told) -> bool:
    """Return whether what a node says of itself is in its journal, or is past already."""
    if disk is None:
        return False
    if isinstance(body, Told):
        return body.report.view.id <= disk.promise.view.id
    change = body.change
    if change.base < disk.epoch or covers(disk.undone, change):
        return True
    opened = disk.open_change(change)
    if opened is None or isinstance(body, Failure):
        return False
    if isinstance(body, Vote):
        return opened.ballot is not None and body.ballot.view <= opened.ballot.view
    return opened.phase >= (Phase.ACKED if isinstance(body, Ack) else Phase.APPLIED)
