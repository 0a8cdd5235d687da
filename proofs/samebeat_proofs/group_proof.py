"""The proof of the group change as claimed: any number of members, changes, values and epochs."""

from __future__ import annotations

from samebeat_proofs import group_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_spec.specs import load_spec


def group_proof() -> Proof:
    """Return the proof."""
    spec = load_spec("group")
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        no_foreign_message=("nothing_heard_without_open",),
        one_open_change=(),
        apply_after_full_receipt=(),
        status_once=(),
        commit_needs_all_ok=(),
        one_commit_per_base_epoch=(),
    )
    strengthening = [x for x in vars(group_invariants).values() if isinstance(x, Fact)]
    own = [x for x in strengthening if x.role is Role.INDUCTIVE]
    lemmas = [x for x in strengthening if x.role is Role.IMPLIED]
    implied = promised(
        spec,
        Role.IMPLIED,
        failure_excludes_commit=(),
        agreement=("undo_has_culprit",),
        busy_needs_rival=(),
        value_known=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
        undo_restores_pre_image=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
        kept_until_replaced=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
    )
    at_rest = promised(
        spec,
        Role.IMPLIED,
        all_or_nothing=("epoch_has_commit", "value_at_the_start", "value_of_last_commit"),
    )
    steps = promised(spec, Role.STEP, decision_stable=(), epoch_monotone=())
    return Proof(spec, (*inductive, *own, *implied, *lemmas, *at_rest, *steps))
