"""Every error in the body of a definition says where, what is wrong, and what to write instead.

Each case is a piece of a user's file; the error must name the line that is marked ``#!``.
"""

from textwrap import dedent, indent

import pytest


def in_action(body: str) -> str:
    """Return a file with an action ``act`` of this body."""
    head = '@action()\ndef act(s: Proto, n: Node, m: Node) -> None:\n    """Does something."""\n'
    return head + indent(dedent(body).strip(), "    ")


def in_property(body: str) -> str:
    """Return a file with an invariant ``safe`` that returns this."""
    head = '@invariant()\ndef safe(s: Proto) -> Formula:\n    """Promises something."""\n'
    return f"{head}    return {body}  #!"


NO_TRUTH = "a symbolic value has no truth of its own"
NO_TRUTH_ADVICE = "write guard(...), &, |, ~, implies(a, b), one_of(x, a, b) or ite(c, a, b)"
ORDER = "Node has no order, so `<` means nothing on it"
ORDER_ADVICE = "declare it as Ordered, or let a parameter choose any element"
OUTSIDE = "taken[...] may be read outside its bounds"
OUTSIDE_ADVICE = "index with i"

IN_ACTIONS = {
    "if": ("if s.open:  #!\n    s.level = 1", NO_TRUTH, NO_TRUTH_ADVICE),
    "if on a comparison": ("if s.level == 1:  #!\n    pass", NO_TRUTH, NO_TRUTH_ADVICE),
    "and": ('guard(s.open and s.sees[n, m], "why")  #!', NO_TRUTH, NO_TRUTH_ADVICE),
    "or": ('guard(s.open or s.sees[n, m], "why")  #!', NO_TRUTH, NO_TRUTH_ADVICE),
    "not": ('guard(not s.open, "why")  #!', NO_TRUTH, NO_TRUTH_ADVICE),
    "in": ('guard(s.phase[n] in (Phase.IDLE, Phase.BUSY), "why")  #!', NO_TRUTH, NO_TRUTH_ADVICE),
    "chained comparison": ('guard(0 < s.level < 2, "why")  #!', NO_TRUTH, NO_TRUTH_ADVICE),
    "conditional expression": ("s.level = 1 if s.open else 2  #!", NO_TRUTH, NO_TRUTH_ADVICE),
    "while": ("while s.open:  #!\n    pass", NO_TRUTH, NO_TRUTH_ADVICE),
    ">>": ('guard(s.open >> s.sees[n, m], "why")  #!', "`>>` binds tighter", "implies(a, b)"),
    "wrong arity": (
        "s.phase[n, m] = Phase.IDLE  #!",
        "phase takes 1 argument(s), 2 given",
        "write phase[Node]",
    ),
    "too few arguments": (
        'guard(s.sees[n], "why")  #!',
        "sees takes 2 argument(s), 1 given",
        "write sees[Node, Node]",
    ),
    "index of another sort": (
        "s.phase[Phase.IDLE] = Phase.IDLE  #!",
        "phase[...] needs an element of Node, not one of Phase",
        "elements of one sort",
    ),
    "value of another sort": (
        "s.phase[n] = s.epoch[n]  #!",
        "the value of phase needs an element of Phase, not one of Epoch",
        "elements of one sort",
    ),
    "Python value": (
        's.phase[n] = "IDLE"  #!',
        "the value of phase needs an element of Phase, not the Python str 'IDLE'",
        "a function value of Phase",
    ),
    "comparison of two sorts": (
        'guard(n == s.phase[m], "why")  #!',
        "== needs an element of Node, not one of Phase",
        "elements of one sort",
    ),
    "term for a truth value": (
        "s.open = s.level  #!",
        "the value of open needs something true or false, not an element of Level",
        "compare it",
    ),
    "truth value for a term": (
        "s.level = s.open  #!",
        "the value of level needs an element of Level, not a formula",
        "a function value of Level",
    ),
    "assigned twice": (
        "s.phase[n] = Phase.IDLE\ns.phase[n] = Phase.BUSY  #!",
        "phase is assigned twice at the same place",
        "ite(c, a, b)",
    ),
    "single value assigned twice": (
        "s.level = 1\ns.level = 2  #!",
        "level is assigned twice at the same place",
        "ite(c, a, b)",
    ),
    "one place after all": (
        "s.phase[every] = Phase.IDLE\ns.phase[n] = Phase.BUSY  #!",
        "phase is assigned twice at the same place",
        "ite(c, a, b)",
    ),
    "all after one place": (
        "s.sees[n, m] = True\ns.sees[n, every] = False  #!",
        "sees is assigned twice at the same place",
        "ite(c, a, b)",
    ),
    "crossing columns": (
        "s.sees[every, n] = True\ns.sees[m, every] = False  #!",
        "sees is assigned twice at the same place",
        "ite(c, a, b)",
    ),
    "read after assignment": (
        "s.level = 1\ns.taken[s.level] = True  #!",
        "level is read after it was assigned",
        "read it into a Python variable first",
    ),
    "read after all were assigned": (
        "s.phase[every] = Phase.IDLE\ns.open = s.phase[n] == Phase.BUSY  #!",
        "phase is read after it was assigned",
        "read it into a Python variable first",
    ),
    "augmented assignment of a place that was assigned": (
        "s.level = 1\ns.level += 1  #!",
        "level is read after it was assigned",
        "read it into a Python variable first",
    ),
    "guard after assignment": (
        's.open = True\nguard(s.sees[n, m], "why")  #!',
        "a guard comes after an assignment",
        "put all guards first",
    ),
    "guard with an empty reason": ('guard(s.open, " ")  #!', "a guard needs a reason", '"why")'),
    "guard without a reason": ("guard(s.open)  #!", "a guard needs a reason", '"why")'),
    "two guards with one reason": (
        'guard(s.open, "why")\nguard(s.sees[n, m], "why")  #!',
        "two guards have the reason 'why'",
        "name them apart",
    ),
    "guard that is no formula": (
        'guard(s.level, "why")  #!',
        "guard needs something true or false, not an element of Level",
        "compare it",
    ),
    "guard on a whole relation": (
        'guard(s.sees, "why")  #!',
        "guard needs something true or false, not the Python RelationPlaces",
        "read a relation",
    ),
    "order of an unordered sort": ('guard(n < m, "why")  #!', ORDER, ORDER_ADVICE),
    "following of an unordered sort": (
        "s.phase[n] = following(s.phase[n])  #!",
        "following(...) needs an element of an Ordered sort, not an element of Phase",
        "write x + 1 for integers",
    ),
    "following of a truth value": (
        "s.epoch[n] = following(s.open)  #!",
        "following(...) needs an element of a sort, not a formula",
        "",
    ),
    "one_of of a truth value": (
        'guard(one_of(s.open, True), "why")  #!',
        "one_of needs an element of a sort, not a formula",
        "",
    ),
    "one_of of nothing": ('guard(one_of(s.phase[n]), "why")  #!', "at least one choice", ""),
    "sum of an ordered sort": (
        "s.epoch[n] = s.epoch[n] + 1  #!",
        "`+` needs bounded integers, Epoch is none",
        "following(x) on an Ordered sort",
    ),
    "product": ("s.level = s.level * 2  #!", "`*` is not in the language", "write x + x"),
    "comparisons without parentheses": (
        'guard(s.phase[n] == Phase.IDLE & s.phase[m] == Phase.IDLE, "why")  #!',
        "`&`, `|` and `~` need truth values, not an element of Phase",
        "(x == a) & (y == b)",
    ),
    "negation of a term": (
        'guard(~s.phase[n] == Phase.IDLE, "why")  #!',
        "`&`, `|` and `~` need truth values, not an element of Phase",
        "(x == a) & (y == b)",
    ),
    "index that may not fit": ('guard(s.taken[s.level + 1], "why")  #!', OUTSIDE, OUTSIDE_ADVICE),
    "index that may not fit in a branch": (
        'guard(s.taken[ite(s.open, s.level, s.level + 1)], "why")  #!',
        OUTSIDE,
        OUTSIDE_ADVICE,
    ),
    "number as an index outside the bounds": (
        "s.taken[4] = True  #!",
        OUTSIDE,
        OUTSIDE_ADVICE,
    ),
    "index of another integer sort": ("s.taken[s.slot] = True  #!", OUTSIDE, OUTSIDE_ADVICE),
    "following element as an index": (
        "s.sees[n, m] = s.epoch[following(n)] == s.epoch[n]  #!",
        "following(...) needs an element of an Ordered sort",
        "",
    ),
    "anything in an action": (
        "s.level = anything  #!",
        "`anything` is only for initial states",
        "add a parameter to the action",
    ),
    "setting a constant": (
        "s.home[n] = m  #!",
        "home is a constant: an instance fixes it and no step changes it",
        "",
    ),
    "setting a relation as a whole": (
        "s.sees = True  #!",
        "s.sees cannot be set as a whole",
        "s.sees[every] = ...",
    ),
    "unknown variable": ("s.phases[n] = Phase.IDLE  #!", "has no state variable", "it has home"),
    "setting an unknown variable": (
        "s.levels = 1  #!",
        "s.levels cannot be set as a whole",
        "",
    ),
    "reading every place": (
        'guard(s.sees[n, every], "why")  #!',
        "sees[every] cannot be read",
        "use forall(...) or exists(...)",
    ),
    "quantifier without a sort": (
        'guard(forall(lambda n: s.open), "why")  #!',
        "forall needs sorts and a lambda",
        "forall(Node, lambda n: ...)",
    ),
    "quantifier over int": (
        'guard(exists(int, lambda n: s.open), "why")  #!',
        "exists: int is an unbounded integer",
        "declare class Level(Integer, low=0, high=3)",
    ),
    "quantifier with a wrong lambda": (
        'guard(forall(Node, Node, lambda n: s.open), "why")  #!',
        "forall has 2 sort(s) and a lambda of 1 name(s)",
        "",
    ),
    "quantifier over a term": (
        'guard(exists(Node, lambda m: s.phase[m]), "why")  #!',
        "exists needs something true or false, not an element of Phase",
        "compare it",
    ),
    "ite of truth values": (
        "s.open = ite(s.open, True, False)  #!",
        "ite chooses between terms",
        "write (c & a) | (~c & b)",
    ),
    "comparison of whole relations": (
        'guard(s.sees == s.sees, "why")  #!',
        "sees cannot be compared or combined as a whole",
        "write sees[Node, Node]",
    ),
    "if on a whole relation": (
        "if s.sees:  #!\n    s.open = True",
        "sees cannot be compared or combined as a whole",
        "write sees[Node, Node]",
    ),
    "parentheses for brackets": (
        "s.open = s.sees(n, m)  #!",
        "sees cannot be compared or combined as a whole",
        "write sees[Node, Node]",
    ),
}


@pytest.mark.parametrize(("body", "problem", "advice"), IN_ACTIONS.values(), ids=IN_ACTIONS)
def test_an_error_in_an_action_names_it_the_line_and_what_to_write(body, problem, advice, error_of):
    said = error_of(in_action(body))
    assert said.startswith("proto.act: protocol.py:")
    assert problem in said
    assert advice in said


IN_PROPERTIES = {
    "and": ("s.open and s.open", NO_TRUTH, NO_TRUTH_ADVICE),
    "a guard": ('guard(s.open, "why")', "guard(...) belongs into an action", ""),
    "wrong sort in a quantifier": (
        "forall(Node, lambda n: s.taken[n])",
        "taken[...] needs an element of Level, not one of Node",
        "elements of one sort",
    ),
    "order": ("forall(Node, Node, lambda n, m: n < m)", ORDER, ORDER_ADVICE),
}


@pytest.mark.parametrize("body", ["None", "s.level", "s.sees", "'true'"])
def test_a_property_that_is_no_formula_says_what_it_is(body, error_of):
    said = error_of(in_property(body).replace("#!", ""))
    assert said.startswith("proto.safe: protocol.py:")
    assert "a property needs something true or false, not " in said
    assert "compare it: x == y, x < y, or read a relation" in said


@pytest.mark.parametrize(("body", "problem", "advice"), IN_PROPERTIES.values(), ids=IN_PROPERTIES)
def test_an_error_in_a_property_names_it_the_line_and_what_to_write(
    body, problem, advice, error_of
):
    said = error_of(in_property(body))
    assert said.startswith("proto.safe: protocol.py:")
    assert problem in said
    assert advice in said
