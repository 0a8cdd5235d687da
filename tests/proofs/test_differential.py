"""The solver's transition relation is the interpreter's, step by step.

Generated formulas can be wrong in ways that no proof shows. So on small instances every reachable
state, every step from it and every step that is refused is looked at by both.
"""

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.group_proof import group_proof
from samebeat_spec.specs import load_spec

from .compared import Compared
from .relation import Relation

CATALOG = {m.name: m for m in load_catalog()}
GROUP = load_spec("group")
OTHERS = ("pair-local", "pair-1", "pair-mixed", "pair-one-bit")


@pytest.fixture(scope="module")
def smallest(oracle):
    instance = CATALOG["group-2x1"].instance(GROUP)
    return Compared(instance, oracle(instance).steps)


@pytest.mark.parametrize("action", [a.name for a in GROUP.actions])
def test_every_step_of_the_smallest_group_is_the_interpreters(smallest, oracle, action):
    """Every reachable state, every choice of parameters."""
    counts = oracle(smallest.instance).action_counts
    assert smallest.steps(action) == counts[action]
    assert sum(counts.values()) == 752


def test_the_smallest_group_starts_where_the_interpreter_starts(smallest):
    initial = smallest.judge.initial_states()
    assert smallest.relation.initial_states_differ_from(initial) == []
    assert smallest.relation.initial_states_differ_from([]) == ["there is another one"]


def test_every_promise_about_the_smallest_group_means_the_same_to_both(smallest):
    assert smallest.formulas(GROUP.of_kind("invariant")) == 13


def test_every_strengthening_fact_means_the_same_to_both_and_is_true(smallest):
    facts = [f.prop for f in group_proof().strengthenings]
    assert smallest.formulas(facts) == len(facts)
    for state in smallest.models:
        assert all(smallest.judge.holds(f, state) for f in facts)


def test_a_wrong_relation_is_noticed(smallest):
    """The comparison can fail: a step with a guard too few is taken where it is refused."""
    weaker = Relation(
        CATALOG["group-2x1"].instance(GROUP.without("apply", "n has heard every ack"))
    )
    key = ("apply", (0, 0))
    assert any(
        weaker.after(weaker.model(s), s, *key)
        != smallest.relation.after(smallest.models[s], s, *key)
        for s in smallest.models
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_step_of_a_core_model_is_the_interpreters(name, oracle):
    model = CATALOG[name]
    instance = model.instance(load_spec(model.spec))
    reached = oracle(instance)
    assert Compared(instance, reached.steps).everything() == reached.transitions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "every"),
    [("transport-one-by-one", 60), ("composed-2-raises", 250), ("timed-2-raises", 100)],
)
def test_steps_of_larger_specs_are_the_interpreters(name, every, oracle):
    """One state of many, with all its steps and all that are refused."""
    model = CATALOG[name]
    instance = model.instance(load_spec(model.spec))
    reached = oracle(instance)
    some = {s: reached.steps[s] for s in list(reached.steps)[::every]}
    compared = Compared(instance, some)
    assert sum(compared.steps(a.name) for a in instance.spec.actions) == sum(
        len(steps) for steps in some.values()
    )


@pytest.mark.slow
def test_steps_of_two_changes_are_the_interpreters(group, oracle):
    """A state of forty, with all its steps: every action is among them, busy answers too."""
    reached = oracle(group(2, 2))
    some = {s: reached.steps[s] for s in list(reached.steps)[::40]}
    compared = Compared(group(2, 2), some)
    assert all(compared.steps(a.name) for a in GROUP.actions)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["leader-3", "mutex-3", "mutex-lossy", "polite-4", "semaphore-2", "two-phase-3"]
)
def test_every_step_of_an_example_is_the_interpreters(name, named_example, oracle):
    instance = named_example(name).instance
    reached = oracle(instance)
    assert Compared(instance, reached.steps).everything() == reached.transitions
