"""The proof of changes of limits: any number of changes, turns and limits, and all real levels.

The orders of turns are assumed to be as the registry derives them (``limits_orders``).
"""

from __future__ import annotations

from samebeat_proofs import limits_invariants, limits_orders
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_spec.language import Property
from samebeat_spec.specs import load_spec


def limits_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("limits")
    own = [x for x in vars(limits_invariants).values() if isinstance(x, Fact)]
    axioms = [x for x in vars(limits_orders).values() if isinstance(x, Property)]
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        new_traffic_fits=("orders_are_about_the_second",),
        in_flight_fits=(),
        unacked_fit=(),
        at_most_once=(),
        retried_before_given_up=(),
    )
    implied = promised(spec, Role.IMPLIED, all_or_nothing=(), undo_restores_pre_image=())
    steps = promised(spec, Role.STEP, queue_never_purged=())
    return Proof(
        spec,
        (*own, *inductive, *implied, *steps),
        axioms=tuple(axioms),
        reals=("Level",),
    )
