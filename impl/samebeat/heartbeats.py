"""Heartbeats of a node: when they go, what they say, and what follows when they do not come.

The heartbeat parameters of claim 3 are used here and in ``pair``: a node sends at the shortest of
all intervals still possible, and waits for the longest deadline (the envelope, notes C1 to C3).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from samebeat.effects import Suspected
from samebeat.journal import Phase
from samebeat.messages import Heartbeat, HeartbeatAck
from samebeat.pair import AckWatch, Watch
from samebeat.state import State, frozen, with_entry, without


def peers(s: State) -> tuple[str, ...]:
    """Return the other members of the promised view."""
    return tuple(m for m in s.promised.members if m != s.config.me)


def next_beat_ms(s: State) -> int | None:
    """Return when the next heartbeat is due, counted from the last one.

    The interval is the shortest of those still possible: what is decided, and what is open.
    """
    if not s.active:
        return None
    sent_ms = s.beat[1]
    possible = (s.journal.settings, *(o.settings for o in s.journal.opens))
    interval_ms = min(settings.heartbeat_interval for settings in possible)
    return s.now_ms if sent_ms is None else sent_ms + interval_ms


def send_if_due(s: State) -> None:
    """Multicast a heartbeat when the interval is over (claim 19)."""
    due_ms = next_beat_ms(s)
    if due_ms is None or s.now_ms < due_ms:
        return
    sequence = s.beat[0] + 1
    s.beat = (sequence, s.now_ms)
    ack_due_ms = s.now_ms + s.journal.settings.heartbeat_ack_timeout
    s.ack_watches = frozen(
        {p: s.ack_watches.get(p, AckWatch()).sent(sequence, ack_due_ms) for p in peers(s)}
    )
    s.say(Heartbeat(s.journal.boot, sequence, s.journal.last))


def receive(s: State, source: str, epoch: int, heartbeat: Heartbeat) -> None:
    """Ack a heartbeat, and wait again from now if it is newer than all before (claim 22, C1).

    A peer is watched from the first heartbeat on that states what this node holds or has decided,
    once the view has begun: then the node knows of every change that the peer may decide.
    """
    if source not in peers(s):
        return
    s.say(HeartbeatAck(heartbeat.boot, heartbeat.sequence), source)
    newest = (heartbeat.boot, heartbeat.sequence)
    stated = (epoch, heartbeat.last)
    held_epoch, held_change, held = s.journal.held
    confirmed: Fraction | None = held.deadline_ms if stated == (held_epoch, held_change) else None
    watch = s.watches.get(source)
    if watch is not None:
        after = watch.heard(newest, s.now_ms, confirmed)
        if after is watch:
            return
    elif s.is_ready and (confirmed is not None or stated == (s.journal.epoch, s.journal.last)):
        after = Watch(newest, s.now_ms, max(held.deadline_ms, s.journal.settings.deadline_ms))
    else:
        return
    s.watches = with_entry(s.watches, source, after)


def receive_ack(s: State, source: str, ack: HeartbeatAck) -> None:
    """The peer has received a heartbeat: no earlier one is missed any more."""
    watch = s.ack_watches.get(source)
    if watch is not None and ack.boot == s.journal.boot:
        s.ack_watches = with_entry(s.ack_watches, source, watch.acked(ack.sequence))


def follow(s: State) -> None:
    """Widen deadlines to what the node holds now, and forget who is no member any more.

    What a node only votes on, in a flush, others may have applied and decide at any moment.
    """
    held_ms = max(
        (
            s.journal.held[2].deadline_ms,
            *(o.settings.deadline_ms for o in s.journal.opens if o.phase is Phase.RECEIVED),
        )
    )
    members = peers(s)
    watches = {p: w.holding(held_ms) for p, w in s.watches.items() if p in members}
    if watches != s.watches:
        s.watches = frozen(watches)
    if any(p not in members for p in s.ack_watches):
        s.ack_watches = without(s.ack_watches, *(p for p in s.ack_watches if p not in members))


def _dues(s: State) -> Iterator[tuple[int, str]]:
    """Yield when each peer is suspected if nothing comes: by its heartbeats, and by its acks."""
    threshold = s.journal.settings.heartbeat_ack_failure_threshold
    for peer in peers(s):
        if peer in s.watches:
            yield s.watches[peer].due_ms, peer
        acks_due_ms = s.ack_watches.get(peer, AckWatch()).suspects_at(threshold)
        if acks_due_ms is not None:
            yield acks_due_ms, peer


def next_suspicion_ms(s: State) -> int | None:
    """Return when somebody will be suspected who is not yet, if nothing comes."""
    return min((due_ms for due_ms, peer in _dues(s) if peer not in s.suspected), default=None)


def suspect(s: State) -> None:
    """Suspect whose heartbeats or acks have not come in time, as long as they do not."""
    due = frozenset(peer for due_ms, peer in _dues(s) if due_ms <= s.now_ms)
    for peer in sorted(due - s.suspected):
        s.tell(Suspected(peer))
    s.suspected = due
