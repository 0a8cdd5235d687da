"""Peterson's algorithm: two processes, one inside at a time, and each gets its turn.

Not modelled: what is done inside. Each read and each write is a step of its own.
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
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    leads_to,
    one_of,
    relation,
    variable,
)


class Process(Sort, symmetric=True):
    """Two of them."""


class Place(Enumeration):
    """Where a process is."""

    OUTSIDE = element()
    POLITE = element("has raised its flag")
    WAITING = element("has let the other go first")
    INSIDE = element()


class Peterson(State):
    """Where both are, and what they have written for each other."""

    place = function(Process, to=Place)
    raised = relation(Process)
    turn = variable(Process)


@initial
def start(s: Peterson, p: Process) -> None:
    """Both are outside; it is somebody's turn."""
    s.turn = p


@action()
def ask(s: Peterson, p: Process) -> None:
    """`p` raises its flag; nobody has to."""
    guard(s.place[p] == Place.OUTSIDE, "p is outside")

    s.raised[p] = True
    s.place[p] = Place.POLITE


@action()
def let_go_first(s: Peterson, p: Process, q: Process) -> None:
    """`p` lets `q` go first."""
    guard(s.place[p] == Place.POLITE, "p has just raised its flag")
    guard(p != q, "q is the other one")

    s.turn = q
    s.place[p] = Place.WAITING


@action()
def enter(s: Peterson, p: Process) -> None:
    """`p` enters: the other does not want to, or has let it go first."""
    guard(s.place[p] == Place.WAITING, "p waits")
    other_is_away = forall(Process, lambda q: implies(p != q, ~s.raised[q]))
    guard(other_is_away | (s.turn == p), "nobody else wants in, or it is p's turn")

    s.place[p] = Place.INSIDE


@action()
def leave(s: Peterson, p: Process) -> None:
    """`p` leaves and lowers its flag."""
    guard(s.place[p] == Place.INSIDE, "p is inside")

    s.raised[p] = False
    s.place[p] = Place.OUTSIDE


@invariant()
def alone(s: Peterson) -> Formula:
    """At most one is inside."""

    def both(p: Process, q: Process) -> Formula:
        return (s.place[p] == Place.INSIDE) & (s.place[q] == Place.INSIDE)

    return forall(Process, Process, lambda p, q: implies(both(p, q), p == q))


@leads_to(weak=(let_go_first, enter, leave))
def gets_in(s: Peterson, p: Process) -> tuple[Formula, Formula]:
    """Whoever raises its flag comes in."""
    return one_of(s.place[p], Place.POLITE, Place.WAITING), s.place[p] == Place.INSIDE


MODELS = [
    Model(
        name="peterson",
        states=20,
        transitions=34,
        depth=5,
        sizes={"Process": 2},
        live=("gets_in",),
    ),
    *(
        Model(
            name=f"peterson-no-{name}",
            sizes={"Process": 2},
            live=("gets_in",),
            unfair=(name,),
            violates=("gets_in",),
            depth=depth,
        )
        for name, depth in (("let_go_first", 1), ("enter", 2), ("leave", 5))
    ),
]
