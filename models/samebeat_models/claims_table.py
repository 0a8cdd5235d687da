"""Claims: for each element what shows it, from the specs, the catalog and the tests.

What is missing stays an empty list, and is shown as missing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from samebeat_models.catalog import Model
from samebeat_spec.claims import CITABLE_IDS, CLAIMS, DESIGN_NOTES, Claim
from samebeat_spec.language import Spec

_ID = r"(?:\d+(?:\([a-f]\))?(?:\.[a-z]\w*)?|C\d)"
_PROMISES = ("invariant", "step", "always_reachable")
_CITATION = re.compile(rf"\b(?:[Cc]laim|[Nn]ote)s? ({_ID}(?:(?:,| and|, and) {_ID})*)")


@dataclass(frozen=True)
class Implemented:
    """What the implementation has of one element.

    Attributes:
        handlers: its functions.
        exercised: the tests in which they run.
        core: what of the element it does not do, and why; empty: nothing.
    """

    handlers: tuple[str, ...] = ()
    exercised: tuple[str, ...] = ()
    core: str = ""


@dataclass(frozen=True)
class ClaimRow:
    """One element with everything that cites it.

    Actions, properties and witnesses are written ``spec.name``; proofs, handlers and tests as their
    readers name them. A property can fail wherever it is checked. A witness says that a situation
    can come up, so it promises nothing and stands apart. A design note of our own (C1 to C8) is a
    row like any other. Models are those that show the element, see ``shows``. Handlers are what the
    implementation has, ``exercised`` the tests in which they run, ``core`` what it does not do.
    """

    claim: Claim
    actions: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    exercised: tuple[str, ...] = ()
    core: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a row that is behaviour must have and does not: "action", "property" or both."""
        found = {"action": self.actions, "property": self.properties}
        return tuple(kind for kind, names in found.items() if self.claim.behaviour and not names)

    @property
    def in_part(self) -> bool:
        """Whether the specs show this element, and something of it is left out."""
        return self.claim.behaviour and not self.lacks and bool(self.claim.left_out)


def claim_rows(
    specs: Iterable[Spec],
    models: Sequence[Model],
    tests: Mapping[str, tuple[str, ...]] | None = None,
    implemented: Mapping[str, Implemented] | None = None,
) -> tuple[ClaimRow, ...]:
    """Return a row for each claim element and design note, in their order.

    Args:
        specs: the specs whose actions and properties count.
        models: the catalog.
        tests: for each id the tests that cite it (see ``cited_in_tests``).
        implemented: for each id what the implementation has.
    """
    known = {spec.name: spec for spec in specs}
    rows = (
        _row(claim, known, models, (tests or {}).get(claim.id, ()))
        for claim in CLAIMS + DESIGN_NOTES
    )
    there = implemented or {}
    nothing = Implemented()
    return tuple(
        replace(row, handlers=done.handlers, exercised=done.exercised, core=done.core)
        for row in rows
        for done in (there.get(row.claim.id, nothing),)
    )


def _row(
    claim: Claim, known: Mapping[str, Spec], models: Sequence[Model], tests: tuple[str, ...]
) -> ClaimRow:
    """Return the row of one element; its models are of specs that promise something about it."""
    actions: list[str] = []
    properties: list[str] = []
    witnesses: list[str] = []
    promising: set[str] = set()
    for spec in known.values():
        seen = {p.name for p in spec.of_kind("witness", "terminal")}
        actions += [f"{spec.name}.{a.name}" for a in spec.actions if claim.id in a.claims]
        cited = [p.name for p in spec.promises if claim.id in p.claims]
        witnesses += [f"{spec.name}.{name}" for name in cited if name in seen]
        promised = [f"{spec.name}.{name}" for name in cited if name not in seen]
        properties += promised
        promising |= {spec.name} if promised else set()
    shown = [
        m.name
        for m in models
        if m.spec in (promising or known) and shows(m, known[m.spec], claim.id)
    ]
    return ClaimRow(
        claim,
        tuple(actions),
        tuple(properties),
        tuple(witnesses),
        tuple(shown),
        tests=tests,
    )


def shows(model: Model, spec: Spec, claim_id: str) -> bool:
    """Return whether a model shows an element: by a promise that it keeps and has a case for.

    Where no promise of the spec cites the element, a situation that the model reaches will do, and
    where no situation does either, a step that it takes. A model that takes none of the steps that
    cite the element shows nothing, nor does a negative control.
    """
    steps = {a.name for a in spec.actions if claim_id in a.claims}
    if model.is_control or (steps and steps <= {*model.idle}):
        return False
    promised = {p.name for p in spec.properties if p.kind in _PROMISES and not p.internal}
    promised.update(model.refines, model.live)
    for cited, unseen in (
        (promised & {p.name for p in spec.promises if claim_id in p.claims}, model.vacuous),
        ({p.name for p in spec.of_kind("witness") if claim_id in p.claims}, model.unreached),
        (steps, model.idle),
    ):
        if cited:
            return bool(cited.difference(unseen))
    return False


def tests_folder() -> Path | None:
    """Return the tests of the checkout that this module runs in, or None if it is installed."""
    top = Path(__file__).resolve().parents[2]
    folder = top / "tests"
    return folder if folder.is_dir() and (top / "pyproject.toml").is_file() else None


@cache
def cited_in_tests(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return for each id the tests that cite it, as pytest names them.

    A test cites in its docstring, "claim 2", "claims 1(b), 4 and C6" or "note C2", or with a
    decorator whose name ends in ``claims``: ``@pytest.mark.claims("1(b)")``. A module's docstring
    speaks for all of the file.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue  # pytest says so, and better
        for test, cited in _citations(tree, name):
            for claim_id in sorted(cited & CITABLE_IDS):
                found.setdefault(claim_id, []).append(test)
    return {claim_id: tuple(tests) for claim_id, tests in found.items()}


def _citations(tree: ast.Module, name: str) -> Iterator[tuple[str, set[str]]]:
    yield name, _in_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marked = {
                argument.value
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                and ast.unparse(decorator.func).endswith("claims")
                for argument in decorator.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            }
            yield f"{name}::{node.name}", _in_docstring(node) | marked


def _in_docstring(node: ast.Module | ast.FunctionDef) -> set[str]:
    said = " ".join((ast.get_docstring(node) or "").split())
    return {found for phrase in _CITATION.findall(said) for found in re.findall(_ID, phrase)}
