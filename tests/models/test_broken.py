"""A formula is broken by a shortest run, or by none."""

from dataclasses import replace

import pytest

from samebeat_models.broken import look_for
from samebeat_models.progress import Budget
from samebeat_models.results import Verdict
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

BUDGET = Budget(states=100_000)
GROUP = load_spec("group")


def denied(witness: str):
    """Return that a situation never comes, as an invariant."""
    prop = GROUP.find_property(witness)
    return replace(prop, kind="invariant", formula=~prop.formula)


def test_a_formula_that_some_run_breaks_has_a_shortest_run(group, oracle):
    prop = denied("a_commit_seen_by_one")
    instance = group(2, 1)
    reached = oracle(instance)
    found = look_for(instance, prop, BUDGET)
    assert found.verdict is Verdict.VIOLATED
    assert found.trace
    assert not reached.interpreter.holds(prop, found.trace.states[-1])
    broken = [d for s, d in reached.depths.items() if not reached.interpreter.holds(prop, s)]
    assert len(found.trace.steps) == min(broken)


def test_a_step_property_is_looked_at_step_by_step(group):
    prop = GROUP.find_property("decision_stable")
    assert look_for(group(2, 1), prop, BUDGET).verdict is Verdict.HOLDS


def test_a_formula_that_no_run_breaks_holds_and_every_state_was_seen(group):
    found = look_for(group(2, 1), GROUP.find_property("agreement"), BUDGET)
    assert (found.verdict, found.trace, found.states) == (Verdict.HOLDS, None, 113)


@pytest.mark.parametrize("states", [1, 50])
def test_a_search_that_ends_early_is_no_answer(group, states):
    found = look_for(group(2, 1), GROUP.find_property("agreement"), Budget(states=states))
    assert found.verdict is Verdict.UNDETERMINED
    assert found.why


def test_an_order_too_short_for_the_runs_gets_longer():
    """A commit needs a second epoch."""
    short = Instance(
        "short",
        GROUP,
        {"Node": 2, "Change": 1, "Epoch": 1, "Value": 2},
        {"start_value": "v1", "asked": {"c1": "v2"}},
    )
    found = look_for(short, GROUP.find_property("agreement"), BUDGET)
    assert (found.verdict, found.states) == (Verdict.HOLDS, 113)
    assert found.instance.sizes["Epoch"] == 2
