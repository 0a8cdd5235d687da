"""A counterexample is reached, broken elsewhere, not reached or undetermined: each comes out."""

import pytest

from samebeat_models.broken import look_for
from samebeat_models.classify import Classified, Kind, Place, classify, look_up
from samebeat_models.progress import Budget
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

GROUP = load_spec("group")
AGREEMENT = GROUP.find_property("agreement")
BUDGET = Budget(states=100_000)
WRONG = GROUP.without("commit", "n has heard every ok")
FAILURE = WRONG.find_property("failure_excludes_commit")


def wrong(nodes: int) -> Instance:
    return Instance(
        "wrong",
        WRONG,
        {"Node": nodes, "Change": 1, "Epoch": 2, "Value": 2},
        {"start_value": "v1", "asked": {"c1": "v2"}},
    )


def run_of(place: Place | Classified | None) -> Trace:
    """Return the run that comes with a verdict; there must be one."""
    assert place is not None
    assert place.trace is not None
    return place.trace


def last_step(instance: Instance) -> tuple[StateTuple, Step]:
    """Return the last state but one of a shortest run that breaks the promise, and the step."""
    found = look_for(instance, FAILURE, BUDGET)
    assert found.trace is not None
    return found.trace.states[-2], found.trace.steps[-1]


def never(instance: Instance) -> StateTuple:
    """Return a state that no run reaches: one has committed, another has undone."""
    (start,) = Interpreter(instance).initial_states()
    phases = {"phase[n1, c1]": 5, "phase[n2, c1]": 6}
    return tuple(phases.get(instance.cell_label(i), x) for i, x in enumerate(start))


def test_every_state_of_the_graph_is_found_at_its_depth(group, oracle):
    instance = group(2, 1)
    depths = oracle(instance).depths
    states = list(depths)[::20]
    places = look_up(instance, states, BUDGET)
    assert [len(run_of(p).steps) for p in places] == [depths[s] for s in states]
    assert [run_of(p).states[-1] for p in places] == states
    assert {p.verdict for p in places} == {"reached"}


def test_a_state_of_no_run_is_not_found_once_all_were_seen(group):
    (place,) = look_up(group(2, 1), [never(group(2, 1))], BUDGET)
    assert (place.verdict, place.trace, place.why, place.states) == ("not reached", None, "", 113)


def test_a_part_of_the_graph_says_nothing(group):
    (place,) = look_up(group(2, 1), [never(group(2, 1))], Budget(states=20))
    assert place.verdict == "undetermined"
    assert place.why


def test_a_step_from_a_state_that_runs_reach_is_a_defect_with_its_run():
    instance = wrong(2)
    state, step = last_step(instance)
    found = classify(instance, FAILURE, state, step, BUDGET)
    assert found.kind is Kind.REACHED
    assert run_of(found).states[-1] == step.state
    assert not Interpreter(instance).holds(FAILURE, run_of(found).states[-1])
    assert len(run_of(found).steps) == len(run_of(found.before).steps) + 1 == 10


def test_no_run_gets_there_but_another_one_breaks_it():
    instance = wrong(2)
    state = never(instance)
    found = classify(instance, FAILURE, state, Step("commit", (0, 0), state), BUDGET)
    assert found.kind is Kind.ELSEWHERE
    assert found.after is not None
    assert found.before.verdict == found.after.verdict == "not reached"
    assert len(run_of(found).steps) == 10


def test_what_one_member_cannot_show_two_may():
    (start,) = Interpreter(wrong(1)).initial_states()
    odd = tuple(6 if wrong(1).cell_label(i) == "phase[n1, c1]" else x for i, x in enumerate(start))
    alone = classify(wrong(1), FAILURE, odd, None, BUDGET)
    assert alone.kind is Kind.UNREACHED
    found = classify(wrong(1), FAILURE, odd, None, BUDGET, [wrong(2)])
    assert found.kind is Kind.ELSEWHERE
    assert run_of(found).instance.sizes["Node"] == 2


@pytest.mark.slow
def test_no_run_gets_there_and_none_breaks_it_so_a_fact_is_missing(group):
    instance = group(2, 1)
    found = classify(instance, AGREEMENT, never(instance), None, BUDGET, [group(2, 2)])
    assert found.kind is Kind.UNREACHED
    assert [str(x.verdict) for x in found.others] == ["holds"]


def test_a_budget_that_runs_out_is_undetermined(group):
    instance = group(2, 1)
    found = classify(instance, AGREEMENT, never(instance), None, Budget(states=20))
    assert found.kind is Kind.UNDETERMINED
    assert found.why


def test_an_order_too_short_for_the_runs_gets_longer():
    """A commit needs a second epoch; the state is found in the longer instance."""
    short = Instance(
        "short",
        GROUP,
        {"Node": 1, "Change": 1, "Epoch": 1, "Value": 2},
        {"start_value": "v1", "asked": {"c1": "v2"}},
    )
    (start,) = Interpreter(short).initial_states()
    (place,) = look_up(short, [start], BUDGET)
    assert place.verdict == "reached"
    assert place.instance.sizes["Epoch"] == 2
