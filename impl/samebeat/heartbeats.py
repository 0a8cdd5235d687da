"""Heartbeats of a node: when they go, what they say, and what follows when they do not come.

The heartbeat parameters of claim 3 are used here and in ``pair``: a node sends at the shortest of
all intervals still possible, and waits for the longest deadline (the envelope, notes C1 to C3).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from samebeat import asking
from samebeat.effects import Suspected
from samebeat.journal import Phase
from samebeat.messages import Heartbeat, HeartbeatAck
from samebeat.pair import AckWatch, Watch
from samebeat.state import State, frozen, with_entry, without


def peers(s: State) -> tuple[str, ...]:
    """Return the other members of the promised view."""
    return tuple(m for m in s.promised.members if m != s.config.me)


def next_beat_ms(s: State) -> int | None:
    """Return when the next heartbeat to everybody is due, counted from the last one.

    The interval is the shortest of those still possible: what is decided, and what is open. To
    peers with heartbeats of their own it does not go.
    """
    if not s.active or (s.firsts and s.config.others == asking.with_own_beats(s)):
        return None
    sent_ms = s.beat[1]
    possible = (s.journal.settings, *(o.settings for o in s.journal.opens))
    interval_ms = min(settings.heartbeat_interval for settings in possible)
    if _has_just_returned(s):
        interval_ms = min(interval_ms, max(1, s.config.assumed.delay_ms))
    return s.now_ms if sent_ms is None else sent_ms + interval_ms


def _has_just_returned(s: State) -> bool:
    """The node has restarted, and maybe no heartbeat since has come through, as losses go.

    Until one has, a peer may wait for less than the group's settings say: the two had changed
    their rhythm, which this node does not know any more.
    """
    return s.journal.boot > 1 and 0 < s.beat[0] <= s.config.assumed.losses


def own_beats_ms(s: State) -> Iterator[int]:
    """Yield when the next heartbeat to each peer with heartbeats of its own is due."""
    if s.active and s.firsts:
        yield from (asking.due_ms(s, peer) for peer in asking.with_own_beats(s))


def send_if_due(s: State) -> None:
    """Multicast a heartbeat when the interval is over (claim 19).

    A peer with which there is a record has heartbeats of its own, which carry the record.
    """
    own = asking.with_own_beats(s) if s.firsts else ()
    due_ms = next_beat_ms(s)
    if due_ms is not None and s.now_ms >= due_ms:
        rest = [p for p in s.config.others if p not in own]
        is_due = s.beat[1] is not None or not s.beat[0]
        beat = _next_beat(s, rest, in_turn=is_due and not _has_just_returned(s))
        s.beat = (beat.sequence, s.now_ms)
        for to in rest if own else [None]:
            s.say(beat, to)
    for peer in own if s.active else ():
        if s.now_ms >= asking.due_ms(s, peer):
            beat = _next_beat(s, [peer], in_turn=asking.first(s, peer).sent_ms is not None)
            s.beat = (beat.sequence, s.beat[1])
            s.say(structs.replace(beat, record=asking.first(s, peer).record), peer)
            asking.sent(s, peer)


def _next_beat(s: State, to: list[str], *, in_turn: bool) -> Heartbeat:
    """Return the next heartbeat, whose acks are waited for from now on.

    But not if it goes out of turn, right after another one: acks of the two may change places, and
    the ack of the earlier one would then hide that of the later one.
    """
    sequence = s.beat[0] + 1
    watches = {p: s.ack_watches.get(p, AckWatch()) for p in peers(s)}
    for peer in to:
        if in_turn and peer in watches:
            timeout_ms = asking.settings_towards(s, peer).heartbeat_ack_timeout
            watches[peer] = watches[peer].sent(sequence, s.now_ms + timeout_ms)
    s.ack_watches = frozen(watches)
    return Heartbeat(s.journal.boot, sequence, s.journal.last)


def receive(s: State, source: str, epoch: int, heartbeat: Heartbeat) -> None:
    """Ack a heartbeat, and wait again from now if it is newer than all before (claim 22, C1).

    A peer is watched from the first heartbeat on that states what this node holds or has decided,
    once the view has begun: then the node knows of every change that the peer may decide.

    What a heartbeat asks for may have been granted before this node has restarted; so as long as it
    is asked for, the node waits for as long.
    """
    if source not in peers(s):
        return
    s.owed = with_entry(s.owed, source, (heartbeat.boot, heartbeat.sequence))
    newest = (heartbeat.boot, heartbeat.sequence)
    stated = (epoch, heartbeat.last)
    is_decided = stated == (s.journal.epoch, s.journal.last)
    is_held = stated == s.journal.held[:2]
    watch, record = s.watches.get(source), heartbeat.record
    may_begin = s.is_ready and (is_decided or is_held)
    if newest <= watch.newest if watch is not None else not may_begin:
        return
    if is_decided:
        asking.learn_held(s, source, heartbeat)
    held_ms = asking.held_deadline_ms(s, source)
    own = None if record is None else record.held
    expected = asking.second(s, source).held if is_decided else None
    confirmed = held_ms if is_held and own == expected else None
    if watch is not None:
        after = watch.heard(newest, s.now_ms, confirmed)
    else:
        after = Watch(newest, s.now_ms, max(held_ms, asking.decided_deadline_ms(s, source)))
    if record is not None and record.indicator:
        after = after.holding(record.asked.deadline_ms)
    s.watches = with_entry(s.watches, source, after)
    if is_decided:
        asking.hear_request(s, source, heartbeat)


def receive_ack(s: State, source: str, ack: HeartbeatAck) -> None:
    """The peer has received a heartbeat: no earlier one is missed any more."""
    watch = s.ack_watches.get(source)
    if watch is not None and ack.boot == s.journal.boot:
        s.ack_watches = with_entry(s.ack_watches, source, watch.acked(ack.sequence))
    asking.hear_ack(s, source, ack.record)


def follow(s: State) -> None:
    """Widen deadlines to what the node holds now, and forget who is no member any more.

    What a node only votes on, in a flush, others may have applied and decide at any moment.
    """
    votes_ms = [o.settings.deadline_ms for o in s.journal.opens if o.phase is Phase.RECEIVED]
    members = peers(s)
    watches = {
        p: w.holding(max((asking.held_deadline_ms(s, p), *votes_ms)))
        for p, w in s.watches.items()
        if p in members
    }
    if watches != s.watches:
        s.watches = frozen(watches)
    if any(p not in members for p in s.ack_watches):
        s.ack_watches = without(s.ack_watches, *(p for p in s.ack_watches if p not in members))


def _dues(s: State) -> Iterator[tuple[int, str]]:
    """Yield when each peer is suspected if nothing comes: by its heartbeats, and by its acks."""
    for peer in peers(s):
        if peer in s.watches:
            yield s.watches[peer].due_ms, peer
        threshold = asking.settings_towards(s, peer).heartbeat_ack_failure_threshold
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
