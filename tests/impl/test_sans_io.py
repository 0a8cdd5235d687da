"""The core has no clock, socket, randomness or file: it can reach none, by whatever name.

import-linter forbids the modules by name; here is all that the core may import, so whatever is not
listed is forbidden, and so are the builtins that need no import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import samebeat

SOURCES = sorted(Path(samebeat.__file__).parent.rglob("*.py"))
MAY_IMPORT = frozenset(
    ("__future__", "collections", "copy", "dataclasses", "enum", "fractions", "functools", "math")
) | {"msgspec", "samebeat", "types", "typing", "zlib"}
"""Types, numbers, a checksum, and the codec's library."""
FORBIDDEN = frozenset(
    ("__builtins__", "__import__", "__loader__", "__spec__", "breakpoint", "compile", "eval")
) | {"exec", "exit", "globals", "hash", "help", "id", "input", "open", "print", "quit"}
"""Files and terminals, ways around imports, and what differs from one process to the next."""


def _beyond(source: str) -> Iterator[str]:
    """Yield what a source has that the core must not have."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [str(node.module)]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from {node.id} & FORBIDDEN
        yield from (f"import {n}" for n in names if n.split(".")[0] not in MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_the_core_reaches_nothing_outside_of_it(path: Path) -> None:
    assert list(_beyond(path.read_text(encoding="utf-8"))) == []


def test_all_of_the_core_is_looked_at() -> None:
    assert {"node", "change", "channel", "codec", "views"} <= {p.stem for p in SOURCES}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import time", "import time"),
        ("import os.path as p", "import os.path"),
        ("from logging.handlers import SocketHandler", "import logging.handlers"),
        ("from concurrent import futures", "import concurrent"),
        ("import a_module_of_next_year", "import a_module_of_next_year"),
        ("f = open", "open"),
        ("print('here')", "print"),
        ("t = __import__('time').time()", "__import__"),
        ("key = hash('n1')", "hash"),
        ("__builtins__['op' + 'en']('x')", "__builtins__"),
    ],
)
def test_a_core_that_reaches_out_is_noticed(line: str, found: str) -> None:
    """The control: the core's own source with one line more, in some function."""
    node = next(p for p in SOURCES if p.stem == "node").read_text(encoding="utf-8")
    assert list(_beyond(f"{node}\n\ndef added() -> None:\n    {line}\n")) == [found]
