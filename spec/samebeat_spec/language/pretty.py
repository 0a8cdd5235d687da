"""Readable expressions: formulas, guards and assignments as people write them.

The words are Python's (``and``, ``or``, ``not``, ``==``), so their precedence is too; ``=>`` and
``<=>`` bind less, and a quantifier reaches as far right as it can. ``x'`` is ``x`` after the step.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import pairwise

from samebeat_spec.language.recorder import Assignment
from samebeat_spec.language.spec import Spec
from samebeat_spec.language.state import State, Variable
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
    Formula,
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
    Sum,
    Truth,
)

_OPEN, _IFF, _IMPLIES, _OR, _AND, _NOT, _COMPARE, _SUM, _ATOM = range(9)


def text(expr: Expr) -> str:
    """Return an expression on one line, with no more parentheses than it needs."""
    return _print(expr)[0]


def lines(expr: Expr, width: int = 92) -> list[str]:
    """Return an expression on as many lines as ``width`` asks for, broken where it has parts."""
    flat = text(expr)
    if len(flat) <= width:
        return [flat]
    match expr:
        case ForAll() | Exists():
            binder, body = _binder(expr)
            return [binder, *_indent(lines(body, width - 2), 2)]
        case And(parts):
            return _join("and ", [_operand(p, _AND, width - 4) for p in parts])
        case Or(parts):
            return _join("or ", [_operand(p, _OR, width - 3) for p in parts])
        case Implies(antecedent, consequent):
            return [
                *_operand(antecedent, _OR, width),
                *_prefix("=> ", lines(consequent, width - 3)),
            ]
        case Not(body) if not isinstance(body, (Equal, Less)):
            return _prefix("not ", _operand(body, _COMPARE, width - 4))
    return [flat]


def assignment(a: Assignment) -> str:
    """Return ``phase[n, c] := ACKED``; ``every`` marks a column that is set as a whole."""
    value = "anything" if a.value is None else text(a.value)
    used = {n.label for n in a.bound if a.value is not None and _mentions(a.value.key(), n.key())}
    labels = [
        "every" if isinstance(x, Name) and x.label in {n.label for n in a.bound} - used else text(x)
        for x in a.arguments
    ]
    place = a.variable.name + (f"[{', '.join(labels)}]" if labels else "")
    loops = ", ".join(f"{n.label}: {n.sort.__name__}" for n in a.bound if n.label in used)
    return f"for every {loops}: {place} := {value}" if loops else f"{place} := {value}"


def declaration(v: Variable) -> str:
    """Return ``phase[Node, Change]: Phase``, or ``requested[Change]`` for a relation."""
    arguments = ", ".join(s.__name__ for s in v.arguments)
    return (
        v.name
        + (f"[{arguments}]" if arguments else "")
        + ("" if v.to is None else f": {v.to.__name__}")
    )


def variable_docs(spec: Spec) -> dict[str, str]:
    """Return what a spec's source says below its variables, by name; {} without a source."""
    module = sys.modules.get(spec.module)
    states = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, State) and value.spec_name == spec.name
    ]
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(states[0])))
    except (IndexError, OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for declared, said in pairwise(body):
        match declared, said:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ):
                found[name] = " ".join(doc.split())
    return found


# --- one line --------------------------------------------------------------------------------


def _print(e: Expr) -> tuple[str, int]:
    """Return the text of an expression and how strongly its outermost operator binds."""
    match e:
        case And(parts):
            return " and ".join(_within(p, _AND) for p in parts), _AND
        case Or(parts):
            return _membership(parts) or (" or ".join(_within(p, _OR) for p in parts), _OR)
        case Not(Equal(left, right)):
            return f"{_within(left, _SUM)} != {_within(right, _SUM)}", _COMPARE
        case Not(Less(left, right)):
            return f"{_within(left, _SUM)} >= {_within(right, _SUM)}", _COMPARE
        case Not(body):
            return f"not {_within(body, _NOT)}", _NOT
        case Implies(antecedent, consequent):
            return f"{_within(antecedent, _OR)} => {_within(consequent, _OPEN)}", _IMPLIES
        case Iff(left, right):
            return f"{_within(left, _OR)} <=> {_within(right, _OR)}", _IFF
        case Equal(left, right):
            return f"{_within(left, _SUM)} == {_within(right, _SUM)}", _COMPARE
        case Less(left, right):
            return f"{_within(left, _SUM)} < {_within(right, _SUM)}", _COMPARE
        case ForAll() | Exists():
            binder, body = _binder(e)
            return f"{binder} {text(body)}", _OPEN
        case Sum(left, right, sign):
            operator = "+" if sign > 0 else "-"
            return f"{_within(left, _SUM)} {operator} {_within(right, _ATOM)}", _SUM
        case IfThenElse(condition, then, otherwise):
            return f"if {text(condition)} then {text(then)} else {text(otherwise)}", _OPEN
    return _atom(e), _ATOM


def _atom(e: Expr) -> str:
    match e:
        case Truth(value):
            return "true" if value else "false"
        case Holds(variable, arguments, after) | Apply(variable, arguments, after):
            name = variable.name + ("'" if after else "")
            return f"{name}[{', '.join(map(text, arguments))}]" if arguments else name
        case Name(label):
            return label
        case Element(sort, label):
            return label if sort.elements else f"{sort.__name__}.{label}"
        case Literal(_, value):
            return str(value)
        case Following(body):
            return f"following({text(body)})"
        case CountOf(_, name, body):
            return f"count({name.label}: {name.sort.__name__}. {text(body)})"
    raise TypeError(f"no text for {type(e).__name__}")


def _within(e: Expr, binding: int) -> str:
    """Return the text of an operand of something that binds as strongly as ``binding``."""
    said, own = _print(e)
    return f"({said})" if own < binding else said


def _binder(e: ForAll | Exists) -> tuple[str, Formula]:
    """Return ``forall n, m: Node, c: Change.`` for a nest of one quantifier, and its body."""
    names, body = [e.name], e.body
    while type(body) is type(e):
        names.append(body.name)
        body = body.body
    groups: list[tuple[str, list[str]]] = []
    for name in names:
        sort = name.sort.__name__
        if not groups or groups[-1][0] != sort:
            groups.append((sort, []))
        groups[-1][1].append(name.label)
    word = "forall" if isinstance(e, ForAll) else "exists"
    bound = ", ".join(f"{', '.join(labels)}: {sort}" for sort, labels in groups)
    return f"{word} {bound}.", body


def _membership(parts: tuple[Formula, ...]) -> tuple[str, int] | None:
    """Return ``x in {A, B}`` for a disjunction that only compares one term."""
    equalities = [part for part in parts if isinstance(part, Equal)]
    if len(equalities) < len(parts) or len({part.left.key() for part in equalities}) > 1:
        return None
    choices = ", ".join(text(part.right) for part in equalities)
    return f"{_within(equalities[0].left, _SUM)} in {{{choices}}}", _COMPARE


def _mentions(key: Key, name: Key) -> bool:
    return key == name or any(isinstance(part, tuple) and _mentions(part, name) for part in key)


# --- several lines ---------------------------------------------------------------------------


def _operand(e: Expr, binding: int, width: int) -> list[str]:
    if _print(e)[1] >= binding:
        return lines(e, width)
    first, *rest = lines(e, width - 2)
    inner = [f"({first}", *_indent(rest, 1)]
    return [*inner[:-1], f"{inner[-1]})"]


def _join(word: str, parts: list[list[str]]) -> list[str]:
    joined = _indent(parts[0], len(word))
    for part in parts[1:]:
        joined += _prefix(word, part)
    return joined


def _prefix(word: str, block: list[str]) -> list[str]:
    return [word + block[0], *_indent(block[1:], len(word))]


def _indent(block: list[str], by: int) -> list[str]:
    return [" " * by + line for line in block]
