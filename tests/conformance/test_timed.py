"""Spec and core in time: heartbeats, deadlines and the envelope while a group change runs.

What this shows is bounded: the pairs of ``samebeat_conformance.timed.instances``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from msgspec import structs

from samebeat import change, heartbeats
from samebeat.messages import Heartbeat
from samebeat.pair import Watch
from samebeat.state import State, with_entry
from samebeat_conformance.run import NEVER
from samebeat_conformance.timed.instances import COMPOSITION, LISTED, Listed, find
from samebeat_conformance.timed.product import Product
from samebeat_conformance.timed.run import conform
from samebeat_models.catalog import load_catalog
from samebeat_models.results import Verdict

RAISES = Listed("small", "T 1 -> 2, D 1 -> 2, no delay.", COMPOSITION, (1, 2), (1, 2), delay=0)
LOWERS = replace(RAISES, intervals=(2, 1), deadlines=(2, 1))
PAIR_RAISES = replace(RAISES, spec="heartbeat")
PAIR_LOWERS = replace(LOWERS, spec="heartbeat")


@pytest.mark.slow
@pytest.mark.parametrize("listed", [RAISES, LOWERS, PAIR_RAISES, PAIR_LOWERS],
                         ids=["raises", "lowers", "pair raises", "pair lowers"])  # fmt: skip
def test_the_smallest_pairs_conform(listed: Listed) -> None:
    """Claims 2 and 19, notes C1 to C3."""
    outcome = conform(listed)
    assert outcome.verdict is Verdict.HOLDS, (outcome.divergence, outcome.uncovered)
    assert outcome.noise.failures == ()
    assert outcome.noise.foreign > 100
    assert outcome.found.complete


@pytest.mark.slow
@pytest.mark.parametrize(
    ("listed", "states", "edges", "pairs"),
    [
        (PAIR_RAISES, 428, 698, 14_085),
        (PAIR_LOWERS, 536, 1_131, 12_180),
        (RAISES, 550, 1_249, 4_277),
        (LOWERS, 640, 1_515, 5_283),
    ],
    ids=["pair raises", "pair lowers", "raises", "lowers"],
)
def test_cores_take_every_step(listed: Listed, states: int, edges: int, pairs: int) -> None:
    """Claims 2 and 19: also failures of the change at another member, at any moment.

    What is silently smaller must fail.
    """
    found = Product(listed).run()
    assert (found.states, found.edges, found.edges_covered) == (states, edges, edges)
    assert found.pairs == pairs


@pytest.mark.slow
def test_an_interval_that_is_raised_is_the_same_with_and_without_an_envelope_at_the_first() -> None:
    """Note C3: the interval as decided last is then the shorter one of those still possible."""
    found = conform(replace(PAIR_RAISES, policy="SECOND_ENVELOPE"))
    assert found.verdict is Verdict.HOLDS
    assert found.uncovered == {}


@pytest.mark.slow
def test_an_interval_that_is_lowered_is_used_from_the_request_on() -> None:
    """Note C1: a first without an envelope of its own would send as before until the decision."""
    found = conform(replace(PAIR_LOWERS, policy="SECOND_ENVELOPE"))
    assert found.verdict is Verdict.VIOLATED
    assert found.divergence[0] == "n1: Ask"
    assert found.divergence[-1] == "armed[FIRST]: 0 -> 1"


# --- what is wrong is found ----------------------------------------------------------------------

Breaks = Callable[[pytest.MonkeyPatch], None]


def does_not_rearm_before_applying(patch: pytest.MonkeyPatch) -> None:
    """The deadline stays as it is while a longer one is held."""
    patch.setattr(Watch, "holding", lambda watch, held_ms: watch)


def tightens_first(patch: pytest.MonkeyPatch) -> None:
    """The deadline is what is held, at once."""

    def holding(watch: Watch, held_ms: Fraction) -> Watch:
        return Watch(watch.newest, watch.heard_ms, held_ms)

    patch.setattr(Watch, "holding", holding)


def takes_an_old_heartbeat_for_new(patch: pytest.MonkeyPatch) -> None:
    """Each copy makes the node wait anew."""

    def heard(
        watch: Watch, newest: tuple[int, int], now_ms: int, confirmed: Fraction | None
    ) -> Watch:
        deadline_ms = watch.deadline_ms if confirmed is None else confirmed
        return Watch(max(newest, watch.newest), now_ms, deadline_ms)

    patch.setattr(Watch, "heard", heard)


def closes_the_envelope_on_any_heartbeat(patch: pytest.MonkeyPatch) -> None:
    """Whatever it states."""
    receive = heartbeats.receive

    def closes(s: State, source: str, epoch: int, heartbeat: Heartbeat) -> None:
        receive(s, source, epoch, heartbeat)
        watch = replace(s.watches[source], deadline_ms=s.journal.held[2].deadline_ms)
        s.watches = with_entry(s.watches, source, watch)

    patch.setattr(heartbeats, "receive", closes)


def sends_as_it_holds(patch: pytest.MonkeyPatch) -> None:
    """The interval is what is applied, before it is decided."""

    def next_beat_ms(s: State) -> int | None:
        return s.now_ms if s.beat[1] is None else s.beat[1] + s.journal.held[2].heartbeat_interval

    patch.setattr(heartbeats, "next_beat_ms", next_beat_ms)


def sends_as_decided(patch: pytest.MonkeyPatch) -> None:
    """The interval is what is decided, whatever is open."""

    def next_beat_ms(s: State) -> int | None:
        decided_ms = s.journal.settings.heartbeat_interval
        return s.now_ms if s.beat[1] is None else s.beat[1] + decided_ms

    patch.setattr(heartbeats, "next_beat_ms", next_beat_ms)


def never_suspects(patch: pytest.MonkeyPatch) -> None:
    """Nobody, ever."""
    patch.setattr(heartbeats, "suspect", lambda s: None)
    patch.setattr(heartbeats, "next_suspicion_ms", lambda s: None)


def suspects_at_the_deadline(patch: pytest.MonkeyPatch) -> None:
    """And not after it."""
    patch.setattr(Watch, "due_ms", property(lambda w: w.heard_ms + int(w.deadline_ms)))


def sends_late(patch: pytest.MonkeyPatch) -> None:
    """By a millisecond."""

    def next_beat_ms(s: State) -> int | None:
        return (
            s.now_ms if s.beat[1] is None else s.beat[1] + 1 + s.journal.settings.heartbeat_interval
        )

    patch.setattr(heartbeats, "next_beat_ms", next_beat_ms)


def waits_longer_once_it_has_committed(patch: pytest.MonkeyPatch) -> None:
    """By a millisecond."""
    receive = heartbeats.receive

    def longer(s: State, source: str, epoch: int, heartbeat: Heartbeat) -> None:
        receive(s, source, epoch, heartbeat)
        if s.journal.epoch:
            watch = replace(s.watches[source], deadline_ms=s.watches[source].deadline_ms + 1)
            s.watches = with_entry(s.watches, source, watch)

    patch.setattr(heartbeats, "receive", longer)


CONTROLS: dict[str, tuple[Breaks, Listed, str]] = {
    "does not re-arm before applying": (does_not_rearm_before_applying, RAISES, "value["),
    "tightens first": (tightens_first, LOWERS, "deadline["),
    "takes an old heartbeat for new": (takes_an_old_heartbeat_for_new, find("pair-raises"),
                                       "since_heard_ticks"),
    "closes on any heartbeat": (closes_the_envelope_on_any_heartbeat, LOWERS, "deadline["),
    "sends as it holds": (sends_as_it_holds, PAIR_RAISES, "effective[FIRST]"),
    "sends as decided": (sends_as_decided, LOWERS, "requested["),
    "waits longer": (waits_longer_once_it_has_committed, PAIR_RAISES, "n2 waits for 21 ms"),
    "never suspects": (never_suspects, PAIR_RAISES, "since_crash_ticks"),
    "suspects at the deadline": (suspects_at_the_deadline, PAIR_RAISES, "suspected"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTROLS)
def test_a_wrong_core_diverges_by_the_shortest_run(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks, listed, cell = CONTROLS[name]
    breaks(monkeypatch)
    outcome = conform(listed)
    assert outcome.verdict is Verdict.VIOLATED
    at = outcome.divergence.index("which is no step of the spec:")
    assert any(line.startswith(cell) for line in outcome.divergence[at + 1 :]), outcome.divergence
    itf = json.loads(outcome.itf)
    assert len(itf["states"]) == at + 1
    assert itf["states"][-1]["#meta"]["not_a_step"] == list(outcome.divergence[at + 1 :])
    assert all("journal" in text for _, text in itf["states"][-1]["core"]["#map"])


@pytest.mark.slow
def test_an_epoch_alone_that_closes_the_envelope_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note C3: two members may have applied different changes from one epoch."""
    receive = heartbeats.receive

    def by_epoch(s: State, source: str, epoch: int, heartbeat: Heartbeat) -> None:
        held_epoch, held, _ = s.journal.held
        same = structs.replace(heartbeat, last=held) if epoch == held_epoch else heartbeat
        receive(s, source, epoch, same)

    monkeypatch.setattr(heartbeats, "receive", by_epoch)
    outcome = conform(LOWERS)
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.VIOLATED
    assert set(outcome.noise.failures) == {
        f"{n}: a heartbeat about another change of the same epoch sets a deadline"
        for n in ("n1", "n2")
    }


@pytest.mark.slow
def test_a_core_that_does_too_little_does_not_conform(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers no request, which is no step that the spec forbids."""
    monkeypatch.setattr(change, "receive_request", lambda s, source, request: None)
    outcome = conform(PAIR_RAISES)
    assert outcome.divergence == ()
    assert outcome.verdict is Verdict.VIOLATED
    assert outcome.uncovered["hear_announcement", NEVER] > 0


def test_what_is_not_explored_is_undetermined_and_no_pass() -> None:
    assert conform(PAIR_RAISES, most_pairs=3).verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(PAIR_RAISES, id="pair"),
        pytest.param(RAISES, id="composed", marks=pytest.mark.slow),
    ],
)
def test_alpha_has_a_place_for_every_cell_of_a_state(listed: Listed) -> None:
    """A cell that is not said, or said twice, is an error and never a state."""
    product = Product(listed)
    product.most_pairs = 2
    assert product.run().pairs == 2
    mapping = product.mapping
    locals_ = product.nodes.locals[0], product.nodes.locals[1]
    parts = [mapping.part(n, locals_[n]) for n in (0, 1)]
    net = mapping.net_part(False, product.nets[0])
    assert mapping.joined([*parts, net]) == mapping.start
    with pytest.raises(AssertionError, match="alpha is total"):
        mapping.joined([*parts, net[1:]])
    with pytest.raises(AssertionError, match="each cell has one place"):
        mapping.joined([*parts, net, net[:1]])


def test_a_core_whose_timer_is_off_from_the_start_does_not_conform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sends_late(monkeypatch)
    outcome = conform(PAIR_RAISES)
    assert outcome.verdict is Verdict.VIOLATED
    assert outcome.divergence[-1] == "n1 sends after 11 ms: no value has that interval"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "states", "edges"), [("composed-raises", 1_471, 3_580), ("pair-stops", 2_613, 5_537)]
)
def test_of_listed_pairs_each_step_is_taken(name: str, states: int, edges: int) -> None:
    """Claims 2 and 19, notes C1 to C3: the numbers of steps are those of decision 0041."""
    outcome = conform(find(name))
    found = outcome.found
    assert outcome.verdict is Verdict.HOLDS, outcome.divergence
    assert (found.states, found.edges, found.edges_covered) == (states, edges, edges)
    assert outcome.uncovered == {}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("composed-raises", "timed-2-raises"),
        ("composed-lowers", "timed-2-lowers"),
        ("composed-both", "timed-2-both"),
        ("composed-both-lowers", "timed-2-both-lowers"),
    ],
)
def test_the_composition_that_cores_are_held_against_keeps_its_promises(
    name: str, model: str
) -> None:
    """It is a model of the catalog, all promises of which are explored."""
    explored = {m.name: m for m in load_catalog()}[model]
    instance = find(name).instance
    assert explored.spec == COMPOSITION
    assert explored.states is not None
    assert not explored.is_control
    assert explored.instance(instance.spec).constant_values == instance.constant_values
    assert {listed.name for listed in LISTED if listed.spec == COMPOSITION} >= {name}
