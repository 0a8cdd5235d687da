"""Infinite runs judged word by word: the formulas of TLA+, written out over a word that repeats.

A second opinion of our own on liveness, which shares neither code nor ideas with the search. A
judge here knows no parts and no components: "again and again" is "always eventually", unfolded.
And the search for a fair run here guesses which strongly fair steps are never possible again.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import networkx as nx

from samebeat_models.results import Trace
from samebeat_spec.language import Instance, Liveness, StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused

Label = tuple[str, Arguments]
At = Callable[[int], bool]


class Word:
    """An infinite run as positions: after the last one comes the first of its loop again."""

    def __init__(self, trace: Trace) -> None:
        assert trace.loop is not None
        assert trace.states[-1] == trace.states[trace.loop]
        self.instance = trace.instance
        self.judge = Interpreter(trace.instance)
        self.states = trace.states
        self.loop = trace.loop

    def after(self, i: int) -> int:
        """The next position; at the last state, which is that of the loop, a run may wait."""
        return i + 1 if i + 1 < len(self.states) else self.loop

    def onward(self, i: int) -> Iterator[int]:
        """This position and all that follow."""
        return iter(range(min(i, self.loop), len(self.states)))

    def always(self, f: At) -> At:
        return lambda i: all(f(j) for j in self.onward(i))

    def eventually(self, f: At) -> At:
        return lambda i: any(f(j) for j in self.onward(i))

    def effect(self, label: Label, i: int) -> StateTuple | None:
        """The state that a step would lead to, None if it is not enabled or changes nothing."""
        action = self.instance.spec.find_action(label[0])
        try:
            found = self.judge.step(action, label[1], self.states[i])
        except (Refused, StateError):
            return None
        return None if found == self.states[i] else found

    def enabled(self, label: Label) -> At:
        return lambda i: self.effect(label, i) is not None

    def taken(self, label: Label) -> At:
        return lambda i: self.effect(label, i) == self.states[self.after(i)]

    def is_fair(self, label: Label, strong: bool) -> bool:
        """WF: always (always enabled implies eventually taken). SF: the same with "again"."""
        can, done = self.enabled(label), self.taken(label)
        if strong:
            often = self.always(self.eventually(can))
            return not often(0) or self.always(self.eventually(done))(0)
        steady = self.always(can)
        return self.always(lambda i: not steady(i) or self.eventually(done)(i))(0)

    def breaks(self, promise: Liveness, arguments: Arguments) -> bool:
        """Whether the run is fair and the promise, for one choice, is not kept."""
        for f in promise.fair:
            for choice in self.instance.fair_choices(f):
                if not self.is_fair((f.action, choice), f.strong):
                    return False
        names = {p.label: x for p, x in zip(promise.parameters, arguments, strict=True)}

        def goal(i: int) -> bool:
            return bool(self.judge.evaluate(promise.goal, names, self.states[i]))

        def due(i: int) -> bool:
            return bool(self.judge.evaluate(promise.given, names, self.states[i]))

        met = self.eventually(goal)
        if promise.kind == "eventually":
            return not met(0)
        return not self.always(lambda i: not due(i) or met(i))(0)

    def is_a_run(self, trace: Trace) -> bool:
        """Whether every step is one of the spec, from an initial state on."""
        good = trace.initial in self.judge.initial_states()
        for before, step in zip(trace.states, trace.steps, strict=False):
            action = self.instance.spec.find_action(step.action)
            good = good and self.judge.step(action, step.arguments, before) == step.state
        return good


def fair_run_exists(
    steps: dict[StateTuple, list[tuple[str, Arguments, StateTuple]]],
    instance: Instance,
    promise: Liveness,
) -> bool:
    """Whether some fair run breaks a promise: try each guess of what is never possible again."""
    kinds: dict[Label, bool] = {}
    for f in promise.fair:
        for x in instance.fair_choices(f):
            kinds[f.action, x] = kinds.get((f.action, x), False) or f.strong
    moves = {s: [((a, x), t) for a, x, t in own if s != t] for s, own in steps.items()}
    judge = Interpreter(instance)
    starts = set(judge.initial_states())
    for choice in instance.choices(promise.parameters):
        names = {p.label: v for p, v in zip(promise.parameters, choice, strict=True)}
        out = {s for s in moves if not judge.evaluate(promise.goal, names, s)}
        due = {s for s in out if judge.evaluate(promise.given, names, s)}
        begin = due & starts if promise.kind == "eventually" else due
        whole = nx.DiGraph()
        whole.add_nodes_from(out)
        whole.add_edges_from((s, t) for s in out for _, t in moves[s] if t in out)
        late = begin.union(*(nx.descendants(whole, s) for s in begin))
        if _stays_fair(whole.subgraph(late), moves, kinds):
            return True
    return False


def _stays_fair(
    graph: nx.DiGraph,
    moves: dict[StateTuple, list[tuple[Label, StateTuple]]],
    kinds: dict[Label, bool],
) -> bool:
    offers = {s: {label for label, _ in moves[s]} for s in graph}
    somewhere = set().union(*offers.values())
    strong = sorted(label for label in somewhere if kinds.get(label))
    for never in _subsets(strong):
        rest = graph.subgraph(s for s in graph if not offers[s] & set(never))
        for part in nx.strongly_connected_components(rest):
            taken = {label for s in part for label, t in moves[s] if t in part}
            if all(
                label in taken or label in never or label not in somewhere
                if is_strong
                else label in taken or any(label not in offers[s] for s in part)
                for label, is_strong in kinds.items()
            ):
                return True
    return False


def _subsets(labels: Sequence[Label]) -> Iterator[tuple[Label, ...]]:
    for size in range(len(labels) + 1):
        yield from combinations(labels, size)
