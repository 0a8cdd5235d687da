"""Crashes, suspicion, views, operations that hang and undos that fail (notes C5, C7 and C8)."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from samebeat.effects import Outcome, Purpose
from samebeat.ids import ChangeId
from samebeat.journal import JournalError, JournalLost, Phase
from samebeat.node import Node, Refused

from .net import Net


def started(size: int = 3, seed: int | None = None) -> Net:
    """A cluster whose members watch each other."""
    net = Net(size, seed)
    net.pass_time(net.now + 2_500)
    assert net.all_quiet()
    return net


def crash_at(effect: int, victim: str, asks: str = "a") -> tuple[Net, ChangeId | None, bool]:
    """Run a change in which a host crashes after so many effects of its own; then it returns."""
    net = started()
    host = net.hosts[victim]
    host.crash_after = host.done + effect
    change = net.ask(asks)
    net.settle()
    crashed = host.node is None
    host.crash_after = None
    if crashed:
        net.restart(victim)
    net.run_to_the_end()
    return net, change, crashed


@pytest.mark.parametrize("victim", ["a", "b"])
def test_a_node_may_crash_after_any_effect_and_come_back(victim: str) -> None:
    """Note C5: the journal goes first, so whatever was said is remembered."""
    outcomes = set()
    for effect in count():
        net, change, crashed = crash_at(effect, victim)
        if not crashed:
            break
        assert change is not None
        outcomes.add(net.outcome(change))
    assert effect > 8
    assert Outcome.COMMITTED in outcomes


def test_survivors_of_a_crash_decide_in_a_view_of_their_own() -> None:
    """Note C5: whatever the initiator has said or not, the others come to one end."""
    outcomes = set()
    for effect in count():
        net = started()
        host = net.hosts["a"]
        host.crash_after = host.done + effect
        change = net.ask("a")
        net.settle()
        if host.node is not None:
            break
        net.run_until(lambda n=net: n.node("b").view.members == ("b", "c"))  # type: ignore[misc]
        net.run_to_the_end()
        outcomes.add(net.outcome(change))
        net.restart("a")
        net.run_to_the_end()
        assert net.node("b").view.members == ("a", "b", "c")
    assert {Outcome.COMMITTED, Outcome.UNDONE} <= outcomes


def test_two_views_in_a_row_keep_what_the_first_has_voted() -> None:
    """Note C5: five members, the initiator dies in doubt, and then one more."""
    net = started(5)
    change = net.ask("a")
    while not all(
        (o := net.node(n).journal.open_change(change)) is not None and o.ballot is not None
        for n in "bcd"
    ):
        net.step()
    net.flying.clear()
    net.crash("a")
    net.run_until(lambda: net.node("b").journal.promise.view.id.number > 0)
    net.crash("e")
    net.run_until(lambda: net.node("b").view.members == ("b", "c", "d"))
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.COMMITTED
    net.restart("a")
    net.restart("e")
    net.run_to_the_end()
    assert net.interval("a") == net.interval("e") == 2_000


def test_who_was_away_adopts_what_was_committed_before_it_takes_part() -> None:
    """Note C5: rejoin is mandatory, and state comes with it."""
    net = started()
    net.crash("c")
    net.run_until(lambda: net.node("a").view.members == ("a", "b"))
    net.ask("a")
    net.run_to_the_end()
    net.ask("b", heartbeat_interval=3_000)
    net.run_to_the_end()
    net.restart("c")
    net.run_to_the_end()
    assert net.node("c").journal.epoch == 2
    assert net.interval("c") == 3_000
    net.ask("c", heartbeat_interval=1_500)
    net.run_to_the_end()
    assert net.interval("a") == 1_500


def test_a_minority_decides_nothing_and_refuses_new_changes() -> None:
    """Note C8: without a quorum a node stays in doubt; it never decides by time-out."""
    net = started()
    change = net.ask("a")
    net.step()
    net.crash("b")
    net.crash("c")
    net.pass_time(net.now + 60_000)
    assert net.outcome(change) is None
    assert net.node("a").journal.open_change(change) is not None
    with pytest.raises(Refused):
        net.ask("a")
    net.restart("b")
    net.run_until(lambda: net.outcome(change) is not None)
    net.restart("c")
    net.run_to_the_end()


def test_a_cut_off_member_comes_back_when_the_network_heals() -> None:
    """Notes C5 and C8: suspicion may be wrong; who was left out asks to be let in."""
    net = started()
    net.partition("ab", "c")
    net.run_until(lambda: net.node("a").view.members == ("a", "b"))
    change = net.ask("a")
    net.run_until(lambda: net.outcome(change) is Outcome.COMMITTED)
    assert net.node("c").journal.epoch == 0
    net.partition("abc")
    net.run_to_the_end()
    assert net.node("c").journal.epoch == 1


def test_all_may_crash_at_once_and_the_journals_decide() -> None:
    """Note C5: total restart."""
    for effect in range(0, 24, 3):
        net = started()
        host = net.hosts["b"]
        host.crash_after = host.done + effect
        change = net.ask("a")
        net.settle()
        for n in net.up():
            net.crash(n)
        net.pass_time(net.now + 5_000)
        for n in "abc":
            net.restart(n)
        net.run_to_the_end()
        assert net.outcome(change) is not None or net.node("a").journal.epoch == 0


def test_two_configured_nodes_block_when_one_crashes() -> None:
    """Note C5: any crash blocks a cluster of two, and its return resolves that."""
    net = started(2)
    change = net.ask("a")
    net.step()
    net.crash("b")
    net.pass_time(net.now + 60_000)
    assert net.outcome(change) is None
    net.restart("b")
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.COMMITTED


def test_an_operation_that_hangs_is_a_failed_status_and_its_late_success_is_undone() -> None:
    """Note C7: a watchdog gives it up; nothing new is acked meanwhile."""
    net = started()
    net.hosts["c"].holds = {Purpose.APPLY}
    change = net.ask("a")
    net.run_until(lambda: net.outcome(change) is Outcome.UNDONE)
    second = net.ask("b")
    net.settle()
    assert net.outcome(second) is Outcome.UNDONE
    net.hosts["c"].holds = set()
    net.finish("c")
    assert net.interval("c") == 2_000
    net.run_to_the_end()
    assert net.interval("c") == 1_000
    third = net.ask("b")
    net.run_to_the_end()
    assert net.outcome(third) is Outcome.COMMITTED


def test_who_cannot_undo_takes_itself_out_and_says_why() -> None:
    """Note C7: quarantine; the others go on without it."""
    net = started()
    net.hosts["b"].refuses = {Purpose.UNDO}
    net.hosts["c"].holds = {Purpose.APPLY}
    net.ask("a")
    net.run_until(lambda: "b" in net.reasons)
    assert "could not undo" in net.reasons["b"]
    net.hosts["c"].holds = set()
    net.finish("c", success=False)
    net.run_until(lambda: net.node("a").view.members == ("a", "c"))
    net.run_to_the_end()
    assert net.node("b").next_timer() is None
    net.crash("b")
    net.restart("b")
    net.pass_time(net.now + 20_000)
    assert net.node("a").view.members == ("a", "c")


def test_a_crash_between_apply_and_journal_is_as_if_it_had_not_applied() -> None:
    """Note C5: after a restart the node installs what its journal says."""
    net = started()
    net.hosts["b"].holds = {Purpose.APPLY}
    change = net.ask("a")
    net.settle()
    net.hosts["b"].installed = net.hosts["b"].running[0].settings
    net.crash("b")
    net.hosts["b"].holds = set()
    net.restart("b")
    opened = net.node("b").journal.open_change(change)
    assert opened is not None
    assert opened.phase is Phase.ACKED
    net.finish("b")
    assert net.interval("b") == 1_000
    net.run_to_the_end()


def test_a_node_without_its_journal_does_not_come_back_under_its_old_name() -> None:
    """Note C5: a lost journal is an error, and so is a damaged one."""
    net = started()
    disk = net.hosts["a"].disk
    with pytest.raises(JournalLost, match="new name"):
        Node.restart(net.hosts["a"].config, b"", net.now)
    for damaged in (disk[:-1], disk[:7], disk[:8] + bytes([disk[8] ^ 1]) + disk[9:]):
        with pytest.raises(JournalError):
            Node.restart(net.hosts["a"].config, damaged, net.now)


def storm(seed: int, **config: Any) -> Net:
    """Loss, copies, crashes and partitions, and then peace: agreement throughout, and an end."""
    net = Net(3 + 2 * (seed % 2), seed, **config)
    assert net.rng is not None
    net.pass_time(net.now + 2_500)
    net.loss, net.copies = 0.15, 0.15
    names = list(net.hosts)
    for _ in range(12):
        victim, other = net.rng.sample(names, 2)
        match net.rng.randrange(6):
            case 0 if net.hosts[victim].node is not None:
                host = net.hosts[victim]
                host.crash_after = host.done + net.rng.randrange(12)
            case 1 if net.hosts[victim].node is None:
                net.restart(victim)
            case 2:
                net.partition([n for n in names if n != victim], [victim])
            case 3:
                net.partition(names)
            case _:
                for n in (victim, other):
                    if net.hosts[n].node is not None and net.node(n).is_quiet:
                        interval = net.rng.choice([1_000, 2_000, 3_000])
                        net.ask(n, heartbeat_interval=interval)
        net.hosts[other].refuses = {Purpose.APPLY} if net.rng.random() < 0.3 else set()
        net.pass_time(net.now + net.rng.randrange(10, 6_000))
    net.loss = 0.0
    net.partition(names)
    for n, host in net.hosts.items():
        host.crash_after = None
        host.refuses = set()
        if host.node is None:
            net.restart(n)
    net.run_to_the_end(300_000)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_storms_of_faults_end_in_agreement_in_many_runs(seed: int) -> None:
    """Notes C5 to C8."""
    net = storm(seed)
    for decided in net.outcomes.values():
        assert not {Outcome.COMMITTED, Outcome.UNDONE} <= set(decided.values())


def test_storms_of_faults_end_in_agreement() -> None:
    """Notes C5 to C8: loss, copies, crashes and partitions; each kind of end is among the runs."""
    nets = [storm(seed) for seed in range(200, 203)]
    outcomes = {o for net in nets for decided in net.outcomes.values() for o in decided.values()}
    assert {Outcome.COMMITTED, Outcome.UNDONE} <= outcomes
    assert any(net.node("a").view.id.number > 2 for net in nets)


def test_a_node_that_restores_its_settings_turns_no_request_down() -> None:
    """Note C6: it is busy with no change; it waits, and takes part once it is ready."""
    net = Net(3)
    net.settle()
    net.crash("b")
    net.restart("b")
    asked = net.ask("a")
    while net.flying:
        net.deliver()
    assert not net.node("b").journal.opens
    assert not net.node("b").state.knows_undone(asked)
    net.run_to_the_end()
    assert net.outcome(asked) is Outcome.COMMITTED
