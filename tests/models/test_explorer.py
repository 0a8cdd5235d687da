"""The explorer against the interpreter: the same states, the same steps, from every state."""

from typing import Any

import pytest

from samebeat_models.check import check_model
from samebeat_models.explorer import explore
from samebeat_models.explorer.kernels import Block
from samebeat_models.explorer.machine import Machine, build_machine
from samebeat_models.explorer.search import Search, Settings
from samebeat_models.results import Exploration, Verdict
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple

Step = tuple[str, Arguments, StateTuple]


def explored(instance: Instance, min_words: int = 1) -> tuple[Machine, Search, Exploration]:
    """Explore to the very end, deadlocks or not; return the machine, the search and its outcome."""
    machine = build_machine(instance, symmetry=False, min_words=min_words)
    search = Search(machine, Settings(deadlocks=False))
    return machine, search, search.run()


def levels_of(machine: Machine, search: Search) -> list[set[StateTuple]]:
    """Return for each depth the set of states first seen there."""
    return [
        {machine.unpack(level, i) for i in range(level.shape[1])} for level in search.store.levels
    ]


def steps_of(machine: Machine, search: Search) -> dict[StateTuple, list[Step]]:
    """Return for each state the explorer's steps, stuttering ones included, in order."""
    names: dict[tuple[int, ...], tuple[int, ...]] = {}
    for level in search.store.levels:
        names.update((tuple(c), machine.unpack(level, i)) for i, c in enumerate(level.T.tolist()))
    found: dict[StateTuple, list[Step]] = {state: [] for state in names.values()}
    for level in search.store.levels:
        columns = [names[tuple(c)] for c in level.T.tolist()]
        block = Block(level)
        moves = {steps.index: steps for steps in machine.steps.steps(block)}
        for index, ground in enumerate(machine.steps.actions):
            enabled = machine.steps.kernel.mask(ground.guard)(block).nonzero()[0]
            after = {}
            if index in moves:
                assert moves[index].enabled == len(enabled)
                sources = moves[index].source.nonzero()[0].tolist()
                after = dict(zip(sources, moves[index].after.T.tolist(), strict=True))
            for i in enabled.tolist():
                target = names[tuple(after[i])] if i in after else columns[i]
                found[columns[i]].append((ground.action.name, ground.arguments, target))
    return found


def assert_same(instance: Instance, oracle: Any, min_words: int = 1) -> None:
    """Hold states, depths, steps and counts of the explorer against the interpreter's."""
    truth = oracle(instance)
    machine, search, outcome = explored(instance, min_words)
    levels = levels_of(machine, search)
    assert {s: d for d, level in enumerate(levels) for s in level} == truth.depths
    assert sum(map(len, levels)) == search.store.count == len(truth.depths)
    mine = steps_of(machine, search)
    assert mine.keys() == truth.steps.keys()
    for state, steps in truth.steps.items():
        assert mine[state] == steps
    assert outcome.action_counts == truth.action_counts
    assert (outcome.transitions, outcome.depth) == (truth.transitions, truth.depth)
    assert outcome.terminals == truth.terminals()


def test_the_explorer_finds_the_interpreters_states_and_steps(example, oracle):
    assert_same(example.instance, oracle)


def test_the_group_change_of_2_members_is_what_the_interpreter_says(group, oracle):
    truth = oracle(group(2, 1))
    assert (len(truth.depths), truth.transitions, truth.depth) == (113, 752, 15)
    assert_same(group(2, 1), oracle)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("members", "changes", "counts"), [(2, 2, (4_294, 32_456, 30)), (3, 1, (5_020, 75_753, 28))]
)
def test_larger_group_changes_are_what_the_interpreter_says(
    members, changes, counts, group, oracle
):
    truth = oracle(group(members, changes))
    assert (len(truth.depths), truth.transitions, truth.depth) == counts
    assert_same(group(members, changes), oracle)


@pytest.mark.parametrize("words", [2, 3])
def test_several_words_hold_the_same_states_as_one(words, group, oracle):
    assert_same(group(2, 1), oracle, min_words=words)


@pytest.mark.parametrize("words", [2, 3])
def test_several_words_give_the_same_outcome(words, right_example):
    symmetry = right_example.model.symmetry
    one = explore(right_example.instance, symmetry=symmetry)
    more = explore(right_example.instance, symmetry=symmetry, min_words=words)
    for what in ("states", "transitions", "depth", "action_counts", "terminals", "vacuous"):
        assert getattr(one, what) == getattr(more, what), what
    outcomes = [[(f.property, f.verdict, f.depth) for f in x.findings] for x in (one, more)]
    assert outcomes[0] == outcomes[1]


@pytest.mark.slow
@pytest.mark.parametrize("words", [2, 3])
def test_several_words_give_the_same_outcome_on_a_larger_model(words, group):
    outcome = explore(group(2, 2), min_words=words)
    assert (outcome.states, outcome.transitions, outcome.depth) == (4_294, 32_456, 30)


# --- published counts ----------------------------------------------------------------------


def test_two_phase_commit_has_its_published_counts(named_example):
    """TLC: 1,146 states generated, 288 distinct states found, depth 11, the first state counted."""
    example = named_example("two-phase-3")
    outcome = explore(example.instance)
    initial = 1
    assert outcome.states == 288
    assert outcome.transitions + initial == 1_146
    assert outcome.depth + 1 == 11


@pytest.mark.parametrize(("name", "states"), [("two-phase-5", 8_832), ("two-phase-6", 50_816)])
def test_larger_two_phase_commits_have_their_published_counts(name, states, named_example):
    assert explore(named_example(name).instance).states == states


def test_die_hard_is_solved_in_six_steps_among_16_states(named_example):
    """TLC: 97 states generated, 16 distinct states found."""
    outcome = explore(named_example("die-hard").instance)
    assert (outcome.states, outcome.transitions + 1) == (16, 97)
    assert {f.property: f.depth for f in outcome.findings}["four_litres"] == 6


def test_every_example_is_as_its_model_says(example):
    _, rows = check_model(example.model, example.spec)
    assert [r for r in rows if not r.as_expected] == []
    violated = {r.property for r in rows if r.verdict is Verdict.VIOLATED}
    assert violated == set(example.model.violates)
