"""One lock, taken by whoever is quickest: enough for safety, not for everybody's turn.

Not modelled: what is done inside, and any queue.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Sort,
    State,
    action,
    eventually,
    exists,
    flag,
    forall,
    guard,
    implies,
    initial,
    invariant,
    leads_to,
    relation,
)


class Process(Sort, symmetric=True):
    """Who wants in, always."""


class Semaphore(State):
    """Who is inside."""

    taken = flag()
    inside = relation(Process)


@initial
def start(s: Semaphore) -> None:
    """Nobody is inside."""


@action()
def enter(s: Semaphore, p: Process) -> None:
    """`p` takes the lock."""
    guard(~s.taken, "the lock is free")

    s.taken = True
    s.inside[p] = True


@action()
def leave(s: Semaphore, p: Process) -> None:
    """`p` gives the lock back."""
    guard(s.inside[p], "p is inside")

    s.taken = False
    s.inside[p] = False


@invariant()
def alone(s: Semaphore) -> Formula:
    """At most one is inside."""
    return forall(Process, Process, lambda p, q: implies(s.inside[p] & s.inside[q], p == q))


@eventually(weak=(enter,))
def somebody_gets_in(s: Semaphore) -> Formula:
    """Somebody is inside at some time."""
    return exists(Process, lambda p: s.inside[p])


@leads_to(weak=(leave,), strong=(enter,))
def everybody_gets_in(s: Semaphore, p: Process) -> tuple[Formula, Formula]:
    """Whoever is outside will be inside."""
    return ~s.inside[p], s.inside[p]


MODELS = [
    Model(
        name="semaphore-2",
        about="Two of them.",
        states=3,
        transitions=4,
        depth=1,
        sizes={"Process": 2},
        live=("somebody_gets_in", "everybody_gets_in"),
    ),
    Model(
        name="semaphore-no-turns",
        sizes={"Process": 2},
        live=("somebody_gets_in", "everybody_gets_in"),
        unfair=("enter",),
        violates=("somebody_gets_in", "everybody_gets_in"),
        depth=0,
    ),
]
