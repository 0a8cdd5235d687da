"""Truncation: where a model cuts off steps of the system, nothing is said of infinite runs."""

from dataclasses import replace

import pytest

from samebeat_models import Model
from samebeat_models.catalog import load_catalog
from samebeat_models.check import check_model
from samebeat_models.graph import state_graph
from samebeat_models.liveness.truncation import truncation
from samebeat_models.results import Exit, Row, Verdict
from samebeat_spec.language import (
    Formula,
    Instance,
    Integer,
    Spec,
    State,
    action,
    eventually,
    guard,
    initial,
    leads_to,
    spec_of,
    terminal,
    variable,
)
from samebeat_spec.specs import load_spec

CATALOG = {m.name: m for m in load_catalog()}


class Round(Integer, low=0, high=2):
    """How often."""


class Tries(State):
    """Who asks and is answered, a few times."""

    asked = variable(Round)
    answered = variable(Round)


@initial
def start(s: Tries) -> None:
    """Nothing has happened."""


@action()
def ask(s: Tries) -> None:
    """One more question."""
    guard(s.asked == s.answered, "no question is open")
    guard(s.asked < 2, "there are so many questions", limit="environment")

    s.asked = s.asked + 1


@action()
def answer(s: Tries, r: Round) -> None:
    """The answer to it."""
    guard(r == s.asked, "r is the question")

    s.answered = r


@terminal
def enough(s: Tries) -> Formula:
    """All has been asked and answered."""
    return (s.asked == 2) & (s.answered == 2)


@leads_to(weak=(answer,))
def answers_come(s: Tries) -> tuple[Formula, Formula]:
    """Each question is answered."""
    return s.asked != s.answered, s.asked == s.answered


@eventually(weak=(ask, answer))
def all_is_asked(s: Tries) -> Formula:
    """All questions are asked: true of this model only, for its limit."""
    return s.asked == 2


def tries(**limits: str) -> Spec:
    """Return the spec with other limits on some actions."""
    spec = spec_of(Tries)

    def limited(a: object) -> object:
        name = a.name  # type: ignore[attr-defined]
        guards = a.guards  # type: ignore[attr-defined]
        if name not in limits:
            return a
        last = replace(guards[-1], limit=limits[name])
        return replace(a, guards=(*guards[:-1], last))  # type: ignore[type-var]

    return replace(spec, actions=tuple(limited(a) for a in spec.actions))  # type: ignore[misc]


def promised(rows: tuple[Row, ...]) -> list[Row]:
    return [row for row in rows if row.kind == "liveness"]


def cut(spec: Spec) -> str:
    return truncation(state_graph(Instance("tries", spec)))


def test_a_limit_on_requests_is_part_of_the_model() -> None:
    assert cut(tries()) == ""
    assert cut(tries(ask="")) == ""  # nobody can tell that this is a limit


def test_a_limit_that_cuts_off_a_step_of_the_system_is_said() -> None:
    said = "a limit of the model cuts off steps: ask, there are so many questions"
    assert cut(tries(ask="system")) == said
    model = Model(name="tries", live=("answers_come",))
    _, rows = check_model(model, tries(ask="system"))
    found = promised(rows)
    assert (found[0].verdict, found[0].detail) == (Verdict.UNDETERMINED, said)
    assert rows[-1].exit is Exit.OK  # the exploration itself is complete


def test_a_limit_that_never_stands_alone_against_a_step_cuts_nothing_off() -> None:
    """Where a question is open, another guard refuses too."""
    spec = tries(ask="system")
    ask_last = replace(spec.find_action("ask"), guards=spec.find_action("ask").guards[::-1])
    never = replace(spec, actions=(ask_last, *spec.actions[1:]))
    no_answers = replace(never, actions=never.actions[:1])
    assert cut(no_answers) == ""
    assert cut(never) != ""


def test_a_step_that_two_limits_refuse_at_once_is_cut_off_too() -> None:
    """Neither of them stands alone against it."""
    spec = tries(ask="system")
    ask_once_more = spec.find_action("ask")
    twice = replace(
        ask_once_more,
        guards=(*ask_once_more.guards, replace(ask_once_more.guards[-1], why="the same again")),
    )
    both = replace(spec, actions=(twice, *spec.actions[1:]))
    assert cut(both) == "a limit of the model cuts off steps: ask, there are so many questions"
    first, second = twice.guards[1:]
    nobody_asks = replace(
        twice, guards=(twice.guards[0], first, replace(second, limit="environment"))
    )
    assert cut(replace(spec, actions=(nobody_asks, *spec.actions[1:]))) == ""


def test_fair_are_the_steps_that_a_limit_on_the_environment_leaves() -> None:
    """That nobody owes a third question is the spec's word; the first two are asked."""
    model = Model(name="tries", live=("answers_come", "all_is_asked"))
    found = promised(check_model(model, tries())[1])
    assert [row.verdict for row in found] == [Verdict.HOLDS, Verdict.HOLDS]
    lazy = promised(check_model(model, tries().unfair(["ask"]))[1])
    assert [row.verdict for row in lazy] == [Verdict.HOLDS, Verdict.VIOLATED]


@pytest.mark.slow
def test_a_guard_that_asks_for_what_follows_the_last_element_cuts_off_silently() -> None:
    spec = load_spec("heartbeat")
    asks = spec.find_action("ask")
    unmarked = replace(asks, guards=tuple(replace(g, limit="") for g in asks.guards))
    swapped = tuple(unmarked if a is asks else a for a in spec.actions)
    model = CATALOG["prompt-lowers"]
    graph = state_graph(model.instance(replace(spec, actions=swapped)))
    said = "the last element of a sort cuts off steps: ask, changes are asked for in order"
    assert truncation(graph) == said
    assert truncation(state_graph(model.instance(spec))) == ""
