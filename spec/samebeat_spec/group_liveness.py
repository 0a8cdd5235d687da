"""What a group change comes to in the end, if every member goes on and messages arrive.

Fairness is all weak: a message that stays sent is received in the end, and a member does what it
can do and nothing takes from it. Nobody has to ask for a change, and whether the local operation
succeeds is left open; that it comes to an end is not.
"""

from __future__ import annotations

from samebeat_spec.group import (
    CONFIRM_STATUS,
    MODIFY,
    UNDO,
    Change,
    Group,
    Message,
    Node,
    Phase,
    apply,
    close_busied,
    commit,
    receive,
    receive_request,
    send_ack,
    send_busy,
    send_failure,
    send_ok,
    undo,
)
from samebeat_spec.language import Formula, exists, forall, leads_to, one_of

DECIDING = (
    receive_request,
    send_ack,
    receive,
    apply,
    send_ok,
    send_failure,
    commit,
    undo,
    send_busy,
    close_busied,
)
"""What a member does about a change that is asked for. A failed apply is an apply that ends."""


def decided(s: Group, n: Node, c: Change) -> Formula:
    """`n` has kept `c` or closed it."""
    return one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE)


def has_failed(s: Group, c: Change) -> Formula:
    """Some member could not apply `c`."""
    return exists(Node, lambda n: (s.phase[n, c] == Phase.FAILED) | s.sent[n, c, Message.FAILURE])


def nothing_in_the_way(s: Group, c: Change) -> Formula:
    """No member has failed to apply `c`, and no other change has been asked for."""
    return ~has_failed(s, c) & ~exists(Change, lambda d: (d != c) & s.requested[d])


@leads_to(weak=DECIDING, claims=(*CONFIRM_STATUS, *UNDO))
def change_decided(s: Group, c: Change) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end decided by every member."""
    return s.requested[c], forall(Node, lambda n: decided(s, n, c))


@leads_to(
    weak=(receive_request, send_ack, receive, apply, send_ok, commit),
    claims=(*CONFIRM_STATUS, *MODIFY),
)
def no_fault_commits(s: Group, c: Change) -> tuple[Formula, Formula]:
    """A change that is asked for is in the end committed by every member, or something happens.

    What may happen is that a member fails to apply it, or that another change is asked for.
    """
    committed = forall(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
    return s.requested[c], committed | ~nothing_in_the_way(s, c)


@leads_to(weak=(receive_request, send_ack, receive, apply, send_ok, commit), claims=("C6",))
def some_change_wins(s: Group, c: Change) -> tuple[Formula, Formula]:
    """Two changes may turn each other down; asked for again when all is closed, one is committed.

    Unless a member fails to apply it, or another change is asked for meanwhile.
    """

    def closed(d: Change) -> Formula:
        return ~s.requested[d] | forall(Node, lambda n: decided(s, n, d))

    turned_down = exists(Node, lambda n: s.sent[n, c, Message.BUSY])
    alone = forall(Change, lambda d: (d == c) | closed(d))
    up_to_date = forall(Node, lambda n: s.epoch[n] == s.base[c])
    committed = forall(Node, lambda n: s.phase[n, c] == Phase.COMMITTED)
    given = s.requested[c] & ~turned_down & alone & up_to_date
    return given, committed | has_failed(s, c) | ~alone
