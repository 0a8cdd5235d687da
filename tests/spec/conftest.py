"""What the tests of the language share: a user's file to put definitions into."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from samebeat_spec.language import SpecError

HEADER = """
from __future__ import annotations
from samebeat_spec.language import *


class Node(Sort, symmetric=True):
    '''A member.'''


class Phase(Enumeration):
    IDLE = element()
    BUSY = element()


class Epoch(Ordered):
    '''How far.'''


class Level(Integer, low=0, high=3):
    '''A number.'''


class Slot(Integer):
    '''A number with bounds of the instance.'''


class Proto(State):
    '''A protocol.'''

    home = function(Node, to=Node, constant=True)
    phase = function(Node, to=Phase)
    epoch = function(Node, to=Epoch)
    sees = relation(Node, Node)
    level = variable(Level)
    taken = relation(Level)
    slot = variable(Slot)
    open = flag()

"""


def _run(text: str) -> dict[str, Any]:
    """Run a user's file."""
    module = ModuleType("protocol")
    sys.modules["protocol"] = module
    try:
        exec(compile(text, "/somewhere/protocol.py", "exec"), vars(module))
    finally:
        del sys.modules["protocol"]
    return vars(module)


def _error_of(text: str) -> str:
    """Run a user's file that must fail, and return what is said, its place checked."""
    with pytest.raises(SpecError) as caught:
        _run(text)
    said = str(caught.value)
    assert "\n" not in said
    marked = [i for i, line in enumerate(text.splitlines(), 1) if "#!" in line]
    if marked:
        assert f"protocol.py:{marked[0]}: " in said
    return said


@pytest.fixture(scope="session")
def run_file() -> Callable[[str], dict[str, Any]]:
    """Run a user's file and return what it defines."""
    return _run


@pytest.fixture(scope="session")
def header() -> str:
    """Return the top of a user's file: sorts, and the state ``Proto``."""
    return HEADER


@pytest.fixture(scope="session")
def error_of() -> Callable[[str], str]:
    """Run a user's file, its top put before it, which must fail; return what is said.

    The line must be the one that is marked ``#!``.
    """
    return lambda text: _error_of(HEADER + text)
