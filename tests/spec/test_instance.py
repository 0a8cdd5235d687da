"""Instances: sizes and constants that fit, and one clear line where they don't."""

from typing import Any

import pytest

from samebeat_spec.language import (
    Enumeration,
    Instance,
    InstanceError,
    Integer,
    Ordered,
    Sort,
    State,
    action,
    element,
    flag,
    function,
    guard,
    initial,
    relation,
    spec_of,
    variable,
)


class City(Sort):
    """A place."""


class Colour(Enumeration):
    RED = element()
    BLUE = element()


class Age(Ordered):
    """When."""


class Height(Integer, low=-1, high=1):
    """How high."""


class Road(Integer):
    """A number."""


class Map(State):
    """Cities and roads."""

    capital = variable(City, constant=True)
    island = flag(constant=True)
    coastal = relation(City, constant=True)
    linked = relation(City, City, constant=True)
    numbered = relation(Road, constant=True)
    height = function(City, to=Height, constant=True)
    after = function(Height, to=Height, constant=True)
    colour = function(City, Age, to=Colour, constant=True)

    at = variable(City)
    used = relation(Road)
    level = variable(Height)
    age = variable(Age)


@initial
def start(s: Map) -> None:
    """In the first city."""


@action()
def move(s: Map, c: City) -> None:
    """Go to `c`."""
    guard(s.linked[s.at, c], "there is a road")

    s.at = c
    s.used[1] = True
    s.used[2] = s.coastal[c]


SPEC = spec_of(Map)
SIZES: dict[str, Any] = {"City": 2, "Age": 2, "Road": 3}
CONSTANTS: dict[str, Any] = {
    "capital": "c1",
    "island": False,
    "coastal": ["c2"],
    "linked": [["c1", "c2"], ["c2", "c1"]],
    "numbered": [0, 2],
    "height": {"c1": 0, "c2": -1},
    "after": {-1: 0, 0: 1, 1: 1},
    "colour": {"c1, 0": "RED", "c1,1": "BLUE", "c2,0": "RED", "c2,1": "RED"},
}


def instance(sizes: dict[str, Any] | None = None, **constants: Any) -> Instance:
    given = {k: v for k, v in {**CONSTANTS, **constants}.items() if v is not ...}
    return Instance("map", SPEC, SIZES if sizes is None else sizes, given)


# --- what fits -----------------------------------------------------------------------------


def test_sizes_make_domains():
    found = instance()
    sorts = {s.__name__: found.domain(s) for s in SPEC.sorts}
    assert sorts == {
        "City": range(2),
        "Colour": range(2),
        "Age": range(2),
        "Height": range(-1, 2),
        "Road": range(3),
    }


def test_an_instance_may_give_both_bounds_of_an_integer():
    after = {-1: 0, 0: 1, 1: 2, 2: 2}
    found = instance({**SIZES, "Road": (1, 2), "Height": [-1, 2]}, numbered=[2], after=after)
    assert found.domain(Road) == range(1, 3)
    assert found.domain(Height) == range(-1, 3)


def test_labels_name_elements_and_elements_have_labels():
    found = instance()
    assert [found.label(City, i) for i in (0, 1)] == ["c1", "c2"]
    assert [found.label(Colour, i) for i in (0, 1)] == ["RED", "BLUE"]
    assert [found.label(Age, i) for i in (0, 1)] == ["0", "1"]
    assert [found.label(Height, i) for i in (-1, 0)] == ["-1", "0"]
    assert [found.label(None, i) for i in (0, 1)] == ["false", "true"]
    for sort in SPEC.sorts:
        for value in found.domain(sort):
            assert found.element(sort, found.label(sort, value)) == value


def test_constants_of_every_shape_become_tables():
    values = instance().constant_values
    assert values["capital"] == {(): 0}
    assert values["island"] == {(): 0}
    assert values["coastal"] == {(0,): 0, (1,): 1}
    assert values["linked"] == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}
    assert values["numbered"] == {(0,): 1, (1,): 0, (2,): 1}
    assert values["height"] == {(0,): 0, (1,): -1}
    assert values["after"] == {(-1,): 0, (0,): 1, (1,): 1}
    assert values["colour"] == {(0, 0): 0, (0, 1): 1, (1, 0): 0, (1, 1): 0}


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("island", "false"),
        ("coastal", {"c1": False, "c2": True}),
        ("coastal", [["c2"]]),
        ("coastal", ("c2", "c2")),
        ("linked", ["c1,c2", "c2, c1"]),
        ("numbered", ["0", [2]]),
        ("height", {"c1": "0", "c2": "-1"}),
        ("after", {"-1": 0, "0": 1, "1": 1}),
        ("colour", {("c1", 0): "RED", ("c1", 1): "BLUE", "c2,0": "RED", "c2,1": "RED"}),
    ],
)
def test_constants_may_be_written_in_several_ways(name, same):
    assert instance(**{name: same}).constant_values == instance().constant_values


def test_cells_are_variables_with_their_arguments_in_order():
    found = instance()
    labels = [found.cell_label(i) for i in range(len(found.cells))]
    assert labels == ["at", "used[0]", "used[1]", "used[2]", "level", "age"]
    assert [c.values for c in found.cells] == [
        range(2),
        *[range(2)] * 3,
        range(-1, 2),
        range(2),
    ]
    assert found.value_label(0, 1) == "c2"
    assert found.value_label(1, 1) == "true"


# --- what doesn't --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ({"City": 2, "Age": 2}, "the sort Road has no size"),
        ({**SIZES, "City": 0}, "the sort City is empty"),
        ({**SIZES, "City": -1}, "the sort City is empty"),
        ({**SIZES, "City": (1, 2)}, r"City needs a size, not \(1, 2\)"),
        ({**SIZES, "City": "2"}, "City needs a size, not '2'"),
        ({**SIZES, "City": True}, "City needs a size, not True"),
        ({**SIZES, "City": 2.0}, "City needs a size, not 2.0"),
        ({**SIZES, "Road": (2, 1)}, "the sort Road is empty"),
        ({**SIZES, "Road": (0, 1, 2)}, r"Road needs a size, not \(0, 1, 2\)"),
        ({**SIZES, "Road": ("0", "3")}, "Road needs a size, not"),
        ({**SIZES, "Town": 2}, "no sort is called 'Town'; there are Age, City, Colour, Height"),
        ({**SIZES, "Colour": 2}, "Colour has the elements that the spec names"),
        ({**SIZES, "Road": 2}, r"used\[2\] lies outside Road, 0..1"),
        ({**SIZES, "Road": (2, 3)}, r"used\[1\] lies outside Road, 2..3"),
    ],
)
def test_a_size_that_does_not_fit_is_named(sizes, problem):
    with pytest.raises(InstanceError, match=f"^map: {problem}"):
        instance(sizes, numbered=[])


@pytest.mark.parametrize(
    ("constants", "problem"),
    [
        ({"capital": ...}, "the constant capital has no value"),
        ({"capital": "c3"}, "'c3' is no element of City"),
        ({"capital": 1}, "1 is no element of City"),
        ({"island": "perhaps"}, "'perhaps' is no element of a truth value"),
        ({"island": 1}, "1 is no element of a truth value"),
        ({"coastal": "c1"}, "the constant coastal needs a table, not 'c1'"),
        ({"coastal": ["c9"]}, "'c9' is no element of City"),
        ({"coastal": {"c1": True}}, "the constant coastal has no value at c2"),
        ({"linked": ["c1"]}, "linked takes 2 labels: "),
        ({"linked": [["c1", "c2", "c1"]]}, "linked takes 2 labels: "),
        ({"height": ["c1"]}, "the constant height needs a table"),
        ({"height": {"c1": 0}}, "the constant height has no value at c2"),
        ({"height": {"c1": 0, "c2": 2}}, "2 is no element of Height"),
        ({"height": {"c1": 0, "c2": 0, "c3": 0}}, "'c3' is no element of City"),
        ({"colour": {"c1": "RED"}}, "colour takes 2 labels: "),
        ({"color": {}}, "no constant is called 'color'; there are after, capital, coastal"),
        ({"at": "c1"}, "no constant is called 'at'"),
    ],
)
def test_a_constant_that_does_not_fit_is_named(constants, problem):
    with pytest.raises(InstanceError, match=f"^map: {problem}"):
        instance(**constants)
