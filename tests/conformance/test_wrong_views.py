"""Cores that are wrong about views are caught, and the shortest run to that is shown.

Each is looked for from a moment at which it can soon go wrong: everybody has applied and said so.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance import wrong_views

from samebeat.journal import Phase
from samebeat_conformance.concrete import Local
from samebeat_conformance.instances import group_change
from samebeat_conformance.product import Pair, Product
from samebeat_conformance.trace import lines_of

Reached = Callable[[Local], bool]


def _phase(local: Local) -> Phase | None:
    opens = local.node.journal.opens
    return opens[0].phase if opens else None


def _acked(local: Local) -> bool:
    return _phase(local) is Phase.ACKED


def _applies(local: Local) -> bool:
    return local.node.state.operation is not None


def _applied(local: Local) -> bool:
    return _phase(local) is Phase.APPLIED and bool(local.leaving)


def _said(local: Local) -> bool:
    return _phase(local) is Phase.APPLIED and not local.leaving


def led_to(product: Product, *ways: tuple[int, Reached]) -> Pair:
    """Let nodes move, one after the other, each to a state of that kind; return where that ends."""
    pair = product._start()
    for n, reached in ways:
        here = product.alpha(pair)
        moves = product.moves.of(pair.locals_, n, pair.network)
        pair = next(
            after
            for move in moves
            if reached(product.moves.nodes.locals[move.after])
            for after in product._after(pair, here, n, move)
        )
    return pair


EVERYBODY = (0, 1, 2)
OPEN = tuple((n, _acked) for n in EVERYBODY)
SAID = (*OPEN, *((n, way) for way in (_applies, _applied, _said) for n in EVERYBODY))


def shortest(wrong: Callable[[pytest.MonkeyPatch], None] | None, asked: bool) -> list[str]:
    """Return the shortest run of three cores that are wrong; none: there is no such run."""
    with pytest.MonkeyPatch.context() as patch:
        product = Product(group_change(3, 1, views=2), 4_000, on_demand=True)
        start = led_to(product, *(OPEN if asked else SAID))
        patch.setattr(product, "_start", lambda: start)
        if wrong is not None:
            wrong(patch)
        found = product.run().divergence
    return [] if found is None else lines_of(product, found)


RUNS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], bool, list[str], str]] = {
    "votes twice": (
        wrong_views.votes_twice,
        True,
        ["n1 proposes a view of n1, n2", "Told of n1 reaches n2"],
        "vote[n2, c1, 1]: NONE -> COMMIT",
    ),
    "begins a view before all reports": (
        wrong_views.begins_before_all_reports,
        True,
        ["n1 proposes a view of n1, n2"],
        "view[n1]: 0 -> 1",
    ),
    "ignores its promise": (
        wrong_views.ignores_its_promise,
        False,
        ["n1 proposes a view of n1, n2", "Ok of n2 reaches n1", "Ok of n3 reaches n1"],
        "vote[n1, c1, 0]: NONE -> COMMIT",
    ),
    "counts votes of different views": (
        wrong_views.counts_votes_of_different_views,
        False,
        [
            "Ok of n2 reaches n1",
            "Ok of n3 reaches n1",
            "n1 proposes a view of n1, n2",
            "Vote of n1 reaches n2",
            "Told of n1 reaches n2",
        ],
        "phase[n2, c1]: APPLIED -> COMMITTED",
    ),
    "goes on without adopting": (
        wrong_views.goes_on_without_adopting,
        False,
        [
            "Ok of n2 reaches n1",
            "Ok of n3 reaches n1",
            "Ok of n1 reaches n2",
            "Vote of n1 reaches n2",
            "Ok of n3 reaches n2",
            "n2 proposes a view of n1, n2",
            "Told of n2 reaches n1",
        ],
        "vote[n1, c1, 1]: NONE -> COMMIT",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_core_that_is_wrong_about_views_is_caught(name: str) -> None:
    """Note C5: the run is a shortest one, and this cell is what the spec does not let change."""
    wrong, only_asked, expected, cell = RUNS[name]
    lines = shortest(wrong, only_asked)
    at = lines.index("which is no step of the spec:")
    assert lines[:at] == expected
    assert cell in lines[at:]


@pytest.mark.slow
def test_the_core_as_it_is_goes_wrong_nowhere_near() -> None:
    """Note C5: from the same moment, as far as those runs and further."""
    assert shortest(None, asked=True) == []
    assert shortest(None, asked=False) == []
