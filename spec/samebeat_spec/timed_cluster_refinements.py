"""What it is a composition of: the hardened group change, and a pair for each direction.

Both are checked on every step: read as states of the simpler spec, its states make steps of that
spec only, or stay where they are.
"""

from __future__ import annotations

from samebeat_spec.cluster import Cluster
from samebeat_spec.group import Change, Node
from samebeat_spec.heartbeat import Policy, TimedPair
from samebeat_spec.language import refinement
from samebeat_spec.timed_cluster import TimedCluster
from samebeat_spec.watching_refinements import set_pair


@refinement(claims=("C3", "C5"))
def hardened_change(s: TimedCluster, h: Cluster) -> None:
    """Without its heartbeats it is the hardened group change."""


@refinement(at_most=2, sizes={"Change": 2}, claims=("C1", "C3"))
def watched_pair(s: TimedCluster, p: TimedPair, n: Node, c: Change) -> None:
    """A member and its watcher are a pair with the envelope on both sides; `c` is its change."""
    set_pair(s, p, n, c, Policy.ENVELOPE)
