"""What the hardened group change comes to in the end.

Nobody has to propose a view, to ask for a change or to crash, and nobody is suspected wrongly for
ever: promises are about a view that *stays*, the newest one with all members alive. Fairness is all
weak: messages arrive in the end, and a member does what it can do.
"""

from __future__ import annotations

from samebeat_spec.cluster import (
    Cluster,
    Quorum,
    View,
    alive,
    apply,
    commit,
    decided,
    hold,
    in_flush,
    in_view,
    is_behind,
    is_giving_up,
    is_open,
    send_ack,
    send_busy,
    send_ok,
    undo,
)
from samebeat_spec.cluster_properties import newest
from samebeat_spec.cluster_views import (
    begin_view,
    propose,
    report,
    vote_in_flush,
)
from samebeat_spec.group import CONFIRM_STATUS, MODIFY, UNDO, Change, Message, Node, Phase
from samebeat_spec.language import Formula, exists, forall, implies, leads_to

FLUSHING = (report, begin_view, vote_in_flush, commit, undo)
"""What a member does about a view that is proposed."""
CHANGING = (send_ack, send_busy, apply, send_ok, hold)
"""What a member does about a change of its view. A failed apply is an apply that ends."""


def stays(s: Cluster, v: View) -> Formula:
    """`v` is the newest view, and its members are alive and have nothing to give up."""
    return newest(s, v) & forall(
        Node, lambda n: implies(in_view(s, n, v), alive(s, n) & ~is_giving_up(s, n))
    )


def is_closed(s: Cluster, n: Node, c: Change, v: View) -> Formula:
    """`v` has begun for `n`, and `n` has decided `c` or has no part in it, and is up to date."""
    answered = implies(s.home[c] == v, decided(s, n, c))
    unfinished = is_open(s, n, c) | in_flush(s, n, c) | is_behind(s, n)
    return (s.view[n] == v) & ~unfinished & answered


@leads_to(weak=(*FLUSHING, *CHANGING), claims=(*CONFIRM_STATUS, *UNDO, "C5", "C6"))
def stable_view_decides(s: Cluster, c: Change, v: View) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end decided by every member of a view that stays."""
    closed = forall(Node, lambda n: implies(in_view(s, n, v), is_closed(s, n, c, v)))
    return s.requested[c] & stays(s, v), closed | ~stays(s, v)


@leads_to(weak=(propose, *FLUSHING, *CHANGING), claims=(*CONFIRM_STATUS, *UNDO, "C5", "C6"))
def change_decided(s: Cluster, c: Change) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end decided by all that are alive, if a quorum is.

    They propose views as long as there is a cause, and nobody is suspected without one.
    """
    no_quorum = forall(Quorum, lambda q: exists(Node, lambda n: s.in_quorum[q, n] & ~alive(s, n)))
    closed = exists(
        View,
        lambda v: (
            newest(s, v)
            & forall(
                Node,
                lambda n: implies(
                    alive(s, n),
                    ~is_open(s, n, c) & (~in_view(s, n, v) | is_closed(s, n, c, v)),
                ),
            )
        ),
    )
    busy = exists(Node, lambda n: is_giving_up(s, n))
    return s.requested[c], closed | no_quorum | busy


@leads_to(
    weak=(send_ack, apply, send_ok, hold, commit),
    claims=(*CONFIRM_STATUS, *MODIFY, "C5"),
)
def no_fault_commits(s: Cluster, c: Change, v: View) -> tuple[Formula, Formula]:
    """A change that is asked for in a view that stays is committed there, or something happens.

    What may happen is that a member fails to apply it, or that another change is asked for.
    """
    failed = exists(Node, lambda n: s.sent[n, c, Message.FAILURE])
    rival = exists(Change, lambda d: (d != c) & s.requested[d])
    committed = forall(Node, lambda n: implies(in_view(s, n, v), s.phase[n, c] == Phase.COMMITTED))
    begun = forall(Node, lambda n: implies(in_view(s, n, v), s.view[n] == v))
    given = s.requested[c] & (s.home[c] == v) & begun & stays(s, v)
    return given, committed | failed | rival | ~stays(s, v)


@leads_to(weak=(commit, undo), claims=("C8",))
def in_doubt_resolves(s: Cluster, n: Node, m: Node, c: Change) -> tuple[Formula, Formula]:
    """Who is in doubt learns the outcome, quorum or not, from anybody who knows and stays up."""

    def stay_up(a: Node) -> Formula:
        return alive(s, a) & ~is_giving_up(s, a)

    given = is_open(s, n, c) & decided(s, m, c) & stay_up(n) & stay_up(m)
    return given, ~is_open(s, n, c) | ~stay_up(n) | ~stay_up(m)
