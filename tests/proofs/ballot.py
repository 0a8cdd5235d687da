"""A small protocol with a proof: voters, quorums that meet, and at most one decision."""

from __future__ import annotations

from samebeat_proofs.facts import Proof, Role, axiom, promised, strengthening
from samebeat_spec.language import (
    Formula,
    Sort,
    State,
    action,
    exists,
    forall,
    guard,
    implies,
    initial,
    invariant,
    relation,
    spec_of,
    step_property,
)


class Voter(Sort):
    """Who votes."""


class Quorum(Sort):
    """Enough voters."""


class Choice(Sort):
    """What is voted for."""


class Ballot(State):
    """Votes, and what they have decided."""

    member = relation(Quorum, Voter, constant=True)
    """who is in a quorum"""
    voted = relation(Voter, Choice)
    decided = relation(Choice)


@initial
def start(s: Ballot) -> None:
    """Nobody has voted."""


@action()
def vote(s: Ballot, v: Voter, c: Choice) -> None:
    """`v` votes, once."""
    guard(forall(Choice, lambda d: ~s.voted[v, d]), "v has not voted")

    s.voted[v, c] = True


@action()
def decide(s: Ballot, q: Quorum, c: Choice) -> None:
    """A quorum has voted for `c`."""
    guard(forall(Voter, lambda v: implies(s.member[q, v], s.voted[v, c])), "all of q chose c")

    s.decided[c] = True


@invariant()
def one_decision(s: Ballot) -> Formula:
    """At most one choice is decided."""
    return forall(Choice, Choice, lambda c, d: implies(s.decided[c] & s.decided[d], c == d))


@step_property()
def decisions_stay(s: Ballot, t: Ballot) -> Formula:
    """What is decided stays decided."""
    return forall(Choice, lambda c: implies(s.decided[c], t.decided[c]))


@axiom
def quorums_meet(s: Ballot) -> Formula:
    """Two quorums have a voter in common."""
    return forall(
        Quorum, Quorum, lambda q, r: exists(Voter, lambda v: s.member[q, v] & s.member[r, v])
    )


@strengthening("two quorums must not have decided by two votes of one voter")
def one_vote(s: Ballot) -> Formula:
    """A voter votes once."""
    return forall(
        Voter, Choice, Choice, lambda v, c, d: implies(s.voted[v, c] & s.voted[v, d], c == d)
    )


@strengthening("a decision must have votes behind it")
def decided_by_quorum(s: Ballot) -> Formula:
    """Behind a decision there is a quorum."""
    return forall(
        Choice,
        lambda c: implies(
            s.decided[c],
            exists(
                Quorum,
                lambda q: forall(Voter, lambda v: implies(s.member[q, v], s.voted[v, c])),
            ),
        ),
    )


SPEC = spec_of(Ballot)
STEPS = promised(SPEC, Role.STEP, decisions_stay=())
PROOF = Proof(
    SPEC,
    (
        one_vote,
        decided_by_quorum,
        *promised(SPEC, Role.IMPLIED, one_decision=("decided_by_quorum",)),
        *STEPS,
    ),
    axioms=(quorums_meet,),
)
