"""What would happen with these very numbers: which harm is played, and of which values."""

from __future__ import annotations

from collections.abc import Iterable

from samebeat_models.advice.ack_harm import ACKS_NOW, ACKS_WANT, IN_TIME, TOLERATED, ack_harm
from samebeat_models.advice.heartbeat_harm import (
    LITERAL,
    NO_ORDER,
    NOW,
    WANT,
    Meeting,
    heartbeat_harm,
)
from samebeat_models.advice.judgement import Advice, Deferral, Judged, Order
from samebeat_models.advice.run import Case, Harm
from samebeat_spec.parameters import SAFE


def harms(advice: Advice) -> dict[str, Harm]:
    """Return what harm is done, by the name of the case; only cases that are unsafe."""
    found: dict[str, Harm] = {}
    if not all(j.holds for j in advice.present):
        found[NOW.name] = _of_values(advice, NOW, ACKS_NOW, advice.present)
    if not advice.safe:
        found[WANT.name] = _of_values(advice, WANT, ACKS_WANT, advice.new)
    elif NOW.name not in found:
        if not advice.literal.safe:
            found[LITERAL.name] = _of_order(advice, LITERAL, advice.literal)
        elif not advice.no_order.safe:
            found[NO_ORDER.name] = _of_order(advice, NO_ORDER, advice.no_order)
    return found


def _of_values(advice: Advice, beats: Meeting, acks: Case, judged: Iterable[Judged]) -> Harm:
    """Return the run that breaks what is broken most, of what can be played; or why none is."""
    broken = sorted((j for j in judged if not j.holds), key=lambda j: j.tightness)
    refused: list[Harm] = []
    for j in broken:
        if j.constraint is SAFE:
            refused.append(heartbeat_harm(advice, beats))
        elif j.constraint in (IN_TIME, TOLERATED):
            refused.append(ack_harm(advice, acks, j.constraint))
        if refused and refused[-1].trace is not None:
            return refused[-1]
    return refused[0] if refused else _untimed(beats, broken)


def _of_order(advice: Advice, case: Meeting, order: Order) -> Harm:
    worst = order.worst
    if advice.deferral is Deferral.LOCAL:
        return _untimed(
            Case(case.name, "a switch that waits for nothing"), [worst] if worst else []
        )
    if worst is not None and worst.constraint is SAFE:
        return heartbeat_harm(advice, case)
    return _untimed(case, [] if worst is None else [worst])


def _untimed(case: Case, broken: Iterable[Judged]) -> Harm:
    names = ", ".join(j.constraint.name for j in broken) or "this"
    return Harm(case, reason=f"there is no timed model of {names} here")
