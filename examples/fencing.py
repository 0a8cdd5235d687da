"""A lock that is handed out as a numbered lease, and a store that looks at the numbers.

A client that pauses does not notice that its lease has run out, and writes late. The store turns
down a write with a number lower than one that it has seen: that is called fencing.

Not modelled: time. A lease may run out whenever it likes. What is written plays no part.
"""

from __future__ import annotations

from samebeat_models import Model, Without
from samebeat_spec.language import (
    Formula,
    Ordered,
    Sort,
    State,
    action,
    always_reachable,
    exists,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    relation,
    step_property,
    terminal,
    variable,
    witness,
)


class Client(Sort, symmetric=True):
    """A machine that wants to write."""


class Number(Ordered):
    """The number of a lease; the first one, 0, stands for no lease."""


class Lock(State):
    """What the lock service knows, what the clients believe, and what the store has seen."""

    newest = variable(Number)
    """the number of the lease that was handed out last"""
    over = relation(Number)
    """the lock service regards the lease as over"""
    lease = function(Client, to=Number)
    """the lease that a client believes it has"""
    seen = variable(Number)
    """the number that came with the last write"""


@initial
def start(s: Lock) -> None:
    """Nobody has a lease; number 0 was never one."""
    s.over[Number.first] = True


@action()
def acquire(s: Lock, c: Client, i: Number) -> None:
    """The lock service hands `c` a lease with the next number."""
    guard(s.lease[c] == Number.first, "c has no lease")
    guard(s.over[s.newest], "the lease before is over")
    guard(i == following(s.newest), "i is the next number")

    s.newest = i
    s.lease[c] = i


@action()
def expire(s: Lock) -> None:
    """The newest lease runs out; its client does not hear of that."""
    s.over[s.newest] = True


@action()
def write(s: Lock, c: Client) -> None:
    """`c` writes, and the store accepts."""
    guard(s.lease[c] != Number.first, "c believes that it has a lease")
    guard(s.seen <= s.lease[c], "the store has seen no newer lease")

    s.seen = s.lease[c]


@action()
def release(s: Lock, c: Client) -> None:
    """`c` gives its lease back, or notices that it is over."""
    guard(s.lease[c] != Number.first, "c believes that it has a lease")

    s.over[s.lease[c]] = True
    s.lease[c] = Number.first


@invariant()
def one_lease_runs(s: Lock) -> Formula:
    """Of all leases handed out, at most one is not over."""

    def runs(i: Number) -> Formula:
        return (i <= s.newest) & ~s.over[i]

    return forall(Number, Number, lambda i, j: implies(runs(i) & runs(j), i == j))


@step_property()
def newer_write_stays(s: Lock, t: Lock) -> Formula:
    """What was written under a lease is not overwritten under an older one."""
    return implies(s.seen != t.seen, s.seen < t.seen)


@always_reachable()
def all_given_back(s: Lock) -> Formula:
    """Whatever has happened, every client can still come to have no lease."""
    return forall(Client, lambda c: s.lease[c] == Number.first)


@terminal
def numbers_used_up(s: Lock) -> Formula:
    """The last number of this instance has been handed out and given back."""
    nobody = forall(Client, lambda c: s.lease[c] == Number.first)
    return nobody & forall(Number, lambda i: s.over[i])


@witness()
def two_believers(s: Lock) -> Formula:
    """Two clients believe that they have the lock: no lock service can prevent that."""
    return exists(
        Client, Client, lambda c, d: (Number.first < s.lease[c]) & (s.lease[c] < s.lease[d])
    )


@witness()
def a_late_write(s: Lock) -> Formula:
    """A client believes that it may write, and the store would turn it down."""
    return exists(Client, lambda c: (Number.first < s.lease[c]) & (s.lease[c] < s.seen))


MODELS = [
    Model(
        name="fencing-2",
        about="Two clients, two leases.",
        sizes={"Client": 2, "Number": 3},
        states=44,
        transitions=148,
        depth=5,
        terminal={"numbers_used_up": 3},
    ),
    Model(
        name="fencing-3",
        about="Three clients, three leases, one state of each orbit.",
        sizes={"Client": 3, "Number": 4},
        symmetry=True,
        states=73,
        transitions=299,
        depth=7,
    ),
    Model(
        name="no-fence",
        about="The store does not look at the numbers.",
        sizes={"Client": 2, "Number": 3},
        without=Without("write", "the store has seen no newer lease"),
        violates=("newer_write_stays",),
    ),
]
