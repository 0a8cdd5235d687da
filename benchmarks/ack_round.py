"""The ack round of the group change alone: five members, one change, up to the sending of statuses.

A model of the size that peers are compared on: 3.3 million states that fit one word. It is the
first half of ``samebeat_spec.group`` with one change only; statuses are sent and not received.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Sort,
    State,
    action,
    element,
    exists,
    flag,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    one_of,
    relation,
    terminal,
)


class Node(Sort, symmetric=True):
    """A member of the cluster."""


class Phase(Enumeration):
    """How far a member is with the change."""

    IDLE = element("has not received the request")
    RECEIVED = element("has received the request")
    ACKED = element("has acked and waits for every ack")
    APPLIED = element("has applied")
    FAILED = element("could not apply")


class AckRound(State, name="ack_round"):
    """The members' records and the messages sent so far."""

    requested = flag()
    phase = function(Node, to=Phase)
    heard_ack = relation(Node, Node)
    sent_ok = relation(Node)
    sent_failure = relation(Node)


def has_acked(s: AckRound, n: Node) -> Formula:
    """`n` has sent its ack."""
    return one_of(s.phase[n], Phase.ACKED, Phase.APPLIED, Phase.FAILED)


@initial
def start(s: AckRound) -> None:
    """Nothing has been asked for."""


@action()
def request(s: AckRound, n: Node) -> None:
    """`n` multicasts the request."""
    guard(~s.requested, "there is one request only")

    s.requested = True


@action()
def receive_request(s: AckRound, n: Node) -> None:
    """`n` receives the request."""
    guard(s.requested, "the request is on the network")
    guard(s.phase[n] == Phase.IDLE, "n sees the request for the first time")

    s.phase[n] = Phase.RECEIVED


@action()
def send_ack(s: AckRound, n: Node) -> None:
    """`n` acks."""
    guard(s.phase[n] == Phase.RECEIVED, "n has the request and has not answered it")

    s.phase[n] = Phase.ACKED


@action()
def receive_ack(s: AckRound, n: Node, m: Node) -> None:
    """`n`, still waiting for acks, hears the ack of another member."""
    guard(has_acked(s, m), "m has acked")
    guard(s.phase[n] == Phase.ACKED, "n waits for acks")
    guard(n != m, "a member knows its own ack")

    s.heard_ack[n, m] = True


@action()
def apply(s: AckRound, n: Node) -> None:
    """`n` has every ack and applies."""
    guard(s.phase[n] == Phase.ACKED, "n waits for acks")
    guard(forall(Node, lambda m: (m == n) | s.heard_ack[n, m]), "n has heard every other ack")

    s.phase[n] = Phase.APPLIED


@action()
def fail_to_apply(s: AckRound, n: Node) -> None:
    """`n` has every ack and cannot apply."""
    guard(s.phase[n] == Phase.ACKED, "n waits for acks")
    guard(forall(Node, lambda m: (m == n) | s.heard_ack[n, m]), "n has heard every other ack")

    s.phase[n] = Phase.FAILED


@action()
def send_ok(s: AckRound, n: Node) -> None:
    """`n` multicasts that it has applied."""
    guard(s.phase[n] == Phase.APPLIED, "n has applied")

    s.sent_ok[n] = True


@action()
def send_failure(s: AckRound, n: Node) -> None:
    """`n` multicasts that it could not apply."""
    guard(s.phase[n] == Phase.FAILED, "n could not apply")

    s.sent_failure[n] = True


@invariant()
def apply_after_full_receipt(s: AckRound) -> Formula:
    """No member runs the local operation before every member has acked."""
    return implies(
        exists(Node, lambda n: one_of(s.phase[n], Phase.APPLIED, Phase.FAILED)),
        forall(Node, lambda m: has_acked(s, m)),
    )


@invariant()
def status_once(s: AckRound) -> Formula:
    """A member never sends both statuses."""
    return forall(Node, lambda n: ~(s.sent_ok[n] & s.sent_failure[n]))


@invariant()
def acks_are_real(s: AckRound) -> Formula:
    """A member has heard only acks that were sent."""
    return forall(Node, Node, lambda n, m: implies(s.heard_ack[n, m], has_acked(s, m)))


@terminal
def all_reported(s: AckRound) -> Formula:
    """Every member has sent its status."""
    return forall(Node, lambda n: s.sent_ok[n] | s.sent_failure[n])


MODELS = [
    Model(
        name=f"ack-round-{n}",
        about=f"{n} members.",
        sizes={"Node": n},
        vacuous=("status_once",),
    )
    for n in (2, 3, 4, 5)
]
