"""Every error of a definition, a sort or a spec says where, what is wrong, and what to write."""

import pytest

from samebeat_spec.language import SpecError, spec_of

DEFINITIONS = {
    "property that sets": (
        '@invariant()\ndef bad(s: Proto) -> Formula:\n    "Bad."\n    s.open = True  #!',
        "proto.bad",
        "a property sets nothing; compare with == instead of =",
    ),
    "step property that sets": (
        (
            '@step_property()\ndef bad(s: Proto, t: Proto) -> Formula:\n    "Bad."\n'
            "    t.open = True  #!"
        ),
        "proto.bad",
        "sets none",
    ),
    "property with parameters": (
        '@invariant()  #!\ndef bad(s: Proto, n: Node) -> Formula:\n    "Bad."\n    return s.open',
        "proto.bad",
        "a property has no parameters, n given; quantify: forall(Node, lambda n: ...)",
    ),
    "step property of one state": (
        '@step_property()  #!\ndef bad(s: Proto) -> Formula:\n    "Bad."\n    return s.open',
        "proto.bad",
        "it takes the state before and the state after; write def name(s: MyState, t: MyState)",
    ),
    "action of two states": (
        '@action()  #!\ndef bad(s: Proto, t: Proto) -> None:\n    "Bad."',
        "proto.bad",
        "parameter t: Proto is not a sort",
    ),
    "missing docstring": (
        "@action()  #!\ndef bad(s: Proto) -> None:\n    s.open = True",
        "proto.bad",
        "it has no docstring; say in one sentence what it is",
    ),
    "missing annotation": (
        '@action()  #!\ndef bad(s: Proto, n) -> None:\n    "Bad."',
        "proto.bad",
        "it has a parameter without a type: n; write def name(s: MyState, n: Node) -> None",
    ),
    "missing annotation of the state": (
        '@action()  #!\ndef bad(s) -> None:\n    "Bad."',
        "bad",
        "it has a parameter without a type: s",
    ),
    "no state": (
        '@action()  #!\ndef bad(n: Node) -> None:\n    "Bad."',
        "bad",
        "the first parameter must be the state; write s: MyState",
    ),
    "no parameter": ('@action()  #!\ndef bad() -> None:\n    "Bad."', "bad", "the state"),
    "int as a parameter": (
        '@action()  #!\ndef bad(s: Proto, i: int) -> None:\n    "Bad."',
        "proto.bad",
        "parameter i: int is an unbounded integer; declare class Level(Integer, low=0, high=3)",
    ),
    "bool as a parameter": (
        '@action()  #!\ndef bad(s: Proto, b: bool) -> None:\n    "Bad."',
        "proto.bad",
        "parameter b: bool is not a sort; use relation(...) or flag()",
    ),
    "Integer itself as a parameter": (
        '@action()  #!\ndef bad(s: Proto, i: Integer) -> None:\n    "Bad."',
        "proto.bad",
        "parameter i: Integer is not a sort; declare a class that extends",
    ),
    "unknown sort": (
        '@action()  #!\ndef bad(s: Proto, n: Nod) -> None:\n    "Bad."',
        "bad",
        "name 'Nod' is not defined; declare the sort before the action",
    ),
    "action that returns": (
        '@action()  #!\ndef bad(s: Proto) -> None:\n    "Bad."\n    return s.open',
        "proto.bad",
        "an action returns nothing; use guard(...) and assignments",
    ),
    "name defined twice": (
        (
            '@action()\ndef bad(s: Proto) -> None:\n    "Bad."\n'
            '@invariant()  #!\ndef bad(s: Proto) -> Formula:\n    "Bad."\n    return s.open'
        ),
        "proto",
        "bad is defined twice; give each action and property a name of its own",
    ),
    "name that reports use": (
        '@invariant()  #!\ndef deadlock_free(s: Proto) -> Formula:\n    "Bad."\n    return s.open',
        "proto",
        "nothing can be called deadlock_free; reports use that name; choose another",
    ),
    "int as a value": (
        'class Bad(State):\n    "Bad."\n    x = variable(int)  #!',
        "",
        "a state variable: int is an unbounded integer; declare class Level(Integer, ",
    ),
    "bool as a value": (
        'class Bad(State):\n    "Bad."\n    x = function(Node, to=bool)  #!',
        "",
        "a state variable: bool is not a sort; use relation(...) or flag()",
    ),
    "one bound only": (
        'class Bad(Integer, low=0):  #!\n    "Bad."',
        "",
        "Bad is an unbounded integer: it has only one bound; give both low= and high=, or none",
    ),
    "bounds the wrong way round": (
        'class Bad(Integer, low=2, high=1):  #!\n    "Bad."',
        "",
        "Bad: low 2 is above high 1",
    ),
    "symmetric order": (
        'class Bad(Ordered, symmetric=True):  #!\n    "Bad."',
        "",
        "Bad cannot be symmetric: its elements have an order; drop symmetric=True",
    ),
    "symmetric numbers": (
        'class Bad(Integer, symmetric=True):  #!\n    "Bad."',
        "",
        "Bad cannot be symmetric: its elements are numbers; drop symmetric=True",
    ),
    "symmetric enumeration": (
        "class Bad(Enumeration, symmetric=True):  #!\n    A = element()",
        "",
        "Bad cannot be symmetric: its elements have names; drop symmetric=True",
    ),
    "enumeration without elements": (
        'class Bad(Enumeration):  #!\n    "Bad."',
        "",
        "the enumeration Bad has no elements; write NAME = element(",
    ),
    "element made by calling": (
        "Node()  #!",
        "",
        "Node is a sort, its elements are not made by calling it; take one as a parameter",
    ),
    "variable with a name of the language": (
        'class Bad(State):  #!\n    "Bad."\n    read = relation(Node)',
        "bad",
        "no state variable can be called 'read'; the language uses that name; choose another",
    ),
    "action without parentheses": (
        '@action  #!\ndef bad(s: Proto) -> None:\n    "Bad."',
        "",
        "@action needs parentheses; write @action()",
    ),
    "invariant without parentheses": (
        '@invariant  #!\ndef bad(s: Proto) -> Formula:\n    "Bad."\n    return s.open',
        "",
        "@invariant needs parentheses; write @invariant()",
    ),
}


@pytest.mark.parametrize(("text", "within", "problem"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_an_error_in_a_definition_names_it_the_line_and_what_to_write(
    text, within, problem, error_of
):
    said = error_of(text)
    assert problem in said
    assert said.startswith(f"{within}: protocol.py:" if within else "protocol.py:")


START = '@initial\ndef start(s: Proto) -> None:\n    "Start."\n'
ACT = '@action()\ndef act(s: Proto) -> None:\n    "Act."\n    s.open = True\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ACT, "proto: protocol: it has no initial state; add @initial"),
        (START, "proto: protocol: it has no actions"),
        (
            "class Proto(State):\n    'Empty.'\n",
            "proto: protocol: it has no state variables",
        ),
    ],
    ids=["no initial state", "no action", "no variable"],
)
def test_a_spec_that_lacks_a_part_says_which(text, problem, run_file, header):
    state = run_file(header + text)["Proto"]
    with pytest.raises(SpecError, match=problem):
        spec_of(state)


ASSIGNED_TWICE = ACT + "    s.open = False\n"


def test_an_error_keeps_its_parts_for_other_reports(run_file, header):
    with pytest.raises(SpecError) as caught:
        run_file(header + ASSIGNED_TWICE)
    assert caught.value.problem == "open is assigned twice at the same place"
    assert caught.value.advice.startswith("updates are simultaneous")


def test_an_error_in_one_definition_leaves_nothing_behind_for_the_next(run_file, header):
    with pytest.raises(SpecError):
        run_file(header + ASSIGNED_TWICE)
    assert len(run_file(header + START + ACT)["Proto"].definitions) == 2
