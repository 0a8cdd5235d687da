"""How a cluster of cores is read as a state of the spec `cluster` (alpha).

A change of the spec is named by the id that it got when it was asked for, a view by its view id, a
value by a heartbeat interval. Which spec change and which spec view an id stands for is given with
each state: `ids` and `views`. View ids are ordered, and so must `views` be.

What a single node contributes is in its `Account`. So who has the nodes' accounts has the state::

    mapping.state(accounts, ids, views, crashes)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from samebeat.config import Config, Transport
from samebeat.ids import ChangeId, View, ViewId
from samebeat.parameters import Settings
from samebeat_conformance.account import Account
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter

_SECOND_MS = 1_000

MAPPED = frozenset(
    ("requested", "base", "home", "sent", "vote", "proposed", "members", "reported", "said")
) | {"phase", "value", "pre_image", "epoch", "view", "up", "crashes", "quarantined", "running"}
MAPPED |= {"late"}
"""The variables of the spec that alpha reads off the implementation."""
CONSTANT_HERE = frozenset({"forgetful"})
"""Nobody is: a core whose journal is lost does not start, so it never forgets a promise."""

Part: TypeAlias = tuple[tuple[int, int], ...]
"""Cells of a state, and what is in them."""
Ids: TypeAlias = Sequence[ChangeId | None]
"""For each change of the spec the id that it has got; None: nobody has asked for it."""
Views: TypeAlias = Sequence[ViewId | None]
"""For each view of the spec the view id that it has got; None: nobody has proposed it."""


class Unmapped(Exception):  # noqa: N818  (`except Unmapped` is the sentence)
    """The cluster has a view that stands for none of the spec: the instance is too small."""


class Mapping:
    """Reads clusters of cores as states of one instance."""

    elsewhere: frozenset[str] = frozenset()
    """The variables that a spec which extends `cluster` has beside its own, read elsewhere."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        names = tuple(v.name for v in instance.spec.variables)
        unmapped = set(names) - MAPPED - CONSTANT_HERE - self.elsewhere
        assert not unmapped, f"alpha is total: {sorted(unmapped)} have no place in the mapping"
        assert not instance.constant_values["may_lose_journal"][()], "no core loses its journal"
        (self.start,) = Interpreter(instance).initial_states()
        sorts = {s.__name__: s for s in instance.spec.sorts}
        self.nodes = [instance.label(sorts["Node"], n) for n in instance.domain(sorts["Node"])]
        self.changes = list(instance.domain(sorts["Change"]))
        self.views = len(instance.domain(sorts["View"]))
        asked = instance.constant_values["asked"]
        self.asked = {c: self.settings(asked[c,]) for c in self.changes}
        self.start_settings = self.settings(instance.constant_values["start_value"][()])
        self._places = instance.cell_index
        self._elements = {
            v: {
                instance.value_label(place, x): x
                for place in places.values()
                for x in instance.cells[place].values
            }
            for v, places in self._places.items()
        }
        message, quorum = sorts["Message"], sorts["Quorum"]
        kinds = [instance.label(message, k) for k in instance.domain(message)]
        self._kind = {label: i for i, label in enumerate(kinds)}
        members = instance.constant_values["in_quorum"]
        self.quorums = {
            tuple(name for n, name in enumerate(self.nodes) if members[q, n]): q
            for q in instance.domain(quorum)
        }
        """the quorum of the spec that has these members"""
        self.members = {q: names for names, q in self.quorums.items()}

    # --- what stands for what --------------------------------------------------------------------

    @staticmethod
    def settings(value: int) -> Settings:
        """Return the settings that stand for a value."""
        return Settings(heartbeat_interval=_SECOND_MS * (value + 1))

    @staticmethod
    def value(settings: Settings) -> int:
        """Return the value that settings stand for."""
        return settings.heartbeat_interval // _SECOND_MS - 1

    def config(self, name: str) -> Config:
        """Return the configuration of a node."""
        return Config(
            "test",
            name,
            tuple(self.nodes),
            start=self.start_settings,
            transport=Transport.DATAGRAMS,
        )

    def first_views(self) -> tuple[ViewId | None, ...]:
        """Return what stands for the views at the start."""
        first = self.config(self.nodes[0]).first_view.id
        return (first, *(None for _ in range(self.views - 1)))

    def spread_views(self) -> tuple[ViewId, ...]:
        """Return view ids in order, as many as the instance has views: for each number all nodes.

        With these no id ever has to be given a place: use it where View is large.
        """
        first = self.config(self.nodes[0]).first_view.id
        numbers = range(1, 2 + self.views // len(self.nodes))
        every = (first, *(ViewId(i, name) for i in numbers for name in self.nodes))
        return every[: self.views]

    # --- alpha -----------------------------------------------------------------------------------

    def state(
        self, accounts: Sequence[Account], ids: Ids, views: Views, crashes: int = 0
    ) -> StateTuple:
        """Return the state of the spec that a cluster is in, from its nodes' accounts, in order.

        Raises:
            Unmapped: a view has been proposed that is not in `views`.
        """
        parts = (self.part(n, account, ids, views) for n, account in enumerate(accounts))
        return self.joined(parts, crashes)

    def joined(self, parts: Iterable[Part], crashes: int) -> StateTuple:
        """Return the state of the spec that a cluster of cores is in, from what each says of it."""
        state = list(self.start)
        state[self._places["crashes"][()]] = crashes
        for part in parts:
            for cell, value in part:
                state[cell] = value
        return tuple(state)

    def part(self, n: int, a: Account, ids: Ids, views: Views) -> Part:
        """Return the cells that one node says something of, with their values.

        Raises:
            Unmapped: it has reported to a view that is not in `views`.
        """
        place = {view: v for v, view in enumerate(views) if view is not None}
        cells: list[tuple[int, int]] = [
            (self._places["value"][n,], self.value(a.value)),
            (self._places["pre_image"][n,], self.value(a.pre_image)),
            self._cell("epoch", (n,), str(a.epoch)),
            self._cell("view", (n,), str(self._view(place, a.view))),
            self._cell("up", (n,), _truth(a.up)),
            self._cell("quarantined", (n,), _truth(a.out)),
            self._cell("late", (n,), _truth(a.late)),
        ]
        of = {change: c for c, change in enumerate(ids) if change is not None}
        for change, phase in a.phases:
            if change in of:
                cells.append(self._cell("phase", (n, of[change]), phase))
        for kind, change in a.sent:
            if change in of:
                cells.append(self._cell("sent", (n, of[change], self._kind[kind]), "true"))
        for change, view, commit in a.votes:
            at = (n, of[change], self._view(place, view))
            cells.append(self._cell("vote", at, "COMMIT" if commit else "UNDO"))
        for change, home in a.requests:
            cells.append(self._cell("requested", (of[change],), "true"))
            cells.append(self._cell("base", (of[change],), str(change.base)))
            cells.append(self._cell("home", (of[change],), str(self._view(place, home.id))))
        if a.running is not None:
            cells.append(self._cell("running", (n, of[a.running]), "true"))
        for reported, labels in a.reports:
            cells += self._report(n, reported, labels, of, place)
        return tuple(cells)

    def _report(
        self,
        n: int,
        reported: View,
        labels: Iterable[tuple[ChangeId, str]],
        of: dict[ChangeId, int],
        place: dict[ViewId, int],
    ) -> Iterable[tuple[int, int]]:
        v = self._view(place, reported.id)
        yield self._cell("reported", (n, v), "true")
        yield self._cell("proposed", (v,), "true")
        yield self._places["members"][v,], self.quorums[reported.members]
        for change, label in labels:
            yield self._cell("said", (n, v, of[change]), label)

    @staticmethod
    def _view(place: dict[ViewId, int], view: ViewId) -> int:
        if view not in place:
            raise Unmapped(f"view {view.number} of {view.proposer}")
        return place[view]

    def _cell(self, variable: str, place: Arguments, label: str) -> tuple[int, int]:
        return self._places[variable][place], self._elements[variable][label]


def _truth(holds: bool) -> str:
    return "true" if holds else "false"
