"""The group change as claimed (claims 1 to 18): all members adopt a value, or none does.

A request is multicast; every member acks it or answers busy; a member that holds every ack
applies, and multicasts how that went; a member that holds every good status commits, one that
hears of a failure undoes. Nobody decides for anybody else.

Not modelled here: crashes, views and time (every member answers in the end), and what the value
means. The network is a set of messages that only grows: a lost message is one that is never
received, a duplicate is received twice, and order is free. A member hears its own messages as it
sends them.

What this protocol promises is in ``group_properties``, and what comes in the end in
``group_liveness``.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Ordered,
    Sort,
    State,
    action,
    element,
    every,
    exists,
    following,
    forall,
    function,
    guard,
    initial,
    one_of,
    relation,
    variable,
)

# Claims 7, 12 and 13 say of an apparatus, a system and a product what claim 1 says of a method;
# 8 to 11 and 15 to 18 refine them. What is one behaviour is cited as one.
RECEIPT = ("1(b)", "7(b).receipt", "8", "12(b).receipt", "13(a).receipt", "15")
ACK_ROUND = ("4", "9", "16")
MODIFY = ("1(c)", "7(b).modify", "12(b).modify", "13(a).modify")
STATUS = ("1(d)", "10", "17")
STATUS_ROUND = ("5", "11", "18")
CONFIRM_STATUS = ("7(b).status", "12(b).status", "13(a).status")
FAILURE = ("1(e)",)
UNDO = ("1(f)", "7(b).undo", "12(b).undo", "13(a).undo")
MULTICAST = ("6",)


class Node(Sort, symmetric=True):
    """A member of the cluster."""


class Change(Sort):
    """A change id: names one change everywhere, and is used for one request only."""


class Value(Sort):
    """A value of the communication parameter."""


class Epoch(Ordered):
    """How many changes a member has committed so far."""


class Phase(Enumeration):
    """How far a member is with a change."""

    IDLE = element("has not received the request")
    RECEIVED = element("has received the request and not answered it")
    ACKED = element("has acked and waits for every ack")
    APPLIED = element("has applied and waits for every status")
    FAILED = element("could not apply; its value has not changed")
    COMMITTED = element("has kept the new value for good")
    UNDONE = element("has closed the change with the value from before it")


class Message(Enumeration):
    """What a member tells all others about a change."""

    ACK = element("I have the request and nothing else open")
    BUSY = element("I do not take part: another change is in the way")
    OK = element("status: I have applied")
    FAILURE = element("status: I could not apply")


class Group(State):
    """The members' records and the messages sent so far."""

    asked = function(Change, to=Value, constant=True)
    """the value that a change asks for"""
    start_value = variable(Value, constant=True)
    """the value that all members hold at the start"""

    requested = relation(Change)
    """the request is on the network"""
    base = function(Change, to=Epoch)
    """the epoch of the initiator when it sent the request"""
    sent = relation(Node, Change, Message)
    """the message set: who has multicast what about which change"""

    phase = function(Node, Change, to=Phase)
    value = function(Node, to=Value)
    """the value that the member's timers use"""
    pre_image = function(Node, to=Value)
    """the value before the change that the member opened last"""
    epoch = function(Node, to=Epoch)
    heard = relation(Node, Node, Message)
    """what a member has heard about its open change, and from whom"""


def is_open(s: Group, n: Node, c: Change) -> Formula:
    """`n` has acked `c` and has not decided it."""
    return one_of(s.phase[n, c], Phase.ACKED, Phase.APPLIED, Phase.FAILED)


def has_open_change(s: Group, n: Node) -> Formula:
    """Some change is open at `n`."""
    return exists(Change, lambda c: is_open(s, n, c))


def quiescent(s: Group) -> Formula:
    """No member has an open change."""
    return forall(Node, lambda n: ~has_open_change(s, n))


@initial
def start(s: Group) -> None:
    """All members hold one value and nothing has been asked for."""
    s.value[every] = s.start_value
    s.pre_image[every] = s.start_value


# --- request and ack round -----------------------------------------------------------------


@action(claims=("1.preamble", "1(a)", *MULTICAST))
def request(s: Group, n: Node, c: Change) -> None:
    """`n` multicasts the request for `c`; any member may, at any time."""
    guard(~s.requested[c], "c is a new change id")

    s.requested[c] = True
    s.base[c] = s.epoch[n]


@action(claims=RECEIPT + MULTICAST)
def receive_request(s: Group, n: Node, c: Change) -> None:
    """`n` receives the request for `c`."""
    guard(s.requested[c], "the request is on the network")
    guard(s.phase[n, c] == Phase.IDLE, "n sees this request for the first time")

    s.phase[n, c] = Phase.RECEIVED


@action(claims=RECEIPT + ACK_ROUND + MULTICAST)
def send_ack(s: Group, n: Node, c: Change) -> None:
    """`n` opens `c`, keeps the pre-image and multicasts its ack, which it never takes back."""
    guard(s.phase[n, c] == Phase.RECEIVED, "n has the request and has not answered it")
    guard(~has_open_change(s, n), "n has no other change open")
    guard(s.base[c] == s.epoch[n], "c starts from n's epoch")

    s.phase[n, c] = Phase.ACKED
    s.pre_image[n] = s.value[n]
    s.sent[n, c, Message.ACK] = True
    s.heard[n, n, Message.ACK] = True


@action(claims=("C6",))
def send_busy(s: Group, n: Node, c: Change) -> None:
    """`n` turns `c` down because another change is open or has been committed since."""
    guard(s.phase[n, c] == Phase.RECEIVED, "n has the request and has not answered it")
    guard(has_open_change(s, n) | (s.base[c] != s.epoch[n]), "another change is in the way")

    s.phase[n, c] = Phase.UNDONE
    s.sent[n, c, Message.BUSY] = True


@action(claims=RECEIPT + ACK_ROUND + FAILURE + MULTICAST)
def receive(s: Group, n: Node, m: Node, c: Change, k: Message) -> None:
    """`n` receives what `m` has sent about the change that `n` has open."""
    guard(s.sent[m, c, k], "m has sent it")
    guard(is_open(s, n, c), "c is open at n")

    s.heard[n, m, k] = True


@action(claims=("C6",))
def close_busied(s: Group, n: Node, c: Change) -> None:
    """`n` gives up `c`, which somebody turned down; no epoch is used up."""
    guard(s.phase[n, c] == Phase.ACKED, "n has acked c and not applied it")
    guard(exists(Node, lambda m: s.heard[n, m, Message.BUSY]), "n has heard a busy answer")

    s.phase[n, c] = Phase.UNDONE
    s.heard[n, every, every] = False


# --- apply and status round ----------------------------------------------------------------


@action(claims=RECEIPT + MODIFY)
def apply(s: Group, n: Node, c: Change) -> None:
    """`n` confirms for itself that all have acked, and runs the local operation: it succeeds."""
    guard(s.phase[n, c] == Phase.ACKED, "n has acked c and not applied it")
    guard(forall(Node, lambda m: s.heard[n, m, Message.ACK]), "n has heard every ack")

    s.phase[n, c] = Phase.APPLIED
    s.value[n] = s.asked[c]


@action(claims=RECEIPT + MODIFY)
def fail_to_apply(s: Group, n: Node, c: Change) -> None:
    """`n` confirms for itself that all have acked, and runs the local operation: it fails."""
    guard(s.phase[n, c] == Phase.ACKED, "n has acked c and not applied it")
    guard(forall(Node, lambda m: s.heard[n, m, Message.ACK]), "n has heard every ack")

    s.phase[n, c] = Phase.FAILED


@action(claims=STATUS + STATUS_ROUND + MULTICAST)
def send_ok(s: Group, n: Node, c: Change) -> None:
    """`n` multicasts the status that it has applied."""
    guard(s.phase[n, c] == Phase.APPLIED, "n has applied c")

    s.sent[n, c, Message.OK] = True
    s.heard[n, n, Message.OK] = True


@action(claims=STATUS + STATUS_ROUND + MULTICAST)
def send_failure(s: Group, n: Node, c: Change) -> None:
    """`n` multicasts the status that it could not apply."""
    guard(s.phase[n, c] == Phase.FAILED, "n could not apply c")

    s.sent[n, c, Message.FAILURE] = True
    s.heard[n, n, Message.FAILURE] = True


# --- decision ------------------------------------------------------------------------------


@action(claims=CONFIRM_STATUS)
def commit(s: Group, n: Node, c: Change) -> None:
    """`n` confirms for itself that every member has applied, and keeps the new value."""
    guard(s.phase[n, c] == Phase.APPLIED, "n has applied c")
    guard(forall(Node, lambda m: s.heard[n, m, Message.OK]), "n has heard every ok")

    s.phase[n, c] = Phase.COMMITTED
    s.epoch[n] = following(s.base[c])
    s.heard[n, every, every] = False


@action(claims=FAILURE + UNDO)
def undo(s: Group, n: Node, c: Change) -> None:
    """`n` hears that some member could not apply, and restores the pre-image."""
    guard(is_open(s, n, c), "c is open at n")
    guard(exists(Node, lambda m: s.heard[n, m, Message.FAILURE]), "n has heard a failure")

    s.phase[n, c] = Phase.UNDONE
    s.value[n] = s.pre_image[n]
    s.heard[n, every, every] = False
