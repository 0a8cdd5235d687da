"""The proof of the composition: any number of members and changes, and all real times.

The composition extends the group change, and so does its proof: the same facts, about more actions.
What comes beside them is about deadlines. That no deadline passes is proved of one pair of members
(``timed_proof``), and that each pair here is one is a refinement that the explorer checks.
"""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs import composed_invariants
from samebeat_proofs.composed_invariants import (
    losses_are_tabled,
    timers_use_the_envelope,
    values_are_safe,
)
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.solver import RLIMIT
from samebeat_spec.specs import load_spec

_A_PAIR = (
    "it is proved of one pair of members (heartbeat), and that each member here and its watcher "
    "are such a pair is explored (watched_pair)"
)


def composed_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("composed")
    group = group_proof()
    own = tuple(x for x in vars(composed_invariants).values() if isinstance(x, Fact))
    window = promised(spec, Role.IMPLIED, no_mismatch_window=("waits_for_what_is_sent",))
    kept = promised(spec, Role.STEP, interval_kept=())
    defers = replace(
        *promised(spec, Role.STEP, tightener_defers=("ready_to_commit", "confirmed_is_sent")),
        only=(
            "one_open_change",
            "no_foreign_message",
            "applied_value",
            "holds_pre_image_until_applied",
            "heartbeats_state_reached_epochs",
            "waits_for_what_it_holds",
        ),
        total=("watcher",),
    )
    return replace(
        group,
        spec=spec,
        facts=(*group.facts, *own, *window, *kept, defers),
        axioms=(values_are_safe, losses_are_tabled, timers_use_the_envelope),
        left_out={"no_false_suspicion": _A_PAIR},
        reals=("Ticks", "Misses", "Excess"),
        relational=("watcher",),
        rlimit=4 * RLIMIT,
    )
