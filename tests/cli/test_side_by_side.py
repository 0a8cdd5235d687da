"""`samebeat check --by`: models side by side, at any width, in text and JSON."""

import json
import re
from collections.abc import Callable
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from samebeat_cli.reports import Outcome
from samebeat_cli.reports.side_by_side import show
from samebeat_cli.selection import Selected
from samebeat_models import Model, Tier
from samebeat_models.results import Exit, Report, Row, Step, Trace, Verdict
from samebeat_models.side_by_side import arrange
from samebeat_spec.specs import load_spec

from .conftest import Run, Stub

Fails = Callable[..., str]
Result = Callable[..., Row]
Judge = Callable[[Model], list[Row]]
SPEC = load_spec("heartbeat")
POLICIES = ("SECOND_FIRST", "DIRECTION_AWARE", "ENVELOPE")
CONSTANTS = {
    "deadline_ticks": {"0": 13, "1": 13},
    "drift_ticks": {"0": 0, "1": 0},
    "delay_ticks": 1,
    "ack_delay_ticks": 0,
    "tolerated": 1,
    "rearming": "SHIFT",
    **dict.fromkeys(("second_rearms", "announced", "bounded_acks", "may_fail"), False),
    **dict.fromkeys(("crashes_early", "states_requests", "values_count"), False),
}
LOWER, RAISE = {"0": 6, "1": 2}, {"0": 2, "1": 6}


def model(name: str, policy: str, intervals: dict[str, int], tick_ms: float | None) -> Model:
    constants = {**CONSTANTS, "policy": policy, "interval_ticks": intervals}
    sizes: dict[str, int | tuple[int, int]] = {"Change": 2, "Ticks": 16}
    return Model(
        name=name,
        spec="heartbeat",
        tier=Tier.FAST,
        sizes=sizes,
        constants=constants,
        tick_ms=tick_ms,
    )


def models(tick_ms: float | None = None) -> list[Model]:
    """Two rows of three policies."""
    return [
        model(f"{name}-{policy.lower()}", policy, intervals, tick_ms)
        for name, intervals in (("lower", LOWER), ("raise", RAISE))
        for policy in POLICIES
    ]


@pytest.fixture
def judged(result: Result) -> Judge:
    """Lowering, the second first: a suspicion after ten steps, the last at six ticks; as expected.

    Raising, whoever relaxes first: undetermined, which is not.
    """

    def judge(m: Model) -> list[Row]:
        if m.name == "lower-second_first":
            instance = m.instance(SPEC)
            state = (0,) * len(instance.cells)
            steps = (*(Step("ask", (1,), state),) * 3, *(Step("tick", (), state),) * 6)
            trace = Trace(instance, state, (*steps, Step("modify", (1,), state)))
            violated = Verdict.VIOLATED
            return [result("no_false_suspicion", violated, trace=trace, model=m.name)]
        if m.name == "raise-direction_aware":
            end = {"end": Exit.UNDETERMINED, "detail": "the budget of 1 state"}
            return [result("interval_kept", Verdict.UNDETERMINED, model=m.name, **end)]
        return [result("interval_kept", model=m.name)]

    return judge


MEANING = """
safe: all properties hold. Else: what is violated, with time and length of the shortest trace.
! is not as expected: see below."""


def shown(
    judge: Judge, width: int, tick_ms: float | None = None, ours: list[Model] | None = None
) -> str:
    """Return what a terminal of ``width`` columns shows."""
    ours = ours or models(tick_ms)
    rows = tuple(row for m in ours for row in judge(m))
    outcome = Outcome(Report(rows), {m.name: Selected(m, SPEC) for m in ours})
    text = StringIO()
    console = Console(file=text, width=width, highlight=False, markup=False, emoji=False)
    show(outcome, arrange([(m, SPEC) for m in ours], "policy"), console)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join(lines).strip("\n")


def test_a_wide_terminal_shows_each_cell_in_one_line(judged: Judge) -> None:
    assert shown(judged, 120) == (
        """\
 interval_                                             DIRECTION_
 ticks       SECOND_FIRST                              AWARE            ENVELOPE
 ───────────────────────────────────────────────────────────────────────────────
 6 -> 2      no_false_suspicion at 6 ticks, 10 steps   safe             safe
 2 -> 6      safe                                      ! undetermined   safe

 safe        1 of 2                                    1 of 2           2 of 2
"""
        + MEANING
    )


def test_a_narrower_one_shows_time_and_length_below_the_property(judged: Judge) -> None:
    assert shown(judged, 60) == (
        """\
 interval_                        DIRECTION_
 ticks       SECOND_FIRST         AWARE            ENVELOPE
 ──────────────────────────────────────────────────────────
 6 -> 2      no_false_suspicion   safe             safe
             6 ticks, 10 steps
 2 -> 6      safe                 ! undetermined   safe

 safe        1 of 2               1 of 2           2 of 2
"""
        + MEANING
    )


def test_then_letters_stand_for_the_properties(judged: Judge) -> None:
    found = shown(judged, 54)
    assert "\n 6 -> 2     a: 6 ticks,  safe " in found
    assert "\n            10 steps\n" in found
    assert "\na: no_false_suspicion\nsafe: all" in found


def test_then_what_names_a_row_is_stacked(judged: Judge) -> None:
    ours = [*models(), *(msgspec.structs.replace(m, name=f"{m.name}-2") for m in models())]
    for m in ours[6:]:
        m.constants["tolerated"] = 0
    found = shown(judged, 56, ours=ours)
    assert "\n 6 -> 2     a: 6 ticks,  safe " in found
    assert "\n 1          10 steps\n\n 2 -> 6 " in found


def test_where_no_table_fits_each_row_is_a_paragraph(judged: Judge) -> None:
    assert shown(judged, 45) == (
        """\
interval_ticks 6 -> 2
  SECOND_FIRST     no_false_suspicion at 6 ticks, 10 steps
  DIRECTION_AWARE  safe
  ENVELOPE         safe
interval_ticks 2 -> 6
  SECOND_FIRST     safe
  DIRECTION_AWARE  ! undetermined
  ENVELOPE         safe
"""
        + MEANING
    )


def test_times_are_in_the_unit_of_the_models(judged: Judge) -> None:
    found = shown(judged, 120, tick_ms=500)
    assert "\n 3 s -> 1 s   no_false_suspicion at 3 s, 10 steps   safe " in found


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def checked(catalog: Callable[..., None], engine: Stub, judged: Judge) -> None:
    """A catalog of the six models and one that stands beside none."""
    alone = model("alone", "ENVELOPE", {"0": 3, "1": 3}, None)
    catalog(*models(), alone)
    engine(lambda m, _: judged(m))


@pytest.mark.usefixtures("checked")
def test_check_shows_models_side_by_side_and_the_others_as_ever(run: Run) -> None:
    ran = run("check", "--by", "policy")
    assert ran.code == 3
    table, others = ran.out.split("These stand beside no other model:\n")
    assert "6 -> 2      no_false_suspicion at 6 ticks, 10 steps   safe" in table
    assert "alone" not in table
    assert re.search(r"alone +1\(f\) +interval_kept +holds", others)
    assert "lower-second_first" not in others
    assert "Not exhaustive: raise-direction_aware: the budget of 1 state\n" in others


@pytest.mark.usefixtures("checked")
def test_without_the_option_nothing_stands_beside(run: Run) -> None:
    ran = run("check", "--format", "json")
    assert ran.code == 3
    assert "side_by_side" not in json.loads(ran.out)


@pytest.mark.usefixtures("checked")
def test_json_has_rows_of_cells_beside_the_results(run: Run) -> None:
    ran = run("check", "--by", "policy", "--format", "json")
    found = json.loads(ran.out)
    assert (ran.code, len(found["results"])) == (3, 7)
    beside = found["side_by_side"]
    assert (beside["by"], beside["columns"]) == ("policy", list(POLICIES))
    assert beside["alone"] == ["alone"]
    lower, higher = beside["rows"]
    assert lower["differs"] == {"interval_ticks": "6 -> 2"}
    assert lower["cells"]["SECOND_FIRST"] == {
        "model": "lower-second_first",
        "verdict": "violated",
        "as_expected": True,
        "property": "no_false_suspicion",
        "others": 0,
        "steps": 10,
        "time_ticks": 6,
    }
    undetermined = higher["cells"]["DIRECTION_AWARE"]
    assert (undetermined["verdict"], undetermined["as_expected"]) == ("undetermined", False)


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--by", "polcy"], "--by: no constant of these models is called 'polcy'; there are "),
        (["--by", "delay_ticks"], "--by: no two of these models differ in delay_ticks only"),
        (["alone", "--by", "policy"], "--by: no two of these models differ in policy only"),
    ],
)
def test_what_cannot_stand_side_by_side_is_exit_2_before_any_model_runs(
    fails: Fails, arguments: list[str], problem: str
) -> None:
    assert problem in fails(2, "check", *arguments)
