"""The shortest run to each situation that a right model must show: cores follow it to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from samebeat_conformance.followed import follow_trace
from samebeat_models.catalog import load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

MODELS = {
    "cluster-2x2-hang": 5,
    "cluster-2x1-live": 8,
    "cluster-3x1-dies": 9,
    "group-2x2": 10,
    "envelope-lowers": 5,
    "timed-2-raises": 5,
    "link-window": 14,
    "link-order": 8,
}
"""Models of each spec that cores follow, and how many witnesses they reach."""

BUSY = {"two_initiators_at_once", "a_busied_change", "both_changes_busied"}
"""Situations of `group` that only who asks while it is busy leads to: a core does not."""


def _shortest(name: str) -> Iterator[tuple[str, Trace]]:
    """Yield each witness of a model with a shortest run to it: what breaks that it never is so."""
    model = next(m for m in load_catalog() if m.name == name)
    instance = model.instance(load_spec(model.spec))
    for witness in instance.spec.of_kind("witness"):
        if witness.name in model.unreached:
            continue
        never = replace(witness, kind="invariant", formula=~witness.formula)
        spec = replace(instance.spec, properties=(*instance.spec.of_kind("terminal"), never))
        only = Instance(instance.name, spec, instance.sizes, instance.constants)
        (found,) = [f for f in explore(only).findings if f.property == witness.name]
        assert found.trace is not None
        yield witness.name, replace(found.trace, instance=instance)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_shortest_run_to_each_witness_is_followed(name: str) -> None:
    """What must be possible is possible for the cores."""
    runs = dict(_shortest(name))
    refused = set()
    for witness, trace in runs.items():
        found = follow_trace(trace)
        assert found.complete
        assert bool(found.refused) == bool(found.coarser), witness
        refused |= {witness} if found.refused else set()
    assert refused == (BUSY if name.startswith("group") else set())
    assert len(runs) == MODELS[name]
