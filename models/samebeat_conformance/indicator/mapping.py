"""Alpha: what state of the spec `pair` two cores are in, with the messages between them.

Where grains differ: a core records what it hears of an ack as the indicator of the open change, and
forgets it with the decision, as the spec does; the number of a change is looked up where it was
asked for; and of earlier changes a second node knows only that they are decided, so how it has
answered each is kept in an account. Heartbeats and acks that name no change are not in the spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from samebeat import asking, codec
from samebeat.deferral import First, Second
from samebeat.messages import AnyBody, Heartbeat, HeartbeatAck
from samebeat_conformance.indicator.ends import Ask, End
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter

FIRST, SECOND = 0, 1
STEP_MS = 1_000
"""Values of the spec lie so far apart; the first is this long."""

Cell: TypeAlias = tuple[str, tuple[int, ...], str | int]
"""A variable, the place, and the label of an element or the element itself."""


@lru_cache(maxsize=1 << 12)
def body_of(data: bytes) -> AnyBody:
    """Return what a message says."""
    return codec.decode(data).body


class OffTheMap(Exception):  # noqa: N818  (`except OffTheMap` is the sentence)
    """A core has come to what no state of the instance says; the message says what."""


class Mapping:
    """Reads two cores as states of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        (self.start,) = Interpreter(instance).initial_states()
        sizes = {s.__name__: len(instance.domain(s)) for s in instance.spec.sorts}
        self.changes = range(sizes["Change"])
        self.values = range(sizes["Value"])
        constants = instance.constant_values
        self._asked, self._parameter = constants["asked"], constants["parameter"]
        self._is_global = [bool(constants["is_global"][p,]) for p in range(sizes["Parameter"])]
        for name in ("ack_names_change", "heartbeat_names_change", "record_per_direction"):
            assert constants[name][()], f"a core has what {name} says"
        self._places = instance.cell_index
        self._elements = {
            v: {
                instance.value_label(place, x): x
                for place in places.values()
                for x in instance.cells[place].values
            }
            for v, places in self._places.items()
        }

    # --- values ----------------------------------------------------------------------------------

    def ask(self, change: int) -> Ask:
        """Return what the host asks for."""
        parameter = self._parameter[change,]
        shared = self._is_global[parameter]
        name = "heartbeat_interval" if shared else "heartbeat_ack_timeout"
        return Ask(change, name, (self._asked[change,] + 1) * STEP_MS)

    def _value(self, milliseconds: int) -> int:
        value, rest = divmod(milliseconds, STEP_MS)
        if rest or value - 1 not in self.values:
            raise OffTheMap(f"{milliseconds} ms is no value that anybody has asked for")
        return value - 1

    # --- alpha -----------------------------------------------------------------------------------

    def state(self, ends: tuple[End, End], messages: Iterable[tuple[int, bytes]]) -> StateTuple:
        """Return the state of the spec; each cell of it is said once.

        Args:
            ends: the nodes.
            messages: from which node each message is, and what it is.

        Raises:
            OffTheMap: a core has come to what the instance has no word for.
            AssertionError: a cell is said by nobody, or twice: alpha is not total.
        """
        found: list[int | None] = [None] * len(self.start)
        names = [{number: c for number, c, _ in end.wishes} for end in ends]
        cells = [*self._messages(names, messages)]
        for n, end in enumerate(ends):
            cells += self._of_first(n, end, names[n])
            cells += self._of_second(n, end, names[1 - n])
        for variable, place, what in cells:
            cell = self._places[variable][place]
            assert found[cell] is None, f"{variable}{place} has one place"
            found[cell] = self._elements[variable][what] if isinstance(what, str) else what
        state = tuple(x for x in found if x is not None)
        assert len(state) == len(found), "alpha is total"
        return state

    def _of_first(self, n: int, end: End, names: dict[int, int]) -> Iterator[Cell]:
        first = end.state.firsts.get(end.peer, First())
        wishes = {c: how for _, c, how in end.wishes}
        for c in self.changes:
            how = wishes.get(c, "NONE")
            if how == "PASSED":
                raise OffTheMap(f"{end.name} has given up a change")
            yield "wish", (n, c), how
        settings = asking.settings_towards(end.state, end.peer)
        for p, shared in enumerate(self._is_global):
            used = settings.heartbeat_interval if shared else settings.heartbeat_ack_timeout
            yield "value", (n, FIRST, p), self._value(used)
        record = first.record
        yield "indicator", (n, FIRST), int(record is not None and record.indicator)
        yield "named", (n, FIRST), 0 if record is None else names[record.change]
        for i, heard in enumerate((False, True)):
            yield "heard", (n, i), int(first.heard is heard)

    def _of_second(self, n: int, end: End, names: dict[int, int]) -> Iterator[Cell]:
        second = end.state.seconds.get(end.peer, Second())
        held = second.held or end.state.journal.settings
        for p, shared in enumerate(self._is_global):
            start = end.state.journal.settings.heartbeat_ack_timeout
            yield "value", (n, SECOND, p), self._value(held.heartbeat_interval if shared else start)
        request, record = second.request, second.record
        yield "indicator", (n, SECOND), int(record is not None and record.indicator)
        yield "named", (n, SECOND), 0 if record is None else names[record.change.number]
        yield "request", (n,), 0 if request is None else names[request.number]
        yield "duty", (n,), second.duty.name
        answers = {names[number]: how for number, how in end.answers}
        yield from (("answer", (n, c), answers.get(c, "NONE")) for c in self.changes)

    def _messages(
        self, names: list[dict[int, int]], messages: Iterable[tuple[int, bytes]]
    ) -> Iterator[Cell]:
        asks, acks = set(), set()
        for n, data in messages:
            body = body_of(data)
            if isinstance(body, Heartbeat) and body.record is not None and body.record.indicator:
                asks.add((n, names[n][body.record.change]))
            if isinstance(body, HeartbeatAck) and body.record is not None:
                said = int(body.record.indicator)
                acks.add((n, names[1 - n][body.record.change.number], said))
        for place in self._places["heartbeat"]:
            yield "heartbeat", place, int(place in asks)
        for place in self._places["ack"]:
            yield "ack", place, int(place in acks)
