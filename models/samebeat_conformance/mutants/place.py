"""Where a mutant is: in which function of the core, and whether that is still the same code."""

from __future__ import annotations

import ast
from functools import cache
from hashlib import sha256
from itertools import accumulate

from samebeat_conformance.mutants.table import Mutant

_DIGITS = 12


def function_of(mutant: Mutant, source: str) -> str | None:
    """Return `module.function`; None: it is in no function, so what runs it is not known."""
    found = _innermost(mutant, source)
    if isinstance(found, ast.FunctionDef):
        return f"{mutant.file.removesuffix('.py')}.{found.name}"
    return None


def digest(mutant: Mutant, source: str) -> str:
    """Return a digest of the change and of the function that it is in, or class, or statement.

    A verdict counts for as long as this is the same. Raises `ValueError` as `Mutant.applied` does.
    """
    mutant.applied(source)
    found = _innermost(mutant, source)
    begin, end = _extent(found, source) if found is not None else (0, len(source))
    said = "\0".join((mutant.file, source[begin:end], mutant.old, mutant.new))
    return sha256(said.encode()).hexdigest()[:_DIGITS]


def _innermost(mutant: Mutant, source: str) -> ast.stmt | None:
    """Return the smallest function that has all of it; without one, the statement at the top."""
    begin = mutant.at if mutant.at is not None else source.index(mutant.old)
    end = begin + len(mutant.old)
    _, functions, at_the_top = _parsed(source)

    def has_it(node: ast.stmt) -> bool:
        first, last = _extent(node, source)
        return first <= begin and end <= last + 1

    around = [n for n in functions if has_it(n)] or [n for n in at_the_top if has_it(n)]
    return min(around, key=lambda n: (n.end_lineno or 0) - n.lineno, default=None)


def _extent(node: ast.stmt, source: str) -> tuple[int, int]:
    """Return where a statement is from and to; the core is ASCII, so bytes are letters."""
    assert node.end_lineno is not None, "what is parsed has its place"
    assert node.end_col_offset is not None, "what is parsed has its place"
    starts = _parsed(source)[0]
    end = starts[node.end_lineno - 1] + node.end_col_offset
    return starts[node.lineno - 1] + node.col_offset, end


@cache
def _parsed(source: str) -> tuple[list[int], list[ast.stmt], list[ast.stmt]]:
    """Return where the lines of a module begin, its functions, and what is at its top."""
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    tree = ast.parse(source)
    return starts, [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)], tree.body
