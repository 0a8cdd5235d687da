"""Advice on many small wishes, held against every run of the timed models."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import lcm
from random import Random
from typing import Any

import pytest

from samebeat_models.advice.judgement import Advice, Deferral, Verdict
from samebeat_models.advice.run import PROPERTY
from samebeat_models.advice.wish import Wish
from samebeat_models.catalog import Model
from samebeat_models.explorer import explore
from samebeat_spec.acks import Misses
from samebeat_spec.combinations import Move, Settings, steady
from samebeat_spec.parameters import CONSTRAINTS, DEADLINE, Number
from samebeat_spec.specs import load_spec

INTERVAL, TIMEOUT, THRESHOLD, RATIO = (
    "heartbeat_interval",
    "heartbeat_message_timeout",
    "heartbeat_failure_threshold",
    "receive_send_timer_ratio",
)
ACK_TIMEOUT, ACK_THRESHOLD = "heartbeat_ack_timeout", "heartbeat_ack_failure_threshold"
DRIFTS: tuple[Number, ...] = (0, 0, Fraction(1, 2))
(IN_TIME,) = (c for c in CONSTRAINTS if c.name == "ack_in_time")


def advice_on(now: Settings, then: Settings, network: Mapping[str, Number]) -> Advice:
    """Return the advice on the change from one to the other."""
    gone = dict.fromkeys(now.keys() - then.keys())
    changed = {n: x for n, x in then.items() if now.get(n) != x} or {INTERVAL: then[INTERVAL]}
    wish = Wish(now, {**gone, **changed}, network)
    wish.check()
    return Advice(wish)


def harmful(spec: str, sizes: dict[str, int | tuple[int, int]], constants: dict[str, Any]) -> bool:
    """Return whether a live node is suspected in some run."""
    model = Model(name="wish", spec=spec, sizes=sizes, constants=constants)
    found = explore(model.instance(load_spec(spec)))
    broken = {f.property for f in found.violated()}
    assert broken <= {PROPERTY}
    assert found.exhaustive or broken
    return bool(broken)


# --- heartbeats -----------------------------------------------------------------------------------


def heartbeat_wishes(seed: int, count: int) -> Iterator[Advice]:
    """Yield wishes for heartbeats that the timed pair has room for."""
    random = Random(seed)

    def settings() -> dict[str, Number]:
        interval, threshold = random.randint(1, 4), random.randint(1, 3)
        found: dict[str, Number] = {INTERVAL: interval, THRESHOLD: threshold}
        if random.random() < 0.3:
            ratios: list[Number] = [1, Fraction(3, 2), 2, 3]
            return {**found, RATIO: random.choice(ratios)}
        return {**found, TIMEOUT: random.randint(1, 12 // threshold)}

    while count:
        network: dict[str, Number] = {
            "losses": random.randint(0, 2),
            "delay": random.randint(0, 2),
            "drift": random.choice(DRIFTS),
        }
        now, then = settings(), settings()
        if random.random() < 0.5:
            same = random.choice([INTERVAL, THRESHOLD])
            then[same] = now[same]
        advice = advice_on(now, then, network)
        t = min(now[INTERVAL], then[INTERVAL])
        if advice.verdict is Verdict.REPAIRS or network["delay"] * (1 + network["drift"]) >= 2 * t:
            continue
        count -= 1
        yield advice


def policies(advice: Advice) -> tuple[str, ...]:
    """Return who goes first, in each order that is advised; the envelope is always one of them."""
    if advice.deferral is Deferral.NOT_NEEDED:
        return ("SECOND_FIRST", "FIRST_FIRST")
    if advice.deferral is Deferral.ENOUGH:
        return ("SECOND_FIRST", "SECOND_ENVELOPE")
    if advice.deferral is Deferral.NOT_ENOUGH:
        assert advice.stages[0].move is Move.FIRST
        return ("FIRST_FIRST", "SECOND_ENVELOPE")
    return ("SECOND_ENVELOPE",)


def is_harmful(advice: Advice, policy: str, rearming: str, announced: bool) -> bool:
    drift = advice.assumptions.drift
    both = [steady(s, advice.assumptions) for s in (advice.now, advice.then)]
    intervals = [Fraction(s[INTERVAL]) for s in (advice.now, advice.then)]
    deadlines = [Fraction(DEADLINE.evaluate(values)) for values in both]
    drifts = [Fraction(t * drift) for t in intervals]
    delay = Fraction(advice.assumptions.delay * (1 + drift))
    ticks = lcm(*(x.denominator for x in (*deadlines, *drifts, delay)))

    def scaled(values: list[Fraction]) -> dict[str, int]:
        return {str(i): int(x * ticks) for i, x in enumerate(values)}

    longest = max(*(t + d for t, d in zip(intervals, drifts, strict=True)), *deadlines)
    return harmful(
        "heartbeat",
        {"Change": 2, "Ticks": int((longest + delay) * ticks) + 2},
        {
            "interval_ticks": scaled(intervals),
            "deadline_ticks": scaled(deadlines),
            "drift_ticks": scaled(drifts),
            "delay_ticks": int(delay * ticks),
            "tolerated": advice.assumptions.losses,
            "policy": policy,
            "rearming": rearming,
            "second_rearms": True,
            "announced": announced,
            "bounded_acks": False,
            "ack_delay_ticks": 0,
            **dict.fromkeys(("may_fail", "crashes_early", "states_requests"), False),
            "values_count": False,
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_wish_for_heartbeats_is_safe_in_the_order_that_is_advised_and_else_harmful(seed):
    """Claims 19, 20 and 3.combinations. What is unsafe does harm even with the envelope."""
    random = Random(seed)
    for advice in heartbeat_wishes(seed, 12):
        announced, rearming = random.random() < 0.5, random.choice(["SHIFT", "KEEP"])
        for policy in policies(advice):
            found = is_harmful(advice, policy, rearming, announced)
            assert found == (not advice.safe), (advice.wish, policy, rearming, announced)


# --- acks -----------------------------------------------------------------------------------------


def ack_wishes(seed: int, count: int) -> Iterator[Advice]:
    """Yield wishes for acks that their timed model has room for; heartbeats are safe in all."""
    random = Random(seed)

    def settings() -> dict[str, Number]:
        interval = random.randint(3, 5)
        return {
            INTERVAL: interval,
            ACK_TIMEOUT: random.randint(1, 2 * interval - 2),
            ACK_THRESHOLD: random.randint(1, max(Misses.bounds or ())),
            TIMEOUT: 1000,
            THRESHOLD: 1,
        }

    while count:
        network: dict[str, Number] = {
            "losses": random.randint(0, 1),
            "ack_losses": random.randint(0, 1),
            "delay": random.randint(0, 2),
            "processing": random.randint(0, 1),
            "drift": random.choice(DRIFTS),
        }
        now, then = settings(), settings()
        shortest = min(now[INTERVAL], then[INTERVAL])
        wait = max(now[ACK_TIMEOUT], then[ACK_TIMEOUT])
        advice = advice_on(now, then, network)
        trip = IN_TIME.small.evaluate(steady(now, advice.assumptions))
        if wait + 2 > 2 * shortest or trip >= 2 * shortest or advice.verdict is Verdict.REPAIRS:
            continue
        count -= 1
        yield advice


def acks_are_harmful(advice: Advice, values: list[Settings], policy: str, timer: str) -> bool:
    known = steady(advice.now, advice.assumptions)
    trip = Fraction(IN_TIME.small.evaluate(known))
    delay = Fraction(advice.assumptions.delay * (1 + advice.assumptions.drift))
    ticks = lcm(trip.denominator, delay.denominator)

    def each(name: str, by: int = ticks) -> dict[str, int]:
        return {str(i): int(s[name] * by) for i, s in enumerate(values)}

    interval, wait, threshold = each(INTERVAL), each(ACK_TIMEOUT), each(ACK_THRESHOLD, 1)
    size = max(threshold.values()) * max(interval.values()) + max(wait.values()) + 3
    return harmful(
        "acks",
        {"Values": len(values), "Ticks": size},
        {
            "interval_ticks": interval,
            "wait_ticks": wait,
            "threshold": threshold,
            "tolerated": advice.assumptions.unacked,
            "round_trip_ticks": int(trip * ticks),
            "delay_ticks": int(delay * ticks),
            "watch": "COUNT",
            "policy": policy,
            "send_timer": timer,
            "settles_older": True,
            "any_order": True,
            "crashes_early": True,
            **dict.fromkeys(("clamps", "values_count"), False),
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_wish_for_acks_that_is_safe_does_no_harm_in_any_order(seed):
    """Claim 3.combinations: losses of heartbeats and of acks, late acks and a drift at once."""
    random = Random(seed)
    safe = [a for a in ack_wishes(seed, 120) if a.safe and not a.broken_beside][:6]
    assert safe
    for advice in safe:
        policy, timer = random.choice(["LEAVE", "FOLLOW"]), random.choice(["KEEP", "SHIFT"])
        both = [advice.now, advice.then]
        assert not acks_are_harmful(advice, both, policy, timer), (advice.wish, policy, timer)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_wish_for_acks_that_is_unsafe_does_harm_but_at_the_edge_that_is_known(seed):
    """Decision 0013: with so long a time-out, a later ack comes before the last miss."""
    unsafe = [a for a in ack_wishes(seed, 40) if not a.safe][:6]
    assert unsafe
    for advice in unsafe:
        if not acks_are_harmful(advice, [advice.then], "FOLLOW", "KEEP"):
            trip = IN_TIME.small.evaluate(steady(advice.then, advice.assumptions))
            assert advice.then[ACK_THRESHOLD] == advice.assumptions.unacked
            assert advice.then[ACK_TIMEOUT] >= advice.then[INTERVAL] + trip
