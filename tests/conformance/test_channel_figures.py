"""Each parameter of the message layer does what it says, and a change of it loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from samebeat.messages import Fragment
from samebeat.parameters import Settings
from samebeat.receiving import Receiving, Takes
from samebeat_conformance import channel_figures as figures
from samebeat_conformance.channel_figures import UnderLoad, change_under_load


@pytest.mark.parametrize(
    ("size", "length", "expected"),
    [(64, 64, 1), (64, 65, 2), (64, 1_000, 16), (1_400, 1_400, 1), (1_400, 1_401, 2)],
)
def test_a_message_goes_in_as_many_fragments_as_it_must(
    size: int, length: int, expected: int
) -> None:
    """Claim 3.maximum_fragment_size: the length by the size, rounded up."""
    assert figures.fragments_per_message(Settings(maximum_fragment_size=size), length) == expected


@pytest.mark.parametrize("timer_ms", [2, 70, 500])
def test_a_lost_message_is_sent_again_when_the_retry_timer_runs_out(timer_ms: int) -> None:
    """Claim 3.message_retry_timer."""
    assert figures.first_retry_ms(Settings(message_retry_timer=timer_ms)) == timer_ms


@pytest.mark.parametrize(("round_trip_ms", "copies"), [(99, 1), (100, 1), (101, 2)])
def test_nothing_is_sent_twice_without_loss_if_the_timer_is_as_long_as_an_ack_may_take(
    round_trip_ms: int, copies: int
) -> None:
    """Claim 3.message_retry_timer: and 1 ms less is too short."""
    settings = Settings(message_retry_timer=100)
    assert figures.copies_without_loss(settings, round_trip_ms) == copies


@pytest.mark.parametrize("time_ms", [500, 1_234, 4_000])
def test_a_message_is_given_up_after_the_maximum_retry_time(time_ms: int) -> None:
    """Claim 3.maximum_message_retry_time."""
    assert figures.give_up_ms(Settings(maximum_message_retry_time=time_ms)) == time_ms


@pytest.mark.parametrize(("window", "threshold"), [(1, 1), (1, 5), (4, 1), (64, 100)])
def test_the_message_that_finds_a_full_queue_is_turned_down(window: int, threshold: int) -> None:
    """Claim 3.send_queue_overflow_threshold: a window is under way, so many wait, and one more."""
    settings = Settings(message_send_window=window, send_queue_overflow_threshold=threshold)
    assert figures.overflows_at(settings) == window + threshold + 1


@pytest.mark.parametrize("window", [1, 2, 7, 64])
def test_so_many_messages_are_unacked_as_the_window_says(window: int) -> None:
    """Claim 3.message_send_window."""
    assert figures.peak_in_flight(Settings(message_send_window=window), 80) == window


CHANGES: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "fragment size": ({"maximum_fragment_size": 64}, {"maximum_fragment_size": 200}),
    "retry timer": ({"message_retry_timer": 20}, {"message_retry_timer": 200}),
    "retry time": ({"maximum_message_retry_time": 3_000}, {"maximum_message_retry_time": 9_000}),
    "threshold": (
        {"send_queue_overflow_threshold": 100},
        {"send_queue_overflow_threshold": 1_000},
    ),
    "window": ({"message_send_window": 2}, {"message_send_window": 20}),
    "all at once": (
        {"maximum_fragment_size": 64, "message_send_window": 2, "message_retry_timer": 20},
        {"maximum_fragment_size": 200, "message_send_window": 20, "message_retry_timer": 50},
    ),
}


def under_load(name: str, raised: bool) -> UnderLoad:
    """What a change of one parameter does, under load, in one direction."""
    base: dict[str, Any] = {"message_retry_timer": 20, "maximum_message_retry_time": 9_000}
    low, high = (Settings(**{**base, **values}) for values in CHANGES[name])
    return change_under_load(*((low, high) if raised else (high, low)))


@pytest.mark.slow
@pytest.mark.parametrize("raised", [True, False], ids=["raised", "lowered"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_under_load_loses_and_repeats_nothing(name: str, raised: bool) -> None:
    """Claims 3.combinations, 20.preamble and 21.preamble: a third of the datagrams is lost."""
    found = under_load(name, raised)
    assert (found.lost, found.failed, found.duplicated, found.refused) == (0, 0, 0, 0)
    low, high = CHANGES[name]
    sizes = [v.get("maximum_fragment_size", 300) for v in (low, high)]
    windows = [v.get("message_send_window", 30) for v in (low, high)]
    if not raised:
        sizes, windows = sizes[::-1], windows[::-1]
    assert found.largest[0::2] == tuple(sizes)
    assert found.peak[0::2] == tuple(windows)
    assert found.largest[1] == max(sizes)
    assert found.peak[1] <= max(windows)


@pytest.mark.slow
def test_a_receiver_that_does_not_wait_for_the_drain_is_seen_by_what_it_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: it takes what it holds, and not what is under way."""
    receive = Receiving.receive

    def at_once(self: Receiving, f: Fragment, now_ms: int, epoch: int, held: Takes) -> Any:
        self.takes = held
        return receive(self, f, now_ms, epoch, held)

    monkeypatch.setattr(Receiving, "receive", at_once)
    found = under_load("fragment size", raised=False)
    assert found.refused > 0
    assert found.failed > 0


@pytest.mark.slow
def test_a_memory_that_is_too_short_is_seen_by_what_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: a stream is forgotten while copies are under way."""
    forgets_at = Receiving.forgets_at
    monkeypatch.setattr(
        Receiving, "forgets_at", lambda self: self.heard_ms + 1 if forgets_at(self) else None
    )
    assert under_load("retry timer", raised=True).duplicated > 0
