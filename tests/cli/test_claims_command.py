"""`samebeat claims`: each element with what shows it, and what is missing shown as missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from samebeat_conformance import handlers
from samebeat_conformance.handlers import NOT_IN_THE_CORE
from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.claims_table import ClaimRow, cited_in_tests, claim_rows, shows
from samebeat_spec.claims import CLAIMS, DESIGN_NOTES, Claim
from samebeat_spec.specs import SPEC_NAMES, load_spec

from .conftest import Run


def test_json_lists_every_element_with_the_documented_fields(run: Run) -> None:
    rows = json.loads(run("claims", "--format", "json").out)
    assert [row["claim"] for row in rows] == [c.id for c in CLAIMS + DESIGN_NOTES]
    fields = {"claim", "text", "actions", "properties", "models", "proofs", "handlers", "tests"}
    fields |= {"behaviour", "stands_for", "left_out", "lacks", "witnesses", "exercised", "core"}
    assert all(fields == set(row) for row in rows)


def test_an_element_names_the_actions_and_properties_that_cite_it(run: Run) -> None:
    rows = {row["claim"]: row for row in json.loads(run("claims", "--format", "json").out)}
    assert "group.undo" in rows["1(f)"]["actions"]
    assert "group.agreement" in rows["1(f)"]["properties"]
    assert "group.agreement: all-n" in rows["1(f)"]["proofs"]


def test_an_element_that_is_not_behaviour_says_what_stands_for_it(run: Run) -> None:
    shown = run("claims").out
    assert "    not behaviour; a daemon (not written yet) stands for it\n" in shown


def test_an_element_names_the_functions_that_do_it_and_a_test_of_them(run: Run) -> None:
    rows = {row["claim"]: row for row in json.loads(run("claims", "--format", "json").out)}
    assert rows["1(f)"]["handlers"] == ["samebeat.change.is_to_be_undone", "samebeat.change.undo"]
    (test,) = rows["1(f)"]["exercised"]
    assert test in rows["1(f)"]["tests"]
    assert rows["1(f)"]["core"] == ""
    assert rows["20"]["handlers"] == ["samebeat.asking.begin", "samebeat.parameters.needs_peer"]


def test_what_is_missing_is_shown_as_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "NOT_IN_THE_CORE", {"24": "nobody has written it"})
    shown = run("claims").out
    part = shown[shown.index("\n24  ") :].split("\n25(a)  ")[0]
    assert "    handlers   -\n" in part
    assert "    core       not in it: nobody has written it" in part
    assert shown.splitlines()[-1].endswith(" 0 missing: -")
    assert " 1 not in the core)" in shown.splitlines()[-1]


def test_the_core_has_every_element_that_is_behaviour(run: Run) -> None:
    assert " 0 not in the core)" in run("claims").out.splitlines()[-1]


def test_what_is_shown_in_part_says_what_is_left_out(run: Run) -> None:
    shown = run("claims").out
    part = shown[shown.index("\n3.heartbeat_failure_threshold  ") :]
    assert (
        "    left out   single misses: the second node has one deadline, " in part.split("\n3.")[1]
    )


def test_the_last_line_counts_every_row_once(run: Run) -> None:
    rows = claim_rows([load_spec(name) for name in SPEC_NAMES], ())
    lacking = [row.claim.id for row in rows if row.lacks]
    silent = [row.claim.id for row in rows if not row.claim.behaviour]
    in_part = [row.claim.id for row in rows if row.claim.left_out and not row.lacks]
    assert set(lacking).isdisjoint(silent)
    assert (
        run("claims")
        .out.splitlines()[-1]
        .startswith(
            f"{len(rows)} claim elements and design notes: "
            f"{len(rows) - len(lacking) - len(silent)} shown by an action and a property "
            f"({len(in_part)} in part, {len(NOT_IN_THE_CORE)} not in the core), "
            f"{len(silent)} not behaviour, {len(lacking)} missing: "
        )
    )


@pytest.mark.parametrize(
    ("actions", "properties", "lacks"),
    [
        ((), (), ("action", "property")),
        (("a",), (), ("property",)),
        ((), ("p",), ("action",)),
        (("a",), ("p",), ()),
    ],
)
def test_an_element_needs_an_action_and_a_property(
    actions: tuple[str, ...], properties: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    partly = Claim("1(a)", "It is so.", left_out="the rest")
    row = ClaimRow(partly, actions, properties)
    assert (row.lacks, row.in_part) == (lacks, not lacks)
    silent = Claim("7(a)", "It is so.", behaviour=False, stands_for="a thing")
    assert ClaimRow(silent, actions, properties).lacks == ()


def test_a_witness_is_no_property() -> None:
    rows = {row.claim.id: row for row in claim_rows([load_spec("group")], ())}
    assert rows["1.preamble"].witnesses == ("group.a_commit",)
    assert rows["1.preamble"].lacks == ("property",)
    assert {"group.agreement"} <= {*rows["1(f)"].properties}
    for row in rows.values():
        assert {*row.properties}.isdisjoint(row.witnesses)


def test_models_are_of_a_spec_that_promises_something_if_one_does() -> None:
    """The timed pair takes the steps of claim 29, and promises nothing about the indicator."""
    specs = [load_spec("pair"), load_spec("heartbeat")]
    models = [Model(name="p", spec="pair"), Model(name="h", spec="heartbeat")]
    assert {r.claim.id: r.models for r in claim_rows(specs, models)}["29"] == ("p",)
    assert {r.claim.id: r.models for r in claim_rows(specs[1:], models)}["29"] == ("h",)


def test_markdown_is_one_row_an_element(run: Run) -> None:
    lines = run("claims", "--format", "markdown").out.splitlines()
    assert any(" Left out: clocks that differ: " in line for line in lines)
    assert sum(line.startswith("| ") for line in lines) == 1 + len(CLAIMS + DESIGN_NOTES)


@pytest.mark.parametrize("violates", [(), ("agreement",)])
def test_models_that_keep_a_promise_about_an_element_show_it_unless_they_are_wrong_on_purpose(
    violates: tuple[str, ...],
) -> None:
    models = [Model(name="g", spec="group", violates=violates)]
    rows = {row.claim.id: row for row in claim_rows([load_spec("group")], models)}
    assert rows["1(f)"].models == (() if violates else ("g",))
    assert rows["27"].models == ()


QUEUE, WINDOW = "3.send_queue_overflow_threshold", "3.message_send_window"


@pytest.mark.parametrize(
    ("cited", "pins", "shown"),
    [
        (WINDOW, {}, True),
        (WINDOW, {"vacuous": ("unacked_fit",)}, False),
        (WINDOW, {"unreached": ("room_before_use",), "idle": ("send_order",)}, True),
        (WINDOW, {"idle": tuple(a.name for a in load_spec("limits").actions)}, False),
        ("3.combinations", {"vacuous": ("retried_before_given_up",)}, True),
        (QUEUE, {"vacuous": ("unacked_fit", "at_most_once")}, True),
        (QUEUE, {"vacuous": ("queue_never_purged",)}, False),
        ("2", {}, False),
    ],
)
def test_a_promise_without_a_case_shows_nothing(
    cited: str, pins: dict[str, Any], shown: bool
) -> None:
    spec = load_spec("limits")
    assert shows(Model(name="m", spec="limits", **pins), spec, cited) == shown


@pytest.mark.parametrize(
    ("cited", "pins", "shown"),
    [
        ("C3", {}, True),
        ("C3", {"unreached": ("values_differ_during_a_change",)}, False),
        ("1(d)", {}, True),
        ("1(d)", {"idle": ("send_ok",)}, True),
        ("1(d)", {"idle": ("send_ok", "send_failure")}, False),
    ],
)
def test_where_no_promise_is_made_a_situation_shows_an_element_or_else_a_step(
    cited: str, pins: dict[str, Any], shown: bool
) -> None:
    assert shows(Model(name="m", spec="group", **pins), load_spec("group"), cited) == shown


def test_a_model_of_a_limit_shows_that_limit_and_no_other() -> None:
    models = [m for m in load_catalog() if m.spec == "limits" and not m.is_control]
    rows = {row.claim.id: row for row in claim_rows([load_spec("limits")], models)}
    for model in models:
        kinds = {f"3.{kind.lower()}" for kind in model.constants["kind"].values()}
        limits = {c for c in rows if c.startswith("3.") and c != "3.combinations"}
        assert {c for c in limits if model.name in rows[c].models} == kinds


def test_tests_are_found_by_what_their_docstrings_and_marks_cite(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    (folder / "spec").mkdir(parents=True)
    (folder / "spec" / "test_a.py").write_text(
        '"""About claim 1(a), note C2 and notes C3 and C4."""\n'
        "def test_one():\n"
        '    """Claims 1(b), 4 and C6; not 5."""\n'
        '@pytest.mark.claims("7(b).undo")\n'
        "def test_two(): ...\n"
        "def helper():\n"
        '    """Claim 2."""\n'
    )
    (folder / "test_broken.py").write_text("def (")
    one, two = "tests/spec/test_a.py::test_one", "tests/spec/test_a.py::test_two"
    assert cited_in_tests(folder) == {
        "1(a)": ("tests/spec/test_a.py",),
        "1(b)": (one,),
        "4": (one,),
        "C2": ("tests/spec/test_a.py",),
        "C3": ("tests/spec/test_a.py",),
        "C4": ("tests/spec/test_a.py",),
        "C6": (one,),
        "7(b).undo": (two,),
    }


def test_a_catalog_with_an_error_ends_the_command_in_one_line(
    fails: Callable[..., str], catalog: Callable[..., None]
) -> None:
    catalog(Model(name="g", spec="none"))
    assert "no spec is called 'none'" in fails(151, "claims")


def test_an_element_shows_what_is_proved_of_it_and_on_which_rung(run: Run) -> None:
    rows = {row["claim"]: row for row in json.loads(run("claims", "--format", "json").out)}
    assert "group.failure_excludes_commit: all-n" in rows["1(e)"]["proofs"]
    assert "heartbeat.tightener_defers: all-reals" in rows["C1"]["proofs"]
    assert not any("quiescence_reachable" in proof for proof in rows["1(f)"]["proofs"])
