"""Why changes of limits keep their promises: what turns, messages and levels have in common.

On the way from one change to another the nodes hold the old level of a limit or the new one. Which
of them, the turns and the answers say. What orders of turns are like is in ``limits_orders``.
"""

from __future__ import annotations

from samebeat_proofs.facts import strengthening
from samebeat_spec.language import Formula, Term, exists, forall, implies, one_of
from samebeat_spec.limits import (
    FIRST,
    SECOND,
    Answer,
    Change,
    Course,
    Kind,
    Level,
    Limits,
    Move,
    Parameter,
    Turn,
    is_answered,
    suits,
)

# --- the course, and messages about it ---------------------------------------------------------


def is_ahead(s: Limits) -> Formula:
    """The first walks the turns of a change."""
    return s.course == Course.AHEAD


def stage(s: Limits, t: Turn, m: Term, p: Parameter) -> Formula:
    """On the present way a limit is concerned in a turn."""
    return s.stage[s.kept, s.asked, t, m, p]


def old(s: Limits, p: Parameter) -> Level:
    """Return the level from before the present change."""
    return s.wanted[s.kept, p]


def new(s: Limits, p: Parameter) -> Level:
    """Return the level that the present change asks for."""
    return s.wanted[s.asked, p]


@strengthening("orders of turns are known from a change to a later one only")
def leads_to_a_later_change(s: Limits) -> Formula:
    """The change that is on its way is later than the last one that was made."""
    return (s.kept <= s.asked) & implies(is_ahead(s), s.kept < s.asked)


@strengthening(
    "an old order must not make the second switch once the first has gone on",
    uses=("orders_are_about_the_second",),
)
def open_order_is_the_present_one(s: Limits) -> Formula:
    """An order that is not answered is about the present way and turn."""
    return forall(
        Change,
        Change,
        Turn,
        lambda d, c, t: implies(
            s.order[d, c, t] & ~is_answered(s, c, t),
            is_ahead(s) & (d == s.kept) & (c == s.asked) & (t == s.turn),
        ),
    )


@strengthening("a turn of the first, or a drain, must not be passed because of an answer")
def orders_are_about_the_second(s: Limits) -> Formula:
    """An order is about a turn in which the second node switches something."""
    return forall(
        Change,
        Change,
        Turn,
        lambda d, c, t: implies(
            s.order[d, c, t], exists(Parameter, lambda p: s.stage[d, c, t, Move.SECOND, p])
        ),
    )


@strengthening("what is heard about the present change must answer an order of the present way")
def answered_was_ordered(s: Limits) -> Formula:
    """What is answered about the change on its way, was ordered on this way."""
    return forall(
        Turn,
        lambda t: implies(is_ahead(s) & is_answered(s, s.asked, t), s.order[s.kept, s.asked, t]),
    )


@strengthening("a change that is opened must have no answers yet")
def answers_are_of_the_past(s: Limits) -> Formula:
    """No change is answered before it is asked for."""
    return forall(Change, Turn, lambda c, t: implies(is_answered(s, c, t), c <= s.asked))


@strengthening("a refusal must not be about a turn that the first has passed")
def one_answer(s: Limits) -> Formula:
    """A turn is not both switched and refused."""
    return forall(
        Change,
        Turn,
        lambda c, t: ~(s.answer[c, t, Answer.SWITCHED] & s.answer[c, t, Answer.REFUSED]),
    )


@strengthening("a refusal must not be about a turn to come")
def orders_are_of_turns_reached(s: Limits) -> Formula:
    """On the present way nothing is ordered beyond the present turn."""
    return forall(Turn, lambda t: implies(is_ahead(s) & s.order[s.kept, s.asked, t], t <= s.turn))


@strengthening(
    "behind its own turn, the first relies on what the second holds",
    uses=("orders_are_about_the_second",),
    only=("open_order_is_the_present_one",),
)
def passed_turns_are_switched(s: Limits) -> Formula:
    """The first has passed a turn of the second only after that has switched."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s) & (t < s.turn) & stage(s, t, Move.SECOND, p),
            s.answer[s.asked, t, Answer.SWITCHED],
        ),
    )


@strengthening("an old call must not take the second back from a later change")
def open_call_is_the_present_one(s: Limits) -> Formula:
    """A call that is not obeyed is about the present change, and leads to the last one made."""
    return forall(
        Change,
        Change,
        lambda c, d: implies(
            s.call_back[c, d] & ~s.went_back[c],
            (s.course == Course.BACK) & (c == s.asked) & (d == s.kept),
        ),
    )


@strengthening("a change that is opened must not be gone back from yet")
def returns_are_of_the_past(s: Limits) -> Formula:
    """The second goes back from no change before it is asked for."""
    return forall(Change, lambda c: implies(s.went_back[c], c <= s.asked))


# --- what the nodes hold -----------------------------------------------------------------------


@strengthening("on the way nothing else can be in use")
def first_holds_old_or_new(s: Limits) -> Formula:
    """On the way the first holds the old level of each limit, or the new one."""
    return forall(
        Parameter,
        lambda p: implies(is_ahead(s), one_of(s.value[FIRST, p], old(s, p), new(s, p))),
    )


@strengthening(
    "at the end, the first must hold all that is new",
    uses=("orders_are_about_the_second",),
    only=("answered_was_ordered",),
)
def first_holds_new_after_its_turn(s: Limits) -> Formula:
    """What the first switches in a turn it has passed, has its new level."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s) & (t < s.turn) & stage(s, t, Move.FIRST, p), s.value[FIRST, p] == new(s, p)
        ),
    )


@strengthening("the first must not use more room when the second may still refuse")
def first_holds_old_before_its_turn(s: Limits) -> Formula:
    """What the first switches in a turn to come, has its old level."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s) & (s.turn < t) & stage(s, t, Move.FIRST, p), s.value[FIRST, p] == old(s, p)
        ),
    )


@strengthening("when nothing is on its way, the first must use what the second has room for")
def first_holds_what_was_made(s: Limits) -> Formula:
    """When no change is on its way, the first holds the levels of the last one that was made."""
    return forall(Parameter, lambda p: implies(~is_ahead(s), s.value[FIRST, p] == old(s, p)))


@strengthening("on the way the second has room for one of the two")
def second_holds_old_or_new(s: Limits) -> Formula:
    """On the way the second has room for the old level of each global limit, or the new one."""
    return forall(
        Parameter,
        lambda p: implies(
            is_ahead(s) & s.is_global[p], one_of(s.value[SECOND, p], old(s, p), new(s, p))
        ),
    )


@strengthening("the first may go on once the second says that it has switched")
def second_holds_new_once_it_says_so(s: Limits) -> Formula:
    """What the second says it has switched, has its new level."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s)
            & s.is_global[p]
            & stage(s, t, Move.SECOND, p)
            & s.answer[s.asked, t, Answer.SWITCHED],
            s.value[SECOND, p] == new(s, p),
        ),
    )


@strengthening(
    "a second that refuses must not have made less room",
    only=(
        "open_order_is_the_present_one",
        "answers_are_of_the_past",
        "second_holds_what_was_made",
        "open_call_is_the_present_one",
    ),
)
def second_holds_old_until_it_says_so(s: Limits) -> Formula:
    """What the second has not switched, has its old level."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s)
            & s.is_global[p]
            & stage(s, t, Move.SECOND, p)
            & ~s.answer[s.asked, t, Answer.SWITCHED],
            s.value[SECOND, p] == old(s, p),
        ),
    )


@strengthening("the next change must begin with equal limits on both nodes")
def second_holds_what_was_made(s: Limits) -> Formula:
    """At rest the second has room for the levels of the last change that was made."""
    return forall(
        Parameter,
        lambda p: implies(
            (s.course == Course.REST) & s.is_global[p], s.value[SECOND, p] == old(s, p)
        ),
    )


@strengthening("the first is at rest once it hears that the second went back")
def went_back_means_old(s: Limits) -> Formula:
    """The second has gone back from the present change only when it was called back."""
    return implies(
        s.went_back[s.asked],
        ~is_ahead(s)
        & forall(Parameter, lambda p: implies(s.is_global[p], s.value[SECOND, p] == old(s, p))),
    )


# --- what is under way -------------------------------------------------------------------------


@strengthening(
    "room may be given up, or a queue cut, once it is not needed any more",
    uses=("orders_are_about_the_second",),
    only=("answered_was_ordered",),
)
def drained_stays_drained(s: Limits) -> Formula:
    """No more than the new level is under way once it has drained."""
    return forall(
        Turn,
        Parameter,
        lambda t, p: implies(
            is_ahead(s) & (t < s.turn) & stage(s, t, Move.DRAIN, p), s.under_way[p] <= new(s, p)
        ),
    )


@strengthening(
    "what is under way must fit when the second goes back, or the next change begins",
    uses=("orders_are_about_the_second",),
)
def under_way_is_within(s: Limits) -> Formula:
    """What is under way is within the old level, or within that of the first on the way."""
    return forall(
        Parameter,
        lambda p: implies(
            s.kind[p] != Kind.MESSAGE_RETRY_TIMER,
            (s.under_way[p] <= old(s, p)) | (is_ahead(s) & (s.under_way[p] <= s.value[FIRST, p])),
        ),
    )


@strengthening("the first must hold valid levels before a change, after it, and once it is undone")
def what_was_made_is_valid(s: Limits) -> Formula:
    """The levels of the last change made are valid together, and those of one on its way."""
    return suits(s, s.kept) & implies(is_ahead(s), suits(s, s.asked))
