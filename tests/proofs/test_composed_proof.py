"""What the group change promises, the composition promises for any number of members and any time.

The facts are those of the group change, and ``test_group_controls`` shows that each is needed.
"""

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.composed_proof import composed_proof
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.group_proof import group_proof
from samebeat_proofs.solver import RLIMIT, Budget

PROOF = composed_proof()
ENGINE = Engine(PROOF)


@pytest.mark.slow
@pytest.mark.parametrize("fact", [f.name for f in PROOF.facts])
def test_every_obligation_of_a_fact_is_proved(fact):
    for obligation in ENGINE.generator.obligations_called(fact):
        assert ENGINE.discharge(obligation).answer is Answer.PROVED, obligation.name


@pytest.mark.parametrize("name", ["agreement.implied", "decision_stable.tick", "status_once.hear"])
def test_what_the_group_change_promises_is_proved_with_clocks_around(name):
    assert ENGINE.discharge(ENGINE.find(name)).answer is Answer.PROVED


def test_the_facts_are_those_of_the_group_change_and_one_of_the_heartbeats():
    own = [f.name for f in group_proof().facts]
    assert [f.name for f in PROOF.facts] == [*own, "interval_kept"]
    assert set(PROOF.left_out) == {"no_mismatch_window", "no_false_suspicion", "tightener_defers"}


def test_a_heartbeat_before_its_time_breaks_what_is_promised():
    early = next(m for m in load_catalog() if m.name == "member-sends-without-timer")
    assert early.without
    weaker = Engine(PROOF.about(PROOF.spec.without(early.without.action, early.without.guard)))
    broken = weaker.discharge(weaker.find("interval_kept.send_heartbeat"))
    assert broken.answer is Answer.FAILED
    assert early.violates == ("interval_kept",)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_no_obligation_depends_on_luck(seed):
    """Twenty seeds, a tenth of the budget."""
    engine = Engine(PROOF, Budget(RLIMIT // 10, seed))
    answers = {engine.discharge(o).answer for o in engine.obligations}
    assert answers == {Answer.PROVED}
