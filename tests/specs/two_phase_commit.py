"""Two-phase commit as Lamport published it (the TLA+ examples, `TwoPhase`).

Not modelled: resource managers that fail, and messages that are taken back: the network is a set
that only grows.
"""

from __future__ import annotations

from samebeat_models import Model, Tier
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
    initial,
    invariant,
    one_of,
    relation,
    terminal,
    variable,
    witness,
)


class RM(Sort, symmetric=True):
    """A resource manager."""


class RMState(Enumeration):
    WORKING = element("has not voted")
    PREPARED = element("has voted to commit")
    COMMITTED = element("has committed")
    ABORTED = element("has aborted")


class TMState(Enumeration):
    INIT = element("collects votes")
    DONE_COMMITTED = element("has told all to commit")
    DONE_ABORTED = element("has told all to abort")


class TwoPhase(State, name="two_phase"):
    """The managers and the messages sent."""

    rm_state = function(RM, to=RMState)
    tm_state = variable(TMState)
    tm_prepared = relation(RM)
    sent_prepared = relation(RM)
    sent_commit = flag()
    sent_abort = flag()


@initial
def start(s: TwoPhase) -> None:
    """All work; nothing is sent."""


@action()
def tm_rcv_prepared(s: TwoPhase, r: RM) -> None:
    """The transaction manager receives a vote."""
    guard(s.tm_state == TMState.INIT, "it collects votes")
    guard(s.sent_prepared[r], "r has voted")

    s.tm_prepared[r] = True


@action()
def tm_commit(s: TwoPhase) -> None:
    """The transaction manager has every vote and commits."""
    guard(s.tm_state == TMState.INIT, "it collects votes")
    guard(forall(RM, lambda r: s.tm_prepared[r]), "it has every vote")

    s.tm_state = TMState.DONE_COMMITTED
    s.sent_commit = True


@action()
def tm_abort(s: TwoPhase) -> None:
    """The transaction manager aborts, at any time before it commits."""
    guard(s.tm_state == TMState.INIT, "it collects votes")

    s.tm_state = TMState.DONE_ABORTED
    s.sent_abort = True


@action()
def rm_prepare(s: TwoPhase, r: RM) -> None:
    """A resource manager votes to commit."""
    guard(s.rm_state[r] == RMState.WORKING, "r has not voted")

    s.rm_state[r] = RMState.PREPARED
    s.sent_prepared[r] = True


@action()
def rm_choose_to_abort(s: TwoPhase, r: RM) -> None:
    """A resource manager aborts on its own."""
    guard(s.rm_state[r] == RMState.WORKING, "r has not voted")

    s.rm_state[r] = RMState.ABORTED


@action()
def rm_rcv_commit_msg(s: TwoPhase, r: RM) -> None:
    """A resource manager is told to commit."""
    guard(s.sent_commit, "the transaction manager says so")

    s.rm_state[r] = RMState.COMMITTED


@action()
def rm_rcv_abort_msg(s: TwoPhase, r: RM) -> None:
    """A resource manager is told to abort."""
    guard(s.sent_abort, "the transaction manager says so")

    s.rm_state[r] = RMState.ABORTED


@invariant()
def tc_consistent(s: TwoPhase) -> Formula:
    """No manager commits while another aborts."""
    return forall(
        RM,
        RM,
        lambda q, r: ~((s.rm_state[q] == RMState.ABORTED) & (s.rm_state[r] == RMState.COMMITTED)),
    )


@witness()
def a_commit(s: TwoPhase) -> Formula:
    """All commit."""
    return forall(RM, lambda r: s.rm_state[r] == RMState.COMMITTED)


@witness()
def an_abort_after_a_vote(s: TwoPhase) -> Formula:
    """Somebody has voted to commit and aborts."""
    return exists(RM, lambda r: s.sent_prepared[r] & (s.rm_state[r] == RMState.ABORTED))


@terminal
def all_decided(s: TwoPhase) -> Formula:
    """Every manager has decided."""
    return forall(RM, lambda r: one_of(s.rm_state[r], RMState.COMMITTED, RMState.ABORTED))


MODELS = [
    # TLC counts the initial state too: 1,146 generated, depth 11.
    Model(name="two-phase-3", sizes={"RM": 3}, states=288, transitions=1_145, depth=10),
    Model(name="two-phase-3-sym", sizes={"RM": 3}, symmetry=True, states=80),
    Model(name="two-phase-5", sizes={"RM": 5}, states=8_832, tier=Tier.FULL),
    Model(name="two-phase-6", sizes={"RM": 6}, states=50_816, tier=Tier.NIGHTLY),
]
