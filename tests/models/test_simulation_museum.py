"""Random walks find what is wrong with each control of the catalog that walks can catch."""

import pytest

from samebeat_models import Model, Tier
from samebeat_models.catalog import load_catalog
from samebeat_models.itf import dumps, loads
from samebeat_models.replay import replay
from samebeat_models.results import DEADLOCK_FREE, Exit, Verdict
from samebeat_models.simulation.results import Options
from samebeat_models.simulation.verdicts import simulate_model
from samebeat_spec.specs import load_spec

FAST = ("group", "pair")
CONTROLS = [
    pytest.param(
        m,
        id=m.name,
        marks=() if m.spec in FAST and m.sizes.get("Change") != 2 else pytest.mark.slow,
    )
    for m in load_catalog()
    if m.is_control and m.tier is not Tier.NIGHTLY
]
ENOUGH = Options(walks=5_000, depth=200)


def shown_by_a_state_or_step(model: Model) -> set[str]:
    """Return what a control violates and a walk can show wherever it meets it."""
    properties = load_spec(model.spec).of_kind("invariant", "step")
    return set(model.violates) & {DEADLOCK_FREE, *(p.name for p in properties)}


@pytest.mark.slow
def test_most_controls_are_wrong_in_a_state_or_a_step() -> None:
    caught = [m for m in load_catalog() if shown_by_a_state_or_step(m)]
    assert len(caught) > 150


@pytest.mark.parametrize("control", CONTROLS)
def test_walks_find_what_a_control_violates_and_the_runs_replay(control: Model) -> None:
    spec = load_spec(control.spec)
    _, rows = simulate_model(control, spec, ENOUGH)
    violated = {r.property: r for r in rows if r.verdict is Verdict.VIOLATED}
    assert violated.keys() >= shown_by_a_state_or_step(control)
    assert {r.exit for r in rows} <= {Exit.OK, Exit.UNDETERMINED}
    for name, row in violated.items():
        assert row.trace is not None
        file = loads(dumps(row.trace, control, spec, shows=name), f"{control.name}.{name}")
        own = replay(file, control, spec)
        assert own.refusal is None
        if row.kind != "always_reachable":  # no state shows that
            assert own.broken[name] == len(row.trace.steps)
