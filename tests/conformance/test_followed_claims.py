"""Runs of the group change as claimed on cores: claim 1's museum is refused at a named step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from tests.conformance.walks import random_walk

from samebeat_conformance.as_cluster import as_cluster
from samebeat_conformance.followed import COARSER, Followed, follow_trace
from samebeat_models.catalog import Model, load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Trace
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

REFUSED = {
    "request-without-new-id": "request(n2, c1)",
    "receive-request-without-request": "send_ack(n2, c1)",
    "receive-request-without-first-time": "receive_request(n1, c1)",
    "send-ack-without-unanswered-request": "send_ack(n2, c1)",
    "send-busy-without-unanswered-request": "send_busy(n1, c1)",
    "send-busy-without-rival": "send_busy(n1, c1)",
    "receive-without-open-change": "receive_request(n1, c2)",
    "receive-without-sender": "fail_to_apply(n1, c1)",
    "close-busied-without-busy-answer": "close_busied(n2, c1)",
    "apply-without-acked-phase": "apply(n2, c1)",
    "apply-without-every-ack": "apply(n1, c1)",
    "fail-to-apply-without-acked-phase": "fail_to_apply(n1, c1)",
    "fail-to-apply-without-every-ack": "fail_to_apply(n1, c1)",
    "send-ok-without-applied": "send_ok(n2, c1)",
    "send-failure-without-failed-apply": "send_failure(n2, c1)",
    "commit-without-applied": "commit(n2, c2)",
    "commit-without-every-ok": "commit(n2, c1)",
    "undo-without-open-change": "undo(n2, c2)",
    "undo-without-heard-failure": "undo(n2, c1)",
}
"""For each model without a guard the step of its counterexample that the cores refuse."""
EARLIER = {
    "send-ack-without-nothing-else-open": "receive_request(n1, c2)",
    "send-ack-without-same-epoch": "receive_request(n2, c2)",
    "close-busied-without-acked-phase": "receive_request(n1, c1)",
}
"""There a busy member asks, which the core does not: it refuses before the guard matters."""


@cache
def _model(name: str) -> Model:
    return next(m for m in load_catalog() if m.name == name)


@cache
def _counterexamples(name: str) -> tuple[tuple[str, Trace], ...]:
    found = explore(_model(name).instance(load_spec("group"))).findings
    return tuple((f.property, f.trace) for f in found if f.trace and f.trace.loop is None)


def _followed(name: str) -> Iterator[tuple[Trace, Followed]]:
    for prop, trace in _counterexamples(name):
        yield trace, follow_trace(trace, prop)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_counterexample_of_claim_1_is_refused_where_the_guard_is_missing(name: str) -> None:
    """Claims 1(a) to 1(f): what the protocol without a guard does, the core does not."""
    found = list(_followed(name))
    assert found
    for trace, result in found:
        assert (result.refused, result.complete) == (REFUSED[name], True)
        assert result.coarser == ""
        without = _model(name).without
        wrong = _first_wrong_step(trace)
        assert without is not None
        assert result.accepted >= wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", EARLIER)
def test_what_only_a_busy_initiator_leads_to_is_refused_as_it_asks(name: str) -> None:
    """Note C6: the core is coarser there, and the report says so."""
    for trace, result in _followed(name):
        assert (result.refused, result.coarser) == (EARLIER[name], COARSER)
        assert result.accepted < _first_wrong_step(trace)


def test_the_museum_of_claim_1_is_looked_at_as_a_whole() -> None:
    guards = {m.name for m in load_catalog() if m.spec == "group" and m.without}
    assert guards == {*REFUSED, *EARLIER}


def _first_wrong_step(trace: Trace) -> int:
    """Return the number of the first step that the right protocol refuses."""
    instance = trace.instance
    right = Interpreter(type(instance)("", load_spec("group"), instance.sizes, instance.constants))
    for i, step in enumerate(trace.steps):
        action = right.spec.find_action(step.action)
        if right.refusals(action, step.arguments, trace.states[i]):
            return i
    raise AssertionError("it is a counterexample")


def _walk(name: str, seed: int) -> Trace:
    """Return a run of a right model, drawn from a seed."""
    return random_walk(_model(name).instance(load_spec("group")), seed, 30)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "walks"), [("group-2x1", 20), ("group-3x1", 5)])
def test_any_run_with_one_change_is_followed_to_its_end(name: str, walks: int) -> None:
    """Claims 1(a) to 1(f)."""
    for seed in range(walks):
        trace = _walk(name, seed)
        found = follow_trace(trace)
        assert (seed, found.refused, found.accepted) == (seed, "", len(trace.steps))
        assert len(found.inputs) == len(trace.steps)


@pytest.mark.slow
def test_runs_with_two_changes_are_followed_or_the_core_is_coarser() -> None:
    """Note C6: two initiators at once; no right run is refused without that reason."""
    results = [follow_trace(_walk("group-2x2", seed)) for seed in range(20)]
    assert {r.coarser for r in results if r.refused} == {COARSER}
    assert any(not r.refused for r in results)


def test_both_readings_of_a_run_agree_after_each_step() -> None:
    trace = _walk("group-2x1", 3)
    read = as_cluster(trace)
    assert (read.until, read.parts) == (len(trace.steps), "")
    assert len(read.numbers) == len(read.trace.steps) + 1


def test_a_step_with_another_effect_parts_ways() -> None:
    """A request that is received again: the trace forgets the ack, the core does not."""
    ((_, trace),) = _counterexamples("receive-request-without-first-time")
    found = follow_trace(trace)
    assert found.parts == "phase[n1, c1] is RECEIVED in the trace, APPLIED in the core"
