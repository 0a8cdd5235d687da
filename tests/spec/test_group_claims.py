"""The group change, walked one step at a time: what each claim element allows and refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations

import pytest

from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

Step = tuple[str, ...]
"""An action's name and the labels of its arguments."""

TWO = ("n1", "n2")
THREE = ("n1", "n2", "n3")

# Why a step is refused, in the words of the spec.
NOT_REQUESTED = "the request is on the network"
SEEN_BEFORE = "n sees this request for the first time"
NOT_TO_ANSWER = "n has the request and has not answered it"
OTHER_OPEN = "n has no other change open"
OTHER_EPOCH = "c starts from n's epoch"
NO_RIVAL = "another change is in the way"
NOT_SENT = "m has sent it"
NOT_OPEN = "c is open at n"
NOT_ACKED = "n has acked c and not applied it"
ACK_MISSING = "n has heard every ack"
NO_BUSY = "n has heard a busy answer"
NOT_APPLIED = "n has applied c"
NOT_FAILED = "n could not apply c"
OK_MISSING = "n has heard every ok"
NO_FAILURE = "n has heard a failure"


@dataclass(frozen=True)
class Moment:
    """A state of an instance, read and changed by labels."""

    instance: Instance
    state: StateTuple

    def __getitem__(self, cell: str) -> str:
        """Return what a cell holds, such as ``phase[n1, c2]``."""
        return self.cells()[cell]

    def cells(self) -> dict[str, str]:
        """Return the label of every cell's value."""
        i = self.instance
        return {i.cell_label(k): i.value_label(k, x) for k, x in enumerate(self.state)}

    def of_all(self, function: str, change: str = "") -> list[str]:
        """Return what each member holds, in order: ``of_all("phase", "c1")``."""
        rest = f", {change}" if change else ""
        held = self.cells()
        nodes = range(1, self.instance.sizes["Node"] + 1)  # type: ignore[operator]
        return [held[f"{function}[n{n}{rest}]"] for n in nodes]

    def then(self, *steps: Step) -> Moment:
        """Return the state after these steps; raise with the guards' reasons if one is refused."""
        now = self
        for done, (name, *labels) in enumerate(steps, 1):
            action, arguments = now._resolve(name, labels)
            try:
                state = Interpreter(now.instance).step(action, arguments, now.state)
            except Refused as error:
                error.add_note(f"step {done}: {name}({', '.join(labels)})")
                raise
            now = replace(now, state=state)
        return now

    def refused(self, name: str, *labels: str) -> list[str]:
        """Return why a step is refused; an empty list if it is enabled."""
        action, arguments = self._resolve(name, labels)
        found = Interpreter(self.instance).refusals(action, arguments, self.state)
        return [g.why for g in found]

    def changes(self, *steps: Step) -> dict[str, str]:
        """Return the cells that these steps change, with their new values."""
        return dict(self.then(*steps).cells().items() - self.cells().items())

    def _resolve(self, name: str, labels: Iterable[str]):
        (action,) = (a for a in self.instance.spec.actions if a.name == name)
        pairs = zip(action.parameters, labels, strict=True)
        arguments: Arguments = tuple(self.instance.element(p.sort, x) for p, x in pairs)
        return action, arguments


def run(instance: Instance, steps: Iterable[Step] = ()) -> Moment:
    """Return the state after these steps from the start."""
    (state,) = Interpreter(instance).initial_states()
    return Moment(instance, state).then(*steps)


def received(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """The first node asks for a change, and all have the request."""
    return [("request", nodes[0], change), *(("receive_request", n, change) for n in nodes)]


def acked(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """All have acked; nobody has heard another's ack."""
    return [*received(nodes, change), *(("send_ack", n, change) for n in nodes)]


def hear(nodes: tuple[str, ...], kind: str, change: str = "c1") -> list[Step]:
    """Each hears this message from each other member."""
    return [("receive", n, m, change, kind) for n, m in permutations(nodes, 2)]


def confirmed(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """All have acked and heard every ack."""
    return [*acked(nodes, change), *hear(nodes, "ACK", change)]


def applied(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """All have applied and sent their ok; nobody has heard another's ok."""
    return [
        *confirmed(nodes, change),
        *(("apply", n, change) for n in nodes),
        *(("send_ok", n, change) for n in nodes),
    ]


def committed(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """All have committed."""
    commits = [("commit", n, change) for n in nodes]
    return [*applied(nodes, change), *hear(nodes, "OK", change), *commits]


def failed_at_last(nodes: tuple[str, ...], change: str = "c1") -> list[Step]:
    """All have applied and said so, but the last could not, and has said so."""
    *others, last = nodes
    return [
        *confirmed(nodes, change),
        *(("apply", n, change) for n in others),
        *(("send_ok", n, change) for n in others),
        ("fail_to_apply", last, change),
        ("send_failure", last, change),
    ]


# --- request and ack round -------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [TWO, THREE], ids=len)
def test_a_running_cluster_changes_its_value_member_by_member_and_then_the_next(group, nodes):
    """Claim 1.preamble."""
    size = len(nodes)
    now = run(group(size, 2), confirmed(nodes))
    for done, n in enumerate(nodes):
        assert now.of_all("value") == ["v2"] * done + ["v1"] * (size - done)
        assert now.refused("request", n, "c2") == []
        now = now.then(("apply", n, "c1"), ("send_ok", n, "c1"))
    now = now.then(*hear(nodes, "OK"), *(("commit", n, "c1") for n in nodes))
    assert now.of_all("value") == ["v2"] * size
    assert now.of_all("phase", "c1") == ["COMMITTED"] * size
    assert now.of_all("epoch") == ["1"] * size
    later = now.then(*committed(nodes, "c2"))
    assert later.of_all("value") == ["v3"] * size
    assert later.of_all("epoch") == ["2"] * size


@pytest.mark.parametrize("initiator", THREE)
def test_nothing_happens_before_a_request_and_any_member_may_send_it_once(group, initiator):
    """Claim 1(a)."""
    start = run(group(3, 2))
    for n in THREE:
        assert start.refused("receive_request", n, "c1") == [NOT_REQUESTED]
        assert start.refused("send_ack", n, "c1") == [NOT_TO_ANSWER]
    assert start.changes(("request", initiator, "c1")) == {"requested[c1]": "true"}
    now = start.then(("request", initiator, "c1"))
    for n in THREE:
        assert now.refused("receive_request", n, "c1") == []
        assert now.refused("receive_request", n, "c2") == [NOT_REQUESTED]
        assert now.refused("request", n, "c1") == ["c is a new change id"]
    assert now.refused("send_ack", initiator, "c1") == [NOT_TO_ANSWER]


@pytest.mark.parametrize("nodes", [TWO, THREE], ids=len)
def test_apply_is_refused_while_one_ack_is_missing_and_enabled_by_the_last(group, nodes):
    """Claims 1(b), 7(b).receipt, 8, 13(a).receipt and 15: whichever ack comes last."""
    instance = group(len(nodes), 1)
    for n in nodes:
        for order in permutations(m for m in nodes if m != n):
            now = run(instance, acked(nodes))
            for m in order:
                assert now.refused("apply", n, "c1") == [ACK_MISSING]
                assert now.refused("fail_to_apply", n, "c1") == [ACK_MISSING]
                now = now.then(("receive", n, m, "c1", "ACK"))
            assert now.refused("apply", n, "c1") == []
            assert now.refused("fail_to_apply", n, "c1") == []


def test_a_member_without_the_request_keeps_every_other_from_applying(group):
    """Claims 1(b), 8, 12(b).receipt and 15."""
    pair = ("n1", "n2")
    start = [("request", "n1", "c1"), *(("receive_request", n, "c1") for n in pair)]
    now = run(group(3, 1), [*start, *(("send_ack", n, "c1") for n in pair), *hear(pair, "ACK")])
    for n in pair:
        assert now.refused("apply", n, "c1") == [ACK_MISSING]
        assert now.refused("receive", n, "n3", "c1", "ACK") == [NOT_SENT]
    now = now.then(("receive_request", "n3", "c1"), ("send_ack", "n3", "c1"))
    with pytest.raises(Refused, match=f"^not so: {ACK_MISSING}\n"):
        now.then(("apply", "n1", "c1"))
    assert now.then(("receive", "n1", "n3", "c1", "ACK")).refused("apply", "n1", "c1") == []


def test_that_one_member_has_confirmed_and_applied_confirms_nothing_for_another(group):
    """Claims 1(b), 7(b).receipt, 12(b).receipt and 13(a).receipt: each node itself confirms."""
    heard = [("receive", "n1", m, "c1", "ACK") for m in ("n2", "n3")]
    now = run(group(3, 1), [*acked(THREE), *heard, ("apply", "n1", "c1"), ("send_ok", "n1", "c1")])
    for n in ("n2", "n3"):
        assert now.then(("receive", n, "n1", "c1", "OK")).refused("apply", n, "c1") == [ACK_MISSING]


def test_a_member_acks_what_it_has_received_once_and_keeps_its_pre_image(group):
    """Claims 4, 9 and 16: the ack is its part in the round, also towards itself."""
    start = run(group(2, 2), [*committed(TWO), ("request", "n2", "c2")])
    assert start.refused("send_ack", "n1", "c2") == [NOT_TO_ANSWER]
    now = start.then(("receive_request", "n1", "c2"))
    assert now["phase[n1, c2]"] == "RECEIVED"
    assert now.changes(("send_ack", "n1", "c2")) == {
        "phase[n1, c2]": "ACKED",
        "pre_image[n1]": "v2",
        "sent[n1, c2, ACK]": "true",
        "heard[n1, n1, ACK]": "true",
    }
    after = now.then(("send_ack", "n1", "c2"))
    assert after.refused("send_ack", "n1", "c2")[0] == NOT_TO_ANSWER
    assert after.refused("send_busy", "n1", "c2")[0] == NOT_TO_ANSWER


def test_an_ack_heard_without_having_acked_does_not_count(group):
    """Claims 4, 9 and 16: who confirms takes part in the round."""
    now = run(group(2, 1), [*received(TWO), ("send_ack", "n2", "c1")])
    assert now.refused("receive", "n1", "n2", "c1", "ACK") == [NOT_OPEN]
    assert now.refused("apply", "n1", "c1") == [NOT_ACKED, ACK_MISSING]
    now = now.then(("send_ack", "n1", "c1"), ("receive", "n1", "n2", "c1", "ACK"))
    assert now.refused("apply", "n1", "c1") == []


# --- apply and status round ------------------------------------------------------------------


def test_each_member_applies_the_asked_value_once_and_to_itself_or_fails_and_keeps_its_own(group):
    """Claims 1(c), 7(b).modify, 12(b).modify and 13(a).modify."""
    now = run(group(3, 2), confirmed(THREE, "c2"))
    for n in THREE:
        changed = {f"phase[{n}, c2]": "APPLIED", f"value[{n}]": "v3"}
        assert now.changes(("apply", n, "c2")) == changed
        now = now.then(("apply", n, "c2"))
        assert now.refused("apply", n, "c2") == [NOT_ACKED]
        assert now.refused("fail_to_apply", n, "c2") == [NOT_ACKED]
    assert now.of_all("value") == ["v3"] * 3
    failing = run(group(2, 1), confirmed(TWO))
    assert failing.changes(("fail_to_apply", "n2", "c1")) == {"phase[n2, c1]": "FAILED"}
    after = failing.then(("fail_to_apply", "n2", "c1"))
    assert after.refused("apply", "n2", "c1") == [NOT_ACKED]


def test_a_member_sends_the_status_of_its_own_apply_and_never_the_other_one(group):
    """Claims 1(d), 10 and 17; claims 5, 11 and 18: the status comes after the apply."""
    now = run(group(2, 1), confirmed(TWO))
    for n in TWO:
        assert now.refused("send_ok", n, "c1") == [NOT_APPLIED]
        assert now.refused("send_failure", n, "c1") == [NOT_FAILED]
    now = now.then(("apply", "n1", "c1"))
    assert now.refused("send_failure", "n1", "c1") == [NOT_FAILED]
    assert now.refused("send_ok", "n2", "c1") == [NOT_APPLIED]
    said = {"sent[n1, c1, OK]": "true", "heard[n1, n1, OK]": "true"}
    assert now.changes(("send_ok", "n1", "c1")) == said
    now = now.then(("fail_to_apply", "n2", "c1"))
    assert now.refused("send_ok", "n2", "c1") == [NOT_APPLIED]
    said = {"sent[n2, c1, FAILURE]": "true", "heard[n2, n2, FAILURE]": "true"}
    assert now.changes(("send_failure", "n2", "c1")) == said


@pytest.mark.parametrize("nodes", [TWO, THREE], ids=len)
def test_commit_is_refused_while_one_ok_is_missing_and_enabled_by_the_last(group, nodes):
    """Claims 5, 7(b).status, 11, 13(a).status and 18: whichever status comes last, also its own."""
    instance = group(len(nodes), 1)
    steps = applied(nodes)
    for n in nodes:
        for order in permutations(m for m in nodes if m != n):
            now = run(instance, steps)
            for m in order:
                assert now.refused("commit", n, "c1") == [OK_MISSING]
                now = now.then(("receive", n, m, "c1", "OK"))
            assert now.changes(("commit", n, "c1")).items() >= {
                (f"phase[{n}, c1]", "COMMITTED"),
                (f"epoch[{n}]", "1"),
            }
    silent = run(instance, [s for s in steps if s != ("send_ok", "n1", "c1")])
    silent = silent.then(*(("receive", "n1", m, "c1", "OK") for m in nodes[1:]))
    assert silent.refused("commit", "n1", "c1") == [OK_MISSING]


def test_each_member_confirms_every_status_for_itself(group):
    """Claims 7(b).status, 12(b).status and 13(a).status: no commit is made for another."""
    now = run(group(3, 1), applied(THREE))
    now = now.then(*(("receive", "n1", m, "c1", "OK") for m in ("n2", "n3")))
    now = now.then(("commit", "n1", "c1"))
    assert now.of_all("phase", "c1") == ["COMMITTED", "APPLIED", "APPLIED"]
    assert now.of_all("epoch") == ["1", "0", "0"]
    for n in ("n2", "n3"):
        assert now.refused("commit", n, "c1") == [OK_MISSING]
        assert now.refused("undo", n, "c1") == [NO_FAILURE]


# --- decision --------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [TWO, THREE], ids=len)
def test_one_failure_makes_every_member_undo_by_itself_back_to_the_pre_image(group, nodes):
    """Claims 1(e), 1(f), 7(b).undo, 12(b).undo and 13(a).undo, also where it had applied.
    The pre-image is the value of the last commit, not that of the start.
    """
    *others, last = nodes
    now = run(group(len(nodes), 2), [*committed(nodes), *failed_at_last(nodes, "c2")])
    assert now.of_all("value") == ["v3"] * len(others) + ["v2"]
    for n in others:
        now = now.then(*(("receive", n, m, "c2", "OK") for m in others if m != n))
        assert now.refused("undo", n, "c2") == [NO_FAILURE]
        now = now.then(("receive", n, last, "c2", "FAILURE"))
        assert now.refused("commit", n, "c2") == [OK_MISSING]
        before = now
        now = now.then(("undo", n, "c2"))
        assert (now[f"value[{n}]"], now[f"phase[{n}, c2]"]) == ("v2", "UNDONE")
        for m in nodes:
            if m != n:
                assert now[f"value[{m}]"] == before[f"value[{m}]"]
                assert now[f"phase[{m}, c2]"] == before[f"phase[{m}, c2]"]
    now = now.then(("undo", last, "c2"))
    assert now.of_all("phase", "c2") == ["UNDONE"] * len(nodes)
    assert now.of_all("value") == ["v2"] * len(nodes)
    assert now.of_all("epoch") == ["1"] * len(nodes)


def test_a_member_that_has_not_applied_closes_the_change_on_a_failure_and_never_applies(group):
    """Claims 1(e) and 12(b).undo."""
    heard = [("receive", "n3", m, "c1", "ACK") for m in TWO]
    failed = [*acked(THREE), *heard, ("fail_to_apply", "n3", "c1")]
    now = run(group(3, 1), failed)
    assert now.refused("receive", "n1", "n3", "c1", "FAILURE") == [NOT_SENT]
    assert now.refused("undo", "n3", "c1") == [NO_FAILURE]
    now = now.then(("send_failure", "n3", "c1"), ("receive", "n1", "n3", "c1", "FAILURE"))
    assert now.refused("undo", "n2", "c1") == [NO_FAILURE]
    now = now.then(("undo", "n1", "c1"))
    assert (now["phase[n1, c1]"], now["value[n1]"]) == ("UNDONE", "v1")
    assert now.refused("apply", "n1", "c1")[0] == NOT_ACKED
    assert now.refused("receive", "n1", "n2", "c1", "ACK") == [NOT_OPEN]


def test_a_decided_change_stays_decided_whatever_is_heard_about_the_next_one(group):
    """Claims 1(f), 7(b).status, 7(b).undo and C6."""
    second = run(group(2, 2), [*committed(TWO), *confirmed(TWO, "c2")])
    assert second.refused("apply", "n1", "c2") == []
    assert second.refused("apply", "n1", "c1") == [NOT_ACKED]
    assert second.refused("fail_to_apply", "n1", "c1") == [NOT_ACKED]
    good = second.then(*(("apply", n, "c2") for n in TWO), *(("send_ok", n, "c2") for n in TWO))
    good = good.then(*hear(TWO, "OK", "c2"))
    assert good.refused("commit", "n1", "c2") == []
    assert good.refused("commit", "n1", "c1") == [NOT_APPLIED]
    bad = run(group(2, 2), [*committed(TWO), *failed_at_last(TWO, "c2")])
    bad = bad.then(("receive", "n1", "n2", "c2", "FAILURE"))
    assert bad.refused("undo", "n1", "c2") == []
    assert bad.refused("undo", "n1", "c1") == [NOT_OPEN]


# --- the network -----------------------------------------------------------------------------


def test_what_is_sent_once_each_member_receives_in_any_order_and_twice(group):
    """Claim 6: request, acks and statuses."""
    now = run(group(3, 1), [("request", "n2", "c1")])
    for n in ("n3", "n1", "n2"):
        now = now.then(("receive_request", n, "c1"), ("send_ack", n, "c1"))
        assert now.refused("receive_request", n, "c1") == [SEEN_BEFORE]
    for n in TWO:  # an ok of n3 overtakes the ack of n1 or n2
        now = now.then(("receive", n, "n3", "c1", "ACK"), ("receive", "n3", n, "c1", "ACK"))
    now = now.then(("apply", "n3", "c1"), ("send_ok", "n3", "c1"))
    for n, m in permutations(TWO):
        assert now.changes(("receive", n, "n3", "c1", "OK")) == {f"heard[{n}, n3, OK]": "true"}
        assert now.changes(("receive", n, "n3", "c1", "ACK")) == {}
        assert now["heard[n3, n3, OK]"] == "true"
        now = now.then(("receive", n, "n3", "c1", "OK"), ("receive", n, m, "c1", "ACK"))
        now = now.then(("apply", n, "c1"), ("send_ok", n, "c1"))
    now = now.then(*hear(THREE, "OK"), *(("commit", n, "c1") for n in THREE))
    assert now.of_all("value") == ["v2"] * 3


@pytest.mark.parametrize(
    ("sent", "kind", "decide", "value"),
    [
        (acked(TWO), "ACK", "apply", "v2"),
        (applied(TWO), "OK", "commit", "v2"),
        (failed_at_last(TWO), "FAILURE", "undo", "v1"),
    ],
    ids=["ack", "ok", "failure"],
)
def test_a_lost_message_leaves_the_change_open_until_it_is_received_later(
    group, sent, kind, decide, value
):
    """Claims 6, 12(b).status and 12(b).undo: the other member goes on, this one waits."""
    now = run(group(2, 1), sent)
    if kind != "FAILURE":
        now = now.then(("receive", "n2", "n1", "c1", kind))
    now = now.then((decide, "n2", "c1"))
    for name in ("apply", "fail_to_apply", "commit", "undo", "close_busied"):
        assert now.refused(name, "n1", "c1"), name
    assert now.refused("receive", "n1", "n2", "c1", kind) == []
    late = now.then(("receive", "n1", "n2", "c1", kind), (decide, "n1", "c1"))
    assert late.of_all("phase", "c1")[0] == late.of_all("phase", "c1")[1]
    assert late.of_all("value") == [value, value]


# --- several changes -------------------------------------------------------------------------


def test_a_late_ack_of_the_first_change_does_not_count_for_the_second(group):
    """Claims 4, 9, 16 and C6; nor does what was heard about the first, however it ended."""
    for end in (committed(TWO), [*failed_at_last(TWO), ("receive", "n1", "n2", "c1", "FAILURE")]):
        now = run(group(2, 2), end)
        if now["phase[n1, c1]"] != "COMMITTED":
            now = now.then(("undo", "n1", "c1"), ("undo", "n2", "c1"))
        now = now.then(*received(TWO, "c2"), ("send_ack", "n1", "c2"))
        assert now["phase[n1, c2]"] == "ACKED"
        assert now.refused("receive", "n1", "n2", "c1", "ACK") == [NOT_OPEN]
        assert now.refused("apply", "n1", "c2") == [ACK_MISSING]
        assert now.refused("undo", "n1", "c2") == [NO_FAILURE]

        now = now.then(("send_ack", "n2", "c2"), ("receive", "n1", "n2", "c2", "ACK"))
        now = now.then(("apply", "n1", "c2"), ("send_ok", "n1", "c2"))
        assert now.refused("commit", "n1", "c2") == [OK_MISSING]


def test_a_duplicate_request_after_an_undo_is_not_answered_again(group):
    """Claims 1(f) and C6: an undone change id is never opened a second time."""
    heard = ("receive", "n1", "n2", "c1", "FAILURE")
    now = run(
        group(2, 1), [*failed_at_last(TWO), heard, ("undo", "n1", "c1"), ("undo", "n2", "c1")]
    )
    for n in TWO:
        assert now.refused("receive_request", n, "c1") == [SEEN_BEFORE]
        assert now.refused("send_ack", n, "c1") == [NOT_TO_ANSWER]
        assert NOT_TO_ANSWER in now.refused("send_busy", n, "c1")
        assert now.refused("request", n, "c1") == ["c is a new change id"]


def test_two_rivals_turn_each_other_down_close_and_use_up_no_epoch(group):
    """Claim C6."""
    now = run(group(2, 3), [("request", "n1", "c1"), ("request", "n2", "c2")])
    now = now.then(*(("receive_request", n, c) for n in TWO for c in ("c1", "c2")))
    assert now.refused("send_busy", "n1", "c1") == [NO_RIVAL]
    now = now.then(("send_ack", "n1", "c1"), ("send_ack", "n2", "c2"))
    assert now.refused("send_ack", "n1", "c2") == [OTHER_OPEN]
    assert now.refused("close_busied", "n1", "c1") == [NO_BUSY]

    turned_down = {"phase[n1, c2]": "UNDONE", "sent[n1, c2, BUSY]": "true"}
    assert now.changes(("send_busy", "n1", "c2")) == turned_down
    now = now.then(("send_busy", "n1", "c2"), ("send_busy", "n2", "c1"))
    now = now.then(("receive", "n1", "n2", "c1", "BUSY"), ("receive", "n2", "n1", "c2", "BUSY"))
    assert now.refused("apply", "n1", "c1") == [ACK_MISSING]
    assert now.refused("close_busied", "n1", "c2") == [NOT_ACKED]
    now = now.then(("close_busied", "n1", "c1"), ("close_busied", "n2", "c2"))
    for c in ("c1", "c2"):
        assert now.of_all("phase", c) == ["UNDONE", "UNDONE"]
    assert now.of_all("value") == ["v1", "v1"]
    assert now.of_all("epoch") == ["0", "0"]

    # A third change starts from the same epoch; no busy answer of the first two is left over.
    third = now.then(*acked(TWO, "c3"))
    assert third.refused("close_busied", "n1", "c3") == [NO_BUSY]
    third = now.then(*committed(TWO, "c3"))
    assert third.of_all("epoch") == ["1", "1"]
    assert third.of_all("value") == ["v4", "v4"]


def test_a_request_from_an_epoch_that_another_change_has_used_up_is_turned_down(group):
    """Claim C6: nothing is open, and still the late change commits nowhere."""
    now = run(group(2, 3), [("request", "n2", "c2"), *committed(TWO)])
    now = now.then(*(("receive_request", n, "c2") for n in TWO))
    for n in TWO:
        assert now.refused("send_ack", n, "c2") == [OTHER_EPOCH]
        now = now.then(("send_busy", n, "c2"))
    assert now.of_all("phase", "c2") == ["UNDONE", "UNDONE"]
    assert now.of_all("epoch") == ["1", "1"]
    assert now.of_all("value") == ["v2", "v2"]

    fresh = now.then(*received(TWO, "c3"))
    assert fresh["base[c3]"] == "1"
    assert fresh.refused("send_ack", "n1", "c3") == []
    assert fresh.refused("send_busy", "n1", "c3") == [NO_RIVAL]
