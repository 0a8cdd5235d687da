"""The hardened group change, step by step (claims 1(a) to 1(f), notes C5 to C8)."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Refused
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("cluster")
MECHANISMS = (
    "held_round",
    "flush_round",
    "latest_vote_counts",
    "keeps_promise",
    "waits_for_reports",
    "transfers_state",
    "journals_first",
    "journals_promises",
    "tells_decisions",
    "quarantines",
    "replaces_blank",
    "waits_for_late",
)
FAULTS = ("undo_may_fail", "may_hang", "may_lose_journal", "needs_cause")


def cluster(changes: int = 1, views: int = 3, members: int = 3, **constants: Any) -> Instance:
    """Of three members the quorums are n1 n2, n1 n3, n2 n3, and all three."""
    everybody = range(1, members + 1)
    sizes = range(members // 2 + 1, members + 1)
    quorums = [q for size in sizes for q in combinations(everybody, size)]
    return Instance(
        "cluster",
        SPEC,
        {
            "Node": members,
            "Change": changes,
            "Epoch": changes + 1,
            "Value": changes + 1,
            "Quorum": len(quorums),
            "View": views,
            "Crash": 3,
        },
        {
            "start_value": "v1",
            "asked": {f"c{i}": f"v{i + 1}" for i in range(1, changes + 1)},
            "in_quorum": [f"q{i},n{n}" for i, q in enumerate(quorums, 1) for n in q],
            "everyone": f"q{len(quorums)}",
            "recovers": True,
            "dead_are_heard": True,
            **dict.fromkeys(MECHANISMS, True),
            **dict.fromkeys(FAULTS, False),
            **constants,
        },
    )


def each(step: str, *nodes: int, change: str = "c1") -> tuple[str, ...]:
    """One step of several members, in order."""
    return tuple(f"{step} n{n} {change}" for n in nodes)


def view(number: int, quorum: int, *nodes: int) -> tuple[str, ...]:
    """A view that is proposed by the first of these members and begins for each of them."""
    return (
        f"propose n{nodes[0]} {number} q{quorum}",
        *(f"report n{n} {number}" for n in nodes[1:]),
        *(f"begin_view n{n} {number}" for n in nodes),
    )


def expect_refused(walk: Walk, step: str, *reasons: str) -> None:
    """The step is refused, for exactly these reasons."""
    why = "; ".join(f"not so: {reason}" for reason in reasons)
    with pytest.raises(Refused, match=f"^{re.escape(why)}$"):
        walk(step)


ALL = (1, 2, 3)
ASKED = ("request n1 c1", *each("send_ack", 2, 3))
APPLIED = (*ASKED, *each("apply", *ALL), *each("send_ok", *ALL))


def test_all_commit_what_a_quorum_has_voted_for() -> None:
    """Claims 1(a), 1(b), 1(c), 1(d) and note C5: the votes are one round more."""
    walk = Walk(cluster())(*APPLIED, *each("hold", 1))
    expect_refused(walk, "commit n1 c1", "a quorum or a member says that c is committed")
    walk("hold n2 c1", "commit n1 c1", "commit n2 c1", "commit n3 c1")
    assert [walk[f"value[n{n}]"] for n in ALL] == ["v2"] * 3
    assert walk.holds("a_commit")


def test_nobody_applies_before_all_have_acked() -> None:
    """Claims 1(b) and 1(c)."""
    walk = Walk(cluster())("request n1 c1", "send_ack n2 c1")
    expect_refused(walk, "apply n1 c1", "every member has acked")


def test_a_failure_is_undone_by_all() -> None:
    """Claims 1(e) and 1(f)."""
    walk = Walk(cluster())(*ASKED, *each("apply", 1, 2))
    walk("fail_to_apply n3 c1", *each("undo", 1, 2))
    assert [walk[f"value[n{n}]"] for n in ALL] == ["v1"] * 3


def test_who_fails_has_closed_the_change_and_may_ask_again_at_once() -> None:
    """Claim 1(e), note C6."""
    walk = Walk(cluster(changes=2))(*ASKED, "fail_to_apply n3 c1")
    assert walk["phase[n3, c1]"] == "UNDONE"
    walk("request n3 c2")


def test_who_has_a_change_open_asks_for_no_other() -> None:
    """Note C6: its own ack is sent as it asks."""
    walk = Walk(cluster(changes=2))("request n1 c1")
    idle = "n has nothing to finish, and has not gone on to a later view"
    expect_refused(walk, "request n1 c2", idle)


def test_a_request_from_a_later_epoch_waits_until_the_member_is_there() -> None:
    """Note C6: n3 has not committed c1 when c2 comes, and does not turn it down for that."""
    walk = Walk(cluster(changes=2))(*APPLIED, *each("hold", 1, 2), "commit n1 c1", "request n1 c2")
    expect_refused(walk, "send_busy n3 c2", "another change, or a later view, is in the way")
    walk("commit n3 c1", "send_ack n3 c2")


def test_a_busy_answer_closes_the_change_everywhere_and_uses_no_epoch() -> None:
    """Note C6."""
    walk = Walk(cluster(changes=2))("request n1 c1", "request n2 c2")
    walk("send_busy n2 c1", "send_busy n1 c2", "undo n1 c1", "undo n2 c2")
    assert [walk[f"epoch[n{n}]"] for n in ALL] == ["0"] * 3
    expect_refused(walk, "undo n3 c1", "c is open at n")


def test_a_flush_adopts_what_somebody_has_voted_for() -> None:
    """Note C5: n1 holds the complete set and crashes; the view with n1's report commits."""
    walk = Walk(cluster())(*APPLIED, "hold n1 c1", "crash n3 1")
    walk(*view(1, 1, 1, 2), *each("vote_in_flush", 1, 2), *each("commit", 1, 2))
    assert walk.holds("a_flush_that_adopts")
    assert walk["value[n2]"] == "v2"


def test_a_flush_undoes_what_nobody_of_the_view_has_voted_for() -> None:
    """Note C5: n3 alone has voted to commit, and is not there."""
    walk = Walk(cluster())(*APPLIED, "hold n3 c1", "crash n3 1")
    walk(*view(1, 1, 1, 2), *each("vote_in_flush", 1, 2), *each("undo", 1, 2))
    assert walk["value[n1]"] == "v1"
    walk("recover n3", *view(2, 4, 3, 1, 2), "undo n3 c1")
    assert [walk[f"value[n{n}]"] for n in ALL] == ["v1"] * 3
    assert walk.holds("a_vote_against_an_earlier_one")


def test_who_has_reported_to_a_view_votes_in_no_earlier_one() -> None:
    """Note C5: the promise."""
    walk = Walk(cluster())(*APPLIED, "propose n1 1 q1")
    expect_refused(walk, "hold n1 c1", "n has not gone on to a later view")
    walk("hold n2 c1")


def test_a_view_begins_only_when_all_of_its_members_have_reported() -> None:
    """Note C5."""
    walk = Walk(cluster())("propose n1 1 q1")
    expect_refused(walk, "begin_view n1 1", "every member has reported")


def test_who_proposes_a_view_is_in_it_and_has_reported_to_it() -> None:
    """Note C5: the proposal and the first report are one message."""
    walk = Walk(cluster())(*ASKED)
    expect_refused(walk, "propose n3 1 q1", "n is a member of it")
    walk("propose n1 1 q1")
    assert walk["said[n1, 1, c1]"] == "OPEN"
    late = "n has reported to no view that is as late"
    expect_refused(walk, "report n1 1", late)


def test_who_has_reported_to_a_view_proposes_no_earlier_one() -> None:
    """Note C5."""
    walk = Walk(cluster())("propose n2 2 q1", "report n1 2")
    expect_refused(walk, "propose n1 1 q1", "n has not gone on to a later view")
    walk("propose n3 1 q2")


def test_who_comes_back_adopts_before_it_acks() -> None:
    """Note C5: rejoin. n3 was down while the others committed, and asks for c2 too early."""
    walk = Walk(cluster(changes=2))("crash n3 1", *view(1, 1, 1, 2), "request n1 c1")
    walk("send_ack n2 c1")
    for step in ("apply", "send_ok", "hold", "commit"):
        walk(*each(step, 1, 2))
    walk("recover n3", *view(2, 4, 3, 1, 2), "request n1 c2")
    own_view = "c is a change of n's view, and starts from n's epoch"
    expect_refused(walk, "send_ack n3 c2", own_view, "n has nothing to finish")
    expect_refused(walk, "send_busy n3 c2", "another change, or a later view, is in the way")
    walk("commit n3 c1", "send_ack n3 c2")
    assert walk.holds("a_rejoin")
    assert walk["value[n3]"] == "v2"


def test_who_is_in_doubt_learns_from_a_member_that_has_decided() -> None:
    """Note C8: n3 was left out of the view that undid the change, and needs none to hear of it."""
    walk = Walk(cluster())(*APPLIED, *view(1, 1, 1, 2), *each("vote_in_flush", 1, 2), "undo n1 c1")
    assert walk["phase[n3, c1]"] == "APPLIED"
    walk("undo n3 c1")
    assert (walk["phase[n3, c1]"], walk["value[n3]"]) == ("UNDONE", "v1")


def test_a_request_that_nobody_answered_in_its_view_is_turned_down_in_a_later_one() -> None:
    """Note C6: who asked is not left waiting."""
    walk = Walk(cluster())("request n1 c1", *view(1, 4, *ALL))
    own_view = "c is a change of n's view, and starts from n's epoch"
    expect_refused(walk, "send_ack n2 c1", own_view, "n has nothing to finish")
    walk("send_busy n2 c1")
    assert walk["phase[n2, c1]"] == "UNDONE"


def test_of_two_that_are_left_out_one_may_know_more_than_the_other() -> None:
    """Note C5: a random walk of five members showed it. The view of both is replaced by then."""
    walk = Walk(cluster(members=5))(*view(1, 1, 1, 2, 3), *ASKED)
    for step in ("apply", "send_ok", "hold"):
        walk(*each(step, *ALL))
    expect_refused(walk, "commit n4 c1", "a quorum or a member says that c is committed")
    walk("commit n1 c1", "commit n4 c1")
    assert (walk["view[n4]"], walk["view[n5]"]) == ("0", "0")
    assert (walk["value[n4]"], walk["value[n5]"]) == ("v2", "v1")
    assert walk.broken() == set()


def test_of_its_own_votes_a_member_counts_the_latest() -> None:
    """Note C5: no other is in its journal. What others have voted counts in each of their views."""
    walk = Walk(cluster())(*APPLIED, *each("hold", 1, 2), *view(1, 1, 1, 2))
    walk("vote_in_flush n1 c1")
    expect_refused(walk, "commit n1 c1", "a quorum or a member says that c is committed")
    walk("commit n3 c1")
    assert walk["phase[n3, c1]"] == "COMMITTED"


def test_a_member_without_a_quorum_stays_in_doubt() -> None:
    """Note C8: no step decides for it, however long it waits."""
    walk = Walk(cluster())(*APPLIED, "crash n2 1", "crash n3 2")
    expect_refused(walk, "commit n1 c1", "a quorum or a member says that c is committed")
    expect_refused(walk, "undo n1 c1", "a member has failed, or a quorum or a member says undone")


def test_an_apply_that_is_not_journaled_has_not_happened() -> None:
    """Note C5: the journal comes before the message."""
    walk = Walk(cluster())(*ASKED, "apply n1 c1")
    walk("crash_before_journaling n1 1 c1")
    assert (walk["phase[n1, c1]"], walk["value[n1]"]) == ("ACKED", "v1")


def test_what_is_said_is_in_the_journal() -> None:
    """Note C5."""
    walk = Walk(cluster())(*APPLIED)
    expect_refused(walk, "crash_before_journaling n1 1 c1", "what n has said is in its journal")


def test_a_late_success_is_undone_and_nothing_new_is_acked_before() -> None:
    """Note C7."""
    walk = Walk(cluster(changes=2, may_hang=True))(*ASKED)
    walk("hang n1 c1", *each("undo", 2, 3), "request n2 c2")
    expect_refused(walk, "send_ack n1 c2", "n has nothing to finish")
    walk("finish_late n1 c1")
    assert walk["value[n1]"] == "v2"
    walk("undo_late n1", "send_ack n1 c2")
    assert walk["value[n1]"] == "v1"


def test_a_late_failure_is_the_end_of_it() -> None:
    """Note C7."""
    walk = Walk(cluster(changes=2, may_hang=True))(*ASKED)
    walk("hang n1 c1", *each("undo", 2, 3), "request n2 c2", "fail_late n1 c1")
    assert walk["value[n1]"] == "v1"
    expect_refused(walk, "finish_late n1 c1", "the operation runs")
    walk("send_ack n1 c2")


def test_who_cannot_undo_takes_itself_out_and_the_others_go_on() -> None:
    """Note C7."""
    walk = Walk(cluster(undo_may_fail=True))(*ASKED)
    walk("apply n1 c1", "fail_to_apply n2 c1", "fail_to_undo n1 c1")
    walk("propose n2 1 q4")
    expect_refused(walk, "report n1 1", "n is alive")
    walk(*view(2, 3, 2, 3), "undo n3 c1")
    assert walk.holds("a_quarantine")


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("lose_journal n1 1", "journals can be lost"),
        ("hang n1 c1", "operations may hang"),
        ("fail_to_undo n1 c1", "undos may fail"),
    ],
)
def test_a_fault_that_a_model_does_not_have_does_not_happen(step: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        Walk(cluster())(step)
