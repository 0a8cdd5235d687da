"""What the composition promises beside what the group change does, and what must be possible.

All promises of ``group_properties`` are promises of the composition too. The formulas are those of
``watching_properties``.
"""

from __future__ import annotations

from samebeat_spec import watching_properties as watching
from samebeat_spec.composed import Composed
from samebeat_spec.group import Change, Node, Phase, quiescent
from samebeat_spec.language import (
    Formula,
    always_reachable,
    forall,
    invariant,
    one_of,
    step_property,
    terminal,
    witness,
)
from samebeat_spec.watching import HEARTBEAT_INTERVAL
from samebeat_spec.watching_properties import envelopes_closed


def settled(s: Composed) -> Formula:
    """No member has an open change, and all timers use what is held."""
    return quiescent(s) & envelopes_closed(s)


@invariant(claims=(*HEARTBEAT_INTERVAL, "C3"))
def no_mismatch_window(s: Composed) -> Formula:
    """At every instant the deadline for each member suits the interval that the member uses."""
    return watching.timers_suit(s)


@invariant(claims=(*HEARTBEAT_INTERVAL, "1.preamble", "C3"))
def no_false_suspicion(s: Composed) -> Formula:
    """Nobody suspects a member: all are alive."""
    return watching.nobody_suspected(s)


@step_property(claims=("C1", "C2"))
def tightener_defers(s: Composed, t: Composed) -> Formula:
    """Who tightens waits until the other side has room for it.

    A member sends less often only if its watcher already waits for long enough. A watcher waits
    for less only if that suits the interval that the member already uses.
    """
    return watching.tighteners_wait(s, t)


@step_property(claims=(*HEARTBEAT_INTERVAL, "1.preamble"))
def interval_kept(s: Composed, t: Composed) -> Formula:
    """No heartbeat goes out before its time: the interval is what the operator asked for."""
    return watching.sends_in_time(s, t)


@always_reachable(claims=("C1", "C2"))
def envelopes_can_close(s: Composed) -> Formula:
    """Whatever has happened, all changes can end and all timers use what is held."""
    return settled(s)


@terminal
def all_decided(s: Composed) -> Formula:
    """Every change is decided by every member, and all timers use what is held."""
    return settled(s) & forall(
        Node, Change, lambda n, c: one_of(s.phase[n, c], Phase.COMMITTED, Phase.UNDONE)
    )


@witness(claims=("C3",))
def an_interval_not_yet_in_use(s: Composed) -> Formula:
    """A member has applied a new interval and goes on sending as often as before."""
    return watching.applied_not_sent(s)


@witness(claims=("C2",))
def an_envelope_after_an_undo(s: Composed) -> Formula:
    """A watcher has undone the change and still waits for longer than what it holds says."""
    return watching.undone_and_waits(s) & quiescent(s)


@witness(claims=("C3",))
def confirmed_before_the_decision(s: Composed) -> Formula:
    """A heartbeat tells a watcher that the change is decided, before all statuses do."""
    return watching.told_by_heartbeat(s)
