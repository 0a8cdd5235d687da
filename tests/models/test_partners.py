"""The museum against the right protocols: where a wrong protocol's run and a right one part ways.

Each entry of the museum that is wrong by its constants has here a right model, if the catalog has
one with the same values. A part is a guard that refuses a step, or a cell that a step sets
otherwise.
"""

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_models.check import check_model
from samebeat_models.itf import dumps, loads
from samebeat_models.replay import Refusal, ReplayResult, replay
from samebeat_spec.specs import load_spec

MODELS = {m.name: m for m in load_catalog()}

CLAIM_19 = [
    ("lowering-second-first", "domain-lower-6-2-second-envelope", 10, "suspected"),
    ("lowering-second-first", "envelope-lowers", 1, "effective[FIRST]"),
    ("lowering-second-first-kept", "domain-lower-6-2-second-envelope", 10, "suspected"),
    ("lowering-second-first-window", "domain-lower-6-2-second-envelope", 4, "effective[SECOND]"),
    ("lowering-second-first-drift", "envelope-drift-lowers", 1, "effective[FIRST]"),
    ("raising-first-first", "second-first-raises", 4, "recorded[FIRST]"),
    ("raising-first-first-window", "second-first-raises", 1, "recorded[FIRST]"),
    ("raise-lower-second-first", "envelope-undoes-raising", 7, "effective[FIRST]"),
    ("lower-raise-first-first", "envelope-undoes-lowering", 1, "recorded[FIRST]"),
]
ACKS = [
    ("acks-follow-lowers-after-loss", "acks-deadline-lowers", 8, "deadline_armed"),
    ("acks-leave-raises-kept", "acks-deadline-raises", 1, "deadline_armed"),
]
GROUP_CHANGE_OF_AN_INTERVAL = [
    ("claim-1-raises", "composed-3-raises-clocked", 15, "no heartbeat is due"),
    ("claim-1-lowers-window", "composed-3-lowers", 10, "deadline[n1]"),
]
ONE_BIT = [
    ("pair-ack-without-id", "pair-2", 11, "the ack is about c, as far as n can tell"),
    ("pair-heartbeat-without-id", "pair-1", 6, "n does not know c as decided"),
    ("pair-one-bit", "pair-1", 6, "n does not know c as decided"),
    ("pair-shared-record", "pair-1", 6, "indicator[n1, FIRST]"),
    ("pair-shared-record-crossing", "pair-2", 6, "indicator[n1, FIRST]"),
]
LIMITS = [
    (
        "limits-fragments-raised-first-first",
        "limits-fragment-raise",
        2,
        "it is the first node's turn",
    ),
    ("limits-window-raised-first-first", "limits-window-raise", 2, "it is the first node's turn"),
    (
        "limits-window-lowered-undrained",
        "limits-combination-down",
        4,
        "it is the second node's turn",
    ),
    ("limits-retry-time-raised-first-first", "limits-retry-time", 2, "it is the first node's turn"),
    ("limits-queue-lowered-undrained", "limits-queue", 2, "it is within the first node's limit"),
]


def followed(wrong: str, right: str) -> ReplayResult:
    """Return what a right model says to the shortest run that shows the first promise broken."""
    model = MODELS[wrong]
    spec = load_spec(model.spec)
    outcome, _ = check_model(model, spec)
    trace = next(f.trace for f in outcome.findings if f.property == model.violates[0])
    assert trace is not None
    return replay(loads(dumps(trace, model, spec), f"{wrong}.itf.json"), MODELS[right], spec)


def causes(refusal: Refusal) -> tuple[str, ...]:
    """Return the guards that refuse a step, or the cells that it sets otherwise."""
    return refusal.reasons or tuple(c.cell for c in refusal.differences)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "right", "step", "cause"),
    [*CLAIM_19, *ACKS, *GROUP_CHANGE_OF_AN_INTERVAL, *ONE_BIT, *LIMITS],
)
def test_a_right_protocol_parts_from_a_wrong_one_at_a_step_for_a_reason(
    wrong: str, right: str, step: int, cause: str
) -> None:
    assert not MODELS[right].is_control
    result = followed(wrong, right)
    assert result.instead
    assert result.refusal is not None
    assert (result.refusal.step, result.accepted) == (step, step - 1)
    assert cause in causes(result.refusal)
    assert result.broken == {}


@pytest.mark.slow
def test_the_same_steps_can_break_a_promise_in_one_protocol_and_keep_it_in_the_other() -> None:
    result = followed("claim-1-raises-window", "composed-3-raises")
    assert (result.refusal, result.accepted, result.broken) == (None, 10, {})
    assert [str(c) for c in result.instead] == ["envelope: false -> true"]
