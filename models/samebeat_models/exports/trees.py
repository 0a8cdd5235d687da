"""Work on syntax trees that more than one export needs: folding, renaming, looking a step ahead.

Nothing here changes what a formula means. Building a node again folds constants, so a tree comes
out no larger than it went in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar, cast

from samebeat_spec.language import Action, Assignment, Formula, Term, Variable
from samebeat_spec.language.terms import (
    And,
    Apply,
    CountOf,
    Element,
    Equal,
    Exists,
    Expr,
    Following,
    ForAll,
    Holds,
    Iff,
    IfThenElse,
    Implies,
    Key,
    Less,
    Literal,
    Name,
    Not,
    Or,
    SortClass,
    Sum,
    Truth,
    conjunction,
    disjunction,
)

E = TypeVar("E", bound=Expr)
Facts = Mapping[Key, Expr]
TRUE, FALSE = Truth(True), Truth(False)


# --- folding -------------------------------------------------------------------------------


def constant_index(expr: Expr) -> int | None:
    """Return the concrete element that a term names, None if it depends on anything."""
    if isinstance(expr, Element):
        return expr.index
    return expr.value if isinstance(expr, Literal) else None


def negation(body: Formula) -> Formula:
    """Return "not ``body``"."""
    if isinstance(body, Truth):
        return Truth(not body.value)
    return body.body if isinstance(body, Not) else Not(body)


def opposite(formula: Formula) -> Formula:
    """Return the negation of ``formula``, moved inwards as far as possible."""
    match formula:
        case And(parts):
            return any_of(opposite(p) for p in parts)
        case Or(parts):
            return all_of(opposite(p) for p in parts)
        case Implies(antecedent, consequent):
            return all_of((antecedent, opposite(consequent)))
        case ForAll(name, body):
            return Exists(name, opposite(body))
        case Exists(name, body):
            return ForAll(name, opposite(body))
    return negation(formula)


def all_of(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction of ``parts``; reads no further than the first that is false."""
    kept: list[Formula] = []
    for part in parts:
        if isinstance(part, Truth):
            if not part.value:
                return FALSE
        else:
            kept.append(part)
    return conjunction(*kept)


def any_of(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction of ``parts``; reads no further than the first that is true."""
    kept: list[Formula] = []
    for part in parts:
        if isinstance(part, Truth):
            if part.value:
                return TRUE
        else:
            kept.append(part)
    return disjunction(*kept)


def implication(antecedent: Formula, consequent: Formula) -> Formula:
    """Return "if ``antecedent`` then ``consequent``"."""
    if isinstance(antecedent, Truth):
        return consequent if antecedent.value else TRUE
    if isinstance(consequent, Truth):
        return TRUE if consequent.value else negation(antecedent)
    return Implies(antecedent, consequent)


def equivalence(left: Formula, right: Formula) -> Formula:
    """Return "``left`` exactly if ``right``"."""
    if isinstance(left, Truth):
        left, right = right, left
    if isinstance(right, Truth):
        return left if right.value else negation(left)
    return TRUE if left.key() == right.key() else Iff(left, right)


def equality(left: Term, right: Term) -> Formula:
    """Return "``left`` is ``right``"."""
    a, b = constant_index(left), constant_index(right)
    if a is not None and b is not None:
        return Truth(a == b)
    if a is not None:
        left, right, b = right, left, a
    if b is not None and isinstance(left, IfThenElse):
        then, otherwise = equality(left.then, right), equality(left.otherwise, right)
        if isinstance(then, Truth) or isinstance(otherwise, Truth):
            return formula_choice(left.condition, then, otherwise)
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Following) and other.body.key() == one.key():
            return FALSE
    return TRUE if left.key() == right.key() else Equal(left, right)


def less(left: Term, right: Term) -> Formula:
    """Return "``left`` comes before ``right``"."""
    a, b = constant_index(left), constant_index(right)
    if a is not None and b is not None:
        return Truth(a < b)
    return FALSE if left.key() == right.key() else Less(left, right)


def term_choice(condition: Formula, then: Term, otherwise: Term) -> Term:
    """Return ``then`` where ``condition`` holds, else ``otherwise``."""
    if isinstance(condition, Truth):
        return then if condition.value else otherwise
    return then if then.key() == otherwise.key() else IfThenElse(condition, then, otherwise)


def formula_choice(condition: Formula, then: Formula, otherwise: Formula) -> Formula:
    """Return ``then`` where ``condition`` holds, else ``otherwise``."""
    if isinstance(condition, Truth):
        return then if condition.value else otherwise
    if then.key() == otherwise.key():
        return then
    first = all_of((condition, then))
    if isinstance(otherwise, Truth):  # a or not-c reads better as c implies a
        return implication(condition, then) if otherwise.value else first
    if isinstance(then, Truth) and then.value:
        return any_of((condition, otherwise))
    return any_of((first, all_of((negation(condition), otherwise))))


def choice(condition: Formula, then: Expr, otherwise: Expr) -> Expr:
    """Return ``then`` where ``condition`` holds, else ``otherwise``: formulas or terms."""
    if isinstance(then, Formula) and isinstance(otherwise, Formula):
        return formula_choice(condition, then, otherwise)
    return term_choice(condition, cast("Term", then), cast("Term", otherwise))


def total(left: Term, right: Term, sign: int) -> Term:
    """Return ``left + sign * right``."""
    a, b = constant_index(left), constant_index(right)
    if b == 0:
        return left
    if a is not None and b is not None:
        return Literal(left.sort, a + sign * b)
    return Sum(left, right, sign)


def next_element(body: Term) -> Term:
    """Return the element after ``body``; past the last one there is a number that none has."""
    index = constant_index(body)
    if index is None:
        return Following(body)
    return Element(body.sort, str(index + 1), index + 1)


def read(variable: Variable, arguments: tuple[Term, ...], after: bool = False) -> Expr:
    """Return the expression that reads a variable at these arguments."""
    return variable.read(arguments, after)


def rebuild(expr: E, go: Callable[[Expr], Expr]) -> E:
    """Return ``expr`` with ``go`` applied to its children, folded."""
    built = _rebuild_formula(expr, go)
    return cast("E", _rebuild_term(expr, go) if built is None else built)


def _rebuild_formula(expr: Expr, go: Callable[[Expr], Expr]) -> Expr | None:
    def formula(e: Formula) -> Formula:
        return cast("Formula", go(e))

    def term(e: Term) -> Term:
        return cast("Term", go(e))

    match expr:
        case Equal(left, right):
            return equality(term(left), term(right))
        case Less(left, right):
            return less(term(left), term(right))
        case Not(body):
            return negation(formula(body))
        case And(parts):
            return all_of(formula(p) for p in parts)
        case Or(parts):
            return any_of(formula(p) for p in parts)
        case Implies(antecedent, consequent):
            return implication(formula(antecedent), formula(consequent))
        case Iff(left, right):
            return equivalence(formula(left), formula(right))
        case ForAll(name, body) | Exists(name, body):
            inner = formula(body)
            return inner if isinstance(inner, Truth) else type(expr)(name, inner)
    return None


def _rebuild_term(expr: Expr, go: Callable[[Expr], Expr]) -> Expr:
    def term(e: Expr) -> Term:
        return cast("Term", go(e))

    match expr:
        case Holds(variable, arguments, after) | Apply(variable, arguments, after):
            return read(variable, tuple(term(a) for a in arguments), after)
        case Sum(left, right, sign):
            return total(term(left), term(right), sign)
        case Following(body):
            return next_element(term(body))
        case IfThenElse(condition, then, otherwise):
            return term_choice(cast("Formula", go(condition)), term(then), term(otherwise))
        case CountOf(sort, name, body):
            return CountOf(sort, name, cast("Formula", go(body)))
    return expr


# --- facts ---------------------------------------------------------------------------------


def facts_of(formula: Formula) -> dict[Key, Expr]:
    """Return what ``formula`` fixes while it holds: reads with one possible value, by key."""
    parts = formula.parts if isinstance(formula, And) else (formula,)
    found: dict[Key, Expr] = {}
    for part in parts:
        match part:
            case Holds():
                found[part.key()] = TRUE
            case Not(Holds() as body):
                found[body.key()] = FALSE
            case Equal(Apply() as left, (Element() | Literal()) as right):
                found[left.key()] = right
            case Equal((Element() | Literal()) as left, Apply() as right):
                found[right.key()] = left
    return found


def assume(expr: E, facts: Facts) -> E:
    """Return ``expr`` where reads that ``facts`` fix are replaced by their values."""
    if not facts:
        return expr

    def go(e: Expr) -> Expr:
        known = facts.get(e.key()) if isinstance(e, (Holds, Apply)) else None
        return known if known is not None else rebuild(e, go)

    return cast("E", go(expr))


# --- names ---------------------------------------------------------------------------------


def substitute(expr: E, names: Mapping[str, Term]) -> E:
    """Return ``expr`` with free names replaced; what replaces them must not be captured."""

    def go(e: Expr) -> Expr:
        if isinstance(e, Name):
            return names.get(e.label, e)
        if isinstance(e, (ForAll, Exists, CountOf)) and e.name.label in names:
            return substitute(e, {k: v for k, v in names.items() if k != e.name.label})
        return rebuild(e, go)

    return cast("E", go(expr)) if names else expr


def rename_apart(expr: E, taken: frozenset[str]) -> E:
    """Return ``expr`` with bound names that are none of ``taken`` and differ where they nest."""
    if isinstance(expr, (ForAll, Exists, CountOf)):
        label, i = expr.name.label, 2
        while label in taken:
            label, i = f"{expr.name.label}{i}", i + 1
        name = Name(label, expr.name.sort)
        body = rename_apart(expr.body, taken | {label})
        body = substitute(body, {expr.name.label: name})
        if isinstance(expr, CountOf):
            return cast("E", CountOf(expr.sort, name, body))
        return cast("E", type(expr)(name, body))
    return rebuild(expr, lambda e: rename_apart(e, taken))


def subtrees(expr: Expr) -> Iterator[Expr]:
    """Yield ``expr`` and everything inside it."""
    found: list[Expr] = []

    def go(e: Expr) -> Expr:
        found.append(e)
        rebuild(e, go)
        return e

    go(expr)
    yield from found


def labels_in(expr: Expr) -> set[str]:
    """Return the labels of every name in ``expr``, free or bound."""
    names = (e if isinstance(e, Name) else getattr(e, "name", None) for e in subtrees(expr))
    return {name.label for name in names if isinstance(name, Name)}


# --- steps ---------------------------------------------------------------------------------


def labels_of(action: Action) -> frozenset[str]:
    """Return every label that an action uses."""
    found = {p.label for p in action.parameters}
    for g in action.guards:
        found |= labels_in(g.condition)
    for a in action.assignments:
        found |= {name.label for name in a.bound}
        for e in (*a.arguments, *(() if a.value is None else (a.value,))):
            found |= labels_in(e)
    return frozenset(found)


def is_bound(assignment: Assignment, argument: Term) -> bool:
    """Return whether an argument on the left side is ``every``, not one place."""
    return isinstance(argument, Name) and argument.label in {n.label for n in assignment.bound}


def before_step(formula: Formula, action: Action) -> Formula:
    """Return the formula about the state before a step that says what ``formula`` says of the step.

    Reads of the later state become what the action's assignments make of the earlier one.
    """

    def go(e: Expr) -> Expr:
        if isinstance(e, (Holds, Apply)) and e.after:
            return _after(e.variable, tuple(cast("Term", go(a)) for a in e.arguments), action)
        return rebuild(e, go)

    return cast("Formula", go(rename_apart(formula, labels_of(action))))


def _after(variable: Variable, place: tuple[Term, ...], action: Action) -> Expr:
    result = read(variable, place)
    for a in action.assignments:
        if a.variable is variable and a.value is not None:
            pairs = list(zip(a.arguments, place, strict=True))
            here = all_of(equality(want, at) for want, at in pairs if not is_bound(a, want))
            bound = {w.label: at for w, at in pairs if is_bound(a, w) and isinstance(w, Name)}
            result = choice(here, substitute(a.value, bound), result)
    return result


def change_of(action: Action) -> Formula:
    """Return when a step of ``action`` changes anything, given that its guards hold."""
    facts: dict[Key, Expr] = {}
    for g in action.guards:
        facts.update(facts_of(assume(g.condition, facts)))
    parts: list[Formula] = []
    for a in action.assignments:
        part = differs(read(a.variable, a.arguments), a.value) if a.value is not None else TRUE
        for name in reversed(a.bound):
            part = Exists(name, part)
        parts.append(assume(part, facts))
    return any_of(parts)


def differs(old: Expr, new: Expr) -> Formula:
    """Return "the two values are not the same": both formulas or both terms."""
    if isinstance(old, Formula) and isinstance(new, Formula):
        return negation(equivalence(old, new))
    return negation(equality(cast("Term", old), cast("Term", new)))


def with_first_values(expr: E, first: Callable[[SortClass], Expr]) -> E:
    """Return ``expr`` read where every place holds the first value, as before initial states."""

    def go(e: Expr) -> Expr:
        if isinstance(e, (Holds, Apply)) and not e.variable.constant:
            return first(e.variable.to)
        return rebuild(e, go)

    return cast("E", go(expr))
