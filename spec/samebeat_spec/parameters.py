"""The eleven parameters that a change may set (claim 3), and what must hold between two nodes.

A parameter is data: unit, range, and the node where it has its home. A *constraint* is an
inequality over what the two nodes of a direction hold, what is under way, and what is assumed of
the network. Whether a parameter is local or global, and so whether a change of it needs the other
node in step (claims 20, 21, 27 and 28), is derived: it is global if one of its constraints mentions
the other node. In which order the nodes switch is derived too, see ``combinations``.

Times are in milliseconds. One direction of a pair is described: the first node sends heartbeats and
messages, the second receives them. Why the table of our design was changed is in decision 0007.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

Number: TypeAlias = int | float | Fraction


class Place(Enum):
    """Where a quantity is."""

    FIRST = "the first node"
    SECOND = "the second node"
    NETWORK = "the network between them"


class Kind(Enum):
    """What a quantity is, and so how it gets smaller."""

    SETTING = "a value that the node uses; the node switches it"
    TRAFFIC = "what has been sent or queued; it can only drain"
    ASSUMED = "a bound that is assumed, and that nobody switches"


# --- constraints, as data ----------------------------------------------------------------------


class Expression(ABC):
    """Something that has a value once every quantity in it has one."""

    @abstractmethod
    def evaluate(self, values: Values) -> Number:
        """Return the value.

        Raises:
            KeyError: a quantity has no value.
        """

    @abstractmethod
    def quantities(self) -> Iterator[Quantity]:
        """Yield every quantity that is mentioned."""

    def __add__(self, other: Expression | int) -> Expression:
        return Sum(self, _expression(other))

    def __mul__(self, other: Expression) -> Expression:
        return Product(self, other)


@dataclass(frozen=True)
class Quantity(Expression):
    """A named number at a place. A parameter and its traffic share the name."""

    name: str
    place: Place
    kind: Kind = Kind.SETTING

    def evaluate(self, values: Values) -> Number:
        """Return the quantity's value."""
        return values[self]

    def quantities(self) -> Iterator[Quantity]:
        """Yield this one."""
        yield self


@dataclass(frozen=True)
class Constant(Expression):
    """A plain number."""

    value: int

    def evaluate(self, values: Values) -> Number:
        """Return the number."""
        return self.value

    def quantities(self) -> Iterator[Quantity]:
        """Yield nothing."""
        return iter(())


@dataclass(frozen=True)
class Sum(Expression):
    """``left + right``."""

    left: Expression
    right: Expression

    def evaluate(self, values: Values) -> Number:
        """Return the sum."""
        return self.left.evaluate(values) + self.right.evaluate(values)

    def quantities(self) -> Iterator[Quantity]:
        """Yield what both sides mention."""
        yield from self.left.quantities()
        yield from self.right.quantities()


@dataclass(frozen=True)
class Product(Expression):
    """``left * right``."""

    left: Expression
    right: Expression

    def evaluate(self, values: Values) -> Number:
        """Return the product."""
        return self.left.evaluate(values) * self.right.evaluate(values)

    def quantities(self) -> Iterator[Quantity]:
        """Yield what both factors mention."""
        yield from self.left.quantities()
        yield from self.right.quantities()


@dataclass(frozen=True)
class OrElse(Expression):
    """``left`` where it is set, otherwise ``right``."""

    left: Quantity
    right: Expression

    def evaluate(self, values: Values) -> Number:
        """Return the value of whichever applies."""
        return values[self.left] if self.left in values else self.right.evaluate(values)

    def quantities(self) -> Iterator[Quantity]:
        """Yield what either mentions."""
        yield self.left
        yield from self.right.quantities()


Values: TypeAlias = Mapping[Quantity, Number]
"""What the two nodes and the network hold at one instant."""


@dataclass(frozen=True)
class Constraint:
    """``large >= small`` at every instant, and what it is good for."""

    name: str
    large: Expression
    small: Expression
    why: str

    def slack(self, values: Values) -> Number:
        """Return by how much it holds; negative: by how much it is broken."""
        return self.large.evaluate(values) - self.small.evaluate(values)

    def holds(self, values: Values) -> bool:
        """Return whether it holds."""
        return self.slack(values) >= 0

    def quantities(self) -> frozenset[Quantity]:
        """Return every quantity that is mentioned."""
        return frozenset((*self.large.quantities(), *self.small.quantities()))

    def mentions(self, name: str) -> bool:
        """Return whether a parameter is mentioned as a value that some node uses."""
        return any(q.name == name and q.kind is Kind.SETTING for q in self.quantities())

    def spans_both(self) -> bool:
        """Return whether it speaks of both nodes."""
        return {Place.FIRST, Place.SECOND} <= {q.place for q in self.quantities()}


def _expression(value: Expression | int) -> Expression:
    return Constant(value) if isinstance(value, int) else value


# --- the registry ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """One of the eleven.

    Attributes:
        name: as in claim 3.
        home: the node that the parameter is about; the other one may hold a copy.
        unit: "ms", "bytes", "messages", "misses" or "ratio".
        low, high: the range, inclusive.
        whole: whether only whole numbers make sense.
        meaning: one sentence.
    """

    name: str
    home: Place
    unit: str
    low: Number
    high: Number
    meaning: str
    whole: bool = True

    @property
    def claim(self) -> str:
        """The claim element that names it."""
        return f"3.{self.name}"


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "heartbeat_message_timeout",
        Place.SECOND,
        "ms",
        1,
        3_600_000,
        "The second node counts a miss after so long without a heartbeat.",
    ),
    Parameter(
        "heartbeat_ack_timeout",
        Place.FIRST,
        "ms",
        1,
        3_600_000,
        "The first node counts a missed ack so long after its heartbeat.",
    ),
    Parameter(
        "heartbeat_interval",
        Place.FIRST,
        "ms",
        1,
        3_600_000,
        "The first node sends a heartbeat each time this has passed.",
    ),
    Parameter(
        "heartbeat_failure_threshold",
        Place.SECOND,
        "misses",
        1,
        1_000,
        "So many misses in a row make the second node suspect the first.",
    ),
    Parameter(
        "heartbeat_ack_failure_threshold",
        Place.FIRST,
        "misses",
        1,
        1_000,
        "So many missed acks in a row make the first node suspect the second.",
    ),
    Parameter(
        "receive_send_timer_ratio",
        Place.SECOND,
        "ratio",
        1,
        1_000,
        "Where no time-out is set, it is the heartbeat interval times this.",
        whole=False,
    ),
    Parameter(
        "maximum_fragment_size",
        Place.FIRST,
        "bytes",
        64,
        65_507,
        "No fragment of a message is larger; the second node's buffers have this size.",
    ),
    Parameter(
        "message_retry_timer",
        Place.FIRST,
        "ms",
        1,
        3_600_000,
        "An unacked message is sent again after this.",
    ),
    Parameter(
        "maximum_message_retry_time",
        Place.FIRST,
        "ms",
        1,
        86_400_000,
        "A message is given up after this; the second node remembers it for longer.",
    ),
    Parameter(
        "send_queue_overflow_threshold",
        Place.FIRST,
        "messages",
        1,
        10_000_000,
        "A message that finds so many in the queue is turned down.",
    ),
    Parameter(
        "message_send_window",
        Place.FIRST,
        "messages",
        1,
        65_535,
        "So many messages may be unacked; the second node has buffers for as many.",
    ),
)

BY_NAME = {p.name: p for p in PARAMETERS}


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of the network and of the other node's speed, for either direction.

    A duration of the network is in real time, a parameter of a node is on that node's clock. What
    lasts x on one of the three clocks (the two nodes' and real time) lasts up to x (1 + drift) on
    another. One rule follows for all constraints: a node that waits for something outside itself
    counts it with (1 + drift) on its own clock; two timers of one node compare without.

    Attributes:
        delay: the longest time of a message under way, jitter included, in ms.
        losses: how many heartbeats in a row may be lost.
        ack_losses: how many acks in a row may be lost, of those that are sent. A heartbeat that is
            lost has no ack either: see ``UNACKED``.
        drift: by what part clocks differ, 0.01 for one per cent.
        processing: the longest time from a heartbeat to its ack, in ms.
        ack_delay: the longest time from a message to its ack, in ms.
    """

    delay: Number = 0
    losses: int = 0
    ack_losses: int = 0
    drift: Number = 0
    processing: Number = 0
    ack_delay: Number = 0

    def values(self) -> dict[Quantity, Number]:
        """Return them as quantities."""
        return {_assumed(f.name): getattr(self, f.name) for f in fields(self)}

    @property
    def unacked(self) -> int:
        """How many heartbeats in a row may go without an ack."""
        return int(UNACKED.evaluate(self.values())) - 1


def _assumed(name: str) -> Quantity:
    return Quantity(name, Place.NETWORK, Kind.ASSUMED)


def _first(name: str) -> Quantity:
    return Quantity(name, Place.FIRST)


def _second(name: str) -> Quantity:
    return Quantity(name, Place.SECOND)


def _traffic(name: str, place: Place = Place.NETWORK) -> Quantity:
    return Quantity(name, place, Kind.TRAFFIC)


DEADLINE = _second("heartbeat_failure_threshold") * OrElse(
    _second("heartbeat_message_timeout"),
    _second("receive_send_timer_ratio") * _second("heartbeat_interval"),
)
"""How long the second node waits for a heartbeat before it suspects the first."""
LONGEST_GAP = ((_assumed("losses") + 1) * _first("heartbeat_interval") + _assumed("delay")) * (
    _assumed("drift") + 1
)
"""How long the second node may have to wait although the first is alive, on its own clock."""
UNACKED = (_assumed("losses") + 1) * (_assumed("ack_losses") + 1)
"""One more than how many heartbeats in a row may go without an ack.

That is l (m + 1) + m, if l heartbeats and m acks may be lost in a row: l heartbeats before each ack
that is lost, and after the last.
"""

MEMORY = (_second("maximum_message_retry_time") + _assumed("delay")) * (_assumed("drift") + 1)
"""For how long the second node remembers a message, by definition: it holds no value of its own.

It counts from the first copy that comes, on its own clock. The last copy is sent up to a retry time
later on the first's clock, and is under way for a delay.
"""

SAFE = Constraint("safe", DEADLINE, LONGEST_GAP, "no live node is suspected")

CONSTRAINTS: tuple[Constraint, ...] = (
    SAFE,
    Constraint(
        "ack_in_time",
        _first("heartbeat_ack_timeout"),
        (_assumed("delay") + _assumed("delay") + _assumed("processing")) * (_assumed("drift") + 1),
        "an ack that is not lost is not missed",
    ),
    Constraint(
        "ack_losses_tolerated",
        _first("heartbeat_ack_failure_threshold"),
        UNACKED,
        "tolerated losses make nobody suspect the second node",
    ),
    Constraint(
        "fragments_under_way_fit",
        _second("maximum_fragment_size"),
        _traffic("maximum_fragment_size"),
        "every fragment under way fits the second node's buffers",
    ),
    Constraint(
        "new_fragments_fit",
        _second("maximum_fragment_size"),
        _first("maximum_fragment_size"),
        "every fragment to come fits the second node's buffers",
    ),
    Constraint(
        "no_early_retry",
        _first("message_retry_timer"),
        (_assumed("delay") + _assumed("delay") + _assumed("ack_delay")) * (_assumed("drift") + 1),
        "a message whose ack is under way is not sent again",
    ),
    Constraint(
        "one_retry_at_least",
        _first("maximum_message_retry_time"),
        _first("message_retry_timer"),
        "a message is sent again before it is given up",
    ),
    Constraint(
        "duplicates_under_way_known",
        MEMORY,
        (_traffic("maximum_message_retry_time") + _assumed("delay")) * (_assumed("drift") + 1),
        "the second node remembers a message until its last copy has come",
    ),
    Constraint(
        "new_duplicates_known",
        MEMORY,
        (_first("maximum_message_retry_time") + _assumed("delay")) * (_assumed("drift") + 1),
        "and that of messages to come",
    ),
    Constraint(
        "nothing_purged",
        _first("send_queue_overflow_threshold"),
        _traffic("send_queue_overflow_threshold", Place.FIRST),
        "what is queued stays queued",
    ),
    Constraint(
        "unacked_fit",
        _second("message_send_window"),
        _traffic("message_send_window"),
        "the second node has a buffer for every unacked message",
    ),
    Constraint(
        "new_messages_fit",
        _second("message_send_window"),
        _first("message_send_window"),
        "and for those to come",
    ),
)


# --- local or global -------------------------------------------------------------------------


def constraints_of(
    name: str, constraints: Iterable[Constraint] = CONSTRAINTS
) -> tuple[Constraint, ...]:
    """Return the constraints that mention a parameter as a value that some node uses."""
    return tuple(c for c in constraints if c.mentions(name))


def copies(name: str) -> frozenset[Quantity]:
    """Return where the parameter's value is used: at its home, at the other node, or at both."""
    return frozenset(
        q
        for c in constraints_of(name)
        for q in c.quantities()
        if q.name == name and q.kind is Kind.SETTING
    )


def traces(name: str) -> frozenset[Quantity]:
    """Return the messages under way or queued under the parameter: they follow a switch late."""
    return frozenset(
        q for c in CONSTRAINTS for q in c.quantities() if q.name == name and q.kind is Kind.TRAFFIC
    )


def is_global(parameter: Parameter, constraints: Iterable[Constraint] = CONSTRAINTS) -> bool:
    """Return whether a constraint of the parameter mentions the other node than its home."""
    other = Place.SECOND if parameter.home is Place.FIRST else Place.FIRST
    return any(
        q.place is other
        for c in constraints_of(parameter.name, constraints)
        for q in c.quantities()
    )


def needs_synchronisation(parameter: Parameter) -> bool:
    """Return whether a change must be made in step with the other node (claims 20 and 21)."""
    return is_global(parameter)
