"""Economy and ranking: what is guessed is checked, and a wrong guess never costs a state."""

from dataclasses import replace

import networkx as nx
import pytest

from samebeat_models.explorer import explore, machine, search
from samebeat_models.explorer.economy import AssumptionBroken, Dependency, Learned, learn
from samebeat_models.explorer.machine import Machine, NoEconomy, build_machine
from samebeat_models.explorer.ranking import every_run_ends
from samebeat_models.explorer.search import Search
from samebeat_models.progress import Budget
from samebeat_models.results import Exploration
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter


def counts(outcome: Exploration) -> tuple[object, ...]:
    findings = [(f.property, f.verdict, f.depth) for f in outcome.findings]
    counted = (outcome.states, outcome.transitions, outcome.depth)
    return (*counted, findings, outcome.action_counts, outcome.terminals, outcome.vacuous)


@pytest.mark.slow
@pytest.mark.parametrize(("members", "states"), [(3, 5_020), (4, 836_423)])
def test_fewer_bits_give_the_same_outcome(members, states, group):
    instance = group(members, 1)
    plain = build_machine(instance, symmetry=False)
    thrifty = build_machine(instance, symmetry=False, thrift=1)
    assert thrifty.layout.words == 1 < plain.layout.words
    outcomes = [counts(Search(m).run()) for m in (plain, thrifty)]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == states


@pytest.mark.slow
def test_fewer_bits_hold_every_state_whole(group, oracle):
    instance = group(3, 1)
    thrifty = build_machine(instance, symmetry=False, thrift=1)
    run = Search(thrifty)
    run.run()
    levels = [
        {thrifty.unpack(level, i) for i in range(level.shape[1])} for level in run.store.levels
    ]
    assert {s: d for d, level in enumerate(levels) for s in level} == oracle(instance).depths


@pytest.mark.slow
def test_fewer_bits_go_with_symmetry(group):
    instance = group(3, 1)
    plain, thrifty = (
        counts(Search(build_machine(instance, symmetry=True, thrift=t)).run()) for t in (0, 1)
    )
    assert plain == thrifty
    assert plain[0] == 931


def test_what_saves_no_word_is_not_done(group):
    with pytest.raises(NoEconomy):
        build_machine(group(2, 1), symmetry=False, thrift=1)


@pytest.mark.slow
def test_a_large_model_is_begun_again_with_fewer_bits(group, monkeypatch):
    monkeypatch.setattr(search, "_SMALL", 100)
    outcome = explore(group(3, 1))
    assert outcome.bits < 64
    assert counts(outcome) == counts(Search(build_machine(group(3, 1), symmetry=False)).run())


@pytest.mark.slow
def test_time_that_went_into_the_first_attempt_counts(group, monkeypatch):
    monkeypatch.setattr(search, "_SMALL", 100)
    outcome = explore(group(3, 1), budget=Budget(seconds=0.01))
    assert outcome.incomplete_reason == "stopped by the budget of 0.01 s"


# --- wrong guesses -------------------------------------------------------------------------


def too_few_values(learned: Learned, instance: Instance) -> Learned:
    """Claim that nobody ever commits."""
    phases = [i for i, c in enumerate(instance.cells) if c.variable.name == "phase"]
    possible = tuple(
        values - {5} if i in phases else values for i, values in enumerate(learned.possible)
    )
    return replace(learned, possible=possible)


def a_false_dependency(learned: Learned, instance: Instance) -> Learned:
    """Claim that the last member's phase follows from the first one's."""
    phases = [i for i, c in enumerate(instance.cells) if c.variable.name == "phase"]
    table: dict[tuple[int, ...], int] = {(v,): v for v in learned.possible[phases[0]]}
    wrong = Dependency(phases[-1], (phases[0],), table)
    kept = tuple(d for d in learned.dependencies if phases[-1] not in (d.cell, *d.by))
    return replace(learned, dependencies=(*kept, wrong))


def holds_whole(ready: Machine, state: StateTuple) -> bool:
    """Return whether a machine's layout represents a state as it is."""
    if any(state[cell] not in f.values for cell, f in ready.layout.fields.items()):
        return False
    return ready.unpack(ready.pack([state]), 0) == state


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [too_few_values, a_false_dependency])
def test_a_wrong_guess_is_noticed_and_names_states_to_learn_from(mistake, group, monkeypatch):
    instance = group(3, 1)
    monkeypatch.setattr(machine, "learn", lambda *given: mistake(learn(*given), instance))
    wrong = build_machine(instance, symmetry=False, thrift=1)
    with pytest.raises(AssumptionBroken) as caught:
        Search(wrong).run()
    lessons = wrong.lessons(caught.value)
    assert lessons
    judge = Interpreter(instance)
    ground = wrong.steps.actions[caught.value.index]
    for i, state in enumerate(lessons):
        before = wrong.unpack(caught.value.states, i)
        assert judge.step(ground.action, ground.arguments, before) == state
        assert not holds_whole(wrong, state)


@pytest.mark.slow
def test_after_wrong_guesses_only_the_outcome_is_the_same(group, monkeypatch):
    instance = group(3, 1)
    attempts = []

    def stubborn(*given):
        attempts.append(given)
        return too_few_values(learn(*given), instance)

    monkeypatch.setattr(search, "_SMALL", 100)
    monkeypatch.setattr(machine, "learn", stubborn)
    outcome = explore(instance)
    assert len(attempts) == 6
    assert (outcome.states, outcome.transitions, outcome.depth) == (5_020, 75_753, 28)


# --- ranking -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("two-phase-3", False),  # finding none proves nothing: every run does end here
        ("gossip-3x2", False),  # and here
        ("mutex-3", False),
        ("leader-3", False),
        ("die-hard", False),
        ("polite-4", False),
        ("market-2", False),
    ],
)
def test_a_rank_is_found_where_no_run_goes_on_for_ever(name, ends, named_example):
    ready = build_machine(named_example(name).instance, symmetry=False)
    assert every_run_ends(ready.grounding, ready.steps.actions) is ends


def test_every_run_of_the_group_change_ends(group):
    ready = build_machine(group(2, 1), symmetry=False)
    assert every_run_ends(ready.grounding, ready.steps.actions)


def test_a_rank_is_found_only_where_the_graph_has_no_cycle(example, oracle):
    ready = build_machine(example.instance, symmetry=False)
    if every_run_ends(ready.grounding, ready.steps.actions):
        graph = oracle(example.instance).graph()
        graph.remove_edges_from([(s, s) for s in graph if graph.has_edge(s, s)])
        assert graph.number_of_edges() > 0
        assert nx.is_directed_acyclic_graph(graph)
