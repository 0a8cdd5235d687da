"""What is measured of the composition beside what is measured of the group change.

``different_values`` of ``group_figures`` is in ticks here. All of these have a bound only where
rounds do; that of an envelope takes heartbeats with clocks too. Nobody crashes here, so how late a
crash is noticed is a figure of ``heartbeat``.
"""

from __future__ import annotations

from samebeat_spec.composed import Composed
from samebeat_spec.group import (
    CONFIRM_STATUS,
    FAILURE,
    MODIFY,
    UNDO,
    Change,
    Message,
    Node,
    Phase,
)
from samebeat_spec.group_figures import different_values, some_sent
from samebeat_spec.language import Formula, exists, stay
from samebeat_spec.watching import HEARTBEAT_INTERVAL, some_member_is
from samebeat_spec.watching_properties import envelope_closed


def some_member_failed(s: Composed) -> Formula:
    """Some member could not apply some change."""
    return exists(
        Change, lambda c: some_member_is(s, c, Phase.FAILED) | some_sent(s, c, Message.FAILURE)
    )


@stay(claims=(*HEARTBEAT_INTERVAL, *MODIFY, *CONFIRM_STATUS, "C3"))
def different_values_without_failure(s: Composed) -> Formula:
    """Two members hold different values, and no apply has failed."""
    return different_values.formula & ~some_member_failed(s)


@stay(claims=(*HEARTBEAT_INTERVAL, "C1", "C3"))
def different_timers(s: Composed) -> Formula:
    """A watcher with clocks waits with another value than the member it watches sends with."""
    return exists(Node, lambda n: s.clocked[n] & (s.deadline[n] != s.sends_as(n)))


@stay(claims=(*HEARTBEAT_INTERVAL, "C1", "C2"))
def open_envelope(s: Composed) -> Formula:
    """A watcher with clocks waits with another value than it holds."""
    return exists(Node, lambda n: s.clocked[n] & ~envelope_closed(s, n))


@stay(claims=("1.preamble", *CONFIRM_STATUS, *FAILURE, *UNDO))
def open_change(s: Composed) -> Formula:
    """From the request for a change until every member has decided all of them."""
    undecided = (Phase.IDLE, Phase.RECEIVED, Phase.ACKED, Phase.APPLIED, Phase.FAILED)
    return exists(Change, lambda c: s.requested[c] & some_member_is(s, c, *undecided))
