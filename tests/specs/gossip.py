"""Rumours travel along links, each teller older than the listener's last news.

Not modelled: truth. Two ways to begin: one teller knows one rumour, or any tellers know the first.
"""

from __future__ import annotations

from samebeat_models import Model
from samebeat_spec.language import (
    Formula,
    Ordered,
    Sort,
    State,
    action,
    anything,
    count,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    relation,
    step_property,
    terminal,
    variable,
    witness,
)


class Person(Sort):
    """Who tells and listens; links tell them apart."""


class Rumour(Sort, symmetric=True):
    """What is told."""


class Hour(Ordered):
    """When."""


class Gossip(State):
    """Who knows what, and since when."""

    link = relation(Person, Person, constant=True)
    """who tells whom"""
    bedtime = variable(Hour, constant=True)

    knows = relation(Person, Rumour)
    since = function(Person, to=Hour)
    """when a person last heard news"""
    clock = variable(Hour)
    quiet = flag()


@initial
def one_teller(s: Gossip, p: Person, r: Rumour) -> None:
    """One person knows one rumour."""
    s.knows[p, r] = True


@initial
def a_loud_start(s: Gossip, r: Rumour) -> None:
    """Anybody may know one rumour, an hour later."""
    s.knows[every, r] = anything
    s.clock = following(Hour.first)


@action()
def tell(s: Gossip, p: Person, q: Person, r: Rumour) -> None:
    """`p` tells `q`, who hears it now."""
    guard(s.link[p, q], "p is linked to q")
    guard(s.knows[p, r], "p knows it")
    guard(~s.quiet, "it is not too late")

    s.since[q] = ite(s.knows[q, r], s.since[q], s.clock)
    s.knows[q, r] = True


@action()
def next_hour(s: Gossip) -> None:
    """An hour passes."""
    guard(s.clock < s.bedtime, "it is before bedtime")

    s.clock = following(s.clock)


@action()
def whisper(s: Gossip, p: Person, q: Person) -> None:
    """`q` learns that `p` knows something, and no more."""
    guard(s.quiet & s.link[p, q], "p is linked to q, and it is too late to tell")

    s.since[q] = s.clock


@action()
def confuse(s: Gossip, p: Person) -> None:
    """`p` mixes everything up: knows now what it did not know, and the other way round."""
    guard(count(Rumour, lambda r: s.knows[p, r]) >= 1, "p knows something")
    guard(s.clock == s.bedtime, "it is late")
    guard(~s.quiet, "it is not too late")

    s.knows[p, every] = lambda r: ~s.knows[p, r]
    s.quiet = True


@invariant()
def nobody_hears_in_the_future(s: Gossip) -> Formula:
    """News are from the past."""
    return forall(Person, lambda p: s.since[p] <= s.clock)


@step_property()
def time_moves_on(s: Gossip, t: Gossip) -> Formula:
    """The clock never goes back, and each step is at most an hour."""
    return (t.clock == s.clock) | (t.clock == following(s.clock))


@step_property()
def quiet_lasts(s: Gossip, t: Gossip) -> Formula:
    """When it has been quiet nobody learns anything."""
    return forall(
        Person,
        Rumour,
        lambda p, r: implies(s.quiet, t.knows[p, r] == s.knows[p, r]),
    )


@witness()
def all_know_something(s: Gossip) -> Formula:
    """Everybody knows something."""
    return forall(Person, lambda p: exists(Rumour, lambda r: s.knows[p, r]))


@terminal
def late(s: Gossip) -> Formula:
    """It is bedtime."""
    return s.clock == s.bedtime


LINE = [["p1", "p2"], ["p2", "p3"]]

MODELS = [
    Model(
        name="gossip-3x2",
        states=184,
        transitions=443,
        depth=4,
        terminal={"late": 19},
        sizes={"Person": 3, "Rumour": 2, "Hour": 3},
        constants={"link": LINE, "bedtime": 2},
    ),
    Model(
        name="gossip-3x2-sym",
        states=93,
        depth=4,
        sizes={"Person": 3, "Rumour": 2, "Hour": 3},
        constants={"link": LINE, "bedtime": 2},
        symmetry=True,
    ),
]
