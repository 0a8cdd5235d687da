"""How two cores in time are read as states of the specs `heartbeat` and `timed_cluster` (alpha).

What the cores remember is read off them: what is recorded, each deadline and interval *as it is
used*, how long ago a heartbeat was sent and heard, who is suspected. What the specs remember and a
core does not (what was asked and acked, what the last heartbeat stated) is in the nodes' accounts;
where heartbeats are is the network's. Each cell of a state has one place that says what is in it,
or the mapping refuses to be built. What `timed_cluster` has of the group change is read as in the
product without time (``samebeat_conformance.mapping``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from samebeat import codec, heartbeats
from samebeat.pair import Watch
from samebeat.parameters import Settings
from samebeat.state import State
from samebeat_conformance import mapping as clusters
from samebeat_conformance.account import Account
from samebeat_conformance.timed.instances import NAMES, Listed
from samebeat_conformance.timed.nodes import NOW_MS, TICK_MS, Timed
from samebeat_spec.cluster import Cluster
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.timed_cluster import TimedCluster

Cell: TypeAlias = tuple[str, tuple[int, ...], str | int]
"""A variable, the place, and the label of an element or the element itself."""
Part: TypeAlias = tuple[tuple[int, int], ...]
"""Cells of a state by their numbers, and what is in them."""

LOST, IN_FLIGHT, DONE = "LOST", "IN_FLIGHT", "DONE"
FIRST, SECOND = 0, 1


class OffTheClock(Exception):  # noqa: N818  (`except OffTheClock` is the sentence)
    """A core's timer is set to what no value of the instance is; the message says which."""


class Flying(NamedTuple):
    """A heartbeat on the network.

    Attributes:
        data: the datagram; empty: it was never sent.
        where: lost, in flight or done.
        ticks: until when it must arrive.
        acked: its sender had acked the change.
    """

    data: bytes = b""
    where: str = LOST
    ticks: int = 0
    acked: bool = False

    @property
    def epoch(self) -> int:
        """The epoch that it states."""
        return codec.decode(self.data).epoch if self.data else 0


class Beats(NamedTuple):
    """The heartbeats of one sender: those that can still come, and how many were lost in a row."""

    latest: Flying = Flying()
    previous: Flying = Flying()
    lost: int = 0


class Net(NamedTuple):
    """What is not in a node: heartbeats on their way, and for how long the first is dead."""

    beats: tuple[Beats, Beats] = (Beats(), Beats())
    dead_ticks: int = 0


class HardenedChange(clusters.Mapping):
    """Reads what two cores have of the group change, each value being one of the instance."""

    elsewhere = frozenset(v.name for v in set(TimedCluster.variables) - set(Cluster.variables))

    def __init__(self, instance: Instance, values: tuple[Settings, ...]) -> None:
        self._values = values
        super().__init__(instance)
        self.views_at_all_times = self.first_views()

    def settings(self, value: int) -> Settings:  # type: ignore[override]
        """Return the settings that stand for a value."""
        return self._values[value]

    def value(self, settings: Settings) -> int:  # type: ignore[override]
        """Return the value that settings stand for."""
        return self._values.index(settings)

    def cells_of(self, n: int, account: Account) -> Part:
        """Return the cells that one node says something of; the rest is as at the start."""
        change = next((c for c, _ in account.phases), None)
        return self.part(n, account, (change,), self.views_at_all_times)


class Mapping:
    """Reads two cores as states of one instance."""

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.instance = instance = listed.instance
        self.nodes = NAMES
        (self.start,) = Interpreter(instance).initial_states()
        self.places = instance.cell_index
        self._elements = {
            v: {
                instance.value_label(place, x): x
                for place in places.values()
                for x in instance.cells[place].values
            }
            for v, places in self.places.items()
        }
        self.changed = listed.settings(1)
        self._is_pair = listed.spec == "heartbeat"
        values = (listed.settings(0), self.changed)
        self._change = None if self._is_pair else HardenedChange(instance, values)
        told = set(self.places) - self._change.elsewhere if self._change is not None else ()
        self._told = frozenset(i for v in told for i in self.places[v].values())
        """the cells of a hardened change: a node says what is no longer as at the start"""
        self._unsaid = tuple(x if i in self._told else None for i, x in enumerate(self.start))
        self._interval = {t * TICK_MS: i for i, t in enumerate(listed.intervals)}
        self._deadline = {Fraction(d * TICK_MS): i for i, d in enumerate(listed.deadlines)}

    def _numbered(self, cells: Iterator[Cell]) -> Part:
        return tuple(
            (self.places[v][at], self._elements[v][x] if isinstance(x, str) else x)
            for v, at, x in cells
        )

    def joined(self, parts: Sequence[Part]) -> StateTuple:
        """Return the state with these cells; each of them is said once.

        But for those of a hardened change: where nobody says anything, it is as at the start.

        Raises:
            AssertionError: a cell is not said at all, so alpha is not total.
        """
        state = list(self._unsaid)
        for part in parts:
            for cell, value in part:
                may_be = (self._unsaid[cell], value) if cell in self._told else (None,)
                assert state[cell] in may_be, "each cell has one place"
                state[cell] = value
        found = tuple(x for x in state if x is not None)
        assert len(found) == len(state), "alpha is total"
        return found

    def part(self, n: int, local: Timed) -> Part:
        """Return what one node says."""
        if self._change is None:
            return self._numbered(self._of_pair(n, local))
        of_change = self._change.cells_of(n, local.account)
        return (*of_change, *self._numbered(self._of_watching(n, local)))

    def flag(self, local: Timed) -> bool:
        """Return what is so of a pair if it is of any node: that the change has failed."""
        return self._is_pair and any(k == "FAILURE" for k, _ in local.account.sent)

    def net_part(self, flag: bool, net: Net) -> Part:
        """Return what the network says, and what no single node does."""
        if self._is_pair:
            return self._numbered(self._pair_net(flag, net))
        return self._numbered(self._watching_net(net))

    # --- what timers use -------------------------------------------------------------------------

    def sends_as(self, s: State) -> int:
        """Return of which value (0: before) the interval is that the send timer runs with."""
        due_ms, sent_ms = heartbeats.next_beat_ms(s), s.beat[1]
        assert due_ms is not None, "the node is active"
        assert sent_ms is not None, "and has sent before"
        used_ms = due_ms - sent_ms
        if used_ms not in self._interval:
            raise OffTheClock(f"{s.config.me} sends after {used_ms} ms: no value has that interval")
        return self._interval[used_ms]

    def waits_as(self, local: Timed) -> int:
        """Return of which value the deadline is that the node waits for."""
        used_ms = self._watch(local).deadline_ms
        if used_ms not in self._deadline:
            text = f"{local.name} waits for {used_ms} ms: no value has that deadline"
            raise OffTheClock(text)
        return self._deadline[used_ms]

    @staticmethod
    def _watch(local: Timed) -> Watch:
        for watch in local.node._state.watches.values():
            return watch
        raise OffTheClock(f"{local.name} watches nobody")

    @staticmethod
    def _since_sent(local: Timed) -> int:
        sent_ms = local.node._state.beat[1]
        assert sent_ms is not None, "the node has sent before"
        return (NOW_MS - sent_ms) // TICK_MS

    def _since_heard(self, local: Timed) -> int:
        return (NOW_MS - self._watch(local).heard_ms) // TICK_MS

    # --- heartbeat -------------------------------------------------------------------------------

    def _of_pair(self, n: int, local: Timed) -> Iterator[Cell]:
        s, a = local.node._state, local.account
        phase, kinds = phase_of(local), {k for k, _ in a.sent}
        if n == FIRST:
            used = self.sends_as(s)
            yield "alive", (), _truth(a.up)
            yield "asked", (), int("ACK" in kinds)
            yield "recorded", (FIRST,), int(a.epoch > 0)
            yield "effective", (FIRST,), used
            yield "armed", (FIRST,), used
            yield "since_sent_ticks", (), self._since_sent(local) if a.up else 0
            return
        used = self.waits_as(local)
        yield "suspected", (), _truth("n1" in s.suspected)
        yield "recorded", (SECOND,), int(s.journal.held[0] > 0)
        yield "effective", (SECOND,), used
        yield "armed", (SECOND,), used
        knows_failed = phase == "IDLE" and any(h.failed for h in s.heard.values())
        yield "answered", (), int(phase in ("APPLIED", "COMMITTED", "UNDONE") or knows_failed)
        yield "pre_image", (), 0
        yield "since_heard_ticks", (), self._since_heard(local)
        yield "heard", (), int(local.told or phase != "IDLE")
        yield "stated", (), local.stated
        yield "acked", (0,), "true"
        yield "acked", (1,), _truth("OK" in kinds)

    def _pair_net(self, failed: bool, net: Net) -> Iterator[Cell]:
        beats = net.beats[FIRST]
        yield "failed", (0,), "false"
        yield "failed", (1,), _truth(failed)
        yield "since_crash_ticks", (), net.dead_ticks
        yield from (("ack_waits_ticks", (c,), 0) for c in (0, 1))
        for h, beat in enumerate((beats.latest, beats.previous)):
            yield "flight", (h,), beat.where
            yield "until_arrival_ticks", (h,), beat.ticks
            yield "says_recorded", (h,), beat.epoch
            yield "says_asked", (h,), int(beat.acked)
        yield "lost_in_a_row", (), beats.lost
        yield "too_many_in_flight", (), 0

    # --- timed_cluster ---------------------------------------------------------------------------

    def _of_watching(self, n: int, local: Timed) -> Iterator[Cell]:
        s, m = local.node._state, 1 - n
        clocks = self.listed.clocks(n)
        yield "interval", (n,), self.sends_as(s)
        yield "since_sent_ticks", (n,), self._since_sent(local) if clocks.sends else 0
        yield "deadline", (m,), self.waits_as(local)
        yield "suspected", (m,), _truth(self.nodes[m] in s.suspected)
        yield "since_heard_ticks", (m,), self._since_heard(local) if clocks.watches else 0
        yield "stated", (m,), local.stated if clocks.watches else 0

    def _watching_net(self, net: Net) -> Iterator[Cell]:
        yield "too_many_in_flight", (), 0
        yield from (("round_lasts_ticks", (0, r), 0) for r in range(3))
        for n, beats in enumerate(net.beats):
            for h, beat in enumerate((beats.latest, beats.previous)):
                yield "flight", (n, h), beat.where
                yield "until_arrival_ticks", (n, h), beat.ticks
                yield "says_epoch", (n, h), beat.epoch
                yield "says_acked", (n, h, 0), _truth(beat.acked)
            yield "lost_in_a_row", (n,), beats.lost


def phase_of(local: Timed) -> str:
    """Return how far a node is with the change."""
    return next((p for _, p in local.account.phases), "IDLE")


def _truth(holds: bool) -> str:
    return "true" if holds else "false"
