"""The hardened change of the heartbeat interval, step by step (claims 1 and 2, notes C1 to C3)."""

from __future__ import annotations

from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Refused
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("timed_cluster")
CATALOG = {m.name: m for m in load_catalog()}

ASKED = ("request n1 c1", "send_ack n2 c1")
OKS = ("send_ok n1 c1", "send_ok n2 c1")
VOTES = ("hold n1 c1", "hold n2 c1")
BEAT = ("send_heartbeat n1 ARRIVES", "receive_heartbeat n1 LATEST")


def cluster(intervals: tuple[int, int], **constants: Any) -> Instance:
    """Two members that watch each other, n1 with clocks; deadlines just as long as is safe."""
    model = CATALOG["timed-2-raises"]
    deadlines = [t + 1 for t in intervals]
    return Instance(
        "cluster",
        SPEC,
        {**model.sizes, "Ticks": max(deadlines) + 2},
        {
            **model.constants,
            "interval_ticks": dict(zip(("v1", "v2"), intervals, strict=True)),
            "deadline_ticks": dict(zip(("v1", "v2"), deadlines, strict=True)),
            **constants,
        },
    )


def test_it_has_all_that_the_hardened_change_has_and_all_that_watching_has():
    cluster_, composed = load_spec("cluster"), load_spec("composed")
    assert {v.name for v in cluster_.variables} < {v.name for v in SPEC.variables}
    assert {a.name for a in cluster_.actions} < {a.name for a in SPEC.actions}
    assert {p.name for p in cluster_.properties} < {p.name for p in SPEC.properties}
    group = load_spec("group")
    watching = {v.name for v in composed.variables} - {v.name for v in group.variables}
    own = {v.name for v in SPEC.variables} - {v.name for v in cluster_.variables}
    assert own == {*watching, "interval"}


@pytest.mark.parametrize(
    "name", ["no_mismatch_window", "no_false_suspicion", "tightener_defers", "interval_kept"]
)
def test_what_is_promised_of_timers_is_what_the_other_composition_promises(name):
    assert SPEC.find_property(name).kind == load_spec("composed").find_property(name).kind
    assert SPEC.find_property(name).doc == load_spec("composed").find_property(name).doc


# --- the envelope on both sides --------------------------------------------------------------


def test_a_member_sends_more_often_from_the_moment_it_has_acked_a_shorter_interval():
    """Note C1: T is the least of all values still possible."""
    run = Walk(cluster((4, 2)))(*BEAT, "request n1 c1", 2)
    assert (run["value[n1]"], run["interval[n1]"]) == ("v1", "v2")
    with pytest.raises(Refused, match="no heartbeat is due"):
        run(1)


@pytest.mark.parametrize("first", ["n1", "n2"])
def test_a_member_sends_less_often_only_once_it_has_committed_the_longer_interval(first):
    run = Walk(cluster((2, 4)))(*ASKED, "apply n1 c1", "apply n2 c1", *OKS, *VOTES)
    assert run["interval[n1]"] == "v1"
    assert run(f"commit {first} c1")[f"interval[{first}]"] == "v2"


def test_nobody_commits_before_the_other_has_voted_even_if_every_ok_is_there():
    """Note C5: the held round."""
    run = Walk(cluster((2, 4)))(*ASKED, "apply n1 c1", "apply n2 c1", *OKS, "hold n1 c1")
    with pytest.raises(Refused, match="a quorum or a member says that c is committed"):
        run("commit n1 c1")
    run("hold n2 c1", "commit n1 c1")


def test_a_failure_takes_the_member_back_to_the_longer_interval_in_the_same_step():
    """Note C2: an undo is a change in the other direction."""
    run = Walk(cluster((4, 2)))(*ASKED)
    assert run["interval[n1]"] == "v2"
    run("apply n2 c1", "fail_to_apply n1 c1")
    assert (run["interval[n1]"], run["deadline[n1]"]) == ("v1", "v1")
    assert run("undo n2 c1")["interval[n2]"] == "v1"
    assert run.broken() == set()


def test_a_watcher_keeps_the_longer_deadline_until_a_heartbeat_states_the_new_epoch():
    run = Walk(cluster((4, 2)))(*BEAT, *ASKED, "apply n1 c1", "apply n2 c1", *OKS, *VOTES)
    assert run(2, "send_heartbeat n1 ARRIVES")["deadline[n1]"] == "v1"
    run("commit n1 c1", "receive_heartbeat n1 LATEST")
    assert run["deadline[n1]"] == "v1"  # what arrived was sent before the decision
    assert run(2, *BEAT)["deadline[n1]"] == "v2"
    assert run.broken() == set()


@pytest.mark.parametrize(("intervals", "first"), [((2, 4), "n1"), ((4, 2), "n2")])
def test_claim_1_alone_opens_a_window_with_the_held_round_too(intervals, first):
    run = Walk(cluster(intervals, envelope=False))(*ASKED)
    assert run.broken() == set()
    assert run(f"apply {first} c1").broken() == {"no_mismatch_window"}
