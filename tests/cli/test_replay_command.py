"""`samebeat replay`: a wrong protocol's trace, and what the right protocol says to it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from samebeat_cli.loader import load_file
from samebeat_cli.selection import select_models
from samebeat_models.itf import dumps
from samebeat_models.results import Step, Trace
from samebeat_spec.language.interpreter import Interpreter

from .conftest import ROOM, Run

Fails = Callable[..., str]


@pytest.fixture
def trace(room: Path) -> Path:
    """The trace of ``room-open`` in which two clients are inside."""
    models, specs = load_file(room)
    model, spec = models[1], specs["room"]
    steps = (Step("enter", (0,), (1, 0, 1)), Step("enter", (1,), (1, 1, 1)))
    run_ = Trace(model.instance(spec), (0, 0, 0), steps)
    path = Path("open.itf.json")
    path.write_text(dumps(run_, model, spec, "two at once", shows="alone"), "utf-8")
    return path


def test_a_trace_replays_on_the_model_it_names(run: Run, room: Path, trace: Path) -> None:
    ran = run("replay", trace, "--model", room)
    assert ran.code == 0
    assert ran.out.startswith("open.itf.json: 2 steps of room-open, replayed on room-open\n")
    assert "two at once\n" in ran.out
    assert "alone is violated after step 2\n" in ran.out
    assert ran.out.endswith("all 2 steps are steps of room-open\n")


def test_the_right_protocol_refuses_it_with_reason_formula_and_alternatives(
    run: Run, room: Path, trace: Path
) -> None:
    ran = run("replay", trace, "--model", f"{room}::room")
    assert ran.code == 10
    assert ran.out.endswith(
        "step 2, enter(c2), is refused by room\n"
        "  not so: the room is free  [not taken]\n"
        "  enabled instead:\n"
        "    leave(c1)\n"
    )


def test_json_has_the_common_shape_and_the_refusal(run: Run, room: Path, trace: Path) -> None:
    ran = run("replay", trace, "--model", f"{room}::room", "--format", "json")
    assert ran.code == 10
    found = json.loads(ran.out)
    assert (found["tool"], found["exit_code"]) == ("samebeat", 10)
    (result,) = found["results"]
    assert (result["property"], result["verdict"]) == ("replay", "violated")
    assert result["replay"]["refusal"]["reasons"] == ["the room is free"]
    assert result["replay"]["refusal"]["enabled"] == ["leave(c1)"]


def test_the_report_can_go_to_a_file(run: Run, room: Path, trace: Path) -> None:
    ran = run("replay", trace, "--model", room, "--output", "said.txt")
    assert (ran.code, ran.out) == (0, "")
    assert "all 2 steps" in Path("said.txt").read_text()


def test_a_state_that_the_step_does_not_give_is_shown_beside_the_specs(
    run: Run, room: Path, trace: Path
) -> None:
    lines = trace.read_text().splitlines(keepends=True)
    lines = [line.replace('"taken": true', '"taken": false') for line in lines]
    trace.write_text("".join(lines))
    ran = run("replay", trace, "--model", room)
    assert ran.code == 10
    assert "step 1, enter(c1), is refused by room-open\n" in ran.out
    assert "  taken is false in the trace; the spec says true\n" in ran.out


def shorten(trace: Path, **meta: object) -> None:
    """Drop the last state of a trace, and say so or something else in its ``#meta``."""
    file = json.loads(trace.read_text())
    file["states"].pop()
    file["#meta"] |= meta
    trace.write_text(json.dumps(file))


def test_a_trace_that_has_lost_its_last_state_is_exit_10(run: Run, room: Path, trace: Path) -> None:
    shorten(trace)
    ran = run("replay", trace, "--model", room)
    assert ran.code == 10
    assert ran.out.endswith(
        "its only step is a step of room-open\n"
        "not what it should be: the file says that it has 2 steps; it has 1 step\n"
    )


def test_a_trace_that_does_not_violate_what_it_says_is_exit_10(
    run: Run, room: Path, trace: Path
) -> None:
    shorten(trace, steps=1)
    ran = run("replay", trace, "--model", room, "--format", "json")
    assert ran.code == 10
    (result,) = json.loads(ran.out)["results"]
    said = "the file says that alone is violated after 1 step; it is not"
    assert (result["verdict"], result["detail"]) == ("violated", said)
    assert result["replay"]["contradiction"] == said
    assert result["replay"]["refusal"] is None


def test_a_trace_is_held_to_what_it_says_only_on_its_own_model(
    run: Run, room: Path, trace: Path
) -> None:
    shorten(trace, steps=1)
    assert run("replay", trace, "--model", f"{room}::room").code == 0


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ({"property": "peace"}, "open.itf.json: #meta: no property is called 'peace'"),
        ({"steps": "many"}, "open.itf.json: #meta: Expected `int`, got `str`"),
    ],
)
def test_a_trace_that_says_what_cannot_be_is_refused(
    fails: Fails, room: Path, trace: Path, meta: dict[str, object], problem: str
) -> None:
    shorten(trace, **meta)
    assert problem in fails(151, "replay", trace, "--model", room)


def test_a_trace_that_check_has_written_is_what_it_says(run: Run, room: Path) -> None:
    run("check", room, "--out-itf", "out")
    (written,) = Path("out").iterdir()
    meta = json.loads(written.read_text())["#meta"]
    assert (meta["property"], meta["steps"]) == ("alone", 2)
    assert run("replay", written, "--model", room).code == 0


def test_a_trace_of_a_model_outside_the_catalog_asks_for_its_file(
    fails: Fails, trace: Path
) -> None:
    said = fails(151, "replay", trace)
    assert "a trace of the model 'room-open', which is not in the catalog" in said


def test_a_trace_of_another_version_of_the_spec_is_refused(
    fails: Fails, room: Path, trace: Path
) -> None:
    room.write_text(ROOM.replace("s.taken = False", "s.taken = True"), "utf-8")
    said = fails(151, "replay", trace, "--model", room)
    assert "open.itf.json: #meta: a trace of another version of room" in said


def test_a_trace_of_another_version_of_the_model_is_refused(
    fails: Fails, room: Path, trace: Path
) -> None:
    room.write_text(ROOM.replace('("enter", "the room is free")', '("enter", "c is outside")'))
    said = fails(151, "replay", trace, "--model", room)
    assert "another version of the model room-open: it leaves out another guard" in said


def test_a_trace_of_another_spec_or_size_is_refused(fails: Fails, room: Path, trace: Path) -> None:
    room.write_text(ROOM.replace('sizes={"Client": 2}', 'sizes={"Client": 3}'))
    said = fails(151, "replay", trace, "--model", room)
    assert "another model: sizes: Client is 2, in room-open it is 3" in said
    room.write_text(ROOM.replace("class Room(State):", "class Room(State, name='hall'):"))
    assert "a trace of the spec 'room', but the model room-open is of 'hall'" in fails(
        151, "replay", trace, "--model", room
    )


def test_a_truncated_trace_is_exit_151_and_a_missing_one_exit_2(
    fails: Fails, room: Path, trace: Path
) -> None:
    trace.write_text(trace.read_text()[:-40])
    assert "bad trace: open.itf.json: truncated: it ends at line" in fails(
        151, "replay", trace, "--model", room
    )
    assert "'none.itf.json' does not exist" in fails(2, "replay", "none.itf.json")


def test_several_models_need_one_of_them_named(fails: Fails, room: Path, trace: Path) -> None:
    other = Path("other.py")
    other.write_text(ROOM.replace('name="room', 'name="hall'))
    said = fails(2, "replay", trace, "--model", other)
    assert "'other.py' means several models (hall, hall-open); name one" in said


# --- time ------------------------------------------------------------------------------------

LOWERED = ("ask 1", "send_heartbeat ARRIVES", "receive_heartbeat LATEST", *["tick"] * 3, "modify 1")


def timed(story: tuple[str, ...], shows: str | None = "no_false_suspicion") -> Path:
    """Write the run of a shipped model that ``story`` names; a tick that is refused stays a step.

    In that model a tick is a second, the interval goes from 3 s to 1 s and the deadline from 4 s
    to 2 s.
    """
    (selected,) = select_models(["lowering-second-first-3-1"])
    instance = selected.instance()
    judge = Interpreter(instance)
    state = first = judge.initial_states()[0]
    steps: list[Step] = []
    for words in story:
        name, *labels = words.split()
        action = instance.spec.find_action(name)
        pairs = zip(action.parameters, labels, strict=True)
        arguments = tuple(instance.element(p.sort, x) for p, x in pairs)
        if not judge.refusals(action, arguments, state):
            state = judge.step(action, arguments, state)
        steps.append(Step(name, arguments, state))
    path = Path("lowered.itf.json")
    trace = Trace(instance, first, tuple(steps))
    path.write_text(dumps(trace, selected.model, selected.spec, shows=shows), "utf-8")
    return path


@pytest.mark.usefixtures("room")
def test_a_trace_with_time_is_walked_in_the_unit_of_its_model(run: Run) -> None:
    ran = run("replay", timed(LOWERED))
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "given interval: 0 = 3 s, 1 = 1 s" in lines
    assert "deadline: 0 = 4 s, 1 = 2 s" in lines
    assert "4-6 0 s tick, 3 times since_sent: 0 s -> 3 s" in lines
    assert "7 3 s modify(1) suspected: false -> true" in lines
    assert lines[-2:] == [
        "no_false_suspicion is violated after step 7, at 3 s",
        "all 7 steps are steps of lowering-second-first-3-1",
    ]


@pytest.mark.usefixtures("room")
def test_a_refused_step_among_ticks_keeps_its_number_and_says_when(run: Run) -> None:
    ran = run("replay", timed((*LOWERED[:-1], "tick"), shows=None))
    assert ran.code == 10
    assert "\nstep 7, tick(), at 3 s, is refused by lowering-second-first-3-1\n" in ran.out
    assert "not so: no heartbeat is due" in ran.out
    assert re.search(r"\n4-6 +0 s +tick, 3 times ", ran.out)


@pytest.mark.usefixtures("room")
def test_a_refused_loop_says_when_too(run: Run) -> None:
    path = timed(LOWERED)
    path.write_text(path.read_text().replace('"states": [', '"loop": 0,\n  "states": [', 1))
    ran = run("replay", path)
    assert ran.code == 10
    assert "\nstep 8, loop, at 3 s, is refused by lowering-second-first-3-1\n" in ran.out


@pytest.mark.usefixtures("room")
def test_json_says_when_a_promise_breaks_and_when_each_step_of_a_refused_run_is(run: Run) -> None:
    (result,) = json.loads(run("replay", timed(LOWERED), "--format", "json").out)["results"]
    assert result["replay"]["broken"] == {"no_false_suspicion": 7}
    at = {"time_ticks": 3, "time_ms": 3000}
    assert result["replay"]["broken_at"] == {"no_false_suspicion": at}
    ran = run("replay", timed((*LOWERED[:-1], "tick"), shows=None), "--format", "json")
    (result,) = json.loads(ran.out)["results"]
    assert [s["time_ms"] for s in result["trace"]] == [0, 0, 0, 0, 1000, 2000, 3000]


@pytest.mark.usefixtures("room")
def test_nobody_acts_where_the_first_argument_is_no_node(run: Run) -> None:
    path = timed((*LOWERED[:-1], "tick"), shows=None)
    (result,) = json.loads(run("replay", path, "--format", "json").out)["results"]
    assert {s["actor"] for s in result["trace"]} == {None}
    assert {s["#meta"]["actor"] for s in json.loads(path.read_text())["states"]} == {None}


def test_a_spec_without_time_says_none(run: Run, room: Path, trace: Path) -> None:
    ran = run("replay", trace, "--model", room, "--format", "json")
    (result,) = json.loads(ran.out)["results"]
    assert (result["replay"]["broken"], result["replay"]["broken_at"]) == ({"alone": 2}, {})


# --- on another model of the same spec ---------------------------------------------------------


@pytest.mark.usefixtures("room")
def test_another_protocol_parts_ways_at_a_step_and_says_what_is_different(run: Run) -> None:
    path = timed(LOWERED)
    ran = run("replay", path, "--model", "lowering-second-first")
    assert ran.code == 10
    lines = ran.out.splitlines()
    assert lines[1] == "replayed with interval_ticks[0] = 6 instead of 3"
    assert "         and Ticks = 16 instead of 6" in lines
    assert "cannot start in the first state" in ran.out


def test_a_room_of_another_size_follows_the_same_steps_up_to_the_guard(
    run: Run, room: Path, trace: Path
) -> None:
    other = Path("large.py")
    other.write_text(ROOM.replace('sizes={"Client": 2}', 'sizes={"Client": 3}'), "utf-8")
    ran = run("replay", trace, "--model", f"{other}::room")
    assert ran.code == 10
    assert "replayed with Client = 3 instead of 2\n" in ran.out
    assert "\nstep 2, enter(c2), is refused by room\n  not so: the room is free" in ran.out
    ran = run("replay", trace, "--model", f"{other}::room", "--format", "json")
    (result,) = json.loads(ran.out)["results"]
    assert result["replay"]["instead"] == [{"name": "Client", "recorded": "2", "here": "3"}]
    assert result["replay"]["refusal"]["parts_ways"] is False
