"""The heartbeat pair as claimed (claims 19 to 31): the first node defers until the second modified.

Two nodes send each other heartbeats, so each is the *first node* of one direction and the *second
node* of the other. To change a parameter that both nodes of a direction must agree on, the first
node sets the change request indicator in its heartbeat record and sends a heartbeat. The second
node modifies, or refuses; it sets or clears the indicator in its own record accordingly, and acks.
The first node modifies only on an ack with a set indicator. A parameter that concerns one node only
changes at once.

Not modelled here: time (whether deferral is enough is a question about deadlines), crashes, and
heartbeats that ask for nothing: their acks name no change, and nobody acts on them. The network is
a set of messages that only grows: a lost message is one that is never received, a duplicate is
received twice, a late one is received after others, and order is free.

The claims know one indicator bit. What else a message must say is a constant of the instance, so
that leaving it out can be checked: see ``ack_names_change`` and the two constants after it.

What this protocol promises is in ``pair_properties``, and what comes in the end in
``pair_liveness``.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Sort,
    State,
    Term,
    action,
    element,
    every,
    exists,
    flag,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    relation,
    variable,
)

# Claims 26 to 30 say of an apparatus and 31 of a product what claims 19 to 25 say of a method.
# What is one behaviour is cited as one.
DECIDE = ("20", "21", "27", "28")
ASK = ("19.preamble", "19(a)", "26(b).send", "31(a).send")
RECORD = ("23.record",)
SET_BEFORE_HEARTBEAT = ("23(a)", "29")
SECOND_MODIFIES = ("25(a)",)
SELECT_BEFORE_ACK = ("23(b)",)
ACK = ("19.preamble", "22")
DEFER = ("19(b)", "24", "25(b)", "26(b).defer", "30", "31(a).defer")


class Node(Sort, symmetric=True):
    """One of the two nodes of the pair."""


class Change(Sort):
    """A change id: names one change of one direction everywhere, and is used once."""


class Parameter(Sort):
    """A heartbeat parameter."""


class Value(Sort):
    """A value of a heartbeat parameter."""


class Role(Enumeration):
    """What a node is in a direction, and so which heartbeat record it uses."""

    FIRST = element("sends heartbeats and hears acks")
    SECOND = element("hears heartbeats and sends acks")


class Wish(Enumeration):
    """How far the first node is with a change of its own."""

    NONE = element("has not asked for it")
    OPEN = element("wants it and defers")
    MODIFIED = element("has modified its value")
    REFUSED = element("has kept its value, because the second node refused")


class Answer(Enumeration):
    """What the second node has done about a change of the first."""

    NONE = element("has not decided about it")
    MODIFIED = element("has modified its value")
    REFUSED = element("has kept its value")


class Duty(Enumeration):
    """What the second node has yet to do about the request that it received last."""

    IDLE = element("nothing: there is none, or its ack is sent")
    RECEIVED = element("modify or refuse")
    MODIFIED = element("set the indicator: it has modified")
    REFUSED = element("clear the indicator: it has refused")
    READY = element("send the ack: the record holds the answer")


class Indicator(Enumeration):
    """The change request indicator of an ack."""

    CLEARED = element("I have not modified")
    SET = element("I have modified")


class Pair(State):
    """The two nodes' values and records, and the messages sent so far."""

    asked = function(Change, to=Value, constant=True)
    """the value that a change asks for"""
    parameter = function(Change, to=Parameter, constant=True)
    """the parameter that a change is about"""
    is_global = relation(Parameter, constant=True)
    """the parameter's constraint mentions the other node (the registry of parameters says so)"""
    start_value = variable(Value, constant=True)
    """the value of every parameter at the start"""
    ack_names_change = flag(constant=True)
    """an ack carries the change id; the claims have the bit only"""
    heartbeat_names_change = flag(constant=True)
    """a heartbeat that asks carries the change id; otherwise only the bit and the value"""
    record_per_direction = flag(constant=True)
    """a node has one record for its heartbeats and one for its acks; otherwise one for both"""

    wish = function(Node, Change, to=Wish)
    value = function(Node, Role, Parameter, to=Value)
    """the value that a node uses as first and as second node"""
    indicator = relation(Node, Role)
    """the change request indicator in a node's record"""
    named = function(Node, Role, to=Change)
    """the change that a node's record is about, once it has been filled"""
    request = function(Node, to=Change)
    """what the second node has received last"""
    duty = function(Node, to=Duty)
    answer = function(Node, Change, to=Answer)
    heard = relation(Node, Indicator)
    """what the first node has heard about the change that it has open"""

    heartbeat = relation(Node, Change)
    """messages: heartbeats with a set indicator, by the sender and what they ask for"""
    ack = relation(Node, Change, Indicator)
    """messages: acks, by the sender and what its record said"""


def needs_synchronisation(s: Pair, c: Change) -> Formula:
    """Whether `c` must be made in step with the other node: its parameter is global."""
    return s.is_global[s.parameter[c]]


def is_new(s: Pair, c: Change) -> Formula:
    """No node has used the change id `c`."""
    return forall(Node, lambda n: s.wish[n, c] == Wish.NONE)


def has_open_change(s: Pair, n: Node) -> Formula:
    """`n` wants a change and defers."""
    return exists(Change, lambda c: s.wish[n, c] == Wish.OPEN)


def quiescent(s: Pair) -> Formula:
    """Neither node has a change open, or a request that it has not decided about."""
    return forall(Node, lambda n: ~has_open_change(s, n) & (s.duty[n] != Duty.RECEIVED))


def record_for_acks(s: Pair) -> Term:
    """Return the role whose record a node uses for its acks."""
    return ite(s.record_per_direction, Role.SECOND, Role.FIRST)


@initial
def start(s: Pair) -> None:
    """Both nodes hold one value and nothing has been asked for."""
    s.value[every, every, every] = s.start_value


# --- the first node asks -------------------------------------------------------------------


@action(claims=DECIDE)
def open_change(s: Pair, n: Node, c: Change) -> None:
    """`n` wants `c`, decides that the other node must be in step, and defers."""
    guard(is_new(s, c), "c is a new change id")
    guard(needs_synchronisation(s, c), "the parameter is global")
    guard(~has_open_change(s, n), "n has no other change open")

    s.wish[n, c] = Wish.OPEN


@action(claims=DECIDE)
def modify_at_once(s: Pair, n: Node, c: Change) -> None:
    """`n` wants `c`, decides that this concerns no other node, and modifies."""
    guard(is_new(s, c), "c is a new change id")
    guard(~needs_synchronisation(s, c), "the parameter is local")

    s.value[n, Role.FIRST, s.parameter[c]] = s.asked[c]
    s.wish[n, c] = Wish.MODIFIED


@action(claims=RECORD + SET_BEFORE_HEARTBEAT)
def set_indicator(s: Pair, n: Node, c: Change) -> None:
    """`n` sets the change request indicator in its heartbeat record."""
    guard(s.wish[n, c] == Wish.OPEN, "n has c open")

    s.indicator[n, Role.FIRST] = True
    s.named[n, Role.FIRST] = c


@action(claims=ASK + RECORD + SET_BEFORE_HEARTBEAT)
def send_heartbeat(s: Pair, n: Node) -> None:
    """`n` sends a heartbeat that asks for the change in its record."""
    guard(s.indicator[n, Role.FIRST], "the indicator is set")

    s.heartbeat[n, s.named[n, Role.FIRST]] = True


# --- the second node answers ---------------------------------------------------------------


@action(claims=ASK)
def receive_heartbeat(s: Pair, n: Node, c: Change) -> None:
    """`n` receives a heartbeat that asks for `c`."""
    sent = exists(Node, lambda m: (m != n) & s.heartbeat[m, c])
    known = s.heartbeat_names_change & (s.answer[n, c] != Answer.NONE)
    guard(sent, "the other node has sent it")
    guard(~known, "n does not know c as decided")

    s.request[n] = c
    s.duty[n] = Duty.RECEIVED


@action(claims=SECOND_MODIFIES)
def modify_as_second(s: Pair, n: Node) -> None:
    """`n` modifies its value as the other node asks."""
    guard(s.duty[n] == Duty.RECEIVED, "n has a request to decide about")

    s.value[n, Role.SECOND, s.parameter[s.request[n]]] = s.asked[s.request[n]]
    s.answer[n, s.request[n]] = Answer.MODIFIED
    s.duty[n] = Duty.MODIFIED


@action(claims=("22",))
def refuse(s: Pair, n: Node) -> None:
    """`n` keeps its value: it will not or cannot modify."""
    guard(s.duty[n] == Duty.RECEIVED, "n has a request to decide about")

    s.answer[n, s.request[n]] = Answer.REFUSED
    s.duty[n] = Duty.REFUSED


@action(claims=RECORD + SELECT_BEFORE_ACK)
def set_for_ack(s: Pair, n: Node) -> None:
    """`n` sets the indicator in its record for acks: it has modified."""
    guard(s.duty[n] == Duty.MODIFIED, "n has modified")

    s.indicator[n, record_for_acks(s)] = True
    s.named[n, record_for_acks(s)] = s.request[n]
    s.duty[n] = Duty.READY


@action(claims=RECORD + SELECT_BEFORE_ACK)
def clear_for_ack(s: Pair, n: Node) -> None:
    """`n` clears the indicator in its record for acks: it has not modified."""
    guard(s.duty[n] == Duty.REFUSED, "n has refused")

    s.indicator[n, record_for_acks(s)] = False
    s.named[n, record_for_acks(s)] = s.request[n]
    s.duty[n] = Duty.READY


@action(claims=ACK + RECORD + SELECT_BEFORE_ACK)
def send_ack(s: Pair, n: Node) -> None:
    """`n` acks with what its record says."""
    said = ite(s.indicator[n, record_for_acks(s)], Indicator.SET, Indicator.CLEARED)
    guard(s.duty[n] == Duty.READY, "the record holds the answer")

    s.ack[n, s.named[n, record_for_acks(s)], said] = True
    s.duty[n] = Duty.IDLE


# --- the first node follows ----------------------------------------------------------------


@action(claims=("22", "C4"))
def receive_ack(s: Pair, n: Node, c: Change, d: Change, i: Indicator) -> None:
    """`n`, which has `c` open, receives the other node's ack about `d`."""
    sent = exists(Node, lambda m: (m != n) & s.ack[m, d, i])
    guard(sent, "the other node has sent it")
    guard(s.wish[n, c] == Wish.OPEN, "n has c open")
    guard(implies(s.ack_names_change, c == d), "the ack is about c, as far as n can tell")

    s.heard[n, i] = True


@action(claims=DEFER)
def modify_as_first(s: Pair, n: Node, c: Change) -> None:
    """`n` has deferred until the other node said that it modified, and modifies too."""
    guard(s.wish[n, c] == Wish.OPEN, "n has c open")
    guard(s.heard[n, Indicator.SET], "n has heard an ack with a set indicator")

    s.value[n, Role.FIRST, s.parameter[c]] = s.asked[c]
    s.wish[n, c] = Wish.MODIFIED
    s.indicator[n, Role.FIRST] = False
    s.heard[n, every] = False


@action(claims=("22", "24", "30"))
def close_refused(s: Pair, n: Node, c: Change) -> None:
    """`n` hears that the other node has not modified, and keeps its value."""
    guard(s.wish[n, c] == Wish.OPEN, "n has c open")
    guard(s.heard[n, Indicator.CLEARED], "n has heard an ack with a clear indicator")

    s.wish[n, c] = Wish.REFUSED
    s.indicator[n, Role.FIRST] = False
    s.heard[n, every] = False
