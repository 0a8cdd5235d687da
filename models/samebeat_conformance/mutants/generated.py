"""Mutants that a program makes: one operator, constant or statement of the core, changed.

The same source gives the same mutants, in the same order and with the same names. A name has the
module, the function and the change, so it stays when other code moves.

Left out by construction, and so not judged at all: functions that decide nothing (no comparison, no
condition), tests for None (the type checker holds those), numbers one less (one more is there),
annotations, assertions, errors that are raised, and what only goes into a text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache

from samebeat_conformance.mutants.table import Mutant, core

LEFT_OUT = frozenset({"__init__.py"})
_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@cache
def generated() -> tuple[Mutant, ...]:
    """Return all mutants of the core."""
    found = [
        mutant
        for path in sorted(core().glob("*.py"))
        if path.name not in LEFT_OUT
        for mutant in of_source(path.name, path.read_text("utf-8"))
    ]
    seen: Counter[str] = Counter()
    numbered = []
    for mutant in found:
        seen[mutant.name] += 1
        again = f" ({seen[mutant.name]})" if seen[mutant.name] > 1 else ""
        numbered.append(
            Mutant(
                name=mutant.name + again,
                file=mutant.file,
                old=mutant.old,
                new=mutant.new,
                at=mutant.at,
            )
        )
    return tuple(numbered)


def of_source(file: str, source: str) -> Iterator[Mutant]:
    """Yield the mutants of one module."""
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    for function, node in _code(ast.parse(source)):
        for text in _changes(node):
            at, end = _place(node, starts)
            old = source[at:end]
            said = " ".join(old.split())
            name = f"{file[:-3]}.{function}: {said} -> {text}"
            yield Mutant(name=name, file=file, old=old, new=text, at=at)


def _place(node: ast.expr | ast.stmt, starts: list[int]) -> tuple[int, int]:
    """Return where a node begins and ends; the core's source is ASCII, so bytes are letters."""
    assert node.end_lineno is not None, "what is parsed has its place"
    assert node.end_col_offset is not None, "what is parsed has its place"
    begin = starts[node.lineno - 1] + node.col_offset
    return begin, starts[node.end_lineno - 1] + node.end_col_offset


def _code(tree: ast.Module) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """Yield what runs inside functions that decide.

    Annotations, docstrings, f-strings and assertions do not.
    """
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and _decides(function):
            for statement in function.body:
                yield from _inside(function.name, statement)


def _decides(function: ast.FunctionDef) -> bool:
    """Return whether there is a condition in it; how it is shown as a text is no decision."""
    if function.name.startswith("__"):
        return False
    conditions = ast.If | ast.IfExp | ast.While | ast.Compare | ast.BoolOp | ast.Match
    return any(
        isinstance(node, conditions) or (isinstance(node, ast.comprehension) and node.ifs)
        for node in ast.walk(function)
    )


def _inside(name: str, node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    if isinstance(node, ast.Assert | ast.JoinedStr | ast.FunctionDef | ast.Raise):
        return
    if isinstance(node, ast.expr | ast.stmt):
        yield name, node
    annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
    for child in ast.iter_child_nodes(node):
        if child is not annotation:
            yield from _inside(name, child)


def _changes(node: ast.expr | ast.stmt) -> Iterator[str]:
    """Yield what can stand in place of a node."""
    match node:
        case ast.Compare(comparators=[ast.Constant(value=None)]):
            return
        case ast.Compare(left=left, ops=[operator], comparators=comparators):
            swapped = ast.Compare(left, [_SWAPPED[type(operator)]()], comparators)
            yield f"({ast.unparse(swapped)})"
        case ast.BoolOp(op=operator, values=values):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield f"({ast.unparse(ast.BoolOp(other, values))})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"(bool({ast.unparse(operand)}))"
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield str(value + 1)
        case ast.Expr(value=ast.Constant() | ast.Yield() | ast.YieldFrom()):
            return
        case ast.Expr() | ast.AugAssign():
            yield "pass"
        case ast.Assign(targets=[ast.Attribute()]):
            yield "pass"
        case _:
            return
