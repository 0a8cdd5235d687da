"""Cores that are wrong about views, on purpose: conformance must find each."""

from __future__ import annotations

import pytest

from samebeat import change, views
from samebeat.effects import Began
from samebeat.ids import ChangeId, is_quorum
from samebeat.journal import Ballot, Open, Phase
from samebeat.messages import Vote
from samebeat.parameters import Settings
from samebeat.state import State


def _vote_so(s: State, o: Open, ballot: Ballot) -> None:
    s.replace_open(o, ballot=ballot)
    s.say(Vote(o.id, ballot))


def ignores_its_promise(patch: pytest.MonkeyPatch) -> None:
    """It votes in a view although it has reported to a later one."""

    def vote_to_commit(s: State, o: Open) -> bool:
        waits = o.phase is Phase.APPLIED and s.operation is None and o.ballot is None
        if not waits or not change.all_applied(s, o):
            return False
        _vote_so(s, o, Ballot(o.home.id, True))
        return True

    patch.setattr(change, "vote_to_commit", vote_to_commit)


def begins_before_all_reports(patch: pytest.MonkeyPatch) -> None:
    """It goes on in a view as soon as it has reported to it."""

    def begin(s: State) -> bool:
        if s.view == s.promised:
            return False
        s.write(view=s.promised)
        s.tell(Began(s.view))
        return True

    patch.setattr(views, "begin", begin)


def votes_twice(patch: pytest.MonkeyPatch) -> None:
    """Having voted in a flush to undo, it votes there to commit."""
    right = views.vote_in_flush

    def vote_in_flush(s: State) -> bool:
        against = Ballot(s.view.id, False)
        for o in s.journal.opens:
            if o.ballot == against and o.home != s.view:
                _vote_so(s, o, Ballot(s.view.id, True))
                return True
        return right(s)

    patch.setattr(views, "vote_in_flush", vote_in_flush)


def counts_votes_of_different_views(patch: pytest.MonkeyPatch) -> None:
    """A quorum has voted so, each member in some view."""

    def is_outvoted(s: State, o: Open, commit: bool) -> bool:
        ballots = dict(s.heard.get(o.id, change.NOTHING).ballots)
        if o.ballot is not None:
            ballots[s.config.me] = o.ballot
        return is_quorum((m for m, b in ballots.items() if b.commit == commit), s.config.members)

    patch.setattr(change, "is_outvoted", is_outvoted)


def goes_on_without_adopting(patch: pytest.MonkeyPatch) -> None:
    """It does not learn what others have committed, and votes on it."""

    def learn_ahead(_s: State, _change: ChangeId | None, _settings: Settings) -> None:
        return

    patch.setattr(change, "learn_ahead", learn_ahead)


WRONG = (
    ignores_its_promise,
    begins_before_all_reports,
    votes_twice,
    counts_votes_of_different_views,
    goes_on_without_adopting,
)
