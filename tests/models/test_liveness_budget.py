"""What liveness may use, what it tells while it runs, and what it takes over from the explorer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.check import Budget, check_model
from samebeat_models.explorer import explore, layout
from samebeat_models.explorer import machine as explorer_machine
from samebeat_models.explorer import search as explorer_search
from samebeat_models.explorer.search import Settings, explore_and_keep
from samebeat_models.graph import graph_of, state_graph
from samebeat_models.liveness.findings import with_liveness
from samebeat_models.progress import OutOfBudget, Snapshot, Watch, resident_bytes
from samebeat_models.results import Exit, Exploration, Verdict
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

CATALOG = {m.name: m for m in load_catalog()}


@pytest.fixture
def group_2x1() -> tuple[Model, Exploration]:
    """A model with two promises, and what its exploration says."""
    model = msgspec.structs.replace(CATALOG["group-2x2"], name="small", **_small())
    return model, explore(model.instance(load_spec("group")))


def _small() -> dict[str, Any]:
    smaller = CATALOG["group-2x1"]
    pins = dict.fromkeys(("states", "transitions", "depth"))
    same = ("sizes", "constants", "idle", "unreached", "vacuous", "terminal")
    live = ("change_decided", "no_fault_commits")
    return {**pins, "live": live, **{name: getattr(smaller, name) for name in same}}


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(seconds=50), "stopped by the budget of 50 s"),
        (Budget(memory_mb=1), "stopped by the budget of 1 MB"),
    ],
)
def test_a_budget_that_runs_out_leaves_the_promises_undetermined(
    group_2x1: tuple[Model, Exploration], budget: Budget, why: str
) -> None:
    model, outcome = group_2x1
    late = with_liveness(model, replace(outcome, seconds=60.0), budget=budget)
    found = [(f.property, f.verdict, f.why) for f in late.findings[-2:]]
    undecided = Verdict.UNDETERMINED
    assert found == [("change_decided", undecided, why), ("no_fault_commits", undecided, why)]
    assert (late.incomplete_reason, late.out_of_budget) == (why, True)


def losing_patience_at(word: str) -> Callable[[Snapshot], None]:
    """Return a progress that ends the work on something."""

    def progress(now: Snapshot) -> None:
        if word in now.doing:
            raise OutOfBudget("the patience of a test")

    return progress


def test_what_was_decided_before_the_budget_ran_out_stays_decided(
    group_2x1: tuple[Model, Exploration],
) -> None:
    model, outcome = group_2x1
    late = with_liveness(model, outcome, progress=losing_patience_at("no_fault_commits"))
    assert [f.verdict for f in late.findings[-2:]] == [Verdict.HOLDS, Verdict.UNDETERMINED]


@pytest.mark.parametrize("name", ["group-2x1", "message-never-arrives", "ack-never-received"])
def test_out_of_budget_is_exit_3_for_a_model_and_for_a_control(name: str) -> None:
    model = CATALOG[name]
    _, rows = check_model(
        model, load_spec(model.spec), progress=losing_patience_at("making the graph")
    )
    assert {row.exit for row in rows} == {Exit.OK, Exit.UNDETERMINED} - (
        {Exit.OK} if model.is_control else set()
    )
    undecided = [row for row in rows if row.exit is Exit.UNDETERMINED]
    assert {row.kind for row in undecided} == {"liveness", "pins"}
    assert {row.detail for row in undecided} == {"stopped by the patience of a test"}


def test_a_control_whose_promise_is_refused_is_undetermined_and_not_wrong() -> None:
    model = msgspec.structs.replace(CATALOG["message-never-arrives"], symmetry=True)
    _, rows = check_model(model, load_spec("group"))
    assert {row.exit for row in rows} == {Exit.UNDETERMINED}


def test_a_promise_pinned_as_vacuous_is_not_missed_where_it_is_undetermined() -> None:
    model = CATALOG["pair-local"]
    promise = "change_decided"
    refused = msgspec.structs.replace(
        model,
        live=(promise,),
        vacuous=(*model.vacuous, promise),
        symmetry=True,
        states=None,
        transitions=None,
        terminal={},
    )
    _, rows = check_model(refused, load_spec("pair"))
    assert rows[-1].detail == ""


def test_it_is_told_what_is_done_with_the_states(group_2x1: tuple[Model, Exploration]) -> None:
    model, outcome = group_2x1
    told: list[Snapshot] = []
    with_liveness(
        model,
        outcome,
        explore_and_keep(outcome.instance, Settings()),
        progress=told.append,
    )
    assert list(dict.fromkeys(now.doing for now in told)) == [
        "making the graph",
        "looking for a run that breaks change_decided for c = c1",
        "looking for a run that breaks no_fault_commits for c = c1",
    ]
    assert {now.states for now in told} == {outcome.states}


def test_memory_is_asked_for_before_it_is_taken() -> None:
    watch = Watch(budget=Budget(memory_mb=resident_bytes() / 2**20 + 1_000))
    watch(0)
    with pytest.raises(OutOfBudget, match="the budget of"):
        watch(2_000 * 2**20)


# --- what the explorer leaves behind -------------------------------------------------------


def edges_by_label(graph: Any) -> set[tuple[Any, ...]]:
    return {
        (graph.state(source), *graph.label(edge), graph.state(int(graph.target[edge])))
        for source in range(len(graph))
        for edge in range(graph.start[source], graph.start[source + 1])
    }


@pytest.mark.parametrize(
    ("name", "word_bits"), [("mutex-3", 64), ("polite-4", 64), ("polite-4", 6), ("semaphore-2", 2)]
)
def test_the_graph_of_what_the_explorer_found_is_the_one_that_is_made_anew(
    named_example: Callable[[str], Any],
    name: str,
    word_bits: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With words of few bits the explorer leaves out what others determine."""
    instance: Instance = named_example(name).instance
    anew = state_graph(instance)
    monkeypatch.setattr(layout, "WORD_BITS", word_bits)
    monkeypatch.setattr(explorer_machine, "_SAMPLE_WIDTH", 1)
    monkeypatch.setattr(explorer_search, "_SMALL", 0)
    explored = explore_and_keep(instance, Settings())
    kept = graph_of(explored.machine, explored.store)
    assert bool(explored.machine.grounding.definitions) == (word_bits < 64)
    assert len(kept) == len(anew)
    assert edges_by_label(kept) == edges_by_label(anew)
    assert [kept.state(i) for i in kept.initial] == [anew.state(i) for i in anew.initial]
