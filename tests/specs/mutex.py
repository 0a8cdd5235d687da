"""A token goes round; who holds it may enter.

Not modelled: how the token travels. A fragile token can get lost.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Sort,
    State,
    action,
    always_reachable,
    exists,
    flag,
    forall,
    guard,
    implies,
    initial,
    invariant,
    leads_to,
    relation,
    step_property,
    variable,
    witness,
)


class Process(Sort, symmetric=True):
    """Who wants in."""


class Mutex(State):
    """Who is inside, and where the token is."""

    fragile = flag(constant=True)
    """the token can get lost on its way"""

    holder = variable(Process)
    """who has the token, or had it last"""
    lost = flag()
    inside = relation(Process)
    wants = relation(Process)


@initial
def start(s: Mutex, p: Process) -> None:
    """Somebody has the token; nobody is inside."""
    s.holder = p


@action()
def ask(s: Mutex, p: Process) -> None:
    """`p` wants in."""
    guard(~s.inside[p], "p is outside")

    s.wants[p] = True


@action()
def enter(s: Mutex, p: Process) -> None:
    """`p` enters."""
    guard(s.wants[p], "p wants in")
    guard((s.holder == p) & ~s.lost, "p has the token")

    s.inside[p] = True
    s.wants[p] = False


@action()
def leave(s: Mutex, p: Process) -> None:
    """`p` leaves."""
    guard(s.inside[p], "p is inside")

    s.inside[p] = False


@action()
def pass_on(s: Mutex, p: Process, q: Process) -> None:
    """`p` gives the token to whom it likes."""
    guard((s.holder == p) & ~s.lost, "p has the token")
    guard(~s.inside[p], "p is outside")

    s.holder = q


@action()
def lose(s: Mutex) -> None:
    """The token gets lost."""
    guard(s.fragile, "tokens can get lost")
    guard(~exists(Process, lambda p: s.inside[p]), "the token is on its way")

    s.lost = True


@invariant()
def alone(s: Mutex) -> Formula:
    """At most one is inside."""
    return forall(Process, Process, lambda p, q: implies(s.inside[p] & s.inside[q], p == q))


@step_property()
def only_the_holder_enters(s: Mutex, t: Mutex) -> Formula:
    """Whoever comes in holds the token."""
    return forall(
        Process, lambda p: implies(~s.inside[p] & t.inside[p], (t.holder == p) & (s.holder == p))
    )


@always_reachable()
def somebody_can_get_in(s: Mutex) -> Formula:
    """Whatever has happened, somebody can still come to be inside."""
    return exists(Process, lambda p: s.inside[p])


@leads_to(weak=(leave,), strong=(enter, pass_on))
def gets_in(s: Mutex, p: Process) -> tuple[Formula, Formula]:
    """Whoever wants in comes in."""
    return s.wants[p], s.inside[p]


@witness()
def one_in_one_waits(s: Mutex) -> Formula:
    """One is inside while another waits."""
    return exists(Process, Process, lambda p, q: s.inside[p] & s.wants[q])


MODELS = [
    Model(
        name="mutex-3",
        live=("gets_in",),
        states=36,
        transitions=192,
        depth=4,
        sizes={"Process": 3},
        constants={"fragile": False},
        idle=("lose",),
    ),
    Model(
        name="mutex-3-sym",
        states=9,
        depth=4,
        sizes={"Process": 3},
        constants={"fragile": False},
        idle=("lose",),
        symmetry=True,
    ),
    Model(
        name="mutex-lossy",
        depth=1,
        sizes={"Process": 3},
        constants={"fragile": True},
        violates=("somebody_can_get_in",),
    ),
]
