"""The answer of the registry to a wish: every constraint at every instant of the change.

A constraint of the present values may be broken already. So a change is safe if the new values keep
every constraint that it touches, and if no instant on the way is worse than the present one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from samebeat_models.advice.wish import Wish
from samebeat_spec.combinations import (
    TIMEOUT_OR_RATIO,
    Move,
    Settings,
    Stage,
    instants,
    steady,
)
from samebeat_spec.parameters import (
    BY_NAME,
    CONSTRAINTS,
    SAFE,
    Assumptions,
    Constraint,
    Kind,
    Number,
    Place,
    Values,
    copies,
    is_global,
)

_SWITCHES = {Move.SECOND: Place.SECOND, Move.FIRST: Place.FIRST}
_SECOND_FIRST, _FIRST_FIRST = (Move.SECOND, Move.FIRST), (Move.FIRST, Move.SECOND)
_UNITLESS = frozenset({"misses", "ratio"})


class Verdict(StrEnum):
    """What becomes of the wish."""

    SAFE = "safe"
    REPAIRS = "repairs"
    UNSAFE = "unsafe"


class Deferral(StrEnum):
    """When the rule of the claims is enough: the second node switches first, then the first."""

    LOCAL = "local"
    NOT_NEEDED = "not needed"
    ENOUGH = "enough"
    NOT_ENOUGH = "not enough"
    NO_ORDER_HELPS = "no order helps"


@dataclass(frozen=True)
class Judged:
    """A constraint at one instant.

    Attributes:
        at: which instant, in words.
        before: the margin in the present values, from before the change.
    """

    constraint: Constraint
    at: str
    values: Values = field(repr=False)
    before: Fraction

    @cached_property
    def large(self) -> Fraction:
        """The side that must be larger."""
        return Fraction(self.constraint.large.evaluate(self.values))

    @cached_property
    def small(self) -> Fraction:
        """The other side."""
        return Fraction(self.constraint.small.evaluate(self.values))

    @property
    def margin(self) -> Fraction:
        """By how much it holds; negative: by how much it is broken."""
        return self.large - self.small

    @property
    def holds(self) -> bool:
        """Whether it holds."""
        return self.margin >= 0

    @property
    def acceptable(self) -> bool:
        """Whether it holds or is at least no worse than before the change."""
        return self.margin >= min(self.before, Fraction(0))

    @property
    def tightness(self) -> Fraction:
        """The margin as a part of what is needed, so that different units compare."""
        return self.margin / max(self.small, Fraction(1))


@dataclass(frozen=True)
class Order:
    """What comes of another order than the derived one.

    Attributes:
        worst: the tightest constraint on the way; None if nothing switches.
        safe: whether it is never worse than the present, and ends safely.
    """

    worst: Judged | None
    safe: bool


@dataclass(frozen=True)
class Advice:
    """The answer to a wish."""

    wish: Wish

    @cached_property
    def assumptions(self) -> Assumptions:
        """What is assumed of the network."""
        return self.wish.assumptions

    @cached_property
    def now(self) -> Settings:
        """The present values."""
        return self.wish.now

    @cached_property
    def then(self) -> Settings:
        """The values after the change."""
        return self.wish.change.after(self.now)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The parameters whose value becomes another one, as wished for."""
        return tuple(n for n in self.wish.want if self.now.get(n) != self.then.get(n))

    @cached_property
    def touched(self) -> tuple[Constraint, ...]:
        """The constraints by which the change is judged."""
        return self.wish.change.touched()

    # --- instants ----------------------------------------------------------------------------

    @cached_property
    def present(self) -> tuple[Judged, ...]:
        """Every touched constraint, in the present values."""
        return self._judge("now", steady(self.now, self.assumptions))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The order that the registry derives."""
        return self.wish.change.stages(self.now, self.assumptions)

    @cached_property
    def on_the_way(self) -> tuple[tuple[Judged, ...], ...]:
        """Every touched constraint after each step of the derived order but the last."""
        return self._walk(self.stages)[:-1]

    @cached_property
    def new(self) -> tuple[Judged, ...]:
        """Every touched constraint, in the new values."""
        return self._judge("new", steady(self.then, self.assumptions))

    def _walk(self, stages: Iterable[Stage]) -> tuple[tuple[Judged, ...], ...]:
        seen = list(instants(self.now, self.then, self.assumptions, stages))[1:]
        return tuple(self._judge(f"after step {i}", values) for i, values in enumerate(seen, 1))

    def _judge(self, at: str, values: Values) -> tuple[Judged, ...]:
        old = steady(self.now, self.assumptions)
        return tuple(Judged(c, at, values, Fraction(c.slack(old))) for c in self.touched)

    # --- verdict -----------------------------------------------------------------------------

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the wish is safe."""
        on_the_way = (j for instant in self.on_the_way for j in instant)
        if not all(j.holds for j in self.new) or not all(j.acceptable for j in on_the_way):
            return Verdict.UNSAFE
        return Verdict.SAFE if all(j.holds for j in self.present) else Verdict.REPAIRS

    @property
    def safe(self) -> bool:
        """Whether the wish may be granted."""
        return self.verdict is not Verdict.UNSAFE

    @cached_property
    def decides(self) -> Judged:
        """The tightest constraint in the new values; of those broken, the one broken most."""
        return tightest(self.new)

    @cached_property
    def spare(self) -> Judged:
        """The tightest instant of what decides, in every order that is advised.

        What the present values break is no part of it.
        """
        seen = [self.decides, *(j for instant in self.on_the_way for j in instant)]
        if self.deferral is Deferral.NOT_NEEDED:
            seen += [*self._switching(_SECOND_FIRST), *self._switching(_FIRST_FIRST)]
        mine = [j for j in seen if j.constraint is self.decides.constraint]
        whole = self.verdict is Verdict.SAFE
        return min(mine, key=lambda j: j.margin) if whole else self.decides

    def trigger(self, index: int) -> str:
        """Return what lets a node take a step of the derived order, as the timed pair has it.

        For values of heartbeats only; empty where the step before is all there is to wait for.
        """
        stage, before = self.stages[index], self.stages[:index]
        if not any(map(SAFE.mentions, stage.names)) or self.deferral is Deferral.NOT_NEEDED:
            return ""
        told = {s.move for s in before if any(map(SAFE.mentions, s.names))}
        if stage.move is Move.SECOND and Move.FIRST in told:
            return "once a heartbeat says that the first has"
        if stage.move is Move.FIRST and Move.SECOND in told:
            return "once the second has acked"
        return ""

    def recounts(self, index: int) -> bool:
        """Return whether a step of the derived order changes what a running deadline is made of.

        Then misses that are counted so far mean nothing: the deadline counts from the last
        heartbeat (decision 0007).
        """
        stage, settings = self.stages[index], {**self.now, **self.then}
        by_ratio = TIMEOUT_OR_RATIO[1] in settings
        own = {"heartbeat_failure_threshold", *TIMEOUT_OR_RATIO}
        own |= {"heartbeat_interval"} if by_ratio else set()
        return stage.move is Move.SECOND and not own.isdisjoint(stage.names)

    def worst_on_the_way(self, constraint: Constraint) -> Judged | None:
        """Return where a constraint is tightest between old and new, None without steps between."""
        found = [j for instant in self.on_the_way for j in instant if j.constraint is constraint]
        return min(found, key=lambda j: j.margin, default=None)

    @cached_property
    def broken_beside(self) -> tuple[Judged, ...]:
        """What the present values break and the change does not touch."""
        values = steady(self.now, self.assumptions)
        known = [
            c for c in CONSTRAINTS if c not in self.touched and c.quantities() <= values.keys()
        ]
        judged = [Judged(c, "now", values, Fraction(c.slack(values))) for c in known]
        return tuple(j for j in judged if not j.holds)

    @cached_property
    def nearest(self) -> dict[str, Number | None]:
        """For each wanted value the closest safe one, the others as wanted; None: there is none."""
        change = self.wish.change
        return {
            name: change.nearest(name, self.now, self.assumptions)
            for name, x in self.wish.want.items()
            if x is not None
        }

    # --- other orders --------------------------------------------------------------------------

    @cached_property
    def literal(self) -> Order:
        """The order of claim 19: the second node switches, then the first; nobody waits."""
        return self._order(_SECOND_FIRST)

    @cached_property
    def no_order(self) -> Order:
        """Each node switches when it likes."""
        return self._order(_SECOND_FIRST, _FIRST_FIRST)

    def _order(self, *sequences: tuple[Move, ...]) -> Order:
        judged = [j for moves in sequences for j in self._switching(moves)]
        bad = [j for j in judged if not j.acceptable]
        worst = tightest(bad or judged) if judged else None
        return Order(worst, self.safe and not bad)

    def _switching(self, moves: tuple[Move, ...]) -> Iterator[Judged]:
        """Yield every touched constraint after each switch of an order without waiting."""
        own = ((m, tuple(n for n in sorted(self.changed) if _has(n, m))) for m in moves)
        stages = [Stage(move, names) for move, names in own if names]
        seen = list(instants(self.now, self.then, self.assumptions, stages))[1:]
        for i, (stage, values) in enumerate(zip(stages, seen, strict=True), 1):
            who = f"{_SWITCHES[stage.move].value} has"
            if len(stages) > 1:
                who = f"only {who}" if i < len(stages) else "all have"
            yield from self._judge(f"once {who} switched", values)

    @cached_property
    def deferral(self) -> Deferral:
        """When the rule of the claims is enough."""
        if not self.safe:
            return Deferral.NO_ORDER_HELPS
        if not any(is_global(BY_NAME[name]) for name in self.wish.want):
            return Deferral.LOCAL
        if self.no_order.safe:
            return Deferral.NOT_NEEDED
        return Deferral.ENOUGH if self.literal.safe else Deferral.NOT_ENOUGH

    @cached_property
    def envelope_helps(self) -> bool:
        """Whether the envelope is another way: both ends are safe, and timers are what differs."""
        ends = (*self.present, *self.new)
        switching = {s.move for s in self.stages if any(map(SAFE.mentions, s.names))}
        return switching >= _SWITCHES.keys() and all(j.holds for j in ends if j.constraint is SAFE)


def tightest(judged: Iterable[Judged]) -> Judged:
    """Return the one with the least part to spare.

    Constraints that compare a parameter with itself count only if there is no other.
    """
    found = list(judged)
    own = [j for j in found if not keeps_itself(j.constraint)]
    return min(own or found, key=lambda j: j.tightness)


def keeps_itself(c: Constraint) -> bool:
    """Return whether only one parameter is compared, with its own copies or traffic.

    Such a constraint holds for any value on which all agree: it is about the order.
    """
    own = [q for q in c.quantities() if q.kind is not Kind.ASSUMED]
    return len(own) > 1 and len({q.name for q in own}) == 1


def unit_of(c: Constraint) -> str:
    """Return the unit of both sides: a count times a duration is a duration."""
    units = {BY_NAME[q.name].unit for q in c.quantities() if q.name in BY_NAME}
    return min(units - _UNITLESS, default="misses")


def _has(name: str, move: Move) -> bool:
    return any(q.place is _SWITCHES[move] for q in copies(name))
