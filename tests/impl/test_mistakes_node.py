"""Timers of one core, views and restarts, as far as nothing else here looks at them.

Each of these tests was written for generated mutants that had survived (`make mutants`).
"""

from __future__ import annotations

import pytest

from samebeat.effects import Began
from samebeat.ids import View, ViewId
from samebeat.journal import Report, write
from samebeat.messages import AnyBody, Closed, Heartbeat, Join, Ok, Request, Told
from samebeat.node import Node, Refused
from samebeat.parameters import Settings

from .test_mistakes import said
from .test_views import CHANGE, HOME, MEMBERS, NOW, SLOW, Spoken, in_a_later_view, report

VIEW = View(ViewId(1, "b"), MEMBERS)
RETRY_MS = Settings().message_retry_timer


def timer(node: Node, now_ms: int) -> list[AnyBody]:
    """What the node says when its timer is called then."""
    node.on_timer(now_ms)
    return said(node)


def back(a: Spoken) -> Spoken:
    """The core of `a` after it has crashed and restored its settings."""
    other = Spoken()
    other.node = Node.restart(a.config, write(a.node.journal), NOW)
    other.carry_out()
    return other


# --- views -----------------------------------------------------------------------------------


def test_who_was_left_behind_asks_to_be_let_in_and_sends_no_heartbeats() -> None:
    """Note C5: heartbeats of who is in no view would be acked by nobody."""
    a = Spoken()
    assert Heartbeat(1, 1, None) in timer(a.node, NOW)
    a.hear("b", report(View(ViewId(1, "b"), ("b", "c"))))
    assert a.node.state.outside
    assert timer(a.node, NOW + 2_000) == [Join()]


def test_who_was_left_behind_proposes_nothing() -> None:
    """Note C5: whom it suspects may be fine in the view that it is not in."""
    a = Spoken()
    a.hear("b", Heartbeat(1, 1, None), report(View(ViewId(1, "b"), ("b", "c"))))
    a.node.on_timer(NOW + 60_000)
    assert a.node.state.wish[0] == ("a", "c")
    a.node.on_timer(NOW + 120_000)
    assert a.node.journal.promise.view == HOME


def test_the_host_is_told_when_a_view_has_begun() -> None:
    """Note C5."""
    assert Began(VIEW) in in_a_later_view(VIEW).told


def test_acks_of_who_has_left_are_not_waited_for_when_it_comes_back() -> None:
    """Note C5: also when none of those that were waited for has stayed."""
    a = Spoken()
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b"))))
    a.node.on_timer(NOW)
    assert set(a.node.state.ack_watches) == {"b"}
    a.hear("c", report(View(ViewId(2, "c"), ("a", "c"))), view=2)
    assert set(a.node.state.ack_watches) == set()


def test_who_lacks_a_report_asks_for_it_again_until_it_has_it() -> None:
    """Note C5: either may be lost, the report or the promise."""
    a = Spoken()
    a.hear("b", report(VIEW))
    ours = Told(a.node.journal.promise, wants=True)
    assert ours not in timer(a.node, NOW + RETRY_MS - 1)
    assert ours in timer(a.node, NOW + RETRY_MS)
    a.hear("c", report(VIEW), Request(CHANGE, HOME, SLOW), view=1)
    assert a.node.view == VIEW
    assert not any(isinstance(b, Told) for b in timer(a.node, NOW + 3 * RETRY_MS))


def test_who_asks_to_be_let_in_is_in_the_next_view_without_delay() -> None:
    """Note C5: the first member proposes at once, and its host knows when."""
    a = Spoken()
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b"))))
    a.node.on_timer(NOW)
    a.hear("c", Join(), view=1)
    assert a.node.next_timer() == NOW
    a.node.on_timer(NOW)
    assert a.node.journal.promise.view == View(ViewId(2, "a"), MEMBERS)


def test_who_asks_to_be_let_in_is_forgotten_when_it_stops_asking() -> None:
    """Note C5: after four repetitions that have not come, and only that one."""
    a = Spoken(("a", "b", "c", "d", "e"))
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b", "c"))))
    a.hear("d", Join(), view=1)
    later = NOW + RETRY_MS
    a.node.on_timer(later - 1)
    a.hear("e", Join(), view=1)
    assert a.node.state.joiners == {"d": NOW, "e": later - 1}
    a.node.on_timer(NOW + 4 * RETRY_MS - 1)
    assert set(a.node.state.joiners) == {"d", "e"}
    a.node.on_timer(NOW + 4 * RETRY_MS)
    assert set(a.node.state.joiners) == {"e"}


def test_who_comes_back_waits_for_reports_before_it_proposes_another_view() -> None:
    """Note C5: as long as if it had joined the view now."""
    a = Spoken()
    a.hear("b", report(VIEW))
    a = back(a)
    a.hear("b", report(VIEW), view=1)
    a.node.on_timer(NOW + a.config.view_timeout_ms - 1)
    assert a.node.journal.promise.view == VIEW
    a.node.on_timer(NOW + a.config.view_timeout_ms)
    assert a.node.journal.promise.view == View(ViewId(2, "a"), ("a", "b"))


def test_who_comes_back_still_has_its_own_report() -> None:
    """Note C5: it is in the journal, and the view begins with those of the others."""
    a = Spoken()
    a.hear("b", report(VIEW))
    a = back(a)
    assert a.node.state.reports == {"a": Report(VIEW, 0, None, Settings())}
    a.hear("b", report(VIEW), view=1)
    a.hear("c", report(VIEW), view=1)
    assert a.node.view == VIEW


def test_who_comes_back_to_a_view_that_has_begun_waits_for_the_reports_to_it() -> None:
    """Note C5: without them it does not know what the view has to decide first."""
    a = back(in_a_later_view(VIEW))
    assert a.node.view == VIEW
    with pytest.raises(Refused, match="in no view that has begun"):
        a.node.request_change({"heartbeat_interval": 2_000}, NOW)
    a.hear("b", report(VIEW), view=1)
    a.hear("c", report(VIEW), view=1)
    assert a.node.is_quiet


def test_who_is_let_in_is_no_joiner_any_more_and_who_is_not_still_is() -> None:
    """Note C5."""
    a = Spoken(("a", "b", "c", "d", "e"))
    a.hear("b", report(View(ViewId(1, "b"), ("a", "b", "c"))))
    a.hear("d", Join(), view=1)
    a.hear("e", Join(), view=1)
    view = View(ViewId(2, "b"), ("a", "b", "d"))
    a.hear("b", report(view), view=2)
    a.hear("d", report(view), view=2)
    assert a.node.view == view
    assert set(a.node.state.joiners) == {"e"}


def test_a_report_from_a_later_epoch_says_what_was_committed() -> None:
    """Note C5: no other message of its sender needs to come."""
    a = Spoken()
    a.hear("b", Told(Report(VIEW, 1, CHANGE, SLOW), wants=False))
    assert (a.node.journal.epoch, a.node.journal.last) == (1, CHANGE)


def test_who_reports_to_an_earlier_view_is_told_of_the_present_one_and_asked_for_nothing() -> None:
    """Note C5: and a view of the same id that is another one has no members to tell."""
    a = in_a_later_view(VIEW)
    promised = a.node.journal.promise
    assert a.hear("b", report(HOME), view=1) == [Told(promised, wants=False)]
    assert a.hear("b", report(View(VIEW.id, ("a", "b"))), view=1) == []


# --- repeats ---------------------------------------------------------------------------------


def test_the_next_change_is_not_said_again_before_its_own_time_is_over() -> None:
    """Claim 6: the pace counts from when something became unfinished."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW))
    a.hear("b", Closed(CHANGE))
    assert a.node.is_quiet
    begun = NOW + 10_000
    change = a.node.request_change({"heartbeat_interval": 2_000}, begun)
    said(a.node)
    again = Request(change, HOME, SLOW)
    assert again not in timer(a.node, begun + RETRY_MS - 1)
    assert again in timer(a.node, begun + RETRY_MS)
    assert again not in timer(a.node, begun + 2 * RETRY_MS - 1)


def test_what_is_said_again_is_what_has_been_done() -> None:
    """Claims 1(b) to 1(d): who has applied says that, and neither request nor ack."""
    a = Spoken()
    a.hear("b", Request(CHANGE, HOME, SLOW), Ok(CHANGE))
    a.hear("c", Ok(CHANGE))
    bodies = timer(a.node, NOW + RETRY_MS)
    assert Ok(CHANGE) in bodies
    assert not any(isinstance(b, Request) for b in bodies)
