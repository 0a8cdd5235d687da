"""Where the hardened group change breaks a promise: in models larger than those of the catalog.

The proof for any number of members leaves these promises out. Here are the runs that show why.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
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
        *(f"report n{n} {number}" for n in members),
        *(f"begin_view n{n} {number}" for n in members),
    ]


def test_of_five_two_that_were_left_out_may_hold_different_values():
    """No fault at all: three go on in a view of their own and commit; of the others one hears."""
    three = (1, 2, 3)
    instance = cluster([three, (1, 2, 3, 4, 5)], changes=1, views=2)
    steps = [
        *view(1, 1, three),
        "request n1 c1",
        *(x for step in ("send_ack", "apply", "send_ok", "hold") for x in each(step, three)),
        "commit n1 c1",
    ]
    prop, judge = SPEC.find_property("all_or_nothing"), Interpreter(instance)
    states = run(instance, *steps, "commit n5 c1")
    assert [judge.holds(prop, s) for s in states[-2:]] == [True, False]


def test_who_has_taken_itself_out_may_crash_and_forget_what_it_has_applied():
    """Its undo of a change fails that it knows from a flush; another one is applied meanwhile."""
    all_three = (1, 2, 3)
    instance = cluster([(1, 2), (2, 3), all_three], changes=2, views=3, undo_may_fail=True)
    steps = [
        "request n1 c1",
        *each("send_ack", all_three),
        "apply n1 c1",
        *view(1, 2, (2, 3)),
        *each("vote_in_flush", (2, 3)),
        *each("undo", (2, 3)),
        "request n2 c2",
        "send_ack n2 c2",
        *view(2, 3, all_three),
        *each("vote_in_flush", all_three, "c2"),
        "fail_to_undo n1 c2",
        "crash_before_journaling n1 1 c1",
    ]
    assert silences(instance, steps) == ["crash_before_journaling n1 1 c1"]


def test_who_has_taken_itself_out_may_lose_its_journal():
    instance = cluster(
        [(1, 2), (1, 2, 3)], changes=1, views=1, undo_may_fail=True, may_lose_journal=True
    )
    steps = [
        "request n1 c1",
        *each("send_ack", (1, 2, 3)),
        "apply n1 c1",
        "fail_to_apply n3 c1",
        "fail_to_undo n1 c1",
        "lose_journal n1 1",
    ]
    assert silences(instance, steps) == ["lose_journal n1 1"]


def silences(instance: Instance, steps: list[str]) -> list[str]:
    """Return the steps that break the promise that who has taken itself out says nothing."""
    prop, judge = SPEC.find_property("quarantine_excluded"), Interpreter(instance)
    states = run(instance, *steps)
    return [
        step
        for step, (s, t) in zip(steps, pairwise(states), strict=True)
        if not judge.holds(prop, s, t)
    ]
