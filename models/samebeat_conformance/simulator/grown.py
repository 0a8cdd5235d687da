"""An instance of the spec that is as large as a run has become, and its steps of one node.

A run has as many changes, views, values and crashes as it has. So the instance is made anew when
one comes that it has no place for: what was is then read again, with the new names. Of the quorums
it has the smallest ones, and those that are the members of some view: if a larger one has voted, a
smaller one has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product

from samebeat.ids import ChangeId, ViewId, is_quorum
from samebeat.parameters import Settings
from samebeat_conformance.account import Account
from samebeat_conformance.instances import everything_may_happen
from samebeat_conformance.mapping import Mapping
from samebeat_spec.language import Instance, StateError
from samebeat_spec.language.definitions import Action
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

MOST_AT_ONCE = 9
"""The most spec steps that a core takes on one input."""
_SPARE_CRASHES = 8


@dataclass(frozen=True)
class Facts:
    """What is known of a cluster: an account of each node, and what changes ask for."""

    names: tuple[str, ...]
    start: Settings
    accounts: dict[str, Account] = field(default_factory=dict)
    asked: dict[ChangeId, Settings] = field(default_factory=dict)
    crashes: int = 0

    def grown(self, node: str, account: Account, crashes: int) -> Facts:
        """Return it with another account of one node."""
        accounts = {**self.accounts, node: account}
        return replace(self, accounts=accounts, crashes=self.crashes + crashes)

    @property
    def changes(self) -> tuple[ChangeId, ...]:
        """The changes that are requested, in order."""
        found = {c for a in self.accounts.values() for c, _ in a.requests}
        return tuple(c for c in self.asked if c in found)

    @property
    def views(self) -> tuple[ViewId, ...]:
        """The views that somebody has reported to, in order."""
        return tuple(sorted({v.id for a in self.accounts.values() for v, _ in a.reports}))

    @property
    def values(self) -> tuple[Settings, ...]:
        """The settings that are, or may be, in effect; the first ones first."""
        held = [s for a in self.accounts.values() for s in (a.value, a.pre_image)]
        return tuple(dict.fromkeys((self.start, *self.asked.values(), *held)))

    @property
    def members(self) -> frozenset[tuple[str, ...]]:
        """The members of all views."""
        return frozenset(v.members for a in self.accounts.values() for v, _ in a.reports)


class _Mapping(Mapping):
    """Reads clusters whose nodes have names of their own, and whose settings are any."""

    def __init__(
        self, instance: Instance, names: tuple[str, ...], values: tuple[Settings, ...]
    ) -> None:
        self._values = values
        self._numbers = {s: i for i, s in enumerate(values)}
        super().__init__(instance)
        label = dict(zip(self.nodes, names, strict=True))
        self.nodes = list(names)
        self.quorums = {tuple(label[n] for n in members): q for members, q in self.quorums.items()}

    def settings(self, value: int) -> Settings:  # type: ignore[override]
        """Return the settings that stand for a value."""
        return self._values[value]

    def value(self, settings: Settings) -> int:  # type: ignore[override]
        """Return the value that settings stand for."""
        return self._numbers[settings]


class Grown:
    """The instance for some facts, and the paths in it."""

    def __init__(self, facts: Facts) -> None:
        self._changes, self._views, self._values = facts.changes, facts.views, facts.values
        self._quorums = _quorums(facts)
        self._most_crashes = facts.crashes + _SPARE_CRASHES
        self.instance = self._instance(facts)
        self.mapping = _Mapping(self.instance, facts.names, self._values)
        self._judge = Interpreter(self.instance)
        self._sorts = {s.__name__: s for s in self.instance.spec.sorts}

    def has_room(self, facts: Facts) -> bool:
        """Return whether everything in the facts has a place here."""
        return (
            facts.changes == self._changes
            and facts.views == self._views
            and set(facts.values) <= set(self._values)
            and facts.members <= set(self._quorums)
            and facts.crashes <= self._most_crashes
        )

    def _instance(self, facts: Facts) -> Instance:
        names = facts.names
        node = {n: f"n{i + 1}" for i, n in enumerate(names)}
        count = max(1, len(self._changes))
        value = {s: f"v{i + 1}" for i, s in enumerate(self._values)}
        asked = [value[facts.asked[c]] for c in self._changes] or ["v1"]
        sizes = {
            "Node": len(names),
            "Change": count,
            "Epoch": count + 1,
            "Value": len(self._values),
            "Quorum": len(self._quorums),
            "View": len(self._views),
            "Crash": self._most_crashes + 1,
        }
        constants = {
            **everything_may_happen(),
            "asked": {f"c{i + 1}": v for i, v in enumerate(asked)},
            "start_value": "v1",
            "in_quorum": [f"q{i + 1},{node[n]}" for i, of in enumerate(self._quorums) for n in of],
            "everyone": f"q{self._quorums.index(names) + 1}",
        }
        return Instance("run", load_spec("cluster"), sizes, constants)

    def state(self, facts: Facts) -> StateTuple:
        """Return the state of the spec that the facts are."""
        accounts = [facts.accounts.get(n) for n in facts.names]
        known = [a for a in accounts if a is not None]
        assert len(known) == len(accounts), "all nodes have started"
        ids = self._changes or (None,)
        return self.mapping.state(known, ids, self._views, facts.crashes)

    def changes(self, before: Facts, after: Facts) -> list[str]:
        """Return in words which cells differ."""
        here, there = self.state(before), self.state(after)
        return [
            f"{self.instance.cell_label(i)}: {self.instance.value_label(i, a)} -> "
            f"{self.instance.value_label(i, b)}"
            for i, (a, b) in enumerate(zip(here, there, strict=True))
            if a != b
        ]

    def path(self, before: Facts, after: Facts, node: int) -> list[str] | None:
        """Return the actions of a node that lead from one state to another; None: none do."""
        here, there = self.state(before), self.state(after)
        differ = frozenset(i for i, (a, b) in enumerate(zip(here, there, strict=True)) if a != b)
        candidates = list(self._candidates(differ, there, node))
        known: dict[StateTuple, tuple[StateTuple, str] | None] = {here: None}
        layer = [here]
        for _ in range(MOST_AT_ONCE + 1):
            if there in known:
                return _back(known, there)
            following = []
            for state in layer:
                for action, arguments in candidates:
                    reached = self._effect(action, arguments, state)
                    if reached is None or reached in known:
                        continue
                    if not all(i in differ for i in _changed(state, reached)):
                        continue
                    if self._is_enabled(action, arguments, state):
                        known[reached] = (state, action.name)
                        following.append(reached)
            layer = following
        return None

    def _effect(self, action: Action, arguments: Arguments, state: StateTuple) -> StateTuple | None:
        """Return where an action leads, enabled or not: most lead elsewhere, and guards take long.

        None: it leads to no state at all.
        """
        try:
            return self._judge.step(replace(action, guards=()), arguments, state)
        except StateError:
            return None

    def _is_enabled(self, action: Action, arguments: Arguments, state: StateTuple) -> bool:
        names = {p.label: x for p, x in zip(action.parameters, arguments, strict=True)}
        try:
            return all(self._judge.evaluate(g.condition, names, state) for g in action.guards)
        except StateError:
            return False

    def _candidates(
        self, differ: frozenset[int], there: StateTuple, node: int
    ) -> Iterator[tuple[Action, Arguments]]:
        """Yield the steps of a node that are about the changes and views in what differs."""
        about: dict[str, set[int]] = {"Change": set(), "View": set()}
        for i in differ:
            cell = self.instance.cells[i]
            for sort, x in zip(cell.variable.arguments, cell.arguments, strict=True):
                if sort is not None and sort.__name__ in about:
                    about[sort.__name__].add(x)
            if cell.variable.to is not None and cell.variable.to.__name__ == "View":
                about["View"].add(there[i])
        members = self.instance.cell_index["members"]
        choices = {
            "Node": [node],
            "Change": sorted(about["Change"]),
            "View": sorted(about["View"]),
            "Quorum": sorted({there[members[v,]] for v in about["View"]}),
            "Crash": [there[self.instance.cell_index["crashes"][()]]],
        }
        for action in self.instance.spec.actions:
            sorts = [p.sort for p in action.parameters]
            options = [choices[s.__name__] for s in sorts if s is not None]
            for arguments in product(*options):
                yield action, arguments


def _changed(here: StateTuple, there: StateTuple) -> list[int]:
    return [i for i, (a, b) in enumerate(zip(here, there, strict=True)) if a != b]


def _back(known: dict[StateTuple, tuple[StateTuple, str] | None], there: StateTuple) -> list[str]:
    names: list[str] = []
    at = known[there]
    while at is not None:
        names.append(at[1])
        at = known[at[0]]
    return names[::-1]


def _quorums(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Return the smallest quorums, those that are the members of a view, and everybody."""
    names = facts.names
    least = next(k for k in range(1, len(names) + 1) if is_quorum(names[:k], names))
    return tuple(sorted({*combinations(names, least), *facts.members, names}))
