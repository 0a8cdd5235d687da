"""One listed pair, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from samebeat_conformance.indicator.instances import Listed
from samebeat_conformance.indicator.mapping import OffTheMap
from samebeat_conformance.indicator.noise import make_noise
from samebeat_conformance.indicator.product import Divergence, Pair, Product, Steps
from samebeat_conformance.noise import Noise
from samebeat_conformance.product import Conformance
from samebeat_conformance.run import AT_ONCE, NEVER, ONE_BY_ONE, Outcome, nothing
from samebeat_conformance.written import Shown, changed_cells, itf_text

LEFT_OUT = (
    "indicators: time; heartbeats go and come whenever the explorer likes (tests have a clock)",
    "indicators: crashes, and changes of the group in between (tests have them)",
    "indicators: more than two nodes, and more changes than the instance has",
)


def conform(
    listed: Listed,
    most_pairs: int = 2_000_000,
    watch: Callable[[int, int], None] = nothing,
) -> Outcome:
    """Explore a listed pair in both grains, disturb it, and judge what came of it.

    A step of the spec is covered if cores that take one step at a time take it.
    """
    spec = Steps(listed.instance)
    found, noise, grains = Conformance(), Noise(), dict[str, int]()
    for grain in (AT_ONCE, ONE_BY_ONE):
        product = Product(listed, most_pairs, watch, stepwise=grain == ONE_BY_ONE, spec=spec)
        one = product.run()
        found = replace(found.joined_with(one), edges_covered=one.edges_covered)
        if product.divergence is not None:
            words = tuple(lines_of(product, product.divergence))
            itf = itf_of(product, product.divergence)
            found.complete = False
            return Outcome(listed, found, noise, Counter(), LEFT_OUT, words, itf)
        grains[grain] = one.edges_covered
        make_noise(product, noise)
    uncovered = Counter((step.action, NEVER) for step in spec.uncovered())
    return Outcome(listed, found, noise, uncovered, LEFT_OUT, grains=grains)


def lines_of(product: Product, divergence: Divergence) -> list[str]:
    """Return a divergence in words: what happens, and which cells change that must not."""
    return [*divergence.words, f"{divergence.why}:", *_changed(product, divergence)]


def _changed(product: Product, divergence: Divergence) -> list[str]:
    try:
        here, there = (product.cells(pair) for pair in divergence.pairs[-2:])
    except OffTheMap as error:
        return [str(error)]
    return changed_cells(product.mapping.instance, here, there)


def itf_of(product: Product, divergence: Divergence) -> str:
    """Return a divergence as the text of an ITF file, with both sides shown."""
    states = [product.cells(divergence.pairs[0])]
    for pair in divergence.pairs[1:]:
        try:
            states.append(product.cells(pair))
        except OffTheMap:  # for the last one the spec may have no word: the one before
            states.append(states[-1])
    cores = [{"#map": _cores(product, pair)} for pair in divergence.pairs]
    return itf_text(
        product.mapping.instance,
        states,
        {"core": Shown("Str -> Str", cores), "input": Shown("Str", ("", *divergence.words))},
        "A run of two cores whose last step is no step of the spec.",
        [divergence.why, *_changed(product, divergence)],
    )


def _cores(product: Product, pair: Pair) -> list[list[str]]:
    """Return what each node has of the changes with the other, as it has it."""
    return [
        [end.name, f"{dict(end.state.firsts)} {dict(end.state.seconds)}"]
        for end in (product.ends[i] for i in pair.ends)
    ]
