"""What the hardened group change promises, crashed members included.

Names are those of the design and part of the interface. Invariants marked ``internal`` restate how
the protocol works; all others speak of what a user of the cluster would notice.
"""

from __future__ import annotations

from samebeat_spec.cluster import (
    Cluster,
    Quorum,
    Said,
    View,
    Vote,
    alive,
    decided,
    in_flush,
    in_view,
    is_behind,
    is_open,
    takes_part,
)
from samebeat_spec.group import (
    ACK_ROUND,
    CONFIRM_STATUS,
    FAILURE,
    MODIFY,
    MULTICAST,
    RECEIPT,
    STATUS,
    STATUS_ROUND,
    UNDO,
    Change,
    Epoch,
    Message,
    Node,
    Phase,
)
from samebeat_spec.language import (
    Formula,
    Term,
    always_reachable,
    exists,
    following,
    forall,
    implies,
    invariant,
    one_of,
    step_property,
    terminal,
)


def holds_value_of_last_commit(s: Cluster, n: Node) -> Formula:
    """`n` holds the value of the change that led to its epoch, or the start value."""
    at_the_start = (s.epoch[n] == Epoch.first) & (s.value[n] == s.start_value)
    return at_the_start | exists(
        Change,
        lambda c: (
            (s.phase[n, c] == Phase.COMMITTED)
            & (s.epoch[n] == following(s.base[c]))
            & (s.value[n] == s.asked[c])
        ),
    )


def is_between_values(s: Cluster, n: Node) -> Formula:
    """`n` has applied and not decided, has to undo a late success, or has taken itself out."""
    applied = exists(Change, lambda c: is_open(s, n, c) & (s.phase[n, c] == Phase.APPLIED))
    return applied | s.late[n] | s.quarantined[n]


def has_nothing_open(s: Cluster, n: Node) -> Formula:
    """`n` has decided whatever it takes part in, and has what its view knew at its beginning."""
    unfinished = exists(Change, lambda c: is_open(s, n, c) | in_flush(s, n, c))
    return ~unfinished & ~is_behind(s, n) & ~s.late[n]


def is_replaced(s: Cluster, v: View) -> Formula:
    """All members of a later view have reported to it, and they are a quorum: `v` is behind.

    A member that was left out may learn what that view has decided, and another one may not.
    """

    def complete(w: View) -> Formula:
        return s.proposed[w] & forall(Node, lambda m: implies(in_view(s, m, w), s.reported[m, w]))

    return exists(View, lambda w: (v < w) & complete(w))


def is_active(s: Cluster, n: Node) -> Formula:
    """`n` is alive and has reported to no later view than its own."""
    return alive(s, n) & forall(View, lambda w: implies(s.view[n] < w, ~s.reported[n, w]))


def voted(s: Cluster, n: Node, c: Change) -> Formula:
    """The journal of `n` has what a member that has voted on `c` must remember."""
    return takes_part(s, n, c) | decided(s, n, c)


@invariant(claims=("1(a)",))
def value_known(s: Cluster) -> Formula:
    """Every member holds the start value or one that somebody has asked for."""
    return forall(
        Node,
        lambda n: (
            (s.value[n] == s.start_value)
            | exists(Change, lambda c: s.requested[c] & (s.value[n] == s.asked[c]))
        ),
    )


@invariant(claims=("C6",), internal=True)
def one_open_change(s: Cluster) -> Formula:
    """A member has at most one change applied and not decided."""
    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies(
            is_open(s, n, c)
            & is_open(s, n, d)
            & (s.phase[n, c] == Phase.APPLIED)
            & (s.phase[n, d] == Phase.APPLIED),
            c == d,
        ),
    )


@invariant(claims=("C6",))
def one_commit_per_base_epoch(s: Cluster) -> Formula:
    """Of all changes that start from one epoch, at most one is ever committed."""
    return forall(
        Change,
        Change,
        lambda c, d: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
            & exists(Node, lambda n: s.phase[n, d] == Phase.COMMITTED)
            & (s.base[c] == s.base[d]),
            c == d,
        ),
    )


@invariant(claims=("C6",))
def busy_needs_rival(s: Cluster) -> Formula:
    """A change is turned down only if another one is asked for, or its view is left."""

    def left(n: Node, c: Change) -> Formula:
        return exists(View, lambda v: (s.home[c] < v) & s.reported[n, v])

    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.BUSY],
            exists(Change, lambda d: (d != c) & s.requested[d]) | left(n, c),
        ),
    )


@invariant(claims=RECEIPT + ACK_ROUND + MODIFY)
def apply_after_full_receipt(s: Cluster) -> Formula:
    """No member runs the local operation before every member of the view has acked."""
    return forall(
        Change,
        lambda c: implies(
            exists(
                Node, lambda n: (s.phase[n, c] == Phase.APPLIED) | s.sent[n, c, Message.FAILURE]
            ),
            forall(Node, lambda m: implies(in_view(s, m, s.home[c]), s.sent[m, c, Message.ACK])),
        ),
    )


@invariant(claims=("C5",), internal=True)
def journal_before_send(s: Cluster) -> Formula:
    """What a member has said about a change is in its journal, unless that is lost."""
    acted = (Phase.ACKED, Phase.APPLIED, Phase.COMMITTED, Phase.UNDONE)
    return forall(
        Node,
        Change,
        lambda n, c: (
            s.forgetful[n]
            | (
                implies(s.sent[n, c, Message.ACK], one_of(s.phase[n, c], *acted))
                & implies(
                    s.sent[n, c, Message.OK],
                    one_of(s.phase[n, c], Phase.APPLIED, Phase.COMMITTED, Phase.UNDONE),
                )
                & implies(s.sent[n, c, Message.FAILURE], s.phase[n, c] == Phase.UNDONE)
                & forall(View, lambda v: implies(s.vote[n, c, v] != Vote.NONE, voted(s, n, c)))
            )
        ),
    )


@invariant(claims=MULTICAST, internal=True)
def no_foreign_message(s: Cluster) -> Formula:
    """Only members of a view ack its changes, report to it and vote in it."""
    acks = forall(
        Node,
        Change,
        Message,
        lambda n, c, k: implies(s.sent[n, c, k], in_view(s, n, s.home[c])),
    )
    reports = forall(Node, View, lambda n, v: implies(s.reported[n, v], in_view(s, n, v)))
    votes = forall(
        Node,
        Change,
        View,
        lambda n, c, v: implies(s.vote[n, c, v] != Vote.NONE, in_view(s, n, v)),
    )
    return acks & reports & votes


@invariant(claims=STATUS + STATUS_ROUND, internal=True)
def status_once(s: Cluster) -> Formula:
    """A member never sends both statuses of one change."""
    return forall(
        Node, Change, lambda n, c: ~(s.sent[n, c, Message.OK] & s.sent[n, c, Message.FAILURE])
    )


@invariant(claims=STATUS_ROUND + CONFIRM_STATUS, internal=True)
def commit_needs_all_ok(s: Cluster) -> Formula:
    """A member commits only what every member of the view has applied and said so."""
    return forall(
        Change,
        lambda c: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED),
            forall(Node, lambda m: implies(in_view(s, m, s.home[c]), s.sent[m, c, Message.OK])),
        ),
    )


@invariant(claims=FAILURE + UNDO)
def failure_excludes_commit(s: Cluster) -> Formula:
    """A change that failed on some member is committed by none."""
    return forall(
        Change,
        lambda c: (
            ~(
                exists(Node, lambda m: s.sent[m, c, Message.FAILURE])
                & exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
            )
        ),
    )


@invariant(claims=(*UNDO, *CONFIRM_STATUS, "C5"))
def agreement(s: Cluster) -> Formula:
    """No member commits a change that another member undoes, crashed members included."""
    return forall(
        Change,
        lambda c: (
            ~(
                exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
                & exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE)
            )
        ),
    )


@invariant(claims=("C5",), internal=True)
def one_deciding_view(s: Cluster) -> Formula:
    """No quorum has voted for one outcome of a change in one view, and for the other in another."""

    def chosen(c: Change, v: View, outcome: Term) -> Formula:
        return exists(
            Quorum,
            lambda q: forall(
                Node, lambda n: implies(s.in_quorum[q, n], s.vote[n, c, v] == outcome)
            ),
        )

    return forall(
        Change,
        View,
        View,
        lambda c, v, w: ~(chosen(c, v, Vote.COMMIT) & chosen(c, w, Vote.UNDO)),
    )


@invariant(claims=(*UNDO, "C7"))
def undo_restores_pre_image(s: Cluster) -> Formula:
    """A member that has undone a change, and has none applied, is back at its last commit."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.phase[n, c] == Phase.UNDONE) & ~is_between_values(s, n),
            holds_value_of_last_commit(s, n),
        ),
    )


@invariant(claims=MODIFY)
def kept_until_replaced(s: Cluster) -> Formula:
    """A committed value stays until a later change is applied."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.phase[n, c] == Phase.COMMITTED) & ~is_between_values(s, n),
            holds_value_of_last_commit(s, n),
        ),
    )


@invariant(claims=(*UNDO, "C5", "C6"))
def all_or_nothing(s: Cluster) -> Formula:
    """Active members of a view that is not replaced, with nothing open, hold the same."""

    def settled(n: Node) -> Formula:
        return is_active(s, n) & has_nothing_open(s, n) & ~is_replaced(s, s.view[n])

    return forall(
        Node,
        Node,
        lambda n, m: implies(
            settled(n) & settled(m) & (s.view[n] == s.view[m]),
            (s.value[n] == s.value[m]) & (s.epoch[n] == s.epoch[m]),
        ),
    )


@invariant(claims=("C5",))
def rejoin_before_active(s: Cluster) -> Formula:
    """Who acks a change of a view has adopted what the reports to that view say is committed."""
    return forall(
        Node,
        Node,
        Change,
        Change,
        lambda n, m, c, d: implies(
            s.sent[n, c, Message.ACK]
            & in_view(s, m, s.home[c])
            & (s.said[m, s.home[c], d] == Said.COMMITTED),
            s.base[d] < s.base[c],
        ),
    )


@step_property(claims=("C7",))
def quarantine_excluded(s: Cluster, t: Cluster) -> Formula:
    """A member that has taken itself out, or is down, says and decides nothing."""

    def silent(n: Node) -> Formula:
        said = forall(Change, Message, lambda c, k: implies(t.sent[n, c, k], s.sent[n, c, k]))
        votes = forall(Change, View, lambda c, v: t.vote[n, c, v] == s.vote[n, c, v])
        reports = forall(View, lambda v: implies(t.reported[n, v], s.reported[n, v]))
        phases = forall(Change, lambda c: t.phase[n, c] == s.phase[n, c])
        return said & votes & reports & phases & (s.view[n] == t.view[n])

    def from_somebody(c: Change) -> Formula:
        return exists(
            Node, lambda n: alive(s, n) & (s.view[n] == t.home[c]) & (s.epoch[n] == t.base[c])
        )

    requests = forall(Change, lambda c: implies(t.requested[c] & ~s.requested[c], from_somebody(c)))
    somebody = exists(Node, lambda n: alive(s, n))
    proposals = forall(View, lambda v: implies(t.proposed[v] & ~s.proposed[v], somebody))
    return requests & proposals & forall(Node, lambda n: alive(s, n) | silent(n))


@step_property(claims=UNDO)
def decision_stable(s: Cluster, t: Cluster) -> Formula:
    """A member never changes its mind, unless its journal is lost."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(decided(s, n, c), (t.phase[n, c] == s.phase[n, c]) | t.forgetful[n]),
    )


@step_property(claims=("C6",))
def epoch_monotone(s: Cluster, t: Cluster) -> Formula:
    """A member's epoch changes only upwards, unless its journal is lost."""
    return forall(
        Node,
        lambda n: (s.epoch[n] == t.epoch[n]) | (s.epoch[n] < t.epoch[n]) | t.forgetful[n],
    )


@step_property(claims=("C5",))
def view_monotone(s: Cluster, t: Cluster) -> Formula:
    """A member never goes back to an earlier view, unless its journal is lost."""
    return forall(
        Node, lambda n: (s.view[n] == t.view[n]) | (s.view[n] < t.view[n]) | t.forgetful[n]
    )


def newest(s: Cluster, v: View) -> Formula:
    """`v` is proposed, and no later view is."""
    return s.proposed[v] & forall(View, lambda w: implies(v < w, ~s.proposed[w]))


def is_out(s: Cluster, n: Node) -> Formula:
    """`n` has taken itself out, or is down and does not come back."""
    return s.quarantined[n] | (~s.up[n] & ~s.recovers)


def no_quorum_left(s: Cluster) -> Formula:
    """So many members are out that no quorum is left: then what is open stays in doubt."""
    return forall(Quorum, lambda q: exists(Node, lambda n: s.in_quorum[q, n] & is_out(s, n)))


def quiescent(s: Cluster) -> Formula:
    """For those members of the newest view that are alive it has begun, and nothing is open."""

    def done(n: Node, v: View) -> Formula:
        return (s.view[n] == v) & has_nothing_open(s, n)

    return exists(
        View,
        lambda v: (
            newest(s, v)
            & forall(Node, lambda n: implies(in_view(s, n, v) & alive(s, n), done(n, v)))
        ),
    )


@always_reachable(claims=(*UNDO, "C5", "C8"))
def quiescence_reachable(s: Cluster) -> Formula:
    """As long as there is a quorum, its members can decide all that is open, in some view."""
    return quiescent(s) | no_quorum_left(s)


@terminal
def all_done(s: Cluster) -> Formula:
    """The members of the newest view have nothing open."""
    return quiescent(s)


@terminal
def left_in_doubt(s: Cluster) -> Formula:
    """A member of the newest view is out, and there is no later view."""
    return exists(View, Node, lambda v, n: newest(s, v) & in_view(s, n, v) & is_out(s, n))
