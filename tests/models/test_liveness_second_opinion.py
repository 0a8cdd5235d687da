"""TLC agrees on what every fair run comes to, with temporal formulas of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from samebeat_models.catalog import load_catalog
from samebeat_models.exports import export
from samebeat_models.graph import state_graph
from samebeat_models.liveness.check import LivenessCheck
from samebeat_models.results import DEADLOCK_FREE, Verdict
from samebeat_models.second_opinion import run_peer, why_unavailable
from samebeat_spec.language import Fair, Instance, Spec, StateError
from samebeat_spec.language.terms import Truth
from samebeat_spec.specs import load_spec

from .test_liveness_random import mazes
from .test_random_specs import ALIKE, CONSTANTS, SIZES, specs

pytestmark = [
    pytest.mark.second_opinion,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_unavailable("tlc")), reason=why_unavailable("tlc")),
]

CATALOG = {m.name: m for m in load_catalog()}


def relying_on(instance: Instance, name: str, fair: Sequence[Fair]) -> Instance:
    """Return an instance whose spec makes only one promise, which relies on ``fair``."""
    promise = replace(instance.spec.find_liveness(name), fair=tuple(fair))
    return replace(instance, spec=replace(instance.spec, liveness=(promise,)))


def check_both(instance: Instance, name: str, kept: bool | None = None) -> None:
    """Ask TLC and ourselves."""
    graph = state_graph(instance)
    found = LivenessCheck(graph).look(instance.spec.find_liveness(name))
    assert kept is None or (found.trace is None) == kept
    said = run_peer("tlc", instance, [name], timeout=300)
    assert said.verdict is (Verdict.HOLDS if found.trace is None else Verdict.VIOLATED), (
        said.output_tail
    )
    assert said.violated == ("" if found.trace is None else name)
    if found.trace is None:
        assert said.states == len(graph)


@pytest.mark.parametrize(
    ("name", "promise", "weak", "strong", "kept"),
    [
        ("semaphore-2", "somebody_gets_in", [], [], False),
        ("semaphore-2", "somebody_gets_in", ["enter"], [], True),
        ("semaphore-2", "everybody_gets_in", ["enter", "leave"], [], False),
        ("semaphore-2", "everybody_gets_in", ["leave"], ["enter"], True),
        ("mutex-2", "gets_in", ["enter", "leave", "pass_on"], [], False),
        ("mutex-2", "gets_in", ["leave"], ["enter", "pass_on"], True),
        ("mutex-3", "gets_in", ["leave", "pass_on"], ["enter"], False),
        ("peterson", "gets_in", ["let_go_first", "enter", "leave"], [], True),
        ("peterson", "gets_in", ["enter", "leave"], [], False),
        ("polite-3", "eats", ["put_back"], ["take_both"], True),
        ("polite-3", "eats", ["put_back", "take_both"], [], False),
        ("polite-4", "eats", ["put_back"], ["take_both"], False),
        ("greedy-3", "eats", ["put_back", "take_left"], ["take_right"], False),
    ],
)
def test_tlc_agrees_on_the_answers_of_the_textbook(
    named_example: Callable[[str], Any],
    name: str,
    promise: str,
    weak: list[str],
    strong: list[str],
    kept: bool,
) -> None:
    instance: Instance = named_example(name.replace("mutex-2", "mutex-3")).instance
    if name == "mutex-2":
        instance = replace(instance, name="mutex-2", sizes={"Process": 2})
    fair = [*(Fair(a) for a in weak), *(Fair(a, strong=True) for a in strong)]
    check_both(relying_on(instance, promise, fair), promise, kept)


def test_tlc_agrees_on_fairness_of_some_choices_only(
    named_example: Callable[[str], Any],
) -> None:
    instance: Instance = named_example("semaphore-2").instance
    fair = [Fair("enter", strong=True, fixed=(("p", "p1"),)), Fair("leave")]
    chosen = relying_on(instance, "everybody_gets_in", fair)
    text = export(chosen, "tla", ["everybody_gets_in"])["semaphore_2.tla"]
    assert "SF_vars(enter(p1))" in text
    check_both(chosen, "everybody_gets_in", kept=False)


@pytest.mark.parametrize(
    ("given", "goal", "kept"), [(True, True, True), (False, False, True), (True, False, False)]
)
def test_tlc_agrees_on_promises_that_read_no_variable(
    named_example: Callable[[str], Any], given: bool, goal: bool, kept: bool
) -> None:
    instance: Instance = named_example("semaphore-2").instance
    stated = instance.spec.find_liveness("everybody_gets_in")
    promise = replace(stated, given=Truth(given), goal=Truth(goal))
    other = replace(instance, spec=replace(instance.spec, liveness=(promise,)))
    check_both(other, "everybody_gets_in", kept)


OURS = [
    pytest.param(m, name, id=f"{m.name}-{name}")
    for m in CATALOG.values()
    for name in m.live
    if m.is_control or (m.tier == "fast" and (m.states or 0) < 10_000)
]


@pytest.mark.parametrize(("model", "name"), OURS)
def test_tlc_agrees_on_every_small_model_of_ours(model: Any, name: str) -> None:
    check_both(model.instance(load_spec(model.spec)), name, kept=name not in model.violates)


EXPORTED = [m for m in CATALOG.values() if m.live and (m.states or 0) < 1_000]


@pytest.mark.parametrize("model", [pytest.param(m, id=m.name) for m in EXPORTED])
def test_tlc_reads_what_the_command_exports_and_checks_all_of_it_at_once(model: Any) -> None:
    """As ``samebeat export`` writes it: invariants, step properties, deadlocks and promises."""
    instance = model.instance(load_spec(model.spec))
    spec = instance.spec
    safe = [p.name for p in spec.of_kind("invariant", "step")]
    everything = [*safe, DEADLOCK_FREE, *model.live]
    assert export(instance, "tla", everything) == export(instance, "tla", promises=model.live)
    said = run_peer("tlc", instance, everything, timeout=300)
    broken = bool(model.violates)
    assert said.verdict is (Verdict.VIOLATED if broken else Verdict.HOLDS), said.output_tail
    assert said.violated == (" or ".join(model.live) if broken else "")


REMOVED = [
    pytest.param(model, promise.name, f.action, id=f"{model}-{promise.name}-{f.action}")
    for model in ("group-2x2", "pair-1", "prompt-lowers-crash")
    for promise in load_spec(CATALOG[model].spec).liveness
    for f in promise.fair
]


@pytest.mark.parametrize(("model", "name", "removed"), REMOVED)
def test_tlc_agrees_when_one_action_is_no_longer_fair(model: str, name: str, removed: str) -> None:
    instance = CATALOG[model].instance(load_spec(CATALOG[model].spec))
    fair = [f for f in instance.spec.find_liveness(name).fair if f.action != removed]
    check_both(relying_on(instance, name, fair), name)


RANDOM = settings(suppress_health_check=list(HealthCheck), phases=[Phase.generate])
"""Without making a failure smaller: TLC starts slowly."""


@settings(RANDOM, max_examples=20)
@given(instance=mazes(), name=st.sampled_from(["comes_after", "comes"]))
def test_tlc_agrees_on_mazes_made_at_random(instance: Instance, name: str) -> None:
    check_both(relying_on(instance, name, instance.spec.find_liveness(name).fair), name)


@settings(RANDOM, max_examples=20)
@given(
    spec=specs(promises=True),
    constants=st.sampled_from([CONSTANTS, ALIKE]),
    name=st.sampled_from(["comes_after", "comes"]),
)
def test_tlc_agrees_on_specs_made_at_random(
    spec: Spec, constants: dict[str, Any], name: str, oracle_class: type[Any]
) -> None:
    instance = Instance("random", replace(spec, properties=()), SIZES, constants)
    try:
        oracle_class(instance)
    except StateError:  # TLC ends with an error of its own
        return
    check_both(relying_on(instance, name, spec.find_liveness(name).fair), name)
