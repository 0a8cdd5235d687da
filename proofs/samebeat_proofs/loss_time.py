"""What so many losses in a row take: l times an interval, with nothing multiplied.

The proof of the heartbeat pair has a table of what k losses may take at the intervals of a change.
It assumes of that table what this proof shows of an interval that is added again and again: that
is what a number times an interval is.
"""

from __future__ import annotations

from samebeat_proofs.facts import Proof, Role, axiom, promised
from samebeat_spec.heartbeat import Change, Ticks
from samebeat_spec.language import (
    Formula,
    State,
    action,
    every,
    forall,
    function,
    implies,
    initial,
    invariant,
    spec_of,
    step_property,
)


class LossTime(State, name="loss-time"):
    """How long losses take, for each change.

    Not modelled here: the heartbeats themselves.
    """

    longest_ticks = function(Change, to=Ticks, constant=True)
    """how long an interval may last, with its drift"""
    loss_ticks = function(Change, to=Ticks)
    """what the losses so far take: as many times the interval as there were losses"""


@initial
def none_lost(s: LossTime) -> None:
    """Nothing is lost."""
    s.loss_ticks[every] = lambda c: 0


@action(claims=("C1",))
def lose_one(s: LossTime) -> None:
    """One more is lost, and takes one interval of each change."""
    s.loss_ticks[every] = lambda c: s.loss_ticks[c] + s.longest_ticks[c]


@invariant(claims=("C1",))
def longer_intervals_take_longer(s: LossTime) -> Formula:
    """As many losses take no less time if the intervals are longer."""
    return forall(
        Change,
        Change,
        lambda c, d: implies(
            s.longest_ticks[c] <= s.longest_ticks[d], s.loss_ticks[c] <= s.loss_ticks[d]
        ),
    )


@step_property(claims=("C1",))
def more_losses_take_longer(s: LossTime, t: LossTime) -> Formula:
    """One more loss takes no less time."""
    return forall(Change, lambda c: s.loss_ticks[c] <= t.loss_ticks[c])


@step_property(claims=("C1",))
def losses_take_time(s: LossTime, t: LossTime) -> Formula:
    """One more loss takes one interval more."""
    return forall(Change, lambda c: t.loss_ticks[c] == s.loss_ticks[c] + s.longest_ticks[c])


@axiom
def intervals_are_times(s: LossTime) -> Formula:
    """No interval is negative."""
    return forall(Change, lambda c: s.longest_ticks[c] >= 0)


def loss_time_proof() -> Proof:
    """Return the proof."""
    spec = spec_of(LossTime)
    return Proof(
        spec,
        (
            *promised(spec, Role.INDUCTIVE, longer_intervals_take_longer=()),
            *promised(spec, Role.STEP, more_losses_take_longer=(), losses_take_time=()),
        ),
        axioms=(intervals_are_times,),
        reals=("Ticks",),
    )
