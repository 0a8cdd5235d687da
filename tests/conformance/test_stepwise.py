"""A core that takes one step at a time: the production core's inputs are runs of its steps."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from samebeat.messages import AnyBody
from samebeat.node import Node, Refused, steps
from samebeat_conformance import concrete
from samebeat_conformance.concrete import Local, body_of, state_key
from samebeat_conformance.inputs import Crash, FinishLate, Input, OneStep
from samebeat_conformance.instances import find, group_change
from samebeat_conformance.moves import _possible
from samebeat_conformance.product import Product
from samebeat_conformance.run import AT_ONCE, NEVER, ONE_BY_ONE, conform
from samebeat_conformance.stepwise import StepwiseNode
from samebeat_models.results import Verdict

Said = list[tuple[str | None, AnyBody]]


def as_stepwise(node: Node) -> StepwiseNode:
    """Return the same node as one that takes a step when it is told to."""
    other = StepwiseNode(node._state.copy())
    other._handed_out, other._number, other._durable = (
        node._handed_out,
        node._number,
        node._durable,
    )
    return other


def first_step(node: Node) -> concrete._Done | None:
    """Take the first step that is possible, as the production core does."""
    for place, _ in enumerate(steps(node._state)):
        try:
            return concrete._given(node, OneStep(place))
        except Refused:
            continue
    return None


def in_fine_steps(node: Node, what: Input) -> tuple[Node, Said, int]:
    """Give an input, and take steps until there are none; return what was said, and how many."""
    done: concrete._Done | None = concrete._given(as_stepwise(node), what)
    said: Said = []
    count = -1
    while done is not None:
        node, count = done.node, count + 1
        said += [(to, body_of(data)) for to, data in done.sends]
        done = None if node.journal.out else first_step(node)
    return node, said, count


def coarse_moves(product: Product) -> list[tuple[Local, Input]]:
    """Return every input that was given to every state of every core, and taken."""
    nodes = product.moves.nodes
    with_host = {"Ask", "Deliver", "Finish", "Hang", "FinishLate", "Propose", "Tick"}
    return [
        (nodes.locals[number], what)
        for number, known in enumerate(list(nodes._after))
        for what, after in list(known.items())
        if after is not None and type(what).__name__ in with_host
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["2x1-crash", "3x1", "3x1-quarantine"])
def test_each_input_of_the_core_is_a_run_of_single_steps(name: str) -> None:
    """Note C5: the same state, the same journal, and the same said in the same order."""
    listed = find(name)
    product = Product(listed.instance, on_demand=True, symmetric=listed.symmetric)
    assert product.run().verdict == "holds"
    lengths: Counter[int] = Counter()
    for local, what in coarse_moves(product):
        coarse = concrete._given(local.node, what)
        node, said, count = in_fine_steps(local.node, what)
        lengths[count] += 1
        assert state_key(node._state) == state_key(coarse.node._state)
        assert said == [(to, body_of(data)) for to, data in coarse.sends]
    assert lengths[0] > 1_000
    assert lengths[1] > 100
    assert max(lengths) > 1


@pytest.mark.slow
@pytest.mark.parametrize(("members", "changes", "crashes"), [(2, 1, 0), (2, 1, 1), (3, 1, 0)])
def test_steps_taken_one_at_a_time_conform(members: int, changes: int, crashes: int) -> None:
    """Claims 1(a) to 1(f): in any order, and whatever comes in between."""
    product = Product(group_change(members, changes, crashes), on_demand=True, stepwise=True)
    found = product.run()
    assert found.verdict == "holds"
    assert found.edges_covered == found.edges


@pytest.mark.slow
def test_every_step_around_a_view_is_taken() -> None:
    """Note C5: others act between the last report and the begin, and before the votes."""
    listed = find("3x1-quarantine")
    product = Product(listed.instance, on_demand=True, stepwise=True, symmetric=True)
    found = product.run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_covered) == (958, 1_878, 1_878)


@pytest.mark.slow
def test_a_step_that_the_core_passes_by_is_covered_by_one_step_at_a_time() -> None:
    """Note C5: both numbers are told."""
    outcome = conform(find("3x1-quarantine"))
    assert outcome.verdict is Verdict.HOLDS
    assert outcome.found.edges_covered == outcome.found.edges == 1_878
    assert outcome.grains == {AT_ONCE: 1_746, ONE_BY_ONE: 1_878}


@pytest.mark.slow
def test_a_core_that_never_begins_a_view_is_caught_by_the_steps_it_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C5: nothing excuses a step that is not taken, in neither grain."""
    monkeypatch.setattr("samebeat.views.begin", lambda s: False)
    outcome = conform(find("3x1-quarantine"))
    assert outcome.divergence == ()
    assert outcome.uncovered["begin_view", NEVER] > 0
    assert outcome.verdict is Verdict.VIOLATED


def test_a_step_that_is_not_possible_is_refused() -> None:
    product = Product(group_change(1, 1), stepwise=True)
    local = concrete.first_local(product.mapping.config("n1"), StepwiseNode)
    with pytest.raises(Refused, match="not possible"):
        concrete.stepped(local, OneStep(0))


def test_the_steps_that_are_tried_on_a_copy_are_those_that_are_possible() -> None:
    product = Product(group_change(1, 1), stepwise=True)
    product.run()
    possible = 0
    for local in product.moves.nodes.locals:
        taken = []
        for place, _ in enumerate(steps(local.node._state)):
            with suppress(Refused):
                concrete._given(local.node, OneStep(place))
                taken.append(place)
        assert list(_possible(local.node)) == taken
        possible += len(taken)
    assert possible > 0


def test_a_crash_after_a_step_keeps_what_that_step_has_journaled() -> None:
    """Note C5: each step has its own journal here; the production core has one for each input."""
    product = Product(group_change(1, 1, crashes=1), stepwise=True)
    assert product.run().verdict == "holds"
    nodes = product.moves.nodes
    crashes = [
        (number, what, after)
        for number, known in enumerate(nodes._after)
        for what, after in known.items()
        if after is not None and isinstance(what, Crash) and isinstance(what.during, OneStep)
    ]
    assert crashes
    for number, what, (after, _) in crashes:
        assert isinstance(what, Crash)
        assert what.during is not None
        kept = nodes.locals[after].node.journal
        assert kept == concrete._given(nodes.locals[number].node, what.during).node.journal
        assert kept != nodes.locals[number].node.journal


@pytest.mark.slow
def test_a_late_operation_succeeds_or_fails() -> None:
    """Note C7: if it fails nothing changes but that it runs no more."""
    product = Product(find("2x2-hang").instance, 500, on_demand=True)
    product.run()
    given_up = [i for i in product.moves.nodes.locals if i.account.running is not None]
    assert given_up
    for local in given_up[:50]:
        failed = concrete.stepped(local, FinishLate(success=False)).local.account
        assert failed == replace(local.account, running=None)
        assert concrete.stepped(local, FinishLate()).local.account.late
