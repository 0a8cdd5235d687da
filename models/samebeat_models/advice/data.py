"""Advice for programs: keys that stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samebeat_models.advice.basis import basis
from samebeat_models.advice.basis import data as of_basis
from samebeat_models.advice.judgement import Advice, Judged, Order, keeps_itself, unit_of
from samebeat_models.advice.numbers import for_json
from samebeat_models.advice.run import Harm
from samebeat_models.advice.words import headline, inequality
from samebeat_models.render import trace_data
from samebeat_models.results import Exit
from samebeat_spec.parameters import Number


def exit_code(advice: Advice) -> Exit:
    """Return the exit code of an answer."""
    return Exit.OK if advice.safe else Exit.SAFETY


def data(advice: Advice, harms: Mapping[str, Harm]) -> dict[str, Any]:
    """Return the advice for JSON; numbers are in the units of the registry."""
    want = {name: _number(x) for name, x in advice.wish.want.items()}
    shown = harms.get("want") or harms.get("now")
    return {
        "safe": advice.safe,
        "verdict": advice.verdict.value,
        "answer": headline(advice),
        "now": {name: for_json(x) for name, x in advice.now.items()},
        "want": want,
        "network": {name: for_json(x) for name, x in vars(advice.assumptions).items()},
        "heartbeats_without_ack": advice.assumptions.unacked,
        "now_safe": all(j.holds for j in advice.present),
        "decides": _judged(advice.decides),
        "constraints": [
            _judged(j) for at in (advice.present, *advice.on_the_way, advice.new) for j in at
        ],
        "broken_beside": [_judged(j) for j in advice.broken_beside],
        "order": [
            {
                "move": s.move.name.lower(),
                "names": list(s.names),
                "says": s.move.value,
                "once": advice.trigger(i),
                "recounts": advice.recounts(i),
            }
            for i, s in enumerate(advice.stages)
        ],
        "deferral": advice.deferral.value,
        "envelope": advice.envelope_helps,
        "literal": _order(advice.literal, harms.get("literal")),
        "no_order": _order(advice.no_order, harms.get("no-order")),
        "nearest": (
            {} if advice.safe else {name: _number(x) for name, x in advice.nearest.items()}
        ),
        **_harm(shown),
        "rests_on": [of_basis(b) for b in basis(advice)],
        "exit": int(exit_code(advice)),
    }


def _number(x: Number | None) -> int | float | None:
    return None if x is None else for_json(x)


def _judged(j: Judged) -> dict[str, Any]:
    return {
        "name": j.constraint.name,
        "at": j.at,
        "large": for_json(j.large),
        "small": for_json(j.small),
        "margin": for_json(j.margin),
        "unit": unit_of(j.constraint),
        "holds": j.holds,
        "why": j.constraint.why,
        "inequality": inequality(j),
        "kept_by_order": keeps_itself(j.constraint),
    }


def _order(order: Order, harm: Harm | None) -> dict[str, Any]:
    worst = order.worst
    return {
        "safe": order.safe,
        "constraint": None if worst is None else _judged(worst),
        **_harm(harm),
    }


def _harm(harm: Harm | None) -> dict[str, Any]:
    """Return a trace with its scale, and why there is none where one was asked for."""
    trace = harm.trace if harm else None
    return {
        "trace": trace_data(trace, harm.tick_ms) if harm and trace else None,
        "tick_ms": for_json(harm.tick_ms) if harm and trace else None,
        "chosen": {n: for_json(x) for n, x in harm.chosen.items()} if harm else {},
        "rounded": list(harm.rounded) if harm else [],
        "no_trace": (harm.reason or None) if harm else None,
    }
