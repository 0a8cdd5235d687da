"""The message layer in time: every step of `timed_link` at its tick, and channels that are wrong.

Claims 3.message_retry_timer and 3.maximum_message_retry_time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from samebeat.channel import Channel, Holds
from samebeat.messages import Fragment
from samebeat.parameters import Assumptions, Settings, problems
from samebeat.receiving import Receiving, Takes
from samebeat.sending import Sending, Sent
from samebeat_conformance.layer.instances import LISTED, Listed, find
from samebeat_conformance.layer.run import conform
from samebeat_conformance.layer.timed import MAY_IN_TIME, TICK_MS, TimedMapping
from samebeat_conformance.run import AT_ONCE, ONE_BY_ONE, Outcome
from samebeat_models.results import Verdict
from samebeat_spec.specs import load_spec

Patch = pytest.MonkeyPatch

PINNED = {
    "retries-one": (244, 733, (715, 733), 760),
    "retries-change": (772, 3_259, (3_191, 3_259), 13_154),
    "retries-one-by-one": (1_911, 6_638, (5_813, 6_638), 4_348),
    "retries-two": (6_186, 28_058, (24_274, 28_058), 12_901),
}
"""States and steps of the spec, steps that each grain takes, and product states of both."""


def listed(name: str) -> Listed:
    """A listed channel."""
    found = find(name)
    assert found is not None
    return found


def test_every_variable_of_the_spec_is_read_off_the_channel() -> None:
    assert {v.name for v in load_spec("timed_link").variables} == TimedMapping.mapped


def test_every_kind_of_input_is_some_action_and_every_action_some_kind_of_input() -> None:
    """But for sizes and windows, which have one value here."""
    actions = {a.name for a in load_spec("timed_link").actions}
    sizes = ("fragment_size", "buffers", "window", "places", "threshold")
    assert {a for may in MAY_IN_TIME.values() for a in may} == actions - {
        f"switch_{name}" for name in sizes
    }


def test_every_listed_channel_with_a_clock_is_pinned() -> None:
    assert {c.name for c in LISTED if c.times} == PINNED.keys()


@pytest.mark.parametrize("name", PINNED)
def test_the_settings_of_a_listed_channel_suit_its_delay(name: str) -> None:
    """W of the core is W of the spec: X and the delay."""
    mapping = TimedMapping(listed(name).instance)
    assumed = Assumptions(delay_ms=mapping.delay * TICK_MS)
    memories = mapping.instance.constant_values["memory_ticks"]
    for i, settings in enumerate(mapping.every_settings()):
        assert not [p for p in problems(settings, assumed) if "retry" in p]
        assert Takes.of(settings, assumed).memory_ms == memories[i,] * TICK_MS


@pytest.mark.slow
@pytest.mark.parametrize("name", PINNED)
def test_a_channel_takes_every_step_of_the_spec_at_its_tick_and_no_others(name: str) -> None:
    outcome = conform(listed(name))
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.HOLDS
    found = outcome.found
    grains = (outcome.grains[AT_ONCE], outcome.grains[ONE_BY_ONE])
    assert (found.states, found.edges, grains, found.pairs) == PINNED[name]
    assert found.edges_covered == found.edges
    assert outcome.noise.failures == ()
    assert outcome.noise.foreign > 0


# --- channels that are wrong ---------------------------------------------------------------------


def memory_without_delay(patch: Patch) -> None:
    """A receiver that forgets when the sender gives up, though a copy may still come."""
    of = Takes.of

    def too_short(settings: Settings, assumed: Assumptions) -> Takes:
        return of(settings, replace(assumed, delay_ms=0))

    patch.setattr(Takes, "of", too_short)


def remembers_from_the_first(patch: Patch) -> None:
    """A receiver whose memory counts from the first copy of a stream, and not from the last."""
    hear = Receiving._hear

    def does_not_count(self: Receiving, *said: Any) -> int:
        known, before_ms = bool(self.boot and self.below > 1), self.heard_ms
        below = hear(self, *said)
        self.heard_ms = before_ms if known else self.heard_ms
        return below

    patch.setattr(Receiving, "_hear", does_not_count)


def never_forgets(patch: Patch) -> None:
    """A receiver without an end of its memory."""
    patch.setattr(Receiving, "forgets_at", lambda self: None)


def retries_for_ever(patch: Patch) -> None:
    """A sender that gives nothing up."""
    patch.setattr(Sending, "give_up", lambda self, now_ms: [])
    patch.setattr(Sent, "due_ms", property(lambda self: self.retry_at_ms))


def gives_up_early(patch: Patch) -> None:
    """A sender that gives up a tick too early, if it does anything then."""
    give_up = Sending.give_up
    patch.setattr(Sending, "give_up", lambda self, now_ms: give_up(self, now_ms + TICK_MS))


def gives_up_late(patch: Patch) -> None:
    """A sender that takes X for one tick more than it is."""
    change_times(patch, 0, TICK_MS)


def retries_early(patch: Patch) -> None:
    """A sender that takes the retry timer for one tick less, the first time."""
    change_times(patch, -TICK_MS, 0)


def change_times(patch: Patch, retry_ms: int, give_up_ms: int) -> None:
    send_next = Sending.send_next

    def otherwise(self: Sending, *now: Any) -> Iterator[Fragment]:
        yield from send_next(self, *now)
        x = self.flight[-1]
        at = (x.retry_at_ms + retry_ms, x.give_up_at_ms + give_up_ms)
        self.flight = (*self.flight[:-1], replace(x, retry_at_ms=at[0], give_up_at_ms=at[1]))

    patch.setattr(Sending, "send_next", otherwise)


def wakes_late(patch: Patch) -> None:
    """A sender that asks to be called a tick too late."""
    next_timer = Sending.next_timer

    def later(self: Sending) -> int | None:
        at = next_timer(self)
        return None if at is None else at + TICK_MS

    patch.setattr(Sending, "next_timer", later)


def retries_once(patch: Patch) -> None:
    """A sender whose retry timer is not set again."""

    def no_timer(self: Sending, *_: Any) -> Iterator[Fragment]:
        self.flight = tuple(replace(x, retry_at_ms=x.give_up_at_ms) for x in self.flight)
        yield from ()

    patch.setattr(Sending, "retry", no_timer)


def says_that_what_is_over_is_open(patch: Patch) -> None:
    """A channel that sends a new message before it gives up an old one, as ours once did."""

    def sends_first(self: Channel, now_ms: int, holds: Holds) -> None:
        self._out(self.sending.send(now_ms, holds.epoch, holds.settings))
        self._out(self.sending.news(now_ms, holds.epoch, holds.settings))

    patch.setattr(Channel, "_send", sends_first)


def lowers_at_once(patch: Patch) -> None:
    """A receiver that takes a shorter memory before it hears that this suffices."""
    patch.setattr(Receiving, "hold", lambda self, held: setattr(self, "takes", held))


def states_too_much(patch: Patch) -> None:
    """A sender that states its last commit, whatever is under way."""
    patch.setattr(Sending, "_states", lambda self, now_ms, epoch, settings: epoch)


WRONG: dict[Callable[[Patch], None], tuple[str, str]] = {
    memory_without_delay: ("retries-one", "known[0]: true -> false"),
    remembers_from_the_first: ("retries-one", "ack_age_ticks[0]: 1 -> 0"),
    never_forgets: ("retries-one", "since_heard_ticks: 6 -> 0"),
    retries_for_ever: ("retries-one", "since_first_ticks[0]: 5 -> 6"),
    gives_up_early: ("retries-one", "fate[0]: SENT -> FAILED"),
    gives_up_late: ("retries-one", "fate[0]: NEW -> SENT"),
    retries_early: ("retries-one", "since_sent_ticks[0]: 0 -> 1"),
    wakes_late: ("retries-one", "since_sent_ticks[0]: 2 -> 3"),
    retries_once: ("retries-one", "since_sent_ticks[0]: 2 -> 0"),
    says_that_what_is_over_is_open: ("retries-two", "under_way[1, f1, 0]: false -> true"),
    lowers_at_once: ("retries-change", "memory: 1 -> 0"),
    states_too_much: ("retries-change", "memory: 1 -> 0"),
}
"""Where a wrong channel is found out, and by which cell of the spec."""


def found_out(wrong: Callable[[Patch], None], patch: Patch) -> Outcome:
    """What comes of a wrong channel."""
    wrong(patch)
    return conform(listed(WRONG[wrong][0]))


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.__name__)
def test_a_channel_that_is_wrong_in_time_is_found_out(
    wrong: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    outcome = found_out(wrong, monkeypatch)
    assert outcome.verdict is Verdict.VIOLATED
    assert WRONG[wrong][1] in outcome.divergence
