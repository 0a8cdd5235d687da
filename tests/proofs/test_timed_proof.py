"""The heartbeat pair is proved for all real times, and SAFE is what is needed, not more."""

from dataclasses import replace
from fractions import Fraction

import pytest
import z3

from samebeat_models.advice.basis import ENVELOPE, LITERAL, ORDER, TIGHT
from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine, Run
from samebeat_proofs.facts import Part, Proof, ProofError, Role, axiom, strengthening
from samebeat_proofs.loss_time import loss_time_proof
from samebeat_proofs.obligations import IMPLIED
from samebeat_proofs.solver import RLIMIT, Budget, Solver
from samebeat_proofs.standing import standings
from samebeat_proofs.timed_model import RealPair
from samebeat_proofs.timed_proof import timed_proof
from samebeat_proofs.universe import Universe
from samebeat_spec.heartbeat import Policy, Ticks
from samebeat_spec.language import Formula, Instance, forall
from samebeat_spec.language.interpreter import Interpreter

from .timed_link import HEARTBEAT, pair

PROOF = timed_proof()
SPEC = PROOF.spec
ENGINE = Engine(PROOF)
LOSSES = loss_time_proof()
PROMISED = {
    "no_mismatch_window",
    "no_false_suspicion",
    "armed_within_effective",
    "detection_bounded",
    "detection_as_recorded",
    "tightener_defers",
    "interval_kept",
    "stopped_for_good",
}
RULES = (Policy.SECOND_FIRST, Policy.ENVELOPE, Policy.SECOND_ENVELOPE)


@pytest.mark.parametrize("name", [f.name for f in PROOF.facts])
def test_every_obligation_is_proved_in_the_decidable_fragment(name):
    for d in map(ENGINE.discharge, ENGINE.generator.obligations_called(name)):
        assert d.answer is Answer.PROVED, d.name
        assert not d.circle, d.name


def test_every_safety_promise_of_the_explored_pair_has_a_role():
    promised = {p.name for p in HEARTBEAT.of_kind("invariant", "step")}
    shown = {f.name for f in PROOF.facts if not f.is_strengthening}
    assert promised == PROMISED
    assert shown == PROMISED | {"safe_is_tight"}
    assert not PROOF.left_out


@pytest.mark.slow
def test_the_obligations_are_complete():
    actions = [a.name for a in SPEC.actions]
    parts = {Role.INDUCTIVE: ["start", *actions], Role.IMPLIED: [IMPLIED], Role.STEP: actions}
    expected = [
        f"{f.name}.{part}"
        for f in PROOF.facts
        for part in parts.get(f.role, [p.name for p in f.parts])
    ]
    assert [o.name for o in ENGINE.obligations] == expected
    assert len(expected) == 424


@pytest.mark.slow
def test_the_proof_is_about_something():
    run: Run = ENGINE.run()
    assert run.answer is Answer.PROVED
    assert run.impossible == ()
    assert {s.answer for s in standings(run)} == {Answer.PROVED}
    used = {label for d in run.discharged for label in d.used}
    assert {f"axiom {a.name}" for a in PROOF.axioms} <= used


def under(rule: object) -> Proof:
    """Return the proof about one rule, where changes may fail."""

    def this_rule(s: RealPair) -> Formula:
        """One rule."""
        return (s.policy == rule) & s.may_fail

    return replace(PROOF, axioms=(*PROOF.axioms, axiom(this_rule)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_the_hypotheses_can_be_met_under_each_rule(rule):
    assert Engine(under(rule)).examples.of_facts()


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_every_action_can_be_taken_under_each_rule(rule):
    examples = Engine(under(rule)).examples
    assert [a.name for a in SPEC.actions if not examples.of_action(a.name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, a tenth of the budget."""
    budget = Budget(RLIMIT // 10, seed)
    for proof in (PROOF, LOSSES):
        engine = Engine(proof, budget)
        assert [
            d.name
            for d in map(engine.discharge, engine.generator.obligations())
            if d.answer is not Answer.PROVED
        ] == []


# --- losses ------------------------------------------------------------------------------------


def test_what_losses_take_is_proved():
    engine = Engine(LOSSES)
    answers = {d.name: d.answer for d in map(engine.discharge, engine.obligations)}
    assert set(answers.values()) == {Answer.PROVED}
    assert len(answers) == 4


def test_without_times_that_are_times_losses_might_take_less_and_less():
    engine = Engine(replace(LOSSES, axioms=()))
    assert engine.discharge(engine.find("more_losses_take_longer.lose_one")).answer is Answer.FAILED


def test_products_are_what_is_assumed_of_the_table_of_losses():
    """The one place with products: k times an interval, for all real k and intervals."""
    k, n, t, u = z3.Reals("k n t u")
    laws = [
        z3.Implies(k == 0, k * t == 0),
        (k + 1) * t == k * t + t,
        z3.Implies(z3.And(k >= 0, k <= n, t >= 0), k * t <= n * t),
        z3.Implies(z3.And(k >= 0, t <= u), k * t <= k * u),
    ]
    for law in laws:
        solver = z3.Solver()
        solver.add(z3.Not(law))
        assert solver.check() == z3.unsat, law


# --- SAFE is tight -----------------------------------------------------------------------------


TIGHT_FACT = PROOF.find("safe_is_tight")
PARTS = {p.name: p for p in TIGHT_FACT.parts}


def with_part(part: Part) -> Engine:
    """Return the proof with one part of the run replaced."""
    parts = tuple(part if p.name == part.name else p for p in TIGHT_FACT.parts)
    facts = (*PROOF.facts[:-1], replace(TIGHT_FACT, parts=parts))
    return Engine(replace(PROOF, facts=facts))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_the_run_that_takes_no_step_leads_nowhere(name):
    """A run that is claimed and does not exist is not proved."""
    engine = with_part(replace(PARTS[name], steps=()))
    d = engine.discharge(engine.find(f"safe_is_tight.{name}"))
    assert d.answer is Answer.FAILED


def test_a_step_that_is_refused_is_no_part_of_a_run():
    """Without the pause before it, no heartbeat is lost."""
    part = PARTS["another_loss"]
    engine = with_part(replace(part, steps=part.steps[1:]))
    assert engine.discharge(engine.find("safe_is_tight.another_loss")).answer is Answer.FAILED


def test_every_part_of_the_run_begins_somewhere():
    """What is given of each part can be so; else it would lead anywhere."""
    generator = ENGINE.generator
    for obligation in generator.obligations_called("safe_is_tight"):
        solver = Solver(generator.universe.context, Budget())
        assert solver.ask(obligation.assumptions) == z3.sat, obligation.name


def ticks(*times: str) -> list[int]:
    """Return times as whole ticks of the longest unit that divides them all."""
    found = [Fraction(t) for t in times]
    unit = max(f.denominator for f in found)
    while any((f * unit).denominator != 1 for f in found):
        unit += 1
    return [int(f * unit) for f in found]


def play(instance: Instance, losses: int) -> bool:
    """Play the run of the proof on the explored pair; return whether it ends in suspicion."""
    judge, constant = Interpreter(instance), instance.constant_values
    (state,) = judge.initial_states()
    pause = constant["interval_ticks"][0,] + constant["drift_ticks"][0,]
    arrives, lost, latest = 0, 1, 0

    def take(name: str, *arguments: int) -> None:
        nonlocal state
        state = judge.step(instance.spec.find_action(name), arguments, state)

    take("send_heartbeat", arrives)
    take("receive_heartbeat", latest)
    for _ in range(losses):
        for _ in range(pause):
            take("tick")
        take("send_heartbeat", lost)
    for _ in range(pause):
        take("tick")
    take("send_heartbeat", arrives)
    for _ in range(constant["delay_ticks"][()]):
        take("tick")
    return bool(
        judge.evaluate(instance.spec.find_property("no_false_suspicion").formula, {}, state)
    )


@pytest.mark.parametrize(
    ("interval", "drift", "delay", "losses", "less"),
    [
        ("3/2", "1/10", "1/3", 1, "1/60"),
        ("1", "0", "1/2", 0, "1/50"),
        ("7/3", "1/6", "5/4", 2, "1/12"),
        ("2", "1/7", "0", 3, "1/14"),
    ],
)
def test_a_little_less_than_safe_does_harm_in_the_explored_pair(
    interval, drift, delay, losses, less
):
    """Rational numbers, as whole ticks of a unit that divides them; with SAFE it does no harm."""
    t, d, delta, eps = ticks(interval, drift, delay, less)
    safe = (losses + 1) * (t + d) + delta
    for deadline, expected in ((safe - eps, False), (safe, True)):
        instance = pair((t,), (deadline,), d, delta, losses, policy="SECOND_FIRST")
        assert play(instance, losses) is expected


# --- numbers -----------------------------------------------------------------------------------


def test_only_a_sort_that_the_proof_names_is_read_as_real_numbers():
    with pytest.raises(ProofError, match="Ticks is a sort of bounded integers"):
        Universe(SPEC)
    assert Universe(SPEC, reals=("Ticks",)).sort(next(s for s in SPEC.sorts if s.integer)).is_real


def test_nothing_can_be_said_of_all_numbers():
    """It would leave the decidable fragment."""

    @strengthening("to be refused")
    def no_time_is_negative(s: RealPair) -> Formula:
        """Each time is none, or more, and somebody is alive or not."""
        return forall(Ticks, lambda d: (d >= 0) | s.alive)

    engine = Engine(replace(PROOF, facts=(*PROOF.facts, no_time_is_negative)))
    with pytest.raises(ProofError, match="counts or calculates"):
        engine.find("no_time_is_negative.start")


def test_the_proofs_that_advise_cites_are_there():
    proved = {f.name for f in PROOF.facts}
    assert {n for b in (TIGHT, LITERAL, ENVELOPE) for n in b.properties} <= proved
    assert {b.rung for b in (TIGHT, LITERAL, ENVELOPE)} == {"all-reals"}
    models = {m.name: m for m in load_catalog()}
    assert ORDER.rung == "exhaustive"
    assert all(not models[name].violates for name in ORDER.models)
