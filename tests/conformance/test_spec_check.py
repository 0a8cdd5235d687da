"""Each thing that a core does in a run is held against the spec: in channels, at the event."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs
from tests.conformance import broken_cores

from samebeat import change, multicast, operations
from samebeat.config import Transport
from samebeat.effects import Purpose
from samebeat.journal import Open, Phase
from samebeat.messages import Ack, Message, Ok
from samebeat.parameters import Settings
from samebeat.state import State
from samebeat_conformance.simulator.cluster import Broken, Cluster, Observer, Setup
from samebeat_conformance.simulator.faults import (
    Ask,
    Crash,
    Cut,
    Fixed,
    Item,
    Kind,
    MessageFate,
    Pause,
    Restart,
    WorkFate,
)
from samebeat_conformance.simulator.run import SECOND_US
from samebeat_conformance.simulator.spec_check import SpecCheck

NAMES = ("a", "b", "c")
ASK = Ask(2 * SECOND_US, "a", (("heartbeat_interval", 2_000),))


class _Seen(Observer):
    """The inputs in words, up to the last one that was dealt with."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def settled(self, cluster: Cluster, node: str, what: str) -> None:
        self.words.append(what)


def run(
    items: Sequence[Item], until_s: int, transport: Transport = Transport.CHANNEL
) -> tuple[Cluster, SpecCheck, _Seen]:
    """Run three cores, held against the spec, from some faults alone."""
    setup = Setup(NAMES, transport=transport)
    check, seen = SpecCheck(NAMES, Settings(), transport), _Seen()
    cluster = Cluster(setup, Fixed(items), (seen, check))
    for item in items:
        if isinstance(item, Ask | Crash | Restart):
            cluster.schedule(item)
    cluster.run_until(until_s * SECOND_US)
    return cluster, check, seen


@pytest.mark.parametrize("transport", Transport)
def test_a_change_takes_the_steps_of_the_spec_once_each(transport: Transport) -> None:
    """Claims 1(a) to 1(d), note C5."""
    _, check, _ = run([ASK], 4, transport)
    assert check.steps["request"] == 1
    assert check.steps["send_ack"] == 2
    of_all = {name: n for name, n in check.steps.items() if name not in ("request", "send_ack")}
    assert of_all == {"apply": 3, "send_ok": 3, "hold": 3, "commit": 3}


def test_a_wrong_core_is_found_in_channels_at_the_event_that_is_no_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever commits on its own vote: the run ends where the first does, and not later."""
    broken_cores.commits_on_its_own_vote(monkeypatch)
    with pytest.raises(Broken, match="which is no step of the spec") as broken:
        run([ASK], 4)
    assert broken.value.promise == "step_of_the_spec"
    assert "ACKED -> COMMITTED" in broken.value.text or "APPLIED -> COMMITTED" in broken.value.text
    assert broken.value.text.startswith("the journal of ")


def test_what_leaves_a_channel_and_was_never_said_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A layer that makes an ok of an ack: the core has said nothing wrong."""
    says = multicast.say

    def say(s: State, to: str | None, message: Message) -> bool:
        body = message.body
        if isinstance(body, Ack):
            message = structs.replace(message, body=Ok(body.change))
        return says(s, to, message)

    monkeypatch.setattr(multicast, "say", say)
    with pytest.raises(Broken, match="sends what it has never said: Ok"):
        run([ASK], 4)


@pytest.mark.slow
def test_what_is_queued_and_never_leaves_counts_as_said() -> None:
    """A message that is delayed for ever: the spec has it, and nobody acts upon it."""
    lost = [MessageFate(n, "b", i, Kind.LOSS) for i in range(1, 60) for n in ("a", "c")]
    _, check, _ = run([ASK, *lost], 4)
    assert check.steps["request"] == 1
    assert check.steps["apply"] == 0


@pytest.mark.slow
def test_a_node_that_crashes_and_comes_back_is_followed_through_views() -> None:
    """Note C5."""
    down = Crash(3 * SECOND_US, "c")
    back = Restart(30 * SECOND_US, "c")
    later = Ask(20 * SECOND_US, "a", (("heartbeat_interval", 1_500),))
    cluster, check, _ = run([ASK, down, later, back], 60)
    steps = check.steps
    assert min(steps[s] for s in ("crash", "recover", "propose", "report", "begin_view")) > 0
    assert steps["commit"] == 6
    node = cluster.machines["c"].node
    assert node is not None
    assert node.view.members == NAMES


def _hanging(success: bool) -> list[Item]:
    """The first local operation restores; the second applies, and hangs."""
    return [ASK, WorkFate("b", 2, Kind.HANGING_APPLY, 40 * SECOND_US, success)]


@pytest.mark.slow
def test_an_operation_that_is_given_up_and_succeeds_late_is_undone() -> None:
    """Note C7."""
    _, check, _ = run(_hanging(True), 60)
    assert (check.steps["hang"], check.steps["finish_late"], check.steps["undo_late"]) == (1, 1, 1)


@pytest.mark.slow
def test_one_that_fails_late_leaves_the_node_free_again() -> None:
    """Note C7: for the spec it might as well have succeeded and been undone at once."""
    again = Ask(50 * SECOND_US, "b", (("heartbeat_interval", 1_500),))
    _, check, _ = run([*_hanging(False), again], 60)
    assert check.steps["hang"] == 1
    assert check.steps["request"] == 2
    assert check.steps["commit"] == 3


@pytest.mark.slow
def test_a_node_that_cannot_restore_is_for_the_spec_one_that_has_crashed() -> None:
    """Note C7: it takes itself out, and the others go on in a view without it."""
    down, back = Crash(3 * SECOND_US, "c"), Restart(4 * SECOND_US, "c")
    fails = WorkFate("c", 3, Kind.FAILING_UNDO, SECOND_US, False)
    cluster, check, seen = run([ASK, down, back, fails], 60)
    assert cluster.setup.drops_out >= {Purpose.RESTORE}
    assert "RESTORE of c fails" in seen.words
    assert check.steps["crash"] == 2
    assert check.steps["recover"] == 1
    node = cluster.machines["a"].node
    assert node is not None
    assert node.view.members == ("a", "b")


def test_a_core_that_fails_a_change_without_every_ack_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claim 1(b)."""

    def apply(s: State, o: Open) -> bool:
        if o.phase is not Phase.ACKED or o.id.initiator == s.config.me:
            return False
        operations.fail(s, o)
        return True

    monkeypatch.setattr(change, "apply", apply)
    with pytest.raises(Broken, match="step_of_the_spec"):
        run([ASK], 4)


@pytest.mark.slow
def test_what_is_adopted_is_kept_although_others_have_gone_on_since() -> None:
    """Note C8, found by seed 1094: a slow adoption, and another commit before it is over.

    The core used the first value, and neither kept nor said it, until it had adopted the second.
    """
    down, back = Crash(4 * SECOND_US, "c"), Restart(18 * SECOND_US, "c")
    one = Ask(16 * SECOND_US, "b", (("heartbeat_interval", 1_500),))
    two = Ask(19 * SECOND_US, "b", (("heartbeat_interval", 700),))
    slow = WorkFate("c", 4, Kind.SLOW_APPLY, 4 * SECOND_US)
    cluster, check, seen = run([ASK, down, one, back, two, slow], 40)
    assert seen.words.count("ADOPT of c succeeds") == 2
    assert check.steps["commit"] == 9
    node = cluster.machines["c"].node
    assert node is not None
    assert node.journal.epoch == 3


# --- faults that are counted have happened -------------------------------------------------------


def test_a_message_into_a_partition_has_no_other_fate() -> None:
    cut = Cut(SECOND_US, 5 * SECOND_US, ("a",), ("b", "c"))
    lost = [MessageFate("a", "b", number, Kind.LOSS) for number in range(1, 200)]
    cluster = Cluster(Setup(NAMES), Fixed(lost))
    cluster.run_until(SECOND_US)
    before = cluster.counts[Kind.LOSS]
    cluster.happen(cut)
    cluster.run_until(3 * SECOND_US)
    assert cluster.counts[Kind.PARTITION] == 1
    assert cluster.counts[Kind.LOSS] == before > 0


def test_who_is_down_is_not_paused() -> None:
    cluster = Cluster(Setup(NAMES), Fixed(()))
    cluster.happen(Crash(0, "c"))
    cluster.happen(Pause(0, 5 * SECOND_US, "c"))
    cluster.happen(Pause(0, 5 * SECOND_US, "b"))
    assert cluster.counts[Kind.PAUSE] == 1
    assert cluster.machines["c"].paused_until_us == 0
