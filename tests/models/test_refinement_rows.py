"""Refinements in a catalog, in reports and in traces."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from samebeat_cli.loader import load_file
from samebeat_models import Model, itf
from samebeat_models.catalog import load_catalog
from samebeat_models.check import check_model
from samebeat_models.explorer import explore
from samebeat_models.progress import Budget
from samebeat_models.refinement.check import check_refinement
from samebeat_models.refinement.findings import with_refinements
from samebeat_models.replay import contradiction, replay
from samebeat_models.results import Exit, Row, Verdict
from samebeat_spec.language import (
    Formula,
    InstanceError,
    Integer,
    Spec,
    State,
    action,
    guard,
    initial,
    invariant,
    refinement,
    spec_of,
    variable,
)

_SPECS = Path(__file__).parents[1] / "specs"


class Number(Integer, low=0, high=5):
    """A number."""


def of_file(file: str, model: str) -> tuple[Model, Spec]:
    """Return a model of an example file and its spec."""
    models, specs = load_file(_SPECS / f"{file}.py")
    found = next(m for m in models if m.name == model)
    return found, specs[found.spec]


def rows_of(file: str, model: str, budget: Budget | None = None, **changed: Any) -> dict[str, Row]:
    """Return the rows of a model by property, some of its fields changed."""
    found, spec = of_file(file, model)
    _, rows = check_model(msgspec.structs.replace(found, **changed), spec, budget)
    return {row.property: row for row in rows}


# --- the catalog -----------------------------------------------------------------------------


def test_a_refinement_that_holds_is_a_row_with_its_own_counts():
    row = rows_of("clock", "clock")["hours"]
    assert (row.kind, row.verdict, row.exit) == ("refinement", Verdict.HOLDS, Exit.OK)
    assert (row.states, row.transitions) == (3, 3)


def test_a_refinement_that_is_violated_is_a_safety_violation():
    rows = rows_of("clock", "clock-jumpy", violates=())
    assert (rows["hours"].verdict, rows["hours"].exit) == (Verdict.VIOLATED, Exit.SAFETY)
    assert rows["hours"].trace is not None
    assert rows["fits"].verdict is Verdict.HOLDS


def test_a_refinement_that_is_not_asked_for_is_not_looked_at():
    assert "hours" not in rows_of("clock", "clock", refines=(), projected={})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"projected": {"hours": (4, 3)}}, "hours: 3 projected states instead of 4"),
        ({"projected": {"hours": (3, 2)}}, "hours: 3 projected steps instead of 2"),
        (
            {"uncovered": {"hours": ("strike",)}},
            "hours: the abstract action strike is taken, and listed as never",
        ),
    ],
)
def test_other_counts_than_pinned_are_told(changed, problem):
    row = rows_of("clock", "clock", **changed)["as_pinned"]
    assert (row.exit, row.detail) == (Exit.NOT_AS_PINNED, problem)


def test_an_abstract_action_that_is_never_taken_must_be_listed():
    row = rows_of("elevator", "elevator", uncovered={})["as_pinned"]
    assert row.detail == "floors_by_two: the abstract action drop is never taken"


def test_a_control_of_a_refinement_that_holds_is_not_as_pinned():
    rows = rows_of("clock", "clock-jumpy", constants={"jumpy": False}, depth=None)
    assert rows["hours"].exit is Exit.NOT_AS_PINNED
    assert rows["as_pinned"].detail == "violated at the least depth: nothing, instead of hours"


def test_a_refinement_of_a_model_without_budget_is_undetermined():
    rows = rows_of("clock", "clock", Budget(states=3))
    assert (rows["hours"].verdict, rows["hours"].exit) == (Verdict.UNDETERMINED, Exit.UNDETERMINED)


class Limited(State, name="limited"):
    """A counter with a limit."""

    limit = variable(Number, constant=True)
    n = variable(Number)


@initial
def zero(s: Limited) -> None:
    """It begins at 0."""


@action()
def count_on(s: Limited) -> None:
    """One more."""
    guard(s.n < s.limit, "it is below the limit")

    s.n = s.n + 1


class Counter(State, name="counter"):
    """A counter to 5."""

    n = variable(Number)


@initial
def begin(s: Counter) -> None:
    """It begins at 0."""


@action()
def one_more(s: Counter) -> None:
    """One more."""
    guard(s.n < 5, "there is a number")

    s.n = s.n + 1


@invariant()
def small(s: Counter) -> Formula:
    """It is at most 2."""
    return s.n <= 2


@refinement()
def to_one(s: Counter, p: Limited) -> None:
    """It ends at 1."""
    p.limit = 1


@refinement()
def to_two(s: Counter, p: Limited) -> None:
    """It ends at 2."""
    p.limit = 2


@refinement()
def to_three(s: Counter, p: Limited) -> None:
    """It ends at 3."""
    p.limit = 3


@pytest.mark.parametrize(
    ("refines", "violates", "depth"),
    [
        ("to_one", ("to_one",), 2),
        ("to_two", ("small", "to_two"), 3),
        ("to_three", ("small",), 3),
    ],
)
def test_a_control_lists_what_is_violated_at_the_least_depth(refines, violates, depth):
    model = Model(name="counter", refines=(refines,), violates=violates, depth=depth)
    outcome, rows = check_model(model, spec_of(Counter))
    assert {row.property for row in rows if row.verdict is Verdict.VIOLATED} == set(violates)
    assert all(row.exit is Exit.OK for row in rows)
    others = [f.verdict for f in outcome.findings if f.property not in violates]
    assert set(others) <= {Verdict.UNDETERMINED}


def test_a_refinement_has_the_time_that_the_exploration_has_left():
    model, spec = of_file("clock", "clock")
    outcome = replace(explore(model.instance(spec)), seconds=60.0)
    late = with_refinements(model, outcome, Budget(seconds=50))
    assert late.incomplete_reason == "stopped by the budget of 50 s"
    assert late.findings[-1].verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"refines": ("days",)}, "refines: clock has no 'days'; there are hours"),
        ({"projected": {"days": (1, 1)}}, "projected: clock has no 'days'; there are hours"),
        ({"uncovered": {"days": ()}}, "uncovered: clock has no 'days'; there are hours"),
        ({"violates": ("days",)}, "violates: clock has no 'days'; there are deadlock_free, fits"),
    ],
)
def test_a_name_that_is_no_refinement_is_an_error_of_the_model(changed, problem):
    with pytest.raises(InstanceError, match=problem):
        rows_of("clock", "clock", **changed)


def test_our_own_models_pin_what_their_refinements_count():
    right = [m for m in load_catalog() if m.refines and not m.is_control]
    assert right
    for m in right:
        assert set(m.projected) == set(m.refines), m.name


# --- traces ----------------------------------------------------------------------------------


def recorded(steps: int = 5) -> tuple[itf.ItfTrace, Model, Spec]:
    model, spec = of_file("clock", "clock-jumpy")
    found = check_refinement(model.instance(spec), spec.find_refinement("hours"))
    assert found.trace is not None
    run = found.trace
    shorter = replace(run, steps=run.steps[:steps])
    text = itf.dumps(shorter, model, spec, shows="hours")
    return itf.loads(text, "here"), model, spec


def test_the_trace_of_a_refinement_is_replayed_and_seen_to_break_it():
    trace, model, spec = recorded()
    result = replay(trace, model, spec)
    assert result.refusal is None
    assert result.broken == {"hours": 5}
    assert contradiction(trace, model, result) == ""


def test_a_trace_that_does_not_break_the_refinement_is_told():
    trace, model, spec = recorded(steps=4)
    result = replay(trace, model, spec)
    assert result.broken == {}
    said = contradiction(trace, model, result)
    assert said == "the file says that hours is violated after 4 steps; it is not"
