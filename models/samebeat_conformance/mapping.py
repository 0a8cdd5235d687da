"""How a cluster of cores is read as a state of the spec `cluster` (alpha), without view changes.

A change of the spec is named by the id that it got when it was asked for, a value by a heartbeat
interval. What one node is about to send counts as sent, except for an ok: the spec has a step
between the apply and its ok, as the implementation has between the journal and the datagram. Once
the node has gone on, an ok that has not left counts, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from samebeat.codec import decode
from samebeat.config import Config, Transport
from samebeat.effects import Outcome
from samebeat.ids import ChangeId
from samebeat.journal import Phase
from samebeat.messages import Ack, AnyBody, Closed, Failure, Ok, Request, Vote
from samebeat.parameters import Settings
from samebeat_conformance.concrete import Datagram, Local, is_unsaid
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter

_PHASES = {Phase.RECEIVED: "RECEIVED", Phase.ACKED: "ACKED", Phase.APPLIED: "APPLIED"}
_SECOND_MS = 1_000

READ = frozenset(
    ("requested", "base", "home", "sent", "vote", "phase", "value", "pre_image", "epoch", "view")
) | {"up", "crashes"}
"""The variables of the spec that alpha reads off the implementation."""
CONSTANT_HERE = frozenset(
    ("proposed", "members", "reported", "said", "quarantined", "forgetful")
) | {"running", "late"}
"""Those that no step changes where there are neither views nor operations that hang."""


Part: TypeAlias = tuple[tuple[int, int], ...]
"""Cells of a state, and what is in them."""


@dataclass(frozen=True)
class Said:
    """What one node has said, or is about to say, as far as the spec knows it."""

    sent: frozenset[tuple[str, ChangeId]]
    votes: frozenset[tuple[ChangeId, bool]]
    requests: frozenset[ChangeId]


class Mapping:
    """Reads clusters of cores as states of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        names = tuple(v.name for v in instance.spec.variables)
        unmapped = set(names) - READ - CONSTANT_HERE
        assert not unmapped, f"alpha is total: {sorted(unmapped)} have no place in the mapping"
        (self.start,) = Interpreter(instance).initial_states()
        sorts = {s.__name__: s for s in instance.spec.sorts}
        self.nodes = [instance.label(sorts["Node"], n) for n in instance.domain(sorts["Node"])]
        self.changes = list(instance.domain(sorts["Change"]))
        asked = instance.constant_values["asked"]
        self.asked = {c: self.settings(asked[c,]) for c in self.changes}
        self.start_settings = self.settings(instance.constant_values["start_value"][()])
        self._places = instance.cell_index
        cells = instance.cells
        self._elements = {
            v: {
                instance.value_label(place, x): x
                for place in places.values()
                for x in cells[place].values
            }
            for v, places in self._places.items()
        }
        kinds = self._kinds()
        self._kind = {label: i for i, label in enumerate(kinds)}

    def _kinds(self) -> list[str]:
        (message,) = [s for s in self.instance.spec.sorts if s.__name__ == "Message"]
        return [self.instance.label(message, k) for k in self.instance.domain(message)]

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

    def said(self, name: str, local: Local, network: Iterable[Datagram]) -> Said:
        """Return what a node has said: what left it, and what is about to."""
        left = [(to, decode(data).body) for source, to, data in network if source == name]
        leaving = [(to, decode(data).body) for to, data in local.leaving]
        every = left + leaving
        acked = {b.change for _, b in every if isinstance(b, Ack)}
        votes = {(b.change, b.ballot.commit) for _, b in every if isinstance(b, Vote)}
        oks = {b.change for _, b in left if isinstance(b, Ok)} | {c for c, _ in votes}
        oks |= {b.change for _, b in leaving if isinstance(b, Ok) and not is_unsaid(local, b)}
        sent = {("ACK", c) for c in acked} | {("OK", c) for c in oks}
        sent |= {("FAILURE", b.change) for _, b in every if isinstance(b, Failure)}
        sent |= {("BUSY", c) for c in self._busy(every) - acked}
        asked = {b.change for _, b in every if isinstance(b, Request)}
        return Said(frozenset(sent), frozenset(votes), frozenset(asked))

    @staticmethod
    def _busy(every: Iterable[tuple[str | None, AnyBody]]) -> set[ChangeId]:
        return {b.change for to, b in every if isinstance(b, Closed) and to is None}

    def joined(self, parts: Iterable[Part], crashes: int) -> StateTuple:
        """Return the state of the spec that a cluster of cores is in, from what each says of it."""
        state = list(self.start)
        state[self._places["crashes"][()]] = crashes
        for part in parts:
            for cell, value in part:
                state[cell] = value
        return tuple(state)

    def part(self, n: int, local: Local, words: Said, ids: tuple[ChangeId | None, ...]) -> Part:
        """Return the cells that one node says something of, with their values."""
        journal, installed = local.node.journal, local.node.state.installed
        assert installed is not None, "the node has restored its settings"
        cells: list[tuple[int, int]] = [
            (self._places["value"][n,], self.value(installed)),
            (self._places["pre_image"][n,], self.value(local.ghost.pre_image)),
            self._cell("epoch", (n,), str(journal.epoch)),
            self._cell("up", (n,), "true" if local.up else "false"),
        ]
        for c, change in enumerate(ids):
            if change is None:
                continue
            if change in words.requests:
                cells.append(self._cell("requested", (c,), "true"))
                cells.append(self._cell("base", (c,), str(change.base)))
            cells.append(self._cell("phase", (n, c), self._phase(local, change)))
            for kind, index in self._kind.items():
                if (kind, change) in words.sent:
                    cells.append(self._cell("sent", (n, c, index), "true"))
            for commit, label in ((True, "COMMIT"), (False, "UNDO")):
                if (change, commit) in words.votes:
                    cells.append(self._cell("vote", (n, c, 0), label))
        return tuple(cells)

    def _cell(self, variable: str, place: Arguments, label: str) -> tuple[int, int]:
        return self._places[variable][place], self._elements[variable][label]

    @staticmethod
    def _phase(local: Local, change: ChangeId) -> str:
        opened = local.node.journal.open_change(change)
        if opened is not None:
            return _PHASES[opened.phase]
        if (change, Outcome.COMMITTED) in local.ghost.ends:
            return "COMMITTED"
        return "UNDONE" if (change, Outcome.UNDONE) in local.ghost.ends else "IDLE"
