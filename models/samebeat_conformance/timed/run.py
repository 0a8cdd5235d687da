"""One pair in time, explored and judged: what ``samebeat conform`` reports of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from samebeat_conformance.noise import Noise
from samebeat_conformance.run import NEVER, Outcome, nothing
from samebeat_conformance.timed.instances import NAMES, Listed
from samebeat_conformance.timed.noise import make_noise
from samebeat_conformance.timed.product import Divergence, Pair, Product
from samebeat_conformance.written import Shown, changed_cells, itf_text

LEFT_OUT = (
    "time: more than two members and one change, crashes that end, view changes",
    "time: acks of heartbeats, the retry timer and the watchdog, whose times are an hour here",
    "time: in a pair, an ack or ok of the third member that comes before it is waited for",
    "time: instants between ticks, and clocks that run at different rates",
    "time: changes of a single pair by the change request indicator; they have no clock here",
)


def conform(
    listed: Listed,
    most_pairs: int = 2_000_000,
    watch: Callable[[int, int], None] = nothing,
) -> Outcome:
    """Explore a listed pair, disturb it, and judge what came of it.

    A step of the spec that no core takes has no excuse here.
    """
    product = Product(listed, most_pairs, watch)
    found = product.run()
    if product.divergence is not None:
        words = tuple(lines_of(product, product.divergence))
        itf = itf_of(product, product.divergence) if product.divergence.moves else ""
        return Outcome(listed, found, Noise(), Counter(), LEFT_OUT, words, itf)
    uncovered = Counter((step.action, NEVER) for step in product.uncovered())
    return Outcome(listed, found, make_noise(product), uncovered, LEFT_OUT)


def lines_of(product: Product, divergence: Divergence) -> list[str]:
    """Return a divergence in words: what happens, and which cells change that must not."""
    steps = [move.words for move in divergence.moves]
    return [*steps, "which is no step of the spec:", *_changed(product, divergence)]


def _changed(product: Product, divergence: Divergence) -> list[str]:
    if divergence.why:
        return [divergence.why]
    here, there = product.cells(divergence.pairs[-1]), product.cells(divergence.after)
    return changed_cells(product.mapping.instance, here, there)


def itf_of(product: Product, divergence: Divergence) -> str:
    """Return a divergence as the text of an ITF file, with both sides shown."""
    pairs = (*divergence.pairs, divergence.after)
    cores = [{"#map": [[NAMES[n], _core(product, p, n)] for n in (0, 1)]} for p in pairs]
    inputs = ("", *(move.words for move in divergence.moves))
    return itf_text(
        product.mapping.instance,
        [product.cells(pair) for pair in pairs],
        {"core": Shown("Str -> Str", cores), "input": Shown("Str", inputs)},
        "A run of two cores in time whose last step is no step of the spec.",
        _changed(product, divergence),
    )


def _core(product: Product, pair: Pair, n: int) -> str:
    """Return a node's journal, its heartbeats and what it watches, as it has them."""
    local = product.nodes.locals[pair.locals_[n]]
    s = local.node._state
    journal = msgspec.json.encode(s.journal).decode()
    watches = ", ".join(
        f"{p} since {w.heard_ms - s.now_ms} ms for {w.deadline_ms} ms" for p, w in s.watches.items()
    )
    stopped = "" if local.account.up else "stopped; "
    sent = (s.beat[1] or s.now_ms) - s.now_ms
    return f"{stopped}sent {sent} ms ago; watches {watches}; journal {journal}".replace("-", "")
