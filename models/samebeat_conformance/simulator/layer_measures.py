"""What each of the five message parameters does, as a figure, before, during and after a change.

Group changes say too little to fill a queue or a window. So a cluster makes a group change in the
simulator, and the channels of two of its members are taken out of it, as they are before, while or
after that. They are given more to send, with a network that loses what a figure needs to be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from samebeat.messages import Fragment, Piece
from samebeat.parameters import Settings
from samebeat.sending import Overflow
from samebeat_conformance.channel_figures import change_under_load
from samebeat_conformance.linked import End, Linked
from samebeat_conformance.simulator.measures import (
    Measure,
    Moment,
    NotMeasured,
    cluster_at,
    the_old,
)
from samebeat_conformance.simulator.traffic import Harm

LENGTH = 1_000
"""The messages of the fragment size are so long, in bytes."""
_MANY = 300
"""So many messages are more than any window here."""
_TRIP_MS = 1
_LOAD = 450
"""So many messages go each way before, during and after a change, a third of them at once."""


def _linked(start: Settings, moment: Moment) -> Linked:
    """Return the channels of two members of a cluster at a moment, nothing being under way."""
    cluster = cluster_at(start, moment)
    ends = {}
    for name, peer in (("a", "b"), ("b", "a")):
        machine = cluster.machines[name]
        if machine.node is None:
            raise NotMeasured(f"{name} is down")
        now_ms = machine.clock.local_ms(cluster.now_us)
        ends[name] = End.of(machine.node.state, peer, now_ms)
    link = Linked.between(ends, cluster.setup.assumed, _TRIP_MS)
    link.run(10 * _TRIP_MS)
    if any(end.channel.sending.flight for end in link.ends.values()):
        raise NotMeasured("a message is under way that is none of those measured")
    link.sent.clear()
    return link


def _only_acks(source: str, piece: Piece) -> list[int]:
    return [] if isinstance(piece, Fragment) else [_TRIP_MS]


def _deaf(start: Settings, moment: Moment) -> Linked:
    """Return the same, where no fragment comes through any more, with a message sent."""
    link = _linked(start, moment)
    link.fate = _only_acks
    link.enqueue("a", b"lost")
    return link


def fragments(start: Settings, moment: Moment) -> int:
    """Return in how many fragments a message goes."""
    link = _linked(start, moment)
    link.enqueue("a", bytes(LENGTH))
    link.run(10 * _TRIP_MS)
    return len(link.fragments())


def first_retry_ms(start: Settings, moment: Moment) -> int:
    """Return how long after a message that is lost it is sent again."""
    link = _deaf(start, moment)
    link.run(10_000)
    first_ms, second_ms, *_ = (at for at, _ in link.fragments())
    return second_ms - first_ms


def give_up_ms(start: Settings, moment: Moment) -> int:
    """Return how long after it was sent a message is reported as given up."""
    link = _deaf(start, moment)
    sent_ms = link.now_ms
    link.run(100_000)
    ((failed_ms, _, _),) = link.ends["a"].failed
    return failed_ms - sent_ms


def queued_until_overflow(start: Settings, moment: Moment) -> int:
    """Return how many messages wait when the next one is turned down."""
    link = _deaf(start, moment)
    for number in count():
        try:
            link.enqueue("a", b"%d" % number)
        except Overflow:
            return len(link.ends["a"].channel.sending.queue)
    raise AssertionError("a queue without end")


def peak_in_flight(start: Settings, moment: Moment) -> int:
    """Return how many messages are unacked at most, when very many are sent at once."""
    link = _linked(start, moment)
    peak = 0
    for number in range(_MANY):
        link.enqueue("a", b"%d" % number)
        peak = max(peak, len(link.ends["a"].channel.sending.flight))
    while link.flying:
        link.arrive()
        peak = max(peak, len(link.ends["a"].channel.sending.flight))
    if len(link.ends["b"].delivered) != _MANY:
        raise NotMeasured("messages are lost")
    return peak


def full_load(old: Settings, new: Settings) -> Harm:
    """Return what a change does on two channels whose windows and queues are full, with losses."""
    found = change_under_load(old, new, _LOAD, LENGTH)
    return Harm(found.messages, found.lost + found.failed, found.duplicated, 0, found.refused)


def _measure(
    parameter: str,
    figure: str,
    values: tuple[int, int, int],
    measured: Callable[[Settings, Moment], int],
    expected: Callable[[Settings], int],
) -> Measure:
    before, raised, lowered = values
    start = Settings(**{parameter: before})
    return Measure(
        parameter, figure, start, raised, lowered, measured, expected, the_old, full_load
    )


LAYER_MEASURES = (
    _measure(
        "maximum_fragment_size",
        f"fragments of a message of {LENGTH:,} bytes",
        (200, 500, 100),
        fragments,
        lambda s: -(-LENGTH // s.maximum_fragment_size),
    ),
    _measure(
        "message_retry_timer",
        "lost message to first retry, ms",
        (500, 900, 200),
        first_retry_ms,
        lambda s: s.message_retry_timer,
    ),
    _measure(
        "maximum_message_retry_time",
        "lost message to give-up, ms",
        (30_000, 50_000, 10_000),
        give_up_ms,
        lambda s: s.maximum_message_retry_time,
    ),
    _measure(
        "send_queue_overflow_threshold",
        "messages that wait when one is turned down",
        (100, 200, 30),
        queued_until_overflow,
        lambda s: s.send_queue_overflow_threshold,
    ),
    _measure(
        "message_send_window",
        "peak of unacked messages",
        (64, 150, 16),
        peak_in_flight,
        lambda s: s.message_send_window,
    ),
)
