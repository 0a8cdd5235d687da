"""JUnit XML: a test suite for each model, a test case for each property."""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree as ET

from samebeat_cli.reports import Outcome, verdict_words
from samebeat_models.results import Row, Verdict

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(outcome: Outcome) -> str:
    """Return an outcome as a JUnit file; an expected violation passes, undetermined is an error."""
    top = ET.Element("testsuites", name="samebeat", time=f"{outcome.seconds:.3f}")
    for model, group in groupby(outcome.report.rows, key=lambda row: row.model):
        rows = list(group)
        suite = ET.SubElement(top, "testsuite", name=model, time=f"{rows[0].seconds:.3f}")
        for i, row in enumerate(rows):
            _case(suite, outcome, row, row.seconds if i == 0 else 0.0)
        suite.set("tests", str(len(rows)))
        for kind in ("failure", "error"):
            suite.set(f"{kind}s", str(len(suite.findall(f"testcase/{kind}"))))
    for counter in ("tests", "failures", "errors"):
        top.set(counter, str(sum(int(suite.get(counter, "0")) for suite in top)))
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, "unicode") + "\n"


def _case(suite: ET.Element, outcome: Outcome, row: Row, seconds: float) -> None:
    """Add one test case; a model's time counts once, in its first case."""
    case = ET.SubElement(
        suite, "testcase", classname=row.model, name=row.property, time=f"{seconds:.3f}"
    )
    story = "\n".join(outcome.story(row))
    if row.as_expected:
        if row.verdict is Verdict.VIOLATED:
            ET.SubElement(case, "system-out").text = _clean(f"{verdict_words(row)}\n{story}")
        return
    kind = "error" if row.verdict is Verdict.UNDETERMINED else "failure"
    problem = ET.SubElement(
        case, kind, type=f"exit {int(row.exit)}", message=_clean(outcome.headline(row))
    )
    problem.text = _clean("\n".join(part for part in (outcome.promise(row), story) if part))


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _NOT_XML.sub("", text)
