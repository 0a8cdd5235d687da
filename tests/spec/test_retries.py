"""The message layer with clocks: times are those of the registry, and steps those of the layer."""

from typing import Any

import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_models.explorer import explore
from samebeat_spec.parameters import BY_NAME, needs_synchronisation
from samebeat_spec.specs import load_spec

from .walk import Walk

SPEC = load_spec("retries")
LAYER = load_spec("transport")
MODELS = [m for m in load_catalog() if m.spec == "retries"]
NAMED = {m.name: m for m in MODELS}
RIGHT = [m for m in MODELS if not m.is_control]
SENT = ("submit 0", "send 0")
DELIVERED = (*SENT, "receive n1 0 f1", "deliver n1 0")


def named(models: list[Model]) -> list[Any]:
    return [pytest.param(m, id=m.name) for m in models]


def walk(name: str, *steps: str | int) -> Walk:
    """Take steps in a model, by names; a number lets so many ticks pass."""
    return Walk(NAMED[name].instance(SPEC))(*steps)


def can(at: Walk) -> set[str]:
    """Return the names of the actions that change something now."""
    return {a.name for a, _, after in at.judge.successors(at.state) if after != at.state}


@pytest.mark.slow
def test_the_explorer_finds_what_the_interpreter_finds(oracle):
    model = NAMED["retries-lossless"]
    truth = oracle(model.instance(SPEC))
    assert (len(truth.depths), truth.transitions, truth.depth) == (159, 1_983, 14)
    assert (model.states, model.transitions, model.depth) == (159, 1_983, 14)
    assert truth.least_depths() == {}


@pytest.mark.parametrize("model", named(RIGHT))
def test_right_models_remember_for_a_retry_time_and_a_delay(model):
    """Claim 3.maximum_message_retry_time: W is X and the largest delay, as in the registry."""
    delay = model.constants["delay_ticks"]
    times, memories = model.constants["time_ticks"], model.constants["memory_ticks"]
    assert memories == {x: time + delay for x, time in times.items()}


@pytest.mark.parametrize("model", named(RIGHT))
def test_right_models_have_timers_of_a_round_trip_at_least(model):
    """Claim 3.message_retry_timer: one tick more, since an ack may come at the very tick."""
    timers = model.constants["timer_ticks"].values()
    assert min(timers) == 2 * model.constants["delay_ticks"] + 1


def test_only_the_retry_time_needs_the_member_in_step():
    """Claims 20 and 21."""
    assert needs_synchronisation(BY_NAME["maximum_message_retry_time"])
    assert not needs_synchronisation(BY_NAME["message_retry_timer"])
    guards = {(a.name, why) for a, why in SPEC.guards()}
    assert ("switch_retry_time", "every member remembers for so long") in guards
    assert not {why for name, why in guards if name == "switch_timer" and "member" in why}


def test_what_the_layer_forgets_is_looked_at_and_here_only_the_clock_is():
    """The refinement shows that the clock suffices."""
    own = {why for a, why in SPEC.guards() if a.name == "forget"}
    theirs = {why for a, why in LAYER.guards() if a.name == "forget"}
    assert own == {"n has remembered m for as long as it has to"}
    assert theirs == {"the sender sends no more copies", "no copy is on its way"}
    assert all(m.refines == ("message_layer",) for m in RIGHT)


def test_a_message_is_sent_again_after_the_timer_and_given_up_after_the_retry_time():
    at = walk("retries-1", *SENT, "lose n1 0 f1", 2)
    assert not can(at) & {"send_again", "give_up"}
    at(1)
    assert can(at) & {"send_again", "give_up"} == {"send_again"}
    at(1)
    assert can(at) & {"send_again", "give_up", "tick"} == {"give_up"}


def test_a_copy_that_comes_at_the_last_tick_is_known_and_then_forgotten():
    lost_ack = ("lose_ack n1 0", "lose n1 0 f1")
    at = walk("retries-1", *DELIVERED, *lost_ack, 3, "send_again n1 0", 1)
    assert {"ack_again", "give_up"} <= can(at)
    assert "receive" not in can(at)
    assert "forget" not in can(at)
    at("give_up 0", "lose n1 0 f1", 1)
    assert "forget" in can(at)


def test_a_memory_shrinks_once_the_delay_is_over_after_the_retry_time_has():
    at = walk("retries-change", "switch_memory n1 1", "switch_retry_time 1", "switch_retry_time 0")
    assert "switch_memory" not in can(at)
    at(1)
    assert "switch_memory" not in can(at)
    at(1)
    assert "switch_memory" in can(at)


def test_without_the_drain_a_late_copy_is_delivered_again():
    """Claim 3.maximum_message_retry_time: everything was done in order, and nobody waited."""
    model = NAMED["retries-lowered-undrained"]
    (found,) = explore(model.instance(SPEC), deadlocks=False).violated()
    assert found.property == "at_most_once"
    assert found.trace is not None
    steps = [s.action for s in found.trace.steps if s.action != "tick"]
    assert steps.count("deliver") == 2
    assert steps.index("switch_retry_time") < len(steps) - 1 - steps[::-1].index("switch_memory")
