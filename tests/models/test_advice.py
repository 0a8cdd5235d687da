"""Advice: what the registry answers to a wish, and runs of the timed pair that show the harm."""

from collections.abc import Mapping
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebeat_models.advice.harm import harms
from samebeat_models.advice.heartbeat_harm import LITERAL, NO_ORDER, NOW, WANT
from samebeat_models.advice.judgement import Advice, Deferral, Verdict, keeps_itself, unit_of
from samebeat_models.advice.run import PROPERTY
from samebeat_models.advice.stories import story
from samebeat_models.advice.wish import ASSUMED, Wish
from samebeat_models.advice.words import WHAT_GOES_WRONG, formula, headline, lines
from samebeat_models.explorer import explore
from samebeat_models.replay import replay_trace
from samebeat_models.times import step_times
from samebeat_spec.combinations import Combination, Move, Settings, steady
from samebeat_spec.parameters import BY_NAME, CONSTRAINTS, PARAMETERS, SAFE, Assumptions, Number
from samebeat_spec.specs import load_spec

INTERVAL, TIMEOUT, THRESHOLD, RATIO = (
    "heartbeat_interval",
    "heartbeat_message_timeout",
    "heartbeat_failure_threshold",
    "receive_send_timer_ratio",
)
WINDOW, QUEUE, RETRY, RETRY_TIME = (
    "message_send_window",
    "send_queue_overflow_threshold",
    "message_retry_timer",
    "maximum_message_retry_time",
)


def pair(
    intervals: tuple[int, int], deadlines: tuple[int, int], losses: int = 0, delay: int = 0, **more
) -> Advice:
    """Return the advice on a change of both values of a pair, given in ticks of a second."""
    (old, new), (before, after) = intervals, deadlines
    wish = Wish(
        {INTERVAL: old * 1000, TIMEOUT: before * 1000, THRESHOLD: 1},
        {INTERVAL: new * 1000, TIMEOUT: after * 1000},
        {"losses": losses, "delay": delay * 1000, **more},
    )
    wish.check()
    return Advice(wish)


def wish(now: Settings, want: Mapping[str, Number | None], **network: Number) -> Advice:
    found = Wish(now, want, network)
    found.check()
    return Advice(found)


REAL = {INTERVAL: 1000, TIMEOUT: 2000, THRESHOLD: 3}


# --- our published examples -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intervals", "deadlines", "losses", "delay", "short", "passes", "lost"),
    [
        ((6, 2), (13, 5), 1, 1, 8, 5, 0),
        ((4, 3), (9, 7), 1, 1, 2, 7, 1),
        ((3, 1), (4, 2), 0, 0, 1, 2, 0),
        ((7, 2), (21, 6), 1, 1, 9, 6, 0),
    ],
)
def test_lowering_is_safe_in_the_derived_order_and_harmful_in_that_of_the_claims(
    intervals, deadlines, losses, delay, short, passes, lost
):
    """Note C1, claim 19(b): the inequality between, and the suspicion after the new deadline."""
    advice = pair(intervals, deadlines, losses, delay)
    assert advice.verdict is Verdict.SAFE
    assert advice.deferral is Deferral.NOT_ENOUGH
    assert [s.move for s in advice.stages] == [Move.FIRST, Move.SECOND]
    worst = advice.literal.worst
    assert worst is not None
    assert worst.constraint is SAFE
    assert worst.margin == -1000 * short
    harm = harms(advice)[LITERAL.name]
    assert harm.trace is not None
    assert not harm.rounded
    assert step_times(harm.trace)[len(harm.trace.steps)] * harm.tick_ms == 1000 * passes
    assert sum("which is lost" in line for line in story(harm)) == lost


def test_raising_is_safe_as_the_claims_have_it_and_harmful_with_the_first_node_first():
    """Note C1: 2 -> 6."""
    advice = pair((2, 6), (5, 13), 1, 1)
    assert (advice.verdict, advice.deferral) == (Verdict.SAFE, Deferral.ENOUGH)
    assert advice.literal.safe
    assert not advice.no_order.safe
    (harm,) = harms(advice).values()
    assert harm.case is NO_ORDER
    assert story(harm)[-1].startswith("5000 ms")


def test_values_with_room_to_spare_switch_in_any_order():
    advice = wish(REAL, {INTERVAL: 250}, delay=50, losses=2, drift=Fraction(1, 100))
    assert (advice.verdict, advice.deferral) == (Verdict.SAFE, Deferral.NOT_NEEDED)
    assert advice.decides.margin == 6000 - (3 * 250 + 50) * Fraction(101, 100)
    assert harms(advice) == {}


def test_an_unsafe_wish_is_told_by_how_much_and_what_would_do():
    advice = wish(REAL, {INTERVAL: 2500}, delay=50, losses=2, drift=Fraction(1, 100))
    assert (advice.verdict, advice.deferral) == (Verdict.UNSAFE, Deferral.NO_ORDER_HELPS)
    assert (
        headline(advice) == "UNSAFE by 1625.5 ms: a live node may be suspected (constraint `safe`)."
    )
    assert advice.nearest == {INTERVAL: 1963}
    (harm,) = harms(advice).values()
    assert harm.case is WANT
    assert harm.trace is not None


def test_present_values_that_are_unsafe_are_said_to_be_and_may_be_repaired():
    now = {INTERVAL: 1000, TIMEOUT: 1000, THRESHOLD: 3}
    advice = wish(now, {THRESHOLD: 4}, delay=50, losses=2)
    assert advice.verdict is Verdict.REPAIRS
    assert "The present values are UNSAFE" in headline(advice)
    (harm,) = harms(advice).values()
    assert harm.case is NOW
    worse = wish(now, {THRESHOLD: 2}, delay=50, losses=2)
    assert set(harms(worse)) == {"now", "want"}
    assert "The present values are UNSAFE too." in lines(worse, harms(worse))


def test_a_change_that_mends_one_constraint_is_not_held_up_by_one_that_it_does_not_touch():
    now = {**REAL, "heartbeat_ack_timeout": 10}
    advice = wish(now, {INTERVAL: 500}, delay=50)
    assert advice.verdict is Verdict.SAFE
    (beside,) = advice.broken_beside
    assert beside.constraint.name == "ack_in_time"
    assert any("the present values break ack_in_time" in x for x in lines(advice, {}))


# --- other parameters -----------------------------------------------------------------------------


def test_a_local_parameter_needs_no_other_node():
    """Claims 20 and 21."""
    advice = wish({RETRY: 500, RETRY_TIME: 10_000}, {RETRY: 800}, delay=100)
    assert (advice.verdict, advice.deferral) == (Verdict.SAFE, Deferral.LOCAL)
    assert [s.move for s in advice.stages] == [Move.FIRST]


def test_a_wish_without_a_timed_model_has_an_inequality_and_no_trace():
    advice = wish({RETRY: 500, RETRY_TIME: 10_000}, {RETRY: 12_000}, delay=100)
    assert advice.decides.constraint.name == "one_retry_at_least"
    assert advice.nearest == {RETRY: 10_000}
    (harm,) = harms(advice).values()
    assert harm.trace is None
    assert harm.reason == "there is no timed model of one_retry_at_least here"


def test_a_smaller_window_waits_until_what_is_under_way_has_drained():
    advice = wish({WINDOW: 16}, {WINDOW: 8})
    assert [s.move for s in advice.stages] == [Move.FIRST, Move.DRAIN, Move.SECOND]
    assert advice.deferral is Deferral.NOT_ENOUGH
    worst = advice.literal.worst
    assert worst is not None
    assert (worst.constraint.name, int(worst.margin)) == ("unacked_fit", -8)


def test_a_queue_that_gets_shorter_waits_for_itself_alone():
    """Claims 20 and 21: there is no order of two nodes to speak of."""
    advice = wish({QUEUE: 1000}, {QUEUE: 10})
    assert (advice.deferral, [s.move for s in advice.stages]) == (
        Deferral.LOCAL,
        [Move.DRAIN, Move.FIRST],
    )
    said = lines(advice, harms(advice), traces=True)
    at = said.index("Without waiting for the drain it is UNSAFE.")
    assert said[at + 1] == "  once the first node has switched (constraint `nothing_purged`):"
    assert not any("all have" in x or "claims' own order" in x for x in said)


def test_what_the_second_node_remembers_grows_with_the_drift_by_definition():
    drift = Fraction(1, 100)
    now = {RETRY: 500, RETRY_TIME: 10_000}
    advice = wish(now, {RETRY_TIME: 20_000}, delay=50, drift=drift)
    assert advice.verdict is Verdict.SAFE
    said = "  derived: the second node must remember a message for (20000 + 50) * (0.01 + 1)"
    assert any(x.startswith(f"{said} = 20250.5 ms") for x in lines(advice, {}))
    (worst,) = {j.margin for j in [advice.no_order.worst] if j is not None}
    assert worst == -10_000 * (1 + drift)


def test_a_threshold_is_lowered_without_a_counter_to_cut():
    """Decision 0007: a deadline counts from the last heartbeat, and SAFE is all it needs."""
    advice = wish(REAL, {THRESHOLD: 2}, losses=2)
    assert (advice.verdict, advice.deferral) == (Verdict.SAFE, Deferral.NOT_NEEDED)
    assert [(s.move, advice.recounts(i)) for i, s in enumerate(advice.stages)] == [
        (Move.SECOND, True)
    ]
    assert headline(advice) == "SAFE, in any order, 1000 ms to spare."


def test_a_combination_is_judged_as_one():
    """Claim 3.combinations."""
    parts = {INTERVAL: 2_500, THRESHOLD: 4}
    assert not wish(REAL, {INTERVAL: 2_500}, losses=2).safe
    assert wish(REAL, parts, losses=2).safe
    unsafe = wish(REAL, {INTERVAL: 2_500, THRESHOLD: 2}, losses=2)
    assert unsafe.nearest == {INTERVAL: 1_333, THRESHOLD: 4}


def test_a_time_out_gives_way_to_a_ratio():
    want: dict[str, Number | None] = {TIMEOUT: None, RATIO: 1, THRESHOLD: 2}
    unsafe = wish(REAL, want, losses=2)
    assert not unsafe.safe
    assert unsafe.nearest == {RATIO: Fraction(3, 2), THRESHOLD: 3}
    assert wish(REAL, {**want, RATIO: Fraction(3, 2)}, losses=2).safe


# --- the nearest safe value -----------------------------------------------------------------------

SMALL = st.integers(1, 12)


@given(st.data())
def test_the_nearest_safe_value_is_safe_and_its_neighbour_is_not(data):
    now = {INTERVAL: data.draw(SMALL), TIMEOUT: data.draw(SMALL), THRESHOLD: data.draw(SMALL)}
    name = data.draw(st.sampled_from([INTERVAL, TIMEOUT, THRESHOLD]))
    assumed = Assumptions(
        delay=data.draw(st.integers(0, 5)),
        losses=data.draw(st.integers(0, 3)),
        drift=Fraction(data.draw(st.integers(0, 20)), 100),
    )
    wished = data.draw(SMALL)
    change = Combination({name: wished})
    near = change.nearest(name, now, assumed)

    def safe(x: Number) -> bool:
        values = steady({**now, name: x}, assumed)
        return all(c.holds(values) for c in change.touched())

    if safe(wished):
        assert near == wished
    elif near is None:
        assert not any(safe(x) for x in (BY_NAME[name].low, BY_NAME[name].high))
    else:
        towards = 1 if wished > near else -1
        assert safe(int(near))
        assert not safe(int(near) + towards)


def test_there_may_be_no_safe_value():
    advice = wish({INTERVAL: 1, TIMEOUT: 9, THRESHOLD: 1}, {INTERVAL: 2}, delay=9)
    assert advice.nearest == {INTERVAL: None}
    assert "  heartbeat_interval: none in its range (wished: 2)" in lines(advice, {})


def test_a_ratio_is_proposed_with_three_decimals_to_the_safe_side():
    now = {INTERVAL: 7, RATIO: 2, THRESHOLD: 1}
    assert wish(now, {RATIO: 1}, delay=1).nearest == {RATIO: Fraction(1_143, 1_000)}


# --- the way, by brute force ----------------------------------------------------------------------


@pytest.mark.slow
@given(st.data())
def test_a_wish_whose_new_values_are_safe_is_never_worse_than_the_present_on_the_way(data):
    unset = data.draw(st.sampled_from([TIMEOUT, RATIO]))
    names = [p.name for p in PARAMETERS if p.name != unset]

    def settings() -> dict[str, Number]:
        return {n: BY_NAME[n].low + data.draw(st.integers(0, 8)) for n in names}

    network = {n: data.draw(st.integers(0, 2)) for n in ASSUMED if n != "drift"}
    advice = wish(settings(), settings(), **network)
    assert advice.safe == all(j.holds for j in advice.new)
    assert advice.safe == (not advice.wish.change.problems(advice.now, advice.assumptions))


# --- harm, held against the explorer --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("intervals", [(2, 3), (3, 2)])
@pytest.mark.parametrize("losses", [0, 1, 2])
@pytest.mark.parametrize("slack", [(0, 0), (1, 1), (0, -1), (-1, 0)])
def test_a_run_does_harm_exactly_where_the_explorer_finds_some(intervals, losses, slack):
    t = intervals
    deadlines = tuple((losses + 1) * x + 1 + more for x, more in zip(t, slack, strict=True))
    advice = pair(t, (deadlines[0], deadlines[1]), losses, 1)
    found = harms(advice)
    for harm in found.values():
        assert harm.trace is not None
        assert harm.model is not None
        broken = explore(harm.model.instance(load_spec("heartbeat"))).violated()
        assert {f.property for f in broken} == {PROPERTY}
        assert broken[0].depth is not None
        assert broken[0].depth <= len(harm.trace.steps)
    assert bool(found) == (not advice.safe or not advice.no_order.safe or slack[0] < 0)


@pytest.mark.slow
@pytest.mark.parametrize("intervals", [(2, 4), (4, 2)])
@pytest.mark.parametrize(("losses", "drift"), [(0, 0), (1, 0), (0, Fraction(1, 2))])
def test_the_order_that_is_advised_and_the_envelope_do_no_harm(intervals, losses, drift):
    """The same numbers as in the run that does harm, with another rule for who goes first."""
    gaps = tuple(int(((losses + 1) * t + 2) * (1 + drift)) for t in intervals)
    advice = pair(intervals, (gaps[0], gaps[1]), losses, 2, drift=drift)
    (harm,) = harms(advice).values()
    assert harm.model is not None
    assert not harm.rounded
    first = advice.stages[0].move is Move.FIRST
    for policy in ("FIRST_FIRST" if first else "SECOND_FIRST", "SECOND_ENVELOPE"):
        constants = {**harm.model.constants, "policy": policy}
        other = msgspec.structs.replace(harm.model, constants=constants)
        found = explore(other.instance(load_spec("heartbeat")))
        assert found.exhaustive
        assert not found.violated()


@pytest.mark.parametrize("losses", [0, 1, 2, 3, 5])
def test_every_step_of_a_run_is_one_of_the_spec_and_only_the_last_does_harm(losses):
    advice = pair((6, 2), ((losses + 1) * 6 + 1, (losses + 1) * 2 + 1), losses, 1)
    (harm,) = harms(advice).values()
    assert harm.trace is not None
    result = replay_trace(harm.trace)
    assert (result.refusal, result.accepted) == (None, len(harm.trace.steps))
    assert result.broken == {PROPERTY: len(harm.trace.steps)}
    assert ("losses in a row 5 -> 3" in harm.rounded) == (losses == 5)


def test_numbers_that_take_too_many_ticks_are_rounded_so_that_the_true_ones_are_worse():
    advice = wish(
        {INTERVAL: 1000, TIMEOUT: 4000, THRESHOLD: 1},
        {INTERVAL: 1500},
        delay=50,
        losses=2,
        drift=Fraction(1, 100),
    )
    (harm,) = harms(advice).values()
    assert harm.tick_ms == 500
    assert harm.rounded == (
        "delay with drift 50.5 -> 0 ms",
        "drift of an interval 10 -> 0 ms",
        "drift of an interval 15 -> 0 ms",
    )


def test_a_drift_that_alone_decides_is_not_rounded_away():
    now = {INTERVAL: 100, TIMEOUT: 500, THRESHOLD: 1}
    advice = wish(now, {TIMEOUT: 305}, losses=2, drift=Fraction(1, 50))
    assert advice.decides.margin == -1
    (harm,) = harms(advice).values()
    assert harm.tick_ms == 1
    assert not harm.rounded


@pytest.mark.parametrize(
    ("interval", "rounded"), [(2500, ()), (2501, ("interval 2501 -> 2500 ms",))]
)
def test_intervals_are_rounded_down_only_where_no_exact_run_fits(interval, rounded):
    (harm,) = harms(wish(REAL, {INTERVAL: interval}, losses=2)).values()
    assert harm.trace is not None
    assert harm.tick_ms == 500
    assert harm.rounded == rounded


@pytest.mark.parametrize(
    ("values", "network", "reason"),
    [
        ((100, 200, 900), {"losses": 5, "delay": 10}, "has at most 3 losses in a row, and that is"),
        ((5, 10, 50), {"delay": 100}, "has two heartbeats on their way at once"),
        ((4996, 5003, 5014), {"delay": 12}, "counts up to 4,096 ticks"),
    ],
)
def test_the_bound_that_leaves_no_room_for_a_trace_is_named(values, network, reason):
    old, new, deadline = values
    (harm,) = (
        harm
        for name, harm in harms(
            wish({INTERVAL: old, TIMEOUT: deadline, THRESHOLD: 1}, {INTERVAL: new}, **network)
        ).items()
        if name == "want"
    )
    assert harm.trace is None
    assert reason in harm.reason


def test_no_trace_is_claimed_where_the_ticks_do_not_suffice():
    now = {INTERVAL: 60_000, TIMEOUT: 200_000, THRESHOLD: 1}
    advice = wish(now, {TIMEOUT: 180_049}, delay=50, losses=2)
    (harm,) = harms(advice).values()
    assert harm.trace is None
    assert "counts up to 4,096 ticks" in harm.reason
    assert lines(advice, {"want": harm})[-2].startswith("No trace of the new values")


# --- words ----------------------------------------------------------------------------------------


def test_every_constraint_can_be_written_and_has_a_unit():
    settings = {p.name: 64 for p in PARAMETERS if p.name != RATIO}
    values = steady(settings, Assumptions())
    for c in CONSTRAINTS:
        for side in (c.large, c.small):
            assert formula(side, values, numbers=False)
            assert eval(formula(side, values, numbers=True)) == side.evaluate(values)
        assert unit_of(c) in {p.unit for p in PARAMETERS}


def test_of_every_constraint_it_can_be_said_what_goes_wrong():
    assert set(WHAT_GOES_WRONG) == {c.name for c in CONSTRAINTS}


def test_constraints_that_compare_a_parameter_with_itself_are_about_the_order():
    assert {c.name for c in CONSTRAINTS if not keeps_itself(c)} == {
        "safe",
        "ack_in_time",
        "ack_losses_tolerated",
        "no_early_retry",
        "one_retry_at_least",
    }


def test_an_answer_without_traces_fits_a_screen():
    for advice in (pair((6, 2), (13, 5), 1, 1), pair((2, 6), (5, 13), 1, 1)):
        text = lines(advice, harms(advice))
        assert len(text) <= 30
        assert max(map(len, text)) <= 110


def test_a_wish_for_what_is_there_already_changes_nothing():
    advice = wish(REAL, {INTERVAL: 1000})
    assert headline(advice) == "SAFE, nothing changes, 5000 ms to spare."
    assert "How to switch:" not in lines(advice, {})
