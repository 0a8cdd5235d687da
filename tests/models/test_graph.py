"""State graphs: our arrays and NetworkX must tell the same story."""

from __future__ import annotations

import networkx as nx
import pytest
from scipy.sparse.csgraph import connected_components

from samebeat_models.catalog import load_catalog
from samebeat_models.graph import GraphTooLarge, StateGraph, state_graph
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec


def _group(name: str) -> Instance:
    model = next(m for m in load_catalog() if m.name == name)
    return model.instance(load_spec(model.spec))


@pytest.fixture(scope="module")
def smallest() -> StateGraph:
    return state_graph(_group("group-2x1"))


def test_the_graph_has_every_state_and_an_edge_for_every_step_that_changes_something(smallest):
    graph = smallest.to_networkx()
    assert graph.number_of_nodes() == len(smallest) == 113
    steps = {
        (source, smallest.states.index(after), action.name, arguments)
        for source, state in enumerate(smallest.states)
        for action, arguments, after in smallest.machine.interpreter.successors(state)
        if after != state
    }
    edges = {(a, b, d["action"], d["arguments"]) for a, b, d in graph.edges(data=True)}
    assert edges == steps


def test_the_numbers_of_the_initial_states_come_first(smallest):
    assert smallest.initial.tolist() == [0]
    assert smallest.states[0] == smallest.machine.initial[0]


def test_the_view_and_the_real_graph_have_the_same_neighbours_both_ways(smallest):
    real, view = nx.DiGraph(smallest.to_networkx()), smallest.view()
    assert view.number_of_nodes() == real.number_of_nodes()
    assert view.number_of_edges() == real.number_of_edges()
    for node in real:
        assert set(view.successors(node)) == set(real.successors(node))
        assert set(view.predecessors(node)) == set(real.predecessors(node))
        assert view.in_degree(node) == real.in_degree(node)


def test_networkx_finds_the_same_distances_on_the_view_as_the_explorer_has_levels(smallest):
    distances = nx.single_source_shortest_path_length(smallest.view(), 0)
    levels = [len([d for d in distances.values() if d == depth]) for depth in range(16)]
    assert levels == [level.shape[1] for level in smallest.store.levels]


def test_networkx_and_scipy_find_the_same_strongly_connected_components(smallest):
    ours, _ = connected_components(smallest.adjacency(), connection="strong")
    assert ours == nx.number_strongly_connected_components(smallest.view())
    assert ours == 113  # no step is ever taken back: every run ends


def test_the_view_is_read_only(smallest):
    with pytest.raises(nx.NetworkXError):
        smallest.view().add_node(113)
    with pytest.raises(KeyError):
        smallest.view()[113]


def test_a_graph_that_is_too_large_says_how_far_it_got():
    with pytest.raises(GraphTooLarge, match=r"group-2x1 has more than 50 states \(\d+ found"):
        state_graph(_group("group-2x1"), limit=50)


@pytest.mark.slow
def test_every_state_reaches_quiescence_by_networkx_too():
    graph = state_graph(_group("group-2x2"))
    assert len(graph) == 4294
    spec, interpreter = graph.machine.instance.spec, graph.machine.interpreter
    goal = spec.find_property("quiescence_reachable")
    backwards = nx.DiGraph(graph.view()).reverse(copy=False).copy()
    calm = [i for i, state in enumerate(graph.states) if interpreter.holds(goal, state)]
    backwards.add_edges_from((-1, i) for i in calm)
    assert nx.descendants(backwards, -1) == set(range(4294))
