"""Models side by side: which are a row, what names it, and what each of them shows.

The shipped grid of heartbeat changes is held against the inequality that predicts it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from samebeat_models import Model, Tier, Without
from samebeat_models.catalog import load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Exit, Row, Step, Trace, Verdict
from samebeat_models.side_by_side import NothingBesideError, Shown, arrange, shown
from samebeat_spec.language import Spec
from samebeat_spec.parameters import SAFE, Kind, Place, Quantity
from samebeat_spec.specs import load_spec

SPEC = load_spec("heartbeat")
DOMAIN = [m for m in load_catalog() if m.name.startswith("domain-")]
POLICIES = ["SECOND_FIRST", "FIRST_FIRST", "DIRECTION_AWARE", "SECOND_ENVELOPE", "ENVELOPE"]
ONE = DOMAIN[0]


def heartbeat(name: str, tick_ms: float | None = None, **constants: Any) -> tuple[Model, Spec]:
    given = {**ONE.constants, **constants}
    return Model(
        name=name, spec="heartbeat", sizes=ONE.sizes, constants=given, tick_ms=tick_ms
    ), SPEC


def group(name: str, without: Without | None = None, **sizes: int) -> tuple[Model, Spec]:
    return Model(
        name=name,
        spec="group",
        sizes={"Node": 2, "Change": 1, "Value": 2, "Epoch": 2, **sizes},
        constants={"start_value": "v2" if "other" in name else "v1", "asked": {"c1": "v2"}},
        without=without,
    ), load_spec("group")


# --- rows and columns ------------------------------------------------------------------------


def test_models_that_differ_in_one_constant_are_a_row_named_by_what_differs_between_rows():
    found = arrange(
        [
            heartbeat("a", policy="ENVELOPE", tolerated=0),
            heartbeat("b", policy="LAST_TWO", tolerated=0),
            heartbeat("c", policy="LAST_TWO", tolerated=1),
            heartbeat("d", policy="ENVELOPE", tolerated=1),
            heartbeat("e", policy="ENVELOPE", tolerated=2),
        ],
        "policy",
    )
    assert found.columns == ("ENVELOPE", "LAST_TWO")
    assert found.labels == ("tolerated",)
    assert [(line.labels, dict(line.models)) for line in found.lines] == [
        (("0",), {"ENVELOPE": "a", "LAST_TWO": "b"}),
        (("1",), {"LAST_TWO": "c", "ENVELOPE": "d"}),
    ]
    assert found.alone == ("e",)


def test_a_constant_for_each_change_reads_from_the_first_to_the_last():
    found = arrange(
        [
            heartbeat("a", interval_ticks={"1": 2, "0": 6}),
            heartbeat("b", interval_ticks={"0": 2, "1": 6}),
        ],
        "interval_ticks",
    )
    assert found.columns == ("6 -> 2", "2 -> 6")
    assert (found.labels, len(found.lines)) == ((), 1)


def test_durations_are_in_ms_or_s_only_if_every_model_says_how_long_a_tick_is():
    slow = {"deadline_ticks": {"0": 14, "1": 14}}
    pairs = [
        heartbeat("a", 500, policy="ENVELOPE"),
        heartbeat("b", 500, policy="LAST_TWO"),
        heartbeat("c", 500, policy="ENVELOPE", **slow),
        heartbeat("d", 500, policy="LAST_TWO", **slow),
    ]
    found = arrange(pairs, "policy")
    assert found.labels == ("deadline",)
    assert [line.labels for line in found.lines] == [("2.5 s -> 6.5 s",), ("7 s -> 7 s",)]
    pairs[0] = heartbeat("a", policy="ENVELOPE")
    found = arrange(pairs, "policy")
    assert found.labels == ("deadline_ticks",)
    assert [line.labels for line in found.lines] == [("5 -> 13",), ("14 -> 14",)]


def test_rows_that_no_constant_tells_apart_are_named_by_size_and_missing_guard():
    hasty = Without("commit", "n has heard every ok")
    found = arrange(
        [
            group("one"),
            group("other"),
            group("one-3", Node=3),
            group("other-3", Node=3),
            group("one-hasty", hasty),
            group("other-hasty", hasty),
        ],
        "start_value",
    )
    assert found.labels == ("size of Node", "without")
    assert [line.labels for line in found.lines] == [
        ("2", ""),
        ("3", ""),
        ("2", "commit: n has heard every ok"),
    ]


def test_a_model_equal_to_one_in_a_row_is_not_shown_twice():
    found = arrange([group("one"), group("one-again"), group("other")], "start_value")
    assert [dict(line.models) for line in found.lines] == [{"v1": "one", "v2": "other"}]
    assert found.alone == ("one-again",)


def test_an_unknown_constant_is_an_error_with_the_known_ones():
    with pytest.raises(NothingBesideError) as caught:
        arrange([group("one"), group("other")], "policy")
    assert str(caught.value) == (
        "no constant of these models is called 'policy'; there are asked, start_value"
    )


def test_models_that_do_not_differ_in_the_constant_only_are_an_error():
    with pytest.raises(NothingBesideError, match=r"^no two of these models differ in asked only$"):
        arrange([group("one"), group("other")], "asked")


# --- what a model shows ----------------------------------------------------------------------


def row(name: str, verdict: Verdict, steps: int | None = None, **more: Any) -> Row:
    """A row of the model ``one``; a trace of it has a tick in every step but the last."""
    trace = None
    if steps is not None:
        instance = ONE.instance(SPEC)
        state = (0,) * len(instance.cells)
        ticks = (Step("tick", (), state),) * (steps - 1)
        trace = Trace(instance, state, (*ticks, Step("modify", (1,), state)))
    values: dict[str, Any] = {
        "model": "one",
        "property": name,
        "kind": "invariant",
        "claims": (),
        "verdict": verdict,
        "expected": verdict,
        "states": 1,
        "transitions": 1,
        "depth": steps,
        "seconds": 0.0,
        "trace": trace,
    }
    return Row(**{**values, **more})


HOLDS, VIOLATED, UNDETERMINED = Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDETERMINED
OTHER = row("other", VIOLATED, 1, model="another")


def test_a_model_whose_properties_all_hold_is_safe_whatever_its_witnesses_and_pins():
    rows = [row("a", HOLDS), row("w", UNDETERMINED, kind="witness"), OTHER]
    assert shown("one", rows) == Shown("one", HOLDS, as_expected=True)
    pins = row("as_pinned", VIOLATED, kind="pins", exit=Exit.NOT_AS_PINNED)
    assert shown("one", [*rows, pins]) == Shown("one", HOLDS, as_expected=False)


def test_a_violated_model_shows_the_property_with_the_shortest_trace_and_its_time():
    rows = [row("a", HOLDS), row("b", VIOLATED, 9), row("c", VIOLATED, 4), OTHER]
    assert shown("one", rows) == Shown("one", VIOLATED, True, "c", 1, steps=4, ticks=3)


def test_a_model_with_a_property_that_is_undetermined_is_undetermined_unless_one_is_violated():
    rows = [row("a", HOLDS), row("b", UNDETERMINED, exit=Exit.UNDETERMINED)]
    assert shown("one", rows) == Shown("one", UNDETERMINED, as_expected=False)
    rows.append(row("c", VIOLATED, 4))
    assert shown("one", rows).verdict is VIOLATED


def test_a_model_of_which_nothing_was_judged_is_undetermined():
    pins = row("as_pinned", VIOLATED, kind="pins", exit=Exit.NOT_AS_PINNED)
    assert shown("one", [pins]) == Shown("one", UNDETERMINED, as_expected=False)


# --- the shipped grid, against the inequality ------------------------------------------------


def is_safe(interval: int, deadline: int, tolerated: int, delay: int) -> bool:
    """Return what the registry's inequality says of these values, in ticks, without drift."""
    network = {"losses": tolerated, "delay": delay, "drift": 0}
    return SAFE.holds(
        {
            Quantity("heartbeat_interval", Place.FIRST): interval,
            Quantity("heartbeat_failure_threshold", Place.SECOND): 1,
            Quantity("heartbeat_message_timeout", Place.SECOND): deadline,
            **{Quantity(x, Place.NETWORK, Kind.ASSUMED): value for x, value in network.items()},
        }
    )


def predicted(constants: dict[str, Any]) -> set[str]:
    """Return what must be violated: a fixed order mixes old and new values, one way or the other.

    Who relaxes first never mixes them badly, and waits for ever if nobody relaxes.
    """
    (old_t, new_t), (old_d, new_d) = (
        tuple(constants[name].values()) for name in ("interval_ticks", "deadline_ticks")
    )
    network = constants["tolerated"], constants["delay_ticks"]
    assert is_safe(old_t, old_d, *network)
    assert is_safe(new_t, new_d, *network)
    harmful = {
        "SECOND_FIRST": not is_safe(old_t, new_d, *network),
        "FIRST_FIRST": not is_safe(new_t, old_d, *network),
    }
    if constants["policy"] == "DIRECTION_AWARE":
        return {"quiescence_reachable"} if old_t < new_t and new_d < old_d else set()
    return {"no_false_suspicion"} if harmful.get(constants["policy"]) else set()


@pytest.mark.parametrize("model", [pytest.param(m, id=m.name) for m in DOMAIN])
def test_each_cell_of_the_grid_expects_what_the_inequality_predicts(model):
    assert set(model.violates) == predicted(model.constants)


def test_the_grid_is_whole_and_each_order_has_a_harmful_row_and_a_safe_one():
    grid = arrange([(m, SPEC) for m in DOMAIN], "policy")
    assert (len(grid.lines), list(grid.columns), grid.alone) == (9, POLICIES, ())
    assert len([m for m in DOMAIN if m.tier is Tier.FAST]) == 25
    by_name = {m.name: m for m in DOMAIN}
    for line in grid.lines:
        assert list(line.models) == POLICIES
        rows = {m.rpartition(p.lower().replace("_", "-"))[0] for p, m in line.models.items()}
        assert len(rows) == 1
    for policy in POLICIES:
        harmful = [bool(by_name[line.models[policy]].violates) for line in grid.lines]
        assert not all(harmful)
        assert any(harmful) == (policy not in ("SECOND_ENVELOPE", "ENVELOPE"))


def test_the_bounds_of_the_grid_reach_those_that_are_claimed():
    constants = [m.constants for m in DOMAIN]
    assert {c["tolerated"] for c in constants} == {0, 1, 2}
    assert {c["delay_ticks"] for c in constants} == {0, 1, 2}
    assert not any(c["values_count"] or any(c["drift_ticks"].values()) for c in constants)


def test_who_relaxes_first_explores_what_the_order_that_suits_the_change_does():
    """Raising is the second first, lowering the first first: to the last state."""
    by_name = {m.name: m for m in DOMAIN}
    for row_, order in (("raise-2-6", "second"), ("raise-2-3", "second"), ("lower-6-2", "first")):
        aware, fixed = (
            by_name[f"domain-{row_}-{p}"] for p in ("direction-aware", f"{order}-first")
        )
        for pin in ("states", "transitions", "depth", "terminal"):
            assert getattr(aware, pin) == getattr(fixed, pin)


VALUES = [
    (old, new, tolerated, delay, (extra_old, extra_new))
    for old, new in ((2, 3), (3, 2))
    for tolerated, delay in ((0, 2), (1, 0), (2, 1))
    for extra_old, extra_new in (
        *((n, n) for n in (0, tolerated, tolerated + 1)),  # below, at and past the mixed values
        (tolerated + 2, 0),
    )
]


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_more_values_than_the_grid_has_show_what_the_inequality_predicts(policy):
    for old, new, tolerated, delay, extra in VALUES:
        shortest = [(tolerated + 1) * t + delay for t in (old, new)]
        deadlines = [d + e for d, e in zip(shortest, extra, strict=True)]
        constants = {
            **ONE.constants,
            "policy": policy,
            "interval_ticks": {"0": old, "1": new},
            "deadline_ticks": {"0": deadlines[0], "1": deadlines[1]},
            "tolerated": tolerated,
            "delay_ticks": delay,
        }
        sizes = {"Change": 2, "Ticks": max(deadlines) + delay + 2}
        model = msgspec.structs.replace(ONE, constants=constants, sizes=sizes)
        found = {f.property for f in explore(model.instance(SPEC)).violated()}
        assert found == predicted(constants), constants
