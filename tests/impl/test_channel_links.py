"""Whatever a link does: in order, at most once, delivered or reported, within bounds (claim 3).

Loss, copies, reordering, restarts of either node, and changes of all five parameters meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from samebeat.messages import Fragment
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import Receiving
from samebeat.sending import Failure, Overflow
from samebeat_conformance.linked import Linked

DELAY_MS = 30
PEER = {"a": "b", "b": "a"}
CHOICES = tuple(
    Settings(
        message_retry_timer=60 + 20 * i,
        maximum_message_retry_time=retry_time,
        maximum_fragment_size=size,
        message_send_window=window,
        send_queue_overflow_threshold=threshold,
    )
    for i, (retry_time, size, window, threshold) in enumerate(
        [(300, 64, 1, 2), (300, 400, 8, 20), (2_000, 64, 8, 2), (2_000, 100, 2, 20)]
    )
)
Step: TypeAlias = tuple[str, str, int]
"""What happens, to whom, and how much of it."""

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from("ab"), st.integers(1, 300)),
        st.tuples(st.just("run"), st.just(""), st.integers(0, 400)),
        st.tuples(st.just("restart"), st.sampled_from("ab"), st.just(0)),
        st.tuples(st.just("open"), st.just(""), st.integers(0, 3)),
        st.tuples(st.just("end"), st.sampled_from("ab"), st.integers(0, 3)),
    ),
    max_size=25,
)


@dataclass
class Story:
    """A link, and what was said on it.

    Attributes:
        said: what each node has enqueued since it last started, and before that.
    """

    link: Linked
    said: dict[str, list[bytes]] = field(default_factory=lambda: {"a": [], "b": []})
    forgotten: set[bytes] = field(default_factory=set)
    number: int = 0

    def do(self, what: str, name: str, amount: int) -> None:
        """Let one thing happen."""
        link = self.link
        open_at = [n for n in "ab" if link.ends[n].opened]
        if what == "say":
            self.say(name, amount)
        elif what == "run":
            link.run(amount)
        elif what == "restart":
            sending = link.ends[name].channel.sending
            self.forgotten |= {*sending.queue, *(m.data for m in sending.flight)}
            link.restart(name)
        elif what == "open" and not open_at and link.ends["a"].epoch == link.ends["b"].epoch:
            for n in "ab":
                link.open(n, CHOICES[amount])
        elif what == "end" and name in open_at:
            if amount == 0 and open_at == ["a", "b"]:
                link.undo("a")
                link.undo("b")
            else:
                link.commit(name)

    def say(self, name: str, length: int) -> None:
        """Send a message that there was not before; a full queue turns it down."""
        self.number += 1
        data = b"%d;" % self.number + bytes(length)
        try:
            self.link.enqueue(name, data)
        except Overflow:
            return
        self.said[name].append(data)

    def check(self) -> None:
        """In order and at most once, always; and everything within bounds."""
        for name, end in self.link.ends.items():
            places = [self.said[PEER[name]].index(data) for data in end.delivered]
            assert places == sorted(set(places)), "in order, and at most once"
            receiving, sending = end.channel.receiving, end.channel.sending
            assert len(receiving.partials) <= receiving.takes.window
            span = sending.last + 1 - sending.floor
            assert len(sending.flight) <= span <= max(c.message_send_window for c in CHOICES)

    def unaccounted_for(self) -> set[bytes]:
        """Return what was neither delivered nor reported, though its sender has not stopped."""
        left: set[bytes] = set()
        for name, end in self.link.ends.items():
            come = set(self.link.ends[PEER[name]].delivered)
            reported = {data for _, data, _ in end.failed}
            left |= set(self.said[name]) - come - reported - self.forgotten
        return left


def tell(steps: list[Step], seed: int) -> Story:
    """Let a story happen on a bad link, and then let the link be a good one."""
    rng = Random(seed)
    story = Story(Linked(CHOICES[seed % 4], Assumptions(delay_ms=DELAY_MS)))
    story.link.fate = lambda source, piece: [
        rng.randint(0, DELAY_MS) for _ in range(rng.choice((0, 1, 1, 2)))
    ]
    for step in steps:
        story.do(*step)
        story.check()
    story.link.fate = lambda source, piece: [1]
    story.link.run(10_000)
    story.check()
    return story


@settings(max_examples=12, deadline=None)
@given(STEPS, st.integers(0, 2**16))
def test_messages_come_in_order_and_once_or_are_reported(steps: list[Step], seed: int) -> None:
    """Properties in_order, at_most_once, in_flight_fits and queue_never_purged."""
    story = tell(steps, seed)  # looks at order and bounds after each step
    assert story.unaccounted_for() == set()


def busy(seed: int) -> list[Step]:
    """A long story in which all of it happens."""
    rng = Random(seed)
    steps: list[Step] = []
    for _ in range(60):
        steps += [("say", rng.choice("ab"), rng.randint(1, 300)) for _ in range(rng.randint(0, 4))]
        steps.append(("run", "", rng.choice((0, 5, 50, 400))))
        if rng.random() < 0.3:
            steps += [("open", "", rng.randrange(4)), ("end", rng.choice("ab"), rng.randrange(4))]
            steps += [("run", "", 40), ("end", "a", 1), ("end", "b", 1)]
        if rng.random() < 0.08:
            steps.append(("restart", rng.choice("ab"), 0))
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_long_stories_end_well(seed: int) -> None:
    story = tell(busy(seed), seed)
    assert story.unaccounted_for() == set()
    assert sum(len(end.delivered) for end in story.link.ends.values()) > 20


def test_stories_have_what_they_are_about() -> None:
    """Give-ups, restarts, several epochs, messages in many fragments, a full queue."""
    stories = [tell(busy(seed), seed) for seed in (3, 5)]
    ends = [end for story in stories for end in story.link.ends.values()]
    assert {why for end in ends for *_, why in end.failed} >= {Failure.RESTARTED}
    assert max(end.epoch for end in ends) > 2
    assert max(f.index for story in stories for _, f in story.link.fragments()) >= 4
    assert any(len(s.said["a"]) + len(s.said["b"]) < s.number for s in stories)


def test_a_receiver_that_does_not_look_to_whom_it_was_sent_delivers_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: the boot of the receiver is needed."""
    receive = Receiving.receive

    def to_anybody(self: Receiving, f: Fragment, *rest: Any) -> Any:
        return receive(self, structs.replace(f, to=self.me), *rest)

    monkeypatch.setattr(Receiving, "receive", to_anybody)
    story = Story(Linked(CHOICES[1], Assumptions(delay_ms=DELAY_MS)))
    story.link.fate = lambda source, piece: [0, DELAY_MS]
    story.say("a", 5)
    for step in (("run", "", 0), ("restart", "b", 0), ("run", "", DELAY_MS)):
        story.do(*step)
    with pytest.raises(AssertionError, match="at most once"):
        story.check()


def test_a_receiver_that_does_not_wait_for_what_is_missing_loses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: it would ack what it has skipped, and nobody would be told."""
    receive = Receiving.receive

    def at_once(self: Receiving, f: Fragment, *rest: Any) -> Any:
        return receive(self, structs.replace(f, floor=f.sequence), *rest)

    monkeypatch.setattr(Receiving, "receive", at_once)
    story = Story(Linked(CHOICES[1], Assumptions(delay_ms=DELAY_MS)))
    delays = iter((20, 10))
    story.link.fate = lambda source, piece: [next(delays, 0)]
    story.say("a", 5)
    story.say("a", 5)
    story.do("run", "", 400)
    story.check()
    assert story.unaccounted_for()
