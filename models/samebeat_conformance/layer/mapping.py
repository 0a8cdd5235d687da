"""Alpha: what state of the spec a channel is in."""

from __future__ import annotations

from collections.abc import Collection

from samebeat.fragments import count
from samebeat.messages import MIN_FRAGMENT
from samebeat.parameters import Settings
from samebeat_conformance.layer.ends import CLOSED, Fate, Receiver, Sender
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
"""The variables of the spec that alpha reads off the implementation."""
CONSTANT_HERE = frozenset({"acked"})
"""With one member the only ack of a message is the last one, which confirms it."""


class Mapping:
    """Reads the two ends of a channel, and what is between them, as states of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        unmapped = {v.name for v in instance.spec.variables} - MAPPED - CONSTANT_HERE
        assert not unmapped, f"alpha is total: {sorted(unmapped)} have no place in the mapping"
        sorts = {s.__name__: len(instance.domain(s)) for s in instance.spec.sorts}
        assert sorts["Node"] == 1, "a channel has one member"
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

    def every_settings(self, *, window: bool, threshold: bool) -> tuple[Settings, ...]:
        """Return all that there are values for: every size, and numbers where they change."""
        numbers = range(len(self.counts))
        windows = numbers if window else (self._count,)
        thresholds = numbers if threshold else (self._count,)
        sizes = range(len(self.sizes))
        return tuple(self.settings(z, w, q) for z in sizes for w in windows for q in thresholds)

    def state(
        self,
        s: Sender,
        r: Receiver,
        under_way: Collection[tuple[int, int]],
        acked_below: int,
    ) -> StateTuple:
        """Return the state of the spec.

        Args:
            s: the sender.
            r: the receiver.
            under_way: the fragments of messages of which copies are on their way.
            acked_below: an ack is under way of all messages below.
        """
        state = list(self.start)
        at = self.instance.cell_index
        queued = sum(f is Fate.QUEUED for f in s.fates)
        threshold = s.settings.send_queue_overflow_threshold
        state[at["fragment_size"][()]] = self.sizes.index(s.size)
        state[at["window"][()]] = self.counts.index(s.window)
        state[at["threshold"][()]] = self.counts.index(threshold)
        needed = max(threshold, queued)
        state[at["capacity"][()]] = next(
            (c for c, number in enumerate(self.counts) if number >= needed), len(self.counts) - 1
        )
        state[at["buffer_size"][0,]] = self.sizes.index(r.size)
        state[at["places"][0,]] = self.counts.index(r.window)
        held = {(sequence - 1, index) for sequence, _, _, parts in r.parts for index, _ in parts}
        for m in self.messages:
            state[at["fate"][m,]] = self._fates[s.fates[m]]
            if s.cuts[m]:
                state[at["cut"][m,]] = self.sizes.index(s.cuts[m])
            state[at["ack_under_way"][0, m]] = int(m + 1 < acked_below)
            state[at["known"][0, m]] = int(m + 1 < r.below)
            state[at["delivered"][0, m]] = int(r.delivered[m])
            state[at["delivered_again"][0, m]] = int(r.again[m])
            for f in self.fragments:
                state[at["under_way"][0, m, f]] = int((m, f) in under_way)
                state[at["held"][0, m, f]] = int((m, f) in held)
        return tuple(state)

    def after_early(self, state: StateTuple, m: int, f: int, floor: int) -> StateTuple:
        """Return the state after a fragment that says less than is true: `floor`, when it was sent.

        That is the spec's `receive`, but only what the fragment says is closed is waited for no
        more. "It might as well have come before", says the spec; `product` checks that it might.
        """
        after, at = list(state), self.instance.cell_index
        if not state[at["known"][0, m]]:
            after[at["held"][0, m, f]] = 1
            for k in range(min(m, floor - 1)):
                after[at["known"][0, k]] = 1
                for g in self.fragments:
                    after[at["held"][0, k, g]] = 0
        return tuple(after)

    def is_closed(self, state: StateTuple, m: int) -> bool:
        """Return whether the sender is done with a message."""
        fate = state[self.instance.cell_index["fate"][m,]]
        return fate in [self._fates[x] for x in CLOSED]
