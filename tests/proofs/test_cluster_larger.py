"""Runs in which the hardened group change once broke a promise, and does no more.

The proof found them, in models larger than those of the catalog. Who had taken itself out could
still forget, by a crash, what it had applied.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.specs import load_spec

SPEC = load_spec("cluster")
FAULTS = ("undo_may_fail", "may_hang", "may_lose_journal", "needs_cause")
FLAGS = [v.name for v in SPEC.constants if v.to is None and not v.arguments]


def cluster(quorums: list[tuple[int, ...]], changes: int, views: int, **faults: Any) -> Instance:
    """As many members as the last quorum has, which is everyone."""
    return Instance(
        "larger",
        SPEC,
        {
            "Node": len(quorums[-1]),
            "Change": changes,
            "Epoch": changes + 1,
            "Value": changes + 1,
            "Quorum": len(quorums),
            "View": views,
            "Crash": 2,
        },
        {
            "start_value": "v1",
            "asked": {f"c{i}": f"v{i + 1}" for i in range(1, changes + 1)},
            "in_quorum": [f"q{i},n{n}" for i, q in enumerate(quorums, 1) for n in q],
            "everyone": f"q{len(quorums)}",
            **{name: name not in FAULTS for name in FLAGS},
            **faults,
        },
    )


def run(instance: Instance, *steps: str) -> list[tuple[int, ...]]:
    """Return the states of a run by names, ``commit n1 c1``; the interpreter allows each step."""
    judge = Interpreter(instance)
    states = list(judge.initial_states())
    for step in steps:
        name, *labels = step.split()
        action = SPEC.find_action(name)
        arguments = [
            instance.element(p.sort, x) for p, x in zip(action.parameters, labels, strict=True)
        ]
        states.append(judge.step(action, tuple(arguments), states[-1]))
    return states


def each(step: str, members: tuple[int, ...], change: str = "c1") -> list[str]:
    """One step of several members."""
    return [f"{step} n{n} {change}" for n in members]


def view(number: int, quorum: int, members: tuple[int, ...]) -> list[str]:
    """A view that begins for all of its members."""
    return [
        f"propose n{members[0]} {number} q{quorum}",
        *(f"report n{n} {number}" for n in members[1:]),
        *(f"begin_view n{n} {number}" for n in members),
    ]


APPLIED_AND_TOLD_TO_FLUSH = (
    "request n1 c1",
    *each("send_ack", (2, 3)),
    "apply n1 c1",
    *view(1, 2, (2, 3)),
    *each("vote_in_flush", (2, 3)),
    *each("undo", (2, 3)),
    "request n2 c2",
    *view(2, 3, (1, 2, 3)),
    *each("vote_in_flush", (1, 2, 3), "c2"),
)


def test_who_has_not_applied_a_change_has_nothing_to_restore_that_could_fail():
    """It knows c2 from a flush only, and has applied c1: it took itself out, and forgot c1."""
    quorums = [(1, 2), (2, 3), (1, 2, 3)]
    instance = cluster(quorums, changes=2, views=3, undo_may_fail=True)
    run(instance, *APPLIED_AND_TOLD_TO_FLUSH)
    with pytest.raises(Refused, match="n has to undo c"):
        run(instance, *APPLIED_AND_TOLD_TO_FLUSH, "fail_to_undo n1 c2")


OUT = (
    "request n1 c1",
    *each("send_ack", (2, 3)),
    "apply n1 c1",
    "fail_to_apply n3 c1",
    "fail_to_undo n1 c1",
)


@pytest.mark.parametrize("step", ["lose_journal n1 1", "crash_before_journaling n1 1 c1"])
def test_who_has_taken_itself_out_forgets_nothing(step):
    with pytest.raises(Refused, match="n is alive"):
        run(out_of_two(), *OUT, step)


def test_who_has_taken_itself_out_may_crash_and_come_back_and_says_nothing():
    instance = out_of_two()
    prop, judge = SPEC.find_property("quarantine_excluded"), Interpreter(instance)
    states = run(instance, *OUT, "crash n1 1", "recover n1")
    assert all(judge.holds(prop, s, t) for s, t in pairwise(states))


def out_of_two() -> Instance:
    """Two quorums of three members; undos may fail, and journals may be lost."""
    quorums = [(1, 2), (1, 2, 3)]
    return cluster(quorums, changes=1, views=1, undo_may_fail=True, may_lose_journal=True)
