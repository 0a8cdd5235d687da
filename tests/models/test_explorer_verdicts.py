"""Verdicts: shortest counterexamples, deadlocks, reachability, witnesses, vacuity, budgets."""

from dataclasses import replace
from typing import Any

import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.explorer import explore
from samebeat_models.progress import Budget
from samebeat_models.results import DEADLOCK_FREE, Exploration, Finding, Verdict
from samebeat_spec.language import (
    Formula,
    Instance,
    Integer,
    Sort,
    State,
    StateError,
    action,
    always_reachable,
    flag,
    guard,
    implies,
    initial,
    invariant,
    relation,
    spec_of,
    step_property,
    terminal,
    variable,
    witness,
)
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

CONTROLS = [
    m
    for m in load_catalog()
    if m.spec == "group" and m.is_control and m.sizes["Node"] == 2 and not m.live
]
"""Those that are small enough for the interpreter, and wrong after finitely many steps."""


class Rung(Integer, low=0, high=5):
    """A rung of a ladder."""


class Ladder(State):
    """Somebody climbs, may fall from the third rung, and may rest."""

    at = variable(Rung)
    fallen = flag()


@initial
def on_the_ground(s: Ladder) -> None:
    """At the bottom."""


@action()
def climb(s: Ladder) -> None:
    """One rung up."""
    guard(~s.fallen, "not fallen")
    guard(s.at < 5, "below the top")

    s.at = s.at + 1


@action()
def rest(s: Ladder) -> None:
    """Stay."""


@action()
def fall(s: Ladder) -> None:
    """Down from the third rung."""
    guard(s.at == 3, "on the third rung")

    s.fallen = True


@action()
def fly(s: Ladder) -> None:
    """Never."""
    guard((s.at == 1) & (s.at == 2), "on two rungs at once")

    s.fallen = True


@invariant()
def below_four(s: Ladder) -> Formula:
    """Broken at depth 4."""
    return s.at < 4


@invariant()
def unhurt(s: Ladder) -> Formula:
    """Broken at depth 4 too."""
    return ~s.fallen


@invariant()
def below_five(s: Ladder) -> Formula:
    """Broken at depth 5: later."""
    return s.at != 5


@invariant()
def safe_when_fallen_at_the_top(s: Ladder) -> Formula:
    """Says nothing: nobody falls from the top."""
    return implies(s.fallen & (s.at == 5), s.at == 0)


@step_property()
def slow_above_two(s: Ladder, t: Ladder) -> Formula:
    """Broken by the step from 3 to 4: depth 4."""
    return implies(s.at == 3, t.at == s.at)


@step_property()
def restless_after_five(s: Ladder, t: Ladder) -> Formula:
    """Broken by a step that changes nothing, at depth 6."""
    return implies(s.at == 5, t.at != s.at)


@always_reachable()
def top_or_bottom(s: Ladder) -> Formula:
    """Out of reach once fallen."""
    return (s.at == 5) | (s.at == 0)


@witness()
def high(s: Ladder) -> Formula:
    """The top."""
    return s.at == 5


@witness()
def high_and_fallen(s: Ladder) -> Formula:
    """Never."""
    return (s.at == 5) & s.fallen


@terminal
def at_the_top(s: Ladder) -> Formula:
    """It ends at the top."""
    return s.at == 5


@terminal
def on_the_floor(s: Ladder) -> Formula:
    """Or with a fall."""
    return s.fallen


LADDER = spec_of(Ladder)


def ladder(*kept: str) -> Instance:
    """Return the ladder with these properties only."""
    properties = tuple(p for p in LADDER.properties if p.name in kept)
    return Instance("ladder", replace(LADDER, properties=properties))


def verdicts(outcome: Exploration) -> dict[str, tuple[Verdict, int | None]]:
    return {f.property: (f.verdict, f.depth) for f in outcome.findings}


def assert_runs(finding: Finding, instance: Instance) -> tuple[StateTuple, ...]:
    """Hold a trace against the interpreter, step by step, and return its states."""
    assert finding.trace is not None
    judge = Interpreter(instance)
    assert finding.trace.initial in judge.initial_states()
    state = finding.trace.initial
    for step in finding.trace.steps:
        assert judge.step(instance.spec.find_action(step.action), step.arguments, state) == (
            step.state
        )
        state = step.state
    return finding.trace.states


# --- counterexamples -----------------------------------------------------------------------


def test_all_that_is_violated_at_the_least_depth_is_reported_and_nothing_later():
    instance = Instance("ladder", LADDER)
    outcome = explore(instance, deadlocks=False)
    violated = {f.property: f.depth for f in outcome.violated()}
    assert violated == {"below_four": 4, "unhurt": 4, "slow_above_two": 4}
    assert verdicts(outcome)["below_five"] == (Verdict.UNDETERMINED, None)
    assert verdicts(outcome)["top_or_bottom"] == (Verdict.UNDETERMINED, None)
    assert not outcome.exhaustive
    for finding in outcome.violated():
        assert len(assert_runs(finding, instance)) == 5


def test_a_violation_in_an_initial_state_has_depth_0(named_example):
    example = named_example("die-hard")
    full = replace(example.spec.find_property("one_jug_is_full_or_empty"), name="full")
    never = replace(full, formula=~full.formula)
    instance = Instance("never", replace(example.spec, properties=(never,)))
    finding = explore(instance).violated()[0]
    assert finding.depth == 0
    assert len(assert_runs(finding, instance)) == 1


def test_a_step_that_changes_nothing_can_violate_a_step_property():
    instance = ladder("restless_after_five")
    (finding,) = explore(instance, deadlocks=False).violated()
    assert finding.depth == 6
    *_, before, after = assert_runs(finding, instance)
    assert before == after == (5, 0)


def test_a_counterexample_ends_in_a_violation_and_is_a_run(example):
    outcome = explore(example.instance, symmetry=example.model.symmetry)
    for finding in outcome.violated():
        *_, last = assert_runs(finding, example.instance)
        assert finding.trace is not None
        assert len(finding.trace.steps) == finding.depth
        if finding.kind == "invariant":
            prop = example.spec.find_property(finding.property)
            assert not Interpreter(example.instance).holds(prop, last)


def assert_least(control: Model, oracle: Any) -> None:
    """Hold what a negative control violates, and where, against the interpreter."""
    instance = control.instance(load_spec(control.spec))
    outcome = explore(instance, deadlocks=False)
    if outcome.states > 10_000:
        pytest.skip("too many states for the interpreter")
    truth = oracle(instance, up_to=control.depth).least_depths()
    safety = {p.name for p in instance.spec.of_kind("invariant", "step")}
    found = {f.property: f.depth for f in outcome.violated()}
    if found.keys() <= safety:
        nearest = min(d for name, d in truth.items() if name in safety)
        assert found == {p: d for p, d in truth.items() if p in safety and d == nearest}
    assert found == dict.fromkeys(control.violates, control.depth)
    for finding in outcome.violated():
        assert len(assert_runs(finding, instance)) - 1 == control.depth


@pytest.mark.slow
@pytest.mark.parametrize("control", [pytest.param(c, id=c.name) for c in CONTROLS])
def test_the_counterexample_of_a_wrong_protocol_is_shortest(control, oracle):
    assert_least(control, oracle)


def test_the_counterexample_of_one_wrong_protocol_is_shortest(oracle):
    control = min(CONTROLS, key=lambda c: (c.depth, c.name))
    assert_least(control, oracle)


# --- deadlocks and terminal states ---------------------------------------------------------


def test_a_state_without_a_step_that_changes_something_is_a_deadlock(named_example):
    instance = named_example("greedy-3").instance
    (finding,) = explore(instance).violated()
    assert (finding.property, finding.kind, finding.depth) == (DEADLOCK_FREE, "deadlock", 3)
    *_, last = assert_runs(finding, instance)
    assert all(t == last for _, _, t in Interpreter(instance).successors(last))


def test_deadlocks_are_no_matter_where_nobody_asks(named_example):
    outcome = explore(named_example("greedy-3").instance, deadlocks=False)
    assert [f.property for f in outcome.violated()] == ["all_thinking"]
    assert outcome.exhaustive


def test_named_terminal_states_are_counted_and_no_deadlock():
    outcome = explore(ladder("at_the_top", "on_the_floor"))
    assert verdicts(outcome) == {DEADLOCK_FREE: (Verdict.HOLDS, None)}
    assert outcome.terminals == {"at_the_top": 1, "on_the_floor": 1}


def test_a_terminal_state_without_a_name_is_a_deadlock():
    instance = ladder("at_the_top")
    outcome = explore(instance)
    (finding,) = outcome.violated()
    assert (finding.property, finding.depth) == (DEADLOCK_FREE, 4)
    assert not outcome.exhaustive
    assert assert_runs(finding, instance)[-1] == (3, 1)


# --- what stays within reach ---------------------------------------------------------------


def test_what_stays_within_reach_is_what_networkx_says(example, oracle):
    goals = example.spec.of_kind("always_reachable")
    instance = replace(example.instance, spec=replace(example.spec, properties=goals))
    outcome = explore(instance, symmetry=example.model.symmetry, deadlocks=False)
    truth = oracle(instance).least_depths()
    expected = {p.name: truth.get(p.name) for p in goals}
    assert {f.property: f.depth for f in outcome.findings} == expected
    for finding in outcome.violated():
        assert len(assert_runs(finding, instance)) - 1 == finding.depth


def test_a_lost_token_leaves_everybody_outside(named_example):
    (finding,) = explore(named_example("mutex-lossy").instance, deadlocks=False).violated()
    assert finding.trace is not None
    assert (finding.property, finding.kind) == ("somebody_can_get_in", "always_reachable")
    assert [s.action for s in finding.trace.steps] == ["lose"]


def test_a_goal_missed_only_behind_a_choice_is_missed_at_the_nearest_such_state():
    instance = ladder("top_or_bottom")
    (finding,) = explore(instance, deadlocks=False).violated()
    assert finding.depth == 4
    assert assert_runs(finding, instance)[-1] == (3, 1)


# --- witnesses, vacuity, idle actions ------------------------------------------------------


def test_a_witness_has_the_least_depth_of_a_state_that_shows_it(right_example, oracle):
    truth = oracle(right_example.instance)
    outcome = explore(right_example.instance, symmetry=right_example.model.symmetry)
    found = {f.property: f.depth for f in outcome.findings if f.kind == "witness"}
    for prop in right_example.spec.of_kind("witness"):
        depths = [d for s, d in truth.depths.items() if truth.interpreter.holds(prop, s)]
        assert found[prop.name] == min(depths, default=None), prop.name


def test_a_witness_that_nothing_shows_is_not_reached():
    found = verdicts(explore(ladder("high", "high_and_fallen"), deadlocks=False))
    assert found == {"high": (Verdict.HOLDS, 5), "high_and_fallen": (Verdict.VIOLATED, None)}


def test_a_property_whose_case_never_comes_up_is_vacuous():
    outcome = explore(ladder("safe_when_fallen_at_the_top", "slow_above_two"), deadlocks=False)
    assert outcome.vacuous == ("safe_when_fallen_at_the_top",)


class Ward(State):
    """A patient with an alarm that no action of the spec rings, and one that an action rings."""

    wired = flag(constant=True)
    awake = flag()
    alarm = flag()
    bell = flag()


@initial
def asleep(s: Ward) -> None:
    """All is quiet."""


@action()
def wake(s: Ward) -> None:
    """The patient wakes, and a bell that is wired up rings."""
    s.awake = True
    s.bell = s.wired


@invariant()
def no_alarm(s: Ward) -> Formula:
    """Nothing rings the alarm."""
    return ~s.alarm


@invariant()
def no_bell(s: Ward) -> Formula:
    """The bell does not ring: nothing can make it, unless it is wired up."""
    return ~s.bell


@invariant()
def quiet_or_awake(s: Ward) -> Formula:
    """This looks at the patient too, who does wake."""
    return s.awake | ~s.alarm


@pytest.mark.parametrize(
    ("wired", "vacuous"), [(False, ("no_alarm", "no_bell")), (True, ("no_alarm",))]
)
def test_an_invariant_about_what_no_step_changes_is_vacuous(wired, vacuous):
    outcome = explore(Instance("ward", spec_of(Ward), {}, {"wired": wired}), deadlocks=False)
    assert outcome.vacuous == vacuous


def test_an_action_that_is_never_enabled_counts_0():
    counts = explore(ladder(), deadlocks=False).action_counts
    assert counts == {"climb": 5, "rest": 7, "fall": 2, "fly": 0}


# --- budgets -------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [Budget(states=50), Budget(seconds=0.0), Budget(memory_mb=0.0)])
def test_a_budget_ends_in_undetermined_and_never_in_a_pass(budget, group):
    outcome = explore(group(2, 1), budget=budget)
    assert not outcome.exhaustive
    assert outcome.incomplete_reason.startswith("stopped by the budget of")
    assert outcome.states < 113
    for finding in outcome.findings:
        seen = finding.kind == "witness" and finding.depth is not None
        assert finding.verdict is (Verdict.HOLDS if seen else Verdict.UNDETERMINED)


def test_a_budget_for_all_states_is_enough(group):
    outcome = explore(group(2, 1), budget=Budget(states=113, seconds=60, memory_mb=10_000))
    assert outcome.exhaustive
    assert outcome.states == 113


def test_what_a_run_found_before_its_budget_ended_is_still_violated():
    outcome = explore(Instance("ladder", LADDER), deadlocks=False, budget=Budget(states=10))
    assert outcome.violated()[0].verdict is Verdict.VIOLATED


@pytest.mark.parametrize("states", range(12))
def test_no_budget_whatever_its_size_turns_a_wrong_protocol_into_a_right_one(states):
    outcome = explore(ladder("top_or_bottom"), deadlocks=False, budget=Budget(states=states))
    (finding,) = outcome.findings
    expected = Verdict.UNDETERMINED if states < 7 else Verdict.VIOLATED
    assert finding.verdict is expected


# --- states that do not fit ----------------------------------------------------------------


class Box(Sort):
    """A box."""


class Boxes(State):
    """One thing, in a box."""

    at = variable(Box)
    number = variable(Rung)
    full = relation(Box)


@initial
def empty(s: Boxes, b: Box) -> None:
    """Nothing is full."""
    s.at = b


@action()
def count_up(s: Boxes) -> None:
    """One more, without a look at the bounds."""
    s.number = s.number + 2


@action()
def two_minds(s: Boxes, b: Box) -> None:
    """Full and empty at once, where the thing is in that very box."""
    guard(s.number == 2, "two have been counted")

    s.full[b] = True
    s.full[s.at] = False


BOXES = Instance("boxes", spec_of(Boxes), {"Box": 2})


def first_misfit(instance):
    judge = Interpreter(instance)
    frontier = judge.initial_states()
    while True:
        frontier = [t for s in frontier for _, _, t in judge.successors(s)]


@pytest.mark.parametrize("explorer", [explore, first_misfit], ids=["explorer", "interpreter"])
def test_a_state_that_does_not_fit_is_an_error_with_action_place_and_cell(explorer):
    alone = replace(BOXES, spec=replace(BOXES.spec, actions=(BOXES.spec.find_action("count_up"),)))
    with pytest.raises(StateError) as caught:
        explorer(alone)
    said = str(caught.value)
    assert "boxes.count_up" in said
    assert "test_explorer_verdicts.py:" in said
    assert "number would become 6, outside 0..5; add a guard or widen the sort" in said


@pytest.mark.parametrize("explorer", [explore, first_misfit], ids=["explorer", "interpreter"])
def test_two_values_at_one_place_are_an_error_with_action_place_and_cell(explorer):
    with pytest.raises(StateError) as caught:
        explorer(BOXES)
    said = str(caught.value)
    assert "boxes.two_minds" in said
    assert "test_explorer_verdicts.py:" in said
    assert "gets two values in one step" in said


def test_a_spec_without_an_initial_state_that_passes_its_guards_is_an_error(named_example):
    example = named_example("market-2")
    start = example.spec.initials[0]
    wanted = replace(start.guards[0], condition=~start.guards[0].condition & False)
    closed = replace(example.spec, initials=(replace(start, guards=(wanted,)),))
    with pytest.raises(StateError, match="no initial state passes its guards"):
        explore(replace(example.instance, spec=closed))
