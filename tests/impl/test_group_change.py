"""One change through a cluster of cores without crashes (claims 1 to 18, note C6)."""

from __future__ import annotations

import pytest

from samebeat.effects import Outcome, Purpose
from samebeat.messages import Ack, Ok, Request
from samebeat.node import Refused

from .net import NAMES, Net


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_all_members_adopt_a_value_that_all_could_apply(size: int) -> None:
    """Claims 1.preamble, 1(a), 1(c), 1(d), 2, 4, 5 and 3.heartbeat_interval."""
    net = Net(size)
    net.settle()
    change = net.ask("a")
    net.settle()
    assert net.outcomes[change] == dict.fromkeys(NAMES[:size], Outcome.COMMITTED)
    net.check_all_or_nothing()
    assert net.interval("a") == 2_000


def test_nobody_applies_before_every_member_has_acked() -> None:
    """Claims 1(b), 7(b).receipt, 8, 12(b).receipt, 13(a).receipt and 15."""
    net = Net(3)
    net.settle()
    net.cut = {("c", "a"), ("c", "b")}
    change = net.ask("a")
    net.settle()
    assert all(net.node(n).journal.open_change(change) is not None for n in "abc")
    assert [net.interval(n) for n in "abc"] == [1_000, 1_000, 2_000]
    assert ("c", change) in net.said[Ack]
    assert not any((n, change) in net.said[Ok] for n in "ab")


def test_one_failure_undoes_the_change_everywhere() -> None:
    """Claims 1(e), 1(f), 7(b).undo, 12(b).undo and 13(a).undo."""
    net = Net(3)
    net.settle()
    net.hosts["c"].refuses = {Purpose.APPLY}
    change = net.ask("a")
    net.settle()
    assert net.outcomes[change] == dict.fromkeys("abc", Outcome.UNDONE)
    net.check_all_or_nothing()
    assert net.interval("b") == 1_000


def test_an_undo_goes_back_to_the_last_commit_and_not_to_the_start() -> None:
    """Claim 1(f): the pre-image is the value before the change."""
    net = Net(3)
    net.settle()
    net.ask("a")
    net.run_to_the_end()
    net.hosts["c"].refuses = {Purpose.APPLY}
    change = net.ask("b", heartbeat_interval=3_000)
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.UNDONE
    assert [net.interval(n) for n in "abc"] == [2_000] * 3


def test_changes_of_two_initiators_close_or_one_of_them_wins() -> None:
    """Note C6: at most one change commits from each epoch."""
    for seed in range(30):
        net = Net(3, seed)
        net.settle()
        first, second = net.ask("a"), net.ask("b", heartbeat_interval=3_000)
        net.run_to_the_end()
        outcomes = [net.outcome(first), net.outcome(second)]
        assert outcomes.count(Outcome.COMMITTED) <= 1
        assert None not in outcomes


def test_a_change_after_one_that_was_turned_down_goes_through() -> None:
    """Note C6: a busied change uses up no epoch."""
    net = Net(2)
    net.settle()
    net.ask("a")
    net.ask("b")
    net.run_to_the_end()
    assert net.node("a").journal.epoch == 0
    change = net.ask("b")
    net.run_to_the_end()
    assert net.outcome(change) is Outcome.COMMITTED


def test_a_node_with_a_change_open_asks_for_no_other() -> None:
    """Note C6."""
    net = Net(3)
    net.settle()
    net.ask("a")
    with pytest.raises(Refused, match="busy"):
        net.ask("a", heartbeat_interval=3_000)


def test_values_that_do_not_suit_each_other_are_refused_before_anybody_hears_of_them() -> None:
    """Claim 3.combinations."""
    net = Net(3)
    net.settle()
    with pytest.raises(Refused, match="maximum_message_retry_time is shorter"):
        net.ask("a", message_retry_timer=40_000)
    assert net.flying == []


def test_request_acks_and_statuses_are_multicast() -> None:
    """Claim 6."""
    net = Net(3)
    net.settle()
    seen: list[tuple[type, str, str]] = []
    net.ask("a")
    while net.flying or any(h.running for h in net.hosts.values()):
        seen += [(type(net.observer.body(s, t, d)), s, t) for s, t, d, _ in net.flying[:1]]
        net.step()
    others = {n: {m for m in "abc" if m != n} for n in "abc"}
    assert {t for k, s, t in seen if (k, s) == (Request, "a")} == others["a"]
    for n in "abc":
        assert {t for k, s, t in seen if (k, s) == (Ack, n)} == others[n]
        assert {t for k, s, t in seen if (k, s) == (Ok, n)} == others[n]


@pytest.mark.parametrize("seed", range(40))
def test_loss_copies_and_any_order_leave_all_or_nothing(seed: int) -> None:
    """Claims 1(f), 6 and notes C5 and C6: lost messages are said again."""
    net = Net(3, seed)
    net.settle()
    net.loss, net.copies = 0.3, 0.3
    net.hosts["c"].refuses = {Purpose.APPLY} if seed % 3 == 0 else set()
    net.ask("a")
    net.pass_time(net.now + 3_000)
    net.loss = 0.0
    net.run_to_the_end()
    for decided in net.outcomes.values():
        assert len(set(decided.values())) == 1
