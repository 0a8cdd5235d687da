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

from samebeat_conformance.mutants.blame import is_of_the_core, the_core, words_of
from samebeat_conformance.mutants.prepared import graph_of, instance_of

_MOST_PAIRS = 20_000
_FIRST_PAIRS = 3_000
_CHANNELS = frozenset({"link-fragments", "link-order", "link-one-by-one", "link-overflow"})
"""Those that take seconds."""
_FIRST = frozenset({"test_views.py", "test_mistakes.py", "test_group_change.py"})
"""These notice most, and take little time."""


@dataclass(frozen=True)
class At:
    """Called with what a layer is at, before it begins with that.

    Attributes:
        tell: takes note of it.
        tests: only these tests matter, in this order; None: all do.
    """

    tell: Callable[[str], None]
    tests: tuple[str, ...] | None = None

    def __call__(self, what: str) -> None:
        """Say what comes next: a test, an instance, a seed."""
        self.tell(what)


@dataclass(frozen=True)
class Seen:
    """What a layer has seen.

    Attributes:
        wrong: the test, edge or promise that fails, in one line; empty: none.
        figures: numbers that must be those of the unchanged core.
        unknown: what could not be told, and why; that is no kill.
    """

    wrong: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)
    unknown: str = ""

    def against(self, unchanged: Seen) -> str:
        """Return what tells the two apart, in one line; empty: nothing does."""
        if self.wrong or self.unknown:
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
        cpu_seconds: after so much work on one thing (a test, an instance, a seed) it is ended, but
            not before ten times what the unchanged core takes; then the mutant counts as noticed.
        thorough: slow; it is only asked about what all others have missed.
        also: files that what it says rests on, besides the code that can be found by name.
    """

    name: str
    look: Callable[[At], Seen]
    cpu_seconds: int
    thorough: bool = False
    also: tuple[str, ...] = ()


class _Watcher:
    """Tells which test runs, keeps the first that fails, and leaves out those that do not count.

    A test that fails has failed, whatever it is that raised: with the right core it does not. A
    file that cannot be loaded is only the core's fault if the core has raised.
    """

    def __init__(self, at: At) -> None:
        self._at = at
        self._rank = {name: i for i, name in enumerate(at.tests or ())}
        self.failed = self.broken = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._at.tests is not None:
            items[:] = [item for item in items if item.nodeid in self._rank]
            items.sort(key=lambda item: self._rank[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._at(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        if isinstance(report, pytest.TestReport) or self.failed or self.broken:
            return
        error = call.excinfo.value
        said = report.nodeid + NOT_LOADED
        if is_of_the_core(error.__cause__ or error, the_core()):
            self.failed = said
        else:
            self.broken = f"{said}: {words_of(error.__cause__ or error)}"


def tests_folder() -> Path:
    """Return the tests of the core in the checkout that this runs in.

    Raises:
        FileNotFoundError: there is no checkout.
    """
    folder = Path(__file__).resolve().parents[3] / "tests" / "impl"
    if not folder.is_dir():
        raise FileNotFoundError("mutants are tested in a checkout, which has tests/impl")
    return folder


def _tests(which: Sequence[str], at: At) -> Seen:
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
    some = "-m" in which or at.tests is not None
    fine = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} if some else {0}
    if watcher.failed:
        return Seen(watcher.failed.removeprefix("tests/impl/"))
    broken = watcher.broken or ("" if code in fine else f"pytest ends with {code!r}")
    return Seen(unknown=broken.removeprefix("tests/impl/"))


def fast_tests(at: At) -> Seen:
    """Run the fast tests of the core."""
    return _file_by_file("not slow", at)


def slow_tests(at: At) -> Seen:
    """Run the slow tests of the core."""
    return _file_by_file("slow", at)


def _file_by_file(which: str, at: At) -> Seen:
    """Run one file of tests after the other: those after the first kill cost nothing."""
    for path in _files(at.tests):
        at(f"tests/impl/{path.name}")
        seen = _tests(("-m", which, str(path)), at)
        if seen.wrong or seen.unknown:
            return seen
    return Seen()


def _files(tests: Sequence[str] | None) -> list[Path]:
    """Return the files of these tests, in their order; None: all files, those with most first."""
    if tests is not None:
        names = dict.fromkeys(name.partition("::")[0] for name in tests)
        return [tests_folder().parents[1] / name for name in names]
    files = tests_folder().glob("test_*.py")
    return sorted(files, key=lambda p: (p.name not in _FIRST, p.name))


def one_test(name: str) -> Callable[[At], Seen]:
    """Return what runs one test, named from the top of the checkout."""
    return partial(_one_test, str(tests_folder().parents[1] / name))


def _one_test(name: str, at: At) -> Seen:
    return _tests((name,), at)


def _conforms(name: str, on_demand: bool = False, symmetric: bool = False) -> Seen:
    """Explore cores and spec together; steps of the spec that the cores miss count, too."""
    from samebeat_conformance.mapping import Unmapped
    from samebeat_conformance.product import Product
    from samebeat_conformance.trace import lines_of

    product = Product(
        instance_of(name),
        _MOST_PAIRS,
        on_demand=on_demand,
        symmetric=symmetric,
        spec=graph_of(name),
    )
    try:
        found = product.run()
    except Unmapped as error:
        return Seen(f"{name}: no state of the spec: {error}")
    if found.divergence:
        return Seen(f"{name}: {_last(lines_of(product, found.divergence))}")
    missed = {f"missed edges of {action}": n for action, n in found.missed.items()}
    ended = {"explored to the end": int(found.complete)}
    return Seen(figures={**missed, **ended, "edges_covered": found.edges_covered})


def _last(lines: Sequence[str]) -> str:
    """Return what a divergence, in words, ends with: what changes, or the input if that is all."""
    at = lines.index(_DIVERGES)
    return f"no step of the spec: {' '.join(lines[at + 1 :] or lines[at - 1 : at])}"


_DIVERGES = "which is no step of the spec:"


def conformance(at: At) -> Seen:
    """Hold two members and one change against the spec, on every input."""
    at("2x1")
    return _conforms("2x1")


def conformance_crash(at: At) -> Seen:
    """The same, and one of the members crashes once and comes back."""
    at("2x1-crash")
    return _conforms("2x1-crash", on_demand=True)


def views(at: At) -> Seen:
    """Hold three members against the spec: one takes itself out, a view goes on without it.

    That is `3x1-quarantine`, with one view less, and without the cores that take one step at a time
    and the noise.
    """
    at("3x1-quarantine")
    return _conforms("3x1-quarantine", on_demand=True, symmetric=True)


def timed(at: At) -> Seen:
    """Hold two members with clocks against the spec, and the first part of a watched pair.

    The pair is not explored to the end: so only what is no step of the spec counts there.
    """
    from samebeat_conformance.timed.instances import find
    from samebeat_conformance.timed.run import conform

    figures: dict[str, int] = {}
    for name, most in (("composed-raises", _MOST_PAIRS), ("pair-lowers", _FIRST_PAIRS)):
        at(name)
        outcome = conform(find(name), most)
        if outcome.divergence:
            return Seen(f"{name}: {_last(outcome.divergence)}")
        if outcome.noise.failures:
            return Seen(f"{name}: noise: {outcome.noise.failures[0]}")
        if outcome.found.complete:
            figures[f"edges of {name}"] = outcome.found.edges_covered
    return Seen(figures=figures)


def channels(at: At) -> Seen:
    """Hold single channels of the message layer against the spec, on every input."""
    from samebeat_conformance.layer.instances import LISTED
    from samebeat_conformance.layer.run import conform

    figures: dict[str, int] = {}
    for listed in (one for one in LISTED if one.name in _CHANNELS):
        at(listed.name)
        outcome = conform(listed, _MOST_PAIRS)
        if outcome.divergence:
            return Seen(f"{listed.name}: {_last(outcome.divergence)}")
        if outcome.noise.failures:
            return Seen(f"{listed.name}: noise: {outcome.noise.failures[0]}")
        figures[f"edges of {listed.name}"] = outcome.found.edges_covered
    return Seen(figures=figures)


def replay(at: At) -> Seen:
    """Follow right runs of the specs, and refuse wrong ones, at the step that is wrong."""
    from samebeat_conformance.mutants.traces import replayed

    wrong, taken = replayed(at)
    return Seen(wrong, taken)


def fuzz(at: At) -> Seen:
    """Throw garbage and hostile messages at the codec and at a node."""
    from samebeat_conformance.fuzz.unguided import without_guidance

    at("fuzz")
    return Seen(without_guidance(executions=3_000))


SEEDS: Mapping[int, int] = MappingProxyType({1: 3, 2: 3, 3: 3, 4: 4, 7: 3, 8: 4, 9: 3})
"""Seeds, and how many nodes: calm runs and storms, on channels and on bare datagrams."""


def simulator(at: At) -> Seen:
    """Run small clusters in virtual time, with faults, and hold the promises against each step."""
    from samebeat_conformance.simulator.run import from_seed

    for seed, size in SEEDS.items():
        at(f"seed {seed}")
        found = from_seed(seed, size)
        if found.failed:
            text = " ".join(found.text.split())
            return Seen(f"seed {seed}, {size} nodes: {found.promise}: {text[:_LONGEST]}")
    return Seen()


_LONGEST = 120
NOT_LOADED = ": cannot be loaded"
TESTS = ("tests", "slow tests")
"""The layers that name the test which has noticed something."""

_CLUSTER = ("spec/samebeat_spec/cluster*.py",)
_LINK = ("spec/samebeat_spec/link*.py",)
_TIMED = ("spec/samebeat_spec/timed_cluster*.py", "spec/samebeat_spec/heartbeat*.py")
_MUSEUM = tuple(
    f"models/samebeat_models/catalog/{name}_controls*.toml"
    for name in ("cluster", "link", "timed_cluster")
)

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        layer.name: layer
        for layer in (
            Layer("tests", fast_tests, 4),
            Layer("conformance", conformance, 20, also=_CLUSTER),
            Layer("channels", channels, 20, also=_LINK),
            Layer("simulator", simulator, 10, also=_CLUSTER),
            Layer("fuzz", fuzz, 20),
            Layer("crash", conformance_crash, 20, also=_CLUSTER),
            Layer("views", views, 20, also=_CLUSTER),
            Layer("time", timed, 20, also=_TIMED),
            Layer("replay", replay, 10, also=(*_CLUSTER, *_LINK, *_TIMED, *_MUSEUM)),
            Layer("slow tests", slow_tests, 30, thorough=True),
        )
    }
)
"""In the order in which they are asked."""
