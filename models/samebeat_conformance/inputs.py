"""What can happen to one node of a cluster of cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from samebeat.parameters import Settings


@dataclass(frozen=True)
class Ask:
    """The host asks for a change to these settings."""

    settings: Settings


@dataclass(frozen=True)
class Deliver:
    """A datagram arrives."""

    source: str
    data: bytes


@dataclass(frozen=True)
class Beat:
    """A heartbeat or a request to join arrives: it is answered.

    What else it leads to is forgotten, and is an input of its own.
    """

    source: str
    data: bytes


@dataclass(frozen=True)
class Finish:
    """The local operation that runs is over."""

    success: bool


@dataclass(frozen=True)
class Persisted:
    """The journal of an apply is durable, and what waits for it is sent."""


@dataclass(frozen=True)
class OneStep:
    """A core that takes one step at a time takes one that it may take now, by its place."""

    place: int


@dataclass(frozen=True)
class Hang:
    """The local operation takes too long: the watchdog gives it up."""


@dataclass(frozen=True)
class FinishLate:
    """An operation that was given up is over after all."""

    success: bool = True


@dataclass(frozen=True)
class Leave:
    """The next ok leaves."""


@dataclass(frozen=True)
class Lose:
    """The next ok is lost before it leaves."""


@dataclass(frozen=True)
class Tick:
    """The retry timer runs out."""


@dataclass(frozen=True)
class Propose:
    """The node suspects who is not among these members and is asked to let in who is new.

    Both come from heartbeats, whose deadlines pass here as the explorer likes.
    """

    members: tuple[str, ...]


@dataclass(frozen=True)
class Crash:
    """The node stops; its journal stays, and an ok that has not left is lost.

    Attributes:
        during: the input whose effects it is carrying out; None: it is idle.
        sends: how many of the datagrams of that input have left. Its journal is durable: a crash
            before that is a crash before the input.
    """

    during: Ask | Deliver | Finish | FinishLate | Hang | OneStep | Propose | None = None
    sends: int = 0


@dataclass(frozen=True)
class Recover:
    """The node comes back with its journal, and begins to restore its settings."""


Input: TypeAlias = (
    Ask
    | Beat
    | Crash
    | Deliver
    | Finish
    | FinishLate
    | Hang
    | Leave
    | Lose
    | OneStep
    | Persisted
    | Propose
    | Recover
    | Tick
)
