"""The hardened group change: what members promise when some of them crash (notes C5 to C8).

Members change a parameter as in ``group``, in a *view*: a numbered set of members. Whoever suspects
a member proposes a view without it, and so does whoever wants one back in. Each member of the new
view reports to it what it knows, and so gives up all earlier views. When every report is there, the
members finish what was open (the *flush*), each for itself. All that a member acts upon is in its
journal before it is in a message.

Not modelled here: time (anybody may be suspected at any moment, rightly or not) and what the value
means. The network is a set of messages that only grows: a lost message is one that nobody acts
upon, a repeated one is acted upon twice, order is free, and a partition is a long delay. A message
is received when it is acted upon; what has been received before that, no step depends on. So a
crash loses nothing that was received, and a member answers a request as it receives it. What a
member says of its decisions it says again whenever it is asked.

Each mechanism is a constant of the instance and can be switched off; see ``cluster_properties`` for
what that breaks. Views are in ``cluster_views``, crashes and worse in ``cluster_faults``.
"""

from __future__ import annotations

from samebeat_spec.group import (
    ACK_ROUND,
    CONFIRM_STATUS,
    FAILURE,
    MODIFY,
    MULTICAST,
    RECEIPT,
    STATUS,
    STATUS_ROUND,
    UNDO,
    Change,
    Epoch,
    Message,
    Node,
    Phase,
    Value,
)
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Ordered,
    Sort,
    State,
    Term,
    action,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    ite,
    one_of,
    relation,
    variable,
)


class Quorum(Sort, symmetric=True):
    """A set of configured members that is more than half of them: any two have one in common."""


class View(Ordered):
    """A view id. Ids are ordered, and each is used once: think of (number, proposer)."""


class Crash(Ordered):
    """How many crashes there have been."""


class Said(Enumeration):
    """What a member's report says about a change."""

    NOTHING = element("I have not taken part in it")
    OPEN = element("I have taken part in it and not decided")
    COMMITTED = element("I have committed it")
    UNDONE = element("I have closed it as undone")


class Vote(Enumeration):
    """A member's vote on the outcome of a change, in one view; it is journaled, then sent."""

    NONE = element("has not voted")
    COMMIT = element("it is to be committed")
    UNDO = element("it is to be undone")


class Cluster(State):
    """The members' journals, the messages sent so far, and what is up."""

    asked = function(Change, to=Value, constant=True)
    """the value that a change asks for"""
    start_value = variable(Value, constant=True)
    """the value that all members hold at the start"""
    in_quorum = relation(Quorum, Node, constant=True)
    """which members a quorum has"""
    everyone = variable(Quorum, constant=True)
    """the quorum of all configured members"""

    held_round = flag(constant=True)
    """mechanism: nobody commits before a quorum has voted for it"""
    flush_round = flag(constant=True)
    """mechanism: nobody decides in a flush before a quorum has voted for that"""
    latest_vote_counts = flag(constant=True)
    """mechanism: of the votes that are reported, the one of the latest view counts"""
    keeps_promise = flag(constant=True)
    """mechanism: who has reported to a view does nothing for an earlier one"""
    waits_for_reports = flag(constant=True)
    """mechanism: a view begins when all of its members have reported"""
    transfers_state = flag(constant=True)
    """mechanism: who joins adopts what others have committed, before anything else"""
    journals_first = flag(constant=True)
    """mechanism: a member journals that it has applied before it says so"""
    journals_promises = flag(constant=True)
    """mechanism: a member journals that it has reported to a view"""
    tells_decisions = flag(constant=True)
    """mechanism: who has decided says so to whoever is in doubt"""
    quarantines = flag(constant=True)
    """mechanism: who cannot undo takes itself out"""
    replaces_blank = flag(constant=True)
    """mechanism: who has lost its journal does not come back under its old name"""
    waits_for_late = flag(constant=True)
    """mechanism: who has an operation running that was given up takes part in nothing new"""

    undo_may_fail = flag(constant=True)
    """fault: the local undo may fail"""
    may_hang = flag(constant=True)
    """fault: the local operation may hang, and succeed after it was given up"""
    may_lose_journal = flag(constant=True)
    """fault: a crash may cost a member its journal"""
    recovers = flag(constant=True)
    """who has crashed may come back"""
    dead_are_heard = flag(constant=True)
    """what a member has sent still arrives when it is down; otherwise all of that is lost"""
    needs_cause = flag(constant=True)
    """a view is only proposed if a member is down, or one that is not down is left out"""

    requested = relation(Change)
    """the request is on the network"""
    base = function(Change, to=Epoch)
    """the epoch of the initiator when it sent the request"""
    home = function(Change, to=View)
    """the view in which the change was requested: its members take part"""
    sent = relation(Node, Change, Message)
    """the message set: who has multicast what about which change"""
    vote = function(Node, Change, View, to=Vote)
    """the votes sent so far"""

    proposed = relation(View)
    """the view has been proposed"""
    members = function(View, to=Quorum)
    """the members of a view that is proposed"""
    reported = relation(Node, View)
    """the report of a member to a view is sent: its promise to do nothing for an earlier one"""
    said = function(Node, View, Change, to=Said)
    """what that report says about a change; the votes of before it are in it, too"""

    phase = function(Node, Change, to=Phase)
    value = function(Node, to=Value)
    """the value that the member's timers use"""
    pre_image = function(Node, to=Value)
    """the value before the change that the member opened last"""
    epoch = function(Node, to=Epoch)
    view = function(Node, to=View)
    """the view that has begun for the member"""

    up = relation(Node)
    """the member runs"""
    crashes = variable(Crash)
    """how many crashes there have been"""
    quarantined = relation(Node)
    """the member has taken itself out for good"""
    forgetful = relation(Node)
    """the member has lost what it has promised, or its whole journal"""
    running = relation(Node, Change)
    """the member's operation for the change was given up and goes on"""
    late = relation(Node)
    """such an operation has succeeded, and is not undone yet"""


def in_view(s: Cluster, m: Node, v: View) -> Formula:
    """`m` is a member of the view `v`."""
    return s.in_quorum[s.members[v], m]


def alive(s: Cluster, n: Node) -> Formula:
    """`n` runs and has not taken itself out."""
    return s.up[n] & ~s.quarantined[n]


def has_gone_on(s: Cluster, n: Node, v: View) -> Formula:
    """`n` has reported to a view later than `v`, and remembers it."""
    return exists(View, lambda w: (v < w) & s.reported[n, w]) & ~s.forgetful[n]


def is_heard(s: Cluster, m: Node) -> Formula:
    """What `m` has sent can arrive: it is up and sends it again, or it is on its way."""
    return s.up[m] | s.dead_are_heard


def promised_away(s: Cluster, n: Node, v: View) -> Formula:
    """`n` has gone on to a view later than `v`, and keeps to what that means."""
    return s.keeps_promise & has_gone_on(s, n, v)


def decided(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` has kept `c` or closed it."""
    return one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE)


def takes_part(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` has acked `c`, or is in its flush without that (RECEIVED), and has not decided it."""
    return one_of(s.phase[n, c], Phase.RECEIVED, Phase.ACKED, Phase.APPLIED)


def is_open(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` takes part in `c`, and has committed no other change since: then it is out of date."""
    return takes_part(s, n, c) & (s.base[c] == s.epoch[n])


def has_open_change(s: Cluster, n: Node) -> Formula:
    """Some change is open at `n`."""
    return exists(Change, lambda c: is_open(s, n, c))


def in_flush(s: Cluster, n: Node, c: Change) -> Formula:
    """In the reports to the view of `n`, `c` is open and nobody has decided it."""
    v = s.view[n]
    earlier = (s.home[c] < v) & (s.base[c] == s.epoch[n]) & ~decided(s, n, c)
    found = exists(Node, lambda m: in_view(s, m, v) & (s.said[m, v, c] == Said.OPEN))
    known = exists(
        Node,
        lambda m: in_view(s, m, v) & one_of(s.said[m, v, c], Said.COMMITTED, Said.UNDONE),
    )
    return earlier & found & ~known


def is_ahead(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` has committed a change that started from the epoch of `c`, or from a later one."""
    return s.base[c] < s.epoch[n]


def is_behind(s: Cluster, n: Node) -> Formula:
    """A report to the view of `n` says that somebody has committed what `n` has not."""
    v = s.view[n]
    return s.transfers_state & exists(
        Node,
        Change,
        lambda m, c: in_view(s, m, v) & (s.said[m, v, c] == Said.COMMITTED) & ~is_ahead(s, n, c),
    )


def is_giving_up(s: Cluster, n: Node) -> Formula:
    """An operation of `n` that was given up still runs, or has succeeded and is not undone."""
    return s.waits_for_late & (s.late[n] | exists(Change, lambda c: s.running[n, c]))


def is_busy(s: Cluster, n: Node) -> Formula:
    """`n` has something to finish before it can take part in a change."""
    flushing = exists(Change, lambda c: in_flush(s, n, c))
    return has_open_change(s, n) | flushing | is_behind(s, n) | is_giving_up(s, n)


def all_in_home(s: Cluster, c: Change, k: Term) -> Formula:
    """Every member of the view of `c` has sent the message about it."""
    return forall(
        Node, lambda m: implies(in_view(s, m, s.home[c]), s.sent[m, c, k] & is_heard(s, m))
    )


def outvoted(s: Cluster, n: Node, c: Change, v: View, outcome: Term) -> Formula:
    """The outcome has the votes that `n` needs to decide so: of a quorum, all in the view `v`.

    Of its own votes `n` counts the latest: no other is in its journal.
    """
    again = exists(View, lambda w: (v < w) & (s.vote[n, c, w] != Vote.NONE))

    def counts(m: Node) -> Formula:
        return (s.vote[m, c, v] == outcome) & is_heard(s, m) & implies(m == n, ~again)

    by_quorum = exists(
        Quorum, lambda q: forall(Node, lambda m: implies(s.in_quorum[q, m], counts(m)))
    )
    at_home = v == s.home[c]
    own_is_enough = (at_home & ~s.held_round) | (~at_home & ~s.flush_round)
    return by_quorum | (own_is_enough & (s.vote[n, c, v] == outcome))


def is_told(s: Cluster, c: Change, phase: Term) -> Formula:
    """Some member says that it has decided `c` so: it does whenever it is asked."""
    told = exists(Node, lambda m: (s.phase[m, c] == phase) & is_heard(s, m))
    return s.tells_decisions & told


def is_to_be_committed(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` knows that `c` is committed: from votes, or from a member that has done it.

    Votes do not say what value they are about, so they only count for who has `c` open.
    """
    voted = exists(View, lambda v: outvoted(s, n, c, v, Vote.COMMIT))
    return (is_open(s, n, c) & voted) | is_told(s, c, Phase.COMMITTED)


def is_to_be_undone(s: Cluster, n: Node, c: Change) -> Formula:
    """`n` knows that `c` is not committed: of a failure or a busy answer, or as above."""

    def refuses(m: Node) -> Formula:
        return (s.sent[m, c, Message.FAILURE] | s.sent[m, c, Message.BUSY]) & is_heard(s, m)

    voted = exists(View, lambda v: outvoted(s, n, c, v, Vote.UNDO))
    return exists(Node, refuses) | voted | is_told(s, c, Phase.UNDONE)


@initial
def start(s: Cluster) -> None:
    """All members are up, in the first view, and hold one value; nothing has been asked for."""
    s.value[every] = s.start_value
    s.pre_image[every] = s.start_value
    s.up[every] = True
    s.proposed[View.first] = True
    s.members[every] = s.everyone
    s.reported[every, View.first] = True


# --- request and ack round -----------------------------------------------------------------


@action(claims=("1.preamble", "1(a)", *MULTICAST, *ACK_ROUND))
def request(s: Cluster, n: Node, c: Change) -> None:
    """`n` multicasts the request for `c` and, in the same step, its own ack."""
    guard(alive(s, n), "n is alive")
    guard(~s.requested[c], "c is a new change id")
    guard(
        ~is_busy(s, n) & ~promised_away(s, n, s.view[n]),
        "n has nothing to finish, and has not gone on to a later view",
    )

    s.requested[c] = True
    s.base[c] = s.epoch[n]
    s.home[c] = s.view[n]
    s.phase[n, c] = Phase.ACKED
    s.pre_image[n] = s.value[n]
    s.sent[n, c, Message.ACK] = True


@action(claims=RECEIPT + ACK_ROUND + MULTICAST)
def send_ack(s: Cluster, n: Node, c: Change) -> None:
    """`n` receives the request, opens `c`, keeps the pre-image and multicasts its ack."""
    guard(alive(s, n), "n is alive")
    guard(~promised_away(s, n, s.view[n]), "n has not gone on to a later view")
    guard(s.requested[c], "the request is on the network")
    guard(
        (s.home[c] == s.view[n]) & (s.base[c] == s.epoch[n]),
        "c is a change of n's view, and starts from n's epoch",
    )
    guard(s.phase[n, c] == Phase.IDLE, "n sees this request for the first time")
    guard(~is_busy(s, n), "n has nothing to finish")

    s.phase[n, c] = Phase.ACKED
    s.pre_image[n] = s.value[n]
    s.sent[n, c, Message.ACK] = True


@action(claims=("C6",))
def send_busy(s: Cluster, n: Node, c: Change) -> None:
    """`n` receives the request and turns `c` down; what comes too late for its view, too.

    A request from a later epoch waits until `n` has got there. One from an earlier epoch needs no
    answer: what was committed since then closes it.
    """
    guard(alive(s, n), "n is alive")
    guard(s.requested[c], "the request is on the network")
    guard(in_view(s, n, s.home[c]) & ~(s.view[n] < s.home[c]), "n is, or was, in the view of c")
    guard(s.phase[n, c] == Phase.IDLE, "n sees this request for the first time")
    guard(
        (s.base[c] == s.epoch[n]) & (is_busy(s, n) | (s.home[c] != s.view[n])),
        "another change, or a later view, is in the way",
    )

    s.phase[n, c] = Phase.UNDONE
    s.sent[n, c, Message.BUSY] = True


# --- apply and status round ----------------------------------------------------------------


@action(claims=RECEIPT + MODIFY)
def apply(s: Cluster, n: Node, c: Change) -> None:
    """`n` confirms for itself that all have acked, and runs the local operation: it succeeds."""
    guard(alive(s, n), "n is alive")
    guard((s.phase[n, c] == Phase.ACKED) & is_open(s, n, c), "n has acked c and not applied it")
    guard(all_in_home(s, c, Message.ACK), "every member has acked")

    s.phase[n, c] = Phase.APPLIED
    s.value[n] = s.asked[c]


@action(claims=RECEIPT + MODIFY + STATUS)
def fail_to_apply(s: Cluster, n: Node, c: Change) -> None:
    """`n` confirms that all have acked and fails to apply: it says so, and has closed `c`."""
    guard(alive(s, n), "n is alive")
    guard((s.phase[n, c] == Phase.ACKED) & is_open(s, n, c), "n has acked c and not applied it")
    guard(all_in_home(s, c, Message.ACK), "every member has acked")

    s.phase[n, c] = Phase.UNDONE
    s.sent[n, c, Message.FAILURE] = True


@action(claims=STATUS + STATUS_ROUND + MULTICAST)
def send_ok(s: Cluster, n: Node, c: Change) -> None:
    """`n` multicasts the status that it has applied."""
    guard(alive(s, n), "n is alive")
    guard((s.phase[n, c] == Phase.APPLIED) & is_open(s, n, c), "n has applied c")

    s.sent[n, c, Message.OK] = True


# --- held round and decision ---------------------------------------------------------------


@action(claims=(*CONFIRM_STATUS, "C5"))
def hold(s: Cluster, n: Node, c: Change) -> None:
    """`n` confirms for itself that every member has applied, and votes to commit."""
    guard(alive(s, n), "n is alive")
    guard(~promised_away(s, n, s.home[c]), "n has not gone on to a later view")
    guard((s.phase[n, c] == Phase.APPLIED) & is_open(s, n, c), "n has applied c")
    guard(all_in_home(s, c, Message.OK), "every member has applied")

    s.vote[n, c, s.home[c]] = Vote.COMMIT


@action(claims=(*CONFIRM_STATUS, "C5", "C8"))
def commit(s: Cluster, n: Node, c: Change) -> None:
    """`n` keeps the new value: it counts the votes, or somebody says that it has committed.

    Who was left out so adopts what the others have come to.
    """
    guard(alive(s, n), "n is alive")
    guard(
        is_open(s, n, c) | (s.transfers_state & ~is_ahead(s, n, c)),
        "n has c open, or is not as far",
    )
    guard(~is_giving_up(s, n), "n has no operation to give up")
    guard(is_to_be_committed(s, n, c), "a quorum or a member says that c is committed")

    s.phase[n, c] = Phase.COMMITTED
    s.value[n] = s.asked[c]
    s.epoch[n] = following(s.base[c])


@action(claims=(*FAILURE, *UNDO, "C5", "C6", "C8"))
def undo(s: Cluster, n: Node, c: Change) -> None:
    """`n` restores the pre-image: a failure, the votes, or what somebody says, closes `c`."""
    guard(alive(s, n), "n is alive")
    guard(is_open(s, n, c), "c is open at n")
    guard(is_to_be_undone(s, n, c), "a member has failed, or a quorum or a member says undone")

    s.value[n] = ite(s.phase[n, c] == Phase.APPLIED, s.pre_image[n], s.value[n])
    s.phase[n, c] = Phase.UNDONE
