"""A change of the heartbeat pair that fails, and how both nodes go back (note C2).

A change fails at the second, or at another member of the group that changes with the pair. The
first never records it then. The second may still do so, as long as it has not learnt of the
failure, and goes back to its pre-image once it has.

An undo is a change in the other direction. So it goes through the envelope too: the second's
timer keeps the longest deadline until a heartbeat states what it has gone back to.

News of a failure may take any time, also where acks take none. Where the first leads
(``first_leads``) it has recorded a change from the start, and such a change cannot fail.
"""

from __future__ import annotations

from samebeat_spec.heartbeat import (
    FIRST,
    SECOND,
    Change,
    TimedPair,
    rearm_first,
    rearm_second,
    widens,
)
from samebeat_spec.language import action, guard, ite


@action(claims=("C2",))
def fail(s: TimedPair) -> None:
    """The change asked for last fails, at the second or at another member."""
    guard(s.may_fail, "changes may fail")
    guard(s.recorded[FIRST] < s.asked, "the first has not recorded it")

    s.failed[s.asked] = True


@action(claims=("C2",))
def withdraw(s: TimedPair) -> None:
    """The first learns of the failure, and sends again as it has recorded."""
    guard(s.alive, "the first has not stopped")
    guard(s.failed[s.asked], "what was asked for last has failed")

    rearm_first(s, s.recorded[FIRST])


@action(claims=("C2", "3.combinations"))
def restore(s: TimedPair, c: Change) -> None:
    """The second learns that `c` has failed, and goes back to its pre-image if it has modified.

    Without an envelope its deadline follows at once.
    """
    guard(s.failed[c], "c has failed")

    modified = s.recorded[SECOND] == c
    rearm_second(s, ite(modified & ~widens(s), s.pre_image, s.effective[SECOND]))
    s.recorded[SECOND] = ite(modified, s.pre_image, s.recorded[SECOND])
    s.answered = ite(s.answered < c, c, s.answered)
