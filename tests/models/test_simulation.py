"""Random walks: real steps, true counts, runs that show what is violated, and never "holds"."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from samebeat_models import Model, Without
from samebeat_models.explorer.kernels import Block
from samebeat_models.explorer.machine import build_machine
from samebeat_models.itf import dumps, loads
from samebeat_models.progress import Budget, Snapshot
from samebeat_models.replay import replay
from samebeat_models.results import DEADLOCK_FREE, Exit, Trace, Verdict
from samebeat_models.simulation.choice import NONE, choose, likings
from samebeat_models.simulation.distinct import DistinctCount
from samebeat_models.simulation.results import Options, Simulation
from samebeat_models.simulation.shorten import shortest_found
from samebeat_models.simulation.verdicts import simulate_model
from samebeat_models.simulation.walks import Violation, Walks
from samebeat_spec.language import (
    Formula,
    Instance,
    Integer,
    State,
    StateError,
    action,
    always_reachable,
    flag,
    guard,
    initial,
    invariant,
    spec_of,
    step_property,
    variable,
    witness,
)
from samebeat_spec.language.interpreter import Interpreter

FEW = Options(walks=300, depth=40)
_DEEP = 80_000
"""With walks as long as this there are only about 200 at a time."""


class Rung(Integer, low=0, high=6):
    """A rung of a ladder."""


class Ladder(State):
    """Somebody climbs up and down, and may fall from the third rung."""

    at = variable(Rung)
    fallen = flag()


@initial
def on_the_ground(s: Ladder) -> None:
    """At the bottom."""


@action()
def climb(s: Ladder) -> None:
    """One rung up."""
    guard(~s.fallen, "not fallen")
    guard(s.at < 6, "below the top")

    s.at = s.at + 1


@action()
def descend(s: Ladder) -> None:
    """One rung down."""
    guard(~s.fallen, "not fallen")
    guard(s.at > 0, "above the ground")

    s.at = s.at - 1


@action()
def rest(s: Ladder) -> None:
    """Stay: enabled for ever, and no step that a walk takes."""


@action()
def fall(s: Ladder) -> None:
    """Down from the third rung, for good."""
    guard(s.at == 3, "on the third rung")
    guard(~s.fallen, "not fallen")

    s.fallen = True


@action()
def fly(s: Ladder) -> None:
    """Never."""
    guard((s.at == 1) & (s.at == 2), "on two rungs at once")

    s.at = 6


@invariant()
def below_five(s: Ladder) -> Formula:
    """Broken after five steps up."""
    return s.at < 5


@invariant()
def falls_from_three(s: Ladder) -> Formula:
    """Never broken."""
    return ~s.fallen | (s.at == 3)


@step_property()
def never_falls(s: Ladder, t: Ladder) -> Formula:
    """Broken by the fourth step."""
    return s.fallen | ~t.fallen


@always_reachable()
def back_on_the_ground(s: Ladder) -> Formula:
    """Missed for good after a fall."""
    return s.at == 0


@witness()
def high_up(s: Ladder) -> Formula:
    """On the fourth rung."""
    return s.at == 4


@witness()
def off_the_ground(s: Ladder) -> Formula:
    """On the second rung."""
    return s.at == 2


@witness()
def out_of_sight(s: Ladder) -> Formula:
    """On no rung."""
    return (s.at == 0) & s.fallen


LADDER = spec_of(Ladder)
SHORTEST = {"below_five": 5, "never_falls": 4, "back_on_the_ground": 4, DEADLOCK_FREE: 4}


def ladder(**pins: object) -> Model:
    return Model(name="ladder", spec="ladder", **pins)  # type: ignore[arg-type]


def control(*violates: str, depth: int | None = None) -> Model:
    return ladder(violates=violates, depth=depth)


def walked(instance: Instance, rounds: int = 12) -> Walks:
    """Return the walks of a model while they are under way, all at least begun."""
    machine = build_machine(instance, symmetry=False)
    walks = Walks(machine, Options(walks=None, depth=_DEEP))
    for _ in range(rounds):
        walks.round()
    return walks


def found(model: Model, options: Options = FEW) -> tuple[Simulation, dict[str, Verdict]]:
    simulation, rows = simulate_model(model, LADDER, options)
    assert simulation is not None
    return simulation, {row.property: row.verdict for row in rows}


# --- steps are steps -------------------------------------------------------------------------


def test_every_step_of_a_walk_is_a_step_of_the_interpreter(example: Any) -> None:
    walks = walked(example.instance)
    machine, judge = walks.machine, Interpreter(example.instance)
    for walk in range(0, walks.crowd.size, 10):
        state = judge.initial_states()[int(walks.crowd.starts[walk])]
        for index in walks.crowd.path(walk):
            ground = machine.steps.actions[index]
            after = judge.step(ground.action, ground.arguments, state)  # else it is refused
            assert after != state
            state = after
        assert machine.unpack(walks.crowd.words, walk) == state


def test_a_walk_can_take_every_step_of_the_interpreter_that_changes_something(
    example: Any,
) -> None:
    walks = walked(example.instance)
    actions, judge = walks.machine.steps.actions, Interpreter(example.instance)
    of_walk, steps = walks.possible(Block(walks.crowd.words))
    for walk in range(0, walks.crowd.size, 20):
        state = walks.machine.unpack(walks.crowd.words, walk)
        possible = {
            (actions[i].action.name, actions[i].arguments) for i in steps[of_walk == walk].tolist()
        }
        assert possible == {(a.name, x) for a, x, t in judge.successors(state) if t != state}


def test_walks_reach_every_state_of_a_small_model(oracle: Callable[..., Any]) -> None:
    instance = Instance("ladder", LADDER, {}, {})
    machine = build_machine(instance, symmetry=False)
    walks = Walks(machine, Options(walks=500, depth=60), wanted=())
    walks.run()
    assert walks.distinct.about() == (len(oracle(instance).depths), False)


# --- choosing --------------------------------------------------------------------------------

ACTION_OF = np.array([0, 0, 0, 1])
"""Three steps of one action and one of another."""


def drawn(liking: list[int], count: int = 4_000) -> Counter[int]:
    walks = np.concatenate([np.arange(count)] * 4)
    steps = np.repeat(np.arange(4), count)
    columns = np.repeat(np.array([liking]).T, count, axis=1)
    chosen = choose(np.random.default_rng(7), walks, steps, ACTION_OF, columns)
    return Counter(chosen.tolist())


def test_an_action_is_drawn_first_and_then_one_of_its_steps() -> None:
    times = drawn([1, 1])
    assert times[3] == pytest.approx(2_000, rel=0.1)
    assert all(times[i] == pytest.approx(2_000 / 3, rel=0.15) for i in (0, 1, 2))


def test_an_action_that_is_liked_more_is_drawn_more_often() -> None:
    assert drawn([1, 63])[3] == pytest.approx(4_000 * 63 / 64, rel=0.02)


def test_only_what_is_enabled_is_drawn_and_nothing_where_nothing_is() -> None:
    walks, steps = np.array([0, 0, 2]), np.array([1, 3, 2])
    liking = likings(np.random.default_rng(0), 2, 4)
    for seed in range(50):
        chosen = choose(np.random.default_rng(seed), walks, steps, ACTION_OF, liking)
        assert chosen[0] in (1, 3)
        assert chosen.tolist()[1:] == [NONE, 2, NONE]


# --- counting --------------------------------------------------------------------------------


def test_coverage_counts_the_steps_that_the_walks_took() -> None:
    walks = walked(Instance("ladder", LADDER), rounds=4)
    paths = [walks.crowd.path(i) for i in range(walks.crowd.size)]
    assert [len(path) for path in paths] == [4] * walks.begun  # nobody has fallen yet
    assert walks.taken.tolist() == np.bincount(np.concatenate(paths), minlength=4).tolist()
    assert walks.steps == 4 * walks.begun


def test_an_action_without_a_change_and_one_never_enabled_are_never_taken() -> None:
    simulation, _ = found(control("falls_from_three"), Options(walks=200, depth=30))
    assert simulation.never_taken == ("rest", "fly")
    assert sum(simulation.taken.values()) == simulation.steps
    assert simulation.reached == ("high_up", "off_the_ground")
    assert simulation.not_reached == ("out_of_sight",)


def test_as_many_walks_as_asked_of_no_more_steps_than_asked() -> None:
    simulation, _ = found(control("falls_from_three"), Options(walks=123, depth=17))
    assert (simulation.walks, simulation.longest) == (123, 17)
    assert simulation.ended == "all walks done"


def test_states_are_estimated_to_within_a_few_thousandths() -> None:
    count = DistinctCount()
    states = np.arange(300_000, dtype=np.uint64).reshape(1, -1) << np.uint64(20)
    for _ in range(2):
        count.add(states)
    about, many = count.about()
    assert about == pytest.approx(300_000, rel=0.005)
    assert not many


def test_states_of_several_words_that_differ_in_one_are_told_apart() -> None:
    count = DistinctCount()
    count.add(np.array([[1, 1, 2, 1], [1, 2, 1, 1]], np.uint64))
    assert count.about() == (3, False)


@pytest.mark.slow
def test_more_states_than_the_table_can_tell_are_said_to_be_more() -> None:
    count, draw = DistinctCount(), np.random.default_rng(0)
    for _ in range(200):
        count.add(draw.integers(0, 1 << 63, size=(1, 1_000_000), dtype=np.uint64))
    about, many = count.about()
    assert many
    assert 150_000_000 < about < 200_000_000


# --- verdicts --------------------------------------------------------------------------------


def test_nothing_but_a_witness_ever_holds(example: Any) -> None:
    _, rows = simulate_model(example.model, example.spec, FEW)
    assert all(r.kind == "witness" for r in rows if r.verdict is Verdict.HOLDS)
    if not example.model.is_control:
        assert {r.exit for r in rows} <= {Exit.OK, Exit.UNDETERMINED}


def test_a_model_stops_at_the_first_violation_and_a_control_when_all_are_found() -> None:
    simulation, verdicts = found(ladder())
    assert simulation.ended == "stopped at the first violation"
    assert Verdict.VIOLATED in verdicts.values()
    simulation, verdicts = found(control("below_five", "never_falls"))
    assert simulation.ended == "stopped at the expected violation"
    assert [verdicts[name] for name in ("below_five", "never_falls")] == [Verdict.VIOLATED] * 2


def traces() -> Iterator[tuple[str, Trace]]:
    _, rows = simulate_model(control(*SHORTEST), LADDER, FEW)
    return ((row.property, row.trace) for row in rows if row.trace)


def test_each_kind_of_violation_is_shown_by_a_shortest_run() -> None:
    assert {name: len(trace.steps) for name, trace in traces()} == SHORTEST


def test_a_walk_of_a_thousand_steps_is_shortened_to_those_it_needs() -> None:
    walks = walked(Instance("ladder", LADDER), rounds=0)
    climbs, descends, _, _ = range(4)
    steps = (climbs, climbs, descends, descends) * 300 + (climbs,) * 5
    shows = next(operation for p, operation in walks.monitors.invariants if p.name == "below_five")
    trace = shortest_found(walks.machine, Violation("below_five", shows, 0, steps))
    assert [step.action for step in trace.steps] == ["climb"] * 5


def test_a_run_replays_and_breaks_what_it_says() -> None:
    for name, trace in traces():
        file = loads(dumps(trace, control(*SHORTEST), LADDER, shows=name), name)
        own = replay(file, control(*SHORTEST), LADDER)
        assert own.refusal is None
        if name != "back_on_the_ground":  # no state shows that
            assert own.broken[name] == SHORTEST[name]


def test_a_violation_that_the_interpreter_does_not_see_is_an_internal_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Interpreter, "holds", lambda *_: True)
    with pytest.raises(AssertionError, match="the interpreter finds no violation"):
        found(control("below_five"))


def test_a_step_that_does_not_fit_is_an_error_of_the_spec() -> None:
    class Counter(State, name="counter"):
        """It has no end."""

        at = variable(Rung)

    @initial
    def zero(s: Counter) -> None:
        """It begins at zero."""

    @action()
    def count(s: Counter) -> None:
        """One more."""
        s.at = s.at + 1

    spec = spec_of(Counter)
    with pytest.raises(StateError, match="would become 7"):
        simulate_model(Model(name="counter", spec="counter"), spec, FEW)


# --- what is pinned --------------------------------------------------------------------------


def details(model: Model) -> dict[str, tuple[str, Exit]]:
    _, rows = simulate_model(model, LADDER, FEW)
    return {row.property: (row.detail, row.exit) for row in rows}


def test_a_pin_that_a_walk_refutes_is_not_as_pinned() -> None:
    model = ladder(unreached=("off_the_ground", "out_of_sight"), idle=("climb", "fly"))
    said, code = details(model)["as_pinned"]
    assert said == "off_the_ground is reached; climb is taken"
    assert code is Exit.NOT_AS_PINNED


def test_a_pin_that_no_walk_refutes_is_not_said_to_hold() -> None:
    model = ladder(unreached=("out_of_sight",), idle=("fly",), states=1)
    assert "as_pinned" not in details(model)
    assert "out_of_sight" not in details(model)


def test_a_control_that_is_caught_in_fewer_steps_is_not_as_pinned() -> None:
    said, code = details(control("below_five", depth=6))["as_pinned"]
    assert said.startswith("below_five is violated after 5 steps, not 6")
    assert code is Exit.NOT_AS_PINNED


def test_what_a_control_does_not_list_counts_only_if_it_comes_as_early() -> None:
    listed = details(control("never_falls", "below_five", depth=4))
    assert listed["below_five"] == ("", Exit.OK)
    assert "as_pinned" not in listed
    early = details(control("below_five", depth=5))
    assert early["never_falls"][1] is Exit.OK
    assert "never_falls is violated after 4 steps, not 5" in early["as_pinned"][0]


def test_a_control_that_no_walk_catches_is_undetermined() -> None:
    said, code = details(control("falls_from_three"))["falls_from_three"]
    assert said.startswith("not seen in ")
    assert code is Exit.UNDETERMINED


def test_a_control_that_lists_no_violation_has_to_keep_what_a_right_model_keeps() -> None:
    listed = details(ladder(without=Without("fall", "not fallen")))
    assert listed["never_falls"] == ("", Exit.SAFETY)
    assert listed["falls_from_three"][1] is Exit.UNDETERMINED


# --- the same seed, the same walks; budgets --------------------------------------------------


def test_the_same_seed_takes_the_same_walks_and_another_one_others() -> None:
    first, second, other = (
        replace(found(control("falls_from_three"), Options(100, 30, seed))[0], seconds=0.0)
        for seed in (5, 5, 6)
    )
    assert first == second
    assert other.taken != first.taken


def test_a_budget_of_time_ends_the_walks_and_progress_is_told() -> None:
    told: list[Snapshot] = []
    options = Options(walks=None, depth=10, budget=Budget(seconds=0.0))
    simulation, _ = simulate_model(control("falls_from_three"), LADDER, options, told.append)
    assert simulation is not None
    assert simulation.ended == "stopped by the budget of 0 s"
    assert simulation.steps == simulation.walks  # one round


def test_a_budget_of_memory_ends_the_walks() -> None:
    simulation, _ = found(
        control("falls_from_three"), Options(walks=None, budget=Budget(memory_mb=1))
    )
    assert simulation.ended == "stopped by the budget of 1 MB"
