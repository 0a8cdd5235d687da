"""The product of the spec `timed_link` and a channel with a clock.

As `product`, but no timer runs out when the explorer likes: it lets a tick pass as soon as neither
end has anything to do, as the ends' own timers say, and no copy or ack has been under way for the
largest delay. The clock always shows 0: a tick makes all that an end has noted older by that much.

What has no clock in the spec comes whenever it may, as there: notices, what an ack says of pieces,
and what a sender has stated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar

from msgspec import structs

from samebeat.channel import Channel
from samebeat.messages import Fragment, FragmentAck, Piece
from samebeat.parameters import Assumptions, Settings
from samebeat.receiving import Receiving, Takes
from samebeat.sending import Sending, Sent
from samebeat_conformance.layer.ends import BOOT, NEVER_STATED, Ends, Fate, Receiver, Sender
from samebeat_conformance.layer.mapping import MAPPED, Mapping
from samebeat_conformance.layer.pairs import Ages, Pair
from samebeat_conformance.layer.product import Move, Product, copy_of
from samebeat_conformance.layer.steps import Steps
from samebeat_spec.language import Instance
from samebeat_spec.language.instance import Arguments, StateTuple

TICK_MS = 1_000
_NOT_NOW_MS = 1_000_000_000

MAY_IN_TIME = {
    "submit": ("give_up", "submit", "turn_down", "send"),
    "send": ("send",),
    "hear": ("hear_ack", "hear_piece", "give_up", "send"),
    "timer": ("give_up", "send_again", "send"),
    "retry": ("send_again",),
    "give_up": ("give_up",),
    "speak": ("give_up", "send"),
    "commit": ("switch_setting", "give_up", "send"),
    "receive": ("forget", "switch_memory", "keep", "receive"),
    "notice": ("forget", "switch_memory", "receive_notice", "hear_nothing_new"),
    "forget": ("forget",),
    "follow": ("switch_memory",),
    "lose": ("lose",),
    "lose_ack": ("lose_ack",),
    "tick": ("tick",),
}
"""For each kind of input the actions that it may be."""


class TimedSteps(Steps):
    """The steps of one instance of `timed_link`."""

    kinds: ClassVar[dict[str, tuple[str, ...]]] = MAY_IN_TIME
    switches: ClassVar[dict[str, str]] = {"switch_setting": "setting", "switch_memory": "memory"}


# --- the ends ------------------------------------------------------------------------------------


class TimedEnds(Ends):
    """The two ends of a channel, each with what its timers are set to."""

    def __init__(
        self,
        messages: tuple[bytes, ...],
        start: Settings,
        *,
        stepwise: bool = False,
        assumed: Assumptions,
    ) -> None:
        super().__init__(messages, start, stepwise=stepwise, assumed=assumed)
        memory_ms = Takes.of(start, assumed).memory_ms
        self.receiver = replace(self.receiver, memory_ms=memory_ms)

    # --- the sender ------------------------------------------------------------------------------

    def timer_of_sender(self, s: Sender) -> int | None:
        """Return when the sender's channel is to be called."""
        return self._sending(s).next_timer()

    def may_send(self, s: Sender) -> bool:
        """Return whether a message is queued that the window lets out."""
        return self._sending(s).sending.may_send(s.settings)

    def on_timer(self, s: Sender) -> tuple[Sender, tuple[Piece, ...]]:
        """The sender's channel does what is due."""
        channel = self._sending(s)
        channel.on_timer(0, self._holds(s))
        return self._sent(s, channel)

    def retry(self, s: Sender, m: int) -> tuple[Sender, tuple[Piece, ...]]:
        """Only the retry timer of one message runs out, of those that do."""
        return self._one_of(s, m, over=False)

    def give_up(self, s: Sender, m: int) -> tuple[Sender, tuple[Piece, ...]]:
        """Only one message is over, of those that are."""
        return self._one_of(s, m, over=True)

    def _one_of(self, s: Sender, m: int, *, over: bool) -> tuple[Sender, tuple[Piece, ...]]:
        """Do what is due of one message, as if no other one had a timer; the others keep theirs."""

        def alone(x: Sent) -> Sent:
            if x.sequence != m + 1:
                return replace(x, retry_at_ms=_NOT_NOW_MS, give_up_at_ms=_NOT_NOW_MS)
            return replace(x, give_up_at_ms=0) if over else x

        channel = self._sending(s, tuple(alone(x) for x in s.flight))
        channel.on_timer(0, self._holds(s))
        before = {x.sequence: x for x in s.flight}

        def as_before(x: Sent) -> Sent:
            was = before[x.sequence]
            retry = x.retry_at_ms if x.retry_at_ms != _NOT_NOW_MS else was.retry_at_ms
            return replace(x, retry_at_ms=retry, give_up_at_ms=was.give_up_at_ms)

        channel.sending.flight = tuple(as_before(x) for x in channel.sending.flight)
        return self._sent(s, channel)

    def sender_later(self, s: Sender) -> Sender:
        """A tick passes for the sender."""
        flight = tuple(
            replace(x, retry_at_ms=x.retry_at_ms - TICK_MS, give_up_at_ms=x.give_up_at_ms - TICK_MS)
            for x in s.flight
        )
        return replace(s, sending=(*s.sending[:4], flight))

    def _sending(  # type: ignore[override]
        self, s: Sender, flight: tuple[Sent, ...] | None = None
    ) -> Channel:
        size, window, last, queue, own = s.sending
        flight = own if flight is None else flight
        sending = Sending(BOOT, BOOT, size, window, 0, last, queue, flight, NEVER_STATED)
        return self._channel(sending, Receiving(BOOT, Takes.of(s.settings, self.assumed)))

    def _quiet(self, flight: tuple[Sent, ...]) -> tuple[Sent, ...]:
        return flight

    # --- the receiver ----------------------------------------------------------------------------

    def timer_of_receiver(self, r: Receiver) -> int | None:
        """Return when the receiver's channel is to be called."""
        return self._receiving(r).next_timer()

    def forget(self, r: Receiver) -> tuple[Receiver, tuple[Piece, ...]]:
        """The receiver's channel does what is due."""
        channel = self._receiving(r)
        channel.on_timer(0, self._takes(r))
        return self._received(r, channel)

    def grow_older(self, r: Receiver) -> Receiver:
        """A tick passes for the receiver; who remembers no stream has heard nothing."""
        return replace(r, heard_ms=r.heard_ms - TICK_MS) if r.boot else r

    def _memory_ms(self, r: Receiver) -> int:
        return r.memory_ms

    def _received(self, r: Receiver, channel: Channel) -> tuple[Receiver, tuple[Piece, ...]]:
        state, out = super()._received(r, channel)
        after = channel.receiving
        heard_ms = after.heard_ms if after.boot else 0
        return replace(state, heard_ms=heard_ms, memory_ms=after.takes.memory_ms), out


# --- alpha ---------------------------------------------------------------------------------------


class TimedMapping(Mapping):
    """Reads the two ends with their timers as states of `timed_link`."""

    mapped = MAPPED | {
        *("setting", "sent_by", "memory", "came"),
        *("since_first_ticks", "since_sent_ticks", "since_heard_ticks"),
        *("copy_age_ticks", "ack_age_ticks"),
    }

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        known = instance.constant_values
        settings = range(len(known["time_ticks"]))
        self._times = tuple(known["time_ticks"][i,] for i in settings)
        self._timers = tuple(known["timer_ticks"][i,] for i in settings)
        self._memories = tuple(known["memory_ticks"][i,] for i in settings)
        self.delay: int = known["delay_ticks"][()]
        self._start: int = known["setting_at_the_start"][()]
        for values in (self._times, self._timers, self._memories):
            assert len({*values}) == len(values), "a setting is known by each of its values"
        place = instance.cell_index["since_heard_ticks"][()]
        self._longest = instance.cells[place].values[-1]

    def start_settings(self) -> Settings:
        """Return what all begin with."""
        return self.every_settings()[self._start]

    def every_settings(self) -> tuple[Settings, ...]:
        """Return the settings that stand for those of the spec."""
        ends = zip(self._times, self._timers, strict=True)
        return tuple(
            Settings(
                maximum_fragment_size=self.sizes[0],
                message_send_window=self.counts[0],
                send_queue_overflow_threshold=self.counts[0],
                message_retry_timer=timer * TICK_MS,
                maximum_message_retry_time=time * TICK_MS,
            )
            for time, timer in ends
        )

    def clocks(self, s: Sender, r: Receiver) -> dict[int, int]:
        """Return what the cells of time hold, by their places; -1: something no setting has."""
        at = self.instance.cell_index
        found = {
            at["setting"][()]: _place(self._timers, s.settings.message_retry_timer),
            at["memory"][()]: self._memory(r.memory_ms),
        }
        for x in s.flight:
            m = x.sequence - 1
            by = _place(self._timers, x.retry_ms)
            found[at["sent_by"][m,]] = by
            first = self._times[by] - _ticks(x.give_up_at_ms)
            found[at["since_first_ticks"][m,]] = first if by >= 0 else -1
            found[at["since_sent_ticks"][m,]] = _ticks(x.retry_ms) - _ticks(x.retry_at_ms)
            for f in x.held:
                found[at["came"][m, f]] = 1
        if r.boot and (r.below > 1 or r.parts):
            found[at["since_heard_ticks"][()]] = _ticks(-r.heard_ms)
        return found

    def _memory(self, ms: int) -> int:
        """Return the first setting that remembers for so long; when it ends is seen, anyway."""
        last = len(self._memories) - 1
        return next((i for i, w in enumerate(self._memories) if ms <= w * TICK_MS), last)

    def fits_in(self, found: dict[int, int]) -> bool:
        """Return whether all that was found is some value of the spec."""
        return all(0 <= x <= self._longest for x in found.values())

    def with_clocks(self, state: StateTuple, found: dict[int, int]) -> StateTuple:
        """Return a state with the clocks that were found; what does not fit, as the start has it.

        Such a state has no place in the spec, whatever is printed of it.
        """
        fits = {cell: x for cell, x in found.items() if 0 <= x <= self._longest}
        return tuple(fits.get(cell, x) for cell, x in enumerate(state))


def _ticks(ms: int) -> int:
    return ms // TICK_MS


def _place(ticks: Collection[int], ms: int) -> int:
    """Return which of some durations one is; -1: none."""
    return next((i for i, known in enumerate(ticks) if known * TICK_MS == ms), -1)


# --- the product ---------------------------------------------------------------------------------


class TimedProduct(Product):
    """One exploration in time."""

    mapping: TimedMapping
    ends: TimedEnds

    def _make_mapping(self) -> TimedMapping:
        return TimedMapping(self.listed.instance)

    def _make_ends(self, start: Settings) -> TimedEnds:
        assumed = Assumptions(delay_ms=self.listed.delay * TICK_MS)
        return TimedEnds(self.mapping.datas(), start, stepwise=self.stepwise, assumed=assumed)

    # --- inputs ----------------------------------------------------------------------------------

    def _moves(self, pair: Pair) -> Iterator[Move]:
        yield from super()._moves(pair)
        s, r = self.senders.all[pair.sender], self.receivers.all[pair.receiver]
        if not self._is_due(pair, s, r):
            ages = frozenset((what, age + 1) for what, age in pair.ages)
            later = pair._replace(
                sender=self.senders.number(self.ends.sender_later(s)),
                receiver=self.receivers.number(self.ends.grow_older(r)),
                ages=ages,
            )
            yield self._move("tick", "tick", later, ())

    def _is_due(self, pair: Pair, s: Sender, r: Receiver) -> bool:
        """Return whether something must happen before the next tick."""
        timers = (self.ends.timer_of_sender(s), self.ends.timer_of_receiver(r))
        waits = self.stepwise and self.ends.may_send(s)
        late = any(age >= self.listed.delay for _, age in pair.ages)
        return waits or late or any(t is not None and t <= 0 for t in timers)

    def _of_sender(self, pair: Pair, s: Sender) -> Iterator[Move]:
        """The caller, the timers, and any other word to the sender, which may say where it is."""
        n = pair.sender
        m = next((i for i, f in enumerate(s.fates) if f in (Fate.NEW, Fate.TURNED_DOWN)), None)
        if m is not None:
            after, out = self._make(self.ends.submit, n, m)
            yield self._sender("submit", pair, after, out, (m,))
        is_over = self.is_giving_up(s)
        if self.stepwise and Fate.QUEUED in s.fates and not is_over:
            yield self._sender("send", pair, *self._make(self.ends.send, n))
        yield self._sender("speak", pair, *self._make(self.ends.follow, n))
        timer_ms = self.ends.timer_of_sender(s)
        if timer_ms is None or timer_ms > 0:
            return
        if not self.stepwise:
            yield self._sender("timer", pair, *self._make(self.ends.on_timer, n))
        elif is_over:
            first = s.flight[0].sequence - 1
            after, out = self._make(self.ends.give_up, n, first)
            yield self._sender("give_up", pair, after, out, (first,))
        else:
            for m in (x.sequence - 1 for x in s.flight if x.retry_at_ms <= 0):
                after, out = self._make(self.ends.retry, n, m)
                yield self._sender("retry", pair, after, out, (m,))

    def _losses(self, pair: Pair) -> Iterator[Move]:
        yield from (m._replace(after=self._tidy(m.after)) for m in super()._losses(pair))

    def _may_forget(self, pair: Pair, s: Sender, r: Receiver) -> bool:
        return self.is_forgetting(r)

    def is_giving_up(self, s: Sender) -> bool:
        """Return whether a retry time is over."""
        return any(x.give_up_at_ms <= 0 for x in s.flight)

    def is_forgetting(self, r: Receiver) -> bool:
        """Return whether the memory of a receiver is over."""
        timer_ms = self.ends.timer_of_receiver(r)
        return timer_ms is not None and timer_ms <= 0

    # --- what comes of them ----------------------------------------------------------------------

    def _sender(
        self, kind: str, pair: Pair, after: Sender, out: tuple[Piece, ...], about: Arguments = ()
    ) -> Move:
        sent = (structs.replace(p, epoch=0) for p in out if isinstance(p, Fragment))
        pair = pair._replace(ages=_young(pair.ages, {self.copies.number(f) for f in sent}))
        return super()._sender(kind, pair, after, out, about)

    def _receiver(
        self, kind: str, pair: Pair, after: Receiver, out: tuple[Piece, ...], about: Arguments = ()
    ) -> Move:
        acks = {1 - a.below for a in out if isinstance(a, FragmentAck) and a.below > 1}
        pair = pair._replace(ages=_young(pair.ages, acks))
        return super()._receiver(kind, pair, after, out, about)

    def _tidy(self, pair: Pair) -> Pair:
        """What is not under way any more has no age."""

        def is_there(what: int) -> bool:
            return bool(pair.copies >> what & 1 if what >= 0 else pair.acks >> (-1 - what) & 1)

        ages = frozenset((what, age) for what, age in pair.ages if is_there(what))
        return super()._tidy(pair._replace(ages=ages))

    # --- alpha -----------------------------------------------------------------------------------

    def has_place(self, pair: Pair) -> bool:
        """Return whether all limits and times are some that the instance has."""
        return super().has_place(pair) and self.mapping.fits_in(self._clocks(pair))

    def cells(self, pair: Pair) -> tuple[int, ...]:
        """Return the state that a product state is read as, whether the spec reaches it or not."""
        return self.mapping.with_clocks(super().cells(pair), self._clocks(pair))

    def _clocks(self, pair: Pair) -> dict[int, int]:
        s, r = self.senders.all[pair.sender], self.receivers.all[pair.receiver]
        at = self.mapping.instance.cell_index
        found = self.mapping.clocks(s, r)
        for what, age in pair.ages:
            if what >= 0:
                found[at["copy_age_ticks"][copy_of(self.copies.all[what])]] = age
            else:
                found[at["ack_age_ticks"][-1 - what,]] = age
        return found


def _young(ages: Ages, sent: Collection[int]) -> Ages:
    """Return the ages after something was sent; an older copy of it is as good as the new one."""
    return frozenset((what, age) for what, age in ages if what not in sent) | {
        (what, 0) for what in sent
    }
