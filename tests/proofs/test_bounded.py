"""A bounded search takes the interpreter's steps, finds what the explorer finds, and never more."""

from collections.abc import Callable
from typing import Any

import pytest
import z3
from tests.conftest import Example

from samebeat_models.catalog import load_catalog
from samebeat_models.explorer.search import explore
from samebeat_models.progress import Budget as States
from samebeat_proofs.bounded import BoundedSearch, search
from samebeat_proofs.finite import Finite
from samebeat_proofs.serial import Judge
from samebeat_proofs.solver import Budget
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.specs import load_spec

MODELS = {m.name: m for m in load_catalog()}
FEW, MANY = 8, 60
"""States of a model that are held against the interpreter, in a fast test and in a slow one."""


def instance_of(name: str) -> Instance:
    return MODELS[name].instance(load_spec(MODELS[name].spec))


# --- one step ------------------------------------------------------------------------------


def as_solver_has_it(finite: Finite, state: StateTuple) -> set[tuple[str, Arguments, StateTuple]]:
    """Return every step from a state as the formulas have it, with what does not fit."""
    values = [
        finite.universe.element(cell.variable.to, x)
        for cell, x in zip(finite.instance.cells, state, strict=True)
    ]
    pairs = list(zip(finite.cells, values, strict=True))

    def here(formula: Any) -> Any:
        return z3.simplify(z3.substitute(formula, *pairs))

    found, cells = set(), finite.instance.cells
    for step in finite.steps:
        if not z3.is_true(here(step.needs)):
            continue
        assert z3.is_true(here(step.fits))
        after = list(values)
        for cell, (when, value) in step.effects.items():
            after[cell] = here(value) if z3.is_true(here(when)) else values[cell]
        numbers = (finite._value(x, c.variable.to) for x, c in zip(after, cells, strict=True))
        found.add((step.action.name, step.arguments, tuple(numbers)))
    return found


def test_the_formulas_have_exactly_the_interpreters_steps(example: Example, oracle):
    reached = oracle(example.instance, 6)
    finite = Finite(example.instance)
    looked_at = list(reached.steps)
    assert looked_at
    for state in looked_at[:: max(1, len(looked_at) // FEW)]:
        assert as_solver_has_it(finite, state) == set(reached.steps[state])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "group-2x1",
        "pair-1",
        "prompt-raises",
        "acks-count-settles",
        "limits-fragment-raise",
        "cluster-2x1-live",
        "composed-2-raises",
    ],
)
def test_so_have_those_of_the_shipped_models(name, oracle):
    instance = instance_of(name)
    reached = oracle(instance, 7)
    finite = Finite(instance)
    for state in list(reached.steps)[:: max(1, len(reached.steps) // MANY)]:
        assert as_solver_has_it(finite, state) == set(reached.steps[state])


def test_what_is_not_mentioned_does_not_matter(group):
    """A step reads no cell beside those that it says it reads: its effect stays the same."""
    finite = Finite(group(2, 1))
    (commit,) = (s for s in finite.steps if s.action.name == "commit" and s.arguments == (0, 0))
    read = {finite.instance.cell_label(i) for i in commit.reads}
    assert read == {"base[c1]", "phase[n1, c1]", "heard[n1, n1, OK]", "heard[n1, n2, OK]"}
    assert "epoch[n1]" in {finite.instance.cell_label(i) for i in commit.writes}


# --- runs ----------------------------------------------------------------------------------


def test_one_action_a_step_finds_the_least_depth_of_the_oracle(example: Example, oracle):
    """Goals that must stay within reach are left out: only runs that get stuck are looked for."""
    reached = oracle(example.instance, 6)
    least = {
        name: depth
        for name, depth in reached.least_depths().items()
        if name not in {p.name for p in example.instance.spec.of_kind("always_reachable")}
    }
    found = search(example.instance, 5, parallel=False, wanted=list(least) or None)
    if found.run is None:
        assert not [d for d in least.values() if d <= 5]
        assert (found.depth, found.broken) == (5, ())
    else:
        assert len(found.run.taken) == min(least.values())
        assert set(found.broken) <= {n for n, d in least.items() if d == min(least.values())}


@pytest.mark.parametrize(
    "name",
    [
        "apply-without-every-ack",
        "send-busy-without-rival",
        "receive-request-without-request",
        "acks-suspect-without-reason",
        pytest.param("cluster-apply-without-every-ack", marks=pytest.mark.slow),
    ],
)
def test_one_action_a_step_finds_the_explorers_shortest_run(name):
    model = MODELS[name]
    found = search(instance_of(name), 12, parallel=False, deadlocks=False)
    explored = explore(instance_of(name), deadlocks=False, budget=States(states=200_000))
    least = min(f.depth for f in explored.violated() if f.depth is not None)
    assert found.run
    assert len(found.run.taken) == model.depth == least
    assert set(found.broken) <= set(model.violates)


def test_sets_of_actions_find_nothing_that_the_explorer_does_not(right_example: Example):
    found = search(right_example.instance, 6)
    assert (found.run, found.broken) == (None, ())
    assert found.depth == 6


def test_sets_of_actions_need_fewer_steps():
    name = "commit-without-every-ok"
    found = search(instance_of(name), 6, wanted=["failure_excludes_commit"])
    assert found.depth == 5
    assert found.run
    assert len(found.at_once) == 6
    assert sum(found.at_once) >= len(found.run.taken) == MODELS[name].depth == 10


@pytest.mark.slow
def test_a_right_model_is_searched_to_the_depth_and_no_verdict_comes_of_it(group):
    found = search(group(2, 1), 8)
    assert (found.run, found.broken, found.why, found.depth) == (None, (), "", 8)
    assert found.taken
    assert "commit" in found.taken
    assert "send_busy" not in found.taken  # there is no second change that could be in the way


def test_within_few_steps_few_actions_are_taken(group):
    assert search(group(2, 1), 2).taken == frozenset({"request", "receive_request"})


def test_a_budget_that_runs_out_is_no_depth(group):
    found = search(group(2, 1), 12, budget=Budget(rlimit=1_000))
    assert found.run is None
    assert found.depth < 12
    assert found.why.startswith("the budget of the solver ran out at depth ")


@pytest.mark.slow
def test_a_run_that_gets_stuck_without_the_goal_is_found(oracle):
    instance = instance_of("close-busied-without-busy-answer")
    found = search(instance, 8, deadlocks=False)
    assert found.broken == ("quiescence_reachable",)
    assert found.run
    assert found.run.last in oracle(instance).stuck()


def test_a_step_to_a_state_that_does_not_fit_is_an_error_of_the_spec():
    """A commit needs a second epoch."""
    short = Instance(
        "short",
        load_spec("group"),
        {"Node": 1, "Change": 1, "Epoch": 1, "Value": 2},
        {"start_value": "v1", "asked": {"c1": "v2"}},
    )
    with pytest.raises(StateError, match="epoch"):
        search(short, 9)


# --- the serialisation is looked at --------------------------------------------------------


def both_request(group: Callable[[int, int], Instance]) -> tuple[BoundedSearch, z3.CheckSatResult]:
    """Return a search in which two members are to ask for one change in the same step."""
    engine = BoundedSearch(group(2, 1))
    engine._extend()
    engine._extend()
    for step, taken in zip(engine.finite.steps, engine._taken[0], strict=True):
        engine.solver.add(taken if step.action.name == "request" else z3.Not(taken))
    return engine, engine.solver.ask(z3.BoolVal(True, engine.finite.universe.context))


def test_actions_that_interfere_are_never_taken_at_once(group):
    assert both_request(group)[1] == z3.unsat


def test_actions_that_interfere_would_be_refused_one_by_one(group, monkeypatch):
    """Where the solver may take them at once, the run is none, and the interpreter says so."""
    monkeypatch.setattr(BoundedSearch, "_do_not_interfere", lambda *_: iter(()))
    engine, answer = both_request(group)
    assert answer == z3.sat
    with pytest.raises(AssertionError, match="one by one, an action of step 1 is refused"):
        engine._read()


@pytest.mark.slow
def test_every_order_of_a_set_leads_to_the_same_state():
    """That is what non-interference is for: each set backwards is a run too, with the same end."""
    engine = BoundedSearch(instance_of("commit-without-every-ok"), deadlocks=False)
    assert engine.search(6).run is not None
    judge, run = Judge(engine.instance, ()), engine._read()
    backwards = []
    for picked in engine._picks():
        steps = [engine.finite.steps[i] for i in reversed(picked)]
        backwards += [(s.action.name, s.arguments) for s in steps]
    assert max(map(len, engine._picks())) > 1
    again = judge.run(run.initial, backwards)
    assert again
    assert again.last == run.last


def test_a_run_is_shortened_to_what_it_needs():
    instance = instance_of("apply-without-every-ack")
    judge = Judge(instance, ["apply_after_full_receipt"])
    (start,) = judge.interpreter.initial_states()
    n1, n2 = (0, 0), (1, 0)
    taken = [("request", n1), ("receive_request", n2), ("receive_request", n1), ("send_ack", n1)]
    run = judge.run(start, [*taken, ("apply", n1), ("send_ack", n2)])
    assert run
    short = judge.shortened(run)
    assert [name for name, _ in short.taken] == ["request", "receive_request", "send_ack", "apply"]
    assert judge.broken(short) == ("apply_after_full_receipt",)
    assert judge.run(start, [("apply", n1)]) is None
