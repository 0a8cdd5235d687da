"""Runs of `heartbeat` and `timed_cluster` on two cores with clocks: the museum is refused."""

from __future__ import annotations

from functools import cache

import pytest
from tests.conformance import broken_cores
from tests.conformance.walks import random_walk

from samebeat_conformance.followed import CannotFollow, follow_trace
from samebeat_conformance.timed.instances import find
from samebeat_models.catalog import Model, load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Trace
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

REFUSED = {
    "send-without-timer": "send_heartbeat(ARRIVES)",
    "send-without-bound-on-losses": "send_heartbeat(LOST)",
    "receive-ack-without-ack": "receive_ack(1)",
    "receive-without-message": "receive_heartbeat(LATEST)",
    "receive-without-newer": "receive_heartbeat(LATEST)",
    "tick-without-sending": "tick()",
    "tick-without-delivery": "tick()",
    "domain-raise-2-6-first-first": "ask(1)",
    "raising-first-first": "ask(1)",
    "timed-hear-without-being-clockless": "hear(n1, 1)",
    "timed-member-sends-without-bound": "send_heartbeat(n1, LOST)",
    "timed-tick-without-sending": "tick()",
    "timed-tick-without-delivery": "tick()",
    "timed-claim-1-raises": "apply(n1, c1)",
}
"""For each model of the museum the step of its counterexample that the cores refuse."""
SOMEWHERE = (
    "domain-lower-6-2-second-first",
    "domain-lower-3-2-second-first",
    "lowering-second-first",
    "lowering-second-first-3-1",
    "modify-without-turn",
    "ack-before-rearming",
    "restart-when-lengthening",
    "timed-hear-without-epoch",
    "timed-member-sends-without-timer",
    "timed-claim-1-lowers",
)
"""Here the core is in another state no later than where the harm is done."""


@cache
def _model(name: str) -> Model:
    return next(m for m in load_catalog() if m.name == name)


@cache
def _counterexample(name: str) -> Trace:
    model = _model(name)
    found = explore(model.instance(load_spec(model.spec))).findings
    return next(f.trace for f in found if f.property in model.violates and f.trace is not None)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_pair_is_refused_at_a_named_step(name: str) -> None:
    """Claims 19 to 21, notes C1 to C3."""
    found = follow_trace(_counterexample(name))
    assert (found.refused, found.complete) == (REFUSED[name], True)
    assert found.accepted < found.steps
    assert len(found.inputs) == found.accepted


@pytest.mark.slow
@pytest.mark.parametrize("name", SOMEWHERE)
def test_a_wrong_policy_is_refused_before_it_does_harm(name: str) -> None:
    """Note C1: the core has an envelope."""
    found = follow_trace(_counterexample(name))
    assert found.refused
    assert found.complete
    assert found.accepted < found.steps


def _walk(name: str, seed: int) -> Trace:
    """Return a run of a pair that `conform` explores, drawn from a seed."""
    return random_walk(find(name).instance, seed, 25)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pair-raises", "pair-lowers", "composed-raises", "composed-both"])
def test_any_run_of_the_right_cores_is_followed_to_its_end(name: str) -> None:
    """Claim 19, notes C1 to C3: ticks, losses, asks, acks and failures, in any order."""
    for seed in range(5):
        found = follow_trace(_walk(name, seed), "no_false_suspicion")
        assert (seed, found.refused, found.complete) == (seed, "", True)
        assert (found.looked_at, found.breaks) == (True, False)


@pytest.mark.slow
def test_a_core_that_is_wrong_refuses_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is refused because of what the core does: here it follows no envelope."""
    broken_cores.follows_no_envelope(monkeypatch)
    refused = [follow_trace(_walk("pair-lowers", seed)).refused for seed in range(8)]
    assert any(refused)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("lower-raise-first-first", "more than one change"),
        ("drift-forgotten", "clocks that drift"),
        ("tick-with-prompt-acks", "acks within a time"),
        ("timed-3-raises", "more or fewer members than two"),
        ("timed-tick-without-bounded-rounds", "rounds within a time"),
    ],
)
def test_what_the_cores_in_time_have_not_is_said_in_one_line(name: str, why: str) -> None:
    instance = _model(name).instance(load_spec(_model(name).spec))
    state = Interpreter(instance).initial_states()[0]
    with pytest.raises(CannotFollow, match=why):
        follow_trace(Trace(instance, state, ()))
