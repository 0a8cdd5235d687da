"""Cores that are wrong on purpose: each must be found by the simulator, and soon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest

from samebeat import change, operations
from samebeat.effects import Purpose, Send
from samebeat.ids import ChangeId
from samebeat.journal import Ballot, Open, Phase
from samebeat.messages import Ack, Committed, Ok, Request, Vote
from samebeat.node import Node
from samebeat.pair import Watch
from samebeat.parameters import Settings
from samebeat.state import State

Breaks = Callable[[pytest.MonkeyPatch], None]


def acks_before_journaling(patch: pytest.MonkeyPatch) -> None:
    """Everything is sent at once, whether the journal is durable or not."""

    def all_of_it(node: Node) -> tuple[Send, ...]:
        sends = tuple(send for _, send in node._waiting)
        node._waiting = ()
        return sends

    patch.setattr(Node, "data_to_send", all_of_it)


def counts_messages_not_senders(patch: pytest.MonkeyPatch) -> None:
    """So a repeated ack counts twice."""
    records = change.hear

    def hear(s: State, source: str, body: Ack) -> None:
        if isinstance(body, Ack | Ok):
            counted = vars(s).setdefault("counted", Counter())
            counted[body.change] += 1
        records(s, source, body)

    def all_acked(s: State, o: Open) -> bool:
        counted = vars(s).get("counted", {})
        return bool(counted.get(o.id, 0) >= len(o.home.members) - 1)

    patch.setattr(change, "hear", hear)
    patch.setattr(change, "all_acked", all_acked)


def decides_by_timeout(patch: pytest.MonkeyPatch) -> None:
    """Whoever has applied, and hears no more for two seconds, commits."""
    learns = change.learn_commit

    def learn_commit(s: State, o: Open) -> bool:
        waits = o.phase is Phase.APPLIED and s.operation is None and not s.is_behind
        if waits and s.now_ms > s.promised_ms + 2_000 and o.ballot is None:
            s.ahead = Committed(o.id, o.settings)
            return True
        return learns(s, o)

    patch.setattr(change, "learn_commit", learn_commit)


def undoes_to_the_first_value(patch: pytest.MonkeyPatch) -> None:
    """And not to the one before the change."""
    starts = operations.start

    def start(s: State, purpose: Purpose, settings: Settings, *rest: ChangeId) -> None:
        first = purpose in (Purpose.UNDO, Purpose.UNDO_LATE)
        starts(s, purpose, s.config.start if first else settings, *rest)

    patch.setattr(operations, "start", start)


def ignores_its_promise(patch: pytest.MonkeyPatch) -> None:
    """It acks and votes in a view although it has reported to a later one."""

    answers = change.receive_request

    def receive_request(s: State, source: str, request: Request) -> None:
        c = request.change
        known = s.journal.open_change(c) is not None or s.knows_undone(c)
        late = request.home == s.view != s.promised and s.config.me in s.view.members
        if late and not known and c.base == s.journal.epoch and not change.is_busy(s):
            change.open_change(s, request)
        else:
            answers(s, source, request)

    def vote_to_commit(s: State, o: Open) -> bool:
        waits = o.phase is Phase.APPLIED and s.operation is None and o.ballot is None
        if not waits or not change.all_applied(s, o):
            return False
        ballot = Ballot(o.home.id, True)
        s.replace_open(o, ballot=ballot)
        s.say(Vote(o.id, ballot))
        return True

    patch.setattr(change, "receive_request", receive_request)
    patch.setattr(change, "vote_to_commit", vote_to_commit)


def follows_no_envelope(patch: pytest.MonkeyPatch) -> None:
    """Deadlines are what is held, at once (note C1)."""

    def holding(watch: Watch, held_ms: Fraction) -> Watch:
        return Watch(watch.newest, watch.heard_ms, held_ms)

    patch.setattr(Watch, "holding", holding)


def forgets_to_adopt(patch: pytest.MonkeyPatch) -> None:
    """It takes over what others have committed, and installs nothing."""

    def commit(s: State) -> bool:
        if s.ahead is None or not s.is_behind or s.operation is not None:
            return False
        operations.keep(s, s.ahead)
        return True

    patch.setattr(change, "commit", commit)


def commits_on_its_own_vote(patch: pytest.MonkeyPatch) -> None:
    """No quorum is needed (the held round is skipped)."""

    def is_outvoted(s: State, o: Open, commit: bool) -> bool:
        return o.ballot is not None and o.ballot.commit == commit

    patch.setattr(change, "is_outvoted", is_outvoted)


def repeats_nothing(patch: pytest.MonkeyPatch) -> None:
    """So what is lost is lost."""
    patch.setattr(change, "repeated", lambda s: iter(()))
