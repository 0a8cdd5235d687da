"""A group change of the heartbeat interval: both protocols at once (claims 1 and 2, note C3).

All members change the interval and the deadline of their heartbeats as in the group change, and
meanwhile each of them is watched by another one. The members apply at different times, so for a
while they hold different values. What a member *holds* follows claim 1. What its timers *use* is

- with claim 1 alone: what it holds;
- with the envelope: a member sends at the interval that it has decided last, and it waits for the
  longest deadline that it has held since a heartbeat last stated the epoch of what it holds.

This spec extends ``group`` and ``watching``: what is not said here is as there. What a production
core does, with the hardened group change, is in ``timed_cluster``.

Not modelled here: crashes, views, clocks that run at different rates.

What this protocol promises is in ``composed_properties``.
"""

from __future__ import annotations

from samebeat_spec import group, watching
from samebeat_spec.group import (
    Change,
    Epoch,
    Group,
    Node,
    Value,
    has_open_change,
)
from samebeat_spec.heartbeat import Fate, Heartbeat
from samebeat_spec.language import action, initial, ite
from samebeat_spec.watching import HEARTBEAT_INTERVAL, Watching, wait_as_before, wait_for_both


class Composed(Group, Watching, name="composed"):
    """The group change, and for each member the heartbeats that another member watches."""

    def sends_as(self, n: Node) -> Value:
        """Return the value whose interval `n` uses: with the envelope, what it decided last."""
        open_still = self.envelope & has_open_change(self, n)
        decided: Value = ite(open_still, self.pre_image[n], self.value[n])
        return decided


@initial
def start(s: Composed) -> None:
    """All hold one value; heartbeats are due and the deadlines have just begun to run."""
    group.start(s)
    watching.start(s)


# --- the group change, where it touches the timers -------------------------------------------


@action(claims=(*group.RECEIPT, *group.MODIFY, *HEARTBEAT_INTERVAL, "C3"))
def apply(s: Composed, n: Node, c: Change) -> None:
    """As in the group change; with the envelope `n` does not wait for less than before."""
    group.apply(s, n, c)

    wait_for_both(s, n, s.asked[c])


@action(claims=(*group.FAILURE, *group.UNDO, *HEARTBEAT_INTERVAL, "C2"))
def undo(s: Composed, n: Node, c: Change) -> None:
    """As in the group change; with the envelope `n` waits for as long as it did."""
    group.undo(s, n, c)

    wait_as_before(s, n, s.pre_image[n])


# --- heartbeats and time ---------------------------------------------------------------------


@action(claims=("19.preamble", "C3"))
def hear(s: Composed, n: Node, e: Epoch) -> None:
    """A heartbeat of `n`, without a clock, reaches its watcher: one of now or an earlier one."""
    watching.hear(s, n, e)


@action(claims=("19.preamble", "23.record", "C3"))
def send_heartbeat(s: Composed, n: Node, f: Fate) -> None:
    """`n` sends a heartbeat, which states its epoch."""
    watching.send_heartbeat(s, n, f)


@action(claims=("19.preamble", "23.record", "C1"))
def receive_heartbeat(s: Composed, n: Node, h: Heartbeat) -> None:
    """A heartbeat of `n` reaches its watcher, which waits again from now.

    If it states the epoch of what the watcher holds, no other value is possible any more.
    """
    watching.receive_heartbeat(s, n, h)


@action(claims=("C1",), tick=True)
def tick(s: Composed) -> None:
    """One tick passes on all clocks; a deadline that was already due then has passed."""
    watching.tick(s)
