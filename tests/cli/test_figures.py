"""``check --figures``: a second table, the same exit code, and pins that are held against it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "specs"
CORRIDOR = EXAMPLES / "corridor.py"
CAROUSEL = EXAMPLES / "carousel.py"


def _table(out: str) -> list[list[str]]:
    """Return the rows of the second table, as words that two spaces or more part."""
    lines = out.split("unit", 1)[1].splitlines()[2:]
    rows = [[w.strip() for w in line.split("  ") if w.strip()] for line in lines]
    return [row for row in rows[: rows.index([])] if row]


def test_figures_are_a_second_table_in_ticks_and_in_the_unit_of_the_model(run):
    ran = run("check", CORRIDOR, "--figures")
    assert ran.code == 0
    rows = {tuple(row) for row in _table(ran.out)[1:]}
    assert rows == {
        ("at_first", "0 (0 s)", "2 (0.5 s)", "ticks"),
        ("in_between", "0 (0 s)", "4 (1 s)", "ticks"),
        ("in_a_hurry", "0 (0 s)", "2 (0.5 s)", "ticks"),
        ("at_last", "no bound", "no bound", "ticks"),
        ("in_two_places", "never", "never", "ticks"),
        ("marks", "0", "3", "marks"),
        ("lamps", "0", "1", "lamps"),
    }
    assert _table(ran.out)[0] == ["corridor"]
    assert "  at_first       At the door, where each walk begins.\n" in ran.out


def test_without_the_option_nothing_is_measured(run):
    plain, both = run("check", CORRIDOR), run("check", CORRIDOR, "--figures")
    assert "at_first" not in plain.out
    assert plain.code == both.code == 0


def test_what_has_no_bound_is_explained_below_the_table(run):
    out = run("check", CAROUSEL, "--figures").out
    assert "no bound: it can go round in a circle for ever (a_ride; carousel)" in out
    assert "no bound: time can go on while nothing changes (nobody; carousel)" in out


def test_traces_show_the_longest_stay(run):
    out = run("check", CORRIDOR, CAROUSEL, "--figures", "--traces").out
    shown = out.split("corridor: in_between lasts at most 4 ticks, 1 s\n")[1].split("\n\n")[0]
    assert shown.count("wait") == 2  # two ticks each, one line each
    assert shown.rstrip().splitlines()[-2].split()[:3] == ["7", "1", "s"]
    assert "carousel: a_ride has no bound: it can go round in a circle for ever" in out


def test_json_has_both_ends_with_their_answers_and_milliseconds(run):
    found = json.loads(run("check", CORRIDOR, "--figures", "--format", "json").out)["figures"]
    figures = {f["figure"]: f for f in found}
    assert figures["in_between"] == {
        "model": "corridor",
        "figure": "in_between",
        "kind": "stay",
        "claims": [],
        "unit": "ticks",
        "meaning": "In the corridor.",
        "least": {"answer": "exact", "value": 0, "why": "", "ms": 0},
        "most": {"answer": "exact", "value": 4, "why": "", "ms": 1000},
    }
    assert figures["at_last"]["most"] == {
        "answer": "no bound",
        "value": None,
        "why": "in some state nothing ends it any more",
    }
    assert figures["marks"]["most"] == {"answer": "exact", "value": 3, "why": ""}


def test_json_has_traces_if_they_are_asked_for_and_no_figures_if_they_are_not(run):
    with_traces = run("check", CORRIDOR, "--figures", "--traces", "--format", "json").out
    figures = {f["figure"]: f for f in json.loads(with_traces)["figures"]}
    ends = [figures["in_between"][end]["trace"] for end in ("least", "most")]
    assert [len(trace) for trace in ends] == [3, 7]
    assert "figures" not in json.loads(run("check", CORRIDOR, "--format", "json").out)


def test_markdown_has_the_table_too(run):
    out = run("check", CORRIDOR, "--figures", "--format", "markdown").out
    assert "| model | figure | least | most | unit | meaning |" in out
    assert "| corridor | in_between | 0 (0 s) | 4 (1 s) | ticks | In the corridor. |" in out


@pytest.mark.parametrize("form", ["junit", "sarif", "github"])
def test_the_other_formats_are_as_without(run, form):
    ran = run("check", CORRIDOR, "--figures", "--format", form)
    assert ran.code == 0
    assert "in_between" not in ran.out
    if form == "junit":
        assert ET.fromstring(ran.out.partition("\n")[2]).get("failures") == "0"


def _repinned(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "corridor.py"
    path.write_text(CORRIDOR.read_text("utf-8").replace(old, new), "utf-8")
    return path


def test_a_figure_that_is_not_as_pinned_fails_but_only_if_figures_are_asked_for(run, tmp_path):
    path = _repinned(tmp_path, '"in_between": (0, 4)', '"in_between": (0, 5)')
    ran = run("check", path, "--figures")
    assert ran.code == 10
    assert "corridor: as_pinned is violated: in_between: 0 to 4 instead of 0 to 5" in ran.out
    assert run("check", path).code == 0


def test_a_budget_that_runs_out_makes_figures_undetermined(run, tmp_path):
    ran = run("check", CORRIDOR, "--figures", "--max-states", "5")
    assert ran.code == 3
    assert "undetermined" in {row[-2] for row in _table(ran.out)[1:]}


@pytest.mark.parametrize(
    ("pins", "problem"),
    [
        ('"in_betwen": (0, 4)', "corridor: figures: corridor has no 'in_betwen'; there are at_"),
        ('"in_between": (0, "endless")', "Invalid enum value 'endless'"),
        ('"in_between": (0, -1)', "Expected `int` >= 0"),
        ('"in_between": (0,)', "Expected `array` of length 2"),
    ],
)
def test_a_pin_that_makes_no_sense_is_one_line(run, tmp_path, pins, problem):
    ran = run("check", _repinned(tmp_path, '"in_between": (0, 4)', pins), "--figures")
    assert ran.code != 0
    assert problem in ran.err
    assert ran.err.count("\n") == 1


def test_a_control_and_a_spec_without_figures_have_none_and_say_so(run, room):
    ran = run("check", room, "--figures")
    assert ran.code == 0
    assert "No figures: a control has none, nor has a spec that defines none." in ran.out


@pytest.mark.slow
def test_the_meaning_of_a_figure_is_said_once_for_several_models(run):
    out = run("check", "group-2x1", "group-2x2", "--figures").out
    assert out.count("Two members hold different values.") == 1
    assert out.count("  different_values ") == 3  # once with its meaning
