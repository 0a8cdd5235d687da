"""The eleven parameters of the core: each changes what it is there for, as a figure.

Claims 2 and 3: heartbeats in whole clusters, messages on two nodes, and all under load.
"""

from __future__ import annotations

import pytest
from msgspec import structs

from samebeat import heartbeats
from samebeat.channel import Channel, Holds
from samebeat.parameters import Settings
from samebeat.receiving import Receiving
from samebeat.sending import Sending
from samebeat.state import State
from samebeat_conformance.simulator.layer_measures import LAYER_MEASURES, full_load
from samebeat_conformance.simulator.measures import (
    MEASURES,
    Measure,
    Moment,
    NotMeasured,
    Stage,
    figures_of,
    gap_between_arrivals_ms,
    harm_of,
)
from samebeat_conformance.simulator.traffic import Harm

PINNED = {
    "heartbeat_message_timeout": (4_502, 7_502, 7_502, 4_502, 2_702),
    "heartbeat_ack_timeout": (500, 500, 900, 500, 200),
    "heartbeat_interval": (1_000, 1_000, 2_000, 400, 400),
    "heartbeat_failure_threshold": (3, 5, 5, 3, 2),
    "heartbeat_ack_failure_threshold": (4, 4, 6, 4, 2),
    "receive_send_timer_ratio": (2_000, 3_500, 3_500, 2_000, 1_500),
}
LAYER_PINNED = {
    "maximum_fragment_size": (5, 5, 2, 5, 10),
    "message_retry_timer": (500, 500, 900, 500, 200),
    "maximum_message_retry_time": (30_000, 30_000, 50_000, 30_000, 10_000),
    "send_queue_overflow_threshold": (100, 100, 200, 100, 30),
    "message_send_window": (64, 64, 150, 64, 16),
}
"""For each parameter its figure: before, raising, raised, lowering, lowered."""


def test_the_eleven_parameters_of_claim_3_are_measured() -> None:
    names = [m.parameter for m in (*MEASURES, *LAYER_MEASURES)]
    assert names == [*PINNED, *LAYER_PINNED]
    assert set(names) == set(Settings.__struct_fields__)


def check(measure: Measure, pinned: tuple[int, ...]) -> None:
    """The figures are as pinned and as the values say, and differ after each change."""
    found = figures_of(measure)
    assert tuple(f.measured for f in found) == pinned
    assert tuple(f.expected for f in found) == pinned
    assert len({pinned[0], pinned[2], pinned[4]}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.parameter)
def test_a_parameter_changes_its_figure_when_it_is_raised_and_when_it_is_lowered(
    measure: Measure,
) -> None:
    """Claims 2 and 3: after a group change, on every member."""
    check(measure, PINNED[measure.parameter])


@pytest.mark.slow
@pytest.mark.parametrize("measure", LAYER_MEASURES, ids=lambda m: m.parameter)
def test_so_does_a_parameter_of_messages(measure: Measure) -> None:
    check(measure, LAYER_PINNED[measure.parameter])


@pytest.mark.slow
@pytest.mark.parametrize("measure", [*MEASURES, *LAYER_MEASURES], ids=lambda m: m.parameter)
def test_a_change_under_load_loses_and_repeats_nothing_and_makes_nobody_suspect(
    measure: Measure,
) -> None:
    """Claims 3.combinations, 20.preamble and 21.preamble: a quarter of all pieces is lost."""
    harm = harm_of(measure)
    assert (harm.lost, harm.duplicated, harm.refused, harm.suspicions) == (0, 0, 0, 0)
    assert harm.messages > 150


@pytest.mark.slow
def test_a_receiver_without_memory_is_seen_by_what_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: a stream is forgotten while copies are under way."""
    forgets_at = Receiving.forgets_at
    monkeypatch.setattr(
        Receiving, "forgets_at", lambda self: self.heard_ms + 1 if forgets_at(self) else None
    )
    assert harm_of(LAYER_MEASURES[0]).duplicated > 0


@pytest.mark.slow
def test_a_sender_that_gives_up_at_once_is_seen_by_what_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: it tells its host, and the message counts as lost."""
    give_up = Sending.give_up
    monkeypatch.setattr(Sending, "give_up", lambda self, now_ms: give_up(self, now_ms + 29_000))
    assert harm_of(LAYER_MEASURES[0]).lost > 0


def lowered(parameter: str) -> Harm:
    """Return what lowering a parameter of messages does where windows and queues are full."""
    (measure,) = [m for m in LAYER_MEASURES if m.parameter == parameter]
    new = structs.replace(measure.start, **{parameter: measure.lowered})
    return full_load(measure.start, new)


@pytest.mark.slow
@pytest.mark.parametrize("parameter", ["maximum_fragment_size", "message_send_window"])
def test_a_receiver_that_does_not_wait_for_the_drain_is_seen_by_what_it_refuses(
    monkeypatch: pytest.MonkeyPatch, parameter: str
) -> None:
    """The control: it takes what it holds, and not what is under way."""
    monkeypatch.setattr(Receiving, "hold", lambda self, held: setattr(self, "takes", held))
    assert lowered(parameter).refused > 0


@pytest.mark.slow
def test_a_sender_that_purges_its_queue_is_seen_by_what_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: it drops what does not fit into a shorter queue."""
    follow = Channel.follow

    def purges(self: Channel, now_ms: int, holds: Holds) -> None:
        follow(self, now_ms, holds)
        most = holds.settings.send_queue_overflow_threshold
        self.sending.queue = self.sending.queue[:most]

    monkeypatch.setattr(Channel, "follow", purges)
    assert lowered("send_queue_overflow_threshold").lost > 0


@pytest.mark.slow
def test_a_member_that_says_too_little_is_seen_by_who_suspects_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: heartbeats come a little later than deadlines allow."""
    next_beat_ms = heartbeats.next_beat_ms

    def late(s: State) -> int | None:
        due_ms = next_beat_ms(s)
        return due_ms if due_ms is None or s.beat[1] is None else due_ms + 5_100

    monkeypatch.setattr(heartbeats, "next_beat_ms", late)
    assert harm_of(LAYER_MEASURES[0]).suspicions > 0


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
    lowered = figures_of(measure)[4]
    assert (lowered.measured, lowered.expected) == (1_000, 400)


def test_a_change_that_is_refused_is_no_measurement() -> None:
    with pytest.raises(NotMeasured, match="not committed"):
        gap_between_arrivals_ms(
            Settings(), Moment(Stage.AFTER, (("heartbeat_message_timeout", 1),))
        )
