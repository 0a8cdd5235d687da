"""Promises about infinite runs in what the command line prints, and in the files that it writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_models.results import Exit

from .conftest import Run

SPECS = Path(__file__).parents[1] / "specs"
SEMAPHORE = SPECS / "semaphore.py"
TABLE = SPECS / "philosophers.py"


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., str]:
    """Return a copy of the semaphore with something replaced, as a file to check."""

    def change(*pairs: tuple[str, str]) -> str:
        text = SEMAPHORE.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "changed.py"
        path.write_text(text, "utf-8")
        return str(path)

    return change


def test_a_promise_is_shown_with_what_leads_to_what_and_who_is_fair(run: Run) -> None:
    ran = run("show", str(SEMAPHORE))
    assert (
        "LIVENESS: what every fair run comes to\n\n"
        "  somebody_gets_in\n"
        "    Somebody is inside at some time.\n"
        "    eventually exists p: Process. inside[p]\n"
        "    weakly fair: enter\n\n"
        "  everybody_gets_in(p: Process)\n"
        "    Whoever is outside will be inside.\n"
        "      not inside[p]\n"
        "    leads to   inside[p]\n"
        "    weakly fair: leave\n"
        "    strongly fair: enter"
    ) in ran.out
    assert "  expected for every fair run: somebody_gets_in, everybody_gets_in\n" in ran.out
    assert "  without fairness of enter\n" in ran.out


def test_a_list_says_what_is_promised_and_what_a_control_takes_away(run: Run) -> None:
    ran = run("list", str(SEMAPHORE))
    assert "Without fairness of enter." in " ".join(ran.out.split())
    found = json.loads(run("list", str(SEMAPHORE), "--format", "json").out)
    assert found["specs"][0]["liveness"] == ["somebody_gets_in", "everybody_gets_in"]


def test_what_goes_on_for_ever_is_set_apart_in_a_run(run: Run) -> None:
    ran = run("check", f"{TABLE}::polite-4-starved", "--traces")
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["then", "for", "ever"] in lines
    at = lines.index(["then", "for", "ever"])
    assert lines[at + 1][:3] == ["2", "p4", "take_both"]
    assert (
        "  This is about p = p1. The run is fair to take_left, put_back, take_right, take_both."
        in ran.out
    )


def test_a_run_that_stops_says_that_nothing_happens_any_more(run: Run) -> None:
    ran = run("check", f"{SEMAPHORE}::semaphore-no-turns", "--traces")
    assert ["then", "for", "ever", "nothing", "happens"] in [
        line.split() for line in ran.out.splitlines()
    ]
    assert "  Nothing has to be fair.\n" in ran.out


def test_an_unexpected_violation_is_exit_13_and_its_run_replays(
    run: Run, changed: Callable[..., str], tmp_path: Path
) -> None:
    file = changed(("weak=(leave,), strong=(enter,)", "weak=(leave, enter)"))
    ran = run("check", f"{file}::semaphore-2", "--out-itf", str(tmp_path / "traces"))
    assert ran.code == Exit.LIVENESS
    assert "semaphore-2: everybody_gets_in is violated" in ran.out
    trace = str(tmp_path / "traces" / "semaphore-2.everybody_gets_in.itf.json")
    assert json.loads(Path(trace).read_text("utf-8"))["loop"] == 0
    replayed = run("replay", trace, "--model", file)
    assert replayed.code == 0
    assert "everybody_gets_in is violated: its goal is never met, and the run is fair" in (
        replayed.out
    )
    assert "somebody_gets_in is not violated: its goal is met" in replayed.out
    right = run("replay", trace, "--model", f"{SEMAPHORE}::semaphore-2")
    assert right.code == Exit.NOT_AS_PINNED
    assert "not what it should be: the file says that everybody_gets_in is violated" in right.out
    assert (
        "everybody_gets_in is not violated: the run is not fair: enter(p1) is possible again and "
        "again and never happens" in right.out
    )
    found = json.loads(run("replay", trace, "--model", file, "--format", "json").out)
    assert found["results"][0]["replay"]["for_ever"]["everybody_gets_in"] == ""


def test_the_report_for_programs_says_where_a_run_begins_to_repeat(run: Run) -> None:
    ran = run("check", f"{TABLE}::polite-4-starved", "--format", "json")
    (found,) = (r for r in json.loads(ran.out)["results"] if r["kind"] == "liveness")
    assert (found["loop"], len(found["trace"])) == (1, 5)


def test_a_verdict_that_is_refused_says_why_and_is_exit_3(
    run: Run, changed: Callable[..., str]
) -> None:
    file = changed(
        ('guard(~s.taken, "the lock is free")', 'guard(~s.taken, "free", limit="system")')
    )
    ran = run("check", f"{file}::semaphore-2")
    assert ran.code == Exit.UNDETERMINED
    why = "a limit of the model cuts off steps: enter, free"
    assert f"semaphore-2: everybody_gets_in is undetermined: {why}\n" in ran.out
    assert "exit 3: something is undetermined" in ran.out


def test_a_run_with_other_fairness_is_no_run_of_a_model_of_that_name(
    run: Run, changed: Callable[..., str], tmp_path: Path
) -> None:
    run("check", f"{SEMAPHORE}::semaphore-no-turns", "--out-itf", str(tmp_path / "traces"))
    trace = str(tmp_path / "traces" / "semaphore-no-turns.somebody_gets_in.itf.json")
    file = changed(('unfair=("enter",)', 'unfair=("enter", "leave")'))
    ran = run("replay", trace, "--model", file)
    assert ran.code == Exit.BAD_FILE
    assert "it leaves out another fairness; say on which model to replay" in ran.err


@pytest.mark.parametrize("form", ["junit", "sarif", "github", "markdown"])
def test_every_format_tells_of_a_violation_without_an_end(
    run: Run, changed: Callable[..., str], form: str
) -> None:
    file = changed(("weak=(leave,), strong=(enter,)", "weak=(leave, enter)"))
    ran = run("check", f"{file}::semaphore-2", "--format", form)
    assert ran.code == Exit.LIVENESS
    assert "everybody_gets_in" in ran.out
