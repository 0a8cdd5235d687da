"""Why the values in use suit each other while a group change of the interval is under way.

A member sends at the interval that it has decided last. Whoever watches it waits at least as long
as that value says. Two things keep this: a watcher only waits for less when a heartbeat says that
the member has come to what the watcher holds, and a member only commits what its watcher has
applied.
"""

from __future__ import annotations

from samebeat_proofs.facts import Role, axiom, strengthening
from samebeat_spec.composed import Composed
from samebeat_spec.group import Change, Epoch, Message, Node, Phase, Value, is_open
from samebeat_spec.group_properties import has_applied
from samebeat_spec.heartbeat import Heartbeat
from samebeat_spec.language import Formula, following, forall, implies
from samebeat_spec.watching import holds_epoch
from samebeat_spec.watching_properties import covers


@axiom
def values_are_safe(s: Composed) -> Formula:
    """SAFE: the deadline of each value outlasts tolerated losses at its interval, and the delay."""
    return forall(Value, lambda v: covers(s, v, v))


@axiom
def losses_are_tabled(s: Composed) -> Formula:
    """Up to three losses in a row are tolerated: so far the spec says what they take."""
    return (s.tolerated == 0) | (s.tolerated == 1) | (s.tolerated == 2) | (s.tolerated == 3)


@axiom
def timers_use_the_envelope(s: Composed) -> Formula:
    """Timers use the safest of all values still possible."""
    return s.envelope


def waits_for(s: Composed, n: Node, v: Value) -> Formula:
    """The watcher of `n` waits at least as long as `v` says."""
    return s.deadline_ticks[v] <= s.deadline_ticks[s.deadline[n]]


# --- what the group change says of two members -------------------------------------------------


@strengthening("a member must not have acked a change of an epoch that it has not reached")
def acked_from_reached_epoch(s: Composed) -> Formula:
    """A member has only acked changes from its own epoch, or from an earlier one."""
    return forall(
        Node, Change, lambda n, c: implies(s.sent[n, c, Message.ACK], s.base[c] <= s.epoch[n])
    )


@strengthening("an undo must lead back to what the member held when its timers were set")
def holds_pre_image_until_applied(s: Composed) -> Formula:
    """A member with an open change that it has not applied holds its pre-image."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            is_open(s, n, c) & (s.phase[n, c] != Phase.APPLIED), s.value[n] == s.pre_image[n]
        ),
    )


@strengthening(
    "who is ahead by one change must hold what that one asked for",
    role=Role.IMPLIED,
    uses=("epoch_has_commit",),
)
def committed_is_last(s: Composed) -> Formula:
    """Who has committed a change that is still open elsewhere has committed nothing since."""
    return forall(
        Node,
        Node,
        Change,
        lambda n, m, c: implies(
            is_open(s, n, c) & (s.phase[m, c] == Phase.COMMITTED),
            s.epoch[m] == following(s.base[c]),
        ),
    )


@strengthening("who is ahead must not have applied the next change already", role=Role.IMPLIED)
def nothing_applied_ahead(s: Composed) -> Formula:
    """Who has committed a change that is still open elsewhere has applied no other since."""
    return forall(
        Node,
        Node,
        Change,
        Change,
        lambda n, m, c, d: implies(
            is_open(s, n, c) & (s.phase[m, c] == Phase.COMMITTED), s.phase[m, d] != Phase.APPLIED
        ),
    )


@strengthening(
    "a member commits only what its watcher holds already",
    role=Role.IMPLIED,
    uses=("undo_has_culprit", "value_of_last_commit", "committed_is_last"),
    only=(
        "apply_after_full_receipt",
        "status_once",
        "busy_never_acked",
        "ok_means_applied",
        "applied_value",
        "failure_excludes_commit",
        "nothing_applied_ahead",
    ),
)
def ready_to_commit(s: Composed) -> Formula:
    """When all have said ok about a change that is open at a member, all hold its value."""

    def all_ok(c: Change) -> Formula:
        return forall(Node, lambda m: s.sent[m, c, Message.OK])

    return forall(
        Node,
        Node,
        Change,
        lambda n, m, c: implies(is_open(s, n, c) & all_ok(c), s.value[m] == s.asked[c]),
    )


@strengthening(
    "a watcher that may still undo must not wait for less than its pre-image says",
    role=Role.IMPLIED,
    uses=("epoch_has_commit",),
    only=(
        "one_open_change",
        "commit_needs_all_ok",
        "ok_means_applied",
        "open_from_own_epoch",
        "committed_below_epoch",
        "agreement",
    ),
)
def confirmed_is_committed(s: Composed) -> Formula:
    """A member has come to the epoch of what another one has applied only by committing it."""
    return forall(
        Node,
        Node,
        Change,
        lambda n, w, c: implies(
            (s.phase[w, c] == Phase.APPLIED) & (s.base[c] < s.epoch[n]),
            s.phase[n, c] == Phase.COMMITTED,
        ),
    )


@strengthening(
    "a member that has come as far as another one must not have gone further",
    role=Role.IMPLIED,
    uses=("epoch_has_commit",),
    only=(
        "commit_needs_all_ok",
        "ok_means_applied",
        "committed_below_epoch",
        "agreement",
    ),
)
def nobody_ahead_of_the_unapplied(s: Composed) -> Formula:
    """No member has a later epoch than one that has nothing applied."""
    return forall(
        Node,
        Node,
        lambda n, w: implies(~has_applied(s, w), s.epoch[n] <= s.epoch[w]),
    )


@strengthening(
    "members of one epoch must agree on the value that it brought",
    role=Role.IMPLIED,
    uses=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
    only=(
        "one_commit_per_base_epoch",
        "holds_pre_image_until_applied",
        "commit_needs_all_ok",
        "ok_means_applied",
        "pre_image_at_the_start",
        "pre_image_of_last_commit",
        "agreement",
        "one_open_change",
    ),
)
def one_value_an_epoch(s: Composed) -> Formula:
    """Who has nothing applied holds the value at which all members of its epoch send."""
    return forall(
        Node,
        Node,
        lambda n, w: implies(
            ~has_applied(s, w) & (s.epoch[n] == s.epoch[w]), s.value[w] == s.sends_as(n)
        ),
    )


@strengthening(
    "a heartbeat that confirms what a watcher holds must say that the member sends at that value",
    role=Role.IMPLIED,
    uses=(
        "confirmed_is_committed",
        "committed_is_last",
        "value_of_last_commit",
        "nobody_ahead_of_the_unapplied",
        "one_value_an_epoch",
    ),
    only=(
        "one_open_change",
        "open_from_own_epoch",
        "applied_value",
        "holds_pre_image_until_applied",
        "nothing_applied_ahead",
        "pre_image_of_last_commit",
    ),
)
def confirmed_is_sent(s: Composed) -> Formula:
    """A member that has come to the epoch of what another one holds sends at that value."""
    return forall(
        Node,
        Node,
        Epoch,
        lambda n, w, e: implies(
            holds_epoch(s, w, e) & (e <= s.epoch[n]), s.value[w] == s.sends_as(n)
        ),
    )


# --- deadlines ---------------------------------------------------------------------------------


@strengthening("a heartbeat must not confirm what its sender has not come to")
def heartbeats_state_reached_epochs(s: Composed) -> Formula:
    """A heartbeat states an epoch that its sender has reached."""
    return forall(Node, Heartbeat, lambda n, h: s.says_epoch[n, h] <= s.epoch[n])


@strengthening(
    "an undo of the watcher must leave it waiting long enough", uses=("confirmed_is_committed",)
)
def waits_for_pre_image(s: Composed) -> Formula:
    """Until a member has committed what its watcher has applied, that one waits as before, too."""
    return forall(
        Node,
        Node,
        Change,
        lambda n, w, c: implies(
            (s.watcher[n] == w)
            & (s.phase[w, c] == Phase.APPLIED)
            & (s.phase[n, c] != Phase.COMMITTED),
            waits_for(s, n, s.pre_image[w]),
        ),
    )


@strengthening("a member that commits begins to send at what its watcher holds")
def waits_for_what_it_holds(s: Composed) -> Formula:
    """A watcher waits at least as long as what it holds says."""
    return forall(Node, Node, lambda n, w: implies(s.watcher[n] == w, waits_for(s, n, s.value[w])))


@strengthening(
    "the deadline suits the interval because it suits a value with a longer one",
    uses=("ready_to_commit", "confirmed_is_sent"),
    only=(
        "one_open_change",
        "no_foreign_message",
        "applied_value",
        "holds_pre_image_until_applied",
        "heartbeats_state_reached_epochs",
        "waits_for_what_it_holds",
    ),
    total=("watcher",),
)
def waits_for_what_is_sent(s: Composed) -> Formula:
    """A watcher waits at least as long as the value says at which the member sends."""
    return forall(Node, lambda n: waits_for(s, n, s.sends_as(n)))
