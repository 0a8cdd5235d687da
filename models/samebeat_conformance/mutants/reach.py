"""What runs which function of the core: so that a mutant is only tested by what can notice it.

The unchanged core is run once with a note at the start of each function. Who does not run a
function does the same whatever is in it. A result that one test leaves to another in a cache is
the exception, and can only hide a kill, never make one up.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_NOTES = "_ran"
_TEXT = '"""Which functions have run."""\n\nRAN: set[str] = set()\nran = RAN.add\n'


def with_notes(folder: Path) -> None:
    """Let each function of the core in this folder note that it has run."""
    for path in folder.glob("*.py"):
        path.write_text(_noted(path.stem, path.read_text("utf-8")), "utf-8")
    (folder / f"{_NOTES}.py").write_text(_TEXT, "utf-8")


def _noted(module: str, source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            note = ast.parse(f"_ran({f'{module}.{node.name}'!r})").body
            node.body[_after_docstring(node) : _after_docstring(node)] = note
    first = sum(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)
    first += _after_docstring(tree)
    tree.body.insert(first, ast.parse(f"from samebeat.{_NOTES} import ran as _ran").body[0])
    return ast.unparse(tree)


def _after_docstring(node: ast.FunctionDef | ast.Module) -> int:
    return int(ast.get_docstring(node) is not None)


def taken() -> frozenset[str]:
    """Return what has run since the last time, in this process; nothing without notes."""
    ran: set[str] = getattr(sys.modules.get(f"samebeat.{_NOTES}"), "RAN", set())
    found = frozenset(ran)
    ran.clear()
    return found


def of_tests(
    function: str, ran: Mapping[str, Iterable[str]], costs: Mapping[str, float]
) -> tuple[str, ...] | None:
    """Return the tests that run a function, the cheapest first; None: any may depend on it.

    What is run as a file is loaded counts for all its tests, and as the core is, for all there are.
    """
    things = {thing for thing, functions in ran.items() if function in functions}
    files = {thing for thing in things if thing.endswith(".py")}
    if any("::" not in thing for thing in things - files):
        return None
    tests = [t for t in ran if "::" in t and (t in things or t.partition("::")[0] in files)]
    return tuple(sorted(tests, key=lambda t: (costs[t], t)))
