"""Changes of the limits of the message layer: orders are those of the registry, others do harm."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_models.claims_table import claim_rows
from samebeat_models.explorer import explore
from samebeat_models.second_opinion import PEER_NAMES, run_peer, why_unavailable
from samebeat_spec.combinations import Combination, Direction, Stage, safe_order
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.limits import GLOBAL, LIMITS, Kind
from samebeat_spec.parameters import (
    BY_NAME,
    PARAMETERS,
    Assumptions,
    needs_synchronisation,
    traces,
)
from samebeat_spec.specs import load_spec

SPEC = load_spec("limits")
MODELS = [m for m in load_catalog() if m.spec == "limits"]
NAMED = {m.name: m for m in MODELS}
RIGHT = [m for m in MODELS if not m.is_control]
WRONG_ORDERS = [m for m in MODELS if m.violates and not m.without]
ORDERED = [m for m in MODELS if m not in WRONG_ORDERS]
LIMIT_NAMES = [e.label.lower() for e in Kind.elements]
TIMER, TIME = "message_retry_timer", "maximum_message_retry_time"

Levels = dict[str, int]
Step = str | tuple[str | int, ...]


def named(models: list[Model]) -> list[Any]:
    return [pytest.param(m, id=m.name) for m in models]


def limits_of(model: Model) -> dict[str, str]:
    """Return for each label of the model's limits its name in the registry."""
    return {label: kind.lower() for label, kind in model.constants["kind"].items()}


def levels(model: Model) -> list[Levels]:
    """Return for each change the levels that it asks for, by the names of the registry."""
    labels, wanted = limits_of(model), model.constants["wanted"]
    changes = sorted({place.partition(",")[0] for place in wanted})
    return [{name: wanted[f"{c},{p}"] for p, name in labels.items()} for c in changes]


def is_valid(present: Levels, wanted: Levels) -> bool:
    """Return whether the registry lets a change be made; a fragment level is 100 bytes.

    What a model leaves out has the least value.
    """
    change = Combination({n: 100 * x if n.endswith("size") else x for n, x in wanted.items()})
    present = {TIMER: 1, "receive_send_timer_ratio": 2, **present}
    return not change.problems(present, Assumptions())


def stage_lines(model: Model, d: int, c: int, stages: tuple[Stage, ...]) -> set[str]:
    """Return an order as an instance writes it."""
    label = {name: p for p, name in limits_of(model).items()}
    return {
        f"{d},{c},{turn},{stage.move.name},{label[name]}"
        for turn, stage in enumerate(stages)
        for name in stage.names
    }


def ways(model: Model) -> Iterator[tuple[int, int, Levels, Levels]]:
    """Yield each change with each earlier one that may be in force when it is asked for."""
    asked = levels(model)
    for c, d in product(range(len(asked)), repeat=2):
        if d < c and is_valid(asked[d], asked[c]):
            yield d, c, asked[d], asked[c]


def derived(model: Model) -> set[str]:
    """Return the order that the registry derives, on every way of the model."""
    lines: set[str] = set()
    for d, c, present, wanted in ways(model):
        lines |= stage_lines(model, d, c, Combination(wanted).stages(present, Assumptions()))
    return lines


def walk(model: Model, *steps: Step) -> tuple[StateTuple, Interpreter]:
    """Take steps by name, or by name and arguments; where several fit, the first."""
    judge = Interpreter(model.instance(SPEC))
    (state,) = judge.initial_states()
    for step in steps:
        name, *arguments = (step,) if isinstance(step, str) else step
        state = next(
            t
            for a, x, t in judge.successors(state)
            if a.name == name and t != state and x[: len(arguments)] == tuple(arguments)
        )
    return state, judge


def next_steps(model: Model, *steps: Step) -> set[str]:
    """Return what may be done about the change after some steps, messages of users apart."""
    state, judge = walk(model, *steps)
    found = {a.name for a, _, t in judge.successors(state) if t != state}
    return found - {"send", "settle"}


def held(model: Model, *steps: Step) -> dict[str, int]:
    """Return the limits of both nodes after some steps."""
    state, judge = walk(model, *steps)
    cells = enumerate(judge.instance.cells)
    return {
        judge.instance.cell_label(i): state[i] for i, cell in cells if cell.variable.name == "value"
    }


def least(instance: Instance) -> dict[str, int | None]:
    """Return what is violated nearest to the start, and how near."""
    return {f.property: f.depth for f in explore(instance, deadlocks=False).violated()}


# --- counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["limits-fragment-raise", "limits-queue"])
def test_the_explorer_finds_what_the_interpreter_finds(name, oracle):
    model = NAMED[name]
    truth = oracle(model.instance(SPEC))
    assert len(truth.depths) == model.states
    assert (truth.transitions, truth.depth) == (model.transitions, model.depth)
    assert truth.least_depths() == {}


@pytest.mark.slow
@pytest.mark.second_opinion
@pytest.mark.parametrize("peer", PEER_NAMES)
def test_another_checker_counts_the_same_states(peer):
    if why_unavailable(peer):
        pytest.skip(why_unavailable(peer))
    model = NAMED["limits-combination-both-ways"]
    assert run_peer(peer, model.instance(SPEC)).states == model.states


# --- the registry ----------------------------------------------------------------------------


def test_the_limits_are_the_parameters_that_are_not_about_heartbeats():
    others = {p.name for p in PARAMETERS if not p.name.startswith("heartbeat")}
    assert set(LIMIT_NAMES) == others - {"receive_send_timer_ratio"}
    assert {c.removeprefix("3.") for c in LIMITS} == set(LIMIT_NAMES)


def test_what_the_spec_cites_as_global_is_what_the_registry_derives():
    """Claims 21 and 28."""
    assert {f"3.{n}" for n in LIMIT_NAMES if needs_synchronisation(BY_NAME[n])} == set(GLOBAL)


def test_only_a_retry_timer_has_nothing_under_way():
    assert [n for n in LIMIT_NAMES if not traces(n)] == [TIMER]


@pytest.mark.parametrize("model", named(MODELS))
def test_a_limit_is_global_in_a_model_if_it_is_in_the_registry(model):
    """Claims 21 and 28: the second node has no room for a local one."""
    labels = limits_of(model)
    needed = [p for p, name in labels.items() if needs_synchronisation(BY_NAME[name])]
    assert model.constants["is_global"] == needed


@pytest.mark.parametrize("model", named(ORDERED))
def test_the_turns_of_a_model_are_those_that_the_registry_derives(model):
    """Claim 3.combinations: on every way that a change may take, refusals included."""
    here = set(model.constants["stage"])
    if model.name == "limits-ask-without-validity":  # the registry has no order for it
        assert derived(model) == set()
    else:
        assert here == derived(model)


@pytest.mark.parametrize("model", named(WRONG_ORDERS))
def test_a_wrong_order_is_none_that_the_registry_derives(model):
    assert set(model.constants["stage"]) != derived(model)


@pytest.mark.parametrize("model", named([m for m in RIGHT if m.sizes["Parameter"] == 1]))
def test_one_limit_alone_takes_the_order_of_its_direction(model):
    """Claims 3.maximum_fragment_size, 3.message_send_window and 3.maximum_message_retry_time."""
    (name,) = limits_of(model).values()
    for d, c, present, wanted in ways(model):
        if present == wanted:
            continue
        up = wanted[name] > present[name]
        moves = safe_order(name, Direction.RAISE if up else Direction.LOWER)
        stages = tuple(Stage(move, (name,)) for move in moves)
        own = {x for x in model.constants["stage"] if x.startswith(f"{d},{c},")}
        assert own == stage_lines(model, d, c, stages)


@pytest.mark.parametrize(
    "name", ["limits-window-raise", "limits-window-lower", "limits-combination-both-ways"]
)
def test_the_way_back_is_the_undo_of_the_registry(name):
    """Claim 3.combinations: the undo is validated and ordered like any change."""
    model = NAMED[name]
    before, after, back = levels(model)
    undo = Combination(after).undo(before)
    assert dict(undo.wanted) == back
    own = {x for x in model.constants["stage"] if x.startswith("1,2,")}
    assert own == stage_lines(model, 1, 2, undo.stages(after, Assumptions()))


@pytest.mark.parametrize(("timer", "time"), list(product((1, 2, 3), repeat=2)))
def test_a_change_is_opened_if_the_registry_finds_no_problem(timer, time):
    """The whole is validated.

    Claims 3.combinations, 3.message_retry_timer and 3.maximum_message_retry_time.
    """
    constants = {
        "kind": {"p1": TIMER.upper(), "p2": TIME.upper()},
        "is_global": ["p2"],
        "wanted": {"0,p1": 2, "0,p2": 2, "1,p1": timer, "1,p2": time},
        "stage": [],
    }
    sizes: dict[str, int | tuple[int, int]] = {"Parameter": 2, "Change": 2, "Turn": 1, "Level": 4}
    model = Model(name="m", spec="limits", sizes=sizes, constants=constants)
    valid = is_valid({TIMER: 2, TIME: 2}, {TIMER: timer, TIME: time})
    assert next_steps(model) == ({"ask"} if valid else set())


def test_every_limit_has_a_model_of_its_own_and_one_in_a_combination():
    """Claims 3.combinations and 3.message_retry_timer, and the other four."""
    changed = [
        {n for n in before if before[n] != after[n]}
        for model in RIGHT
        for before, after in [levels(model)[:2]]
    ]
    for name in LIMIT_NAMES:
        assert {name} in changed
        assert any(name in several and len(several) > 1 for several in changed)


@pytest.mark.parametrize("claim", [*LIMITS, "3.combinations"])
def test_every_limit_has_an_action_and_a_property(claim):
    (found,) = [r for r in claim_rows([SPEC], ()) if r.claim.id == claim]
    assert found.actions
    assert found.properties


# --- what happens ----------------------------------------------------------------------------


def test_a_window_is_raised_at_the_second_node_first():
    """Claim 3.message_send_window."""
    window = NAMED["limits-window-raise"]
    asked = ("ask", "send_order", "switch_second")
    assert held(window, *asked) == {"value[FIRST, p1]": 1, "value[SECOND, p1]": 3}
    assert next_steps(window, *asked) == {"hear_switched"}
    assert next_steps(window, *asked, "hear_switched") == {"switch_first"}


def test_a_window_is_lowered_at_the_second_node_last_and_once_it_has_drained():
    """Claim 3.message_send_window."""
    window = NAMED["limits-window-lower"]
    asked = (("send", 0, 3), "ask", "switch_first")
    assert held(window, *asked) == {"value[FIRST, p1]": 1, "value[SECOND, p1]": 3}
    assert next_steps(window, *asked) == set()
    assert next_steps(window, *asked, ("settle", 0, 2)) == set()
    assert next_steps(window, *asked, ("settle", 0, 1)) == {"finish_draining"}


def test_a_shorter_queue_turns_messages_down_before_it_is_recorded():
    """Claim 3.send_queue_overflow_threshold."""
    queue = NAMED["limits-queue"]
    state, judge = walk(queue, "ask")
    sends = [x for a, x, t in judge.successors(state) if a.name == "send" and t != state]
    assert sends == [(0, 1)]
    assert held(queue, "ask")["value[FIRST, p1]"] == 2
    assert next_steps(queue, ("send", 0, 2), "ask") == set()


def test_a_refusal_half_way_takes_the_whole_combination_back():
    """Claim 3.combinations: the first node has switched the window, the second the fragments."""
    both = NAMED["limits-combination-both-ways"]
    start = held(both)
    half = ("ask", "switch_first", "send_order", "switch_second", "hear_switched")
    assert held(both, *half) != start
    refused = (*half, "finish_draining", "send_order", "refuse", "hear_refused")
    assert held(both, *refused) != start  # the second node has not heard of it
    assert held(both, *refused, "go_back") == start
    assert next_steps(both, *refused, "go_back", "hear_went_back") == {"ask"}


@pytest.mark.parametrize("name", ["limits-queue", "limits-retry-timer"])
def test_a_local_limit_needs_no_message(name):
    """Claims 3.send_queue_overflow_threshold, 3.message_retry_timer, 20 and 27."""
    assert {"send_order", "switch_second", "refuse", "go_back"} <= set(NAMED[name].idle)


# --- wrong orders ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("model", named(WRONG_ORDERS))
def test_in_the_derived_order_the_same_change_does_no_harm(model):
    lines = sorted(derived(model))
    turns = 2 + max(int(line.split(",")[2]) for line in lines)
    wrong = model.instance(SPEC)
    mended = replace(
        wrong,
        sizes={**model.sizes, "Turn": turns},
        constants={**model.constants, "stage": lines},
    )
    assert least(wrong) == dict.fromkeys(model.violates, model.depth)
    assert least(mended) == {}


def test_what_is_under_way_does_not_fit_if_nobody_waits():
    """Claim 3.maximum_fragment_size."""
    model = NAMED["limits-fragments-lowered-undrained"]
    (found,) = explore(model.instance(SPEC), deadlocks=False).violated()
    assert found.trace is not None
    assert [(s.action, s.arguments) for s in found.trace.steps] == [
        ("ask", (1,)),
        ("send", (0, 2)),
        ("switch_first", ()),
        ("send_order", ()),
        ("switch_second", (0, 1, 1)),
    ]
