"""Why the heartbeat pair keeps its promises: what records and messages say, and what values do.

The claims know one indicator bit. Here messages name the change, and each direction has a record of
its own; the models without that are wrong on purpose (``pair_controls.toml``).
"""

from __future__ import annotations

from collections.abc import Callable

from samebeat_proofs.facts import axiom, strengthening
from samebeat_spec.language import Formula, exists, forall, implies
from samebeat_spec.pair import (
    Answer,
    Change,
    Duty,
    Indicator,
    Node,
    Pair,
    Parameter,
    Role,
    Wish,
    needs_synchronisation,
)

# --- what is assumed of the constants ----------------------------------------------------------


@axiom
def two_nodes(s: Pair) -> Formula:
    """There are two nodes, and no more."""
    return exists(Node, Node, lambda a, b: (a != b) & forall(Node, lambda n: (n == a) | (n == b)))


@axiom
def messages_name_the_change(s: Pair) -> Formula:
    """Heartbeats and acks carry the change id, and each direction has its own record."""
    return s.ack_names_change & s.heartbeat_names_change & s.record_per_direction


# --- what records and messages say -------------------------------------------------------------


def of_the_other(says: Callable[[Node, Node, Change], Formula]) -> Formula:
    """Say something of every node, the other node, and every change."""
    return forall(Node, Node, Change, lambda n, m, c: implies(n != m, says(n, m, c)))


@strengthening("a heartbeat asks for what its record names, and that must be a change of its node")
def indicator_means_open(s: Pair) -> Formula:
    """A record for heartbeats has the indicator set only while its change is open."""
    return forall(
        Node,
        lambda n: implies(
            s.indicator[n, Role.FIRST], s.wish[n, s.named[n, Role.FIRST]] == Wish.OPEN
        ),
    )


@strengthening("what the second node is asked for must belong to the node that asks")
def heartbeat_means_asked(s: Pair) -> Formula:
    """A node asks only for changes of its own."""
    return forall(Node, Change, lambda n, c: implies(s.heartbeat[n, c], s.wish[n, c] != Wish.NONE))


@strengthening("what a node hears while a change is open must be about the change in its record")
def asked_means_indicated(s: Pair) -> Formula:
    """While a change is open that a node has asked for, its record has the indicator set."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.wish[n, c] == Wish.OPEN) & s.heartbeat[n, c], s.indicator[n, Role.FIRST]
        ),
    )


@strengthening("the second node must modify only as the other node has asked, and only once")
def received_was_asked(s: Pair) -> Formula:
    """A request that is to be decided was sent by the other node, and is not decided yet."""

    def asked(n: Node) -> Formula:
        return forall(Node, lambda m: implies(n != m, s.heartbeat[m, s.request[n]]))

    return forall(
        Node,
        lambda n: implies(
            s.duty[n] == Duty.RECEIVED, (s.answer[n, s.request[n]] == Answer.NONE) & asked(n)
        ),
    )


@strengthening("an ack must be about a change of the other node")
def answered_was_asked(s: Pair) -> Formula:
    """A node has decided only about what the other node has asked for."""
    return of_the_other(lambda n, m, c: implies(s.answer[n, c] != Answer.NONE, s.heartbeat[m, c]))


@strengthening("the record for acks is filled as the second node has decided")
def duty_means_answer(s: Pair) -> Formula:
    """What is still to be written into the record is what has been decided."""
    return forall(
        Node,
        lambda n: (
            implies(s.duty[n] == Duty.MODIFIED, s.answer[n, s.request[n]] == Answer.MODIFIED)
            & implies(s.duty[n] == Duty.REFUSED, s.answer[n, s.request[n]] == Answer.REFUSED)
        ),
    )


@strengthening("an ack says what its record says")
def ready_means_recorded(s: Pair) -> Formula:
    """When the ack is due, the record says what has been decided about the change it names."""

    def recorded(n: Node) -> Formula:
        answer = s.answer[n, s.named[n, Role.SECOND]]
        modified = s.indicator[n, Role.SECOND] & (answer == Answer.MODIFIED)
        return modified | (~s.indicator[n, Role.SECOND] & (answer == Answer.REFUSED))

    return forall(Node, lambda n: implies(s.duty[n] == Duty.READY, recorded(n)))


@strengthening("what the first node hears must be about the change that it has open")
def heard_was_answered(s: Pair) -> Formula:
    """What a node has heard about its open change, the other node has answered."""
    return of_the_other(
        lambda n, m, c: implies(
            s.wish[n, c] == Wish.OPEN,
            implies(s.heard[n, Indicator.SET], s.answer[m, c] == Answer.MODIFIED)
            & implies(s.heard[n, Indicator.CLEARED], s.answer[m, c] == Answer.REFUSED),
        )
    )


@strengthening("a node that opens a change must not have heard anything that it takes for its ack")
def heard_means_indicated(s: Pair) -> Formula:
    """A node has heard something only while its record has the indicator set."""
    return forall(Node, Indicator, lambda n, i: implies(s.heard[n, i], s.indicator[n, Role.FIRST]))


# --- decisions and values ----------------------------------------------------------------------


@strengthening("what the first node has decided, the second must not decide otherwise later")
def decided_as_the_other(s: Pair) -> Formula:
    """A global change is decided by its first node as the second node has decided it."""

    def same(n: Node, m: Node, c: Change) -> Formula:
        refused = implies(s.wish[n, c] == Wish.REFUSED, s.answer[m, c] == Answer.REFUSED)
        made = (s.wish[n, c] == Wish.MODIFIED) & needs_synchronisation(s, c)
        return refused & implies(made, s.answer[m, c] == Answer.MODIFIED)

    return of_the_other(same)


@strengthening("when the first node follows, it must come to the value that the second has")
def second_has_what_is_open(s: Pair) -> Formula:
    """While a change is open that the second node has made, that node holds its value."""
    return of_the_other(
        lambda n, m, c: implies(
            (s.wish[n, c] == Wish.OPEN) & (s.answer[m, c] == Answer.MODIFIED),
            s.value[m, Role.SECOND, s.parameter[c]] == s.asked[c],
        )
    )


@strengthening("both nodes must hold one value again when nothing is open")
def equal_unless_open(s: Pair) -> Formula:
    """Both nodes hold one value of a global parameter, unless the second is ahead by one change."""

    def ahead(n: Node, m: Node, p: Parameter) -> Formula:
        c = s.named[n, Role.FIRST]
        is_made = (s.wish[n, c] == Wish.OPEN) & (s.answer[m, c] == Answer.MODIFIED)
        return s.indicator[n, Role.FIRST] & is_made & (s.parameter[c] == p)

    return forall(
        Node,
        Node,
        Parameter,
        lambda n, m, p: implies(
            (n != m) & s.is_global[p],
            (s.value[n, Role.FIRST, p] == s.value[m, Role.SECOND, p]) | ahead(n, m, p),
        ),
    )
