"""The product of spec and implementation: each step of the cores must be steps of the spec.

From every product state each move that is possible is made by the cores. What it does must be
nothing in the spec's eyes (it *stutters*), or a path of enabled spec steps of the node that moves.
The path may have several steps where the core takes several at once (`MOST_AT_ONCE`).

Both directions are counted. `edges` are the steps of the spec that change something, from states
that the spec reaches; `edges_covered` are those that some move of the cores takes. An edge that is
not covered is listed with its action: the cores never take it, or never at that moment.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from samebeat.ids import ChangeId, ViewId
from samebeat.node import Node
from samebeat_conformance.concrete import first_local
from samebeat_conformance.inputs import Ask, Propose
from samebeat_conformance.mapping import Mapping, Part
from samebeat_conformance.moves import Faults, Move, Moves, Wishes
from samebeat_conformance.specgraph import SpecGraph
from samebeat_conformance.stepwise import StepwiseNode
from samebeat_conformance.symmetry import Symmetry
from samebeat_spec.cluster import Crash as Crashes
from samebeat_spec.language import Instance

MOST_AT_ONCE = 6
"""The most spec steps that a core takes on one input: apply, ok, hold, commit, and a crash."""
UNREACHED = -1
"""The number of a state that the spec does not reach."""


class Pair(NamedTuple):
    """A product state.

    Attributes:
        locals_: the numbers of the nodes' local states.
        network: the bits of the datagrams sent.
        context: the number of what stands for the changes and the views.
        crashes: how many crashes there have been.
    """

    locals_: tuple[int, ...]
    network: int
    context: int
    crashes: int

    @property
    def but_for_network(self) -> tuple[tuple[int, ...], int, int]:
        """All but what was sent."""
        return self.locals_, self.context, self.crashes


class Context(NamedTuple):
    """What stands for the changes and the views of the spec."""

    ids: tuple[ChangeId | None, ...]
    views: tuple[ViewId | None, ...]


@dataclass(frozen=True)
class Divergence:
    """A move of the cores that is none of the spec's, and the shortest way there.

    Attributes:
        pairs: the product states, the first one and the one from which the move is made included.
        moves: which node does what, the last one being the move.
        after: the product state after it.
    """

    pairs: tuple[Pair, ...]
    moves: tuple[tuple[int, Move], ...]
    after: Pair


@dataclass
class Conformance:
    """What came of a product exploration.

    Attributes:
        divergence: a move that is no step of the spec; None: there is none.
        edges_possible: the edges from states in which the cores can be. The cores pass others by,
            where they take several steps at once.
        complete: whether all of the product was explored; otherwise the rest is undetermined.
        uncovered: how many edges of each action no move has taken, from any state.
        missed: the same, from states in which the cores can be.
        at_once: how many moves of the cores were paths of so many spec steps.
        refused: how many proposals have no place in the instance.
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
    divergence: Divergence | None = None
    uncovered: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    at_once: Counter[int] = field(default_factory=Counter)

    @property
    def verdict(self) -> str:
        """`violated` by a divergence; `holds` if all was explored; else `undetermined`."""
        if self.divergence is not None:
            return "violated"
        return "holds" if self.complete else "undetermined"

    def joined_with(self, other: Conformance) -> Conformance:
        """Return what came of two explorations of one cluster; which edges are missed, of `other`.

        How many are covered in one of them is not known here.
        """
        return replace(
            other,
            pairs=self.pairs + other.pairs,
            moves=self.moves + other.moves,
            stutter_checks=self.stutter_checks + other.stutter_checks,
            refused=self.refused + other.refused,
            seconds=self.seconds + other.seconds,
            complete=self.complete and other.complete,
            at_once=self.at_once + other.at_once,
        )

    @property
    def checks(self) -> int:
        """How many inputs were checked."""
        return self.moves + self.stutter_checks


def _nothing(_pairs: int, _checks: int) -> None:
    return


class Product:
    """One exploration."""

    def __init__(
        self,
        instance: Instance,
        most_pairs: int = 2_000_000,
        *,
        on_demand: bool = False,
        stepwise: bool = False,
        symmetric: bool = False,
        watch: Callable[[int, int], None] = _nothing,
        spec: SpecGraph | None = None,
    ) -> None:
        self.mapping = Mapping(instance)
        self.spec = spec or SpecGraph(instance)
        self.most_pairs = most_pairs
        self.result = Conformance()
        self._watch = watch
        self._symmetry: Symmetry | None = None
        self.stepwise = stepwise
        constants = instance.constant_values
        names = self.mapping.nodes
        faults = Faults(
            crashes=len(instance.domain(Crashes)) > 1,
            undo_may_fail=bool(constants["undo_may_fail"][()]),
            may_hang=bool(constants["may_hang"][()]),
        )
        quorums = self.mapping.quorums if self.mapping.views > 1 else ()
        self.moves = Moves(
            names,
            list(dict.fromkeys(self.mapping.asked.values())),
            {n: [q for q in quorums if n in q] for n in names},
            faults,
            on_demand=on_demand,
        )
        if symmetric and len(self.mapping.changes) == 1:
            self._symmetry = Symmetry(names, self.moves.nodes, self.moves.network)
        self._most_crashes = len(instance.domain(Crashes)) - 1
        self._contexts: list[Context] = []
        self._context_numbers: dict[Context, int] = {}
        self._context_images: dict[tuple[int, int], int] = {}
        self._parts: dict[tuple[int, int, int], Part] = {}
        self._alphas: dict[tuple[tuple[int, ...], int, int], int] = {}
        self._allowed: dict[tuple[int, int, int], set[int]] = {}
        self._beginnings: dict[tuple[int, int, int], Wishes] = {}
        self._paths: dict[tuple[int, int, int], int] = {}
        self._most_sent: dict[tuple[tuple[int, ...], int, int], list[int]] = {}
        self._before: dict[Pair, tuple[Pair, int, Move, int] | None] = {}
        """for each product state the one before, the move, and how members were renamed then"""

    def run(self) -> Conformance:
        """Explore, breadth first, and return what came of it."""
        began, result = time.perf_counter(), self.result
        start = self._start()
        self._before[start] = None
        layer = [pair for pair in self._led_to(start) if self._is_more(pair)]
        while layer and result.divergence is None:
            layer = self._after_all(layer)
        self._count(time.perf_counter() - began)
        return result

    def _after_all(self, layer: list[Pair]) -> list[Pair]:
        """Return what is new after the product states of one distance, until a divergence.

        Where more is sent at the same distance, that is explored. So a divergence is as near.
        """
        following: list[Pair] = []
        for pair in [p for p in layer if p.network in self._most_sent[p.but_for_network]]:
            following.extend(self._moves(pair))
            self._watch(len(self._before), self.result.checks + self.moves.checks)
            if self.result.divergence is not None:
                break
        return following

    def _start(self) -> Pair:
        names, nodes = self.mapping.nodes, self.moves.nodes
        kind = StepwiseNode if self.stepwise else Node
        first = tuple(nodes.number(first_local(self.mapping.config(n), kind)) for n in names)
        nothing = Context((None,) * len(self.mapping.changes), self.mapping.first_views())
        start = Pair(first, 0, self._context(nothing), 0)
        assert self.spec.number(self.mapping.start) == self.alpha(start), "both begin alike"
        return start

    def _led_to(self, start: Pair) -> list[Pair]:
        """Return the product states in which the exploration begins, and note how to get there.

        The cores take the steps that come before in all ways, and no others.
        """
        steps = self.spec.first_steps
        place = {self.alpha(start): 0, **{step.target: k for k, step in enumerate(steps, 1)}}
        led: list[list[Pair]] = [[start], *([] for _ in steps)]
        for k, step in enumerate(steps):
            n = step.arguments[0]
            for pair in led[k]:
                here = self.alpha(pair)
                for move in self._moves_of(pair, here, n):
                    for after in self._after(pair, here, n, move):
                        there = place.get(self.alpha(after), -1)
                        if there >= k and after not in self._before:
                            self._before[after] = (pair, n, move, 0)
                            led[there].append(after)
        assert led[-1], "the cores take the steps that come before"
        return led[-1]

    def _moves_of(self, pair: Pair, here: int, n: int) -> list[Move]:
        wishes = self._wishes(pair.context, here, n)
        return self.moves.of(pair.locals_, n, pair.network, wishes)

    def _moves(self, pair: Pair) -> Iterator[Pair]:
        """Let each node make each move that is possible, check it, and yield what is new."""
        here = self.alpha(pair)
        for n in range(len(pair.locals_)):
            for move in self._moves_of(pair, here, n):
                for after in self._after(pair, here, n, move):
                    if not self._check(here, self.alpha(after), n):
                        self._diverge(pair, n, move, after)
                        return
                    least, r = self._least(after)
                    if least in self._before or not self._is_more(least):
                        continue
                    if len(self._before) >= self.most_pairs:
                        self.result.complete = False
                        continue
                    self._before[least] = (pair, n, move, r)
                    yield least

    def _is_more(self, pair: Pair) -> bool:
        """Note what was sent, and return whether it is not part of what is sent in a known state.

        A datagram may be delayed for ever. So where more is sent, all moves are possible that are
        where less is. With full knowledge each state is explored nevertheless, as the reference.
        """
        known = self._most_sent.setdefault(pair.but_for_network, [])
        if self.moves.on_demand:
            if any(pair.network | network == network for network in known):
                return False
            known[:] = [network for network in known if network | pair.network != pair.network]
        known.append(pair.network)
        return True

    def _check(self, here: int, there: int, node: int) -> bool:
        """Take the spec's steps from `here` to `there`; return whether there are any, or none."""
        if there == here:
            self.result.stutter_checks += 1
            return True
        known = (here, there, node)
        length = self._paths.get(known)
        if length is None:
            path = self.spec.path(here, there, node, MOST_AT_ONCE) if there != UNREACHED else []
            self.spec.cover(path)
            length = self._paths[known] = len(path)
        self.result.moves += 1
        self.result.at_once[length] += 1
        return length > 0

    def _after(self, pair: Pair, here: int, n: int, move: Move) -> Iterator[Pair]:
        """Yield the product states after a move: one for each thing that a new id may stand for."""
        crashes = pair.crashes + move.crashes
        if crashes > self._most_crashes:
            return
        locals_ = (*pair.locals_[:n], move.after, *pair.locals_[n + 1 :])
        network, cause = pair.network | move.sent, move.cause
        contexts = [pair.context]
        if isinstance(cause, Ask):
            contexts = self._asked(pair.context, cause, move.asked)
        elif isinstance(cause, Propose):
            contexts = self._proposed(pair.context, here, n, move.after)
            self.result.refused += not contexts
        for context in contexts:
            yield Pair(locals_, network, context, crashes)

    def _wishes(self, number: int, here: int, n: int) -> Wishes:
        """Return what `n` may begin: a change that is not asked for, a view that there is room for.

        Whether there is cause for a view is the environment's business, and so the spec's guard.
        """
        known = self._beginnings.get((number, here, n))
        if known is None:
            ids, views = self._contexts[number]
            free = {self.mapping.asked[c]: None for c, known in enumerate(ids) if known is None}
            found = self.spec.enabled(here, "propose", n) if None in views else []
            quorums = {q: None for _, v, q in found if views[v] is None}
            members = tuple(self.mapping.members[q] for q in quorums)
            known = self._beginnings[number, here, n] = Wishes(tuple(free), members)
        return known

    def _asked(self, number: int, ask: Ask, asked: ChangeId | None) -> list[int]:
        ids, views = self._contexts[number]
        return [
            self._context(Context((*ids[:c], asked, *ids[c + 1 :]), views))
            for c, known in enumerate(ids)
            if known is None and self.mapping.asked[c] == ask.settings
        ]

    def _proposed(self, number: int, here: int, n: int, after: int) -> list[int]:
        """Return what a new view may stand for: ids are in order, and the spec lets `n` do it."""
        ids, views = self._contexts[number]
        view = self.moves.nodes.locals[after].node.journal.promise.view
        quorum = self.mapping.quorums[view.members]
        known = self._allowed.get((here, n, quorum))
        if known is None:
            found = self.spec.enabled(here, "propose", n)
            known = self._allowed[here, n, quorum] = {v for _, v, q in found if q == quorum}
        return [
            self._context(Context(ids, (*views[:v], view.id, *views[v + 1 :])))
            for v in range(len(views))
            if v in known
            and views[v] is None
            and all(w is None or (i < v) == (w < view.id) for i, w in enumerate(views))
        ]

    def _context(self, context: Context) -> int:
        number = self._context_numbers.setdefault(context, len(self._contexts))
        if number == len(self._contexts):
            self._contexts.append(context)
        return number

    # --- members are alike -----------------------------------------------------------------------

    def _least(self, pair: Pair) -> tuple[Pair, int]:
        """Return the least image of a product state, and the renaming that leads to it."""
        numbers = [v.number for v in self._contexts[pair.context].views if v is not None]
        if self._symmetry is None or len(set(numbers)) < len(numbers):
            return pair, 0
        return min((self._renamed(r, pair), r) for r in self._symmetry.sorting(pair.locals_))

    def _renamed(self, r: int, pair: Pair) -> Pair:
        """Return a product state in which members have changed names."""
        if self._symmetry is None or r == 0:
            return pair
        context = self._context_images.get((r, pair.context))
        if context is None:
            ids, views = self._contexts[pair.context]
            renamed = Context(
                tuple(self._symmetry.of(r, i) for i in ids),
                tuple(self._symmetry.of(r, v) for v in views),
            )
            context = self._context_images[r, pair.context] = self._context(renamed)
        locals_ = self._symmetry.locals_of(r, pair.locals_)
        return Pair(locals_, self._symmetry.network_of(r, pair.network), context, pair.crashes)

    # --- alpha -----------------------------------------------------------------------------------

    def alpha(self, pair: Pair) -> int:
        """Return the number of the spec's state that a product state is in, or `UNREACHED`."""
        accounts = tuple([self.moves.nodes.account[i] for i in pair.locals_])
        known = (accounts, pair.context, pair.crashes)
        number = self._alphas.get(known)
        if number is None:
            parts = [self._part(n, i, pair.context) for n, i in enumerate(pair.locals_)]
            found = self.spec.number(self.mapping.joined(parts, pair.crashes))
            number = self._alphas[known] = UNREACHED if found is None else found
        return number

    def _part(self, n: int, number: int, context: int) -> Part:
        nodes = self.moves.nodes
        known = (n, nodes.account[number], context)
        if known not in self._parts:
            ids, views = self._contexts[context]
            self._parts[known] = self.mapping.part(n, nodes.locals[number].account, ids, views)
        return self._parts[known]

    def cells(self, pair: Pair) -> tuple[int, ...]:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        parts = [self._part(n, i, pair.context) for n, i in enumerate(pair.locals_)]
        return self.mapping.joined(parts, pair.crashes)

    # --- what came of it -------------------------------------------------------------------------

    def _diverge(self, pair: Pair, n: int, move: Move, after: Pair) -> None:
        """Record the shortest run to a step that is none of the spec's, with one set of names."""
        at, steps = pair, [(pair, n, move, 0)]
        while (before := self._before[at]) is not None:
            steps.append(before)
            at = before[0]
        pairs, moves, names, last = [], [], 0, 0
        for there, node, done, r in reversed(steps):
            pairs.append(self._renamed(names, there))
            moves.append(self._move_renamed(names, node, done))
            last = names
            if self._symmetry is not None:
                names = self._symmetry.after(self._symmetry.back(r), names)
        self.result.divergence = Divergence(tuple(pairs), tuple(moves), self._renamed(last, after))

    def _move_renamed(self, r: int, n: int, move: Move) -> tuple[int, Move]:
        """Return a move when members have changed names; what comes after it is in the pairs."""
        if self._symmetry is None or r == 0:
            return n, move
        return self._symmetry.orders[r][n], replace(move, inputs=self._symmetry.of(r, move.inputs))

    def _count(self, seconds: float) -> None:
        result, spec = self.result, self.spec
        result.seconds, result.pairs = seconds, len(self._before)
        result.stutter_checks += self.moves.checks
        if self._symmetry is not None:
            spec.cover_images()
        result.states, result.edges = spec.states, spec.edges
        result.edges_covered = spec.edges_covered
        images = self.images()
        for step in spec.uncovered():
            result.uncovered[step.action] += 1
            if step.source in images:
                result.missed[step.action] += 1
        result.edges_possible = sum(spec.degree(s) for s in images)

    def images(self) -> set[int]:
        """Return the states of the spec that the cores can be in."""
        states = {self.alpha(p) for p in self._before}
        return states if self._symmetry is None else self.spec.images(states)
