"""Changes of the limits of the message layer (claim 3): one limit, or several as one.

The first node of a direction sends and queues messages, each within a limit of its own: how large a
fragment may be, how many messages may be unacked, for how long a message is retried. The second
node has room for it: buffers, or a memory for duplicates. A change takes several *turns*, in each
of which one node switches some limits, or what is under way drains. In which order is a constant of
the instance; the registry derives the safe one (see ``combinations``). The first node walks the
turns. It tells the second node by messages, and the second may refuse: then both go back.

Not modelled here: the messages of users (``transport``). *What is under way* is one number for each
limit, which rises within the limit and falls at any time: for a window or a queue how many messages
there are, for a fragment size or a retry time the largest that is still under way. Nor is there
time, or a crash. The messages about the change are a set that only grows: a lost message is one
that is never received, a repeated one is received twice, and order is free.

What this protocol promises is in ``limits_properties``.
"""

from __future__ import annotations

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Integer,
    Ordered,
    Sort,
    State,
    Term,
    action,
    element,
    every,
    exists,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    relation,
    variable,
)

GLOBAL = ("3.maximum_fragment_size", "3.maximum_message_retry_time", "3.message_send_window")
WITH_TRAFFIC = (*GLOBAL, "3.send_queue_overflow_threshold")
LIMITS = (*WITH_TRAFFIC, "3.message_retry_timer")
COMBINATIONS = ("3.combinations",)


class Node(Enumeration):
    """The two nodes of one direction."""

    FIRST = element("sends, queues and retries messages")
    SECOND = element("receives them and has room")


class Kind(Enumeration):
    """What a limit is, by its name in the registry."""

    MAXIMUM_FRAGMENT_SIZE = element("no fragment is larger")
    MESSAGE_SEND_WINDOW = element("no more messages are unacked")
    MAXIMUM_MESSAGE_RETRY_TIME = element("no message is retried for longer")
    SEND_QUEUE_OVERFLOW_THRESHOLD = element("no more messages are queued")
    MESSAGE_RETRY_TIMER = element("an unacked message is sent again after this")


class Parameter(Sort):
    """A limit that both nodes, or only the first, hold."""


class Level(Integer):
    """A size, a number or a time, in units that each instance chooses."""


class Change(Ordered):
    """A change of one or several limits, in the order they are asked for; the first: as at start.

    An undo of a change that was made is a later change with the levels of an earlier one.
    """


class Turn(Ordered):
    """A place in the order of a change, or the place after the last."""


class Move(Enumeration):
    """What is done in a turn."""

    FIRST = element("the first node switches")
    SECOND = element("the second node switches")
    DRAIN = element("what is under way drains; nothing beyond the new limit is added")


class Course(Enumeration):
    """What the first node does about the change that was asked for last."""

    REST = element("nothing: both have made it, or gone back")
    AHEAD = element("walks its turns")
    BACK = element("has gone back and waits for the second node to do so")


class Answer(Enumeration):
    """What the second node says about a turn of a change."""

    SWITCHED = element("I have switched")
    REFUSED = element("I have not, and will not")


FIRST, SECOND = Node.FIRST, Node.SECOND


class Limits(State):
    """The nodes' limits, what is under way, and the messages about changes sent so far."""

    kind = function(Parameter, to=Kind, constant=True)
    """what a limit is"""
    is_global = relation(Parameter, constant=True)
    """the second node has room for it (the registry of parameters says so)"""
    wanted = function(Change, Parameter, to=Level, constant=True)
    """what a change asks for; it asks for all of it, or for nothing"""
    stage = relation(Change, Change, Turn, Move, Parameter, constant=True)
    """on the way from one change to another: which limits are concerned in a turn, and how"""

    asked = variable(Change)
    """the change that was asked for last"""
    kept = variable(Change)
    """the last change that was made to the end"""
    course = variable(Course)
    turn = variable(Turn)
    value = function(Node, Parameter, to=Level)
    """the first node's limit, and the second node's room; it has none for a local limit"""
    under_way = function(Parameter, to=Level)
    """how much is under way or queued, or the largest of it"""

    order = relation(Change, Change, Turn)
    """messages of the first node: on the way from one change to another, switch in this turn"""
    answer = relation(Change, Turn, Answer)
    """messages of the second node, to those"""
    call_back = relation(Change, Change)
    """messages of the first node: the former change is undone, go back to the latter"""
    went_back = relation(Change)
    """messages of the second node, to those"""


def at(s: Limits, m: Term) -> Formula:
    """The change that was asked for is at a turn of this move."""
    here = exists(Parameter, lambda p: s.stage[s.kept, s.asked, s.turn, m, p])
    return (s.course == Course.AHEAD) & here


def at_the_end(s: Limits) -> Formula:
    """Every turn of the change is done."""
    return (s.course == Course.AHEAD) & ~exists(
        Move, Parameter, lambda m, p: s.stage[s.kept, s.asked, s.turn, m, p]
    )


def next_turn(s: Limits) -> Turn:
    """Return the turn after the present one; the last stays."""
    return ite(exists(Turn, lambda t: s.turn < t), following(s.turn), s.turn)


def is_on_its_way(s: Limits, c: Change) -> Formula:
    """The first node walks the turns of `c`."""
    return (s.asked == c) & (s.course == Course.AHEAD)


def drains(s: Limits, p: Parameter) -> Formula:
    """`p` has begun to drain for the change that is on its way."""
    begun = exists(Turn, lambda t: (t <= s.turn) & s.stage[s.kept, s.asked, t, Move.DRAIN, p])
    return (s.course == Course.AHEAD) & begun


def is_admitted(s: Limits, p: Parameter, v: Level) -> Formula:
    """The first node may add messages until `v` is under way; under a timer nothing is."""
    return (
        (v <= s.value[FIRST, p])
        & implies(drains(s, p), v <= s.wanted[s.asked, p])
        & implies(s.kind[p] == Kind.MESSAGE_RETRY_TIMER, v == 0)
    )


def is_answered(s: Limits, c: Change, t: Turn) -> Formula:
    """The second node has said what it has done about this turn."""
    return exists(Answer, lambda a: s.answer[c, t, a])


def suits(s: Limits, c: Change) -> Formula:
    """What `c` asks for is valid as a whole: a message is retried before it is given up."""
    return forall(
        Parameter,
        Parameter,
        lambda p, q: implies(
            (s.kind[p] == Kind.MESSAGE_RETRY_TIMER)
            & (s.kind[q] == Kind.MAXIMUM_MESSAGE_RETRY_TIME),
            s.wanted[c, p] <= s.wanted[c, q],
        ),
    )


@initial
def start(s: Limits) -> None:
    """Both nodes hold the same limits, and nothing is under way."""
    s.value[every, every] = lambda n, p: s.wanted[Change.first, p]


# --- messages of the users -----------------------------------------------------------------


@action(claims=WITH_TRAFFIC)
def send(s: Limits, p: Parameter, v: Level) -> None:
    """The first node sends or queues messages, until so much is under way."""
    guard(is_admitted(s, p, v), "it is within the first node's limit")

    s.under_way[p] = ite(s.under_way[p] < v, v, s.under_way[p])


@action(claims=WITH_TRAFFIC)
def settle(s: Limits, p: Parameter, v: Level) -> None:
    """Messages leave the queue, are acked or are given up, until so much is under way."""
    s.under_way[p] = ite(v < s.under_way[p], v, s.under_way[p])


# --- the first node ------------------------------------------------------------------------


@action(claims=LIMITS + COMBINATIONS)
def ask(s: Limits, c: Change) -> None:
    """The first node opens `c`, which is judged as a whole."""
    guard(c == following(s.asked), "changes are asked for in order", limit="environment")
    guard(s.course == Course.REST, "no other change is on its way")
    guard(suits(s, c), "what it asks for is valid together")

    s.asked = c
    s.course = Course.AHEAD
    s.turn = Turn.first


@action(claims=LIMITS + COMBINATIONS)
def switch_first(s: Limits) -> None:
    """The first node switches; what a queue holds beyond its new threshold is purged."""
    guard(at(s, Move.FIRST), "it is the first node's turn")

    def now(p: Parameter) -> Formula:
        return s.stage[s.kept, s.asked, s.turn, Move.FIRST, p]

    def purges(p: Parameter) -> Formula:
        is_queue = s.kind[p] == Kind.SEND_QUEUE_OVERFLOW_THRESHOLD
        return is_queue & now(p) & (s.wanted[s.asked, p] < s.under_way[p])

    s.value[FIRST, every] = lambda p: ite(now(p), s.wanted[s.asked, p], s.value[FIRST, p])
    s.under_way[every] = lambda p: ite(purges(p), s.wanted[s.asked, p], s.under_way[p])
    s.turn = next_turn(s)


@action(claims=WITH_TRAFFIC + COMBINATIONS)
def finish_draining(s: Limits) -> None:
    """The first node sees that no more is under way than it may be."""
    within = forall(
        Parameter,
        lambda p: implies(
            s.stage[s.kept, s.asked, s.turn, Move.DRAIN, p], s.under_way[p] <= s.wanted[s.asked, p]
        ),
    )
    guard(at(s, Move.DRAIN), "it is time to drain")
    guard(within, "what is under way has drained")

    s.turn = next_turn(s)


@action(claims=GLOBAL + COMBINATIONS)
def send_order(s: Limits) -> None:
    """The first node tells the second to switch."""
    guard(at(s, Move.SECOND), "it is the second node's turn")

    s.order[s.kept, s.asked, s.turn] = True


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def hear_switched(s: Limits, c: Change, t: Turn) -> None:
    """The first node hears that the second has switched, and goes on."""
    guard(s.answer[c, t, Answer.SWITCHED], "the second node has said so")
    guard(is_on_its_way(s, c), "c is on its way")
    guard(t == s.turn, "it is about the present turn")

    s.turn = next_turn(s)


@action(claims=LIMITS + COMBINATIONS)
def finish(s: Limits) -> None:
    """The change is made."""
    guard(at_the_end(s), "every turn is done")

    s.course = Course.REST
    s.kept = s.asked


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def hear_refused(s: Limits, c: Change, t: Turn) -> None:
    """The first node hears a refusal, goes back in all limits and calls the second back."""
    guard(s.answer[c, t, Answer.REFUSED], "the second node has said so")
    guard(is_on_its_way(s, c), "c is on its way")

    s.course = Course.BACK
    s.value[FIRST, every] = lambda p: s.wanted[s.kept, p]
    s.call_back[c, s.kept] = True


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def hear_went_back(s: Limits, c: Change) -> None:
    """The first node hears that the second has gone back too: the change is undone."""
    guard(s.went_back[c], "the second node has said so")
    guard(s.asked == c, "it is about the last change")

    s.course = Course.REST


# --- the second node -----------------------------------------------------------------------


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def switch_second(s: Limits, d: Change, c: Change, t: Turn) -> None:
    """The second node receives an order, makes more room or less, and says so."""
    guard(s.order[d, c, t], "the first node has sent it")
    guard(~is_answered(s, c, t), "it is not answered")

    s.value[SECOND, every] = lambda p: ite(
        s.stage[d, c, t, Move.SECOND, p], s.wanted[c, p], s.value[SECOND, p]
    )
    s.answer[c, t, Answer.SWITCHED] = True


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def refuse(s: Limits, d: Change, c: Change, t: Turn) -> None:
    """The second node receives an order and cannot, or will not, switch."""
    guard(s.order[d, c, t], "the first node has sent it")
    guard(~is_answered(s, c, t), "it is not answered")

    s.answer[c, t, Answer.REFUSED] = True


@action(claims=(*GLOBAL, *COMBINATIONS, "C4"))
def go_back(s: Limits, c: Change, d: Change) -> None:
    """The second node hears that `c` is undone, and goes back in all limits."""
    guard(s.call_back[c, d], "the first node has sent it")
    guard(~s.went_back[c], "it has not gone back before")

    s.value[SECOND, every] = lambda p: s.wanted[d, p]
    s.went_back[c] = True
