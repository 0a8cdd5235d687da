"""Changes of a heartbeat pair, by the change request indicator (claims 19 to 31, notes C1 and C4).

A first node that wants another rhythm with one peer says so in its heartbeats to that peer, and
defers. The second node modifies or refuses, and its acks say which. The first modifies only when an
ack about this very change says that the second has. What concerns the first node alone it changes
at once. As elsewhere, what is received is recorded, and what follows is done in steps.

Records follow the claims; timers follow the envelope: while a change is open the first node sends
at the shorter interval (`interval_ms`), and the second waits for the longest deadline since a
heartbeat last stated what it holds (``heartbeats``). A change of the group goes before all of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from msgspec import structs

from samebeat import change
from samebeat.deferral import Duty, First, Patience, Second
from samebeat.effects import Outcome, PairDecided
from samebeat.ids import PairChangeId
from samebeat.messages import AckRecord, Heartbeat, HeartbeatAck, HeartbeatRecord
from samebeat.parameters import NAMES, Rhythm, Settings, Values, changed, needs_peer, problems
from samebeat.state import State, with_entry, without

OF_HEARTBEATS = tuple(name for name in NAMES if name.startswith(("heartbeat_", "receive_send_")))
"""The parameters that a pair may change by itself."""


# --- what a node uses towards one peer -----------------------------------------------------------


def first(s: State, peer: str) -> First:
    """Return what this node is to a peer as the first node."""
    return s.firsts.get(peer, First())


def second(s: State, peer: str) -> Second:
    """Return what this node is to a peer as the second node."""
    return s.seconds.get(peer, Second())


def settings_towards(s: State, peer: str) -> Settings:
    """Return what this node holds as the first node of a direction."""
    f = first(s, peer)
    settings = s.journal.settings.with_rhythm(f.held)
    if f.patience is None:
        return settings
    return structs.replace(
        settings,
        heartbeat_ack_timeout=f.patience.timeout_ms,
        heartbeat_ack_failure_threshold=f.patience.threshold,
    )


def interval_ms(s: State, peer: str) -> int:
    """Return how often this node sends heartbeats to a peer: the shortest that may be in force."""
    f = first(s, peer)
    held: Rhythm = f.held or s.journal.settings
    asked = (f.asked,) if f.open and f.asked is not None else ()
    possible = (held, *asked, *(o.settings for o in s.journal.opens))
    intervals: list[int] = [rhythm.heartbeat_interval for rhythm in possible]
    return min(intervals)


def due_ms(s: State, peer: str) -> int:
    """Return when the next heartbeat to a peer with heartbeats of its own is due."""
    sent_ms = first(s, peer).sent_ms
    return s.now_ms if sent_ms is None else sent_ms + interval_ms(s, peer)


def with_own_beats(s: State) -> tuple[str, ...]:
    """Return the peers whose heartbeats are not those to everybody."""
    return tuple(p for p in s.config.others if p in s.firsts and s.firsts[p].has_own_beats)


def decided_deadline_ms(s: State, peer: str) -> Fraction:
    """Return the deadline that follows from what is decided, by the group or with this peer."""
    held: Rhythm = second(s, peer).held or s.journal.settings
    return held.deadline_ms


def held_deadline_ms(s: State, peer: str) -> Fraction:
    """Return the deadline that follows from what this node holds as the second node."""
    epoch, last, settings = s.journal.held
    if (epoch, last) != (s.journal.epoch, s.journal.last):
        return settings.deadline_ms
    return decided_deadline_ms(s, peer)


# --- the first node asks -------------------------------------------------------------------------


def judged(s: State, peer: str, values: Values) -> tuple[Settings | None, str]:
    """Return what a change would lead to, and why it is not asked for; empty: it may be."""
    others = [name for name in values if name in NAMES and name not in OF_HEARTBEATS]
    if others:
        return None, f"{others[0]} is no heartbeat parameter: change it for the whole group"
    if len({needs_peer(name) for name in values if name in NAMES}) > 1:
        alone = next(name for name in values if name in NAMES and not needs_peer(name))
        return (
            None,
            f"{alone} is local to this node, and the rest is not: change one, then the other",
        )
    settings, wrong = changed(settings_towards(s, peer), values)
    if settings is not None:
        wrong = problems(settings, s.config.assumed)
    return settings, "; ".join(wrong) or change.may_ask(s) or _may_ask(s, peer, values)


def _may_ask(s: State, peer: str, values: Values) -> str:
    if peer not in s.promised.members or peer == s.config.me:
        return f"{peer} is no other member of the view"
    if not values:
        return "no value is given"
    if any(map(needs_peer, values)) and first(s, peer).open:
        return f"an earlier change with {peer} is open; try again later"
    return ""


def begin(s: State, peer: str, settings: Settings, values: Values) -> PairChangeId:
    """Defer if the peer must be in step, otherwise modify at once (claims 20, 21, 27 and 28)."""
    s.pair_changes += 1
    asked = PairChangeId(s.journal.boot, s.pair_changes)
    f = first(s, peer)
    if any(map(needs_peer, values)):
        f = replace(f, open=asked.number, asked=settings.rhythm, heard=None)
    else:
        f = replace(
            f,
            patience=Patience(
                settings.heartbeat_ack_timeout, settings.heartbeat_ack_failure_threshold
            ),
        )
        s.tell(PairDecided(peer, asked, Outcome.COMMITTED))
    s.firsts = with_entry(s.firsts, peer, f)
    return asked


def set_indicator(s: State, peer: str) -> bool:
    """Set the indicator in the record, before a heartbeat asks (claims 23(a) and 29)."""
    f = first(s, peer)
    if not f.open or f.asked is None or (f.record is not None and f.record.change == f.open):
        return False
    record = HeartbeatRecord(f.open, True, f.asked, f.held)
    s.firsts = with_entry(s.firsts, peer, replace(f, record=record, sent_ms=None))
    return True


def sent(s: State, peer: str) -> None:
    """Note that a heartbeat to this peer alone was sent."""
    s.firsts = with_entry(s.firsts, peer, replace(first(s, peer), sent_ms=s.now_ms))


def hear_ack(s: State, source: str, record: AckRecord | None) -> None:
    """Record what an ack says about the open change; about any other it says nothing (note C4)."""
    f = first(s, source)
    if record is None or not f.open or record.change != PairChangeId(s.journal.boot, f.open):
        return
    s.firsts = with_entry(s.firsts, source, replace(f, heard=record.indicator))


def modify_as_first(s: State, peer: str) -> bool:
    """The peer has said that it has modified: modify, too (claims 19(b), 24, 25(b) and 30)."""
    return first(s, peer).heard is True and _close(s, peer, Outcome.COMMITTED)


def close_refused(s: State, peer: str) -> bool:
    """The peer has said that it has not modified: keep the value (claims 22 and 24)."""
    return first(s, peer).heard is False and _close(s, peer, Outcome.UNDONE)


def _close(s: State, peer: str, outcome: Outcome) -> bool:
    """Clear the indicator; the send timer goes on from the last heartbeat."""
    f = first(s, peer)
    assert f.asked is not None, "an open change asks for something"
    held = f.asked if outcome is Outcome.COMMITTED else f.held
    record = HeartbeatRecord(f.open, False, f.asked, held)
    s.tell(PairDecided(peer, PairChangeId(s.journal.boot, f.open), outcome))
    after = replace(f, open=0, asked=None, heard=None, record=record)
    s.firsts = with_entry(s.firsts, peer, after)
    return True


# --- the second node answers ---------------------------------------------------------------------


def learn_held(s: State, source: str, heartbeat: Heartbeat) -> None:
    """Follow what the first node says that it holds, unless this node is ahead in a deferral.

    That is how a node that has restarted learns it; and it is how a node forgets what a first node
    held that has restarted.
    """
    record = heartbeat.record
    if record is None:
        if source in s.seconds:
            s.seconds = without(s.seconds, source)
        return
    known = second(s, source)
    is_ahead = known.has_modified_for(PairChangeId(heartbeat.boot, record.change))
    if record.held != known.held and not (record.indicator and is_ahead):
        s.seconds = with_entry(s.seconds, source, replace(known, held=record.held))


def hear_request(s: State, source: str, heartbeat: Heartbeat) -> None:
    """Record a request; while a change of the group is open it is let pass, and comes again."""
    record = heartbeat.record
    if record is None or not record.indicator or not s.is_ready or change.is_busy(s):
        return
    known, asked = second(s, source), PairChangeId(heartbeat.boot, record.change)
    if not known.knows(asked):
        after = replace(known, request=asked, asked=record.asked, duty=Duty.RECEIVED)
        s.seconds = with_entry(s.seconds, source, after)


def _suits(s: State, asked: Rhythm | None) -> bool:
    return asked is not None and not problems(
        s.journal.settings.with_rhythm(asked), s.config.assumed
    )


def modify_as_second(s: State, peer: str) -> bool:
    """Modify as the first node asks, and re-arm before anything is acked (claim 25(a), note C1)."""
    known = second(s, peer)
    if known.duty is not Duty.RECEIVED or not _suits(s, known.asked):
        return False
    s.seconds = with_entry(s.seconds, peer, replace(known, held=known.asked, duty=Duty.MODIFIED))
    if peer in s.watches:
        watch = s.watches[peer].holding(held_deadline_ms(s, peer))
        s.watches = with_entry(s.watches, peer, watch)
    return True


def refuse(s: State, peer: str) -> bool:
    """Keep the value: what is asked for does not suit what this node assumes (claim 22)."""
    known = second(s, peer)
    if known.duty is not Duty.RECEIVED or _suits(s, known.asked):
        return False
    s.seconds = with_entry(s.seconds, peer, replace(known, duty=Duty.REFUSED))
    return True


def answer(s: State, peer: str) -> bool:
    """Set the indicator if the node has modified, else clear it, before the ack (claim 23(b))."""
    known = second(s, peer)
    if known.duty not in (Duty.MODIFIED, Duty.REFUSED) or known.request is None:
        return False
    record = AckRecord(known.request, indicator=known.duty is Duty.MODIFIED)
    s.seconds = with_entry(s.seconds, peer, replace(known, record=record, duty=Duty.READY))
    return True


def acknowledge(s: State, peer: str) -> bool:
    """Ack the heartbeat that came last, once the record holds the answer to it (claim 22)."""
    known = second(s, peer)
    if peer not in s.owed or known.duty not in (Duty.IDLE, Duty.READY):
        return False
    s.say(HeartbeatAck(*s.owed[peer], known.record), peer)
    s.owed = without(s.owed, peer)
    if known.duty is Duty.READY:
        s.seconds = with_entry(s.seconds, peer, replace(known, duty=Duty.IDLE))
    return True


# --- steps ---------------------------------------------------------------------------------------


STEPS: tuple[Callable[[State, str], bool], ...] = (
    set_indicator,
    modify_as_first,
    close_refused,
    modify_as_second,
    refuse,
    answer,
    acknowledge,
)
"""All steps with one peer; each tells whether it was taken."""


def concerned(s: State) -> Iterable[str]:
    """Return the peers with which there may be a step, in order."""
    if not (s.owed or s.firsts or s.seconds):
        return ()
    return tuple(p for p in s.config.others if p in s.owed or p in s.firsts or p in s.seconds)
