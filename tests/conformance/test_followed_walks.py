"""Right runs of clusters with views, drawn from a seed: cores follow each of them to its end."""

from __future__ import annotations

import pytest
from tests.conformance.walks import random_walk

from samebeat_conformance.followed import follow_trace
from samebeat_models.catalog import load_catalog
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

Named = tuple[str, tuple[str, ...]]


def _instance(name: str) -> Instance:
    model = next(m for m in load_catalog() if m.name == name)
    return model.instance(load_spec(model.spec))


def _taken(instance: Instance, steps: tuple[Named, ...]) -> Trace:
    """Return the run with these steps; arguments by label."""
    judge = Interpreter(instance)
    (state,) = judge.initial_states()
    first, found = state, list[Step]()
    for name, labels in steps:
        action = judge.spec.find_action(name)
        pairs = zip(action.parameters, labels, strict=True)
        arguments = tuple(instance.element(p.sort, label) for p, label in pairs)
        state = judge.step(action, arguments, state)
        found.append(Step(name, arguments, state))
    return Trace(instance, first, tuple(found))


@pytest.mark.slow
def test_views_are_followed_whoever_proposes_them_and_whatever_numbers_they_have() -> None:
    """Note C5: the spec's views are numbers; n3 proposes first, and all are back in the second."""
    instance = _instance("cluster-3x1-returns")
    quorum = {
        frozenset(n for n in range(3) if instance.constant_values["in_quorum"][q, n]): f"q{q + 1}"
        for q in range(instance.sizes["Quorum"])  # type: ignore[arg-type]
    }
    everyone, two = quorum[frozenset({0, 1, 2})], quorum[frozenset({0, 2})]
    steps = (
        ("request", ("n2", "c1")),
        ("propose", ("n3", "1", two)),
        ("report", ("n1", "1")),
        ("begin_view", ("n1", "1")),
        ("propose", ("n1", "2", everyone)),
        ("begin_view", ("n3", "1")),
        ("report", ("n2", "2")),
        ("report", ("n3", "2")),
        ("begin_view", ("n2", "2")),
    )
    plain = Instance(
        instance.name,
        instance.spec,
        instance.sizes,
        {**instance.constants, "needs_cause": False},
    )
    found = follow_trace(_taken(plain, steps))
    assert (found.refused, found.accepted, found.complete) == ("", len(steps), True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cluster-3x1-sym", "cluster-3x1-returns", "cluster-2x2-live"])
def test_any_run_with_views_and_crashes_is_followed_to_its_end(name: str) -> None:
    """Notes C5 to C8."""
    changed = 0
    for seed in range(12):
        trace = random_walk(_instance(name), seed, 18)
        found = follow_trace(trace)
        assert (seed, found.refused, found.complete) == (seed, "", True)
        changed += sum(s.action == "begin_view" for s in trace.steps)
    assert changed


@pytest.mark.slow
def test_a_core_between_two_views_turns_down_what_is_in_the_way() -> None:
    """Note C6: a random walk showed a core that said nothing until the later view had begun."""
    instance = _instance("cluster-2x2-live")
    steps = (
        ("request", ("n2", "c1")),
        ("crash", ("n1", "1")),
        ("propose", ("n2", "1", "q1")),
        ("recover", ("n1",)),
        ("request", ("n1", "c2")),
        ("send_busy", ("n2", "c2")),
    )
    found = follow_trace(_taken(instance, steps))
    assert (found.refused, found.complete) == ("", True)
