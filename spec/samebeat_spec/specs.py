"""The specs that samebeat ships, by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from samebeat_spec.language import Spec, spec_of
from samebeat_spec.language.state import State

_PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "group": (
        "Group",
        (
            "samebeat_spec.group",
            "samebeat_spec.group_properties",
            "samebeat_spec.group_liveness",
            "samebeat_spec.group_figures",
        ),
    ),
    "pair": (
        "Pair",
        (
            "samebeat_spec.pair",
            "samebeat_spec.pair_properties",
            "samebeat_spec.pair_liveness",
            "samebeat_spec.pair_figures",
        ),
    ),
    "heartbeat": (
        "TimedPair",
        (
            "samebeat_spec.heartbeat",
            "samebeat_spec.heartbeat_failures",
            "samebeat_spec.heartbeat_properties",
            "samebeat_spec.heartbeat_liveness",
            "samebeat_spec.heartbeat_figures",
        ),
    ),
    "acks": (
        "AckedPair",
        ("samebeat_spec.acks", "samebeat_spec.acks_properties", "samebeat_spec.acks_figures"),
    ),
    "composed": (
        "Composed",
        (
            "samebeat_spec.composed",
            "samebeat_spec.composed_properties",
            "samebeat_spec.composed_refinements",
            "samebeat_spec.composed_figures",
            "samebeat_spec.group_properties",
            "samebeat_spec.group_liveness",
            "samebeat_spec.group_figures",
            "samebeat_spec.heartbeat_failures",
        ),
    ),
    "cluster": (
        "Cluster",
        (
            "samebeat_spec.cluster",
            "samebeat_spec.cluster_views",
            "samebeat_spec.cluster_faults",
            "samebeat_spec.cluster_properties",
            "samebeat_spec.cluster_witnesses",
            "samebeat_spec.cluster_liveness",
            "samebeat_spec.cluster_refinements",
        ),
    ),
    "timed_cluster": (
        "TimedCluster",
        (
            "samebeat_spec.timed_cluster",
            "samebeat_spec.timed_cluster_properties",
            "samebeat_spec.timed_cluster_refinements",
            "samebeat_spec.cluster_views",
            "samebeat_spec.cluster_faults",
            "samebeat_spec.cluster_properties",
            "samebeat_spec.cluster_witnesses",
            "samebeat_spec.cluster_liveness",
            "samebeat_spec.heartbeat_failures",
        ),
    ),
    "transport": (
        "Transport",
        (
            "samebeat_spec.transport",
            "samebeat_spec.stream_properties",
            "samebeat_spec.transport_properties",
            "samebeat_spec.transport_liveness",
        ),
    ),
    "retries": (
        "Retries",
        (
            "samebeat_spec.retries",
            "samebeat_spec.stream_properties",
            "samebeat_spec.transport_properties",
            "samebeat_spec.transport_liveness",
        ),
    ),
    "link": (
        "Link",
        (
            "samebeat_spec.link",
            "samebeat_spec.stream_properties",
            "samebeat_spec.link_properties",
            "samebeat_spec.link_liveness",
        ),
    ),
    "timed_link": (
        "TimedLink",
        (
            "samebeat_spec.timed_link",
            "samebeat_spec.timed_link_properties",
            "samebeat_spec.stream_properties",
            "samebeat_spec.link_properties",
            "samebeat_spec.link_liveness",
        ),
    ),
    "limits": ("Limits", ("samebeat_spec.limits", "samebeat_spec.limits_properties")),
}
"""For each spec its state class and the modules that define it, the state class in the first."""

SPEC_NAMES = tuple(_PARTS)


@cache
def load_spec(name: str) -> Spec:
    """Return the shipped spec called ``name``; it is put together once.

    Raises:
        KeyError: there is none.
    """
    state_name, parts = _PARTS[name]
    modules = [import_module(part) for part in parts]
    state: type[State] = getattr(modules[0], state_name)
    return spec_of(state)
