"""The report for programs; its shape is stable and the same for every command."""

from __future__ import annotations

import json
from typing import Any

from samebeat_cli.assurance import Rung
from samebeat_cli.reports import Outcome
from samebeat_models.render import trace_data
from samebeat_models.results import Row, Verdict
from samebeat_models.version import samebeat_version

_NO_PROMISE = ("pins", "witness", "deadlock")


def render(outcome: Outcome) -> str:
    """Return an outcome as JSON."""
    return json.dumps(data(outcome), indent=2, ensure_ascii=False) + "\n"


def data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data."""
    report = outcome.report
    found = {
        "tool": "samebeat",
        "version": samebeat_version(),
        "exit_code": int(report.exit_code),
        "exhaustive": report.exhaustive,
        "incomplete_reason": report.incomplete_reason,
        "results": [_result(outcome, row) for row in report.rows],
    }
    if outcome.beside is not None:
        from samebeat_cli.reports.side_by_side import data as side_by_side

        found["side_by_side"] = side_by_side(outcome, outcome.beside)
    if outcome.figures is not None:
        from samebeat_cli.reports.figures import data as figures

        found["figures"] = figures(outcome)
    if outcome.simulations is not None:
        from samebeat_cli.reports.simulations import data as simulations

        found["simulations"] = simulations(outcome)
    if outcome.campaign is not None:
        from samebeat_cli.reports.campaigns import data as campaign

        found["campaign"] = campaign(outcome.campaign)
    return found


def _rung(row: Row) -> str | None:
    """The rung of the ladder of assurance that this line shows; null if it shows no promise.

    ``holds`` is said of all reachable states only; what a budget ended has been searched so far.
    """
    if row.kind in _NO_PROMISE or row.verdict is Verdict.VIOLATED:
        return None
    if row.verdict is Verdict.HOLDS:
        return None if row.vacuous else Rung.EXHAUSTIVE.value
    return Rung.SEARCHED.value if row.states else None


def _result(outcome: Outcome, row: Row) -> dict[str, Any]:
    violated = row.trace is not None and row.verdict is Verdict.VIOLATED
    return {
        "model": row.model,
        "property": row.property,
        "kind": row.kind,
        "claims": list(row.claims),
        "verdict": str(row.verdict),
        "expected": str(row.expected),
        "as_expected": row.as_expected,
        "rung": _rung(row),
        "vacuous": row.vacuous,
        "states": row.states,
        "transitions": row.transitions,
        "depth": row.depth,
        "seconds": round(row.seconds, 6),
        "exit_code": int(row.exit),
        "detail": row.detail,
        "notes": list(row.notes),
        "trace": trace_data(row.trace, outcome.tick_ms(row)) if violated and row.trace else None,
        "loop": row.trace.loop if violated and row.trace else None,
        "trace_file": outcome.trace_files.get((row.model, row.property)),
    }
