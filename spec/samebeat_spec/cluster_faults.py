"""What can go wrong on a member: crashes, operations that hang, undos that fail (notes C5, C7).

How much of it there is, is a part of each model: nobody has to crash.
"""

from __future__ import annotations

from samebeat_spec.cluster import (
    Cluster,
    Crash,
    View,
    alive,
    all_in_home,
    is_open,
    is_to_be_undone,
)
from samebeat_spec.group import MODIFY, STATUS, UNDO, Change, Epoch, Message, Node, Phase
from samebeat_spec.language import (
    action,
    every,
    following,
    guard,
    ite,
)


def restart(s: Cluster, n: Node) -> None:
    """Record that `n` stops, and what it has in memory only is gone."""
    s.up[n] = False
    s.running[n, every] = False
    s.late[n] = False


@action(claims=("C5",))
def crash(s: Cluster, n: Node, k: Crash) -> None:
    """`n` crashes; its journal is intact, and the value that it will use again is in there."""
    guard(k == following(s.crashes), "not every crash has happened", limit="environment")

    s.value[n] = ite(s.late[n], s.pre_image[n], s.value[n])
    restart(s, n)
    s.forgetful[n] = s.forgetful[n] | ~s.journals_promises
    s.crashes = k


@action(claims=("C5",))
def crash_before_journaling(s: Cluster, n: Node, k: Crash, c: Change) -> None:
    """`n` crashes after it has applied, and before that is in its journal: it has not, then."""
    guard(alive(s, n), "n is alive")
    guard(k == following(s.crashes), "not every crash has happened", limit="environment")
    guard(~s.sent[n, c, Message.OK] | ~s.journals_first, "what n has said is in its journal")
    guard((s.phase[n, c] == Phase.APPLIED) & is_open(s, n, c), "n has applied c")

    restart(s, n)
    s.phase[n, c] = Phase.ACKED
    s.value[n] = s.pre_image[n]
    s.crashes = k


@action(claims=("C5",))
def lose_journal(s: Cluster, n: Node, k: Crash) -> None:
    """`n` crashes, and its journal is lost: it remembers nothing that it has said."""
    guard(alive(s, n), "n is alive")
    guard(k == following(s.crashes), "not every crash has happened", limit="environment")
    guard(s.may_lose_journal, "journals can be lost", limit="environment")

    restart(s, n)
    s.forgetful[n] = True
    s.quarantined[n] = s.replaces_blank
    s.phase[n, every] = Phase.IDLE
    s.value[n] = s.start_value
    s.pre_image[n] = s.start_value
    s.epoch[n] = Epoch.first
    s.view[n] = View.first
    s.crashes = k


@action(claims=("C5",))
def recover(s: Cluster, n: Node) -> None:
    """`n` comes back, with what is in its journal."""
    guard(s.recovers, "who has crashed may come back", limit="environment")

    s.up[n] = True


@action(claims=(*MODIFY, *STATUS, "C7"))
def hang(s: Cluster, n: Node, c: Change) -> None:
    """The local operation of `n` hangs: a watchdog gives it up, which is a failed status."""
    guard(alive(s, n), "n is alive")
    guard(s.may_hang, "operations may hang", limit="environment")
    guard((s.phase[n, c] == Phase.ACKED) & is_open(s, n, c), "n has acked c and not applied it")
    guard(all_in_home(s, c, Message.ACK), "every member has acked")

    s.phase[n, c] = Phase.UNDONE
    s.sent[n, c, Message.FAILURE] = True
    s.running[n, c] = True


@action(claims=("C7",))
def finish_late(s: Cluster, n: Node, c: Change) -> None:
    """The operation of `n` that was given up succeeds after all."""
    guard(s.running[n, c], "the operation runs")

    s.value[n] = s.asked[c]
    s.running[n, c] = False
    s.late[n] = True


@action(claims=("C7",))
def fail_late(s: Cluster, n: Node, c: Change) -> None:
    """The operation of `n` that was given up fails after all, and changes nothing."""
    guard(s.running[n, c], "the operation runs", limit="environment")

    s.running[n, c] = False


@action(claims=("C7",))
def undo_late(s: Cluster, n: Node) -> None:
    """`n` undoes what has succeeded too late."""
    guard(s.late[n], "an operation has succeeded too late")

    s.value[n] = s.pre_image[n]
    s.late[n] = False


@action(claims=(*UNDO, "C7"))
def fail_to_undo(s: Cluster, n: Node, c: Change) -> None:
    """`n` cannot restore the pre-image: it takes itself out, for good, and says why."""
    guard(alive(s, n), "n is alive")
    guard(s.undo_may_fail, "undos may fail", limit="environment")
    guard(
        (s.phase[n, c] == Phase.APPLIED) & is_open(s, n, c) & is_to_be_undone(s, n, c),
        "n has to undo c",
    )

    s.phase[n, c] = Phase.UNDONE
    s.quarantined[n] = s.quarantines
