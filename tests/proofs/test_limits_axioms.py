"""What the proof of limits assumes of the order of turns, the registry's orders satisfy.

The axioms are evaluated by the interpreter, on models and on many changes whose order is derived.
"""

from itertools import product
from typing import Any

import pytest

from samebeat_models.catalog import Model, load_catalog
from samebeat_proofs.limits_proof import limits_proof
from samebeat_spec.combinations import Combination
from samebeat_spec.language import Instance
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.limits import Kind
from samebeat_spec.parameters import BY_NAME, Assumptions, needs_synchronisation

PROOF = limits_proof()
SPEC = PROOF.spec
MODELS = [m for m in load_catalog() if m.spec == "limits"]
RIGHT = [m for m in MODELS if not m.violates]
WRONG_ORDERS = [m for m in MODELS if m.violates and not m.without]
LABELS = {f"p{i}": e.label.lower() for i, e in enumerate(Kind.elements, 1)}
LEVELS = (1, 2, 3)
TIMER, TIME = "message_retry_timer", "maximum_message_retry_time"

SOME = [
    ((1, 1, 1, 1, 1), (2, 2, 2, 2, 2)),
    ((2, 2, 2, 2, 2), (1, 1, 1, 1, 1)),
    ((1, 2, 1, 2, 1), (2, 1, 2, 1, 2)),
    ((2, 1, 2, 1, 1), (1, 2, 2, 2, 2)),
]
"""Changes of the five limits, in the order of ``LABELS``."""

BROKEN = {
    "limits-fragments-raised-first-first": {"more_use_comes_last"},
    "limits-fragments-lowered-second-first": {
        "less_use_before_less_room",
        "drained_before_less_room",
    },
    "limits-fragments-lowered-undrained": {"every_limit_has_its_turns"},
    "limits-window-raised-first-first": {"more_use_comes_last"},
    "limits-window-lowered-undrained": {"every_limit_has_its_turns"},
    "limits-retry-time-raised-first-first": {"more_use_comes_last"},
    "limits-retry-time-lowered-undrained": {"every_limit_has_its_turns"},
    "limits-queue-lowered-undrained": {"every_limit_has_its_turns"},
    "limits-retry-timer-before-retry-time": {"timer_and_time_together"},
    "limits-back-in-the-same-order": {"every_limit_has_its_turns", "less_use_before_less_room"},
    "limits-half-a-combination": {"every_limit_has_its_turns"},
    "limits-one-drains-for-both": {"every_limit_has_its_turns"},
}
"""Of each wrong order, the axioms that it does not satisfy."""


def broken(instance: Instance) -> set[str]:
    """Return the axioms that the constants of an instance do not satisfy."""
    judge = Interpreter(instance)
    return {a.name for a in PROOF.axioms if not judge.holds(a, ())}


def named(models: list[Model]) -> list[Any]:
    return [pytest.param(m, id=m.name) for m in models]


def derived(before: tuple[int, ...], after: tuple[int, ...]) -> Instance:
    """Return the instance of one change of the five limits, in the order that is derived."""
    old = dict(zip(LABELS.values(), before, strict=True))
    wanted = dict(zip(LABELS.values(), after, strict=True))
    stages = Combination(wanted).stages({"receive_send_timer_ratio": 2, **old}, Assumptions())
    label = {name: p for p, name in LABELS.items()}
    constants = {
        "kind": {p: name.upper() for p, name in LABELS.items()},
        "is_global": [p for p, name in LABELS.items() if needs_synchronisation(BY_NAME[name])],
        "wanted": {
            f"{c},{label[name]}": level
            for c, levels in enumerate((old, wanted))
            for name, level in levels.items()
        },
        "stage": [
            f"0,1,{turn},{stage.move.name},{label[name]}"
            for turn, stage in enumerate(stages)
            for name in stage.names
        ],
    }
    sizes = {"Parameter": 5, "Change": 2, "Turn": len(stages) + 1, "Level": 1 + max(LEVELS)}
    return Instance("derived", SPEC, sizes, constants)


def changes(levels: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return every change of all five limits among some levels, from valid ones to valid ones."""
    names = list(LABELS.values())
    timer, time = names.index(TIMER), names.index(TIME)
    valid = [x for x in product(levels, repeat=len(names)) if x[timer] <= x[time]]
    return [(before, after) for before in valid for after in valid]


@pytest.mark.parametrize("model", named(RIGHT))
def test_a_right_model_satisfies_every_axiom(model):
    assert broken(model.instance(SPEC)) == set()


@pytest.mark.parametrize("model", named(WRONG_ORDERS))
def test_a_wrong_order_breaks_an_axiom(model):
    assert broken(model.instance(SPEC)) == BROKEN[model.name]


@pytest.mark.parametrize("change", SOME, ids=str)
def test_an_order_that_is_derived_satisfies_every_axiom(change):
    assert broken(derived(*change)) == set()


@pytest.mark.slow
def test_orders_that_are_derived_satisfy_every_axiom():
    """Mixtures of raised, lowered and kept: one in 11 of the 576 changes between two levels."""
    some = changes(LEVELS[:2])[::11]
    assert len(some) == 53
    assert [c for c in some if broken(derived(*c))] == []


@pytest.mark.slow
def test_orders_between_three_levels_satisfy_every_axiom():
    """One in 499 of the 26244 changes."""
    some = changes(LEVELS)[::499]
    assert len(some) == 53
    assert [c for c in some if broken(derived(*c))] == []
