"""The induction engine on a small protocol: what it proves, what it refuses, what it cannot say."""

from dataclasses import replace

import pytest

from samebeat_proofs.engine import ALL_FACTS, Answer, Engine
from samebeat_proofs.facts import Proof, ProofError, Role, axiom, promised, strengthening
from samebeat_proofs.obligations import Generator
from samebeat_proofs.solver import Budget
from samebeat_proofs.standing import standings
from samebeat_spec.language import (
    Formula,
    Integer,
    Ordered,
    State,
    action,
    count,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    relation,
    spec_of,
    variable,
)
from samebeat_spec.language.interpreter import Interpreter

from .ballot import PROOF, SPEC, STEPS, Ballot, Choice, Quorum, Voter, one_vote


@axiom
def about_votes(s: Ballot) -> Formula:
    """No axiom: it speaks of what changes."""
    return forall(Voter, Choice, lambda v, c: ~s.voted[v, c])


def answers(proof: Proof, budget: Budget | None = None) -> dict[str, Answer]:
    return {d.name: d.answer for d in Engine(proof, budget).run().discharged}


def test_every_obligation_of_the_ballot_is_proved_by_name():
    assert answers(PROOF) == dict.fromkeys(
        [
            *(f"{f}.{a}" for f in ("one_vote", "decided_by_quorum") for a in SPEC_PARTS),
            "one_decision.implied",
            "decisions_stay.vote",
            "decisions_stay.decide",
        ],
        Answer.PROVED,
    )


SPEC_PARTS = ("start", "vote", "decide")


def test_cores_name_what_a_refutation_rests_on():
    (goal,) = Engine(PROOF).run().of("one_decision")
    assert goal.used == ("axiom quorums_meet", "fact one_vote", "fact decided_by_quorum")
    (kept,) = [d for d in Engine(PROOF).run().of("one_vote") if d.obligation.part == "vote"]
    assert set(kept.used) == {"fact one_vote", "guard v has not voted"}


def test_without_the_axiom_two_quorums_decide():
    run = Engine(replace(PROOF, axioms=())).run()
    assert run.answer is Answer.FAILED
    assert [d.name for d in run.discharged if d.answer is Answer.FAILED] == ["one_decision.implied"]


@pytest.mark.parametrize("fact", PROOF.strengthenings, ids=lambda f: f.name)
def test_without_a_strengthening_an_obligation_fails(fact):
    assert Answer.FAILED in answers(PROOF.without_fact(fact.name)).values()


def test_a_guard_taken_out_fails_where_it_was_needed():
    weaker = PROOF.about(SPEC.without("vote", "v has not voted"))
    failed = [name for name, answer in answers(weaker).items() if answer is Answer.FAILED]
    assert failed == ["one_vote.vote"]


def test_a_counterexample_is_a_state_and_a_step_that_the_interpreter_confirms():
    """The step breaks the fact, from a state in which it holds, with no element too many."""
    engine = Engine(PROOF.about(SPEC.without("vote", "v has not voted")))
    found = engine.examples.against("one_vote", "vote")
    assert found
    assert found.after
    judge = Interpreter(found.instance)
    assert judge.holds(one_vote.prop, found.state)
    assert not judge.holds(one_vote.prop, found.after)
    weaker = engine.proof.spec.find_action("vote")
    assert judge.step(weaker, found.arguments, found.state) == found.after
    assert dict(found.instance.sizes) == {"Voter": 1, "Quorum": 1, "Choice": 2}


def test_a_budget_too_small_is_undetermined_and_never_a_proof():
    run = Engine(PROOF, Budget(rlimit=1)).run()
    assert run.answer is Answer.UNDETERMINED
    assert all(d.why for d in run.discharged if d.answer is Answer.UNDETERMINED)
    assert not any(d.answer is Answer.FAILED for d in run.discharged)


def test_what_contradicts_itself_proves_everything_and_is_not_taken_for_a_proof():
    @strengthening("it is wrong")
    def nobody_and_somebody(s: Ballot) -> Formula:
        """Two quorums never meet, and always do."""
        return forall(Quorum, Voter, lambda q, v: ~s.member[q, v])

    run = Engine(replace(PROOF, facts=(nobody_and_somebody, *PROOF.facts))).run()
    assert ALL_FACTS in run.impossible
    assert run.answer is not Answer.PROVED


def test_an_action_that_can_never_be_taken_is_said():
    never = replace(SPEC.find_action("vote").guards[0], condition=exists(Voter, lambda v: v != v))
    stuck = replace(SPEC.find_action("vote"), guards=(never,))
    run = Engine(PROOF.about(replace(SPEC, actions=(stuck, SPEC.find_action("decide"))))).run()
    assert run.impossible == ("vote",)
    assert run.answer is Answer.UNDETERMINED


def test_an_obligation_that_is_left_out_is_missing_and_nothing_is_proved():
    run = Engine(PROOF).run()
    assert run.missing == ()
    short = replace(run, discharged=run.discharged[:-1])
    assert short.missing == ("decisions_stay.decide",)
    assert short.answer is Answer.UNDETERMINED
    assert {s.answer for s in standings(short)} == {Answer.UNDETERMINED}


def test_the_ballot_is_decidable_and_what_would_not_be_names_its_circle():
    assert not any(d.circle for d in Engine(PROOF).run().discharged)

    @strengthening("each voter is in some quorum, and each quorum has a member: round and round")
    def each_in_a_quorum(s: Ballot) -> Formula:
        """Every voter is a member of a quorum."""
        return forall(Voter, lambda v: exists(Quorum, lambda q: s.member[q, v]))

    facts = (each_in_a_quorum, *PROOF.facts)
    engine = Engine(replace(PROOF, facts=facts))
    obligation = next(engine.generator.obligations_of(each_in_a_quorum))
    step = engine.discharge(replace(obligation, assumptions=dict(engine.generator.axioms)))
    assert step.circle == ()
    kept = list(engine.generator.obligations_of(each_in_a_quorum))[1]
    circle = engine.generator.graph.circle({**kept.assumptions, "denied": kept.denied})
    assert {e.because for e in circle} == {"axiom quorums_meet", "fact each_in_a_quorum"}
    shown = engine.discharge(replace(kept, untouched=False))
    assert (shown.answer, shown.circle) == (Answer.PROVED, ()), "of less it was shown, without it"


def test_an_axiom_that_reads_a_variable_is_refused():
    with pytest.raises(ProofError, match="about_votes reads a variable"):
        Engine(replace(PROOF, axioms=(about_votes,))).run()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((one_vote,), "says nothing of decisions_stay, one_decision"),
        ((one_vote, one_vote), "two facts are called one_vote"),
        ((replace(one_vote, uses=("luck",)),), "uses luck, which is no fact"),
        (
            (replace(one_vote, role=Role.IMPLIED, uses=("decisions_stay",)), *STEPS),
            "which is about steps",
        ),
        (
            (
                *promised(SPEC, Role.IMPLIED, one_decision=("late",)),
                replace(one_vote, role=Role.IMPLIED, prop=replace(one_vote.prop, name="late")),
            ),
            "comes later",
        ),
    ],
)
def test_an_ill_formed_proof_is_refused_with_its_reason(facts, said):
    with pytest.raises(ProofError, match=said):
        Proof(SPEC, facts)


def test_a_promise_can_be_left_out_only_with_its_name():
    reasons = {"one_decision": "too hard"}
    assert Proof(SPEC, (one_vote, *STEPS), left_out=reasons).left_out == reasons
    with pytest.raises(ProofError, match="cannot be left out"):
        Proof(SPEC, PROOF.facts, PROOF.axioms, reasons)
    with pytest.raises(ProofError, match="promises no luck"):
        promised(SPEC, Role.INDUCTIVE, luck=())
    with pytest.raises(ProofError, match="is step, not invariant"):
        promised(SPEC, Role.INDUCTIVE, decisions_stay=())


# --- orders, two values for one place, numbers ----------------------------------------------------


class Turn(Ordered):
    """Who is next."""


class Queue(State):
    """Tickets."""

    now = variable(to=Turn)
    last = variable(to=Turn)
    odd = flag()


@initial
def opened(s: Queue) -> None:
    """Both are at the first."""


@action()
def draw(s: Queue) -> None:
    """Somebody draws a ticket."""
    s.last = following(s.last)


@action()
def serve(s: Queue) -> None:
    """The next one is served, if there is one."""
    guard(s.now < s.last, "somebody waits")

    s.now = ite(s.odd, following(s.now), s.last)
    s.odd = ~s.odd


@invariant()
def in_order(s: Queue) -> Formula:
    """Nobody is served before the ticket is drawn."""
    return (s.now <= s.last) & (s.now < following(s.last)) & ~(following(s.last) < s.now)


def test_an_order_without_end_is_enough_for_a_queue():
    spec = spec_of(Queue)
    run = Engine(Proof(spec, promised(spec, Role.INDUCTIVE, in_order=()))).run()
    assert run.answer is Answer.PROVED, [d.name for d in run.discharged]


class Table(State):
    """Two cards are put down at once."""

    card = function(Voter, to=Choice)
    shown = relation(Voter)


@initial
def laid(s: Table) -> None:
    """Any cards."""


@action()
def put(s: Table, v: Voter, w: Voter, c: Choice, d: Choice) -> None:
    """Two voters put down cards."""
    guard(implies(v == w, c == d), "nobody puts down two")

    s.card[v] = c
    s.card[w] = d


@invariant()
def nothing(s: Table) -> Formula:
    """Nobody is shown."""
    return forall(Voter, lambda v: ~s.shown[v])


def test_a_step_gives_no_place_two_values():
    spec = spec_of(Table)
    proof = Proof(spec, promised(spec, Role.INDUCTIVE, nothing=()))
    assert answers(proof)["one_value.put"] is Answer.PROVED
    weaker = proof.about(spec.without("put", "nobody puts down two"))
    assert answers(weaker)["one_value.put"] is Answer.FAILED


# --- names that mean two things ---------------------------------------------------------------


class Fame(State):
    """Who is known."""

    knows = relation(Voter, Voter, constant=True)
    """who knows whom"""
    famous = relation(Voter)


@initial
def unknown(s: Fame) -> None:
    """Nobody is famous."""


@action()
def ask_around(s: Fame) -> None:
    """Whoever is known to somebody is famous."""
    s.famous[every] = lambda v: exists(Voter, lambda m: s.knows[m, v])


@invariant()
def somebody_knows_them(s: Fame) -> Formula:
    """Somebody knows whoever is famous."""
    return forall(Voter, lambda m: implies(s.famous[m], exists(Voter, lambda v: s.knows[v, m])))


@invariant()
def they_know_themselves(s: Fame) -> Formula:
    """Not so: whoever is famous knows themselves."""
    return forall(Voter, lambda m: implies(s.famous[m], s.knows[m, m]))


def test_a_name_of_the_fact_is_not_taken_for_one_of_the_action():
    """Both say `m`. No finite size shows this, where quantifiers are written out."""
    spec = spec_of(Fame)
    facts = promised(spec, Role.INDUCTIVE, somebody_knows_them=(), they_know_themselves=())
    found = answers(Proof(spec, facts))
    assert found["somebody_knows_them.ask_around"] is Answer.PROVED
    assert found["they_know_themselves.ask_around"] is Answer.FAILED


class Level(Integer, low=0, high=3):
    """A number."""


class Tank(State):
    """Water."""

    level = variable(to=Level)


@initial
def empty(s: Tank) -> None:
    """No water."""


@action()
def fill(s: Tank) -> None:
    """More water."""
    guard(s.level < 3, "it is not full")

    s.level = s.level + 1


@strengthening("it counts")
def few(s: Table) -> Formula:
    """At most two cards are shown."""
    few_are: Formula = count(Voter, lambda v: s.shown[v]) <= 2
    return few_are


def test_numbers_and_counting_are_refused_in_words():
    with pytest.raises(ProofError, match="Level is a sort of bounded integers"):
        Generator(Proof(spec_of(Tank), ()))
    spec = spec_of(Table)
    with pytest.raises(
        ProofError, match="table: it counts or calculates, which proofs for all sizes"
    ):
        Engine(Proof(spec, (few, *promised(spec, Role.INDUCTIVE, nothing=())))).run()
