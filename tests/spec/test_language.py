"""The language: what a definition records, and the spec object that every reader takes."""

from dataclasses import replace

import pytest

from samebeat_spec.language import (
    Action,
    Enumeration,
    Formula,
    Instance,
    Integer,
    Ordered,
    Sort,
    State,
    action,
    always_reachable,
    anything,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    header,
    implies,
    initial,
    invariant,
    one_of,
    relation,
    spec_of,
    specs_in,
    step_property,
    terminal,
    variable,
    witness,
)
from samebeat_spec.language.interpreter import Interpreter
from samebeat_spec.language.pretty import text
from samebeat_spec.language.spec import Spec
from samebeat_spec.language.terms import Exists, Expr, ForAll, Name, parts_of
from samebeat_spec.specs import SPEC_NAMES, load_spec


class Cat(Sort, symmetric=True):
    """Sleeps."""


class Mood(Enumeration):
    CALM = element("purrs")
    WILD = element("runs")


class Day(Ordered):
    """When."""


class Mice(Integer, low=0, high=3):
    """How many."""


class Weight(Integer):
    """The instance gives its bounds."""


class House(State):
    """Cats and mice."""

    heaviest = variable(Weight, constant=True)
    mood = function(Cat, to=Mood)
    likes = relation(Cat, Cat)
    mice = variable(Mice)
    today = variable(Day)
    quiet = flag()


@initial
def morning(s: House, c: Cat) -> None:
    """One cat is wild; cats like each other at random."""
    s.mood[c] = Mood.WILD
    s.likes[every, every] = anything


@action(claims=("1(a)",))
def catch(s: House, c: Cat) -> None:
    """`c` catches a mouse."""
    guard(s.mood[c] == Mood.WILD, "c is wild")
    guard(s.mice > 0, "there is a mouse")

    s.mice = s.mice - 1
    s.likes[c, every] = lambda d: c == d
    s.today = following(s.today)


@invariant(claims=("1(b)",), internal=True)
def somebody_is_calm(s: House) -> Formula:
    """It is never all too wild."""
    return exists(Cat, lambda c: s.mood[c] == Mood.CALM)


@step_property()
def mice_get_fewer(s: House, t: House) -> Formula:
    """No mouse comes in."""
    return t.mice <= s.mice


@always_reachable()
def no_mice(s: House) -> Formula:
    """They can be caught."""
    return s.mice == 0


@witness()
def a_friendship(s: House) -> Formula:
    """Two like each other."""
    return exists(Cat, Cat, lambda c, d: s.likes[c, d] & s.likes[d, c])


@terminal
def evening(s: House) -> Formula:
    """All is quiet."""
    return s.quiet


HOUSE = spec_of(House)


def formulas_of(spec: Spec) -> list[Formula]:
    return [p.formula for p in spec.properties] + [
        g.condition for a in spec.actions for g in a.guards
    ]


# --- what is recorded ----------------------------------------------------------------------


def test_a_spec_has_its_parts_in_order():
    assert HOUSE.name == "house"
    assert HOUSE.doc == "Cats and mice."
    assert [v.name for v in HOUSE.variables] == ["mood", "likes", "mice", "today", "quiet"]
    assert [v.name for v in HOUSE.constants] == ["heaviest"]
    assert [a.name for a in HOUSE.actions] == ["catch"]
    assert [a.name for a in HOUSE.initials] == ["morning"]
    kinds = [(p.name, p.kind, p.internal) for p in HOUSE.properties]
    assert kinds == [
        ("somebody_is_calm", "invariant", True),
        ("mice_get_fewer", "step", False),
        ("no_mice", "always_reachable", False),
        ("a_friendship", "witness", False),
        ("evening", "terminal", False),
    ]
    assert HOUSE.find_action("catch").claims == ("1(a)",)
    assert HOUSE.find_property("somebody_is_calm").claims == ("1(b)",)


def test_an_action_records_parameters_guards_and_effects():
    action = HOUSE.find_action("catch")
    assert [(p.label, p.sort) for p in action.parameters] == [("c", Cat)]
    assert [(text(g.condition), g.why) for g in action.guards] == [
        ("mood[c] == WILD", "c is wild"),
        ("0 < mice", "there is a mouse"),
    ]
    assert [a.variable.name for a in action.assignments] == ["mice", "likes", "today"]
    likes = action.assignments[1]
    assert [n.label for n in likes.bound] == ["c2"]
    assert likes.value is not None
    assert text(likes.value) == "c == c2"


def test_places_are_lines_of_the_users_file():
    action = HOUSE.find_action("catch")
    lines = [int(x.place.removeprefix("test_language.py:")) for x in action.guards]
    assert lines == [lines[0], lines[0] + 1]
    assert action.assignments[0].place == f"test_language.py:{lines[1] + 2}"


def test_sorts_are_all_that_variables_parameters_and_quantifiers_mention():
    assert [s.__name__ for s in HOUSE.sorts] == ["Cat", "Mood", "Mice", "Day", "Weight"]


def test_a_sort_that_only_a_quantifier_mentions_has_a_size_in_the_instance():
    class Dog(Sort):
        """Barks."""

    class Yard(State):
        """Dogs, and nothing about them."""

        loud = flag()

    @initial
    def start(s: Yard) -> None:
        """Quiet."""

    @action()
    def bark(s: Yard) -> None:
        """If there is a dog."""
        guard(exists(Dog, Dog, lambda d, e: d != e), "two dogs")

        s.loud = True

    spec = spec_of(Yard)
    assert [s.__name__ for s in spec.sorts] == ["Dog"]
    counts = []
    for dogs in (1, 2):
        judge = Interpreter(Instance("yard", spec, {"Dog": dogs}))
        counts.append(len(list(judge.successors((0,)))))
    assert counts == [0, 1]


def test_specs_in_a_module_are_those_it_defines():
    module = __import__("sys").modules[__name__]
    assert [s.name for s in specs_in(module)] == ["house"]
    assert header(HOUSE) == module.__doc__


def test_every_shipped_spec_loads_and_tells_what_it_leaves_out():
    for name in SPEC_NAMES:
        spec = load_spec(name)
        assert spec.name == name
        assert "Not modelled here" in header(spec)


# --- expressions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (lambda s: 1 + s.mice == 2, "1 + mice == 2"),
        (lambda s: 3 - s.mice == 2, "3 - mice == 2"),
        (lambda s: s.mice > 1, "1 < mice"),
        (lambda s: s.mice >= 1, "mice >= 1"),
        (lambda s: True & s.quiet, "quiet and true"),
        (lambda s: s.quiet != True, "not (quiet <=> true)"),  # noqa: E712
        (lambda s: s.today < following(s.today), "today < following(today)"),
        (lambda s: one_of(s.today, Day.first), "today == Day.first"),
    ],
)
def test_numbers_and_truth_values_stand_on_either_side(expression, written):
    formula = expression(House())
    assert isinstance(formula, Formula)
    assert text(formula) == written


def test_nested_quantifiers_of_one_name_get_names_of_their_own():
    s = House()

    def likes_somebody(c: Cat) -> Formula:
        return exists(Cat, lambda c2: exists(Cat, lambda c2: s.likes[c, c2]))

    formula = forall(Cat, lambda c: likes_somebody(c) & exists(Cat, lambda c: s.likes[c, c]))
    assert_no_name_hides_another(formula, frozenset())
    judge = Interpreter(Instance("cats", HOUSE, {"Cat": 2, "Day": 2, "Weight": 1}, {"heaviest": 0}))
    index = judge.instance.cell_index["likes"]
    state = [0] * len(judge.instance.cells)
    state[index[0, 1]] = state[index[1, 1]] = 1
    assert judge.evaluate(formula, {}, tuple(state)) == 1
    state[index[0, 1]] = 0
    assert judge.evaluate(formula, {}, tuple(state)) == 0


def assert_no_name_hides_another(expr: Expr, outer: frozenset[str]) -> None:
    if isinstance(expr, (ForAll, Exists)):
        assert expr.name.label not in outer
        outer |= {expr.name.label}
    elif isinstance(expr, Name):
        assert expr.label in outer
    for part in parts_of(expr):
        assert_no_name_hides_another(part, outer)


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_no_name_of_a_shipped_spec_hides_another(name):
    spec = load_spec(name)
    for prop in spec.properties:
        assert_no_name_hides_another(prop.formula, frozenset())
    for act in spec.actions:
        labels = frozenset(p.label for p in act.parameters)
        for g in act.guards:
            assert_no_name_hides_another(g.condition, labels)


def test_names_beside_each_other_may_be_the_same():
    s = House()
    left = exists(Cat, lambda c: s.likes[c, c])
    right = exists(Cat, lambda c: s.likes[c, c])
    assert left.key() == right.key()


# --- the spec object -----------------------------------------------------------------------


def test_without_takes_out_one_guard_and_nothing_else():
    weaker = HOUSE.without("catch", "there is a mouse")
    assert [g.why for g in weaker.find_action("catch").guards] == ["c is wild"]
    assert [g.why for g in HOUSE.find_action("catch").guards] == ["c is wild", "there is a mouse"]
    assert weaker.find_action("catch").assignments == HOUSE.find_action("catch").assignments
    assert weaker.properties == HOUSE.properties
    assert weaker.fingerprint != HOUSE.fingerprint


@pytest.mark.parametrize(("name", "why"), [("catch", "no such guard"), ("fetch", "c is wild")])
def test_what_is_not_there_cannot_be_taken_out(name, why):
    with pytest.raises(KeyError):
        HOUSE.without(name, why)


def test_a_spec_with_end_properties_only_has_no_internal_ones():
    kept = [p.name for p in HOUSE.with_end_properties_only().properties]
    assert kept == ["mice_get_fewer", "no_mice", "a_friendship", "evening"]


def test_guards_are_listed_with_their_actions():
    assert [(a.name, why) for a, why in HOUSE.guards()] == [
        ("catch", "c is wild"),
        ("catch", "there is a mouse"),
    ]


def test_what_is_not_there_is_not_found():
    with pytest.raises(KeyError, match="nothing"):
        HOUSE.find_action("nothing")
    with pytest.raises(KeyError, match="nothing"):
        HOUSE.find_property("nothing")


# --- fingerprints --------------------------------------------------------------------------

PROTOCOL = '''
"""A header."""
from samebeat_spec.language import *

class Cat(Sort, symmetric=True):
    """Sleeps."""

class Mice(Integer, low=0, high=3):
    """How many."""

class House(State):
    """Cats and mice."""
    mice = variable(Mice)
    asleep = relation(Cat)

@initial
def morning(s: House) -> None:
    """All are awake."""

@action()
def catch(s: House, c: Cat) -> None:
    """`c` catches a mouse."""
    guard(~s.asleep[c], "c is awake")
    s.mice = s.mice - 1

@invariant()
def some_left(s: House) -> Formula:
    """There is a mouse."""
    return s.mice > 0
'''


def fingerprint_of(source: str, run_file) -> str:
    fingerprint = spec_of(run_file(source)["House"]).fingerprint
    assert len(fingerprint) == 16
    assert int(fingerprint, 16) >= 0
    return str(fingerprint)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A header.", "Another header."),
        ("Cats and mice.", "Mice and cats."),
        ("catches a mouse", "gets one"),
        ("s.mice - 1", "s.mice  -  1  # one less"),
        ("\n\n", "\n\n\n"),
        ("s.mice > 0", "0 < s.mice"),
    ],
)
def test_a_fingerprint_stays_where_the_meaning_does(old, new, run_file):
    assert old in PROTOCOL
    before = fingerprint_of(PROTOCOL, run_file)
    assert fingerprint_of(PROTOCOL.replace(old, new), run_file) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("high=3", "high=4"),
        ("s.mice - 1", "s.mice - 2"),
        ("s.mice - 1", "s.mice + 1"),
        ("~s.asleep", "s.asleep"),
        ("c is awake", "c does not sleep"),
        ("s.mice > 0", "s.mice > 1"),
        ("s.mice > 0", "s.mice < 0"),
        ("@invariant()", "@invariant(internal=True)"),
        ("@invariant()", "@witness()"),
        ("def catch", "def take"),
        ("def some_left", "def left"),
        ("relation(Cat)", "relation(Cat, constant=True)"),
        ("asleep", "sleepy"),
        ('"""All are awake."""', '"""All are awake."""\n    s.mice = 3'),
        ('"""All are awake."""', '"""All are awake."""\n    s.mice = anything'),
    ],
)
def test_a_fingerprint_changes_with_the_meaning(old, new, run_file):
    assert old in PROTOCOL
    changed = fingerprint_of(PROTOCOL.replace(old, new), run_file)
    assert changed != fingerprint_of(PROTOCOL, run_file)


def test_the_order_of_guards_counts_since_refusals_come_in_order():
    first = HOUSE.actions[0]
    assert isinstance(first, Action)
    turned = replace(first, guards=first.guards[::-1])
    assert replace(HOUSE, actions=(turned,)).fingerprint != HOUSE.fingerprint


def test_implications_and_comparisons_are_not_mixed_up():
    s = House()
    keys = {
        f.key()
        for f in (
            implies(s.quiet, s.mice == 1),
            implies(s.mice == 1, s.quiet),
            s.quiet == (s.mice == 1),
            s.quiet | (s.mice == 1),
            s.quiet & (s.mice == 1),
            s.mice < 1,
            s.mice > 1,
            s.mice <= 1,
        )
    }
    assert len(keys) == 8
