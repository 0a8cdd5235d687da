"""Runs of the spec `link` on the two ends of a channel: the museum is refused at a named step."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from samebeat_conformance.followed import CannotFollow, follow_trace
from samebeat_conformance.layer.instances import find
from samebeat_models.catalog import Model, load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Step, Trace
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

REFUSED = {
    "link-submit-without-room": "submit(1)",
    "link-turn-down-at-will": "turn_down(0)",
    "link-send-out-of-turn": "send(1)",
    "link-send-without-window": "send(1)",
    "link-hear-ack-without-ack": "hear_ack(0)",
    "link-give-up-what-waits": "give_up(0)",
    "link-keep-from-nowhere": "keep(1, f1, 0)",
    "link-receive-from-nowhere": "receive(0, f1, 0, 0)",
    "link-notice-of-what-is-open": "receive_notice(0, 0)",
    "link-forget-while-retried": "forget()",
    "link-window-raised-sender-first": "switch_window(1)",
    "link-window-lowered-member-first": "switch_places(0)",
}
"""For each model of the museum the step of its counterexample that the ends refuse."""


@cache
def _model(name: str) -> Model:
    return next(m for m in load_catalog() if m.name == name)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_channel_is_refused_at_a_named_step(name: str) -> None:
    """Claims 3 and 6, as far as they are about one channel."""
    model = _model(name)
    found = explore(model.instance(load_spec(model.spec))).findings
    trace = next(f.trace for f in found if f.property in model.violates and f.trace is not None)
    result = follow_trace(trace)
    assert (result.refused, result.complete) == (REFUSED[name], True)
    assert result.accepted < result.steps


@pytest.mark.slow
@pytest.mark.parametrize("name", ["link-fragments", "link-order", "link-size"])
def test_any_run_of_the_right_channel_is_followed_to_its_end(name: str) -> None:
    """Losses, repetitions, retries that end, and changes of what a channel holds to."""
    instance = find(name)
    assert instance is not None
    judge = Interpreter(instance.instance)
    for seed in range(6):
        rng = Random(seed)
        (state,) = judge.initial_states()
        first, steps = state, list[Step]()
        for _ in range(20):
            following = [(a, x, t) for a, x, t in judge.successors(state) if t != state]
            if not following:
                break
            action, arguments, state = rng.choice(following)
            steps.append(Step(action.name, arguments, state))
        found = follow_trace(Trace(judge.instance, first, tuple(steps)))
        assert (seed, found.refused, found.complete) == (seed, "", True)


def test_where_no_fragment_is_too_large_for_a_core_that_is_said() -> None:
    """Two sizes that cut a message alike are one to a core, and two to the spec."""
    instance = _model("link-size-lowered-undrained").instance(load_spec("link"))
    state = Interpreter(instance).initial_states()[0]
    with pytest.raises(CannotFollow, match="fit into the smaller fragment"):
        follow_trace(Trace(instance, state, ()))
