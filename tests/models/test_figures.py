"""Figures: known answers, the interpreter and NetworkX on every example, and ours to the number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import networkx as nx
import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_models.check import check_model
from samebeat_models.figures import (
    MOST_STATES,
    Answer,
    Measured,
    figures_of,
    figures_of_model,
    held_against_pins,
)
from samebeat_models.results import PINNED, Exit, Verdict
from samebeat_models.times import has_time
from samebeat_spec.language import Figure, Instance, Spec
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.specs import load_spec

Said = dict[str, tuple[int | str, int | str]]
CATALOG = {m.name: m for m in load_catalog()}
PINNED_MODELS = [m for m in CATALOG.values() if m.figures]


def _said(measured: tuple[Measured, ...]) -> Said:
    return {m.figure.name: m.said for m in measured}


def _instance(name: str) -> Instance:
    model = CATALOG[name]
    return model.instance(load_spec(model.spec))


# --- known answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["corridor", "carousel"])
def test_a_walk_and_a_ride_last_as_long_as_one_can_count_by_hand(named_example, name):
    example = named_example(name)
    assert _said(figures_of(example.instance)) == example.model.figures


def test_what_has_no_bound_says_why(named_example):
    found = {
        m.figure.name: m.most
        for name in ("corridor", "carousel")
        for m in figures_of(named_example(name).instance)
    }
    assert found["at_last"].why == "in some state nothing ends it any more"
    assert found["a_ride"].why == "it can go round in a circle for ever"
    assert found["nobody"].why == "time can go on while nothing changes"
    assert found["in_between"].why == ""


def test_a_circle_that_takes_no_time_bounds_nothing_but_steps_would(named_example):
    """The lamp goes on and off for ever, in no time: ticks are bounded, and steps are not."""
    instance = named_example("corridor").instance
    no_time = tuple(replace(a, tick=False) for a in instance.spec.actions)
    timeless = replace(instance, spec=replace(instance.spec, actions=no_time))
    assert _said(figures_of(instance))["in_between"] == (0, 4)
    assert _said(figures_of(timeless))["in_between"] == (1, "no bound")
    assert {m.unit for m in figures_of(timeless)} == {"steps", "marks", "lamps"}


def test_a_graph_beyond_the_limit_is_undetermined_and_never_a_number(named_example):
    for measured in figures_of(named_example("corridor").instance, limit=20):
        assert measured.said == ("undetermined", "undetermined")
        assert measured.least.answer is measured.most.answer is Answer.UNDETERMINED
        assert measured.most.why == "more than 20 states"


# --- the interpreter and NetworkX ------------------------------------------------------------


def _with_figures(instance: Instance) -> Instance:
    """Return an instance in which formulas of the spec, and their opposites, are figures."""
    spec = instance.spec
    told = [(p, f) for p in spec.properties if p.kind != "step" for f in (p.formula, ~p.formula)]
    figures = tuple(
        Figure(f"{p.name}_{i}", p.doc, (), "stay", (), f, None, "", p.place)
        for i, (p, f) in enumerate(told)
    )
    return replace(instance, spec=replace(spec, figures=figures))


def _by_hand(oracle, figure: Figure) -> tuple[int | str, int | str]:
    """Return the least and the most of a stay from the interpreter's graph."""
    judge = oracle.interpreter
    timed = has_time(judge.spec)
    ticks = {a.name for a in judge.spec.actions if a.tick or not timed}
    inside = {s for s in oracle.depths if judge.evaluate(figure.formula, {}, s)}
    if not inside:
        return "never", "never"
    inner = nx.DiGraph()
    inner.add_nodes_from(inside)
    begin = inside & set(judge.initial_states())
    end, endless = set(), False
    for s, own in oracle.steps.items():
        for name, _, t in own:
            if t == s:
                endless |= timed and s in inside and name in ticks
            elif s in inside and t in inside:
                most = max(name in ticks, inner.get_edge_data(s, t, {"most": 0})["most"])
                least = min(name in ticks, inner.get_edge_data(s, t, {"least": 1})["least"])
                inner.add_edge(s, t, most=int(most), least=int(least))
            elif t in inside:
                begin.add(t)
            elif s in inside:
                end.add(s)
    reached = nx.multi_source_dijkstra_path_length(inner, begin, weight="least")
    least = min((reached[s] for s in end), default="no bound")
    return least, "no bound" if endless else _longest(inner, end)


def _longest(inner: nx.DiGraph, end: set[StateTuple]) -> int | str:
    backwards = inner.reverse()
    able = {t for s in end for t in (s, *nx.descendants(backwards, s))}
    dag = nx.condensation(inner)
    place = dag.graph["mapping"]
    if len(able) < len(inner):
        return "no bound"
    for s, t, most in inner.edges(data="most"):
        if place[s] == place[t]:
            if most:
                return "no bound"
        else:
            edge = dag.edges[place[s], place[t]]
            edge["most"] = max(most, edge.get("most", 0))
    return int(nx.dag_longest_path_length(dag, weight="most", default_weight=0))


def test_formulas_of_each_example_hold_for_as_long_as_networkx_says(example, oracle):
    instance = _with_figures(example.instance)
    seen = oracle(instance)
    few = instance.spec.figures[: max(2, 1_000 // len(seen.depths))]  # NetworkX takes its time
    instance = replace(instance, spec=replace(instance.spec, figures=few))
    found = _said(figures_of(instance))
    assert found == {f.name: _by_hand(seen, f) for f in instance.spec.figures}


def test_one_state_of_each_orbit_gives_the_same_figures(example):
    instance = _with_figures(example.instance)
    assert _said(figures_of(instance, symmetry=True)) == _said(figures_of(instance))


@pytest.mark.slow
def test_networkx_finds_our_own_figures_of_the_smallest_models_too(oracle):
    for name in ("group-2x1", "prompt-lowers"):
        instance = _instance(name)
        stays = [f for f in instance.spec.figures if f.kind == "stay"]
        found = _said(figures_of(instance))
        for f in stays:
            assert found[f.name] == _by_hand(oracle(instance), f), (name, f.name)


def test_the_interpreter_counts_the_same_in_each_state_that_a_tally_reads(oracle, group):
    instance = group(2, 1)
    seen, found = oracle(instance), _said(figures_of(instance))
    for f in (f for f in instance.spec.figures if f.kind == "tally"):
        counted = [
            seen.interpreter.evaluate(f.amount, names, s)
            for (x,) in instance.choices(f.parameters)
            for names in [{f.parameters[0].label: x}]
            for s in seen.depths
            if seen.interpreter.evaluate(f.formula, names, s)
        ]
        assert found[f.name] == ((min(counted), max(counted)) if counted else ("never", "never"))


# --- runs that show it -----------------------------------------------------------------------


def _shown(instance: Instance, *, symmetry: bool = False) -> Iterator[tuple[Measured, str]]:
    for m in figures_of(instance, symmetry=symmetry, traces=True):
        yield from ((m, end) for end in ("least", "most"))


def _check_run(oracle, measured: Measured, end: str) -> None:
    """Assert that a trace is a run, and lasts in its stay for as long as the figure says."""
    extreme, judge = getattr(measured, end), oracle.interpreter
    if extreme.trace is None:
        assert extreme.value is None
        return
    states, steps = extreme.trace.states, extreme.trace.steps
    assert states[0] in judge.initial_states()
    for s, step in zip(states, steps, strict=False):
        assert (step.action, step.arguments, step.state) in oracle.steps[s]
    if measured.figure.kind == "tally" or extreme.value is None:
        return
    holds = [bool(judge.evaluate(measured.figure.formula, {}, s)) for s in states]
    assert holds[-2:] == [True, False]
    first = len(holds) - 2
    while first and holds[first - 1]:
        first -= 1
    own = [judge.spec.find_action(step.action).tick for step in steps[first:-1]]
    timed = has_time(judge.spec)
    assert (sum(own) if timed else len(own)) == extreme.value


@pytest.mark.parametrize("name", ["corridor", "carousel"])
def test_a_run_that_shows_a_figure_is_a_run_and_lasts_as_long(named_example, oracle, name):
    instance = named_example(name).instance
    for measured, end in _shown(instance):
        _check_run(oracle(instance), measured, end)


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("name", ["group-2x1", "prompt-lowers", "prompt-second-envelope"])
def test_runs_that_show_our_figures_are_runs_under_symmetry_too(oracle, name, symmetry):
    instance = _instance(name)
    for measured, end in _shown(instance, symmetry=symmetry):
        _check_run(oracle(instance), measured, end)


def test_a_stay_without_bound_shows_a_circle_with_a_tick_in_it(named_example):
    measured = figures_of(named_example("carousel").instance, traces=True)
    trace = next(m.most.trace for m in measured if m.figure.name == "a_ride")
    assert trace is not None
    at = trace.states.index(trace.states[-1])
    assert "turn" in [step.action for step in trace.steps[at:]]


def test_a_stay_in_which_only_time_goes_on_ends_with_a_tick_that_changes_nothing(named_example):
    measured = figures_of(named_example("carousel").instance, traces=True)
    trace = next(m.most.trace for m in measured if m.figure.name == "nobody")
    assert trace is not None
    assert trace.steps[-1].action == "turn"
    assert trace.states[-1] == trace.states[-2]


# --- ours ------------------------------------------------------------------------------------


def _mark(model: Model) -> object:
    slow = () if (model.states or 0) < 150 else pytest.mark.slow
    return pytest.param(model, id=model.name, marks=slow)


@pytest.mark.parametrize("model", [_mark(m) for m in PINNED_MODELS])
def test_the_figures_of_a_model_are_exactly_those_pinned_and_all_are_pinned(model):
    instance = model.instance(load_spec(model.spec))
    assert _said(figures_of(instance, symmetry=model.symmetry)) == model.figures


def test_two_and_three_members_and_several_pairs_are_pinned():
    names = {m.name for m in PINNED_MODELS}
    assert {"group-2x1", "group-2x2", "group-3x1", "group-3x1-sym"} <= names
    assert {"rounds-2-2", "rounds-3-2", "pair-1", "acks-count"} <= names
    assert len([m for m in PINNED_MODELS if m.spec == "heartbeat"]) >= 5


def test_one_state_of_each_orbit_has_the_same_pins():
    assert CATALOG["group-3x1"].figures == CATALOG["group-3x1-sym"].figures


def test_a_crash_is_noticed_as_late_as_can_be_where_that_is_reached():
    """The longest deadline and the largest delay, to the tick."""
    reached = 0
    for model in PINNED_MODELS:
        if model.spec != "heartbeat" or "a_detection_as_late_as_can_be" in model.unreached:
            continue
        reached += 1
        latest = max(model.constants["deadline_ticks"].values()) + model.constants["delay_ticks"]
        assert model.figures["detection"][1] == latest, model.name
    assert reached >= 2


def test_an_envelope_closes_after_two_rounds_of_heartbeats_and_the_delay():
    """With prompt acks each direction takes one heartbeat that is not lost: 2 (l + 1) T + delay."""
    for name in ("prompt-lowers", "prompt-lowers-loss"):
        values = CATALOG[name].constants
        rounds = 2 * (values["tolerated"] + 1) * values["interval_ticks"]["1"]
        assert CATALOG[name].figures["open_change"][1] == rounds + values["delay_ticks"]


def test_nodes_differ_for_as_long_as_an_ack_takes_and_without_a_bound_where_it_has_none():
    pinned = {m.name: m for m in PINNED_MODELS if m.spec == "heartbeat"}
    for model in pinned.values():
        bound = (
            model.constants["ack_delay_ticks"] if model.constants["bounded_acks"] else "no bound"
        )
        assert model.figures["different_values"] == (0, bound), model.name
    assert {m.figures["different_values"][1] for m in pinned.values()} == {0, 2, 3, "no bound"}


def test_members_differ_for_a_round_and_for_two_where_an_apply_fails():
    """The first applies with the last ack; others a round later, and a failure one more."""
    pinned = [m for m in PINNED_MODELS if m.spec == "composed" and m.constants["bounded_rounds"]]
    for model in pinned:
        rounds = model.constants["round_ticks"]
        assert model.figures["different_values_without_failure"] == (0, rounds), model.name
        assert model.figures["different_values"] == (0, 2 * rounds), model.name
        assert model.figures["open_change"] == (0, 3 * rounds * model.sizes["Change"]), model.name
    assert {(m.sizes["Node"], m.constants["round_ticks"]) for m in pinned} >= {(2, 2), (3, 2)}
    assert CATALOG["composed-2-raises"].figures["different_values"] == (0, "no bound")


def test_an_envelope_of_the_group_change_is_open_for_both_rounds_and_a_heartbeat():
    """4 -> 2: until all have decided, then an interval of the new value and the delay."""
    for name in ("rounds-2-1-lowers", "rounds-2-2-lowers"):
        c = CATALOG[name].constants
        heartbeat = c["interval_ticks"]["v2"] + c["delay_ticks"]
        assert CATALOG[name].figures["open_envelope"][1] == 2 * c["round_ticks"] + heartbeat


def test_acks_that_stop_are_noticed_within_the_bound_on_paper_and_the_tick_in_which_one_looks():
    """Decision 0011: threshold times interval and time-out, or deadline and delay; then a tick."""
    reached = set()
    for model in PINNED_MODELS:
        c = model.constants
        if model.spec != "acks":
            continue
        largest = {k: max(c[k].values()) for k in ("threshold", "interval_ticks", "wait_ticks")}
        bound = largest["wait_ticks"] + c["delay_ticks"] + 1
        if c["watch"] == "COUNT":
            bound = largest["threshold"] * largest["interval_ticks"] + largest["wait_ticks"] + 1
        latest = model.figures["detection"][1]
        assert isinstance(latest, int)
        assert latest <= bound, model.name
        if "a_detection_as_late_as_can_be" not in model.unreached:
            assert latest == bound, model.name
            reached.add(c["watch"])
    assert reached == {"COUNT", "DEADLINE"}


# --- what goes into a report -----------------------------------------------------------------


def _checked(
    spec: Spec, model: Model, limit: int = MOST_STATES
) -> tuple[tuple[Measured, ...], list[str]]:
    """Return the figures of a model that is checked, and what the line about the pins says."""
    outcome, rows = check_model(model, spec)
    measured = figures_of_model(model, spec, outcome, rows, limit=limit)
    line = next(r for r in held_against_pins(model, rows, measured) if r.property == PINNED)
    return measured, [line.verdict, str(int(line.exit)), line.detail]


def _repinned(model: Model, pins: Said) -> Model:
    return Model(
        **{f: getattr(model, f) for f in model.__struct_fields__ if f != "figures"}
        | {"figures": {**model.figures, **pins}}
    )


def test_a_figure_that_is_not_as_pinned_is_said_with_both_numbers(named_example):
    example = named_example("corridor")
    model = _repinned(example.model, {"in_between": (0, 3), "at_last": ("no bound", 9)})
    _, line = _checked(example.spec, model)
    wrong = (
        "in_between: 0 to 4 instead of 0 to 3; "
        "at_last: no bound to no bound instead of no bound to 9"
    )
    assert line == [Verdict.VIOLATED, str(int(Exit.NOT_AS_PINNED)), wrong]


def test_a_pinned_figure_that_is_undetermined_is_no_pass(named_example):
    example = named_example("corridor")
    measured, line = _checked(example.spec, example.model, limit=3)
    assert all(m.most.answer is Answer.UNDETERMINED for m in measured)
    assert line[0] is Verdict.UNDETERMINED
    assert "in_between: more than 3 states" in line[2]


def test_a_right_pin_leaves_the_line_alone(named_example):
    example = named_example("corridor")
    assert _checked(example.spec, example.model)[1] == [Verdict.HOLDS, "0", ""]


def test_a_control_has_no_figures_and_a_model_that_does_not_hold_none_that_count(named_example):
    control = CATALOG["apply-without-every-ack"]
    outcome, rows = check_model(control, load_spec("group"))
    assert figures_of_model(control, load_spec("group"), outcome, rows) == ()
    example = named_example("carousel")
    stuck = replace(example.spec, properties=example.spec.of_kind("invariant"))
    model = Model(name="never-closed")
    outcome, rows = check_model(model, stuck)
    measured = figures_of_model(model, stuck, outcome, rows)
    assert {m.most.said for m in measured} == {"undetermined"}
    assert {m.most.why for m in measured} == {"stopped at the first violation"}
