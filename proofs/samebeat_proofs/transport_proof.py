"""The proof of the message layer: any number of members, messages, fragments, sizes and windows.

Of numbers of messages only the order is used, and which rows of messages they cover: what is
assumed of that are three axioms, which counting satisfies.
"""

from __future__ import annotations

from samebeat_proofs import stream_invariants, transport_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.stream_invariants import (
    every_message_has_a_fragment,
    more_is_more,
    one_message_fits,
)
from samebeat_spec.specs import load_spec


def transport_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("transport")
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        at_most_once=(),
        never_silently_lost=(),
        new_traffic_fits=(),
        in_flight_fits=(),
        queued_fit=(),
        unacked_fit=(),
        no_receiver_drop=(),
    )
    parts = (stream_invariants, transport_invariants)
    strengthening = [x for part in parts for x in vars(part).values() if isinstance(x, Fact)]
    steps = promised(
        spec,
        Role.STEP,
        in_order=(),
        delivered_whole=(),
        outcome_stable=(),
        queue_never_purged=(),
        turned_down_when_full=(),
    )
    axioms = (every_message_has_a_fragment, one_message_fits, more_is_more)
    return Proof(spec, (*inductive, *strengthening, *steps), axioms)
