"""The layers that are to notice a mutant: each looks at the core that is imported, and reports.

A layer is a function without arguments. It runs in a process of its own, in which `samebeat` is the
copy with the mistake, and returns what it has seen; so it imports the core inside. What it reports
of the unchanged core is what it is held against. One more layer is one more line in `LAYERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

_MOST_PAIRS = 20_000
_FIRST = frozenset({"test_views.py", "test_mistakes.py", "test_group_change.py"})
"""These notice most, and take little time."""


@dataclass(frozen=True)
class Seen:
    """What a layer has seen.

    Attributes:
        wrong: the test, edge or promise that fails, in one line; empty: none.
        figures: numbers that must be those of the unchanged core.
    """

    wrong: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)

    def against(self, unchanged: Seen) -> str:
        """Return what tells the two apart, in one line; empty: nothing does."""
        if self.wrong:
            return self.wrong
        names = sorted({*self.figures, *unchanged.figures})
        return "; ".join(
            f"{name}: {self.figures.get(name, 0)} instead of {unchanged.figures.get(name, 0)}"
            for name in names
            if self.figures.get(name, 0) != unchanged.figures.get(name, 0)
        )


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: as the matrix calls it.
        look: what runs; it gets a function to say what it is at.
        cpu_seconds: after so much work on one thing (a test, an instance) it is ended, and the
            mutant counts as noticed: the unchanged core takes a small part of it.
        thorough: slow; it is only asked about what all others have missed.
    """

    name: str
    look: Callable[[Callable[[str], None]], Seen]
    cpu_seconds: int
    thorough: bool = False


class _Watcher:
    """Tells which test runs, and keeps the first that fails."""

    def __init__(self, at: Callable[[str], None]) -> None:
        self._at = at
        self.failed = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._at(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid}: cannot be loaded"


def tests_folder() -> Path:
    """Return the tests of the core in the checkout that this runs in.

    Raises:
        FileNotFoundError: there is no checkout.
    """
    folder = Path(__file__).resolve().parents[3] / "tests" / "impl"
    if not folder.is_dir():
        raise FileNotFoundError("mutants are tested in a checkout, which has tests/impl")
    return folder


def _tests(which: Sequence[str], at: Callable[[str], None]) -> Seen:
    folder = tests_folder()
    watcher = _Watcher(at)
    code = pytest.main(
        [
            *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # it is loaded beforehand
            *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("-c", str(folder.parents[1] / "pyproject.toml")),
            *which,
        ],
        plugins=[watcher],
    )
    fine = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} if "-m" in which else {0}
    wrong = watcher.failed or ("" if code in fine else f"pytest ends with {code!r}")
    return Seen(wrong.removeprefix("tests/impl/"))


def fast_tests(at: Callable[[str], None]) -> Seen:
    """Run the fast tests of the core."""
    return _file_by_file("not slow", at)


def slow_tests(at: Callable[[str], None]) -> Seen:
    """Run the slow tests of the core."""
    return _file_by_file("slow", at)


def _file_by_file(which: str, at: Callable[[str], None]) -> Seen:
    """Run one file of tests after the other: those after the first kill cost nothing."""
    files = sorted(tests_folder().glob("test_*.py"), key=lambda p: (p.name not in _FIRST, p.name))
    for path in files:
        seen = _tests(("-m", which, str(path)), at)
        if seen.wrong:
            return seen
    return Seen()


def one_test(name: str) -> Callable[[Callable[[str], None]], Seen]:
    """Return what runs one test, named from the top of the checkout."""
    return partial(_one_test, str(tests_folder().parents[1] / name))


def _one_test(name: str, at: Callable[[str], None]) -> Seen:
    return _tests((name,), at)


def _conforms(members: int, changes: int, crashes: int) -> Seen:
    from samebeat_conformance.instances import group_change
    from samebeat_conformance.product import Product
    from samebeat_conformance.trace import lines_of

    product = Product(
        group_change(members, changes, crashes), most_pairs=_MOST_PAIRS, on_demand=crashes > 0
    )
    found = product.run()
    if found.divergence:
        lines = lines_of(product, found.divergence)
        last = " ".join(lines[lines.index(_DIVERGES) + 1 :])
        return Seen(f"{members}x{changes}: no step of the spec: {last}")
    missed = {f"missed edges of {name}": n for name, n in found.missed.items()}
    ended = {"explored to the end": int(found.complete)}
    return Seen(figures={**missed, **ended, "edges_covered": found.edges_covered})


_DIVERGES = "which is no step of the spec:"


def conformance(at: Callable[[str], None]) -> Seen:
    """Hold two members and one change against the spec, on every input."""
    at("2x1")
    return _conforms(2, 1, 0)


def conformance_crash(at: Callable[[str], None]) -> Seen:
    """The same, and one of the members crashes once and comes back."""
    at("2x1, one crash")
    return _conforms(2, 1, 1)


def channels(at: Callable[[str], None]) -> Seen:
    """Hold single channels of the message layer against the spec, on every input."""
    from samebeat_conformance.layer.instances import LISTED
    from samebeat_conformance.layer.run import conform

    figures: dict[str, int] = {}
    for listed in LISTED:
        if not listed.fast:
            continue
        at(listed.name)
        outcome = conform(listed, _MOST_PAIRS)
        if outcome.divergence:
            last = " ".join(outcome.divergence[outcome.divergence.index(_DIVERGES) + 1 :])
            return Seen(f"{listed.name}: no step of the spec: {last}")
        figures[f"edges of {listed.name}"] = outcome.found.edges_covered
        figures[f"pairs of {listed.name}"] = outcome.found.pairs
    return Seen(figures=figures)


def fuzz(at: Callable[[str], None]) -> Seen:
    """Throw garbage and hostile messages at the codec and at a node."""
    from samebeat_conformance.fuzz.unguided import without_guidance

    at("fuzz")
    return Seen(without_guidance(executions=3_000))


LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        layer.name: layer
        for layer in (
            Layer("tests", fast_tests, 4),
            Layer("conformance", conformance, 60),
            Layer("channels", channels, 60),
            Layer("fuzz", fuzz, 20),
            Layer("crash", conformance_crash, 240, thorough=True),
            Layer("slow tests", slow_tests, 60, thorough=True),
        )
    }
)
"""In the order in which they are asked."""
