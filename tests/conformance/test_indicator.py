"""Changes of a pair against the spec `pair`: every step, and cores that are wrong.

Claims 19 to 25, 26(b).send, 26(b).defer, 27, 28, 29, 30, 31(a).send and 31(a).defer, note C4.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

from samebeat import asking
from samebeat.deferral import Duty, Second
from samebeat.effects import Outcome as Ended
from samebeat.ids import PairChangeId
from samebeat.messages import AckRecord, Heartbeat, HeartbeatRecord
from samebeat.parameters import GLOBAL, NAMES, Rhythm
from samebeat.state import State, with_entry
from samebeat_conformance.indicator import mapping
from samebeat_conformance.indicator.instances import LISTED, find
from samebeat_conformance.indicator.mapping import Mapping, OffTheMap
from samebeat_conformance.indicator.product import MAY, Product
from samebeat_conformance.indicator.run import conform
from samebeat_conformance.run import AT_ONCE, ONE_BY_ONE, Outcome
from samebeat_models.results import Verdict
from samebeat_spec.parameters import PARAMETERS, needs_synchronisation
from samebeat_spec.specs import load_spec

Patch = pytest.MonkeyPatch

FAST = {"indicator-1": (29, 28, 2, 217), "indicator-local": (11, 12, 12, 55)}
SLOW = {
    "indicator-mixed": (87, 142, 32, 863),
    "indicator-2": (561, 952, 36, 7_957),
    "indicator-back": (561, 952, 36, 7_957),
}
"""States and steps of the spec, steps taken by cores that take all at once, product states."""


def explored(name: str, most_pairs: int = 1_000_000) -> Outcome:
    """What comes of one listed pair."""
    listed = find(name)
    assert listed is not None
    return conform(listed, most_pairs)


def check(name: str, states: int, edges: int, at_once: int, pairs: int) -> None:
    """Explore a pair: each input is steps of the spec or nothing, and each step is taken."""
    outcome = explored(name)
    assert outcome.divergence == ()
    assert outcome.noise.failures == ()
    assert dict(outcome.uncovered) == {}
    assert outcome.verdict is Verdict.HOLDS
    found = outcome.found
    assert (found.states, found.edges, found.edges_covered) == (states, edges, edges)
    assert dict(outcome.grains) == {AT_ONCE: at_once, ONE_BY_ONE: edges}
    assert found.pairs == pairs
    assert outcome.noise.foreign > 0
    assert outcome.noise.garbage > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FAST, *SLOW])
def test_every_step_of_the_spec_is_taken_and_nothing_else_happens(name: str) -> None:
    check(name, *{**FAST, **SLOW}[name])


def test_what_is_local_changes_without_the_peer_on_every_step() -> None:
    """Claims 20, 21, 27 and 28."""
    check("indicator-local", *FAST["indicator-local"])


def test_an_exploration_that_is_cut_short_is_undetermined() -> None:
    outcome = explored("indicator-1", 20)
    assert outcome.verdict is Verdict.UNDETERMINED
    assert not outcome.found.complete


def test_every_variable_of_the_spec_is_read_off_the_cores() -> None:
    """Alpha is total: otherwise the state that it gives would have a hole."""
    listed = find("indicator-2")
    assert listed is not None
    product = Product(listed, 1)
    product.run()
    assert product.cells(next(iter(product._before))) == product.mapping.start
    said = {variable for variable, *_ in every_cell(product)}
    assert said == {v.name for v in load_spec("pair").variables}


def every_cell(product: Product) -> list[mapping.Cell]:
    """What the two nodes and the messages say."""
    read, (end, other) = product.mapping, product.ends[:2]
    assert end.name != other.name
    first, second = read._of_first(0, end, {}), read._of_second(0, end, {})
    return [*first, *second, *read._messages([{}, {}], [])]


def test_every_action_of_the_spec_is_some_input() -> None:
    assert {a for kind in MAY.values() for a in kind} == {a.name for a in load_spec("pair").actions}


def test_the_core_derives_the_classes_that_the_spec_derives() -> None:
    """Claims 20, 21, 27 and 28."""
    expected = {p.name for p in PARAMETERS if needs_synchronisation(p)}
    assert {p.name for p in PARAMETERS} == set(NAMES)
    assert expected == GLOBAL


def test_the_listed_pairs_have_names_of_their_own() -> None:
    assert len({listed.name for listed in LISTED}) == len(LISTED)
    assert find("nothing") is None


# --- cores that are wrong --------------------------------------------------------------------


def modifies_before_the_ack(patch: Patch) -> None:
    """Claim 19(b): the first does not defer."""
    patch.setattr(asking, "modify_as_first", lambda s, peer: False)
    set_indicator = asking.set_indicator

    def sets(s: State, peer: str) -> bool:
        done = set_indicator(s, peer)
        first = asking.first(s, peer)
        if done and first.record is not None:
            record = structs.replace(first.record, held=first.asked)
            s.firsts = with_entry(s.firsts, peer, replace(first, record=record))
        return done

    with_step(patch, "set_indicator", sets)


def with_step(patch: Patch, name: str, step: Callable[[State, str], bool]) -> None:
    """Let the core take another step in place of one."""
    old = getattr(asking, name)
    patch.setattr(asking, name, step)
    patch.setattr(asking, "STEPS", tuple(step if s is old else s for s in asking.STEPS))


def takes_any_ack(patch: Patch) -> None:
    """Note C4: an ack of an earlier change counts for this one."""

    def hears(s: State, source: str, record: AckRecord | None) -> None:
        first = asking.first(s, source)
        if record is not None and first.open:
            s.firsts = with_entry(s.firsts, source, replace(first, heard=record.indicator))

    patch.setattr(asking, "hear_ack", hears)


def ignores_the_indicator(patch: Patch) -> None:
    """Claims 24 and 30: the first modifies on any ack of its change."""

    def modifies(s: State, peer: str) -> bool:
        first = asking.first(s, peer)
        if first.heard is None:
            return False
        s.firsts = with_entry(s.firsts, peer, replace(first, heard=True))
        return asking._close(s, peer, Ended.COMMITTED)

    with_step(patch, "modify_as_first", modifies)


def always_sets_for_acks(patch: Patch) -> None:
    """Claim 23(b): the second says that it has modified when it has refused."""
    answer = asking.answer

    def answers(s: State, peer: str) -> bool:
        done = answer(s, peer)
        known = asking.second(s, peer)
        if done and known.record is not None:
            record = structs.replace(known.record, indicator=True)
            s.seconds = with_entry(s.seconds, peer, replace(known, record=record))
        return done

    with_step(patch, "answer", answers)


def acks_before_it_modifies(patch: Patch) -> None:
    """Claims 22 and 25(a): the record says so, and the value comes later, or never."""

    def modifies(s: State, peer: str) -> bool:
        known = asking.second(s, peer)
        if known.duty is not Duty.RECEIVED:
            return False
        s.seconds = with_entry(s.seconds, peer, replace(known, duty=Duty.MODIFIED))
        return True

    with_step(patch, "modify_as_second", modifies)


def forgets_what_it_has_decided(patch: Patch) -> None:
    """Note C4: a request that is repeated is decided again."""
    patch.setattr(Second, "knows", lambda self, change: False)


def asks_without_the_indicator(patch: Patch) -> None:
    """Claims 23(a) and 29: the record is filled, and the indicator is not set."""

    def sets(s: State, peer: str) -> bool:
        first = asking.first(s, peer)
        if not first.open or first.asked is None or first.record is not None:
            return False
        record = HeartbeatRecord(first.open, False, first.asked, first.held)
        s.firsts = with_entry(s.firsts, peer, replace(first, record=record))
        return True

    with_step(patch, "set_indicator", sets)


def has_one_record_for_both_directions(patch: Patch) -> None:
    """Note C4: its heartbeats say what its acks say."""
    set_indicator = asking.set_indicator

    def sets(s: State, peer: str) -> bool:
        done = set_indicator(s, peer)
        known = asking.second(s, peer)
        if done and known.request is not None:
            record = AckRecord(PairChangeId(known.request.boot, known.request.number), True)
            s.seconds = with_entry(s.seconds, peer, replace(known, record=record))
        return done

    with_step(patch, "set_indicator", sets)


def asks_for_what_is_local(patch: Patch) -> None:
    """Claims 21 and 28."""
    patch.setattr(asking, "needs_peer", lambda name: True)


def changes_at_once_what_is_global(patch: Patch) -> None:
    """Claims 20 and 27."""
    patch.setattr(asking, "needs_peer", lambda name: False)


def takes_an_old_heartbeat_for_a_new_one(patch: Patch) -> None:
    """Note C1: what a first node has held before is what it holds."""
    learn_held = asking.learn_held

    def learns(s: State, source: str, heartbeat: Heartbeat) -> None:
        learn_held(s, source, heartbeat)
        record = heartbeat.record
        if record is not None and record.indicator and record.held is None:
            known = asking.second(s, source)
            s.seconds = with_entry(s.seconds, source, replace(known, held=None))

    patch.setattr(asking, "learn_held", learns)


ONE_CHANGE = (
    modifies_before_the_ack,
    ignores_the_indicator,
    always_sets_for_acks,
    acks_before_it_modifies,
    forgets_what_it_has_decided,
    changes_at_once_what_is_global,
    takes_an_old_heartbeat_for_a_new_one,
)


@pytest.mark.parametrize("wrong", ONE_CHANGE)
def test_a_core_that_is_wrong_diverges_with_one_change(
    wrong: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    wrong(monkeypatch)
    outcome = explored("indicator-1")
    assert outcome.verdict is Verdict.VIOLATED
    assert outcome.divergence
    states = json.loads(outcome.itf)["states"]
    assert states[-1]["#meta"]["not_a_step"]
    assert [name for name, _ in states[-1]["core"]["#map"]] == ["n1", "n2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (takes_any_ack, "indicator-2"),
        (has_one_record_for_both_directions, "indicator-2"),
        (asks_for_what_is_local, "indicator-mixed"),
    ],
)
def test_a_core_that_is_wrong_diverges_with_two_changes(
    wrong: Callable[[Patch], None], name: str, monkeypatch: Patch
) -> None:
    wrong(monkeypatch)
    outcome = explored(name)
    assert outcome.verdict is Verdict.VIOLATED
    assert outcome.divergence


def never_refuses(patch: Patch) -> None:
    """Claim 22: nothing is too much for it."""
    patch.setattr(asking, "_suits", lambda s, asked: True)


@pytest.mark.parametrize(
    ("wrong", "never"),
    [(never_refuses, "clear_for_ack"), (asks_without_the_indicator, "set_indicator")],
)
def test_a_step_that_no_core_takes_is_no_pass(
    wrong: Callable[[Patch], None], never: str, monkeypatch: Patch
) -> None:
    """A core that leaves something out conforms step by step, and covers too little."""
    wrong(monkeypatch)
    outcome = explored("indicator-1")
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.VIOLATED
    assert never in {action for action, _ in outcome.uncovered}


def test_a_value_that_nobody_asked_for_is_off_the_map() -> None:
    listed = find("indicator-1")
    assert listed is not None
    read = Mapping(listed.instance)
    assert read._value(2_000) == 1
    with pytest.raises(OffTheMap, match="2001 ms is no value"):
        read._value(2_001)
    assert Rhythm().heartbeat_interval == mapping.STEP_MS
