"""Replay: the spec accepts its own runs and refuses a wrong one at a named step, with reasons."""

from dataclasses import replace

import msgspec
import pytest

from samebeat_models import Model, Without
from samebeat_models.itf import TraceFileError, dumps, loads
from samebeat_models.replay import ReplayResult, replay, replay_trace
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Instance, Spec
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

SIZES: dict[str, int | tuple[int, int]] = {"Node": 2, "Change": 1, "Value": 2, "Epoch": 2}
CONSTANTS = {"asked": {"c1": "v2"}, "start_value": "v1"}
GUARD = "n has heard every ok"
RIGHT = Model(name="right", spec="group", sizes=SIZES, constants=CONSTANTS)
WRONG = Model(
    name="wrong",
    spec="group",
    sizes=SIZES,
    constants=CONSTANTS,
    without=Without("commit", GUARD),
)
HASTY = (
    "request n1 c1",
    "receive_request n1 c1",
    "receive_request n2 c1",
    "send_ack n1 c1",
    "send_ack n2 c1",
    "receive n1 n2 c1 ACK",
    "apply n1 c1",
    "commit n1 c1",
    "receive n2 n1 c1 ACK",
    "fail_to_apply n2 c1",
)


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load_spec("group")


def run(instance: Instance, story: tuple[str, ...]) -> Trace:
    """Take the steps that ``story`` names, on whatever protocol ``instance`` has."""
    judge = Interpreter(instance)
    state = first = judge.initial_states()[0]
    steps: list[Step] = []
    for said in story:
        name, *labels = said.split()
        action = instance.spec.find_action(name)
        sorts = [p.sort for p in action.parameters]
        arguments = tuple(map(instance.element, sorts, labels))
        state = judge.step(action, arguments, state)
        steps.append(Step(name, arguments, state))
    return Trace(instance, first, tuple(steps))


def replayed(trace: Trace, on: Model, spec: Spec, recorded_on: Model = WRONG) -> ReplayResult:
    return replay(loads(dumps(trace, recorded_on, spec), "t.itf.json"), on, spec)


def test_a_wrong_protocols_trace_replays_on_that_protocol(spec: Spec) -> None:
    result = replayed(run(WRONG.instance(spec), HASTY), WRONG, spec)
    assert result.refusal is None
    assert result.accepted == 10
    assert result.broken == {"failure_excludes_commit": 10}


def test_the_right_protocol_refuses_it_at_the_step_and_names_the_guard(spec: Spec) -> None:
    result = replayed(run(WRONG.instance(spec), HASTY), RIGHT, spec)
    assert result.accepted == 7
    assert result.refusal is not None
    assert result.refusal.step == 8
    assert result.refusal.reasons == (GUARD,)
    assert str(result.refusal) == f"step 8, commit(n1, c1), is refused: not so: {GUARD}"


def test_a_refusal_lists_what_was_enabled_instead_and_moves(spec: Spec) -> None:
    result = replayed(run(WRONG.instance(spec), HASTY), RIGHT, spec)
    assert result.refusal is not None
    assert result.refusal.enabled == ("receive(n2, n1, c1, ACK)", "send_ok(n1, c1)")


def test_every_refusing_guard_is_named(spec: Spec) -> None:
    trace = run(WRONG.instance(spec), HASTY[:1])
    early = replace(trace, steps=(*trace.steps, Step("commit", (1, 0), trace.steps[-1].state)))
    refusal = replay_trace(early).refusal
    assert refusal is not None
    assert refusal.reasons == ("n has applied c",)
    early = replace(early, instance=RIGHT.instance(spec))
    refusal = replay_trace(early).refusal
    assert refusal is not None
    assert refusal.reasons == ("n has applied c", GUARD)


def test_a_first_state_that_is_no_initial_one_is_refused_with_what_differs(spec: Spec) -> None:
    trace = run(RIGHT.instance(spec), HASTY[:2])
    result = replay_trace(Trace(trace.instance, trace.steps[0].state, trace.steps[1:]))
    assert result.accepted == 0
    assert result.refusal is not None
    assert result.refusal.step == 0
    assert [str(c) for c in result.refusal.differences] == ["requested[c1]: false -> true"]
    assert str(result.refusal) == "it cannot start: requested[c1] is true, not false"


def test_a_recorded_state_that_the_step_does_not_give_is_refused_with_the_cells(
    spec: Spec,
) -> None:
    trace = run(RIGHT.instance(spec), HASTY[:2])
    wrong = list(trace.steps[1].state)
    cell = trace.instance.cell_index["phase"][1, 0]
    wrong[cell] = 2
    steps = (trace.steps[0], replace(trace.steps[1], state=tuple(wrong)))
    refusal = replay_trace(replace(trace, steps=steps)).refusal
    assert refusal is not None
    assert str(refusal).endswith("(n1, c1), is refused: phase[n2, c1] is ACKED, not IDLE")
    assert refusal.reasons == ()


def test_a_step_that_does_not_fit_the_instance_is_a_refusal_with_the_reason(spec: Spec) -> None:
    short = Model(name="short", spec="group", sizes={**SIZES, "Epoch": 1}, constants=CONSTANTS)
    story = (*HASTY[:7], "receive n2 n1 c1 ACK", "apply n2 c1", "send_ok n1 c1", "send_ok n2 c1")
    trace = run(short.instance(spec), (*story, "receive n1 n2 c1 OK"))
    late = replace(trace, steps=(*trace.steps, Step("commit", (0, 0), trace.steps[-1].state)))
    refusal = replay_trace(late).refusal
    assert refusal is not None
    assert refusal.step == 13
    assert "epoch[n1] would become 1" in refusal.reasons[0]


def test_a_loop_needs_a_step_back(spec: Spec) -> None:
    trace = run(RIGHT.instance(spec), HASTY[:3])
    assert replay_trace(trace, loop=3).refusal is None
    refusal = replay_trace(trace, loop=0).refusal
    assert refusal is not None
    assert refusal.reasons == ("a step leads from the last state back to state 0",)


# --- on a model with other constants or sizes --------------------------------------------------


def other(name: str, **changed: object) -> Model:
    return msgspec.structs.replace(RIGHT, name=name, **changed)


THREE = other("three", sizes={**SIZES, "Node": 3})
LONE = other("lone", sizes={**SIZES, "Node": 1})


def test_the_steps_are_followed_on_a_larger_model_until_one_is_refused(spec: Spec) -> None:
    result = replayed(run(WRONG.instance(spec), HASTY), THREE, spec)
    assert [str(c) for c in result.instead] == ["Node: 2 -> 3"]
    assert (result.accepted, result.broken) == (6, {})
    assert str(result.refusal) == (
        "step 7, apply(n1, c1), is refused: not so: n has heard every ack"
    )


def test_a_step_with_another_effect_is_where_two_protocols_part_ways(spec: Spec) -> None:
    late = other("late", constants={"asked": {"c1": "v1"}, "start_value": "v1"})
    result = replayed(run(WRONG.instance(spec), HASTY), late, spec)
    assert [str(c) for c in result.instead] == ["asked[c1]: v2 -> v1"]
    assert str(result.refusal) == (
        "step 7, apply(n1, c1), does something else: value[n1] is v1, not v2"
    )
    assert result.refusal is not None
    assert result.refusal.parts


def test_a_run_whose_steps_are_all_taken_elsewhere_is_accepted(spec: Spec) -> None:
    result = replayed(run(WRONG.instance(spec), HASTY[:3]), THREE, spec)
    assert (result.refusal, result.accepted) == (None, 3)


def test_another_first_state_is_refused_with_what_differs(spec: Spec) -> None:
    high = other("high", constants={"asked": {"c1": "v2"}, "start_value": "v2"})
    refusal = replayed(run(WRONG.instance(spec), HASTY), high, spec).refusal
    assert refusal is not None
    assert refusal.step == 0
    assert "value[n1]: v2 -> v1" in map(str, refusal.differences)


def test_a_step_of_a_node_that_is_not_there_is_a_bad_trace(spec: Spec) -> None:
    trace = run(WRONG.instance(spec), ("request n1 c1", "receive_request n2 c1"))
    with pytest.raises(TraceFileError) as caught:
        replayed(trace, LONE, spec)
    assert str(caught.value) == (
        "t.itf.json: step 2, receive_request(n2, c1): lone: 'n2' is no element of Node"
    )


def test_a_file_that_is_no_run_of_its_own_model_says_nothing_about_another(spec: Spec) -> None:
    trace = run(WRONG.instance(spec), HASTY)
    with pytest.raises(TraceFileError, match=r"not a run of right: step 8, commit\(n1, c1\)"):
        replayed(trace, THREE, spec, recorded_on=RIGHT)


def test_elsewhere_can_be_forbidden(spec: Spec) -> None:
    file = loads(dumps(run(WRONG.instance(spec), HASTY), WRONG, spec), "t.itf.json")
    with pytest.raises(TraceFileError, match="another model: sizes: Node is 2, in three it is 3"):
        replay(file, THREE, spec, elsewhere=False)
