"""The ladder of assurance: for each promise, how it is known, and what that rests on.

One table for ``samebeat assurance``, ``check``, ``prove`` and ``claims``. It is read off the
catalog and the proofs; nothing in it is written by hand but why a spec has no proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from samebeat_cli.selection import catalog, shipped_spec
from samebeat_models.catalog import Model
from samebeat_spec.language import Spec

if TYPE_CHECKING:
    from samebeat_proofs.facts import Proof

SAFETY = ("invariant", "step")


class Rung(StrEnum):
    """How a promise is known, from the weakest to the strongest."""

    NONE = "none"
    SEARCHED = "searched"
    EXHAUSTIVE = "exhaustive"
    ALL_N = "all-n"
    ALL_REALS = "all-reals"

    @property
    def words(self) -> str:
        """What a reader is told."""
        return {
            Rung.NONE: "not checked",
            Rung.SEARCHED: "searched",
            Rung.EXHAUSTIVE: "exhaustive, small clusters",
            Rung.ALL_N: "proved for all N",
            Rung.ALL_REALS: "proved for all N and all real times",
        }[self]


@dataclass(frozen=True)
class Assurance:
    """How one promise of one spec is known.

    Attributes:
        spec, name, kind, claims: the promise.
        models: the models in which every reachable state was looked at, and that have a case for
            it; the largest comes first.
        proof: the name of the proof that shows it, for ``samebeat prove``; empty: none.
        rung: the strongest of these.
        rests_on: what the proof assumes, each a sentence.
        why: why it is not proved; empty if it is.
    """

    spec: str
    name: str
    kind: str
    claims: tuple[str, ...]
    models: tuple[Model, ...]
    proof: str
    rung: Rung
    rests_on: tuple[str, ...]
    why: str

    @property
    def is_safety(self) -> bool:
        """Whether it speaks of states and steps, so that induction can show it."""
        return self.kind in SAFETY

    @property
    def largest(self) -> str:
        """The largest model, with its sizes in words; empty if there is none."""
        if not self.models:
            return ""
        sizes = self.models[0].sizes
        named = [f"{size} {sort}" for sort, size in sizes.items() if sort in _COUNTED]
        return f"{self.models[0].name} ({', '.join(named)})" if named else self.models[0].name


_COUNTED = ("Node", "Change", "View", "Message")
"""The sorts that say how large a cluster or a history is."""

STALE = "the spec or the proof has changed since `samebeat prove` last went through"
IN_THE_END = "induction shows what is so in every state, not what comes to be in the end"


@cache
def ladder() -> tuple[Assurance, ...]:
    """Return how each promise of each spec that samebeat ships is known."""
    from samebeat_proofs.proofs import PROOFS
    from samebeat_spec.specs import SPEC_NAMES

    proofs = {name: make() for name, make in PROOFS.items()}
    return tuple(a for name in SPEC_NAMES for a in _of_spec(shipped_spec(name), proofs))


def _of_spec(spec: Spec, proofs: dict[str, Proof]) -> Iterable[Assurance]:
    models = [s.model for s in catalog() if s.model.spec == spec.name and not s.model.is_control]
    for promise in spec.promises:
        kind = getattr(promise, "kind", type(promise).__name__.lower())
        if kind in ("witness", "terminal"):
            continue
        shown = [m for m in models if _looks_at(m, promise.name, kind)]
        shown.sort(key=lambda m: m.states or 0, reverse=True)
        proof = _proof_of(spec, promise.name, proofs) if kind in SAFETY else ""
        stale = proof if proof and not _is_verified(proof, proofs[proof]) else ""
        proof = "" if stale else proof
        yield Assurance(
            spec.name,
            promise.name,
            kind,
            promise.claims,
            tuple(shown),
            proof,
            _rung(proofs.get(proof), bool(shown)),
            tuple(a.doc for a in proofs[proof].axioms) if proof else (),
            "" if proof else STALE if stale else _why(spec, promise.name, kind, proofs),
        )


def _looks_at(model: Model, promise: str, kind: str) -> bool:
    """Whether the model pins that it holds, of all reachable states, and that there is a case."""
    if promise in model.vacuous or model.states is None:
        return False
    return kind in (*SAFETY, "always_reachable") or promise in (*model.live, *model.refines)


def _proof_of(spec: Spec, promise: str, proofs: dict[str, Proof]) -> str:
    for name, proof in proofs.items():
        own = {f.name for f in proof.facts if not f.is_strengthening}
        if (proof.shows or proof.spec.name) == spec.name and promise in own:
            return name
    return ""


def _is_verified(name: str, proof: Proof) -> bool:
    """Whether the proof is the one that was run to its end, to the last fact."""
    from samebeat_proofs.verified import VERIFIED

    return VERIFIED.get(name) == proof.fingerprint


def _rung(proof: Proof | None, explored: bool) -> Rung:
    if proof is not None:
        return Rung.ALL_REALS if proof.reals else Rung.ALL_N
    return Rung.EXHAUSTIVE if explored else Rung.NONE


def _why(spec: Spec, promise: str, kind: str, proofs: dict[str, Proof]) -> str:
    from samebeat_proofs.unproved import UNPROVED

    if kind not in SAFETY:
        return IN_THE_END
    left_out = proofs[spec.name].left_out if spec.name in proofs else {}
    return left_out.get(promise, UNPROVED.get(spec.name, ""))


def explored_only(names: Iterable[str] = ()) -> tuple[Assurance, ...]:
    """Return what is promised about safety and not proved, of these specs or of all."""
    wanted = set(names)
    return tuple(
        row
        for row in ladder()
        if row.is_safety and not row.proof and (not wanted or row.spec in wanted)
    )
