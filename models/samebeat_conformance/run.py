"""One listed cluster, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from samebeat_conformance.indicator.instances import Listed as Indicator
from samebeat_conformance.instances import Listed
from samebeat_conformance.layer.instances import Listed as Channel
from samebeat_conformance.noise import Noise, make_noise
from samebeat_conformance.product import Conformance, Product
from samebeat_conformance.specgraph import SpecGraph
from samebeat_conformance.timed.instances import Listed as Timed
from samebeat_conformance.trace import itf_of, lines_of
from samebeat_models.results import Verdict

LEFT_OUT = (
    "more members, changes, views and crashes than the instance has",
    "time: deadlines, retry timers and watchdogs run out whenever the explorer likes",
    "a journal that is lost, a restore or an adoption that fails",
    "members that lie",
)
ON_DEMAND = (
    "what a node has heard beyond what its last step needed (it is heard again on demand)",
    "answers and repetitions from states that their sender has left (what they say is sent anew)",
)
NEVER = "no core takes it"
"""What is said of a step of the spec that the cores should take, and never do."""
AT_ONCE = "all steps at once"
ONE_BY_ONE = "one step at a time"


@dataclass(frozen=True)
class Outcome:
    """What came of one listed cluster, channel or pair, in time or not.

    Attributes:
        listed: the cluster, the channel, or the pair.
        found: what the exploration has counted.
        noise: what came of foreign messages and garbage.
        uncovered: how many steps of the spec no core has taken, by action and reason.
        left_out: what this says nothing about.
        divergence: the run that leads to one, in words; empty: there is none.
        itf: the same as a file.
        grains: where cores take their steps in two ways, how many of the spec's steps each takes.
    """

    listed: Listed | Channel | Timed | Indicator
    found: Conformance
    noise: Noise
    uncovered: Counter[tuple[str, str]]
    left_out: tuple[str, ...]
    divergence: tuple[str, ...] = ()
    itf: str = ""
    grains: Mapping[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """A divergence, noise that changes something or a step that no core takes: violated."""
        never = any(reason == NEVER for _, reason in self.uncovered)
        if self.divergence or self.noise.failures or (self.found.complete and never):
            return Verdict.VIOLATED
        return Verdict.HOLDS if self.found.complete else Verdict.UNDETERMINED

    @property
    def stutter_checks(self) -> int:
        """How many inputs were found to change nothing that the spec knows of."""
        return self.found.stutter_checks + self.noise.foreign + self.noise.garbage


def nothing(_pairs: int, _checks: int) -> None:
    """Watch nothing."""


def conform(
    listed: Listed,
    most_pairs: int = 2_000_000,
    watch: Callable[[int, int], None] = nothing,
) -> Outcome:
    """Explore a listed cluster, disturb it, and judge what came of it.

    Where cores are also to take one step at a time, that is a second exploration. A step of the
    spec is covered if it is taken in one of them.
    """
    spec = SpecGraph(listed.instance)
    spec.begin_after(*listed.after)
    found, noise = Conformance(), Noise()
    first = (f"{listed.name}: what comes before: {', '.join(listed.after)}",)
    left_out = (*LEFT_OUT, *(() if listed.full else ON_DEMAND), *(first if listed.after else ()))
    grains: dict[str, int] = {}
    taken = bytes(len(spec.covered))
    for grain in (AT_ONCE, ONE_BY_ONE) if listed.stepwise else (AT_ONCE,):
        spec.covered = bytearray(len(spec.covered))
        product = Product(
            listed.instance,
            most_pairs,
            on_demand=not listed.full,
            stepwise=grain == ONE_BY_ONE,
            symmetric=listed.symmetric,
            watch=watch,
            spec=spec,
        )
        one = product.run()
        found = found.joined_with(one)
        if one.divergence is not None:
            words = tuple(lines_of(product, one.divergence))
            itf = itf_of(product, one.divergence)
            return Outcome(listed, found, Noise(), Counter(), left_out, words, itf)
        if grain == AT_ONCE:  # what garbage does is decided before any step is taken
            noise = make_noise(product.moves.nodes, product.moves.network)
        grains[grain] = one.edges_covered
        taken = bytes(a | b for a, b in zip(taken, spec.covered, strict=True))
    spec.covered = bytearray(taken)
    found = replace(found, edges_covered=spec.edges_covered)
    uncovered = Counter((step.action, NEVER) for step in spec.uncovered())
    shown = grains if listed.stepwise else {}
    return Outcome(listed, found, noise, uncovered, left_out, grains=shown)
