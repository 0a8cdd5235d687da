"""Trace files: equal bytes for equal runs, exact round trips, and one clear line for a bad file."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat_models import Model, Without
from samebeat_models.itf import TraceFileError, decode, dumps, load, loads
from samebeat_models.results import Step, Trace
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Integer,
    Ordered,
    Sort,
    Spec,
    State,
    action,
    element,
    flag,
    following,
    function,
    guard,
    initial,
    invariant,
    relation,
    spec_of,
    variable,
)
from samebeat_spec.language.interpreter import Interpreter


class Clerk(Sort):
    """Somebody at a counter."""


class Mood(Enumeration):
    CALM = element("all is well")
    BUSY = element("not now")


class Ticket(Ordered):
    """A number on paper."""


class Level(Integer, low=0, high=3):
    """How full the room is."""


class Office(State):
    """One variable of every kind."""

    opened = flag()
    level = variable(Level)
    on_duty = relation(Clerk)
    knows = relation(Clerk, Clerk)
    mood = function(Clerk, to=Mood)
    ticket = function(Clerk, Mood, to=Ticket)


@initial
def start(s: Office) -> None:
    """Closed."""


@action()
def tick(s: Office) -> None:
    """The door opens or closes."""
    s.opened = ~s.opened


@action()
def serve(s: Office, c: Clerk, d: Clerk, m: Mood, level: Level) -> None:
    """Much happens at once."""
    guard(s.level != level, "the level is new")

    s.level = level
    s.on_duty[c] = True
    s.knows[c, d] = True
    s.mood[d] = m


@action()
def call(s: Office, c: Clerk, m: Mood, t: Ticket) -> None:
    """The next ticket."""
    guard(s.ticket[c, m] == t, "t is the ticket of c")
    guard(t == Ticket.first, "t is the first")

    s.ticket[c, m] = following(t)


@invariant()
def anything_goes(s: Office) -> Formula:
    """Nothing is promised."""
    return s.opened | ~s.opened


OFFICE = spec_of(Office)
MODEL = Model(name="office", spec="office", sizes={"Clerk": 2, "Ticket": 3})


def walk(model: Model, spec: Spec, choices: list[int]) -> Trace:
    """Follow ``choices`` through the steps that are enabled, one after another."""
    judge = Interpreter(model.instance(spec))
    state = initial_state = judge.initial_states()[0]
    steps: list[Step] = []
    for choice in choices:
        enabled = list(judge.successors(state))
        taken, arguments, state = enabled[choice % len(enabled)]
        steps.append(Step(taken.name, arguments, state))
    return Trace(judge.instance, initial_state, tuple(steps))


def text_of(choices: list[int]) -> str:
    return dumps(walk(MODEL, OFFICE, choices), MODEL, OFFICE, "a walk")


TEXT = text_of([0, 40, 7, 3, 90])


def test_equal_runs_give_equal_bytes() -> None:
    assert text_of([0, 40, 7, 3, 90]) == TEXT


def test_a_file_has_one_line_for_each_state_and_ends_its_last_line() -> None:
    lines = TEXT.splitlines()
    assert sum(line.startswith('    {"#meta"') for line in lines) == 6
    assert TEXT.endswith("\n  ]\n}\n")


def test_a_state_is_written_as_apalache_and_quint_write_it() -> None:
    trace = json.loads(text_of([3]))
    assert trace["#meta"]["format"] == "ITF"
    assert trace["#meta"]["varTypes"] == {
        "opened": "Bool",
        "level": "Int",
        "on_duty": "Set(Str)",
        "knows": "Set(<<Str, Str>>)",
        "mood": "Str -> Str",
        "ticket": "<<Str, Str>> -> Int",
    }
    assert trace["params"] == []
    assert trace["vars"] == [*trace["#meta"]["varTypes"], "mbt::actionTaken", "mbt::nondetPicks"]
    assert trace["states"][1] == {
        "#meta": {
            "index": 1,
            "action": "serve",
            "arguments": {"c": "c1", "d": "c1", "m": "CALM", "level": "3"},
            "actor": "c1",
        },
        "opened": False,
        "level": {"#bigint": "3"},
        "on_duty": {"#set": ["c1"]},
        "knows": {"#set": [{"#tup": ["c1", "c1"]}]},
        "mood": {"#map": [["c1", "CALM"], ["c2", "CALM"]]},
        "ticket": {
            "#map": [
                [{"#tup": [c, m]}, {"#bigint": "0"}] for c in ("c1", "c2") for m in ("CALM", "BUSY")
            ]
        },
        "mbt::actionTaken": "serve",
        "mbt::nondetPicks": {
            "c": {"tag": "Some", "value": "c1"},
            "d": {"tag": "Some", "value": "c1"},
            "level": {"tag": "Some", "value": {"#bigint": "3"}},
            "m": {"tag": "Some", "value": "CALM"},
            "t": {"tag": "None", "value": {"#tup": []}},
        },
    }


def test_the_first_state_is_taken_by_init_and_nobody() -> None:
    first = json.loads(TEXT)["states"][0]
    assert first["#meta"] == {"index": 0, "action": "init", "arguments": {}, "actor": None}
    assert first["mbt::actionTaken"] == "init"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 999), max_size=8))
def test_every_run_comes_back_as_it_was_written(choices: list[int]) -> None:
    trace = walk(MODEL, OFFICE, choices)
    text = dumps(trace, MODEL, OFFICE)
    back = decode(loads(text, "walk"), MODEL, OFFICE)
    assert (back.initial, back.steps) == (trace.initial, trace.steps)
    assert dumps(back, MODEL, OFFICE) == text


def test_a_loop_comes_back_as_it_was_written() -> None:
    text = dumps(walk(MODEL, OFFICE, [0, 0]), MODEL, OFFICE, loop=1)
    assert loads(text, "t").loop == 1


def test_a_trace_of_a_wrong_protocol_says_which_guard_is_out_and_fits_the_right_one() -> None:
    out = Without("serve", "the level is new")
    wrong = Model(name="office-open", spec="office", sizes=MODEL.sizes, without=out)
    trace = loads(dumps(walk(wrong, OFFICE, [1]), wrong, OFFICE), "t")
    assert trace.meta.without == out
    assert decode(trace, MODEL, OFFICE).steps[0].action == "serve"


# --- bad files -------------------------------------------------------------------------------


def refusal(text: str, model: Model = MODEL, spec: Spec = OFFICE) -> str:
    with pytest.raises(TraceFileError) as caught:
        decode(loads(text, "bad.itf.json"), model, spec)
    message = str(caught.value)
    assert message.startswith("bad.itf.json: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("cut", [0, 1, 40, len(TEXT) // 3, len(TEXT) // 2, len(TEXT) - 3])
def test_a_truncated_file_is_refused_with_the_place_where_it_ends(cut: int) -> None:
    assert "truncated: it ends at line" in refusal(TEXT[:cut])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello", "not JSON: Expecting value at line 1 column 1"),
        ("[1]", "not an ITF trace: it has no #meta"),
        ('{"states": []}', "not an ITF trace: it has no #meta"),
        ('{"#meta": {"format": "XML"}}', "not an ITF trace: #meta has no format ITF"),
        ('{"#meta": {"format": "ITF"}, "states": []}', "an ITF trace, but not of samebeat"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("[" * 100_000, "not JSON that can be read"),
        ("9" * 5_000, "not JSON that can be read"),
    ],
)
def test_what_is_no_trace_of_ours_is_refused_by_what_it_is(text: str, problem: str) -> None:
    assert problem in refusal(text)


def change(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def edit(trace: dict[str, Any]) -> None:
        target: Any = trace
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = to

    return edit


def remove(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def edit(trace: dict[str, Any]) -> None:
        target: Any = trace
        for key in path[:-1]:
            target = target[key]
        del target[path[-1]]

    return edit


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (change("#meta", "mystery", to=1), "#meta: Object contains unknown field `mystery`"),
        (remove("#meta", "fingerprint"), "#meta: Object missing required field `fingerprint`"),
        (change("#meta", "sizes", "Clerk", to="2"), "#meta: Expected"),
        (change("extra", to=1), "Object contains unknown field `extra`"),
        (remove("vars"), "Object missing required field `vars`"),
        (change("states", to=[]), "the trace has no states"),
        (change("vars", to=["opened", "door"]), "vars: unknown variable 'door'"),
        (change("states", 2, to=7), "state 2: not an object"),
        (change("states", 2, "door", to=True), "state 2: unknown variable 'door'"),
        (remove("states", 2, "opened"), "state 2: the variable 'opened' is missing"),
        (remove("states", 2, "#meta"), "state 2: #meta"),
        (change("states", 2, "#meta", "index", to=9), "state 2: #meta: its index is 9"),
        (change("states", 1, "mbt::actionTaken", to="x"), "state 1: #meta says 'tick'"),
        (change("states", 1, "mbt::nondetPicks", to=[]), "state 1: mbt::nondetPicks: not a rec"),
        (change("states", 0, "#meta", "arguments", to={"c": "c1"}), "state 0: 'init' stands in"),
        (change("loop", to=6), "loop: there is no state 6"),
    ],
)
def test_a_file_that_contradicts_its_own_form_is_refused_at_the_place(
    edit: Callable[[dict[str, Any]], None], problem: str
) -> None:
    trace = json.loads(TEXT)
    edit(trace)
    assert problem in refusal(json.dumps(trace))


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (change("states", 3, "opened", to=1), "state 3: opened: 1 is no truth value"),
        (change("states", 3, "level", to={"#bigint": "4"}), "state 3: level: "),
        (change("states", 3, "level", to=1), "state 3: level: 1 is no Level"),
        (change("states", 3, "mood", to={"#map": [["c1", "SAD"]]}), "mood[mood[c1]]: "),
        (change("states", 3, "mood", to={"#map": [["c1", "CALM"]]}), "mood[c2] has no value"),
        (change("states", 3, "mood", to={"#map": ["c1"]}), "a #map has pairs"),
        (change("states", 3, "mood", to={"#set": []}), 'mood: needs {"#map": [...]}'),
        (change("states", 3, "on_duty", to={"#set": ["c9"]}), '"c9" is not (Clerk)'),
        (change("states", 3, "on_duty", to={"#set": ["c1", "c1"]}), "on_duty[c1] stands there"),
        (change("states", 3, "knows", to={"#set": ["c1"]}), '"c1" is not (Clerk, Clerk)'),
    ],
)
def test_an_ill_typed_state_is_refused_with_its_number_and_variable(
    edit: Callable[[dict[str, Any]], None], problem: str
) -> None:
    trace = json.loads(TEXT)
    edit(trace)
    message = refusal(json.dumps(trace))
    assert "state 3: " in message
    assert problem in message


@pytest.mark.parametrize(
    ("edits", "problem"),
    [
        ([change("states", 1, "#meta", "actor", to="c1")], 'the actor is null, not "c1"'),
        (
            [
                change("states", 1, "#meta", "action", to="sleep"),
                change("states", 1, "mbt::actionTaken", to="sleep"),
            ],
            "state 1: #meta: no action is called 'sleep'",
        ),
        (
            [change("states", 1, "#meta", "arguments", to={"c": "c1"})],
            "state 1: #meta: tick takes (), not (c)",
        ),
        (
            [change("states", 2, "#meta", "arguments", "c", to="c7")],
            "state 2: #meta: office: 'c7' is no element of Clerk",
        ),
        (
            [change("states", 2, "mbt::nondetPicks", "c", "value", to="c9")],
            "state 2: mbt::nondetPicks are not the arguments",
        ),
    ],
)
def test_a_step_that_is_none_of_the_spec_is_refused_at_its_state(
    edits: list[Callable[[dict[str, Any]], None]], problem: str
) -> None:
    trace = json.loads(text_of([0, 1]))
    for edit in edits:
        edit(trace)
    assert problem in refusal(json.dumps(trace))


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (change("#meta", "spec", to="shop"), "a trace of the spec 'shop', but the model office"),
        (change("#meta", "fingerprint", to="0"), "a trace of another version of office"),
        (change("#meta", "sizes", "Clerk", to=3), "of another model: sizes: Clerk is 3, in office"),
        (change("#meta", "constants", to={"k": 1}), "of another model: constants: k is 1"),
    ],
)
def test_a_trace_of_another_spec_version_or_model_is_refused(
    edit: Callable[[dict[str, Any]], None], problem: str
) -> None:
    trace = json.loads(TEXT)
    edit(trace)
    assert problem in refusal(json.dumps(trace))


def test_a_file_that_is_not_text_or_not_there_is_refused_by_name(tmp_path: Any) -> None:
    binary = tmp_path / "b.itf.json"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(TraceFileError, match=r"b\.itf\.json: not text: byte 0"):
        load(binary)
    with pytest.raises(TraceFileError, match="No such file"):
        load(tmp_path / "none.itf.json")
