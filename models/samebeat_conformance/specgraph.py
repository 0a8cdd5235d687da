"""The steps of the spec, all of them, in arrays: which are there, which one node takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from samebeat_models.explorer.symmetry import CellMap, symmetry_of
from samebeat_models.graph import state_graph
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple

MOST_STATES = 3_000_000

Actors: TypeAlias = Callable[[str, Arguments], frozenset[int]]
"""Who takes an action with these arguments: a node, or one of several."""


def first_argument(_action: str, arguments: Arguments) -> frozenset[int]:
    """Return the node that comes first."""
    return frozenset(arguments[:1])


@dataclass(frozen=True)
class Step:
    """One step of the spec, by its number."""

    number: int
    action: str
    arguments: Arguments
    source: int
    target: int


class SpecGraph:
    """All reachable states of an instance by number, and the steps that change something."""

    def __init__(self, instance: Instance, actors: Actors = first_argument) -> None:
        graph = state_graph(instance, MOST_STATES)
        self._instance = instance
        assert all(c.values[0] >= 0 and c.values[-1] < 256 for c in instance.cells)
        self._states = [bytes(s) for s in graph.states]
        self._numbers = {s: i for i, s in enumerate(self._states)}
        actions = [(a.action.name, a.arguments) for a in graph.machine.steps.actions]
        self._actions = actions
        self._initial: list[int] = graph.initial.tolist()
        self._start: list[int] = graph.start.tolist()
        self._target: list[int] = graph.target.tolist()
        self._label: list[int] = graph.step.tolist()
        self._actors = [actors(name, arguments) for name, arguments in actions]
        self.covered = bytearray(len(self._target))
        """for each step whether some move of the cores takes it"""
        self.first_steps: list[Step] = []
        """the steps that come before those that count"""
        self._within: Sequence[int] = range(len(self._start) - 1)

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self._within)

    @property
    def edges(self) -> int:
        """How many steps there are that change something."""
        return sum(self.degree(state) for state in self._within)

    @property
    def edges_covered(self) -> int:
        """How many of these steps some move of the cores takes."""
        rows = ((self._start[state], self._start[state + 1]) for state in self._within)
        return sum(sum(self.covered[low:high]) for low, high in rows)

    def uncovered(self) -> Iterator[Step]:
        """Yield the steps that no move of the cores takes."""
        rows = (self._row(state) for state in self._within)
        yield from (step for row in rows for step in row if not self.covered[step.number])

    def begin_after(self, *steps: str) -> None:
        """Take steps by name, as in ``crash n3 1``, and count only what can happen after them.

        Raises:
            KeyError: a step is not possible there.
        """
        (state,) = self._initial
        for words in steps:
            names = {self._words(s): s for s in self._row(state)}
            self.first_steps.append(names[words])
            state = names[words].target
        reached, waiting = {state}, [state]
        while waiting:
            new = {step.target for step in self._row(waiting.pop())} - reached
            reached |= new
            waiting.extend(new)
        self._within = sorted(reached)

    def _row(self, state: int) -> Iterator[Step]:
        for e in range(self._start[state], self._start[state + 1]):
            yield Step(e, *self._actions[self._label[e]], state, self._target[e])

    def _words(self, step: Step) -> str:
        parameters = self._instance.spec.find_action(step.action).parameters
        labels = zip(parameters, step.arguments, strict=True)
        return " ".join((step.action, *(self._instance.label(p.sort, x) for p, x in labels)))

    def number(self, state: StateTuple) -> int | None:
        """Return the number of a state; None: the spec does not reach it."""
        return self._numbers.get(bytes(state))

    def state(self, number: int) -> StateTuple:
        """Return a state by its number."""
        return tuple(self._states[number])

    def step(self, number: int) -> Step:
        """Return a step by its number; it starts at the state whose row it is in."""
        low, high = 0, len(self._start) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._start[middle] <= number else (low, middle)
        action, arguments = self._actions[self._label[number]]
        return Step(number, action, arguments, low, self._target[number])

    def degree(self, state: int) -> int:
        """Return how many steps start at a state."""
        return self._start[state + 1] - self._start[state]

    def enabled(self, state: int, action: str, node: int) -> list[Arguments]:
        """Return the arguments with which one node can take an action that changes something."""
        row = range(self._start[state], self._start[state + 1])
        found = (self._actions[self._label[e]] for e in row)
        return [args for name, args in found if name == action and args[0] == node]

    def may(self, state: int, action: str) -> bool:
        """Return whether an action is enabled that changes something."""
        row = range(self._start[state], self._start[state + 1])
        return any(self._actions[self._label[e]][0] == action for e in row)

    def path(self, here: int, there: int, node: int, most: int) -> list[int]:
        """Return a shortest path of steps of one node; empty: there is none of so many."""
        before: dict[int, int | None] = {here: None}
        layer = [here]
        for _ in range(most):
            following = []
            for state in layer:
                for e in range(self._start[state], self._start[state + 1]):
                    after = self._target[e]
                    if after not in before and node in self._actors[self._label[e]]:
                        before[after] = e
                        following.append(after)
            if there in before:
                return self._back(before, there)
            layer = following
        return []

    def _back(self, before: dict[int, int | None], there: int) -> list[int]:
        steps = []
        at = before[there]
        while at is not None:
            steps.append(at)
            at = before[self.step(at).source]
        return steps[::-1]

    def cover(self, path: list[int]) -> None:
        """Note that the cores take these steps, and those that cannot be told from them."""
        for e in path:
            step = self.step(e)
            for other in range(self._start[step.source], self._start[step.source + 1]):
                same = self._target[other] == step.target
                if same and self._actors[self._label[other]] & self._actors[self._label[e]]:
                    self.covered[other] = 1

    # --- members are alike -----------------------------------------------------------------------

    def images(self, states: Iterable[int]) -> set[int]:
        """Return states and their images when members change names."""
        found = set(states)
        return found.union(*({self._image(m, s) for s in found} for m, _ in self._maps()))

    def cover_images(self) -> None:
        """Note that the cores take the images of the steps that they take, which are all steps."""
        taken = [self.step(e) for e, covered in enumerate(self.covered) if covered]
        for m, nodes in self._maps():
            for step in taken:
                node = nodes[step.arguments[0]]
                source, target = self._image(m, step.source), self._image(m, step.target)
                path = self.path(source, target, node, 1)
                assert path, "the image of a step is a step"
                self.cover(path)

    def _image(self, m: CellMap, state: int) -> int:
        return self._numbers[bytes(m.apply(self.state(state)))]

    def _maps(self) -> Iterator[tuple[CellMap, dict[int, int]]]:
        """Yield how a renaming maps states, and how it maps nodes."""
        (start,) = (self.state(i) for i in self._initial)
        places = self._instance.cell_index["up"]
        at = {cell: node for (node,), cell in places.items()}
        for m in symmetry_of(self._instance, [start]).maps:
            yield m, {node: at[m.target[cell]] for (node,), cell in places.items()}
