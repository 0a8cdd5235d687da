"""What an answer of a layer rests on besides the core: the source of the tests and of the harness.

An answer is about the code that gave it. That is found by name: a function, what it names in its
module, and what that imports of ours, on and on. A class counts as a whole. What is loaded by the
name of a spec cannot be found like this; layers say those files themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

DIGITS = 12
_TOP = Path(__file__).resolve().parents[3]
_ROOTS = (_TOP / "models", _TOP / "spec")
"""Where the packages of the harness are; the core is none of it."""

NO_NAME = "."
Place = tuple[Path, str]
"""A file, and a name at its top."""


@dataclass(frozen=True)
class _Module:
    """What is at the top of a file: statements by the name that they define, and imports.

    An import is the file, and the name in that file; an empty one: the module itself.
    """

    defines: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Place] = field(default_factory=dict)


@cache
def digest_of(path: Path, name: str, also: tuple[str, ...] = ()) -> str:
    """Return a digest of a function or a test and of all that it uses.

    Args:
        path: the file it is in.
        name: its name there; if there is none, the digest is of the rest alone.
        also: files that belong to it as they are, as patterns from the top of the checkout.
    """
    texts = {_text(place) for place in _reached(path, name)}
    whole = [p for pattern in also for p in sorted(_TOP.glob(pattern))]
    files = [p.read_text("utf-8") for p in whole]
    return sha256("\0".join((*sorted(texts), *files)).encode()).hexdigest()[:DIGITS]


@cache
def _reached(path: Path, name: str) -> frozenset[Place]:
    """Return all that is used by what has this name, and that itself."""
    found: set[Place] = set()
    waiting = [(path, name), (path, "pytestmark")]
    while waiting:
        place = waiting.pop()
        module = _module(place[0])
        first, _, attribute = place[1].partition(".")
        target = module.imports.get(first)
        if target is not None:
            # a module by itself is none of it: what is taken from it is named beside
            waiting.append(target if target[1] else (target[0], attribute or NO_NAME))
        elif place[1] == "":
            waiting.extend((place[0], each) for each in module.defines)
        elif place[1] in module.defines and place not in found:
            found.add(place)
            waiting.extend(_used_by(place))
    return frozenset(found)


@cache
def _used_by(place: Place) -> frozenset[Place]:
    """Return what the statements with this name name themselves, in their file or another."""
    path, found = place[0], set[Place]()
    for statement in _module(path).defines[place[1]]:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                found.add((path, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.add((path, f"{node.value.id}.{node.attr}"))
            elif isinstance(node, ast.arg):  # a fixture
                found.add((path, node.arg))
            elif isinstance(node, ast.ImportFrom):
                found.update(target for _, target in _imported(path, node))
    return frozenset(found)


@cache
def _text(place: Place) -> str:
    """Return the source of what has this name; comments, docstrings and lay-out do not."""
    return "\n".join(ast.unparse(s) for s in _module(place[0]).defines[place[1]])


@cache
def _module(path: Path) -> _Module:
    module = _Module()
    if path.is_file():
        for statement in _at_the_top(_without_docstrings(path.read_text("utf-8")).body):
            if isinstance(statement, ast.ImportFrom):
                module.imports.update(_imported(path, statement))
            for name in _defined(statement):
                module.defines.setdefault(name, []).append(statement)
    return module


def _without_docstrings(source: str) -> ast.Module:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[:1] = [ast.Pass()]
    return tree


def _at_the_top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield from statement.body if isinstance(statement, ast.If) else [statement]


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            return


def _imported(path: Path, statement: ast.ImportFrom) -> Iterator[tuple[str, Place]]:
    """Yield the names that are imported of ours, and what each of them is."""
    if statement.level:
        folders: tuple[Path, ...] = (path.parents[statement.level - 1],)
    else:
        folders = _ROOTS
    parts = (statement.module or "").split(".")
    for folder in folders:
        base = folder.joinpath(*parts) if statement.module else folder
        for alias in statement.names:
            known = alias.asname or alias.name
            if (found := _file(base / alias.name)) is not None:
                yield known, (found, "")
            elif (found := _file(base)) is not None:
                yield known, (found, alias.name)


def _file(base: Path) -> Path | None:
    """Return the file of a module or of a package."""
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
