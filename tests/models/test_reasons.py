"""A formula is explained by few cells, and by these alone."""

import itertools
from collections.abc import Iterable, Mapping

import pytest

from samebeat_models.reasons import Why, what_matters
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

GROUP = load_spec("group")


def named(instance: Instance, cells: Iterable[int]) -> set[str]:
    """Return cells by their labels."""
    return {instance.cell_label(i) for i in cells}


def state_with(instance: Instance, cells: Mapping[str, int]) -> StateTuple:
    """Return the start with some cells set."""
    (start,) = Interpreter(instance).initial_states()
    return tuple(cells.get(instance.cell_label(i), x) for i, x in enumerate(start))


COMMITTED, UNDONE = 5, 6


def test_of_all_members_the_two_that_differ_are_named(group):
    instance = group(3, 1)
    state = state_with(instance, {"phase[n1, c1]": COMMITTED, "phase[n3, c1]": UNDONE})
    matters = what_matters(instance, GROUP.find_property("agreement"), state)
    assert named(instance, matters.all) == {"phase[n1, c1]", "phase[n3, c1]"}
    assert not matters.changed | matters.guards | matters.before


def test_of_a_step_what_it_changes_and_what_its_guards_read_matters(group):
    instance = group(2, 1)
    (start,) = Interpreter(instance).initial_states()
    request = GROUP.find_action("request")
    after = Interpreter(instance).step(request, (0, 0), start)
    matters = what_matters(instance, None, start, request, (0, 0), after)
    assert named(instance, matters.changed) == {"requested[c1]"}
    assert named(instance, matters.guards) == {"requested[c1]", "epoch[n1]"}


def test_a_step_property_reads_both_states(group):
    instance = group(2, 1)
    before = state_with(instance, {"phase[n1, c1]": COMMITTED})
    after = state_with(instance, {"phase[n1, c1]": UNDONE})
    prop, undo = GROUP.find_property("decision_stable"), GROUP.find_action("undo")
    matters = what_matters(instance, prop, before, undo, (0, 0), after)
    assert named(instance, matters.before) == named(instance, matters.after) == {"phase[n1, c1]"}


@pytest.mark.parametrize("name", ["agreement", "value_known", "one_open_change", "status_once"])
def test_the_formula_keeps_its_value_whatever_the_other_cells_are(group, oracle, name):
    """In states that differ in the other cells only, the value is the same."""
    instance = group(2, 1)
    prop, judge = GROUP.find_property(name), Interpreter(instance)
    states = list(oracle(instance).depths)[::9]
    assert len(states) > 10
    for state, other in itertools.pairwise(states):
        kept = {i for i, _ in Why(instance, state).reasons(prop.formula, {})}
        mixed = tuple(a if i in kept else b for i, (a, b) in enumerate(zip(state, other)))  # noqa: B905
        assert judge.holds(prop, mixed) == judge.holds(prop, state)
