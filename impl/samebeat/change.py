"""One change, from the request to the decision (claims 1 to 18, notes C5 and C6).

What is received is recorded as a fact; what follows from the facts is done in steps. So it does not
matter in which order, how late or how often messages come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from samebeat import operations
from samebeat.effects import Purpose
from samebeat.ids import LARGEST, MAX_MEMBERS, ChangeId, View, is_quorum
from samebeat.journal import Ballot, Mark, Open, Phase, covers, marked
from samebeat.messages import Ack, AnyBody, Closed, Committed, Failure, Ok, Request, Vote
from samebeat.parameters import Settings, problems
from samebeat.state import Heard, State, frozen, with_entry

NOTHING = Heard()


# --- facts -----------------------------------------------------------------------------------


def hear(s: State, source: str, body: Ack | Ok | Failure | Closed | Vote) -> None:
    """Record what a member says about a change; tell it if the change is closed here."""
    c = body.change
    if s.knows_undone(c):
        if not isinstance(body, Closed):
            s.say(Closed(c), source)
        return
    if c.base < s.journal.epoch or c.initiator not in s.config.members:
        return
    known = s.heard.get(c, NOTHING)
    if isinstance(body, Ack):
        known = replace(known, acks=known.acks | {source})
    elif isinstance(body, Ok):
        known = replace(known, acks=known.acks | {source}, oks=known.oks | {source})
    elif isinstance(body, Vote):
        known = _with_ballot(known, source, body.ballot)
    else:
        known = replace(known, failed=True)
    _remember(s, c, known)


def _with_ballot(known: Heard, source: str, ballot: Ballot) -> Heard:
    """Of each member the latest vote counts."""
    earlier = known.ballots.get(source)
    if earlier is not None and ballot.view <= earlier.view:
        return known
    return replace(known, ballots=with_entry(known.ballots, source, ballot))


def _remember(s: State, change: ChangeId, known: Heard) -> None:
    """Keep what is heard of open changes, and of the newest one of each initiator."""
    entries = {**s.heard, change: known}
    newest = {
        i: max(c for c in entries if c.initiator == i) for i in {c.initiator for c in entries}
    }
    s.heard = frozen(
        {
            c: h
            for c, h in entries.items()
            if s.journal.open_change(c) is not None or newest[c.initiator] == c
        }
    )


# --- request and ack round -------------------------------------------------------------------


def is_busy(s: State) -> bool:
    """The node has something to finish before it can take part in a change (note C6)."""
    return bool(s.journal.opens or s.is_behind or s.operation or s.given_up)


def may_ask(s: State) -> str:
    """Return why the node must not ask for a change now; empty: it may."""
    if s.journal.out:
        return f"this node has taken itself out: it {s.journal.out}"
    if s.outside or not s.is_ready:
        return "this node is in no view that has begun; try again later"
    if s.journal.epoch >= LARGEST:
        return "no epoch is left: this cluster must be set up anew"
    if is_busy(s):
        return "this node is busy with another change; try again later"
    return ""


def ask(s: State, settings: Settings) -> ChangeId:
    """Multicast the request for a change, and take part in it (claims 1(a) and 6)."""
    s.sequence += 1
    change = ChangeId(s.journal.epoch, s.config.me, s.journal.boot, s.sequence)
    s.say(Request(change, s.view, settings))
    open_change(s, Request(change, s.view, settings))
    return change


def receive_request(s: State, source: str, request: Request) -> None:
    """Ack a request, or turn it down; one that is known changes nothing (claims 1(b), 4, C6).

    One that comes too late for its view is turned down, too: nobody will ever ack it there. Between
    two views nothing is acked, and what others have committed (it is adopted) is no reason to say
    no: only what is open here is.
    """
    c = request.change
    if s.knows_undone(c):
        s.say(Closed(c), source)
        return
    known = s.journal.open_change(c) is not None
    if known or c.base != s.journal.epoch or c.initiator == s.config.me:
        return
    of_my_view = request.home == s.view and c.initiator in s.view.members
    if of_my_view and s.is_restoring:
        return  # that ends by itself; the request comes again
    busy = is_busy(s) if s.is_ready else bool(s.journal.opens or s.given_up)
    if _is_of_a_view_left(s, request) or (of_my_view and busy):
        operations.turn_down(s, c)
    elif of_my_view and s.is_ready:
        open_change(s, request)


def _is_of_a_view_left(s: State, request: Request) -> bool:
    """The node was to take part in the change, and is in a later view: it comes too late."""
    home = request.home
    both = {s.config.me, request.change.initiator}
    return home.id < s.view.id and both <= set(home.members) & set(s.config.members)


def open_change(s: State, request: Request) -> None:
    """Journal the change and multicast the ack (claims 1(b), 4 and 6).

    Its initiator has decided what it has asked for before, so that is undone.
    """
    c = request.change
    before = Mark(c.initiator, c.boot, c.sequence - 1)
    opened = Open(c, request.home, request.settings, Phase.ACKED)
    s.write(opens=(*s.journal.opens, opened), undone=marked(s.journal.undone, before))
    s.say(Ack(c))


# --- what the facts say ----------------------------------------------------------------------


def _all_in(members: Iterable[str], said: frozenset[str]) -> bool:
    return all(name in said for name in members)


def all_acked(s: State, o: Open) -> bool:
    """Every member of the view has acked, this node included (claim 1(b))."""
    own = {s.config.me} if o.phase is not Phase.RECEIVED else set()
    return _all_in(o.home.members, s.heard.get(o.id, NOTHING).acks | own)


def all_applied(s: State, o: Open) -> bool:
    """Every member of the view has applied, this node included."""
    own = {s.config.me} if o.phase is Phase.APPLIED else set()
    return _all_in(o.home.members, s.heard.get(o.id, NOTHING).oks | own)


def is_outvoted(s: State, o: Open, commit: bool) -> bool:
    """A quorum has voted so in one view (note C5)."""
    ballots = dict(s.heard.get(o.id, NOTHING).ballots)
    if o.ballot is not None:
        ballots[s.config.me] = o.ballot
    views = {b.view for b in ballots.values()}
    return any(
        is_quorum((m for m, b in ballots.items() if b == Ballot(v, commit)), s.config.members)
        for v in views
    )


def is_to_be_undone(s: State, o: Open) -> bool:
    """A member has failed or closed it, a report says undone, or the votes do (claim 1(e))."""
    reported = any(r.epoch == o.id.base and covers(r.undone, o.id) for r in s.reports.values())
    reported |= covers(s.journal.undone, o.id)  # its initiator has asked for another one since
    return s.heard.get(o.id, NOTHING).failed or reported or is_outvoted(s, o, commit=False)


# --- steps -----------------------------------------------------------------------------------


def undo(s: State, o: Open) -> bool:
    """Restore the pre-image if it was applied, and close the change (claim 1(f))."""
    if not is_to_be_undone(s, o) or _runs_for(s, o):
        return False
    if o.phase is Phase.APPLIED:
        if s.operation is not None:
            return False
        operations.start(s, Purpose.UNDO, s.journal.settings, o.id)
    else:
        operations.close(s, o.id)
    return True


def _runs_for(s: State, o: Open) -> bool:
    return s.operation is not None and s.operation.change == o.id


def apply(s: State, o: Open) -> bool:
    """Every member has acked: run the local operation (claims 1(b), 1(c))."""
    starts = o.phase is Phase.ACKED and s.operation is None and s.given_up is None
    if not starts or not all_acked(s, o):
        return False
    if problems(o.settings, s.config.assumed):
        operations.fail(s, o)
    else:
        operations.start(s, Purpose.APPLY, o.settings, o.id)
    return True


def vote_to_commit(s: State, o: Open) -> bool:
    """Every member has applied: hold that in the journal, then say so (note C5)."""
    at_home = s.promised == o.home and o.ballot is None
    if not at_home or o.phase is not Phase.APPLIED or _runs_for(s, o) or not all_applied(s, o):
        return False
    vote(s, o, commit=True)
    return True


def vote(s: State, o: Open, commit: bool) -> None:
    """Journal a vote in the promised view, and multicast it."""
    ballot = Ballot(s.promised.id, commit)
    s.replace_open(o, ballot=ballot)
    s.say(Vote(o.id, ballot))


def learn_commit(s: State, o: Open) -> bool:
    """A quorum has voted to commit in one view: that is what others have come to, too."""
    if s.is_behind or not is_outvoted(s, o, commit=True):
        return False
    s.ahead = Committed(o.id, o.settings)
    return True


def commit(s: State) -> bool:
    """Keep what is committed, here or by others; whoever does not hold it adopts it (note C5).

    What is adopted is kept when it is in effect, even if others have gone on since.
    """
    ahead = s.ahead
    if ahead is None or not s.is_behind or s.operation is not None or s.given_up is not None:
        return False
    if s.installed == ahead.settings:
        operations.keep(s, ahead)
    else:
        operations.start(s, Purpose.ADOPT, ahead.settings, ahead.change)
    return True


def learn_ahead(s: State, change: ChangeId | None, settings: Settings) -> None:
    """Somebody has committed a change that leads to a later epoch than what is known."""
    best = s.ahead.epoch if s.ahead is not None else s.journal.epoch
    if change is not None and change.base + 1 > max(best, s.journal.epoch):
        s.ahead = Committed(change, settings)


def repeated(s: State) -> Iterator[AnyBody]:
    """Yield what the node says again about its open changes until they are decided."""
    for o in s.journal.opens:
        if o.phase is Phase.ACKED:
            yield Request(o.id, o.home, o.settings)
            yield Ack(o.id)
        if o.phase is Phase.APPLIED:
            yield Ok(o.id)
        if o.ballot is not None:
            yield Vote(o.id, o.ballot)


def take_into_flush(s: State, found: Open, home: View) -> Open | None:
    """Return the change as it is open here; one that is new here is opened for the flush."""
    known = s.journal.open_change(found.id)
    if known is not None or len(s.journal.opens) >= MAX_MEMBERS:
        return known
    opened = Open(found.id, home, found.settings, Phase.RECEIVED)
    s.write(opens=(*s.journal.opens, opened))
    return opened
