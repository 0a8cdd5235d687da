"""What tests share: the example protocols of tests/specs, and an oracle that counts by hand.

The examples are files as users write them. A test with an argument ``example`` runs on each of
their models (small enough for the oracle), one with ``right_example`` on those that are no negative
control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import networkx as nx
import pytest

from samebeat_cli.loader import load_file
from samebeat_models import Model, Tier
from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import Instance, Spec
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

hypothesis.settings.register_profile(
    "samebeat",
    derandomize=True,  # a test that fails for one fails for all
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("samebeat")

_FOLDER = Path(__file__).parent / "specs"

Step = tuple[str, Arguments, StateTuple]


@dataclass(frozen=True)
class Example:
    """A model of an example protocol."""

    model: Model
    spec: Spec
    instance: Instance


@dataclass
class Oracle:
    """What the interpreter says: every reachable state, its depth, and every step from it.

    With ``up_to``, only states of less depth are expanded.
    """

    instance: Instance
    up_to: int | None = None
    depths: dict[StateTuple, int] = field(default_factory=dict)
    steps: dict[StateTuple, list[Step]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.instance)
        frontier = self.interpreter.initial_states()
        self.depths.update(dict.fromkeys(frontier, 0))
        depth = 0
        while frontier and (self.up_to is None or depth < self.up_to):
            depth += 1
            found: dict[StateTuple, None] = {}
            for state in frontier:
                own = [(a.name, x, t) for a, x, t in self.interpreter.successors(state)]
                self.steps[state] = own
                found.update((t, None) for _, _, t in own if t not in self.depths)
            self.depths.update(dict.fromkeys(found, depth))
            frontier = list(found)

    @property
    def depth(self) -> int:
        """The depth of the farthest state."""
        return max(self.depths.values())

    @property
    def transitions(self) -> int:
        """How many enabled steps there are, stuttering ones included."""
        return sum(map(len, self.steps.values()))

    @property
    def action_counts(self) -> dict[str, int]:
        """How many enabled steps each action has."""
        counted = Counter(name for own in self.steps.values() for name, _, _ in own)
        return {a.name: counted[a.name] for a in self.instance.spec.actions}

    def graph(self) -> nx.DiGraph:
        """Return the state graph."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.depths)
        graph.add_edges_from((s, t) for s, own in self.steps.items() for _, _, t in own)
        return graph

    def stuck(self) -> list[StateTuple]:
        """Return the states without a step that changes something."""
        return [s for s, own in self.steps.items() if all(t == s for _, _, t in own)]

    def terminals(self) -> dict[str, int]:
        """Return how many stuck states each terminal property names."""
        judge = self.interpreter
        kinds = self.instance.spec.of_kind("terminal")
        return {p.name: sum(judge.holds(p, s) for s in self.stuck()) for p in kinds}

    def least_depths(self) -> dict[str, int]:
        """Return for each property that is violated somewhere, the least depth of that."""
        found: dict[str, int] = {}
        for name, depth in self._violations():
            found[name] = min(depth, found.get(name, depth))
        return found

    def _violations(self) -> Iterator[tuple[str, int]]:
        spec, judge = self.instance.spec, self.interpreter
        for p in spec.of_kind("invariant"):
            yield from ((p.name, d) for s, d in self.depths.items() if not judge.holds(p, s))
        for p in spec.of_kind("step"):
            for s, own in self.steps.items():
                if not all(judge.holds(p, s, t) for _, _, t in own):
                    yield p.name, self.depths[s] + 1
        terminal = spec.of_kind("terminal")
        for s in self.stuck():
            if not any(judge.holds(p, s) for p in terminal):
                yield DEADLOCK_FREE, self.depths[s]
        if self.up_to is None:
            yield from self._unreachable_goals()

    def _unreachable_goals(self) -> Iterator[tuple[str, int]]:
        backwards = self.graph().reverse()
        for p in self.instance.spec.of_kind("always_reachable"):
            goals = {s for s in self.depths if self.interpreter.holds(p, s)}
            backwards.add_edges_from((p.name, s) for s in goals)
            able = nx.descendants(backwards, p.name) if goals else set()
            yield from ((p.name, d) for s, d in self.depths.items() if s not in able)


@cache
def _examples() -> tuple[Example, ...]:
    found = []
    for path in sorted(_FOLDER.glob("*.py")):
        models, specs = load_file(path)
        found += [Example(m, specs[m.spec], m.instance(specs[m.spec])) for m in models]
    return tuple(found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with an argument ``example`` or ``right_example`` on each of them."""
    for name in ("example", "right_example"):
        if name in metafunc.fixturenames:
            small = (e for e in _examples() if e.model.tier is not Tier.NIGHTLY)
            chosen = [e for e in small if name == "example" or not e.model.is_control]
            metafunc.parametrize(name, [_parameter(e) for e in chosen])


def _parameter(example: Example) -> Any:
    marks = () if example.model.tier is Tier.FAST else pytest.mark.slow
    return pytest.param(example, id=example.model.name, marks=marks)


@pytest.fixture(scope="session")
def named_example() -> Callable[[str], Example]:
    """Return the example model of a name."""
    return lambda name: next(e for e in _examples() if e.model.name == name)


@pytest.fixture(scope="session")
def oracle() -> Callable[..., Oracle]:
    """Return what the interpreter says about an instance; each is computed once."""
    known: dict[tuple[str, ...], Oracle] = {}

    def look(instance: Instance, up_to: int | None = None) -> Oracle:
        values = (instance.sizes, instance.constants, up_to)
        key = (instance.spec.fingerprint, *map(str, values))
        if key not in known:
            known[key] = Oracle(instance, up_to)
        return known[key]

    return look


@pytest.fixture(scope="session")
def group() -> Callable[[int, int], Instance]:
    """Return the group change with so many members and changes."""

    def make(members: int, changes: int) -> Instance:
        size = changes + 1
        return Instance(
            f"group-{members}x{changes}",
            load_spec("group"),
            {"Node": members, "Change": changes, "Epoch": size, "Value": size},
            {"start_value": "v1", "asked": {f"c{i}": f"v{i + 1}" for i in range(1, size)}},
        )

    return make


@pytest.fixture(scope="session")
def oracle_class() -> type[Oracle]:
    """Return the oracle itself, for instances that are made up on the way."""
    return Oracle
