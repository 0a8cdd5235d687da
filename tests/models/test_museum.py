"""The museum of wrong protocols: what each exhibit shows, the right protocol refuses."""

import msgspec
import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.check import check_model
from samebeat_models.itf import dumps, loads
from samebeat_models.replay import replay
from samebeat_models.results import Verdict
from samebeat_spec.specs import load_spec


def is_slow(number: int, model: Model) -> bool:
    """Whether a control takes more than a moment, or others of its kind do in the fast tests."""
    larger = model.sizes.get("Change") == 2 or model.spec in ("composed", "timed_cluster")
    larger |= model.spec == "cluster" and model.sizes != SMALLEST
    return larger or number % 4 > 0 or model.name in SLOW


SLOW = (
    "link-give-up-out-of-turn",
    "cluster-undo-without-word",
    "cluster-fail-to-undo-without-reason",
)
SMALLEST = {"Node": 2, "Change": 1, "Epoch": 2, "Value": 2, "Quorum": 1, "View": 1, "Crash": 1}
CONTROLS = [
    pytest.param(
        m,
        id=m.name,
        marks=pytest.mark.slow if is_slow(i, m) else (),
    )
    for i, m in enumerate(m for m in load_catalog() if m.without is not None and m.tier == "fast")
]


@pytest.mark.parametrize("control", CONTROLS)
def test_the_right_protocol_refuses_every_control_by_the_guard_it_leaves_out(
    control: Model,
) -> None:
    spec = load_spec(control.spec)
    right = msgspec.structs.replace(control, name="right", without=None, violates=())
    _, rows = check_model(control, spec)
    traces = {r.property: r.trace for r in rows if r.verdict is Verdict.VIOLATED and r.trace}
    assert set(traces) == set(control.violates)
    for name, trace in traces.items():
        file = loads(dumps(trace, control, spec), f"{control.name}.{name}")
        own = replay(file, control, spec)
        assert own.refusal is None
        if name not in {p.name for p in spec.of_kind("always_reachable")}:  # no state shows that
            assert own.broken[name] == control.depth
        refused = replay(file, right, spec)
        assert refused.refusal is not None
        assert control.without is not None
        assert refused.refusal.reasons == (control.without.guard,)
        assert refused.refusal.label.startswith(f"{control.without.action}(")
