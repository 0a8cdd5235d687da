"""A group change of the heartbeat interval as the core makes it: hardened, and with heartbeats.

As in ``composed``, all members change the interval and the deadline of their heartbeats while each
of them is watched by another one. But the group change is the hardened one of ``cluster``: a member
answers a request as it receives it, says that it has failed as it fails, and commits when a quorum
has voted for it (the held round, note C5). What a member *holds* follows that. What its timers
*use* is

- with claim 1 alone: what it holds;
- with the envelope, on both sides: from the ack of a change until its end a member sends at the
  shorter one of both intervals, and it waits for the longest deadline that it has held since a
  heartbeat last stated the epoch of what it holds.

This spec extends ``cluster`` and ``watching``: what is not said here is as there.

Not modelled here: what clocks do in crashes, in later views, with operations that hang and undos
that fail. So an instance has one view and none of these. Nor are clocks of different rates.

What this protocol promises is in ``timed_cluster_properties``.
"""

from __future__ import annotations

from samebeat_spec import cluster, group, watching
from samebeat_spec.cluster import Cluster
from samebeat_spec.group import Change, Epoch, Node, Phase, Value
from samebeat_spec.heartbeat import Fate, Heartbeat
from samebeat_spec.language import action, every, function, initial, ite
from samebeat_spec.watching import (
    HEARTBEAT_INTERVAL,
    Watching,
    shorter,
    wait_as_before,
    wait_for_both,
)


class TimedCluster(Cluster, Watching, name="timed_cluster"):
    """The hardened group change, and for each member the heartbeats that another one watches."""

    interval = function(Node, to=Value)
    """the value whose interval a member uses"""

    def sends_as(self, n: Node) -> Value:
        """Return the value whose interval `n` uses."""
        return self.interval[n]


@initial
def start(s: TimedCluster) -> None:
    """All hold one value; heartbeats are due and the deadlines have just begun to run."""
    cluster.start(s)
    watching.start(s)
    s.interval[every] = s.start_value


# --- the group change, where it touches the timers -------------------------------------------


def send_for_both(s: TimedCluster, n: Node, c: Change) -> None:
    """`n` opens `c`; with the envelope it sends as often as both values ask for."""
    s.interval[n] = ite(s.envelope, shorter(s, s.asked[c], s.interval[n]), s.interval[n])


@action(claims=(*group.MULTICAST, *group.ACK_ROUND, *HEARTBEAT_INTERVAL, "C1", "C3"))
def request(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; with the envelope `n` sends no less often than either asks for."""
    cluster.request(s, n, c)

    send_for_both(s, n, c)


@action(claims=(*group.RECEIPT, *group.ACK_ROUND, *HEARTBEAT_INTERVAL, "C1", "C3"))
def send_ack(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; with the envelope `n` sends no less often than either asks for."""
    cluster.send_ack(s, n, c)

    send_for_both(s, n, c)


@action(claims=(*group.RECEIPT, *group.MODIFY, *HEARTBEAT_INTERVAL, "C3"))
def apply(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; with the envelope `n` does not wait for less than before."""
    cluster.apply(s, n, c)

    s.interval[n] = ite(s.envelope, s.interval[n], s.asked[c])
    wait_for_both(s, n, s.asked[c])


@action(claims=(*group.RECEIPT, *group.STATUS, *HEARTBEAT_INTERVAL, "C2"))
def fail_to_apply(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; `n` sends again as it holds."""
    cluster.fail_to_apply(s, n, c)

    s.interval[n] = s.value[n]


@action(claims=(*group.CONFIRM_STATUS, *HEARTBEAT_INTERVAL, "C3", "C5"))
def commit(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; `n` sends as it has decided."""
    cluster.commit(s, n, c)

    s.interval[n] = s.asked[c]


@action(claims=(*group.FAILURE, *group.UNDO, *HEARTBEAT_INTERVAL, "C2"))
def undo(s: TimedCluster, n: Node, c: Change) -> None:
    """As in the hardened change; `n` sends as before, and with the envelope waits as it did."""
    old = ite(s.phase[n, c] == Phase.APPLIED, s.pre_image[n], s.value[n])
    cluster.undo(s, n, c)

    s.interval[n] = old
    wait_as_before(s, n, old)


# --- heartbeats and time ---------------------------------------------------------------------


@action(claims=("19.preamble", "C3"))
def hear(s: TimedCluster, n: Node, e: Epoch) -> None:
    """A heartbeat of `n`, without a clock, reaches its watcher: one of now or an earlier one."""
    watching.hear(s, n, e)


@action(claims=("19.preamble", "23.record", "C3"))
def send_heartbeat(s: TimedCluster, n: Node, f: Fate) -> None:
    """`n` sends a heartbeat, which states its epoch."""
    watching.send_heartbeat(s, n, f)


@action(claims=("19.preamble", "23.record", "C1"))
def receive_heartbeat(s: TimedCluster, n: Node, h: Heartbeat) -> None:
    """A heartbeat of `n` reaches its watcher, which waits again from now.

    If it states the epoch of what the watcher holds, no other value is possible any more.
    """
    watching.receive_heartbeat(s, n, h)


@action(claims=("C1",), tick=True)
def tick(s: TimedCluster) -> None:
    """One tick passes on all clocks; a deadline that was already due then has passed."""
    watching.tick(s)
