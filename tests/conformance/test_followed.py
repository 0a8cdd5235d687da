"""Runs of the spec on cores: what is wrong is refused at a named step, the rest is followed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from samebeat import change
from samebeat.journal import Open
from samebeat.state import State
from samebeat_conformance import followed
from samebeat_conformance.followed import CannotFollow, Followed, follow_trace
from samebeat_conformance.instances import MECHANISMS, group_change
from samebeat_models.catalog import load_catalog
from samebeat_models.explorer import explore
from samebeat_models.results import Finding, Step, Trace
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

REFUSED = {
    ("cluster-apply-without-every-ack", "apply_after_full_receipt"): (2, 1, "apply(n1, c1)"),
    ("cluster-apply-without-ack", "decision_stable"): (4, 3, "apply(n1, c1)"),
    ("cluster-fail-to-apply-without-every-ack", "apply_after_full_receipt"): (
        2,
        1,
        "fail_to_apply(n1, c1)",
    ),
    ("cluster-hold-without-every-ok", "agreement"): (10, 3, "hold(n2, c1)"),
    ("cluster-undo-without-word", "agreement"): (10, 7, "undo(n2, c1)"),
    ("cluster-send-ack-without-first-time", "decision_stable"): (4, 3, "send_ack(n1, c1)"),
    ("cluster-send-busy-without-rival", "busy_needs_rival"): (2, 1, "send_busy(n1, c1)"),
    ("cluster-commit-without-word", "value_known"): (1, 0, "commit(n1, c1)"),
}
"""Of each counterexample: its steps, how many the cores take, and the one that they refuse."""


@cache
def _findings(name: str) -> tuple[Finding, ...]:
    (model,) = [m for m in load_catalog() if m.name == name]
    return explore(model.instance(load_spec(model.spec))).findings


def _trace(name: str, promise: str) -> Trace:
    (trace,) = [f.trace for f in _findings(name) if f.property == promise]
    assert trace is not None
    return trace


@pytest.mark.slow
@pytest.mark.parametrize("which", REFUSED, ids="-".join)
def test_a_counterexample_of_the_museum_is_refused_at_the_step_that_is_wrong(
    which: tuple[str, str],
) -> None:
    """Notes C5 and C6: what the spec without a guard does, the core does not."""
    steps, accepted, step = REFUSED[which]
    found = follow_trace(_trace(*which))
    assert (found.steps, found.accepted, found.refused) == (steps, accepted, step)
    assert found.complete
    assert len(found.inputs) == accepted


@pytest.mark.slow
def test_commits_without_the_held_round_are_refused_at_the_last_step() -> None:
    """Note C5: with views, and a crash."""
    found = follow_trace(_trace("without-held-round", "agreement"))
    assert (found.steps, found.accepted, found.refused) == (18, 17, "commit(n3, c1)")


@pytest.mark.slow
def test_a_run_that_only_looks_done_is_followed_to_where_the_core_is_not_done() -> None:
    """Note C5: state transfer is what the cores still have to do there."""
    found = follow_trace(_trace("without-state-transfer", "all_or_nothing"), "all_or_nothing")
    assert (found.refused, found.accepted) == ("", 17)
    assert (found.looked_at, found.breaks) == (True, False)


RIGHT = {
    "a commit": (
        ("request", 0, 0),
        ("send_ack", 1, 0),
        ("apply", 1, 0),
        ("apply", 0, 0),
        ("send_ok", 0, 0),
        ("send_ok", 1, 0),
        ("hold", 1, 0),
        ("hold", 0, 0),
        ("commit", 0, 0),
        ("commit", 1, 0),
    ),
    "an undo after an apply": (
        ("request", 0, 0),
        ("send_ack", 1, 0),
        ("apply", 0, 0),
        ("fail_to_apply", 1, 0),
        ("undo", 0, 0),
    ),
    "a crash before the journal, and another apply": (
        ("request", 0, 0),
        ("send_ack", 1, 0),
        ("apply", 1, 0),
        ("crash_before_journaling", 1, 1, 0),
        ("recover", 1),
        ("apply", 1, 0),
        ("send_ok", 1, 0),
    ),
    "a commit that is told to who has missed it": (
        ("request", 0, 0),
        ("send_ack", 1, 0),
        ("apply", 1, 0),
        ("apply", 0, 0),
        ("send_ok", 0, 0),
        ("send_ok", 1, 0),
        ("hold", 1, 0),
        ("hold", 0, 0),
        ("commit", 0, 0),
        ("crash", 1, 1),
        ("recover", 1),
        ("commit", 1, 0),
    ),
}
"""Runs of two members: which action, and its arguments by number."""


def _run(steps: tuple[tuple[Any, ...], ...]) -> Trace:
    instance = group_change(2, 1, crashes=1)
    judge = Interpreter(instance)
    (state,) = judge.initial_states()
    trace = Trace(instance, state, ())
    for name, *arguments in steps:
        state = judge.step(judge.spec.find_action(name), tuple(arguments), state)
        trace = replace(trace, steps=(*trace.steps, Step(name, tuple(arguments), state)))
    return trace


@pytest.mark.parametrize("name", RIGHT)
def test_a_run_of_the_right_spec_is_followed(name: str) -> None:
    """Claims 1(a) to 1(f), note C5."""
    found = follow_trace(_run(RIGHT[name]), "agreement")
    assert (found.refused, found.accepted) == ("", len(RIGHT[name]))
    assert (found.looked_at, found.breaks, found.complete) == (True, False, True)


@pytest.mark.slow
def test_a_core_that_is_wrong_takes_the_wrong_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is refused because of what the core does."""

    def all_acked(s: State, o: Open) -> bool:
        return True

    monkeypatch.setattr(change, "all_acked", all_acked)
    trace = _trace("cluster-apply-without-every-ack", "apply_after_full_receipt")
    found = follow_trace(trace, "apply_after_full_receipt")
    assert (found.refused, found.breaks) == ("", True)


def _short() -> Trace:
    return _trace("cluster-apply-without-every-ack", "apply_after_full_receipt")


def test_a_run_that_has_too_many_ways_is_undetermined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "MOST_WAYS", 1)
    assert not follow_trace(_run(RIGHT["a commit"])).complete


def test_a_run_of_another_spec_is_none_of_the_implementation() -> None:
    model = next(m for m in load_catalog() if m.spec == "limits")
    instance = model.instance(load_spec("limits"))
    state = Interpreter(instance).initial_states()[0]
    with pytest.raises(CannotFollow, match="no core can follow runs of limits"):
        follow_trace(Trace(instance, state, ()))


def test_the_mechanisms_are_constants_of_the_spec() -> None:
    names: set[Any] = {v.name for v in load_spec("cluster").constants}
    assert set(MECHANISMS) < names


def test_what_was_followed_is_said_in_inputs() -> None:
    found = follow_trace(_short())
    assert isinstance(found, Followed)
    assert found.inputs == (("n1: Ask",),)
