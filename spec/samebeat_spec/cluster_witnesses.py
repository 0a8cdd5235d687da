"""What must be possible in the hardened group change; otherwise its promises would mean little."""

from __future__ import annotations

from samebeat_spec.cluster import (
    Cluster,
    Said,
    View,
    Vote,
    alive,
    in_view,
    is_open,
)
from samebeat_spec.group import (
    CONFIRM_STATUS,
    MODIFY,
    UNDO,
    Change,
    Message,
    Node,
    Phase,
)
from samebeat_spec.language import Formula, Term, exists, forall, implies, witness


def all_of_home(s: Cluster, c: Change, phase: Term) -> Formula:
    """Every member of the view of `c` is that far with it."""
    return s.requested[c] & forall(
        Node, lambda n: implies(in_view(s, n, s.home[c]), s.phase[n, c] == phase)
    )


@witness(claims=("1.preamble", *MODIFY, *CONFIRM_STATUS))
def a_commit(s: Cluster) -> Formula:
    """All members of a view have committed a change of it."""
    return exists(Change, lambda c: all_of_home(s, c, Phase.COMMITTED))


@witness(claims=UNDO)
def an_undo_after_apply(s: Cluster) -> Formula:
    """A member has undone a change that it had applied and reported as ok."""
    return exists(
        Node, Change, lambda n, c: (s.phase[n, c] == Phase.UNDONE) & s.sent[n, c, Message.OK]
    )


@witness(claims=("C8",))
def a_member_in_doubt(s: Cluster) -> Formula:
    """A member has said that it has applied, and another one is down that has said nothing."""
    return exists(
        Node,
        Node,
        Change,
        lambda n, m, c: (
            alive(s, n)
            & is_open(s, n, c)
            & s.sent[n, c, Message.OK]
            & in_view(s, m, s.home[c])
            & ~s.up[m]
            & ~s.sent[m, c, Message.OK]
            & ~s.sent[m, c, Message.FAILURE]
        ),
    )


@witness(claims=("C5",))
def a_crash_between_apply_and_status(s: Cluster) -> Formula:
    """A member that has applied is down and has not said so."""
    return exists(
        Node,
        Change,
        lambda n, c: ~s.up[n] & (s.phase[n, c] == Phase.APPLIED) & ~s.sent[n, c, Message.OK],
    )


@witness(claims=("C5",))
def a_flush_that_adopts(s: Cluster) -> Formula:
    """In a later view a member votes to commit what was open when that view began."""
    return exists(
        Node,
        Change,
        View,
        lambda n, c, v: (s.home[c] < v) & (s.vote[n, c, v] == Vote.COMMIT),
    )


@witness(claims=("C5",))
def a_flush_that_undoes(s: Cluster) -> Formula:
    """In a later view a member has undone what it had applied, though nobody has failed."""
    return exists(
        Node,
        Change,
        View,
        lambda n, c, v: (
            (s.vote[n, c, v] == Vote.UNDO)
            & s.sent[n, c, Message.OK]
            & (s.phase[n, c] == Phase.UNDONE)
            & ~exists(Node, lambda m: s.sent[m, c, Message.FAILURE])
        ),
    )


@witness(claims=("C5",))
def a_vote_against_an_earlier_one(s: Cluster) -> Formula:
    """A change that some member has voted to commit is undone in a later view."""
    return exists(
        Change,
        lambda c: (
            exists(Node, View, lambda n, v: s.vote[n, c, v] == Vote.COMMIT)
            & exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE)
        ),
    )


@witness(claims=("C5",))
def a_rejoin(s: Cluster) -> Formula:
    """A member that was left out of a commit is back, and has adopted it."""
    return exists(
        Node,
        Node,
        Change,
        View,
        lambda n, m, c, v: (
            (s.view[n] == v)
            & in_view(s, m, v)
            & (s.said[m, v, c] == Said.COMMITTED)
            & (s.said[n, v, c] != Said.COMMITTED)
            & (s.phase[n, c] == Phase.COMMITTED)
        ),
    )


@witness(claims=("C5",))
def a_commit_without_a_member(s: Cluster) -> Formula:
    """The members of a view have committed a change while another configured member is down."""
    return exists(
        Node,
        Change,
        lambda n, c: ~s.up[n] & ~in_view(s, n, s.home[c]) & all_of_home(s, c, Phase.COMMITTED),
    )


@witness(claims=("C5",))
def an_outdated_change(s: Cluster) -> Formula:
    """A member that was left out adopts a commit while another change of its own is undecided."""
    return exists(
        Node,
        Change,
        lambda n, c: (s.phase[n, c] == Phase.APPLIED) & (s.base[c] < s.epoch[n]),
    )


@witness(claims=("C6",))
def a_busied_change(s: Cluster) -> Formula:
    """A change has been turned down, and all members have closed it."""
    return exists(
        Change,
        lambda c: (
            exists(Node, lambda n: s.sent[n, c, Message.BUSY]) & all_of_home(s, c, Phase.UNDONE)
        ),
    )


@witness(claims=(*UNDO, "C6"))
def a_second_change_after_an_undone_one(s: Cluster) -> Formula:
    """All members have undone a change that failed, and committed the next."""
    return exists(
        Change,
        Change,
        lambda c, d: (
            exists(Node, lambda n: s.sent[n, c, Message.FAILURE])
            & all_of_home(s, c, Phase.UNDONE)
            & all_of_home(s, d, Phase.COMMITTED)
        ),
    )


@witness(claims=("C7",))
def a_quarantine(s: Cluster) -> Formula:
    """A member could not undo and has taken itself out, and the others have gone on without it."""
    return exists(
        Node,
        Node,
        lambda n, m: s.quarantined[n] & (View.first < s.view[m]) & ~in_view(s, n, s.view[m]),
    )


@witness(claims=("C7",))
def a_late_success(s: Cluster) -> Formula:
    """An operation succeeds after all have undone the change."""
    return exists(Node, Change, lambda n, c: s.late[n] & all_of_home(s, c, Phase.UNDONE))
