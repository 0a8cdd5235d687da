"""Why members of a view that have nothing open are equally far: nothing is chosen that they miss.

If a member is further than another, a quorum has voted for a change from the epoch of the other.
Votes of an earlier view are in the reports to theirs. Votes of theirs are on a change that the
other has acked, or finds in the reports. Votes of a later view mean that theirs is replaced.
"""

from __future__ import annotations

from samebeat_proofs.cluster_invariants_votes import chosen
from samebeat_proofs.facts import Role, strengthening
from samebeat_spec.cluster import Cluster, Quorum, Said, View, Vote, in_view
from samebeat_spec.cluster_properties import (
    has_nothing_open,
    holds_value_of_last_commit,
    is_active,
    is_between_values,
    is_replaced,
)
from samebeat_spec.group import Change, Epoch, Node
from samebeat_spec.language import Formula, exists, forall, implies, one_of


def is_settled(s: Cluster, n: Node) -> Formula:
    """`n` is active in a view that is not replaced, and has nothing open."""
    return is_active(s, n) & has_nothing_open(s, n) & ~is_replaced(s, s.view[n])


def chosen_from(s: Cluster, e: Epoch) -> Formula:
    """A quorum has voted to commit a change that starts from the epoch."""
    return exists(Change, lambda d: (s.base[d] == e) & chosen(s, d, Vote.COMMIT))


@strengthening(
    "who is further than another one must have passed a change from the epoch of the other",
    role=Role.IMPLIED,
    uses=("earlier_epochs_of_changes", "committed_was_chosen", "epoch_has_commit"),
    only=("unrequested_is_unknown",),
)
def earlier_epochs_of_members(s: Cluster) -> Formula:
    """From each epoch before that of a member, some change was chosen."""
    return forall(Node, Epoch, lambda n, e: implies(e < s.epoch[n], chosen_from(s, e)))


@strengthening(
    "a member that adopts a change skips epochs, and from each of these one was chosen, too",
    uses=("vote_stays", "earlier_epochs_of_members"),
    only=("unrequested_is_unknown", "home_vote_is_commit"),
)
def earlier_epochs_of_changes(s: Cluster) -> Formula:
    """From each epoch before that of a change that is asked for, some change was chosen."""
    return forall(
        Change, Epoch, lambda c, e: implies(s.requested[c] & (e < s.base[c]), chosen_from(s, e))
    )


def _chosen_by(s: Cluster, c: Change, v: View, q: Quorum) -> Formula:
    """All of the quorum have voted in `v` to commit the change."""
    return forall(Node, lambda m: implies(s.in_quorum[q, m], s.vote[m, c, v] == Vote.COMMIT))


def _misses(s: Cluster, n: Node, c: Change, v: View, q: Quorum) -> Formula:
    """`n` is settled, and a quorum has voted in `v` to commit a change from its epoch."""
    return is_settled(s, n) & (s.base[c] == s.epoch[n]) & _chosen_by(s, c, v, q)


@strengthening(
    "votes to commit must not be hidden by a report that says the contrary",
    role=Role.IMPLIED,
    uses=("undone_was_barred",),
    only=("chosen_is_not_barred",),
)
def said_undone_was_not_chosen(s: Cluster) -> Formula:
    """No quorum has voted to commit what a report says is undone."""
    return forall(
        Node,
        View,
        Change,
        lambda n, v, c: ~((s.said[n, v, c] == Said.UNDONE) & chosen(s, c, Vote.COMMIT)),
    )


@strengthening(
    "a quorum has a member in each view, and that one must have reported that it has voted",
    role=Role.IMPLIED,
    only=("silent_report_means_no_vote", "view_has_begun", "said_undone_was_not_chosen"),
)
def chosen_is_reported(s: Cluster) -> Formula:
    """What a quorum has voted for, a report to each later view of a member tells."""
    return forall(
        Node,
        Change,
        View,
        Quorum,
        lambda n, c, v, q: implies(
            (v < s.view[n]) & _chosen_by(s, c, v, q),
            exists(
                Node,
                lambda m: (
                    in_view(s, m, s.view[n])
                    & one_of(s.said[m, s.view[n], c], Said.OPEN, Said.COMMITTED)
                ),
            ),
        ),
    )


@strengthening(
    "who is in a view in which a change is flushed must find it in the reports",
    role=Role.IMPLIED,
    uses=("commit_vote_is_reported",),
    only=("home_vote_is_commit",),
)
def flushed_is_reported(s: Cluster) -> Formula:
    """What somebody has voted for in a later view, a report to that view says is open."""
    return forall(
        Node,
        Change,
        View,
        lambda n, c, v: implies(
            (s.vote[n, c, v] == Vote.COMMIT) & (v != s.home[c]),
            exists(Node, lambda m: in_view(s, m, v) & (s.said[m, v, c] == Said.OPEN)),
        ),
    )


@strengthening(
    "votes of an earlier view must be in the reports, and what is in them must be open",
    role=Role.IMPLIED,
    uses=("chosen_is_reported",),
    only=(
        "undone_was_not_chosen",
        "said_undone_was_not_chosen",
        "committed_below_epoch",
        "vote_in_a_view_that_has_begun",
    ),
)
def settled_misses_nothing_earlier(s: Cluster) -> Formula:
    """No quorum has voted in an earlier view for a change from the epoch of a settled member."""
    return forall(
        Node,
        Change,
        View,
        Quorum,
        lambda n, c, v, q: ~((v < s.view[n]) & _misses(s, n, c, v, q)),
    )


@strengthening(
    "votes of a view must be on what all of its members have acked, or on what is in the reports",
    role=Role.IMPLIED,
    uses=("flushed_is_reported",),
    only=(
        "undone_was_not_chosen",
        "flush_of_what_is_open",
        "commit_vote_means_all_ok",
        "committed_below_epoch",
        "journal_before_send",
        "forgetful_is_out",
        "no_foreign_message",
        "view_has_begun",
        "vote_in_a_view_that_has_begun",
    ),
)
def settled_misses_nothing_here(s: Cluster) -> Formula:
    """No quorum has voted in its view for a change from the epoch of a settled member."""
    return forall(
        Node,
        Change,
        View,
        Quorum,
        lambda n, c, v, q: ~((v == s.view[n]) & _misses(s, n, c, v, q)),
    )


@strengthening(
    "votes of a later view must mean that the view of a settled member is replaced",
    role=Role.IMPLIED,
    only=("vote_in_a_view_that_has_begun",),
)
def settled_misses_nothing_later(s: Cluster) -> Formula:
    """No quorum has voted in a later view for a change from the epoch of a settled member."""
    return forall(
        Node,
        Change,
        View,
        Quorum,
        lambda n, c, v, q: ~((s.view[n] < v) & _misses(s, n, c, v, q)),
    )


@strengthening(
    "of two settled members none may be further than the other",
    role=Role.IMPLIED,
    uses=("earlier_epochs_of_members",),
    only=(
        "settled_misses_nothing_earlier",
        "settled_misses_nothing_here",
        "settled_misses_nothing_later",
    ),
)
def nobody_is_further_than_settled(s: Cluster) -> Formula:
    """No member is further than one that is settled."""
    return forall(Node, Node, lambda n, m: ~(is_settled(s, n) & (s.epoch[n] < s.epoch[m])))


@strengthening(
    "of members that are equally far the values must come from their epochs",
    role=Role.IMPLIED,
    uses=("epoch_has_commit",),
    only=("value_at_the_start", "value_of_last_commit"),
)
def held_from_last_commit(s: Cluster) -> Formula:
    """A member that is not between values holds that of its last commit, or the start value."""
    return forall(Node, lambda n: is_between_values(s, n) | holds_value_of_last_commit(s, n))
