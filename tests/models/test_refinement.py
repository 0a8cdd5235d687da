"""Refinement, checked: what the engine says of whole graphs is what the interpreter says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from samebeat_cli.loader import load_file
from samebeat_models import Model
from samebeat_models.progress import Budget
from samebeat_models.refinement.check import Refined, check_refinement, check_refinements
from samebeat_models.refinement.naive import breaking
from samebeat_models.results import Trace, Verdict
from samebeat_spec.language import (
    Instance,
    Integer,
    Sort,
    Spec,
    State,
    StateError,
    action,
    exists,
    guard,
    initial,
    refinement,
    relation,
    spec_of,
    variable,
)
from samebeat_spec.language.interpreter import Interpreter

_SPECS = Path(__file__).parents[1] / "specs"


def of_file(file: str, model: str) -> tuple[Model, Spec]:
    """Return a model of an example file and its spec."""
    models, specs = load_file(_SPECS / f"{file}.py")
    found = next(m for m in models if m.name == model)
    return found, specs[found.spec]


def refined(file: str, model: str, name: str, **options: Any) -> Refined:
    found, spec = of_file(file, model)
    return check_refinement(found.instance(spec), spec.find_refinement(name), **options)


def run_of(found: Refined) -> Trace:
    assert found.trace is not None
    return found.trace


# --- what is found ---------------------------------------------------------------------------


def test_a_clock_without_its_minutes_shows_hours():
    found = refined("clock", "clock", "hours")
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps, found.taken, found.possible) == (3, 3, 3, 3)
    assert found.uncovered == ()
    assert (found.depth, found.trace, found.notes) == (None, None, ())


def test_a_refused_step_ends_a_shortest_run_and_is_explained():
    found = refined("clock", "clock-jumpy", "hours")
    assert found.verdict is Verdict.VIOLATED
    assert found.depth == 5
    assert [s.action for s in run_of(found).steps] == ["tick"] * 4 + ["jump"]
    assert found.notes == (
        "hours: the projected step is no step of the spec hours:",
        "  before: hour = 1",
        "  hour: 1 -> 0",
        "  strike() is enabled, but leads to hour = 2",
    )


def test_the_guard_that_refuses_is_named_with_the_projection():
    found = refined("meters", "meters-without-limit", "each")
    assert [(s.action, s.arguments) for s in run_of(found).steps] == [("add", (0,)), ("add", (0,))]
    assert found.notes == (
        "each(p1): the projected step is no step of the spec meter:",
        "  before: reading = 1",
        "  reading: 1 -> 2",
        "  add_one() would do it, but not so: it is below its limit",
    )


@pytest.mark.parametrize("low", ["p1", "p2", "p3"])
def test_the_run_leads_to_the_state_that_has_the_refused_step(low):
    model, spec = of_file("meters", "meters-without-limit")
    limit = {p: "1" if p == low else "3" for p in ("p1", "p2", "p3")}
    wrong = msgspec.structs.replace(model, constants={"limit": limit})
    found = check_refinement(wrong.instance(spec), spec.find_refinement("each"))
    assert found.depth == 2
    assert found.notes[0].startswith(f"each({low}): ")


def test_what_is_two_steps_there_is_refused_as_one():
    found = refined("elevator", "elevator", "floors")
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, 1)


def test_what_is_two_steps_there_may_be_allowed():
    """Up and down again are covered; the hole in the floor is on no shortest way."""
    found = refined("elevator", "elevator", "floors_by_two")
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps, found.taken, found.possible) == (3, 4, 0, 4)
    assert found.uncovered == ("drop",)


def test_a_wrong_start_is_a_violation_without_steps():
    found = refined("elevator", "elevator", "upside_down")
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, 0)
    assert run_of(found).steps == ()
    assert found.notes == (
        "upside_down: the projected state is no initial state of the spec floors:",
        "  floor = 4",
        "  floor is 4; the nearest one has 0",
    )


def test_a_projected_value_that_does_not_fit_is_an_error():
    with pytest.raises(
        StateError, match=r"floor would be 5, outside 0\.\.4; give the sort another"
    ):
        refined("elevator", "elevator", "out_of_the_roof")


def test_each_parameter_has_a_projection_with_constants_of_its_own():
    """Limits of 1, 2 and 3: so many readings and one more, in a ring."""
    found = refined("meters", "meters", "each")
    assert (found.states, found.steps) == (2 + 3 + 4, 2 + 3 + 4)


def test_projections_onto_the_same_instance_are_counted_once():
    model, spec = of_file("meters", "meters-symmetric")
    found = check_refinement(model.instance(spec), spec.find_refinement("each"))
    assert (found.states, found.steps) == (3, 3)


def test_a_spec_that_extends_another_refines_it_with_an_action_of_its_own():
    found = refined("meters", "summed", "meters")
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps) == (6, 3 + 3 + 4 + 2)


def test_several_refinements_are_looked_at_together_and_one_violation_does_not_end_it():
    model, spec = of_file("elevator", "elevator")
    names = ("floors", "upside_down", "floors_by_two")
    results = check_refinements(
        model.instance(spec), [spec.find_refinement(name) for name in names]
    )
    assert [(r.verdict, r.depth) for r in results] == [
        (Verdict.VIOLATED, 1),
        (Verdict.VIOLATED, 0),
        (Verdict.HOLDS, None),
    ]


def test_a_projection_that_never_moves_covers_nothing():
    class Half(Integer, low=0, high=1):
        """A half."""

    class Coin(State, name="coin"):
        """A coin."""

        side = variable(Half)

    @initial
    def heads(s: Coin) -> None:
        """Heads."""

    @action()
    def turn(s: Coin) -> None:
        """It turns."""
        s.side = 1 - s.side

    class Hidden(State, name="hidden"):
        """A coin that nobody sees."""

        inside = variable(Half)

    @initial
    def covered(s: Hidden) -> None:
        """Heads."""

    @action()
    def shake(s: Hidden) -> None:
        """It turns."""
        s.inside = 1 - s.inside

    @refinement()
    def coin(s: Hidden, p: Coin) -> None:
        """Nothing is to be seen."""
        p.side = 0

    found = check_refinement(Instance("coin", spec_of(Hidden)), coin)
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps, found.possible) == (1, 0, 1)
    assert found.uncovered == ("turn",)


@pytest.mark.slow
def test_states_of_several_words_are_told_apart():
    """Of 66 lamps one is lit at a time: a bit for each, and two words for a state."""

    class Lamp(Sort):
        """A lamp of a row."""

    class Row(State, name="row"):
        """A row of lamps."""

        lit = relation(Lamp)

    @initial
    def dark(s: Row) -> None:
        """No lamp is lit."""

    @action()
    def light(s: Row, n: Lamp) -> None:
        """A lamp is lit."""
        guard(~exists(Lamp, lambda m: s.lit[m]), "it is dark")

        s.lit[n] = True

    @action()
    def put_out(s: Row, n: Lamp) -> None:
        """A lamp is put out."""
        s.lit[n] = False

    @refinement()
    def same(s: Row, p: Row) -> None:
        """Nothing is left out."""

    found = check_refinement(Instance("row", spec_of(Row), {"Lamp": 66}), same)
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps, found.possible) == (67, 132, 132)


# --- symmetry and budgets --------------------------------------------------------------------


def test_one_state_of_each_orbit_is_enough():
    model, spec = of_file("meters", "meters-symmetric")
    whole, orbits = (
        check_refinement(model.instance(spec), spec.find_refinement("each"), symmetry=s)
        for s in (False, True)
    )
    assert (whole.verdict, whole.uncovered) == (orbits.verdict, orbits.uncovered)


def test_a_violation_found_in_an_orbit_is_a_real_run():
    model, spec = of_file("meters", "meters-without-limit")
    constants = {"limit": {"p1": "1", "p2": "1", "p3": "1"}}
    wrong = msgspec.structs.replace(model, constants=constants)
    found = check_refinement(wrong.instance(spec), spec.find_refinement("each"), symmetry=True)
    assert found.depth == 2
    run = run_of(found)
    judge, states = Interpreter(run.instance), run.states
    for step, before in zip(run.steps, states, strict=False):
        assert judge.step(judge.spec.find_action(step.action), step.arguments, before) == step.state
    projections = found.refinement.projections(run.instance)
    assert breaking(projections, *states[-2:]) is not None


def test_another_size_of_a_symmetric_sort_turns_symmetry_off():
    """Of three places two are projected: an orbit mixes those with the third."""
    model, spec = of_file("meters", "summed")
    constants = {"limit": {"p1": "2", "p2": "2", "p3": "2"}}
    three = msgspec.structs.replace(model, sizes={"Place": 3}, constants=constants)
    two_of_them = replace(spec.find_refinement("meters"), sizes={"Place": 2})
    found = check_refinement(three.instance(spec), two_of_them, symmetry=True)
    assert found.verdict is Verdict.HOLDS
    assert (found.states, found.steps, found.possible) == (9, 2 * 9, 2 * 9)


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(states=3), "stopped by the budget of 3 states"),
        (Budget(seconds=0), "stopped by the budget of 0 s"),
        (Budget(memory_mb=1), "stopped by the budget of 1 MB"),
    ],
)
def test_a_budget_that_runs_out_decides_nothing(budget, why):
    found = refined("clock", "clock", "hours", budget=budget)
    assert found.verdict is Verdict.UNDETERMINED
    assert found.incomplete_reason == why


def test_what_was_violated_before_the_budget_ran_out_stays_violated():
    found = refined("elevator", "elevator", "upside_down", budget=Budget(states=0))
    assert found.verdict is Verdict.VIOLATED


def test_violations_beyond_a_depth_are_not_looked_for():
    model, spec = of_file("clock", "clock-jumpy")
    for depth, verdict in ((4, Verdict.UNDETERMINED), (5, Verdict.VIOLATED)):
        (found,) = check_refinements(
            model.instance(spec), (spec.find_refinement("hours"),), max_depth=depth
        )
        assert found.verdict is verdict
