"""Independent checkers agree with the interpreter, to the last state and the last step."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from samebeat_models.catalog import load_catalog
from samebeat_models.results import DEADLOCK_FREE, Verdict
from samebeat_models.second_opinion import (
    IN_BOUNDS,
    PEER_NAMES,
    TLC_JAR_VARIABLE,
    PeerUnavailable,
    available_peers,
    run_peer,
    why_unavailable,
)
from samebeat_spec.language import (
    Formula,
    Instance,
    Ordered,
    State,
    action,
    exists,
    following,
    guard,
    initial,
    spec_of,
    specs_in,
    step_property,
    terminal,
    variable,
)
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.specs import load_spec

pytestmark = pytest.mark.second_opinion

HERE = Path(__file__).parent


def _load(path: Path) -> ModuleType:
    """Import a file that belongs to no package."""
    name = f"second_opinion_{path.stem}"
    place = importlib.util.spec_from_file_location(name, path)
    assert place
    assert place.loader
    module = importlib.util.module_from_spec(place)
    sys.modules[name] = module
    place.loader.exec_module(module)
    return module


exported = _load(HERE / "test_exports.py")

peers = pytest.mark.parametrize(
    "peer",
    [
        pytest.param(
            p, marks=pytest.mark.skipif(bool(why_unavailable(p)), reason=why_unavailable(p))
        )
        for p in PEER_NAMES
    ],
)


class Counts(NamedTuple):
    """What the interpreter counts: ``steps`` change something, ``last`` states are intended."""

    states: int
    steps: int
    last: int
    depth: int


def count(instance: Instance) -> Counts:
    """Explore an instance with the interpreter alone."""
    interpreter = Interpreter(instance)
    seen = set(interpreter.initial_states())
    frontier, steps, depth = list(seen), 0, -1
    while frontier:
        found = []
        for state in frontier:
            for _, _, after in interpreter.successors(state):
                steps += after != state
                if after not in seen:
                    seen.add(after)
                    found.append(after)
        frontier, depth = found, depth + 1
    terminals = instance.spec.of_kind("terminal")
    last = sum(any(interpreter.holds(p, s) for p in terminals) for s in seen)
    return Counts(len(seen), steps, last, depth)


class Hour(Ordered):
    """Hours in order."""


class Lamp(State):
    """A lamp that goes on, and on, and stops."""

    hour = variable(Hour)


@initial
def dark(s: Lamp) -> None:
    """It begins in the first hour."""


@action()
def burn(s: Lamp) -> None:
    """An hour passes."""
    guard(s.hour == Hour.first, "it has just begun")

    s.hour = following(s.hour)


@action()
def glow(s: Lamp) -> None:
    """Nothing changes: this is no way out of a deadlock."""
    s.hour = s.hour


@step_property()
def no_hour_passes(s: Lamp, t: Lamp) -> Formula:
    """What the lamp breaks at its first step."""
    return s.hour == t.hour


@terminal
def morning(s: Lamp) -> Formula:
    """Any hour but the first."""
    return exists(Hour, lambda h: h < s.hour)


def lamp(*, intended: bool = True) -> Instance:
    spec = spec_of(Lamp)
    if not intended:
        kept = tuple(p for p in spec.properties if p.kind != "terminal")
        spec = replace(spec, properties=kept)
    return Instance("lamp", spec, {"Hour": 3})


@pytest.mark.slow
@peers
@pytest.mark.parametrize(("changes", "states"), [(1, 113), (2, 4294)])
def test_peers_count_the_states_of_the_group_change(peer, changes, states):
    instance = exported.group(2, changes)
    run = run_peer(peer, instance, timeout=300)
    counts = count(instance)
    assert run.states == counts.states == states
    assert run.transitions == counts.steps + counts.last
    assert run.depth in (None, counts.depth)
    assert run.verdict is Verdict.HOLDS
    assert not run.violated
    assert run.seconds > 0
    assert run.peak_mb > 1


CATALOG = {m.name: m for m in load_catalog()}
TIMED = (
    "envelope-lowers",
    "envelope-drift-lowers",
    "envelope-lowering-fails",
    "composed-2-raises",
    "timed-2-raises",
)
"""Fast models with clocks, with drift, with changes that fail, and with both protocols.

The tests of the pair, of the acks and of the limits ask the peers themselves.
"""
WRONG = ("lowering-second-first", "claim-1-raises", "acks-follow-lowers")
"""Fast models that end in a suspicion of a node that is alive."""


@pytest.mark.slow
@peers
@pytest.mark.parametrize("name", TIMED)
def test_peers_count_the_states_of_models_of_the_catalog(peer, name):
    model = CATALOG[name]
    run = run_peer(peer, model.instance(load_spec(model.spec)), timeout=300)
    assert (run.states, run.verdict, run.violated) == (model.states, Verdict.HOLDS, "")
    assert run.depth in (None, model.depth)


@pytest.mark.slow
@peers
@pytest.mark.parametrize("name", WRONG)
def test_peers_find_the_false_suspicion_of_a_wrong_model(peer, name):
    model = CATALOG[name]
    run = run_peer(peer, model.instance(load_spec(model.spec)), model.violates, timeout=300)
    assert model.violates == ("no_false_suspicion",)
    assert (run.verdict, run.violated) == (Verdict.VIOLATED, "no_false_suspicion")


@pytest.mark.slow
@peers
@pytest.mark.parametrize("path", sorted((HERE.parent / "specs").glob("*.py")), ids=lambda p: p.stem)
def test_peers_count_the_states_of_other_peoples_protocols(peer, path):
    """Two-phase commit among them, with the count that Lamport's model is known for."""
    module = _load(path)
    specs = {spec.name: spec for spec in specs_in(module)}
    models = [m for m in module.MODELS if m.tier == "fast" and not m.symmetry and not m.is_control]
    for model in models[:2]:
        instance = model.instance(specs[model.spec] if model.spec else next(iter(specs.values())))
        run = run_peer(peer, instance, timeout=300)
        counts = count(instance)
        assert (run.states, run.verdict) == (counts.states, Verdict.HOLDS), model.name
        assert run.transitions == counts.steps + counts.last, model.name
        if model.name == "two-phase-3":
            assert run.states == 288


@pytest.mark.slow
@peers
@pytest.mark.parametrize("strict", [False, True])
def test_peers_agree_on_every_construct_of_the_language(peer, strict):
    instance = exported.workshop(days=2, strict=strict)
    run = run_peer(peer, instance, timeout=300)
    counts = count(instance)
    assert run.states == counts.states
    assert run.transitions == counts.steps + counts.last
    assert run.depth in (None, counts.depth)
    assert run.verdict is Verdict.HOLDS


@pytest.mark.slow
@peers
@pytest.mark.parametrize(
    ("action_name", "why", "broken"),
    [
        ("commit", "n has heard every ok", {"commit_needs_all_ok", "agreement"}),
        ("undo", "c is open at n", {"decision_stable", "agreement"}),
    ],
)
def test_peers_find_what_a_missing_guard_breaks(peer, action_name, why, broken):
    good = exported.group(2, 2)
    spec = good.spec.without(action_name, why)
    bad = Instance(good.name, spec, good.sizes, good.constants)
    run = run_peer(peer, bad, sorted(broken), timeout=300)
    assert run.verdict is Verdict.VIOLATED
    assert run.violated in broken


@pytest.mark.slow
@peers
def test_peers_report_a_step_property(peer):
    run = run_peer(peer, lamp(), timeout=60)
    assert (run.verdict, run.violated) == (Verdict.VIOLATED, "no_hour_passes")


@pytest.mark.slow
@peers
def test_a_step_that_changes_nothing_is_no_way_out_of_a_deadlock(peer):
    run = run_peer(peer, lamp(intended=False), [DEADLOCK_FREE], timeout=60)
    assert (run.verdict, run.violated) == (Verdict.VIOLATED, DEADLOCK_FREE)


@pytest.mark.slow
@peers
@pytest.mark.parametrize("properties", [(), (DEADLOCK_FREE,)])
def test_an_intended_last_state_is_no_deadlock(peer, properties):
    run = run_peer(peer, lamp(), properties, timeout=60)
    assert (run.verdict, run.states) == (Verdict.HOLDS, 2)


@pytest.mark.slow
@peers
def test_peers_report_a_value_outside_its_bounds(peer):
    run = run_peer(peer, exported.workshop(days=2, cheap=-1), (), timeout=300)
    assert (run.verdict, run.violated) == (Verdict.VIOLATED, IN_BOUNDS)


@pytest.mark.slow
@peers
def test_a_time_limit_is_no_pass(peer):
    run = run_peer(peer, exported.group(3, 2), timeout=0.3)
    assert run.verdict is Verdict.UNDETERMINED
    assert "time limit" in run.reason


@pytest.mark.slow
@pytest.mark.skipif(bool(why_unavailable("spin")), reason=why_unavailable("spin"))
def test_a_memory_limit_is_no_pass():
    run = run_peer("spin", exported.group(3, 2), memory_mb=150, timeout=100)
    assert run.verdict is Verdict.UNDETERMINED
    assert run.reason


def test_an_absent_peer_says_what_it_lacks(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(TLC_JAR_VARIABLE, raising=False)
    assert available_peers() == {}
    for name in PEER_NAMES:
        assert "installed" in why_unavailable(name)
        with pytest.raises(PeerUnavailable):
            run_peer(name, lamp())


def test_a_jar_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(TLC_JAR_VARIABLE, str(tmp_path / "none.jar"))
    assert re.search("none.jar|`java`", why_unavailable("tlc"))


def test_an_unknown_peer_is_refused():
    with pytest.raises(KeyError):
        run_peer("crystal_ball", lamp())
