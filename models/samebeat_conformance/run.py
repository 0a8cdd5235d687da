"""One listed cluster, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from samebeat_conformance.instances import Listed
from samebeat_conformance.layer.instances import Listed as Channel
from samebeat_conformance.noise import Noise, make_noise
from samebeat_conformance.product import Conformance, Product
from samebeat_conformance.reasons import NEVER, Reasons
from samebeat_conformance.timed.instances import Listed as Timed
from samebeat_conformance.trace import itf_of, lines_of
from samebeat_models.results import Verdict

LEFT_OUT = (
    "more members, changes, views and crashes than the instance has",
    "time: deadlines, retry timers and watchdogs run out whenever the explorer likes",
    "a journal that is lost, a restore or an adoption that fails, a late operation that fails",
    "members that lie",
)
ON_DEMAND = (
    "what a node has heard beyond what its last step needed (it is heard again on demand)",
    "answers and repetitions from states that their sender has left (what they say is sent anew)",
)
STEPWISE = (
    "stepwise: crashes that lose several steps at once (they are crashes before the first)",
)


@dataclass(frozen=True)
class Outcome:
    """What came of one listed cluster.

    Attributes:
        listed: the cluster, the channel, or the pair in time.
        found: what the exploration has counted.
        noise: what came of foreign messages and garbage.
        uncovered: how many steps of the spec no core has taken, by action and reason.
        left_out: what this says nothing about.
        divergence: the run that leads to one, in words; empty: there is none.
        itf: the same as a file.
    """

    listed: Listed | Channel | Timed
    found: Conformance
    noise: Noise
    uncovered: Counter[tuple[str, str]]
    left_out: tuple[str, ...]
    divergence: tuple[str, ...] = ()
    itf: str = ""

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
    """Explore a listed cluster, disturb it, and judge what came of it."""
    product = Product(
        listed.instance,
        most_pairs,
        on_demand=not listed.full,
        stepwise=listed.stepwise,
        symmetric=listed.symmetric,
        watch=watch,
    )
    more = () if listed.full else ON_DEMAND
    left_out = (*LEFT_OUT, *more, *(STEPWISE if listed.stepwise else ()))
    found = product.run()
    if found.divergence is not None:
        words = tuple(lines_of(product, found.divergence))
        itf = itf_of(product, found.divergence)
        return Outcome(listed, found, Noise(), Counter(), left_out, words, itf)
    noise = make_noise(product.moves.nodes, product.moves.network)
    return Outcome(listed, found, noise, _uncovered(product), left_out)


def _uncovered(product: Product) -> Counter[tuple[str, str]]:
    """Return how many steps are not taken, and why."""
    reasons = Reasons(product)
    return Counter((step.action, reasons.of(step)) for step in product.uncovered())
