"""The message layer against the spec `link`: every step, and channels that are wrong.

Claims 3.maximum_fragment_size, 3.message_retry_timer, 3.maximum_message_retry_time,
3.send_queue_overflow_threshold and 3.message_send_window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from samebeat.channel import Channel, Holds
from samebeat.messages import Fragment, FragmentAck, Notice
from samebeat.parameters import Settings
from samebeat.receiving import Receiving
from samebeat.sending import Failure, Sending
from samebeat_conformance.layer.ends import Ends
from samebeat_conformance.layer.instances import LISTED, find
from samebeat_conformance.layer.mapping import MAPPED, Mapping
from samebeat_conformance.layer.run import conform
from samebeat_conformance.layer.steps import ABOUT, MAY
from samebeat_conformance.run import AT_ONCE, NEVER, ONE_BY_ONE, Outcome
from samebeat_models.results import Verdict
from samebeat_spec.specs import load_spec

Patch = pytest.MonkeyPatch


def explored(name: str, most_pairs: int = 1_000_000) -> Outcome:
    """What comes of one listed channel."""
    listed = find(name)
    assert listed is not None
    return conform(listed, most_pairs)


FAST = {
    "link-fragments": (63, 178, (178, 178), 218),
    "link-order": (677, 2_668, (2_615, 2_668), 1_838),
}
SLOW = {
    "link-overflow": (4_899, 21_908, (21_010, 21_908), 12_028),
    "link-one-by-one": (1_726, 8_413, (8_078, 8_413), 5_308),
    "link-size": (257, 1_001, (997, 1_001), 12_842),
    "link-window": (6_156, 38_072, (36_006, 38_072), 367_780),
    "link-three": (16_072, 94_698, (89_013, 94_698), 40_784),
}
"""States and steps of the spec, steps that each grain takes, and product states of both."""


def test_every_variable_of_the_spec_is_read_off_the_channel() -> None:
    assert {v.name for v in load_spec("link").variables} == MAPPED


def test_a_channel_with_a_limit_that_the_instance_does_not_have_has_no_place_in_it() -> None:
    listed = find("link-order")
    assert listed is not None
    mapping = Mapping(listed.instance)
    ends = Ends(mapping.datas(), mapping.start_settings())
    size, window, last, queue, flight = ends.sender.sending
    narrow = replace(ends.sender, sending=(size, window - 1, last, queue, flight))
    assert mapping.has_place(ends.sender, ends.receiver)
    assert not mapping.has_place(narrow, ends.receiver)


def test_every_kind_of_input_is_some_action_and_every_action_some_kind_of_input() -> None:
    actions = {a.name for a in load_spec("link").actions}
    assert {action for may in MAY.values() for action in may} == actions
    assert actions >= ABOUT


def test_every_listed_channel_is_pinned() -> None:
    untimed = {listed.name for listed in LISTED if not listed.times}
    assert untimed == FAST.keys() | SLOW.keys()


def check(name: str, pinned: tuple[int, int, tuple[int, int], int]) -> None:
    """What is listed conforms, takes every step of the spec, and is as large as it was."""
    outcome = explored(name)
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.HOLDS
    found = outcome.found
    grains = (outcome.grains[AT_ONCE], outcome.grains[ONE_BY_ONE])
    assert (found.states, found.edges, grains, found.pairs) == pinned
    assert found.edges_covered == found.edges
    assert outcome.uncovered.total() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", FAST)
def test_a_channel_takes_every_step_of_the_spec_and_no_others(name: str) -> None:
    check(name, FAST[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_so_it_does_where_limits_change_and_queues_overflow(name: str) -> None:
    check(name, SLOW[name])


@pytest.mark.slow
def test_what_belongs_to_no_stream_changes_nothing() -> None:
    noise = explored("link-fragments").noise
    assert noise.failures == ()
    assert (noise.foreign, noise.garbage) == (398, 96)


def test_a_bound_is_no_pass() -> None:
    assert explored("link-fragments", most_pairs=20).verdict is Verdict.UNDETERMINED


# --- channels that are wrong ---------------------------------------------------------------------


def no_memory(patch: Patch) -> None:
    """A receiver that does not remember what it has delivered."""
    receive = Receiving.receive

    def forgets(self: Receiving, f: Fragment, *rest: Any) -> Any:
        if f.sequence < self.below:
            self.below = f.sequence
        return receive(self, f, *rest)

    patch.setattr(Receiving, "receive", forgets)


def window_off_by_one(patch: Patch) -> None:
    """A sender that has one message more under way."""
    window = Sending._window
    patch.setattr(Sending, "_window", lambda self, settings: window(self, settings) + 1)


def purges(patch: Patch) -> None:
    """A sender that drops what does not fit into a shorter queue."""
    follow = Channel.follow

    def cuts(self: Channel, now_ms: int, holds: Holds) -> None:
        follow(self, now_ms, holds)
        queue = self.sending.queue
        self.sending.queue = queue[: holds.settings.send_queue_overflow_threshold]

    patch.setattr(Channel, "follow", cuts)


def silent(patch: Patch) -> None:
    """A sender that gives up and tells nobody."""
    give_up = Sending.give_up

    def says_nothing(self: Sending, now_ms: int) -> list[tuple[bytes, Failure]]:
        give_up(self, now_ms)
        return []

    patch.setattr(Sending, "give_up", says_nothing)


def out_of_turn(patch: Patch) -> None:
    """A sender that gives up a later message first."""

    def only_that(self: Sending, now_ms: int) -> list[tuple[bytes, Failure]]:
        over = [m for m in self.flight if m.give_up_at_ms <= now_ms]
        self.flight = tuple(m for m in self.flight if m not in over)
        return [(m.data, Failure.GIVEN_UP) for m in over]

    patch.setattr(Sending, "give_up", only_that)


def never_retries(patch: Patch) -> None:
    """A sender that sends nothing again."""
    patch.setattr(Sending, "retry", lambda self, *_: iter(()))


def no_overflow(patch: Patch) -> None:
    """A queue without end."""

    def enqueue(self: Sending, data: bytes, settings: Settings) -> None:
        self.queue = (*self.queue, data)

    patch.setattr(Sending, "enqueue", enqueue)


def acks_before_delivery(patch: Patch) -> None:
    """A receiver that acks all of a message with its first fragment."""
    ack = Receiving._ack

    def early(self: Receiving, f: Fragment, *piece: int) -> FragmentAck:
        true, self.below = self.below, max(self.below, f.sequence + 1)
        said = ack(self, f, *piece)
        self.below = true
        return said

    patch.setattr(Receiving, "_ack", early)


def waits_for_what_was_given_up(patch: Patch) -> None:
    """A receiver that does not hear what the sender has closed."""

    def deaf(self: Receiving, floor: int) -> None:
        self.below = max(self.below, 1)

    patch.setattr(Receiving, "_skip_to", deaf)


def lowers_at_once(patch: Patch) -> None:
    """A receiver that does not wait for the drain."""
    patch.setattr(Receiving, "hold", lambda self, held: setattr(self, "takes", held))


def states_too_much(patch: Patch) -> None:
    """A sender that states its last commit, whatever is under way."""
    patch.setattr(Sending, "_states", lambda self, now_ms, epoch, settings: epoch)


def closes_too_much(patch: Patch) -> None:
    """A sender whose notices say that one message more is over."""
    news = Sending.news

    def one_more(self: Sending, *now: Any) -> Iterator[Notice]:
        yield from (structs.replace(n, floor=n.floor + 1) for n in news(self, *now))

    patch.setattr(Sending, "news", one_more)


def acks_what_is_too_large(patch: Patch) -> None:
    """A receiver that acks a late copy for which it has no buffer any more."""
    receive = Receiving.receive

    def takes_it_for_known(self: Receiving, f: Fragment, *now: Any) -> Any:
        if len(f.data) > self.takes.size:
            return self._ack(f), ()
        return receive(self, f, *now)

    patch.setattr(Receiving, "receive", takes_it_for_known)


WRONG: dict[Callable[[Patch], None], tuple[str, str]] = {
    no_memory: ("link-fragments", "known[0]: true -> false"),
    window_off_by_one: ("link-one-by-one", "fate[1]: NEW -> SENT"),
    purges: ("link-window", "fate[1]: QUEUED -> NEW"),
    silent: ("link-fragments", "fate[0]: SENT -> CONFIRMED"),
    out_of_turn: ("link-order", "fate[1]: SENT -> FAILED"),
    no_overflow: ("link-overflow", "fate[2]: NEW -> QUEUED"),
    acks_before_delivery: ("link-fragments", "ack_under_way[0]: false -> true"),
    waits_for_what_was_given_up: ("link-order", "held[1, f1]: false -> true"),
    lowers_at_once: ("link-size", "buffer_size: 1 -> 0"),
    states_too_much: ("link-size", "buffer_size: 1 -> 0"),
    closes_too_much: ("link-fragments", "known[0]: false -> true"),
    acks_what_is_too_large: ("link-size", "ack_under_way[0]: false -> true"),
}
"""Where a wrong channel is found out, and by which cell of the spec."""


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.__name__)
def test_a_channel_that_is_wrong_is_found_out(
    wrong: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    name, cell = WRONG[wrong]
    wrong(monkeypatch)
    outcome = explored(name)
    assert outcome.verdict is Verdict.VIOLATED
    assert cell in outcome.divergence


def test_a_channel_that_leaves_out_a_step_is_found_out(monkeypatch: Patch) -> None:
    """Nothing that it does is wrong; but nothing is ever sent again."""
    never_retries(monkeypatch)
    outcome = explored("link-fragments")
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.VIOLATED
    assert {a for a, reason in outcome.uncovered if reason == NEVER} == {"send_again"}


@pytest.mark.slow
def test_a_channel_that_sends_no_notices_is_found_out(monkeypatch: Patch) -> None:
    """Nothing that it does is wrong; but who hears nothing else keeps large buffers."""
    monkeypatch.setattr(Sending, "news", lambda self, *_: iter(()))
    outcome = explored("link-size")
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.VIOLATED
    assert "switch_buffers" in {a for a, reason in outcome.uncovered if reason == NEVER}
