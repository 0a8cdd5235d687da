"""The clusters on which the core is held against the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samebeat_models.catalog import load_catalog
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

_CALM = "cluster-2x2-calm"
"""The model of the catalog whose mechanisms these clusters have, and whose faults if not said."""


@dataclass(frozen=True)
class Listed:
    """A cluster that ``samebeat conform`` explores.

    Attributes:
        name: what it is called.
        about: what is looked at, in a sentence.
        after: steps of the spec that the cores have taken when the exploration begins; what counts
            is what comes after them.
        members, changes, views, crashes: how many there are of each; views with the first one.
        faults: the constants of the spec that differ from those of a calm cluster.
        stepwise: besides cores that take all steps at once there are, in an exploration of their
            own, cores that take one step at a time, in any order.
        symmetric: of product states that differ in members' names one is explored.
        full: each core may hear each datagram at any time; otherwise knowledge is on demand.
        fast: it takes seconds.
    """

    name: str
    about: str
    members: int
    changes: int
    views: int = 1
    crashes: int = 0
    faults: Mapping[str, bool] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    stepwise: bool = False
    symmetric: bool = False
    full: bool = False
    fast: bool = False
    spec: str = "cluster"

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        return group_change(
            self.members, self.changes, self.crashes, self.views, self.faults, self.name
        )


CAUSE = {"needs_cause": True}
_WITHOUT_N3 = (
    *("crash n3 1", "propose n1 1 q1", "report n2 1", "begin_view n2 1", "begin_view n1 1"),
    *("request n1 c1", "send_ack n2 c1"),
)
"""A member is down, the others are in a view without it and have a change open."""
_ALL_HAVE_ACKED = ("request n1 c1", "send_ack n2 c1", "send_ack n3 c1")
_APPLIED_AND_GONE = (*_ALL_HAVE_ACKED, "apply n3 c1", "crash n3 1")
_VOTED_AND_GONE = (
    *_ALL_HAVE_ACKED,
    *(f"{step} {n} c1" for n in ("n1", "n2", "n3") for step in ("apply", "send_ok")),
    *("hold n1 c1", "crash n1 1"),
)

LISTED = (
    Listed("1x1", "One member by itself.", 1, 1, full=True, fast=True),
    Listed("2x1", "Two members, one change that may fail.", 2, 1, full=True, fast=True),
    Listed("2x1-crash", "One of two crashes, at any moment, and comes back.", 2, 1, crashes=1,
           fast=True),
    Listed("3x1", "Three members, one change that may fail.", 3, 1, fast=True),
    Listed("2x1-crash-full", "As 2x1-crash, with full knowledge.", 2, 1, crashes=1, full=True),
    Listed("2x1-crashes", "Two crashes of two members.", 2, 1, crashes=2),
    Listed("2x2", "Two members, two changes, also at once.", 2, 2),
    Listed("2x2-hang", "Operations may hang, and succeed too late.", 2, 2,
           faults={"may_hang": True}),
    Listed("2x2-quarantine", "A member may fail to undo, and takes itself out.", 2, 2,
           faults={"undo_may_fail": True}),
    Listed("3x1-quarantine", "A member takes itself out; two views go on without it.", 3, 1,
           views=3, faults={**CAUSE, "undo_may_fail": True}, stepwise=True, symmetric=True),
    Listed("3x1-crash", "One of three crashes and comes back, without views.", 3, 1, crashes=1,
           symmetric=True),
    Listed("3x1-rejoin", "Who has crashed comes back, and is let in while a change is open.", 3, 1,
           views=3, crashes=1, faults=CAUSE, after=_WITHOUT_N3, stepwise=True),
    Listed("3x1-flush", "Who has applied crashes; the others decide in a view.", 3, 1,
           views=2, crashes=1, faults=CAUSE, after=_APPLIED_AND_GONE, stepwise=True),
    Listed("3x1-held", "Who asked has voted and crashes; the others adopt that.", 3, 1,
           views=2, crashes=1, faults=CAUSE, after=_VOTED_AND_GONE, stepwise=True),
    Listed("2x2-crash", "Two changes of two members, and one crash.", 2, 2, crashes=1),
)  # fmt: skip


def find(name: str) -> Listed:
    """Return a listed cluster.

    Raises:
        KeyError: there is none of that name.
    """
    return {listed.name: listed for listed in LISTED}[name]


def group_change(
    members: int,
    changes: int,
    crashes: int = 0,
    views: int = 1,
    faults: Mapping[str, bool] | None = None,
    name: str = "",
) -> Instance:
    """Return the hardened group change with so many members, changes, crashes and views."""
    names = [f"n{i + 1}" for i in range(members)]
    quorums = _quorums(names)
    everyone = next(q for q, of in quorums.items() if len(of) == members)
    sizes = {
        "Node": members,
        "Change": changes,
        "Epoch": changes + 1,
        "Value": changes + 1,
        "Quorum": len(quorums),
        "View": views,
        "Crash": crashes + 1,
    }
    constants = {
        **_constants_of(_CALM),
        "asked": {f"c{i + 1}": f"v{i + 2}" for i in range(changes)},
        "start_value": "v1",
        "in_quorum": [f"{q},{n}" for q, of in quorums.items() for n in of],
        "everyone": everyone,
        **(faults or {}),
    }
    return Instance(name or f"{members}x{changes}", load_spec("cluster"), sizes, constants)


MECHANISMS = (
    "held_round",
    "flush_round",
    "latest_vote_counts",
    "keeps_promise",
    "waits_for_reports",
    "transfers_state",
    "journals_first",
    "journals_promises",
    "tells_decisions",
    "quarantines",
    "replaces_blank",
    "waits_for_late",
)
"""The constants of the spec that switch a mechanism of the hardened group change on."""


def mechanisms() -> dict[str, bool]:
    """Return the mechanisms that the core has: all of them."""
    return dict.fromkeys(MECHANISMS, True)


def everything_may_happen() -> dict[str, Any]:
    """Return constants with all mechanisms, and all faults that a core with its journal has."""
    faults = {"undo_may_fail": True, "may_hang": True, "may_lose_journal": False}
    rest = {"recovers": True, "dead_are_heard": True, "needs_cause": False}
    return {**mechanisms(), **faults, **rest}


def _constants_of(name: str) -> Mapping[str, Any]:
    """Return the constants of a model of the catalog."""
    return next(m.constants for m in load_catalog() if m.name == name)


def _quorums(names: list[str]) -> dict[str, list[str]]:
    """Name each set of members that is more than half of them."""
    sets = [[n for i, n in enumerate(names) if bits >> i & 1] for bits in range(1, 2 ** len(names))]
    return {f"q{i + 1}": of for i, of in enumerate(s for s in sets if 2 * len(s) > len(names))}
