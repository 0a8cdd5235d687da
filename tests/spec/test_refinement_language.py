"""A refinement says how a state is read as a state of another spec, and every slip is one line."""

from collections.abc import Callable
from typing import Any

import pytest

from samebeat_spec.language import (
    Instance,
    InstanceError,
    Projection,
    SpecError,
    StateError,
    spec_of,
)

Run = Callable[[str], dict[str, Any]]

SIMPLER = """
class Stage(Ordered):
    '''A sort that only the simpler protocol has.'''


class Simple(State):
    '''A simpler protocol.'''

    home = function(Node, to=Node, constant=True)
    most = variable(Level, constant=True)
    phase = function(Node, to=Phase)
    mode = variable(Phase)
    stage = function(Phase, to=Stage)
    closed = flag()


@initial
def simple_start(p: Simple) -> None:
    'All is idle.'


@action()
def close(p: Simple) -> None:
    'It closes.'
    p.closed = True


@initial
def start(s: Proto) -> None:
    'All is idle.'


@action()
def work(s: Proto, n: Node) -> None:
    'It works.'
    s.phase[n] = Phase.BUSY
    s.open = True

"""

REST = """
    p.most = 3
    p.mode = Phase.IDLE
    p.stage[every] = Stage.first
    p.closed = ~s.open
"""

DEFINITIONS = {
    "without parentheses": (
        '@refinement  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."',
        "@refinement needs parentheses; write @refinement()",
    ),
    "one state only": (
        '@refinement()  #!\ndef bad(s: Proto) -> None:\n    "Bad."',
        "bad: protocol.py",
        "the first two parameters must be the concrete and the abstract state; write def name(",
    ),
    "a sort for the abstract state": (
        '@refinement()  #!\ndef bad(s: Proto, n: Node) -> None:\n    "Bad."',
        "the first two parameters must be the concrete and the abstract state",
    ),
    "int as a parameter": (
        '@refinement()  #!\ndef bad(s: Proto, p: Simple, i: int) -> None:\n    "Bad."',
        "proto.bad",
        "parameter i: int is an unbounded integer",
    ),
    "no steps at all": (
        '@refinement(at_most=0)  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."',
        "at_most is the number of abstract steps that a step may be: 1 or more",
    ),
    "something returned": (
        '@refinement()  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n    return s.open',
        "a refinement returns nothing; use assignments",
    ),
    "no docstring": (
        "@refinement()  #!\ndef bad(s: Proto, p: Simple) -> None:" + REST,
        "it has no docstring",
    ),
    "a guard that depends on the state": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    guard(s.open, 'open')  #!"
        ),
        "a guard of a refinement speaks of constants only; say with ite(c, a, b) how a value",
    ),
    "the concrete state assigned": (
        ('@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n    s.open = True  #!'),
        "open is of the concrete state, which a refinement only reads; assign the variables of",
    ),
    "the abstract state read": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.closed = p.mode == Phase.IDLE  #!"
        ),
        "mode of the abstract state is assigned, never read; say it in terms of the concrete state",
    ),
    "assigned twice": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.closed = True\n    p.closed = False  #!"
        ),
        "closed is assigned twice at the same place",
    ),
    "anything": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.closed = anything  #!"
        ),
        "`anything` is only for initial states",
    ),
    "another sort": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple, n: Node) -> None:\n    "Bad."\n'
            "    p.mode = s.epoch[n]  #!"
        ),
        "the value of mode needs an element of Phase, not one of Epoch",
    ),
    "a place that depends on the state": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple, n: Node) -> None:\n    "Bad."\n'
            "    p.stage[s.phase[n]] = Stage.first  #!"
        ),
        "stage is assigned at a place that is no fixed element; write stage[every] = lambda x:",
    ),
    "a place that is a parameter": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple, n: Node) -> None:\n    "Bad."\n'
            "    p.phase[n] = Phase.IDLE  #!"
        ),
        "phase is assigned at a place that is no fixed element",
    ),
    "a constant that depends on the state": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.most = s.level  #!"
        ),
        "most is a constant of the abstract spec, and its value depends on the state",
    ),
    "a variable left out": (
        (
            '@refinement()  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.most = 3\n    p.mode = Phase.IDLE\n    p.stage[every] = Stage.first"
        ),
        "it does not assign the variable closed of simple, and proto has none of this name; assign",
    ),
    "a constant left out": (
        (
            '@refinement()  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.mode = Phase.IDLE"
        ),
        "it does not assign the constant most of simple, and proto has none of this name",
    ),
    "a place left out": (
        (
            '@refinement()  #!\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."\n'
            "    p.most = 3\n    p.mode = Phase.IDLE\n    p.closed = s.open\n"
            "    p.stage[Phase.IDLE] = Stage.first"
        ),
        "it assigns stage at some places, but not at stage[BUSY]; assign each place",
    ),
    "the name of an action": (
        '@refinement()  #!\ndef work(s: Proto, p: Simple) -> None:\n    "Bad."' + REST,
        "work is defined twice; give each refinement a name that no action and no property has",
    ),
    "a property with the name of a refinement": (
        (
            '@refinement()\ndef bad(s: Proto, p: Simple) -> None:\n    "Bad."' + REST + "\n"
            '@invariant()  #!\ndef bad(s: Proto) -> Formula:\n    "Bad."\n    return s.open'
        ),
        "bad is defined twice",
    ),
    "the same name with other sorts": (
        (
            "class Other(State):\n    level = variable(Phase)\n"
            '@refinement()  #!\ndef bad(s: Proto, p: Other) -> None:\n    "Bad."'
        ),
        "the variable level of other, and proto has one of this name that differs; assign level",
    ),
    "a variable for a constant": (
        (
            "class Other(State):\n    level = variable(Level, constant=True)\n"
            '@refinement()  #!\ndef bad(s: Proto, p: Other) -> None:\n    "Bad."'
        ),
        "the constant level of other, and proto has one of this name that differs",
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_wrong_refinement_is_one_line_with_its_place(name, error_of):
    text, *expected = DEFINITIONS[name]
    said = error_of(SIMPLER + text)
    for part in expected:
        assert part in said


# --- instances -------------------------------------------------------------------------------

GOOD = (
    "@refinement({options})\ndef simple(s: Proto, p: Simple{parameters}) -> None:\n"
    '    "What is simple about it."' + REST
)
SIZES: dict[str, int | tuple[int, int]] = {"Node": 2, "Epoch": 2, "Slot": (4, 6)}
CONSTANTS = {"home": {"n1": "n2", "n2": "n1"}}


def instance_of(run_file: Run, text: str) -> Instance:
    names = run_file(text)
    spec = spec_of(names["Proto"])
    return Instance("two", spec, SIZES, CONSTANTS)


def good(options: str = "sizes={'Stage': 3}", parameters: str = "", more: str = "") -> str:
    return SIMPLER + GOOD.format(options=options, parameters=parameters) + more


def projection(run_file: Run, header: str, text: str) -> tuple[Projection, ...]:
    instance = instance_of(run_file, header + text)
    return instance.spec.find_refinement("simple").projections(instance)


def test_a_refinement_is_no_property_and_does_not_change_the_meaning(run_file, header):
    with_it = spec_of(run_file(header + good())["Proto"])
    without = spec_of(run_file(header + SIMPLER)["Proto"])
    assert [r.name for r in with_it.refinements] == ["simple"]
    assert with_it.properties == without.properties == ()
    assert with_it.fingerprint == without.fingerprint


def test_what_is_not_assigned_and_the_same_in_both_is_copied(run_file, header):
    (one,) = projection(run_file, header, good())
    assert one.refinement.copied == ("home", "phase")
    assert one.abstract.constants["home"] == {"n1": "n2", "n2": "n1"}
    assert one.abstract.constants["most"] == "3"


def test_shared_sorts_are_as_large_as_they_are_here(run_file, header):
    (one,) = projection(run_file, header, good())
    assert one.abstract.sizes == {"Node": 2, "Stage": 3, "Level": (0, 3)}


def test_a_state_is_projected_cell_by_cell(run_file, header):
    (one,) = projection(run_file, header, good())
    state = [0] * len(one.concrete.cells)
    state[one.concrete.cell_index["phase"][1,]] = 1
    state[one.concrete.cell_index["slot"][()]] = 4
    said = dict(zip(map(one.abstract.cell_label, range(6)), one.state(tuple(state)), strict=True))
    assert said == {
        "phase[n1]": 0,
        "phase[n2]": 1,
        "mode": 0,
        "stage[IDLE]": 0,
        "stage[BUSY]": 0,
        "closed": 1,
    }


def test_there_is_a_projection_for_each_choice_of_the_parameters(run_file, header):
    text = good(parameters=", n: Node, f: Phase")
    found = projection(run_file, header, text)
    assert [p.label for p in found] == [
        "simple(n1, IDLE)",
        "simple(n1, BUSY)",
        "simple(n2, IDLE)",
        "simple(n2, BUSY)",
    ]


def test_a_guard_over_constants_says_for_which_parameters_there_is_a_projection(run_file, header):
    text = good(parameters=", n: Node, m: Node").replace(
        REST, '\n    guard(s.home[n] == m, "n is at home at m")\n' + REST
    )
    found = projection(run_file, header, text)
    assert [p.label for p in found] == ["simple(n1, n2)", "simple(n2, n1)"]


def test_a_refinement_without_any_projection_is_an_error_of_the_instance(run_file, header):
    text = good(parameters=", n: Node").replace(
        REST, '\n    guard(s.home[n] == n, "n is at home")\n' + REST
    )
    with pytest.raises(InstanceError, match="two: simple is about nothing: never n is at home"):
        projection(run_file, header, text)


def test_a_size_may_be_that_of_a_sort_of_the_concrete_spec(run_file, header):
    (one,) = projection(run_file, header, good(options="sizes={'Stage': Epoch}"))
    assert one.abstract.sizes["Stage"] == 2


def test_a_sort_without_a_size_is_an_error_of_the_instance(run_file, header):
    with pytest.raises(InstanceError, match="two: simple: the sort Stage has no size"):
        projection(run_file, header, good(options=""))


def test_a_size_of_an_unknown_sort_is_an_error_of_the_instance(run_file, header):
    with pytest.raises(InstanceError, match="two: simple: no sort is called 'Rank'; there are"):
        projection(run_file, header, good(options="sizes={'Stage': 1, 'Rank': 1}"))


def test_copying_from_outside_the_bounds_is_refused(run_file, header):
    text = good(options="sizes={'Stage': 1, 'Node': 3}")
    with pytest.raises(StateError, match="home is read outside its bounds"):
        projection(run_file, header, text)


def test_a_projected_value_that_does_not_fit_is_refused_with_its_place(run_file, header):
    text = good().replace(
        "p.stage[every] = Stage.first", "p.stage[every] = following(following(Stage.first))"
    )
    text = text.replace("'Stage': 3", "'Stage': 2")
    (one,) = projection(run_file, header, text)
    state = (0,) * len(one.concrete.cells)
    with pytest.raises(StateError, match=r"stage\[IDLE\] would be 2, outside 0..1; give the sort"):
        one.state(state)


def test_a_state_that_extends_another_does_not_have_its_refinements(run_file, header):
    more = "\nclass Larger(Proto):\n    'More.'\n    extra = flag()\n"
    names = run_file(header + good(more=more))
    assert spec_of(names["Larger"]).refinements == ()
    assert [r.name for r in spec_of(names["Proto"]).refinements] == ["simple"]


def test_two_sorts_of_one_name_are_told_apart(run_file, header):
    """The names that `every` binds are of the abstract sort, quantifiers of the sort they say."""
    text = """
ConcreteNode = Node


class Node(Sort):
    '''Another sort of the same name.'''


class Simple(State):
    '''A simpler protocol.'''
    any_busy = relation(Node)


@initial
def simple_start(p: Simple) -> None:
    'All is idle.'


@action()
def begin(p: Simple, n: Node) -> None:
    'One is busy.'
    p.any_busy[n] = True


@initial
def start(s: Proto) -> None:
    'All is idle.'


@action()
def work(s: Proto, n: ConcreteNode) -> None:
    'It works.'
    s.phase[n] = Phase.BUSY


@refinement(sizes={'Node': 3})
def simple(s: Proto, p: Simple) -> None:
    'One of three for any of two.'
    p.any_busy[every] = exists(ConcreteNode, lambda n: s.phase[n] == Phase.BUSY)
"""
    names = run_file(header + text)
    instance = Instance("two", spec_of(names["Proto"]), SIZES, CONSTANTS)
    (one,) = instance.spec.find_refinement("simple").projections(instance)
    state = [0] * len(instance.cells)
    state[instance.cell_index["phase"][1,]] = 1
    assert one.state(tuple(state)) == (1, 1, 1)


def test_a_sort_of_neither_spec_has_no_size(run_file, header):
    text = good().replace(
        "p.closed = ~s.open", "p.closed = exists(Stray, lambda x: (x == x) & s.open)"
    )
    text = text.replace("@refinement", "class Stray(Sort):\n    'Lost.'\n\n\n@refinement")
    (one,) = projection(run_file, header, text)
    with pytest.raises(InstanceError, match="the sort Stray has no size"):
        one.state((0,) * len(one.concrete.cells))


def test_the_spec_may_call_nothing_by_a_wrong_name(run_file, header):
    spec = spec_of(run_file(header + good())["Proto"])
    with pytest.raises(KeyError):
        spec.find_refinement("simpler")
    with pytest.raises(SpecError):
        run_file(header + good() + good().split(SIMPLER)[1])
