"""One core, spoken to by hand: reports, the flush, what is held back, what is remembered (C5).

The change layer alone, on bare datagrams: see ``test_channel_takes`` for what is below it.
"""

from __future__ import annotations

import pytest

from samebeat.codec import VERSION, decode, encode
from samebeat.config import Config, Transport
from samebeat.effects import Decided, Install, Outcome, Persist, Rejected
from samebeat.ids import MAX_MEMBERS, ChangeId, View, ViewId
from samebeat.journal import Ballot, Mark, Open, Phase, Report
from samebeat.messages import (
    Ack,
    AnyBody,
    Closed,
    Committed,
    Heartbeat,
    Message,
    Ok,
    Request,
    Told,
    Vote,
)
from samebeat.node import Node
from samebeat.parameters import Settings

NOW = 1_000
MEMBERS = ("a", "b", "c")
HOME = View(ViewId(0, "a"), MEMBERS)
CHANGE = ChangeId(0, "b", 1, 1)
SLOW = Settings(heartbeat_interval=2_000)


class Spoken:
    """The core of `a`, whose journal is durable at once, and what it has said and asked for."""

    def __init__(self, members: tuple[str, ...] = MEMBERS) -> None:
        self.config = Config("test", "a", members, transport=Transport.DATAGRAMS)
        self.node = Node.first_start(self.config, NOW)
        self.said: list[AnyBody] = []
        self.told: list[object] = []
        self.carry_out()

    def carry_out(self) -> None:
        """Do what the core asks for; every local operation succeeds."""
        events = self.node.events()
        while events:
            self.told += events
            for event in events:
                if isinstance(event, Persist):
                    self.node.persisted(event.number)
                if isinstance(event, Install):
                    self.node.apply_finished(event.token, True, NOW)
            events = self.node.events()
        self.said += [decode(s.data).body for s in self.node.data_to_send()]

    def hear(self, source: str, *bodies: AnyBody, epoch: int = 0, view: int = 0) -> list[AnyBody]:
        """A member says something; return what the core answers."""
        self.said = []
        for body in bodies:
            message = Message(VERSION, "test", ViewId(view, "a"), epoch, body)
            self.node.receive(encode(message), source, NOW)
            self.carry_out()
        return self.said


def report(view: View, *opens: Open, undone: tuple[Mark, ...] = ()) -> Told:
    """A report from epoch 0."""
    return Told(Report(view, 0, None, Settings(), opens, undone), wants=False)


def opened(ballot: Ballot | None) -> Open:
    """The change as a member has it that has applied it."""
    return Open(CHANGE, HOME, SLOW, Phase.APPLIED, ballot)


@pytest.mark.parametrize("latest_commits", [True, False])
def test_of_the_votes_in_the_reports_the_latest_counts(latest_commits: bool) -> None:
    """Note C5: two views in a row, of which the first has voted otherwise than the home view."""
    a = Spoken()
    view = View(ViewId(3, "b"), MEMBERS)
    earlier, later = (
        Ballot(ViewId(1, "c"), not latest_commits),
        Ballot(ViewId(2, "b"), latest_commits),
    )
    for first, second in ((earlier, later), (later, earlier)):
        a = Spoken()
        a.hear("b", report(view, opened(first)))
        said = a.hear("c", report(view, opened(second)))
        assert Vote(CHANGE, Ballot(view.id, latest_commits)) in said


def test_what_nobody_has_voted_on_is_undone_in_a_flush() -> None:
    """Note C5."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view, opened(None)))
    assert Vote(CHANGE, Ballot(view.id, False)) in a.hear("c", report(view))


def test_what_a_report_calls_undone_is_not_voted_on() -> None:
    """Note C6."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view, opened(Ballot(HOME.id, True))))
    said = a.hear("c", report(view, undone=(Mark("b", 1, 1),)))
    assert not any(isinstance(body, Vote) for body in said)
    assert a.node.is_quiet


def test_a_view_begins_only_with_every_report() -> None:
    """Note C5."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view))
    assert (a.node.view, a.node.journal.promise.view) == (HOME, view)
    a.hear("c", report(view))
    assert a.node.view == view


def test_votes_of_different_views_do_not_add_up() -> None:
    """Note C5: only a quorum in one view decides."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view, opened(Ballot(HOME.id, True))))
    a.hear("c", report(view))
    a.hear("b", Vote(CHANGE, Ballot(HOME.id, True)))
    assert a.node.journal.epoch == 0
    a.hear("b", Vote(CHANGE, Ballot(view.id, True)))
    assert a.node.journal.epoch == 1
    assert Decided(CHANGE, Outcome.COMMITTED) in a.told


def in_a_later_view(view: View) -> Spoken:
    """The core of `a`, for which a view of all has begun."""
    a = Spoken()
    a.hear("b", report(view))
    a.hear("c", report(view))
    assert a.node.view == view
    return a


def test_a_request_for_a_view_that_was_left_is_turned_down_and_that_is_remembered() -> None:
    """Note C6: nobody will ever ack it there, and who has asked must not wait for ever."""
    a = in_a_later_view(View(ViewId(1, "b"), MEMBERS))
    assert Closed(CHANGE) in a.hear("b", Request(CHANGE, HOME, SLOW))
    assert a.node.journal.undone == (Mark("b", 1, 1),)
    assert Closed(CHANGE) in a.hear("b", Request(CHANGE, HOME, SLOW))


@pytest.mark.parametrize("members", [("b", "c"), ("a", "c")], ids=["not mine", "not its own"])
def test_a_request_for_a_view_of_others_is_none_to_answer(members: tuple[str, ...]) -> None:
    """Note C6: only who was to take part may close a change."""
    a = in_a_later_view(View(ViewId(2, "b"), MEMBERS))
    said = a.hear("b", Request(CHANGE, View(ViewId(1, "b"), members), SLOW))
    assert not any(isinstance(body, Ack | Closed) for body in said)
    assert a.node.journal.undone == ()


def test_a_late_request_for_what_is_open_or_outdated_is_not_turned_down() -> None:
    """Note C6: who has acked it, or has committed another one since, has answered."""
    view = View(ViewId(1, "b"), MEMBERS)
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), report(view, Open(CHANGE, HOME, SLOW, Phase.ACKED)))
    assert Closed(CHANGE) not in a.hear("c", report(view), Request(CHANGE, HOME, SLOW))
    assert a.node.view == view

    a = in_a_later_view(view)
    a.hear("c", Committed(ChangeId(0, "c", 1, 1), SLOW))
    said = a.hear("b", Request(CHANGE, HOME, SLOW))
    assert Closed(CHANGE) not in said
    assert Committed(ChangeId(0, "c", 1, 1), SLOW) in said


def test_who_has_promised_a_later_view_neither_acks_nor_votes_in_an_earlier_one() -> None:
    """Note C5: the report is a promise."""
    view = View(ViewId(1, "b"), MEMBERS)
    a = Spoken()
    a.hear("b", report(view))
    said = a.hear("b", Request(CHANGE, HOME, SLOW))
    assert not any(isinstance(body, Ack | Closed) for body in said)
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ack(CHANGE))
    a.hear("c", Ack(CHANGE))
    a.hear("c", report(view))
    said = a.hear("b", Ok(CHANGE)) + a.hear("c", Ok(CHANGE))
    assert not any(isinstance(body, Vote) for body in said)


def test_a_report_has_what_is_open_and_what_is_undone() -> None:
    """Note C5."""
    a = Spoken()
    a.hear("c", Request(ChangeId(0, "c", 1, 1), HOME, SLOW))
    a.hear("b", Closed(ChangeId(0, "c", 1, 1)))
    a.hear("b", Request(CHANGE, HOME, SLOW))
    told = [b for b in a.hear("b", report(View(ViewId(1, "b"), MEMBERS))) if isinstance(b, Told)]
    assert [o.id for o in told[0].report.opens] == [CHANGE]
    assert Mark("c", 1, 1) in told[0].report.undone
    assert a.node.journal.promise == told[0].report


def test_a_proposal_has_a_higher_number_than_any_view_that_was_seen() -> None:
    """Note C5: a view id is used once."""
    a = Spoken()
    a.hear("b", Heartbeat(1, 1, None), view=7)
    a.hear("c", Heartbeat(1, 1, None))
    later = Message(VERSION, "test", HOME.id, 0, Heartbeat(1, 2, None))
    a.node.receive(encode(later), "b", NOW + 5_000)
    a.node.on_timer(NOW + 6_001)
    assert a.node.journal.promise.view == View(ViewId(8, "a"), ("a", "b"))


def test_a_view_of_a_minority_or_of_strangers_is_none() -> None:
    """Note C5: views are quorums of the configured members."""
    a = Spoken((*MEMBERS, "d", "e"))
    for members in (("a", "b"), ("a", "b", "x"), ("b", "a", "c"), ("a", "b", "b", "c")):
        a.hear("b", report(View(ViewId(1, "b"), members)))
        assert a.node.journal.promise.view.id.number == 0
    a.hear("c", report(View(ViewId(1, "b"), ("a", "b", "d"))))
    assert a.node.journal.promise.view.id.number == 0


def test_a_report_is_the_same_each_time_it_is_told() -> None:
    """Note C5: also when the member has learnt more since."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    first = a.hear("b", report(view))
    a.hear("c", Committed(CHANGE, SLOW), epoch=1)
    assert a.node.journal.epoch == 1
    again = a.hear("b", Told(report(view).report, wants=True))
    told = [body.report for body in first + again if isinstance(body, Told)]
    assert len(told) == 2
    assert told[0] == told[1]


def test_nothing_is_sent_before_the_journal_that_it_rests_on_is_durable() -> None:
    """Note C5: the journal goes first."""
    a = Spoken()
    a.node.receive(
        encode(Message(VERSION, "test", HOME.id, 0, Request(CHANGE, HOME, SLOW))), "b", NOW
    )
    assert a.node.data_to_send() == ()
    persist = a.node.events()[0]
    assert isinstance(persist, Persist)
    assert a.node.data_to_send() == ()
    a.node.persisted(persist.number)
    assert [decode(s.data).body for s in a.node.data_to_send()] == [Ack(CHANGE)]


def test_late_and_repeated_messages_change_nothing() -> None:
    """Claim 6: what a core knows already is a stuttering step."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ack(CHANGE))
    before = a.node.state
    assert a.hear("b", Request(CHANGE, HOME, SLOW), Ack(CHANGE)) == []
    assert a.node.state == before
    a.hear("c", Closed(CHANGE))
    closed = a.node.journal
    assert a.hear("b", Request(CHANGE, HOME, SLOW), Ok(CHANGE)) == [Closed(CHANGE)] * 2
    assert a.node.journal == closed


@pytest.mark.parametrize("data", [b"", b"\x00", b"garbage", bytes(100_000)])
def test_garbage_is_an_event_and_nothing_else(data: bytes) -> None:
    a = Spoken()
    before = a.node.state
    a.node.receive(data, "b", NOW)
    (event,) = a.node.events()
    assert isinstance(event, Rejected)
    assert a.node.state == before


@pytest.mark.parametrize(("source", "cluster"), [("b", "other"), ("x", "test"), ("a", "test")])
def test_messages_of_other_clusters_and_strangers_are_rejected(source: str, cluster: str) -> None:
    a = Spoken()
    before = a.node.state
    message = Message(VERSION, cluster, HOME.id, 0, Request(CHANGE, HOME, SLOW))
    a.node.receive(encode(message), source, NOW)
    assert [type(e) for e in a.node.events()] == [Rejected]
    assert a.node.state == before


def test_what_is_remembered_of_changes_that_others_talk_about_is_bounded() -> None:
    """Whatever arrives: one change of each initiator, beside those that are open."""
    a = Spoken()
    for sequence in range(300):
        for initiator in ("a", "b", "c", "x"):
            change = ChangeId(sequence % 7, initiator, 1, sequence)
            a.hear("b", Ack(change), Ok(change), Vote(change, Ballot(ViewId(sequence, "b"), True)))
    assert len(a.node.state.heard) <= len(MEMBERS)
    assert len(a.node.journal.opens) <= MAX_MEMBERS


def test_a_heartbeat_confirms_by_the_change_and_not_by_the_epoch_alone() -> None:
    """Notes C1 and C5: another change from the same epoch may have been committed elsewhere."""
    a = Spoken()
    a.hear("b", Heartbeat(1, 1, None))
    a.hear("b", Request(CHANGE, HOME, Settings(heartbeat_interval=500)), Ack(CHANGE))
    a.hear("c", Ack(CHANGE))
    assert a.node.journal.held[1] == CHANGE
    a.hear("b", Heartbeat(1, 2, ChangeId(0, "c", 1, 1)), epoch=1)
    assert a.node.state.watches["b"].deadline_ms == 6_000
    a.hear("b", Heartbeat(1, 3, CHANGE), epoch=1)
    assert a.node.state.watches["b"].deadline_ms == 3_000


def test_what_is_only_voted_on_widens_deadlines_too() -> None:
    """Notes C1 and C5: others may have applied it, and commit at any moment."""
    a = Spoken()
    a.hear("b", Heartbeat(1, 1, None))
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view, opened(None)))
    a.hear("c", report(view))
    assert a.node.state.watches["b"].deadline_ms == 12_000


def test_nobody_is_watched_before_the_view_has_begun() -> None:
    """Note C5."""
    a = Spoken()
    view = View(ViewId(1, "b"), MEMBERS)
    a.hear("b", report(view), Heartbeat(1, 1, None))
    assert "b" not in a.node.state.watches
    a.hear("c", report(view))
    a.hear("b", Heartbeat(1, 2, None))
    assert "b" in a.node.state.watches


def test_a_snapshot_does_not_follow_its_original() -> None:
    a = Spoken()
    snapshot, before = a.node.copy(), a.node.state
    a.hear("b", Request(CHANGE, HOME, SLOW), Ack(CHANGE))
    assert snapshot.state == before
    assert snapshot.state != a.node.state
