"""What layers need of the specs alone, made once in the process that all of them are forked from.

Nothing here may import the core: each layer imports its own copy of it. So a layer does not explore
the spec again for each mutant; its seconds are those of the core and of what compares.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from samebeat_conformance.instances import find
from samebeat_conformance.specgraph import SpecGraph
from samebeat_models.catalog import load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Trace
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

CLUSTERS = ("2x1", "2x1-crash", "3x1-quarantine")
"""The clusters that cores and spec are explored on together."""
WRONG = (
    "cluster-apply-without-every-ack",
    "cluster-apply-without-ack",
    "cluster-hold-without-every-ok",
    "cluster-undo-without-word",
    "cluster-send-busy-without-rival",
    "cluster-report-without-later-view",
    "cluster-commit-without-open-change",
    "link-submit-without-room",
    "link-send-out-of-turn",
    "link-hear-ack-without-ack",
    "link-give-up-what-waits",
    "link-keep-from-nowhere",
    "link-window-lowered-member-first",
    "timed-hear-without-epoch",
    "timed-member-sends-without-timer",
)
"""Models of the museum that cores refuse a run of; each takes less than a second."""


def instance_of(name: str) -> Instance:
    """Return a cluster by name; with views it has two of them, which is one less than listed."""
    listed = find(name)
    return (replace(listed, views=2) if listed.views > 2 else listed).instance


@cache
def _graph(name: str) -> SpecGraph:
    return SpecGraph(instance_of(name))


def graph_of(name: str) -> SpecGraph:
    """Return the steps of a cluster's spec, none of them taken yet."""
    graph = _graph(name)
    graph.covered = bytearray(len(graph.covered))
    return graph


@cache
def wrong_runs() -> tuple[tuple[str, str, Trace], ...]:
    """Return counterexamples: the model, the promise that it breaks there, and the run."""
    models = {m.name: m for m in load_catalog() if m.name in WRONG}
    return tuple(
        _wrong_run(name, models[name].instance(load_spec(models[name].spec)), models[name].violates)
        for name in WRONG
    )


def _wrong_run(name: str, instance: Instance, violates: tuple[str, ...]) -> tuple[str, str, Trace]:
    found = explore(instance).findings
    traces = [(f.property, f.trace) for f in found if f.trace and f.property in violates]
    return (name, *min(traces, key=lambda one: one[0]))
