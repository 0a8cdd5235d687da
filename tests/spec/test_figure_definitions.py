"""Figures in the language: what they record, what is refused, and what they do not change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from samebeat_spec.claims import CITABLE_IDS
from samebeat_spec.language import Figure, Spec, spec_of
from samebeat_spec.specs import SPEC_NAMES, load_spec

GOOD = """
@initial
def start(s: Proto) -> None:
    '''At the start.'''


@action()
def open_it(s: Proto) -> None:
    '''It opens.'''
    s.open = True


@stay(claims=("1(a)",))
def opened(s: Proto) -> Formula:
    '''It is open.'''
    return s.open


def at_level(s: Proto, x: Level, n: Node) -> Formula:
    '''So high.'''
    return (s.level == x) & (s.phase[n] == Phase.IDLE)


@tally(when=at_level, unit="nodes", claims=("1(b)",))
def seen_at(s: Proto, x: Level, n: Node) -> Term:
    '''How many see `n`, one more where it is open, and two.'''
    return count(Node, lambda m: s.sees[m, n]) + one_if(s.open) + 2
"""


@pytest.fixture
def spec(run_file, header) -> Spec:
    return spec_of(run_file(header + GOOD)["Proto"])


def test_a_spec_has_its_figures_in_order_with_all_that_they_say(spec):
    opened, seen_at = spec.figures
    assert (opened.name, opened.kind, opened.doc) == ("opened", "stay", "It is open.")
    assert (opened.claims, opened.parameters, opened.amount) == (("1(a)",), (), None)
    assert (seen_at.kind, seen_at.unit, seen_at.claims) == ("tally", "nodes", ("1(b)",))
    assert [p.label for p in seen_at.parameters] == ["x", "n"]
    assert seen_at.amount is not None
    assert spec.find_figure("seen_at") is seen_at
    with pytest.raises(KeyError):
        spec.find_figure("opened_at")


def test_figures_do_not_change_what_a_spec_means(spec):
    assert replace(spec, figures=()).fingerprint == spec.fingerprint
    assert not {f.name for f in spec.figures} & {p.name for p in spec.properties}


def test_a_spec_that_is_weakened_keeps_its_figures():
    spec = load_spec("group")
    assert spec.with_end_properties_only().figures == spec.figures
    assert spec.without("undo", "c is open at n").figures == spec.figures


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@stay\ndef f(s: Proto) -> Formula:\n    '''F.'''\n    return s.open", "parentheses"),
        ("@stay()\ndef f(s: Proto) -> Formula:\n    return s.open", "it has no docstring"),
        (
            "@stay()\ndef f(s: Proto, n: Node) -> Formula:\n    '''F.'''\n    return s.open",
            "a stay has no parameters, n given",
        ),
        (
            "@stay()\ndef f(s: Proto) -> Formula:\n    '''F.'''\n    return s.level",
            "a stay needs something true or false",
        ),
        (
            (
                "@tally(when=lambda s: s.open, unit='x')\n"
                "def f(s: Proto) -> Formula:\n    '''F.'''\n    return s.open"
            ),
            "a tally needs an element of Number, not a formula",
        ),
        (
            (
                "@tally(when=lambda s: s.level, unit='x')\n"
                "def f(s: Proto) -> Term:\n    '''F.'''\n    return one_if(s.open)"
            ),
            "when needs something true or false",
        ),
        (
            (
                "@stay()\ndef f(s: Proto) -> Formula:\n    '''F.'''\n    return s.open\n\n"
                "@invariant()\ndef f(s: Proto) -> Formula:\n    '''F.'''\n    return s.open"
            ),
            "f is defined twice",
        ),
        (
            "@stay()\ndef f(s: Proto) -> Formula:\n    '''F.'''\n    s.open = True\n",
            "a property sets nothing",
        ),
    ],
)
def test_what_is_no_figure_is_refused_in_one_line(error_of, text, problem):
    assert problem in error_of(text + "\n")


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_our_figures_cite_known_claims_and_say_in_a_sentence_what_they_are(name):
    for figure in load_spec(name).figures:
        assert figure.claims, figure.name
        assert set(figure.claims) <= CITABLE_IDS, figure.name
        assert figure.doc.endswith("."), figure.name


def test_the_group_change_and_the_heartbeat_pair_have_the_figures_that_issue_them():
    def kinds(name: str) -> dict[str, list[Figure]]:
        found: dict[str, list[Figure]] = {"stay": [], "tally": []}
        for f in load_spec(name).figures:
            found[f.kind].append(f)
        return found

    assert [f.name for f in kinds("group")["stay"]] == ["different_values"]
    assert {f.unit for f in kinds("group")["tally"]} == {"multicasts", "rounds"}
    assert {"different_values", "detection"} <= {f.name for f in kinds("heartbeat")["stay"]}


def test_a_group_change_of_the_interval_has_those_of_the_group_change_and_its_own_in_ticks():
    found = load_spec("composed").figures
    assert {f.name for f in load_spec("group").figures} < {f.name for f in found}
    own = {f.name for f in found} - {f.name for f in load_spec("group").figures}
    assert {"different_values_without_failure", "open_change"} <= own


def test_a_pair_has_messages_and_rounds_and_one_that_watches_acks_has_detection():
    assert {f.unit for f in load_spec("pair").figures} == {"messages", "rounds"}
    assert [f.name for f in load_spec("acks").figures] == ["detection"]
