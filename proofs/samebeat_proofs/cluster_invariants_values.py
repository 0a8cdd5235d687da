"""Values of the hardened group change: what an undo leads back to.

A member holds the value of its last commit, unless it is between values. While it has a change
open that it has acked, or an operation runs that was given up, its pre-image is that value.
"""

from __future__ import annotations

from samebeat_proofs.facts import strengthening
from samebeat_spec.cluster import Cluster, Said, View, is_open
from samebeat_spec.cluster_properties import is_between_values
from samebeat_spec.group import Change, Epoch, Message, Node, Phase
from samebeat_spec.language import Formula, exists, following, forall, implies


def is_last_commit(s: Cluster, n: Node, d: Change) -> Formula:
    """`d` is the change that led to the epoch of `n`."""
    return (s.phase[n, d] == Phase.COMMITTED) & (s.epoch[n] == following(s.base[d]))


def needs_pre_image(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` has acked `c` and not decided it, or may have to undo a success that comes late."""
    acked = is_open(s, n, c) & (s.phase[n, c] != Phase.RECEIVED)
    return acked | s.late[n] | s.running[n, c]


@strengthening("two members with one epoch hold one value only if the same change led there")
def epoch_has_commit(s: Cluster) -> Formula:
    """A member's epoch is the first, or a change that it has committed has led there."""
    return forall(
        Node,
        lambda n: (s.epoch[n] == Epoch.first) | exists(Change, lambda d: is_last_commit(s, n, d)),
    )


@strengthening(
    "what is given up must not run beside a change that is to be undone to its pre-image"
)
def running_is_given_up(s: Cluster) -> Formula:
    """An operation that was given up is of a change that the member has closed."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.running[n, c], s.phase[n, c] == Phase.UNDONE),
    )


@strengthening(
    "an undo before the first commit must lead back to the start value",
    uses=("value_at_the_start",),
)
def pre_image_at_the_start(s: Cluster) -> Formula:
    """Before its first commit, a member that may need its pre-image has kept the start value."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            needs_pre_image(s, n, c) & (s.epoch[n] == Epoch.first),
            s.pre_image[n] == s.start_value,
        ),
    )


@strengthening(
    "an undo must lead back to the value that was committed last",
    uses=("value_of_last_commit",),
)
def pre_image_of_last_commit(s: Cluster) -> Formula:
    """A member that may need its pre-image has kept the value that it committed last."""
    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies(
            needs_pre_image(s, n, c) & is_last_commit(s, n, d),
            s.pre_image[n] == s.asked[d],
        ),
    )


@strengthening(
    "the pre-image of the first change must be the start value",
)
def value_at_the_start(s: Cluster) -> Formula:
    """Before its first commit, a member that is not between values holds the start value."""
    return forall(
        Node,
        lambda n: implies(
            ~is_between_values(s, n) & (s.epoch[n] == Epoch.first), s.value[n] == s.start_value
        ),
    )


@strengthening(
    "the pre-image of a later change must be the value that was committed last",
)
def value_of_last_commit(s: Cluster) -> Formula:
    """A member that is not between values holds the value that it committed last."""
    return forall(
        Node,
        Change,
        lambda n, d: implies(
            ~is_between_values(s, n) & is_last_commit(s, n, d), s.value[n] == s.asked[d]
        ),
    )


# --- rivals ----------------------------------------------------------------------------------


@strengthening(
    "a report that makes a member turn a change down must speak of another change",
    lemma="it would follow from what commits and votes rest on, by a longer way",
)
def home_reports_are_older(s: Cluster) -> Formula:
    """The reports to the view of a change say nothing of it."""
    return forall(
        Node,
        Change,
        View,
        lambda m, c, v: implies((v == s.home[c]), s.said[m, v, c] == Said.NOTHING),
    )


@strengthening("who has a late success to undo knows another change than the new one")
def late_has_change(s: Cluster) -> Formula:
    """A member with a late success knows the change that it is of."""
    return forall(
        Node, lambda n: implies(s.late[n], exists(Change, lambda d: s.phase[n, d] != Phase.IDLE))
    )


@strengthening(
    "that each busied change has a rival would make changes depend on changes; this does not",
    uses=("late_has_change",),
    only=(
        "unrequested_is_unknown",
        "home_reports_are_older",
        "running_is_given_up",
        "view_has_begun",
    ),
)
def busy_needs_two(s: Cluster) -> Formula:
    """If anything was turned down by who had not left its view, two changes are asked for."""

    def stayed(n: Node, c: Change) -> Formula:
        return forall(View, lambda v: implies(s.home[c] < v, ~s.reported[n, v]))

    return implies(
        exists(Node, Change, lambda n, c: s.sent[n, c, Message.BUSY] & stayed(n, c)),
        exists(Change, Change, lambda d, e: (d != e) & s.requested[d] & s.requested[e]),
    )
