"""A trace that somebody has edited, shortened or put into another order is refused.

Each line of a trace is a state and the step that led to it. Every single change of one line is
tried. Whether what comes out is a run is asked of the interpreter, one step after the other, and
never assumed: what is one must be accepted, anything else refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from samebeat_models import Model
from samebeat_models.itf import TraceFileError, dumps, loads
from samebeat_models.replay import replay, replay_trace
from samebeat_models.results import Step, Trace
from samebeat_spec.language import Spec, StateError
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

MODEL = Model(
    name="two",
    spec="group",
    sizes={"Node": 2, "Change": 1, "Value": 2, "Epoch": 2},
    constants={"asked": {"c1": "v2"}, "start_value": "v1"},
)
STORY = (
    "request n1 c1",
    "receive_request n1 c1",
    "receive_request n2 c1",
    "send_ack n1 c1",
    "send_ack n2 c1",
    "receive n1 n2 c1 ACK",
    "receive n2 n1 c1 ACK",
    "apply n1 c1",
    "apply n2 c1",
    "send_ok n1 c1",
    "send_ok n2 c1",
    "receive n1 n2 c1 OK",
    "commit n1 c1",
    "receive n2 n1 c1 OK",
    "commit n2 c1",
)


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load_spec("group")


@pytest.fixture(scope="module")
def trace(spec: Spec) -> Trace:
    """A change of two members, from the request to both commits."""
    instance = MODEL.instance(spec)
    judge = Interpreter(instance)
    state = first = judge.initial_states()[0]
    steps: list[Step] = []
    for said in STORY:
        name, *labels = said.split()
        action = instance.spec.find_action(name)
        arguments = tuple(map(instance.element, [p.sort for p in action.parameters], labels))
        state = judge.step(action, arguments, state)
        steps.append(Step(name, arguments, state))
    return Trace(instance, first, tuple(steps))


@pytest.fixture(scope="module")
def short(trace: Trace) -> Trace:
    """Its first half, up to an apply: there are hundreds of ways to change one step of it."""
    return replace(trace, steps=trace.steps[: STORY.index("apply n2 c1")])


def is_run(judge: Interpreter, trace: Trace) -> bool:
    """Whether each step leads from its state to the next, by the interpreter alone."""
    if trace.initial not in judge.initial_states():
        return False
    try:
        return all(
            judge.step(judge.spec.find_action(step.action), step.arguments, before) == step.state
            for before, step in zip(trace.states, trace.steps, strict=False)
        )
    except (Refused, StateError):
        return False


def verdicts(traces: Iterable[Trace]) -> Counter[tuple[bool, bool]]:
    """Count (is a run, is accepted)."""
    found: Counter[tuple[bool, bool]] = Counter()
    judge: Interpreter | None = None
    for edited in traces:
        judge = judge or Interpreter(edited.instance)
        found[is_run(judge, edited), replay_trace(edited).refusal is None] += 1
    return found


def dropped(trace: Trace) -> Iterator[Trace]:
    """The trace without one of its lines, the first included; numbered anew."""
    yield Trace(trace.instance, trace.steps[0].state, trace.steps[1:])
    for i in range(len(trace.steps)):
        yield replace(trace, steps=trace.steps[:i] + trace.steps[i + 1 :])


def swapped(trace: Trace) -> Iterator[Trace]:
    """The trace with two lines in each other's place."""
    steps = trace.steps
    for i in range(len(steps)):
        for j in range(i + 1, len(steps)):
            changed = list(steps)
            changed[i], changed[j] = steps[j], steps[i]
            yield replace(trace, steps=tuple(changed))


def with_steps_swapped(trace: Trace) -> Iterator[Trace]:
    """Neighbours in each other's place, each with the state that the other one led to."""
    steps = trace.steps
    for i, (one, two) in enumerate(pairwise(steps)):
        changed = (replace(two, state=one.state), replace(one, state=two.state))
        yield replace(trace, steps=(*steps[:i], *changed, *steps[i + 2 :]))


def with_another_step(trace: Trace) -> Iterator[Trace]:
    """One step said to be another one: any action with any arguments."""
    instance = trace.instance
    for i, step in enumerate(trace.steps):
        for action in instance.spec.actions:
            for arguments in instance.choices(action.parameters):
                other = replace(step, action=action.name, arguments=arguments)
                if other != step:
                    yield replace(trace, steps=(*trace.steps[:i], other, *trace.steps[i + 1 :]))


def with_another_cell(trace: Trace) -> Iterator[Trace]:
    """One cell of one state, the first included, set to any other value."""
    for i, state in enumerate(trace.states):
        for at, cell in enumerate(trace.instance.cells):
            for value in cell.values:
                if value == state[at]:
                    continue
                wrong = (*state[:at], value, *state[at + 1 :])
                if i == 0:
                    yield replace(trace, initial=wrong)
                else:
                    step = replace(trace.steps[i - 1], state=wrong)
                    yield replace(trace, steps=(*trace.steps[: i - 1], step, *trace.steps[i:]))


def test_the_trace_itself_is_a_run_and_is_accepted(trace: Trace) -> None:
    assert verdicts([trace]) == {(True, True): 1}


def test_a_trace_without_one_of_its_steps_is_refused_unless_it_was_the_last(trace: Trace) -> None:
    """What is left of a run when its last step is taken away is a run."""
    assert verdicts(dropped(trace)) == {(False, False): len(STORY), (True, True): 1}


@pytest.mark.slow
def test_a_trace_with_two_lines_in_each_others_place_is_refused(trace: Trace) -> None:
    assert verdicts(swapped(trace)) == {(False, False): len(STORY) * (len(STORY) - 1) // 2}


def test_neighbours_that_change_places_are_refused(trace: Trace) -> None:
    assert verdicts(with_steps_swapped(trace)) == {(False, False): len(STORY) - 1}


@pytest.mark.slow
def test_a_trace_that_names_another_step_is_refused_unless_that_does_the_same(
    short: Trace,
) -> None:
    """The one that does: the change is asked for by the other member, which nobody notes."""
    found = verdicts(with_another_step(short))
    assert found == {(False, False): 295, (True, True): 1}


@pytest.mark.slow
def test_a_trace_with_one_cell_changed_is_refused(short: Trace) -> None:
    assert verdicts(with_another_cell(short)) == {(False, False): 396}


def test_an_edit_that_leaves_a_run_is_accepted(trace: Trace) -> None:
    """The control: two acks may be sent in either order, where the state between fits."""
    judge = Interpreter(trace.instance)
    at = STORY.index("send_ack n1 c1")
    one, two = trace.steps[at : at + 2]
    action = judge.spec.find_action(two.action)
    between = judge.step(action, two.arguments, trace.states[at])
    changed = (replace(two, state=between), replace(one, state=two.state))
    edited = replace(trace, steps=(*trace.steps[:at], *changed, *trace.steps[at + 2 :]))
    assert verdicts([edited]) == {(True, True): 1}


def test_a_file_with_a_line_left_out_or_twice_is_refused_before_it_is_replayed(
    trace: Trace, spec: Spec
) -> None:
    """Lines have numbers, so an editor that drops one must number the rest anew."""
    text = dumps(trace, MODEL, spec)
    whole = json.loads(text)
    for i in range(len(whole["states"]) - 1):
        for states in (
            whole["states"][:i] + whole["states"][i + 1 :],
            whole["states"][: i + 1] + whole["states"][i:],
        ):
            with pytest.raises(TraceFileError, match="index"):
                loads(json.dumps({**whole, "states": states}), "t.itf.json")
    assert replay(loads(text, "t.itf.json"), MODEL, spec).refusal is None
