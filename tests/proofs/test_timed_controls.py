"""Each part of the proof of the heartbeat pair is needed, and no wrong pair is proved."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_proofs.engine import Answer, Engine
from samebeat_proofs.facts import Proof, axiom
from samebeat_proofs.timed_model import RealPair
from samebeat_proofs.timed_proof import timed_proof
from samebeat_spec.heartbeat import Policy
from samebeat_spec.language import Formula
from samebeat_spec.language.interpreter import Interpreter

PROOF = timed_proof()
SPEC = PROOF.spec
CATALOG = {m.name: m for m in load_catalog() if m.spec == "heartbeat"}

WITHOUT_FACT = {
    "nothing_before_asked": "acked_is_recorded.modify",
    "beats_say_what_was_asked": "nothing_before_asked.receive_heartbeat",
    "acked_is_recorded": "nothing_before_asked.receive_ack",
    "first_has_acked": "nothing_before_asked.restore",
    "failed_was_asked": "nothing_before_asked.restore",
    "one_open_change": "pre_image_is_recorded.modify",
    "pre_image_is_recorded": "no_false_suspicion.restore",
    "first_uses_recorded": "used_is_longest.receive_heartbeat",
    "first_keeps_the_shortest": "first_uses_recorded.receive_ack",
    "second_uses_recorded": "acked_is_covered.send_ack",
    "acked_is_covered": "used_is_covered.receive_ack",
    "used_is_longest": "armed_within_effective.implied",
    "used_is_covered": "no_false_suspicion.tick",
    "used_is_older": "no_false_suspicion.restore",
    "beats_of_recorded": "used_is_longest.receive_heartbeat",
    "clocks_count_up": "silence_stays_short.modify",
    "losses_within_bound": "silence_is_losses.receive_heartbeat",
    "sends_in_time": "silence_is_losses.lose_heartbeat",
    "silence_is_losses": "one_comes_in_time.send_heartbeat",
    "one_comes_in_time": "silence_stays_short.tick",
    "silence_stays_short": "no_false_suspicion.tick",
    "crash_after_sending": "detection_bounded.tick",
    "no_crash_no_clock": "detection_bounded.crash",
    "deadline_not_passed": "detection_as_recorded.implied",
    "settled_before_late_crash": "detection_as_recorded.implied",
}
"""For each fact that only the proof needs, an obligation that is not met without it."""

WITHOUT_AXIOM = {
    "values_are_safe": "used_is_covered.start",
    "times_are_times": "sends_in_time.start",
    "losses_take_time": "silence_is_losses.lose_heartbeat",
    "more_losses_take_longer": "silence_is_losses.receive_heartbeat",
    "rule_is_safe": "used_is_covered.modify",
    "claim_19_only_raises": "no_false_suspicion.modify",
    "drift_grows": "used_is_longest.ask",
    "timers_follow": "silence_is_losses.receive_ack",
    "flag_means_switched": "beats_say_what_was_asked.send_heartbeat",
}
"""For each hypothesis about the constants, an obligation that is not met without it."""

WITHOUT_GUARD = {
    ("ask", "the first has not stopped"): "stopped_for_good.ask",
    ("receive_ack", "the first has not stopped"): "stopped_for_good.receive_ack",
    ("withdraw", "the first has not stopped"): "stopped_for_good.withdraw",
    ("ask", "changes are asked for in order"): "nothing_before_asked.ask",
    ("ask", "nothing can fail or no change is open"): "one_open_change.ask",
    ("crash", "crashes are early or all is settled"): "settled_before_late_crash.crash",
    ("modify", "c is newer than what the second has answered"): "no_false_suspicion.modify",
    ("modify", "it is the second's turn"): "nothing_before_asked.modify",
    ("modify", "the second has undone what has failed"): "pre_image_is_recorded.modify",
    ("send_ack", "its deadline is armed with it"): "acked_is_covered.send_ack",
    ("fail", "changes may fail"): "failed_was_asked.fail",
    ("fail", "the first has not recorded it"): "first_has_acked.fail",
    ("withdraw", "what was asked for last has failed"): "first_keeps_the_shortest.withdraw",
    ("restore", "c has failed"): "used_is_covered.restore",
    ("send_heartbeat", "the first is alive"): "crash_after_sending.send_heartbeat",
    ("send_heartbeat", "the send timer has run out"): "interval_kept.send_heartbeat",
    ("send_heartbeat", "b is newer than all others"): "one_comes_in_time.send_heartbeat",
    ("lose_heartbeat", "the first is alive"): "stopped_for_good.lose_heartbeat",
    ("lose_heartbeat", "no more losses than tolerated"): "silence_is_losses.lose_heartbeat",
    ("receive_ack", "the second has acked c"): "used_is_covered.receive_ack",
    ("receive_ack", "c is newer than what the first has recorded"): "used_is_covered.receive_ack",
    ("receive_ack", "c has not failed"): "used_is_covered.receive_ack",
    (
        "receive_heartbeat",
        "it was sent, and is newer than every heartbeat received",
    ): "crash_after_sending.receive_heartbeat",
    ("tick", "time goes on"): "clocks_count_up.tick",
    ("tick", "no heartbeat is due"): "silence_stays_short.tick",
    (
        "tick",
        "no heartbeat has been on its way for the largest delay",
    ): "silence_stays_short.tick",
}
"""For each guard, an obligation that is not met without it."""

HARMLESS = {
    ("hear_announcement", "requests travel beside heartbeats too"): "an envelope is long enough",
    ("lose_heartbeat", "the send timer has run out"): "what is lost early leaves less time lost",
}
"""Guards that these promises do not need, and why."""

MUSEUM: dict[str, tuple[str | tuple[str, str], str]] = {
    # Claim 19 to the letter, and deadlines get shorter.
    "lowering-second-first-window": ("claim_19_only_raises", "acked_is_covered.modify"),
    "lowering-second-first": ("claim_19_only_raises", "no_false_suspicion.modify"),
    "lowering-second-first-kept": ("claim_19_only_raises", "no_false_suspicion.modify"),
    "lowering-second-first-drift": ("claim_19_only_raises", "no_false_suspicion.modify"),
    "lowering-fails-second-first": ("claim_19_only_raises", "no_false_suspicion.restore"),
    # Rules that are not enough.
    "raising-first-first": ("FIRST_FIRST", "used_is_covered.modify"),
    "last-two": ("LAST_TWO", "no_false_suspicion.modify"),
    "last-two-armed": ("LAST_TWO", "acked_is_covered.modify"),
    # What else goes wrong.
    "restart-when-lengthening": ("timers_follow", "silence_is_losses.receive_ack"),
    "states-requests-fails": (
        "flag_means_switched",
        "beats_say_what_was_asked.send_heartbeat",
    ),
    "drift-forgotten": ("values_are_safe", "used_is_covered.start"),
    "drift-short-raising": ("values_are_safe", "used_is_covered.receive_ack"),
    # One guard taken out.
    "send-without-timer": (("send_heartbeat", "the send timer has run out"), ""),
    "send-without-bound-on-losses": (("lose_heartbeat", "no more losses than tolerated"), ""),
    "receive-ack-without-ack": (("receive_ack", "the second has acked c"), ""),
    "receive-ack-without-newer": (
        ("receive_ack", "c is newer than what the first has recorded"),
        "",
    ),
    "receive-ack-of-failed": (("receive_ack", "c has not failed"), ""),
    "receive-without-message": (
        ("receive_heartbeat", "it was sent, and is newer than every heartbeat received"),
        "",
    ),
    "receive-without-newer": (
        ("receive_heartbeat", "it was sent, and is newer than every heartbeat received"),
        "",
    ),
    "modify-without-newer": (("modify", "c is newer than what the second has answered"), ""),
    "modify-without-turn": (("modify", "it is the second's turn"), ""),
    "modify-before-undo": (("modify", "the second has undone what has failed"), ""),
    "ack-before-rearming": (("send_ack", "its deadline is armed with it"), ""),
    "tick-without-sending": (("tick", "no heartbeat is due"), ""),
    "tick-without-delivery": (
        ("tick", "no heartbeat has been on its way for the largest delay"),
        "",
    ),
    "ask-without-order": (("ask", "changes are asked for in order"), ""),
    "ask-while-open": (("ask", "nothing can fail or no change is open"), ""),
    "crash-without-settling": (("crash", "crashes are early or all is settled"), ""),
    "fail-where-nothing-can": (("fail", "changes may fail"), ""),
    "fail-what-the-first-has-recorded": (("fail", "the first has not recorded it"), ""),
    "withdraw-without-failure": (("withdraw", "what was asked for last has failed"), ""),
    "restore-without-failure": (("restore", "c has failed"), ""),
    "ask-without-being-alive": (("ask", "the first has not stopped"), ""),
    "follow-without-being-alive": (("receive_ack", "the first has not stopped"), ""),
    "withdraw-without-being-alive": (("withdraw", "the first has not stopped"), ""),
}
"""For each wrong pair with a trace in the catalog, the same defect here: a hypothesis, a rule or a
guard; and the obligation that it breaks (of a guard, that of the table above)."""

OF_ACKS_WITH_A_BOUND = {"tick-with-prompt-acks"}
OF_REQUESTS_BESIDE = {"hear-without-announcements"}
"""Acks have no bound here; requests travel beside heartbeats too."""


def without_axiom(name: str) -> Proof:
    return replace(PROOF, axioms=tuple(a for a in PROOF.axioms if a.name != name))


def under(rule: object) -> Proof:
    """Return the proof with another rule for who goes first."""

    def rule_is_safe(s: RealPair) -> Formula:
        """The rule."""
        return s.policy == rule

    other = axiom(rule_is_safe)
    return replace(PROOF, axioms=tuple(other if a.name == other.name else a for a in PROOF.axioms))


def wrong(defect: object) -> Proof:
    """Return the proof about a wrong pair."""
    if isinstance(defect, tuple):
        return PROOF.about(SPEC.without(*defect))
    labels = {e.label: e for e in Policy.elements}
    return under(labels[defect]) if defect in labels else without_axiom(str(defect))


def defect_of(name: str) -> tuple[object, str]:
    defect, obligation = MUSEUM[name]
    return defect, obligation if isinstance(defect, str) else WITHOUT_GUARD[defect]


@cache
def answer_to(defect: object, obligation: str) -> Answer:
    """Return what comes of an obligation about a wrong pair; each is asked once."""
    return answer(wrong(defect), obligation)


def answer(proof: Proof, obligation: str) -> Answer:
    engine = Engine(proof)
    return engine.discharge(engine.find(obligation)).answer


@cache
def _engine() -> Engine:
    return Engine(PROOF)


def some_fast(names: Iterable[str], fast: Sequence[str]) -> list[Any]:
    """Return names as parameters; all but a few are slow."""
    return [n if n in fast else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.mark.parametrize(
    "fact", some_fast(WITHOUT_FACT, ("used_is_covered", "one_comes_in_time", "acked_is_covered"))
)
def test_without_a_fact_an_obligation_is_not_met(fact):
    assert answer(PROOF.without_fact(fact), WITHOUT_FACT[fact]) is Answer.FAILED


@pytest.mark.parametrize(
    "name", some_fast(WITHOUT_AXIOM, ("values_are_safe", "claim_19_only_raises"))
)
def test_without_a_hypothesis_an_obligation_is_not_met(name):
    assert answer_to(name, WITHOUT_AXIOM[name]) is Answer.FAILED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guard", "obligation"), WITHOUT_GUARD.items(), ids=[f"{a}-{w}" for a, w in WITHOUT_GUARD]
)
def test_without_a_guard_an_obligation_is_not_met(guard, obligation):
    assert answer_to(guard, obligation) is Answer.FAILED


@pytest.mark.slow
@pytest.mark.parametrize("guard", HARMLESS, ids=[f"{a}-{w}" for a, w in HARMLESS])
def test_without_a_guard_that_is_not_needed_all_is_met(guard):
    weaker = Engine(wrong(guard))
    own = [o for o in weaker.obligations if o.part == guard[0]]
    assert {weaker.discharge(o).answer for o in own} == {Answer.PROVED}


@pytest.mark.parametrize(
    "obligation",
    sorted(
        {
            *WITHOUT_FACT.values(),
            *WITHOUT_AXIOM.values(),
            *WITHOUT_GUARD.values(),
            *(defect_of(name)[1] for name in MUSEUM),
        }
    ),
)
def test_with_all_of_them_the_same_obligation_is_met(obligation):
    assert _engine().discharge(_engine().find(obligation)).answer is Answer.PROVED


def test_every_fact_hypothesis_and_guard_has_a_control_or_a_reason():
    assert {f.name for f in PROOF.strengthenings} == set(WITHOUT_FACT)
    assert all(f.why and not f.lemma for f in PROOF.strengthenings)
    assert {a.name for a in PROOF.axioms} == set(WITHOUT_AXIOM)
    assert {(a.name, why) for a, why in SPEC.guards()} == {*WITHOUT_GUARD, *HARMLESS}


@pytest.mark.parametrize("name", MUSEUM)
def test_a_wrong_pair_has_a_trace_and_an_obligation(name):
    """The catalog pins the trace from the start and its length."""
    assert CATALOG[name].depth
    assert CATALOG[name].violates
    assert _engine().find(defect_of(name)[1]).kind in ("start", "step", "implied")


SHOWN = ("lowering-second-first", "last-two", "restart-when-lengthening", "ack-before-rearming")


@pytest.mark.parametrize("name", some_fast(MUSEUM, SHOWN))
def test_a_wrong_pair_breaks_its_obligation(name):
    defect, obligation = defect_of(name)
    assert answer_to(defect, obligation) is Answer.FAILED


def test_every_guard_of_the_museum_is_here():
    museum = {m.name for m in CATALOG.values() if m.without}
    assert museum - set(MUSEUM) == OF_ACKS_WITH_A_BOUND | OF_REQUESTS_BESIDE


@pytest.mark.slow
@pytest.mark.parametrize("name", MUSEUM)
def test_a_wrong_pair_has_a_rational_counterexample_that_the_interpreter_confirms(name):
    """Whole ticks of some unit: any rational numbers are."""
    defect, obligation = defect_of(name)
    proof = wrong(defect)
    fact, part = obligation.split(".")
    found = Engine(proof).examples.against(fact, part)
    assert found
    judge, prop = Interpreter(found.instance), proof.find(fact).prop
    if not found.action:
        assert not judge.holds(prop, found.state)
        return
    assert judge.step(proof.spec.find_action(part), found.arguments, found.state) == found.after
    if prop.kind == "step":
        assert not judge.holds(prop, found.state, found.after)
    else:
        assert judge.holds(prop, found.state)
        assert not judge.holds(prop, found.after)


@pytest.mark.slow
def test_nothing_that_the_explorer_refutes_is_proved_of_claim_19_when_lowering():
    weaker = Engine(without_axiom("claim_19_only_raises"))
    answers = {o.name: weaker.discharge(o).answer for o in weaker.obligations}
    refuted = {"no_false_suspicion", "tightener_defers"}
    broken = {name.partition(".")[0] for name, a in answers.items() if a is Answer.FAILED}
    assert refuted <= broken
    assert Answer.UNDETERMINED not in answers.values()
