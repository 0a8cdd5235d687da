"""The proof of the hardened change with heartbeats: what ``cluster`` promises, with clocks around.

It extends the hardened group change, and so does its proof: the same facts, about more actions. How
long members wait and how often they send is not proved here for any number of members: that each
of them and its watcher are a pair is explored, and the pair is proved (``timed_proof``).
"""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.facts import Proof, Role, promised
from samebeat_spec.specs import load_spec

_A_PAIR = (
    "it is proved of one pair of members (heartbeat), and that each member here and its watcher "
    "are such a pair is explored (watched_pair)"
)
_ONE_VIEW = "crashes and operations that hang do nothing to timers here, so it is explored without"
HINTS = {
    "undo_vote_is_reported.propose": (
        "axiom mechanisms_are_on",
        "fact vote_in_a_view_that_has_begun",
        "fact undo_vote_is_reported",
        "guard v is a new view id",
    ),
}
"""As in the proof of ``cluster``: what is enough where the search is long."""


def timed_cluster_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("timed_cluster")
    hardened = cluster_proof()
    kept = promised(spec, Role.STEP, interval_kept=())
    return replace(
        hardened,
        spec=spec,
        facts=(*hardened.facts, *kept),
        left_out={
            "no_mismatch_window": _A_PAIR,
            "no_false_suspicion": _A_PAIR,
            "interval_of_both": _ONE_VIEW,
            "tightener_defers": _A_PAIR,
        },
        reals=("Ticks", "Misses", "Excess"),
        relational=(*hardened.relational, "watcher"),
        hints={**hardened.hints, **HINTS},
    )
