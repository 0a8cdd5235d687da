"""State graphs: every reachable state and every step of an instance, as arrays and for NetworkX.

The arrays are a compressed sparse row (CSR) matrix: the steps from state ``i`` are the entries
``start[i]`` to ``start[i + 1]`` of ``target`` and ``step``. States are numbered level by level,
so number 0 is an initial state. Steps that change nothing are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from samebeat_models.explorer.edges import Labels, Numbering, edges_of
from samebeat_models.explorer.edges import Numbers as SmallNumbers
from samebeat_models.explorer.formulas import Ground
from samebeat_models.explorer.kernels import blocks
from samebeat_models.explorer.machine import Machine, build_machine
from samebeat_models.explorer.store import Bools, Store, sorted_unique
from samebeat_spec.language import Action, Instance
from samebeat_spec.language.instance import Arguments, StateTuple

Numbers = npt.NDArray[np.int64]


class GraphTooLarge(Exception):  # noqa: N818  (`except GraphTooLarge` is the sentence)
    """The graph has more states than asked for; the message says how many were found by then."""


@dataclass(frozen=True)
class StateGraph:
    """The graph of an instance.

    Attributes:
        machine: what was explored.
        store: the states, level by level.
        initial: the numbers of the initial states.
        start, target, step: the CSR arrays; ``step`` indexes ``machine.steps.actions``.
    """

    machine: Machine
    store: Store
    initial: Numbers
    start: Numbers
    target: SmallNumbers
    step: Labels

    def __len__(self) -> int:
        return self.store.count

    @cached_property
    def states(self) -> list[StateTuple]:
        """Every state as a tuple of cell values, by number."""
        return [
            self.machine.unpack(level, i)
            for level in self.store.levels
            for i in range(level.shape[1])
        ]

    def state(self, number: int) -> StateTuple:
        """Return one state as a tuple of cell values."""
        level = int(np.searchsorted(self._bases, number, side="right")) - 1
        return self.machine.unpack(self.store.levels[level], number - int(self._bases[level]))

    @cached_property
    def depth(self) -> SmallNumbers:
        """The least number of steps to each state."""
        levels = np.arange(len(self.store.levels), dtype=np.int32)
        return np.repeat(levels, np.diff(self._bases))

    @cached_property
    def _bases(self) -> Numbers:
        return np.cumsum([0, *(level.shape[1] for level in self.store.levels)])

    def where(self, ground: Ground) -> Bools:
        """Return for each state whether a ground formula holds in it."""
        holds = self.machine.steps.kernel.mask(ground)
        found = [holds(block) for level in self.store.levels for _, block in blocks(level)]
        return np.concatenate(found)

    def label(self, entry: int) -> tuple[Action, Arguments]:
        """Return the action and the arguments of one step, by its position in the arrays."""
        ground = self.machine.steps.actions[self.step[entry]]
        return ground.action, ground.arguments

    def adjacency(self) -> csr_array:
        """Return the graph as a SciPy matrix: an entry counts the steps between two states.

        Entries are unique: SciPy's search for strongly connected components does not end on a
        matrix with repeated ones.
        """
        shape = (len(self), len(self))
        ones = np.ones(len(self.target), np.int64)
        matrix = csr_array((ones, self.target.copy(), self.start.copy()), shape)
        matrix.sum_duplicates()
        return matrix

    def to_networkx(self) -> nx.MultiDiGraph:
        """Return a real NetworkX graph: an edge for each step, with ``action`` and ``arguments``.

        An edge costs about 4 microseconds and some 300 bytes; above 50,000 states use ``view``.
        """
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(len(self)))
        for source in range(len(self)):
            for entry in range(self.start[source], self.start[source + 1]):
                action, arguments = self.label(entry)
                target = int(self.target[entry])
                graph.add_edge(source, target, action=action.name, arguments=arguments)
        return graph

    def view(self) -> nx.DiGraph:
        """Return a read-only NetworkX graph over the arrays: no copy, edges without data."""
        return _View(self)


class _Rows(Mapping[int, Mapping[int, dict[str, Any]]]):
    """The adjacency of a CSR matrix, as NetworkX reads it: node -> neighbour -> edge data."""

    def __init__(self, start: Numbers, target: Numbers | SmallNumbers) -> None:
        self._start = start
        self._target = target

    def __getitem__(self, node: int) -> Mapping[int, dict[str, Any]]:
        if not 0 <= node < len(self):
            raise KeyError(node)
        row = self._target[self._start[node] : self._start[node + 1]]
        return {int(neighbour): {} for neighbour in np.unique(row)}

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self._start) - 1


class _Nodes(Mapping[int, dict[str, Any]]):
    """The nodes 0 to n - 1, without data."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __getitem__(self, node: int) -> dict[str, Any]:
        if not 0 <= node < self._count:
            raise KeyError(node)
        return {}

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._count))

    def __len__(self) -> int:
        return self._count


class _View(nx.DiGraph):  # type: ignore[misc]  # networkx ships no types
    """A DiGraph whose adjacency is read from arrays; NetworkX's own algorithms run on it."""

    def __init__(self, graph: StateGraph) -> None:
        super().__init__()
        self._node = _Nodes(len(graph))
        self._adj = _Rows(graph.start, graph.target)
        self._pred = _Rows(*_transposed(graph.start, graph.target))
        nx.freeze(self)


def _transposed(start: Numbers, target: SmallNumbers) -> tuple[Numbers, Numbers]:
    count = len(start) - 1
    source = np.repeat(np.arange(count), np.diff(start))
    order = np.argsort(target, kind="stable")
    return _offsets(target, count), source[order]


def _offsets(rows: SmallNumbers, count: int) -> Numbers:
    return np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count))))


def _nothing(_room: int) -> None:
    return


def state_graph(
    instance: Instance,
    limit: int = 50_000,
    *,
    symmetry: bool = False,
    watch: Callable[[int], None] = _nothing,
) -> StateGraph:
    """Return the graph of all reachable states, whatever properties they violate.

    ``watch`` is called now and then, with the bytes that are about to be taken.

    Raises:
        GraphTooLarge: it has more than ``limit`` states.
        StateError: there is no initial state, or a step leads to a state that does not fit.
    """
    machine = build_machine(instance, symmetry=symmetry)
    store = Store(machine.layout.words)
    first = machine.canonical(machine.pack(machine.initial))
    frontier = store.add_level(sorted_unique(first))
    while frontier.shape[1]:
        after = [frontier[:, :0]]
        for _, block in blocks(frontier):
            watch(0)
            after += (machine.canonical(steps.after) for steps in machine.steps.steps(block))
        frontier = store.add_level(sorted_unique(np.concatenate(after, axis=1)))
        if store.count > limit:
            raise GraphTooLarge(
                f"{instance.name} has more than {limit:,} states "
                f"({store.count:,} found by depth {len(store.levels) - 1})"
            )
    return graph_of(machine, store, watch)


def graph_of(machine: Machine, store: Store, watch: Callable[[int], None] = _nothing) -> StateGraph:
    """Return the graph of states that were all found before.

    ``watch`` is called now and then, with the bytes that are about to be taken.

    Raises:
        StateError: a step leads to a state that does not fit.
    """
    numbering = Numbering(store)
    first = machine.canonical(machine.pack(machine.initial))
    initial = np.unique(numbering.of(first, near=0)).astype(np.int64)
    edges = edges_of(machine, store, numbering, watch)
    return StateGraph(machine, store, initial, edges.start, edges.target, edges.label)
