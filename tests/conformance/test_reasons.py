"""Why steps are not taken: a reason is only one where no core could have taken the step."""

from __future__ import annotations

import pytest

from samebeat_conformance.instances import Listed
from samebeat_conformance.product import Product
from samebeat_conformance.reasons import LAST_BEGINS, NEVER, ONLY_WITH_ITSELF, Reasons

VIEWS = Listed("2x1-views", "Two members that could propose a view.", 2, 1, views=2)


@pytest.mark.slow
def test_two_members_have_no_view_to_propose() -> None:
    """Note C5: only a view without a member, or with one more, is ever proposed."""
    product = Product(VIEWS.instance, on_demand=True)
    assert product.run().verdict == "holds"
    reasons = Reasons(product)
    here = [step for step in product.uncovered() if step.source in product.images()]
    assert {reasons.of(step) for step in here} == {ONLY_WITH_ITSELF}


@pytest.mark.slow
def test_what_is_done_at_once_is_no_reason_where_a_core_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C5: that all reports are there excuses only a core that begins the view then."""
    product = Product(VIEWS.instance, on_demand=True)
    product.run()
    (step, *_) = [
        s
        for s in product.uncovered()
        if s.action == "begin_view" and Reasons(product).of(s) == LAST_BEGINS
    ]
    monkeypatch.setattr(product, "images", lambda: set(range(product.spec.states)))
    assert Reasons(product).of(step) == NEVER
