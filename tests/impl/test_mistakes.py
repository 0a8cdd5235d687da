"""What some mistake in the core would change and nothing else here would notice.

Each of these tests was written for a mutant that had survived (`make mutants`).
"""

from __future__ import annotations

import msgspec
import pytest

from samebeat.change import is_to_be_undone
from samebeat.codec import MAX_BYTES, VERSION, ProtocolError, decode, encode
from samebeat.config import Config, Transport
from samebeat.effects import Persist
from samebeat.ids import MAX_MEMBERS, ChangeId, View, ViewId
from samebeat.journal import Ballot, Mark, Open, Phase, Report, covers
from samebeat.messages import (
    Ack,
    AnyBody,
    Committed,
    Failure,
    Heartbeat,
    HeartbeatAck,
    Message,
    Ok,
    Request,
    Told,
    Vote,
)
from samebeat.node import Node
from samebeat.parameters import Assumptions, Settings

from .net import Net
from .test_views import CHANGE, HOME, MEMBERS, NOW, SLOW, Spoken, report

VIEW = View(ViewId(1, "b"), MEMBERS)


def said(node: Node) -> list[AnyBody]:
    """Let the journal be durable, and return what the node says then."""
    for event in node.events():
        if isinstance(event, Persist):
            node.persisted(event.number)
    return [decode(s.data).body for s in node.data_to_send()]


def give(node: Node, source: str, body: AnyBody, epoch: int = 0) -> list[AnyBody]:
    """A member says something; return what the node says. Operations go on."""
    node.receive(encode(Message(VERSION, "test", HOME.id, epoch, body)), source, NOW)
    return said(node)


# --- one change ------------------------------------------------------------------------------


def test_a_late_vote_does_not_replace_a_later_one() -> None:
    """Note C5: of each member the latest vote counts, whenever it comes."""
    a = Spoken()
    late, later = Ballot(ViewId(1, "b"), False), Ballot(ViewId(2, "b"), True)
    a.hear("b", Vote(CHANGE, later), Vote(CHANGE, late))
    assert a.node.state.heard[CHANGE].ballots == {"b": later}
    a.hear("b", Vote(CHANGE, Ballot(later.view, False)))
    assert a.node.state.heard[CHANGE].ballots == {"b": later}, "a vote is not taken back"


def test_a_change_that_is_asked_for_after_a_restart_has_an_id_of_its_own() -> None:
    """Note C5."""
    net = Net(1)
    net.settle()
    first = net.ask("a")
    net.run_to_the_end()
    net.crash("a")
    net.restart("a")
    net.settle()
    second = net.ask("a", heartbeat_interval=3_000)
    assert [first, second] == [ChangeId(0, "a", 1, 1), ChangeId(1, "a", 2, 1)]


def test_who_asks_anew_has_decided_what_it_has_asked_for_before() -> None:
    """Note C6: of the changes from one epoch all but its newest are undone."""
    a = Spoken()
    a.hear("b", Request(msgspec.structs.replace(CHANGE, sequence=3), HOME, SLOW))
    assert a.node.journal.undone == (Mark("b", 1, 2),)


@pytest.mark.parametrize(
    ("boot", "sequence", "covered"),
    [(1, 2, True), (1, 3, True), (1, 4, False), (0, 9, True), (2, 1, False)],
)
def test_a_mark_covers_what_its_initiator_has_asked_for_up_to_it(
    boot: int, sequence: int, covered: bool
) -> None:
    """Note C6."""
    assert covers((Mark("b", 1, 3),), ChangeId(0, "b", boot, sequence)) is covered


def test_a_commit_ends_what_is_known_of_the_epoch_before() -> None:
    """Note C6: marks and what was heard are about changes from the present epoch."""
    a = Spoken()
    a.hear("b", Request(msgspec.structs.replace(CHANGE, sequence=3), HOME, SLOW))
    a.hear("c", Committed(ChangeId(0, "c", 1, 1), SLOW))
    assert a.node.journal.epoch == 1
    assert (a.node.journal.undone, a.node.journal.opens) == ((), ())
    assert dict(a.node.state.heard) == {}


def test_a_member_does_not_apply_what_does_not_suit_what_it_assumes() -> None:
    """Claims 1(d) and 3.combinations: that is a failed status."""
    config = Config(
        "test",
        "a",
        MEMBERS,
        assumed=Assumptions(delay_ms=200),
        transport=Transport.DATAGRAMS,
    )
    node = Node.first_start(config, NOW)
    node.apply_finished(node.state.token, True, NOW)
    said(node)
    give(node, "b", Request(CHANGE, HOME, Settings(message_retry_timer=300)))
    give(node, "b", Ack(CHANGE))
    assert give(node, "c", Ack(CHANGE)) == [Failure(CHANGE)]
    assert node.state.operation is None


def test_word_of_an_earlier_commit_does_not_replace_word_of_a_later_one() -> None:
    """Note C5: while a node adopts one commit it hears of one before."""
    a = Spoken()
    later, earlier = ChangeId(2, "b", 1, 3), ChangeId(1, "b", 1, 2)
    give(a.node, "b", Committed(later, SLOW))
    give(a.node, "c", Committed(earlier, Settings(heartbeat_interval=500)))
    give(a.node, "c", Committed(ChangeId(2, "c", 1, 1), Settings(heartbeat_interval=500)))
    operation = a.node.state.operation
    assert operation is not None
    a.node.apply_finished(operation.token, True, NOW)
    assert (a.node.journal.epoch, a.node.journal.last) == (3, later)


def test_status_and_vote_are_said_again_until_the_change_is_decided() -> None:
    """Claims 1(d) and 6, note C5."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ok(CHANGE))
    a.hear("c", Ok(CHANGE))
    a.node.on_timer(NOW + 500)
    again = said(a.node)
    assert Ok(CHANGE) in again
    assert Vote(CHANGE, Ballot(HOME.id, True)) in again


# --- who takes part --------------------------------------------------------------------------


def test_who_has_taken_itself_out_writes_and_remembers_nothing_any_more() -> None:
    """Note C7."""
    node = Node.first_start(Config("test", "a", MEMBERS, transport=Transport.DATAGRAMS), NOW)
    node.apply_finished(node.state.token, False, NOW)
    said(node)
    before = node.state
    assert before.journal.out
    for body in (Request(CHANGE, HOME, SLOW), Ack(CHANGE), Heartbeat(1, 1, None)):
        node.receive(encode(Message(VERSION, "test", HOME.id, 0, body)), "b", NOW)
        node.on_timer(NOW)
        assert node.events() == ()
    assert node.state == before


def test_who_starts_sends_heartbeats_only_when_it_has_what_others_have() -> None:
    """Note C5: the rejoin comes first."""
    node = Node.first_start(Config("test", "a", MEMBERS, transport=Transport.DATAGRAMS), NOW)
    node.on_timer(NOW)
    assert said(node) == [], "it restores its settings"
    give(node, "b", Committed(CHANGE, SLOW))
    node.apply_finished(node.state.token, True, NOW)
    node.on_timer(NOW)
    assert said(node) == [], "it adopts what others have committed"
    node.apply_finished(node.state.token, True, NOW)
    node.on_timer(NOW)
    assert said(node) == [Heartbeat(1, 1, CHANGE)]


def test_a_majority_of_a_view_is_no_quorum() -> None:
    """Note C5: more than half of those that are configured decide."""
    a = Spoken(("a", "b", "c", "d", "e"))
    view = View(ViewId(1, "b"), ("a", "b", "c"))
    a.hear("b", report(view))
    a.hear("c", report(view))
    change, commit = ChangeId(0, "b", 1, 1), Ballot(view.id, True)
    a.hear("b", Request(change, view, SLOW), Vote(change, commit))
    a.hear("c", Vote(change, commit))
    assert a.node.journal.epoch == 0
    a.hear("d", Vote(change, commit))
    assert a.node.journal.epoch == 1


def test_a_report_has_what_was_committed_last() -> None:
    """Note C5: whoever is behind adopts it from there."""
    a = Spoken()
    a.hear("b", Committed(CHANGE, SLOW))
    (told,) = [b for b in a.hear("b", report(VIEW)) if isinstance(b, Told) and b.wants]
    assert told.report == Report(VIEW, 1, CHANGE, SLOW)


def test_the_first_report_of_a_member_to_a_view_stands() -> None:
    """Note C5: a report is a promise, and others may have voted on it."""
    a = Spoken()
    a.hear("b", report(VIEW), report(VIEW, Open(CHANGE, HOME, SLOW, Phase.APPLIED)))
    assert a.node.state.reports["b"] == report(VIEW).report


def test_reports_to_two_proposals_of_one_number_are_told_apart() -> None:
    """Note C5: the proposer is part of a view's id."""
    a = Spoken()
    a.hear("c", report(View(ViewId(1, "c"), MEMBERS)))
    answers = a.hear("b", report(VIEW))
    assert set(a.node.state.reports) == {"a", "c"}
    assert {b.report.view.id for b in answers if isinstance(b, Told)} == {ViewId(1, "c")}


def test_who_speaks_in_an_earlier_view_is_told_of_the_present_one_and_asked_for_nothing() -> None:
    """Note C5."""
    a = Spoken()
    a.hear("b", report(VIEW))
    assert a.hear("c", Ack(CHANGE)) == [Told(a.node.journal.promise, wants=False)]


def test_a_quorum_with_a_stranger_is_no_view() -> None:
    """Note C5: nobody waits for the report of somebody who is not configured."""
    a = Spoken()
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b", "x"))))
    assert a.node.journal.promise.view == HOME


def test_a_change_of_the_view_itself_is_not_flushed() -> None:
    """Note C5: what was reported was open before, so its home is an earlier view."""
    a = Spoken()
    a.hear("b", report(VIEW, Open(CHANGE, VIEW, SLOW, Phase.APPLIED)))
    a.hear("c", report(VIEW))
    assert a.node.view == VIEW
    assert a.node.journal.opens == ()


def test_times_of_one_millisecond_are_allowed() -> None:
    """The shortest there are."""
    config = Config("test", "a", MEMBERS, watchdog_ms=1, view_timeout_ms=1, stagger_ms=1)
    assert config.stagger_ms == 1


# --- heartbeats ------------------------------------------------------------------------------


def test_a_member_is_watched_from_a_heartbeat_on_that_states_what_is_held() -> None:
    """Notes C1 and C5: what it has decided is applied here, and nothing else is."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ok(CHANGE))
    a.hear("c", Ack(CHANGE))
    assert a.node.journal.held[1] == CHANGE
    a.hear("c", Heartbeat(1, 1, ChangeId(0, "c", 1, 1)), epoch=1)
    assert set(a.node.state.watches) == set()
    a.hear("b", Heartbeat(1, 1, CHANGE), epoch=1)
    assert set(a.node.state.watches) == {"b"}


def test_acks_of_who_was_left_behind_are_not_waited_for() -> None:
    """Note C5: nor do they count when it comes back."""
    a = Spoken()
    a.node.on_timer(NOW)
    assert set(a.node.state.ack_watches) == {"b", "c"}
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b"))))
    assert set(a.node.state.ack_watches) == {"b"}


def test_an_ack_from_before_a_restart_settles_nothing() -> None:
    """Claim 19.preamble: it is about another heartbeat with the same number."""
    a = Spoken()
    a.node.on_timer(NOW)
    a.hear("b", HeartbeatAck(2, 1), HeartbeatAck(0, 1))
    assert [number for number, _ in a.node.state.ack_watches["b"].waiting] == [1]
    a.hear("b", HeartbeatAck(1, 1))
    assert not a.node.state.ack_watches["b"].waiting


def test_who_was_left_behind_gets_no_ack_and_is_not_watched() -> None:
    """Note C5: so it notices."""
    a = Spoken()
    pair = View(ViewId(1, "b"), ("a", "b"))
    a.hear("b", report(pair))
    assert a.node.view == pair
    answers = a.hear("c", Heartbeat(1, 1, None), view=1)
    assert not any(isinstance(body, HeartbeatAck) for body in answers)
    assert "c" not in a.node.state.watches
    assert HeartbeatAck(1, 1) in a.hear("b", Heartbeat(1, 1, None), view=1)


# --- bytes -----------------------------------------------------------------------------------


def test_bytes_are_too_long_by_one_and_not_before() -> None:
    with pytest.raises(ProtocolError, match="16385 bytes are too long for a message"):
        decode(bytes(MAX_BYTES + 1))
    with pytest.raises(ProtocolError, match=r"^(?!.*too long)"):
        decode(bytes(MAX_BYTES))


@pytest.mark.parametrize(("length", "fits"), [(1, True), (32, True), (33, False)])
def test_a_name_has_at_most_32_letters(length: int, fits: bool) -> None:
    data = msgspec.msgpack.encode([1, "a" * length, [0, "a"], 0, ["join"]])
    if fits:
        assert decode(data).cluster == "a" * length
    else:
        with pytest.raises(ProtocolError, match="<= 32"):
            decode(data)


@pytest.mark.parametrize(("number", "fits"), [(MAX_MEMBERS, True), (MAX_MEMBERS + 1, False)])
def test_a_report_has_at_most_as_many_changes_and_marks_as_there_are_members(
    number: int, fits: bool
) -> None:
    opens = tuple(Open(CHANGE, HOME, SLOW, Phase.ACKED) for _ in range(number))
    marks = tuple(Mark("b", 1, 1) for _ in range(number))
    for told in (
        Report(HOME, 0, None, SLOW, opens),
        Report(HOME, 0, None, SLOW, (), marks),
        Report(View(HOME.id, tuple(f"n{i:02}" for i in range(number))), 0, None, SLOW),
    ):
        data = encode(Message(VERSION, "test", HOME.id, 0, Told(told, True)))
        if fits:
            assert decode(data).body == Told(told, True)
        else:
            with pytest.raises(ProtocolError, match="<= 16"):
                decode(data)


def test_a_reason_is_one_short_line_whatever_it_quotes() -> None:
    """It goes into a log, and may quote what a stranger has sent."""
    data = msgspec.msgpack.encode([1, "test", [0, "a"], 0, ["le\nave" + "x" * 2_000]])
    with pytest.raises(ProtocolError, match=r"^Invalid value 'le\?avex+$") as caught:
        decode(data)
    assert len(str(caught.value)) == 200


# --- numbers that are used up ----------------------------------------------------------------


def test_a_change_that_leads_past_the_last_epoch_is_no_message() -> None:
    """Otherwise a node would write down an epoch that it could not read again."""
    last = ChangeId(2**53 - 1, "b", 1, 1)
    a = Spoken()
    a.hear("b", Committed(last, SLOW))
    assert a.node.journal.epoch == 2**53
    assert Node.restart(a.config, _journal(a.node), NOW).journal.epoch == 2**53
    for wrong in (msgspec.structs.replace(last, base=2**53), ChangeId(0, "b", 1, 0)):
        with pytest.raises(ProtocolError):
            decode(encode(Message(VERSION, "test", HOME.id, 0, Ack(wrong))))


def _journal(node: Node) -> bytes:
    from samebeat.journal import write

    return write(node.journal)


def test_who_has_seen_the_last_view_proposes_none() -> None:
    """Note C5: `c` does not report, so `a` would go on without it."""
    for seen, expected in ((1, 2), (7, 8), (2**53 - 1, 2**53), (2**53, 1)):
        a = Spoken()
        a.hear("b", report(View(ViewId(1, "b"), MEMBERS)))
        a.hear("b", Ack(CHANGE), view=seen)
        a.node.on_timer(NOW + 1_000_000)
        assert a.node.journal.promise.view.id.number == expected
        due_ms = a.node.next_timer()
        assert due_ms is not None
        assert due_ms > NOW + 1_000_000, "a host does not call the timer without end"


def test_changes_of_strangers_in_reports_leave_nothing_behind() -> None:
    """Note C5: a member that lies could fill the journal with marks, until it is too large."""
    a = Spoken()
    for number in range(1, 9):
        names = [f"x{number}{i}" for i in range(9)]
        changes = [ChangeId(0, name, 1, 1) for name in names]
        opens = tuple(Open(c, HOME, SLOW, Phase.ACKED) for c in changes)
        marks = tuple(Mark(name, 1, 1) for name in names)
        first, second = (View(ViewId(2 * number + i, "b"), ("a", "b")) for i in range(2))
        a.hear("b", report(first, *opens))
        a.hear("b", report(second, undone=marks))
        assert a.node.view == second
    assert a.node.journal.opens == ()
    assert a.node.journal.undone == ()


@pytest.mark.parametrize(("epoch", "undone"), [(0, True), (1, False)])
def test_a_report_undoes_a_change_if_it_is_of_the_epoch_from_which_that_starts(
    epoch: int, undone: bool
) -> None:
    """Claim 1(e), note C5: marks are about changes from the epoch of the report."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    state, (opened,) = a.node.state, a.node.journal.opens
    marked = (Mark(CHANGE.initiator, CHANGE.boot, CHANGE.sequence),)
    first = a.node.journal.promise
    state.reports = {"b": msgspec.structs.replace(first, epoch=epoch, undone=marked)}
    assert is_to_be_undone(state, opened) == undone
