"""Every step of an explored heartbeat pair is a step of the pair of the proof.

The proof speaks of a spec of its own, with real time and any number of heartbeats on their way.
That it says anything of what is explored rests on this: each explored state is one of its states,
and each step, of every action, one of its steps. What the two nodes do is recorded once for both.
"""

from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.timed_proof import timed_proof
from samebeat_spec.language import Instance
from samebeat_spec.language.errors import StateError
from samebeat_spec.language.instance import Arguments, StateTuple
from samebeat_spec.language.interpreter import Interpreter, Refused
from samebeat_spec.language.terms import Apply, Expr, parts_of

from .relation import Relation
from .timed_link import GHOST, HEARTBEAT, REAL, Link, pair

PROOF = timed_proof()
CATALOG = {m.name: m for m in load_catalog()}
LOWERS = pair((2, 1), (2, 1))
FAILS = pair((2, 1), (2, 1), may_fail=True, policy="ENVELOPE", second_rearms=False, rearming="KEEP")
RAISES = pair((1, 2), (3, 5), tolerated=1, policy="SECOND_FIRST", crashes_early=False)
DRIFTS = pair((2, 1), (4, 3), drift=1, delay=1, announced=True, rearming="KEEP")
LARGER = {"fails": FAILS, "raises": RAISES, "drifts": DRIFTS, "lowers": LOWERS}
MODELS = [
    "second-first-raises",
    "envelope-lowers-raises",
    "envelope-overtaking",
    "second-envelope-lowers-raises",
    "second-first-drift-raises",
    "envelope-drift-lowers",
    "envelope-prompt",
    "first-first-lowers",
    "direction-aware-lowers-raises",
]


def problems(instance: Instance, reached: Any, every: int = 1) -> list[str]:
    """Return every explored step that is none of the proof's pair."""
    link = Link(instance)
    some = list(reached.steps)[::every]
    found = [(s, a, x, link.differs(s, a, x, t)) for s in some for a, x, t in reached.steps[s]]
    return [f"{a}{x} from {s}: {why}" for s, a, x, why in found if why]


def within(expr: Expr) -> list[Expr]:
    return [expr, *(e for part in parts_of(expr) for e in within(part))]


@pytest.mark.parametrize("instance", LARGER.values(), ids=LARGER)
def test_an_explored_pair_starts_where_the_proof_starts(instance):
    link = Link(instance)
    (start,) = Interpreter(instance).initial_states()
    assert link.judge.initial_states() == [link.state(start)]


def test_every_step_near_the_start_is_a_step_of_the_proof(oracle):
    assert oracle(LOWERS, 4).transitions == 59
    assert problems(LOWERS, oracle(LOWERS, 4)) == []


def test_a_step_that_is_none_of_the_proof_is_noticed(oracle):
    """Time that passes while a heartbeat is due is explored here, and refused there."""
    late = HEARTBEAT.without("tick", "no heartbeat is due")
    wrong = Instance("late", late, LOWERS.sizes, LOWERS.constants)
    found = problems(wrong, oracle(wrong, 1))
    assert found
    assert all("not so: no heartbeat is due" in problem for problem in found)


def test_another_delay_is_noticed():
    link = Link(LOWERS)
    (start,) = Interpreter(LOWERS).initial_states()
    elsewhere = tuple(1 - x if i == 0 else x for i, x in enumerate(start))
    assert link.differs(start, "hear_announcement", (), elsewhere)


def test_nothing_depends_on_what_the_proof_remembers_for_itself():
    """So it does not matter that explored states have no such thing."""
    for a in (*REAL.initials, *REAL.actions):
        read: list[Expr] = [g.condition for g in a.guards]
        read += [x.value for x in a.assignments if x.variable.name != GHOST and x.value is not None]
        names = {e.variable.name for r in read for e in within(r) if isinstance(e, Apply)}
        assert GHOST not in names, a.name
    assert all(
        GHOST not in {e.variable.name for e in within(p.formula) if isinstance(e, Apply)}
        for p in REAL.properties
    )


def test_the_nodes_do_what_is_recorded_for_the_explored_pair():
    """Said anew is only who sends, what arrives and time; of acks, only what is remembered."""
    inherited = {a.name: a.function for a in HEARTBEAT.actions}
    own = {a.name for a in REAL.actions if a.function is not inherited.get(a.name)}
    assert own == {"send_heartbeat", "lose_heartbeat", "receive_ack", "receive_heartbeat", "tick"}
    assert {a.name for a in REAL.actions} - own == set(inherited) - own


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_every_step_of_an_explored_pair_is_a_step_of_the_proof(name, oracle):
    assert problems(LARGER[name], oracle(LARGER[name])) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_steps_of_the_catalogs_pairs_are_steps_of_the_proof(name, oracle):
    """The first thousands; also under rules that are not proved: the steps are the same."""
    instance = CATALOG[name].instance(HEARTBEAT)
    found = oracle(instance, 9)
    assert problems(instance, found, every=1 + len(found.steps) // 400) == []


def facts_hold(instance: Instance, reached: Any) -> None:
    """Check in every explored state that the facts hold, for some value of what is remembered."""
    link = Link(instance)
    judge, at = link.judge, link.real.cell_index[GHOST][()]
    changes = link.real.cells[at].values
    facts = [f.prop for f in PROOF.facts if f.prop.kind == "invariant"]
    for state in reached.steps:
        own = link.state(state)
        some = [tuple(c if i == at else x for i, x in enumerate(own)) for c in changes]
        assert any(all(judge.holds(f, s) for f in facts) for s in some), state


def test_what_the_proof_needs_is_true_of_explored_states_near_the_start(oracle):
    facts_hold(LOWERS, oracle(LOWERS, 3))
    assert len(PROOF.strengthenings) == 25


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_what_the_proof_needs_is_true_of_every_explored_state(name, oracle):
    facts_hold(LARGER[name], oracle(LARGER[name]))
    assert all(Link(LARGER[name]).judge.holds(a, ()) for a in PROOF.axioms)


@pytest.mark.slow
def test_what_the_proof_assumes_is_true_of_the_catalogs_pairs():
    """Those under a rule that is proved, whose values are SAFE and that nothing is wrong with."""
    checked = 0
    for m in CATALOG.values():
        if m.spec == "heartbeat" and not (m.without or m.violates):
            instance = m.instance(HEARTBEAT)
            wrong = {a.name for a in PROOF.axioms if not Link(instance).judge.holds(a, ())}
            checked += not wrong
    assert checked > 50


def step_of(judge: Interpreter, name: str, arguments: Arguments, state: StateTuple) -> Any:
    """Return the states that a step leads to, none or one; None where a clock would not fit."""
    try:
        return [judge.step(judge.spec.find_action(name), arguments, state)]
    except Refused:
        return []
    except StateError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_the_solver_and_the_interpreter_agree_on_the_steps_of_the_proofs_pair(name, oracle):
    """Every choice of arguments from one state of 25, also the steps that are refused."""
    link, taken = Link(LARGER[name]), 0
    relation = Relation(link.real)
    for state in map(link.state, list(oracle(LARGER[name]).steps)[::25]):
        model = relation.model(state)
        for key in relation.steps:
            expected = step_of(link.judge, *key, state)
            if expected is not None:
                assert relation.after(model, state, *key) == expected, (key, state)
                taken += len(expected)
    assert taken > 50
