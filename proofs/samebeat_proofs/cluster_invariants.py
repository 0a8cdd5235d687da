"""Why the hardened group change keeps its promises: what messages say about their senders.

Nothing is asked of a member that has lost its journal except that it stays out. What it has said
before stays said, so the facts about decisions are about messages and votes, never about journals.

Votes are in ``cluster_invariants_votes``, values in ``cluster_invariants_values``.
"""

from __future__ import annotations

from samebeat_proofs.facts import axiom, strengthening
from samebeat_spec.cluster import (
    Cluster,
    Quorum,
    Said,
    View,
    Vote,
    in_view,
    is_open,
    takes_part,
)
from samebeat_spec.group import Change, Message, Node, Phase
from samebeat_spec.language import Formula, exists, forall, implies, one_of

# --- what is assumed of the constants ----------------------------------------------------------


@axiom
def quorums_meet(s: Cluster) -> Formula:
    """Two quorums have a member in common."""
    return forall(
        Quorum,
        Quorum,
        lambda q, r: exists(Node, lambda n: s.in_quorum[q, n] & s.in_quorum[r, n]),
    )


@axiom
def everyone_is_everyone(s: Cluster) -> Formula:
    """Every configured member is in the quorum of all."""
    return forall(Node, lambda n: s.in_quorum[s.everyone, n])


@axiom
def mechanisms_are_on(s: Cluster) -> Formula:
    """No mechanism is switched off that safety needs. Any fault may happen.

    Who has decided need not say so (`tells_decisions`): then a member may stay in doubt, no more.
    """
    ballots = s.held_round & s.flush_round & s.latest_vote_counts & s.keeps_promise
    journals = s.journals_first & s.quarantines & s.replaces_blank & s.waits_for_late
    others = s.journals_promises & s.waits_for_reports & s.transfers_state
    return ballots & journals & others


# --- views -------------------------------------------------------------------------------------


def all_reported(s: Cluster, v: View) -> Formula:
    """Every member of `v` has reported to it."""
    return forall(Node, lambda m: implies(in_view(s, m, v), s.reported[m, v]))


@strengthening("what a member that has lost its journal forgot must not be said again")
def forgetful_is_out(s: Cluster) -> Formula:
    """Who has lost its journal has taken itself out."""
    return forall(Node, lambda n: implies(s.forgetful[n], s.quarantined[n]))


@strengthening("a member that has lost its journal is back in the first view, which has begun")
def first_view_has_begun(s: Cluster) -> Formula:
    """All have reported to the first view, and all are its members."""
    begun = forall(
        Node, lambda n: s.reported[n, View.first] & s.in_quorum[s.members[View.first], n]
    )
    return s.proposed[View.first] & begun


@strengthening("the members of a view that somebody has reported to must not change")
def reported_was_proposed(s: Cluster) -> Formula:
    """Members report to views that are proposed."""
    return forall(Node, View, lambda n, v: implies(s.reported[n, v], s.proposed[v]))


@strengthening("who acts in a view relies on what all of its members have promised")
def view_has_begun(s: Cluster) -> Formula:
    """All members of a member's view have reported to it, and so has the member."""
    return forall(
        Node,
        lambda n: s.reported[n, s.view[n]] & s.proposed[s.view[n]] & all_reported(s, s.view[n]),
    )


@strengthening("who decides a change of a view relies on who its members are")
def home_has_begun(s: Cluster) -> Formula:
    """All members of the view of a change have reported to it."""
    return forall(Change, lambda c: s.proposed[s.home[c]] & all_reported(s, s.home[c]))


# --- what messages say about their senders -----------------------------------------------------


@strengthening("a new change id must not belong to a change that members know already")
def unrequested_is_unknown(s: Cluster) -> Formula:
    """Of a change that nobody has asked for, nobody knows or says anything."""
    return forall(
        Change,
        lambda c: (
            s.requested[c]
            | (
                forall(Node, lambda n: (s.phase[n, c] == Phase.IDLE) & ~s.running[n, c])
                & forall(Node, Message, lambda n, k: ~s.sent[n, c, k])
                & forall(
                    Node,
                    View,
                    lambda n, v: (s.vote[n, c, v] == Vote.NONE) & (s.said[n, v, c] == Said.NOTHING),
                )
            )
        ),
    )


@strengthening("who votes in a flush must not have failed to apply the change")
def failed_is_closed(s: Cluster) -> Formula:
    """Who has failed to apply a change has closed it in the same step."""
    return forall(Node, Change, lambda n, c: s.phase[n, c] != Phase.FAILED)


@strengthening("a change that all have applied cannot be closed because of a busy answer")
def busy_never_acked(s: Cluster) -> Formula:
    """A member that has turned a change down has closed it, and never acked it."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.BUSY],
            ((s.phase[n, c] == Phase.UNDONE) | s.forgetful[n])
            & ~s.sent[n, c, Message.ACK]
            & ~s.sent[n, c, Message.OK],
        ),
    )


@strengthening("only a member that has acked is to apply, and what it has said is not lost with it")
def acted_means_acked(s: Cluster) -> Formula:
    """A member that is past its ack, or has said ok, has acked."""
    past = (Phase.ACKED, Phase.APPLIED)
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            one_of(s.phase[n, c], *past) | s.sent[n, c, Message.OK], s.sent[n, c, Message.ACK]
        ),
    )


@strengthening(
    "a commit must be the only one from its epoch: who acks is done with what was before"
)
def one_acked_open(s: Cluster) -> Formula:
    """A member has at most one change open that it has acked."""

    def acked(n: Node, c: Change) -> Formula:
        return is_open(s, n, c) & (s.phase[n, c] != Phase.RECEIVED)

    return forall(Node, Change, Change, lambda n, c, d: implies(acked(n, c) & acked(n, d), c == d))


@strengthening("a member that has committed must not take part in a second change from that epoch")
def committed_below_epoch(s: Cluster) -> Formula:
    """A change that a member has committed starts from below the member's epoch."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.phase[n, c] == Phase.COMMITTED, s.base[c] < s.epoch[n]),
    )


@strengthening("what is open at a member must not come from an epoch that it has not reached")
def taking_part_reached(s: Cluster) -> Formula:
    """A change that a member takes part in starts from no later epoch than the member's."""
    return forall(
        Node, Change, lambda n, c: implies(takes_part(s, n, c), ~(s.epoch[n] < s.base[c]))
    )
