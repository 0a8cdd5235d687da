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
    """`v` is the newest view, and its members are alive."""
    return newest(s, v) & forall(Node, lambda n: implies(in_view(s, n, v), alive(s, n)))


def is_closed(s: Cluster, n: Node, c: Change, v: View) -> Formula:
    """`v` has begun for `n`, which has answered `c` if it was asked, and has finished with it.

    Or it waits for an operation that it has given up, which may hang for ever.
    """
    answered = implies(in_view(s, n, s.home[c]), s.phase[n, c] != Phase.IDLE)
    unfinished = is_open(s, n, c) | in_flush(s, n, c) | is_behind(s, n)
    return is_giving_up(s, n) | ((s.view[n] == v) & ~unfinished & answered)


@leads_to(weak=(*FLUSHING, *CHANGING), claims=(*CONFIRM_STATUS, *UNDO, "C5", "C6"))
def stable_view_decides(s: Cluster, c: Change, v: View) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end closed by every member of a view that stays."""
    closed = forall(Node, lambda n: implies(in_view(s, n, v), is_closed(s, n, c, v)))
    return s.requested[c] & stays(s, v), closed | ~stays(s, v)


@leads_to(weak=(propose, *FLUSHING, *CHANGING), claims=(*CONFIRM_STATUS, *UNDO, "C5", "C6"))
def change_decided(s: Cluster, c: Change) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end closed by all that are alive, if a quorum is.

    They propose views as long as there is a cause, and nobody is suspected without one.
    """
    no_quorum = forall(Quorum, lambda q: exists(Node, lambda n: s.in_quorum[q, n] & ~alive(s, n)))

    def finished(n: Node, v: View) -> Formula:
        inside = in_view(s, n, v) & is_closed(s, n, c, v)
        return inside | (~in_view(s, n, v) & ~is_open(s, n, c))

    closed = exists(
        View,
        lambda v: newest(s, v) & forall(Node, lambda n: implies(alive(s, n), finished(n, v))),
    )
    return s.requested[c], closed | no_quorum


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


@leads_to(weak=(send_ack, apply, send_ok, hold, commit), claims=("C5", "C6"))
def some_change_wins(s: Cluster, c: Change, v: View) -> tuple[Formula, Formula]:
    """A change that is asked for in a view that stays, when all others are closed, is committed.

    Unless a member turns it down or fails to apply it, or another one is asked for meanwhile.
    """

    def idle(d: Change) -> Formula:
        closed = forall(Node, lambda n: implies(in_view(s, n, v), is_closed(s, n, d, v)))
        return ~s.requested[d] | closed

    def ready(n: Node) -> Formula:
        return (s.view[n] == v) & (s.epoch[n] == s.base[c]) & ~is_behind(s, n)

    alone = forall(Change, lambda d: (d == c) | idle(d))
    refused = exists(Node, lambda n: s.sent[n, c, Message.FAILURE] | s.sent[n, c, Message.BUSY])
    all_ready = forall(Node, lambda n: implies(in_view(s, n, v), ready(n) & ~is_giving_up(s, n)))
    committed = forall(Node, lambda n: implies(in_view(s, n, v), s.phase[n, c] == Phase.COMMITTED))
    given = s.requested[c] & (s.home[c] == v) & all_ready & alone & ~refused & stays(s, v)
    return given, committed | refused | ~alone | ~stays(s, v)


@leads_to(weak=(commit, undo), claims=("C8",))
def in_doubt_resolves(s: Cluster, n: Node, m: Node, c: Change) -> tuple[Formula, Formula]:
    """Who is in doubt learns the outcome, quorum or not, from anybody who knows and stays up."""

    def stay_up(a: Node) -> Formula:
        return alive(s, a) & ~is_giving_up(s, a)

    given = is_open(s, n, c) & decided(s, m, c) & stay_up(n) & stay_up(m)
    return given, ~is_open(s, n, c) | ~stay_up(n) | ~stay_up(m)
