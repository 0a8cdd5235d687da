"""Every wrong protocol of the museums is found by a bounded search, sets of actions at a time."""

import pytest

from samebeat_models.catalog import Model, Tier, load_catalog
from samebeat_proofs.bounded import Searched, search
from samebeat_spec.specs import load_spec

MODELS = load_catalog()
LONG = 12
"""Of the hardened group change, controls with longer counterexamples are left out: minutes."""

GROUP = {
    "request-without-new-id": 9,
    "receive-request-without-request": 4,
    "receive-request-without-first-time": 6,
    "send-ack-without-unanswered-request": 3,
    "send-ack-without-nothing-else-open": 5,
    "send-ack-without-same-epoch": 14,
    "send-busy-without-unanswered-request": 4,
    "send-busy-without-rival": 3,
    "receive-without-sender": 5,
    "receive-without-open-change": 5,
    "close-busied-without-acked-phase": 13,
    "close-busied-without-busy-answer": 6,
    "apply-without-acked-phase": 9,
    "apply-without-every-ack": 4,
    "fail-to-apply-without-acked-phase": 8,
    "fail-to-apply-without-every-ack": 4,
    "send-ok-without-applied": 6,
    "send-failure-without-failed-apply": 8,
    "commit-without-applied": 8,
    "commit-without-every-ok": 6,
    "undo-without-open-change": 15,
    "undo-without-heard-failure": 8,
}
"""How many steps the solver needs for each control; never more than one action a step needs."""


def controls(spec: str) -> dict[str, Model]:
    return {m.name: m for m in MODELS if m.spec == spec and m.without is not None}


def caught(model: Model, depth: int) -> Searched:
    instance = model.instance(load_spec(model.spec))
    return search(instance, depth, deadlocks=False, wanted=model.violates)


def test_no_control_of_the_group_change_is_left_out():
    assert set(GROUP) == set(controls("group"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "depth"), GROUP.items())
def test_each_is_found_in_exactly_so_many_steps(name, depth):
    model = controls("group")[name]
    found = caught(model, depth)
    assert found.run is not None
    assert set(found.broken) & set(model.violates)
    assert (found.depth, len(found.at_once)) == (depth - 1, depth)
    assert model.depth is not None
    assert depth <= model.depth <= len(found.run.taken)


SHORT = [
    m.name
    for m in controls("cluster").values()
    if m.tier is Tier.FAST and m.depth is not None and m.depth <= LONG and not m.unfair
]


def test_most_controls_of_the_hardened_group_change_are_looked_at():
    assert len(SHORT) > len(controls("cluster")) / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_each_of_the_hardened_one_is_found_as_early_as_by_the_explorer(name):
    model = controls("cluster")[name]
    assert model.depth is not None
    found = caught(model, model.depth)
    assert found.run is not None
    assert set(found.broken) & set(model.violates)
    assert len(found.at_once) <= model.depth <= len(found.run.taken)
