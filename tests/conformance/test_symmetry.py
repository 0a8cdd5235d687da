"""Members are alike: what is left out by that would have shown nothing else."""

from __future__ import annotations

import pytest

from samebeat import change
from samebeat.ids import View, ViewId
from samebeat_conformance.concrete import state_key
from samebeat_conformance.instances import find, group_change
from samebeat_conformance.product import Context, Product
from samebeat_conformance.symmetry import Renaming, Symmetry
from samebeat_conformance.trace import lines_of

SWAP = Renaming({"n1": "n2", "n2": "n1"})


def test_members_stay_in_order_and_the_first_view_has_no_proposer() -> None:
    assert SWAP.of(View(ViewId(1, "n1"), ("n1", "n3"))) == View(ViewId(1, "n2"), ("n2", "n3"))
    assert SWAP.of(ViewId(0, "n1")) == ViewId(0, "n1")


def test_what_is_not_known_is_not_renamed_by_guess() -> None:
    with pytest.raises(TypeError, match="object"):
        SWAP.of(object())


def test_renamings_are_taken_back_and_one_after_the_other() -> None:
    product = Product(group_change(3, 1), on_demand=True, symmetric=True)
    symmetry = product._symmetry
    assert symmetry is not None
    for r, order in enumerate(symmetry.orders):
        assert symmetry.after(r, symmetry.back(r)) == 0
        for q, then in enumerate(symmetry.orders):
            assert symmetry.orders[symmetry.after(r, q)] == tuple(then[i] for i in order)


@pytest.mark.slow
def test_where_two_views_have_one_number_nothing_is_renamed() -> None:
    """Their order is that of their proposers, and must not be turned round."""
    product = Product(find("3x1-quarantine").instance, on_demand=True, symmetric=True)
    views = (ViewId(0, "n1"), ViewId(1, "n2"), ViewId(1, "n3"))
    start = product._start()._replace(context=product._context(Context((None,), views)))
    assert product._least(start) == (start, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("members", "crashes"), [(2, 0), (2, 1), (3, 0)])
def test_a_core_that_is_renamed_does_the_same(members: int, crashes: int) -> None:
    """Each input of each state: renamed before, or renamed after."""
    product = Product(group_change(members, 1, crashes), on_demand=True)
    product.run()
    nodes = product.moves.nodes
    symmetry = Symmetry(product.mapping.nodes, nodes, product.moves.network)
    known = [
        (i, what, after) for i, k in enumerate(list(nodes._after)) for what, after in k.items()
    ]
    for number, what, after in known[::7]:
        renamed = nodes.number(symmetry.of(1, nodes.locals[number]))
        found = nodes.step(renamed, symmetry.of(1, what))
        assert (found is None) == (after is None)
        if found is not None and after is not None:
            expected = symmetry.of(1, nodes.locals[after[0]])
            here = nodes.locals[found[0]]
            assert here.account == expected.account
            if here.account.up:
                assert state_key(here.node._state) == state_key(expected.node._state)
            assert set(found[1].sent) == set(symmetry.of(1, after[1].sent))


@pytest.mark.slow
@pytest.mark.parametrize("stepwise", [False, True])
@pytest.mark.parametrize(("members", "crashes"), [(2, 0), (2, 1), (3, 0)])
def test_one_of_each_kind_finds_what_all_find(members: int, crashes: int, stepwise: bool) -> None:
    """The same steps and the same states, from fewer product states."""
    instance = group_change(members, 1, crashes)
    all_ = Product(instance, on_demand=True, stepwise=stepwise)
    less = Product(instance, on_demand=True, stepwise=stepwise, symmetric=True)
    assert all_.run().verdict == less.run().verdict == "holds"
    assert all_.spec.covered == less.spec.covered
    assert all_.images() == less.images()
    assert less.result.pairs < all_.result.pairs


@pytest.mark.slow
def test_a_divergence_is_told_with_one_set_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """As short as without symmetry; and each state follows from the one before."""
    monkeypatch.setattr(change, "all_applied", lambda s, o: True)
    all_ = Product(group_change(3, 1), on_demand=True)
    less = Product(group_change(3, 1), on_demand=True, symmetric=True)
    longest, found = all_.run().divergence, less.run().divergence
    assert longest is not None
    assert found is not None
    assert len(found.moves) == len(longest.moves)
    assert len(lines_of(less, found)) > len(found.moves)
    for here, there, (n, move) in zip(
        found.pairs, (*found.pairs[1:], found.after), found.moves, strict=True
    ):
        assert [i for i in range(3) if here.locals_[i] != there.locals_[i]] in ([n], [])
        at = here.locals_[n]
        for what in move.inputs:
            done = less.moves.nodes.step(at, what)
            assert done is not None
            at = done[0]
        assert at == there.locals_[n]
