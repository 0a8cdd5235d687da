"""Without faults the hardened group change is the group change, and that is checked on each step.

A crash would take back what is applied and not journaled; the group change knows nothing like it.
"""

from __future__ import annotations

from samebeat_spec.cluster import Cluster, Vote, is_open
from samebeat_spec.group import Change, Group, Message, Node, Phase
from samebeat_spec.language import Formula, every, exists, refinement


@refinement(at_most=6, claims=("C5",))
def group_change(s: Cluster, g: Group) -> None:
    """In the first view the hardened protocol is the group change, with a round of votes in it.

    A member that acts upon messages has received them just before: one step is up to six there.
    """

    def heard(n: Node, m: Node, k: Message) -> Formula:
        def acted_upon(c: Change) -> Formula:
            acks = (k == Message.ACK) & (s.phase[n, c] == Phase.APPLIED)
            oks = (k == Message.OK) & (s.vote[n, c, s.home[c]] == Vote.COMMIT)
            own = (m == n) & s.sent[n, c, k]
            return is_open(s, n, c) & (own | ((m != n) & (acks | oks)))

        return exists(Change, acted_upon)

    g.heard[every, every, every] = heard
