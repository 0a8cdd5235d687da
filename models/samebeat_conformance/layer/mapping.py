"""Alpha: what state of the spec a channel is in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from samebeat.fragments import count
from samebeat.messages import MIN_FRAGMENT
from samebeat.parameters import Settings
from samebeat_conformance.layer.ends import Fate, Receiver, Sender
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import StateTuple
from samebeat_spec.language.interpreter import Interpreter

MAPPED = frozenset(
    {
        *("fate", "cut", "fragment_size", "window", "threshold", "capacity"),
        *("buffer_size", "places", "under_way", "ack_under_way"),
        *("held", "known", "delivered", "delivered_again"),
    }
)
"""The variables of the spec, all of which alpha reads off the implementation."""


class Mapping:
    """Reads the two ends of a channel, and what is between them, as states of one instance."""

    mapped = MAPPED

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        unmapped = {v.name for v in instance.spec.variables} - self.mapped
        assert not unmapped, f"alpha is total: {sorted(unmapped)} have no place in the mapping"
        sorts = {s.__name__: len(instance.domain(s)) for s in instance.spec.sorts}
        (self.start,) = Interpreter(instance).initial_states()
        constants = instance.constant_values
        self.messages = range(sorts["Message"])
        self.fragments = range(sorts["Fragment"])
        fits = constants["fits"]
        self.counts = tuple(
            sum(fits[c, 0, m] for m in self.messages) for c in range(sorts["Count"])
        )
        """for each number of the spec how many messages it stands for"""
        self.sizes = tuple(MIN_FRAGMENT << z for z in range(sorts["Size"]))
        self.length = MIN_FRAGMENT * sorts["Fragment"]
        pieces = constants["pieces"]
        for z, size in enumerate(self.sizes):
            cut = sum(pieces[z, f] for f in self.fragments)
            assert cut == count(self.length, size), "the spec cuts a message as the core does"
        self._size = constants["at_the_start"][()]
        self._count = constants["messages_at_the_start"][()]
        fates = {
            instance.value_label(place, x): x
            for place in instance.cell_index["fate"].values()
            for x in instance.cells[place].values
        }
        self._fates = {fate: fates[fate.name] for fate in Fate}

    def datas(self) -> tuple[bytes, ...]:
        """Return the messages: no two are alike, and all are equally long."""
        return tuple(b"message %d" % m + bytes(self.length - 9) for m in self.messages)

    def settings(self, size: int, window: int, threshold: int) -> Settings:
        """Return the settings that stand for a size and two numbers of the spec."""
        return Settings(
            maximum_fragment_size=self.sizes[size],
            message_send_window=self.counts[window],
            send_queue_overflow_threshold=self.counts[threshold],
        )

    def start_settings(self) -> Settings:
        """Return what all begin with."""
        return self.settings(self._size, self._count, self._count)

    def every_settings(self) -> tuple[Settings, ...]:
        """Return all sizes and windows that there are values for."""
        sizes, windows = range(len(self.sizes)), range(len(self.counts))
        return tuple(self.settings(z, w, self._count) for z in sizes for w in windows)

    def has_place(self, s: Sender, r: Receiver) -> bool:
        """Return whether all limits are some that the instance has; else no state of it fits."""
        sizes = {s.size, r.size, *(cut for cut in s.cuts if cut)}
        threshold = s.settings.send_queue_overflow_threshold
        counts = {s.window, s.capacity, threshold, r.window}
        return sizes <= {*self.sizes} and counts <= {*self.counts}

    def state(
        self,
        s: Sender,
        r: Receiver,
        under_way: Collection[tuple[int, int, int]],
        acks: Collection[int],
    ) -> StateTuple:
        """Return the state of the spec; a limit that it does not have, as the next smaller one.

        Args:
            s: the sender.
            r: the receiver.
            under_way: the fragments of messages of which copies are on their way, and the first
                message that each copy says is open.
            acks: of which messages an ack is on its way, which is one of all before, too.
        """
        state = list(self.start)
        at = self.instance.cell_index
        threshold = s.settings.send_queue_overflow_threshold
        state[at["fragment_size"][()]] = _at_most(self.sizes, s.size)
        state[at["window"][()]] = _at_most(self.counts, s.window)
        state[at["threshold"][()]] = _at_most(self.counts, threshold)
        state[at["capacity"][()]] = _at_most(self.counts, s.capacity)
        state[at["buffer_size"][()]] = _at_most(self.sizes, r.size)
        state[at["places"][()]] = _at_most(self.counts, r.window)
        held = {(sequence - 1, index) for sequence, _, _, parts in r.parts for index, _ in parts}
        for m in self.messages:
            state[at["fate"][m,]] = self._fates[s.fates[m]]
            if s.cuts[m]:
                state[at["cut"][m,]] = _at_most(self.sizes, s.cuts[m])
            state[at["ack_under_way"][m,]] = int(m in acks)
            state[at["known"][m,]] = int(m + 1 < r.below)
            state[at["delivered"][m,]] = int(r.delivered[m])
            state[at["delivered_again"][m,]] = int(r.again[m])
            for f in self.fragments:
                state[at["held"][m, f]] = int((m, f) in held)
        for place in under_way:
            state[at["under_way"][place]] = 1
        return tuple(state)


def _at_most(values: Sequence[int], value: int) -> int:
    """Return the place of the largest of some values that is not above one; or the first."""
    return max((i for i, known in enumerate(values) if known <= value), default=0)
