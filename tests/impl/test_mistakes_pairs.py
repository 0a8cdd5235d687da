"""Changes of a heartbeat pair, as far as nothing else here looks at them.

Each of these tests was written for generated mutants that had survived (`make mutants`).
"""

from __future__ import annotations

import pytest

from samebeat.deferral import Duty, First, Second
from samebeat.effects import Outcome, PairDecided
from samebeat.ids import ChangeId, PairChangeId, View, ViewId
from samebeat.messages import AckRecord, Closed, Committed, Heartbeat, HeartbeatAck, Request
from samebeat.parameters import Rhythm

from .test_pair_changes import MODIFIED, RARE, REFUSED, acked, asked, asks, beats, watching
from .test_views import CHANGE, HOME, MEMBERS, NOW, SLOW, Spoken, report

EARLIER, LATER = PairChangeId(1, 1), PairChangeId(1, 2)


# --- what the records say --------------------------------------------------------------------


def test_a_first_node_has_heartbeats_of_its_own_from_its_first_change_on() -> None:
    """Claim 19(a): the change has the number 1."""
    assert not First().has_own_beats
    assert First(open=1, asked=RARE).has_own_beats


def test_a_second_node_knows_what_it_has_decided_and_what_came_before() -> None:
    """Note C4: what has only been received may still be asked for otherwise."""
    assert not Second(request=LATER, duty=Duty.RECEIVED).knows(LATER)
    assert Second(request=LATER, duty=Duty.RECEIVED).knows(EARLIER)
    assert Second(request=LATER, duty=Duty.REFUSED).knows(LATER)
    assert not Second(request=EARLIER).knows(LATER)


@pytest.mark.parametrize(
    ("known", "has_modified"),
    [
        (Second(request=EARLIER, duty=Duty.MODIFIED), True),
        (Second(request=EARLIER, duty=Duty.READY, record=MODIFIED), True),
        (Second(request=EARLIER, record=MODIFIED), True),
        (Second(request=EARLIER, record=REFUSED), False),
        (Second(request=EARLIER, duty=Duty.RECEIVED, record=MODIFIED), False),
        (Second(request=EARLIER, duty=Duty.REFUSED, record=MODIFIED), False),
        (Second(request=LATER, duty=Duty.MODIFIED, record=MODIFIED), False),
        (Second(request=LATER, record=MODIFIED), False),
        (Second(), False),
    ],
)
def test_a_second_node_has_modified_for_the_last_request_only(
    known: Second, has_modified: bool
) -> None:
    """Note C1: then it is ahead of what heartbeats state, and does not follow them."""
    assert known.has_modified_for(EARLIER) is has_modified


# --- the second node -------------------------------------------------------------------------


def test_who_has_restarted_learns_what_is_held_from_a_heartbeat_that_asks_for_more() -> None:
    """Note C1: whatever it answers, the first node holds this until then."""
    a = Spoken()
    nothing = Rhythm(5_000, 1, None, 1)
    assert a.hear("b", asked(1, nothing, held=RARE)) == [HeartbeatAck(1, 2, REFUSED)]
    assert a.node.state.seconds["b"].held == RARE


def test_a_copy_of_a_heartbeat_is_acked_and_asks_for_nothing() -> None:
    """Notes C1 and C4: what was let pass comes again in a newer one."""
    a = watching()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    a.hear("b", asked(sequence=2))
    a.hear("b", Closed(CHANGE))
    assert a.node.is_quiet
    assert a.hear("b", asked(sequence=2)) == [HeartbeatAck(1, 2)]
    assert a.hear("b", asked(sequence=3)) == [HeartbeatAck(1, 3, MODIFIED)]


# --- changes of the group --------------------------------------------------------------------


def test_a_commit_of_the_group_ends_what_was_asked_of_a_peer_and_the_host_is_told() -> None:
    """Note C3: whether it has been granted, nobody needs to know any more."""
    a = asks()
    a.told = []
    a.hear("c", Committed(CHANGE, SLOW))
    assert [e for e in a.told if isinstance(e, PairDecided)] == [
        PairDecided("b", EARLIER, Outcome.PASSED)
    ]


def test_a_commit_of_the_group_is_stated_at_once_by_who_had_heartbeats_of_its_own() -> None:
    """Note C3: the next heartbeat goes to everybody, and out of turn: no ack is waited for."""
    a = acked(asks(), MODIFIED)
    beats(a)
    a.hear("c", Committed(CHANGE, SLOW))
    before = a.node.state
    assert a.node.next_timer() == NOW
    assert beats(a) == [Heartbeat(1, before.beat[0] + 1, CHANGE)]
    assert a.node.state.ack_watches == before.ack_watches


def test_a_commit_of_the_group_hurries_no_heartbeat_if_no_pair_has_its_own() -> None:
    """Claim 19: the interval counts from the last one."""
    a = asks(heartbeat_ack_timeout=40)
    a.hear("c", Committed(CHANGE, SLOW))
    assert beats(a) == []


def test_between_two_views_a_request_for_the_earlier_one_is_turned_down_if_one_is_open() -> None:
    """Note C6: nothing is acked until the view begins, and no two are open here."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    a.hear("b", report(View(ViewId(1, "b"), MEMBERS)))
    assert not a.node.state.is_ready
    rival = ChangeId(0, "c", 1, 1)
    assert Closed(rival) in a.hear("c", Request(rival, HOME, SLOW))


def test_an_ack_of_another_change_leaves_a_granted_one_as_it_is() -> None:
    """Note C4: a change that is closed hears nothing."""
    a = acked(asks(), MODIFIED)
    first = a.node.state.firsts["b"]
    acked(a, AckRecord(LATER, False))
    assert a.node.state.firsts["b"] == first


def test_heartbeats_are_numbered_on_when_a_commit_of_the_group_ends_a_pair_of_its_own() -> None:
    """Note C1: a number that is left out could not be used later."""
    a = acked(asks(), MODIFIED)
    (*_, last) = beats(a, NOW + 3_000)
    a.hear("c", Committed(CHANGE, SLOW))
    assert [beat.sequence for beat in beats(a, NOW + 3_000)] == [last.sequence + 1]
