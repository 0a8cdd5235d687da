"""Why the group change keeps its promises: what else is true of it, and what that is needed for.

Read from the top: what messages say about their senders, then epochs, then values.
"""

from __future__ import annotations

from samebeat_proofs.facts import Role, strengthening
from samebeat_spec.group import (
    Change,
    Epoch,
    Group,
    Message,
    Node,
    Phase,
    has_open_change,
    is_open,
    quiescent,
)
from samebeat_spec.group_properties import has_applied
from samebeat_spec.language import Formula, exists, following, forall, implies, one_of


def is_last_commit(s: Group, n: Node, d: Change) -> Formula:
    """`d` is the change that led to `n`'s epoch."""
    return (s.phase[n, d] == Phase.COMMITTED) & (s.epoch[n] == following(s.base[d]))


# --- what messages say about their senders -----------------------------------------------------


@strengthening("a new change id must not belong to a change that members know already")
def known_was_requested(s: Group) -> Formula:
    """A member knows only changes that somebody has asked for."""
    return forall(Node, Change, lambda n, c: implies(s.phase[n, c] != Phase.IDLE, s.requested[c]))


@strengthening("a member that answers a request must not have said anything about it before")
def silent_before_answer(s: Group) -> Formula:
    """A member says nothing about a change before it has answered the request."""
    return forall(
        Node,
        Change,
        Message,
        lambda n, c, k: implies(
            s.sent[n, c, k], ~one_of(s.phase[n, c], Phase.IDLE, Phase.RECEIVED)
        ),
    )


@strengthening("a change that all have acked cannot be closed because of a busy answer")
def busy_never_acked(s: Group) -> Formula:
    """A member that has turned a change down never acks it."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.BUSY],
            (s.phase[n, c] == Phase.UNDONE) & ~s.sent[n, c, Message.ACK],
        ),
    )


@strengthening("a member that is counted as ok must not be one that failed, or has not applied")
def ok_means_applied(s: Group) -> Formula:
    """A member that says ok has applied; it may have decided since."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.OK],
            one_of(s.phase[n, c], Phase.APPLIED, Phase.COMMITTED, Phase.UNDONE),
        ),
    )


@strengthening("a member that applied must not have reported a failure before")
def failure_means_failed(s: Group) -> Formula:
    """A member that reports a failure has failed; it may have closed the change since."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            s.sent[n, c, Message.FAILURE],
            one_of(s.phase[n, c], Phase.FAILED, Phase.UNDONE),
        ),
    )


@strengthening("agreement needs to know why a change was undone: for a reason that bars its commit")
def undo_has_culprit(s: Group) -> Formula:
    """Of a change that some member has undone, somebody has sent a busy answer or a failure."""
    return forall(
        Change,
        lambda c: implies(
            exists(Node, lambda n: s.phase[n, c] == Phase.UNDONE),
            exists(Node, lambda m: s.sent[m, c, Message.BUSY] | s.sent[m, c, Message.FAILURE]),
        ),
    )


@strengthening("a member that opens a change must not take what it heard of another one for it")
def nothing_heard_without_open(s: Group) -> Formula:
    """A member keeps what it has heard only while a change is open."""
    return forall(
        Node,
        lambda n: implies(
            exists(Node, Message, lambda m, k: s.heard[n, m, k]), has_open_change(s, n)
        ),
    )


# --- epochs ----------------------------------------------------------------------------------


@strengthening("a commit must move the epoch upwards from where the member is")
def open_from_own_epoch(s: Group) -> Formula:
    """A change that is open at a member starts from the member's epoch."""
    return forall(Node, Change, lambda n, c: implies(is_open(s, n, c), s.base[c] == s.epoch[n]))


@strengthening("a member that has committed must not take part in a second change from that epoch")
def committed_below_epoch(s: Group) -> Formula:
    """A change that a member has committed starts from below the member's epoch."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.phase[n, c] == Phase.COMMITTED, s.base[c] < s.epoch[n]),
    )


@strengthening("two members with one epoch hold one value only if the same change led there")
def epoch_has_commit(s: Group) -> Formula:
    """A member's epoch is the first, or a change that it has committed has led there."""
    return forall(
        Node,
        lambda n: (s.epoch[n] == Epoch.first) | exists(Change, lambda d: is_last_commit(s, n, d)),
    )


# --- values ----------------------------------------------------------------------------------


@strengthening("what a member commits must be the value that was asked for")
def applied_value(s: Group) -> Formula:
    """A member that has applied a change holds its value."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.phase[n, c] == Phase.APPLIED, s.value[n] == s.asked[c]),
    )


@strengthening(
    "an undo before the first commit must lead back to the start value",
    uses=("value_at_the_start",),
)
def pre_image_at_the_start(s: Group) -> Formula:
    """Before its first commit, a member with an open change has kept the start value."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            is_open(s, n, c) & (s.epoch[n] == Epoch.first), s.pre_image[n] == s.start_value
        ),
    )


@strengthening(
    "an undo must lead back to the value that was committed last", uses=("value_of_last_commit",)
)
def pre_image_of_last_commit(s: Group) -> Formula:
    """A member with an open change has kept the value that it committed last."""
    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies(
            is_open(s, n, c) & is_last_commit(s, n, d), s.pre_image[n] == s.asked[d]
        ),
    )


@strengthening("the pre-image of the first change must be the start value")
def value_at_the_start(s: Group) -> Formula:
    """Before its first commit, a member that has nothing applied holds the start value."""
    return forall(
        Node,
        lambda n: implies(
            ~has_applied(s, n) & (s.epoch[n] == Epoch.first), s.value[n] == s.start_value
        ),
    )


@strengthening("the pre-image of a later change must be the value that was committed last")
def value_of_last_commit(s: Group) -> Formula:
    """A member that has nothing applied holds the value that it committed last."""
    return forall(
        Node,
        Change,
        lambda n, d: implies(
            ~has_applied(s, n) & is_last_commit(s, n, d), s.value[n] == s.asked[d]
        ),
    )


# --- rivals ----------------------------------------------------------------------------------


@strengthening(
    "a change that starts from a later epoch than the member's shows that another one exists",
    uses=("epoch_has_commit",),
)
def later_epoch_has_commit(s: Group) -> Formula:
    """If a change starts from an epoch after the first, somebody has committed one."""
    return implies(
        exists(Change, lambda c: s.requested[c] & (s.base[c] != Epoch.first)),
        exists(Node, Change, lambda m, d: s.phase[m, d] == Phase.COMMITTED),
    )


@strengthening(
    "that each busied change has a rival would make changes depend on changes; this does not",
    uses=("epoch_has_commit",),
)
def busy_needs_two(s: Group) -> Formula:
    """If anything was ever turned down, two changes have been asked for."""
    return implies(
        exists(Node, Change, lambda n, c: s.sent[n, c, Message.BUSY]),
        exists(Change, Change, lambda d, e: (d != e) & s.requested[d] & s.requested[e]),
    )


# --- at rest ---------------------------------------------------------------------------------


@strengthening(
    "that all hold one value is shown for members of one epoch",
    uses=("epoch_has_commit",),
    role=Role.IMPLIED,
    lemma="all_or_nothing follows without it, but the solver searches ten times as long",
)
def one_epoch_at_rest(s: Group) -> Formula:
    """When no member has an open change, all have the same epoch."""
    return implies(quiescent(s), forall(Node, Node, lambda n, m: s.epoch[n] == s.epoch[m]))
