"""`samebeat advise`: the answer first, exit 0 or 12, one line for whatever cannot be judged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

Fails = Callable[..., str]

ROOT = Path(__file__).parents[2]
LOWER = ROOT / "examples" / "lower-interval.toml"
NOW = [
    *("--now", "heartbeat_interval=1000"),
    *("--now", "heartbeat_message_timeout=2000"),
    *("--now", "heartbeat_failure_threshold=3"),
]
NETWORK = ["--delay", "50", "--losses", "2", "--drift", "0.01"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_safe_wish_is_exit_0_and_the_first_line_says_so(run: Run) -> None:
    ran = run("advise", *NOW, "--want", "heartbeat_interval=250", *NETWORK)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "SAFE, in any order, 2919.5 ms to spare."


def test_an_unsafe_wish_is_exit_12_with_the_nearest_safe_value_and_its_trace(run: Run) -> None:
    ran = run("advise", *NOW, "--want", "heartbeat_interval=2500", *NETWORK)
    assert ran.code == 12
    said = ran.out.splitlines()
    assert said[0] == "UNSAFE by 1625.5 ms: a live node may be suspected (constraint `safe`)."
    assert "  heartbeat_interval: 1963 ms (wished: 2500)" in said
    assert any("the second node's deadline has passed: it suspects a live node" in x for x in said)


def test_an_order_that_is_unsafe_is_shown_only_when_asked_for(run: Run) -> None:
    ran = run("advise", LOWER)
    assert ran.code == 0
    assert "The claims' own order is UNSAFE here: the second node first (claim 19)." in ran.out
    assert "it suspects a live node" not in ran.out
    shown = run("advise", LOWER, "--traces")
    assert shown.code == 0
    assert shown.out.splitlines()[-1].startswith("  5000 ms  ")


def test_the_guide_quotes_the_example() -> None:
    guide = (ROOT / "docs" / "guide-advise.md").read_text("utf-8")
    quoted = guide.partition("```toml\n")[2].partition("```")[0]
    assert quoted
    assert quoted in LOWER.read_text("utf-8")


def test_options_override_the_file(run: Run) -> None:
    ran = run("advise", LOWER, "--want", "heartbeat_message_timeout=14000")
    assert ran.out.splitlines()[0] == "SAFE, in any order, 1000 ms to spare."


def test_json_has_the_keys_that_programs_rely_on(run: Run) -> None:
    found = json.loads(run("advise", LOWER, "--format", "json").out)
    assert list(found) == [
        "safe",
        "verdict",
        "answer",
        "now",
        "want",
        "network",
        "heartbeats_without_ack",
        "now_safe",
        "decides",
        "constraints",
        "broken_beside",
        "order",
        "deferral",
        "envelope",
        "literal",
        "no_order",
        "nearest",
        "trace",
        "tick_ms",
        "chosen",
        "rounded",
        "no_trace",
        "rests_on",
        "exit",
    ]
    assert (found["safe"], found["verdict"], found["exit"]) == (True, "safe", 0)
    assert [(c["at"], c["margin"], c["holds"]) for c in found["constraints"]] == [
        ("now", 0, True),
        ("after step 1", 8000, True),
        ("new", 0, True),
    ]
    told = "once a heartbeat says that the first has"
    assert [(s["move"], s["names"], s["once"]) for s in found["order"]] == [
        ("first", ["heartbeat_interval"], ""),
        ("second", ["heartbeat_interval", "heartbeat_message_timeout"], told),
    ]
    assert (found["deferral"], found["envelope"], found["nearest"]) == ("not enough", True, {})
    literal = found["literal"]
    assert (literal["safe"], literal["constraint"]["margin"]) == (False, -8000)
    assert (literal["trace"][-1]["action"], literal["trace"][-1]["time_ms"]) == ("tick", 5000)


def test_json_of_an_unsafe_wish_has_its_trace_and_what_would_be_safe(run: Run) -> None:
    want = ["--want", "heartbeat_interval=2500"]
    ran = run("advise", *NOW, *want, *NETWORK, "--format", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["exit"], found["verdict"]) == (12, 12, "unsafe")
    assert found["nearest"] == {"heartbeat_interval": 1963}
    assert {"cell": "suspected", "old": "false", "new": "true"} in found["trace"][-1]["changes"]
    assert (found["literal"]["safe"], found["literal"]["trace"]) == (False, None)


def test_json_says_why_there_is_no_trace(run: Run) -> None:
    values = ["--now", "message_retry_timer=5", "--now", "maximum_message_retry_time=9"]
    ran = run("advise", *values, "--want", "message_retry_timer=10", "--format", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["trace"]) == (12, None)
    assert found["no_trace"] == "there is no timed model of one_retry_at_least here"


def test_the_answer_can_be_written_to_a_file(run: Run) -> None:
    ran = run("advise", LOWER, "--output", "answer.txt")
    assert (ran.code, ran.out) == (0, "")
    assert Path("answer.txt").read_text().startswith("SAFE, but only in the order below")


def test_a_trace_that_was_written_can_be_replayed_and_checked(run: Run) -> None:
    ran = run("advise", LOWER, "--out-itf", "out")
    (replay,) = [x.split("replay it: ")[1] for x in ran.out.splitlines() if "replay it" in x]
    program, *arguments = replay.split()
    assert program == "samebeat"
    replayed = run(*arguments)
    assert replayed.code == 0
    assert "no_false_suspicion is violated after step 11" in replayed.out


def test_a_run_of_acks_is_told_written_and_replayed(run: Run) -> None:
    now = ["--now", "heartbeat_interval=1000", "--now", "heartbeat_ack_timeout=500"]
    want = ["--want", "heartbeat_ack_timeout=100", "--delay", "80"]
    ran = run("advise", *now, *want, "--out-itf", "out")
    assert ran.code == 12
    said = ran.out.splitlines()
    assert said[0].startswith("UNSAFE by 60 ms: an ack that is not lost may be missed")
    assert "  120 ms  that is the threshold: the first node suspects a live node" in said
    assert (
        "  Not given, and so chosen for this run: heartbeat_ack_failure_threshold 1 miss." in said
    )
    replayed = run(*said[-1].split("samebeat ")[1].split())
    assert replayed.code == 0
    assert "no_false_suspicion is violated after step 8, at 120 ms" in replayed.out
    found = json.loads(run("advise", *now, *want, "--format", "json").out)
    assert found["chosen"] == {"heartbeat_ack_failure_threshold": 1}
    assert (found["tick_ms"], found["trace"][-1]["action"]) == (20, "miss")
    assert found["trace"][-1]["time_ms"] == 120


@pytest.mark.slow
def test_the_explorer_finds_the_harm_in_the_models_that_were_written(run: Run) -> None:
    run("advise", LOWER, "--out-itf", "out")
    ran = run("check", "out/advice.py")
    assert ran.code == 0
    assert "no_false_suspicion   violated, as expected" in ran.out


def test_nothing_is_written_where_no_harm_is_done(run: Run) -> None:
    ran = run("advise", *NOW, "--want", "heartbeat_interval=250", "--out-itf", "out")
    assert ran.code == 0
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing is wanted; say --want NAME=VALUE, or give a file"),
        (["--want", "hartbeat_interval=3"], "--want: 'hartbeat_interval' is no parameter; did you"),
        (
            ["--want", "heartbeat_interval"],
            "--want: 'heartbeat_interval' has no value; write NAME=",
        ),
        (["--want", "heartbeat_interval=2s"], "--want: heartbeat_interval: '2s' is no number"),
        (["--want", "heartbeat_interval=0"], "heartbeat_interval: 0 lies outside 1..3600000 ms"),
        (["--want", "heartbeat_interval=9", "--delay", "5ms"], "--delay: '5ms' is no number"),
        (
            ["--want", "heartbeat_interval=99999999999999999999"],
            "heartbeat_interval: '99999999999999999999' is too large",
        ),
        (["--want", "heartbeat_interval=9", "--delay", "1e30"], "--delay: '1e30' is too large"),
        (["--now", "heartbeat_interval=5"], "--now: heartbeat_interval is given twice"),
        (["none.toml"], "none.toml: cannot be read: No such file or directory"),
        (["."], ".: cannot be read: Is a directory"),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_exit_2(
    fails: Fails, arguments: list[str], problem: str
) -> None:
    assert problem in fails(2, "advise", *NOW, *arguments)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[now", b"[later]"])
def test_a_file_that_cannot_be_read_is_one_line_and_exit_2(fails: Fails, text: bytes) -> None:
    Path("wish.toml").write_bytes(text)
    assert "samebeat: wish.toml: " in fails(2, "advise", "wish.toml")


def test_an_output_that_cannot_be_written_is_refused_first(fails: Fails) -> None:
    assert "nowhere/x: cannot be written" in fails(2, "advise", LOWER, "--output", "nowhere/x")
