"""Spec and core, step by step, on small clusters: each move of the core is one of the spec.

What this shows is bounded: two or three members, one or two changes, one crash at most, no view
change, no time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from samebeat import change, operations
from samebeat.effects import Purpose
from samebeat.journal import Phase
from samebeat.state import State
from samebeat_conformance.instances import group_change
from samebeat_conformance.mapping import CONSTANT_HERE, READ
from samebeat_conformance.product import Conformance, Product
from samebeat_spec.specs import load_spec


@pytest.fixture(scope="module")
def smallest() -> Conformance:
    """What came of two members and one change."""
    return Product(group_change(2, 1)).run()


@pytest.mark.slow
def test_two_members_and_one_change_conform(smallest: Conformance) -> None:
    """Claims 1(a) to 1(f), and note C5: what is silently smaller must fail."""
    assert smallest.verdict == "holds"
    assert smallest.divergence == ()
    assert (smallest.states, smallest.edges) == (43, 70)
    assert (smallest.pairs, smallest.moves) == (253, 206)


@pytest.mark.slow
def test_three_members_and_one_change_conform() -> None:
    """Claims 1(a) to 1(f), and note C5: every step from where the cores can be is taken."""
    found = Product(group_change(3, 1)).run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_possible) == (288, 744, 360)
    assert (found.pairs, found.edges_covered) == (39_070, 423)
    assert found.missed == Counter()


@pytest.mark.slow
def test_two_members_conform_when_one_crashes_and_comes_back() -> None:
    """Note C5: at any moment; a crash before the journal is one while the operation runs."""
    found = Product(group_change(2, 1, crashes=1)).run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_possible) == (172, 392, 250)
    assert (found.pairs, found.edges_covered) == (7_307, 272)
    assert found.missed == Counter(crash_before_journaling=8)


@pytest.mark.slow
def test_two_members_and_two_changes_conform() -> None:
    """Note C6: a core asks for no change while it is busy, which the spec lets it do."""
    found = Product(group_change(2, 2)).run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_possible) == (1_149, 2_420, 944)
    assert (found.pairs, found.edges_covered) == (38_449, 1_072)
    assert found.missed == Counter(request=68, send_busy=4)


@pytest.mark.slow
def test_every_step_that_the_core_can_be_at_is_taken(smallest: Conformance) -> None:
    """And those that it passes by are known: it closes a failed change as it fails."""
    assert (smallest.edges_possible, smallest.edges_covered) == (42, 52)
    assert smallest.missed == Counter()
    assert smallest.uncovered == Counter(undo=12, apply=2, fail_to_apply=2, send_ok=2)


@pytest.mark.slow
def test_no_input_is_more_than_a_few_steps(smallest: Conformance) -> None:
    assert smallest.at_once == Counter({1: 140, 2: 62, 3: 4})


def test_a_cluster_of_one_conforms() -> None:
    """Claims 1(a) to 1(f): small enough to be run each time."""
    found = Product(group_change(1, 1)).run()
    assert found.verdict == "holds"
    assert found.missed == Counter()
    assert (found.states, found.edges, found.edges_covered) == (7, 6, 6)


def test_alpha_has_a_place_for_every_variable_of_the_spec() -> None:
    names = {v.name for v in load_spec("cluster").variables}
    assert names == READ | CONSTANT_HERE


def test_what_is_not_explored_is_undetermined_and_no_pass() -> None:
    assert Product(group_change(1, 1), most_pairs=3).run().verdict == "undetermined"


def _undo_to_the_new_value(s: State, o: Any) -> bool:
    if not change.is_to_be_undone(s, o) or o.phase is not Phase.APPLIED or s.operation:
        return False
    operations.start(s, Purpose.UNDO, o.settings, o.id)
    return True


def _close_without_undo(s: State, o: Any) -> bool:
    if not change.is_to_be_undone(s, o):
        return False
    operations.close(s, o.id)
    return True


MUTANTS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "applies before every ack": ("all_acked", lambda s, o: True, "phase["),
    "votes before every ok": ("all_applied", lambda s, o: True, "vote["),
    "counts no votes": ("is_outvoted", lambda s, o, commit: commit and o.ballot, "phase["),
    "undoes to the new value": ("undo", _undo_to_the_new_value, "phase["),
    "closes and restores nothing": ("undo", _close_without_undo, "phase["),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_core_that_is_wrong_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes C5 and C6: the exploration can fail."""
    function, wrong, cell = MUTANTS[name]
    monkeypatch.setattr(change, function, wrong)
    found = Product(group_change(2, 1)).run()
    assert found.verdict == "violated"
    last = found.divergence[found.divergence.index("which is no step of the spec:") + 1 :]
    assert any(line.startswith(cell) for line in last), found.divergence


@pytest.mark.slow
def test_a_core_that_never_undoes_is_caught_by_the_steps_it_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claims 1(e) and 1(f): doing too little is no step that is wrong."""
    monkeypatch.setattr(change, "undo", lambda s, o: False)
    found = Product(group_change(2, 1)).run()
    assert found.verdict == "holds"
    assert found.missed["undo"] > 0
