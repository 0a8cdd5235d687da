"""Symmetry: one state of each orbit, orbits counted by hand, and traces that are real runs."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest

from samebeat_models.explorer import explore
from samebeat_models.explorer.machine import build_machine
from samebeat_models.explorer.search import Search, Settings
from samebeat_models.explorer.symmetry import symmetry_of
from samebeat_models.results import Finding, Verdict
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

Renaming = dict[str, tuple[int, ...]]


def renamings(instance: Instance) -> Iterator[Renaming]:
    """Yield every way to rename the elements of symmetric sorts that keeps the constants."""
    sorts = [s for s in instance.spec.sorts if s.symmetric]
    for pick in product(*(permutations(instance.domain(s)) for s in sorts)):
        renaming = {s.__name__: image for s, image in zip(sorts, pick, strict=True)}
        if all(
            table[tuple(renamed(renaming, s, a) for s, a in zip(v.arguments, place, strict=True))]
            == renamed(renaming, v.to, value)
            for v in instance.spec.constants
            for table in [instance.constant_values[v.name]]
            for place, value in table.items()
        ):
            yield renaming


def renamed(renaming: Renaming, sort: Any, value: int) -> int:
    return renaming[sort.__name__][value] if sort and sort.__name__ in renaming else value


def image_of(instance: Instance, renaming: Renaming, state: StateTuple) -> StateTuple:
    image = [0] * len(state)
    for cell, value in zip(instance.cells, state, strict=True):
        v = cell.variable
        place = tuple(
            renamed(renaming, s, a) for s, a in zip(v.arguments, cell.arguments, strict=True)
        )
        image[instance.cell_index[v.name][place]] = renamed(renaming, v.to, value)
    return tuple(image)


def orbit_of(instance: Instance, ways: list[Renaming], state: StateTuple) -> StateTuple:
    """Return a name for the orbit of a state: the least of its images."""
    return min(image_of(instance, way, state) for way in ways)


def orbits_by_depth(instance: Instance, oracle: Any) -> dict[StateTuple, int]:
    """Return the orbits of all reachable states with their least depths."""
    ways = list(renamings(instance))
    found: dict[StateTuple, int] = {}
    for state, depth in oracle(instance).depths.items():
        orbit = orbit_of(instance, ways, state)
        found[orbit] = min(depth, found.get(orbit, depth))
    return found


def assert_one_state_of_each_orbit(instance: Instance, oracle: Any) -> int:
    """Hold the explorer's states under symmetry against the orbits; return how many there are."""
    truth = orbits_by_depth(instance, oracle)
    ways = list(renamings(instance))
    machine = build_machine(instance, symmetry=True)
    search = Search(machine, Settings(symmetry=True, deadlocks=False))
    search.run()
    found = {
        orbit_of(instance, ways, machine.unpack(level, i)): depth
        for depth, level in enumerate(search.store.levels)
        for i in range(level.shape[1])
    }
    assert found == truth
    assert search.store.count == len(truth)
    return len(truth)


def test_the_explorer_keeps_one_state_of_each_orbit(example, oracle):
    if example.model.symmetry:
        count = assert_one_state_of_each_orbit(example.instance, oracle)
        assert count == example.model.states


def test_the_group_change_of_2_members_has_63_orbits(group, oracle):
    assert assert_one_state_of_each_orbit(group(2, 1), oracle) == 63


@pytest.mark.slow
@pytest.mark.parametrize(("members", "changes", "orbits"), [(2, 2, 2_213), (3, 1, 931)])
def test_larger_group_changes_have_these_orbits(members, changes, orbits, group, oracle):
    assert assert_one_state_of_each_orbit(group(members, changes), oracle) == orbits


def test_a_ring_of_constants_leaves_only_its_turns(named_example):
    """4 seats have 24 permutations; a table can be turned in 4 ways, one of them not at all."""
    instance = named_example("polite-4").instance
    found = symmetry_of(instance, Interpreter(instance).initial_states())
    assert len(found.maps) == 3


def test_a_constant_that_names_one_element_leaves_the_others(named_example):
    instance = named_example("polite-4").instance
    alone = {f"p{i}": "p1" for i in (1, 2, 3, 4)}
    other = replace(instance, constants={**instance.constants, "next_to": alone})
    found = symmetry_of(other, Interpreter(other).initial_states())
    assert len(found.maps) == 3 * 2 - 1


def test_initial_states_that_tell_elements_apart_restrict_symmetry(named_example):
    instance = named_example("mutex-3").instance
    states = Interpreter(instance).initial_states()
    assert len(symmetry_of(instance, states).maps) == 3 * 2 - 1
    assert len(symmetry_of(instance, states[:1]).maps) == 2 - 1


def test_representatives_do_not_depend_on_the_member_of_the_orbit(group, oracle):
    instance = group(3, 1)
    machine = build_machine(instance, symmetry=True)
    state = Interpreter(instance).initial_states()[0]
    for _ in range(20):
        *_, (_, _, state) = Interpreter(instance).successors(state)
        images = [image_of(instance, way, state) for way in renamings(instance)]
        assert len(images) == 6
        least = machine.canonical(machine.pack(images))
        assert {tuple(c) for c in least.T.tolist()} == {tuple(least[:, 0].tolist())}


# --- verdicts and traces -------------------------------------------------------------------


def outcome_of(instance: Instance, symmetry: bool) -> dict[str, tuple[Verdict, int | None]]:
    found = explore(instance, symmetry=symmetry)
    return {f.property: (f.verdict, f.depth) for f in found.findings}


def test_symmetry_changes_no_verdict_and_no_depth(example):
    assert outcome_of(example.instance, True) == outcome_of(example.instance, False)


def assert_runs(finding: Finding, instance: Instance) -> None:
    """Hold a trace against the interpreter, step by step, up to its violation."""
    assert finding.trace is not None
    judge = Interpreter(instance)
    before = state = finding.trace.initial
    assert state in judge.initial_states()
    for step in finding.trace.steps:
        action = instance.spec.find_action(step.action)
        assert judge.step(action, step.arguments, state) == step.state
        before, state = state, step.state
    prop = instance.spec.find_property(finding.property)
    if finding.kind == "invariant":
        assert not judge.holds(prop, state)
    elif finding.kind == "step":
        assert not judge.holds(prop, before, state)


@pytest.mark.parametrize(
    ("action", "guard"),
    [
        pytest.param("receive", "m has sent it", marks=pytest.mark.slow),
        ("apply", "n has heard every ack"),
        pytest.param("undo", "n has heard a failure", marks=pytest.mark.slow),
        pytest.param("commit", "n has heard every ok", marks=pytest.mark.slow),
    ],
)
def test_a_trace_found_under_symmetry_is_a_real_run_of_the_wrong_protocol(action, guard, group):
    spec = load_spec("group").without(action, guard).with_end_properties_only()
    instance = replace(group(3, 1), spec=spec)
    plain = explore(instance, deadlocks=False).violated()
    reduced = explore(instance, symmetry=True, deadlocks=False).violated()
    assert [(f.property, f.depth) for f in reduced] == [(f.property, f.depth) for f in plain]
    assert reduced
    for finding in reduced:
        assert_runs(finding, instance)
