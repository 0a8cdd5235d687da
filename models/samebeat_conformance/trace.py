"""A divergence as a run that people and other tools read: ITF, with both sides shown.

Each state has the variables of the spec and, in ``core``, each node as it is in memory. The last
state is what the cores have come to, and the spec does not: its ``#meta`` says which cells.
"""

from __future__ import annotations

import msgspec

from samebeat_conformance.concrete import body_of
from samebeat_conformance.inputs import Crash, Deliver, Input, OneStep, Propose
from samebeat_conformance.product import Divergence, Product
from samebeat_conformance.written import Shown, changed_cells, itf_text

CORE, INPUT = "core", "input"


def words_of(name: str, what: Input) -> str:
    """Return an input in words."""
    match what:
        case Deliver():
            return f"{type(body_of(what.data)).__name__} of {what.source} reaches {name}"
        case Crash(during=None):
            return f"{name} crashes"
        case Crash(during=during, sends=sends) if during is not None:
            return f"{words_of(name, during)}; {name} crashes after {sends} datagrams of that"
        case Propose():
            return f"{name} proposes a view of {', '.join(what.members)}"
        case OneStep():
            return f"{name} takes a step"
        case _:
            fields = getattr(what, "success", None)
            return f"{name}: {type(what).__name__}" + ("" if fields is None else f" {fields}")


def lines_of(product: Product, divergence: Divergence) -> list[str]:
    """Return a divergence in words: what happens, and which cells change that must not."""
    names = product.mapping.nodes
    steps = [words_of(names[n], what) for n, move in divergence.moves for what in move.inputs]
    return [*steps, "which is no step of the spec:", *_changed(product, divergence)]


def _changed(product: Product, divergence: Divergence) -> list[str]:
    here, there = product.cells(divergence.pairs[-1]), product.cells(divergence.after)
    return changed_cells(product.mapping.instance, here, there)


def itf_of(product: Product, divergence: Divergence) -> str:
    """Return a divergence as the text of an ITF file."""
    names = product.mapping.nodes
    pairs = [*divergence.pairs, divergence.after]
    cores = [
        {"#map": [[n, _core(product, i)] for n, i in _locals(product, pair.locals_)]}
        for pair in pairs
    ]
    inputs = [[words_of(names[n], i) for i in move.inputs] for n, move in divergence.moves]
    return itf_text(
        product.mapping.instance,
        [product.cells(pair) for pair in pairs],
        {CORE: Shown("Str -> Str", cores), INPUT: Shown("Seq(Str)", [[], *inputs])},
        "A run of the cores whose last step is no step of the spec.",
        _changed(product, divergence),
    )


def _locals(product: Product, numbers: tuple[int, ...]) -> list[tuple[str, int]]:
    return list(zip(product.mapping.nodes, numbers, strict=True))


def _core(product: Product, number: int) -> str:
    """Return a node's journal and its operation, as it has them."""
    local = product.moves.nodes.locals[number]
    journal = msgspec.json.encode(local.node.journal).decode()
    operation = local.node.state.operation
    runs = f"; runs {operation.purpose.name} of {operation.settings}" if operation else ""
    down = "" if local.account.up else "down; "
    waits = "; an ok waits to leave" if local.leaving else ""
    return f"{down}journal {journal}{runs}{waits}"
