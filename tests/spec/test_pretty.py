"""Expressions read as people write them, with no more parentheses than they need."""

import pytest

from samebeat_spec.language import (
    Enumeration,
    Formula,
    Integer,
    Ordered,
    Sort,
    State,
    action,
    anything,
    count,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    implies,
    initial,
    ite,
    one_of,
    relation,
    spec_of,
    variable,
)
from samebeat_spec.language.pretty import assignment, declaration, lines, text, variable_docs
from samebeat_spec.language.terms import Expr


class Cat(Sort):
    """Sleeps."""


class Mood(Enumeration):
    CALM = element()
    WILD = element()


class Turn(Ordered):
    """Counts."""


class Level(Integer, low=0, high=9):
    """Weighs."""


class House(State):
    """Where they live."""

    awake = flag()
    """somebody
    is awake"""
    likes = relation(Cat, Cat)
    mood = function(Cat, to=Mood)
    """how a cat feels"""
    turn = variable(Turn)
    full = function(Cat, to=Level)


@initial
def start(s: House) -> None:
    """Anything may be."""
    s.mood[every] = anything


@action()
def feed(s: House, c: Cat) -> None:
    """All feel better."""
    s.full[c] = s.full[c] + 1
    s.mood[every] = Mood.CALM
    s.likes[every, c] = lambda d: s.likes[c, d]
    s.awake = True


S, T = House(), House(after=True)
A, B = S.awake, T.awake


def likes(c: Cat, d: Cat) -> Formula:
    return S.likes[c, d]


def all_cats(body: object) -> Formula:
    return forall(Cat, body)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (A & B | A, "awake and awake' or awake"),
        (A & (B | A), "awake and (awake' or awake)"),
        (~(A & B), "not (awake and awake')"),
        (~A & ~B, "not awake and not awake'"),
        (implies(A & B, A | B), "awake and awake' => awake or awake'"),
        (implies(implies(A, B), A), "(awake => awake') => awake"),
        (implies(A, implies(B, A)), "awake => awake' => awake"),
        (A == (B | A), "awake <=> awake' or awake"),
        (implies(A, B) == A, "(awake => awake') <=> awake"),
        (A != B, "not (awake <=> awake')"),
        (S.turn == Turn.first, "turn == Turn.first"),
        (S.turn != T.turn, "turn != turn'"),
        (S.turn < following(T.turn), "turn < following(turn')"),
        (S.turn >= Turn.first, "turn >= Turn.first"),
        (~(S.turn == Turn.first) | A, "turn != Turn.first or awake"),
        (all_cats(lambda c: likes(c, c)), "forall c: Cat. likes[c, c]"),
        (forall(Cat, Cat, likes), "forall c, d: Cat. likes[c, d]"),
        (
            forall(Cat, Mood, lambda c, m: S.mood[c] == m),
            "forall c: Cat, m: Mood. mood[c] == m",
        ),
        (
            all_cats(lambda c: exists(Cat, lambda d: likes(c, d))),
            "forall c: Cat. exists d: Cat. likes[c, d]",
        ),
        (all_cats(lambda c: likes(c, c)) & A, "(forall c: Cat. likes[c, c]) and awake"),
        (
            implies(A, all_cats(lambda c: likes(c, c))),
            "awake => forall c: Cat. likes[c, c]",
        ),
        (
            implies(all_cats(lambda c: likes(c, c)), A),
            "(forall c: Cat. likes[c, c]) => awake",
        ),
        (
            all_cats(lambda c: one_of(S.mood[c], Mood.CALM, Mood.WILD) & A),
            "forall c: Cat. mood[c] in {CALM, WILD} and awake",
        ),
        (
            all_cats(lambda c: ~one_of(S.mood[c], Mood.CALM, Mood.WILD)),
            "forall c: Cat. not mood[c] in {CALM, WILD}",
        ),
        (
            all_cats(lambda c: S.full[c] - (S.full[c] + 1) < 2),
            "forall c: Cat. full[c] - (full[c] + 1) < 2",
        ),
        (
            all_cats(lambda c: ite(A, S.full[c], 2) + 1 == 3),
            "forall c: Cat. (if awake then full[c] else 2) + 1 == 3",
        ),
        (count(Cat, lambda c: likes(c, c)) >= 2, "count(c: Cat. likes[c, c]) >= 2"),
        (Formula.__and__(A, True), "awake and true"),
    ],
)
def test_an_expression_reads_as_it_would_be_written(expr: Expr, expected: str) -> None:
    assert text(expr) == expected


def test_what_fits_stays_on_one_line() -> None:
    assert lines(A & B, 20) == ["awake and awake'"]


def test_what_does_not_fit_is_broken_between_its_parts() -> None:
    mutual = forall(
        Cat,
        Cat,
        lambda c, d: implies(likes(c, d) & (likes(d, c) | A), ~(likes(c, c) & likes(d, d) & A)),
    )
    assert lines(mutual, 36) == [
        "forall c, d: Cat.",
        "      likes[c, d]",
        "  and (likes[d, c] or awake)",
        "  => not (    likes[c, c]",
        "          and likes[d, d]",
        "          and awake)",
    ]


def test_breaking_changes_no_word() -> None:
    mutual = forall(Cat, Cat, lambda c, d: implies(likes(c, d) | A, exists(Cat, lambda e: A & B)))
    for width in range(10, 90, 7):
        assert " ".join(" ".join(lines(mutual, width)).split()) == text(mutual)


def test_assignments_say_what_is_set_and_where() -> None:
    spec = spec_of(House)
    assert [assignment(a) for a in spec.initials[0].assignments] == ["mood[every] := anything"]
    assert [assignment(a) for a in spec.actions[0].assignments] == [
        "full[c] := full[c] + 1",
        "mood[every] := CALM",
        "for every c2: Cat: likes[c2, c] := likes[c, c2]",
        "awake := true",
    ]


def test_variables_are_declared_with_what_the_source_says_below_them() -> None:
    spec = spec_of(House)
    assert [declaration(v) for v in spec.variables] == [
        "awake",
        "likes[Cat, Cat]",
        "mood[Cat]: Mood",
        "turn: Turn",
        "full[Cat]: Level",
    ]
    assert variable_docs(spec) == {"awake": "somebody is awake", "mood": "how a cat feels"}
