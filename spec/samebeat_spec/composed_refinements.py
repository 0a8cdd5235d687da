"""What the composition is a composition of: the group change, and a pair for each direction.

Both are checked on every step: read as states of the simpler spec, the states of the composition
make steps of that spec only, or stay where they are.
"""

from __future__ import annotations

from samebeat_spec.composed import Composed
from samebeat_spec.group import Change, Group, Node
from samebeat_spec.heartbeat import Policy, TimedPair
from samebeat_spec.language import refinement
from samebeat_spec.watching_refinements import set_pair


@refinement(claims=("C3",))
def group_change(s: Composed, g: Group) -> None:
    """Without its heartbeats the composition is the group change."""


@refinement(at_most=2, sizes={"Change": 2}, claims=("C3",))
def watched_pair(s: Composed, p: TimedPair, n: Node, c: Change) -> None:
    """A member and its watcher are a pair whose second has an envelope; `c` is their one change."""
    set_pair(s, p, n, c, Policy.SECOND_ENVELOPE)
