"""Views, the flush, and how a member that was left out comes back (notes C5 and C8).

Nobody hands out a view. A view is a proposal of one member, and it begins for each member when that
one has the reports of all. The flush is a ballot that is numbered by the view: the reports are its
promises, and what all reports say together is what its members vote for.
"""

from __future__ import annotations

from samebeat_spec.cluster import (
    Cluster,
    Quorum,
    Said,
    View,
    Vote,
    alive,
    has_gone_on,
    in_flush,
    in_view,
    is_heard,
    promised_away,
    takes_part,
)
from samebeat_spec.group import Change, Node, Phase
from samebeat_spec.language import (
    Formula,
    Term,
    action,
    every,
    exists,
    forall,
    guard,
    implies,
    ite,
)


def has_cause(s: Cluster, n: Node, v: View, q: Quorum) -> Formula:
    """The members of `q` are those that are alive, and those of the view of `n` are not.

    And no later view is proposed that mends it, and `v` is the next id. This limits how many views
    there are, for models in which they are to suffice; members know it only in part.
    """

    def fits(of: Quorum) -> Formula:
        return forall(
            Node,
            lambda m: (
                implies(s.in_quorum[of, m], alive(s, m)) & implies(alive(s, m), s.in_quorum[of, m])
            ),
        )

    mended = exists(View, lambda w: (s.view[n] < w) & s.proposed[w] & fits(s.members[w]))
    in_turn = forall(View, lambda w: implies(w < v, s.proposed[w]))
    return in_turn & fits(q) & ~fits(s.members[s.view[n]]) & ~mended


def reported_since(s: Cluster, n: Node, v: View) -> Formula:
    """`n` has reported to `v`, or has gone on to a later view."""
    return s.reported[n, v] | has_gone_on(s, n, v)


def say_what_is_known(s: Cluster, n: Node, v: View) -> None:
    """`n` reports to `v` how far it is with each change."""
    s.reported[n, v] = True
    s.said[n, v, every] = lambda c: ite(
        s.phase[n, c] == Phase.COMMITTED,
        Said.COMMITTED,
        ite(
            s.phase[n, c] == Phase.UNDONE,
            Said.UNDONE,
            ite(takes_part(s, n, c), Said.OPEN, Said.NOTHING),
        ),
    )


@action(claims=("C5",))
def propose(s: Cluster, n: Node, v: View, q: Quorum) -> None:
    """`n` suspects somebody, or wants somebody back: it proposes `v` with the members of `q`.

    It is one of them, and its own report is in the same message. Nothing breaks where its id is
    earlier than one that it has reported to, but members take a later one.
    """
    guard(alive(s, n), "n is alive")
    guard(~s.proposed[v], "v is a new view id")
    guard(s.in_quorum[q, n], "n is a member of it")
    guard(~has_gone_on(s, n, v), "n has not gone on to a later view", limit="environment")
    guard(~s.needs_cause | has_cause(s, n, v, q), "there is a cause", limit="environment")

    s.proposed[v] = True
    s.members[v] = q
    say_what_is_known(s, n, v)


@action(claims=("C5",))
def report(s: Cluster, n: Node, v: View) -> None:
    """`n` tells the members of `v` what it knows, and so promises away all earlier views."""
    guard(alive(s, n), "n is alive")
    guard(s.proposed[v], "the proposal is on the network")
    guard(in_view(s, n, v), "n is a member of it")
    guard(~reported_since(s, n, v), "n has reported to no view that is as late")

    say_what_is_known(s, n, v)


@action(claims=("C5",))
def begin_view(s: Cluster, n: Node, v: View) -> None:
    """`n` has the reports of all members of `v`, and goes on in it."""
    guard(alive(s, n), "n is alive")
    guard(s.reported[n, v], "n has reported to it")
    guard(~has_gone_on(s, n, v), "n has not gone on to a later view")
    guard(
        ~s.waits_for_reports
        | forall(Node, lambda m: implies(in_view(s, m, v), s.reported[m, v] & is_heard(s, m))),
        "every member has reported",
    )

    s.view[n] = v


def reported_vote(s: Cluster, m: Node, c: Change, w: View, v: View, outcome: Term) -> Formula:
    """The report of `m` to `v` has the vote that `m` gave in the earlier view `w`."""
    return (
        in_view(s, m, v) & (s.said[m, v, c] == Said.OPEN) & (w < v) & (s.vote[m, c, w] == outcome)
    )


def commit_is_reported(s: Cluster, c: Change, v: View) -> Formula:
    """Among the votes on `c` that are reported to `v`, the latest is to commit."""

    def latest(w: View) -> Formula:
        return forall(
            Node,
            View,
            lambda m, x: implies(reported_vote(s, m, c, x, v, Vote.UNDO), x < w),
        )

    return exists(
        Node,
        View,
        lambda m, w: (
            reported_vote(s, m, c, w, v, Vote.COMMIT) & (latest(w) | ~s.latest_vote_counts)
        ),
    )


@action(claims=("C5",))
def vote_in_flush(s: Cluster, n: Node, c: Change) -> None:
    """`n` votes on a change that is open in the reports; from now on it takes part in it."""
    guard(alive(s, n), "n is alive")
    guard(~promised_away(s, n, s.view[n]), "n has not gone on to a later view")
    guard(in_flush(s, n, c), "c is open in the reports to n's view")

    s.vote[n, c, s.view[n]] = ite(commit_is_reported(s, c, s.view[n]), Vote.COMMIT, Vote.UNDO)
    s.phase[n, c] = ite(s.phase[n, c] == Phase.IDLE, Phase.RECEIVED, s.phase[n, c])
