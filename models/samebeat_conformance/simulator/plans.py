"""What a seed makes of a run: the cluster, what is asked for, and what goes wrong when.

Runs are of two kinds. In a *storm* anything happens. In a *calm* run delays, losses, drift and slow
operations stay within what is assumed, with settings that leave no room: nobody may be suspected.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from samebeat.config import Transport
from samebeat.parameters import Assumptions, Settings
from samebeat_conformance.simulator.clock import US
from samebeat_conformance.simulator.cluster import Setup
from samebeat_conformance.simulator.disk import Unsynced
from samebeat_conformance.simulator.faults import (
    Ask,
    Crash,
    Cut,
    Happening,
    Pause,
    Rates,
    Restart,
)

STORM_S, CALM_S = 90, 90
CALM_EVERY = 4
"""Each run whose seed is a multiple of this is a calm one."""
DATAGRAMS_EVERY = 3
"""In each run whose seed is a multiple of this, messages go as bare datagrams."""
_SECOND_US = 1_000 * US
_LOSSES, _ACK_LOSSES, _DELAY_MS, _DRIFT_PPM = 1, 1, 100, 500
_SYNC_MS = 5
CALM_RATES = Rates(
    loss=0.15,
    copy=0.05,
    delay=0.30,
    delay_us=(_DELAY_MS - 3 * _SYNC_MS) * US,
    losses_in_a_row=1,
    hangs=0.0,
    sync_us=_SYNC_MS * US,
)


@dataclass(frozen=True)
class Plan:
    """What a run is made of, but for its faults.

    Attributes:
        seed: where it comes from.
        setup: the cluster.
        is_calm: whether nobody may be suspected.
        rates: how often single messages, operations and writes go wrong.
        faults_until_us: how long anything goes wrong.
    """

    seed: int
    setup: Setup
    is_calm: bool
    rates: Rates
    faults_until_us: int


def plan_of(seed: int, size: int) -> Plan:
    """Return the plan that a seed makes for a cluster of this size."""
    calm = seed % CALM_EVERY == 0
    transport = Transport.CHANNEL if seed % DATAGRAMS_EVERY else Transport.DATAGRAMS
    rng = Random(seed)
    names = tuple("abcdefghi"[:size])
    most_ppm = _DRIFT_PPM if calm else 5_000
    drifts = tuple(rng.randint(-most_ppm // 2, most_ppm // 2) for _ in names)
    if not calm:
        setup = Setup(names, drifts_ppm=drifts, transport=transport)
        return Plan(seed, setup, False, Rates(), STORM_S * _SECOND_US)
    assumed = Assumptions(_DELAY_MS, _LOSSES, _ACK_LOSSES, drift_ppm=2 * _DRIFT_PPM)
    start = Settings(receive_send_timer_ratio=None, **tight(2_000))
    setup = Setup(names, start, assumed, drifts, drops_out=frozenset(), transport=transport)
    return Plan(seed, setup, True, CALM_RATES, CALM_S * _SECOND_US)


def tight(interval_ms: int) -> dict[str, int]:
    """Return values that leave no room: a live member may need them all."""
    silent_ms = (_LOSSES + 1) * interval_ms + _DELAY_MS
    return {
        "heartbeat_interval": interval_ms,
        "heartbeat_message_timeout": silent_ms + silent_ms // 1_000 * 2 + 1,
        "heartbeat_failure_threshold": 1,
        "heartbeat_ack_timeout": 2 * _DELAY_MS + 2,
        "heartbeat_ack_failure_threshold": (_LOSSES + 1) * (_ACK_LOSSES + 1),
    }


def happenings(plan: Plan) -> tuple[Happening, ...]:
    """Return what happens in a run, in order of time; what it is follows from the seed."""
    rng = Random(plan.seed + 1)
    names, last_us = plan.setup.names, plan.faults_until_us

    def some_time() -> int:
        return rng.randint(2 * _SECOND_US, last_us - _SECOND_US)

    found: list[Happening] = [
        Ask(some_time(), rng.choice(names), _values(plan, rng)) for _ in range(12)
    ]
    if plan.is_calm:
        return tuple(sorted(found, key=lambda h: h.at_us))
    for _ in range(2 + len(names)):
        at_us = some_time()
        in_write = rng.random() < 0.5
        after = 0 if in_write else rng.choice((0, rng.randint(0, 12)))
        unsynced = rng.choice((Unsynced.LOST, Unsynced.KEPT, Unsynced.TORN))
        name = rng.choice(names)
        found.append(Crash(at_us, name, after, unsynced, rng.randint(0, 999), in_write))
        found.append(Restart(at_us + rng.randint(0, 15 * _SECOND_US), name))
    for _ in range(3):
        at_us = some_time()
        side = frozenset(rng.sample(names, rng.randint(1, len(names) - 1)))
        one = tuple(n for n in names if n in side)
        other = tuple(n for n in names if n not in side)
        until_us = at_us + rng.randint(0, 20 * _SECOND_US)
        found.append(Cut(at_us, until_us, one, other))
        if rng.random() < 0.7:
            found.append(Cut(at_us, until_us, other, one))
    for _ in range(3):
        at_us = some_time()
        found.append(Pause(at_us, at_us + rng.randint(0, 5 * _SECOND_US), rng.choice(names)))
    if rng.random() < 0.3:
        found.append(Crash(some_time(), rng.choice(names), 0, Unsynced.WIPED))
    return tuple(sorted(found, key=lambda h: h.at_us))


def _values(plan: Plan, rng: Random) -> tuple[tuple[str, int | float | None], ...]:
    """Return the values of a change: what is asked for at random, or leaves no room."""
    if plan.is_calm:
        return tuple(tight(rng.choice((1_000, 2_000, 3_000, 6_000))).items())
    return rng.choice(
        (
            (("heartbeat_interval", rng.choice((500, 1_500, 2_000, 3_000))),),
            (("heartbeat_failure_threshold", rng.randint(2, 4)),),
            (("receive_send_timer_ratio", rng.choice((2.0, 2.5))),),
            (("heartbeat_interval", 700), ("heartbeat_ack_timeout", rng.randint(600, 1_500))),
        )
    )
