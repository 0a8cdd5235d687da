"""The eleven parameters: ranges, combinations, and the deadline that they make (claim 3)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from samebeat.config import Config
from samebeat.parameters import NAMES, Assumptions, Settings, changed, problems

NETWORK = Assumptions(delay_ms=10, losses=1, ack_losses=1, processing_ms=5, ack_delay_ms=20)


def test_there_are_eleven_parameters() -> None:
    """Claims 3.heartbeat_message_timeout, 3.heartbeat_ack_timeout, 3.heartbeat_interval,
    3.heartbeat_failure_threshold, 3.heartbeat_ack_failure_threshold, 3.receive_send_timer_ratio,
    3.maximum_fragment_size, 3.message_retry_timer, 3.maximum_message_retry_time,
    3.send_queue_overflow_threshold and 3.message_send_window."""
    assert len(set(NAMES)) == 11


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, 10**12, "1", True])
def test_a_value_out_of_range_is_named(name: str, value: int) -> None:
    settings, wrong = changed(Settings(), {name: value})
    assert settings is None
    assert name in wrong[0]


def test_a_parameter_that_there_is_not_is_named() -> None:
    assert changed(Settings(), {"colour": 3}) == (None, ("colour is no parameter",))


def test_a_time_out_takes_the_place_of_the_ratio_and_back() -> None:
    """Claim 3.receive_send_timer_ratio: one of the two, never both."""
    explicit, _ = changed(Settings(), {"heartbeat_message_timeout": 700})
    assert explicit is not None
    assert explicit.receive_send_timer_ratio is None
    assert explicit.deadline_ms == 2_100
    back, _ = changed(explicit, {"receive_send_timer_ratio": 1.5})
    assert back is not None
    assert back.heartbeat_message_timeout is None
    assert back.deadline_ms == 4_500
    for both in (
        {"heartbeat_message_timeout": 700, "receive_send_timer_ratio": 1.5},
        {"receive_send_timer_ratio": None},
    ):
        settings, _ = changed(Settings(), both)
        assert settings is not None
        assert "exactly one" in problems(settings, NETWORK)[0]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"heartbeat_message_timeout": 670, "heartbeat_failure_threshold": 3}, ""),
        ({"heartbeat_message_timeout": 669, "heartbeat_failure_threshold": 3}, "deadline"),
        ({"heartbeat_ack_timeout": 25}, ""),
        ({"heartbeat_ack_timeout": 24}, "heartbeat_ack_timeout"),
        ({"heartbeat_ack_failure_threshold": 4}, ""),
        ({"heartbeat_ack_failure_threshold": 3}, "heartbeat_ack_failure_threshold"),
        ({"message_retry_timer": 40}, ""),
        ({"message_retry_timer": 39}, "message_retry_timer"),
        ({"maximum_message_retry_time": 500}, ""),
        ({"maximum_message_retry_time": 499}, "maximum_message_retry_time"),
    ],
)
def test_a_combination_is_judged_to_the_last_unit(values: dict[str, int], word: str) -> None:
    """Claim 3.combinations: 2 intervals and a delay are 2,010 ms, an ack takes 25, a retry 40."""
    settings, wrong = changed(Settings(), values)
    assert settings is not None, wrong
    found = problems(settings, NETWORK)
    assert [s.split()[0] if word != "deadline" else s.split()[1] for s in found] == [word][
        : bool(word)
    ]


def test_drift_counts_for_whatever_waits_for_another_clock() -> None:
    """Note C1: exactly, in fractions."""
    assumed = Assumptions(delay_ms=10, losses=1, drift_ppm=10_000)
    assert assumed.on_any_clock(2_010) == Fraction(20_301, 10)
    for timeout, fits in ((677, True), (676, False)):
        settings, _ = changed(Settings(), {"heartbeat_message_timeout": timeout})
        assert settings is not None
        assert (problems(settings, assumed) == ()) is fits


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"cluster": "two words"}, "labels"),
        ({"members": ("b", "a")}, "in order"),
        ({"members": ("a", "a")}, "in order"),
        ({"me": "z"}, "'z'"),
        ({"watchdog_ms": 0}, "1 ms"),
        ({"start": Settings(heartbeat_interval=3_600_000, heartbeat_failure_threshold=1)}, ""),
        ({"start": Settings(receive_send_timer_ratio=None)}, "start: exactly one"),
        ({"members": tuple(f"n{i:02}" for i in range(17))}, "labels or names"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_a_config_that_contradicts_itself_says_where(change: dict[str, object], word: str) -> None:
    given: dict[str, object] = {"cluster": "test", "me": "a", "members": ("a", "b")} | change
    if not word:
        Config(**given)  # type: ignore[arg-type]
        return
    with pytest.raises(ValueError, match=word):
        Config(**given)  # type: ignore[arg-type]


def test_settings_without_time_out_and_ratio_give_no_time_at_all() -> None:
    """They are no settings; a member that lies may send them, and nothing waits longer for that."""
    neither = Settings(receive_send_timer_ratio=None)
    assert problems(neither, Assumptions())
    assert neither.deadline_ms == 0
