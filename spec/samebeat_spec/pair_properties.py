"""What the heartbeat pair promises, and what must be possible in it.

Names are those of the design and part of the interface: reports, proofs and replays use them.
Invariants marked ``internal`` restate how the protocol works; all others speak of what a user of
the cluster would notice.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Formula,
    always_reachable,
    exists,
    forall,
    implies,
    invariant,
    one_of,
    step_property,
    terminal,
    witness,
)
from samebeat_spec.pair import (
    ACK,
    ASK,
    DECIDE,
    DEFER,
    RECORD,
    SECOND_MODIFIES,
    SELECT_BEFORE_ACK,
    SET_BEFORE_HEARTBEAT,
    Answer,
    Change,
    Duty,
    Indicator,
    Node,
    Pair,
    Parameter,
    Role,
    Value,
    Wish,
    needs_synchronisation,
    quiescent,
)


def is_known(s: Pair, n: Node, p: Parameter, v: Value) -> Formula:
    """`v` is the start value, or `n` has asked for it as the value of `p`."""
    return (v == s.start_value) | exists(
        Change,
        lambda c: (s.wish[n, c] != Wish.NONE) & (s.parameter[c] == p) & (v == s.asked[c]),
    )


def has_modified_for(s: Pair, n: Node, c: Change) -> Formula:
    """The other node than `n` has modified as second node of `c`."""
    return exists(Node, lambda m: (m != n) & (s.answer[m, c] == Answer.MODIFIED))


@step_property(claims=ASK + RECORD + SET_BEFORE_HEARTBEAT)
def indicator_set_before_heartbeat(s: Pair, t: Pair) -> Formula:
    """A node's heartbeat asks for a change only if its record named that change, indicator set."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            ~s.heartbeat[n, c] & t.heartbeat[n, c],
            s.indicator[n, Role.FIRST] & (s.named[n, Role.FIRST] == c),
        ),
    )


@invariant(claims=ASK + SECOND_MODIFIES)
def announced_before_modified(s: Pair) -> Formula:
    """A global change is made, by either node, only after the first has asked in a heartbeat."""
    return forall(
        Node,
        Change,
        lambda n, c: (
            implies(
                (s.wish[n, c] == Wish.MODIFIED) & needs_synchronisation(s, c), s.heartbeat[n, c]
            )
            & implies(
                s.answer[n, c] == Answer.MODIFIED,
                exists(Node, lambda m: (m != n) & s.heartbeat[m, c]),
            )
        ),
    )


@invariant(claims=SECOND_MODIFIES)
def value_known(s: Pair) -> Formula:
    """In each direction both nodes hold the start value or one that the first node asked for."""
    return forall(
        Node,
        Node,
        Parameter,
        lambda n, m, p: (
            is_known(s, n, p, s.value[n, Role.FIRST, p])
            & implies(n != m, is_known(s, n, p, s.value[m, Role.SECOND, p]))
        ),
    )


@invariant(claims=("C4",), internal=True)
def one_open_change(s: Pair) -> Formula:
    """A node has at most one change of its own open."""
    return forall(
        Node,
        Change,
        Change,
        lambda n, c, d: implies((s.wish[n, c] == Wish.OPEN) & (s.wish[n, d] == Wish.OPEN), c == d),
    )


@invariant(claims=("C4",), internal=True)
def no_foreign_message(s: Pair) -> Formula:
    """A node asks only for changes of its own, and acks only those of the other node."""
    return forall(
        Node,
        Change,
        lambda n, c: (
            implies(s.heartbeat[n, c], s.wish[n, c] != Wish.NONE)
            & implies(
                exists(Indicator, lambda i: s.ack[n, c, i]),
                exists(Node, lambda m: (m != n) & (s.wish[m, c] != Wish.NONE)),
            )
        ),
    )


@invariant(claims=DECIDE)
def local_waits_for_nobody(s: Pair) -> Formula:
    """A node never waits with a local parameter, nor asks the other node for it."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.wish[n, c] == Wish.OPEN) | s.heartbeat[n, c], needs_synchronisation(s, c)
        ),
    )


@invariant(claims=ACK + RECORD + SELECT_BEFORE_ACK)
def set_means_modified(s: Pair) -> Formula:
    """A node that acks with a set indicator has modified."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.ack[n, c, Indicator.SET], s.answer[n, c] == Answer.MODIFIED),
    )


@invariant(claims=ACK + RECORD + SELECT_BEFORE_ACK)
def clear_means_not_modified(s: Pair) -> Formula:
    """A node that acks with a clear indicator has refused."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(s.ack[n, c, Indicator.CLEARED], s.answer[n, c] == Answer.REFUSED),
    )


@invariant(claims=DEFER + DECIDE + SECOND_MODIFIES)
def tightener_defers(s: Pair) -> Formula:
    """The first node never modifies a global parameter before the second node has."""
    return forall(
        Node,
        Change,
        lambda n, c: implies(
            (s.wish[n, c] == Wish.MODIFIED) & needs_synchronisation(s, c),
            has_modified_for(s, n, c),
        ),
    )


@invariant(claims=(*DEFER, "22", "C4"))
def all_or_nothing(s: Pair) -> Formula:
    """When no change is open, both nodes of a direction hold one value of a global parameter."""
    return implies(
        quiescent(s),
        forall(
            Node,
            Node,
            Parameter,
            lambda n, m, p: implies(
                (n != m) & s.is_global[p], s.value[n, Role.FIRST, p] == s.value[m, Role.SECOND, p]
            ),
        ),
    )


@step_property(claims=("22", "24", "30"))
def decision_stable(s: Pair, t: Pair) -> Formula:
    """Neither node changes its mind: what it has decided about a change stays decided."""
    return forall(
        Node,
        Change,
        lambda n, c: (
            implies(one_of(s.wish[n, c], Wish.MODIFIED, Wish.REFUSED), t.wish[n, c] == s.wish[n, c])
            & implies(s.answer[n, c] != Answer.NONE, t.answer[n, c] == s.answer[n, c])
        ),
    )


@step_property(claims=(*SECOND_MODIFIES, "25(b)"))
def kept_until_replaced(s: Pair, t: Pair) -> Formula:
    """A node's value changes only with a decision, made in that step, to modify."""
    return forall(
        Node,
        Parameter,
        lambda n, p: (
            implies(
                s.value[n, Role.FIRST, p] != t.value[n, Role.FIRST, p],
                exists(
                    Change,
                    lambda c: (
                        (s.parameter[c] == p)
                        & (s.wish[n, c] != Wish.MODIFIED)
                        & (t.wish[n, c] == Wish.MODIFIED)
                    ),
                ),
            )
            & implies(
                s.value[n, Role.SECOND, p] != t.value[n, Role.SECOND, p],
                exists(
                    Change,
                    lambda c: (
                        (s.parameter[c] == p)
                        & (s.answer[n, c] != Answer.MODIFIED)
                        & (t.answer[n, c] == Answer.MODIFIED)
                    ),
                ),
            )
        ),
    )


@always_reachable(claims=("19.preamble", "22", "C4"))
def quiescence_reachable(s: Pair) -> Formula:
    """Whatever has happened, every open change can still be decided by both nodes."""
    return quiescent(s)


@terminal
def all_decided(s: Pair) -> Formula:
    """Every change has been asked for and decided, and no ack is owed."""
    return forall(
        Change,
        lambda c: exists(Node, lambda n: one_of(s.wish[n, c], Wish.MODIFIED, Wish.REFUSED)),
    ) & forall(Node, lambda n: s.duty[n] == Duty.IDLE)


# --- what must be possible -----------------------------------------------------------------


@witness(claims=(*DEFER, *SECOND_MODIFIES))
def a_deferral_in_progress(s: Pair) -> Formula:
    """The second node has modified, and the first still defers: they hold different values."""
    return exists(
        Node,
        Node,
        Change,
        lambda n, m, c: (
            (s.wish[n, c] == Wish.OPEN)
            & (s.answer[m, c] == Answer.MODIFIED)
            & (s.value[n, Role.FIRST, s.parameter[c]] != s.value[m, Role.SECOND, s.parameter[c]])
        ),
    )


@witness(claims=(*DEFER, *SECOND_MODIFIES))
def a_change_of_both(s: Pair) -> Formula:
    """Both nodes have modified, and both hold the new value."""
    return exists(
        Node,
        Node,
        Change,
        lambda n, m, c: (
            (s.wish[n, c] == Wish.MODIFIED)
            & (s.answer[m, c] == Answer.MODIFIED)
            & (s.value[n, Role.FIRST, s.parameter[c]] == s.asked[c])
            & (s.value[m, Role.SECOND, s.parameter[c]] == s.asked[c])
        ),
    )


@witness(claims=("22", *SELECT_BEFORE_ACK))
def a_refusal(s: Pair) -> Formula:
    """The second node has refused, and the first has closed its change."""
    return exists(Node, Change, lambda n, c: s.wish[n, c] == Wish.REFUSED)


@witness(claims=("C4",))
def crossing_requests(s: Pair) -> Formula:
    """Each node has a change of its own open and its heartbeat under way."""
    return forall(
        Node,
        lambda n: exists(Change, lambda c: (s.wish[n, c] == Wish.OPEN) & s.heartbeat[n, c]),
    )


@witness(claims=("C4",))
def a_late_ack_of_an_earlier_change(s: Pair) -> Formula:
    """A set ack of an earlier change can still arrive while the second node has a later one."""
    return exists(
        Node,
        Node,
        Change,
        Change,
        lambda n, m, c, d: (
            (s.wish[n, c] == Wish.OPEN)
            & (s.wish[n, d] == Wish.MODIFIED)
            & s.ack[m, d, Indicator.SET]
            & (s.request[m] == c)
            & (s.duty[m] == Duty.RECEIVED)
        ),
    )


@witness(claims=("C4",))
def a_second_change_after_a_refused_one(s: Pair) -> Formula:
    """Both nodes have made a change that the first asked for after another was refused."""
    return exists(
        Node,
        Change,
        Change,
        lambda n, c, d: (
            (s.wish[n, c] == Wish.REFUSED)
            & (s.wish[n, d] == Wish.MODIFIED)
            & has_modified_for(s, n, d)
            & forall(Node, lambda m: (m == n) | (s.request[m] == d))
        ),
    )


@witness(claims=DECIDE)
def a_change_at_once_during_a_deferral(s: Pair) -> Formula:
    """A node has changed a local parameter while it defers a global one."""
    return exists(
        Node,
        Change,
        Change,
        lambda n, c, d: (
            (s.wish[n, c] == Wish.OPEN)
            & (s.wish[n, d] == Wish.MODIFIED)
            & ~needs_synchronisation(s, d)
        ),
    )
