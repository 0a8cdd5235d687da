"""SARIF 2.1.0: a rule for each property, a result for each row that is not as expected."""

from __future__ import annotations

import json
from typing import Any

from samebeat_cli.reports import Outcome
from samebeat_cli.reports.places import place_of
from samebeat_models.render import changes, step_label
from samebeat_models.results import Row, Trace, Verdict
from samebeat_models.times import duration, has_time, step_times
from samebeat_models.version import samebeat_version

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(outcome: Outcome) -> str:
    """Return an outcome as a SARIF log."""
    rules: dict[str, dict[str, Any]] = {}
    for row in outcome.report.rows:
        rules.setdefault(row.property, _rule(outcome, row))
    index = {name: i for i, name in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "samebeat",
                "version": samebeat_version(),
                "rules": list(rules.values()),
            }
        },
        "invocations": [
            {
                "executionSuccessful": outcome.report.exhaustive,
                "exitCode": int(outcome.report.exit_code),
            }
        ],
        "results": [_result(outcome, row, index[row.property]) for row in outcome.unexpected],
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(outcome: Outcome, row: Row) -> dict[str, Any]:
    said = " ".join(outcome.promise(row).split()) or row.property.replace("_", " ")
    return {
        "id": row.property,
        "shortDescription": {"text": said},
        "properties": {"kind": row.kind, "claims": list(row.claims)},
    }


def _result(outcome: Outcome, row: Row, rule: int) -> dict[str, Any]:
    selected = outcome.models[row.model]
    result: dict[str, Any] = {
        "ruleId": row.property,
        "ruleIndex": rule,
        "level": "warning" if row.verdict is Verdict.UNDETERMINED else "error",
        "message": {"text": outcome.headline(row)},
        "locations": [_location(*place_of(selected, row.property))],
        "partialFingerprints": {"modelAndProperty/v1": f"{row.model}/{row.property}"},
    }
    if row.trace is not None and row.trace.steps:
        steps = _steps(outcome, row, row.trace)
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _steps(outcome: Outcome, row: Row, trace: Trace) -> list[dict[str, Any]]:
    """Return the trace as a code flow: each step at the action that took it, with its time."""
    selected, states, found = outcome.models[row.model], trace.states, []
    times, tick_ms = step_times(trace), outcome.tick_ms(row)
    for i, step in enumerate(trace.steps):
        what = step_label(trace.instance, step.action, step.arguments)
        when = f"{duration(times[i + 1], tick_ms)}: " if has_time(selected.spec) else ""
        changed = ", ".join(map(str, changes(trace.instance, states[i], step.state, tick_ms)))
        location = _location(*place_of(selected, step.action))
        location["message"] = {"text": f"{when}{what}: {changed or 'nothing changes'}"}
        found.append({"location": location, "executionOrder": i + 1})
    return found


def _location(file: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": file},
            "region": {"startLine": line},
        }
    }
