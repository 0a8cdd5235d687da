"""The product of spec and implementation: each step of the cores must be steps of the spec.

From every product state each input that is possible is given to the cores. What it does must be
nothing in the spec's eyes (it *stutters*), or a path of enabled spec steps of the node that moves.
The path may have several steps where the core takes several at once (`MOST_AT_ONCE`).

Both directions are counted. `edges` are the steps of the spec that change something, from states
that the spec reaches; `edges_covered` are those that some move of the cores takes. An edge that is
not covered is listed with its action: the cores never take it, or never at that moment.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from samebeat.codec import decode
from samebeat.ids import ChangeId
from samebeat.messages import Heartbeat
from samebeat_conformance.concrete import (
    Ask,
    Crash,
    Datagram,
    Deliver,
    Input,
    Leave,
    Local,
    Lose,
    Nodes,
    Recover,
    Stepped,
    Tick,
    first_local,
    is_unsaid,
    possible_operations,
)
from samebeat_conformance.mapping import Mapping, Part
from samebeat_spec.cluster import Crash as Crashes
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter

MOST_AT_ONCE = 5
"""The most spec steps that a core takes on one input: apply, ok, hold, commit, and one more."""

Edge = tuple[str, Arguments, StateTuple]
Pair = tuple[tuple[int, ...], frozenset[int], tuple[ChangeId | None, ...], int]
"""Numbers of the local states and of the datagrams sent, ids of changes, how many crashes."""


@dataclass
class Conformance:
    """What came of a product exploration.

    Attributes:
        divergence: the inputs that lead to a step that is none of the spec's, in words; empty:
            there is none.
        edges_possible: the edges from states in which the cores can be. The cores pass others by,
            where they take several steps at once.
        complete: whether all of the product was explored; otherwise the rest is undetermined.
        uncovered: how many edges of each action no move has taken, from any state.
        missed: the same, from states in which the cores can be.
        at_once: how many moves of the cores were paths of so many spec steps.
        refused: how often a core did not ask for a change that the spec lets it ask for.
    """

    states: int = 0
    edges: int = 0
    edges_possible: int = 0
    edges_covered: int = 0
    pairs: int = 0
    moves: int = 0
    stutter_checks: int = 0
    refused: int = 0
    seconds: float = 0.0
    complete: bool = True
    divergence: tuple[str, ...] = ()
    uncovered: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    at_once: Counter[int] = field(default_factory=Counter)

    @property
    def verdict(self) -> str:
        """`violated` by a divergence; `holds` if all was explored; else `undetermined`."""
        if self.divergence:
            return "violated"
        return "holds" if self.complete else "undetermined"


class SpecGraph:
    """The steps of the spec, computed where they are asked for."""

    def __init__(self, instance: Instance) -> None:
        self._interpreter = Interpreter(instance)
        self.start = self._interpreter.initial_states()
        self._edges: dict[StateTuple, list[Edge]] = {}

    def edges(self, state: StateTuple) -> list[Edge]:
        """Return the steps from a state that change something."""
        if state not in self._edges:
            self._edges[state] = [
                (a.name, arguments, after)
                for a, arguments, after in self._interpreter.successors(state)
                if after != state
            ]
        return self._edges[state]

    def reachable(self) -> dict[StateTuple, list[Edge]]:
        """Return all reachable states with their steps."""
        found = dict.fromkeys(self.start)
        waiting = list(found)
        while waiting:
            for _, _, after in self.edges(waiting.pop()):
                if after not in found:
                    found[after] = None
                    waiting.append(after)
        return {s: self.edges(s) for s in found}

    def path(self, start: StateTuple, goal: StateTuple, node: int) -> list[tuple[StateTuple, Edge]]:
        """Return a shortest path of steps of one node; empty: there is none that is short."""
        before: dict[StateTuple, tuple[StateTuple, Edge] | None] = {start: None}
        layer = [start]
        for _ in range(MOST_AT_ONCE):
            following = []
            for state in layer:
                for edge in self.edges(state):
                    if edge[1][0] == node and edge[2] not in before:
                        before[edge[2]] = (state, edge)
                        following.append(edge[2])
            if goal in before:
                break
            layer = following
        steps: list[tuple[StateTuple, Edge]] = []
        at = before.get(goal)
        while at is not None:
            steps.append(at)
            at = before[at[0]]
        return steps[::-1]


class Product:
    """One exploration."""

    def __init__(self, instance: Instance, most_pairs: int = 1_000_000) -> None:
        self.mapping = Mapping(instance)
        self.spec = SpecGraph(instance)
        self.nodes = Nodes()
        self._most_crashes = len(instance.domain(Crashes)) - 1
        self.most_pairs = most_pairs
        self.result = Conformance()
        self._datagrams: list[Datagram] = []
        self._datagram_numbers: dict[Datagram, int] = {}
        self._of: list[set[int]] = [set() for _ in self.mapping.nodes]
        self._parts: dict[Any, Part] = {}
        self._covered: set[tuple[StateTuple, str, Arguments]] = set()
        self._paths: dict[tuple[StateTuple, StateTuple, int], list[tuple[StateTuple, Edge]]] = {}
        self._before: dict[Pair, tuple[Pair, str] | None] = {}

    def run(self) -> Conformance:
        """Explore, breadth first, and return what came of it."""
        began, result = time.perf_counter(), self.result
        names = self.mapping.nodes
        first = tuple(self.nodes.number(first_local(self.mapping.config(n))) for n in names)
        start: Pair = (first, frozenset(), (None,) * len(self.mapping.changes), 0)
        assert self.alpha(start) == self.mapping.start, "both begin in the same state"
        self._before[start] = None
        waiting = deque([start])
        while waiting and not result.divergence:
            pair = waiting.popleft()
            waiting.extend(self._moves(pair))
        self._count(time.perf_counter() - began)
        return result

    def _moves(self, pair: Pair) -> Iterator[Pair]:
        """Give each input that is possible to the cores, check it, and yield what is new."""
        here = self.alpha(pair)
        for n, what, words in self._inputs(pair):
            after = self._after(pair, n, what)
            if after is None:
                self.result.refused += 1
                continue
            there = here if after == pair else self.alpha(after)
            if there == here:
                self.result.stutter_checks += 1
            elif not self._follow(here, there, n):
                self._diverge(pair, words, here, there)
                return
            if after not in self._before:
                if len(self._before) >= self.most_pairs:
                    self.result.complete = False
                    continue
                self._before[after] = (pair, words)
                yield after

    def _follow(self, here: StateTuple, there: StateTuple, node: int) -> bool:
        """Take the spec's steps from `here` to `there`; return whether there are any."""
        known = (here, there, node)
        if known not in self._paths:
            self._paths[known] = self.spec.path(here, there, node)
        path = self._paths[known]
        self._covered.update((state, name, arguments) for state, (name, arguments, _) in path)
        self.result.moves += 1
        self.result.at_once[len(path)] += 1
        return bool(path)

    def _inputs(self, pair: Pair) -> Iterator[tuple[int, Input, str]]:
        """Yield each input that is possible: at which node, what, and in words."""
        numbers, network, ids, crashes = pair
        names = self.mapping.nodes
        for n, name in enumerate(names):
            local = self.nodes.locals[numbers[n]]
            if not local.up:
                yield n, Recover(), f"{name} comes back"
                continue
            if crashes < self._most_crashes:
                yield n, Crash(), f"{name} crashes"
            for c, change in enumerate(ids):
                if change is None:
                    yield n, Ask(self.mapping.asked[c]), f"{name} is asked for change {c + 1}"
            for finish in possible_operations(local):
                ends = "succeeds" if finish.success else "fails"
                yield n, finish, f"the operation of {name} {ends}"
            if local.leaving:
                kind = type(decode(local.leaving[0][1]).body).__name__
                yield n, Leave(), f"{kind} leaves {name}"
                if is_unsaid(local, decode(local.leaving[0][1]).body):
                    yield n, Lose(), f"{kind} of {name} is lost before it leaves"
            yield n, Tick(later=self._most_crashes > 0), f"the timer of {name}"
            for d in sorted(network):
                source, to, data = self._datagrams[d]
                if source != name and to in (None, name):
                    kind = type(decode(data).body).__name__
                    yield n, Deliver(source, data), f"{kind} of {source} reaches {name}"

    def _after(self, pair: Pair, n: int, what: Input) -> Pair | None:
        numbers, network, ids, crashes = pair
        stepped = self.nodes.step(numbers[n], what)
        if stepped is None:
            return None
        number, did = stepped
        if isinstance(what, Tick) and self._same_but_for_time(numbers[n], number):
            did = self._only_repeated(numbers[n], did)
            number = self.nodes.number(did.local)
        name = self.mapping.nodes[n]
        network |= {self._datagram((name, to, data)) for to, data in did.sent}
        asked = did.asked
        if asked is not None and isinstance(what, Ask):
            c = next(
                i
                for i, known in enumerate(ids)
                if known is None and self.mapping.asked[i] == what.settings
            )
            ids = (*ids[:c], asked, *ids[c + 1 :])
        crashes += isinstance(what, Crash)
        return (*numbers[:n], number, *numbers[n + 1 :]), network, ids, crashes

    def _same_but_for_time(self, before: int, after: int) -> bool:
        """Time is not part of this spec: a tick repeats messages and changes nothing else."""
        old, new = self.nodes.locals[before], self.nodes.locals[after]
        return old.node.journal == new.node.journal and old.ghost == new.ghost

    def _only_repeated(self, before: int, did: Stepped) -> Stepped:
        """Return what a tick does without heartbeats, which are not part of this spec either."""
        old = self.nodes.locals[before]
        local = Local(old.node, did.local.leaving, old.ghost)
        return Stepped(
            local, tuple(d for d in did.sent if not isinstance(decode(d[1]).body, Heartbeat))
        )

    def _datagram(self, datagram: Datagram) -> int:
        number = self._datagram_numbers.setdefault(datagram, len(self._datagrams))
        if number == len(self._datagrams):
            self._datagrams.append(datagram)
            self._of[self.mapping.nodes.index(datagram[0])].add(number)
        return number

    def alpha(self, pair: Pair) -> StateTuple:
        """Return the state of the spec that a product state is in."""
        numbers, network, ids, crashes = pair
        return self.mapping.joined(
            (self._part(n, number, network, ids) for n, number in enumerate(numbers)), crashes
        )

    def _part(
        self, n: int, number: int, network: frozenset[int], ids: tuple[ChangeId | None, ...]
    ) -> Part:
        own = network & self._of[n]
        known = (n, number, own, ids)
        if known not in self._parts:
            name, local = self.mapping.nodes[n], self.nodes.locals[number]
            said = self.mapping.said(name, local, [self._datagrams[d] for d in own])
            self._parts[known] = self.mapping.part(n, local, said, ids)
        return self._parts[known]

    def _diverge(self, pair: Pair, words: str, here: StateTuple, there: StateTuple) -> None:
        """Record the shortest run to a step that is none of the spec's."""
        steps = [words]
        at = self._before[pair]
        while at is not None:
            steps.append(at[1])
            at = self._before[at[0]]
        instance = self.mapping.instance
        changed = [
            f"{instance.cell_label(i)}: "
            f"{instance.value_label(i, a)} -> {instance.value_label(i, b)}"
            for i, (a, b) in enumerate(zip(here, there, strict=True))
            if a != b
        ]
        self.result.divergence = (*steps[::-1], "which is no step of the spec:", *changed)

    def _count(self, seconds: float) -> None:
        result = self.result
        result.seconds, result.pairs = seconds, len(self._before)
        graph = self.spec.reachable()
        result.states = len(graph)
        every = {(s, name, arguments) for s, own in graph.items() for name, arguments, _ in own}
        result.edges = len(every)
        images = {self.alpha(pair) for pair in self._before}
        result.edges_possible = sum(s in images for s, _, _ in every)
        result.edges_covered = len(every & self._covered)
        result.uncovered = Counter(name for _, name, _ in every - self._covered)
        result.missed = Counter(name for s, name, _ in every - self._covered if s in images)
