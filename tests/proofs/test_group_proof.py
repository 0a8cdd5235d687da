"""The group change is proved for any number of members and changes, and each part is needed."""

from dataclasses import replace

import pytest

from samebeat_proofs.engine import Answer, Engine, Run
from samebeat_proofs.facts import Role
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.obligations import IMPLIED, Obligation
from samebeat_proofs.solver import RLIMIT, Budget
from samebeat_spec.specs import load_spec

SPEC = load_spec("group")
PROOF = group_proof()
ENGINE = Engine(PROOF)
CITED = (
    "apply_after_full_receipt",
    "agreement",
    "failure_excludes_commit",
    "commit_needs_all_ok",
    "undo_restores_pre_image",
    "kept_until_replaced",
    "all_or_nothing",
    "decision_stable",
    "epoch_monotone",
)


@pytest.fixture(scope="module")
def run() -> Run:
    return ENGINE.run()


@pytest.fixture(scope="module")
def obligations() -> tuple[Obligation, ...]:
    return tuple(ENGINE.generator.obligations())


@pytest.mark.parametrize("name", [f.name for f in PROOF.facts])
def test_every_obligation_of_a_fact_is_proved_in_the_decidable_fragment(name, obligations):
    for d in (ENGINE.discharge(o) for o in obligations if o.fact == name):
        assert d.answer is Answer.PROVED, d.name
        assert not d.circle, d.name


def test_every_safety_property_of_the_spec_has_a_role():
    promised = {p.name for p in SPEC.of_kind("invariant", "step")}
    assert promised == {f.name for f in PROOF.facts if not f.is_strengthening}
    assert promised > set(CITED)
    assert not PROOF.left_out


def test_the_obligations_are_complete(obligations):
    """Start, every action and every fact; a fact that is implied, and a step, by its own rule."""
    expected = []
    actions = [a.name for a in SPEC.actions]
    for fact in PROOF.facts:
        parts = {
            Role.INDUCTIVE: ["start", *actions],
            Role.IMPLIED: [IMPLIED],
            Role.STEP: actions,
        }[fact.role]
        expected += [f"{fact.name}.{part}" for part in parts]
    assert [o.name for o in obligations] == expected
    assert len(expected) == 331


@pytest.mark.slow
def test_what_an_action_does_not_touch_follows_from_the_fact_alone(obligations):
    """Such an obligation is not given to the solver; if it is, the solver agrees."""
    untouched = [o for o in obligations if o.untouched]
    assert len(untouched) == 84
    for o in untouched:
        alone = {label: o.assumptions[label] for label in (f"fact {o.fact}",)}
        d = ENGINE.discharge(replace(o, assumptions=alone, untouched=False))
        assert d.answer is Answer.PROVED, o.name


@pytest.mark.slow
def test_the_proof_is_about_something(run):
    """All facts can hold, every action can be taken, and every fact about messages is used."""
    assert run.impossible == ()
    assert set(run.possible) == {"all facts at once", *(a.name for a in SPEC.actions)}
    assert run.answer is Answer.PROVED
    used = {label for d in run.discharged if not d.obligation.untouched for label in d.used}
    assert {f"guard {why}" for _, why in SPEC.guards()} <= used


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, a tenth of the budget."""
    engine = Engine(PROOF, Budget(RLIMIT // 10, seed))
    unlucky = [
        d.name
        for d in map(engine.discharge, engine.generator.obligations())
        if d.answer is not Answer.PROVED
    ]
    assert unlucky == []
