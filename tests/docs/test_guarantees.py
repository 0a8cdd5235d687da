"""The page of guarantees names properties and models that are there and show what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_spec.specs import SPEC_NAMES, load_spec

from .documents import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
CATALOG = {m.name: m for m in load_catalog()}
SPECS = {name: load_spec(name) for name in SPEC_NAMES}


@dataclass(frozen=True)
class Row:
    """A line of a table: the property, the models that show it, and those that fail."""

    name: str
    shown: tuple[str, ...]
    controls: tuple[str, ...]


def rows() -> list[Row]:
    """Return the lines of the tables, without headers and rules."""
    found = []
    for line in PAGE.splitlines():
        cells = line.split("|")
        if line.startswith("|") and "`" in line:
            named = [tuple(re.findall(r"`([\w-]+)`", cell)) for cell in cells[2:5]]
            found.append(Row(named[0][0], named[1], named[2]))
    return found


def promised(model: Model) -> set[str]:
    """Return what a model that is no control shows, and has a case for."""
    spec = SPECS[model.spec]
    safety = {p.name for p in spec.of_kind("invariant", "step", "always_reachable")}
    return ({*model.live} | safety) - {*model.vacuous}


def test_every_section_of_promises_has_some() -> None:
    assert len(rows()) > 15


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_each_promise_is_checked_in_the_models_that_the_page_names(row: Row) -> None:
    assert row.shown
    for name in row.shown:
        assert not CATALOG[name].is_control
        assert row.name in promised(CATALOG[name])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_each_assumption_has_a_model_that_fails_without_it(row: Row) -> None:
    assert row.controls
    for name in row.controls:
        assert CATALOG[name].violates


def test_what_the_page_says_is_reached_is_reached() -> None:
    said = re.findall(r"`(\w+)` is reached in\s+`([\w-]+)`", PAGE)
    assert said
    for witness, name in said:
        model = CATALOG[name]
        assert witness in {p.name for p in SPECS[model.spec].of_kind("witness")}
        assert witness not in model.unreached


def test_every_liveness_promise_is_on_the_page() -> None:
    stated = {p.name for spec in SPECS.values() for p in spec.liveness}
    assert stated <= {row.name for row in rows()} | {"change_decided"}
