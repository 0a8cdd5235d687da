"""Promises about infinite runs: known answers, minimal fairness, and when nothing is said."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import msgspec
import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.check import Budget, check_model
from samebeat_models.exports import export
from samebeat_models.graph import StateGraph, state_graph
from samebeat_models.itf import dumps, loads
from samebeat_models.liveness.check import Lived, LivenessCheck
from samebeat_models.liveness.findings import with_liveness
from samebeat_models.liveness.lasso import why_not_broken
from samebeat_models.render import trace_lines
from samebeat_models.replay import contradiction, replay
from samebeat_models.results import Exit, Row, Trace, Verdict
from samebeat_spec.language import (
    Fair,
    Instance,
    InstanceError,
    Liveness,
    Spec,
    only,
)
from samebeat_spec.language.terms import Truth
from samebeat_spec.specs import SPEC_NAMES, load_spec

CATALOG = {m.name: m for m in load_catalog()}


@cache
def graph_of(name: str) -> StateGraph:
    model = CATALOG[name]
    return state_graph(model.instance(load_spec(model.spec)))


def look(instance: Instance, promise: Liveness, *fair: Fair) -> Lived:
    """Return what comes of a promise that relies on other actions."""
    return LivenessCheck(state_graph(instance)).look(replace(promise, fair=fair))


def weak(*names: str) -> list[Fair]:
    return [Fair(name) for name in names]


def strong(*names: str) -> list[Fair]:
    return [Fair(name, strong=True) for name in names]


# --- known answers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "promise", "fair", "kept"),
    [
        ("semaphore-2", "everybody_gets_in", [], False),
        ("semaphore-2", "everybody_gets_in", weak("enter", "leave"), False),
        ("semaphore-2", "everybody_gets_in", strong("enter"), False),
        ("semaphore-2", "everybody_gets_in", [*strong("enter"), *weak("leave")], True),
        ("semaphore-2", "somebody_gets_in", [], False),
        ("semaphore-2", "somebody_gets_in", weak("leave"), False),
        ("semaphore-2", "somebody_gets_in", [Fair("enter", fixed=(("p", "p2"),))], True),
        ("semaphore-2", "everybody_gets_in", [only("enter", p="p1"), *weak("leave")], False),
        ("mutex-3", "gets_in", [], False),
        ("mutex-3", "gets_in", weak("enter", "leave", "pass_on"), False),
        ("mutex-3", "gets_in", [*strong("enter"), *weak("leave", "pass_on")], False),
        ("mutex-3", "gets_in", [*strong("pass_on"), *weak("leave", "enter")], False),
        ("mutex-3", "gets_in", [*strong("enter", "pass_on"), *weak("leave")], True),
        ("mutex-3", "gets_in", strong("enter", "pass_on"), False),
        ("peterson", "gets_in", weak("let_go_first", "enter", "leave"), True),
        ("peterson", "gets_in", strong("let_go_first", "leave"), False),
    ],
)
def test_weak_and_strong_fairness_give_the_answers_of_the_textbook(
    named_example: Callable[[str], object],
    model: str,
    promise: str,
    fair: Sequence[Fair],
    kept: bool,
) -> None:
    instance: Instance = named_example(model).instance  # type: ignore[attr-defined]
    stated = instance.spec.find_liveness(promise)
    found = look(instance, stated, *fair)
    assert (found.trace is None) == kept
    if found.trace is not None:
        assert why_not_broken(found.trace, replace(stated, fair=tuple(fair))) == ""


@pytest.mark.parametrize(
    ("name", "kept"), [("polite-3", True), ("polite-4", False), ("greedy-3", False)]
)
def test_two_philosophers_starve_the_one_between_them_and_greedy_ones_starve_all(
    named_example: Callable[[str], object], name: str, kept: bool
) -> None:
    """Of three, no two eat at once, so both sticks come free; of four, two take turns."""
    example = named_example(name)
    instance: Instance = example.instance  # type: ignore[attr-defined]
    eats = instance.spec.find_liveness("eats")
    found = look(instance, eats, *eats.fair)
    assert (found.trace is None) == kept
    weakly = [replace(f, strong=False) for f in eats.fair]
    assert look(instance, eats, *weakly).trace is not None


def test_a_run_that_loops_for_ever_takes_what_is_fair_and_leaves_out_the_goal(
    named_example: Callable[[str], object],
) -> None:
    instance: Instance = named_example("semaphore-2").instance  # type: ignore[attr-defined]
    stated = instance.spec.find_liveness("everybody_gets_in")
    trace = look(instance, stated, *weak("enter", "leave")).trace
    assert trace is not None
    assert trace.loop == 0
    assert [(step.action, step.arguments) for step in trace.steps] == [
        ("enter", (1,)),
        ("leave", (1,)),
    ]


# --- ours ----------------------------------------------------------------------------------

SHOWN_BY = {
    ("group", "change_decided"): "group-2x2",
    ("group", "no_fault_commits"): "group-2x1",
    ("group", "some_change_wins"): "group-2x2",
    ("pair", "change_decided"): "pair-1",
    ("heartbeat", "envelope_closes"): "prompt-lowers",
    ("heartbeat", "crash_suspected"): "prompt-lowers-crash",
    ("cluster", "stable_view_decides"): "cluster-2x1-live",
    ("cluster", "change_decided"): "cluster-3x1-dies",
    ("cluster", "no_fault_commits"): "cluster-2x1-live",
    ("cluster", "some_change_wins"): "cluster-2x2-calm",
    ("cluster", "in_doubt_resolves"): "cluster-2x1-live",
    ("transport", "told_in_the_end"): "transport-live",
    ("transport", "confirmed_in_the_end"): "transport-live",
    ("link", "told_in_the_end"): "link-fragments",
    ("link", "confirmed_in_the_end"): "link-fragments",
    ("timed_link", "told_in_the_end"): "timed-link-one-by-one",
    ("timed_link", "confirmed_in_the_end"): "timed-link-one-by-one",
    ("retries", "told_in_the_end"): "retries-sizes",
    ("retries", "confirmed_in_the_end"): "retries-lossless",
}
"""Where each fairness that is stated is needed, but for those of ``NEEDED_ELSEWHERE``."""
NEEDED_ELSEWHERE = {
    ("heartbeat", "envelope_closes", "modify"): "envelope-prompt",
    ("heartbeat", "envelope_closes", "restore"): "envelope-lowering-fails",
    ("cluster", "stable_view_decides", "send_busy"): "cluster-2x2-calm",
    ("cluster", "change_decided", "send_busy"): "cluster-2x2-calm",
}


@pytest.mark.parametrize(
    ("spec", "promise", "fair"),
    [
        pytest.param(
            spec,
            promise,
            f.action,
            id=f"{spec}-{promise}-{f.action}",
            marks=pytest.mark.slow if spec in ("cluster", "heartbeat") else (),
        )
        for spec, promise in SHOWN_BY
        for f in load_spec(spec).find_liveness(promise).fair
    ],
)
def test_without_one_of_the_fair_actions_the_promise_is_broken(
    spec: str, promise: str, fair: str
) -> None:
    """What is stated is no more than what is needed."""
    name = NEEDED_ELSEWHERE.get((spec, promise, fair), SHOWN_BY[spec, promise])
    check = LivenessCheck(graph_of(name))
    stated = load_spec(spec).find_liveness(promise)
    assert check.look(stated).trace is None
    less = stated.without_fairness_of([fair])
    trace = check.look(less).trace
    assert trace is not None
    assert why_not_broken(trace, less) == ""


def test_every_promise_of_ours_has_its_fairness_shown_to_be_needed() -> None:
    specs = {spec for spec, _ in SHOWN_BY}
    assert specs >= {n for n in SPEC_NAMES if load_spec(n).liveness} - {"composed", "timed_cluster"}
    stated = {(n, p.name) for n in specs for p in load_spec(n).liveness}
    assert stated == set(SHOWN_BY)


def test_of_two_changes_at_once_none_need_win_since_they_may_busy_each_other() -> None:
    """C6: whose changes are both turned down asks again, alone: see `some_change_wins`."""
    instance = graph_of("group-2x2").machine.instance
    won = replace(
        instance.spec.find_liveness("change_decided"),
        goal=~instance.spec.find_property("both_changes_busied").formula,
    )
    trace = LivenessCheck(graph_of("group-2x2")).look(won).trace
    assert trace is not None
    assert trace.loop == len(trace.steps)


@pytest.mark.slow
def test_old_heartbeats_that_re_arm_hide_a_crash_for_ever() -> None:
    """The defect that note C1 warns of, as a run: time goes on, and a copy comes again."""
    model = CATALOG["envelope-lowers"]
    spec = load_spec("heartbeat").without(
        "receive_heartbeat", "it is newer than every heartbeat received"
    )
    instance = model.instance(spec)
    stated = spec.find_liveness("crash_suspected")
    trace = look(instance, stated, *stated.fair).trace
    assert trace is not None
    assert trace.loop is not None
    assert {s.action for s in trace.steps[trace.loop :]} == {"tick", "receive_heartbeat"}
    assert why_not_broken(trace, stated) == ""


UNFAIR = [m for m in CATALOG.values() if m.unfair]


@pytest.mark.parametrize(
    "control",
    [
        pytest.param(
            m, id=m.name, marks=pytest.mark.slow if m.spec in ("heartbeat", "cluster") else ()
        )
        for m in UNFAIR
    ],
)
def test_the_right_spec_finds_the_run_of_each_control_unfair(control: Model) -> None:
    spec = load_spec(control.spec)
    right = msgspec.structs.replace(control, name="right", unfair=(), violates=())
    _, rows = check_model(control, spec)
    for row in rows:
        if row.kind != "liveness" or row.trace is None:
            continue
        file = loads(dumps(row.trace, control, spec, shows=row.property), "file")
        own = replay(file, control, spec)
        assert own.refusal is None
        assert own.for_ever[row.property] == ""
        assert contradiction(file, control, own) == ""
        said = replay(file, right, spec).for_ever[row.property]
        assert said.startswith("the run is not fair: ")
        assert any(f"{name}(" in said for name in control.unfair)


def test_a_file_that_calls_a_harmless_run_a_violation_is_contradicted() -> None:
    control = CATALOG["ack-never-received"]
    spec = load_spec("pair")
    _, rows = check_model(control, spec)
    trace = next(row.trace for row in rows if row.trace)
    shorter = replace(trace, steps=trace.steps[:3], loop=3)
    file = loads(dumps(shorter, control, spec, shows="change_decided"), "file")
    said = contradiction(file, control, replay(file, control, spec))
    assert said.startswith("the file says that change_decided is violated; it is not: the run is")


def test_a_loop_that_meets_the_goal_is_no_violation() -> None:
    graph = graph_of("pair-1")
    stated = graph.machine.instance.spec.find_liveness("change_decided")
    last = int(graph.depth.argmax())
    at = graph.state(last)
    still = Trace(graph.machine.instance, at, (), loop=0)
    assert why_not_broken(still, stated) == "its goal is met whenever it has to be"
    assert why_not_broken(replace(still, loop=None), stated).startswith("the run ends")


def test_ticks_that_come_before_the_loop_are_told_apart_from_those_in_it() -> None:
    control = CATALOG["ack-never-sent"]
    instance = control.instance(load_spec("heartbeat"))
    found = LivenessCheck(graph_of("ack-never-sent")).look(
        instance.spec.find_liveness("envelope_closes")
    )
    assert found.trace is not None
    later = trace_lines(replace(found.trace, loop=8))
    words = [line.split() for line in later]
    at = words.index(["then", "for", "ever"])
    assert words[at - 2][:4] == ["8", "2", "ticks", "tick"]
    assert words[at + 1][:4] == ["9", "3", "ticks", "tick"]


def test_tla_says_what_is_fair_and_what_follows_and_others_cannot() -> None:
    instance = CATALOG["pair-1"].instance(load_spec("pair"))
    files = export(instance, "tla", ["change_decided"])
    text = " ".join(files["pair_1.tla"].split())
    assert "/\\ \\A n \\in Node : WF_vars(send_heartbeat(n))" in text
    assert "change_decided == fair_change_decided => (\\A n \\in Node : \\A c \\in Change :" in text
    assert '(wish[n][c] = "OPEN") ~> (wish[n][c] # "OPEN")' in text
    assert "PROPERTIES\n  change_decided\n" in files["pair_1.cfg"]
    assert "change_decided" in export(instance, "tla")["pair_1.tla"]  # among what is not checked
    for target in ("murphi", "promela"):
        with pytest.raises(ValueError, match="change_decided is about infinite runs: only TLA"):
            export(instance, target, ["change_decided"])


def test_tla_says_of_a_formula_without_variables_that_it_is_about_states() -> None:
    """TLC takes `TRUE` in a temporal formula for something else, and finds violations."""
    instance = CATALOG["pair-1"].instance(load_spec("pair"))
    stated = instance.spec.find_liveness("change_decided")
    always = replace(stated, goal=Truth(True))
    other = replace(instance, spec=replace(instance.spec, liveness=(always,)))
    text = " ".join(export(other, "tla", ["change_decided"])["pair_1.tla"].split())
    assert '(wish[n][c] = "OPEN") ~> ((TRUE) /\\ vars = vars)' in text


# --- rows ----------------------------------------------------------------------------------


def liveness_rows(
    model: Model, spec: Spec, budget: Budget | None = None
) -> tuple[list[Row], tuple[Row, ...]]:
    _, rows = check_model(model, spec, budget)
    return [row for row in rows if row.kind == "liveness"], rows


def test_an_unexpected_violation_is_exit_13_with_its_run() -> None:
    spec = load_spec("pair").unfair(["send_ack"])
    found, _ = liveness_rows(CATALOG["pair-1"], spec)
    assert [(row.verdict, row.exit) for row in found] == [(Verdict.VIOLATED, Exit.LIVENESS)]
    assert found[0].trace is not None
    assert found[0].notes[0].startswith("This is about n = n1, c = c1. The run is fair to set_")


@pytest.mark.parametrize(
    ("change", "budget", "why"),
    [
        ({"symmetry": True, "transitions": None, "states": None}, None, "with symmetry only one"),
        ({}, Budget(states=20), "20 states"),
    ],
    ids=["symmetry", "budget"],
)
def test_no_verdict_on_a_graph_that_is_reduced_or_not_complete(
    change: dict[str, object], budget: Budget | None, why: str
) -> None:
    model = msgspec.structs.replace(CATALOG["pair-1"], **change)
    found, _ = liveness_rows(model, load_spec("pair"), budget)
    assert [(row.verdict, row.exit) for row in found] == [(Verdict.UNDETERMINED, Exit.UNDETERMINED)]
    assert why in found[0].detail


def test_no_verdict_where_the_search_ended_at_a_violation_or_the_graph_is_too_large() -> None:
    model = CATALOG["pair-1"]
    outcome, _ = check_model(msgspec.structs.replace(model, live=()), load_spec("pair"))
    broken = replace(outcome, incomplete_reason="stopped at a violation")
    for given, limit, why in (
        (broken, 100, "stopped at a violation"),
        (outcome, 10, "more than 10 states"),
        (replace(outcome, states=1), 10, "more than 10 states"),
    ):
        last = with_liveness(model, given, limit=limit).findings[-1]
        assert (last.verdict, last.why) == (Verdict.UNDETERMINED, why)


def test_a_promise_that_never_falls_due_is_vacuous_and_pinned_as_such() -> None:
    model = CATALOG["pair-local"]
    live = msgspec.structs.replace(model, live=("change_decided",))
    _, rows = check_model(live, load_spec("pair"))
    assert rows[-1].detail == "change_decided holds only for want of a case"
    pinned = msgspec.structs.replace(live, vacuous=(*model.vacuous, "change_decided"))
    _, rows = check_model(pinned, load_spec("pair"))
    assert rows[-1].exit is Exit.OK


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"live": ("nothing",)}, "live: pair has no 'nothing'; there are change_decided"),
        ({"unfair": ("refuse",)}, "unfair: pair has no 'refuse'; there are clear_for_ack"),
        ({"violates": ("change_decided",), "live": ()}, "violates: pair has no 'change_decided'"),
    ],
)
def test_a_model_that_names_what_is_not_there_says_so(
    change: dict[str, tuple[str, ...]], problem: str
) -> None:
    model = msgspec.structs.replace(CATALOG["pair-1"], **change)
    with pytest.raises(InstanceError, match=problem):
        model.instance(load_spec("pair"))
