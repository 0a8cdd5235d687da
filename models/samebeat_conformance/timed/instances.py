"""The clusters with clocks on which the core is held against `heartbeat` and `timed_cluster`.

There are two members and one change of the heartbeat interval and the deadline. Both specs are
about the same cores: `timed_cluster` says all of it, `heartbeat` what the watched direction sees.
There the two are part of a larger group; the rest of it is one member, which the explorer plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from samebeat.config import Config, Transport
from samebeat.parameters import Assumptions, Settings
from samebeat_conformance.instances import group_change
from samebeat_conformance.timed.nodes import TICK_MS, Clocks
from samebeat_spec.language import Instance
from samebeat_spec.specs import load_spec

NAMES = ("n1", "n2")
THIRD = "n0"
"""A member without a core, where the spec is about two nodes of a larger group."""
COMPOSITION = "timed_cluster"
"""The spec of the whole."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Listed:
    """Two members that ``samebeat conform`` explores in time.

    Attributes:
        name: what it is called.
        about: what is looked at, in a sentence.
        spec: `heartbeat` or `timed_cluster`.
        intervals: T before and after the change, in ticks.
        deadlines: D before and after, in ticks.
        tolerated: how many heartbeats may be lost in a row.
        clocked: whose heartbeats have clocks.
        stops: the first may stop for good at any time.
        fast: it takes seconds.
        full: each core may hear each datagram at any time.
        delay: the largest delay of a heartbeat, in ticks.
        policy: who acts when, in `heartbeat`.
    """

    name: str
    about: str
    spec: str
    intervals: tuple[int, int]
    deadlines: tuple[int, int]
    tolerated: int = 0
    clocked: tuple[str, ...] = ("n1",)
    stops: bool = False
    fast: bool = False
    full: bool = True
    delay: int = 1
    policy: str = "ENVELOPE"

    @property
    def has_third(self) -> bool:
        """A third member takes part in the change, and may make it fail at any time."""
        return self.spec == "heartbeat"

    @property
    def members(self) -> tuple[str, ...]:
        """The names of all members."""
        return (THIRD, *NAMES) if self.has_third else NAMES

    @property
    def longest(self) -> int:
        """No clock counts further, in ticks."""
        return max(self.deadlines) + 1

    @property
    def instance(self) -> Instance:
        """The instance of the spec."""
        given = self._pair() if self.spec == "heartbeat" else self._composition()
        sizes, constants = given
        return Instance(self.name, load_spec(self.spec), sizes, constants)

    def _pair(self) -> tuple[dict[str, int], dict[str, Any]]:
        """The rules of the core: those that `watching_refinements` has for a watched member."""
        return {"Change": 2, "Ticks": self.longest + self.delay + 1}, {
            "interval_ticks": dict(zip("01", self.intervals, strict=True)),
            "deadline_ticks": dict(zip("01", self.deadlines, strict=True)),
            "drift_ticks": {"0": 0, "1": 0},
            "delay_ticks": self.delay,
            "tolerated": self.tolerated,
            "policy": self.policy,
            "rearming": "SHIFT",
            "second_rearms": True,
            "announced": True,
            "bounded_acks": False,
            "ack_delay_ticks": 0,
            "may_fail": True,
            "crashes_early": self.stops,
            "states_requests": False,
            "values_count": True,
        }

    def _composition(self) -> tuple[dict[str, int], dict[str, Any]]:
        one_view = group_change(2, 1)
        sizes = {s: n for s, n in one_view.sizes.items() if isinstance(n, int)}
        sizes["Ticks"] = self.longest + 1
        return sizes, {
            **one_view.constants,
            "watcher": {"n1": "n2", "n2": "n1"},
            "clocked": list(self.clocked),
            "interval_ticks": dict(zip(("v1", "v2"), self.intervals, strict=True)),
            "deadline_ticks": dict(zip(("v1", "v2"), self.deadlines, strict=True)),
            "delay_ticks": self.delay,
            "tolerated": self.tolerated,
            "bounded_rounds": False,
            "round_ticks": 0,
            "envelope": True,
            "values_count": True,
        }

    def settings(self, which: int) -> Settings:
        """Return the values before (0) or after (1) the change, a tick being ``TICK_MS``."""
        return Settings(
            heartbeat_interval=self.intervals[which] * TICK_MS,
            heartbeat_message_timeout=self.deadlines[which] * TICK_MS,
            receive_send_timer_ratio=None,
            heartbeat_failure_threshold=1,
            heartbeat_ack_timeout=_HOUR_MS,
            heartbeat_ack_failure_threshold=1_000,
            message_retry_timer=_HOUR_MS,
            maximum_message_retry_time=_HOUR_MS,
        )

    def config(self, name: str) -> Config:
        """Return the configuration of a node: on bare datagrams, and nothing else has a clock."""
        return Config(
            "test",
            name,
            self.members,
            start=self.settings(0),
            assumed=Assumptions(delay_ms=self.delay * TICK_MS, losses=self.tolerated),
            watchdog_ms=_HOUR_MS,
            view_timeout_ms=_HOUR_MS,
            transport=Transport.DATAGRAMS,
        )

    def clocks(self, n: int) -> Clocks:
        """Return which clocks a node has."""
        sends, watches = (NAMES[i] in self.clocked for i in (n, 1 - n))
        return Clocks(sends, watches, self.longest * TICK_MS)

    @property
    def askers(self) -> tuple[int, ...]:
        """Who may ask for the change: in the pair, where the first asks, that one."""
        return (0,) if self.spec == "heartbeat" else (0, 1)


LISTED = (
    Listed("pair-raises", "A pair: T 2 -> 3, D 5 -> 7 ticks.", "heartbeat", (2, 3), (5, 7),
           tolerated=1),
    Listed("pair-lowers", "A pair: T 3 -> 2, D 7 -> 5 ticks.", "heartbeat", (3, 2), (7, 5),
           tolerated=1),
    Listed("pair-stops", "A pair whose first may stop at any time: T 2 -> 3, D 3 -> 4 ticks.",
           "heartbeat", (2, 3), (3, 4), stops=True),
    Listed("composed-raises", "The whole: T 2 -> 4, D 3 -> 5 ticks.", COMPOSITION, (2, 4), (3, 5),
           fast=True),
    Listed("composed-lowers", "The whole: T 4 -> 2, D 9 -> 5 ticks.", COMPOSITION, (4, 2), (9, 5),
           tolerated=1),
    Listed("composed-both", "Heartbeats of both have clocks: T 2 -> 4, D 3 -> 5 ticks.",
           COMPOSITION, (2, 4), (3, 5), clocked=("n1", "n2")),
    Listed("composed-both-lowers", "Heartbeats of both have clocks: T 4 -> 2, D 5 -> 3 ticks.",
           COMPOSITION, (4, 2), (5, 3), clocked=("n1", "n2")),
)  # fmt: skip


def find(name: str) -> Listed:
    """Return a listed pair.

    Raises:
        KeyError: there is none of that name.
    """
    return {listed.name: listed for listed in LISTED}[name]
