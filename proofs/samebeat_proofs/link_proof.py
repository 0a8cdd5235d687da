"""The proof of a channel: any number of messages, fragments, sizes and windows."""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs import link_invariants, stream_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.stream_invariants import (
    every_message_has_a_fragment,
    more_is_more,
    one_message_fits,
)
from samebeat_spec.specs import load_spec


def link_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("link")
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        at_most_once=(),
        never_silently_lost=(),
        nothing_but_pieces=(),
        in_flight_fits=(),
        no_receiver_drop=(),
        held_fit=(),
        queued_fit=(),
    )
    inductive = _with_only(inductive, at_most_once=("forgotten_is_gone", "said_is_true"))
    parts = (stream_invariants, link_invariants)
    strengthening = [x for part in parts for x in vars(part).values() if isinstance(x, Fact)]
    steps = promised(
        spec,
        Role.STEP,
        in_order=(),
        outcome_stable=(),
        queue_never_purged=(),
        turned_down_when_full=(),
    )
    delivery = ("forgotten_is_gone", "said_is_true", "known_in_order")
    steps = _with_only(steps, in_order=delivery)
    axioms = (every_message_has_a_fragment, one_message_fits, more_is_more)
    return Proof(spec, (*inductive, *strengthening, *steps), axioms)


def _with_only(facts: tuple[Fact, ...], **only: tuple[str, ...]) -> tuple[Fact, ...]:
    """Return the facts; some may assume only what is named, so that the solver goes not astray."""
    return tuple(replace(f, only=only.get(f.name, f.only)) for f in facts)
