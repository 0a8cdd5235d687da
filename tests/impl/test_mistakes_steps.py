"""Steps of one core that nothing else here looks at, one change or one operation at a time.

Each of these tests was written for generated mutants that had survived (`make mutants`).
"""

from __future__ import annotations

import msgspec
import pytest

from samebeat.config import Config, Transport
from samebeat.effects import Decided, Event, Install, Outcome, Persist, Purpose, TookItselfOut
from samebeat.ids import LARGEST, MAX_MEMBERS, ChangeId, View, ViewId
from samebeat.journal import Ballot, Mark, Open, Phase, marked, read, write
from samebeat.messages import Ack, Closed, Committed, Ok, Request, Vote
from samebeat.node import Node, Refused
from samebeat.parameters import Settings

from .test_mistakes import give
from .test_views import CHANGE, HOME, MEMBERS, NOW, SLOW, Spoken, in_a_later_view, report

VIEW = View(ViewId(1, "b"), MEMBERS)
RIVAL = ChangeId(0, "c", 1, 1)
FAST = Settings(heartbeat_interval=500)


def applied() -> Spoken:
    """The core of `a`, which has applied the change of `b`; `b` has, too."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ok(CHANGE))
    a.hear("c", Ack(CHANGE))
    assert a.node.journal.held[1] == CHANGE
    return a


def told(node: Node) -> list[Event]:
    """What the host is told, with the journal made durable."""
    events = node.events()
    for event in events:
        if isinstance(event, Persist):
            node.persisted(event.number)
    return [e for e in events if not isinstance(e, Persist)]


# --- asking and taking part ------------------------------------------------------------------


def test_who_was_left_behind_or_waits_for_a_view_asks_for_no_change() -> None:
    """Note C5: its view is over, or has not begun."""
    for view in (View(ViewId(1, "b"), ("b", "c")), VIEW):
        a = Spoken()
        a.hear("b", report(view))
        with pytest.raises(Refused, match="in no view that has begun"):
            a.node.request_change({"heartbeat_interval": 2_000}, NOW)


def test_after_the_last_epoch_there_is_no_change() -> None:
    """Property bounded_memory: the next epoch would be one that no journal may have."""
    a = Spoken()
    a.hear("b", Committed(ChangeId(LARGEST - 1, "b", 1, 1), SLOW))
    assert a.node.journal.epoch == LARGEST
    with pytest.raises(Refused, match="no epoch is left"):
        a.node.request_change({"heartbeat_interval": 3_000}, NOW)


def test_a_request_for_a_view_of_just_the_two_that_was_left_is_turned_down() -> None:
    """Note C6: the node was to take part, and nobody will ever ack it there."""
    a = in_a_later_view(View(ViewId(2, "b"), MEMBERS))
    late = Request(CHANGE, View(ViewId(1, "b"), ("a", "b")), SLOW)
    assert Closed(CHANGE) in a.hear("b", late)


def test_a_change_is_undone_when_its_initiator_has_asked_for_another_since() -> None:
    """Note C6: so it has decided the one before."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    a.hear("b", Request(msgspec.structs.replace(CHANGE, sequence=2), HOME, SLOW))
    assert a.node.journal.opens == ()
    assert Decided(CHANGE, Outcome.UNDONE) in a.told


def test_a_mark_of_one_initiator_is_not_replaced_by_one_of_another_nor_by_an_earlier_one() -> None:
    """Note C6."""
    assert marked((Mark("a", 2, 1),), Mark("b", 1, 1)) == (Mark("a", 2, 1), Mark("b", 1, 1))
    assert marked((Mark("b", 1, 3),), Mark("b", 1, 2)) == (Mark("b", 1, 3),)


@pytest.mark.parametrize(("base", "outcome"), [(0, Outcome.UNDONE), (1, Outcome.PASSED)])
def test_what_is_open_is_undone_if_another_change_from_its_epoch_is_committed(
    base: int, outcome: Outcome
) -> None:
    """Note C5: after a later one it is not known here how it has ended."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    a.hear("c", Committed(msgspec.structs.replace(RIVAL, base=base), FAST))
    assert Decided(CHANGE, outcome) in a.told
    assert a.node.journal.settings == FAST


def full() -> Spoken:
    """The core of `a` in a view whose reports have more open changes than a journal can hold."""
    opens = [
        Open(ChangeId(0, "b", 1, n), HOME, SLOW, Phase.ACKED) for n in range(1, MAX_MEMBERS + 1)
    ]
    a = Spoken()
    a.hear("b", report(VIEW, *opens))
    a.hear("c", report(VIEW, Open(RIVAL, HOME, SLOW, Phase.ACKED)))
    return a


def test_a_flush_takes_no_more_changes_than_a_journal_can_hold() -> None:
    """Property bounded_memory: and the journal can be read again."""
    a = full()
    assert len(a.node.journal.opens) == MAX_MEMBERS
    assert read(write(a.node.journal)) == a.node.journal


def test_when_one_is_undone_the_flush_takes_the_next_at_once() -> None:
    """Note C5: what waits for room does not wait for another message."""
    a = full()
    said = a.hear("b", Closed(ChangeId(0, "b", 1, 1)))
    assert Vote(RIVAL, Ballot(VIEW.id, False)) in said
    assert RIVAL in {o.id for o in a.node.journal.opens}


def test_who_holds_what_is_committed_installs_nothing_more() -> None:
    """Note C5: it was applied before, and is in effect."""
    a = applied()
    a.told = []
    a.hear("c", Ok(CHANGE), Vote(CHANGE, Ballot(HOME.id, True)))
    a.hear("b", Vote(CHANGE, Ballot(HOME.id, True)))
    assert a.node.journal.last == CHANGE
    assert Decided(CHANGE, Outcome.COMMITTED) in a.told
    assert not any(isinstance(event, Install) for event in a.told)


# --- operations ------------------------------------------------------------------------------


def test_a_change_is_not_undone_while_another_is_adopted() -> None:
    """Note C7: one operation at a time; the one that runs is not forgotten."""
    a = applied()
    give(a.node, "c", Committed(RIVAL, FAST))
    operation = a.node.state.operation
    assert operation is not None
    assert operation.purpose is Purpose.ADOPT
    give(a.node, "c", Closed(CHANGE))
    assert a.node.state.operation == operation
    a.node.apply_finished(operation.token, True, NOW)
    assert (a.node.journal.last, a.node.journal.opens) == (RIVAL, ())


def test_what_is_adopted_is_kept_and_then_what_others_have_committed_since() -> None:
    """Note C5: the later commit is not forgotten while the earlier one is put into effect."""
    a = Spoken()
    following = ChangeId(1, "c", 1, 1)
    give(a.node, "b", Committed(CHANGE, SLOW))
    give(a.node, "b", Committed(following, FAST))
    for epoch, change in ((1, CHANGE), (2, following)):
        operation = a.node.state.operation
        assert operation is not None
        a.node.apply_finished(operation.token, True, NOW)
        assert (a.node.journal.epoch, a.node.journal.last) == (epoch, change)
    assert a.node.state.operation is None
    assert a.node.state.ahead is None


def test_an_operation_that_nobody_waits_for_changes_nothing() -> None:
    """Note C7: the host may say twice that one is over."""
    node = Node.first_start(Config("test", "a", MEMBERS, transport=Transport.DATAGRAMS), NOW)
    token = node.state.token
    node.apply_finished(token + 1, True, NOW)
    assert node.state.is_restoring, "another one runs"
    node.apply_finished(token, True, NOW)
    told(node)
    before = node.state
    assert before.operation is None
    node.apply_finished(token, False, NOW)
    assert (node.state, told(node)) == (before, [])


@pytest.mark.parametrize("hangs", [True, False])
def test_a_change_whose_undo_fails_or_hangs_is_closed_and_the_node_takes_itself_out(
    hangs: bool,
) -> None:
    """Note C7: the host is told both."""
    a = applied()
    a.told = []
    give(a.node, "c", Closed(CHANGE))
    operation = a.node.state.operation
    assert operation is not None
    assert operation.purpose is Purpose.UNDO
    if hangs:
        a.node.on_timer(NOW + a.config.watchdog_ms)
    else:
        a.node.apply_finished(operation.token, False, NOW)
    assert told(a.node) == [
        TookItselfOut("could not undo a change"),
        Decided(CHANGE, Outcome.UNDONE),
    ]
    assert a.node.journal.opens == ()


@pytest.mark.parametrize("hangs", [True, False])
def test_a_node_that_cannot_adopt_takes_itself_out_and_decides_nothing(hangs: bool) -> None:
    """Note C7: what was open stays undecided here."""
    a = applied()
    a.told = []
    give(a.node, "c", Committed(RIVAL, FAST))
    operation = a.node.state.operation
    assert operation is not None
    if hangs:
        a.node.on_timer(NOW + a.config.watchdog_ms)
    else:
        a.node.apply_finished(operation.token, False, NOW)
    assert told(a.node) == [TookItselfOut("could not adopt what others have committed")]
    assert [o.id for o in a.node.journal.opens] == [CHANGE]


def test_who_has_taken_itself_out_says_so_when_it_starts_again_and_installs_nothing() -> None:
    """Note C7: it stays out for good."""
    a = Spoken()
    journal = write(msgspec.structs.replace(a.node.journal, out="it cannot undo"))
    node = Node.restart(a.config, journal, NOW)
    assert told(node) == [TookItselfOut("it cannot undo")]
    assert node.next_timer() is None


# --- what is forgotten -----------------------------------------------------------------------


def test_what_was_heard_of_a_change_is_forgotten_when_it_is_closed() -> None:
    """Property bounded_memory."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ack(CHANGE))
    assert set(a.node.state.heard) == {CHANGE}
    a.hear("b", Closed(CHANGE))
    assert set(a.node.state.heard) == set()


def test_a_commit_ends_what_was_heard_of_its_epoch_and_not_of_the_next() -> None:
    """Note C6: what others say about the next change may overtake the commit."""
    a = Spoken()
    following = ChangeId(1, "c", 1, 1)
    a.hear("b", Ack(CHANGE), Ack(following))
    a.hear("b", Committed(CHANGE, SLOW))
    assert set(a.node.state.heard) == {following}
    assert a.node.state.ahead is None, "it has what others have"


def test_a_commit_that_is_heard_again_leaves_nothing_to_catch_up_with() -> None:
    """Note C5: who has it is not behind, and what it remembers is as before."""
    a = Spoken()
    give(a.node, "b", Committed(CHANGE, SLOW))
    operation = a.node.state.operation
    assert operation is not None
    a.node.apply_finished(operation.token, True, NOW)
    before = a.node.journal
    give(a.node, "c", Committed(CHANGE, SLOW))
    assert (a.node.journal, a.node.state.operation) == (before, None)
    assert a.node.state.ahead is None
