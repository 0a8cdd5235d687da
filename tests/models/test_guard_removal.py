"""Whoever deletes a guard from a shipped spec is told which promise it held up."""

from __future__ import annotations

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_models.check import check_model
from samebeat_models.results import PINNED, Exit, Verdict
from samebeat_spec.language import Spec
from samebeat_spec.specs import load_spec

GROUP = load_spec("group")
SMALL = [m for m in load_catalog() if m.name in ("group-2x1", "group-2x2")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "why"), [(a.name, why) for a, why in GROUP.guards()], ids=lambda x: x
)
def test_without_a_guard_the_right_models_name_a_broken_promise(action: str, why: str) -> None:
    broken = GROUP.without(action, why)
    rows = [row for model in SMALL for row in check_model(model, broken)[1]]
    harmful = {Exit.SAFETY, Exit.DEADLOCK, Exit.LIVENESS}
    assert [row.property for row in rows if row.exit in harmful]


def test_a_control_whose_guard_is_gone_is_one_line_that_is_not_as_pinned() -> None:
    control = next(m for m in load_catalog() if m.name == "commit-without-every-ok")
    assert control.without is not None
    already: Spec = GROUP.without(control.without.action, control.without.guard)
    _, (row,) = check_model(control, already)
    assert (row.property, row.verdict, row.exit) == (PINNED, Verdict.VIOLATED, Exit.NOT_AS_PINNED)
    assert row.detail == (
        "commit-without-every-ok: group has no guard 'commit: n has heard every ok' to take out"
    )


def test_a_model_with_another_count_than_its_pin_says_both() -> None:
    model = next(m for m in load_catalog() if m.name == "group-2x1")
    tiny = type(model)(**{**{f: getattr(model, f) for f in model.__struct_fields__}, "states": 10})
    outcome, rows = check_model(tiny, GROUP)
    assert outcome.states == 113  # within twenty times the pin, or 100,000: explored to the end
    assert [r.detail for r in rows if r.property == PINNED] == ["states: 113 instead of 10"]
