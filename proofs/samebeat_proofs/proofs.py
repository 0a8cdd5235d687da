"""The proofs that samebeat ships, by the name of their spec."""

from __future__ import annotations

from collections.abc import Callable

from samebeat_proofs.cluster_proof import cluster_proof
from samebeat_proofs.composed_proof import composed_proof
from samebeat_proofs.facts import Proof
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.limits_proof import limits_proof
from samebeat_proofs.link_proof import link_proof
from samebeat_proofs.loss_time import loss_time_proof
from samebeat_proofs.pair_proof import pair_proof
from samebeat_proofs.timed_cluster_proof import timed_cluster_proof
from samebeat_proofs.timed_proof import timed_proof
from samebeat_proofs.transport_proof import transport_proof

PROOFS: dict[str, Callable[[], Proof]] = {
    "group": group_proof,
    "pair": pair_proof,
    "heartbeat": timed_proof,
    "composed": composed_proof,
    "cluster": cluster_proof,
    "timed_cluster": timed_cluster_proof,
    "limits": limits_proof,
    "loss-time": loss_time_proof,
    "transport": transport_proof,
    "link": link_proof,
}


def load_proof(spec: str) -> Proof:
    """Return the proof of a spec.

    Raises:
        KeyError: there is none.
    """
    return PROOFS[spec]()
