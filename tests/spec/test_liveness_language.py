"""Promises about infinite runs as they are written: what is recorded, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from samebeat_spec.language import (
    Fair,
    Instance,
    InstanceError,
    Ordered,
    Spec,
    SpecError,
    only,
    spec_of,
)
from samebeat_spec.language.terms import Truth
from samebeat_spec.specs import load_spec

BODY = """
@initial
def start(s: Proto) -> None:
    '''Nothing.'''


@action()
def work(s: Proto, n: Node, p: Phase) -> None:
    '''`n` works.'''
    guard(~s.open, 'closed', limit='environment')

    s.phase[n] = p


@action()
def close(s: Proto) -> None:
    '''Closes.'''
    s.open = True

"""


@pytest.fixture
def spec(run_file: Callable[[str], dict[str, Any]], header: str) -> Callable[[str], Spec]:
    """Return the spec with some definitions more."""
    return lambda text: spec_of(run_file(header + BODY + text)["Proto"])


@pytest.fixture
def problem(spec: Callable[[str], Spec]) -> Callable[[str], str]:
    """Return what is said of definitions that are wrong."""

    def problem_of(text: str) -> str:
        with pytest.raises(SpecError) as caught:
            spec(text)
        return str(caught.value)

    return problem_of


LEADS = """
@leads_to(weak=(close, only(work, p=Phase.BUSY)), strong=('work',), claims=('C1',))
def busy_then_open(s: Proto, n: Node) -> tuple[Formula, Formula]:
    '''Busy leads to open.'''
    return s.phase[n] == Phase.BUSY, s.open
"""


def test_a_promise_has_parameters_a_pair_and_what_is_fair(spec: Callable[[str], Spec]) -> None:
    promise = spec(LEADS).find_liveness("busy_then_open")
    assert (promise.kind, promise.claims) == ("leads_to", ("C1",))
    assert [p.label for p in promise.parameters] == ["n"]
    assert promise.fair == (
        Fair("close"),
        Fair("work", fixed=(("p", "BUSY"),)),
        Fair("work", strong=True),
    )
    assert [str(f) for f in promise.fair] == ["close", "work(p = BUSY)", "work"]


def test_what_happens_eventually_is_given_nothing(spec: Callable[[str], Spec]) -> None:
    promise = spec("""
@eventually(weak=(close,))
def opens(s: Proto) -> Formula:
    '''It opens.'''
    return s.open
""").find_liveness("opens")
    assert promise.kind == "eventually"
    assert promise.given.key() == Truth(True).key()


def test_a_promise_changes_no_fingerprint_and_counts_as_no_property(
    spec: Callable[[str], Spec],
) -> None:
    bare, promising = spec(""), spec(LEADS)
    assert bare.fingerprint == promising.fingerprint
    assert promising.properties == ()
    assert [p.name for p in promising.promises] == ["busy_then_open"]


def test_fairness_of_some_choices_is_of_all_that_have_the_fixed_elements(
    spec: Callable[[str], Spec],
) -> None:
    instance = Instance(
        "two",
        spec(LEADS),
        {"Node": 2, "Epoch": 1, "Slot": 1},
        {"home": {"n1": "n1", "n2": "n2"}},
    )
    assert instance.fair_choices(Fair("work")) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert instance.fair_choices(Fair("work", fixed=(("p", "BUSY"),))) == [(0, 1), (1, 1)]
    assert instance.fair_choices(Fair("close")) == [()]
    with pytest.raises(InstanceError, match="'n3' is no element of Node"):
        instance.fair_choices(Fair("work", fixed=(("n", "n3"),)))


def test_fairness_that_is_taken_away_is_taken_from_every_promise(
    spec: Callable[[str], Spec],
) -> None:
    promising = spec(LEADS)
    less = promising.unfair(["work"])
    assert less.find_liveness("busy_then_open").fair == (Fair("close"),)
    assert promising.find_liveness("busy_then_open").fair != (Fair("close"),)
    with pytest.raises(KeyError, match="rest"):
        promising.unfair(["rest"])


def test_a_guard_says_whose_steps_it_limits(spec: Callable[[str], Spec]) -> None:
    marked = spec("")
    assert [g.limit for g in marked.find_action("work").guards] == ["environment"]
    work = marked.find_action("work")
    unmarked = replace(work, guards=tuple(replace(g, limit="") for g in work.guards))
    plain = replace(marked, actions=(unmarked, *marked.actions[1:]))
    assert plain.fingerprint == marked.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weak=(close,", "weak=('shut',", "no action is called 'shut'"),
        ("p=Phase.BUSY", "q=Phase.BUSY", "work has no parameter 'q'"),
        ("p=Phase.BUSY", "p=Phase", "only(...) fixes a parameter to something that is no element"),
        ("strong=('work',)", "strong=(close,)", "close is called fair twice"),
        ("s.phase[n] == Phase.BUSY, s.open", "s.open", "it returns no pair"),
        ("s.phase[n] == Phase.BUSY, s.open", "s.open, s.phase[n]", "what follows needs something"),
        ("@leads_to(", "@leads_to(busy,", "@leads_to needs parentheses"),
        ("    '''Busy leads to open.'''\n", "", "it has no docstring"),
        ("busy_then_open(", "work(", "work is defined twice"),
        ("n: Node)", "n: int)", "parameter n"),
    ],
)
def test_a_promise_that_cannot_be_meant_is_refused(
    problem: Callable[[str], str], old: str, new: str, said: str
) -> None:
    assert old in LEADS
    text = LEADS.replace(old, new).replace("busy,", "3,")
    found = problem(text)
    assert said in found
    assert "\n" not in found


def test_a_parameter_is_fixed_to_an_element_by_any_of_its_names() -> None:
    class Hour(Ordered):
        """Some."""

    assert only("chime", h=Hour.first).fixed == only("chime", h=0).fixed == (("h", "0"),)


def test_what_is_eventual_is_no_pair(problem: Callable[[str], str]) -> None:
    text = LEADS.replace("@leads_to", "@eventually")
    assert "what happens eventually needs something true or false" in problem(text)


def test_nobody_else_is_limited(problem: Callable[[str], str]) -> None:
    text = """
@action()
def rest(s: Proto) -> None:
    '''Rests.'''
    guard(s.open, 'open', limit='network')

    s.open = False
"""
    assert "nobody is called 'network'; limit is" in problem(text)


def test_how_a_run_begins_has_no_limit(problem: Callable[[str], str]) -> None:
    text = """
@initial
def begin(s: Proto) -> None:
    '''Begins.'''
    guard(s.open, 'open', limit='system')
"""
    assert "a limit cuts off steps, and this is an initial state" in problem(text)


def test_the_composition_makes_the_promises_of_the_group_change() -> None:
    names = [p.name for p in load_spec("composed").liveness]
    assert names == [p.name for p in load_spec("group").liveness]
