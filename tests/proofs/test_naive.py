"""Two generators of obligations that share no code agree, on what holds and on what does not."""

from dataclasses import replace

import pytest

from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.naive import Naive
from samebeat_proofs.obligations import Generator

from .agreement import disagreements, finite_answer, naive_answer
from .ballot import PROOF as BALLOT

SIZES = {"Node": 2, "Change": 1, "Value": 2, "Epoch": 2}
SIZES_OF_BALLOT = {"Voter": 2, "Quorum": 2, "Choice": 2}
PROOF = group_proof()


def without_strengthening() -> Proof:
    """Return the promises alone: most are not kept by what they say."""
    bare = tuple(replace(f, uses=()) for f in PROOF.facts if not f.is_strengthening)
    return Proof(PROOF.spec, bare)


def test_both_agree_on_every_obligation_of_the_ballot():
    assert disagreements(BALLOT, SIZES_OF_BALLOT) == ([], 0)
    assert disagreements(replace(BALLOT, axioms=()), SIZES_OF_BALLOT) == ([], 1)


def test_the_comparison_can_fail():
    """Where one generator is asked about a weaker guard, the two do not agree."""
    naive = Naive(BALLOT.spec, SIZES_OF_BALLOT)
    weaker = BALLOT.about(BALLOT.spec.without("vote", "v has not voted"))
    kept = Generator(weaker, SIZES_OF_BALLOT).obligations_called("one_vote")
    (obligation,) = (o for o in kept if o.part == "vote")
    naive_of_weaker = Naive(weaker.spec, SIZES_OF_BALLOT)
    assert naive_answer(weaker, naive_of_weaker, obligation) is False
    assert naive_answer(BALLOT, naive, obligation) is True


@pytest.mark.slow
def test_both_agree_on_every_obligation_of_the_group():
    """One change: two members, two values, two epochs."""
    assert disagreements(PROOF, SIZES) == ([], 0)


@pytest.mark.slow
def test_both_agree_on_what_the_promises_alone_do_not_show():
    found, broken = disagreements(without_strengthening(), SIZES)
    assert found == []
    assert broken == 10


@pytest.mark.slow
def test_what_two_members_break_is_not_proved_for_all():
    """An obligation that some size breaks must not be proved for every size."""
    proof = without_strengthening()
    generator, engine = Generator(proof, SIZES), Engine(proof)
    broken = [o.name for o in generator.obligations() if not finite_answer(generator, o)]
    assert len(broken) == 10
    for name in broken:
        assert engine.discharge(engine.find(name)).answer is Answer.FAILED, name
