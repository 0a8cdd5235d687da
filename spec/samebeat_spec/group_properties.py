"""What the group change promises, and what must be possible in it.

Names are those of the design and part of the interface: reports, proofs and replays use them.
Invariants marked ``internal`` restate how the protocol works; all others speak of what a user of
the cluster would notice.
"""

from __future__ import annotations

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
    Group,
    Message,
    Node,
    Phase,
    is_open,
    quiescent,
)
from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    following,
    forall,
    implies,
    invariant,
    one_of,
    step_property,
    terminal,
    witness,
)


def has_applied(s: Group, n: Node) -> Formula:
    """Some undecided change is applied at `n`."""
    return exists(Change, lambda c: s.phase[n, c] == Phase.APPLIED)


def holds_value_of_last_commit(s: Group, n: Node) -> Formula:
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


@invariant(claims=("1(a)",))
def value_known(s: Group) -> Formula:
    """Every member holds the start value or one that somebody has asked for."""
    return forall(
        Node,
        lambda n: (
            (s.value[n] == s.start_value)
            | exists(Change, lambda c: s.requested[c] & (s.value[n] == s.asked[c]))
        ),
    )


@invariant(claims=("C6",), internal=True)
def one_open_change(s: Group) -> Formula:
    """A member has at most one change open."""
    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies(is_open(s, n, c) & is_open(s, n, d), c == d),
    )


@invariant(claims=MULTICAST, internal=True)
def no_foreign_message(s: Group) -> Formula:
    """What a member has heard about its open change was really sent about that change."""
    return forall(
        Node,
        Node,
        Change,
        Message,
        lambda n, m, c, k: implies(is_open(s, n, c) & s.heard[n, m, k], s.sent[m, c, k]),
    )


@invariant(claims=("C6",))
def one_commit_per_base_epoch(s: Group) -> Formula:
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
def busy_needs_rival(s: Group) -> Formula:
    """A change is turned down only if another one has been asked for."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.BUSY], exists(Change, lambda d: (d != c) & s.requested[d])
        ),
    )


@invariant(claims=RECEIPT + ACK_ROUND + MODIFY)
def apply_after_full_receipt(s: Group) -> Formula:
    """No member runs the local operation before every member has acked the request."""
    return forall(
        Change,
        lambda c: implies(
            exists(
                Node,
                lambda n: one_of(s.phase[n, c], Phase.APPLIED, Phase.FAILED, Phase.COMMITTED),
            ),
            forall(Node, lambda m: s.sent[m, c, Message.ACK]),
        ),
    )


@invariant(claims=STATUS + STATUS_ROUND, internal=True)
def status_once(s: Group) -> Formula:
    """A member never sends both statuses of one change."""
    return forall(
        Node, Change, lambda n, c: ~(s.sent[n, c, Message.OK] & s.sent[n, c, Message.FAILURE])
    )


@invariant(claims=STATUS_ROUND + CONFIRM_STATUS, internal=True)
def commit_needs_all_ok(s: Group) -> Formula:
    """A member commits only what every member has applied and said so."""
    return forall(
        Change,
        lambda c: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED),
            forall(Node, lambda m: s.sent[m, c, Message.OK]),
        ),
    )


@invariant(claims=FAILURE + UNDO)
def failure_excludes_commit(s: Group) -> Formula:
    """A change that failed on some member is committed by none."""
    return forall(
        Change,
        lambda c: (
            ~(
                exists(Node, lambda m: s.phase[m, c] == Phase.FAILED)
                & exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
            )
        ),
    )


@invariant(claims=UNDO + CONFIRM_STATUS)
def agreement(s: Group) -> Formula:
    """No member commits a change that another member undoes."""
    return forall(
        Change,
        lambda c: (
            ~(
                exists(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
                & exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE)
            )
        ),
    )


@invariant(claims=UNDO)
def undo_restores_pre_image(s: Group) -> Formula:
    """A member that has undone a change, and has none applied, is back at its last commit."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.phase[n, c] == Phase.UNDONE) & ~has_applied(s, n), holds_value_of_last_commit(s, n)
        ),
    )


@invariant(claims=MODIFY)
def kept_until_replaced(s: Group) -> Formula:
    """A committed value stays until a later change is applied."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.phase[n, c] == Phase.COMMITTED) & ~has_applied(s, n),
            holds_value_of_last_commit(s, n),
        ),
    )


@invariant(claims=(*UNDO, "C6"))
def all_or_nothing(s: Group) -> Formula:
    """When no member has an open change, all hold the same value and the same epoch."""
    return implies(
        quiescent(s),
        forall(Node, Node, lambda n, m: (s.value[n] == s.value[m]) & (s.epoch[n] == s.epoch[m])),
    )


@step_property(claims=UNDO)
def decision_stable(s: Group, t: Group) -> Formula:
    """A member never changes its mind: what it has decided stays decided."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE), t.phase[n, c] == s.phase[n, c]
        ),
    )


@step_property(claims=("C6",))
def epoch_monotone(s: Group, t: Group) -> Formula:
    """A member's epoch changes only upwards."""
    return forall(Node, lambda n: implies(s.epoch[n] != t.epoch[n], s.epoch[n] < t.epoch[n]))


@always_reachable(claims=(*UNDO, "C6"))
def quiescence_reachable(s: Group) -> Formula:
    """Whatever has happened, every open change can still be decided everywhere."""
    return quiescent(s)


@terminal
def all_decided(s: Group) -> Formula:
    """Every change has been asked for and decided by every member."""
    return forall(Node, Change, lambda n, c: one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE))


# --- what must be possible -----------------------------------------------------------------


@witness(claims=("1.preamble", *MODIFY, *CONFIRM_STATUS))
def a_commit(s: Group) -> Formula:
    """All members have committed one change."""
    return exists(Change, lambda c: forall(Node, lambda n: s.phase[n, c] == Phase.COMMITTED))


@witness(claims=UNDO)
def an_undo_after_apply(s: Group) -> Formula:
    """A member has undone a change that it had applied and reported as ok."""
    return exists(
        Node,
        Change,
        lambda n, c: (s.phase[n, c] == Phase.UNDONE) & s.sent[n, c, Message.OK],
    )


@witness(claims=FAILURE)
def an_undo_for_another_member(s: Group) -> Formula:
    """A member that has not run the operation closes the change because another one failed."""
    return exists(
        Node,
        Node,
        Change,
        lambda n, m, c: (s.phase[n, c] == Phase.ACKED) & s.heard[n, m, Message.FAILURE],
    )


@witness(claims=("C3",))
def values_differ_during_a_change(s: Group) -> Formula:
    """Two members hold different values while a change is open: the window of claim 1."""
    return exists(Node, Node, lambda n, m: s.value[n] != s.value[m])


@witness(claims=CONFIRM_STATUS)
def a_commit_seen_by_one(s: Group) -> Formula:
    """One member has committed what another has applied and not decided yet."""
    return exists(
        Node,
        Node,
        Change,
        lambda n, m, c: (s.phase[n, c] == Phase.COMMITTED) & (s.phase[m, c] == Phase.APPLIED),
    )


@witness(claims=("C6",))
def two_initiators_at_once(s: Group) -> Formula:
    """Two changes from one epoch are open at the same time, on different members."""
    return exists(
        Node,
        Node,
        Change,
        Change,
        lambda n, m, c, d: (
            is_open(s, n, c) & is_open(s, m, d) & (c != d) & (s.base[c] == s.base[d])
        ),
    )


@witness(claims=("C6",))
def a_busied_change(s: Group) -> Formula:
    """A change has been turned down, and all members have closed it."""
    return exists(
        Change,
        lambda c: (
            exists(Node, lambda n: s.sent[n, c, Message.BUSY])
            & forall(Node, lambda n: s.phase[n, c] == Phase.UNDONE)
        ),
    )


@witness(claims=("C6",))
def both_changes_busied(s: Group) -> Formula:
    """Two changes have turned each other down, and no epoch has been used up."""
    return exists(
        Change,
        Change,
        lambda c, d: (
            (c != d)
            & exists(Node, lambda n: s.sent[n, c, Message.BUSY])
            & exists(Node, lambda n: s.sent[n, d, Message.BUSY])
            & forall(
                Node,
                lambda n: (s.phase[n, c] == Phase.UNDONE) & (s.phase[n, d] == Phase.UNDONE),
            )
        ),
    )


@witness(claims=("C6",))
def a_second_change_after_a_commit(s: Group) -> Formula:
    """All members have committed one change and then a second one."""
    return exists(
        Change,
        Change,
        lambda c, d: (
            (s.base[c] < s.base[d])
            & forall(
                Node,
                lambda n: (s.phase[n, c] == Phase.COMMITTED) & (s.phase[n, d] == Phase.COMMITTED),
            )
        ),
    )


@witness(claims=(*UNDO, "C6"))
def a_second_change_after_an_undone_one(s: Group) -> Formula:
    """All members have committed a change that starts where a failed one was undone."""
    return exists(
        Change,
        Change,
        lambda c, d: (
            exists(Node, lambda n: s.sent[n, c, Message.FAILURE])
            & forall(
                Node,
                lambda n: (s.phase[n, c] == Phase.UNDONE) & (s.phase[n, d] == Phase.COMMITTED),
            )
        ),
    )
