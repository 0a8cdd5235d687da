"""`samebeat claims`: each element with what shows it, and what is missing shown as missing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_models import Model
from samebeat_models.claims_table import cited_in_tests, claim_rows
from samebeat_spec.claims import CLAIMS, DESIGN_NOTES
from samebeat_spec.specs import load_spec

from .conftest import Run


def test_json_lists_every_element_with_the_documented_fields(run: Run) -> None:
    rows = json.loads(run("claims", "--format", "json").out)
    assert [row["claim"] for row in rows] == [c.id for c in CLAIMS + DESIGN_NOTES]
    fields = {"claim", "text", "actions", "properties", "models", "proofs", "handlers", "tests"}
    assert all(fields <= set(row) for row in rows)


def test_an_element_names_the_actions_and_properties_that_cite_it(run: Run) -> None:
    rows = {row["claim"]: row for row in json.loads(run("claims", "--format", "json").out)}
    assert "group.undo" in rows["1(f)"]["actions"]
    assert "group.agreement" in rows["1(f)"]["properties"]
    assert rows["1(f)"]["proofs"] == []


def test_an_element_that_is_not_behaviour_says_what_stands_for_it(run: Run) -> None:
    shown = run("claims").out
    assert "    not behaviour; the daemon samebeatd stands for it\n" in shown


def test_what_is_missing_is_shown_as_missing(run: Run) -> None:
    shown = run("claims").out
    part = shown[shown.index("\nC7  ") :].split("\nC8  ")[0]
    assert "    actions    -\n" in part
    assert "C7, C8" in shown.splitlines()[-1]


def test_markdown_is_one_row_an_element(run: Run) -> None:
    lines = run("claims", "--format", "markdown").out.splitlines()
    assert sum(line.startswith("| ") for line in lines) == 1 + len(CLAIMS + DESIGN_NOTES)


@pytest.mark.parametrize("violates", [(), ("agreement",)])
def test_models_of_a_spec_that_cites_an_element_show_it_unless_they_are_wrong_on_purpose(
    violates: tuple[str, ...],
) -> None:
    models = [Model(name="g", spec="group", violates=violates)]
    rows = {row.claim.id: row for row in claim_rows([load_spec("group")], models)}
    assert rows["1(f)"].models == (() if violates else ("g",))
    assert rows["27"].models == ()


def test_tests_are_found_by_what_their_docstrings_and_marks_cite(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    (folder / "spec").mkdir(parents=True)
    (folder / "spec" / "test_a.py").write_text(
        '"""About claim 1(a)."""\n'
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
        "C6": (one,),
        "7(b).undo": (two,),
    }


def test_a_catalog_with_an_error_ends_the_command_in_one_line(
    fails: Callable[..., str], catalog: Callable[..., None]
) -> None:
    catalog(Model(name="g", spec="none"))
    assert "no spec is called 'none'" in fails(151, "claims")
