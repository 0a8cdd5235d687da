"""The proof of the composition: what the group change promises, with heartbeats and clocks around.

The composition extends the group change, and so does its proof: the same facts, about more actions.
That the values in use suit each other meanwhile is proved of the heartbeat pair alone.
"""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs.facts import Proof, Role, promised
from samebeat_proofs.group_proof import group_proof
from samebeat_spec.specs import load_spec

_CLOCKS = "it joins both protocols, and so far each of them is proved alone"


def composed_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("composed")
    group = group_proof()
    return replace(
        group,
        spec=spec,
        facts=(*group.facts, *promised(spec, Role.STEP, interval_kept=())),
        left_out=dict.fromkeys(
            ("no_mismatch_window", "no_false_suspicion", "tightener_defers"), _CLOCKS
        ),
        reals=("Ticks", "Misses", "Excess"),
    )
