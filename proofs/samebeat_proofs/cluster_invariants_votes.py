"""Votes of the hardened group change: what is decided in one view is decided in all.

A vote in the view of the change is to commit. A vote in a later view is what the reports to that
view determine. If somebody has voted one way in a view, then in each earlier view the other way is
*dead*: a quorum has promised to vote there no more, and none of it has voted so.
"""

from __future__ import annotations

from samebeat_proofs.facts import Role, strengthening
from samebeat_spec.cluster import Cluster, Quorum, Said, View, Vote, in_view, takes_part
from samebeat_spec.cluster_views import commit_is_reported
from samebeat_spec.group import Change, Message, Node, Phase
from samebeat_spec.language import Formula, Term, exists, forall, implies, one_of


def chosen(s: Cluster, c: Change, outcome: Term) -> Formula:
    """In some view, a quorum has voted for that outcome of `c`."""
    return exists(
        View,
        Quorum,
        lambda v, q: forall(Node, lambda m: implies(s.in_quorum[q, m], s.vote[m, c, v] == outcome)),
    )


def barred(s: Cluster, c: Change) -> Formula:
    """There is a reason for which `c` is never committed: an answer, or votes."""
    answered = exists(Node, lambda m: s.sent[m, c, Message.FAILURE] | s.sent[m, c, Message.BUSY])
    return answered | chosen(s, c, Vote.UNDO)


def is_dead(s: Cluster, c: Change, w: View, x: View, outcome: Term) -> Formula:
    """All members of the later view `x` have reported to it, and none has voted so in `w`."""
    none = forall(
        Node,
        lambda m: implies(in_view(s, m, x), s.reported[m, x] & (s.vote[m, c, w] != outcome)),
    )
    return s.proposed[x] & none


# --- votes and reports -------------------------------------------------------------------------


@strengthening("who votes relies on the reports of the view, and these must not change any more")
def vote_in_a_view_that_has_begun(s: Cluster) -> Formula:
    """Members vote in views to which all have reported, not before that of the change."""
    return forall(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: implies(
            s.vote[n, c, v] != Vote.NONE,
            s.reported[n, v]
            & s.proposed[v]
            & ~(v < s.home[c])
            & implies(in_view(s, m, v), s.reported[m, v]),
        ),
    )


@strengthening("what a report says of a vote that was given before must not be nothing")
def silent_report_means_no_vote(s: Cluster) -> Formula:
    """Who reports to know nothing of a change has voted on it in no earlier view."""
    return forall(
        Node,
        Change,
        View,
        View,
        lambda n, c, v, w: implies(
            s.reported[n, v] & (w < v) & (s.said[n, v, c] == Said.NOTHING),
            s.vote[n, c, w] == Vote.NONE,
        ),
    )


@strengthening("a vote in a later view is what the reports determine, if they know no decision")
def flush_of_what_is_open(s: Cluster) -> Formula:
    """If anybody has voted in a later view, no report to that view says that it is decided."""
    return forall(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: implies(
            (s.vote[n, c, v] != Vote.NONE) & (v != s.home[c]) & in_view(s, m, v),
            one_of(s.said[m, v, c], Said.NOTHING, Said.OPEN),
        ),
    )


# --- what a vote rests on ----------------------------------------------------------------------


@strengthening("nobody may vote to commit what not all have applied")
def commit_vote_means_all_ok(s: Cluster) -> Formula:
    """If anybody has voted to commit, every member of the view of the change has said ok."""
    return forall(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: implies(
            (s.vote[n, c, v] == Vote.COMMIT) & in_view(s, m, s.home[c]),
            s.sent[m, c, Message.OK],
        ),
    )


@strengthening("votes in the view of the change agree")
def home_vote_is_commit(s: Cluster) -> Formula:
    """Nobody votes to undo a change in its own view."""
    return forall(
        Node, Change, View, lambda n, c, v: implies(v == s.home[c], s.vote[n, c, v] != Vote.UNDO)
    )


@strengthening(
    "two members of a view that vote from the same reports must vote the same",
    only=(
        "vote_in_a_view_that_has_begun",
        "home_vote_is_commit",
        "forgetful_is_out",
        "view_has_begun",
        "unrequested_is_unknown",
    ),
)
def commit_vote_is_reported(s: Cluster) -> Formula:
    """Who votes to commit in a later view has it from the reports to that view."""
    return forall(
        Change,
        View,
        lambda c, v: implies(
            (v != s.home[c]) & exists(Node, lambda n: s.vote[n, c, v] == Vote.COMMIT),
            commit_is_reported(s, c, v),
        ),
    )


@strengthening(
    "two members of a view that vote from the same reports must vote the same",
    only=(
        "vote_in_a_view_that_has_begun",
        "home_vote_is_commit",
        "forgetful_is_out",
    ),
)
def undo_vote_is_reported(s: Cluster) -> Formula:
    """Who votes to undo has it from the reports to that view."""
    return forall(
        Change,
        View,
        lambda c, v: implies(
            exists(Node, lambda n: s.vote[n, c, v] == Vote.UNDO), ~commit_is_reported(s, c, v)
        ),
    )


@strengthening(
    "what a quorum has voted for must not be voted away: who votes again votes the same",
    uses=("commit_vote_is_reported", "undo_vote_is_reported"),
    role=Role.STEP,
    only=("home_vote_is_commit",),
)
def vote_stays(s: Cluster, t: Cluster) -> Formula:
    """A member that has voted on a change in a view never votes there otherwise."""
    return forall(
        Node,
        Change,
        View,
        lambda n, c, v: implies(s.vote[n, c, v] != Vote.NONE, t.vote[n, c, v] == s.vote[n, c, v]),
    )


@strengthening(
    "a quorum of one view must not have both outcomes",
    uses=("commit_vote_is_reported", "undo_vote_is_reported"),
    role=Role.IMPLIED,
    only=("home_vote_is_commit",),
)
def votes_of_a_view_agree(s: Cluster) -> Formula:
    """In one view, all vote the same on a change."""
    return forall(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: ~((s.vote[n, c, v] == Vote.COMMIT) & (s.vote[m, c, v] == Vote.UNDO)),
    )


def _excludes(s: Cluster, one: Term, other: Term) -> Formula:
    return forall(
        Change,
        View,
        View,
        lambda c, v, w: implies(
            (w < v) & exists(Node, lambda n: s.vote[n, c, v] == one),
            exists(View, lambda x: (w < x) & ~(v < x) & is_dead(s, c, w, x, other)),
        ),
    )


def _reports_exclude(s: Cluster, one: Formula, c: Change, v: View, w: View, other: Term) -> Formula:
    unknown = forall(
        Node,
        lambda m: implies(
            in_view(s, m, v),
            s.reported[m, v] & one_of(s.said[m, v, c], Said.NOTHING, Said.OPEN),
        ),
    )
    return implies(
        one & unknown & s.proposed[v] & (w < v),
        exists(View, lambda x: (w < x) & ~(v < x) & is_dead(s, c, w, x, other)),
    )


@strengthening(
    "who votes in a view must have the earlier views behind it before anybody votes",
    lemma="of finitely many views it follows by induction over them, which the solver cannot do",
    uses=("undo_vote_excludes_commit", "vote_stays"),
    only=(
        "silent_report_means_no_vote",
        "votes_of_a_view_agree",
        "vote_in_a_view_that_has_begun",
        "reported_was_proposed",
        "journal_before_send",
        "forgetful_is_out",
    ),
)
def reports_exclude_commit(s: Cluster) -> Formula:
    """If the reports to a view say that a change is to be undone, its commit is dead before."""
    return forall(
        Change,
        View,
        View,
        lambda c, v, w: _reports_exclude(s, ~commit_is_reported(s, c, v), c, v, w, Vote.COMMIT),
    )


@strengthening(
    "who votes in a view must have the earlier views behind it before anybody votes",
    lemma="of finitely many views it follows by induction over them, which the solver cannot do",
    uses=("commit_vote_excludes_undo", "vote_stays"),
    only=(
        "silent_report_means_no_vote",
        "votes_of_a_view_agree",
        "vote_in_a_view_that_has_begun",
        "reported_was_proposed",
        "journal_before_send",
        "forgetful_is_out",
    ),
)
def reports_exclude_undo(s: Cluster) -> Formula:
    """If the reports to a view say that a change is to be committed, its undo is dead before."""
    return forall(
        Change,
        View,
        View,
        lambda c, v, w: _reports_exclude(s, commit_is_reported(s, c, v), c, v, w, Vote.UNDO),
    )


@strengthening(
    "a quorum that votes to commit excludes earlier and later votes to undo",
    uses=("commit_vote_is_reported", "reports_exclude_undo"),
    role=Role.IMPLIED,
    only=(
        "flush_of_what_is_open",
        "vote_in_a_view_that_has_begun",
        "home_has_begun",
        "home_vote_is_commit",
    ),
)
def commit_vote_excludes_undo(s: Cluster) -> Formula:
    """If somebody has voted to commit, an undo is dead in all earlier views."""
    return _excludes(s, Vote.COMMIT, Vote.UNDO)


@strengthening(
    "reports that a vote to undo rests on must be told in one step, or the solver gets lost",
    role=Role.IMPLIED,
    only=("flush_of_what_is_open", "vote_in_a_view_that_has_begun", "home_vote_is_commit"),
)
def undo_vote_has_reports(s: Cluster) -> Formula:
    """If somebody has voted to undo, all of the view have reported, and of no decision."""
    return forall(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: implies(
            s.vote[n, c, v] == Vote.UNDO,
            s.proposed[v]
            & implies(
                in_view(s, m, v),
                s.reported[m, v] & one_of(s.said[m, v, c], Said.NOTHING, Said.OPEN),
            ),
        ),
    )


@strengthening(
    "a quorum that votes to undo excludes earlier and later votes to commit",
    uses=("undo_vote_is_reported", "reports_exclude_commit"),
    role=Role.IMPLIED,
    only=("undo_vote_has_reports",),
)
def undo_vote_excludes_commit(s: Cluster) -> Formula:
    """If somebody has voted to undo, a commit is dead in all earlier views."""
    return _excludes(s, Vote.UNDO, Vote.COMMIT)


# --- decisions ---------------------------------------------------------------------------------


@strengthening(
    "agreement needs to know why a change was committed: a quorum has voted for it",
    uses=("vote_stays",),
    only=("home_vote_is_commit",),
)
def committed_was_chosen(s: Cluster) -> Formula:
    """What is committed, by a member or by its report, a quorum has voted for in some view."""
    return forall(
        Change,
        lambda c: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
            | exists(Node, View, lambda n, v: s.said[n, v, c] == Said.COMMITTED),
            chosen(s, c, Vote.COMMIT),
        ),
    )


@strengthening(
    "agreement needs to know why a change was undone: for a reason that bars its commit",
    uses=("vote_stays",),
    only=("home_vote_is_commit",),
)
def undone_was_barred(s: Cluster) -> Formula:
    """What is undone, by a member or by its report, has a failure, a busy answer or votes."""
    return forall(
        Change,
        lambda c: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE)
            | exists(Node, View, lambda n, v: s.said[n, v, c] == Said.UNDONE),
            barred(s, c),
        ),
    )


def _cannot_be(s: Cluster, one: Term, other: Term) -> Formula:
    return forall(
        Change,
        View,
        View,
        Quorum,
        lambda c, v, w, q: implies(
            (w < v) & exists(Node, lambda n: s.vote[n, c, v] == one),
            exists(Node, lambda m: s.in_quorum[q, m] & (s.vote[m, c, w] != other)),
        ),
    )


@strengthening(
    "what is dead must not be chosen; this form says it without a view in between",
    uses=("commit_vote_excludes_undo",),
    role=Role.IMPLIED,
    only=("votes_of_a_view_agree",),
)
def commit_vote_leaves_no_undo(s: Cluster) -> Formula:
    """If somebody has voted to commit, no quorum has voted to undo in an earlier view."""
    return _cannot_be(s, Vote.COMMIT, Vote.UNDO)


@strengthening(
    "what is dead must not be chosen; this form says it without a view in between",
    uses=("undo_vote_excludes_commit",),
    role=Role.IMPLIED,
    only=("votes_of_a_view_agree",),
)
def undo_vote_leaves_no_commit(s: Cluster) -> Formula:
    """If somebody has voted to undo, no quorum has voted to commit in an earlier view."""
    return _cannot_be(s, Vote.UNDO, Vote.COMMIT)


@strengthening(
    "this is where the ballots come together: agreement and more follow from it",
    uses=("commit_vote_leaves_no_undo", "undo_vote_leaves_no_commit"),
    role=Role.IMPLIED,
    only=(
        "no_foreign_message",
        "status_once",
        "busy_never_acked",
        "commit_vote_means_all_ok",
        "votes_of_a_view_agree",
    ),
)
def chosen_is_not_barred(s: Cluster) -> Formula:
    """What a quorum has voted to commit, nothing bars: no answer, and no votes in any view."""
    return forall(Change, lambda c: ~(chosen(s, c, Vote.COMMIT) & barred(s, c)))


@strengthening(
    "what is committed must not be barred: one step, where the solver would need many",
    uses=("committed_was_chosen", "chosen_is_not_barred"),
    role=Role.IMPLIED,
    only=("committed_was_chosen",),
)
def committed_is_not_barred(s: Cluster) -> Formula:
    """Nothing bars what a member has committed."""
    return forall(
        Change,
        lambda c: ~(exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED) & barred(s, c)),
    )


@strengthening(
    "who has undone a change must never find votes to commit it",
    uses=("undone_was_barred", "chosen_is_not_barred"),
    role=Role.IMPLIED,
    only=("undone_was_barred",),
)
def undone_was_not_chosen(s: Cluster) -> Formula:
    """No quorum has voted to commit what a member has undone."""
    return forall(
        Change,
        lambda c: (
            ~(exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE) & chosen(s, c, Vote.COMMIT))
        ),
    )


@strengthening(
    "who acks a change is done with what it has acked before: one step instead of four",
    uses=("undone_was_barred",),
    role=Role.IMPLIED,
    only=("journal_before_send", "committed_below_epoch", "failed_is_closed"),
)
def acked_is_open_or_past(s: Cluster) -> Formula:
    """What a member has acked is open there, or barred, or starts from below its epoch."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.ACK] & ~s.forgetful[n],
            takes_part(s, n, c) | (s.base[c] < s.epoch[n]) | barred(s, c),
        ),
    )


@strengthening(
    "of two changes from one epoch, members that commit must not have acked both",
    uses=("acked_is_open_or_past", "vote_stays"),
    only=("home_vote_is_commit", "forgetful_is_out", "unrequested_is_unknown"),
)
def acked_two_means_barred(s: Cluster) -> Formula:
    """If a member has acked two changes from one epoch, one of them is never committed."""
    return forall(
        Change,
        Change,
        lambda c, d: implies(
            exists(Node, lambda n: s.sent[n, c, Message.ACK] & s.sent[n, d, Message.ACK])
            & (s.base[c] == s.base[d])
            & (c != d),
            barred(s, c) | barred(s, d),
        ),
    )


@strengthening(
    "two changes that are committed from one epoch have a member in common that acked both",
    uses=("acked_two_means_barred", "committed_is_not_barred"),
    role=Role.IMPLIED,
    only=("committed_is_not_barred",),
)
def acked_two_commits_one(s: Cluster) -> Formula:
    """Of two changes from one epoch that one member has acked, at most one is committed."""

    def committed(c: Change) -> Formula:
        return exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)

    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies(
            s.sent[n, c, Message.ACK]
            & s.sent[n, d, Message.ACK]
            & (s.base[c] == s.base[d])
            & committed(c)
            & committed(d),
            c == d,
        ),
    )
