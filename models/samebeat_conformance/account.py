"""What the spec says of one node, as far as it can be seen from outside.

Most of it is read off the node after each input. The rest the spec remembers for ever and the core
has good reason to forget: what was said, how changes have ended, what was held at the last ack.
Nothing of it reaches the core.

Who runs a core calls ``follow`` after each input whose journal is durable. What an input says
counts as said from then on, whether it leaves or not: a datagram may be delayed for ever. Only an
ok counts when it leaves (``ok_left``), since the spec has a step there; or when the node has voted
to commit, which it cannot do without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from samebeat.config import Config
from samebeat.effects import Decided, Event, Outcome, Purpose
from samebeat.ids import ChangeId, View, ViewId
from samebeat.journal import Phase, Report, covers
from samebeat.messages import Ack, AnyBody, Closed, Failure, Ok, Request, Told, Vote
from samebeat.node import Node
from samebeat.parameters import Settings

Bodies: TypeAlias = Iterable[tuple[str | None, AnyBody]]
"""To whom (None: all others), and what."""
Labels: TypeAlias = frozenset[tuple[ChangeId, str]]
"""For some changes, the label of an element of the spec."""

_PHASES = {Phase.RECEIVED: "RECEIVED", Phase.ACKED: "ACKED", Phase.APPLIED: "APPLIED"}
_SAID = {
    "RECEIVED": "OPEN",
    "ACKED": "OPEN",
    "APPLIED": "OPEN",
    "COMMITTED": "COMMITTED",
    "UNDONE": "UNDONE",
}


@dataclass(frozen=True)
class Account:
    """What the spec says of one node.

    Attributes:
        phases: how far it is with each change that it has ever taken part in or turned down.
        sent: what kinds of message about which change.
        votes: on which change, in which view, and whether to commit.
        requests: the changes that it has asked for, each with its view.
        reports: the views that it has reported to, and what about which change.
        value, pre_image: the settings in effect, and those at its last ack.
        epoch, view: what it has committed, and the view that has begun.
        running: the change whose operation was given up and goes on.
        late: such an operation has succeeded and is not undone yet.
        out: it has taken itself out.
        up: it runs.
    """

    phases: Labels
    sent: frozenset[tuple[str, ChangeId]]
    votes: frozenset[tuple[ChangeId, ViewId, bool]]
    requests: frozenset[tuple[ChangeId, View]]
    reports: frozenset[tuple[View, Labels]]
    value: Settings
    pre_image: Settings
    epoch: int
    view: ViewId
    running: ChangeId | None = None
    late: bool = False
    out: bool = False
    up: bool = True


def first_account(config: Config) -> Account:
    """Return the account of a node before its first start."""
    return Account(
        phases=frozenset(),
        sent=frozenset(),
        votes=frozenset(),
        requests=frozenset(),
        reports=frozenset({(config.first_view, frozenset())}),
        value=config.start,
        pre_image=config.start,
        epoch=0,
        view=config.first_view.id,
    )


def follow(
    account: Account,
    before: Node,
    after: Node,
    said: Bodies,
    events: Iterable[Event],
    kept: Collection[AnyBody] = (),
) -> Account:
    """Return the account after an input.

    Args:
        account: the one before it.
        before: the node before the input.
        after: the node after it, its journal being durable.
        said: what the input has made the node send, in order.
        events: what it has told its host.
        kept: the oks among that which have not left yet.
    """
    bodies = list(said)
    journal, state = after.journal, after._state
    sent = account.sent | _kinds(account, bodies, kept)
    votes = account.votes | {
        (b.change, b.ballot.view, b.ballot.commit) for _, b in bodies if isinstance(b, Vote)
    }
    homes = {o.id: o.home.id for o in (*before.journal.opens, *journal.opens)}
    sent |= {("OK", c) for c, v, to_commit in votes if to_commit and homes.get(c) == v}
    phases = _phases(dict(account.phases), after, bodies, events, sent)
    acked_now = any(k == "ACK" for k, _ in sent - account.sent)
    late = state.operation is not None and state.operation.purpose is Purpose.UNDO_LATE
    given_up = before._state.given_up
    value = state.installed or account.value
    if late:
        value = account.value if given_up is None else given_up.settings
    return Account(
        phases=frozenset(phases.items()),
        sent=sent,
        votes=votes,
        requests=account.requests | _requests(account, after, bodies),
        reports=account.reports | _reports(account, bodies, journal.promise, phases),
        value=value,
        pre_image=before.journal.settings if acked_now else account.pre_image,
        epoch=journal.epoch,
        view=journal.view.id,
        running=state.given_up.change if state.given_up is not None else None,
        late=late,
        out=bool(journal.out),
    )


def ok_left(account: Account, change: ChangeId) -> Account:
    """Return the account after an ok, kept back until now, has left."""
    return replace(account, sent=account.sent | {("OK", change)})


def crashed(account: Account) -> Account:
    """Return the account after a crash: what is in no journal is gone."""
    value = account.pre_image if account.late else account.value
    return replace(account, value=value, running=None, late=False, up=False)


def recovered(account: Account) -> Account:
    """Return the account of a node that is to come back, before its restart is followed."""
    return replace(account, up=True)


def _kinds(
    account: Account, bodies: Bodies, kept: Collection[AnyBody]
) -> frozenset[tuple[str, ChangeId]]:
    """Return what is said about changes; a busy answer is one to all, about a change not acked."""
    found = set()
    for to, body in bodies:
        match body:
            case Ack():
                found.add(("ACK", body.change))
            case Failure():
                found.add(("FAILURE", body.change))
            case Ok() if body not in kept:
                found.add(("OK", body.change))
            case Closed() if to is None:
                found.add(("BUSY", body.change))
            case _:
                pass
    return frozenset(
        (k, c) for k, c in found if k != "BUSY" or ("ACK", c) not in account.sent | found
    )


def _phases(
    phases: dict[ChangeId, str],
    after: Node,
    bodies: Bodies,
    events: Iterable[Event],
    sent: frozenset[tuple[str, ChangeId]],
) -> Mapping[ChangeId, str]:
    """Return how far the node is with each change.

    What a commit leaves behind keeps the phase that it had: it is out of date.
    """
    journal = after.journal
    closed = {b.change for _, b in bodies if isinstance(b, Closed) and ("BUSY", b.change) in sent}
    closed |= {e.change for e in events if isinstance(e, Decided) and e.outcome is Outcome.UNDONE}
    phases |= {c: "UNDONE" for c in closed if c.base == journal.epoch}
    phases |= {o.id: _PHASES[o.phase] for o in journal.opens}
    if journal.last is not None:
        phases[journal.last] = "COMMITTED"
    return phases


def _requests(account: Account, after: Node, bodies: Bodies) -> frozenset[tuple[ChangeId, View]]:
    known = {c for c, _ in account.requests}
    me = after._state.config.me
    return frozenset(
        (b.change, b.home)
        for _, b in bodies
        if isinstance(b, Request) and b.change.initiator == me and b.change not in known
    )


def _reports(
    account: Account, bodies: Bodies, promise: Report, phases: Mapping[ChangeId, str]
) -> frozenset[tuple[View, Labels]]:
    """Return what is reported for the first time; the journal's promise counts as reported."""
    known = {v for v, _ in account.reports}
    told = [b.report for _, b in bodies if isinstance(b, Told)]
    reports = {r.view: r for r in (*told, promise) if r.view not in known}
    return frozenset((view, _labels(account, report, phases)) for view, report in reports.items())


def _labels(account: Account, report: Report, phases: Mapping[ChangeId, str]) -> Labels:
    """Return what a report says about each change.

    Of changes from earlier epochs it says no more than that they are over, which is what the
    change says that led to its epoch.
    """
    before = dict(account.phases)
    labels = {c: _SAID[p] for c, p in before.items() if c.base < report.epoch}
    labels |= {
        c: "UNDONE"
        for c, p in phases.items()  # one that was closed on the same input is among these
        if p == "UNDONE" and c.base == report.epoch and covers(report.undone, c)
    }
    labels |= {o.id: "OPEN" for o in report.opens}
    if report.last is not None:
        labels[report.last] = "COMMITTED"
    return frozenset(labels.items())
