"""Runs of clusters of cores in virtual time: what they must keep, and that they can fail."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from msgspec import structs
from tests.conformance import broken_cores

from samebeat.config import Transport
from samebeat.journal import JournalError, read, write
from samebeat_conformance.simulator import promises, run, spec_check
from samebeat_conformance.simulator.campaign import Campaign, Wanted, campaign
from samebeat_conformance.simulator.clock import Clock
from samebeat_conformance.simulator.cluster import Broken, Cluster, Setup
from samebeat_conformance.simulator.disk import Disk, Unsynced
from samebeat_conformance.simulator.draws import between, chance
from samebeat_conformance.simulator.faults import Ask, Crash, Fixed, Kind, Restart
from samebeat_conformance.simulator.promises import PROMISES, Promises
from samebeat_conformance.simulator.run import SECOND_US, from_items, from_seed
from samebeat_conformance.simulator.shrink import shrink
from samebeat_conformance.simulator.trace import dumps, story
from samebeat_spec.specs import load_spec

STORM, SPEC, CALM = 1, 3, 4
"""Seeds: of a storm with channels, one on bare datagrams, and a calm run."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [STORM, CALM])
def test_a_run_keeps_every_promise_and_ends_at_rest(seed: int) -> None:
    """Notes C1 to C8: with faults first, then without."""
    found = from_seed(seed, 3)
    assert (found.promise, found.text) == ("", "")
    assert found.outcomes["committed"] > 0
    assert found.plan.is_calm is (seed == CALM)


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 4, 5, 6, 7, 8, 9])
def test_runs_of_every_size_keep_every_promise(size: int) -> None:
    """Notes C1 to C8."""
    for seed in range(100, 103 if size > 5 else 108):
        found = from_seed(seed, size)
        assert (seed, found.text) == (seed, "")


@pytest.mark.slow
def test_the_list_of_faults_that_a_seed_has_drawn_makes_the_same_run() -> None:
    first = from_seed(STORM, 3)
    again = from_items(first.plan, first.items)
    assert again.digest == first.digest
    assert again.counts == first.counts


_DIGEST = """
from samebeat_conformance.simulator.run import from_seed
print(*(from_seed(seed, size).digest for seed in (3, 4) for size in (3, 5)))
"""


@pytest.mark.slow
def test_a_seed_is_one_run_bit_for_bit_whatever_python_hashes_with() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(set(found.pop().split())) == 4


# --- cores that are wrong ------------------------------------------------------------------------

CONTROLS: dict[str, tuple[broken_cores.Breaks, int, str, int]] = {
    "acks before journaling": (broken_cores.acks_before_journaling, 1, "journal_before_send", 0),
    "counts messages, not senders": (
        broken_cores.counts_messages_not_senders,
        1,
        "apply_after_full_receipt",
        2,
    ),
    "decides by time-out": (broken_cores.decides_by_timeout, 3, "step_of_the_spec", 0),
    "undoes to the first value": (
        broken_cores.undoes_to_the_first_value,
        4,
        "kept_until_replaced",
        3,
    ),
    "ignores its promise": (broken_cores.ignores_its_promise, 39, "keeps_promise", 3),
    "follows no envelope": (broken_cores.follows_no_envelope, 12, "no_false_suspicion", 2),
    "forgets to adopt": (broken_cores.forgets_to_adopt, 2, "step_of_the_spec", 2),
    "repeats nothing": (broken_cores.repeats_nothing, 4, "change_decided", 2),
    "commits on its own vote": (broken_cores.commits_on_its_own_vote, 3, "step_of_the_spec", 0),
    "decides by time-out, in channels": (
        broken_cores.decides_by_timeout,
        STORM,
        "step_of_the_spec",
        0,
    ),
    "commits on its own vote, in channels": (
        broken_cores.commits_on_its_own_vote,
        STORM,
        "step_of_the_spec",
        0,
    ),
}
"""For each: a seed that shows it, what it breaks, and how many faults that takes. None at all: it
breaks that as soon as it is asked for a change."""


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTROLS)
def test_a_core_that_is_wrong_is_found_and_the_run_is_shrunk(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator can fail, and says so with a handful of faults."""
    breaks, seed, promise, faults = CONTROLS[name]
    breaks(monkeypatch)
    found = from_seed(seed, 3)
    assert found.promise == promise
    shrunk = shrink(found)
    assert shrunk.is_minimal
    assert shrunk.result.promise == promise
    assert len(shrunk.result.items) == faults


@pytest.mark.slow
def test_what_is_left_of_a_run_fails_in_the_same_way_and_without_any_fault_of_it_it_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken_cores.follows_no_envelope(monkeypatch)
    found = shrink(from_seed(12, 3)).result
    assert len(found.items) == 2
    for i in range(2):
        rest = (*found.items[:i], *found.items[i + 1 :])
        assert not from_items(found.plan, rest).failed


@pytest.mark.slow
def test_a_run_that_fails_is_an_itf_file_and_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_cores.undoes_to_the_first_value(monkeypatch)
    found = shrink(from_seed(4, 3)).result
    text = dumps(found)
    assert text == dumps(found)
    data = json.loads(text)
    assert data["#meta"]["promise"] == "kept_until_replaced"
    assert len(data["#meta"]["faults"]) == 3
    assert set(data["vars"]) <= set(data["states"][0])
    assert data["#meta"]["steps"] == len(data["states"]) - 1
    assert story(found)[0].startswith("fault: ")


# --- held against the spec -----------------------------------------------------------------------


@pytest.mark.slow
def test_each_durable_step_on_bare_datagrams_is_one_of_the_spec() -> None:
    """Notes C5 and C6: with views, crashes and votes, as they happen."""
    found = from_seed(SPEC, 3)
    assert (found.promise, found.text) == ("", "")
    taken = {"request", "send_ack", "apply", "send_ok", "hold", "commit", "undo", "crash"}
    assert taken | {"propose", "report", "begin_view", "recover"} <= set(found.spec_steps)


@pytest.mark.slow
def test_each_durable_step_in_channels_is_one_of_the_spec() -> None:
    """Notes C5 and C6: what is queued counts as said; views, crashes and rejoins as well."""
    found = from_seed(STORM, 3)
    assert found.plan.setup.transport is Transport.CHANNEL
    assert (found.promise, found.text) == ("", "")
    taken = {"request", "send_ack", "apply", "send_ok", "hold", "commit", "undo", "crash"}
    assert taken | {"propose", "report", "begin_view", "recover"} <= set(found.spec_steps)


@pytest.mark.slow
@pytest.mark.parametrize("first", [101, 102])
def test_many_runs_are_runs_of_the_spec(first: int) -> None:
    """Notes C5 to C8: hangs, late ends and failing undos among them."""
    taken: Counter[str] = Counter()
    for seed in (*range(first, 160, 3), 78, 261):
        found = from_seed(seed, 3)
        assert (seed, found.text) == (seed, "")
        taken += found.spec_steps
    never = {a.name for a in load_spec("cluster").actions} - set(taken)
    assert never == {"crash_before_journaling", "lose_journal"}


# --- many runs -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_kind_of_fault_that_has_not_happened_leaves_all_undetermined() -> None:
    found = campaign(Wanted(seed=STORM, runs=1, size=3))
    assert found.verdict == "undetermined"
    assert "a calm run and a storm" in found.never
    assert (found.runs, found.failed) == (1, None)


@pytest.mark.slow
def test_a_campaign_has_every_kind_of_fault() -> None:
    found = campaign(Wanted(runs=12))
    assert (found.verdict, found.never) == ("undetermined", ())
    assert all(found.counts[kind] > 0 for kind in Kind)
    assert set(found.sizes) == {3, 4, 5, 6, 7, 8, 9}
    assert found.virtual_hours > 0.3


def test_no_run_at_all_is_no_pass() -> None:
    assert Campaign(Wanted()).verdict == "undetermined"


# --- promises that must be able to fail ----------------------------------------------------------


def _at_rest() -> tuple[Cluster, Promises]:
    watching = Promises()
    cluster = Cluster(Setup(("a", "b", "c")), Fixed(()), (watching,))
    cluster.run_until(2 * SECOND_US)
    cluster.happen(Ask(cluster.now_us, "a", (("heartbeat_interval", 2_000),)))
    cluster.run_until(4 * SECOND_US)
    return cluster, watching


def test_members_at_rest_with_different_values_are_noticed() -> None:
    """Property all_or_nothing."""
    cluster, watching = _at_rest()
    machine = cluster.machines["b"]
    assert machine.node is not None
    state = machine.node._state
    state.write(epoch=2)
    with pytest.raises(Broken, match="all_or_nothing"):
        watching.settled(cluster, "a", "")


def test_an_epoch_that_goes_back_is_noticed() -> None:
    """Property epoch_monotone."""
    cluster, watching = _at_rest()
    disk = watching.disks["a"]
    older = type(disk)(1, 0, None, Setup(("a",)).start, (), (), disk.promise, disk.view)
    with pytest.raises(Broken, match="epoch_monotone"):
        watching.durable(cluster, "a", older)


def test_every_promise_that_is_reported_is_looked_at() -> None:
    """A name in the list that nothing raises would be a check that cannot fail."""
    source = "".join(map(inspect.getsource, (promises, run, spec_check)))
    assert all(f'Broken("{promise}"' in source for promise in PROMISES)


# --- machines ------------------------------------------------------------------------------------


def test_a_crash_in_a_write_keeps_the_journal_of_before_or_the_new_one() -> None:
    """Note C5: a torn one is detected by the reader of the journal."""
    for unsynced, epoch in ((Unsynced.LOST, 1), (Unsynced.TORN, 1), (Unsynced.KEPT, 2)):
        cluster, watching = _at_rest()
        disk = cluster.machines["a"].disk
        disk.begin(write(structs.replace(watching.disks["a"], epoch=2)))
        disk.stop(unsynced, 500)
        if unsynced is Unsynced.TORN:
            with pytest.raises(JournalError):
                read(disk.newest)
        journal, torn = disk.read()
        assert journal is not None
        assert (journal.epoch, torn) == (epoch, unsynced is Unsynced.TORN)


def test_a_torn_write_that_ends_as_what_it_replaces_is_a_whole_one() -> None:
    disk = Disk(newest=b"1 and more", older=b"0 and more")
    disk.begin(b"2 and more")
    assert disk.stop(Unsynced.TORN, 500) is Unsynced.KEPT
    disk = Disk(newest=b"1 and more", older=b"0 and more")
    disk.begin(b"2 and more")
    assert disk.stop(Unsynced.TORN, 0) is Unsynced.LOST


def test_a_first_write_that_is_torn_was_never_made() -> None:
    disk = Disk()
    disk.begin(b"a journal")
    disk.stop(Unsynced.TORN, 500)
    assert disk.read() == (None, True)


def test_a_node_whose_journal_is_lost_does_not_come_back() -> None:
    """Note C5: the core refuses an empty journal."""
    cluster, _ = _at_rest()
    cluster.happen(Crash(cluster.now_us, "c", 0, Unsynced.WIPED))
    cluster.happen(Restart(cluster.now_us, "c"))
    assert cluster.machines["c"].node is None
    assert cluster.counts[Kind.LOST_JOURNAL] == 1


@pytest.mark.parametrize("drift_ppm", [-5_000, 0, 7, 5_000])
def test_a_timer_fires_at_the_first_instant_at_which_the_clock_shows_it(drift_ppm: int) -> None:
    clock = Clock(1_000, drift_ppm)
    for local_ms in (1_001, 1_500, 7_777, 1_000_000):
        at_us = clock.true_us(local_ms)
        assert clock.local_ms(at_us) >= local_ms > clock.local_ms(at_us - 1)


def test_draws_depend_on_their_purpose_alone() -> None:
    assert chance(1, "a", 2) == chance(1, "a", 2) != chance(1, "a", 3)
    assert {between(2, 4, 1, i) for i in range(50)} == {2, 3, 4}
