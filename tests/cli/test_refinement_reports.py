"""A refinement in what the command line prints: its definition, its verdict, why it is violated."""

import json
from pathlib import Path

from .conftest import Run

SPECS = Path(__file__).parents[1] / "specs"
METERS = str(SPECS / "meters.py")


def test_a_refinement_is_shown_with_what_it_assigns_and_what_is_copied(run: Run) -> None:
    ran = run("show", METERS)
    assert (
        "  each(meters onto meter, p: Place)\n"
        "    Each meter is one.\n"
        "      limit := limit[p]\n"
        "      reading := reading[p]\n"
    ) in ran.out
    assert "  meters(summed onto meters)\n" in ran.out
    assert "      copied: limit, reading\n" in ran.out


def test_a_model_is_shown_with_the_pins_of_its_refinements(run: Run) -> None:
    ran = run("show", f"{SPECS / 'elevator.py'}::elevator")
    assert "  expected refines: floors_by_two (3 states and 4 steps; never drop)\n" in ran.out
    assert "  floors_by_two(elevator onto floors)\n" in ran.out
    assert "    a step may be up to 2 steps\n" in ran.out


def test_a_refinement_that_holds_has_a_row_with_its_projected_states(run: Run) -> None:
    ran = run("check", f"{METERS}::meters")
    assert ran.code == 0
    (row,) = (line.split() for line in ran.out.splitlines() if line.strip().startswith("each"))
    assert row == ["each", "holds", "9", "6"]


def test_a_violated_refinement_is_explained_after_its_trace(run: Run) -> None:
    ran = run("check", f"{METERS}::meters-without-limit", "--traces")
    assert ran.code == 0
    assert (
        "  each(p1): the projected step is no step of the spec meter:\n"
        "    before: reading = 1\n"
        "    reading: 1 -> 2\n"
        "    add_one() would do it, but not so: it is below its limit\n"
    ) in ran.out


def test_the_report_for_programs_has_the_explanation_too(run: Run) -> None:
    ran = run("check", f"{METERS}::meters-without-limit", "--format", "json")
    (found,) = (r for r in json.loads(ran.out)["results"] if r["kind"] == "refinement")
    assert found["property"] == "each"
    assert len(found["notes"]) == 4


def test_the_trace_of_a_refinement_is_written_and_replayed(run: Run, tmp_path: Path) -> None:
    run("check", f"{METERS}::meters-without-limit", "--out-itf", str(tmp_path))
    (file,) = tmp_path.iterdir()
    ran = run("replay", str(file), "--model", METERS)
    assert ran.code == 0
    assert "each is violated after step 2\n" in ran.out
