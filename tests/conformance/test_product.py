"""Spec and core, step by step, on small clusters: each move of the core is one of the spec.

What this shows is bounded: the clusters of ``samebeat_conformance.instances``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs

from samebeat import change, codec, operations
from samebeat.effects import Purpose
from samebeat.journal import Phase
from samebeat.node import Node
from samebeat.state import State
from samebeat_conformance.inputs import Ask
from samebeat_conformance.instances import find, group_change
from samebeat_conformance.mapping import CONSTANT_HERE, MAPPED
from samebeat_conformance.moves import Wishes
from samebeat_conformance.noise import make_noise
from samebeat_conformance.product import Conformance, Product
from samebeat_conformance.run import NEVER, Outcome, conform
from samebeat_conformance.specgraph import SpecGraph
from samebeat_models.results import Verdict
from samebeat_spec.specs import load_spec


@pytest.fixture(scope="module")
def smallest() -> Outcome:
    """What came of two members and one change, with full knowledge."""
    return conform(find("2x1"))


def on_demand(members: int, changes: int, crashes: int = 0) -> Conformance:
    """Explore with knowledge on demand."""
    return Product(group_change(members, changes, crashes), on_demand=True).run()


@pytest.mark.slow
def test_two_members_and_one_change_conform(smallest: Outcome) -> None:
    """Claims 1(a) to 1(f), and note C5: what is silently smaller must fail."""
    found = smallest.found
    assert smallest.verdict is Verdict.HOLDS
    assert (found.states, found.edges, found.edges_covered) == (29, 42, 42)
    assert (found.pairs, found.moves) == (467, 418)
    assert found.at_once == Counter({1: 370, 2: 40, 3: 8})


@pytest.mark.slow
def test_three_members_and_one_change_conform() -> None:
    """Claims 1(a) to 1(f), and note C5: every step of the spec is taken by the cores."""
    found = on_demand(3, 1)
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_covered) == (160, 360, 360)
    assert found.pairs == 1_609


@pytest.mark.slow
def test_two_members_conform_when_one_crashes_and_comes_back() -> None:
    """Note C5: at any moment, also before an apply is in the journal, and between two sends."""
    found = on_demand(2, 1, crashes=1)
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_covered) == (116, 250, 250)
    assert found.pairs == 1_797


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "states", "edges"),
    [
        ("2x1-crashes", 232, 640),
        ("2x2", 530, 872),
        ("2x2-hang", 1_090, 2_544),
        ("2x2-quarantine", 618, 976),
        ("3x1-crash", 800, 2_460),
        ("2x2-crash", 2_120, 4_888),
    ],
)
def test_larger_clusters_conform(name: str, states: int, edges: int) -> None:
    """Notes C5 to C7: every step, with rival changes, hangs, failing undos and two crashes."""
    listed = find(name)
    found = Product(listed.instance, on_demand=True, symmetric=listed.symmetric).run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_covered) == (states, edges, edges)


@pytest.mark.slow
@pytest.mark.parametrize(("members", "changes", "crashes"), [(1, 1, 0), (2, 1, 0), (2, 1, 1)])
def test_knowledge_on_demand_finds_what_full_knowledge_finds(
    members: int, changes: int, crashes: int
) -> None:
    """The reduction leaves out product states, and no step of the spec."""
    full = Product(group_change(members, changes, crashes))
    less = Product(group_change(members, changes, crashes), on_demand=True)
    assert full.run().verdict == less.run().verdict == "holds"
    assert full.spec.covered == less.spec.covered
    assert full.images() == less.images()
    assert set(full.result.at_once) == set(less.result.at_once)


def test_a_cluster_of_one_conforms() -> None:
    """Claims 1(a) to 1(f): small enough to be run each time."""
    found = Product(group_change(1, 1)).run()
    assert found.verdict == "holds"
    assert found.missed == Counter()
    assert (found.states, found.edges, found.edges_covered) == (7, 6, 6)


def test_an_exploration_can_begin_after_some_steps() -> None:
    """What counts is what can still happen; the spec of one member goes on from its own ack."""
    spec = SpecGraph(group_change(1, 1))
    spec.begin_after("request n1 c1")
    found = Product(group_change(1, 1), spec=spec).run()
    assert found.verdict == "holds"
    assert (found.states, found.edges, found.edges_covered) == (6, 5, 5)


def test_an_exploration_begins_after_no_step_that_is_not_possible() -> None:
    with pytest.raises(KeyError, match="apply n1 c1"):
        SpecGraph(group_change(1, 1)).begin_after("apply n1 c1")


def test_where_more_is_sent_nothing_less_is_explored() -> None:
    """A datagram may be delayed for ever; with full knowledge all is explored, as the reference."""
    for on_demand in (True, False):
        product = Product(group_change(2, 1), on_demand=on_demand)
        start = product._start()
        assert product._is_more(start._replace(network=0b011))
        assert product._is_more(start._replace(network=0b101))
        assert product._is_more(start._replace(network=0b001)) is not on_demand
        assert product._is_more(start._replace(network=0b111))
        kept = product._most_sent[start.but_for_network]
        assert kept == ([0b111] if on_demand else [0b011, 0b101, 0b001, 0b111])


def test_a_node_begins_only_what_there_is_room_for() -> None:
    """The same as if all that it might begin were tried, and turned down."""
    product = Product(group_change(1, 1))
    start = product._start()
    nothing = product.moves.of(start.locals_, 0, 0, Wishes((), ()))
    everything = product.moves.of(start.locals_, 0, 0)
    assert [m.inputs for m in everything if m.asked] == [(Ask(product.mapping.asked[0]),)]
    assert [m.inputs for m in everything if not m.asked] == [m.inputs for m in nothing]


def test_alpha_has_a_place_for_every_variable_of_the_spec() -> None:
    names = {v.name for v in load_spec("cluster").variables}
    assert names == MAPPED | CONSTANT_HERE


def test_what_is_not_explored_is_undetermined_and_no_pass() -> None:
    assert conform(find("1x1"), most_pairs=3).verdict is Verdict.UNDETERMINED


@pytest.mark.slow
def test_what_is_foreign_or_garbage_changes_nothing(smallest: Outcome) -> None:
    """Note C4: every state of every node is disturbed, and every datagram is garbled."""
    assert smallest.noise.failures == ()
    assert smallest.noise.foreign > 1_000
    assert smallest.noise.garbage > 100
    assert smallest.noise.rejected > 3_000


# --- what is wrong is found ----------------------------------------------------------------------


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
@pytest.mark.parametrize("demand", [False, True])
@pytest.mark.parametrize("name", MUTANTS)
def test_a_core_that_is_wrong_is_caught(
    name: str, demand: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes C5 and C6: the exploration can fail, with full knowledge and on demand."""
    function, wrong, cell = MUTANTS[name]
    monkeypatch.setattr(change, function, wrong)
    product = Product(group_change(2, 1), on_demand=demand)
    found = product.run().divergence
    assert found is not None
    before, after = product.cells(found.pairs[-1]), product.cells(found.after)
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert any(product.mapping.instance.cell_label(i).startswith(cell) for i in changed)


@pytest.mark.slow
def test_a_core_that_never_undoes_is_caught_by_the_steps_it_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claims 1(e) and 1(f): doing too little is no step that is wrong, and does not conform."""
    monkeypatch.setattr(change, "undo", lambda s, o: False)
    found = conform(find("2x1"))
    assert found.divergence == ()
    assert found.uncovered["undo", NEVER] > 0
    assert found.verdict is Verdict.VIOLATED


@pytest.mark.slow
def test_a_core_that_turns_requests_down_while_it_restores_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C6: this was a defect of the core until conformance had restores as steps."""
    monkeypatch.setattr(State, "is_restoring", False)
    found = on_demand(2, 1, crashes=1)
    assert found.divergence is not None


@pytest.mark.slow
def test_a_core_that_takes_any_cluster_for_its_own_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Note C4: the noise can fail, too."""
    receive = Node.receive

    def takes_all(node: Node, data: bytes, source: str, now_ms: int) -> None:
        with suppress(codec.ProtocolError):
            data = codec.encode(structs.replace(codec.decode(data), cluster="test"))
        receive(node, data, source, now_ms)

    product = Product(group_change(2, 1), on_demand=True)
    assert product.run().verdict == "holds"
    monkeypatch.setattr(Node, "receive", takes_all)
    found = make_noise(product.moves.nodes, product.moves.network)
    assert found.failures != ()


@pytest.mark.slow
def test_a_divergence_is_written_with_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note C5: the shortest run, its states as the spec has them, and the nodes' journals."""
    monkeypatch.setattr(change, "all_acked", lambda s, o: True)
    found = conform(find("2x1"))
    assert found.verdict is Verdict.VIOLATED
    assert "which is no step of the spec:" in found.divergence
    written = json.loads(found.itf)
    assert written["#meta"]["format"] == "ITF"
    first, *_, last = written["states"]
    assert set(written["vars"]) == set(first) - {"#meta"}
    assert last["#meta"]["not_a_step"] == list(
        found.divergence[found.divergence.index("which is no step of the spec:") + 1 :]
    )
    assert {name for name, _ in last["core"]["#map"]} == {"n1", "n2"}
