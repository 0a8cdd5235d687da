"""One listed channel, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from samebeat_conformance.layer.instances import Listed
from samebeat_conformance.layer.noise import make_noise
from samebeat_conformance.layer.product import Product, Run
from samebeat_conformance.layer.steps import Steps
from samebeat_conformance.layer.timed import TimedProduct, TimedSteps
from samebeat_conformance.noise import Noise
from samebeat_conformance.product import Conformance
from samebeat_conformance.run import AT_ONCE, NEVER, ONE_BY_ONE, Outcome, nothing
from samebeat_conformance.written import Shown, changed_cells, itf_text

DIVERGES = "which is no step of the spec:"
_TIME = "messages: time; retry timers run out whenever the explorer likes, and W when it may"
_BEYOND_TIME = (
    "messages: instants between ticks, clocks that differ, several fragments with a clock"
)
LEFT_OUT = (
    "messages: more of them, and more members than the one that a channel has",
    "messages: streams that start, since both ends know each other's boot",
    "messages: a change begins when the one before it is over at both ends",
)


def conform(
    listed: Listed,
    most_pairs: int = 2_000_000,
    watch: Callable[[int, int], None] = nothing,
) -> Outcome:
    """Explore a listed channel in both grains, disturb it, and judge what came of it.

    Each input of either must be steps of the spec, or nothing; and each step must be one of either.
    """
    of_steps, of_products = (TimedSteps, TimedProduct) if listed.times else (Steps, Product)
    left_out = (*LEFT_OUT, _BEYOND_TIME if listed.times else _TIME)
    spec = of_steps(listed.instance)
    covered, noise = bytearray(spec.edges), Noise()
    found, grains = Conformance(), dict[str, int]()
    for grain in (AT_ONCE, ONE_BY_ONE):
        product = of_products(listed, most_pairs, watch, stepwise=grain == ONE_BY_ONE, spec=spec)
        one = product.run()
        if one.run is not None:
            words = (*one.run.words, DIVERGES, *_changed(product, one.run))
            itf = _itf(product, one.run)
            return Outcome(listed, one, noise, Counter(), left_out, words, itf)
        grains[grain] = one.edges_covered
        covered = bytearray(a | b for a, b in zip(covered, spec.covered, strict=True))
        found = replace(found.joined_with(one), edges_covered=sum(covered))
        make_noise(product, noise)
    spec.covered = covered
    uncovered = Counter((step.action, NEVER) for step in spec.uncovered())
    return Outcome(listed, found, noise, uncovered, left_out, grains=grains)


def _changed(product: Product, run: Run) -> list[str]:
    return changed_cells(product.mapping.instance, *run.states[-2:])


def _itf(product: Product, run: Run) -> str:
    """Return a divergence as the text of an ITF file: the last state is none of the spec's."""
    return itf_text(
        product.mapping.instance,
        run.states,
        {"input": Shown("Str", ("", *run.words))},
        "A run of a channel whose last step is no step of the spec.",
        _changed(product, run),
    )
