"""The pairs that are held against the spec `pair`: instances of the catalog."""

from __future__ import annotations

from dataclasses import dataclass

from samebeat_models.catalog import load_catalog
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec


@dataclass(frozen=True)
class Listed:
    """A pair that ``samebeat conform`` explores.

    Attributes:
        name: what it is called.
        about: what is looked at, in a sentence.
        model: the model of the catalog that it is.
        fast: it takes seconds.
    """

    name: str
    about: str
    model: str
    fast: bool = False
    spec: str = "pair"
    full: bool = True

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        model = next(m for m in load_catalog() if m.name == self.model)
        return Instance(self.name, load_spec("pair"), model.sizes, model.constants)


LISTED = (
    Listed("indicator-1", "One change: made by both nodes, or refused.", "pair-1", fast=True),
    Listed("indicator-local", "Two changes of a local parameter: nobody is asked.", "pair-local",
           fast=True),
    Listed("indicator-mixed", "A local change, also during a deferral.", "pair-mixed", fast=True),
    Listed("indicator-2", "Two changes: one after the other, or crossing.", "pair-2", fast=True),
    Listed("indicator-back", "A change, and one back to the first value.", "pair-back"),
    Listed("indicator-3-mixed", "Two changes and a local one.", "pair-3-mixed"),
    Listed("indicator-3", "Three changes, of either node.", "pair-3"),
)  # fmt: skip


def find(name: str) -> Listed | None:
    """Return a listed pair; None: there is none of that name."""
    return {listed.name: listed for listed in LISTED}.get(name)
