"""What depends on what among sorts: the circle that makes an obligation undecidable is named."""

import pytest
import z3

from samebeat_proofs.fragment import SortGraph, describe
from samebeat_proofs.universe import Z3

CONTEXT = z3.Context()
A, B, C = (z3.DeclareSort(name, CONTEXT) for name in "ABC")
TRUTH = z3.BoolSort(CONTEXT)
a, a2, b, c = z3.Const("a", A), z3.Const("a2", A), z3.Const("b", B), z3.Const("c", C)
c2 = z3.Const("c2", C)
ab = z3.Function("ab", A, B, TRUTH)
ba = z3.Function("ba", B, A, TRUTH)
aa = z3.Function("aa", A, A, TRUTH)
to_b = z3.Function("to_b", A, B)
is_b = z3.Function("is_b", B, TRUTH)


def pairs(formula: Z3) -> set[tuple[str, str]]:
    return {(e.source, e.target) for e in SortGraph().edges({"f": formula})}


EACH_A_HAS_A_B = z3.ForAll([a], z3.Exists([b], ab(a, b)))
EACH_B_HAS_AN_A = z3.ForAll([b], z3.Exists([a], ba(b, a)))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (EACH_A_HAS_A_B, {("A", "B")}),
        (z3.Not(EACH_A_HAS_A_B), set()),
        (z3.Not(z3.Exists([a], z3.ForAll([b], ab(a, b)))), {("A", "B")}),
        (z3.Implies(z3.Exists([a], z3.ForAll([b], ab(a, b))), is_b(b)), {("A", "B")}),
        (z3.Exists([b], z3.ForAll([a], ab(a, b))), set()),
        (z3.ForAll([a], z3.Exists([b], is_b(b))), set()),
        (z3.ForAll([a], is_b(to_b(a))), {("A", "B")}),
        (z3.ForAll([a], z3.Exists([a2], aa(a, a2))), {("A", "A")}),
        (z3.ForAll([a], z3.Exists([b], z3.And(ab(a, b), z3.Exists([c], c == c2)))), {("A", "B")}),
        (z3.ForAll([a], z3.Exists([b], z3.Exists([c], ab(a, b)))), {("A", "B"), ("A", "C")}),
        (z3.Exists([b], ab(a, b)) == z3.ForAll([a], ab(a, b)), set()),
        (z3.ForAll([a], z3.Exists([b], ab(a, b)) == aa(a, a)), {("A", "B")}),
        (z3.ForAll([a], z3.If(z3.ForAll([b], ab(a, b)), aa(a, a), aa(a2, a))), {("A", "B")}),
    ],
)
def test_what_says_for_all_there_is_makes_an_edge(formula, expected):
    """Only what a "there is" really depends on counts, and a negation turns it round."""
    assert pairs(formula) == expected


def test_an_inner_there_is_depends_on_what_the_outer_one_depends_on():
    bc = z3.Function("bc", B, C, TRUTH)
    formula = z3.ForAll([a], z3.Exists([b], z3.And(ab(a, b), z3.Exists([c], bc(b, c)))))
    assert pairs(formula) == {("A", "B"), ("A", "C")}


def test_a_choice_inside_a_term_has_its_condition_looked_at():
    formula = z3.ForAll([a], to_b(z3.If(z3.Exists([b], ab(a, b)), a, a2)) == b)
    assert ("A", "B") in pairs(formula)
    hidden = z3.ForAll([b], z3.Not(b == to_b(z3.If(z3.ForAll([a], ba(b, a)), a, a2))))
    assert ("B", "A") in pairs(hidden)


def test_no_circle_no_complaint():
    assert SortGraph().circle({"one": EACH_A_HAS_A_B, "other": EACH_A_HAS_A_B}) == ()


def test_a_circle_of_two_formulas_names_both():
    circle = SortGraph().circle({"each a": EACH_A_HAS_A_B, "each b": EACH_B_HAS_AN_A})
    assert {e.because for e in circle} == {"each a", "each b"}
    assert [e.target for e in circle] == [e.source for e in (*circle[1:], circle[0])]
    assert "A -> B (each a: for all ... there is)" in describe(circle)


def test_a_circle_of_one_sort_is_found():
    (edge,) = SortGraph().circle({"next": z3.ForAll([a], z3.Exists([a2], aa(a, a2)))})
    assert (edge.source, edge.target) == ("A", "A")


def test_a_function_and_a_there_is_close_a_circle():
    formulas = {"function": z3.ForAll([a], is_b(to_b(a))), "each b": EACH_B_HAS_AN_A}
    circle = SortGraph().circle(formulas)
    assert len(circle) == 2
    assert "A -> B (function: function to_b)" in describe(circle)
