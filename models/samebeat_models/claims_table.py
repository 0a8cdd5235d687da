"""Claims: for each element what shows it, from the specs, the catalog and the tests.

What is missing stays an empty list, and is shown as missing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samebeat_models.catalog import Model
from samebeat_spec.claims import CITABLE_IDS, CLAIMS, DESIGN_NOTES, Claim
from samebeat_spec.language import Spec

_ID = r"(?:\d+(?:\([a-f]\))?(?:\.[a-z]\w*)?|C\d)"
_CITATION = re.compile(rf"\b[Cc]laims? ({_ID}(?:(?:,| and|, and) {_ID})*)")


@dataclass(frozen=True)
class ClaimRow:
    """One element with everything that cites it.

    Actions and properties are written ``spec.name``; proofs, handlers and tests as their readers
    name them. A design note of our own (C1 to C8) is a row like any other.
    """

    claim: Claim
    actions: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether this element is behaviour and nothing in the specs shows it."""
        return self.claim.behaviour and not (self.actions or self.properties)


def claim_rows(
    specs: Iterable[Spec],
    models: Sequence[Model],
    tests: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[ClaimRow, ...]:
    """Return a row for each claim element and design note, in their order.

    Args:
        specs: the specs whose actions and properties count.
        models: the catalog; a model shows what its spec's actions and properties cite, unless it
            is a negative control.
        tests: for each id the tests that cite it (see ``cited_in_tests``).
    """
    actions: dict[str, list[str]] = {}
    properties: dict[str, list[str]] = {}
    in_spec: dict[str, list[str]] = {}
    for spec in specs:
        for a in spec.actions:
            for cited in a.claims:
                actions.setdefault(cited, []).append(f"{spec.name}.{a.name}")
                in_spec.setdefault(cited, []).append(spec.name)
        for p in spec.properties:
            for cited in p.claims:
                properties.setdefault(cited, []).append(f"{spec.name}.{p.name}")
                in_spec.setdefault(cited, []).append(spec.name)
    return tuple(
        ClaimRow(
            claim,
            tuple(actions.get(claim.id, ())),
            tuple(properties.get(claim.id, ())),
            tuple(
                m.name for m in models if m.spec in in_spec.get(claim.id, ()) and not m.is_control
            ),
            tests=(tests or {}).get(claim.id, ()),
        )
        for claim in CLAIMS + DESIGN_NOTES
    )


def tests_folder() -> Path | None:
    """Return the tests of the checkout that this module runs in, or None if it is installed."""
    top = Path(__file__).resolve().parents[2]
    folder = top / "tests"
    return folder if folder.is_dir() and (top / "pyproject.toml").is_file() else None


def cited_in_tests(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return for each id the tests that cite it, as pytest names them.

    A test cites in its docstring, "claim 2" or "claims 1(b), 4 and C6", or with a decorator whose
    name ends in ``claims``: ``@pytest.mark.claims("1(b)")``. A module's docstring speaks for all
    of the file.
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
