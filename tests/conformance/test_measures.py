"""The heartbeat parameters of the core: each changes what it is there for, as a figure.

Claims 2 and 3.heartbeat_message_timeout to 3.receive_send_timer_ratio.
"""

from __future__ import annotations

import pytest

from samebeat import heartbeats
from samebeat.parameters import Settings
from samebeat.state import State
from samebeat_conformance.simulator.faults import Ask
from samebeat_conformance.simulator.measures import (
    MEASURES,
    NotMeasured,
    figures_of,
    gap_between_arrivals_ms,
)

PINNED = {
    "heartbeat_message_timeout": ((1_500, 4_502), (2_500, 7_502), (900, 2_702)),
    "heartbeat_ack_timeout": ((500, 500), (900, 900), (200, 200)),
    "heartbeat_interval": ((1_000, 1_000), (2_000, 2_000), (400, 400)),
    "heartbeat_failure_threshold": ((3, 3), (5, 5), (2, 2)),
    "heartbeat_ack_failure_threshold": ((4, 4), (6, 6), (2, 2)),
    "receive_send_timer_ratio": ((2.0, 2_000), (3.5, 3_500), (1.5, 1_500)),
}
"""For each parameter its value and the figure: before a change, raised, lowered."""


def test_the_six_heartbeat_parameters_of_claim_3_are_measured() -> None:
    assert [m.parameter for m in MEASURES] == list(PINNED)


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.parameter)
def test_a_parameter_changes_its_figure_when_it_is_raised_and_when_it_is_lowered(
    measure: object,
) -> None:
    """Claims 2 and 3: after a group change, on every member."""
    (found,) = [figures_of(m) for m in MEASURES if m is measure]
    pinned = PINNED[found[0].parameter]
    assert tuple((f.value, f.measured) for f in found) == pinned
    assert tuple(f.expected for f in found) == tuple(value for _, value in pinned)
    assert len({f.measured for f in found}) == 3


@pytest.mark.slow
def test_a_core_that_keeps_its_first_interval_shows_in_the_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The figures can be wrong."""

    def next_beat_ms(s: State) -> int | None:
        sent_ms = s.beat[1]
        if not s.active or sent_ms is None:
            return s.now_ms if s.active else None
        return sent_ms + s.config.start.heartbeat_interval

    monkeypatch.setattr(heartbeats, "next_beat_ms", next_beat_ms)
    (measure,) = [m for m in MEASURES if m.parameter == "heartbeat_interval"]
    lowered = figures_of(measure)[2]
    assert (lowered.measured, lowered.expected) == (1_000, 400)


def test_a_change_that_is_refused_is_no_measurement() -> None:
    with pytest.raises(NotMeasured, match="not committed"):
        gap_between_arrivals_ms(
            Settings(), (Ask(5_000_000, "c", (("heartbeat_message_timeout", 1),)),)
        )
