"""Reports: the same run for people, for programs and for the services that read CI results."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from samebeat_cli.loader import load_file
from samebeat_cli.output import WIDE
from samebeat_cli.reports import Format, Outcome, render
from samebeat_cli.selection import Selected
from samebeat_models.catalog import load_catalog
from samebeat_models.results import Exit, Report, Row, Step, Trace, Verdict
from samebeat_spec.specs import SPEC_NAMES, load_spec

Result = Callable[..., Row]
VIOLATED, HOLDS = Verdict.VIOLATED, Verdict.HOLDS


@pytest.fixture
def outcome(room: Path, result: Result) -> Outcome:
    """Two models: one as expected with a control's violation, one with every kind of trouble."""
    models, specs = load_file(room)
    selected = {m.name: Selected(m, specs["room"], "room.py") for m in models}
    instance = selected["room-open"].instance()
    out, inside = (0, 0, 0), (1, 0, 1)
    steps = (Step("enter", (0,), inside), Step("enter", (1,), (1, 1, 1)))
    trace = Trace(instance, out, steps)
    rows = (
        result(),
        result("somebody", kind="witness", claims=()),
        result("alone", VIOLATED, model="room-open", trace=trace, depth=2),
        result("alone", VIOLATED, Exit.SAFETY, trace, model="room-late", depth=2),
        result("deadlock_free", VIOLATED, Exit.DEADLOCK, model="room-late", detail="at <c1> & co"),
        result("somebody", Verdict.UNDETERMINED, Exit.UNDETERMINED, model="room-late"),
    )
    selected["room-late"] = selected["room-open"]
    return Outcome(Report(rows, "room-late: the budget of 1 s"), selected, 1.5)


def test_text_shows_a_models_name_and_states_once(outcome: Outcome) -> None:
    table = render(Format.TEXT, outcome).split("room-late: ")[0]
    assert table.count("room-open") == 1
    assert table.count("1,234") == 3
    assert "violated, as expected" in table


def test_what_holds_for_want_of_a_case_says_so(outcome: Outcome, result: Result) -> None:
    rows = (result(), result("somewhere", vacuous=True))
    shown = Outcome(Report(rows, ""), outcome.models)
    for form in (Format.TEXT, Format.MARKDOWN):
        said = [line for line in render(form, shown).splitlines() if "holds" in line]
        assert ["holds, no case" in line for line in said] == [False, True]
    results = json.loads(render(Format.JSON, shown))["results"]
    assert [(r["verdict"], r["vacuous"]) for r in results] == [("holds", False), ("holds", True)]


def test_text_explains_what_is_not_as_expected_with_its_trace(outcome: Outcome) -> None:
    text = render(Format.TEXT, outcome)
    assert "violated (expected: holds)" in text
    story = text[text.index("room-late: alone is violated") :]
    assert story.splitlines()[1:5] == [
        "  At most one client is inside. (claims 1(f))",
        "  0      initially  where[every] = OUT",
        "  1  c1  enter      where[c1]: OUT -> IN",
        "                    taken: false -> true",
    ]
    assert "room-late: deadlock_free is violated: at <c1> & co" in text


def test_text_ends_with_the_counts_and_what_the_exit_code_means(outcome: Outcome) -> None:
    lines = render(Format.TEXT, outcome).splitlines()
    assert lines[-2] == "Not exhaustive: room-late: the budget of 1 s"
    assert lines[-1] == (
        "3 models, 6 results, 3 as expected (1 violation among them), 2 not, "
        "1 undetermined in 1.50 s; exit 12: a safety property is violated"
    )


def test_text_fits_a_log_where_there_is_no_terminal(outcome: Outcome) -> None:
    table = render(Format.TEXT, outcome).split("room-late: ")[0]
    assert max(map(len, table.splitlines())) <= 140


LONG = "second-envelope-of-three-changes-that-settle"


def table(rows: list[Row], width: int = WIDE) -> list[str]:
    """Return the lines of the table that a terminal of this width gets."""
    from rich.console import Console

    from samebeat_cli.reports.text import show

    console = Console(file=StringIO(), width=width)
    show(Outcome(Report(tuple(rows)), {}), console)
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()[:-1]
    assert max(map(len, lines)) <= width
    return [line.rstrip() for line in lines if line.strip(" ─")]


def test_one_witness_is_one_witness(result: Result) -> None:
    def lines(count: int) -> str:
        witnesses = [result(f"w{i}", kind="witness") for i in range(count)]
        return "\n".join(table([result(), *witnesses, result("as_pinned", kind="pins")]))

    assert " 1 witness  " in lines(1)
    assert " 2 witnesses  " in lines(2)


def test_claims_are_counted_where_they_have_no_room(result: Result) -> None:
    claims = ("3.heartbeat_interval", "3.heartbeat_timeout", "3.misses")
    rows = [result(claims=claims), result(claims=("1(f)", "2", "3")), result(claims=())]

    def shown(width: int) -> list[str]:
        lines = table(rows, width)
        begin, end = lines[0].find("claims"), lines[0].index("property")
        return [line[begin:end].strip() for line in lines[1:]] if begin >= 0 else []

    assert shown(140) == ["3.heartbeat_interval, +2", "1(f), 2, +1", ""]
    assert shown(75) == ["3 claims", "1(f), +2", ""]
    assert shown(55) == []


def test_a_name_is_broken_after_hyphens_and_only_where_it_must_be(result: Result) -> None:
    def names(name: str, width: int) -> list[str]:
        return [line.split("  ")[0].strip() for line in table([result(model=name)], width)[1:]]

    assert names(LONG, 140) == names(LONG, 100) == [LONG]
    assert names(LONG, 60) == ["second-", "envelope-of-", "three-", "changes-", "that-settle"]
    assert "".join(names("x" * 50, 60)) == "x" * 50


@pytest.mark.slow
def test_the_names_of_the_catalog_are_whole_where_there_is_no_terminal(result: Result) -> None:
    models = load_catalog()
    longest = max((p.name for s in SPEC_NAMES for p in load_spec(s).properties), key=len)
    rows = [result(longest, HOLDS, Exit.SAFETY, model=m.name, states=m.states or 1) for m in models]
    shown = [line.split()[0] for line in table(rows)[1 : len(models) + 1]]
    assert shown == [m.name for m in models]


def test_json_has_the_documented_shape(outcome: Outcome) -> None:
    found = json.loads(render(Format.JSON, outcome))
    assert list(found) == [
        "tool",
        "version",
        "exit_code",
        "exhaustive",
        "incomplete_reason",
        "results",
    ]
    assert found["tool"] == "samebeat"
    assert (found["exit_code"], found["exhaustive"]) == (12, False)
    first = found["results"][0]
    assert {name: first[name] for name in list(first)[:6]} == {
        "model": "room",
        "property": "alone",
        "kind": "invariant",
        "claims": ["1(f)"],
        "verdict": "holds",
        "expected": "holds",
    }
    assert (first["states"], first["transitions"], first["depth"]) == (1234, 5678, 9)
    assert first["seconds"] == 0.25


def test_json_gives_a_violation_its_steps(outcome: Outcome) -> None:
    results = json.loads(render(Format.JSON, outcome))["results"]
    assert [r["trace"] is not None for r in results] == [False, False, True, True, False, False]
    assert results[2]["trace"][0] == {
        "step": 1,
        "action": "enter",
        "arguments": {"c": "c1"},
        "actor": "c1",
        "changes": [
            {"cell": "where[c1]", "old": "OUT", "new": "IN"},
            {"cell": "taken", "old": "false", "new": "true"},
        ],
    }


def test_junit_passes_expected_violations_and_never_the_undetermined(outcome: Outcome) -> None:
    top = ET.fromstring(render(Format.JUNIT, outcome))
    counts = {s.get("name"): (s.get("tests"), s.get("failures"), s.get("errors")) for s in top}
    assert counts == {
        "room": ("2", "0", "0"),
        "room-open": ("1", "0", "0"),
        "room-late": ("3", "2", "1"),
    }
    assert (top.get("tests"), top.get("failures"), top.get("errors")) == ("6", "2", "1")
    failure = top.find("testsuite[@name='room-late']/testcase[@name='deadlock_free']/failure")
    assert failure is not None
    assert failure.get("message") == "room-late: deadlock_free is violated: at <c1> & co"


def test_junit_tells_the_story_of_a_failure(outcome: Outcome) -> None:
    top = ET.fromstring(render(Format.JUNIT, outcome))
    failure = top.find("testsuite[@name='room-late']/testcase[@name='alone']/failure")
    assert failure is not None
    assert "2  c2  enter      where[c2]: OUT -> IN" in (failure.text or "")


@pytest.fixture
def sarif(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(Format.SARIF, outcome))
    return found


def test_sarif_has_a_rule_for_each_property_and_a_result_for_each_problem(
    sarif: dict[str, Any],
) -> None:
    (run,) = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert sarif["version"] == "2.1.0"
    assert [r["id"] for r in rules] == ["alone", "somebody", "deadlock_free"]
    assert rules[0]["shortDescription"]["text"] == "At most one client is inside."
    assert [r["level"] for r in run["results"]] == ["error", "error", "warning"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])


def test_sarif_points_at_the_property_and_its_steps_at_their_actions(
    sarif: dict[str, Any], room_text: str
) -> None:
    def line(definition: str) -> int:
        before = room_text[: room_text.index(definition)]
        return 1 + before[: before.rindex("\n@")].count("\n") + 1

    result = sarif["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "room.py"
    assert place["region"]["startLine"] == line("def alone")
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [s["executionOrder"] for s in steps] == [1, 2]
    step = steps[1]["location"]
    assert step["physicalLocation"]["region"]["startLine"] == line("def enter")
    assert step["message"]["text"] == "enter(c2): where[c2]: OUT -> IN"


def test_github_annotates_each_problem_on_one_line(outcome: Outcome) -> None:
    lines = render(Format.GITHUB, outcome).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == [
        "::error",
        "::error",
        "::warning",
        "::notice",
    ]
    assert lines[0].startswith("::error file=room.py,line=")
    assert ",title=alone (room-late)::room-late: alone is violated%0A0 " in lines[0]


def test_markdown_is_a_table_with_the_problems_below(outcome: Outcome) -> None:
    text = render(Format.MARKDOWN, outcome)
    assert "| room-open | 1(f) | `alone` | violated, as expected | 1,234 | 2 | 0.25 |" in text
    assert "| room-late | 1(f) | `alone` | **violated (expected: holds)** |" in text
    assert "### room-late: deadlock_free is violated: at <c1> & co" in text


@pytest.mark.parametrize("form", list(Format))
def test_every_format_takes_an_empty_report(form: Format) -> None:
    assert render(form, Outcome(Report(()), {})).endswith("\n")


@pytest.mark.parametrize("form", list(Format))
def test_every_format_gives_equal_bytes_for_equal_outcomes(form: Format, outcome: Outcome) -> None:
    assert render(form, outcome) == render(form, outcome)
