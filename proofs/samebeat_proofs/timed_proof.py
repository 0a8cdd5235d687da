"""The proof of the heartbeat pair: all real intervals, deadlines, delays and drifts that are SAFE.

Any number of changes one after the other, of losses in a row and of heartbeats on their way. The
rule is claim 19 to the letter where no deadline gets shorter, or an envelope in both directions.
"""

from __future__ import annotations

from dataclasses import replace

from samebeat_proofs import timed_invariants
from samebeat_proofs.facts import Fact, Proof, Role, promised
from samebeat_proofs.timed_model import real_pair
from samebeat_proofs.timed_tight import TIGHT
from samebeat_spec.language import Property

_CHANGES = (
    "nothing_before_asked",
    "acked_is_recorded",
    "first_has_acked",
    "failed_was_asked",
    "one_open_change",
    "pre_image_is_recorded",
)
_WAITING = ("clocks_count_up", "losses_within_bound", "sends_in_time", "silence_is_losses")
_ONLY = {
    "first_uses_recorded": (*_CHANGES, "first_keeps_the_shortest"),
    "acked_is_covered": (*_CHANGES, "beats_say_what_was_asked", "second_uses_recorded"),
    "used_is_covered": (*_CHANGES, "second_uses_recorded", "acked_is_covered", "used_is_older"),
    "silence_is_losses": _WAITING,
    "one_comes_in_time": _WAITING,
    "deadline_not_passed": ("deadline_not_passed",),
    "silence_stays_short": (*_WAITING, "one_comes_in_time", "used_is_longest"),
    "no_false_suspicion": (
        *_CHANGES,
        "second_uses_recorded",
        "used_is_covered",
        "used_is_older",
    ),
}
"""For the facts that cost most, those that they may assume: the others only lead astray."""

_NO_LOSSES = {
    *_CHANGES,
    "beats_say_what_was_asked",
    "first_uses_recorded",
    "first_keeps_the_shortest",
    "second_uses_recorded",
    "acked_is_covered",
    "used_is_covered",
    "used_is_older",
    "no_false_suspicion",
}
_ABOUT_LOSSES = ("losses_take_time", "more_losses_take_longer")
"""What is assumed of losses, and the facts that have nothing to do with it."""


def timed_proof() -> Proof:
    """Return the proof."""
    spec = real_pair()
    own = [x for x in vars(timed_invariants).values() if isinstance(x, Fact)]
    axioms = [x for x in vars(timed_invariants).values() if isinstance(x, Property)]
    inductive = promised(
        spec,
        Role.INDUCTIVE,
        no_false_suspicion=("silence_stays_short",),
        detection_bounded=(),
    )
    implied = promised(
        spec,
        Role.IMPLIED,
        no_mismatch_window=(),
        armed_within_effective=(),
        detection_as_recorded=(),
    )
    steps = promised(spec, Role.STEP, tightener_defers=(), interval_kept=(), stopped_for_good=())
    facts = (*own, *inductive, *implied, *steps, TIGHT)
    return Proof(
        spec,
        tuple(map(_with_few_hypotheses, facts)),
        axioms=tuple(axioms),
        reals=("Ticks",),
        shows="heartbeat",
    )


def _with_few_hypotheses(fact: Fact) -> Fact:
    without = _ABOUT_LOSSES if fact.name in _NO_LOSSES else fact.without
    return replace(fact, only=_ONLY.get(fact.name, ()), without=without)
