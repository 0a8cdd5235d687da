"""Specs made at random: the explorer says what the interpreter says, whatever the spec.

Each is written through the language as a user would: the bodies of its actions draw their guards
and assignments while they run.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebeat_models.explorer import explore, layout
from samebeat_models.explorer import machine as explorer_machine
from samebeat_models.explorer import search as explorer_search
from samebeat_models.explorer.machine import build_machine
from samebeat_models.explorer.search import Search, Settings
from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import (
    Enumeration,
    Fair,
    Formula,
    Instance,
    Integer,
    Ordered,
    Sort,
    State,
    StateError,
    action,
    always_reachable,
    anything,
    count,
    element,
    eventually,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    leads_to,
    one_of,
    only,
    relation,
    spec_of,
    step_property,
    variable,
    witness,
)
from samebeat_spec.language.spec import Spec

Draw = Callable[[st.SearchStrategy[Any]], Any]
Scope = list[Any]
"""Names in reach: parameters and bound variables of the sort Node."""


class Node(Sort, symmetric=True):
    """Two of them."""


class Colour(Enumeration):
    RED = element()
    BLUE = element()


class Level(Integer, low=0, high=2):
    """A small number."""


class Hour(Ordered):
    """Two of them."""


def fresh_state() -> type[State]:
    class Random(State):
        """Something of everything."""

        edge = relation(Node, Node, constant=True)
        weight = function(Node, to=Level, constant=True)
        member = relation(Node)
        leader = function(Node, to=Node)
        colour = function(Node, to=Colour)
        by_colour = relation(Colour)
        level = variable(Level)
        hour = variable(Hour)
        done = flag()

    return Random


SIZES = {"Node": 2, "Hour": 2}
CONSTANTS = {"edge": [["n1", "n2"]], "weight": {"n1": 1, "n2": 2}}
ALIKE = {"edge": [["n1", "n2"], ["n2", "n1"]], "weight": {"n1": 1, "n2": 1}}


class Maker:
    """Draws formulas and terms over one or two states."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def pick(self, options: list[Any]) -> Any:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def node(self, s: Any, scope: Scope) -> Any:
        name = self.pick(scope)
        kind = self.pick(["name", "name", "leader", "twice", "ite"])
        if kind == "ite":
            return ite(s.member[name], s.leader[name], name)
        for _ in range({"name": 0, "leader": 1, "twice": 2}[kind]):
            name = s.leader[name]
        return name

    def level(self, s: Any, scope: Scope) -> Any:
        options: list[Callable[[], Any]] = [
            lambda: s.level,
            lambda: s.level + 1,
            lambda: s.level - s.weight[self.node(s, scope)],
            lambda: s.weight[self.node(s, scope)],
            lambda: ite(s.done, s.level, self.pick([0, 1, 2])),
            lambda: count(Node, lambda m: self.formula(s, [*scope, m], 1)),
        ]
        return self.pick(options)()

    def atom(self, s: Any, scope: Scope) -> Formula:
        options: list[Callable[[], Any]] = [
            lambda: s.done,
            lambda: s.member[self.node(s, scope)],
            lambda: s.edge[self.node(s, scope), self.node(s, scope)],
            lambda: self.node(s, scope) == self.node(s, scope),
            lambda: s.colour[self.node(s, scope)] == Colour.BLUE,
            lambda: s.by_colour[s.colour[self.node(s, scope)]],
            lambda: one_of(s.colour[self.pick(scope)], Colour.RED, Colour.BLUE),
            lambda: self.level(s, scope) < self.level(s, scope),
            lambda: self.level(s, scope) >= 1,
            lambda: following(s.hour) <= s.hour,
            lambda: s.hour == self.pick([Hour.first, following(Hour.first), following(s.hour)]),
        ]
        formula: Formula = self.pick(options)()
        return formula

    def formula(self, s: Any, scope: Scope, depth: int = 2) -> Formula:
        if depth == 0:
            return self.atom(s, scope)

        def below(more: Scope | None = None) -> Formula:
            return self.formula(s, more or scope, depth - 1)

        options: list[Callable[[], Formula]] = [
            lambda: self.atom(s, scope),
            lambda: ~below(),
            lambda: below() & below(),
            lambda: below() | below(),
            lambda: implies(below(), below()),
            lambda: below() == below(),
            lambda: forall(Node, lambda n: below([*scope, n])),
            lambda: exists(Node, Node, lambda n, m: below([*scope, n, m])),
        ]
        formula: Formula = self.pick(options)()
        return formula

    def closed(self, s: Any) -> Formula:
        quantify = self.pick([forall, exists])
        formula: Formula = quantify(Node, lambda n: self.formula(s, [n]))
        return formula

    # --- effects ---------------------------------------------------------------------------

    def effects(self, s: Any, scope: Scope) -> None:
        """Assign to some of the variables, values computed before anything is assigned."""
        kinds = ["member", "members", "leader", "colour", "by_colour", "level", "hour", "done"]
        chosen = self.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True))
        effects = [getattr(self, f"set_{kind}")(s, scope) for kind in chosen]
        if {"member", "members"} <= set(chosen):
            effects.pop(chosen.index("member"))
        for effect in effects:
            effect()

    def set_member(self, s: Any, scope: Scope) -> Callable[[], None]:
        places = [scope[0], s.leader[scope[0]]]
        values = [self.formula(s, scope, 1), self.formula(s, scope, 1)]
        both = self.pick([True, False, False])

        def effect() -> None:
            s.member[places[0]] = values[0]
            if both:
                s.member[places[1]] = values[1]

        return effect

    def set_members(self, s: Any, scope: Scope) -> Callable[[], None]:
        def effect() -> None:
            s.member[every] = lambda m: self.simple(s, [*scope, m])

        return effect

    def simple(self, s: Any, scope: Scope) -> Formula:
        first, *_, last = scope
        formula: Formula = self.pick([s.edge[first, last], first == last, first != last])
        return formula

    def set_leader(self, s: Any, scope: Scope) -> Callable[[], None]:
        place, value = self.node(s, scope), self.node(s, scope)
        return lambda: s.leader.__setitem__(place, value)

    def set_colour(self, s: Any, scope: Scope) -> Callable[[], None]:
        place, value = self.node(s, scope), s.colour[self.node(s, scope)]
        value = self.pick([value, Colour.BLUE, ite(self.atom(s, scope), Colour.RED, value)])
        return lambda: s.colour.__setitem__(place, value)

    def set_by_colour(self, s: Any, scope: Scope) -> Callable[[], None]:
        place, value = s.colour[self.node(s, scope)], self.atom(s, scope)
        return lambda: s.by_colour.__setitem__(place, value)

    def set_level(self, s: Any, scope: Scope) -> Callable[[], None]:
        value = self.level(s, scope)
        return lambda: setattr(s, "level", value)

    def set_hour(self, s: Any, scope: Scope) -> Callable[[], None]:
        value = self.pick([Hour.first, following(Hour.first), following(s.hour)])
        return lambda: setattr(s, "hour", value)

    def set_done(self, s: Any, scope: Scope) -> Callable[[], None]:
        value = self.formula(s, scope, 1)
        return lambda: setattr(s, "done", value)


def define(decorator: Any, body: Any, name: str, *sorts: Any) -> None:
    """Define something as a decorated function of that name would."""
    labels = body.__code__.co_varnames[: body.__code__.co_argcount]
    body.__name__, body.__doc__ = name, "At random."
    body.__annotations__ = dict(zip(labels, sorts, strict=True))
    decorator(body)


@st.composite
def specs(draw: Draw, promises: bool = False) -> Spec:
    """Draw a spec with one to three actions and a property of each kind.

    Also ``promises`` about infinite runs are drawn if they are asked for.
    """
    state, make = fresh_state(), Maker(draw)

    def start(s: Any, n: Any) -> None:
        guard(make.draw(st.booleans()) | s.edge[n, n] | s.edge[n, n], "sometimes")
        s.leader[every] = make.pick([n, lambda m: m, anything])
        s.colour[n] = make.pick([Colour.BLUE, anything])

    def start_plainly(s: Any) -> None:
        s.level = make.pick([0, 1])

    def act(s: Any, n: Any, m: Any) -> None:
        guard(make.pick([True, s.edge[n, m], make.formula(s, [n, m])]), "at random")
        make.effects(s, [n, m])

    define(initial, start, "start", state, Node)
    define(initial, start_plainly, "start_plainly", state)
    for i in range(draw(st.integers(1, 3))):
        define(action(), act, f"act{i}", state, Node, Node)

    def lasting(s: Any, t: Any) -> Formula:
        return implies(make.closed(s), make.closed(t))

    define(invariant(), lambda s: make.closed(s) | make.closed(s), "safe", state)
    define(step_property(), lasting, "lasting", state, state)
    define(always_reachable(), lambda s: make.closed(s), "near", state)
    define(witness(), lambda s: make.closed(s), "seen", state)
    if promises:
        names = [a.name for a in spec_of(state).actions]
        kinds = {name: make.pick(["", "weak", "weak", "strong", "strong"]) for name in names}
        strong = [name for name in names if kinds[name] == "strong"]
        weak: list[str | Fair] = [name for name in names if kinds[name] == "weak"]
        if weak and make.pick([True, False]):
            weak = [only(f, n="n1") for f in weak if isinstance(f, str)]

        def leads(s: Any, n: Any) -> tuple[Formula, Formula]:
            return make.formula(s, [n]), make.formula(s, [n])

        define(leads_to(weak=weak, strong=strong), leads, "comes_after", state, Node)
        define(eventually(weak=weak, strong=strong), lambda s: make.closed(s), "comes", state)
    return spec_of(state)


def assert_agreement(spec: Spec, oracle_of: Any, constants: dict[str, Any]) -> None:
    """Hold the explorer against the interpreter on one spec."""
    bare = Instance("random", replace(spec, properties=()), SIZES, constants)
    try:
        truth = oracle_of(bare)
    except StateError:
        with pytest.raises(StateError):
            explore(bare, deadlocks=False)
        with pytest.raises(StateError):
            explore(bare, deadlocks=False, symmetry=True)
        return
    machine = build_machine(bare, symmetry=False)
    search = Search(machine, Settings(deadlocks=False))
    outcome = search.run()
    found = {
        machine.unpack(level, i): depth
        for depth, level in enumerate(search.store.levels)
        for i in range(level.shape[1])
    }
    assert found == truth.depths
    assert outcome.action_counts == truth.action_counts
    assert_same_verdicts(Instance("random", spec, SIZES, constants), oracle_of)


def assert_same_verdicts(instance: Instance, oracle_of: Any) -> None:
    truth = oracle_of(instance)
    wrong = {p: d for p, d in truth.least_depths().items() if p != DEADLOCK_FREE}
    safety = {p: d for p, d in wrong.items() if p in ("safe", "lasting")}
    nearest = {p: d for p, d in safety.items() if d == min(safety.values())}
    for symmetry in (False, True):
        outcome = explore(instance, deadlocks=False, symmetry=symmetry)
        assert {f.property: f.depth for f in outcome.violated()} == (nearest or wrong)
        for finding in outcome.violated():
            assert finding.trace is not None
            assert len(finding.trace.steps) == finding.depth
        if not safety:
            seen = instance.spec.find_property("seen")
            depths = [d for s, d in truth.depths.items() if truth.interpreter.holds(seen, s)]
            (shown,) = (f.depth for f in outcome.findings if f.kind == "witness")
            assert shown == min(depths, default=None)


RANDOM = settings(suppress_health_check=list(HealthCheck), max_examples=4)


@RANDOM
@given(spec=specs(), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_some_specs_made_at_random_mean_the_same_to_both(spec, constants, oracle_class):
    assert_agreement(spec, oracle_class, constants)


@pytest.mark.slow
@settings(RANDOM, max_examples=500)
@given(spec=specs(), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_many_specs_made_at_random_mean_the_same_to_both(spec, constants, oracle_class):
    assert_agreement(spec, oracle_class, constants)


@pytest.mark.slow
@settings(RANDOM, max_examples=300)
@given(spec=specs(), constants=st.sampled_from([CONSTANTS, ALIKE]))
def test_specs_made_at_random_mean_the_same_with_fewer_bits_learned_from_tiny_samples(
    spec, constants, oracle_class
):
    """Words of 6 bits and samples of one successor: economy is tried, and often mistaken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "WORD_BITS", 6)
        patch.setattr(explorer_machine, "_SAMPLE_WIDTH", 1)
        patch.setattr(explorer_search, "_SMALL", 0)
        assert_agreement(spec, oracle_class, constants)
