"""Views: proposed by members, reported to, and begun when all reports are there (note C5).

A report is a promise: no ack and no vote in an earlier view. What all reports say together is what
members vote for (the flush), so they vote the same.
"""

from __future__ import annotations

from samebeat import change
from samebeat.effects import Began
from samebeat.ids import LARGEST, View, ViewId, is_quorum, ordered
from samebeat.journal import Ballot, Open, Report, covers
from samebeat.messages import Told
from samebeat.state import State, frozen, with_entry


def promise(s: State, view: View) -> None:
    """Journal the report to a view; from now on the node does nothing for an earlier one."""
    j = s.journal
    report = Report(view, j.epoch, j.last, j.settings, j.opens, j.undone)
    s.write(promise=report)
    s.reports = frozen({s.config.me: report})
    s.promised_ms = s.now_ms
    s.outside = False
    s.say(Told(report, wants=True))


def is_view_of_ours(s: State, view: View) -> bool:
    """The members are configured, each once and in order, and a quorum of them."""
    known = set(view.members) <= set(s.config.members)
    return (
        known
        and view.members == ordered(view.members)
        and is_quorum(view.members, s.config.members)
    )


def receive_report(s: State, source: str, told: Told) -> None:
    """Keep a report to the promised view; join a later one, and tell whoever is in an earlier."""
    report = told.report
    view = report.view
    if not is_view_of_ours(s, view) or source not in view.members:
        return
    change.learn_ahead(s, report.last, report.settings)
    if view.id > s.promised.id:
        if s.config.me in view.members:
            promise(s, view)
        else:
            s.outside = True
            s.ack_watches = frozen({})  # who has left this node out does not ack its heartbeats
    if view == s.promised:
        if source not in s.reports:
            s.reports = with_entry(s.reports, source, report)
        if told.wants:
            s.say(Told(s.journal.promise, wants=False), source)
    elif view.id < s.promised.id:
        s.say(Told(s.journal.promise, wants=False), source)


def begin(s: State) -> bool:
    """All members of the promised view have reported: it begins."""
    if s.view == s.promised or not s.has_all_reports:
        return False
    s.write(view=s.promised)
    s.joiners = frozen({m: t for m, t in s.joiners.items() if m not in s.view.members})
    s.tell(Began(s.view))
    return True


def vote_in_flush(s: State) -> bool:
    """Vote on what is open in the reports: the latest vote that is reported, or else undo."""
    if not s.is_ready or s.is_behind or s.outside:
        return False
    voted = False
    for found in _found(s):
        known = s.journal.open_change(found.id)
        if known is not None and known.ballot is not None and known.ballot.view == s.view.id:
            continue
        opened = change.take_into_flush(s, found, found.home)
        if opened is not None:
            change.vote(s, opened, commit=_commit_is_reported(s, found))
            voted = True
    return voted


def _found(s: State) -> list[Open]:
    """Return what is open in the reports to the view, and decided neither there nor here."""
    epoch, known = s.journal.epoch, s.config.members
    by_id = {
        o.id: o
        for r in s.reports.values()
        for o in r.opens
        if o.id.initiator in known
        and o.id.base == epoch
        and o.home.id < s.promised.id
        and not s.knows_undone(o.id)
    }
    undone = {
        c for c in by_id for r in s.reports.values() if r.epoch == epoch and covers(r.undone, c)
    }
    return [by_id[c] for c in sorted(by_id) if c not in undone]


def _commit_is_reported(s: State, found: Open) -> bool:
    """Of the votes on a change that are reported, the one of the latest view is to commit."""
    ballots: list[Ballot] = [
        o.ballot
        for r in s.reports.values()
        for o in r.opens
        if o.id == found.id and o.ballot is not None
    ]
    return bool(ballots) and max(ballots, key=lambda b: b.view).commit


# --- proposals -------------------------------------------------------------------------------


def wished(s: State) -> tuple[str, ...]:
    """Return the members that the next view should have; those of this one: no wish."""
    view = s.promised
    here = view.members if s.is_ready else ordered((*s.reports, s.config.me))
    wish = ordered({*here, *s.joiners} - s.suspected | {s.config.me})
    return wish if is_quorum(wish, s.config.members) else view.members


def proposal_due_ms(s: State) -> int | None:
    """Return when this node proposes a view, as things are; None: it does not."""
    members, since_ms = s.wish
    if s.outside or _highest_number(s) >= LARGEST:
        return None
    turn_ms = members.index(s.config.me) * s.config.stagger_ms
    if s.is_ready:
        return since_ms + turn_ms if members != s.promised.members else None
    if members == s.promised.members:
        return None
    return max(s.promised_ms + s.config.view_timeout_ms, since_ms) + turn_ms


def note_wish(s: State) -> None:
    """Remember since when the wish is what it is."""
    wish = wished(s)
    if wish != s.wish[0]:
        s.wish = (wish, s.now_ms)


def propose_if_due(s: State) -> None:
    """Propose a view: a number higher than all that were seen, and the wished members."""
    due_ms = proposal_due_ms(s)
    if due_ms is None or s.now_ms < due_ms:
        return
    promise(s, View(ViewId(_highest_number(s) + 1, s.config.me), s.wish[0]))


def _highest_number(s: State) -> int:
    return max(s.promised.id, s.seen or s.promised.id).number
