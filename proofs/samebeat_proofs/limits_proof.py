"""The proof of changes of limits: any number of changes, turns and limits, and all real levels.

The orders of turns are assumed to be as the registry derives them (``limits_orders``).
"""

from __future__ import annotations

from samebeat_proofs import limits_invariants, limits_orders
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_spec.language import Property
from samebeat_spec.specs import load_spec

_AT_THE_END = (
    "order of Turn",
    "axiom no_turn_is_empty",
    "axiom every_limit_has_its_turns",
    "fact leads_to_a_later_change",
    "guard every turn is done",
)
_HINTS = {
    "first_holds_what_was_made.finish": (
        *_AT_THE_END,
        "fact first_holds_old_or_new",
        "fact first_holds_new_after_its_turn",
    ),
    "second_holds_what_was_made.finish": (
        *_AT_THE_END,
        "fact passed_turns_are_switched",
        "fact second_holds_old_or_new",
        "fact second_holds_new_once_it_says_so",
    ),
    "under_way_is_within.finish": (
        *_AT_THE_END,
        "fact first_holds_old_or_new",
        "fact first_holds_new_after_its_turn",
        "fact drained_stays_drained",
        "fact under_way_is_within",
    ),
}
"""Where two axioms that say "there is" are needed at once, all that is."""


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
        hints=_HINTS,
    )
