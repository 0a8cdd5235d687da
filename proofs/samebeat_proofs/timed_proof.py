"""The proof of the heartbeat pair: all real intervals, deadlines, delays and drifts that are SAFE.

Any number of changes one after the other, of losses in a row and of heartbeats on their way. The
rule is claim 19 to the letter where no deadline gets shorter, or an envelope in both directions.
"""

from __future__ import annotations

from samebeat_proofs import timed_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.timed_model import real_pair
from samebeat_proofs.timed_tight import TIGHT
from samebeat_spec.language import Property


def timed_proof() -> Proof:
    """Return the proof."""
    spec = real_pair()
    own = [x for x in vars(timed_invariants).values() if isinstance(x, Fact)]
    axioms = [x for x in vars(timed_invariants).values() if isinstance(x, Property)]
    inductive = promised(spec, Role.INDUCTIVE, no_false_suspicion=(), detection_bounded=())
    implied = promised(
        spec,
        Role.IMPLIED,
        no_mismatch_window=(),
        armed_within_effective=(),
        detection_as_recorded=(),
    )
    steps = promised(spec, Role.STEP, tightener_defers=(), interval_kept=())
    return Proof(
        spec,
        (*own, *inductive, *implied, *steps, TIGHT),
        axioms=tuple(axioms),
        reals=("Ticks",),
        shows="heartbeat",
    )
