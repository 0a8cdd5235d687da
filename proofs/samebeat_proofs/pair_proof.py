"""The proof of the heartbeat pair: any number of changes, parameters and values."""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs import pair_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.pair_invariants import messages_name_the_change, two_nodes
from samebeat_spec.specs import load_spec


def pair_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("pair")
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        one_open_change=(),
        local_waits_for_nobody=(),
        set_means_modified=(),
        clear_means_not_modified=(),
    )
    values = promised(spec, Role.INDUCTIVE, value_known=())
    known = tuple(replace(f, only=("received_was_asked", "heartbeat_means_asked")) for f in values)
    own = tuple(x for x in vars(pair_invariants).values() if isinstance(x, Fact))
    implied = promised(
        spec,
        Role.IMPLIED,
        no_foreign_message=(),
        announced_before_modified=(),
        tightener_defers=(),
        all_or_nothing=(),
    )
    steps = promised(
        spec,
        Role.STEP,
        indicator_set_before_heartbeat=(),
        decision_stable=(),
        kept_until_replaced=(),
    )
    return Proof(
        spec,
        (*inductive, *known, *own, *implied, *steps),
        axioms=(two_nodes, messages_name_the_change),
    )
