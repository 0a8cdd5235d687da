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
_TURN_PASSES = (
    "order of Turn",
    "axiom one_move_a_turn",
    "fact orders_are_about_the_second",
    "guard what follows exists (1)",
    "guard choice 1",
)
_HEARD = (
    *_TURN_PASSES,
    "fact answered_was_ordered",
    "guard the second node has said so",
    "guard c is on its way",
    "guard it is about the present turn",
)
_HINTS = {
    "drained_stays_drained.hear_switched": (*_HEARD, "fact drained_stays_drained"),
    "first_holds_new_after_its_turn.hear_switched": (
        *_HEARD,
        "fact first_holds_new_after_its_turn",
    ),
    "open_order_is_the_present_one.finish_draining": (
        *_TURN_PASSES,
        "fact open_order_is_the_present_one",
        "guard it is time to drain",
    ),
    "open_order_is_the_present_one.switch_first": (
        *_TURN_PASSES,
        "fact open_order_is_the_present_one",
        "guard it is the first node's turn",
    ),
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
"""Where two formulas that say "there is" are needed at once, all that is needed."""


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
