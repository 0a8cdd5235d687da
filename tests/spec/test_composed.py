"""A group change of the heartbeat interval, step by step (claims 1 and 2, notes C2 and C3)."""

from __future__ import annotations

from typing import Any

import pytest

from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Refused
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("composed")

ACK_ROUND = (
    "request n1 c1",
    "receive_request n1 c1",
    "receive_request n2 c1",
    "send_ack n1 c1",
    "send_ack n2 c1",
    "receive n1 n2 c1 ACK",
    "receive n2 n1 c1 ACK",
)
STATUS_ROUND = (
    "send_ok n1 c1",
    "send_ok n2 c1",
    "receive n1 n2 c1 OK",
    "receive n2 n1 c1 OK",
)
BEAT = ("send_heartbeat n1 ARRIVES", "receive_heartbeat n1 LATEST")


def cluster(intervals: tuple[int, int], *, envelope: bool = True, **constants: Any) -> Instance:
    """Two members that watch each other, n1 with clocks; deadlines just as long as is safe."""
    deadlines = [t + 1 for t in intervals]
    return Instance(
        "cluster",
        SPEC,
        {"Node": 2, "Change": 1, "Epoch": 2, "Value": 2, "Ticks": max(deadlines) + 2},
        {
            "start_value": "v1",
            "asked": {"c1": "v2"},
            "watcher": {"n1": "n2", "n2": "n1"},
            "clocked": ["n1"],
            "interval_ticks": dict(zip(("v1", "v2"), intervals, strict=True)),
            "deadline_ticks": dict(zip(("v1", "v2"), deadlines, strict=True)),
            "delay_ticks": 1,
            "tolerated": 0,
            "bounded_rounds": False,
            "round_ticks": 0,
            "envelope": envelope,
            "values_count": True,
            **constants,
        },
    )


# --- claim 1 alone ---------------------------------------------------------------------------


@pytest.mark.parametrize(("intervals", "first"), [((2, 4), "n1"), ((4, 2), "n2")])
def test_claim_1_alone_opens_a_window_as_soon_as_the_tightening_member_applies(intervals, first):
    run = Walk(cluster(intervals, envelope=False))(*ACK_ROUND)
    assert run.broken() == set()
    # The directions mirror each other, so whoever applies first breaks one of the two.
    assert run(f"apply {first} c1").broken() == {"no_mismatch_window"}


def test_claim_1_alone_raising_suspects_a_member_that_sends_less_often_already():
    """Claims 1(c) and 2, 2 -> 4: the deadline is still 3 when the next heartbeat is due at 4."""
    run = Walk(cluster((2, 4), envelope=False))(*BEAT, *ACK_ROUND, "apply n1 c1", 3)
    assert run["suspected[n1]"] == "false"
    assert run(1)["suspected[n1]"] == "true"


def test_claim_1_alone_lowering_suspects_a_member_at_once_if_more_time_is_over_already():
    run = Walk(cluster((4, 2), envelope=False))(*BEAT, *ACK_ROUND, 4, "apply n2 c1")
    assert run["since_heard_ticks[n1]"] == "4"
    assert run["suspected[n1]"] == "true"


# --- the envelope ----------------------------------------------------------------------------


@pytest.mark.parametrize(("intervals", "decided"), [((2, 4), 4), ((4, 2), 2)])
def test_a_member_sends_at_the_old_interval_until_it_has_decided(intervals, decided):
    run = Walk(cluster(intervals))(*BEAT, *ACK_ROUND, "apply n1 c1", intervals[0])
    assert run["value[n1]"] == "v2"
    with pytest.raises(Refused, match="no heartbeat is due"):
        run(1)
    run(*BEAT, "apply n2 c1", *STATUS_ROUND, "commit n1 c1", decided)
    with pytest.raises(Refused, match="no heartbeat is due"):
        run(1)


def test_a_watcher_keeps_the_longer_deadline_until_a_heartbeat_states_the_new_epoch():
    run = Walk(cluster((4, 2)))(*BEAT, *ACK_ROUND, "apply n1 c1", "apply n2 c1", *STATUS_ROUND)
    assert run(4, "send_heartbeat n1 ARRIVES")["deadline[n1]"] == "v1"
    run("commit n1 c1", "receive_heartbeat n1 LATEST")
    assert run["deadline[n1]"] == "v1"  # what arrived was sent before the decision
    assert run(2, *BEAT)["deadline[n1]"] == "v2"
    assert run.broken() == set()


def test_a_heartbeat_may_confirm_to_a_watcher_what_it_has_not_decided_itself():
    run = Walk(cluster((4, 2)))(*BEAT, *ACK_ROUND, "apply n1 c1", "apply n2 c1", *STATUS_ROUND)
    run("commit n1 c1", 2, *BEAT)
    assert (run["phase[n2, c1]"], run["deadline[n1]"]) == ("APPLIED", "v2")


def test_after_an_undo_a_watcher_keeps_the_longer_deadline_until_a_heartbeat_states_the_epoch():
    """Notes C2 and C3: an undo goes through the envelope too."""
    run = Walk(cluster((2, 4)))(*BEAT, *ACK_ROUND, "apply n2 c1", "fail_to_apply n1 c1")
    run("send_failure n1 c1", "receive n2 n1 c1 FAILURE", "undo n2 c1")
    assert (run["value[n2]"], run["deadline[n1]"]) == ("v1", "v2")
    assert run(2, *BEAT)["deadline[n1]"] == "v1"
    assert run.broken() == set()


def test_heartbeats_without_clocks_state_any_epoch_that_the_member_has_been_in():
    run = Walk(cluster((4, 2)))(*BEAT, *ACK_ROUND, "apply n1 c1", "apply n2 c1", *STATUS_ROUND)
    with pytest.raises(Refused, match="n has been in epoch e"):
        run("hear n2 1")
    run("commit n2 c1", "hear n2 0")
    assert run["deadline[n2]"] == "v1"
    assert run("hear n2 1")["deadline[n2]"] == "v2"


# --- bounded rounds --------------------------------------------------------------------------


def bounded(ticks: int) -> Instance:
    """Two members whose rounds take at most so many ticks; no clocks for heartbeats."""
    return cluster((2, 4), clocked=[], bounded_rounds=True, round_ticks=ticks)


def test_each_round_of_a_change_has_its_time_and_no_more():
    run = Walk(bounded(2))("request n1 c1", "receive_request n1 c1", "send_ack n1 c1", 2)
    for steps in (
        ("receive_request n2 c1", "send_ack n2 c1"),
        ("receive n1 n2 c1 ACK", "receive n2 n1 c1 ACK", "apply n1 c1", "apply n2 c1"),
        (*STATUS_ROUND, "commit n1 c1", "commit n2 c1"),
    ):
        with pytest.raises(Refused, match="no round has lasted for its bound"):
            run(1)
        run(*steps, 2)
    run(3)


def test_a_member_that_fails_says_so_in_time_and_the_others_undo():
    run = Walk(bounded(1))(*ACK_ROUND, "apply n1 c1", 1, "fail_to_apply n2 c1", 1)
    for steps in (("send_failure n2 c1", "receive n1 n2 c1 FAILURE"), ("undo n1 c1",)):
        with pytest.raises(Refused, match="no round has lasted for its bound"):
            run(1)
        run(*steps)
    assert run["value[n1]"] == "v1"
    run("undo n2 c1", 1)


def test_without_a_bound_the_clocks_of_rounds_stand_still():
    run = Walk(cluster((2, 4)))(*BEAT, *ACK_ROUND, 1)
    assert {run[f"round_lasts_ticks[c1, {r}]"] for r in ("REQUEST", "ANSWERS", "STATUSES")} == {"0"}
